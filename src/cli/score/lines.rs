//! Lines: which true crossings were counted, and every one that was not, with its name and the reason.
//!
//! In: paths of tracks and a [`Line`] with its true [`Event`]s. Out: [`LineScore`]. A crossing is a point that was last
//! clearly on one side and is now clearly on the other, the straight step between the two cutting the line between its
//! ends. Each true crossing takes the nearest counted one of its direction within the tolerance. Invariant: an error of
//! one kind is none of another; the totals do not depend on how errors are named.

use std::collections::BTreeMap;

use serde::Serialize;

use super::covers::Covers;
use super::geometry::{Anchor, Event, Line, Point, side};
use crate::cli::mot::{Place, Row};

/// Where everybody was: place by frame, by id.
pub struct Paths(BTreeMap<i64, BTreeMap<u32, Place>>);

/// One line against the truth.
#[derive(Serialize)]
pub struct LineScore {
    /// Its name.
    pub line: String,
    /// To the positive side, then to the negative one.
    pub directions: [Tally; 2],
    /// What went wrong, by frame.
    pub errors: Vec<Fault>,
    /// Frames of the true crossings that were counted, with their directions.
    pub hits: Vec<Hit>,
}

/// Crossings of one direction.
#[derive(Serialize, Default)]
pub struct Tally {
    /// What it is called.
    pub direction: String,
    /// True crossings.
    pub truth: usize,
    /// Counted ones.
    pub got: usize,
    /// Counted and true.
    pub tp: usize,
    /// Counted and not true.
    pub fp: usize,
    /// True and not counted.
    #[serde(rename = "fn")]
    pub missed: usize,
    /// Counted less true.
    pub count_error: i64,
}

/// A true crossing that was counted.
#[derive(Serialize)]
pub struct Hit {
    /// Frame of the truth.
    pub frame: u32,
    /// Frame in which it was counted.
    pub counted_in: u32,
    /// What its direction is called.
    pub direction: String,
    /// Whether that is the positive one.
    pub is_positive: bool,
    /// The track.
    pub track: Option<i64>,
    /// The person, where the truth names one.
    pub person: Option<i64>,
    /// Where the track was, px.
    pub at: Option<Point>,
}

/// What can go wrong with a crossing.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A true crossing that was not counted.
    Miss,
    /// One that was counted and is not true.
    False,
    /// One that was counted once more.
    Duplicate,
    /// One that was counted the other way round: a miss and a false one.
    WrongDirection,
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Miss, Self::False, Self::Duplicate, Self::WrongDirection];

    /// In words.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Miss => "miss",
            Self::False => "false",
            Self::Duplicate => "duplicate",
            Self::WrongDirection => "wrong direction",
        }
    }
}

/// One error.
#[derive(Serialize)]
pub struct Fault {
    /// Of which kind.
    pub kind: Kind,
    /// Of the truth for a miss, else of the counted crossing.
    pub frame: u32,
    /// Name of the line.
    pub line: String,
    /// What was missed, or else what was counted.
    pub direction: String,
    /// Whether that is the positive one.
    pub is_positive: bool,
    /// The track, where there is one.
    pub track: Option<i64>,
    /// The person, where the truth tells.
    pub person: Option<i64>,
    /// Where, px.
    pub at: Option<Point>,
}

/// How crossings are found and compared.
#[derive(Clone, Copy)]
pub struct Rules {
    /// Distance at which a side is clear, px.
    pub margin_px: f64,
    /// Frames a counted crossing may be off.
    pub tolerance: u32,
}

impl Paths {
    /// The paths of these rows.
    #[must_use]
    pub fn new(rows: &[Row]) -> Self {
        let mut paths: BTreeMap<i64, BTreeMap<u32, Place>> = BTreeMap::new();
        for row in rows {
            paths.entry(row.id).or_default().insert(row.frame, row.place);
        }
        Self(paths)
    }

    /// How many there are.
    #[must_use]
    pub fn count(&self) -> usize {
        self.0.len()
    }

    /// The points of each path by frame.
    pub fn points(&self, anchor: Anchor) -> impl Iterator<Item = (i64, Vec<(u32, Point)>)> {
        self.0.iter().map(move |(id, path)| (*id, path.iter().map(|(at, place)| (*at, point(place, anchor))).collect()))
    }

    /// Where somebody was at this frame or nearest to it, within the tolerance.
    fn place(&self, id: i64, frame: u32, tolerance: u32) -> Option<&Place> {
        let near = self.0.get(&id)?.range(frame.saturating_sub(tolerance)..=frame.saturating_add(tolerance));
        near.min_by_key(|(at, _)| at.abs_diff(frame)).map(|(_, place)| place)
    }
}

