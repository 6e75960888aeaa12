//! Truth and tracks side by side, frame by frame, as TrackEval prepares them before it scores.
//!
//! In: MOT rows of both. Out: a [`Sequence`]. Invariants: nobody is twice in a frame; what the truth marks as not to be
//! scored is gone from both sides; ids are numbered through from 0 in their order.
//! Source: TrackEval 1.3.0, `datasets/mot_challenge_2d_box.py`.

use std::collections::{BTreeMap, BTreeSet};

use crate::cli::mot::{Place, Row};
use crate::track::assign::assign;

/// Whose rules the truth follows.
#[derive(Clone, Copy, PartialEq, Eq, Debug, clap::ValueEnum, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Benchmark {
    /// 2D MOT 2015: no classes; people marked 0 are left out.
    Mot15,
    /// MOT16 and MOT17: class 1 is scored; tracks of people on vehicles, in pictures and in mirrors are left out.
    Mot17,
    /// MOT20: as MOT17, and tracks of vehicles without a motor are left out as well.
    Mot20,
}

impl Benchmark {
    /// Told from the columns: MOT17 truth ends with mark, class (1 to 13) and visibility, MOT15 truth with a place.
    #[must_use]
    pub fn told_by(truth: &[Row]) -> Self {
        let is_class = |row: &Row| row.rest.get(1).is_some_and(|class| CLASSES.contains(class) && class.fract() == 0.0);
        let has_classes = truth.iter().all(|row| row.rest.len() <= 3 && is_class(row));
        if has_classes { Self::Mot17 } else { Self::Mot15 }
    }

    /// In one word.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Mot15 => "mot15",
            Self::Mot17 => "mot17",
            Self::Mot20 => "mot20",
        }
    }

    /// Whether this row of the truth is a person to be found.
    #[must_use]
    pub fn scores(self, row: &Row) -> bool {
        row.rest.first().is_none_or(|mark| mark.trunc() != 0.0) && (self == Self::Mot15 || class(row) == PERSON)
    }

    /// Whether whoever follows this row of the truth is neither right nor wrong.
    fn distracts(self, row: &Row) -> bool {
        match self {
            Self::Mot15 => false,
            Self::Mot17 => DISTRACTORS.contains(&class(row)),
            Self::Mot20 => DISTRACTORS.contains(&class(row)) || class(row) == VEHICLE_WITHOUT_MOTOR,
        }
    }
}

fn class(row: &Row) -> i64 {
    row.rest.get(1).map_or(PERSON, |class| *class as i64)
}

/// Truth and tracks of the frames that are scored.
pub struct Sequence {
    /// Ids of the truth, in order; others here are places in this list.
    pub people: Vec<i64>,
    /// Ids of the tracks, in order.
    pub tracks: Vec<i64>,
    /// Frames in which there is somebody in either, in order.
    pub pairings: Vec<Pairing>,
}

/// One frame.
pub struct Pairing {
    /// Its number, from 1.
    pub frame: u32,
    /// People of the truth in it.
    pub people: Vec<usize>,
    /// Tracks in it.
    pub tracks: Vec<usize>,
    /// Overlap of each person with each track, a person a row.
    overlaps: Vec<f64>,
}

impl Pairing {
    /// How much of each other the boxes of a person and a track cover (intersection over union), 0–1.
    #[must_use]
    pub fn overlap(&self, person: usize, track: usize) -> f64 {
        self.overlaps[person * self.tracks.len() + track]
    }
}

impl Sequence {
    /// Puts the rows side by side by the rules of a benchmark.
    #[must_use]
    pub fn new(truth: &[Row], tracks: &[Row], benchmark: Benchmark) -> Self {
        let mut frames: BTreeMap<u32, [Vec<&Row>; 2]> = BTreeMap::new();
        truth.iter().for_each(|row| frames.entry(row.frame).or_default()[0].push(row));
        tracks.iter().for_each(|row| frames.entry(row.frame).or_default()[1].push(row));
        for [people, tracks] in frames.values_mut() {
            leave_out_distracted(people, tracks, benchmark);
            people.retain(|row| benchmark.scores(row));
        }
        let ids = |side: usize| -> Vec<i64> {
            let ids: BTreeSet<i64> = frames.values().flat_map(|sides| sides[side].iter().map(|row| row.id)).collect();
            ids.into_iter().collect()
        };
        let (people, seen) = (ids(0), ids(1));
        let pair = |(frame, sides): (&u32, &[Vec<&Row>; 2])| Pairing {
            frame: *frame,
            people: sides[0].iter().filter_map(|row| people.binary_search(&row.id).ok()).collect(),
            tracks: sides[1].iter().filter_map(|row| seen.binary_search(&row.id).ok()).collect(),
            overlaps: overlaps(&sides[0], &sides[1]),
        };
        let pairings = frames.iter().map(pair).filter(|pair| !(pair.people.is_empty() && pair.tracks.is_empty()));
        Self { pairings: pairings.collect(), people, tracks: seen }
    }

    /// Boxes of the truth.
    #[must_use]
    pub fn boxes(&self) -> usize {
        self.pairings.iter().map(|pairing| pairing.people.len()).sum()
    }

    /// Boxes of the tracks.
    #[must_use]
    pub fn seen(&self) -> usize {
        self.pairings.iter().map(|pairing| pairing.tracks.len()).sum()
    }

    /// In how many frames each person and each track is.
    #[must_use]
    pub fn lengths(&self) -> [Vec<f64>; 2] {
        let mut lengths = [vec![0.0; self.people.len()], vec![0.0; self.tracks.len()]];
        for pairing in &self.pairings {
            pairing.people.iter().for_each(|person| lengths[0][*person] += 1.0);
            pairing.tracks.iter().for_each(|track| lengths[1][*track] += 1.0);
        }
        lengths
    }
}

