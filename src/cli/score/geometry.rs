//! Lines and zones of a clip, and what truly happened there.
//!
//! In: `lines_gt.json` (several lines with `a`, `b` and numbered frames from 1) or a clip's `gt.json` (one line, frames
//! from 0, directions in words). Out: [`Geometry`], px and frames from 1. Invariant: what is not in the file follows from
//! the picture: a side is clear at a 72nd of its height, a gap is a second, a visit half a second.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::bounds::check;

/// A corner or a person's place on the picture, px, y down.
pub type Point = [f64; 2];

/// What a clip is measured by.
pub struct Geometry {
    /// Width and height of the picture, px.
    pub picture: Point,
    /// Frames per second.
    pub fps: f64,
    /// Frames of the clip.
    pub frames: u32,
    /// Distance from a line at which a side is clear, px.
    pub margin_px: f64,
    /// Frames somebody may be out of a zone within one visit.
    pub gap_frames: u32,
    /// Frames from which on a visit counts.
    pub visit_frames_min: u32,
    /// How many people there are.
    pub people: Option<usize>,
    /// Lines.
    pub lines: Vec<Line>,
    /// Zones.
    pub zones: Vec<Zone>,
    /// Where the truth leaves people out, polygons.
    pub unannotated: Vec<Vec<Point>>,
}

/// Which point of a person counts.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Anchor {
    /// Middle of the lower border of the box.
    Foot,
    /// Middle of the box.
    Centre,
}

/// A line from `a` to `b`; the positive side is the left one of somebody who looks from `b` to `a` on the picture.
pub struct Line {
    /// Its name.
    pub name: String,
    /// Whether the truth gives it none.
    pub is_unnamed: bool,
    /// Its ends.
    pub ends: [Point; 2],
    /// What crossings to the positive and to the negative side are called.
    pub directions: [String; 2],
    /// Which point of a person crosses it.
    pub anchor: Anchor,
    /// True crossings, in the order of the file.
    pub events: Vec<Event>,
}

/// One crossing.
#[derive(Clone)]
pub struct Event {
    /// Frame in which the far side was reached, from 1.
    pub frame: u32,
    /// Whether it went to the positive side.
    pub is_positive: bool,
    /// Who: a person of the truth, or a track.
    pub id: Option<i64>,
    /// Where they then were.
    pub at: Option<Point>,
}

/// A polygon in which people stay.
pub struct Zone {
    /// Its name.
    pub name: String,
    /// Its corners.
    pub polygon: Vec<Point>,
    /// Which point of a person must be inside.
    pub anchor: Anchor,
    /// True visits.
    pub stays: Vec<Stay>,
}

/// One true visit.
pub struct Stay {
    /// Who.
    pub who: String,
    /// First and last frame, from 1, where the truth tells: of the visit, or of the person on the picture.
    pub span: Option<[u32; 2]>,
    /// How long, frames.
    pub frames: f64,
}

impl Stay {
    /// Whether it took exactly from its first frame to its last; else these only tell when somebody was on the picture.
    #[must_use]
    pub fn is_exact(&self) -> bool {
        self.span.is_some_and(|[first, last]| f64::from(last) - f64::from(first) + 1.0 == self.frames)
    }
}

/// Side of `point` seen from the line `a`–`b`: greater than 0 on the positive one.
#[must_use]
pub fn side(a: Point, b: Point, point: Point) -> f64 {
    (b[0] - a[0]) * (point[1] - a[1]) - (b[1] - a[1]) * (point[0] - a[0])
}

/// Whether a point lies in a polygon.
#[must_use]
pub fn is_inside(polygon: &[Point], [x, y]: Point) -> bool {
    let mut inside = false;
    let mut before = polygon.len().wrapping_sub(1);
    for (index, one) in polygon.iter().enumerate() {
        let other = polygon[before];
        if (one[1] > y) != (other[1] > y) && x < (other[0] - one[0]) * (y - one[1]) / (other[1] - one[1]) + one[0] {
            inside = !inside;
        }
        before = index;
    }
    inside
}

/// Reads the truth of a clip; the first rate overrides what the file says, the second counts where it does not tell.
///
/// # Errors
/// What is missing or wrong.
pub fn parse(text: &str, rates: [Option<f64>; 2]) -> Result<Geometry, String> {
    let value: Value = serde_json::from_str(text).map_err(|error| format!("{error}; write JSON"))?;
    let geometry = if value.get("lines").is_some() {
        Lines::deserialize(&value).map_err(|error| error.to_string()).and_then(|file| file.geometry(rates))
    } else {
        Clip::deserialize(&value).map_err(|error| error.to_string()).and_then(|file| file.geometry(rates))
    }?;
    check(&geometry)?;
    Ok(geometry)
}

