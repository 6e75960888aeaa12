//! Recordings in media time: a clip through FFmpeg, or a folder of pictures in the order of their names.
//!
//! In: a file or a folder, and its true rate. Out: every frame, stamped `number / fps` from zero.
//! Invariant: two replays of one recording stamp every frame alike, at whatever speed they run (tests/story).

use std::io::Read;
use std::path::{Path, PathBuf};

use opencv::core::{Mat, MatTrait, MatTraitConst, Scalar, Vector};
use opencv::imgcodecs;
use opencv::videoio::{
    CAP_FFMPEG, CAP_PROP_FPS, CAP_PROP_FRAME_HEIGHT, CAP_PROP_FRAME_WIDTH, VideoCapture, VideoCaptureTrait,
    VideoCaptureTraitConst,
};

use super::{CaptureError, Frame, FramePool, Grab, Source};
use crate::clock::CaptureTime;
use crate::units::{Codec, PictureSize};

/// Opens a clip or a folder of pictures. `fps` overrides what the header says.
///
/// # Errors
/// [`CaptureError`] when it cannot be opened, is empty, or has no rate.
pub fn open(path: &Path, fps: Option<f64>) -> Result<Box<dyn Source>, CaptureError> {
    if path.is_dir() { Ok(Box::new(Pictures::open(path, fps)?)) } else { Ok(Box::new(Clip::open(path, fps)?)) }
}

/// A recorded clip.
struct Clip {
    capture: VideoCapture,
    size: PictureSize,
    stamps: Stamps,
}

impl Clip {
    fn open(path: &Path, fps: Option<f64>) -> Result<Self, CaptureError> {
        let unopened = CaptureError::Unopened { expected: "a video clip" };
        let Some(name) = path.to_str().filter(|_| !is_text(path)) else { return Err(unopened) };
        let capture = VideoCapture::from_file_with_params(name, CAP_FFMPEG, &Vector::new());
        let capture = match capture {
            Ok(capture) if capture.is_opened().unwrap_or(false) => capture,
            _ => return Err(unopened),
        };
        let header_fps = capture.get(CAP_PROP_FPS).unwrap_or(0.0);
        let size = stream_size(&capture).ok_or(CaptureError::Empty)?;
        Ok(Self { stamps: Stamps::new(fps.unwrap_or(header_fps))?, size, capture })
    }
}

impl Source for Clip {
    fn size(&self) -> PictureSize {
        self.size
    }

    fn codec(&self) -> Codec {
        super::camera::codec_of(&self.capture)
    }

    fn grab(&mut self) -> Result<Grab, CaptureError> {
        match self.capture.grab() {
            Ok(true) => Ok(Grab::Frame(self.stamps.next())),
            _ => Ok(Grab::End),
        }
    }

    fn retrieve(&mut self, pool: &FramePool) -> Result<Frame, CaptureError> {
        retrieve_into_pool(&mut self.capture, pool, self.stamps.last())
    }
}

/// Whether a file begins as text does. FFmpeg would draw it as a terminal picture and call it video.
fn is_text(path: &Path) -> bool {
    let mut start = [0u8; 4096];
    let read = std::fs::File::open(path).and_then(|mut file| file.read(&mut start)).unwrap_or(0);
    let start = &start[..read];
    let valid = std::str::from_utf8(start).map_or_else(|error| error.valid_up_to() + 4 > read, |_| true);
    valid && !start.iter().any(|byte| byte.is_ascii_control() && !byte.is_ascii_whitespace())
}

/// Size of the pictures as the stream announces it; `None` when it announces none.
pub(super) fn stream_size(capture: &VideoCapture) -> Option<PictureSize> {
    let pixels =
        |property| capture.get(property).ok().filter(|value| (1.0..=16384.0).contains(value)).map(|value| value as u32);
    Some(PictureSize { height: pixels(CAP_PROP_FRAME_HEIGHT)?, width: pixels(CAP_PROP_FRAME_WIDTH)? })
}

