//! What a live eye tells of its counters, and when: nothing of who is there on a finer scale than a window (I10).
//!
//! In: the counters of one camera as they stand. Out: the same as they may be told. How many frames went unseen because
//! nothing moved, how many gave way, how old they were and how many boxes lay in ignored places follows the coming and
//! going of people within seconds. In a shop all of that stands still and is brought up to date after the end of a quarter
//! of an hour of UTC, a whole one at least after the eye began. Until then every frame that was due for a look counts as
//! detected, so that neither the sum nor what is under way tells; the age is the highest at any report of the quarter, and
//! the rate of looks is the rate of frames due.
//! Two things are told at once, because people have to act on them, and are gone with the quarter only: what is
//! listed as motionless, for it says that something did not move for a minute after the start, and that the box is
//! overloaded, with the fewest looks since. The latter happens where cameras show movement that the box cannot follow; so
//! one moment a quarter of an hour can tell that there was much movement, on a box that is too small and on no other.
//! A replay has no secret of time and tells all.
//! Invariants: between two such moments a live report is the same whatever people do on a box that keeps up
//! (test `within_a_quarter_of_an_hour_nothing_tells_who_is_there`); live counters add up at every moment.

use crate::clock::UtcMs;
use crate::config::COUNT_WINDOW_S;
use crate::health::CameraReport;

/// What of one camera has been told.
pub struct Discretion {
    /// First quarter of an hour in which news may be told; `None` where all is told at once.
    due: Option<i64>,
    still: u64,
    overwritten: u64,
    ignored: u64,
    motionless: u32,
    lag_ms: u32,
    /// The highest age since it was last told, ms.
    lag_ms_max: u32,
    /// Fewest looks per second since the box is overloaded, thousandths.
    fewest_milli: Option<u32>,
}

impl Discretion {
    /// For an eye that watches a shop from `begun` on.
    #[must_use]
    pub fn live(begun: UtcMs) -> Self {
        // The quarter it begins in is not a whole one, and the next ends where the one after begins.
        Self { due: Some(quarter(begun) + 2), ..Self::replay() }
    }

    /// For an eye that replays a recording.
    #[must_use]
    pub fn replay() -> Self {
        Self {
            due: None,
            still: 0,
            overwritten: 0,
            ignored: 0,
            motionless: 0,
            lag_ms: 0,
            lag_ms_max: 0,
            fewest_milli: None,
        }
    }

    /// The counters as they may be told now; `due_milli` frames per second were due for a look, thousandths.
    pub fn told(&mut self, report: CameraReport, due_milli: u32, now: UtcMs) -> CameraReport {
        let Some(due) = self.due else { return report };
        let ledger = report.ledger;
        self.lag_ms_max = self.lag_ms_max.max(report.lag_ms);
        if quarter(now) >= due {
            (self.still, self.overwritten, self.ignored) = (ledger.still, ledger.overwritten, report.ignored);
            (self.motionless, self.fewest_milli) = (report.motionless, None);
            self.lag_ms = std::mem::take(&mut self.lag_ms_max);
            self.due = Some(quarter(now) + 1);
        }
        self.motionless = self.motionless.max(report.motionless);
        if report.is_overloaded {
            let step = (due_milli / LOOK_STEPS).max(1);
            let looks_milli = (report.looks_milli + step / 2) / step * step;
            self.fewest_milli = Some(self.fewest_milli.map_or(looks_milli, |fewest| fewest.min(looks_milli)));
        }
        let mut told = CameraReport {
            ignored: self.ignored,
            motionless: self.motionless,
            lag_ms: self.lag_ms,
            looks_milli: self.fewest_milli.unwrap_or(due_milli),
            is_overloaded: self.fewest_milli.is_some(),
            ..report
        };
        (told.ledger.still, told.ledger.overwritten) = (self.still, self.overwritten);
        let others = ledger.skipped + ledger.failed + self.still + self.overwritten;
        told.ledger.detected = ledger.captured.saturating_sub(others);
        told
    }
}

fn quarter(at: UtcMs) -> i64 {
    at.0.div_euclid(1000 * i64::from(COUNT_WINDOW_S))
}

