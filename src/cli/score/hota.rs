//! HOTA: how well people are found and how well they are kept apart, in one figure, over 19 degrees of overlap.
//!
//! In: a [`Sequence`]. Out: [`Hota`], shares of 1. Invariant: the same numbers as TrackEval 1.3.0.
//! Source: Luiten et al. (2021), HOTA, IJCV 129; TrackEval `metrics/hota.py`.

use super::sequence::{Pairing, Sequence, best_pairs};

/// Means over the degrees of overlap, 0–1.
pub struct Hota {
    /// Geometric mean of finding and keeping apart.
    pub hota: f64,
    /// Finding: Jaccard index of boxes.
    pub detection: f64,
    /// Keeping apart: mean Jaccard index of the tracks behind each pair.
    pub association: f64,
    /// Overlap of the boxes that were paired.
    pub localisation: f64,
    /// HOTA at each degree of overlap, 0.05, 0.10 … 0.95.
    pub by_overlap: Vec<f64>,
}

/// What one degree of overlap has gathered.
struct Degree {
    overlap_min: f64,
    pairs: f64,
    overlaps: f64,
    /// How often each person and each track were paired, a person a row.
    counts: Vec<f64>,
}

/// Scores a sequence.
#[must_use]
pub fn hota(sequence: &Sequence) -> Hota {
    let lengths = sequence.lengths();
    let width = sequence.tracks.len();
    let alignment = alignment(sequence, &lengths);
    let degree = |step: u32| Degree {
        overlap_min: 0.05 + 0.05 * f64::from(step),
        pairs: 0.0,
        overlaps: 0.0,
        counts: vec![0.0; alignment.len()],
    };
    let mut degrees: Vec<Degree> = (0..DEGREES).map(degree).collect();
    for pairing in &sequence.pairings {
        let likely = |person: usize, track: usize| {
            alignment[pairing.people[person] * width + pairing.tracks[track]] * pairing.overlap(person, track)
        };
        for [person, track] in best_pairs([pairing.people.len(), pairing.tracks.len()], likely) {
            let cell = pairing.people[person] * width + pairing.tracks[track];
            degrees.iter_mut().for_each(|degree| degree.take(cell, pairing.overlap(person, track)));
        }
    }
    let boxes = [sequence.boxes() as f64, sequence.seen() as f64];
    let scored: Vec<[f64; 4]> = degrees.iter().map(|degree| degree.score(boxes, &lengths)).collect();
    let mean = |column: usize| scored.iter().map(|scores| scores[column]).sum::<f64>() / f64::from(DEGREES);
    Hota {
        hota: mean(0),
        detection: mean(1),
        association: mean(2),
        localisation: mean(3),
        by_overlap: scored.iter().map(|scores| scores[0]).collect(),
    }
}

/// How well each person and each track lie on each other over all frames, before anybody is paired; a person a row.
fn alignment(sequence: &Sequence, [people, tracks]: &[Vec<f64>; 2]) -> Vec<f64> {
    let width = tracks.len();
    let mut shared = vec![0.0; people.len() * width];
    for pairing in &sequence.pairings {
        let [of_people, of_tracks] = sums(pairing);
        for (person, of_person) in of_people.iter().enumerate() {
            for (track, of_track) in of_tracks.iter().enumerate() {
                let overlap = pairing.overlap(person, track);
                let all = of_track + of_person - overlap;
                if all > f64::EPSILON {
                    shared[pairing.people[person] * width + pairing.tracks[track]] += overlap / all;
                }
            }
        }
    }
    let of_all = |(cell, shared): (usize, &f64)| shared / (people[cell / width] + tracks[cell % width] - shared);
    shared.iter().enumerate().map(of_all).collect()
}

/// Sum of the overlaps of each person, and of each track.
fn sums(pairing: &Pairing) -> [Vec<f64>; 2] {
    let (people, tracks) = (0..pairing.people.len(), 0..pairing.tracks.len());
    let of_person = |person| tracks.clone().map(|track| pairing.overlap(person, track)).sum();
    let of_track = |track| people.clone().map(|person| pairing.overlap(person, track)).sum();
    [people.clone().map(of_person).collect(), tracks.clone().map(of_track).collect()]
}

impl Degree {
    fn take(&mut self, cell: usize, overlap: f64) {
        if overlap >= self.overlap_min - f64::EPSILON {
            self.pairs += 1.0;
            self.overlaps += overlap;
            self.counts[cell] += 1.0;
        }
    }

    /// HOTA, detection, association, localisation.
    fn score(&self, [boxes, seen]: [f64; 2], [people, tracks]: &[Vec<f64>; 2]) -> [f64; 4] {
        let width = tracks.len();
        let detection = self.pairs / (boxes + seen - self.pairs).max(1.0);
        let paired = self.counts.iter().enumerate().filter(|(_, count)| **count > 0.0);
        let weighted =
            paired.map(|(cell, count)| count * count / (people[cell / width] + tracks[cell % width] - count).max(1.0));
        let association = weighted.fold(0.0, |sum, share| sum + share) / self.pairs.max(1.0);
        let localisation = self.overlaps.max(1e-10) / self.pairs.max(1e-10);
        [(detection * association).sqrt(), detection, association, localisation]
    }
}

const DEGREES: u32 = 19;

#[cfg(test)]
mod tests {
    use super::super::sequence::Benchmark;
    use super::super::sequence::tests::row;
    use super::*;

    #[test]
    fn the_truth_itself_scores_everything() {
        let rows = [row(1, 1, 0.0, &[]), row(1, 2, 50.0, &[]), row(2, 1, 1.0, &[])];
        let scored = hota(&Sequence::new(&rows, &rows, Benchmark::Mot15));
        for share in [scored.hota, scored.detection, scored.association, scored.localisation] {
            assert!((share - 1.0).abs() < 1e-12);
        }
    }

    #[test]
    fn a_track_that_breaks_in_half_keeps_half_the_association() {
        let truth: Vec<_> = (1..=4).map(|frame| row(frame, 1, 0.0, &[])).collect();
        let tracks: Vec<_> = (1..=4).map(|frame| row(frame, i64::from(frame / 3), 0.0, &[])).collect();
        let scored = hota(&Sequence::new(&truth, &tracks, Benchmark::Mot15));
        assert!((scored.association - 0.5).abs() < 1e-12, "2 of 4 frames each: {}", scored.association);
        assert!((scored.detection - 1.0).abs() < 1e-12 && (scored.hota - 0.5f64.sqrt()).abs() < 1e-12);
    }

    #[test]
    fn a_box_that_is_off_counts_at_the_degrees_it_reaches() {
        let truth = [row(1, 1, 0.0, &[])];
        let scored = hota(&Sequence::new(&truth, &[row(1, 1, 5.0, &[])], Benchmark::Mot15));
        let reached = scored.by_overlap.iter().filter(|share| **share > 0.0).count();
        assert_eq!(reached, 6, "an overlap of a third reaches 0.05 to 0.30");
    }

    #[test]
    fn nobody_found_scores_nothing() {
        let scored = hota(&Sequence::new(&[row(1, 1, 0.0, &[])], &[], Benchmark::Mot15));
        assert_eq!([scored.hota, scored.detection, scored.association], [0.0; 3]);
        assert_eq!(scored.localisation, 1.0);
    }
}
