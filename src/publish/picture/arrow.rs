//! The arrow of a cell: where people go on the whole, how much they agree, how many they are.
//!
//! In: the [`Passages`] of a cell. Out: an arrow of smooth edges on a [`Sheet`]; a disc where people go every way alike.

use super::Passages;
use super::sheet::Sheet;

/// An arrow round its middle.
pub struct Arrow {
    /// Where it points, rad; a quarter turn is up.
    direction: f64,
    /// From tail to tip, px.
    length: f64,
    /// Of the shaft, px.
    thickness: f64,
}

impl Arrow {
    /// The arrow of a cell with this side, px, where `most` passages are the most of any cell.
    pub fn of(passages: &Passages, most: f64, side: f64) -> Self {
        let share = if most > 0.0 { passages.n / most } else { 0.0 };
        Self {
            direction: passages.direction(),
            length: LENGTH_MAX * side * passages.agreement(),
            thickness: side * (THICKNESS_MIN + (THICKNESS_MAX - THICKNESS_MIN) * share),
        }
    }

    /// Draws it round a middle, px.
    pub fn draw(&self, sheet: &mut Sheet, middle: [f64; 2]) {
        let reach = self.length.max(3.0 * self.thickness) / 2.0 + 1.0;
        let [columns, rows] = middle.map(|at| (at - reach).max(0.0) as u32..=(at + reach).max(0.0) as u32);
        let ink = sheet.theme().ink();
        for y in rows {
            for x in columns.clone() {
                let inside = SAMPLES.iter().flat_map(|dy| SAMPLES.map(|dx| [f64::from(x) + dx, f64::from(y) + dy]));
                let inside = inside.filter(|at| self.covers([at[0] - middle[0], at[1] - middle[1]])).count();
                if inside > 0 {
                    sheet.lay([x, y], ink, inside as f64 / (SAMPLES.len() * SAMPLES.len()) as f64);
                }
            }
        }
    }

    /// Whether a place relative to the middle, px, y down, lies on it.
    fn covers(&self, [x, y]: [f64; 2]) -> bool {
        let head = HEAD * self.thickness;
        if self.length < head {
            return x.hypot(y) <= self.thickness;
        }
        let (sin, cos) = self.direction.sin_cos();
        let (along, across) = (x * cos - y * sin, (x * sin + y * cos).abs());
        let (tail, tip) = (-self.length / 2.0, self.length / 2.0);
        let neck = tip - head;
        (along >= tail && along <= neck && across <= self.thickness / 2.0)
            || (along >= neck && along <= tip && across <= (tip - along) * HEAD_SLOPE)
    }
}

/// Draws what length and thickness mean, with the left edge at `left`, px.
pub fn draw_key(sheet: &mut Sheet, left: u32, most: f64) {
    const SIDE_PX: f64 = 40.0;
    let samples = [(1.0, 1.0, "agree"), (0.45, 1.0, "mixed"), (0.0, 1.0, "every way")];
    sheet.words("passages", [left, 2]);
    sheet.words(&format!("thickest {most:.0}"), [left, 16]);
    for (row, (agreement, share, word)) in (0u32..).zip(samples) {
        let top = 34 + 30 * row;
        let passages = Passages { n: share, sum: [agreement * share, 0.0] };
        Arrow::of(&passages, 2.0, SIDE_PX * 0.8).draw(sheet, [f64::from(left) + 16.0, f64::from(top) + 8.0]);
        sheet.words(word, [left + 36, top + 2]);
    }
}

/// Places within a pixel that are asked, along each side.
const SAMPLES: [f64; 4] = [0.125, 0.375, 0.625, 0.875];
/// Length where all agree, and thickness of the shaft where there are few and where there are most, of a cell's side.
const LENGTH_MAX: f64 = 0.92;
const THICKNESS_MIN: f64 = 0.05;
const THICKNESS_MAX: f64 = 0.2;
/// Length of the head in thicknesses of the shaft, and half its width for its length.
const HEAD: f64 = 2.2;
const HEAD_SLOPE: f64 = 0.65;
