//! A camera on this machine's USB, through the kernel's V4L2: opened, stamped at grab, lost when it is unplugged.
//!
//! In: a device file. Out: frames stamped with the monotonic clock. Invariant: a device that is not there or may not
//! be read is [`CaptureError::NoDevice`], told apart from one that sends no picture.
//! Untested with a device: none was at hand. What is tested is the way in and the errors.

use std::path::Path;

use opencv::core::Vector;
use opencv::videoio::{
    CAP_PROP_FOURCC, CAP_PROP_FPS, CAP_V4L2, VideoCapture, VideoCaptureTrait, VideoCaptureTraitConst,
};

use super::camera::codec_of;
use super::replay::{retrieve_into_pool, stream_size};
use super::{CaptureError, Frame, FramePool, Grab, Source};
use crate::clock::{CaptureTime, monotonic_ns};
use crate::units::{Codec, PictureSize};

/// A USB camera that is being seen.
pub struct UsbCamera {
    capture: VideoCapture,
    size: PictureSize,
    zero_ns: i64,
    last: CaptureTime,
}

impl UsbCamera {
    /// Opens the device; `zero_ns` is the monotonic time of the capture clock's zero.
    ///
    /// # Errors
    /// [`CaptureError::NoDevice`] without such a device or the right to read it, [`CaptureError::Unopened`] when it
    /// is no camera, [`CaptureError::Empty`] without a picture size.
    pub fn open(device: &Path, zero_ns: i64) -> Result<Self, CaptureError> {
        std::fs::File::open(device).map_err(|_| CaptureError::NoDevice)?;
        let name = device.to_str().ok_or(CaptureError::NoDevice)?;
        let unopened = CaptureError::Unopened { expected: "a USB camera" };
        let capture = VideoCapture::from_file_with_params(name, CAP_V4L2, &Vector::new());
        let mut capture = match capture {
            Ok(capture) if capture.is_opened().unwrap_or(false) => capture,
            _ => return Err(unopened),
        };
        // Packed pictures leave room on the bus for the camera's full rate; one that has none keeps what it has.
        capture.set(CAP_PROP_FOURCC, f64::from(MJPG)).ok();
        let size = stream_size(&capture).ok_or(CaptureError::Empty)?;
        Ok(Self { capture, size, zero_ns, last: CaptureTime(0) })
    }
}

impl Source for UsbCamera {
    fn size(&self) -> PictureSize {
        self.size
    }

    fn codec(&self) -> Codec {
        codec_of(&self.capture)
    }

    fn fps_claimed(&self) -> Option<f64> {
        self.capture.get(CAP_PROP_FPS).ok().filter(|fps| *fps >= 1.0)
    }

    fn grab(&mut self) -> Result<Grab, CaptureError> {
        // V4L2 waits ten seconds at the most (OpenCV 4.6) and then says no.
        if !self.capture.grab().unwrap_or(false) {
            return Err(CaptureError::Lost);
        }
        self.last = CaptureTime(monotonic_ns() - self.zero_ns);
        Ok(Grab::Frame(self.last))
    }

    fn retrieve(&mut self, pool: &FramePool) -> Result<Frame, CaptureError> {
        retrieve_into_pool(&mut self.capture, pool, self.last)
    }
}

/// FourCC of packed JPEG pictures, first letter lowest.
const MJPG: u32 = u32::from_le_bytes(*b"MJPG");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_device_that_is_not_there_is_told_from_one_that_is_no_camera() {
        let opened = |device: &str| UsbCamera::open(Path::new(device), 0).err();
        assert!(matches!(opened("/dev/video-of-nobody"), Some(CaptureError::NoDevice)));
        assert!(matches!(opened("/dev/null"), Some(CaptureError::Unopened { .. })));
    }
}
