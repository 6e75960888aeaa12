//! When the next eye may start: at once for a fault now and then, slower for one that ends all the time.
//!
//! In: how long each eye lived. Out: the pause before the next. Invariant: in no hour more than [`STARTS_PER_HOUR`] and
//! [`STARTS_AT_ONCE`] starts, so that what an eye says at each start is bounded as well.

use std::time::Duration;

use crate::wire::record::budget::{STARTS_AT_ONCE, STARTS_PER_HOUR};

/// Follows the starts of eyes.
pub(super) struct Restarts {
    pause: Duration,
    /// Starts that are left, each worth [`START_NS`].
    left_ns: i64,
    at_ns: i64,
}

impl Restarts {
    /// No eye yet, at a monotonic time, ns.
    pub(super) fn new(now_ns: i64) -> Self {
        Self { pause: PAUSE_FIRST, left_ns: MOST_NS, at_ns: now_ns }
    }

    /// How long to wait before the next eye, when the last one lived so long and ended now, ns.
    pub(super) fn pause(&mut self, lived_ns: i64, now_ns: i64) -> Duration {
        self.pause = if lived_ns >= LIVED_WELL_NS { PAUSE_FIRST } else { (self.pause * 2).min(PAUSE_MAX) };
        self.left_ns = (self.left_ns + now_ns - self.at_ns).min(MOST_NS) - START_NS;
        self.at_ns = now_ns;
        let debt = Duration::from_nanos(u64::try_from(-self.left_ns).unwrap_or(0));
        self.pause.max(debt)
    }
}

/// First pause before an eye is replaced; a new one needs about 0.2 s to start.
const PAUSE_FIRST: Duration = Duration::from_millis(50);
/// Longest pause of one that has starts left: with the start it stays below the promised two seconds.
const PAUSE_MAX: Duration = Duration::from_millis(1500);
/// An eye that lived this long was well, ns.
const LIVED_WELL_NS: i64 = 10_000_000_000;
/// Time that earns a start, ns.
const START_NS: i64 = 3_600_000_000_000 / STARTS_PER_HOUR as i64;
const MOST_NS: i64 = START_NS * STARTS_AT_ONCE as i64;

#[cfg(test)]
mod tests {
    use super::*;

    /// Starts within so many hours of eyes that live so long, ns.
    fn starts(lived_ns: i64, hours: i64) -> usize {
        let (mut restarts, mut now_ns, mut count) = (Restarts::new(0), 0, 0);
        while now_ns < hours * 3_600_000_000_000 {
            now_ns += lived_ns;
            now_ns += restarts.pause(lived_ns, now_ns).as_nanos() as i64;
            count += 1;
        }
        count
    }

    #[test]
    fn an_eye_that_ends_all_the_time_is_started_so_often_and_no_more() {
        assert_eq!(starts(1_000_000, 1), STARTS_PER_HOUR + STARTS_AT_ONCE);
        assert_eq!(starts(1_000_000, 3), 3 * STARTS_PER_HOUR + STARTS_AT_ONCE);
    }

    #[test]
    fn one_that_fails_now_and_then_is_back_within_two_seconds() {
        let mut restarts = Restarts::new(0);
        let pauses = (1..1000).map(|fault: i64| restarts.pause(60_000_000_000, fault * 60_000_000_000));
        assert!(pauses.into_iter().all(|pause| pause == PAUSE_FIRST));
        let mut restarts = Restarts::new(0);
        let quick: Vec<_> = (1..STARTS_AT_ONCE as i64).map(|fault| restarts.pause(0, fault)).collect();
        assert!(quick.iter().all(|pause| *pause <= PAUSE_MAX), "{quick:?}");
    }
}
