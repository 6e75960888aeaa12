//! Which transitions may be shown: from `k` different people on, and none that follows from the others.
//!
//! Transitions add: those to a place are the visits of it, those from a place too, and visits are released by themselves. So
//! whoever sums what is shown in a row or a column of the table learns what is withheld there. Three rules, until none
//! withholds anything more, each taking the pair of fewest people that serves:
//! 1. What is withheld in a row or column rests on `k` different people, or nothing is shown in it.
//! 2. In the column of a zone one of whose quarter hours was withheld, a pair of `k` people is withheld, or nothing is shown:
//!    the column less the quarters that were released would give that one.
//! 3. A pair of fewer than `k` that alone holds two parts of the table together (withheld pairs as edges between rows and
//!    columns) equals a difference of sums; shown pairs that close a ring through it are withheld, where there are any.
//!
//! All sums of rows and columns count as known, elsewhere's too, and so does which pairs nobody went: who attacks knows less.
//! Not covered: sums of several pairs of fewer than `k` beyond one row or column, and bounds (a pair is no larger than what is
//! withheld in its row).
//! Source: Willenborg & de Waal, Elements of Statistical Disclosure Control (2001), ch. 7 (secondary suppression).

use std::collections::BTreeMap;

use crate::measure::transitions::{Pair, TransitionWindow};

/// The table of one window on its way through the gate.
pub struct Table<'a> {
    exact: &'a TransitionWindow,
    k: usize,
    /// Every pair somebody went: how often, and whether it is shown.
    pairs: BTreeMap<Pair, (u32, bool)>,
}

/// A row or a column of the table.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Sum {
    Row(usize),
    Column(usize),
}

/// A way through the table.
#[derive(Clone, Copy)]
struct Way {
    /// Visits that withholding its shown pairs would lose.
    lost: u64,
    /// Its last pair, and the row or column before.
    by: Option<(usize, Pair)>,
}

impl<'a> Table<'a> {
    /// Withholds what must be; the columns of `zones_withheld` had a quarter hour withheld although somebody came.
    pub fn of(exact: &'a TransitionWindow, k: u32, zones_withheld: &[usize]) -> Self {
        let k = k as usize;
        let shown = |pair: Pair| exact.people_behind([pair].into_iter()) >= k;
        let pairs = exact.pairs().map(|(pair, number)| (pair, (number, shown(pair)))).collect();
        let mut table = Self { exact, k, pairs };
        while table.withhold_for_sums(zones_withheld) || table.withhold_for_differences() {}
        table
    }

    /// How often each pair was gone that is shown.
    pub fn shown(&self) -> impl Iterator<Item = (Pair, u32)> {
        self.pairs.iter().filter(|(_, (_, shown))| *shown).map(|(pair, (number, _))| (*pair, *number))
    }

    /// How often all others were gone together; `None` where that rests on fewer than `k`, on nobody included.
    pub fn dropped(&self) -> Option<u32> {
        let withheld = || self.pairs.iter().filter(|(_, (_, shown))| !*shown);
        let rests_on_k = self.exact.people_behind(withheld().map(|(pair, _)| *pair)) >= self.k;
        rests_on_k.then(|| withheld().map(|(_, (number, _))| number).sum())
    }

    /// Rules 1 and 2; whether anything was withheld by them.
    fn withhold_for_sums(&mut self, zones_withheld: &[usize]) -> bool {
        let nodes = self.exact.nodes;
        let sums = (0..nodes).flat_map(|node| [Sum::Row(node), Sum::Column(node)]);
        let mut changed = false;
        for sum in sums {
            let withheld: Vec<Pair> = self.in_sum(sum).filter(|(_, shown)| !shown).map(|(pair, _)| pair).collect();
            let behind = self.exact.people_behind(withheld.iter().copied());
            let is_bare = !withheld.is_empty() && behind < self.k;
            let is_of_withheld_zone = matches!(sum, Sum::Column(node) if zones_withheld.contains(&node));
            let is_protected = || withheld.iter().any(|pair| !self.is_small(*pair));
            if is_bare || (is_of_withheld_zone && !is_protected()) {
                let shown = self.in_sum(sum).filter(|(_, shown)| *shown).map(|(pair, _)| pair);
                if let Some(weakest) = shown.min_by_key(|pair| (self.pairs[pair].0, *pair)) {
                    self.withhold(weakest);
                    changed = true;
                }
            }
        }
        changed
    }

    /// Rule 3; whether anything was withheld by it.
    fn withhold_for_differences(&mut self) -> bool {
        let small: Vec<Pair> = self.pairs.keys().copied().filter(|pair| self.is_small(*pair)).collect();
        let mut changed = false;
        for pair in small {
            for ring in self.ring_through(pair) {
                self.withhold(ring);
                changed = true;
            }
        }
        changed
    }

