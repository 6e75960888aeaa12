//! A picture laid bare: its bytes in full size, as the decoder or the reader holds them. For forensics alone, which looks
//! for such bytes where they should not be; no part of the eye.
//!
//! In: a decoded picture, or one OpenCV has read. Out: [`Bared`]. Invariant: neither copied, printed nor serialised.

use opencv::core::{Mat, MatTraitConst, MatTraitConstManual};

use super::colours::Colours;
use super::ffmpeg::{Layout, Picture, Plane};

/// The bytes of a picture in full size, rows without gaps.
pub struct Bared {
    /// Brightness, and where there are any, differences of blue and red.
    pub planes: Vec<Vec<u8>>,
    /// Blue, green, red, point by point, where they were asked for; each point has the colour difference of its block.
    pub bgr: Vec<u8>,
}

impl Bared {
    /// Those of a decoded picture; `None` in a layout that only FFmpeg reads.
    pub(super) fn of(picture: &Picture, with_colours: bool) -> Option<Self> {
        let (planes, sizes): (Vec<Vec<u8>>, Vec<Plane>) = match picture.layout() {
            Layout::Grey(grey) => (vec![rows(&grey)], vec![grey]),
            Layout::Planar(planes) => (planes.iter().map(rows).collect(), planes.to_vec()),
            Layout::Paired(..) | Layout::Other => return None,
        };
        let bgr = match (&planes[..], &sizes[..]) {
            _ if !with_colours => Vec::new(),
            ([y, u, v], [whole, part, _]) => coloured([y, u, v], whole, part, &Colours::of(picture)),
            _ => planes[0].iter().flat_map(|grey| [*grey; 3]).collect(),
        };
        Some(Self { planes, bgr })
    }

    /// Those of a picture that OpenCV has read.
    pub(super) fn of_bgr(picture: &Mat) -> Option<Self> {
        picture
            .is_continuous()
            .then(|| picture.data_bytes().ok())
            .flatten()
            .map(|bytes| Self { planes: Vec::new(), bgr: bytes.to_vec() })
    }
}

fn coloured([y, u, v]: [&[u8]; 3], whole: &Plane, part: &Plane, colours: &Colours) -> Vec<u8> {
    let (width, columns) = (whole.size.width as usize, part.size.width as usize);
    let (across, down) = (width.div_ceil(columns), (whole.size.height as usize).div_ceil(part.size.height as usize));
    let point = |(index, y): (usize, &u8)| {
        let block = index / width / down * columns + index % width / across;
        colours.bgr(*y, u[block], v[block])
    };
    y.iter().enumerate().flat_map(point).collect()
}

fn rows(plane: &Plane) -> Vec<u8> {
    let (rows, columns) = (plane.size.height as usize, plane.size.width as usize);
    // SAFETY: the decoder's plane holds `rows` rows of `stride` bytes and is lent while the picture is held.
    let row = |row: usize| unsafe { std::slice::from_raw_parts(plane.start.add(row * plane.stride), columns) };
    (0..rows).flat_map(|index| row(index).iter().copied()).collect()
}
