//! The score as a picture: lines and zones as they lie on the camera's picture, each error where it happened, and below,
//! for every line, when.
//!
//! In: a [`Geometry`] and a [`Report`]. Out: a PNG. Invariant: only geometry is drawn, no picture of anybody and no path;
//! every kind of error has a shape of its own, so that it is told without its colour.

use embedded_graphics::mono_font::ascii::{FONT_6X10, FONT_9X15, FONT_10X20};
use embedded_graphics::pixelcolor::Rgb888;
use embedded_graphics::text::Alignment;

use super::geometry::{Geometry, Line, Point, is_inside};
use super::lines::{Fault, Kind, LineScore};
use super::report::{LinesReport, Report};
use crate::cli::canvas::{Canvas, GRID, INK, PALETTE, VERMILION, number, tick};

/// Draws a score as a PNG.
#[must_use]
pub fn png(geometry: &Geometry, report: &Report) -> Vec<u8> {
    draw(geometry, report).png()
}

/// What is drawn and where.
struct Picture<'a> {
    geometry: &'a Geometry,
    /// Pixels drawn for a pixel of the camera's picture.
    scale: f64,
    strips: Vec<(String, &'a LineScore)>,
}

fn draw(geometry: &Geometry, report: &Report) -> Canvas {
    let strips = strips_of(report.lines.as_ref(), "").chain(strips_of(report.product_lines.as_ref(), " (site)"));
    let strips: Vec<(String, &LineScore)> = strips.collect();
    let [width, height] = geometry.picture;
    let scale = (f64::from(PLAN_WIDTH_MAX) / width).min(f64::from(PLAN_HEIGHT_MAX) / height);
    let picture = Picture { geometry, scale, strips };
    let mut canvas = Canvas::new([WIDTH, picture.bottom() + STRIP_PX * picture.strips.len() as i32 + FOOT_PX]);
    picture.title(&mut canvas, report);
    picture.plan(&mut canvas);
    picture.errors(&mut canvas, report);
    picture.legend(&mut canvas);
    picture.times(&mut canvas);
    canvas
}

fn strips_of<'a>(lines: Option<&'a LinesReport>, whose: &str) -> impl Iterator<Item = (String, &'a LineScore)> {
    let lines = lines.into_iter().flat_map(|report| &report.lines);
    lines.map(move |line| (format!("{}{whose}", line.line), line))
}

