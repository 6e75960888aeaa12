//! Frame to input tensor: put in its place, bordered, normalised.
//!
//! In: a [`Frame`], resized at capture. Out: [`InputTensor`] `[1, 3, H, W]` f32 as the model's card wants it, and the way back
//! for boxes. Invariants: the frame ends here; the tensor holds no pixel after [`Letterbox::wipe`]
//! (test `a_wiped_letterbox_holds_only_its_border`).

use ndarray::{Array4, ArrayView4, Axis};
use zeroize::Zeroize;

use super::{DetectError, Detection};
use crate::capture::Frame;
use crate::config::card::{ColorOrder, DetectorCard};
use crate::config::placement::Placement;
use crate::units::PictureSize;

/// What the network is fed: pixels of people. Neither copied, printed nor serialised; zeroed on drop.
pub struct InputTensor {
    values: Array4<f32>,
}

impl InputTensor {
    /// A tensor that shows nothing but grey, for an input of this size.
    #[must_use]
    pub fn grey(input: PictureSize) -> Self {
        Self { values: Array4::from_elem((1, 3, input.height as usize, input.width as usize), 0.5) }
    }

    /// A view `[1, 3, H, W]`.
    #[must_use]
    pub fn view(&self) -> ArrayView4<'_, f32> {
        self.values.view()
    }
}

impl Drop for InputTensor {
    fn drop(&mut self) {
        if let Some(values) = self.values.as_slice_mut() {
            values.zeroize();
        }
    }
}

/// Puts pictures of one size into one input, in a tensor of its own.
pub struct Letterbox {
    placed: Placement,
    tensor: InputTensor,
    planes: [Plane; 3],
}

/// How one plane of the tensor is made from interleaved BGR.
#[derive(Clone, Copy)]
struct Plane {
    channel: usize,
    mean: f32,
    inverse_std: f32,
    border: f32,
}

impl Letterbox {
    /// Prepares for pictures placed like this.
    #[must_use]
    pub fn new(card: &DetectorCard, placed: Placement) -> Self {
        let planes = std::array::from_fn(|plane| Plane::new(card, plane));
        let (height, width) = (placed.input.height as usize, placed.input.width as usize);
        let mut letterbox =
            Self { placed, tensor: InputTensor { values: Array4::zeros((1, 3, height, width)) }, planes };
        letterbox.wipe();
        letterbox
    }

    /// Fills the tensor with a frame, which is destroyed.
    ///
    /// # Errors
    /// [`DetectError::Placement`] when the frame was made for another input.
    pub fn fill(&mut self, mut frame: Frame) -> Result<(), DetectError> {
        if *frame.placed() != self.placed {
            return Err(DetectError::Placement);
        }
        let channels = frame.colour();
        let (columns, input_width) = (self.placed.resized.width as usize, self.placed.input.width as usize);
        let first = self.placed.top * input_width + self.placed.left;
        let mut image = self.tensor.values.index_axis_mut(Axis(0), 0);
        for (plane, mut values) in self.planes.iter().zip(image.outer_iter_mut()) {
            let values = values.as_slice_mut().expect("the tensor is contiguous");
            let rows = values[first..].chunks_mut(input_width).zip(channels[plane.channel].chunks_exact(columns));
            for (targets, bytes) in rows {
                for (target, byte) in targets.iter_mut().zip(bytes) {
                    *target = plane.normalised(*byte);
                }
            }
        }
        Ok(())
    }

    /// The tensor as last filled.
    #[must_use]
    pub fn tensor(&self) -> &InputTensor {
        &self.tensor
    }

    /// Overwrites the tensor with border.
    pub fn wipe(&mut self) {
        let mut image = self.tensor.values.index_axis_mut(Axis(0), 0);
        for (plane, mut values) in self.planes.iter().zip(image.outer_iter_mut()) {
            values.fill(plane.border);
        }
    }

    /// A tensor of the same shape showing nothing but grey.
    #[must_use]
    pub fn grey_tensor(&self) -> InputTensor {
        InputTensor { values: Array4::from_elem(self.tensor.values.dim(), 0.5) }
    }