/// The point of a person that counts.
fn point(place: &Place, anchor: Anchor) -> Point {
    match anchor {
        Anchor::Foot => place.foot(),
        Anchor::Centre => place.centre(),
    }
}

/// All crossings of a line, by frame and id.
#[must_use]
pub fn crossings(paths: &Paths, line: &Line, margin_px: f64) -> Vec<Event> {
    let [a, b] = line.ends;
    let length = (b[0] - a[0]).hypot(b[1] - a[1]);
    let mut events = Vec::new();
    for (id, path) in paths.points(line.anchor) {
        let mut clear: Option<(bool, Point)> = None;
        for (frame, at) in path {
            let distance = side(a, b, at) / length;
            if distance.abs() < margin_px {
                continue;
            }
            let is_positive = distance > 0.0;
            if clear.is_some_and(|(before, from)| before != is_positive && is_cut(line.ends, from, at)) {
                events.push(Event { frame, is_positive, id: Some(id), at: Some(at) });
            }
            clear = Some((is_positive, at));
        }
    }
    events.sort_by_key(|event| (event.frame, event.id));
    events
}

/// Whether the step cuts the line between its ends.
fn is_cut([a, b]: [Point; 2], from: Point, to: Point) -> bool {
    let apart = |one: Point, other: Point, [from, to]: [Point; 2]| {
        (side(one, other, from) > 0.0) != (side(one, other, to) > 0.0)
    };
    apart(a, b, [from, to]) && apart(from, to, [a, b])
}

/// Holds counted crossings against the true ones. `people` are the paths of the truth, where there are any.
#[must_use]
pub fn score(line: &Line, counted: &[Event], rules: Rules, covers: &Covers, people: &Paths) -> LineScore {
    let mut matched = Matched::new(line, counted, rules.tolerance);
    let judge = Judge { line, counted, rules, covers, people };
    let mut errors = judge.turned(&mut matched);
    errors.extend(matched.missed.iter().map(|event| judge.missed(&line.events[*event])));
    errors.extend(matched.false_ones.iter().map(|event| judge.false_one(&counted[*event], &matched.hits)));
    errors.sort_by_key(|fault| fault.frame);
    let tallies = [true, false].map(|is_positive| judge.tally(is_positive, &matched.hits));
    let mut hits: Vec<Hit> = matched.hits.iter().map(|[truth, got]| judge.hit(*truth, *got)).collect();
    hits.sort_by_key(|hit| hit.frame);
    LineScore { line: line.name.clone(), directions: tallies, errors, hits }
}

/// Places in the lists of true and of counted crossings.
struct Matched {
    hits: Vec<[usize; 2]>,
    missed: Vec<usize>,
    false_ones: Vec<usize>,
}

impl Matched {
    /// Each true crossing in its turn takes the nearest counted one that is left.
    fn new(line: &Line, counted: &[Event], tolerance: u32) -> Self {
        let mut left: Vec<usize> = (0..counted.len()).collect();
        let (mut hits, mut missed) = (Vec::new(), Vec::new());
        for (truth, event) in line.events.iter().enumerate() {
            let off = |got: usize| counted[got].frame.abs_diff(event.frame);
            let fits = |got: &usize| counted[*got].is_positive == event.is_positive && off(*got) <= tolerance;
            let nearest = left.iter().copied().filter(fits).min_by_key(|got| off(*got));
            match nearest {
                Some(got) => {
                    left.retain(|other| *other != got);
                    hits.push([truth, got]);
                }
                None => missed.push(truth),
            }
        }
        Self { hits, missed, false_ones: left }
    }
}

/// Names what went wrong on one line.
struct Judge<'a> {
    line: &'a Line,
    counted: &'a [Event],
    rules: Rules,
    covers: &'a Covers,
    people: &'a Paths,
}

