//! IDF1: the share of boxes that carry the right name when every person has one track at most.
//!
//! In: a [`Sequence`]. Out: the share. Invariant: the same number as TrackEval 1.3.0.
//! Source: Ristani et al. (2016), Performance measures and a data set; TrackEval `metrics/identity.py`.

use super::sequence::{OVERLAP_MIN, Sequence, best_pairs};

/// F1 of identities, 0–1.
#[must_use]
pub fn idf1(sequence: &Sequence) -> f64 {
    let (people, tracks) = (sequence.people.len(), sequence.tracks.len());
    let mut together = vec![0.0; people * tracks];
    for pairing in &sequence.pairings {
        for (person, name) in pairing.people.iter().enumerate() {
            for (track, id) in pairing.tracks.iter().enumerate() {
                if pairing.overlap(person, track) >= OVERLAP_MIN {
                    together[name * tracks + id] += 1.0;
                }
            }
        }
    }
    let frames = |person: usize, track: usize| together[person * tracks + track];
    let pairs = best_pairs([people, tracks], frames);
    let right = pairs.iter().fold(0.0, |sum, [person, track]| sum + frames(*person, *track));
    2.0 * right / ((sequence.boxes() + sequence.seen()) as f64).max(1.0)
}

#[cfg(test)]
mod tests {
    use super::super::sequence::Benchmark;
    use super::super::sequence::tests::row;
    use super::*;

    #[test]
    fn only_the_longer_of_two_tracks_carries_the_name() {
        let truth: Vec<_> = (1..=4).map(|frame| row(frame, 1, 0.0, &[])).collect();
        let tracks: Vec<_> = (1..=4).map(|frame| row(frame, i64::from(frame > 3), 0.0, &[])).collect();
        assert!((idf1(&Sequence::new(&truth, &tracks, Benchmark::Mot15)) - 0.75).abs() < 1e-12);
    }

    #[test]
    fn a_track_carries_one_name_only() {
        let truth = [row(1, 1, 0.0, &[]), row(2, 1, 0.0, &[]), row(3, 2, 0.0, &[])];
        let tracks = [1, 2, 3].map(|frame| row(frame, 7, 0.0, &[]));
        assert!((idf1(&Sequence::new(&truth, &tracks, Benchmark::Mot15)) - 2.0 / 3.0).abs() < 1e-12);
    }

    #[test]
    fn nobody_found_carries_no_name() {
        assert_eq!(idf1(&Sequence::new(&[row(1, 1, 0.0, &[])], &[], Benchmark::Mot15)), 0.0);
    }
}
