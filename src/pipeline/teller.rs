//! When an eye tells how its cameras fare: so often, whatever happens.
//!
//! In: the counters as they stand, changes that people wait for, the monotonic clock or media time. Out: records on the
//! pipe. In a shop one record a camera is due every [`COUNTERS_MS`]; a change is told at once as an advance on the next
//! ones, which are then left out until it is even, but never two in a row where nothing else was told. A replay says one when the camera opens, one for every
//! [`COUNTERS_MS`] of its media time, and a last one. Invariant: told ≤ due + [`lead`], and due ≤ told (test
//! `whatever_happens_the_number_told_is_the_number_due`).

use super::discretion::Discretion;
use super::eye::Pipe;
use super::{Errand, EyeJob};
use crate::clock::{CaptureTime, monotonic_ns, utc_now};
use crate::health::CameraHealth;
use crate::health::load::Gauge;
use crate::wire::counters::Tick;
use crate::wire::record::budget::{COUNTERS_MS, lead};

/// Tells of all cameras of one eye.
pub struct Teller {
    errand: Errand,
    begun_ns: i64,
    cameras: Vec<Told>,
}

/// What was told of one camera.
struct Told {
    discretion: Discretion,
    gauge: Gauge,
    schedule: Schedule,
    number: u32,
    media_ns: i64,
    is_fed: bool,
}

impl Teller {
    /// Nothing told yet; an eye that watches begins at `begun_ns` of the monotonic clock.
    #[must_use]
    pub fn new(job: &EyeJob, begun_ns: i64) -> Self {
        let told = |camera| Told {
            discretion: match job.errand {
                Errand::Watch => Discretion::live(utc_now()),
                _ => Discretion::replay(),
            },
            gauge: Gauge::default(),
            schedule: Schedule::default(),
            number: 0,
            media_ns: 0,
            is_fed: job.feeds.iter().any(|feed| feed.camera == camera),
        };
        Self { errand: job.errand, begun_ns, cameras: (0..job.settings.cameras.len()).map(told).collect() }
    }

    /// A camera delivers.
    pub fn opened(&mut self, camera: usize, health: &[CameraHealth], pipe: &mut Pipe) {
        match self.errand {
            Errand::Replay(_) => self.cameras[camera].tell(camera, health, pipe),
            _ => self.changed(camera, health, pipe),
        }
    }

    /// Something about a live camera has changed that people wait for.
    pub fn changed(&mut self, camera: usize, health: &[CameraHealth], pipe: &mut Pipe) {
        let told = &mut self.cameras[camera];
        if matches!(self.errand, Errand::Watch) && told.schedule.advances() {
            told.tell(camera, health, pipe);
        }
    }

    /// Tells what is due of live cameras.
    pub fn tick(&mut self, health: &[CameraHealth], pipe: &mut Pipe) {
        let periods = periods(monotonic_ns() - self.begun_ns);
        for (camera, told) in self.cameras.iter_mut().enumerate().filter(|(_, told)| told.is_fed) {
            (0..told.schedule.due(periods)).for_each(|_| told.tell(camera, health, pipe));
        }
    }

    /// A frame of a replay was looked at: tells what is due by its media time.
    pub fn passed(&mut self, camera: usize, at: CaptureTime, health: &[CameraHealth], pipe: &mut Pipe) {
        if matches!(self.errand, Errand::Replay(_)) {
            let told = &mut self.cameras[camera];
            told.media_ns = told.media_ns.max(at.0);
            (0..told.schedule.due(periods(told.media_ns))).for_each(|_| told.tell(camera, health, pipe));
        }
    }

    /// Tells how a camera fares, now: at the end of a recording, and while a benchmark is measured.
    pub fn tell(&mut self, camera: usize, health: &[CameraHealth], pipe: &mut Pipe) {
        self.cameras[camera].tell(camera, health, pipe);
    }
}