impl Judge<'_> {
    /// Takes each miss together with the false one that is the same crossing counted the other way round.
    fn turned(&self, matched: &mut Matched) -> Vec<Fault> {
        let mut faults = Vec::new();
        matched.missed.retain(|missed| {
            let event = &self.line.events[*missed];
            let off = |got: usize| self.counted[got].frame.abs_diff(event.frame);
            let fits = |got: &usize| off(*got) <= self.rules.tolerance && self.may_be(event, &self.counted[*got]);
            let Some(got) = matched.false_ones.iter().copied().filter(fits).min_by_key(|got| off(*got)) else {
                return true;
            };
            matched.false_ones.retain(|other| *other != got);
            faults.push(self.fault(Kind::WrongDirection, &self.counted[got], event.id));
            false
        });
        faults
    }

    /// Whether a counted crossing may be this true one, turned round.
    fn may_be(&self, truth: &Event, got: &Event) -> bool {
        let known = [truth.id, self.person_of(got)];
        let is_other = matches!(known, [Some(person), Some(other)] if person != other);
        got.is_positive != truth.is_positive && !is_other
    }

    fn person_of(&self, got: &Event) -> Option<i64> {
        self.covers.person(got.id?, got.frame, self.rules.tolerance)
    }

    fn missed(&self, event: &Event) -> Fault {
        let track = event.id.and_then(|person| self.covers.track(person, event.frame, self.rules.tolerance));
        let place = event.id.and_then(|person| self.people.place(person, event.frame, self.rules.tolerance));
        let at = place.map(|place| point(place, self.line.anchor));
        Fault { track, at, ..self.fault(Kind::Miss, event, event.id) }
    }

    /// A false one is a duplicate when it lies within the tolerance of a crossing that was counted, or when its track or
    /// its person has been counted here in this direction.
    fn false_one(&self, got: &Event, hits: &[[usize; 2]]) -> Fault {
        let person = self.person_of(got);
        let again = |[truth, hit]: &[usize; 2]| {
            let (event, counted) = (&self.line.events[*truth], &self.counted[*hit]);
            let is_near = event.frame.abs_diff(got.frame) <= self.rules.tolerance;
            let is_same = counted.id.is_some() && counted.id == got.id;
            let is_person = event.id.is_some() && event.id == person;
            event.is_positive == got.is_positive && (is_near || (counted.frame <= got.frame && (is_same || is_person)))
        };
        let kind = if hits.iter().any(again) { Kind::Duplicate } else { Kind::False };
        self.fault(kind, got, person)
    }

    fn fault(&self, kind: Kind, event: &Event, person: Option<i64>) -> Fault {
        Fault {
            kind,
            frame: event.frame,
            line: self.line.name.clone(),
            direction: self.direction(event.is_positive),
            is_positive: event.is_positive,
            track: event.id,
            person,
            at: event.at,
        }
    }

    fn direction(&self, is_positive: bool) -> String {
        self.line.directions[usize::from(!is_positive)].clone()
    }

    fn hit(&self, truth: usize, got: usize) -> Hit {
        let (event, counted) = (&self.line.events[truth], &self.counted[got]);
        Hit {
            frame: event.frame,
            counted_in: counted.frame,
            direction: self.direction(event.is_positive),
            is_positive: event.is_positive,
            track: counted.id,
            person: event.id,
            at: counted.at,
        }
    }

    fn tally(&self, is_positive: bool, hits: &[[usize; 2]]) -> Tally {
        let of = |events: &[Event]| events.iter().filter(|event| event.is_positive == is_positive).count();
        let (truth, got) = (of(&self.line.events), of(self.counted));
        let tp = hits.iter().filter(|[event, _]| self.line.events[*event].is_positive == is_positive).count();
        let count_error = got as i64 - truth as i64;
        let direction = self.direction(is_positive);
        Tally { direction, truth, got, tp, fp: got - tp, missed: truth - tp, count_error }
    }
}

/// All lines together.
#[derive(Serialize, Default)]
pub struct Pooled {
    /// Counted and true.
    pub tp: usize,
    /// Counted and not true.
    pub fp: usize,
    /// True and not counted.
    #[serde(rename = "fn")]
    pub missed: usize,
    /// Share of the counted that is true, 0–1.
    pub precision: f64,
    /// Share of the true that is counted, 0–1.
    pub recall: f64,
    /// Harmonic mean of both.
    pub f1: f64,
    /// Counted less true, without its sign, summed over lines and directions.
    pub count_error_sum: u64,
}

