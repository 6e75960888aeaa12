//! The plan of the covered area: where on the floor cameras see, with lines, zones and places where nobody counts.
//!
//! In: settings. Out: an SVG for each floor, and numbered names beside it. Invariant: only what is measured in metres is drawn;
//! what exists on a camera's picture alone is named and not placed.

use std::fmt::Write;

use super::layout::escape;
use crate::config::{Drawn, Settings};
use crate::floor::{on_floor_mm, visible_cells};

/// A floor, drawn.
pub struct Plan {
    /// Name of the floor.
    pub floor: String,
    /// The drawing.
    pub svg: String,
    /// Names by their numbers on the drawing.
    pub legend: Vec<(String, Kind)>,
}

/// What a shape is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A line that is counted.
    Line,
    /// A zone.
    Zone,
    /// A place where nobody counts.
    Ignored,
}

/// The plans of all floors.
#[must_use]
pub fn plans(settings: &Settings) -> Vec<Plan> {
    (0..settings.floors.len()).map(|floor| plan(settings, floor)).collect()
}

/// Names of what is drawn on pictures alone.
#[must_use]
pub fn unplaced(settings: &Settings) -> Vec<String> {
    let mut names = Vec::new();
    for (camera, name, drawn) in drawn(settings).map(|shape| (shape.camera, shape.name, shape.drawn)) {
        let camera = &settings.cameras[camera];
        if camera.floor.is_none() || on_floor_mm(camera, drawn).is_none() {
            names.push(name.to_owned());
        }
    }
    names
}

struct Shape<'a> {
    camera: usize,
    name: &'a str,
    drawn: &'a Drawn,
    kind: Kind,
}

fn drawn(settings: &Settings) -> impl Iterator<Item = Shape<'_>> {
    let zones = settings.zones.iter().map(|zone| Shape {
        camera: zone.camera,
        name: &zone.name,
        drawn: &zone.polygon,
        kind: Kind::Zone,
    });
    let lines = settings.lines.iter().map(|line| Shape {
        camera: line.camera,
        name: &line.name,
        drawn: &line.ends_and_inside,
        kind: Kind::Line,
    });
    let ignores = settings.ignores.iter().filter_map(|ignore| {
        let camera = *ignore.cameras.first()?;
        Some(Shape { camera, name: &ignore.id, drawn: &ignore.polygon, kind: Kind::Ignored })
    });
    zones.chain(lines).chain(ignores)
}

fn plan(settings: &Settings, floor: usize) -> Plan {
    let grid = &settings.floors[floor];
    let cell_m = f64::from(grid.cell_mm) / 1000.0;
    let (columns, rows) = (f64::from(grid.columns), f64::from(grid.rows));
    let (width, height) = (columns * cell_m * PX_PER_M, rows * cell_m * PX_PER_M);
    // Metres go up from the door, pictures down.
    let at = |[x, y]: [i64; 2]| {
        let [x, y] =
            [(x, grid.origin_mm[0]), (y, grid.origin_mm[1])].map(|(at, from)| (at - from) as f64 / 1000.0 * PX_PER_M);
        (x, height - y)
    };
    let mut svg = format!(
        "<svg class=\"plan\" viewBox=\"-20 -20 {:.1} {:.1}\" role=\"img\" aria-label=\"{}\" font-family=\"sans-serif\">\
         <rect width=\"{width:.1}\" height=\"{height:.1}\" fill=\"#ffffff\" stroke=\"#4a5763\" stroke-width=\"2\"/>\
         <path d=\"{}\" fill=\"#cfe2f4\"/>",
        width + 40.0,
        height + 70.0,
        escape(&grid.name),
        seen(settings, floor, height)
    );
    let mut legend = Vec::new();
    for shape in drawn(settings).filter(|shape| settings.cameras[shape.camera].floor == Some(floor)) {
        let Some(points) = on_floor_mm(&settings.cameras[shape.camera], shape.drawn) else { continue };
        legend.push((shape.name.to_owned(), shape.kind));
        let points: Vec<(f64, f64)> = points.into_iter().map(at).collect();
        outline(&mut svg, shape.kind, &points, legend.len());
    }
    let bar = 5.0 * PX_PER_M;
    let _ = write!(
        svg,
        "<path d=\"M0 {0:.1}v10h{bar:.1}v-10\" fill=\"none\" stroke=\"#17212b\" stroke-width=\"2\"/>\
         <text x=\"{1:.1}\" y=\"{2:.1}\" font-size=\"16\" fill=\"#17212b\">5 m</text></svg>",
        height + 14.0,
        bar + 8.0,
        height + 28.0
    );
    Plan { floor: grid.name.clone(), svg, legend }
}

/// The cells that some camera sees, as one path.
fn seen(settings: &Settings, floor: usize, height: f64) -> String {
    let grid = &settings.floors[floor];
    let side = f64::from(grid.cell_mm) / 1000.0 * PX_PER_M;
    let columns = grid.columns as usize;
    let mut path = String::new();
    for (cell, _) in visible_cells(settings, floor).iter().enumerate().filter(|(_, is_seen)| **is_seen) {
        let (column, row) = ((cell % columns) as f64, (cell / columns) as f64);
        let _ =
            write!(path, "M{:.1} {:.1}h{side:.1}v{side:.1}h-{side:.1}z", column * side, height - (row + 1.0) * side);
    }
    path
}

fn outline(svg: &mut String, kind: Kind, points: &[(f64, f64)], number: usize) {
    let corners: &[(f64, f64)] = if kind == Kind::Line { &points[..2.min(points.len())] } else { points };
    let path: Vec<String> = corners.iter().map(|(x, y)| format!("{x:.1} {y:.1}")).collect();
    let look = match kind {
        Kind::Line => r##"fill="none" stroke="#b4500b" stroke-width="5" stroke-linecap="round""##,
        Kind::Zone => r##"fill="#10335c" fill-opacity="0.12" stroke="#10335c" stroke-width="2.5""##,
        Kind::Ignored => {
            r##"fill="#4a5763" fill-opacity="0.3" stroke="#4a5763" stroke-width="2" stroke-dasharray="6 4""##
        }
    };
    let close = if kind == Kind::Line { "" } else { "z" };
    let middle = mark(kind, corners);
    let _ = write!(
        svg,
        "<path d=\"M{}{close}\" {look}/><circle cx=\"{:.1}\" cy=\"{:.1}\" r=\"13\" fill=\"#ffffff\" stroke=\"#17212b\"/>\
         <text x=\"{:.1}\" y=\"{:.1}\" font-size=\"16\" font-weight=\"700\" text-anchor=\"middle\" fill=\"#17212b\">{number}</text>",
        path.join("L"),
        middle.0,
        middle.1,
        middle.0,
        middle.1 + 5.5
    );
}

/// Where a number stands: at the beginning of a line, in the middle of a place, so that a line through a place has its own.
fn mark(kind: Kind, corners: &[(f64, f64)]) -> (f64, f64) {
    match (kind, corners) {
        (Kind::Line, [begin, end]) => (begin.0 + (end.0 - begin.0) * 0.12, begin.1 + (end.1 - begin.1) * 0.12),
        _ => {
            let count = corners.len().max(1) as f64;
            corners.iter().fold((0.0, 0.0), |sum, at| (sum.0 + at.0 / count, sum.1 + at.1 / count))
        }
    }
}

const PX_PER_M: f64 = 20.0;