/// Frames per second: as given, else as the file says, else as somebody else does.
fn rate([given, otherwise]: [Option<f64>; 2], told: Option<f64>) -> Result<f64, String> {
    let fps = given.or(told).or(otherwise).ok_or("no fps; name the clip's frames per second with --fps")?;
    if RATES.contains(&fps) { Ok(fps) } else { Err(format!("fps {fps}: write 0.1 to 1000")) }
}

/// `lines_gt.json`.
#[derive(Deserialize)]
struct Lines {
    width: f64,
    height: f64,
    frames: u32,
    fps: Option<f64>,
    parameters: Option<Parameters>,
    unannotated: Option<Unannotated>,
    lines: Vec<DrawnLine>,
    #[serde(default)]
    zones: Vec<DrawnZone>,
    distinct_people: Option<usize>,
}

#[derive(Deserialize)]
struct Parameters {
    margin_px: f64,
    gap_frames: u32,
    min_visit_frames: u32,
}

#[derive(Deserialize)]
struct Unannotated {
    polygons: Vec<Vec<Point>>,
}

#[derive(Deserialize)]
struct DrawnLine {
    name: String,
    a: Point,
    b: Point,
    events: Vec<DrawnEvent>,
}

#[derive(Deserialize)]
struct DrawnEvent {
    frame: u32,
    dir: String,
    id: Option<i64>,
}

#[derive(Deserialize)]
struct DrawnZone {
    name: String,
    polygon: Vec<Point>,
    anchor: Option<String>,
    visit_list: Option<Vec<DrawnVisit>>,
    dwell_s: Option<Value>,
}

#[derive(Deserialize)]
struct DrawnVisit {
    id: i64,
    first: u32,
    last: u32,
}

impl Lines {
    fn geometry(self, rates: [Option<f64>; 2]) -> Result<Geometry, String> {
        let fps = rate(rates, self.fps)?;
        let told = self.parameters.unwrap_or_else(|| Parameters::usual(self.height, fps));
        let zones = self.zones.into_iter().map(|zone| zone.zone(fps, &[])).collect::<Result<_, _>>()?;
        Ok(Geometry {
            people: self.distinct_people,
            lines: self.lines.into_iter().map(DrawnLine::line).collect::<Result<_, _>>()?,
            zones,
            unannotated: self.unannotated.map(|left_out| left_out.polygons).unwrap_or_default(),
            ..told.bare([self.width, self.height], self.frames, fps)
        })
    }
}

impl Parameters {
    /// What follows from the picture's height, px, and the frames per second.
    fn usual(height: f64, fps: f64) -> Self {
        let gap_frames = fps.round() as u32;
        Self { margin_px: height / MARGINS_PER_HEIGHT, gap_frames, min_visit_frames: (fps / 2.0).ceil() as u32 }
    }

    /// A clip on which nothing is drawn yet.
    fn bare(&self, picture: Point, frames: u32, fps: f64) -> Geometry {
        Geometry {
            picture,
            fps,
            frames,
            margin_px: self.margin_px,
            gap_frames: self.gap_frames,
            visit_frames_min: self.min_visit_frames,
            people: None,
            lines: Vec::new(),
            zones: Vec::new(),
            unannotated: Vec::new(),
        }
    }
}

impl DrawnLine {
    fn line(self) -> Result<Line, String> {
        let directions = ["pos", "neg"].map(str::to_owned);
        let events = self.events.into_iter().map(|event| event.event(&self.name, &directions, 0));
        let events = events.collect::<Result<_, _>>()?;
        Ok(Line {
            name: self.name,
            is_unnamed: false,
            ends: [self.a, self.b],
            directions,
            anchor: Anchor::Foot,
            events,
        })
    }
}

impl DrawnEvent {
    fn event(self, line: &str, directions: &[String; 2], first_frame: u32) -> Result<Event, String> {
        let Some(direction) = directions.iter().position(|name| *name == self.dir) else {
            let [one, other] = directions;
            return Err(format!("line {line}, frame {}: dir \"{}\": write {one} or {other}", self.frame, self.dir));
        };
        Ok(Event { frame: self.frame.saturating_add(first_frame), is_positive: direction == 0, id: self.id, at: None })
    }
}

impl DrawnZone {
    /// `presence` tells when each person was there, for a zone that lists only how long.
    fn zone(self, fps: f64, presence: &[Presence]) -> Result<Zone, String> {
        let anchor = anchor(self.anchor.as_deref());
        let visit = |visit: &DrawnVisit| Stay {
            who: format!("person {}", visit.id),
            span: Some([visit.first, visit.last]),
            frames: f64::from(visit.last) - f64::from(visit.first) + 1.0,
        };
        let stays = match (&self.visit_list, &self.dwell_s) {
            (Some(visits), _) => visits.iter().map(visit).collect(),
            (None, Some(dwell_s)) => stays(dwell_s, fps, presence)
                .ok_or_else(|| format!("zone {}: dwell_s {dwell_s}: write seconds, one a visit", self.name))?,
            (None, None) => return Err(format!("zone {}: neither visit_list nor dwell_s; write one", self.name)),
        };
        Ok(Zone { name: self.name, polygon: self.polygon, anchor, stays })
    }
}