impl Pooled {
    /// Adds up.
    #[must_use]
    pub fn of(lines: &[LineScore]) -> Self {
        let mut all = Self::default();
        for tally in lines.iter().flat_map(|line| &line.directions) {
            all.tp += tally.tp;
            all.fp += tally.fp;
            all.missed += tally.missed;
            all.count_error_sum += tally.count_error.unsigned_abs();
        }
        let share = |part: usize, whole: usize| part as f64 / whole.max(1) as f64;
        all.precision = share(all.tp, all.tp + all.fp);
        all.recall = share(all.tp, all.tp + all.missed);
        all.f1 = share(2 * all.tp, 2 * all.tp + all.fp + all.missed);
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RULES: Rules = Rules { margin_px: 2.0, tolerance: 3 };

    /// A line from top to bottom at x = 0, whose true crossings go to the right (negative) or left in these frames.
    fn gate(events: &[(u32, bool, i64)]) -> Line {
        let event = |(frame, is_positive, id): &(u32, bool, i64)| Event {
            frame: *frame,
            is_positive: *is_positive,
            id: Some(*id),
            at: None,
        };
        Line {
            name: "gate".into(),
            is_unnamed: false,
            ends: [[0.0, 0.0], [0.0, 100.0]],
            directions: ["in".into(), "out".into()],
            anchor: Anchor::Foot,
            events: events.iter().map(event).collect(),
        }
    }

    /// A track whose foot is at these x, one a frame.
    fn walked(id: i64, xs: &[f64]) -> Vec<Row> {
        let place = |x: f64| Place { left: x - 5.0, top: 30.0, width: 10.0, height: 20.0 };
        (1..).zip(xs).map(|(frame, x)| Row { line: 1, frame, id, place: place(*x), rest: Vec::new() }).collect()
    }

    fn judged(line: &Line, rows: &[Row]) -> LineScore {
        let counted = crossings(&Paths::new(rows), line, RULES.margin_px);
        score(line, &counted, RULES, &Covers::default(), &Paths::new(&[]))
    }

    fn kinds(score: &LineScore) -> Vec<(Kind, u32, &str)> {
        score.errors.iter().map(|fault| (fault.kind, fault.frame, fault.direction.as_str())).collect()
    }

    #[test]
    fn swaying_on_the_line_counts_once_and_the_frame_is_that_of_the_far_side() {
        let events = crossings(&Paths::new(&walked(7, &[-5.0, -1.0, 1.0, -1.0, 5.0, 9.0])), &gate(&[]), 2.0);
        assert_eq!(events.len(), 1);
        assert_eq!((events[0].frame, events[0].is_positive, events[0].id), (5, false, Some(7)));
        assert_eq!(events[0].at, Some([5.0, 50.0]));
        let mut past: Vec<Row> = walked(7, &[-5.0, 5.0]);
        past.iter_mut().for_each(|row| row.place.top = 200.0);
        assert!(crossings(&Paths::new(&past), &gate(&[]), 2.0).is_empty(), "past the end of the line");
    }

    #[test]
    fn a_crossing_in_time_is_a_hit_and_one_too_late_a_miss_and_a_false_one() {
        let walk = walked(7, &[-5.0, 5.0]);
        let hit = judged(&gate(&[(5, false, 1)]), &walk);
        assert_eq!((hit.directions[1].tp, hit.hits[0].counted_in, hit.errors.len()), (1, 2, 0));
        let late = judged(&gate(&[(6, false, 1)]), &walk);
        assert_eq!(kinds(&late), [(Kind::False, 2, "out"), (Kind::Miss, 6, "out")]);
        let out = &late.directions[1];
        assert_eq!([out.truth, out.got, out.tp, out.fp, out.missed], [1, 1, 0, 1, 1]);
    }

    #[test]
    fn the_nearest_is_taken_and_what_is_left_is_counted_twice() {
        let mut rows = walked(7, &[-5.0, -5.0, 5.0]);
        rows.extend(walked(8, &[-5.0, 5.0]));
        let scored = judged(&gate(&[(3, false, 1)]), &rows);
        assert_eq!((scored.hits[0].track, scored.hits[0].counted_in), (Some(7), 3));
        assert_eq!(kinds(&scored), [(Kind::Duplicate, 2, "out")]);
        assert_eq!((scored.errors[0].track, scored.directions[1].count_error), (Some(8), 1));
    }

    #[test]
    fn a_track_that_comes_again_is_counted_twice_however_late() {
        let mut xs = vec![-5.0, 5.0];
        xs.extend([5.0; 20]);
        xs.extend([-5.0, 5.0]);
        let scored = judged(&gate(&[(2, false, 1)]), &walked(7, &xs));
        assert_eq!(kinds(&scored), [(Kind::False, 23, "in"), (Kind::Duplicate, 24, "out")]);
    }

    #[test]
    fn a_crossing_the_other_way_round_is_one_error_and_counts_as_two() {
        let scored = judged(&gate(&[(2, true, 1)]), &walked(7, &[-5.0, 5.0]));
        assert_eq!(kinds(&scored), [(Kind::WrongDirection, 2, "out")]);
        let all = Pooled::of(&[scored]);
        assert_eq!((all.tp, all.fp, all.missed, all.count_error_sum), (0, 1, 1, 2));
        assert_eq!((all.precision, all.recall, all.f1), (0.0, 0.0, 0.0));
    }
}
