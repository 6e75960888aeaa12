//! A recording as a live camera would send it: in real time at its own rate, from the beginning again at its end.
//!
//! In: a clip or a folder of pictures, and when its first picture comes. Out: pictures stamped with the moment they were
//! due, so that whoever cannot keep up sees them age. Invariant: a picture is never there before its time.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::{Arrival, CaptureError, Frame, FramePool, Grab, Source, replay};
use crate::clock::{CaptureTime, monotonic_ns};
use crate::config::placement::Placement;
use crate::units::{Codec, PictureSize};

/// A recording that plays for ever.
pub struct Looped {
    path: PathBuf,
    fps: Option<f64>,
    hardware: Option<String>,
    source: Box<dyn Source>,
    schedule: Schedule,
    /// How pictures are drawn, once it is known.
    placed: Option<Placement>,
    /// When the last picture was due.
    last: CaptureTime,
    /// Pictures since the recording last began.
    since_start: u64,
}

/// When each picture is due.
#[derive(Clone, Copy)]
pub struct Schedule {
    /// Monotonic time of the capture clock's zero, ns.
    zero_ns: i64,
    /// Monotonic time of the first picture, ns.
    first_ns: i64,
    /// Pictures per second.
    fps: f64,
    next: u64,
}

impl Schedule {
    /// `fps` pictures a second, the first at the monotonic time `first_ns`.
    #[must_use]
    pub fn new(zero_ns: i64, first_ns: i64, fps: f64) -> Self {
        Self { zero_ns, first_ns, fps, next: 0 }
    }

    /// The next picture, which is due at its capture time.
    fn next(&self) -> Arrival {
        let since_first_ns = (self.next as f64 * 1e9 / self.fps).round() as i64;
        Arrival { at: CaptureTime(self.first_ns - self.zero_ns + since_first_ns), number: self.next }
    }

    /// How long until it is due.
    fn wait(&self, now_ns: i64) -> Duration {
        Duration::from_nanos(u64::try_from(self.next().at.0 + self.zero_ns - now_ns).unwrap_or(0))
    }
}

impl Looped {
    /// Opens a recording; `fps` overrides what its header says, `hardware` names a decoder to try, `start` says when it
    /// begins, by its rate in pictures per second.
    ///
    /// # Errors
    /// [`CaptureError`] when it cannot be opened, is empty, or has no rate.
    pub fn open(
        path: &Path,
        fps: Option<f64>,
        hardware: Option<&str>,
        start: impl FnOnce(f64) -> Result<Schedule, CaptureError>,
    ) -> Result<Self, CaptureError> {
        let source = replay::open(path, fps, hardware)?;
        let rate = source.fps_claimed().ok_or(CaptureError::RateUnknown)?;
        let hardware = hardware.map(str::to_owned);
        Ok(Self {
            path: path.to_owned(),
            fps,
            hardware,
            source,
            schedule: start(rate)?,
            placed: None,
            last: CaptureTime(0),
            since_start: 0,
        })
    }

    /// Grabs what comes next in the recording, which begins again where it ends.
    fn grab_on(&mut self, is_due: &dyn Fn(Arrival) -> bool) -> Result<Grab, CaptureError> {
        loop {
            match self.source.grab(is_due)? {
                Grab::End if self.since_start == 0 => return Err(CaptureError::Empty),
                Grab::End => {
                    self.source = replay::open(&self.path, self.fps, self.hardware.as_deref())?;
                    self.placed.iter().for_each(|placed| self.source.will_be_drawn(placed));
                    self.since_start = 0;
                }
                grab => {
                    self.since_start += 1;
                    return Ok(grab);
                }
            }
        }
    }
}

impl Source for Looped {
    fn size(&self) -> PictureSize {
        self.source.size()
    }

    fn codec(&self) -> Codec {
        self.source.codec()
    }

    fn is_on_device(&self) -> bool {
        self.source.is_on_device()
    }

    fn fps_claimed(&self) -> Option<f64> {
        Some(self.schedule.fps)
    }

    fn will_be_drawn(&mut self, placed: &Placement) {
        self.source.will_be_drawn(placed);
        self.placed = Some(*placed);
    }

    fn grab(&mut self, is_due: &dyn Fn(Arrival) -> bool) -> Result<Grab, CaptureError> {
        std::thread::sleep(self.schedule.wait(monotonic_ns()));
        let arrival = self.schedule.next();
        let grab = self.grab_on(&|_| is_due(arrival))?;
        self.last = arrival.at;
        self.schedule.next += 1;
        Ok(match grab {
            Grab::Frame(_) => Grab::Frame(arrival),
            Grab::Passed(_) => Grab::Passed(arrival),
            Grab::Broken(_) | Grab::End => Grab::Broken(arrival),
        })
    }

    fn retrieve(&mut self, pool: &FramePool) -> Result<Frame, CaptureError> {
        let mut frame = self.source.retrieve(pool)?;
        frame.date(self.last);
        Ok(frame)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The sample, due long ago: nothing is waited for.
    fn looped(fps: f64) -> Looped {
        let clip = Path::new(env!("CARGO_MANIFEST_DIR")).join("fetched/clips/vtest.avi");
        Looped::open(&clip, Some(fps), None, |fps| Ok(Schedule::new(0, 0, fps))).expect("the sample opens")
    }

    #[test]
    fn pictures_are_dated_by_when_they_were_due_and_numbered_through() {
        let mut looped = looped(25.0);
        let arrivals: Vec<Arrival> = (0..3)
            .map(|_| match looped.grab(&|_| true) {
                Ok(Grab::Frame(arrival)) => arrival,
                _ => panic!("a picture"),
            })
            .collect();
        let due = [0, 40, 80].map(|ms| CaptureTime(ms * 1_000_000));
        assert_eq!([0, 1, 2].map(|index| arrivals[index].at), due);
        assert_eq!([0, 1, 2].map(|index| arrivals[index].number), [0, 1, 2]);
    }

    #[test]
    fn at_its_end_the_recording_begins_again_and_its_time_goes_on() {
        let mut looped = looped(1000.0);
        let arrivals: Vec<Grab> = (0..800).map(|_| looped.grab(&|_| false).expect("it never ends")).collect();
        let last = Arrival { at: CaptureTime(799_000_000), number: 799 };
        assert_eq!(arrivals[799], Grab::Frame(last), "the sample has 795 pictures");
        assert_eq!(looped.since_start, 5);
    }

    #[test]
    fn a_picture_is_waited_for_until_it_is_due_and_a_late_one_is_not() {
        let mut schedule = Schedule::new(1_000, 501_000, 10.0);
        assert_eq!(schedule.wait(1_000), Duration::from_nanos(500_000));
        schedule.next = 3;
        assert_eq!(schedule.next().at, CaptureTime(300_500_000));
        assert_eq!(schedule.wait(300_501_000), Duration::ZERO);
        assert_eq!(schedule.wait(900_000_000), Duration::ZERO);
    }
}
