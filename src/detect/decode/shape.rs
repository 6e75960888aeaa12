//! Which heads a set of output shapes can be of, and whether they fit an input size.
//!
//! In: name, size and kind of every output. Out: the [`Head`]s they may belong to, where each role lies, and how many
//! classes there are. Nothing here looks at a value.
//! Invariant: shapes that several heads share are told apart by the card, never guessed.

use crate::config::card::Head;

/// Name, size and kind of one output.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shape {
    /// Its name in the graph.
    pub name: String,
    /// Its extents.
    pub dims: Vec<usize>,
    /// Whether it holds whole numbers (labels).
    pub is_whole: bool,
}

impl std::fmt::Display for Shape {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {:?}{}", self.name, self.dims, if self.is_whole { " whole" } else { "" })
    }
}

/// All shapes in one line.
#[must_use]
pub fn in_words(shapes: &[Shape]) -> String {
    shapes.iter().map(Shape::to_string).collect::<Vec<_>>().join(", ")
}

/// The heads whose outputs look like these, whatever the input's size.
#[must_use]
pub fn heads_like(shapes: &[Shape]) -> Vec<Head> {
    let is_one_picture = shapes.iter().all(|shape| shape.dims.first().is_none_or(|batch| *batch == 1));
    if shapes.is_empty() || !is_one_picture {
        return Vec::new();
    }
    Head::ALL.into_iter().filter(|head| looks_like(*head, shapes)).collect()
}

fn looks_like(head: Head, shapes: &[Shape]) -> bool {
    let only = match shapes {
        [only] if !only.is_whole => only.dims.as_slice(),
        _ => &[],
    };
    match head {
        Head::YoloxRaw | Head::YoloxDecoded | Head::YoloV5 => matches!(only, [_, _, width] if *width >= 6),
        Head::NanodetPlus => matches!(only, [_, _, width] if *width >= 9),
        Head::YoloV8 => matches!(only, [_, rows, width] if *rows >= 5 && *width >= 1),
        Head::YoloV10 => matches!(only, [_, rows, 6] if *rows <= ROWS_MAX),
        Head::RtdetrRows => matches!(only, [_, rows, width] if *rows <= ROWS_MAX && *width >= 5),
        Head::SsdOutput => matches!(only, [_, 1, _, 7]),
        Head::RtmdetRaw => shapes.iter().all(|shape| !shape.is_whole && matches!(shape.dims[..], [_, _, _, 5])),
        Head::NanodetPairs => {
            let is_flat = |shape: &Shape| !shape.is_whole && matches!(shape.dims[..], [_, _, _]);
            shapes.len().is_multiple_of(2) && shapes.iter().all(is_flat)
        }
        _ => roles(head, shapes).is_some(),
    }
}

/// Where the outputs of a head with several lie: boxes, scores, labels. The order of outputs is no contract.
#[must_use]
pub fn roles(head: Head, shapes: &[Shape]) -> Option<[usize; 3]> {
    let find = |is_it: &dyn Fn(&Shape) -> bool| shapes.iter().position(is_it);
    let boxes_of = |width: usize| find(&|shape| !shape.is_whole && matches!(shape.dims[..], [_, _, w] if w == width));
    let flat = |whole: bool| find(&|shape| shape.is_whole == whole && shape.dims.len() == 2);
    let answers = |index: usize| shapes[index].dims[1];
    let (roles, count) = match head {
        Head::SsdDecoded => ([boxes_of(4)?, flat(false)?, 0], 2),
        Head::DetsLabels => ([boxes_of(5)?, boxes_of(5)?, flat(true)?], 2),
        Head::DetrPost => ([boxes_of(4)?, flat(false)?, flat(true)?], 3),
        Head::RtdetrLogits | Head::RfDetr => {
            let is_box = |shape: &Shape| shape.name.contains("box") || shape.name == "dets";
            let boxes = find(&|shape| is_box(shape) && shape.dims.last() == Some(&4)).or_else(|| boxes_of(4))?;
            let scores = (0..shapes.len())
                .find(|index| *index != boxes && !shapes[*index].is_whole && shapes[*index].dims.len() == 3)?;
            ([boxes, scores, 0], 2)
        }
        _ => return None,
    };
    let [boxes, scores, _] = roles;
    let are_as_many = answers(boxes) == answers(scores);
    (shapes.len() == count && are_as_many).then_some(roles)
}

