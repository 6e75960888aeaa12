//! Released figures as pictures: amounts on the floor, the difference of two periods, the way people go.
//!
//! In: what is known of every cell ([`Cell`]). Out: a PNG, north (away from the door) up, one square per cell, with a scale and a
//! key of the patterns that occur. Invariant: five things look different whatever the colours do: an amount, an amount of only
//! some windows (dotted), a released zero (hollow), withheld (hatched), and where no camera looks (plain grey).

mod arrow;
pub mod colours;
mod scale;
mod sheet;

pub use sheet::Theme;

use crate::wire::read::HeatView;
use arrow::Arrow;
use sheet::{Fill, Sheet};

/// What is known of one cell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cell<T> {
    /// Released in every window there is.
    Known(T),
    /// Released in some windows and withheld in others; this is of those released.
    Partly(T),
    /// Withheld in every window there is.
    Withheld,
    /// No camera looks there.
    Blind,
}

/// Cells of a floor.
#[derive(Debug, Clone, PartialEq)]
pub struct Map<T> {
    /// Columns.
    pub columns: usize,
    /// The cells, row 0 at the origin, row by row.
    pub cells: Vec<Cell<T>>,
    /// What is shown, with its unit, for people.
    pub unit: String,
}

/// People's ways through a cell.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Passages {
    /// How many.
    pub n: f64,
    /// Sum of their unit vectors, along the door wall and away from it.
    pub sum: [f64; 2],
}

impl Passages {
    /// Mean direction, rad: 0 is along the door wall to the right, a quarter turn on is away from the door.
    #[must_use]
    pub fn direction(&self) -> f64 {
        self.sum[1].atan2(self.sum[0])
    }

    /// How much they agree, 0 to 1.
    #[must_use]
    pub fn agreement(&self) -> f64 {
        if self.n > 0.0 { (self.sum[0].hypot(self.sum[1]) / self.n).min(1.0) } else { 0.0 }
    }
}

impl Map<f64> {
    /// The cells of one released window; `seen` says which of them a camera sees.
    #[must_use]
    pub fn of_window(heat: &HeatView, seen: &[bool]) -> Self {
        let is_dwell = heat.layer == "dwell";
        let cell = |(index, cell): (usize, &Option<u32>)| match cell {
            // Person-time is told in seconds.
            Some(value) => Cell::Known(f64::from(*value) / if is_dwell { 1000.0 } else { 1.0 }),
            None if seen.get(index).copied().unwrap_or(false) => Cell::Withheld,
            None => Cell::Blind,
        };
        let unit = if is_dwell { "person-s" } else { "visits" };
        Self { columns: heat.columns, cells: heat.cells.iter().enumerate().map(cell).collect(), unit: unit.to_owned() }
    }

    /// Draws the bar of colours beside the map.
    fn scaled(&self, sheet: &mut Sheet, [from, to]: [f64; 2], colour: &dyn Fn(f64) -> [u8; 3]) {
        let [width, height] = self.size();
        let height = height.max(SCALE_HEIGHT_PX_MIN);
        scale::draw(sheet, width + SCALE_GAP_PX, &scale::Scale { from, to, height, unit: &self.unit, colour });
    }
}

impl<T: Copy> Map<T> {
    fn rows(&self) -> usize {
        self.cells.len() / self.columns.max(1)
    }

    /// Side of a cell, px.
    fn side(&self) -> u32 {
        (CANVAS_PX / self.columns.max(self.rows()).max(1) as u32).clamp(SIDE_PX_MIN, SIDE_PX_MAX)
    }

    fn size(&self) -> [u32; 2] {
        [self.columns, self.rows()].map(|cells| cells as u32 * self.side())
    }

    /// The cells with their upper left corners, px.
    fn places(&self) -> impl Iterator<Item = ([u32; 2], Cell<T>)> {
        let (side, rows) = (self.side(), self.rows() as u32);
        let columns = self.columns.max(1) as u32;
        (0u32..)
            .zip(&self.cells)
            .filter(move |(index, _)| index / columns < rows)
            .map(move |(index, cell)| ([index % columns * side, (rows - 1 - index / columns) * side], *cell))
    }

