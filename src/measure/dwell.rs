//! Zones: who came, who stayed, for how long.
//!
//! In: people on the floor and the time they are credited. Out: [`ZoneWindow`]. A stay begins with the first
//! sighting inside and ends when its person is seen outside, or not at all, for longer than [`BRIDGE_MS`]; it counts
//! once it has lasted [`STAY_MS_MIN`]. Invariant I7: entries − exits = change of the number of counted stays.

use std::collections::{BTreeMap, BTreeSet};

use super::Credit;
use crate::floor::{FloorStep, holds};
use crate::track::TrackId;
use crate::units::FloorPoint;

/// Number of classes of the dwell histogram: edges 0, 1, 2, 4, … 512 s and beyond.
pub const DWELL_CLASSES: usize = 11;

/// Exact figures of one zone in one window.
pub struct ZoneWindow {
    /// Stays that began.
    pub entries: u32,
    /// Stays that ended.
    pub exits: u32,
    /// Distinct stays during the window, begun in it or before.
    pub visits: u32,
    /// Distinct people among them, as far as they were followed: who goes in and out while being followed is several
    /// visits of one. What the gate holds against `k`.
    pub people: u32,
    /// Stays that reached ten seconds.
    pub stops: u32,
    /// Person-time of the window inside, hidden moments included, ms.
    pub dwell_ms: u64,
    /// Person-time of the window inside, as seen from frame to frame, ms.
    pub occ_ms: u64,
    /// Most people inside in one frame.
    pub occ_max: u32,
    /// Stays that ended, by whole length: below 1 s, 1–2, 2–4, … 256–512, beyond.
    pub hist: [u32; DWELL_CLASSES],
}

/// Watches one zone.
pub struct ZoneCounter {
    polygon: Vec<FloorPoint>,
    stays: BTreeMap<TrackId, Stay>,
    /// Who has stayed during this window and is not gone.
    been: BTreeSet<TrackId>,
    window: ZoneWindow,
}

struct Stay {
    begun_ms: i64,
    inside_ms: i64,
    counted: bool,
    stopped: bool,
}

impl ZoneCounter {
    /// A zone with these corners on the floor.
    #[must_use]
    pub fn new(polygon: Vec<FloorPoint>) -> Self {
        Self { polygon, stays: BTreeMap::new(), been: BTreeSet::new(), window: ZoneWindow::empty() }
    }

    /// Whether a point of the floor is inside.
    #[must_use]
    pub fn holds(&self, point: FloorPoint) -> bool {
        holds(&self.polygon, point)
    }

    /// Adds person-time if it was spent inside.
    pub(crate) fn credit(&mut self, credit: &Credit, within_ms: u64) {
        if within_ms > 0 && self.holds(credit.at) {
            self.window.dwell_ms += within_ms;
            self.window.occ_ms += if credit.unbroken { within_ms } else { 0 };
        }
    }

    /// Takes the people of one frame; gives those whose stay counts from here on.
    pub fn step(&mut self, people: &[FloorStep], now_ms: i64) -> Vec<TrackId> {
        let (mut inside, mut entered) = (0, Vec::new());
        for person in people {
            if self.holds(person.at) {
                inside += 1;
                if self.stay_on(person.id, now_ms) {
                    entered.push(person.id);
                }
            } else if self.stays.get(&person.id).is_some_and(|stay| now_ms - stay.inside_ms > BRIDGE_MS) {
                self.leave(person.id);
            }
        }
        self.window.occ_max = self.window.occ_max.max(inside);
        entered
    }

    /// How many entries about people it holds.
    #[cfg(test)]
    pub(super) fn remembered(&self) -> usize {
        self.stays.len() + self.been.len()
    }

    /// Whether the stay counts from here on.
    fn stay_on(&mut self, who: TrackId, now_ms: i64) -> bool {
        let fresh = Stay { begun_ms: now_ms, inside_ms: now_ms, counted: false, stopped: false };
        let stay = self.stays.entry(who).or_insert(fresh);
        stay.inside_ms = now_ms;
        let lasted_ms = now_ms - stay.begun_ms;
        let is_entry = lasted_ms >= STAY_MS_MIN && !stay.counted;
        if is_entry {
            stay.counted = true;
            self.window.entries += 1;
            self.window.visits += 1;
            self.window.people += u32::from(self.been.insert(who));
        }
        if lasted_ms >= STOP_MS && !stay.stopped {
            stay.stopped = true;
            self.window.stops += 1;
        }
        is_entry
    }

    /// Forgets a person who is gone.
    pub fn end(&mut self, who: TrackId) {
        self.leave(who);
        self.been.remove(&who);
    }

    /// Ends the stay of a person who is gone or outside.
    pub fn leave(&mut self, who: TrackId) {
        if let Some(stay) = self.stays.remove(&who).filter(|stay| stay.counted) {
            self.window.exits += 1;
            self.window.hist[class_of(stay.inside_ms - stay.begun_ms)] += 1;
        }
    }