impl Picture<'_> {
    /// Lower border of the plan, px.
    fn bottom(&self) -> i32 {
        TOP + (self.geometry.picture[1] * self.scale).round() as i32
    }

    fn place(&self, [x, y]: Point) -> [i32; 2] {
        // Whatever is no i32 becomes the nearest one.
        [(f64::from(LEFT) + x * self.scale).round() as i32, (f64::from(TOP) + y * self.scale).round() as i32]
    }

    fn title(&self, canvas: &mut Canvas, report: &Report) {
        let title = match &report.lines {
            Some(lines) => {
                let pooled = &lines.pooled;
                format!(
                    "{} of {} crossings counted, {} too many, F1 {:.3}",
                    pooled.tp,
                    pooled.tp + pooled.missed,
                    pooled.fp,
                    pooled.f1
                )
            }
            None => "no line to be crossed".to_owned(),
        };
        canvas.text(&title, [LEFT, 16], &FONT_10X20, Alignment::Left);
        let mut words = Vec::new();
        if let Some(tracking) = &report.tracking {
            words.push(format!(
                "HOTA {:.1}  IDF1 {:.1}  MOTA {:.1}  IDSW {}",
                tracking.hota, tracking.idf1, tracking.mota, tracking.switches
            ));
        }
        if let Some(names) = &report.names {
            words.push(format!("{} ids for {} people", names.distinct_ids, names.people));
        }
        canvas.text(&words.join("   "), [LEFT, 42], &FONT_9X15, Alignment::Left);
    }

    /// The camera's picture without a picture: its border, zones, lines, and where the truth leaves people out.
    fn plan(&self, canvas: &mut Canvas) {
        let [width, height] = self.geometry.picture;
        for polygon in &self.geometry.unannotated {
            self.hatch(canvas, polygon);
        }
        for zone in &self.geometry.zones {
            let corners: Vec<[i32; 2]> = zone.polygon.iter().map(|corner| self.place(*corner)).collect();
            canvas.outline(&corners, ZONE, 3);
            if let Some([x, y]) = corners.first() {
                canvas.text(&zone.name, [x + 6, y + 6], &FONT_9X15, Alignment::Left);
            }
        }
        self.geometry.lines.iter().for_each(|line| self.line(canvas, line));
        let border = [[0.0, 0.0], [width, 0.0], [width, height], [0.0, height]].map(|corner| self.place(corner));
        canvas.outline(&border, INK, 1);
    }

    /// Fills a polygon with dots.
    fn hatch(&self, canvas: &mut Canvas, polygon: &[Point]) {
        let [width, height] = self.geometry.picture;
        let step = DOT_STEP_PX / self.scale;
        let dots = |length: f64| (0..(length / step) as u32).map(move |index| (f64::from(index) + 0.5) * step);
        for dot in dots(width).flat_map(|x| dots(height).map(move |y| [x, y])) {
            if is_inside(polygon, dot) {
                canvas.fill(self.place(dot), [2, 2], DOT);
            }
        }
    }

    /// A line, its name, and an arrow to the positive side with the name of that direction.
    fn line(&self, canvas: &mut Canvas, line: &Line) {
        let [a, b] = line.ends.map(|end| self.place(end));
        canvas.line(a, b, LINE, 4);
        let upper = if a[1] <= b[1] { a } else { b };
        let above = [upper[0], (upper[1] - 20).max(TOP + 2)];
        canvas.text(&line.name, above, &FONT_9X15, Alignment::Center);
        let [from, to] = [a, b].map(|end| end.map(f64::from));
        let middle = [0, 1].map(|axis| f64::midpoint(from[axis], to[axis]));
        let way = [to[0] - from[0], to[1] - from[1]];
        let length = way[0].hypot(way[1]).max(1.0);
        let (along, across) = ([way[0] / length, way[1] / length], [-way[1] / length, way[0] / length]);
        let at = |out: f64, side: f64| {
            [0, 1].map(|axis| (middle[axis] + across[axis] * out + along[axis] * side).round() as i32)
        };
        canvas.line(at(0.0, 0.0), at(ARROW_PX, 0.0), LINE, 2);
        canvas.triangle([at(ARROW_PX + 8.0, 0.0), at(ARROW_PX, 6.0), at(ARROW_PX, -6.0)], LINE);
        let [x, y] = at(ARROW_PX + 22.0, 0.0);
        canvas.text(&line.directions[0], [x, y - 7], &FONT_9X15, Alignment::Center);
    }

    /// Each error where it happened, with its frame where there is room; who stood outside the picture is on its border.
    fn errors(&self, canvas: &mut Canvas, report: &Report) {
        let faults = report.lines.as_ref().map(LinesReport::errors).unwrap_or_default();
        let [right, bottom] = self.place(self.geometry.picture);
        let within = |[x, y]: [i32; 2]| [x.clamp(LEFT, right), y.clamp(TOP, bottom)];
        let places: Vec<[i32; 2]> = faults.iter().map(|fault| within(self.place(self.point(fault)))).collect();
        faults.iter().zip(&places).for_each(|(fault, place)| mark(canvas, fault.kind, *place));
        let mut taken: Vec<Area> = places.iter().map(|place| Area::around(*place)).collect();
        for (fault, place) in faults.iter().zip(&places) {
            let text = fault.frame.to_string();
            let free =
                Area::beside(*place, &text).into_iter().find(|area| !taken.iter().any(|other| area.meets(other)));
            if let Some(area) = free {
                canvas.text(&text, [area.left, area.top], &FONT_6X10, Alignment::Left);
                taken.push(area);
            }
        }
    }

    /// Where an error happened; on the middle of its line where nobody knows.
    fn point(&self, fault: &Fault) -> Point {
        let line = self.geometry.lines.iter().find(|line| line.name == fault.line);
        let middle = line.map(|line| [0, 1].map(|axis| (line.ends[0][axis] + line.ends[1][axis]) / 2.0));
        fault.at.or(middle).unwrap_or_default()
    }

    fn legend(&self, canvas: &mut Canvas) {
        let mut y = TOP + 4;
        let mut entry = |canvas: &mut Canvas, text: &str, draw: &dyn Fn(&mut Canvas, [i32; 2])| {
            draw(canvas, [LEGEND + 12, y + 9]);
            canvas.text(text, [LEGEND + 34, y], &FONT_10X20, Alignment::Left);
            y += LEGEND_PX;
        };
        for kind in Kind::ALL {
            entry(canvas, kind.name(), &|canvas, at| mark(canvas, kind, at));
        }
        entry(canvas, "counted rightly", &|canvas, at| canvas.disc(at, HIT_PX, HIT));
        entry(canvas, "line", &|canvas, [x, y]| canvas.line([x - 12, y], [x + 12, y], LINE, 4));
        if !self.geometry.zones.is_empty() {
            entry(canvas, "zone", &|canvas, [x, y]| {
                canvas.outline(&[[x - 10, y - 7], [x + 10, y - 7], [x + 10, y + 7], [x - 10, y + 7]], ZONE, 3);
            });
        }
        if !self.geometry.unannotated.is_empty() {
            entry(canvas, "not annotated", &|canvas, [x, y]| {
                [-8, 0, 8]
                    .iter()
                    .for_each(|dx| [-6, 2].iter().for_each(|dy| canvas.fill([x + dx, y + dy], [2, 2], DOT)));
            });
        }
        for note in ["numbers: frames", "arrow: first direction"] {
            canvas.text(note, [LEGEND, y], &FONT_9X15, Alignment::Left);
            y += 22;
        }
    }

    /// For every line, when people crossed it: the first direction above, the other below.
    fn times(&self, canvas: &mut Canvas) {
        if self.strips.is_empty() {
            return;
        }
        let duration_s = f64::from(self.geometry.frames) / self.geometry.fps;
        let top = self.bottom();
        let x_of = |at_s: f64| STRIP_LEFT + (at_s / duration_s * f64::from(STRIP_RIGHT - STRIP_LEFT)).round() as i32;
        // What happened after the end of the clip is on the right border.
        let x_of_frame = |frame: u32| x_of(f64::from(frame.min(self.geometry.frames)) / self.geometry.fps);
        let step = tick(duration_s);
        let below = top + STRIP_PX * self.strips.len() as i32;
        for at_s in (0..).map(|count| f64::from(count) * step).take_while(|at_s| *at_s <= duration_s) {
            canvas.line([x_of(at_s), top + 16], [x_of(at_s), below + 8], GRID, 1);
            canvas.text(&format!("{} s", number(at_s)), [x_of(at_s), below + 14], &FONT_9X15, Alignment::Center);
        }
        for (index, (name, line)) in (0..).zip(&self.strips) {
            let y = top + STRIP_PX * index + STRIP_PX / 2 + 10;
            canvas.line([STRIP_LEFT, y], [STRIP_RIGHT, y], INK, 2);
            canvas.text(&shortened(name), [LEFT, y - 8], &FONT_9X15, Alignment::Left);
            for (tally, dy) in line.directions.iter().zip([-26, 10]) {
                canvas.text(&tally.direction, [STRIP_LEFT - 8, y + dy], &FONT_9X15, Alignment::Right);
            }
            let row = |is_positive: bool| if is_positive { y - ROW_PX } else { y + ROW_PX };
            for hit in &line.hits {
                canvas.disc([x_of_frame(hit.frame), row(hit.is_positive)], HIT_PX, HIT);
            }
            for fault in &line.errors {
                mark(canvas, fault.kind, [x_of_frame(fault.frame), row(fault.is_positive)]);
            }
        }
    }
}