    /// What is known of the cells that are not withheld.
    fn values(&self) -> impl Iterator<Item = T> {
        self.cells.iter().filter_map(|cell| match cell {
            Cell::Known(value) | Cell::Partly(value) => Some(*value),
            Cell::Withheld | Cell::Blind => None,
        })
    }

    /// Draws the squares, the key below them and, at the right, what `beside` draws; `colour` is that of a value, none for a
    /// hollow square.
    fn drawn(&self, theme: Theme, colour: impl Fn(T) -> Option<[u8; 3]>) -> Sheet {
        let [width, height] = self.size();
        let width = (width + SCALE_PX).max(WIDTH_PX_MIN);
        let key = scale::Key::of(self.cells.iter().map(|cell| shown(*cell, &colour)), width);
        let mut sheet = Sheet::new([width, height.max(SCALE_HEIGHT_PX_MIN) + key.height()], theme);
        for (place, cell) in self.places() {
            // A gap of one pixel shows where cells end.
            sheet.square(place, self.side() - 1, shown(cell, &colour));
        }
        key.draw(&mut sheet, height.max(SCALE_HEIGHT_PX_MIN));
        sheet
    }
}

/// Draws one released window; `seen` says which cells a camera sees.
#[must_use]
pub fn heatmap_png(heat: &HeatView, seen: &[bool]) -> Vec<u8> {
    amount_png(&Map::of_window(heat, seen), Theme::Light)
}

/// Draws amounts, from nothing to the largest.
#[must_use]
pub fn amount_png(map: &Map<f64>, theme: Theme) -> Vec<u8> {
    let most = map.values().fold(0.0, f64::max);
    let colour = |value: f64| (value > 0.0).then(|| colours::amount(value / most));
    let mut sheet = map.drawn(theme, colour);
    map.scaled(&mut sheet, [0.0, most], &|value| colours::amount(value / most));
    sheet.png()
}

/// Draws differences on a scale that is centred on none.
#[must_use]
pub fn difference_png(map: &Map<f64>, theme: Theme) -> Vec<u8> {
    let most = map.values().map(f64::abs).fold(0.0, f64::max);
    let colour = |value: f64| colours::difference(if most > 0.0 { value / most } else { 0.0 });
    let mut sheet = map.drawn(theme, |value| Some(colour(value)));
    map.scaled(&mut sheet, [-most, most], &colour);
    sheet.png()
}

/// Draws an arrow for every cell with passages: it points where people go on the whole, is long where they agree and thick
/// where there are many.
#[must_use]
pub fn flow_png(map: &Map<Passages>, theme: Theme) -> Vec<u8> {
    let most = map.values().map(|passages| passages.n).fold(0.0, f64::max);
    let calm = match theme {
        Theme::Light => [240, 240, 236],
        Theme::Dark => [38, 40, 43],
    };
    let mut sheet = map.drawn(theme, |_: Passages| Some(calm));
    let side = f64::from(map.side());
    for ([left, top], cell) in map.places() {
        if let Cell::Known(passages) | Cell::Partly(passages) = cell {
            let middle = [left, top].map(|corner| f64::from(corner) + side / 2.0);
            Arrow::of(&passages, most, side).draw(&mut sheet, middle);
        }
    }
    arrow::draw_key(&mut sheet, map.size()[0] + SCALE_GAP_PX, most);
    sheet.png()
}

/// How a cell is filled.
fn shown<T>(cell: Cell<T>, colour: impl Fn(T) -> Option<[u8; 3]>) -> Fill {
    match cell {
        Cell::Known(value) => colour(value).map_or(Fill::Hollow(ZERO_EDGE), Fill::Plain),
        Cell::Partly(value) => {
            let ground = colour(value).unwrap_or_else(|| colours::amount(0.0));
            Fill::Dotted(ground, colours::contrasting(ground))
        }
        Cell::Withheld => Fill::Hatched(WITHHELD, HATCH),
        Cell::Blind => Fill::Plain(BLIND),
    }
}

