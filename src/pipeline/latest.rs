//! Newest wins: one place for one frame per camera, between capture and the detect workers.
//!
//! In: frames as they come. Out: the camera that has waited longest first, one camera at a time to one worker, so that the frames of
//! a camera stay in order. Invariants: a late frame is worthless and a queue of frames is a recording, so a newer
//! frame displaces the waiting one, which is wiped and counted (I5); recordings wait instead and lose nothing.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::capture::Frame;
use crate::clock::{CaptureTime, monotonic_ns};
use crate::health::{CameraHealth, Fate};

/// The mailbox of all cameras.
pub struct Latest {
    slots: Mutex<Vec<Slot>>,
    changed: Condvar,
    health: Arc<[CameraHealth]>,
}

#[derive(Default)]
struct Slot {
    waiting: Option<Waiting>,
    leased: bool,
    closed: bool,
    told: bool,
}

struct Waiting {
    frame: Frame,
    put_ns: i64,
    /// Capture of the first frame that waited here since the last was taken: a camera does not lose its turn by being
    /// faster than the others.
    since: CaptureTime,
}

impl Waiting {
    fn new(frame: Frame) -> Self {
        Self { put_ns: monotonic_ns(), since: frame.captured_at(), frame }
    }
}

/// What a worker gets.
pub enum Taken {
    /// A frame of this camera, put here at this monotonic time, ns. The camera is lent to the worker until
    /// [`Latest::give_back`].
    Frame(usize, Frame, i64),
    /// This camera's recording is over; said once, after its last frame.
    Ended(usize),
    /// Nothing came in time.
    Idle,
    /// All cameras are over.
    Over,
}

impl Latest {
    /// An empty mailbox for these cameras.
    #[must_use]
    pub fn new(health: Arc<[CameraHealth]>) -> Self {
        let slots = health.iter().map(|_| Slot::default()).collect();
        Self { slots: Mutex::new(slots), changed: Condvar::new(), health }
    }

    /// Puts a frame; one that still waits gives way.
    pub fn put(&self, camera: usize, frame: Frame) {
        let mut arrived = Waiting::new(frame);
        let mut slots = self.lock();
        let waiting = &mut slots[camera].waiting;
        arrived.since = waiting.as_ref().map_or(arrived.since, |displaced| displaced.since);
        let displaced = waiting.replace(arrived);
        drop(slots);
        self.changed.notify_all();
        if displaced.is_some() {
            self.health[camera].met(Fate::Overwritten);
        }
    }

    /// Puts a frame once the place is free: recordings lose nothing.
    pub fn put_waiting(&self, camera: usize, frame: Frame) {
        let mut slots = self.lock();
        while slots[camera].waiting.is_some() {
            slots = self.changed.wait(slots).unwrap_or_else(PoisonError::into_inner);
        }
        slots[camera].waiting = Some(Waiting::new(frame));
        drop(slots);
        self.changed.notify_all();
    }

    /// Says that no frame will come from this camera any more.
    pub fn close(&self, camera: usize) {
        self.lock()[camera].closed = true;
        self.changed.notify_all();
    }

