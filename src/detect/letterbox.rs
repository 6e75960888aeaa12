//! Frame to input tensor: resized with its aspect kept, bordered, normalised, planar.
//!
//! In: a [`Frame`], BGR. Out: [`InputTensor`] `[1, 3, H, W]` f32 as the model's card wants it, and the way back
//! for boxes. Invariants: the frame ends here; letterbox and tensor hold no pixel after [`Letterbox::wipe`]
//! (test `a_wiped_letterbox_holds_only_its_border`).

use ndarray::{Array4, ArrayView4, Axis};
use opencv::core::{CV_8UC3, Mat, Size};
use opencv::imgproc::{INTER_LINEAR, resize};
use zeroize::Zeroize;

use super::{DetectError, Detection};
use crate::capture::Frame;
use crate::config::card::{ColorOrder, DetectorCard, Fit};
use crate::units::{BoxPx, PictureSize};

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

/// Brings pictures of one size to one input size, in buffers of its own.
pub struct Letterbox {
    picture: PictureSize,
    input: PictureSize,
    /// The resized picture, `[rows, columns, 3]` BGR, in words: they are wiped eight times as fast as bytes.
    resized: Vec<u64>,
    placed: Placement,
    tensor: InputTensor,
    planes: [Plane; 3],
}

/// Where the resized picture lies in the input, and its scale.
#[derive(Clone, Copy)]
struct Placement {
    columns: usize,
    rows: usize,
    left: usize,
    top: usize,
    scale_x: f32,
    scale_y: f32,
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
    /// Prepares for pictures of `picture` on an input of `input`.
    #[must_use]
    pub fn new(card: &DetectorCard, picture: PictureSize, input: PictureSize) -> Self {
        let placed = Placement::new(card.fit, picture, input);
        let planes = std::array::from_fn(|plane| Plane::new(card, plane));
        let mut letterbox = Self {
            picture,
            input,
            resized: vec![0; (placed.columns * placed.rows * 3).div_ceil(size_of::<u64>())],
            placed,
            tensor: InputTensor { values: Array4::zeros((1, 3, input.height as usize, input.width as usize)) },
            planes,
        };
        letterbox.wipe();
        letterbox
    }

    /// Fills the tensor with a frame, which is destroyed.
    ///
    /// # Errors
    /// [`DetectError::Resize`] when OpenCV refuses.
    pub fn fill(&mut self, frame: Frame) -> Result<(), DetectError> {
        debug_assert!(frame.size() == self.picture);
        let Placement { columns, rows, .. } = self.placed;
        let start = self.resized.as_mut_ptr().cast::<std::ffi::c_void>();
        // SAFETY: `resized` holds rows x columns x 3 bytes (new) and outlives the Mat; same size, so OpenCV
        // writes in place.
        let mut target =
            unsafe { Mat::new_rows_cols_with_data_unsafe_def(rows as i32, columns as i32, CV_8UC3, start) }
                .map_err(|_| DetectError::Resize)?;
        let source = frame.pixels().map_err(|_| DetectError::Resize)?;
        let size = Size::new(columns as i32, rows as i32);
        resize(&source, &mut target, size, 0.0, 0.0, INTER_LINEAR).map_err(|_| DetectError::Resize)?;
        self.spread();
        Ok(())
    }

    /// The tensor as last filled.
    #[must_use]
    pub fn tensor(&self) -> &InputTensor {
        &self.tensor
    }

