//! What a picture is read by: a bar of colours with round numbers and their unit, and a key of the patterns.
//!
//! In: the ends of a scale, or the fills that occur. Out: drawing on a [`Sheet`]. Invariant: every number stands at its colour.

use super::BLIND;
use super::sheet::{Fill, Sheet, width_of};

/// A bar of colours.
pub struct Scale<'a> {
    /// Lowest value.
    pub from: f64,
    /// Highest value; a bar without length is not drawn.
    pub to: f64,
    /// Room there is from the top down, px.
    pub height: u32,
    /// What it measures.
    pub unit: &'a str,
    /// Colour of a value.
    pub colour: &'a dyn Fn(f64) -> [u8; 3],
}

/// Draws a bar of colours from the top of the sheet down, with its left edge at `left`, px.
pub fn draw(sheet: &mut Sheet, left: u32, scale: &Scale<'_>) {
    let span = scale.to - scale.from;
    if span <= 0.0 {
        return;
    }
    for (line, words) in (0u32..).zip(scale.unit.lines()) {
        sheet.words(words, [left, 2 + LINE_PX * line]);
    }
    let top = 8 + LINE_PX * (scale.unit.lines().count() as u32).max(1);
    let height = scale.height.saturating_sub(top + 8).clamp(BAR_PX_MIN, BAR_PX_MAX);
    let row_of = |value: f64| top + ((scale.to - value) / span * f64::from(height - 1)).round() as u32;
    for row in 0..height {
        let colour = (scale.colour)(scale.to - span * f64::from(row) / f64::from(height - 1));
        (0..BAR_WIDTH_PX).for_each(|x| sheet.dot([left + x, top + row], colour));
    }
    let step = step(span);
    let first = (scale.from / step).ceil() as i64;
    for value in (first..).map(|count| count as f64 * step).take_while(|value| *value <= scale.to + step / 1e6) {
        let row = row_of(value);
        let ink = sheet.theme().ink();
        (0..4).for_each(|x| sheet.dot([left + BAR_WIDTH_PX + x, row], ink));
        let sign = if scale.from < 0.0 && value > step / 2.0 { "+" } else { "" };
        sheet.words(&format!("{sign}{}", number(value, step)), [left + BAR_WIDTH_PX + 6, row.saturating_sub(6)]);
    }
}

/// A step that gives two to six round numbers on a bar: 1, 2 or 5 times a power of ten.
fn step(span: f64) -> f64 {
    let power = 10f64.powf((span / 4.0).log10().floor());
    let steps = [1.0, 2.0, 5.0, 10.0].map(|step| step * power);
    steps.into_iter().find(|step| span / step <= 5.0).unwrap_or(10.0 * power)
}

/// A number with as few decimals as tell it from its neighbours; thousands as k, millions as M.
fn number(value: f64, step: f64) -> String {
    let (scale, letter) = match step {
        step if step >= 1e6 => (1e6, "M"),
        step if step >= 1e3 => (1e3, "k"),
        _ => (1.0, ""),
    };
    let decimals = (-(step / scale).log10().floor()).max(0.0) as usize;
    // No "-0".
    let value = if value.abs() < step / 2.0 { 0.0 } else { value / scale };
    let letter = if value == 0.0 { "" } else { letter };
    format!("{value:.decimals$}{letter}")
}

/// The patterns that occur, each with its word, in rows.
pub struct Key {
    places: Vec<([u32; 2], Fill, &'static str)>,
    rows: u32,
}

impl Key {
    /// The key to these fills, in rows of this width, px.
    pub fn of(fills: impl Iterator<Item = Fill>, width: u32) -> Self {
        let mut found = [None; 4];
        for fill in fills {
            match fill {
                Fill::Hollow(_) => found[0] = Some(fill),
                Fill::Dotted(..) => found[1] = Some(fill),
                Fill::Hatched(..) => found[2] = Some(fill),
                Fill::Plain(BLIND) => found[3] = Some(fill),
                Fill::Plain(_) => {}
            }
        }
        let (mut places, mut at, mut rows) = (Vec::new(), 0, 0);
        for (fill, word) in found.into_iter().zip(WORDS).filter_map(|(fill, word)| fill.map(|fill| (fill, word))) {
            let wide = SWATCH_PX + 6 + width_of(word) + 14;
            if rows == 0 || at + wide > width {
                (at, rows) = (0, rows + 1);
            }
            places.push(([at, (rows - 1) * ROW_PX], fill, word));
            at += wide;
        }
        Self { places, rows }
    }

    /// Room it takes, px.
    pub fn height(&self) -> u32 {
        if self.rows == 0 { 0 } else { self.rows * ROW_PX + GAP_PX }
    }

    /// Draws it below `top`, px.
    pub fn draw(&self, sheet: &mut Sheet, top: u32) {
        for ([left, down], fill, word) in &self.places {
            let top = top + GAP_PX + down;
            sheet.square([*left, top], SWATCH_PX, *fill);
            sheet.words(word, [left + SWATCH_PX + 6, top + 1]);
        }
    }
}

const WORDS: [&str; 4] = ["none", "withheld at times", "withheld", "no camera"];
const BAR_WIDTH_PX: u32 = 14;
const BAR_PX_MIN: u32 = 90;
const BAR_PX_MAX: u32 = 240;
const LINE_PX: u32 = 13;
const SWATCH_PX: u32 = 16;
const ROW_PX: u32 = 20;
const GAP_PX: u32 = 8;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bar_has_two_to_six_round_numbers() {
        for (span, wanted) in [(5.0, 1.0), (63.0, 20.0), (1.0, 0.2), (9_000.0, 2_000.0), (126.0, 50.0)] {
            assert!((step(span) - wanted).abs() < 1e-9, "{span}: {}", step(span));
        }
    }

    #[test]
    fn numbers_are_as_short_as_they_can_be() {
        let told = [(0.2, 0.2), (0.0, 2_000.0), (4_000.0, 2_000.0), (-20.0, 20.0), (-0.0, 1.0), (3e6, 1e6)];
        assert_eq!(told.map(|(value, step)| number(value, step)), ["0.2", "0", "4k", "-20", "0", "3M"]);
    }
}
