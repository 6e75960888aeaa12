//! Recordings in media time: a clip through FFmpeg, or a folder of pictures in the order of their names.
//!
//! In: a file or a folder, and its true rate. Out: every frame, stamped `number / fps` from zero.
//! Invariants: two replays of one recording stamp every frame alike, at whatever speed they run (tests/story); a pipe or
//! a device is no recording and is never opened (tests/faults).

use std::io::Read;
use std::path::Path;

use zeroize::Zeroize;

use super::camera::draw;
use super::drawing::Drawing;
use super::ffmpeg::{Opening, Step, Stream};
use super::{Arrival, CaptureError, Frame, FramePool, Grab, Source, readers};
use crate::clock::CaptureTime;
use crate::config::placement::Placement;
use crate::units::{Codec, PictureSize};

/// Opens a clip or a folder of pictures. `fps` overrides what the header says, `hardware` names a
/// decoder to try on a clip.
///
/// # Errors
/// [`CaptureError`] when it cannot be opened, is empty, or has no rate.
pub fn open(path: &Path, fps: Option<f64>, hardware: Option<&str>) -> Result<Box<dyn Source>, CaptureError> {
    check(path)?;
    if path.is_dir() { (readers()?.folder)(path, fps) } else { Ok(Box::new(Clip::open(path, fps, hardware)?)) }
}

/// Refuses what is neither a regular file nor a folder without opening it: whoever opens a pipe may wait for ever, and
/// what comes out of one, or out of a device, may be happening now.
///
/// # Errors
/// [`CaptureError::NoRecording`] for a pipe, a socket or a device, [`CaptureError::Unopened`] for nothing at all.
pub fn check(path: &Path) -> Result<(), CaptureError> {
    let found = std::fs::metadata(path).map_err(|_| CaptureError::Unopened { expected: "a video clip" })?;
    if found.is_file() || found.is_dir() { Ok(()) } else { Err(CaptureError::NoRecording) }
}

/// A recorded clip.
pub struct Clip {
    stream: Stream,
    drawing: Drawing,
    size: PictureSize,
    stamps: Stamps,
}

impl Clip {
    /// Opens a clip; `hardware` names a decoder to try.
    ///
    /// # Errors
    /// [`CaptureError`] when it is no video, has no size or no rate.
    pub fn open(path: &Path, fps: Option<f64>, hardware: Option<&str>) -> Result<Self, CaptureError> {
        let unopened = || CaptureError::Unopened { expected: "a video clip" };
        let address = path.to_str().filter(|_| !is_text(path)).ok_or_else(unopened)?;
        // The protocol is named, so that a file's name is never taken for an address.
        let address = format!("file:{address}");
        let opening = Opening { address: &address, options: &[], waits: None, hardware };
        let stream = Stream::open(&opening).map_err(|_| unopened())?;
        let size = stream.size().ok_or(CaptureError::Empty)?;
        let header_fps = stream.rate();
        let by_header = header_fps.filter(|_| stream.is_steady());
        let stamps = Stamps::new(fps.or(header_fps).unwrap_or(0.0), by_header)?;
        Ok(Self { stream, drawing: Drawing::default(), size, stamps })
    }
}

impl Source for Clip {
    fn size(&self) -> PictureSize {
        self.size
    }

    fn codec(&self) -> Codec {
        self.stream.codec_kind()
    }

    fn is_on_device(&self) -> bool {
        self.stream.is_on_device()
    }

    fn will_be_drawn(&mut self, placed: &Placement) {
        self.stream.will_be_drawn(placed);
    }

    fn fps_claimed(&self) -> Option<f64> {
        Some(self.stamps.fps)
    }

    fn grab(&mut self, is_due: &dyn Fn(Arrival) -> bool) -> Result<Grab, CaptureError> {
        let stamps = &self.stamps;
        let mut is_wanted = |at_ns: Option<i64>| stamps.foreseen(at_ns).is_none_or(is_due);
        Ok(match self.stream.step(None, &mut is_wanted) {
            Ok(Step::Decoded(at_ns)) => Grab::Frame(self.stamps.next(at_ns)),
            Ok(Step::Passed(at_ns)) => Grab::Passed(self.stamps.passed(at_ns)),
            Ok(Step::Broken) => Grab::Broken(self.stamps.next(None)),
            // A file that breaks off ends there.
            Ok(Step::End) | Err(_) => Grab::End,
        })
    }

