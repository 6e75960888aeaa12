//! Queues: who waits, for how long, and who gives up.
//!
//! In: people on the floor, the time they are credited, visits of the place where they are served. Out: [`QueueWindow`].
//! Who stays in the queue's zone for [`JOIN_MS`] has joined and waits since the first sighting there. A counted visit of the
//! place of service (an entry of the zone, a crossing of the line in either direction) not later than [`LEAVE_MS`] after the
//! last sighting in the queue means served; somewhere else for longer than that, or gone, means abandoned; back in time
//! means never left. A wait lasts from the first sighting in the queue to the last.
//! Invariant: joined + carried before = served + abandoned + cut + carried (tests/laws), where cut are those whom nobody saw
//! leave because the camera was blind.

use std::collections::{BTreeMap, BTreeSet};

use super::Credit;
use super::dwell::{BRIDGE_MS, DWELL_CLASSES, class_of};
use crate::floor::{FloorStep, holds};
use crate::track::TrackId;
use crate::units::FloorPoint;

/// Exact figures of one queue in one window.
pub struct QueueWindow {
    /// People who joined.
    pub joined: u32,
    /// Different people among them, as far as they were followed. What the gate holds against `k`.
    pub people: u32,
    /// Waits that ended with service.
    pub served: u32,
    /// Waits that ended without.
    pub abandoned: u32,
    /// Waits whose end nobody saw.
    pub cut: u32,
    /// People waiting at the end of the window.
    pub carried: u32,
    /// Waits of those served, ms.
    pub wait_ms: u64,
    /// The same by whole length: below 1 s, 1–2, 2–4, … 256–512, beyond.
    pub wait_hist: [u32; DWELL_CLASSES],
    /// Waits of those who gave up, ms.
    pub aband_wait_ms: u64,
    /// Person-time of those waiting, ms. The time before somebody had joined is given to the window of joining.
    pub len_ms: u64,
    /// Most people waiting at once.
    pub len_max: u32,
    /// Waits longer than the target, of those served and those who gave up.
    pub over: u32,
}

/// Watches one queue.
pub struct QueueCounter {
    zone: Vec<FloorPoint>,
    target_ms: i64,
    waits: BTreeMap<TrackId, Wait>,
    /// Who has joined during this window and is not gone.
    been: BTreeSet<TrackId>,
    window: QueueWindow,
}

struct Wait {
    begun_ms: i64,
    /// When last seen in the queue.
    inside_ms: i64,
    joined: bool,
    /// Person-time until joining, ms.
    pending_ms: u64,
}

/// How a wait ended.
#[derive(Clone, Copy)]
enum End {
    Served,
    Abandoned,
    Unseen,
}

impl QueueCounter {
    /// A queue in a zone with these corners on the floor.
    #[must_use]
    pub fn new(zone: Vec<FloorPoint>, target_ms: u32) -> Self {
        let (waits, been) = (BTreeMap::new(), BTreeSet::new());
        Self { zone, target_ms: i64::from(target_ms), waits, been, window: QueueWindow::empty() }
    }

    /// Adds person-time if it was spent in the queue.
    pub(crate) fn credit(&mut self, credit: &Credit, within_ms: u64) {
        let Some(wait) = self.waits.get_mut(&credit.who).filter(|_| holds(&self.zone, credit.at)) else { return };
        if wait.joined {
            self.window.len_ms += within_ms;
        } else {
            wait.pending_ms += within_ms;
        }
    }

    /// Somebody visits the place where people are served.
    pub fn serve(&mut self, who: TrackId, now_ms: i64) {
        let is_next = |wait: &&Wait| wait.joined && now_ms - wait.inside_ms <= LEAVE_MS;
        if self.waits.get(&who).filter(is_next).is_some() {
            self.leave(who, End::Served);
        }
    }

    /// Takes the people of one frame, after those who were served in it.
    pub fn step(&mut self, people: &[FloorStep], now_ms: i64) {
        for person in people {
            if holds(&self.zone, person.at) {
                self.wait_on(person.id, now_ms);
            } else if self.waits.get(&person.id).is_some_and(|wait| now_ms - wait.inside_ms > wait.patience_ms()) {
                self.leave(person.id, End::Abandoned);
            }
        }
        self.window.len_max = self.window.len_max.max(self.waiting());
    }

