//! How a camera fares, in the words of one pipe record.
//!
//! In: a [`CameraReport`] of the eye. Out: the same on the mouth's side. Invariant: counters and a state, nothing of a
//! person; a state that does not exist is refused.

use super::record::{Outbox, Record, halves, whole};
use crate::health::{CameraReport, CameraState, Ledger};

impl Outbox {
    /// Counters of a camera.
    #[must_use]
    pub fn camera(&self, camera: u16, report: &CameraReport) -> Vec<Record> {
        let Ledger { captured, detected, still, skipped, overwritten, failed } = report.ledger;
        let counters = [captured, detected, still, skipped, overwritten, failed, report.ignored];
        let mut words: Vec<u32> = counters.into_iter().flat_map(halves).collect();
        words.extend([report.state as u32, report.reconnects, report.width, report.height, report.lag_ms]);
        words.push(report.motionless);
        self.records(KIND_CAMERA, camera, None, &words)
    }
}

/// Reads the words of a record; `None` for a state that does not exist.
pub(super) fn camera_report(words: &[u32]) -> Option<CameraReport> {
    let count = |index: usize| whole(words, index);
    let ledger = Ledger {
        captured: count(0),
        detected: count(1),
        still: count(2),
        skipped: count(3),
        overwritten: count(4),
        failed: count(5),
    };
    let [state, reconnects, width, height, lag_ms, motionless] = words[14..].try_into().ok()?;
    let state = CameraState::from_number(state)?;
    Some(CameraReport { ledger, state, reconnects, width, height, lag_ms, ignored: count(6), motionless })
}

pub(super) const KIND_CAMERA: u8 = 16;
/// Words of a [`CameraReport`].
pub(super) const CAMERA_WORDS: usize = 20;