/// Classes of a head whose outputs are these and whose levels have `cells` in all; `None` when the number of its
/// answers is another one, `Some(None)` when the shapes do not tell the classes.
#[must_use]
pub fn classes(head: Head, shapes: &[Shape], cells: usize, bins: usize) -> Option<Option<usize>> {
    let [rows, width] = match shapes[0].dims[..] {
        [_, rows, width] => [rows, width],
        _ => [0, 0],
    };
    match head {
        Head::YoloxRaw | Head::YoloxDecoded => (rows == cells).then(|| width.checked_sub(5)),
        // Three anchors a cell, or none (later exports of the same family).
        Head::YoloV5 => (rows == 3 * cells || rows == cells).then(|| width.checked_sub(5)),
        Head::YoloV8 => (width == cells).then(|| rows.checked_sub(4)),
        Head::NanodetPlus => (rows == cells && width > 4 * bins).then(|| width.checked_sub(4 * bins)),
        Head::NanodetPairs => {
            let widths = shapes.iter().map(|shape| shape.dims[2]);
            Some(widths.filter(|width| *width != 4 * bins).max().or(Some(4 * bins)))
        }
        Head::RtdetrRows => Some(width.checked_sub(4)),
        Head::RtdetrLogits | Head::RfDetr => {
            let scores = roles(head, shapes).map_or(0, |[_, scores, _]| shapes[scores].dims[2]);
            Some(scores.checked_sub(usize::from(head == Head::RfDetr)))
        }
        Head::RtmdetRaw | Head::SsdDecoded => Some(Some(1)),
        Head::YoloV10 | Head::SsdOutput | Head::DetsLabels | Head::DetrPost => Some(None),
    }
}

/// Most rows of an end-to-end head; networks have 100 to 300.
const ROWS_MAX: usize = 1000;

#[cfg(test)]
mod tests {
    use super::*;

    fn likely(shapes: &[(&str, &[usize], bool)]) -> Vec<Head> {
        let shape = |(name, dims, is_whole): &(&str, &[usize], bool)| Shape {
            name: (*name).to_owned(),
            dims: dims.to_vec(),
            is_whole: *is_whole,
        };
        heads_like(&shapes.iter().map(shape).collect::<Vec<_>>())
    }

    #[test]
    fn outputs_that_only_one_head_has_are_of_that_head() {
        let levels: [(&str, &[usize], bool); 2] = [("a", &[1, 40, 52, 5], false), ("b", &[1, 20, 26, 5], false)];
        assert_eq!(likely(&levels), [Head::RtmdetRaw]);
        assert_eq!(likely(&[("dets", &[1, 0, 5], false), ("labels", &[1, 0], true)]), [Head::DetsLabels]);
        assert_eq!(likely(&[("scores", &[1, 30], false), ("boxes", &[1, 30, 4], false)]), [Head::SsdDecoded]);
        assert_eq!(likely(&[("detection_out", &[1, 1, 200, 7], false)]), [Head::SsdOutput]);
        let detr: [(&str, &[usize], bool); 3] =
            [("labels", &[1, 300], true), ("boxes", &[1, 300, 4], false), ("scores", &[1, 300], false)];
        assert_eq!(likely(&detr), [Head::DetrPost]);
    }

    #[test]
    fn outputs_that_several_heads_share_are_left_to_the_card() {
        let rows = likely(&[("output", &[1, 300, 6], false)]);
        assert!([Head::YoloV10, Head::YoloxRaw, Head::RtdetrRows].iter().all(|head| rows.contains(head)));
        let logits = likely(&[("logits", &[1, 300, 80], false), ("pred_boxes", &[1, 300, 4], false)]);
        assert!([Head::RtdetrLogits, Head::RfDetr].iter().all(|head| logits.contains(head)));
    }

    #[test]
    fn outputs_of_no_head_are_of_none() {
        assert_eq!(likely(&[]), []);
        assert_eq!(likely(&[("masks", &[1, 32, 160, 160], false)]), []);
        assert_eq!(likely(&[("dets", &[1, 100, 5], false), ("labels", &[1, 100], false)]), []);
        assert_eq!(likely(&[("dets", &[4, 100, 5], false), ("labels", &[4, 100], true)]), [], "four pictures at once");
    }

    #[test]
    fn the_number_of_answers_must_be_that_of_the_cells() {
        let of = |dims: &[usize]| vec![Shape { name: "out".into(), dims: dims.to_vec(), is_whole: false }];
        assert_eq!(classes(Head::YoloxRaw, &of(&[1, 2730, 85]), 2730, 0), Some(Some(80)));
        assert_eq!(classes(Head::YoloxRaw, &of(&[1, 2731, 85]), 2730, 0), None);
        assert_eq!(classes(Head::YoloV5, &of(&[1, 25200, 85]), 8400, 0), Some(Some(80)));
        assert_eq!(classes(Head::YoloV8, &of(&[1, 84, 8400]), 8400, 0), Some(Some(80)));
        assert_eq!(classes(Head::NanodetPlus, &of(&[1, 3598, 112]), 3598, 8), Some(Some(80)));
    }
}
