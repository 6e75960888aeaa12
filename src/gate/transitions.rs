//! Which transitions may be shown: from `k` different people on, and none that follows from the others.
//!
//! Transitions add: those to a place are the visits of it, those from a place too, and visits are released by themselves. So
//! whoever sums what is shown in a row or a column of the table learns what is withheld there. Three rules, until none
//! withholds anything more, each taking the pair of fewest people that serves:
//! 1. What is withheld in a row or column rests on `k` different people, or nothing is shown in it. Fewer than `k` who came
//!    the window before, were cut or are still on the way ([`Beside`]) part the visits of a place from its row as a withheld
//!    pair does: that row withholds a pair, and by itself, for windows add up too and who is on the way has gone by the next.
//! 2. In the column of a zone one of whose quarter hours was withheld, a pair of `k` people is withheld, or nothing is shown:
//!    the column less the quarters that were released would give that one.
//! 3. A pair of fewer than `k` that alone holds two parts of the table together (withheld pairs as edges between rows and
//!    columns) equals a difference of sums; shown pairs that close a ring through it are withheld, where there are any. So
//!    does what stands beside a row, as an edge to the column of elsewhere: it is who did not come to a place either.
//!
//! All that is withheld, in one figure, gives away what went elsewhere: [`Table::dropped`] says when it is told.
//! All sums of rows and columns count as known, elsewhere's too, and so does which pairs nobody went: who attacks knows less.
//! Not covered: sums of several pairs of fewer than `k` beyond one row or column, and bounds (a pair is no larger than what is
//! withheld in its row).
//! Source: Willenborg & de Waal, Elements of Statistical Disclosure Control (2001), ch. 7 (secondary suppression).

#[cfg(doc)]
use crate::measure::transitions::Beside;
use crate::measure::transitions::{Pair, TransitionWindow};

/// The table of one window on its way through the gate.
pub struct Table<'a> {
    exact: &'a TransitionWindow,
    k: usize,
    zones_withheld: &'a [usize],
    /// What of each pair is known, row by row; none where nobody went.
    cells: Vec<Option<Cell>>,
}

/// A pair somebody went.
#[derive(Clone, Copy)]
struct Cell {
    number: u32,
    /// Whether fewer than `k` people went it.
    is_small: bool,
    shown: bool,
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
    pub fn of(exact: &'a TransitionWindow, k: u32, zones_withheld: &'a [usize]) -> Self {
        let k = k as usize;
        let mut cells = vec![None; exact.nodes * exact.nodes];
        for ((from, to), number) in exact.pairs() {
            let is_small = exact.people_behind([(from, to)].into_iter()) < k;
            cells[from * exact.nodes + to] = Some(Cell { number, is_small, shown: !is_small });
        }
        let mut table = Self { exact, k, zones_withheld, cells };
        while table.withhold_for_sums() || table.withhold_for_differences() {}
        table
    }

    /// How often each pair was gone that is shown.
    pub fn shown(&self) -> impl Iterator<Item = (Pair, u32)> {
        self.pairs().filter(|(_, cell)| cell.shown).map(|(pair, cell)| (pair, cell.number))
    }

    /// How often all others were gone together; `None` where that rests on fewer than `k`, on nobody included.
    ///
    /// With what is shown it is all transitions, less the visits of all places those to elsewhere: so what is withheld to
    /// elsewhere, and from there, has to rest on `k` too, or be nothing. It also tells elsewhere from what stands beside the
    /// rows, and from the visits of a withheld zone, so that few of the former and none to hide the latter forbid it.
    pub fn dropped(&self) -> Option<u32> {
        let elsewhere = self.elsewhere();
        let is_told = [Sum::Row(elsewhere), Sum::Column(elsewhere)].iter().all(|sum| !self.is_bare(*sum))
            && !self.exact.beside.iter().any(|beside| beside.is_small(self.k))
            && (self.zones_withheld.is_empty() || !self.withheld_in(Sum::Column(elsewhere)).is_empty());
        let withheld: Vec<Pair> = self.pairs().filter(|(_, cell)| !cell.shown).map(|(pair, _)| pair).collect();
        let number = || self.pairs().filter(|(_, cell)| !cell.shown).map(|(_, cell)| cell.number).sum();
        (is_told && self.rests_on_k(&withheld)).then(number)
    }