/// A part of the picture that is taken, px.
struct Area {
    left: i32,
    top: i32,
    right: i32,
    bottom: i32,
}

impl Area {
    /// That of a mark.
    fn around([x, y]: [i32; 2]) -> Self {
        Self { left: x - MARK_PX, top: y - MARK_PX, right: x + MARK_PX, bottom: y + MARK_PX }
    }

    /// Where the number of a mark may stand: right, left, below, above.
    fn beside([x, y]: [i32; 2], text: &str) -> [Self; 4] {
        let width = 6 * text.len() as i32;
        let at = |left: i32, top: i32| Self { left, top, right: left + width, bottom: top + 10 };
        let (out, half) = (MARK_PX + 3, width / 2);
        [at(x + out, y - 5), at(x - out - width, y - 5), at(x - half, y + out), at(x - half, y - out - 10)]
    }

    fn meets(&self, other: &Self) -> bool {
        self.left < other.right && other.left < self.right && self.top < other.bottom && other.top < self.bottom
    }
}

fn mark(canvas: &mut Canvas, kind: Kind, [x, y]: [i32; 2]) {
    match kind {
        Kind::Miss => canvas.cross([x, y], MARK_PX, VERMILION),
        Kind::False => canvas.square([x, y], MARK_PX - 1, FALSE),
        Kind::Duplicate => canvas.diamond([x, y], MARK_PX - 1, DUPLICATE),
        Kind::WrongDirection => {
            canvas.triangle([[x - MARK_PX, y + MARK_PX - 1], [x + MARK_PX, y + MARK_PX - 1], [x, y - MARK_PX]], INK);
        }
    }
}