impl Told {
    fn tell(&mut self, camera: usize, health: &[CameraHealth], pipe: &mut Pipe) {
        let mut report = health[camera].report();
        self.gauge.note(report.ledger, monotonic_ns());
        let load = self.gauge.load();
        (report.looks_milli, report.is_overloaded) = (load.looks_milli as u32, load.is_overloaded);
        let report = self.discretion.told(report, self.gauge.due_milli() as u32, utc_now());
        self.number += 1;
        let tick = Tick { number: self.number, media_ms: (self.media_ns / 1_000_000) as u32 };
        pipe.say(|outbox| outbox.camera(camera as u16, tick, &report));
    }
}

fn periods(elapsed_ns: i64) -> u64 {
    u64::try_from(elapsed_ns / (i64::from(COUNTERS_MS) * 1_000_000)).unwrap_or(0)
}

/// Which of the regular records are said.
#[derive(Default)]
struct Schedule {
    /// Periods that have been dealt with.
    periods: u64,
    told: u64,
    /// Whether anything was told since the last period.
    is_fresh: bool,
    /// Whether a change waits for a regular record.
    is_awaited: bool,
}

impl Schedule {
    /// How many records are to be said now that so many periods are over.
    fn due(&mut self, periods: u64) -> u64 {
        let mut due = 0;
        while self.periods < periods {
            let is_ahead = self.told > self.periods;
            self.periods += 1;
            let is_said = !(is_ahead && self.is_fresh) || self.is_awaited;
            (due, self.told) = (due + u64::from(is_said), self.told + u64::from(is_said));
            (self.is_fresh, self.is_awaited) = (is_said, false);
        }
        due
    }

    /// Whether a change may be told now; otherwise it waits for the next regular record.
    fn advances(&mut self) -> bool {
        let may = self.told < self.periods + lead(self.periods);
        self.told += u64::from(may);
        self.is_awaited |= !may;
        self.is_fresh |= may;
        may
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn whatever_happens_the_number_told_is_the_number_due(changes in prop::collection::vec(0u8..9, 1..400)) {
            let mut schedule = Schedule::default();
            let mut silent = 0;
            for (period, changes) in changes.into_iter().enumerate() {
                let periods = period as u64;
                let said = schedule.due(periods);
                prop_assert!(said > 0 || silent < 2, "nothing is told for two periods");
                let advanced = (0..changes).filter(|_| schedule.advances()).count();
                silent = if said > 0 || advanced > 0 { 0 } else { silent + 1 };
                prop_assert!(schedule.told >= periods);
                prop_assert!(schedule.told <= periods + lead(periods));
            }
        }
    }

    #[test]
    fn a_quiet_hour_has_one_record_every_five_seconds() {
        let mut schedule = Schedule::default();
        let said: u64 = (1..=720).map(|period| schedule.due(period)).sum();
        assert_eq!(said, 720);
    }

    #[test]
    fn a_change_is_told_at_once_and_paid_back_with_every_other_record_of_a_quiet_time() {
        let mut schedule = Schedule::default();
        assert_eq!([schedule.advances(), schedule.advances()], [true, true]);
        let said: Vec<u64> = (1..=6).map(|period| schedule.due(period)).collect();
        assert_eq!(said, [0, 1, 0, 1, 1, 1]);
        assert_eq!(schedule.told, 6);
    }

    #[test]
    fn a_camera_that_comes_and_goes_pays_with_every_record() {
        let mut schedule = Schedule::default();
        let said = |period| {
            let said = schedule.due(period);
            assert!(schedule.advances());
            said
        };
        assert_eq!((1..=100).map(said).collect::<Vec<u64>>()[1..], [0; 99]);
    }

    #[test]
    fn a_change_beyond_the_lead_waits_for_the_next_record() {
        let mut schedule = Schedule::default();
        assert!((0..lead(0)).all(|_| schedule.advances()));
        assert!(!schedule.advances());
        assert_eq!([schedule.due(1), schedule.due(2)], [1, 0]);
    }

    #[test]
    fn an_eye_that_was_held_up_says_all_that_was_due() {
        assert_eq!(Schedule::default().due(4), 4);
    }
}