    /// The shown pairs of the cheapest way from the row of `pair` to its column without it; none where there is no way, or
    /// one of withheld pairs alone.
    fn ring_through(&self, (row, column): Pair) -> Vec<Pair> {
        let nodes = self.exact.nodes;
        let goal = nodes + column;
        // Rows are 0.., columns nodes..; the cheapest way to each by visits lost (Dijkstra), and the pair it arrives by.
        let mut ways: Vec<Option<Way>> = vec![None; 2 * nodes];
        let mut settled = vec![false; 2 * nodes];
        ways[row] = Some(Way { lost: 0, by: None });
        let nearest = |ways: &[Option<Way>], settled: &[bool]| {
            let open = ways.iter().enumerate().filter(|(end, _)| !settled[*end]);
            open.filter_map(|(end, way)| Some((way.as_ref()?.lost, end))).min()
        };
        while let Some((lost, here)) = nearest(&ways, &settled) {
            settled[here] = true;
            let sum = if here < nodes { Sum::Row(here) } else { Sum::Column(here - nodes) };
            for (pair, shown) in self.in_sum(sum).filter(|(pair, _)| *pair != (row, column)) {
                let there = if here < nodes { nodes + pair.1 } else { pair.0 };
                let lost = lost + if shown { u64::from(self.pairs[&pair].0) } else { 0 };
                if ways[there].is_none_or(|way| lost < way.lost) {
                    ways[there] = Some(Way { lost, by: Some((here, pair)) });
                }
            }
        }
        let arrived = |end: usize| ways[end].and_then(|way| way.by);
        let way = std::iter::successors(arrived(goal), |(from, _)| arrived(*from));
        way.map(|(_, pair)| pair).filter(|pair| self.pairs[pair].1).collect()
    }

    /// The pairs of a row or column, and whether they are shown.
    fn in_sum(&self, sum: Sum) -> impl Iterator<Item = (Pair, bool)> {
        let is_in = move |(from, to): Pair| match sum {
            Sum::Row(node) => from == node,
            Sum::Column(node) => to == node,
        };
        self.pairs.iter().filter(move |(pair, _)| is_in(**pair)).map(|(pair, (_, shown))| (*pair, *shown))
    }

    fn is_small(&self, pair: Pair) -> bool {
        self.exact.people_behind([pair].into_iter()) < self.k
    }

