//! Faults on purpose, so that tests can see what a crash of the eye leaves behind. In debug builds alone.
//!
//! In: the mouth's variable `KEHAI_FAULT`, `STAGE KIND AFTER TEXT`, handed to the first eye that watches or replays. Out:
//! when the stage has met its `AFTER`th frame, a panic that says TEXT, an abort, or memory that runs out.
//! Invariant: a release build has none of it, not even the name of the variable (tests/live/crashes.rs).

use std::sync::OnceLock;
#[cfg(feature = "mouth")]
use std::sync::atomic::AtomicBool;
use std::sync::atomic::{AtomicU32, Ordering};

#[cfg(feature = "mouth")]
use super::Errand;

/// Where in the eye it happens.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// On the thread of a camera, when a picture has come.
    Capture,
    /// On a detect worker, a frame in hand.
    Detect,
    /// On the thread that measures.
    Measure,
}

/// What happens.
#[derive(Clone, Copy)]
enum Kind {
    Panic,
    Abort,
    Memory,
}

/// A fault to come.
struct Fault {
    stage: Place,
    kind: Kind,
    /// Frames the stage works through before.
    after: u32,
    /// What a panic says, so that it can be looked for.
    text: String,
    met: AtomicU32,
}

/// The variable for the eye that is about to be started, if the mouth was asked for a fault and this is the first.
#[cfg(feature = "mouth")]
pub(super) fn for_one_eye(errand: Errand) -> Option<(&'static str, String)> {
    static GIVEN: AtomicBool = AtomicBool::new(false);
    let asked = std::env::var(VARIABLE).ok().filter(|_| matches!(errand, Errand::Watch | Errand::Replay(_)))?;
    (!GIVEN.swap(true, Ordering::Relaxed)).then_some((VARIABLE, asked))
}

/// Makes this eye the one it happens to, if it was given the variable.
///
/// # Panics
/// On a fault there is not: a test that misspells it must not pass.
pub(super) fn prepare() {
    let Ok(asked) = std::env::var(VARIABLE) else { return };
    let parts: Vec<&str> = asked.splitn(4, ' ').collect();
    let [stage, kind, after, text] = parts[..] else { panic!("{VARIABLE} is STAGE KIND AFTER TEXT") };
    let stage = match stage {
        "capture" => Place::Capture,
        "detect" => Place::Detect,
        "measure" => Place::Measure,
        _ => panic!("no stage {stage}"),
    };
    let kind = match kind {
        "panic" => Kind::Panic,
        "abort" => Kind::Abort,
        "memory" => Kind::Memory,
        _ => panic!("no fault {kind}"),
    };
    let after = after.parse().expect("a number of frames");
    PREPARED.get_or_init(|| Fault { stage, kind, after, text: text.to_owned(), met: AtomicU32::new(0) });
}

/// A stage has a frame before it.
pub(super) fn meet(stage: Place) {
    let Some(fault) = PREPARED.get().filter(|fault| fault.stage == stage) else { return };
    if fault.met.fetch_add(1, Ordering::Relaxed) < fault.after {
        return;
    }
    match fault.kind {
        Kind::Panic => panic!("{}", fault.text),
        Kind::Abort => std::process::abort(),
        Kind::Memory => drop(Vec::<u8>::with_capacity(MORE_THAN_THERE_IS)),
    }
}

static PREPARED: OnceLock<Fault> = OnceLock::new();
const VARIABLE: &str = "KEHAI_FAULT";
/// More than any machine can promise, bytes.
const MORE_THAN_THERE_IS: usize = 1 << 60;