/// Visits of which only the seconds are told; `None` for what is neither a list nor a table of numbers.
fn stays(dwell_s: &Value, fps: f64, presence: &[Presence]) -> Option<Vec<Stay>> {
    let named: Vec<(String, &Value)> = match dwell_s {
        Value::Array(list) => (1..).zip(list).map(|(index, dwell_s)| (format!("person {index}"), dwell_s)).collect(),
        Value::Object(table) => table.iter().map(|(who, dwell_s)| (who.clone(), dwell_s)).collect(),
        _ => return None,
    };
    let is_told = presence.len() == named.len() && dwell_s.is_array();
    let span = |index: usize| presence.get(index).filter(|_| is_told).map(Presence::span);
    let stay = |(index, (who, dwell_s)): (usize, (String, &Value))| {
        Some(Stay { who, span: span(index), frames: dwell_s.as_f64()? * fps })
    };
    named.into_iter().enumerate().map(stay).collect()
}

/// `gt.json` of a clip.
#[derive(Deserialize)]
struct Clip {
    width: f64,
    height: f64,
    frames: u32,
    fps: Option<f64>,
    line: Option<[f64; 4]>,
    direction: Option<String>,
    anchor: Option<String>,
    #[serde(default)]
    events: Vec<DrawnEvent>,
    #[serde(default)]
    zones: Vec<DrawnZone>,
    #[serde(default)]
    presence: Vec<Presence>,
    #[serde(default)]
    unique_people: Value,
}

/// When a person was on the picture, frames from 0.
#[derive(Deserialize)]
struct Presence {
    first_frame: u32,
    last_frame: u32,
}

impl Presence {
    fn span(&self) -> [u32; 2] {
        [self.first_frame, self.last_frame].map(|frame| frame.saturating_add(1))
    }
}

impl Clip {
    fn geometry(self, rates: [Option<f64>; 2]) -> Result<Geometry, String> {
        let fps = rate(rates, self.fps)?;
        let line = match self.line {
            Some([x1, y1, x2, y2]) => {
                let ends = [[x1, y1], [x2, y2]];
                let directions = directions(self.direction.as_deref().unwrap_or_default(), ends)?;
                let events = self.events.into_iter().map(|event| event.event("line", &directions, 1));
                let events = events.collect::<Result<_, _>>()?;
                Some(Line {
                    name: "line".into(),
                    is_unnamed: true,
                    ends,
                    anchor: anchor(self.anchor.as_deref()),
                    directions,
                    events,
                })
            }
            None => None,
        };
        let zones = self.zones.into_iter().map(|zone| zone.zone(fps, &self.presence)).collect::<Result<_, _>>()?;
        Ok(Geometry {
            people: self.unique_people.as_u64().map(|people| people as usize),
            lines: line.into_iter().collect(),
            zones,
            ..Parameters::usual(self.height, fps).bare([self.width, self.height], self.frames, fps)
        })
    }
}

/// The foot where the words allow it, else the middle of the box.
fn anchor(words: Option<&str>) -> Anchor {
    let is_centre = words.is_some_and(|words| !words.contains("foot") && words.contains("centre"));
    if is_centre { Anchor::Centre } else { Anchor::Foot }
}

/// What crossings to the positive and the negative side are called, from words like "in = left to right; out = …".
fn directions(words: &str, [a, b]: [Point; 2]) -> Result<[String; 2], String> {
    let refused = || format!("direction \"{words}\": write, for example, \"in = left to right; out = right to left\"");
    let ways: BTreeMap<&str, Point> =
        ["in", "out"].into_iter().filter_map(|name| Some((name, way(words, name)?))).collect();
    let to_positive = |way: &Point| side(a, b, [a[0] + way[0], a[1] + way[1]]);
    let inward = match (ways.get("in").map(to_positive), ways.get("out").map(to_positive)) {
        (Some(inward), Some(outward)) if inward * outward > 0.0 => return Err(refused()),
        (Some(inward), _) => inward,
        (None, Some(outward)) => -outward,
        (None, None) => return Err(refused()),
    };
    match inward {
        0.0 => Err(format!("direction \"{words}\" runs along the line from {a:?} to {b:?}; write how it is crossed")),
        positive if positive > 0.0 => Ok(["in", "out"].map(str::to_owned)),
        _ => Ok(["out", "in"].map(str::to_owned)),
    }
}

