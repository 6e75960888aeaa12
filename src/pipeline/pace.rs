//! Which pictures of a camera are looked at: every so manyth, or so many a second.
//!
//! In: arrivals, in order. Out: whether one is due. Invariant: asking changes nothing, so that capture may ask ahead;
//! at a rate the looks keep step with the calendar of the capture clock and do not drift.

use crate::capture::Arrival;

/// How often a camera is looked at.
pub enum Pace {
    /// Every nth picture.
    Every(u64),
    /// One picture every `period_ns`, the next not before `next_ns`.
    Rate {
        /// Time between looks, ns.
        period_ns: i64,
        /// Capture time of the next look, ns.
        next_ns: i64,
    },
}

impl Pace {
    /// Looks at every nth picture, beginning with the first.
    #[must_use]
    pub fn every(n: u32) -> Self {
        Self::Every(u64::from(n.max(1)))
    }

    /// Looks `rate` times a second.
    #[must_use]
    pub fn rate(rate: f64) -> Self {
        Self::Rate { period_ns: (1e9 / rate) as i64, next_ns: i64::MIN }
    }

    /// Whether this picture is to be looked at.
    #[must_use]
    pub fn is_due(&self, arrival: &Arrival) -> bool {
        match self {
            Self::Every(n) => arrival.number.is_multiple_of(*n),
            Self::Rate { period_ns, next_ns } => arrival.at.0 >= next_ns.saturating_sub(period_ns / EARLY_PART),
        }
    }

    /// Notes that it was.
    pub fn looked(&mut self, arrival: &Arrival) {
        if let Self::Rate { period_ns, next_ns } = self {
            let planned = next_ns.saturating_add(*period_ns);
            // Behind by more than a period, or at the first picture: begin anew from here.
            *next_ns = if arrival.at.0 < planned.saturating_add(*period_ns) && *next_ns != i64::MIN {
                planned
            } else {
                arrival.at.0 + *period_ns
            };
        }
    }
}

/// A picture that comes this part of a period early is taken: cameras do not keep time to the millisecond.
const EARLY_PART: i64 = 8;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::CaptureTime;

    /// How many of the pictures that arrive at these milliseconds are looked at.
    fn looks(pace: &mut Pace, arrivals_ms: impl Iterator<Item = i64>) -> Vec<i64> {
        let arrivals = arrivals_ms.enumerate();
        let arrivals = arrivals.map(|(number, ms)| Arrival { at: CaptureTime(ms * 1_000_000), number: number as u64 });
        let due = arrivals.filter(|arrival| {
            let is_due = pace.is_due(arrival);
            if is_due {
                pace.looked(arrival);
            }
            is_due
        });
        due.map(|arrival| arrival.at.0 / 1_000_000).collect()
    }

    #[test]
    fn five_looks_a_second_are_every_fifth_of_twenty_five_pictures() {
        assert_eq!(looks(&mut Pace::rate(5.0), (0..25).map(|n| n * 40)), [0, 200, 400, 600, 800]);
        assert_eq!(looks(&mut Pace::every(5), (0..25).map(|n| n * 40)), [0, 200, 400, 600, 800]);
    }

    #[test]
    fn a_rate_that_does_not_divide_is_kept_on_average() {
        assert_eq!(looks(&mut Pace::rate(7.0), (0..250).map(|n| n * 40)).len(), 70);
    }

    #[test]
    fn pictures_that_come_late_and_early_by_turns_keep_the_rate() {
        let jittered = (0..250).map(|n| n * 40 + [0, 15, -10, 20, -15][n as usize % 5]);
        let looks = looks(&mut Pace::rate(5.0), jittered).len();
        assert!((49..=51).contains(&looks), "{looks}");
    }

    #[test]
    fn after_a_gap_nothing_is_made_up_for() {
        let with_gap = (0..25).chain(250..275).map(|n| n * 40);
        assert_eq!(looks(&mut Pace::rate(5.0), with_gap).len(), 10);
    }

    #[test]
    fn a_camera_slower_than_asked_is_looked_at_whenever_it_speaks() {
        assert_eq!(looks(&mut Pace::rate(10.0), (0..10).map(|n| n * 500)).len(), 10);
    }
}
