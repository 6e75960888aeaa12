//! A picture in full size to a frame in the size the network looks at: resized plane by plane, then coloured.
//!
//! In: a decoded [`Picture`] (planes of YUV) or a picture OpenCV read (BGR). Out: the planes of a [`Frame`].
//! Invariants: the full size is never copied; the planes drawn on the way are wiped before the frame is handed on.
//! Source: ITU-R BT.601-7 and BT.709-6, equations of the luma and colour-difference signals.

use opencv::core::{CV_8UC1, CV_8UC2, CV_8UC3, Mat, MatTraitConst, Size};
use opencv::imgproc::{INTER_LINEAR, resize};
use zeroize::Zeroize;

use super::ffmpeg::{Layout, Picture, Plane, Scaler};
use super::{CaptureError, Frame};
use crate::units::PictureSize;

/// Draws pictures of one stream into frames.
#[derive(Default)]
pub struct Drawing {
    /// Brightness and two colour differences in the frame's size, or interleaved BGR; words, as they are wiped faster.
    small: Vec<u64>,
    scaler: Scaler,
}

impl Drawing {
    /// Draws a decoded picture.
    ///
    /// # Errors
    /// [`CaptureError::Undecodable`] for a format nobody reads.
    pub fn draw(&mut self, picture: &Picture, frame: &mut Frame) -> Result<(), CaptureError> {
        let size = frame.placed().resized;
        self.small.resize(size.bgr_bytes().div_ceil(size_of::<u64>()) + SCALER_SLACK, 0);
        let drawn = match picture.layout() {
            Layout::Grey(grey) => self.plane(&grey, size, 0, 1).map(|()| self.grey(frame)),
            Layout::Planar(planes) => (0..3)
                .try_for_each(|index| self.plane(&planes[index], size, index, 1))
                .map(|()| self.colour(frame, &Colours::of(picture, false))),
            Layout::Paired(brightness, colours, red_first) => self
                .plane(&brightness, size, 0, 1)
                .and_then(|()| self.plane(&colours, size, 1, 2))
                .map(|()| self.colour_pairs(frame, &Colours::of(picture, red_first))),
            Layout::Other => self.by_scaler(picture, frame),
        };
        self.small.as_mut_slice().zeroize();
        drawn
    }

    /// Draws a picture that OpenCV has read, interleaved BGR.
    ///
    /// # Errors
    /// [`CaptureError::Undecodable`] when OpenCV refuses.
    pub fn draw_bgr(&mut self, picture: &Mat, frame: &mut Frame) -> Result<(), CaptureError> {
        let size = frame.placed().resized;
        self.small.resize(size.bgr_bytes().div_ceil(size_of::<u64>()) + SCALER_SLACK, 0);
        let start = self.small.as_mut_ptr().cast::<u8>();
        let drawn = into(picture, start, size, CV_8UC3).map(|()| self.split(frame, size.width as usize * 3));
        self.small.as_mut_slice().zeroize();
        drawn
    }

    /// Resizes one plane of `channels` values a point into the place of plane `index`.
    fn plane(&mut self, plane: &Plane, size: PictureSize, index: usize, channels: i32) -> Result<(), CaptureError> {
        let kind = if channels == 1 { CV_8UC1 } else { CV_8UC2 };
        let (rows, columns) = (plane.size.height as i32, plane.size.width as i32);
        // SAFETY: the decoder's plane holds `rows` rows of `stride` bytes and is lent while the picture is held.
        let source =
            unsafe { Mat::new_rows_cols_with_data_unsafe(rows, columns, kind, plane.start.cast(), plane.stride) };
        let source = source.map_err(|_| CaptureError::Undecodable)?;
        let first = index * size.bgr_bytes() / 3;
        // SAFETY: three planes of this size lie in `small` (draw).
        let start = unsafe { self.small.as_mut_ptr().cast::<u8>().add(first) };
        into(&source, start, size, kind)
    }

    fn grey(&mut self, frame: &mut Frame) {
        let [brightness, ..] = planes(&self.small, frame.placed().resized);
        frame.planes_mut().into_iter().for_each(|plane| plane.copy_from_slice(brightness));
    }

    fn colour(&mut self, frame: &mut Frame, colours: &Colours) {
        let [brightness, blue_difference, red_difference] = planes(&self.small, frame.placed().resized);
        colours.spread([brightness, blue_difference, red_difference], frame.planes_mut());
    }

