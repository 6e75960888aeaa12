//! The planes and measures every stage speaks: picture pixels, floor metres, sizes, places.
//!
//! Invariant: a point carries its plane in its type, so that pixels and metres cannot be mixed.

pub mod homography;

use serde::{Deserialize, Serialize};

/// A point on the picture, px, origin top-left, y down.
#[derive(Clone, Copy, PartialEq)]
pub struct FootPx {
    /// Distance from the left border, px.
    pub x_px: f32,
    /// Distance from the upper border, px.
    pub y_px: f32,
}

/// A point on the floor, m, in the store frame (y away from the door).
///
/// A camera without calibration has no metres: its floor is its own picture, scaled by
/// [`NOMINAL_HEIGHT_M`], and only lines and zones live on it, never a heatmap.
#[derive(Clone, Copy, PartialEq)]
pub struct FloorPoint {
    /// Along the door wall, m.
    pub x_m: f64,
    /// Away from the door, m.
    pub y_m: f64,
}

/// Height given to the picture of an uncalibrated camera, in nominal metres. At this scale the
/// counting hysteresis of 0.15 m is 8 px on a picture 576 px high, the figure of the line truth.
pub const NOMINAL_HEIGHT_M: f64 = 10.8;

/// A box on the picture, px: left, top, right, bottom.
#[derive(Clone, Copy, PartialEq)]
pub struct BoxPx {
    /// Left border.
    pub x1: f32,
    /// Upper border.
    pub y1: f32,
    /// Right border.
    pub x2: f32,
    /// Lower border.
    pub y2: f32,
}

/// Which point of a person's box is where they are.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Anchor {
    /// The middle of the lower border: where they stand, for a camera that looks at people from the side.
    #[default]
    Foot,
    /// The middle, for a camera straight above them.
    Centre,
    /// The middle of the upper border, for one above them whose boxes end anywhere below the head.
    Head,
}

impl Anchor {
    /// Whether it is where people stand.
    #[must_use]
    pub fn is_foot(&self) -> bool {
        matches!(self, Self::Foot)
    }
}

impl BoxPx {
    /// Width, px; 0 for a box turned inside out.
    #[must_use]
    pub fn width(&self) -> f32 {
        (self.x2 - self.x1).max(0.0)
    }

    /// Height, px; 0 for a box turned inside out.
    #[must_use]
    pub fn height(&self) -> f32 {
        (self.y2 - self.y1).max(0.0)
    }

    /// Where the person stands: the middle of the lower border. The only definition of it.
    #[must_use]
    pub fn foot(&self) -> FootPx {
        FootPx { x_px: (self.x1 + self.x2) / 2.0, y_px: self.y2 }
    }

    /// Where the person is.
    #[must_use]
    pub fn at(&self, anchor: Anchor) -> FootPx {
        let y_px = match anchor {
            Anchor::Foot => self.y2,
            Anchor::Centre => (self.y1 + self.y2) / 2.0,
            Anchor::Head => self.y1,
        };
        FootPx { y_px, ..self.foot() }
    }

    /// The same box where its foot is at `foot`.
    #[must_use]
    pub fn standing_at(&self, foot: FootPx) -> Self {
        let (half_width, height) = (self.width() / 2.0, self.height());
        Self { x1: foot.x_px - half_width, y1: foot.y_px - height, x2: foot.x_px + half_width, y2: foot.y_px }
    }

    /// Intersection over union, 0–1.
    #[must_use]
    pub fn iou(&self, other: &Self) -> f32 {
        let width = (self.x2.min(other.x2) - self.x1.max(other.x1)).max(0.0);
        let height = (self.y2.min(other.y2) - self.y1.max(other.y1)).max(0.0);
        let shared = width * height;
        let union = self.width() * self.height() + other.width() * other.height() - shared;
        if union > 0.0 { shared / union } else { 0.0 }
    }

    /// The box grown by `share` of its width and height on each side.
    #[must_use]
    pub fn buffered(&self, share: f32) -> Self {
        let (dx, dy) = (self.width() * share, self.height() * share);
        Self { x1: self.x1 - dx, y1: self.y1 - dy, x2: self.x2 + dx, y2: self.y2 + dy }
    }
}

/// Size of a picture or a model input, px.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PictureSize {
    /// Rows.
    pub height: u32,
    /// Columns.
    pub width: u32,
}

