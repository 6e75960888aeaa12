//! Heads that answer once per cell and level: YOLOX, RTMDet, NanoDet and PicoDet.
//!
//! In: values of one level, row-major, columns fastest. Out: [`Detection`]s in input px, doubles and all.
//! Sources: YOLOX (arXiv 2107.08430), RTMDet (arXiv 2212.07784), Generalized Focal Loss (arXiv 2006.04388).

use super::{Detection, Finds};
use crate::config::card::DetectorCard;
use crate::units::{BoxPx, PictureSize};

/// One level of the pyramid.
pub struct Level {
    stride: f32,
    columns: usize,
    /// How many cells it has.
    pub cells: usize,
    /// Which outputs belong to it: scores (or everything), then distances.
    pub outputs: [usize; 2],
}

impl Level {
    /// The level of a stride, px, on an input of this size.
    #[must_use]
    pub fn new(stride: u32, input: PictureSize) -> Self {
        let columns = input.width.div_ceil(stride) as usize;
        let rows = input.height.div_ceil(stride) as usize;
        Self { stride: stride as f32, columns, cells: columns * rows, outputs: [0, 0] }
    }

    /// The point of a cell, px.
    fn point(&self, cell: usize, offset: f32) -> [f32; 2] {
        let (column, row) = (cell % self.columns, cell / self.columns);
        [(column as f32 + offset) * self.stride, (row as f32 + offset) * self.stride]
    }

    /// Rows of `width` values: centre, size as logarithm, objectness, classes.
    pub fn yolox(&self, card: &DetectorCard, rows: &[f32], width: usize, finds: &mut Finds) {
        for (cell, row) in rows.chunks_exact(width).enumerate() {
            let score = row[4] * row[5 + card.person_class];
            if !finds.wants(score) {
                continue;
            }
            let [x, y] = self.point(cell, card.cell_offset);
            let centre = [x + row[0] * self.stride, y + row[1] * self.stride];
            let size = [row[2].exp() * self.stride, row[3].exp() * self.stride];
            finds.take(Detection { place: centred(centre, size), score });
        }
    }

    /// Rows of five values: logit, then distances left, top, right, bottom, px.
    pub fn rtmdet(&self, card: &DetectorCard, rows: &[f32], finds: &mut Finds) {
        for (cell, row) in rows.chunks_exact(5).enumerate() {
            let score = sigmoid(row[0]);
            if finds.wants(score) {
                let sides = [row[1], row[2], row[3], row[4]];
                finds.take(Detection { place: around(self.point(cell, card.cell_offset), sides), score });
            }
        }
    }

    /// Rows of scores and rows of distance distributions, apart.
    pub fn nanodet_pair(&self, card: &DetectorCard, [scores, distances]: [&[f32]; 2], finds: &mut Finds) {
        let (classes, sides) = (scores.len() / self.cells, 4 * card.bins as usize);
        for cell in 0..self.cells {
            let score = scores[cell * classes + card.person_class];
            self.nanodet(card, cell, score, &distances[cell * sides..][..sides], finds);
        }
    }

    /// Rows of `width` values: scores, then distance distributions.
    pub fn nanodet_plus(&self, card: &DetectorCard, rows: &[f32], width: usize, finds: &mut Finds) {
        let classes = width - 4 * card.bins as usize;
        for (cell, row) in rows.chunks_exact(width).enumerate() {
            self.nanodet(card, cell, row[card.person_class], &row[classes..], finds);
        }
    }

    fn nanodet(&self, card: &DetectorCard, cell: usize, score: f32, distances: &[f32], finds: &mut Finds) {
        if finds.wants(score) {
            let bins = card.bins as usize;
            let sides = std::array::from_fn(|side| expected_bin(&distances[side * bins..][..bins]) * self.stride);
            finds.take(Detection { place: around(self.point(cell, card.cell_offset), sides), score });
        }
    }
}

/// The box whose left, top, right and bottom lie this far from a point.
fn around([x, y]: [f32; 2], [left, top, right, bottom]: [f32; 4]) -> BoxPx {
    BoxPx { x1: x - left, y1: y - top, x2: x + right, y2: y + bottom }
}

/// The box with this centre and size.
pub fn centred([x, y]: [f32; 2], [width, height]: [f32; 2]) -> BoxPx {
    BoxPx { x1: x - width / 2.0, y1: y - height / 2.0, x2: x + width / 2.0, y2: y + height / 2.0 }
}

/// A logit as a score, 0–1.
pub fn sigmoid(logit: f32) -> f32 {
    1.0 / (1.0 + (-logit).exp())
}

/// Expectation of a distribution given by logits over bins 0, 1, 2, … (Generalized Focal Loss, eq. 3).
fn expected_bin(logits: &[f32]) -> f32 {
    let highest = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let (mut sum, mut weighted) = (0.0, 0.0);
    for (bin, logit) in logits.iter().enumerate() {
        let weight = (logit - highest).exp();
        sum += weight;
        weighted += weight * bin as f32;
    }
    weighted / sum
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sharp_distribution_is_its_bin_and_a_flat_one_its_middle() {
        assert!((expected_bin(&[0.0, 0.0, 60.0, 0.0]) - 2.0).abs() < 1e-4);
        assert!((expected_bin(&[1.0; 11]) - 5.0).abs() < 1e-4);
    }
}