    /// How many visits went on unseen; `None` below `k`, and where those of places with fewer than `k` each are fewer too:
    /// the other places' rows may give theirs.
    pub fn cut(&self) -> Option<u32> {
        let is_few = |number: u32| (number as usize) < self.k;
        let few: u32 = self.exact.beside.iter().map(|beside| beside.cut).filter(|cut| is_few(*cut)).sum();
        let all = self.exact.cut();
        (!is_few(all) && (few == 0 || !is_few(few))).then_some(all)
    }

    /// Rules 1 and 2; whether anything was withheld by them.
    fn withhold_for_sums(&mut self) -> bool {
        let sums = (0..self.exact.nodes).flat_map(|node| [Sum::Row(node), Sum::Column(node)]);
        let mut changed = false;
        for sum in sums {
            if self.is_bare(sum) || self.is_beside_few(sum) || self.is_of_withheld_quarter(sum) {
                let shown = self.in_sum(sum).filter(|(_, cell)| cell.shown);
                if let Some((weakest, _)) = shown.min_by_key(|(pair, cell)| (cell.number, *pair)) {
                    self.withhold(weakest);
                    changed = true;
                }
            }
        }
        changed
    }

    /// Whether something is withheld in it that rests on fewer than `k`.
    fn is_bare(&self, sum: Sum) -> bool {
        let withheld = self.withheld_in(sum);
        !withheld.is_empty() && !self.rests_on_k(&withheld)
    }

    /// Whether the visits of a place less its row are fewer than `k` who stand beside it.
    fn is_beside_few(&self, sum: Sum) -> bool {
        let Sum::Row(node) = sum else { return false };
        let is_few = self.exact.beside.get(node).is_some_and(|beside| beside.is_small(self.k));
        is_few && self.withheld_in(sum).is_empty()
    }

    /// Whether the visits of a withheld quarter hour follow from it.
    fn is_of_withheld_quarter(&self, sum: Sum) -> bool {
        let is_of_zone = matches!(sum, Sum::Column(node) if self.zones_withheld.contains(&node));
        is_of_zone && self.in_sum(sum).all(|(_, cell)| cell.shown || cell.is_small)
    }

    /// Rule 3; whether anything was withheld by it.
    fn withhold_for_differences(&mut self) -> bool {
        let mut changed = false;
        for (row, column) in self.joints() {
            changed |= self.close_ring(row, column, Some((row, column)));
        }
        for place in 0..self.elsewhere() {
            if self.exact.beside[place].is_small(self.k) {
                changed |= self.close_ring(place, self.elsewhere(), None);
            }
        }
        changed
    }

    /// The pairs of fewer than `k` that hold parts of the table together, and some beside them: those of a forest that spans
    /// what is withheld, of others as far as they go. Each pair not in it closes a ring, and these are as many as there are
    /// rows and columns.
    fn joints(&self) -> Vec<Pair> {
        let nodes = self.exact.nodes;
        let mut parts: Vec<usize> = (0..2 * nodes).collect();
        let of_size = |is_small: bool| self.pairs().filter(move |(_, cell)| !cell.shown && cell.is_small == is_small);
        let mut joints = Vec::new();
        for (pair, cell) in of_size(false).chain(of_size(true)) {
            let (one, other) = (parts[pair.0], parts[nodes + pair.1]);
            if one != other {
                parts.iter_mut().filter(|part| **part == other).for_each(|part| *part = one);
                joints.extend(cell.is_small.then_some(pair));
            }
        }
        joints
    }

    /// Withholds the shown pairs of the cheapest way from a row to a column, not by the pair `without`; whether there were
    /// any. None are where there is no way, or one of withheld pairs alone.
    fn close_ring(&mut self, row: usize, column: usize, without: Option<Pair>) -> bool {
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
        while let Some((lost, here)) = nearest(&ways, &settled).filter(|(_, here)| *here != goal) {
            settled[here] = true;
            let sum = if here < nodes { Sum::Row(here) } else { Sum::Column(here - nodes) };
            for (pair, cell) in self.in_sum(sum).filter(|(pair, _)| Some(*pair) != without) {
                let there = if here < nodes { nodes + pair.1 } else { pair.0 };
                let lost = lost + if cell.shown { u64::from(cell.number) } else { 0 };
                if ways[there].is_none_or(|way| lost < way.lost) {
                    ways[there] = Some(Way { lost, by: Some((here, pair)) });
                }
            }
        }
        let arrived = |end: usize| ways[end].and_then(|way| way.by);
        let way = std::iter::successors(arrived(goal), |(from, _)| arrived(*from));
        way.map(|(_, pair)| self.withhold(pair)).fold(false, |any, one| any | one)
    }

