//! A picture in full size to a frame in the size the network looks at, resized plane by plane.
//!
//! In: a decoded [`Picture`] (planes of YUV) or a picture OpenCV read (BGR). Out: the planes of a [`Frame`].
//! Invariants: the full size is never copied; what is drawn on the way is wiped before the frame is handed on.

use opencv::core::{CV_8UC1, CV_8UC2, CV_8UC3, Mat, MatTraitConst, Size};
use opencv::imgproc::{INTER_LINEAR, resize};
use zeroize::Zeroize;

use super::colours::Colours;
use super::ffmpeg::{Layout, Picture, Plane, Scaler};
use super::{CaptureError, Frame};
use crate::units::PictureSize;

/// Draws pictures of one stream into frames.
#[derive(Default)]
pub struct Drawing {
    /// Interleaved values in the frame's size: pairs of colour differences, or BGR; words, as they are wiped faster.
    small: Vec<u64>,
    scaler: Scaler,
}

impl Drawing {
    /// Draws a decoded picture; one in brightness and colour differences stays so until somebody looks at its colours.
    ///
    /// # Errors
    /// [`CaptureError::Undecodable`] for a format nobody reads.
    pub fn draw(&mut self, picture: &Picture, frame: &mut Frame) -> Result<(), CaptureError> {
        match picture.layout() {
            Layout::Grey(grey) => {
                resized(&grey, frame, 0)?;
                let [brightness, others @ ..] = frame.planes_mut();
                others.into_iter().for_each(|plane| plane.copy_from_slice(brightness));
            }
            Layout::Planar(planes) => {
                planes.iter().enumerate().try_for_each(|(index, plane)| resized(plane, frame, index))?;
                frame.is_drawn_in(Colours::of(picture));
            }
            Layout::Paired(brightness, pairs, red_first) => {
                resized(&brightness, frame, 0)?;
                let size = frame.placed().resized;
                self.make_room(size);
                let drawn = into(&mat(&pairs, CV_8UC2)?, self.small.as_mut_ptr().cast::<u8>(), size, CV_8UC2);
                self.part(frame, red_first);
                self.small.as_mut_slice().zeroize();
                drawn?;
                frame.is_drawn_in(Colours::of(picture));
            }
            Layout::Other => self.by_scaler(picture, frame)?,
        }
        Ok(())
    }

    fn make_room(&mut self, size: PictureSize) {
        self.small.resize(size.bgr_bytes().div_ceil(size_of::<u64>()), 0);
    }

    /// Draws a picture that OpenCV has read, interleaved BGR.
    ///
    /// # Errors
    /// [`CaptureError::Undecodable`] when OpenCV refuses.
    pub fn draw_bgr(&mut self, picture: &Mat, frame: &mut Frame) -> Result<(), CaptureError> {
        let size = frame.placed().resized;
        self.make_room(size);
        let start = self.small.as_mut_ptr().cast::<u8>();
        let drawn = into(picture, start, size, CV_8UC3).map(|()| self.split(frame, size.width as usize * 3));
        self.small.as_mut_slice().zeroize();
        drawn
    }

    /// Pairs of colour differences in `small` to the frame's planes.
    fn part(&self, frame: &mut Frame, red_first: bool) {
        let pairs = bytes(&self.small, frame.placed().resized.bgr_bytes() / 3 * 2).as_chunks::<2>().0;
        let [_, blue, red] = frame.planes_mut();
        for (pair, (blue, red)) in pairs.iter().zip(blue.iter_mut().zip(red)) {
            [*blue, *red] = if red_first { [pair[1], pair[0]] } else { *pair };
        }
    }

    fn by_scaler(&mut self, picture: &Picture, frame: &mut Frame) -> Result<(), CaptureError> {
        let size = frame.placed().resized;
        // FFmpeg's scaler writes whole vectors: rows get room at their ends.
        let stride = (size.width as usize * 3).next_multiple_of(64) + 64;
        let mut scaled = vec![0u8; stride * size.height as usize];
        let done = self.scaler.scale(picture, size, &mut scaled, stride);
        let width = size.width as usize * 3;
        let [blue, green, red] = frame.planes_mut();
        let targets = blue.iter_mut().zip(green).zip(red);
        let pixels = scaled.chunks_exact(stride).flat_map(|row| row[..width].as_chunks::<3>().0);
        for (pixel, ((blue, green), red)) in pixels.zip(targets) {
            [*blue, *green, *red] = *pixel;
        }
        scaled.zeroize();
        if done { Ok(()) } else { Err(CaptureError::Undecodable) }
    }

    /// Interleaved BGR in `small` to the frame's planes.
    fn split(&mut self, frame: &mut Frame, row_bytes: usize) {
        let length = frame.placed().resized.height as usize * row_bytes;
        let [blue, green, red] = frame.planes_mut();
        let targets = blue.iter_mut().zip(green).zip(red);
        for (pixel, ((blue, green), red)) in bytes(&self.small, length).as_chunks::<3>().0.iter().zip(targets) {
            [*blue, *green, *red] = *pixel;
        }
    }
}

impl Drop for Drawing {
    fn drop(&mut self) {
        self.small.as_mut_slice().zeroize();
    }
}

