//! The clock by which what is kept grows old: the wall clock, but that a jump ahead counts only once it has stood for a day.
//!
//! In: readings of the wall clock beside one that never steps and goes on while the box sleeps. Out: the moment by which the
//! store lets go of what is too old. Invariants: it is never ahead of the wall clock; within one process it goes no faster than
//! time does, but for jumps that have stood for a day; a jump back counts at once.
//!
//! Why: a clock that is set ahead by mistake, or by whoever answers for the time of the network, would make all that is kept
//! too old within the hour, and what is deleted cannot be brought back; what is kept a day too long, because a clock that was
//! behind was put right, is deleted then. So a false clock must stand for a day before it deletes anything, and who sets it
//! again and again delays a deletion by two days' worth of his steps at the most. A process trusts the clock it begins with:
//! nothing tells how long a box was without power, and what grew too old meanwhile must go.

use crate::clock::UtcMs;

/// Follows the wall clock, carefully.
pub(super) struct Ages {
    /// A moment that is believed, and when that was, ns.
    believed: (UtcMs, i64),
    doubt: Option<Doubt>,
}

/// The wall clock is ahead of what is believed.
struct Doubt {
    /// Since when, ns.
    since_ns: i64,
    /// The least it was ahead since then, ms.
    least_ms: i64,
}

impl Ages {
    /// Begins with the clocks as they are.
    pub(super) fn begin(utc: UtcMs, boot_ns: i64) -> Self {
        Self { believed: (utc, boot_ns), doubt: None }
    }

    /// The moment by which things are as old as they are; asked once a minute or so.
    pub(super) fn now(&mut self, utc: UtcMs, boot_ns: i64) -> UtcMs {
        let (believed, then_ns) = self.believed;
        let carried = UtcMs(believed.0 + (boot_ns - then_ns) / 1_000_000);
        let ahead_ms = utc.0 - carried.0;
        if ahead_ms <= SLACK_MS {
            *self = Self::begin(utc, boot_ns);
            return utc;
        }
        let doubt = self.doubt.get_or_insert(Doubt { since_ns: boot_ns, least_ms: ahead_ms });
        doubt.least_ms = doubt.least_ms.min(ahead_ms);
        if boot_ns - doubt.since_ns < STANDS_NS {
            return carried;
        }
        // What it was ahead all the time has stood; what has come since begins to.
        *self = Self::begin(UtcMs(carried.0 + doubt.least_ms), boot_ns);
        self.believed.0
    }
}

/// Two clocks of one box go apart by no more, ms.
const SLACK_MS: i64 = 1000;
/// A jump ahead counts after so long, ns: somebody who reads `evt/clock-step` has a day to set the clock right.
const STANDS_NS: i64 = 86_400 * 1_000_000_000;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const MINUTE_MS: i64 = 60_000;
    const DAY_MS: i64 = 86_400_000;

    /// What is believed every minute, ms after the begin, when the wall clock is ahead by `ahead_ms` of the minutes since.
    fn believed(minutes: i64, ahead_ms: impl Fn(i64) -> i64) -> Vec<i64> {
        let mut ages = Ages::begin(UtcMs(0), 0);
        let mut now = |minute: i64| {
            let elapsed_ms = minute * MINUTE_MS;
            ages.now(UtcMs(elapsed_ms + ahead_ms(minute)), elapsed_ms * 1_000_000).0
        };
        (0..minutes).map(&mut now).collect()
    }

    #[test]
    fn a_clock_that_is_a_month_ahead_for_an_hour_makes_nothing_older_than_it_is() {
        let course = believed(300, |minute| if (60..120).contains(&minute) { 31 * DAY_MS } else { 0 });
        assert!(course.iter().zip(0..).all(|(believed, minute)| *believed == minute * MINUTE_MS));
    }

    #[test]
    fn a_clock_that_was_behind_and_is_put_right_counts_after_a_day() {
        let course = believed(3 * 1440, |minute| if minute < 60 { 0 } else { 31 * DAY_MS });
        let at = |minute: usize| course[minute] - minute as i64 * MINUTE_MS;
        assert_eq!((at(60), at(60 + 1439), at(60 + 1440)), (0, 0, 31 * DAY_MS));
    }

    #[test]
    fn a_clock_that_is_put_back_counts_at_once() {
        let course = believed(10, |minute| if minute < 5 { 0 } else { -DAY_MS });
        assert_eq!((course[4], course[5]), (4 * MINUTE_MS, 5 * MINUTE_MS - DAY_MS));
    }

    #[test]
    fn a_clock_that_is_put_on_every_hour_is_two_days_behind_at_the_most() {
        let course = believed(30 * 1440, |minute| minute / 60 * 60_000);
        let last = 30 * 1440 - 1;
        let behind_ms = last * MINUTE_MS + last / 60 * 60_000 - course[last as usize];
        assert!(behind_ms <= 48 * 60_000, "{behind_ms} ms");
    }

    proptest! {
        #[test]
        fn within_a_day_nothing_is_older_than_time_has_passed_nor_than_the_clock_says(
            steps in prop::collection::vec((0i64..100, -40 * DAY_MS..40 * DAY_MS), 0..STEPS_MOST),
        ) {
            let (mut ages, mut elapsed_ms, mut ahead_ms) = (Ages::begin(UtcMs(0), 0), 0, 0);
            for (minutes, step_ms) in steps {
                ahead_ms += step_ms;
                for _ in 0..minutes {
                    elapsed_ms += MINUTE_MS;
                    let now = ages.now(UtcMs(elapsed_ms + ahead_ms), elapsed_ms * 1_000_000).0;
                    prop_assert!(now <= elapsed_ms + ahead_ms);
                    prop_assert!(now <= elapsed_ms + STEPS_MOST as i64 * SLACK_MS);
                }
            }
        }
    }

    const STEPS_MOST: usize = 12;
}