    fn withhold(&mut self, pair: Pair) {
        if let Some((_, shown)) = self.pairs.get_mut(&pair) {
            *shown = false;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const K: u32 = 5;
    const PLACES: usize = 3;

    /// A table in which so many different people went each pair, once each.
    fn window(pairs: &[(Pair, u64)]) -> TransitionWindow {
        let who = |index: usize, number: u64| (0..number).map(move |person| 100 * index as u64 + person);
        let ways =
            pairs.iter().enumerate().flat_map(|(index, (pair, number))| who(index, *number).map(|who| (*pair, who)));
        TransitionWindow::of(PLACES, K, &ways.collect::<Vec<_>>())
    }

    fn shown(exact: &TransitionWindow, zones_withheld: &[usize]) -> Vec<Pair> {
        Table::of(exact, K, zones_withheld).shown().map(|(pair, _)| pair).collect()
    }

    /// The attack: who knows all sums of rows and columns and what is shown solves for the rest. Gives the pairs with one
    /// solution, by elimination (of a matrix that is totally unimodular, so that all its numbers stay −1, 0 or 1).
    fn solved(unknown: &[Pair], nodes: usize) -> Vec<Pair> {
        let holds = |sum: usize, (from, to): Pair| i32::from(if sum < nodes { from == sum } else { to == sum - nodes });
        let mut rows: Vec<Vec<i32>> =
            (0..2 * nodes).map(|sum| unknown.iter().map(|pair| holds(sum, *pair)).collect()).collect();
        let mut rank = 0;
        for column in 0..unknown.len() {
            let Some(pivot) = (rank..rows.len()).find(|row| rows[*row][column] != 0) else { continue };
            rows.swap(rank, pivot);
            let lead: Vec<i32> = rows[rank].iter().map(|number| number * rows[rank][column]).collect();
            for (index, row) in rows.iter_mut().enumerate() {
                let times = if index == rank { 0 } else { row[column] };
                row.iter_mut().zip(&lead).for_each(|(number, lead)| *number -= times * lead);
            }
            rows[rank] = lead;
            rank += 1;
        }
        let alone = rows.iter().filter(|row| row.iter().filter(|number| **number != 0).count() == 1);
        alone.filter_map(|row| row.iter().position(|number| *number != 0)).map(|column| unknown[column]).collect()
    }

    #[test]
    fn what_is_missing_from_a_row_is_not_left_alone() {
        // Nine go from 0 to 1, eight to 2, two to 3: the row says two.
        let exact = window(&[((0, 1), 9), ((0, 2), 8), ((0, 3), 2), ((1, 3), 9), ((2, 3), 9)]);
        let shown = shown(&exact, &[]);
        assert!(!shown.contains(&(0, 3)) && !shown.contains(&(0, 2)), "the weaker of the two goes along: {shown:?}");
        assert!(shown.contains(&(0, 1)));
    }

    #[test]
    fn an_attack_over_two_corners_finds_nothing() {
        // Row 0 withholds two people and six, who are alone in column 1: column 1 gives the six, row 0 then the two.
        let pairs = [((0, 1), 6), ((0, 2), 2), ((1, 2), 3), ((1, 0), 9), ((2, 0), 9), ((2, 1), 9)];
        let exact = window(&pairs);
        let naive: Vec<Pair> = vec![(0, 1), (0, 2), (1, 2)];
        assert!(solved(&naive, 4).contains(&(0, 2)), "the attack works on a careless table");
        let shown = shown(&exact, &[]);
        let unknown: Vec<Pair> = pairs.map(|(pair, _)| pair).into_iter().filter(|pair| !shown.contains(pair)).collect();
        let found = solved(&unknown, 4);
        assert!(!found.contains(&(0, 2)) && !found.contains(&(1, 2)), "{shown:?} lets {found:?} be found");
    }

    #[test]
    fn a_table_of_many_loses_nothing() {
        let exact = window(&[((0, 1), 9), ((1, 0), 5), ((3, 0), 7), ((1, 3), 30)]);
        assert_eq!(shown(&exact, &[]).len(), 4);
        assert_eq!(Table::of(&exact, K, &[]).dropped(), None);
    }

    #[test]
    fn many_journeys_of_few_people_are_withheld() {
        let restless: Vec<(Pair, u64)> = (0..40).map(|way| ((0, 1), way % 4)).collect();
        assert_eq!(shown(&TransitionWindow::of(PLACES, K, &restless), &[]), []);
    }

    #[test]
    fn what_was_dropped_is_told_from_k_people_on() {
        let dropped = |pairs: &[(Pair, u64)]| Table::of(&window(pairs), K, &[]).dropped();
        assert_eq!(dropped(&[((0, 1), 2), ((1, 0), 2)]), None);
        assert_eq!(dropped(&[((0, 1), 3), ((1, 0), 2)]), Some(5));
        assert_eq!(dropped(&[((0, 1), 6), ((1, 0), 9)]), None, "nothing was");
    }

    #[test]
    fn a_withheld_quarter_hour_does_not_follow_from_the_column_of_its_zone() {
        let exact = window(&[((3, 0), 9), ((1, 0), 7), ((3, 1), 9)]);
        assert_eq!(shown(&exact, &[]).len(), 3);
        assert_eq!(shown(&exact, &[0]), [(3, 0), (3, 1)]);
    }

    proptest! {
        #[test]
        fn nobody_finds_what_fewer_than_k_people_did(
            ways in prop::collection::vec(((0..=PLACES, 0..=PLACES), 0u64..30), 0..120),
        ) {
            let ways: Vec<(Pair, u64)> = ways.into_iter().filter(|(pair, _)| *pair != (PLACES, PLACES)).collect();
            let exact = TransitionWindow::of(PLACES, K, &ways);
            let shown = shown(&exact, &[]);
            let all: Vec<Pair> = exact.pairs().map(|(pair, _)| pair).collect();
            let unknown: Vec<Pair> = all.iter().copied().filter(|pair| !shown.contains(pair)).collect();
            let behind = |pairs: &[Pair]| exact.people_behind(pairs.iter().copied());
            prop_assert!(shown.iter().all(|pair| behind(&[*pair]) >= K as usize));
            // What the sums alone give away is given away by zones and lines, not here.
            let given = solved(&all, PLACES + 1);
            for pair in solved(&unknown, PLACES + 1) {
                prop_assert!(behind(&[pair]) >= K as usize || given.contains(&pair), "{:?} follows from {:?}", pair, shown);
            }
            for sum in 0..2 * (PLACES + 1) {
                let is_in = |pair: &Pair| if sum <= PLACES { pair.0 == sum } else { pair.1 == sum - PLACES - 1 };
                let rest: Vec<Pair> = unknown.iter().copied().filter(|pair| is_in(pair)).collect();
                prop_assert!(rest.is_empty() || !shown.iter().any(is_in) || behind(&rest) >= K as usize);
            }
        }
    }
}