/// The way on the picture that words give a direction.
fn way(words: &str, name: &str) -> Option<Point> {
    let clause =
        words.split([';', ',']).find_map(|clause| clause.trim().strip_prefix(name)?.trim().strip_prefix('='))?;
    let mut ends = clause.split_whitespace();
    let borders = [ends.next()?, ends.nth(1)?];
    match borders {
        ["left", "right"] => Some([1.0, 0.0]),
        ["right", "left"] => Some([-1.0, 0.0]),
        ["top", "bottom"] => Some([0.0, 1.0]),
        ["bottom", "top"] => Some([0.0, -1.0]),
        _ => None,
    }
}

const RATES: std::ops::RangeInclusive<f64> = 0.1..=1000.0;
/// 8 px on the picture of 576 the line truth was made with.
const MARGINS_PER_HEIGHT: f64 = 72.0;

#[cfg(test)]
mod tests {
    use super::*;

    const CLIP: &str = r#"{"width": 720, "height": 432, "fps": 10.0, "frames": 100, "line": [560, 200, 560, 432],
        "direction": "out = left to right over the line (leaving); in = right to left", "anchor": "blob/box centre",
        "events": [{"frame": 9, "dir": "out"}], "presence": [{"first_frame": 4, "last_frame": 30}],
        "zones": [{"name": "table", "polygon": [[0, 0], [9, 0], [9, 9]], "dwell_s": [1.5]}]}"#;

    #[test]
    fn a_clips_truth_counts_frames_from_one_and_names_its_directions() {
        let geometry = parse(CLIP, [None; 2]).expect("a truth");
        let line = &geometry.lines[0];
        // From top to bottom, the positive side lies to the left.
        assert_eq!(line.directions, ["in", "out"]);
        assert_eq!((line.events[0].frame, line.events[0].is_positive, line.anchor), (10, false, Anchor::Centre));
        assert_eq!((geometry.margin_px, geometry.gap_frames, geometry.visit_frames_min), (6.0, 10, 5));
        let stay = &geometry.zones[0].stays[0];
        assert_eq!((stay.span, stay.frames, geometry.zones[0].anchor), (Some([5, 31]), 15.0, Anchor::Foot));
    }

    #[test]
    fn lines_have_sides_and_parameters_of_their_own() {
        let text = r#"{"width": 768, "height": 576, "frames": 9, "fps": 7,
            "parameters": {"margin_px": 8, "gap_frames": 7, "min_visit_frames": 4},
            "unannotated": {"polygons": [[[0, 0], [1, 0], [1, 1]]]},
            "lines": [{"name": "gate", "a": [6, 1], "b": [6, 4], "events": [{"frame": 2, "id": 11, "dir": "neg"}]}]}"#;
        let geometry = parse(text, [Some(14.0), None]).expect("a truth");
        assert_eq!((geometry.fps, geometry.margin_px, geometry.unannotated.len()), (14.0, 8.0, 1));
        let event = &geometry.lines[0].events[0];
        assert_eq!((event.frame, event.id, event.is_positive), (2, Some(11), false));
    }

    #[test]
    fn what_cannot_be_understood_is_refused_with_its_place() {
        let with = |from: &str, to: &str| parse(&CLIP.replace(from, to), [None; 2]).err().unwrap_or_default();
        for (from, to, naming) in [
            ("left to right over the line (leaving); in = right to left", "up", "direction \"out = up\": write"),
            ("in = right to left", "in = left to right", "write, for example"),
            ("560, 200, 560, 432", "0, 9, 99, 9", "runs along the line"),
            ("560, 200, 560, 432", "5, 5, 5, 5", "runs along the line"),
            ("\"dir\": \"out\"", "\"dir\": \"up\"", "frame 9: dir \"up\": write in or out"),
            ("\"fps\": 10.0", "\"fps\": 0", "fps 0: write 0.1"),
            ("\"fps\": 10.0,", "", "no fps; name the clip's"),
            ("\"frames\": 100,", "", "missing field `frames`"),
            ("\"frames\": 100", "\"frames\": 0", "frames 0"),
            ("[1.5]", "\"long\"", "dwell_s \"long\": write seconds"),
            ("[0, 0], [9, 0], ", "", "1 corners"),
            ("{\"width\"", "{{\"width\"", "write JSON"),
        ] {
            assert!(with(from, to).contains(naming), "{to}: {}", with(from, to));
        }
    }

    #[test]
    fn a_point_is_inside_or_not() {
        let square = [[0.0, 0.0], [10.0, 0.0], [10.0, 10.0], [0.0, 10.0]];
        assert!(is_inside(&square, [5.0, 5.0]) && !is_inside(&square, [15.0, 5.0]) && !is_inside(&[], [0.0, 0.0]));
    }
}
