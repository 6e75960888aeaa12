//! Faults on purpose, so that tests can see what a crash of the eye leaves behind. In debug builds alone.
//!
//! In: the mouth's variable `KEHAI_FAULT`, `STAGE KIND AFTER TEXT`, handed to one eye in its job. Out: when the stage has
//! met its `AFTER`th frame, a panic that says TEXT, an abort, or memory that runs out.
//! Invariant: a release build has none of it, neither the field of the job nor the name of the variable (tests/live/crashes.rs).

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

use serde::{Deserialize, Serialize};

/// A fault to come.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Fault {
    stage: Place,
    kind: Kind,
    /// Frames the stage works through before.
    after: u32,
    /// What a panic says, so that it can be looked for.
    text: String,
}

/// Where in the eye it happens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Place {
    /// On the thread of a camera, when a picture has come.
    Capture,
    /// On a detect worker, a frame in hand.
    Detect,
    /// On the thread that measures.
    Measure,
}

/// What happens.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Kind {
    Panic,
    Abort,
    Memory,
}

/// The fault the mouth was asked for.
///
/// # Panics
/// On a variable that asks for no fault there is: a test that misspells it must not pass.
#[must_use]
pub fn asked_for() -> Option<Fault> {
    let asked = std::env::var(VARIABLE).ok()?;
    let parts: Vec<&str> = asked.splitn(4, ' ').collect();
    let [stage, kind, after, text] = parts[..] else { panic!("{VARIABLE} is STAGE KIND AFTER TEXT") };
    let named = format!("{{\"stage\":{stage:?},\"kind\":{kind:?},\"after\":{after},\"text\":{text:?}}}");
    Some(serde_json::from_str(&named).unwrap_or_else(|error| panic!("{VARIABLE} = {asked}: {error}")))
}

/// Makes this eye the one it happens to.
pub fn prepare(fault: Option<&Fault>) {
    if let Some(fault) = fault {
        PREPARED.get_or_init(|| (fault.clone(), AtomicU32::new(0)));
    }
}

/// A stage has a frame before it.
pub fn meet(stage: Place) {
    let Some((fault, met)) = PREPARED.get().filter(|(fault, _)| fault.stage == stage) else { return };
    if met.fetch_add(1, Ordering::Relaxed) < fault.after {
        return;
    }
    match fault.kind {
        Kind::Panic => panic!("{}", fault.text),
        Kind::Abort => std::process::abort(),
        Kind::Memory => drop(Vec::<u8>::with_capacity(MORE_THAN_THERE_IS)),
    }
}

static PREPARED: OnceLock<(Fault, AtomicU32)> = OnceLock::new();
const VARIABLE: &str = "KEHAI_FAULT";
/// More than any machine can promise, bytes.
const MORE_THAN_THERE_IS: usize = 1 << 60;
