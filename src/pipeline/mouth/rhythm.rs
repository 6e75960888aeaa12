//! No more windows of an object than time has room for, however often the clock is set.
//!
//! In: windows as they close, readings of the clock that never steps. Out: whether one may be released. Invariant: of an object
//! that is measured in windows of `dur_s`, at most [`AHEAD`] more are released than as many `dur_s` as have passed.
//!
//! Why: a clock that is put on cuts a window short and begins another. Whoever can set it (who answers for the time of the
//! network often can) would make a record of every few seconds, and of doors the exact figures; that is finer than a window.

use std::collections::BTreeMap;

use crate::gate::Object;

/// Windows that were let through, by object.
#[derive(Default)]
pub(super) struct Rhythm {
    objects: BTreeMap<Object, Room>,
}

/// Room for windows of one object, as time that was not used up.
struct Room {
    left_ns: i64,
    at_ns: i64,
}

impl Rhythm {
    /// Whether there is room for one more window of this length, s, at a monotonic time, ns; it is taken then.
    pub(super) fn admits(&mut self, object: Object, dur_s: u32, now_ns: i64) -> bool {
        let window_ns = i64::from(dur_s) * 1_000_000_000;
        let most_ns = AHEAD * window_ns;
        let room = self.objects.entry(object).or_insert(Room { left_ns: most_ns, at_ns: now_ns });
        room.left_ns = (room.left_ns + now_ns - room.at_ns).min(most_ns);
        room.at_ns = now_ns;
        let has_room = room.left_ns >= window_ns;
        if has_room {
            room.left_ns -= window_ns;
        }
        has_room
    }
}

/// A box that starts with a wrong clock and then hears of the right one loses nothing by it; and where one window came late, the
/// next may come in time.
const AHEAD: i64 = 4;

#[cfg(test)]
mod tests {
    use super::*;

    const QUARTER_NS: i64 = 900_000_000_000;
    const DOOR: Object = Object::Line(0);

    #[test]
    fn a_shop_whose_clock_goes_right_is_never_held_up() {
        let mut rhythm = Rhythm::default();
        for quarter in 0..1000 {
            // Told up to fifteen seconds late, or not.
            let now_ns = quarter * QUARTER_NS + quarter % 3 * 7_500_000_000;
            assert!(rhythm.admits(DOOR, 900, now_ns), "{quarter}");
            assert!(quarter % 4 != 0 || rhythm.admits(Object::Transitions(0), 3600, now_ns), "{quarter}");
        }
    }

    #[test]
    fn a_clock_that_is_put_on_every_half_minute_makes_no_record_of_half_a_minute() {
        let mut rhythm = Rhythm::default();
        let a_day = (0..2 * 1440).filter(|half| rhythm.admits(DOOR, 900, half * 30_000_000_000)).count();
        assert_eq!(a_day, 96 + AHEAD as usize - 1);
        assert!(rhythm.admits(Object::Line(1), 900, 1440 * 60_000_000_000), "each object has its own");
    }
}
