//! How a camera fares, in the words of one pipe record.
//!
//! In: a [`CameraReport`] of the eye and its [`Tick`]. Out: the same on the mouth's side. Invariant: counters and codes,
//! nothing of a person; a code that does not exist is refused.

use super::record::{Outbox, Record, halves, whole};
use crate::health::{CameraReport, CameraState, Ledger, Silence};

/// Which of a camera's reports it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tick {
    /// Its number, from 1 on without gaps.
    pub number: u32,
    /// Media time of the last frame that was looked at, ms; 0 from an eye that does not replay.
    pub media_ms: u32,
}

impl Outbox {
    /// Counters of a camera.
    #[must_use]
    pub fn camera(&self, camera: u16, tick: Tick, report: &CameraReport) -> Vec<Record> {
        let Ledger { captured, detected, still, skipped, overwritten, failed } = report.ledger;
        let counters = [captured, detected, still, skipped, overwritten, failed, report.ignored];
        let mut words: Vec<u32> = counters.into_iter().flat_map(halves).collect();
        let [offered_width, offered_height] = report.offered;
        words.extend([tick.number, tick.media_ms]);
        words.extend([report.state as u32, report.reconnects, report.width, report.height, report.lag_ms]);
        words.extend([report.motionless, report.silence as u32, report.attempts, offered_width, offered_height]);
        words.extend([u32::from(report.lacks_decoder), report.looks_milli, u32::from(report.is_overloaded)]);
        self.records(KIND_CAMERA, camera, None, &words)
    }
}

/// Reads the words of a record; `None` for a code that does not exist.
pub(super) fn camera_report(words: &[u32]) -> Option<(Tick, CameraReport)> {
    let count = |index: usize| whole(words, index);
    let ledger = Ledger {
        captured: count(0),
        detected: count(1),
        still: count(2),
        skipped: count(3),
        overwritten: count(4),
        failed: count(5),
    };
    let [number, media_ms, state, reconnects, width, height, lag_ms, rest @ ..] = &words[14..] else { return None };
    let &[motionless, silence, attempts, offered_width, offered_height, lacks_decoder, looks_milli, overloaded] = rest
    else {
        return None;
    };
    let report = CameraReport {
        ledger,
        state: CameraState::from_number(*state)?,
        reconnects: *reconnects,
        width: *width,
        height: *height,
        lag_ms: *lag_ms,
        ignored: count(6),
        motionless,
        silence: Silence::from_number(silence)?,
        attempts,
        offered: [offered_width, offered_height],
        lacks_decoder: truth(lacks_decoder)?,
        looks_milli,
        is_overloaded: truth(overloaded)?,
    };
    Some((Tick { number: *number, media_ms: *media_ms }, report))
}

fn truth(word: u32) -> Option<bool> {
    (word < 2).then_some(word == 1)
}

pub(super) const KIND_CAMERA: u8 = 16;
/// Words of a [`CameraReport`]: seven counters of two words each, and fifteen of one.
pub(super) const CAMERA_WORDS: usize = 29;