    fn colour_pairs(&mut self, frame: &mut Frame, colours: &Colours) {
        let size = frame.placed().resized;
        let bytes = bytes(&self.small, size.bgr_bytes());
        let (brightness, pairs) = bytes.split_at(size.bgr_bytes() / 3);
        let [blue, green, red] = frame.planes_mut();
        let targets = blue.iter_mut().zip(green).zip(red);
        for ((y, pair), ((blue, green), red)) in brightness.iter().zip(pairs.as_chunks::<2>().0).zip(targets) {
            let [u, v] = if colours.red_first { [pair[1], pair[0]] } else { *pair };
            [*blue, *green, *red] = colours.bgr(*y, u, v);
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

/// How brightness and colour differences become blue, green and red.
struct Colours {
    black: f32,
    brightness: f32,
    /// Of the red difference in red and green, of the blue difference in green and blue.
    red: f32,
    green: [f32; 2],
    blue: f32,
    red_first: bool,
}

impl Colours {
    fn of(picture: &Picture, red_first: bool) -> Self {
        let [red, blue] = if picture.is_bt709() { [0.2126, 0.0722] } else { [0.299, 0.114] };
        let green = 1.0 - red - blue;
        let (black, span, colour_span) =
            if picture.is_full_range() { (0.0, 255.0, 255.0) } else { (16.0, 219.0, 224.0) };
        let scale = 255.0 / colour_span;
        Self {
            black,
            brightness: 255.0 / span,
            red: 2.0 * (1.0 - red) * scale,
            green: [2.0 * (1.0 - red) * red / green * scale, 2.0 * (1.0 - blue) * blue / green * scale],
            blue: 2.0 * (1.0 - blue) * scale,
            red_first,
        }
    }

    /// Whole planes, in pieces of a length that the compiler turns into vectors.
    fn spread(&self, [y, u, v]: [&[u8]; 3], [blue, green, red]: [&mut [u8]; 3]) {
        let whole = y.len() - y.len() % PIECE;
        for first in (0..whole).step_by(PIECE) {
            let place = first..first + PIECE;
            let mut piece = [[0u8; PIECE]; 3];
            self.piece([&y[place.clone()], &u[place.clone()], &v[place.clone()]], &mut piece);
            blue[place.clone()].copy_from_slice(&piece[0]);
            green[place.clone()].copy_from_slice(&piece[1]);
            red[place].copy_from_slice(&piece[2]);
        }
        for index in whole..y.len() {
            [blue[index], green[index], red[index]] = self.bgr(y[index], u[index], v[index]);
        }
    }

    #[inline]
    fn piece(&self, [y, u, v]: [&[u8]; 3], piece: &mut [[u8; PIECE]; 3]) {
        let (y, u, v) = (&y[..PIECE], &u[..PIECE], &v[..PIECE]);
        for index in 0..PIECE {
            [piece[0][index], piece[1][index], piece[2][index]] = self.bgr(y[index], u[index], v[index]);
        }
    }

    #[inline]
    fn bgr(&self, y: u8, u: u8, v: u8) -> [u8; 3] {
        let y = (f32::from(y) - self.black) * self.brightness + 0.5;
        let (u, v) = (f32::from(u) - 128.0, f32::from(v) - 128.0);
        // SAFETY: a finite number from 0 to 255 is an i32. (`as` would ask for NaN at every pixel.)
        let byte = |value: f32| unsafe { value.clamp(0.0, 255.0).to_int_unchecked::<i32>() as u8 };
        [byte(y + self.blue * u), byte(y - self.green[0] * v - self.green[1] * u), byte(y + self.red * v)]
    }
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

fn planes(words: &[u64], size: PictureSize) -> [&[u8]; 3] {
    let bytes = bytes(words, size.bgr_bytes());
    let (first, rest) = bytes.split_at(bytes.len() / 3);
    let (second, third) = rest.split_at(bytes.len() / 3);
    [first, second, third]
}

/// Pixels coloured at once.
const PIECE: usize = 32;
/// Words at the end that a vector of OpenCV may touch.
const SCALER_SLACK: usize = 8;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::capture::replay::Clip;
    use crate::capture::{FramePool, Grab, Source};
    use crate::clock::CaptureTime;
    use crate::config::card::Fit;
    use crate::config::placement::Placement;

    fn colours(black: f32, span: f32, colour_span: f32) -> Colours {
        let scale = 255.0 / colour_span;
        Colours {
            black,
            brightness: 255.0 / span,
            red: 1.402 * scale,
            green: [0.714 * scale, 0.344 * scale],
            blue: 1.772 * scale,
            red_first: false,
        }
    }

    #[test]
    fn black_white_and_red_of_a_television_signal_are_those_of_a_screen() {
        let television = colours(16.0, 219.0, 224.0);
        assert_eq!(television.bgr(16, 128, 128), [0, 0, 0]);
        assert_eq!(television.bgr(235, 128, 128), [255, 255, 255]);
        // ITU-R BT.601: pure red is Y 81, Cb 90, Cr 240.
        let [blue, green, red] = television.bgr(81, 90, 240);
        assert!(blue <= 1 && green <= 1 && red >= 253, "{blue} {green} {red}");
    }

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
        let frame = clip.retrieve(&pool).expect("drawn");
        let first = frame.planes().map(|plane| plane[0]);
        let is_even =
            frame.planes().iter().zip(first).all(|(plane, value)| plane.iter().all(|byte| byte.abs_diff(value) <= 2));
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
            let bytes = [vec![81u8; 32], pair.repeat(32)].concat();
            let words = bytes.as_chunks().0.iter().map(|word| u64::from_le_bytes(*word)).collect();
            let mut drawing = Drawing { small: words, scaler: Scaler::default() };
            let mut frame = FramePool::new(Placement::new(Fit::Stretch, size, size)).take(CaptureTime(0));
            drawing.colour_pairs(&mut frame, &Colours { red_first, ..colours(16.0, 219.0, 224.0) });
            assert!(frame.planes()[2].iter().all(|red| *red >= 252) && frame.planes()[0].iter().all(|blue| *blue <= 2));
        }
    }

    #[test]
    fn full_range_values_are_taken_as_they_are() {
        assert_eq!(colours(0.0, 255.0, 255.0).bgr(77, 128, 128), [77, 77, 77]);
    }
}