impl PictureSize {
    /// Bytes of one picture of this size in 8-bit BGR.
    #[must_use]
    pub fn bgr_bytes(self) -> usize {
        self.height as usize * self.width as usize * 3
    }

    /// Whether a point lies on the picture.
    #[must_use]
    pub fn holds(self, x_px: f64, y_px: f64) -> bool {
        (0.0..=f64::from(self.width)).contains(&x_px) && (0.0..=f64::from(self.height)).contains(&y_px)
    }
}

/// How the pictures of a stream are packed. A closed list: it crosses the pipe as a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u32)]
pub enum Codec {
    /// Not told, or none of these.
    Unknown = 0,
    /// H.264 (AVC).
    H264 = 1,
    /// H.265 (HEVC).
    H265 = 2,
    /// A row of JPEG pictures.
    Mjpeg = 3,
    /// MPEG-4 part 2.
    Mpeg4 = 4,
    /// Pixels as they are, as a USB camera sends them.
    Raw = 5,
}

impl Codec {
    /// The codec in one word.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::H264 => "H.264",
            Self::H265 => "H.265",
            Self::Mjpeg => "MJPEG",
            Self::Mpeg4 => "MPEG-4",
            Self::Raw => "raw",
        }
    }

    /// The codec with this number.
    #[must_use]
    pub fn from_number(number: u32) -> Option<Self> {
        let all = [Self::Unknown, Self::H264, Self::H265, Self::Mjpeg, Self::Mpeg4, Self::Raw];
        all.into_iter().find(|codec| *codec as u32 == number)
    }

    /// The codec of a FourCC, first letter lowest, as OpenCV tells it: a tag, or the start of FFmpeg's name.
    #[must_use]
    pub fn from_fourcc(code: u32) -> Self {
        match &code.to_le_bytes().map(|byte| byte.to_ascii_lowercase()) {
            b"h264" | b"avc1" | b"avc3" | b"x264" => Self::H264,
            b"h265" | b"hevc" | b"hvc1" | b"hev1" => Self::H265,
            b"mjpg" | b"mjpe" | b"jpeg" => Self::Mjpeg,
            b"mp4v" | b"mpeg" | b"fmp4" | b"xvid" | b"divx" => Self::Mpeg4,
            b"yuyv" | b"yuy2" | b"nv12" | b"i420" | b"uyvy" => Self::Raw,
            _ => Self::Unknown,
        }
    }
}

impl std::fmt::Display for PictureSize {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}x{}", self.height, self.width)
    }
}

impl std::str::FromStr for PictureSize {
    type Err = String;

    /// Reads `HxW`, for example `320x416`.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let refused = || format!("\"{text}\" is not a size; write HEIGHTxWIDTH in pixels, for example 320x416");
        let (height, width) = text.split_once('x').ok_or_else(refused)?;
        match (height.parse(), width.parse()) {
            (Ok(height), Ok(width)) if (1..=8192).contains(&height) && (1..=8192).contains(&width) => {
                Ok(Self { height, width })
            }
            _ => Err(refused()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_codec_is_known_by_its_tag_and_by_its_name() {
        for (code, codec) in [(b"H264", Codec::H264), (b"hevc", Codec::H265), (b"mjpe", Codec::Mjpeg)] {
            assert_eq!(Codec::from_fourcc(u32::from_le_bytes(*code)), codec);
            assert_eq!(Codec::from_number(codec as u32), Some(codec));
        }
        assert_eq!(Codec::from_fourcc(0), Codec::Unknown);
        assert_eq!(Codec::from_number(6), None);
    }

    #[test]
    fn a_box_stands_where_its_lower_border_has_its_middle() {
        let person = BoxPx { x1: 10.0, y1: 20.0, x2: 30.0, y2: 80.0 };
        assert!(person.foot() == FootPx { x_px: 20.0, y_px: 80.0 });
    }

    #[test]
    fn equal_boxes_overlap_wholly_and_distant_ones_not_at_all() {
        let one = BoxPx { x1: 0.0, y1: 0.0, x2: 10.0, y2: 10.0 };
        let far = BoxPx { x1: 50.0, y1: 50.0, x2: 60.0, y2: 60.0 };
        assert!((one.iou(&one) - 1.0).abs() < 1e-6 && one.iou(&far) == 0.0);
    }
}