/// Longest side of the map, px.
const CANVAS_PX: u32 = 720;
const SIDE_PX_MIN: u32 = 6;
const SIDE_PX_MAX: u32 = 40;
/// Room for the scale on the right, px.
const SCALE_PX: u32 = 108;
const SCALE_GAP_PX: u32 = 8;
const SCALE_HEIGHT_PX_MIN: u32 = 130;
const WIDTH_PX_MIN: u32 = 240;
const BLIND: [u8; 3] = [92, 92, 98];
const WITHHELD: [u8; 3] = [226, 226, 222];
const HATCH: [u8; 3] = [160, 160, 156];
const ZERO_EDGE: [u8; 3] = [128, 128, 132];

#[cfg(test)]
mod tests {
    use super::*;
    use image::RgbImage;

    fn picture(png: &[u8]) -> RgbImage {
        image::load_from_memory(png).expect("a picture").to_rgb8()
    }

    fn row_of<T>(cells: Vec<Cell<T>>) -> Map<T> {
        Map { columns: cells.len(), cells, unit: "visits".into() }
    }

    /// All colours within the n-th cell of one row, each with how many pixels it has.
    fn colours_in(picture: &RgbImage, cell: u32) -> std::collections::BTreeMap<[u8; 3], usize> {
        let mut colours = std::collections::BTreeMap::new();
        for (x, y) in (0..39).flat_map(|x| (0..39).map(move |y| (x, y))) {
            *colours.entry(picture.get_pixel(cell * 40 + x, y).0).or_default() += 1;
        }
        colours
    }

    #[test]
    fn released_partly_zero_withheld_and_blind_cells_look_different_on_any_paper() {
        let map = row_of(vec![Cell::Known(9.0), Cell::Partly(9.0), Cell::Known(0.0), Cell::Withheld, Cell::Blind]);
        for theme in [Theme::Light, Theme::Dark] {
            let picture = picture(&amount_png(&map, theme));
            let [full, dotted, hollow, hatched, blind] = [0, 1, 2, 3, 4].map(|cell| colours_in(&picture, cell));
            let top = colours::amount(1.0);
            assert_eq!(full.keys().collect::<Vec<_>>(), [&top]);
            assert!(dotted.len() == 2 && dotted[&top] > 39 * 39 * 9 / 10, "{dotted:?}");
            assert_eq!(
                hollow.keys().copied().collect::<std::collections::BTreeSet<_>>(),
                [ZERO_EDGE, theme.paper()].into()
            );
            assert!(hatched.len() == 2 && hatched[&HATCH] > 39 * 39 / 4, "{hatched:?}");
            assert_eq!(blind.keys().collect::<Vec<_>>(), [&BLIND]);
        }
    }

    #[test]
    fn a_window_of_one_layer_is_drawn_from_its_payload() {
        let heat = HeatView {
            layer: "visits".into(),
            plan: "hall".into(),
            columns: 3,
            rows: 1,
            cell_mm: 1000,
            cells: vec![Some(9), None, None],
            max: 9,
        };
        assert_eq!(Map::of_window(&heat, &[true, true, false]).cells, [Cell::Known(9.0), Cell::Withheld, Cell::Blind]);
        let dwell = HeatView { layer: "dwell".into(), cells: vec![Some(2500), None, None], ..heat };
        assert_eq!(Map::of_window(&dwell, &[]).cells, [Cell::Known(2.5), Cell::Blind, Cell::Blind]);
    }

    #[test]
    fn the_first_row_of_a_map_lies_at_the_bottom() {
        let map = Map { columns: 1, cells: vec![Cell::Known(1.0), Cell::Known(2.0)], unit: String::new() };
        let picture = picture(&amount_png(&map, Theme::Light));
        assert_eq!(picture.get_pixel(10, 50).0, colours::amount(0.5));
        assert_eq!(picture.get_pixel(10, 10).0, colours::amount(1.0));
    }

