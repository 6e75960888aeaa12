//! Transitions: from where people go where, between the zones and doors of one camera.
//!
//! In: visits of places as they are counted, and who is gone. Out: [`TransitionWindow`]. A visit is an entry of a zone or a
//! crossing of a line, in either direction; its one continuation is the next visit of that person, or *elsewhere* when the
//! person is gone. The first visit comes from elsewhere. A transition belongs to the window in which it is completed. A visit
//! whose continuation nobody saw, because the camera was blind or the recording over, is cut.
//! What a row does not tell of its place's visits is told beside it: who came the window before, was cut, is still on the way.
//! Invariants: over the whole calendar the transitions from all places and the cut visits are the visits, and within each
//! window the transitions to a place are the visits of it (tests/laws); of a pair no more than `k` people are remembered.

use std::collections::{BTreeMap, BTreeSet};

use crate::track::TrackId;

/// Exact transitions of one camera in one window.
pub struct TransitionWindow {
    /// Number of nodes; the last is elsewhere.
    pub nodes: usize,
    /// What stands beside the row of each place; elsewhere has nothing.
    pub beside: Vec<Beside>,
    pairs: BTreeMap<Pair, Transitions>,
}

/// What parts the visits of a place from its row: carried in + visits = row + cut + pending. Each visit is another person.
#[derive(Default)]
pub struct Beside {
    /// Visits of the windows before that were pending when this one began.
    pub carried_in: u32,
    /// Visits whose continuation nobody saw.
    pub cut: u32,
    /// Visits without continuation yet when the window ends.
    pub pending: u32,
}

/// From which node to which.
pub type Pair = (usize, usize);

/// Transitions of one pair, and up to `k` of the people who made them.
struct Transitions {
    number: u32,
    people: BTreeSet<TrackId>,
}

/// Follows the people of one camera from place to place.
pub struct TransitionCounter {
    k: usize,
    window: TransitionWindow,
    /// Where each person was last.
    at: BTreeMap<TrackId, usize>,
}

impl TransitionCounter {
    /// A counter for so many places; of each pair it knows whether `k` different people made it.
    #[must_use]
    pub fn new(places: usize, k: u32) -> Self {
        Self { k: k as usize, window: TransitionWindow::empty(places), at: BTreeMap::new() }
    }

    /// Takes a visit of a place.
    pub fn visit(&mut self, who: TrackId, place: usize) {
        let from = self.at.insert(who, place).unwrap_or(self.elsewhere());
        self.add((from, place), who);
    }

    /// A person is gone.
    pub fn end(&mut self, who: TrackId) {
        if let Some(from) = self.at.remove(&who) {
            self.add((from, self.elsewhere()), who);
        }
    }

    /// Nobody saw what became of a person.
    pub fn cut(&mut self, who: TrackId) {
        if let Some(place) = self.at.remove(&who) {
            self.window.beside[place].cut += 1;
        }
    }

    /// Nobody sees what becomes of anybody: the recording is over, or the camera is blind.
    pub fn cut_all(&mut self) {
        std::mem::take(&mut self.at).into_values().for_each(|place| self.window.beside[place].cut += 1);
    }

    /// Hands out the window and begins the next; everybody stays where they are.
    pub fn close(&mut self) -> TransitionWindow {
        let mut next = TransitionWindow::empty(self.elsewhere());
        for place in self.at.values() {
            self.window.beside[*place].pending += 1;
            next.beside[*place].carried_in += 1;
        }
        std::mem::replace(&mut self.window, next)
    }

    /// How many entries about people it holds.
    #[cfg(test)]
    pub(super) fn remembered(&self) -> usize {
        self.at.len() + self.window.pairs.values().map(|pair| 1 + pair.people.len()).sum::<usize>()
    }

    fn elsewhere(&self) -> usize {
        self.window.nodes - 1
    }

    fn add(&mut self, pair: Pair, who: TrackId) {
        let fresh = || Transitions { number: 0, people: BTreeSet::new() };
        let transitions = self.window.pairs.entry(pair).or_insert_with(fresh);
        transitions.number += 1;
        if transitions.people.len() < self.k {
            transitions.people.insert(who);
        }
    }
}

impl Beside {
    /// Whether one of its figures, somebody's, is of fewer than `k` people.
    #[must_use]
    pub fn is_small(&self, k: usize) -> bool {
        [self.carried_in, self.cut, self.pending].into_iter().any(|people| people > 0 && (people as usize) < k)
    }
}