/// Writes the grabbed picture of a capture into a buffer of the pool: the only copy that is made of it.
pub(super) fn retrieve_into_pool(
    capture: &mut VideoCapture,
    pool: &FramePool,
    at: CaptureTime,
) -> Result<Frame, CaptureError> {
    let mut frame = pool.take(at);
    let mut pixels = frame.pixels_mut().map_err(|_| CaptureError::Undecodable)?;
    let place = pixels.data();
    let retrieved = capture.retrieve(&mut pixels, 0).unwrap_or(false);
    if !retrieved {
        return Err(CaptureError::Undecodable);
    }
    // OpenCV moves to memory of its own when the picture has another size than the buffer.
    if pixels.data() != place {
        let now = PictureSize { height: pixels.rows() as u32, width: pixels.cols() as u32 };
        return Err(CaptureError::Resized { now });
    }
    drop(pixels);
    Ok(frame)
}

/// A folder of pictures, PNG or JPEG.
struct Pictures {
    files: Vec<PathBuf>,
    size: PictureSize,
    next: usize,
    stamps: Stamps,
}

impl Pictures {
    fn open(folder: &Path, fps: Option<f64>) -> Result<Self, CaptureError> {
        let entries =
            std::fs::read_dir(folder).map_err(|_| CaptureError::Unopened { expected: "a folder of pictures" })?;
        let mut files: Vec<PathBuf> =
            entries.flatten().map(|entry| entry.path()).filter(|path| is_picture(path)).collect();
        files.sort();
        let first = files.first().ok_or(CaptureError::Empty)?;
        let size = size_of_picture(&read_picture(first)?);
        Ok(Self { files, size, next: 0, stamps: Stamps::new(fps.unwrap_or(0.0))? })
    }
}

impl Source for Pictures {
    fn size(&self) -> PictureSize {
        self.size
    }

    fn grab(&mut self) -> Result<Grab, CaptureError> {
        if self.next == self.files.len() {
            return Ok(Grab::End);
        }
        self.next += 1;
        Ok(Grab::Frame(self.stamps.next()))
    }

    fn retrieve(&mut self, pool: &FramePool) -> Result<Frame, CaptureError> {
        let mut picture = read_picture(&self.files[self.next - 1])?;
        let now = size_of_picture(&picture);
        if now != pool.size() {
            return Err(CaptureError::Resized { now });
        }
        let mut frame = pool.take(self.stamps.last());
        let mut pixels = frame.pixels_mut().map_err(|_| CaptureError::Undecodable)?;
        picture.copy_to(&mut pixels).map_err(|_| CaptureError::Undecodable)?;
        drop(pixels);
        // The decoder's own copy goes the way of every frame.
        picture.set_scalar(Scalar::all(0.0)).map_err(|_| CaptureError::Undecodable)?;
        Ok(frame)
    }
}

fn read_picture(file: &Path) -> Result<Mat, CaptureError> {
    let name = file.to_str().ok_or(CaptureError::Undecodable)?;
    match imgcodecs::imread(name, imgcodecs::IMREAD_COLOR) {
        Ok(picture) if !picture.empty() => Ok(picture),
        _ => Err(CaptureError::Undecodable),
    }
}

fn size_of_picture(picture: &Mat) -> PictureSize {
    PictureSize { height: picture.rows() as u32, width: picture.cols() as u32 }
}

fn is_picture(path: &Path) -> bool {
    let ending = path.extension().and_then(|ending| ending.to_str()).unwrap_or_default().to_ascii_lowercase();
    matches!(ending.as_str(), "png" | "jpg" | "jpeg")
}

/// Numbers frames and dates them.
struct Stamps {
    fps: f64,
    count: u64,
}

impl Stamps {
    fn new(fps: f64) -> Result<Self, CaptureError> {
        if fps.is_finite() && (0.1..=1000.0).contains(&fps) {
            Ok(Self { fps, count: 0 })
        } else {
            Err(CaptureError::RateUnknown)
        }
    }

    fn next(&mut self) -> CaptureTime {
        self.count += 1;
        self.last()
    }

    fn last(&self) -> CaptureTime {
        CaptureTime(((self.count.max(1) - 1) as f64 * 1e9 / self.fps).round() as i64)
    }
}
