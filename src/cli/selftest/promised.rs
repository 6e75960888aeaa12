//! `kehai report --promises`: every promise with what keeps it, and how the self-tests among it stand at this moment.
//!
//! In: the table of promises, a site where there is one. Out: a row a promise. Invariant: a test of the build is never said to
//! have run here, and a self-test that was not run is said not to have been.

use serde::Serialize;

use super::kept;
use crate::cli::output::{say, say_json};
use crate::cli::report::Args;
use crate::cli::{CHECK_FAILED, Failure};
use crate::notice::promises::{Row, State, all};
use crate::wire::payload::selftest::{Outcome, SelfTest};

/// A promise as it stands.
#[derive(Serialize)]
struct Told {
    number: &'static str,
    promise: &'static str,
    /// "kept", "broken", "kept-at-build", "not-applicable" or "not-built".
    state: &'static str,
    /// Tests of the repository, run when the product was built and not here.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tested_at_build: Vec<&'static str>,
    /// Self-tests, each with its outcome on this box.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    self_tests: Vec<Tried>,
    #[serde(skip_serializing_if = "Option::is_none")]
    why: Option<&'static str>,
}

#[derive(Serialize)]
struct Tried {
    id: &'static str,
    outcome: Outcome,
}

/// Runs the command; exit 1 where a self-test says that a promise is broken.
pub(super) fn run(args: &Args) -> Result<(), Failure> {
    let test = args.site.as_ref().map(|path| kept(path)).transpose()?.map(|(test, _)| test);
    let told: Vec<Told> = all().map(|row| told(row, test.as_ref())).collect();
    if args.json {
        say_json(&told);
    } else {
        told.iter().for_each(|told| say(&in_words(told)));
        say(&summary(&told, test.is_some()));
    }
    let broken: Vec<&str> = told.iter().filter(|told| told.state == BROKEN).map(|told| told.number).collect();
    match broken.as_slice() {
        [] => Ok(()),
        broken => {
            Err(Failure::new(CHECK_FAILED, format!("promises that do not hold on this box: {}", broken.join(", "))))
        }
    }
}

fn told(row: &'static Row, test: Option<&SelfTest>) -> Told {
    let plain = |state, why| Told {
        number: row.number,
        promise: row.promise,
        state,
        tested_at_build: Vec::new(),
        self_tests: Vec::new(),
        why,
    };
    let (tests, proofs) = match row.state {
        State::NotApplicable(why) => return plain("not-applicable", Some(why)),
        State::NotBuilt(why) => return plain("not-built", Some(why)),
        State::Kept { tests, proofs } => (tests, proofs),
    };
    let outcome_of = |id| test.and_then(|test| test.proof(id)).map_or(Outcome::NotRun, |proof| proof.outcome);
    let tried: Vec<Tried> = proofs.iter().map(|id| Tried { id, outcome: outcome_of(id) }).collect();
    let state = match () {
        () if tried.iter().any(|tried| tried.outcome == Outcome::Red) => BROKEN,
        () if tried.is_empty() || tried.iter().any(|tried| tried.outcome == Outcome::NotRun) => "kept-at-build",
        () => "kept",
    };
    Told { tested_at_build: tests.to_vec(), self_tests: tried, ..plain(state, None) }
}

fn in_words(told: &Told) -> String {
    let mut lines = vec![format!("{:<5} {:<15} {}", told.number, told.state, told.promise)];
    lines.extend(
        told.self_tests
            .iter()
            .map(|tried| format!("{INDENT}on this box, {}: {}", tried.id, super::word(tried.outcome))),
    );
    lines.extend(told.tested_at_build.iter().map(|test| format!("{INDENT}tested at build by {test}")));
    lines.extend(told.why.map(|why| format!("{INDENT}{why}")));
    lines.join("\n")
}

fn summary(told: &[Told], has_run: bool) -> String {
    let count = |state| told.iter().filter(|told| told.state == state).count();
    let run = if has_run { "self-tests ran just now" } else { "no self-test ran: give --site" };
    format!(
        "{} promises: {} kept and tried on this box, {} kept as tested at build, {BROKEN} {}, {} not applicable, {} not built, 0 unknown; {run}",
        told.len(),
        count("kept"),
        count("kept-at-build"),
        count(BROKEN),
        count("not-applicable"),
        count("not-built"),
    )
}

const BROKEN: &str = "broken";
const INDENT: &str = "                      ";
