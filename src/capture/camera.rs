//! A live camera over RTSP: opened with bounded waits, stamped at grab, reopened with back-off.
//!
//! In: the camera's URL (credentials inside). Out: frames stamped with the monotonic clock.
//! Invariants: neither the URL nor an error of FFmpeg is ever printed; every wait has an end
//! ([`OPEN_TIMEOUT_MS`], [`READ_TIMEOUT_MS`]).

use std::time::Duration;

use opencv::core::Vector;
use opencv::videoio::{
    CAP_FFMPEG, CAP_PROP_FOURCC, CAP_PROP_FPS, CAP_PROP_OPEN_TIMEOUT_MSEC, CAP_PROP_READ_TIMEOUT_MSEC, VideoCapture,
    VideoCaptureTrait, VideoCaptureTraitConst,
};

use super::replay::{retrieve_into_pool, stream_size};
use super::{CaptureError, Frame, FramePool, Grab, Source};
use crate::clock::{CaptureTime, monotonic_ns};
use crate::config::CameraSource;
use crate::units::{Codec, PictureSize};

/// Stream options FFmpeg reads from the environment, set by the mouth when it starts the eye on cameras: TCP only,
/// and a short look at the stream instead of five seconds of it (measured: opens in 0.41 s, no stale burst).
pub const STREAM_OPTIONS: [(&str, &str); 1] =
    [("OPENCV_FFMPEG_CAPTURE_OPTIONS", "rtsp_transport;tcp|analyzeduration;100000|fpsprobesize;0")];
/// What holds for cameras and recordings alike.
pub const DECODER_OPTIONS: [(&str, &str); 2] = [("OPENCV_FFMPEG_THREADS", "1"), ("OPENCV_LOG_LEVEL", "SILENT")];

/// A camera that is being seen.
pub struct LiveCamera {
    capture: VideoCapture,
    size: PictureSize,
    zero_ns: i64,
    last: CaptureTime,
}

impl LiveCamera {
    /// Opens the camera; `zero_ns` is the monotonic time of the capture clock's zero.
    ///
    /// # Errors
    /// [`CaptureError::Unopened`] when nothing answers in time, [`CaptureError::Empty`] without a picture size.
    pub fn open(source: &CameraSource, zero_ns: i64) -> Result<Self, CaptureError> {
        let bounds = [CAP_PROP_OPEN_TIMEOUT_MSEC, OPEN_TIMEOUT_MS, CAP_PROP_READ_TIMEOUT_MSEC, READ_TIMEOUT_MS];
        let capture = VideoCapture::from_file_with_params(source.reveal(), CAP_FFMPEG, &Vector::from_slice(&bounds));
        let capture = match capture {
            Ok(capture) if capture.is_opened().unwrap_or(false) => capture,
            _ => return Err(CaptureError::Unopened { expected: "an RTSP stream" }),
        };
        let size = stream_size(&capture).ok_or(CaptureError::Empty)?;
        Ok(Self { capture, size, zero_ns, last: CaptureTime(0) })
    }
}

impl Source for LiveCamera {
    fn size(&self) -> PictureSize {
        self.size
    }

    fn codec(&self) -> Codec {
        codec_of(&self.capture)
    }

    fn fps_claimed(&self) -> Option<f64> {
        self.capture.get(CAP_PROP_FPS).ok().filter(|fps| FPS_BELIEVED.contains(fps))
    }

    fn grab(&mut self) -> Result<Grab, CaptureError> {
        let asked_ns = monotonic_ns();
        let grabbed = self.capture.grab().unwrap_or(false);
        let now_ns = monotonic_ns();
        // After a read that timed out FFmpeg hands out one stale picture as if it were new.
        if !grabbed || now_ns - asked_ns >= i64::from(READ_TIMEOUT_MS) * 1_000_000 {
            return Err(CaptureError::Lost);
        }
        self.last = CaptureTime(now_ns - self.zero_ns);
        Ok(Grab::Frame(self.last))
    }

    fn retrieve(&mut self, pool: &FramePool) -> Result<Frame, CaptureError> {
        retrieve_into_pool(&mut self.capture, pool, self.last)
    }
}

/// The codec OpenCV names.
pub(super) fn codec_of(capture: &VideoCapture) -> Codec {
    Codec::from_fourcc(capture.get(CAP_PROP_FOURCC).unwrap_or(0.0) as u32)
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
/// Longest wait for a camera to answer, ms. The defaults of OpenCV are 30 s.
const OPEN_TIMEOUT_MS: i32 = 5000;
/// Longest wait for the next picture, ms.
const READ_TIMEOUT_MS: i32 = 3000;
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