    /// Forgets a person who is gone; `was_seen` tells whether the camera saw it.
    pub fn end(&mut self, who: TrackId, was_seen: bool) {
        self.leave(who, if was_seen { End::Abandoned } else { End::Unseen });
        self.been.remove(&who);
    }

    /// Ends the wait of a person who went where nobody is counted.
    pub fn give_up(&mut self, who: TrackId) {
        self.leave(who, End::Abandoned);
    }

    /// Lets everybody go: the camera is blind.
    pub fn cut_all(&mut self) {
        let waiting: Vec<TrackId> = self.waits.keys().copied().collect();
        waiting.into_iter().for_each(|who| self.leave(who, End::Unseen));
    }

    /// Hands out the window and begins the next, into which those still waiting are carried.
    pub fn close(&mut self) -> QueueWindow {
        self.been.clear();
        let (carried, next) = (self.waiting(), QueueWindow { len_max: self.waiting(), ..QueueWindow::empty() });
        QueueWindow { carried, ..std::mem::replace(&mut self.window, next) }
    }

    /// How many entries about people it holds.
    #[cfg(test)]
    pub(super) fn remembered(&self) -> usize {
        self.waits.len() + self.been.len()
    }

    fn waiting(&self) -> u32 {
        self.waits.values().filter(|wait| wait.joined).count() as u32
    }

    fn wait_on(&mut self, who: TrackId, now_ms: i64) {
        let fresh = Wait { begun_ms: now_ms, inside_ms: now_ms, joined: false, pending_ms: 0 };
        let wait = self.waits.entry(who).or_insert(fresh);
        wait.inside_ms = now_ms;
        if !wait.joined && now_ms - wait.begun_ms >= JOIN_MS {
            wait.joined = true;
            self.window.joined += 1;
            self.window.people += u32::from(self.been.insert(who));
            self.window.len_ms += std::mem::take(&mut wait.pending_ms);
        }
    }

    /// Ends a wait; who never joined was only passing.
    fn leave(&mut self, who: TrackId, end: End) {
        let Some(wait) = self.waits.remove(&who).filter(|wait| wait.joined) else { return };
        let lasted_ms = wait.inside_ms - wait.begun_ms;
        match end {
            End::Served => {
                self.window.served += 1;
                self.window.wait_ms += lasted_ms.unsigned_abs();
                self.window.wait_hist[class_of(lasted_ms)] += 1;
            }
            End::Abandoned => {
                self.window.abandoned += 1;
                self.window.aband_wait_ms += lasted_ms.unsigned_abs();
            }
            End::Unseen => self.window.cut += 1,
        }
        self.window.over += u32::from(!matches!(end, End::Unseen) && lasted_ms > self.target_ms);
    }
}

impl Wait {
    /// How long its person may be seen elsewhere before they have left, ms.
    fn patience_ms(&self) -> i64 {
        if self.joined { LEAVE_MS } else { BRIDGE_MS }
    }
}

impl QueueWindow {
    /// Nobody.
    pub(crate) fn empty() -> Self {
        Self {
            joined: 0,
            people: 0,
            served: 0,
            abandoned: 0,
            cut: 0,
            carried: 0,
            wait_ms: 0,
            wait_hist: [0; DWELL_CLASSES],
            aband_wait_ms: 0,
            len_ms: 0,
            len_max: 0,
            over: 0,
        }
    }
}

/// Who stays this long in the queue's zone waits there; less is passing through, ms.
const JOIN_MS: i64 = 3000;
/// Who has joined may step out of line for this long; the way to the place of service is no longer, ms.
const LEAVE_MS: i64 = 5000;

#[cfg(test)]
mod tests {
    use super::*;

    /// A queue on the first metre of a line on which people move; behind two metres they are served.
    struct Till {
        counter: QueueCounter,
        now_ms: i64,
        last: BTreeMap<u64, (f64, i64)>,
    }

    impl Till {
        fn new() -> Self {
            let zone = [(0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0)].map(|(x_m, y_m)| FloorPoint { x_m, y_m });
            Self { counter: QueueCounter::new(zone.to_vec(), 10_000), now_ms: 0, last: BTreeMap::new() }
        }

