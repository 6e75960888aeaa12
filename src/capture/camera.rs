//! A live camera over RTSP: opened with bounded waits, stamped at grab, reopened with back-off.
//!
//! In: the camera's URL (credentials inside). Out: frames stamped with the monotonic clock.
//! Invariants: the URL is never printed; every wait has an end ([`WAITS`]).

use std::time::Duration;

use super::drawing::Drawing;
use super::ffmpeg::{Opening, Step, Stream, Waits};
use super::{Arrival, CaptureError, Frame, FramePool, Grab, Source};
use crate::clock::{CaptureTime, monotonic_ns};
use crate::config::CameraSource;
use crate::config::placement::Placement;
use crate::health::Silence;
use crate::units::{Codec, PictureSize};

/// A camera that is being seen.
pub struct LiveCamera {
    stream: Stream,
    drawing: Drawing,
    size: PictureSize,
    zero_ns: i64,
    next: u64,
    last: CaptureTime,
    /// Since when nothing that came could be decoded.
    broken_since: Option<CaptureTime>,
}

impl LiveCamera {
    /// Opens the camera; `zero_ns` is the monotonic time of the capture clock's zero, `hardware` a decoder to try.
    ///
    /// # Errors
    /// [`CaptureError::Stream`] when it does not answer or shows no picture.
    pub fn open(source: &CameraSource, zero_ns: i64, hardware: Option<&str>) -> Result<Self, CaptureError> {
        let opening = Opening { address: source.reveal(), options: &STREAM_OPTIONS, waits: Some(WAITS), hardware };
        let mut stream = Stream::open(&opening).map_err(CaptureError::Stream)?;
        let size = size_of(&mut stream).map_err(CaptureError::Stream)?;
        Ok(Self {
            stream,
            drawing: Drawing::default(),
            size,
            zero_ns,
            next: 0,
            last: CaptureTime(0),
            broken_since: None,
        })
    }

    fn now(&self) -> CaptureTime {
        CaptureTime(monotonic_ns() - self.zero_ns)
    }

    /// Whether all that has come for as long as a camera may be silent was broken: it is then as good as silent.
    fn is_garbled(&mut self, step: Step) -> bool {
        match step {
            Step::Broken => {
                let since = *self.broken_since.get_or_insert(self.last);
                self.last.since_ns(since) >= WAITS.read.as_nanos() as i64
            }
            Step::Decoded(_) => {
                self.broken_since = None;
                false
            }
            Step::Passed(_) | Step::End => false,
        }
    }
}

impl Source for LiveCamera {
    fn size(&self) -> PictureSize {
        self.size
    }

    fn codec(&self) -> Codec {
        self.stream.codec_kind()
    }

    fn is_on_device(&self) -> bool {
        self.stream.is_on_device()
    }

    fn fps_claimed(&self) -> Option<f64> {
        self.stream.rate().filter(|fps| FPS_BELIEVED.contains(fps))
    }

    fn will_be_drawn(&mut self, placed: &Placement) {
        self.stream.will_be_drawn(placed);
    }

    fn grab(&mut self, is_due: &dyn Fn(Arrival) -> bool) -> Result<Grab, CaptureError> {
        let (zero_ns, number) = (self.zero_ns, self.next);
        let arrival = move || Arrival { at: CaptureTime(monotonic_ns() - zero_ns), number };
        let step = self.stream.step(Some(WAITS), &mut |_| is_due(arrival())).map_err(CaptureError::Stream)?;
        self.next += 1;
        self.last = self.now();
        let arrived = Arrival { at: self.last, number };
        if self.is_garbled(step) {
            return Err(CaptureError::Stream(Silence::NoPicture));
        }
        match step {
            Step::Decoded(_) => Ok(Grab::Frame(arrived)),
            Step::Passed(_) => Ok(Grab::Passed(arrived)),
            Step::Broken => Ok(Grab::Broken(arrived)),
            Step::End => Err(CaptureError::Stream(Silence::BrokeOff)),
        }
    }

    fn retrieve(&mut self, pool: &FramePool) -> Result<Frame, CaptureError> {
        draw(&mut self.drawing, &self.stream, pool, self.last)
    }
}

/// Size of the pictures, px: from what the camera says of them, or else from the first one.
fn size_of(stream: &mut Stream) -> Result<PictureSize, Silence> {
    let begun_ns = monotonic_ns();
    while stream.size().is_none() && monotonic_ns() - begun_ns < WAITS.picture.as_nanos() as i64 {
        stream.step(Some(WAITS), &mut |_| true)?;
    }
    stream.size().ok_or(Silence::NoPicture)
}

/// Draws the stream's picture into a buffer of the pool.
pub(super) fn draw(
    drawing: &mut Drawing,
    stream: &Stream,
    pool: &FramePool,
    at: CaptureTime,
) -> Result<Frame, CaptureError> {
    let now = stream.picture().size();
    if now != pool.picture() {
        return Err(CaptureError::Resized { now });
    }
    let mut frame = pool.take(at);
    drawing.draw(stream.picture(), &mut frame)?;
    Ok(frame)
}

/// How long to wait before the next attempt at a lost camera.
pub struct BackOff {
    next: Duration,
}

impl Default for BackOff {
    fn default() -> Self {
        Self { next: BACK_OFF_FIRST }
    }
}

impl BackOff {
    /// The wait before the next attempt; doubles up to [`BACK_OFF_MAX`].
    pub fn step(&mut self) -> Duration {
        let wait = self.next;
        self.next = (wait * 2).min(BACK_OFF_MAX);
        wait
    }

    /// Starts over once frames arrive.
    pub fn reset(&mut self) {
        *self = Self::default();
    }
}

/// Rates a camera can have, pictures per second; outside of it FFmpeg tells the ticks of the stream's clock.
const FPS_BELIEVED: std::ops::RangeInclusive<f64> = 0.1..=240.0;
/// Stream options: TCP only, and a look at one packet of the stream instead of five seconds of it (measured: a camera of
/// ten pictures a second opens in 0.04 s; without the bound on bytes in 0.75 s, for which it then was not seen).
const STREAM_OPTIONS: [(&str, &str); 5] = [
    ("rtsp_transport", "tcp"),
    ("analyzeduration", "100000"),
    ("fpsprobesize", "0"),
    ("probesize", "32"),
    ("allowed_media_types", "video"),
];
/// Longest waits for an answer, for the next packet and for a picture. A camera thawed within the first is back at once;
/// one that hangs for longer is opened anew. The last is the rarest whole picture of cameras that save (10 s), and some.
const WAITS: Waits =
    Waits { open: Duration::from_secs(5), read: Duration::from_secs(3), picture: Duration::from_secs(12) };
/// First wait of the back-off: a camera that restarts is back within the first attempts.
const BACK_OFF_FIRST: Duration = Duration::from_millis(200);
/// Longest wait of the back-off: a refused connection costs 0.3 ms, so a second is cheap.
const BACK_OFF_MAX: Duration = Duration::from_secs(1);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lost_camera_is_retried_within_a_second_for_ever() {
        let mut back_off = BackOff::default();
        let waits: Vec<u128> = (0..6).map(|_| back_off.step().as_millis()).collect();
        assert_eq!(waits, [200, 400, 800, 1000, 1000, 1000]);
        back_off.reset();
        assert_eq!(back_off.step().as_millis(), 200);
    }
}