impl TransitionWindow {
    /// Nobody between so many places.
    pub(crate) fn empty(places: usize) -> Self {
        let beside = (0..places).map(|_| Beside::default()).collect();
        Self { nodes: places + 1, beside, pairs: BTreeMap::new() }
    }

    /// Visits of all places whose continuation nobody saw.
    #[must_use]
    pub fn cut(&self) -> u32 {
        self.beside.iter().map(|beside| beside.cut).sum()
    }

    /// Every pair somebody went, with how often.
    pub fn pairs(&self) -> impl Iterator<Item = (Pair, u32)> {
        self.pairs.iter().map(|(pair, transitions)| (*pair, transitions.number))
    }

    /// How many different people stand behind these pairs together: exact below `k`, at least `k` from there on. The gate
    /// may ask for their number, not who they are.
    #[must_use]
    pub fn people_behind(&self, pairs: impl Iterator<Item = Pair>) -> usize {
        let people = pairs.filter_map(|pair| self.pairs.get(&pair)).flat_map(|transitions| &transitions.people);
        people.collect::<BTreeSet<_>>().len()
    }

    /// A window in which these people, by number, went these ways.
    #[cfg(test)]
    pub(crate) fn of(places: usize, k: u32, ways: &[(Pair, u64)]) -> Self {
        let mut counter = TransitionCounter::new(places, k);
        ways.iter().for_each(|(pair, who)| counter.add(*pair, TrackId(*who)));
        counter.close()
    }
}

/// Somebody, by number.
#[cfg(test)]
pub(crate) fn person(number: u64) -> TrackId {
    TrackId(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pairs(window: &TransitionWindow) -> Vec<(Pair, u32)> {
        window.pairs().collect()
    }

    #[test]
    fn every_visit_has_one_continuation() {
        let mut counter = TransitionCounter::new(3, 5);
        [0, 2, 0].into_iter().for_each(|place| counter.visit(TrackId(1), place));
        counter.visit(TrackId(2), 1);
        [1, 2].into_iter().for_each(|who| counter.end(TrackId(who)));
        let expected = [((0, 2), 1), ((0, 3), 1), ((1, 3), 1), ((2, 0), 1), ((3, 0), 1), ((3, 1), 1)];
        assert_eq!(pairs(&counter.close()), expected);
        assert_eq!(counter.remembered(), 0, "everybody is gone, the window closed");
    }

    #[test]
    fn a_transition_belongs_to_the_window_that_completes_it() {
        let mut counter = TransitionCounter::new(2, 5);
        counter.visit(TrackId(1), 0);
        assert_eq!(pairs(&counter.close()), [((2, 0), 1)]);
        counter.visit(TrackId(1), 1);
        assert_eq!(pairs(&counter.close()), [((0, 1), 1)]);
    }

    #[test]
    fn visits_are_the_row_and_what_stands_beside_it() {
        let mut counter = TransitionCounter::new(2, 5);
        (1..=3).for_each(|who| counter.visit(TrackId(who), 0));
        counter.visit(TrackId(1), 1);
        counter.cut(TrackId(2));
        let beside = |window: &TransitionWindow| -> Vec<[u32; 3]> {
            window.beside.iter().map(|one| [one.carried_in, one.cut, one.pending]).collect()
        };
        assert_eq!(beside(&counter.close()), [[0, 1, 1], [0, 0, 1]], "three visits of 0: one went on to 1");
        counter.end(TrackId(3));
        assert_eq!(beside(&counter.close()), [[1, 0, 0], [1, 0, 1]]);
    }

    #[test]
    fn what_nobody_saw_is_cut_and_goes_nowhere() {
        let mut counter = TransitionCounter::new(2, 5);
        (1..=3).for_each(|who| counter.visit(TrackId(who), 0));
        counter.cut(TrackId(1));
        counter.cut(TrackId(9));
        counter.cut_all();
        let window = counter.close();
        assert_eq!((pairs(&window), window.cut()), (vec![((2, 0), 3)], 3));
    }

    #[test]
    fn one_person_to_and_fro_is_one_behind_many() {
        let window = TransitionWindow::of(2, 5, &[((0, 1), 7), ((1, 0), 7), ((0, 1), 7), ((1, 0), 8)]);
        let behind = |pairs: &[Pair]| window.people_behind(pairs.iter().copied());
        assert_eq!([behind(&[(0, 1)]), behind(&[(1, 0)]), behind(&[(0, 1), (1, 0)]), behind(&[(1, 1)])], [1, 2, 2, 0]);
    }
}