    /// Takes the frame of the camera that has waited longest among those nobody works on.
    pub fn take(&self, patience: Duration) -> Taken {
        let until_ns = monotonic_ns() + patience.as_nanos() as i64;
        let mut slots = self.lock();
        loop {
            if let Some(taken) = next(&mut slots) {
                drop(slots);
                self.changed.notify_all();
                return taken;
            }
            let left = Duration::from_nanos(u64::try_from(until_ns - monotonic_ns()).unwrap_or(0));
            if left.is_zero() {
                return Taken::Idle;
            }
            slots = self.changed.wait_timeout(slots, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Returns a camera whose frame has been worked on.
    pub fn give_back(&self, camera: usize) {
        self.lock()[camera].leased = false;
        self.changed.notify_all();
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Slot>> {
        // A worker that panicked while holding the lock left the slots whole: every change is one assignment.
        self.slots.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn next(slots: &mut [Slot]) -> Option<Taken> {
    let free = slots.iter().enumerate().filter(|(_, slot)| !slot.leased);
    let captured = |(camera, slot): (usize, &Slot)| slot.waiting.as_ref().map(|waiting| (waiting.since, camera));
    if let Some((_, camera)) = free.filter_map(captured).min() {
        let slot = &mut slots[camera];
        slot.leased = true;
        return slot.waiting.take().map(|Waiting { frame, put_ns, .. }| Taken::Frame(camera, frame, put_ns));
    }
    let ended = |slot: &Slot| slot.closed && slot.waiting.is_none() && !slot.leased;
    if let Some(camera) = slots.iter().position(|slot| ended(slot) && !slot.told) {
        slots[camera].told = true;
        return Some(Taken::Ended(camera));
    }
    slots.iter().all(|slot| ended(slot) && slot.told).then_some(Taken::Over)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::capture::FramePool;
    use crate::config::card::Fit;
    use crate::config::placement::Placement;
    use crate::units::PictureSize;

    /// A pool for pictures of 2x2.
    fn frames() -> FramePool {
        let size = PictureSize { height: 2, width: 2 };
        FramePool::new(Placement::new(Fit::Stretch, size, size))
    }

    const NOW: Duration = Duration::ZERO;

    fn mailbox(cameras: usize) -> Latest {
        Latest::new((0..cameras).map(|_| CameraHealth::default()).collect())
    }

    fn time_of(taken: Taken) -> Option<(usize, i64)> {
        match taken {
            Taken::Frame(camera, frame, _) => Some((camera, frame.captured_at().0)),
            _ => None,
        }
    }

    #[test]
    fn the_newest_frame_wins_and_the_loser_is_counted() {
        let (mailbox, pool) = (mailbox(1), frames());
        for at in 1..=5 {
            mailbox.put(0, pool.take(CaptureTime(at)));
        }
        assert_eq!(time_of(mailbox.take(NOW)), Some((0, 5)));
        assert_eq!(mailbox.health[0].report().ledger.overwritten, 4);
    }

    #[test]
    fn the_camera_that_has_waited_longest_comes_first() {
        let mailbox = mailbox(3);
        for (camera, at) in [(0, 30), (1, 10), (2, 20)] {
            mailbox.put(camera, frames().take(CaptureTime(at)));
        }
        let order: Vec<_> = (0..3).filter_map(|_| time_of(mailbox.take(NOW))).collect();
        assert_eq!(order, [(1, 10), (2, 20), (0, 30)]);
    }

    #[test]
    fn a_fast_camera_does_not_wait_for_ever_behind_slow_ones() {
        let mailbox = mailbox(2);
        let pools = [frames(), frames()];
        for (camera, at) in [(0, 10), (1, 20), (0, 30)] {
            mailbox.put(camera, pools[camera].take(CaptureTime(at)));
        }
        assert_eq!(time_of(mailbox.take(NOW)), Some((0, 30)), "the newest frame of the camera that waits longest");
        mailbox.give_back(0);
        mailbox.put(0, pools[0].take(CaptureTime(40)));
        assert_eq!(time_of(mailbox.take(NOW)), Some((1, 20)));
    }

    #[test]
    fn a_worker_that_is_too_slow_serves_unequal_cameras_alike() {
        let mailbox = mailbox(3);
        let pools = [frames(), frames(), frames()];
        let (periods_ms, look_ms, mut looks) = ([50, 40, 25], 100, [0_i64; 3]);
        let mut at_work = None;
        for now_ms in 0..60_000 {
            for (camera, pool) in pools.iter().enumerate().filter(|(camera, _)| now_ms % periods_ms[*camera] == 0) {
                mailbox.put(camera, pool.take(CaptureTime(now_ms * 1_000_000)));
            }
            if now_ms % look_ms == 0 {
                at_work.take().into_iter().for_each(|camera| mailbox.give_back(camera));
                if let Some((camera, _)) = time_of(mailbox.take(NOW)) {
                    looks[camera] += 1;
                    at_work = Some(camera);
                }
            }
        }
        // 85 frames a second for ten looks.
        assert!(looks.iter().all(|looks| (looks - 200).abs() <= 2), "{looks:?}");
    }

    #[test]
    fn a_camera_is_lent_to_one_worker_at_a_time() {
        let (mailbox, pool) = (mailbox(1), frames());
        mailbox.put(0, pool.take(CaptureTime(1)));
        assert!(time_of(mailbox.take(NOW)).is_some());
        mailbox.put(0, pool.take(CaptureTime(2)));
        assert!(matches!(mailbox.take(NOW), Taken::Idle));
        mailbox.give_back(0);
        assert_eq!(time_of(mailbox.take(NOW)), Some((0, 2)));
    }

    #[test]
    fn the_end_is_told_once_and_only_after_the_last_frame() {
        let (mailbox, pool) = (mailbox(1), frames());
        mailbox.put(0, pool.take(CaptureTime(1)));
        mailbox.close(0);
        assert!(time_of(mailbox.take(NOW)).is_some());
        assert!(matches!(mailbox.take(NOW), Taken::Idle));
        mailbox.give_back(0);
        assert!(matches!(mailbox.take(NOW), Taken::Ended(0)));
        assert!(matches!(mailbox.take(NOW), Taken::Over));
    }

    #[test]
    fn a_recording_waits_until_its_frame_is_taken() {
        let (mailbox, pool) = (Arc::new(mailbox(1)), frames());
        mailbox.put(0, pool.take(CaptureTime(1)));
        let second = pool.take(CaptureTime(2));
        let putting = Arc::clone(&mailbox);
        let thread = std::thread::spawn(move || putting.put_waiting(0, second));
        assert_eq!(time_of(mailbox.take(NOW)), Some((0, 1)));
        thread.join().expect("the place became free");
        mailbox.give_back(0);
        assert_eq!(time_of(mailbox.take(NOW)), Some((0, 2)));
        assert_eq!(mailbox.health[0].report().ledger.overwritten, 0);
    }
}
