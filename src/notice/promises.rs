//! Every promise of the documents the product was founded on, and what keeps it.
//!
//! In: a table written by hand, a file for each document. Out: [`Row`]s. Invariant: a promise is kept by tests that exist in
//! this repository or by self-tests of the box, or it says why it cannot apply, or that it is not built (tests/openly/promises.rs).

mod consent;
mod data;
mod personalisation;
mod shops;
mod voice;

/// One promise.
#[derive(Debug, Clone, Copy)]
pub struct Row {
    /// Its number: document, then promise.
    pub number: &'static str,
    /// What is promised, as it is kept here.
    pub promise: &'static str,
    /// What keeps it.
    pub state: State,
}

/// What becomes of a promise.
#[derive(Debug, Clone, Copy)]
pub enum State {
    /// It is kept.
    Kept {
        /// Tests that are run when the product is built: `folder::file::name` below `tests`, or `src::…::name`; " (long)"
        /// behind those that only the long run runs.
        tests: &'static [&'static str],
        /// Self-tests that a box runs.
        proofs: &'static [&'static str],
    },
    /// It cannot apply to us, and why.
    NotApplicable(&'static str),
    /// It is not built, and what there is instead.
    NotBuilt(&'static str),
}

/// All promises, in the order of their documents.
pub fn all() -> impl Iterator<Item = &'static Row> {
    [data::ROWS, personalisation::ROWS, consent::ROWS, voice::ROWS, shops::ROWS].into_iter().flatten()
}

/// How many there are.
pub const COUNT: usize = 104;

/// A promise that tests keep.
const fn tested(number: &'static str, promise: &'static str, tests: &'static [&'static str]) -> Row {
    Row { number, promise, state: State::Kept { tests, proofs: &[] } }
}

/// A promise that tests keep, and the box itself tries.
const fn tried(
    number: &'static str,
    promise: &'static str,
    tests: &'static [&'static str],
    proofs: &'static [&'static str],
) -> Row {
    Row { number, promise, state: State::Kept { tests, proofs } }
}

/// A promise that has nothing to hold on to here.
const fn not_applicable(number: &'static str, promise: &'static str, why: &'static str) -> Row {
    Row { number, promise, state: State::NotApplicable(why) }
}

/// A promise that is not kept yet.
const fn not_built(number: &'static str, promise: &'static str, why: &'static str) -> Row {
    Row { number, promise, state: State::NotBuilt(why) }
}