    #[test]
    fn less_and_more_stand_on_one_scale_that_is_centred_on_none() {
        let map =
            row_of(vec![Cell::Known(-4.0), Cell::Known(0.0), Cell::Known(8.0), Cell::Withheld, Cell::Partly(2.0)]);
        let picture = picture(&difference_png(&map, Theme::Dark));
        let at = |cell: u32| picture.get_pixel(cell * 40 + 3, 3).0;
        assert_eq!([0, 1, 2, 4].map(at), [-0.5, 0.0, 1.0, 0.25].map(colours::difference));
        assert_eq!(colours_in(&picture, 3).len(), 2, "withheld is hatched here, too");
    }

    #[test]
    fn the_bar_runs_through_every_colour_of_the_map() {
        let map = row_of(vec![Cell::Known(8.0)]);
        let picture = picture(&amount_png(&map, Theme::Light));
        let bar: Vec<[u8; 3]> = (0..130).map(|y| picture.get_pixel(40 + 8 + 5, y).0).collect();
        assert!([0.0, 1.0].map(colours::amount).iter().all(|colour| bar.contains(colour)));
    }

    /// How much ink lies beside the shaft at the left, right, upper and lower end of an arrow: the head is wider.
    fn ink_in(passages: Passages) -> [u32; 4] {
        let picture = picture(&flow_png(&row_of(vec![Cell::Known(passages)]), Theme::Light));
        let ink = |x: u32, y: u32| 240u32.saturating_sub(u32::from(picture.get_pixel(x, y).0[0]));
        let mut ends = [0; 4];
        for across in (0..39).filter(|across: &u32| across.abs_diff(19) > 5) {
            for along in 4..16 {
                let here = [ink(along, across), ink(39 - along, across), ink(across, along), ink(across, 39 - along)];
                ends.iter_mut().zip(here).for_each(|(end, ink)| *end += ink);
            }
        }
        ends
    }

    #[test]
    fn an_arrow_points_where_people_go_and_away_from_the_door_is_up() {
        for (to, [x, y]) in [(0, [-1.0, 0.0]), (1, [1.0, 0.0]), (2, [0.0, 1.0]), (3, [0.0, -1.0])] {
            let ink = ink_in(Passages { n: 10.0, sum: [10.0 * x, 10.0 * y] });
            let darkest = (0..4).max_by_key(|end| ink[*end]);
            assert_eq!(darkest, Some(to), "{ink:?}");
        }
    }

    #[test]
    fn an_arrow_is_long_where_people_agree_and_thick_where_there_are_many() {
        let ink = |map: &Map<Passages>, cell: u32| {
            let picture = picture(&flow_png(map, Theme::Light));
            let is_dark = |x: u32, y: u32| picture.get_pixel(cell * 40 + x, y).0[0] < 120;
            let rows = (0..39).filter(|y| (0..39).any(|x| is_dark(x, *y))).count();
            (rows, (0..39).filter(|x| is_dark(*x, 34)).count())
        };
        let up = |n: f64, agreement: f64| Cell::Known(Passages { n, sum: [0.0, n * agreement] });
        let map = row_of(vec![up(40.0, 1.0), up(40.0, 0.6), up(5.0, 1.0)]);
        let [all, some, few] = [0, 1, 2].map(|cell| ink(&map, cell));
        assert!(all.0 > some.0 + 10 && all.0.abs_diff(few.0) < 3, "{all:?} {some:?} {few:?}");
        assert!(all.1 >= few.1 + 3, "{all:?} {few:?}");
    }

    #[test]
    fn a_map_of_nothing_and_the_largest_map_are_drawn() {
        let empty: Map<f64> = Map { columns: 0, cells: Vec::new(), unit: String::new() };
        assert!(picture(&amount_png(&empty, Theme::Light)).width() > 0);
        let large = Map { columns: 64, cells: vec![Cell::Withheld; 4096], unit: "visits".into() };
        assert!(picture(&difference_png(&large, Theme::Dark)).width() > 700);
    }
}
