//! Which track covered which person when: what tells a name behind an error, and how many names a person had.
//!
//! In: the pairs of [`clear`](super::clear). Out: names by frame, and [`Names`]. Invariant: a name is taken from the
//! nearest frame and only from one within the tolerance.

use std::collections::{BTreeMap, BTreeSet};

use super::clear::Clear;
use super::sequence::Sequence;

/// Who covered whom.
#[derive(Default)]
pub struct Covers {
    /// Frame and person, by track.
    people: BTreeMap<i64, Vec<(u32, i64)>>,
    /// Frame and track, by person.
    tracks: BTreeMap<i64, Vec<(u32, i64)>>,
}

/// How many tracks one person became.
#[derive(Debug, PartialEq, serde::Serialize)]
pub struct Names {
    /// Different ids among the tracks.
    pub distinct_ids: usize,
    /// People of the truth.
    pub people: usize,
    /// People whom a track covers at least once; `None` without boxes of the truth.
    pub people_covered: Option<usize>,
    /// Different ids of a person who is covered, on average; `None` where nobody is.
    pub ids_per_person: Option<f64>,
}

impl Covers {
    /// Everybody of a sequence.
    #[must_use]
    pub fn new(sequence: &Sequence, clear: &Clear) -> Self {
        let mut covers = Self::default();
        for pair in &clear.pairs {
            let (person, track) = (sequence.people[pair.person], sequence.tracks[pair.track]);
            covers.people.entry(track).or_default().push((pair.frame, person));
            covers.tracks.entry(person).or_default().push((pair.frame, track));
        }
        covers
    }

    /// The person a track covered, at this frame or nearest to it.
    #[must_use]
    pub fn person(&self, track: i64, frame: u32, tolerance: u32) -> Option<i64> {
        nearest(self.people.get(&track)?, frame, tolerance)
    }

    /// The track that covered a person, at this frame or nearest to it.
    #[must_use]
    pub fn track(&self, person: i64, frame: u32, tolerance: u32) -> Option<i64> {
        nearest(self.tracks.get(&person)?, frame, tolerance)
    }

    /// How many names people had; `distinct_ids` and `people` are counted by whoever holds the files.
    #[must_use]
    pub fn names(&self, distinct_ids: usize, people: usize) -> Names {
        let different = |seen: &Vec<(u32, i64)>| seen.iter().map(|(_, track)| track).collect::<BTreeSet<_>>().len();
        let all: usize = self.tracks.values().map(different).sum();
        let covered = self.tracks.len();
        let ids_per_person = (covered > 0).then(|| all as f64 / covered as f64);
        Names { distinct_ids, people, people_covered: Some(covered), ids_per_person }
    }
}

impl Names {
    /// Where the truth tells how many people there were and not where.
    #[must_use]
    pub fn without_boxes(distinct_ids: usize, people: usize) -> Self {
        Self { distinct_ids, people, people_covered: None, ids_per_person: None }
    }
}

fn nearest(seen: &[(u32, i64)], frame: u32, tolerance: u32) -> Option<i64> {
    let nearest = seen.iter().min_by_key(|(at, _)| at.abs_diff(frame))?;
    (nearest.0.abs_diff(frame) <= tolerance).then_some(nearest.1)
}

#[cfg(test)]
mod tests {
    use super::super::clear::clear;
    use super::super::sequence::Benchmark;
    use super::super::sequence::tests::row;
    use super::*;

    #[test]
    fn names_are_counted_by_person_and_found_by_frame() {
        let truth: Vec<_> = (1..=4).flat_map(|frame| [row(frame, 7, 0.0, &[]), row(frame, 8, 90.0, &[])]).collect();
        let mut tracks: Vec<_> = (1..=4).map(|frame| row(frame, if frame < 3 { 1 } else { 2 }, 0.0, &[])).collect();
        tracks.push(row(9, 3, 0.0, &[]));
        let sequence = Sequence::new(&truth, &tracks, Benchmark::Mot15);
        let covers = Covers::new(&sequence, &clear(&sequence));
        let names = covers.names(3, 2);
        assert_eq!(names, Names { distinct_ids: 3, people: 2, people_covered: Some(1), ids_per_person: Some(2.0) });
        assert_eq!([covers.track(7, 1, 0), covers.track(7, 9, 5), covers.track(7, 9, 4)], [Some(1), Some(2), None]);
        assert_eq!([covers.track(8, 1, 9), covers.person(2, 3, 0)], [None, Some(7)]);
    }
}