    /// Overwrites picture and tensor with border.
    pub fn wipe(&mut self) {
        self.resized.as_mut_slice().zeroize();
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

    /// Size of the input, px.
    #[must_use]
    pub fn input_size(&self) -> PictureSize {
        self.input
    }

    /// Boxes from input px to picture px, clipped to the picture.
    #[must_use]
    pub fn onto_picture(&self, people: Vec<Detection>) -> Vec<Detection> {
        let (width, height) = (self.picture.width as f32, self.picture.height as f32);
        let x = |value: f32| ((value - self.placed.left as f32) / self.placed.scale_x).clamp(0.0, width);
        let y = |value: f32| ((value - self.placed.top as f32) / self.placed.scale_y).clamp(0.0, height);
        let back = |place: BoxPx| BoxPx { x1: x(place.x1), y1: y(place.y1), x2: x(place.x2), y2: y(place.y2) };
        people
            .into_iter()
            .map(|person| Detection { place: back(person.place), score: person.score })
            .filter(|person| person.place.width() > 0.0 && person.place.height() > 0.0)
            .collect()
    }

    /// Interleaved bytes to normalised planes.
    fn spread(&mut self) {
        let Placement { columns, rows, left, top, .. } = self.placed;
        let input_width = self.input.width as usize;
        let plane_size = input_width * self.input.height as usize;
        let values = self.tensor.values.as_slice_mut().expect("the tensor is contiguous");
        let (first, rest) = values.split_at_mut(plane_size);
        let (second, third) = rest.split_at_mut(plane_size);
        // The planes in the order of the picture's channels: blue, green, red.
        let mut by_channel = [(&mut *first, self.planes[0]), (second, self.planes[1]), (third, self.planes[2])];
        by_channel.sort_by_key(|(_, plane)| plane.channel);
        let [(blue, b), (green, g), (red, r)] = by_channel;
        // SAFETY: u64s are plain bytes, and the buffer holds as many as the resized picture has (new).
        let bytes = unsafe { std::slice::from_raw_parts(self.resized.as_ptr().cast::<u8>(), rows * columns * 3) };
        for (row, source) in bytes.chunks_exact(columns * 3).enumerate() {
            let place = (row + top) * input_width + left..(row + top) * input_width + left + columns;
            let targets = blue[place.clone()].iter_mut().zip(&mut green[place.clone()]).zip(&mut red[place]);
            for ([from_b, from_g, from_r], ((to_b, to_g), to_r)) in source.as_chunks().0.iter().zip(targets) {
                *to_b = b.normalised(*from_b);
                *to_g = g.normalised(*from_g);
                *to_r = r.normalised(*from_r);
            }
        }
    }
}

impl Drop for Letterbox {
    fn drop(&mut self) {
        self.resized.as_mut_slice().zeroize();
    }
}

impl Placement {
    fn new(fit: Fit, picture: PictureSize, input: PictureSize) -> Self {
        let (input_w, input_h) = (input.width as f32, input.height as f32);
        let (picture_w, picture_h) = (picture.width as f32, picture.height as f32);
        if fit == Fit::Stretch {
            let (scale_x, scale_y) = (input_w / picture_w, input_h / picture_h);
            return Self {
                columns: input.width as usize,
                rows: input.height as usize,
                left: 0,
                top: 0,
                scale_x,
                scale_y,
            };
        }
        let scale = (input_w / picture_w).min(input_h / picture_h);
        let columns = ((picture_w * scale).round() as usize).clamp(1, input.width as usize);
        let rows = ((picture_h * scale).round() as usize).clamp(1, input.height as usize);
        let centred = if fit == Fit::LetterboxCentre { 2 } else { usize::MAX };
        let (left, top) = ((input.width as usize - columns) / centred, (input.height as usize - rows) / centred);
        Self { columns, rows, left, top, scale_x: scale, scale_y: scale }
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
    use crate::config::card::{Head, ScoreLevels};
    use opencv::core::{MatTrait, Scalar};

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

    fn filled(fit: Fit) -> Letterbox {
        let mut frame = FramePool::new(PICTURE).take(CaptureTime(0));
        frame.pixels_mut().expect("mat").set_scalar(Scalar::new(50.0, 60.0, 70.0, 0.0)).expect("blue, green, red");
        let mut letterbox = Letterbox::new(&card(fit), PICTURE, INPUT);
        letterbox.fill(frame).expect("resized");
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
        let fresh = Letterbox::new(&card(Fit::LetterboxCentre), PICTURE, INPUT);
        assert!(letterbox.resized.iter().all(|word| *word == 0));
        assert_eq!(letterbox.tensor.values, fresh.tensor.values);
    }

    #[test]
    fn boxes_find_their_way_back_to_the_picture() {
        for fit in [Fit::LetterboxCentre, Fit::LetterboxCorner, Fit::Stretch] {
            let letterbox = Letterbox::new(&card(fit), PICTURE, INPUT);
            let (left, top) = (letterbox.placed.left as f32, letterbox.placed.top as f32);
            let (sx, sy) = (letterbox.placed.scale_x, letterbox.placed.scale_y);
            let place = BoxPx { x1: 10.0 * sx + left, y1: 5.0 * sy + top, x2: 20.0 * sx + left, y2: 45.0 * sy + top };
            let back = letterbox.onto_picture(vec![Detection { place, score: 1.0 }]);
            let found = back[0].place;
            assert!((found.x1 - 10.0).abs() < 1e-3 && (found.y2 - 45.0).abs() < 1e-3);
        }
    }
}