/// Looks of an overloaded box are told in so many steps of those that were due.
const LOOK_STEPS: u32 = 20;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::health::{CameraState, Ledger};

    /// A camera after `looked + still` frames due and four times as many others.
    fn report(looked: u64, still: u64, ignored: u64, motionless: u32) -> CameraReport {
        let skipped = 4 * (looked + still);
        let ledger =
            Ledger { captured: skipped + looked + still, detected: looked, still, skipped, ..Ledger::default() };
        let (state, width, height) = (CameraState::Seeing, 640, 480);
        CameraReport { ledger, state, width, height, lag_ms: 40, ignored, motionless, ..CameraReport::unseen() }
    }

    fn at(minute: i64) -> UtcMs {
        UtcMs(minute * 60_000)
    }

    fn told(discretion: &mut Discretion, report: CameraReport, minute: i64) -> CameraReport {
        discretion.told(report, 5000, at(minute))
    }

    #[test]
    fn within_a_quarter_of_an_hour_nothing_tells_who_is_there() {
        let (mut empty, mut busy) = (Discretion::live(at(7)), Discretion::live(at(7)));
        for minute in 7..30 {
            let frames = 300 * (minute as u64 - 6);
            let nobody = CameraReport { looks_milli: 5000, ..report(frames / 30, frames - frames / 30, 0, 0) };
            // One frame waits, one is at the network, some gave way, and the box is slower than it was.
            let mut crowd = report(frames, 0, 17 * minute as u64, 0);
            (crowd.lag_ms, crowd.looks_milli) = (40 + 7 * minute as u32, 4600);
            (crowd.ledger.detected, crowd.ledger.overwritten) = (frames * 95 / 100 - 2, frames * 5 / 100);
            let of_empty = told(&mut empty, nobody, minute);
            assert_eq!(of_empty, told(&mut busy, crowd, minute), "minute {minute}");
            assert!(of_empty.ledger.is_balanced());
        }
    }

    #[test]
    fn a_whole_quarter_is_told_once_it_is_over() {
        let mut discretion = Discretion::live(at(7));
        let first = told(&mut discretion, CameraReport { lag_ms: 90, ..report(10, 90, 5, 0) }, 29);
        assert_eq!((first.ledger.detected, first.ledger.still, first.lag_ms), (100, 0, 0));
        let second = told(&mut discretion, report(11, 99, 6, 0), 30);
        assert_eq!((second.ledger.detected, second.ledger.still, second.ignored, second.lag_ms), (11, 99, 6, 90));
        let later = told(&mut discretion, report(11, 199, 9, 0), 44);
        assert_eq!((later.ledger.detected, later.ledger.still, later.ignored), (111, 99, 6));
        assert_eq!(told(&mut discretion, report(11, 299, 9, 0), 45).ledger.still, 299);
    }

    #[test]
    fn frames_that_gave_way_are_told_with_the_quarter() {
        let mut discretion = Discretion::live(at(0));
        let mut pressed = report(95, 0, 0, 0);
        (pressed.ledger.captured, pressed.ledger.overwritten) = (pressed.ledger.captured + 5, 5);
        assert_eq!(told(&mut discretion, pressed, 29).ledger.overwritten, 0);
        let later = told(&mut discretion, pressed, 30);
        assert_eq!((later.ledger.overwritten, later.ledger.detected), (5, 95));
    }

    #[test]
    fn a_thing_is_listed_at_once_and_gone_with_the_quarter() {
        let mut discretion = Discretion::live(at(0));
        assert_eq!(told(&mut discretion, report(1, 0, 0, 1), 1).motionless, 1);
        assert_eq!(told(&mut discretion, report(2, 0, 0, 0), 29).motionless, 1);
        assert_eq!(told(&mut discretion, report(3, 0, 0, 0), 30).motionless, 0);
    }

    #[test]
    fn overload_is_told_at_once_with_the_fewest_looks_and_gone_with_the_quarter() {
        let mut discretion = Discretion::live(at(0));
        let mut pressed = |looks_milli, is_overloaded, minute| {
            let report = CameraReport { looks_milli, is_overloaded, ..report(9, 0, 0, 0) };
            let told = told(&mut discretion, report, minute);
            (told.looks_milli, told.is_overloaded)
        };
        assert_eq!(pressed(4900, false, 1), (5000, false), "what a box that keeps up misses is not told");
        assert_eq!(pressed(3120, true, 2), (3000, true));
        assert_eq!(pressed(2130, true, 3), (2250, true));
        assert_eq!(pressed(4000, true, 4), (2250, true));
        assert_eq!(pressed(5000, false, 5), (2250, true), "that people have left is not told");
        assert_eq!(pressed(5000, false, 30), (5000, false));
    }

    #[test]
    fn a_replay_tells_all_at_once() {
        let counted = report(3, 9, 2, 1);
        assert_eq!(Discretion::replay().told(counted, 5000, at(1)), counted);
    }
}
