//! How hard the box is pressed: the looks a camera gets beside those it was due, from counters alone.
//!
//! In: the [`Ledger`] of one camera as the eye knows it whenever it tells of it (`pipeline/teller.rs`). Out: its [`Load`]. Invariants: looks are told over
//! [`SPAN_NS_MIN`] and longer; a new eye, whose counters begin again, begins a new span.

use super::Ledger;

/// How a camera is served.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Load {
    /// Frames that arrived per second, thousandths.
    pub fps_milli: u64,
    /// Frames that were looked at per second, thousandths.
    pub looks_milli: u64,
    /// Whether so many frames due for a look gave way to newer ones that the box is too slow for its cameras.
    pub is_overloaded: bool,
}

/// Follows the counters of one camera.
#[derive(Debug, Default)]
pub struct Gauge {
    load: Load,
    due_milli: u64,
    /// Where the open spans of both rates begin; nowhere before the first report.
    from: Option<[Mark; 2]>,
}

/// Counters at a moment.
#[derive(Debug, Clone, Copy)]
struct Mark {
    ledger: Ledger,
    at_ns: i64,
}

impl Gauge {
    /// The load as last told.
    #[must_use]
    pub fn load(&self) -> Load {
        self.load
    }

    /// Frames per second that were due for a look, whatever became of them, thousandths.
    #[must_use]
    pub fn due_milli(&self) -> u64 {
        self.due_milli
    }

    /// Takes the counters of a camera as they stood at a monotonic time, ns.
    pub fn note(&mut self, ledger: Ledger, at_ns: i64) {
        let now = Mark { ledger, at_ns };
        let Some([rate_from, looks_from]) = self.from.filter(|[from, _]| from.ledger.captured <= ledger.captured)
        else {
            *self = Self { from: Some([now; 2]), ..Self::default() };
            return;
        };
        let mut from = [rate_from, looks_from];
        if at_ns - rate_from.at_ns >= RATE_NS_MIN {
            let frames = ledger.captured - rate_from.ledger.captured;
            self.load.fps_milli = per_second_milli(frames, at_ns - rate_from.at_ns);
            from[0] = now;
        }
        if at_ns - looks_from.at_ns >= SPAN_NS_MIN {
            self.weigh(&looks_from, &now);
            from[1] = now;
        }
        self.from = Some(from);
    }

    fn weigh(&mut self, before: &Mark, now: &Mark) {
        let looks = looks(&now.ledger).saturating_sub(looks(&before.ledger));
        let missed = now.ledger.overwritten.saturating_sub(before.ledger.overwritten);
        let due = |ledger: &Ledger| ledger.captured.saturating_sub(ledger.skipped + ledger.failed);
        let due = due(&now.ledger).saturating_sub(due(&before.ledger));
        self.due_milli = per_second_milli(due, now.at_ns - before.at_ns);
        let bound = if self.load.is_overloaded { MISSED_PERCENT_RELIEVED } else { MISSED_PERCENT_MAX };
        self.load.looks_milli = per_second_milli(looks, now.at_ns - before.at_ns);
        self.load.is_overloaded = missed * 100 > (looks + missed) * bound;
    }
}

/// Frames that were looked at, by the network or, where nothing moved, by the motion gate.
fn looks(ledger: &Ledger) -> u64 {
    ledger.detected + ledger.still
}

fn per_second_milli(count: u64, elapsed_ns: i64) -> u64 {
    count * 1_000_000 / u64::try_from(elapsed_ns / 1_000_000).unwrap_or(0).max(1)
}

/// Shorter than this between two reports says nothing of a rate, ns.
const RATE_NS_MIN: i64 = 1_000_000_000;
/// A box is judged over one report of a live eye, which comes every five seconds give or take a tick, ns.
const SPAN_NS_MIN: i64 = 4_900_000_000;
/// A box that misses more of the due looks than this is overloaded, percent: a frame or two lost to a neighbour's burst
/// is no overload.
const MISSED_PERCENT_MAX: u64 = 10;
/// It is relieved when it misses no more than this, percent.
const MISSED_PERCENT_RELIEVED: u64 = 5;

#[cfg(test)]
mod tests {
    use super::*;

    const S: i64 = 1_000_000_000;

    fn ledger(detected: u64, still: u64, overwritten: u64) -> Ledger {
        let skipped = 4 * (detected + still + overwritten);
        let captured = skipped + detected + still + overwritten;
        Ledger { captured, detected, still, skipped, overwritten, failed: 0 }
    }

    /// The loads after reports five seconds apart.
    fn loads(reports: &[Ledger]) -> Vec<Load> {
        let mut gauge = Gauge::default();
        gauge.note(Ledger::default(), S);
        let told = reports.iter().zip(1..).map(|(ledger, report)| {
            gauge.note(*ledger, S + report * 5 * S);
            gauge.load()
        });
        told.collect()
    }

    #[test]
    fn a_camera_that_gets_all_its_looks_is_not_overloaded() {
        let all = loads(&[ledger(25, 0, 0), ledger(48, 0, 2)]);
        assert_eq!(all[0], Load { fps_milli: 25_000, looks_milli: 5_000, is_overloaded: false });
        assert_eq!(all[1], Load { fps_milli: 25_000, looks_milli: 4_600, is_overloaded: false });
    }

    #[test]
    fn looks_at_which_nothing_moved_are_looks() {
        assert_eq!(loads(&[ledger(5, 20, 0)])[0].looks_milli, 5_000);
    }

    #[test]
    fn overload_is_told_from_a_tenth_missed_until_a_twentieth() {
        let told = loads(&[ledger(20, 0, 5), ledger(43, 0, 7), ledger(67, 0, 8)]);
        let told: Vec<bool> = told.iter().map(|load| load.is_overloaded).collect();
        assert_eq!(told, [true, true, false]);
    }

    #[test]
    fn a_moment_is_no_overload() {
        let mut gauge = Gauge::default();
        gauge.note(Ledger::default(), S);
        gauge.note(ledger(5, 0, 5), 3 * S);
        assert!(!gauge.load().is_overloaded);
        gauge.note(ledger(25, 0, 5), 6 * S);
        assert!(gauge.load().is_overloaded);
    }

    #[test]
    fn a_camera_slower_than_asked_is_not_overloaded() {
        assert_eq!(loads(&[ledger(10, 0, 0)])[0], Load { fps_milli: 10_000, looks_milli: 2_000, is_overloaded: false });
    }

    #[test]
    fn a_new_eye_begins_a_new_span() {
        let told = loads(&[ledger(20, 0, 5), ledger(3, 0, 0), ledger(28, 0, 0)]);
        assert_eq!(told[1], Load::default());
        assert_eq!(told[2], Load { fps_milli: 25_000, looks_milli: 5_000, is_overloaded: false });
    }
}