    /// Size of the camera's picture, px.
    #[must_use]
    pub fn picture(&self) -> PictureSize {
        self.placed.picture
    }

    /// Size of the input, px.
    #[must_use]
    pub fn input_size(&self) -> PictureSize {
        self.placed.input
    }

    /// Boxes from input px to picture px, clipped to the picture.
    #[must_use]
    pub fn onto_picture(&self, people: Vec<Detection>) -> Vec<Detection> {
        people
            .into_iter()
            .map(|person| Detection { place: self.placed.onto_picture(&person.place), score: person.score })
            .filter(|person| person.place.width() > 0.0 && person.place.height() > 0.0)
            .collect()
    }
}

impl Plane {
    fn new(card: &DetectorCard, plane: usize) -> Self {
        let channel = if card.color == ColorOrder::Bgr { plane } else { 2 - plane };
        let (mean, inverse_std) = (card.mean[plane], 1.0 / card.std[plane]);
        let plane = Self { channel, mean, inverse_std, border: 0.0 };
        Self { border: plane.normalised(card.pad), ..plane }
    }

    fn normalised(self, value: u8) -> f32 {
        (f32::from(value) - self.mean) * self.inverse_std
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::capture::FramePool;
    use crate::clock::CaptureTime;
    use crate::config::card::{Fit, Head, ScoreLevels};

    const PICTURE: PictureSize = PictureSize { height: 50, width: 100 };
    const INPUT: PictureSize = PictureSize { height: 64, width: 64 };

    fn card(fit: Fit) -> DetectorCard {
        DetectorCard {
            name: "drawn".into(),
            file: "drawn.onnx".into(),
            sha256: String::new(),
            bytes: 0,
            licence: "MIT".into(),
            source: "made for this test".into(),
            head: Head::YoloxRaw,
            input: "images".into(),
            multiple_of: 32,
            fixed: None,
            size_default: None,
            color: ColorOrder::Rgb,
            mean: [10.0, 20.0, 30.0],
            std: [1.0, 2.0, 4.0],
            fit,
            pad: 114,
            strides: vec![8],
            cell_offset: 0.0,
            bins: 0,
            person_class: 0,
            nms_iou: 0.5,
            score: ScoreLevels { low: 0.1, high: 0.4, birth: 0.5 },
        }
    }

    fn placed(fit: Fit) -> Placement {
        Placement::new(fit, PICTURE, INPUT)
    }

    fn filled(fit: Fit) -> Letterbox {
        let mut frame = FramePool::new(placed(fit)).take(CaptureTime(0));
        frame.planes_mut().into_iter().zip([50, 60, 70]).for_each(|(plane, value)| plane.fill(value));
        let mut letterbox = Letterbox::new(&card(fit), placed(fit));
        letterbox.fill(frame).expect("a frame for this input");
        letterbox
    }

    #[test]
    fn planes_are_normalised_in_the_order_of_the_card() {
        let letterbox = filled(Fit::LetterboxCorner);
        let pixel = |plane, y, x| letterbox.tensor().view()[[0, plane, y, x]];
        assert_eq!([pixel(0, 3, 3), pixel(1, 3, 3), pixel(2, 3, 3)], [60.0, 20.0, 5.0]);
        assert_eq!(pixel(0, 60, 3), 104.0, "below the picture there is border");
    }

    #[test]
    fn a_wiped_letterbox_holds_only_its_border() {
        let mut letterbox = filled(Fit::LetterboxCentre);
        letterbox.wipe();
        let fresh = Letterbox::new(&card(Fit::LetterboxCentre), placed(Fit::LetterboxCentre));
        assert_eq!(letterbox.tensor.values, fresh.tensor.values);
    }

    #[test]
    fn a_frame_made_for_another_input_is_refused() {
        let other = Placement::new(Fit::Stretch, PICTURE, INPUT);
        let mut letterbox = filled(Fit::LetterboxCentre);
        assert!(letterbox.fill(FramePool::new(other).take(CaptureTime(0))).is_err());
    }
}