/// Resizes one plane of single values into plane `index` of the frame.
fn resized(plane: &Plane, frame: &mut Frame, index: usize) -> Result<(), CaptureError> {
    let size = frame.placed().resized;
    into(&mat(plane, CV_8UC1)?, frame.planes_mut()[index].as_mut_ptr(), size, CV_8UC1)
}

/// A decoder's plane of `kind` as OpenCV sees it.
fn mat(plane: &Plane, kind: i32) -> Result<Mat, CaptureError> {
    let (rows, columns) = (plane.size.height as i32, plane.size.width as i32);
    // SAFETY: the decoder's plane holds `rows` rows of `stride` bytes and is lent while the picture is held.
    let source = unsafe { Mat::new_rows_cols_with_data_unsafe(rows, columns, kind, plane.start.cast(), plane.stride) };
    source.map_err(|_| CaptureError::Undecodable)
}

/// Resizes into memory of ours.
fn into(source: &Mat, start: *mut u8, size: PictureSize, kind: i32) -> Result<(), CaptureError> {
    let (rows, columns) = (size.height as i32, size.width as i32);
    // SAFETY: the caller's memory holds rows x columns points of this kind and outlives the Mat; same size and kind, so
    // OpenCV writes in place.
    let target = unsafe { Mat::new_rows_cols_with_data_unsafe_def(rows, columns, kind, start.cast()) };
    let mut target = target.map_err(|_| CaptureError::Undecodable)?;
    resize(source, &mut target, Size::new(columns, rows), 0.0, 0.0, INTER_LINEAR)
        .map_err(|_| CaptureError::Undecodable)?;
    debug_assert!(std::ptr::eq(target.data(), start));
    Ok(())
}

fn bytes(words: &[u64], length: usize) -> &[u8] {
    assert!(length <= size_of_val(words));
    // SAFETY: u64s are plain bytes, and the length was just checked.
    unsafe { std::slice::from_raw_parts(words.as_ptr().cast::<u8>(), length) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::capture::replay::Clip;
    use crate::capture::{FramePool, Grab, Source};
    use crate::clock::CaptureTime;
    use crate::config::card::Fit;
    use crate::config::placement::Placement;

    /// The first picture of a film of one colour, 16x8, drawn in its own size.
    fn drawn(format: &str, planes: &[(usize, u16)]) -> [u8; 3] {
        let path = std::env::temp_dir().join(format!("kehai-{}-{format}.y4m", std::process::id()));
        let mut film = format!("YUV4MPEG2 W16 H8 F10:1 Ip A1:1 C{format}\nFRAME\n").into_bytes();
        for (length, value) in planes {
            let wide = value.to_le_bytes();
            let bytes = if format.ends_with("p10") { &wide[..] } else { &wide[..1] };
            film.extend(bytes.repeat(*length));
        }
        std::fs::write(&path, film).expect("a file for this test");
        let mut clip = Clip::open(&path, None, None).expect("FFmpeg reads it");
        std::fs::remove_file(&path).expect("it was there");
        assert!(matches!(clip.grab(&|_| true), Ok(Grab::Frame(_))), "{format}");
        let pool = FramePool::new(Placement::new(Fit::Stretch, clip.size(), clip.size()));
        let mut frame = clip.retrieve(&pool).expect("drawn");
        let planes = frame.colour();
        let first = planes.map(|plane| plane[0]);
        let is_even = planes.iter().zip(first).all(|(plane, value)| plane.iter().all(|byte| byte.abs_diff(value) <= 2));
        assert!(is_even, "{format}: one colour all over");
        first
    }

    #[test]
    fn whatever_way_a_red_film_is_coded_it_is_drawn_red() {
        // ITU-R BT.601: pure red is Y 81, Cb 90, Cr 240; in ten bits four times that.
        for (format, planes) in [
            ("420jpeg", [(128, 81), (32, 90), (32, 240)]),
            ("422", [(128, 81), (64, 90), (64, 240)]),
            ("444", [(128, 81), (128, 90), (128, 240)]),
            ("420p10", [(128, 324), (32, 360), (32, 960)]),
        ] {
            let [blue, green, red] = drawn(format, &planes);
            assert!(blue <= 2 && green <= 2 && red >= 252, "{format}: {blue} {green} {red}");
        }
    }

    #[test]
    fn a_film_without_colour_is_drawn_as_bright_as_it_is() {
        assert_eq!(drawn("mono", &[(128, 200)]), [200; 3]);
    }

    #[test]
    fn pairs_of_colour_differences_are_read_in_either_order() {
        let size = PictureSize { height: 4, width: 8 };
        for (red_first, pair) in [(false, [90, 240]), (true, [240, 90])] {
            let words = pair.repeat(32).as_chunks().0.iter().map(|word| u64::from_le_bytes(*word)).collect();
            let drawing = Drawing { small: words, scaler: Scaler::default() };
            let mut frame = FramePool::new(Placement::new(Fit::Stretch, size, size)).take(CaptureTime(0));
            drawing.part(&mut frame, red_first);
            let [_, blue_differences, red_differences] = frame.planes_mut();
            assert!(
                blue_differences.iter().all(|value| *value == 90) && red_differences.iter().all(|value| *value == 240)
            );
        }
    }
}
