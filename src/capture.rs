//! Pixels enter: a camera or a recording becomes a row of [`Frame`]s with the time they were captured.
//!
//! In: an RTSP camera, a recorded clip or a folder of pictures. Out: [`Frame`]s from a fixed pool.
//! Invariants: pixels live in pool buffers only and are wiped when a frame is dropped, also while
//! unwinding (I1, I2: `capture/frame.rs`); motion uses capture time, never a count of frames (I6).

#[cfg(feature = "mouth")]
pub mod bared;
pub mod camera;
mod colours;
mod disposable;
mod drawing;
mod ffmpeg;
pub mod frame;
pub mod looped;
pub mod pictures;
pub mod replay;
pub mod usb;

pub use frame::{Frame, FramePool};

use std::path::Path;
use std::sync::OnceLock;

use crate::clock::CaptureTime;
use crate::config::CameraSource;
use crate::config::placement::Placement;
use crate::health::Silence;
use crate::units::{Codec, PictureSize};

/// Where frames come from: a live camera or a recording.
pub trait Source: Send {
    /// Size of the pictures, px.
    fn size(&self) -> PictureSize;

    /// How the pictures are packed.
    fn codec(&self) -> Codec {
        Codec::Unknown
    }

    /// Whether the hardware decoder that was asked for does the decoding.
    fn is_on_device(&self) -> bool {
        false
    }

    /// The rate the stream claims to have, pictures per second; `None` where it claims none.
    fn fps_claimed(&self) -> Option<f64> {
        None
    }

    /// Says how pictures will be drawn, so that no work is spent on what will not be seen.
    fn will_be_drawn(&mut self, _placed: &Placement) {}

    /// Fetches the next picture without converting it. `is_due` is asked whether a picture will be looked at: one that
    /// is not may stay undecoded where no other picture depends on it.
    ///
    /// # Errors
    /// [`CaptureError`] when the stream is lost.
    fn grab(&mut self, is_due: &dyn Fn(Arrival) -> bool) -> Result<Grab, CaptureError>;

    /// Draws the grabbed picture into a buffer of the pool, in the size the network looks at.
    ///
    /// # Errors
    /// [`CaptureError::Undecodable`] when this one picture is broken, [`CaptureError::Resized`] when it has another
    /// size than the pool is for.
    fn retrieve(&mut self, pool: &FramePool) -> Result<Frame, CaptureError>;

    /// The grabbed picture in full size, for forensics, with its colours point by point only where they are asked for;
    /// `None` where there is none to be had.
    #[cfg(feature = "mouth")]
    fn bare(&self, _with_colours: bool) -> Option<bared::Bared> {
        None
    }
}

/// How USB cameras and folders of pictures are opened. What opens them drags in some hundred libraries, so a program has
/// them only when its `main` says [`use_opencv_readers`]: the linker leaves out what nobody calls.
struct Readers {
    usb: fn(&Path, i64) -> Opened,
    folder: fn(&Path, Option<f64>) -> Opened,
}

type Opened = Result<Box<dyn Source>, CaptureError>;

static READERS: OnceLock<Readers> = OnceLock::new();

/// Makes USB cameras and folders of pictures readable in this program; said once, before anything is opened.
pub fn use_opencv_readers() {
    READERS.get_or_init(|| Readers {
        usb: |device, zero_ns| Ok(Box::new(usb::UsbCamera::open(device, zero_ns)?)),
        folder: |folder, fps| Ok(Box::new(pictures::Pictures::open(folder, fps)?)),
    });
}

fn readers() -> Result<&'static Readers, CaptureError> {
    READERS.get().ok_or(CaptureError::Unopened { expected: "something this program has a reader for" })
}

/// Opens a live camera, on the network or on this machine's USB; `zero_ns` is the monotonic time of the capture
/// clock's zero, `hardware` a decoder to try.
///
/// # Errors
/// [`CaptureError`] when it is not there, does not answer in time or has no picture.
pub fn open_live(source: &CameraSource, zero_ns: i64, hardware: Option<&str>) -> Result<Box<dyn Source>, CaptureError> {
    match source.usb_device() {
        Some(device) => (readers()?.usb)(&device, zero_ns),
        None => Ok(Box::new(camera::LiveCamera::open(source, zero_ns, hardware)?)),
    }
}

/// When a picture came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Arrival {
    /// Capture time.
    pub at: CaptureTime,
    /// How many pictures of this source came before it.
    pub number: u64,
}

/// Outcome of a grab.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Grab {
    /// A picture is there.
    Frame(Arrival),
    /// A picture that was not due came and was not decoded.
    Passed(Arrival),
    /// Something came that could not be decoded.
    Broken(Arrival),
    /// The recording is over.
    End,
}

/// What can go wrong while frames come in. Texts hold no address and no credentials.
#[derive(Debug, thiserror::Error)]
pub enum CaptureError {
    /// The source could not be opened.
    #[error("cannot be opened as {expected}")]
    Unopened {
        /// What was expected there.
        expected: &'static str,
    },
    /// A recording was to be opened, and there is a pipe, a socket or a device.
    #[error("is neither a file nor a folder, and a pipe or a device is no recording")]
    NoRecording,
    /// There is no such device on this machine, or it may not be read.
    #[error("is no device of this machine, or may not be read")]
    NoDevice,
    /// The source opened and holds no frame.
    #[error("holds no picture")]
    Empty,
    /// The rate of a recording is neither given nor in its header.
    #[error("has no frame rate in its header; give fps")]
    RateUnknown,
    /// The recording has fewer pictures a second than are to be looked at.
    #[error("has {fps} pictures per second, fewer than are to be looked at")]
    TooSlow {
        /// Its rate.
        fps: f64,
    },
    /// The camera does not answer, or stopped delivering.
    #[error("does not deliver")]
    Stream(Silence),
    /// One frame could not be decoded.
    #[error("one frame could not be decoded")]
    Undecodable,
    /// The size of the pictures changed in mid-stream.
    #[error("picture size changed to {now}")]
    Resized {
        /// The new size.
        now: PictureSize,
    },
}

impl CaptureError {
    /// Why a camera shows nothing, in the words of the operator.
    #[must_use]
    pub fn silence(&self) -> Silence {
        match self {
            Self::Stream(silence) => *silence,
            Self::NoDevice => Silence::NoDevice,
            Self::Empty => Silence::NoPicture,
            _ => Silence::Unopened,
        }
    }
}

/// Allows OpenCV one thread: parallelism here is one thread per camera, never threads per picture.
pub fn use_one_thread_per_picture() {
    opencv::core::set_num_threads(1).ok();
}
