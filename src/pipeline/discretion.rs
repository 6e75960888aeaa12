//! What a live eye tells of its counters, and when: nothing of who is there on a finer scale than a window (I10).
//!
//! In: the counters of one camera as they stand. Out: the same as they may be told. How many frames went unseen because
//! nothing moved, and how many boxes lay in ignored places, follows the coming and going of people within seconds. In a shop
//! both therefore stand still and are brought up to date after the end of a quarter of an hour of UTC, a whole one at least
//! after the eye began; a still frame counts as detected until then, so that the sum never tells. What is listed as
//! motionless is told at once, for it says that something did not move for a minute after the start; that it is gone
//! waits as well. A replay has no secret of time and tells all.
//! Invariant: between two such moments a live report is the same whatever people do
//! (test `within_a_quarter_of_an_hour_nothing_tells_who_is_there`).

use crate::clock::UtcMs;
use crate::config::COUNT_WINDOW_S;
use crate::health::CameraReport;

/// What of one camera has been told.
pub struct Discretion {
    /// First quarter of an hour in which news may be told; `None` where all is told at once.
    due: Option<i64>,
    still: u64,
    ignored: u64,
    motionless: u32,
}

impl Discretion {
    /// For an eye that watches a shop from `begun` on.
    #[must_use]
    pub fn live(begun: UtcMs) -> Self {
        // The quarter it begins in is not a whole one, and the next ends where the one after begins.
        Self { due: Some(quarter(begun) + 2), still: 0, ignored: 0, motionless: 0 }
    }

    /// For an eye that replays a recording.
    #[must_use]
    pub fn replay() -> Self {
        Self { due: None, still: 0, ignored: 0, motionless: 0 }
    }

    /// The counters as they may be told now.
    pub fn told(&mut self, report: CameraReport, now: UtcMs) -> CameraReport {
        if self.due.is_none_or(|due| quarter(now) >= due) {
            (self.still, self.ignored, self.motionless) = (report.ledger.still, report.ignored, report.motionless);
            self.due = self.due.map(|_| quarter(now) + 1);
        }
        self.motionless = self.motionless.max(report.motionless);
        let mut told = CameraReport { ignored: self.ignored, motionless: self.motionless, ..report };
        told.ledger.detected = report.ledger.detected + report.ledger.still - self.still;
        told.ledger.still = self.still;
        told
    }
}

fn quarter(at: UtcMs) -> i64 {
    at.0.div_euclid(1000 * i64::from(COUNT_WINDOW_S))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::health::{CameraState, Ledger};

    /// A camera after `looked + still` frames.
    fn report(looked: u64, still: u64, ignored: u64, motionless: u32) -> CameraReport {
        let ledger = Ledger { captured: looked + still, detected: looked, still, ..Ledger::default() };
        let state = CameraState::Seeing;
        CameraReport { ledger, state, reconnects: 0, width: 640, height: 480, lag_ms: 40, ignored, motionless }
    }

    fn at(minute: i64) -> UtcMs {
        UtcMs(minute * 60_000)
    }

    #[test]
    fn within_a_quarter_of_an_hour_nothing_tells_who_is_there() {
        let (mut empty, mut busy) = (Discretion::live(at(7)), Discretion::live(at(7)));
        for minute in 7..30 {
            let frames = 300 * (minute as u64 - 6);
            let of_empty = empty.told(report(frames / 30, frames - frames / 30, 0, 0), at(minute));
            assert_eq!(of_empty, busy.told(report(frames, 0, 17 * minute as u64, 0), at(minute)), "minute {minute}");
            assert!(of_empty.ledger.is_balanced());
        }
    }

    #[test]
    fn a_whole_quarter_is_told_once_it_is_over() {
        let mut discretion = Discretion::live(at(7));
        discretion.told(report(10, 90, 5, 0), at(29));
        let told = discretion.told(report(11, 99, 6, 0), at(30));
        assert_eq!((told.ledger.detected, told.ledger.still, told.ignored), (11, 99, 6));
        let later = discretion.told(report(11, 199, 9, 0), at(44));
        assert_eq!((later.ledger.detected, later.ledger.still, later.ignored), (111, 99, 6));
        assert_eq!(discretion.told(report(11, 299, 9, 0), at(45)).ledger.still, 299);
    }

    #[test]
    fn a_thing_is_listed_at_once_and_gone_with_the_quarter() {
        let mut discretion = Discretion::live(at(0));
        assert_eq!(discretion.told(report(1, 0, 0, 1), at(1)).motionless, 1);
        assert_eq!(discretion.told(report(2, 0, 0, 0), at(29)).motionless, 1);
        assert_eq!(discretion.told(report(3, 0, 0, 0), at(30)).motionless, 0);
    }

    #[test]
    fn a_replay_tells_all_at_once() {
        let counted = report(3, 9, 2, 1);
        assert_eq!(Discretion::replay().told(counted, at(1)), counted);
    }
}
