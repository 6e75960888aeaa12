//! A released heatmap as a picture: bright where more, hatched where withheld, dark where no camera looks.
//!
//! In: a [`HeatView`] and which cells are seen. Out: a PNG, north (away from the door) up, one square per cell, with a
//! scale on the right on transparent ground. Colours: viridis (van der Walt and Smith, 2015; CC0), perceptually uniform and readable by
//! colour-blind people.

use image::codecs::png::{CompressionType, FilterType, PngEncoder};
use image::{Rgba, RgbaImage};

use crate::wire::read::HeatView;

/// Draws a heatmap; `seen` says which cells a camera sees.
#[must_use]
pub fn heatmap_png(heat: &HeatView, seen: &[bool]) -> Vec<u8> {
    let side = (CANVAS_PX / heat.columns.max(heat.rows).max(1) as u32).clamp(SIDE_PX_MIN, SIDE_PX_MAX);
    let (width, height) = (heat.columns as u32 * side, heat.rows as u32 * side);
    let mut picture = RgbaImage::new(width + SCALE_PX, height.max(SCALE_HEIGHT_PX_MIN));
    let least = heat.cells.iter().flatten().copied().min().unwrap_or(0);
    for (cell, value) in heat.cells.iter().enumerate() {
        let (column, row) = ((cell % heat.columns) as u32, (cell / heat.columns) as u32);
        let origin = [column * side, height - (row + 1) * side];
        let is_seen = seen.get(cell).copied().unwrap_or(false);
        fill_cell(&mut picture, origin, side, |x, y| match value {
            Some(value) => viridis(share(*value, least, heat.max)),
            None if !is_seen => BLIND,
            None if (x + y) % HATCH_PX < HATCH_PX / 3 => HATCH,
            None => WITHHELD,
        });
    }
    draw_scale(&mut picture, width + 8, heat);
    let mut png = Vec::new();
    let encoder = PngEncoder::new_with_quality(&mut png, CompressionType::Best, FilterType::NoFilter);
    picture.write_with_encoder(encoder).expect("writing to memory");
    png
}

fn fill_cell(picture: &mut RgbaImage, [left, top]: [u32; 2], side: u32, color: impl Fn(u32, u32) -> [u8; 3]) {
    for y in 0..side - 1 {
        for x in 0..side - 1 {
            picture.put_pixel(left + x, top + y, opaque(color(left + x, top + y)));
        }
    }
}

/// A bar from the smallest to the largest released value, with both numbers (person-time in s).
fn draw_scale(picture: &mut RgbaImage, left: u32, heat: &HeatView) {
    let Some(least) = heat.cells.iter().flatten().min() else { return };
    let (top, bottom) = (14, picture.height().min(220) - 14);
    for y in top..bottom {
        let color = viridis(f64::from(bottom - y) / f64::from(bottom - top));
        (0..14).for_each(|x| picture.put_pixel(left + x, y, opaque(color)));
    }
    // Person-time is labelled in seconds.
    let unit = if heat.layer == "dwell" { 1000 } else { 1 };
    draw_number(picture, [left, 2], heat.max / unit);
    draw_number(picture, [left, bottom + 3], *least / unit);
}

fn opaque([red, green, blue]: [u8; 3]) -> Rgba<u8> {
    Rgba([red, green, blue, 255])
}

/// Where a value lies between the smallest and the largest released one; the only one there is lies at the top.
fn share(value: u32, least: u32, max: u32) -> f64 {
    if max > least { f64::from(value - least) / f64::from(max - least) } else { 1.0 }
}

/// Colour of a share between 0 and 1.
fn viridis(share: f64) -> [u8; 3] {
    let place = share.clamp(0.0, 1.0) * (VIRIDIS.len() - 1) as f64;
    let below = (place as usize).min(VIRIDIS.len() - 2);
    let part = place - below as f64;
    std::array::from_fn(|channel| {
        let (from, to) = (f64::from(VIRIDIS[below][channel]), f64::from(VIRIDIS[below + 1][channel]));
        (from + part * (to - from)).round() as u8
    })
}

fn draw_number(picture: &mut RgbaImage, [left, top]: [u32; 2], number: u32) {
    for (place, digit) in number.to_string().bytes().enumerate() {
        let rows = DIGITS[usize::from(digit - b'0')];
        for (y, row) in rows.iter().enumerate() {
            for x in (0..3).filter(|x| row & (4 >> x) != 0) {
                let (x, y) = (left + place as u32 * 8 + x * 2, top + y as u32 * 2);
                for (dx, dy) in [(0, 0), (1, 0), (0, 1), (1, 1)] {
                    if x + dx < picture.width() && y + dy < picture.height() {
                        picture.put_pixel(x + dx, y + dy, opaque(INK));
                    }
                }
            }
        }
    }
}

/// Longest side of the map, px.
const CANVAS_PX: u32 = 720;
const SIDE_PX_MIN: u32 = 6;
const SIDE_PX_MAX: u32 = 40;
/// Room for the scale on the right, px.
const SCALE_PX: u32 = 72;
const SCALE_HEIGHT_PX_MIN: u32 = 80;
const HATCH_PX: u32 = 9;
/// Readable on light and on dark ground.
const INK: [u8; 3] = [128, 128, 132];
const BLIND: [u8; 3] = [92, 92, 98];
const WITHHELD: [u8; 3] = [226, 226, 222];
const HATCH: [u8; 3] = [176, 176, 172];
/// Viridis at nine equal steps.
const VIRIDIS: [[u8; 3]; 9] = [
    [68, 1, 84],
    [71, 45, 123],
    [59, 82, 139],
    [44, 114, 142],
    [33, 145, 140],
    [40, 174, 128],
    [94, 201, 98],
    [173, 220, 48],
    [253, 231, 37],
];
/// Digits of 3 × 5 dots, one row per entry, highest bit left.
const DIGITS: [[u8; 5]; 10] = [
    [7, 5, 5, 5, 7],
    [2, 6, 2, 2, 7],
    [7, 1, 7, 4, 7],
    [7, 1, 7, 1, 7],
    [5, 5, 7, 1, 1],
    [7, 4, 7, 1, 7],
    [7, 4, 7, 5, 7],
    [7, 1, 2, 2, 2],
    [7, 5, 7, 5, 7],
    [7, 5, 7, 1, 7],
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn released_withheld_and_blind_cells_look_different() {
        let heat = HeatView {
            layer: "visits".into(),
            plan: "hall".into(),
            columns: 3,
            rows: 1,
            cell_mm: 1000,
            cells: vec![Some(9), None, None],
            max: 9,
        };
        let png = heatmap_png(&heat, &[true, true, false]);
        let picture = image::load_from_memory(&png).expect("a picture").to_rgb8();
        let at = |column: u32| picture.get_pixel(column * 40 + 5, 20).0;
        assert_eq!(at(0), VIRIDIS[8]);
        assert!(at(1) == WITHHELD || at(1) == HATCH);
        assert_eq!(at(2), BLIND);
    }
}