    /// Every pair somebody went.
    fn pairs(&self) -> impl Iterator<Item = (Pair, Cell)> {
        (0..self.exact.nodes).flat_map(|row| self.in_sum(Sum::Row(row)))
    }

    /// Those of a row or column.
    fn in_sum(&self, sum: Sum) -> impl Iterator<Item = (Pair, Cell)> {
        let pair = move |other: usize| match sum {
            Sum::Row(node) => (node, other),
            Sum::Column(node) => (other, node),
        };
        let nodes = self.exact.nodes;
        (0..nodes).map(pair).filter_map(move |(from, to)| Some(((from, to), self.cells[from * nodes + to]?)))
    }

    fn withheld_in(&self, sum: Sum) -> Vec<Pair> {
        self.in_sum(sum).filter(|(_, cell)| !cell.shown).map(|(pair, _)| pair).collect()
    }

    fn rests_on_k(&self, pairs: &[Pair]) -> bool {
        self.exact.people_behind(pairs.iter().copied()) >= self.k
    }

    /// Whether it was shown before.
    fn withhold(&mut self, (from, to): Pair) -> bool {
        let cell = &mut self.cells[from * self.exact.nodes + to];
        cell.as_mut().is_some_and(|cell| std::mem::replace(&mut cell.shown, false))
    }

