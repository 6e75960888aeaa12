//! The benchmark as a picture: cameras side by side, the CPU of each stage on top of the other, against the cores there are.
//!
//! In: a [`Chart`]. Out: a PNG. Whether a number of cameras is sustained is told by shape and not by colour alone; the
//! colours are those of Okabe and Ito (2002), which colour-blind people tell apart. Letters come with the library, so that
//! a box needs no font.

use embedded_graphics::mono_font::ascii::{FONT_9X15, FONT_10X20};
use embedded_graphics::pixelcolor::Rgb888;
use embedded_graphics::text::Alignment;

use crate::cli::canvas::{Canvas, GRID, INK, PALETTE, VERMILION, number, tick};

/// What is drawn.
pub struct Chart {
    /// The answer, in one line.
    pub title: String,
    /// What it was measured on, a line each.
    pub subtitle: [String; 2],
    /// What the parts of a column are, from below.
    pub parts: Vec<&'static str>,
    /// Cores there are.
    pub cores: usize,
    /// From left to right.
    pub columns: Vec<Column>,
}

/// One number of cameras.
pub struct Column {
    /// How many.
    pub cameras: u32,
    /// Cores in use, by part.
    pub cores: Vec<f64>,
    /// Whether it was sustained.
    pub is_sustained: bool,
    /// Looks per second of the camera that got the fewest.
    pub looks_per_s_min: f64,
    /// Most memory of the eye, MB.
    pub rss_peak_mb: f64,
}

impl Chart {
    /// Draws it as a PNG.
    #[must_use]
    pub fn png(&self) -> Vec<u8> {
        self.draw().png()
    }

    fn draw(&self) -> Canvas {
        let mut canvas = Canvas::new([WIDTH, HEIGHT]);
        canvas.text(&self.title, [LEFT, 16], &FONT_10X20, Alignment::Left);
        for (line, text) in (0..).zip(&self.subtitle) {
            canvas.text(text, [LEFT, 42 + 18 * line], &FONT_9X15, Alignment::Left);
        }
        self.axis(&mut canvas);
        for (slot, column) in (0..).zip(&self.columns) {
            self.column(&mut canvas, slot, column);
        }
        self.limit(&mut canvas);
        self.legend(&mut canvas);
        canvas
    }

    /// Cores at the upper end of the axis.
    fn top(&self) -> f64 {
        let highest = self.columns.iter().map(|column| column.cores.iter().sum()).fold(self.cores as f64, f64::max);
        highest * HEADROOM
    }

    fn y_of(&self, cores: f64) -> i32 {
        BOTTOM - (cores / self.top() * f64::from(BOTTOM - TOP)).round() as i32
    }

    /// Middle of a column and half its width, px.
    fn place(&self, slot: i32) -> [i32; 2] {
        let width = (RIGHT - LEFT) / self.columns.len().max(1) as i32;
        [LEFT + width * slot + width / 2, (width * 3 / 10).min(COLUMN_HALF_PX_MAX)]
    }

    fn axis(&self, canvas: &mut Canvas) {
        let step = tick(self.top());
        let ticks = (0..).map(|count| f64::from(count) * step).take_while(|cores| *cores <= self.top());
        for cores in ticks {
            let y = self.y_of(cores);
            canvas.line([LEFT, y], [RIGHT, y], GRID, 1);
            canvas.text(&number(cores), [LEFT - 10, y - 9], &FONT_10X20, Alignment::Right);
        }
        canvas.line([LEFT, BOTTOM], [RIGHT, BOTTOM], INK, 2);
        canvas.text("CPU, cores in use", [LEFT, TOP - 24], &FONT_9X15, Alignment::Left);
        for (row, text) in (0..).zip(["cameras", "looks/s*", "memory MB"]) {
            canvas.text(text, [LEFT - 10, BOTTOM + ROW_PX * row + 12], &FONT_9X15, Alignment::Right);
        }
        let note = "* of the camera that got the fewest";
        canvas.text(note, [LEFT, HEIGHT - 26], &FONT_9X15, Alignment::Left);
    }

    fn column(&self, canvas: &mut Canvas, slot: i32, column: &Column) {
        let [middle, half] = self.place(slot);
        let mut below = 0.0;
        for (part, cores) in column.cores.iter().enumerate() {
            let (low, high) = (self.y_of(below), self.y_of(below + cores));
            canvas.fill([middle - half, high], [2 * half, low - high], self.color(part));
            below += cores;
        }
        let mark = [middle, self.y_of(below) - MARK_PX - 4];
        if column.is_sustained {
            canvas.disc(mark, MARK_PX, INK)
        } else {
            canvas.cross(mark, MARK_PX, VERMILION)
        }
        let rows = [
            column.cameras.to_string(),
            format!("{:.2}", column.looks_per_s_min),
            format!("{:.0}", column.rss_peak_mb),
        ];
        for (row, text) in (0..).zip(&rows) {
            canvas.text(text, [middle, BOTTOM + ROW_PX * row + 10], &FONT_10X20, Alignment::Center);
        }
    }

