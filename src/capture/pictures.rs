//! A folder of pictures, PNG or JPEG, in the order of their names: read by OpenCV.
//!
//! In: a folder and its rate. Out: every picture, stamped `number / fps`. Invariant: the reader's own copy of a picture
//! is overwritten as soon as it is drawn.

use std::path::{Path, PathBuf};

use opencv::core::{Mat, MatTrait, MatTraitConst, Scalar};
use opencv::imgcodecs;

use super::drawing::Drawing;
use super::replay::Stamps;
use super::{Arrival, CaptureError, Frame, FramePool, Grab, Source};
use crate::units::PictureSize;

/// A folder of pictures.
pub struct Pictures {
    files: Vec<PathBuf>,
    drawing: Drawing,
    size: PictureSize,
    next: usize,
    stamps: Stamps,
}

impl Pictures {
    /// Opens a folder.
    ///
    /// # Errors
    /// [`CaptureError`] when it cannot be read, holds no picture, or no rate is given.
    pub fn open(folder: &Path, fps: Option<f64>) -> Result<Self, CaptureError> {
        let entries =
            std::fs::read_dir(folder).map_err(|_| CaptureError::Unopened { expected: "a folder of pictures" })?;
        let mut files: Vec<PathBuf> =
            entries.flatten().map(|entry| entry.path()).filter(|path| is_picture(path)).collect();
        files.sort();
        let first = files.first().ok_or(CaptureError::Empty)?;
        let mut picture = read_picture(first)?;
        let size = size_of_picture(&picture);
        overwrite(&mut picture)?;
        let stamps = Stamps::new(fps.unwrap_or(0.0), None)?;
        Ok(Self { files, drawing: Drawing::default(), size, next: 0, stamps })
    }
}

impl Source for Pictures {
    fn size(&self) -> PictureSize {
        self.size
    }

    fn fps_claimed(&self) -> Option<f64> {
        Some(self.stamps.fps)
    }

    fn grab(&mut self, _is_due: &dyn Fn(Arrival) -> bool) -> Result<Grab, CaptureError> {
        if self.next == self.files.len() {
            return Ok(Grab::End);
        }
        self.next += 1;
        Ok(Grab::Frame(self.stamps.next(None)))
    }

    fn retrieve(&mut self, pool: &FramePool) -> Result<Frame, CaptureError> {
        let mut picture = read_picture(&self.files[self.next - 1])?;
        let now = size_of_picture(&picture);
        if now != pool.picture() {
            overwrite(&mut picture)?;
            return Err(CaptureError::Resized { now });
        }
        let mut frame = pool.take(self.stamps.last().at);
        let drawn = self.drawing.draw_bgr(&picture, &mut frame);
        overwrite(&mut picture)?;
        drawn.map(|()| frame)
    }

    #[cfg(feature = "mouth")]
    fn bare(&self, with_colours: bool) -> Option<super::bared::Bared> {
        // Its colours are all it has.
        let picture = with_colours.then(|| read_picture(&self.files[self.next - 1]));
        super::bared::Bared::of_bgr(&picture?.ok()?)
    }
}

/// The reader's own copy goes the way of every frame.
fn overwrite(picture: &mut Mat) -> Result<(), CaptureError> {
    picture.set_scalar(Scalar::all(0.0)).map_err(|_| CaptureError::Undecodable)
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
    matches!(ending.as_str(), "png" | "jpg" | "jpeg") && path.is_file()
}
