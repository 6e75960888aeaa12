//! Raw outputs to boxes of people: fifteen heads, recognised by their outputs and confirmed by the card.
//!
//! In: outputs of the network for an input `H x W`. Out: [`Detection`]s in input px, doubles suppressed.
//! Invariant: a network whose outputs do not add up to the cells of its levels, or whose answer to a grey picture
//! cannot be boxes and scores of the card's head, is refused at load, never guessed.

mod grid;
mod plausible;
mod rows;
pub mod shape;

use super::session::Output;
use super::{DetectError, Detection};
use crate::config::card::{DetectorCard, Head};
use crate::units::PictureSize;
use grid::Level;
use shape::Shape;

/// Reads the outputs of one network at one input size.
pub struct Decoder {
    head: Head,
    input: PictureSize,
    levels: Vec<Level>,
    /// Where boxes, scores and labels lie, for heads with several outputs and no levels.
    roles: [usize; 3],
    /// The outputs as they were recognised.
    shapes: Vec<Shape>,
}

/// Boxes with a score of at least some minimum, as they are found.
pub struct Finds {
    score_min: f32,
    found: Vec<Detection>,
}

impl Finds {
    fn new(score_min: f32) -> Self {
        Self { score_min, found: Vec::new() }
    }

    /// Whether a box of this score counts; one that is no number does, so that it is noticed.
    fn wants(&self, score: f32) -> bool {
        score >= self.score_min || score.is_nan()
    }

    fn take(&mut self, detection: Detection) {
        self.found.push(detection);
    }
}