/// As much of a name as fits beside its strip.
fn shortened(name: &str) -> String {
    if name.chars().count() <= NAME_MAX {
        return name.to_owned();
    }
    name.chars().take(NAME_MAX - 1).chain(['~']).collect()
}

const WIDTH: i32 = 1200;
const LEFT: i32 = 24;
const TOP: i32 = 72;
/// Largest plan, px.
const PLAN_WIDTH_MAX: i32 = 900;
const PLAN_HEIGHT_MAX: i32 = 660;
const LEGEND: i32 = 956;
const LEGEND_PX: i32 = 30;
/// Height of the strip of one line, px.
const STRIP_PX: i32 = 76;
const STRIP_LEFT: i32 = 230;
const STRIP_RIGHT: i32 = 1170;
/// From the axis of a strip to its marks, px.
const ROW_PX: i32 = 16;
/// Below the strips, px.
const FOOT_PX: i32 = 44;
/// Letters of a name beside a strip.
const NAME_MAX: usize = 17;
/// Half the size of a mark, px.
const MARK_PX: i32 = 8;
const HIT_PX: i32 = 5;
const ARROW_PX: f64 = 20.0;
/// From one dot to the next where the truth leaves people out, px.
const DOT_STEP_PX: f64 = 9.0;
const LINE: Rgb888 = PALETTE[0];
const ZONE: Rgb888 = PALETTE[1];
const FALSE: Rgb888 = PALETTE[2];
const HIT: Rgb888 = PALETTE[3];
const DUPLICATE: Rgb888 = PALETTE[5];
const DOT: Rgb888 = Rgb888::new(170, 170, 174);

#[cfg(test)]
mod tests {
    use super::super::covers::Covers;
    use super::super::geometry::parse;
    use super::super::lines::{Paths, Rules, crossings, score};
    use super::super::report::TracksReport;
    use super::*;
    use crate::cli::mot::rows;

