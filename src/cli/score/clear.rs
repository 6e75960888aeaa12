//! CLEAR: boxes missed, boxes too many, and how often a person changed tracks, at one degree of overlap.
//!
//! In: a [`Sequence`]. Out: [`Clear`], and who was paired with which track in which frame. Invariant: the same numbers
//! as TrackEval 1.3.0. Source: Bernardin & Stiefelhagen (2008), CLEAR MOT; TrackEval `metrics/clear.py`.

use super::sequence::{OVERLAP_MIN, Pairing, Sequence, best_pairs};

/// Counts over all frames.
#[derive(Default)]
pub struct Clear {
    /// 1 less missed, too many and switched, by the boxes of the truth; can be negative.
    pub mota: f64,
    /// Boxes of the truth without a track.
    pub missed: usize,
    /// Boxes of tracks without a person.
    pub too_many: usize,
    /// How often a person was on another track than before.
    pub switches: usize,
    /// How often a person was lost and found again.
    pub fragments: usize,
    /// Who was paired with whom, in the order of frames.
    pub pairs: Vec<Pair>,
}

/// A person and the track that covers them in one frame.
pub struct Pair {
    /// Number of the frame, from 1.
    pub frame: u32,
    /// Place in the list of people.
    pub person: usize,
    /// Place in the list of tracks.
    pub track: usize,
}

/// Which track each person was on.
struct Memory {
    /// Whenever that was.
    ever: Vec<Option<usize>>,
    /// In the last frame that had both people and tracks.
    before: Vec<Option<usize>>,
    /// How often each person was found anew.
    found: Vec<usize>,
}

/// Scores a sequence.
#[must_use]
pub fn clear(sequence: &Sequence) -> Clear {
    let people = sequence.people.len();
    let mut memory = Memory { ever: vec![None; people], before: vec![None; people], found: vec![0; people] };
    let mut clear = Clear::default();
    for pairing in &sequence.pairings {
        let pairs = if pairing.people.is_empty() || pairing.tracks.is_empty() {
            Vec::new()
        } else {
            let pairs = memory.pair_up(pairing);
            clear.switches += memory.remember(&pairs);
            pairs
        };
        clear.missed += pairing.people.len() - pairs.len();
        clear.too_many += pairing.tracks.len() - pairs.len();
        clear.pairs.extend(pairs.into_iter().map(|[person, track]| Pair { frame: pairing.frame, person, track }));
    }
    clear.fragments = memory.found.iter().map(|found| found.saturating_sub(1)).sum();
    let right = clear.pairs.len() as f64 - (clear.too_many + clear.switches) as f64;
    let boxes = clear.pairs.len() + clear.missed;
    clear.mota = if boxes == 0 { 0.0 } else { right / boxes as f64 };
    clear
}

impl Memory {
    /// Keeps who was together in the frame before, then takes the greatest overlaps.
    fn pair_up(&self, pairing: &Pairing) -> Vec<[usize; 2]> {
        let likely = |person: usize, track: usize| {
            let overlap = pairing.overlap(person, track);
            let stays = self.before[pairing.people[person]] == Some(pairing.tracks[track]);
            match overlap >= OVERLAP_MIN - f64::EPSILON {
                true if stays => STAYING + overlap,
                true => overlap,
                false => 0.0,
            }
        };
        let pairs = best_pairs([pairing.people.len(), pairing.tracks.len()], likely);
        pairs.into_iter().map(|[person, track]| [pairing.people[person], pairing.tracks[track]]).collect()
    }

    /// Notes the pairs of a frame; returns how many people have switched tracks.
    fn remember(&mut self, pairs: &[[usize; 2]]) -> usize {
        let mut now = vec![None; self.before.len()];
        let mut switches = 0;
        for [person, track] in pairs {
            let ever = self.ever[*person].replace(*track);
            switches += usize::from(ever.is_some_and(|before| before != *track));
            self.found[*person] += usize::from(self.before[*person].is_none());
            now[*person] = Some(*track);
        }
        self.before = now;
        switches
    }
}

/// Outweighs the overlaps of everybody in a frame.
const STAYING: f64 = 1000.0;

#[cfg(test)]
mod tests {
    use super::super::sequence::Benchmark;
    use super::super::sequence::tests::row;
    use super::*;

    fn scored(tracks: &[crate::cli::mot::Row]) -> Clear {
        let truth: Vec<_> = (1..=4).map(|frame| row(frame, 1, 0.0, &[])).collect();
        clear(&Sequence::new(&truth, tracks, Benchmark::Mot15))
    }

    #[test]
    fn a_switch_and_a_gap_are_told_apart() {
        let switched = scored(&[row(1, 5, 0.0, &[]), row(2, 5, 0.0, &[]), row(3, 6, 0.0, &[]), row(4, 6, 0.0, &[])]);
        assert_eq!([switched.switches, switched.fragments, switched.missed, switched.too_many], [1, 0, 0, 0]);
        assert!((switched.mota - 0.75).abs() < 1e-12);
        let away = row(2, 5, 90.0, &[]);
        let broken = scored(&[row(1, 5, 0.0, &[]), away, row(3, 5, 0.0, &[]), row(4, 5, 0.0, &[])]);
        assert_eq!([broken.switches, broken.fragments, broken.missed, broken.too_many], [0, 1, 1, 1]);
    }

    #[test]
    fn a_frame_without_any_track_breaks_nothing() {
        let broken = scored(&[row(1, 5, 0.0, &[]), row(3, 5, 0.0, &[]), row(4, 5, 0.0, &[])]);
        assert_eq!([broken.switches, broken.fragments, broken.missed], [0, 0, 1], "as TrackEval counts");
    }

    #[test]
    fn who_was_together_stays_together_although_another_overlaps_more() {
        let crowd = [row(1, 5, 0.0, &[]), row(2, 5, 3.0, &[]), row(2, 6, 0.0, &[])];
        let clear = scored(&crowd);
        assert_eq!((clear.switches, clear.too_many), (0, 1));
        assert_eq!(clear.pairs.iter().map(|pair| pair.track).collect::<Vec<_>>(), [0, 0]);
    }

    #[test]
    fn a_half_of_overlap_is_enough_and_less_is_not() {
        let third = 10.0 / 3.0;
        assert_eq!(scored(&[row(1, 5, third, &[])]).missed, 3);
        assert_eq!(scored(&[row(1, 5, third + 0.01, &[])]).missed, 4);
    }
}
