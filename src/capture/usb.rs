//! A camera on this machine's USB, through the kernel's V4L2: opened, stamped at grab, lost when it is unplugged.
//!
//! In: a device file. Out: frames stamped with the monotonic clock. Invariant: a device that is not there or may not
//! be read is [`CaptureError::NoDevice`], told apart from one that sends no picture.
//! Untested with a device: none was at hand. What is tested is the way in and the errors.

use std::path::Path;

use opencv::core::{Mat, MatTrait, MatTraitConst, Scalar, Vector};
use opencv::videoio::{
    CAP_PROP_FOURCC, CAP_PROP_FPS, CAP_PROP_FRAME_HEIGHT, CAP_PROP_FRAME_WIDTH, CAP_V4L2, VideoCapture,
    VideoCaptureTrait, VideoCaptureTraitConst,
};

use super::drawing::Drawing;
use super::{Arrival, CaptureError, Frame, FramePool, Grab, Source};
use crate::clock::{CaptureTime, monotonic_ns};
use crate::health::Silence;
use crate::units::{Codec, PictureSize};

/// A USB camera that is being seen.
pub struct UsbCamera {
    capture: VideoCapture,
    /// The picture as OpenCV hands it out, BGR; overwritten once it is drawn.
    picture: Mat,
    drawing: Drawing,
    size: PictureSize,
    zero_ns: i64,
    next: u64,
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
        let (picture, drawing) = (Mat::default(), Drawing::default());
        Ok(Self { capture, picture, drawing, size, zero_ns, next: 0, last: CaptureTime(0) })
    }
}

impl Source for UsbCamera {
    fn size(&self) -> PictureSize {
        self.size
    }

    fn codec(&self) -> Codec {
        Codec::from_fourcc(self.capture.get(CAP_PROP_FOURCC).unwrap_or(0.0) as u32)
    }

    fn fps_claimed(&self) -> Option<f64> {
        self.capture.get(CAP_PROP_FPS).ok().filter(|fps| *fps >= 1.0)
    }

    fn grab(&mut self, _is_due: &dyn Fn(Arrival) -> bool) -> Result<Grab, CaptureError> {
        // V4L2 waits ten seconds at the most (OpenCV 4.6) and then says no.
        if !self.capture.grab().unwrap_or(false) {
            return Err(CaptureError::Stream(Silence::BrokeOff));
        }
        self.last = CaptureTime(monotonic_ns() - self.zero_ns);
        self.next += 1;
        Ok(Grab::Frame(Arrival { at: self.last, number: self.next - 1 }))
    }

    fn retrieve(&mut self, pool: &FramePool) -> Result<Frame, CaptureError> {
        if !self.capture.retrieve(&mut self.picture, 0).unwrap_or(false) {
            return Err(CaptureError::Undecodable);
        }
        let now = PictureSize { height: self.picture.rows() as u32, width: self.picture.cols() as u32 };
        if now != pool.picture() {
            return Err(CaptureError::Resized { now });
        }
        let mut frame = pool.take(self.last);
        let drawn = self.drawing.draw_bgr(&self.picture, &mut frame);
        self.picture.set_scalar(Scalar::all(0.0)).map_err(|_| CaptureError::Undecodable)?;
        drawn.map(|()| frame)
    }
}

/// Size of the pictures as the device announces it; `None` when it announces none.
fn stream_size(capture: &VideoCapture) -> Option<PictureSize> {
    let pixels =
        |property| capture.get(property).ok().filter(|value| (1.0..=16384.0).contains(value)).map(|value| value as u32);
    Some(PictureSize { height: pixels(CAP_PROP_FRAME_HEIGHT)?, width: pixels(CAP_PROP_FRAME_WIDTH)? })
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