    const TRUTH: &str = r#"{"width": 400, "height": 300, "frames": 70, "fps": 7,
        "unannotated": {"polygons": [[[0, 0], [400, 0], [400, 30], [0, 30]]]},
        "lines": [{"name": "gate", "a": [200, 50], "b": [200, 280], "events": [{"frame": 60, "id": 1, "dir": "pos"}]}],
        "zones": [{"name": "table", "polygon": [[20, 60], [90, 60], [90, 200]], "visit_list": []}]}"#;

    /// One person who crosses from left to right in frame 2, and is counted, but not where the truth has somebody.
    fn scored() -> (Geometry, Report) {
        let geometry = parse(TRUTH, [None; 2]).expect("a truth");
        let tracks = rows("1,7,90,100,20,50\n2,7,290,100,20,50", "frame,id,left,top,width,height").expect("rows");
        let rules = Rules { margin_px: geometry.margin_px, tolerance: 14 };
        let counted = crossings(&Paths::new(&tracks), &geometry.lines[0], rules.margin_px);
        let line = score(&geometry.lines[0], &counted, rules, &Covers::default(), &Paths::new(&[]));
        let tracks = TracksReport { rows: 2, ids: 1, is_stitched: false, every: 1, masked_rows: None };
        let lines = Some(LinesReport::new(vec![line], rules));
        let report = Report {
            truth: None,
            tracks,
            tracking: None,
            tracking_unmasked: None,
            names: None,
            lines,
            zones: Vec::new(),
            product_lines: None,
        };
        (geometry, report)
    }

    #[test]
    fn an_error_lies_where_it_happened_and_when_it_happened() {
        let (geometry, report) = scored();
        let canvas = draw(&geometry, &report);
        // 400 px of the camera are 880 px here.
        let near = |[x, y]: [i32; 2], color| canvas.count([x - 12, y - 12], [x + 12, y + 12], color);
        assert!(near([LEFT + 660, TOP + 330], FALSE) > 100, "the false one, at its foot");
        assert!(near([LEFT + 440, TOP + 363], VERMILION) > 30, "the miss, on the middle of its line");
        let y = TOP + 660 + STRIP_PX / 2 + 10;
        let x = |frame: i32| STRIP_LEFT + (STRIP_RIGHT - STRIP_LEFT) * frame / 70;
        assert!(near([x(60), y - ROW_PX], VERMILION) > 30 && near([x(2), y + ROW_PX], FALSE) > 100);
        assert_eq!(near([x(60), y + ROW_PX], VERMILION), 0);
    }

    #[test]
    fn a_line_as_long_as_a_truth_may_have_can_be_drawn_in_every_direction() {
        for picture in [[900, 660], [9000, 6600], [16_384, 1], [1, 16_384]] {
            let [x, y] = picture.map(|side| 2 * side);
            for [a, b] in
                [[[-x, -y], [x, y]], [[-x, y], [x, -y]], [[-x, y], [x, y]], [[x, -y], [x, y]], [[-x, 0], [x, y]]]
            {
                let text = format!(
                    r#"{{"width": {}, "height": {}, "frames": 9, "fps": 7,
                    "lines": [{{"name": "gate", "a": {a:?}, "b": {b:?}, "events": []}}],
                    "zones": [{{"name": "all", "polygon": [{a:?}, {b:?}, [{x}, {y}]], "visit_list": []}}]}}"#,
                    picture[0], picture[1]
                );
                let geometry = parse(&text, [None; 2]).expect("a truth");
                let canvas = draw(&geometry, &scored().1);
                assert!(canvas.count([0, 0], [WIDTH, TOP + 660], INK) > 100, "{text}");
            }
        }
    }

    #[test]
    fn whoever_was_counted_at_the_end_of_the_world_lies_on_the_border() {
        let (geometry, mut report) = scored();
        let fault = &mut report.lines.as_mut().expect("lines").lines[0].errors[0];
        (fault.at, fault.frame) = (Some([1e300, -1e300]), u32::MAX);
        let canvas = draw(&geometry, &report);
        let marked =
            |[x, y]: [i32; 2]| [FALSE, VERMILION].map(|color| canvas.count([x - 9, y - 9], [x + 9, y + 9], color));
        assert!(marked([LEFT + 880, TOP]) != [0, 0], "on the plan");
        let y = TOP + 660 + STRIP_PX / 2 + 10;
        assert!(marked([STRIP_RIGHT, y - ROW_PX]) != [0, 0] || marked([STRIP_RIGHT, y + ROW_PX]) != [0, 0], "in time");
    }

    #[test]
    fn geometry_is_drawn_and_the_picture_is_a_png() {
        let (geometry, report) = scored();
        let canvas = draw(&geometry, &report);
        let [plan, end] = [[LEFT, TOP], [LEFT + 880, TOP + 660]];
        for color in [LINE, ZONE, DOT] {
            assert!(canvas.count(plan, end, color) > 400, "{color:?}");
        }
        let picture = image::load_from_memory(&png(&geometry, &report)).expect("a picture");
        assert_eq!((picture.width(), picture.height()), (1200, (TOP + 660 + STRIP_PX + FOOT_PX) as u32));
    }
}