    fn elsewhere(&self) -> usize {
        self.exact.nodes - 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::measure::transitions::{TransitionCounter, person};
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
    fn what_was_dropped_does_not_tell_who_went_elsewhere() {
        // Ten transitions less three visits of zone 0 and six of zone 1: one to elsewhere.
        let pairs = [((3, 0), 3), ((3, 1), 4), ((0, 1), 2), ((0, 3), 1)];
        let exact = window(&pairs);
        assert_eq!((shown(&exact, &[]), Table::of(&exact, K, &[]).dropped()), (vec![], None));
        let many_go = window(&[((3, 0), 3), ((3, 1), 4), ((0, 1), 2), ((0, 3), 3), ((1, 3), 4)]);
        assert_eq!(Table::of(&many_go, K, &[]).dropped(), Some(16));
        let few_come = window(&[((3, 0), 1), ((0, 1), 4), ((1, 0), 4), ((0, 3), 3), ((1, 3), 4)]);
        assert_eq!(Table::of(&few_come, K, &[]).dropped(), None, "nor who came from there");
    }

    #[test]
    fn what_was_dropped_does_not_tell_a_withheld_zone() {
        // All others' visits are known: two of the eight are the withheld zone's.
        let exact = window(&[((1, 2), 3), ((2, 1), 3), ((1, 0), 2)]);
        assert_eq!(Table::of(&exact, K, &[]).dropped(), Some(8));
        assert_eq!(Table::of(&exact, K, &[0]).dropped(), None);
    }

    /// Nine go to place 0 and on to 1 and elsewhere, and so many more stay at 0.
    fn with_some_on_the_way(number: u64) -> TransitionCounter {
        let mut counter = TransitionCounter::new(PLACES, K);
        (0..9 + number).for_each(|who| counter.visit(person(who), 0));
        (0..9).for_each(|who| counter.visit(person(who), 1));
        (0..9).for_each(|who| counter.end(person(who)));
        (20..26).for_each(|who| [0, 2].into_iter().for_each(|place| counter.visit(person(who), place)));
        (20..26).for_each(|who| counter.end(person(who)));
        counter
    }

    #[test]
    fn who_is_still_on_the_way_does_not_follow_from_a_row() {
        let row = |number: u64| {
            let exact = with_some_on_the_way(number).close();
            shown(&exact, &[]).into_iter().filter(|(from, _)| *from == 0).collect::<Vec<_>>()
        };
        assert_eq!([row(0), row(5)], [[(0, 1), (0, 2)], [(0, 1), (0, 2)]], "nobody and k people may be known");
        assert_eq!(row(2), [(0, 1)], "the pair of fewer hides them");
    }

    #[test]
    fn who_was_on_the_way_does_not_follow_from_the_row_that_follows() {
        let mut counter = with_some_on_the_way(0);
        (30..32).for_each(|who| counter.visit(person(who), 0));
        counter.close();
        // Two more go on from 0 to 1 than came.
        (30..32).chain(40..49).for_each(|who| {
            if who >= 40 {
                counter.visit(person(who), 0);
            }
            counter.visit(person(who), 1);
            counter.end(person(who));
        });
        assert!(!shown(&counter.close(), &[]).contains(&(0, 1)));
    }

    #[test]
    fn who_was_cut_does_not_follow_and_is_told_from_k_people_on() {
        let with_cut = |ways: &[(u64, usize)]| {
            let mut counter = with_some_on_the_way(0);
            for (number, place) in ways {
                let people = (0..*number).map(|who| person(100 + 100 * *place as u64 + who));
                people.clone().for_each(|who| counter.visit(who, *place));
                people.for_each(|who| counter.cut(who));
            }
            counter.close()
        };
        let one = with_cut(&[(1, 0)]);
        assert!(!shown(&one, &[]).contains(&(0, 2)), "the row of 0 hides the one");
        let told = |ways: &[(u64, usize)]| Table::of(&with_cut(ways), K, &[]).cut();
        assert_eq!([told(&[(1, 0)]), told(&[(5, 0)]), told(&[(3, 0), (2, 1)])], [None, Some(5), Some(5)]);
        assert_eq!(told(&[(6, 0), (1, 1)]), None, "six follow from the row of 0, the seventh then too");
    }

    #[test]
    fn a_table_of_many_places_and_few_people_is_gated_whole() {
        // 64 zones and 64 lines; thousands of pairs of one person, some of many.
        let places = 128;
        let scattered = (0..6000u64).map(|way| ((way as usize * 37 % 129, way as usize * 61 % 127), way));
        let many = (0..128usize).flat_map(|node| (0..8).map(move |who| ((node, (node + 1) % 128), who)));
        let exact = TransitionWindow::of(places, K, &scattered.chain(many).collect::<Vec<_>>());
        let table = Table::of(&exact, K, &[]);
        let sums = (0..=places).flat_map(|node| [Sum::Row(node), Sum::Column(node)]);
        assert!(exact.pairs().count() > 5000);
        assert!(sums.into_iter().all(|sum| !table.is_bare(sum) || table.in_sum(sum).all(|(_, cell)| !cell.shown)));
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

        /// The same attack, hours apart: what stands beside rows is as unknown as a pair to elsewhere.
        #[test]
        fn nobody_finds_fewer_than_k_beside_a_row(
            steps in prop::collection::vec((0u64..24, 0..=PLACES, 0..12), 0..160),
        ) {
            let mut counter = TransitionCounter::new(PLACES, K);
            let mut hours = Vec::new();
            for (who, place, what) in steps {
                match what {
                    0 => counter.cut(person(who)),
                    1 if hours.len() < 3 => hours.push(counter.close()),
                    _ if place == PLACES => counter.end(person(who)),
                    _ => counter.visit(person(who), place),
                }
            }
            hours.push(counter.close());
            for exact in &hours {
                let shown = shown(exact, &[]);
                let all: Vec<Pair> = exact.pairs().map(|(pair, _)| pair).collect();
                let is_hidden = |pair: &Pair| !shown.contains(pair);
                for place in (0..PLACES).filter(|place| exact.beside[*place].is_small(K as usize)) {
                    let beside = [(place, PLACES)];
                    let unknown: Vec<Pair> = all.iter().copied().filter(is_hidden).chain(beside).collect();
                    let without_all: Vec<Pair> = all.iter().copied().chain(beside).collect();
                    let finds = |unknown: &[Pair]| solved(unknown, PLACES + 1).contains(&beside[0]);
                    prop_assert!(!finds(&unknown) || finds(&without_all), "{} beside {:?}", place, shown);
                    let row: Vec<Pair> = all.iter().copied().filter(|pair| pair.0 == place).collect();
                    prop_assert!(row.is_empty() || row.iter().any(is_hidden), "{} shows its row in {:?}", place, shown);
                }
            }
        }
    }
}
