//! The planes and measures every stage speaks: picture pixels, floor metres, sizes, places.
//!
//! Invariant: a point carries its plane in its type, so that pixels and metres cannot be mixed.

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