    /// Ends all stays: the recording is over, or the camera is blind.
    pub fn end_all(&mut self) {
        let staying: Vec<TrackId> = self.stays.keys().copied().collect();
        staying.into_iter().for_each(|who| self.leave(who));
    }

    /// Hands out the window and begins the next, in which everyone still inside is a visit already.
    pub fn close(&mut self) -> ZoneWindow {
        let staying: BTreeSet<TrackId> =
            self.stays.iter().filter(|(_, stay)| stay.counted).map(|(who, _)| *who).collect();
        let (visits, people) = (staying.len() as u32, staying.len() as u32);
        self.been = staying;
        std::mem::replace(&mut self.window, ZoneWindow { visits, people, ..ZoneWindow::empty() })
    }
}

impl ZoneWindow {
    /// Nobody.
    pub(crate) fn empty() -> Self {
        Self {
            entries: 0,
            exits: 0,
            visits: 0,
            people: 0,
            stops: 0,
            dwell_ms: 0,
            occ_ms: 0,
            occ_max: 0,
            hist: [0; DWELL_CLASSES],
        }
    }
}

/// Class of a stay of this length: 0 below 1 s, then one more for every doubling, the last one open.
pub(super) fn class_of(lasted_ms: i64) -> usize {
    let seconds = u64::try_from(lasted_ms / 1000).unwrap_or(0);
    (u64::BITS - seconds.leading_zeros()).min(DWELL_CLASSES as u32 - 1) as usize
}

/// Outside or unseen for no longer than this, a person has not left (the line truth bridges 7 frames at 7/s), ms.
pub(super) const BRIDGE_MS: i64 = 1000;
/// Shorter than this it was no stay but a corner cut (the truth asks for 4 frames at 7/s), ms.
const STAY_MS_MIN: i64 = 430;
/// A stay of this length is a stop (CONTRACT §2), ms.
const STOP_MS: i64 = 10_000;

#[cfg(test)]
mod tests {
    use super::*;

    fn square() -> ZoneCounter {
        ZoneCounter::new(
            [(0.0, 0.0), (4.0, 0.0), (4.0, 4.0), (0.0, 4.0)].map(|(x_m, y_m)| FloorPoint { x_m, y_m }).to_vec(),
        )
    }

    fn step(zone: &mut ZoneCounter, x_m: f64, now_ms: i64) {
        zone.step(&[FloorStep { id: TrackId(1), at: FloorPoint { x_m, y_m: 2.0 } }], now_ms);
    }

    #[test]
    fn one_visit_is_one_entry_one_exit_and_its_length() {
        let mut zone = square();
        (0..=60).for_each(|tick| step(&mut zone, if tick < 55 { 2.0 } else { 9.0 }, tick * 200));
        let window = zone.close();
        assert_eq!((window.entries, window.exits, window.visits, window.stops, window.occ_max), (1, 1, 1, 1, 1));
        assert_eq!(window.hist[4], 1, "10.8 s lies in 8–16 s");
    }

    #[test]
    fn a_short_look_outside_is_no_second_visit() {
        let mut zone = square();
        (0..30).for_each(|tick| step(&mut zone, if tick == 10 { 9.0 } else { 2.0 }, tick * 200));
        assert_eq!(zone.close().entries, 1);
    }

    #[test]
    fn who_comes_back_while_being_followed_is_two_visits_of_one() {
        let mut zone = square();
        (0..40).for_each(|tick| step(&mut zone, if (10..20).contains(&tick) { 9.0 } else { 2.0 }, tick * 200));
        let window = zone.close();
        assert_eq!((window.entries, window.exits, window.visits, window.people), (2, 1, 2, 1));
    }

    #[test]
    fn who_stays_over_the_end_of_the_window_is_a_visit_in_both() {
        let mut zone = square();
        (0..10).for_each(|tick| step(&mut zone, 2.0, tick * 200));
        let first = zone.close();
        (10..20).for_each(|tick| step(&mut zone, 2.0, tick * 200));
        zone.end(TrackId(1));
        let second = zone.close();
        assert_eq!((first.entries, first.exits, first.visits), (1, 0, 1));
        assert_eq!((second.entries, second.exits, second.visits), (0, 1, 1));
    }

    #[test]
    fn a_corner_cut_is_no_visit() {
        let mut zone = square();
        step(&mut zone, 2.0, 0);
        step(&mut zone, 2.0, 200);
        zone.end(TrackId(1));
        let window = zone.close();
        assert_eq!((window.entries, window.exits, window.visits), (0, 0, 0));
    }

    #[test]
    fn classes_double() {
        assert_eq!([0, 999, 1000, 1999, 2000, 511_999, 512_000, 9_000_000].map(class_of), [0, 0, 1, 1, 2, 9, 10, 10]);
    }
}