impl Decoder {
    /// Recognises the head by the `outputs` for a grey picture and confirms it with the card.
    ///
    /// # Errors
    /// [`DetectError::Head`] naming what was found and what the card says.
    pub fn recognise(card: &DetectorCard, input: PictureSize, outputs: &[Output<'_>]) -> Result<Self, DetectError> {
        let refused = |reason: String| Err(DetectError::Head { reason });
        let shapes: Vec<Shape> = outputs.iter().map(Output::as_shape).collect();
        let (head, found) = (card.head, shape::in_words(&shapes));
        let likely = shape::heads_like(&shapes);
        if likely.is_empty() {
            return refused(format!(
                "no known head has outputs {found}; the card says {head}; known: {}",
                names(&Head::ALL)
            ));
        }
        if !likely.contains(&head) {
            return refused(format!("outputs {found} are those of {}, the card says {head}", names(&likely)));
        }
        if let Some(output) = outputs.iter().find(|output| !output.is_finite()) {
            let name = output.as_shape().name;
            return refused(format!(
                "a grey picture gives values that are not finite (NaN or infinite) in output {name}"
            ));
        }
        let mut levels: Vec<Level> = card.strides.iter().map(|stride| Level::new(*stride, input)).collect();
        let cells = levels.iter().map(|level| level.cells).sum();
        let classes = shape::classes(head, &shapes, cells, card.bins as usize);
        let fits = match head {
            Head::RtmdetRaw => pair_up(&mut levels, &shapes, |dims| dims[1] * dims[2], |_| true),
            Head::NanodetPairs => {
                let sides = 4 * card.bins as usize;
                pair_up(&mut levels, &shapes, |dims| dims[1], |dims| dims[2] != sides)
            }
            _ => classes.is_some(),
        };
        if !fits {
            return refused(misfit(card, &shapes, input, cells));
        }
        if let Some(count) = classes.flatten().filter(|count| card.person_class >= *count) {
            return refused(format!(
                "outputs {found} have {count} classes as {head}, the card says person_class = {}",
                card.person_class
            ));
        }
        let roles = shape::roles(head, &shapes).unwrap_or([0; 3]);
        let decoder = Self { head, input, levels, roles, shapes };
        let answers = decoder.candidates(card, outputs, f32::NEG_INFINITY)?;
        match plausible::doubt(head, input, &answers) {
            Some(reason) => refused(format!("outputs {found}, read as {head}: {reason}")),
            None => Ok(decoder),
        }
    }

    /// The outputs it was recognised by.
    #[must_use]
    pub fn outputs_in_words(&self) -> String {
        shape::in_words(&self.shapes)
    }

    /// Cells of all levels; 0 where the head has none.
    #[must_use]
    pub fn cells(&self) -> usize {
        self.levels.iter().map(|level| level.cells).sum()
    }

    /// The people with a score of at least `score_min`, strongest first, doubles suppressed.
    ///
    /// # Errors
    /// [`DetectError::Inference`] when a box or a score is no number, [`DetectError::Head`] when an output is not laid
    /// out plainly in memory or has become another one.
    pub fn people(
        &self,
        card: &DetectorCard,
        outputs: &[Output<'_>],
        score_min: f32,
    ) -> Result<Vec<Detection>, DetectError> {
        let found = self.candidates(card, outputs, score_min)?;
        if found.iter().any(|person| !plausible::is_finite(person)) {
            return Err(DetectError::Inference { reason: "a box or a score is not finite".to_owned() });
        }
        Ok(suppress_doubles(found, card.nms_iou))
    }

    /// Every box of at least `score_min`, doubles and all.
    fn candidates(
        &self,
        card: &DetectorCard,
        outputs: &[Output<'_>],
        score_min: f32,
    ) -> Result<Vec<Detection>, DetectError> {
        let plain: Option<Vec<&[f32]>> = outputs.iter().map(Output::as_slice).collect();
        let plain = plain.ok_or_else(|| DetectError::Head { reason: "an output is not contiguous".to_owned() })?;
        if !outputs.iter().zip(&self.shapes).all(|(output, shape)| self.is_still(output.dims(), &shape.dims)) {
            return Err(DetectError::Head { reason: "an output has another shape than on a grey picture".to_owned() });
        }
        let [boxes, scores, labels] = self.roles;
        let width = outputs[0].dims().last().copied().unwrap_or(0).max(1);
        let mut finds = Finds::new(score_min);
        match self.head {
            head if head.has_cells() && !matches!(head, Head::YoloxDecoded | Head::YoloV5 | Head::YoloV8) => {
                self.by_level(card, &plain, width, &mut finds);
            }
            Head::YoloV8 => rows::yolo_v8(card, plain[0], width, &mut finds),
            Head::YoloV10 => rows::yolo_v10(card, plain[0], &mut finds),
            Head::SsdDecoded => rows::ssd_decoded([plain[boxes], plain[scores]], self.input, &mut finds),
            Head::SsdOutput => rows::ssd_output(card, plain[0], self.input, &mut finds),
            Head::DetsLabels => rows::dets_labels(card, [plain[boxes], plain[labels]], &mut finds),
            Head::DetrPost => rows::detr_post(card, [plain[boxes], plain[scores], plain[labels]], &mut finds),
            Head::RtdetrRows => rows::rtdetr_rows(card, (plain[0], width), self.input, &mut finds),
            Head::RtdetrLogits | Head::RfDetr => {
                rows::detr_logits(card, [plain[boxes], plain[scores]], self.input, &mut finds);
            }
            _ => rows::yolo_v5(card, plain[0], width, &mut finds),
        }
        Ok(finds.found)
    }

    /// Whether an output has the extents it was recognised by; end-to-end heads may answer with more or fewer boxes.
    fn is_still(&self, dims: &[usize], recognised: &[usize]) -> bool {
        match (self.head.has_cells(), dims, recognised) {
            (true, now, then) => now == then,
            (false, [_, _], [_, _]) => true,
            (false, [.., now], [.., then]) => dims.len() == recognised.len() && now == then,
            _ => false,
        }
    }

    /// Heads whose boxes are relative to cells.
    fn by_level(&self, card: &DetectorCard, plain: &[&[f32]], width: usize, finds: &mut Finds) {
        let mut first = 0;
        for level in &self.levels {
            let [scores, distances] = level.outputs;
            match self.head {
                Head::RtmdetRaw => level.rtmdet(card, plain[scores], finds),
                Head::NanodetPairs => level.nanodet_pair(card, [plain[scores], plain[distances]], finds),
                head => {
                    let rows = &plain[0][first * width..][..level.cells * width];
                    match head {
                        Head::NanodetPlus => level.nanodet_plus(card, rows, width, finds),
                        _ => level.yolox(card, rows, width, finds),
                    }
                }
            }
            first += level.cells;
        }
    }
}

/// Why shapes of the right kind do not fit, and which heads they would fit.
fn misfit(card: &DetectorCard, shapes: &[Shape], input: PictureSize, cells: usize) -> String {
    let fitting = |head: &Head| {
        *head != card.head && head.has_cells() && shape::classes(*head, shapes, cells, card.bins as usize).is_some()
    };
    let others: Vec<Head> = shape::heads_like(shapes).into_iter().filter(fitting).collect();
    let hint = if others.is_empty() { String::new() } else { format!("; they would fit {}", names(&others)) };
    format!(
        "outputs {} do not fit {cells} cells at strides {:?} of an input of {input} as {}{hint}",
        shape::in_words(shapes),
        card.strides,
        card.head
    )
}

fn names(heads: &[Head]) -> String {
    heads.iter().map(|head| head.name()).collect::<Vec<_>>().join(" or ")
}

/// Gives each level its outputs by number of cells: the order of outputs is no contract (the network fetched
/// by the set-up answers in the order 32, 32, 16, 8, 16, 8).
fn pair_up(
    levels: &mut [Level],
    shapes: &[Shape],
    cells: fn(&[usize]) -> usize,
    is_scores: impl Fn(&[usize]) -> bool,
) -> bool {
    for level in levels.iter_mut() {
        let of_level = |scores: bool| {
            shapes.iter().position(|shape| cells(&shape.dims) == level.cells && is_scores(&shape.dims) == scores)
        };
        let Some(scores) = of_level(true) else { return false };
        level.outputs = [scores, of_level(false).unwrap_or(scores)];
    }
    let mut used: Vec<usize> = levels.iter().flat_map(|level| level.outputs).collect();
    used.sort_unstable();
    used.dedup();
    used.len() == shapes.len()
}

/// Keeps the strongest of boxes that overlap by more than `iou_max`.
fn suppress_doubles(mut found: Vec<Detection>, iou_max: f32) -> Vec<Detection> {
    // A stable order: strongest first, then by place, so that runs repeat bit for bit.
    found.sort_by(|a, b| {
        b.score.total_cmp(&a.score).then(a.place.x1.total_cmp(&b.place.x1)).then(a.place.y1.total_cmp(&b.place.y1))
    });
    found.truncate(CANDIDATES_MAX);
    let mut kept: Vec<Detection> = Vec::new();
    for candidate in found {
        if kept.iter().all(|strong| strong.place.iou(&candidate.place) <= iou_max) {
            kept.push(candidate);
        }
    }
    kept
}

/// Most candidates compared with each other: far beyond what stands in one picture.
const CANDIDATES_MAX: usize = 1000;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::BoxPx;

    #[test]
    fn of_two_boxes_on_one_person_the_stronger_stays() {
        let place = |x1: f32| BoxPx { x1, y1: 0.0, x2: x1 + 10.0, y2: 30.0 };
        let found = vec![
            Detection { place: place(0.0), score: 0.5 },
            Detection { place: place(1.0), score: 0.9 },
            Detection { place: place(40.0), score: 0.4 },
        ];
        let kept = suppress_doubles(found, 0.5);
        assert_eq!(kept.iter().map(|person| person.score).collect::<Vec<_>>(), [0.9, 0.4]);
    }
}
