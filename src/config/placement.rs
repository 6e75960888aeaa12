//! Where a picture lies in the input of a network: how large it becomes, what border is left, and the way back.
//!
//! In: the card's [`Fit`], the size of the picture and of the input. Out: [`Placement`]. Known to capture, which makes
//! pictures that size at once, and to detect, which puts them there.

use super::card::Fit;
use crate::units::{BoxPx, PictureSize};

/// Where the resized picture lies in the input, and its scale.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Placement {
    /// Size of the camera's picture, px.
    pub picture: PictureSize,
    /// Size of the network's input, px.
    pub input: PictureSize,
    /// Size of the picture inside the input, px.
    pub resized: PictureSize,
    /// Columns of border to its left.
    pub left: usize,
    /// Rows of border above it.
    pub top: usize,
    scale: [f32; 2],
}

impl Placement {
    /// Places pictures of `picture` on an input of `input`.
    #[must_use]
    pub fn new(fit: Fit, picture: PictureSize, input: PictureSize) -> Self {
        let (input_w, input_h) = (input.width as f32, input.height as f32);
        let (picture_w, picture_h) = (picture.width as f32, picture.height as f32);
        if fit == Fit::Stretch {
            let scale = [input_w / picture_w, input_h / picture_h];
            return Self { picture, input, resized: input, left: 0, top: 0, scale };
        }
        let scale = (input_w / picture_w).min(input_h / picture_h);
        let side = |length: f32, most: u32| ((length * scale).round() as u32).clamp(1, most);
        let resized = PictureSize { height: side(picture_h, input.height), width: side(picture_w, input.width) };
        let centred = if fit == Fit::LetterboxCentre { 2 } else { u32::MAX };
        let (left, top) = ((input.width - resized.width) / centred, (input.height - resized.height) / centred);
        Self { picture, input, resized, left: left as usize, top: top as usize, scale: [scale, scale] }
    }

    /// A box from input px to picture px, clipped to the picture.
    #[must_use]
    pub fn onto_picture(&self, place: &BoxPx) -> BoxPx {
        let (width, height) = (self.picture.width as f32, self.picture.height as f32);
        let x = |value: f32| ((value - self.left as f32) / self.scale[0]).clamp(0.0, width);
        let y = |value: f32| ((value - self.top as f32) / self.scale[1]).clamp(0.0, height);
        BoxPx { x1: x(place.x1), y1: y(place.y1), x2: x(place.x2), y2: y(place.y2) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn boxes_find_their_way_back_to_the_picture() {
        let (picture, input) = (PictureSize { height: 50, width: 100 }, PictureSize { height: 64, width: 64 });
        for fit in [Fit::LetterboxCentre, Fit::LetterboxCorner, Fit::Stretch] {
            let placed = Placement::new(fit, picture, input);
            let (left, top, [sx, sy]) = (placed.left as f32, placed.top as f32, placed.scale);
            let place = BoxPx { x1: 10.0 * sx + left, y1: 5.0 * sy + top, x2: 20.0 * sx + left, y2: 45.0 * sy + top };
            let found = placed.onto_picture(&place);
            assert!((found.x1 - 10.0).abs() < 1e-3 && (found.y2 - 45.0).abs() < 1e-3);
        }
    }

    #[test]
    fn a_wide_picture_leaves_a_border_above_and_below_or_below_alone() {
        let (picture, input) = (PictureSize { height: 1080, width: 1920 }, PictureSize { height: 320, width: 416 });
        let resized = PictureSize { height: 234, width: 416 };
        let centred = Placement::new(Fit::LetterboxCentre, picture, input);
        let cornered = Placement::new(Fit::LetterboxCorner, picture, input);
        assert_eq!((centred.resized, centred.top, centred.left), (resized, 43, 0));
        assert_eq!((cornered.resized, cornered.top, cornered.left), (resized, 0, 0));
    }
}