    /// The line nobody gets above.
    fn limit(&self, canvas: &mut Canvas) {
        let y = self.y_of(self.cores as f64);
        for x in (LEFT..RIGHT).step_by(14) {
            canvas.line([x, y], [(x + 8).min(RIGHT), y], INK, 2);
        }
        let plural = if self.cores == 1 { "" } else { "s" };
        canvas.text(&format!("{} core{plural}", self.cores), [RIGHT + 12, y - 9], &FONT_10X20, Alignment::Left);
    }

    /// The parts in the order in which they lie on each other, and what the marks mean.
    fn legend(&self, canvas: &mut Canvas) {
        let mut y = self.y_of(self.cores as f64) + 44;
        for (part, name) in self.parts.iter().enumerate().rev() {
            canvas.fill([RIGHT + 12, y], [18, 18], self.color(part));
            canvas.text(name, [RIGHT + 40, y + 1], &FONT_10X20, Alignment::Left);
            y += LEGEND_PX;
        }
        y += LEGEND_PX / 2;
        canvas.disc([RIGHT + 21, y + 9], MARK_PX, INK);
        canvas.text("sustained", [RIGHT + 40, y], &FONT_10X20, Alignment::Left);
        y += LEGEND_PX;
        canvas.cross([RIGHT + 21, y + 9], MARK_PX, VERMILION);
        canvas.text("not sustained", [RIGHT + 40, y], &FONT_10X20, Alignment::Left);
    }

    /// Colour of a part; the last one is what is left over.
    fn color(&self, part: usize) -> Rgb888 {
        if part + 1 == self.parts.len() { REST } else { PALETTE[part % PALETTE.len()] }
    }
}

const WIDTH: i32 = 1200;
const HEIGHT: i32 = 720;
/// The area of the columns, px.
const LEFT: i32 = 120;
const RIGHT: i32 = 980;
const TOP: i32 = 128;
const BOTTOM: i32 = 570;
/// Room above the highest column, for its mark.
const HEADROOM: f64 = 1.08;
const COLUMN_HALF_PX_MAX: i32 = 48;
/// From one row of numbers below the columns to the next, px.
const ROW_PX: i32 = 32;
const LEGEND_PX: i32 = 30;
/// Half the size of a mark, px.
const MARK_PX: i32 = 9;
const REST: Rgb888 = Rgb888::new(150, 150, 154);

#[cfg(test)]
mod tests {
    use super::*;

    /// So many columns, each a fifth of a core higher than the one before, the last one too much.
    fn chart(columns: u32) -> Chart {
        let column = |number| Column {
            cameras: number,
            cores: vec![0.1 * f64::from(number), 0.05 * f64::from(number), 0.05 * f64::from(number)],
            is_sustained: number < columns,
            looks_per_s_min: 5.0,
            rss_peak_mb: 130.0,
        };
        Chart {
            title: "7 of 8 cameras sustained".into(),
            subtitle: ["a clip".into(), "a network".into()],
            parts: vec!["capture", "inference", "rest"],
            cores: 2,
            columns: (1..=columns).map(column).collect(),
        }
    }

    /// How many pixels of a colour lie within half a column of `middle`, above the ground line.
    fn count(canvas: &Canvas, [middle, half]: [i32; 2], color: Rgb888) -> usize {
        canvas.count([middle - half, TOP], [middle + half, BOTTOM - 2], color)
    }

    #[test]
    fn every_number_of_cameras_has_a_column_as_high_as_its_cost() {
        for columns in [1, 2, 8, 13] {
            let chart = chart(columns);
            let canvas = chart.draw();
            for (slot, column) in (0..).zip(&chart.columns) {
                let place = chart.place(slot);
                let area = 2 * place[1] as usize;
                let capture_px = count(&canvas, place, PALETTE[0]) / area;
                let expected_px = (BOTTOM - chart.y_of(column.cores[0])) as usize;
                assert!(capture_px.abs_diff(expected_px) <= 3, "{slot} of {columns}: {capture_px} {expected_px}");
                assert!(count(&canvas, place, REST) > area, "{slot} of {columns}");
            }
        }
    }

    #[test]
    fn what_is_sustained_and_what_is_not_have_marks_of_their_own() {
        let chart = chart(4);
        let canvas = chart.draw();
        let crosses: Vec<bool> = (0..4).map(|slot| count(&canvas, chart.place(slot), VERMILION) > 0).collect();
        assert_eq!(crosses, [false, false, false, true]);
        assert!(count(&canvas, chart.place(0), INK) > 100, "a disc");
    }

    #[test]
    fn neighbours_do_not_touch_and_nothing_is_drawn_outside() {
        let chart = chart(13);
        for slot in 0..12 {
            let [[left, half], [right, _]] = [chart.place(slot), chart.place(slot + 1)];
            assert!(left + half < right - half);
        }
        assert!(chart.place(12)[0] + chart.place(12)[1] < RIGHT);
    }

    #[test]
    fn the_picture_is_a_png_of_its_size() {
        let picture = image::load_from_memory(&chart(3).png()).expect("a picture");
        assert_eq!((picture.width(), picture.height()), (WIDTH as u32, HEIGHT as u32));
    }
}