    fn retrieve(&mut self, pool: &FramePool) -> Result<Frame, CaptureError> {
        draw(&mut self.drawing, &self.stream, pool, self.stamps.last().at)
    }

    #[cfg(feature = "mouth")]
    fn bare(&self, with_colours: bool) -> Option<super::bared::Bared> {
        super::bared::Bared::of(self.stream.picture(), with_colours)
    }
}

/// Whether a file begins as text does. FFmpeg would draw it as a terminal picture and call it video.
fn is_text(path: &Path) -> bool {
    let mut start = [0u8; 4096];
    let read = std::fs::File::open(path).and_then(|mut file| file.read(&mut start)).unwrap_or(0);
    let text = &start[..read];
    let valid = std::str::from_utf8(text).map_or_else(|error| error.valid_up_to() + 4 > read, |_| true);
    let is_text = valid && !text.iter().any(|byte| byte.is_ascii_control() && !byte.is_ascii_whitespace());
    // A packed picture may begin there.
    start.zeroize();
    is_text
}

/// Numbers frames and dates them.
pub(super) struct Stamps {
    /// Frames per second, as given or as the header says.
    pub(super) fps: f64,
    /// Rate by which presentation times number the frames, where the header has a steady one.
    by_header: Option<f64>,
    /// Presentation time of the first frame, ns.
    first_ns: Option<i64>,
    next: u64,
    last: u64,
}

impl Stamps {
    pub(super) fn new(fps: f64, by_header: Option<f64>) -> Result<Self, CaptureError> {
        if fps.is_finite() && (0.1..=1000.0).contains(&fps) {
            Ok(Self { fps, by_header, first_ns: None, next: 0, last: 0 })
        } else {
            Err(CaptureError::RateUnknown)
        }
    }

    /// The next frame in the order they are shown.
    pub(super) fn next(&mut self, at_ns: Option<i64>) -> Arrival {
        self.first_ns = self.first_ns.or(at_ns);
        let number = self.foreseen(at_ns).map_or(self.next, |arrival| arrival.number.max(self.next));
        self.last = number;
        self.next = number + 1;
        self.last()
    }

    /// A frame that was left out where it stood in the file.
    fn passed(&self, at_ns: Option<i64>) -> Arrival {
        self.foreseen(at_ns).unwrap_or_else(|| self.arrival(self.next))
    }

    /// Which frame will be shown at this presentation time; `None` where nobody can tell.
    fn foreseen(&self, at_ns: Option<i64>) -> Option<Arrival> {
        let since_s = (at_ns? - self.first_ns?) as f64 / 1e9;
        let number = (since_s * self.by_header?).round();
        (number >= 0.0).then(|| self.arrival(number as u64))
    }

    pub(super) fn last(&self) -> Arrival {
        self.arrival(self.last)
    }

    fn arrival(&self, number: u64) -> Arrival {
        Arrival { at: CaptureTime((number as f64 * 1e9 / self.fps).round() as i64), number }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FRAME_NS: i64 = 40_000_000;

    #[test]
    fn frames_left_out_leave_a_gap_in_the_numbers_of_the_others() {
        let mut stamps = Stamps::new(7.0, Some(25.0)).expect("a rate");
        let numbers: Vec<u64> =
            [0, 1, 5, 6].iter().map(|frame| stamps.next(Some(1_000 + frame * FRAME_NS)).number).collect();
        assert_eq!(numbers, [0, 1, 5, 6]);
        assert_eq!(stamps.last().at, CaptureTime(857_142_857), "dated by the rate that was given");
    }

    #[test]
    fn a_device_is_no_recording() {
        let refused = |path: &str| open(Path::new(path), Some(7.0), None).err();
        assert!(matches!(refused("/dev/zero"), Some(CaptureError::NoRecording)));
        assert!(matches!(refused("/nowhere/clip.mp4"), Some(CaptureError::Unopened { .. })));
    }

    #[test]
    fn without_presentation_times_frames_are_counted() {
        let mut stamps = Stamps::new(10.0, None).expect("a rate");
        assert_eq!([0, 0, 0].map(|_| stamps.next(Some(7)).number), [0, 1, 2]);
        assert!(stamps.foreseen(Some(7)).is_none());
    }
}