/// Takes away the tracks that are best explained by something that is no person to be found.
fn leave_out_distracted(people: &[&Row], tracks: &mut Vec<&Row>, benchmark: Benchmark) {
    if !people.iter().any(|row| benchmark.distracts(row)) {
        return;
    }
    let overlaps = overlaps(people, tracks);
    let width = tracks.len();
    let likely = |person: usize, track: usize| {
        Some(overlaps[person * width + track]).filter(|overlap| *overlap >= OVERLAP_MIN - f64::EPSILON).unwrap_or(0.0)
    };
    let pairs = best_pairs([people.len(), width], likely);
    let gone: BTreeSet<usize> =
        pairs.iter().filter(|[person, _]| benchmark.distracts(people[*person])).map(|[_, track]| *track).collect();
    let mut index = 0;
    tracks.retain(|_| {
        index += 1;
        !gone.contains(&(index - 1))
    });
}

fn overlaps(people: &[&Row], tracks: &[&Row]) -> Vec<f64> {
    let of = |place: &Place| tracks.iter().map(|track| place.iou(&track.place)).collect::<Vec<f64>>();
    people.iter().flat_map(|person| of(&person.place)).collect()
}

/// Pairs `[row, column]`, each row and column once at most, whose scores have the greatest sum; none whose score is 0.
#[must_use]
pub fn best_pairs([rows, columns]: [usize; 2], score: impl Fn(usize, usize) -> f64) -> Vec<[usize; 2]> {
    let table: Vec<f64> = (0..rows * columns).map(|cell| score(cell / columns, cell % columns)).collect();
    let best = table.iter().copied().fold(0.0, f64::max);
    if best <= 0.0 {
        return Vec::new();
    }
    let cost = |row: usize, column: usize| {
        let score = table[row * columns + column];
        if score > 0.0 { 1.0 - score / best } else { f64::INFINITY }
    };
    assign(rows, columns, 1.0, cost).into_iter().map(|(row, column)| [row, column]).collect()
}

/// Boxes that overlap by so much are of the same person.
pub const OVERLAP_MIN: f64 = 0.5;
/// Classes of MOT16, MOT17 and MOT20.
const CLASSES: std::ops::RangeInclusive<f64> = 1.0..=13.0;
const PERSON: i64 = 1;
/// Person on a vehicle, static person, distractor, reflection.
const DISTRACTORS: [i64; 4] = [2, 7, 8, 12];
const VEHICLE_WITHOUT_MOTOR: i64 = 6;

#[cfg(test)]
pub mod tests {
    use super::*;

    /// A row of a box 10 px wide at this left border.
    pub fn row(frame: u32, id: i64, left: f64, rest: &[f64]) -> Row {
        let place = Place { left, top: 0.0, width: 10.0, height: 20.0 };
        Row { line: 1, frame, id, place, rest: rest.to_vec() }
    }

    #[test]
    fn the_benchmark_is_told_by_the_columns_and_not_by_a_name() {
        let told = |rest: &[f64]| Benchmark::told_by(&[row(1, 1, 0.0, rest)]);
        assert_eq!(told(&[1.0, 7.0, 0.2]), Benchmark::Mot17);
        assert_eq!(told(&[1.0, 1.0]), Benchmark::Mot17, "no visibility");
        assert_eq!(told(&[1.0, -1.0, -1.0, -1.0]), Benchmark::Mot15);
        assert_eq!(told(&[1.0, 3.0, 4.0, 0.0]), Benchmark::Mot15, "a place that looks like a class");
        assert_eq!(told(&[1.0, -1.0, -1.0]), Benchmark::Mot15);
        assert_eq!(told(&[1.0]), Benchmark::Mot15);
    }

    #[test]
    fn marks_and_classes_leave_people_out_and_distractors_their_tracks() {
        let truth = [
            row(1, 1, 0.0, &[1.0, 1.0, 1.0]),
            row(1, 2, 100.0, &[0.0, 7.0, 1.0]),
            row(1, 3, 200.0, &[0.0, 1.0, 1.0]),
            row(1, 4, 300.0, &[1.0, 3.0, 1.0]),
        ];
        let tracks = [row(1, 11, 1.0, &[]), row(1, 12, 101.0, &[]), row(1, 13, 200.0, &[]), row(1, 14, 300.0, &[])];
        let sequence = Sequence::new(&truth, &tracks, Benchmark::Mot17);
        assert_eq!(sequence.people, [1]);
        assert_eq!(sequence.tracks, [11, 13, 14], "only who follows the static person is left out");
        let sequence = Sequence::new(&truth, &tracks, Benchmark::Mot15);
        assert_eq!((sequence.people, sequence.tracks.len()), (vec![1, 4], 4));
    }

    #[test]
    fn a_track_that_is_nearer_to_a_person_is_not_left_out() {
        let truth = [row(1, 1, 0.0, &[1.0, 1.0, 1.0]), row(1, 2, 3.0, &[0.0, 8.0, 1.0])];
        let tracks = [row(1, 11, 0.5, &[])];
        assert_eq!(Sequence::new(&truth, &tracks, Benchmark::Mot17).tracks, [11]);
    }

    #[test]
    fn the_pairs_have_the_greatest_sum_and_none_scores_nothing() {
        let table = [[0.9, 0.8], [0.8, 0.0], [0.0, 0.0]];
        assert_eq!(best_pairs([3, 2], |row, column| table[row][column]), [[0, 1], [1, 0]]);
        assert!(best_pairs([2, 2], |_, _| 0.0).is_empty() && best_pairs([0, 2], |_, _| 1.0).is_empty());
    }
}
