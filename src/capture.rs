//! Pixels enter: a camera or a recording becomes a row of [`Frame`]s with the time they were captured.
//!
//! In: an RTSP camera, a recorded clip or a folder of pictures. Out: [`Frame`]s from a fixed pool.
//! Invariants: pixels live in pool buffers only and are wiped when a frame is dropped, also while
//! unwinding (I1, I2: `capture/frame.rs`); motion uses capture time, never a count of frames (I6).

pub mod camera;
pub mod frame;
pub mod overheard;
pub mod replay;
pub mod usb;

pub use frame::{Frame, FramePool};

use crate::clock::CaptureTime;
use crate::config::CameraSource;
use crate::units::{Codec, PictureSize};

/// Where frames come from: a live camera or a recording.
pub trait Source: Send {
    /// Size of the pictures, px.
    fn size(&self) -> PictureSize;

    /// How the pictures are packed.
    fn codec(&self) -> Codec {
        Codec::Unknown
    }

    /// The rate the stream claims to have, pictures per second; `None` where it claims none.
    fn fps_claimed(&self) -> Option<f64> {
        None
    }

    /// Fetches the next frame without converting it.
    ///
    /// # Errors
    /// [`CaptureError`] when the stream is lost.
    fn grab(&mut self) -> Result<Grab, CaptureError>;

    /// Writes the grabbed frame into a buffer of the pool.
    ///
    /// # Errors
    /// [`CaptureError::Undecodable`] when this one frame is broken.
    fn retrieve(&mut self, pool: &FramePool) -> Result<Frame, CaptureError>;
}

/// Opens a live camera, on the network or on this machine's USB; `zero_ns` is the monotonic time of the capture
/// clock's zero.
///
/// # Errors
/// [`CaptureError`] when it is not there, does not answer in time or has no picture.
pub fn open_live(source: &CameraSource, zero_ns: i64) -> Result<Box<dyn Source>, CaptureError> {
    match source.usb_device() {
        Some(device) => Ok(Box::new(usb::UsbCamera::open(&device, zero_ns)?)),
        None => Ok(Box::new(camera::LiveCamera::open(source, zero_ns)?)),
    }
}

/// Outcome of a grab.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Grab {
    /// A frame is there, captured at this time.
    Frame(CaptureTime),
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
    /// There is no such device on this machine, or it may not be read.
    #[error("is no device of this machine, or may not be read")]
    NoDevice,
    /// The source opened and holds no frame.
    #[error("holds no picture")]
    Empty,
    /// The rate of a recording is neither given nor in its header.
    #[error("has no frame rate in its header; give fps")]
    RateUnknown,
    /// The camera stopped delivering.
    #[error("stopped delivering")]
    Lost,
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

/// Keeps FFmpeg from printing to standard error, where words go that are for people.
///
/// For the command line, before it starts a thread and before the first recording is opened; the eye needs no such
/// thing, what it prints goes nowhere.
pub fn silence_decoder() {
    // SAFETY: the caller has no second thread that could read the environment.
    unsafe { std::env::set_var("OPENCV_FFMPEG_LOGLEVEL", "-8") };
}

/// Allows OpenCV one thread: parallelism here is one thread per camera, never threads per picture.
///
/// FFmpeg's decoders are bound elsewhere: OpenCV 4.6 gives them as many threads as it counts processors, so the eye
/// answers that question itself (`bin/kehai-eye.rs`). `OPENCV_FFMPEG_THREADS` is set for versions that know it.
pub fn use_one_thread_per_picture() {
    opencv::core::set_num_threads(1).ok();
}