        /// Somebody stands at a place for so many milliseconds, seen five times a second.
        fn stand(&mut self, who: u64, x_m: f64, for_ms: i64) -> &mut Self {
            for _ in 0..for_ms / 200 {
                self.now_ms += 200;
                let at = |x_m| FloorPoint { x_m, y_m: 0.5 };
                if let Some((last_x_m, from_ms)) = self.last.insert(who, (x_m, self.now_ms)) {
                    let credit =
                        Credit { who: TrackId(who), at: at(last_x_m), from_ms, to_ms: self.now_ms, unbroken: true };
                    self.counter.credit(&credit, credit.within(0, i64::MAX));
                }
                if x_m > 2.0 {
                    self.counter.serve(TrackId(who), self.now_ms);
                }
                self.counter.step(&[FloorStep { id: TrackId(who), at: at(x_m) }], self.now_ms);
            }
            self
        }

        fn gone(&mut self, who: u64) -> &mut Self {
            self.counter.end(TrackId(who), true);
            self
        }
    }

    fn ends(window: &QueueWindow) -> [u32; 5] {
        [window.joined, window.served, window.abandoned, window.cut, window.carried]
    }

    #[test]
    fn who_waits_and_goes_to_the_till_is_served() {
        let window = Till::new().stand(1, 0.5, 20_000).stand(1, 1.5, 2_000).stand(1, 2.5, 5_000).counter.close();
        assert_eq!(ends(&window), [1, 1, 0, 0, 0]);
        assert_eq!((window.wait_ms, window.wait_hist[5], window.over), (19_800, 1, 1));
        assert_eq!(window.len_ms, 20_000, "until seen outside");
    }

    #[test]
    fn who_gives_up_has_abandoned_after_five_seconds_elsewhere() {
        let mut till = Till::new();
        till.stand(1, 0.5, 8_000).stand(1, 1.5, 5_000);
        assert_eq!(ends(&till.counter.close()), [1, 0, 0, 0, 1], "may come back");
        let window = till.stand(1, 1.5, 600).stand(1, 2.5, 1_000).counter.close();
        assert_eq!((ends(&window), window.aband_wait_ms, window.over), ([0, 0, 1, 0, 0], 7_800, 0));
    }

    #[test]
    fn who_steps_out_of_line_for_a_moment_never_left() {
        let mut till = Till::new();
        let window = till.stand(1, 0.5, 4_000).stand(1, 1.5, 4_000).stand(1, 0.5, 4_000).gone(1).counter.close();
        assert_eq!((ends(&window), window.aband_wait_ms), ([1, 0, 1, 0, 0], 11_800));
        assert_eq!(window.len_ms, 4_000 + 3_800, "only while in line");
    }

    #[test]
    fn who_passes_through_neither_joins_nor_is_served() {
        let window = Till::new().stand(1, 0.5, 2_800).stand(1, 2.5, 2_000).gone(1).counter.close();
        assert_eq!((ends(&window), window.len_ms, window.len_max), ([0; 5], 0, 0));
    }

    #[test]
    fn a_wait_over_the_end_of_the_window_is_carried_and_its_time_is_given_to_both() {
        let mut till = Till::new();
        let first = till.stand(1, 0.5, 6_000).counter.close();
        let second = till.stand(1, 0.5, 4_000).gone(1).counter.close();
        assert_eq!((ends(&first), ends(&second)), ([1, 0, 0, 0, 1], [0, 0, 1, 0, 0]));
        assert_eq!((first.len_ms, second.len_ms, second.aband_wait_ms), (5_800, 4_000, 9_800));
        assert_eq!((first.len_max, second.len_max), (1, 1));
    }

    #[test]
    fn one_who_joins_again_and_again_is_one() {
        let mut till = Till::new();
        for _ in 0..6 {
            till.stand(1, 0.5, 4_000).stand(1, 1.5, 6_000);
        }
        let window = till.counter.close();
        assert_eq!((window.joined, window.people), (6, 1));
    }

    #[test]
    fn nobody_abandons_before_a_blind_camera() {
        let mut till = Till::new();
        till.stand(1, 0.5, 4_000);
        till.counter.cut_all();
        assert_eq!(ends(&till.counter.close()), [1, 0, 0, 1, 0]);
    }
}
