//! Who is whom at least cost: the assignment problem with a price for staying alone.
//!
//! In: the pairs that are possible, with their costs. Out: the pairs of the cheapest assignment in which no pair costs
//! more than the limit. Invariants: ties are broken by row, then column, so that runs repeat bit for bit; once as large
//! a problem has been solved, a smaller one allocates nothing.
//! Pairs that share no row and no column, directly or over others, are problems of their own (connected components);
//! most people meet one detection and nobody else, so that most problems have one pair.
//! Source: Jonker & Volgenant (1987), shortest augmenting paths with dual variables.

/// Solves assignment problems in memory that it keeps.
#[derive(Default)]
pub struct Assigner {
    offers: Vec<Offer>,
    /// For every row and, behind the rows, every column: another node of its component.
    leads_to: Vec<u32>,
    /// Rows and columns of the component at hand, and where each row and column of the problem stands in it.
    rows: Places,
    columns: Places,
    problem: Problem,
    pairs: Vec<(usize, usize)>,
}

/// A pair that is possible.
#[derive(Clone, Copy)]
struct Offer {
    component: u32,
    row: u32,
    column: u32,
    cost: f64,
}

/// Members of a component, and the way back.
#[derive(Default)]
struct Places {
    members: Vec<u32>,
    place_of: Vec<u32>,
}

/// One dense problem: `rows` × `width` costs, each row with a column of its own to stay alone in.
#[derive(Default)]
struct Problem {
    width: usize,
    costs: Vec<f64>,
    row_duals: Vec<f64>,
    column_duals: Vec<f64>,
    /// The row that has each column.
    owner: Vec<u32>,
    distance: Vec<f64>,
    came_from: Vec<u32>,
    done: Vec<bool>,
}

impl Assigner {
    /// Begins a new problem.
    pub fn clear(&mut self) {
        self.offers.clear();
    }

    /// Says that `row` may take `column` at this cost.
    pub fn offer(&mut self, row: usize, column: usize, cost: f64) {
        self.offers.push(Offer { component: NONE, row: row as u32, column: column as u32, cost });
    }

    /// Pairs `(row, column)`, ordered, of the cheapest assignment of so many rows and columns, where staying alone costs
    /// a row `alone`. Offers dearer than that are never taken.
    pub fn solve(&mut self, rows: usize, columns: usize, alone: f64) -> &[(usize, usize)] {
        self.pairs.clear();
        self.offers.retain(|offer| offer.cost <= alone);
        self.find_components(rows, columns);
        self.rows.place_of.resize(rows.max(self.rows.place_of.len()), NONE);
        self.columns.place_of.resize(columns.max(self.columns.place_of.len()), NONE);
        let mut from = 0;
        while from < self.offers.len() {
            let component = self.offers[from].component;
            let to = from + self.offers[from..].iter().take_while(|offer| offer.component == component).count();
            self.solve_component(from, to, alone);
            from = to;
        }
        self.pairs.sort_unstable();
        &self.pairs
    }

    /// Names every offer's component by its lowest node and orders the offers by component, row and column.
    fn find_components(&mut self, rows: usize, columns: usize) {
        self.leads_to.clear();
        self.leads_to.extend(0..(rows + columns) as u32);
        for offer in &self.offers {
            let row = root(&mut self.leads_to, offer.row);
            let column = root(&mut self.leads_to, offer.column + rows as u32);
            self.leads_to[row.max(column) as usize] = row.min(column);
        }
        for offer in &mut self.offers {
            offer.component = root(&mut self.leads_to, offer.row);
        }
        self.offers.sort_unstable_by_key(|offer| (offer.component, offer.row, offer.column));
    }

    fn solve_component(&mut self, from: usize, to: usize, alone: f64) {
        let offers = &self.offers[from..to];
        if let [only] = offers {
            self.pairs.push((only.row as usize, only.column as usize));
            return;
        }
        for offer in offers {
            self.rows.add(offer.row);
            self.columns.add(offer.column);
        }
        let (rows, columns) = (self.rows.members.len(), self.columns.members.len());
        self.problem.begin(rows, columns, alone);
        for offer in offers {
            let (row, column) = (self.rows.place(offer.row), self.columns.place(offer.column));
            self.problem.costs[row * self.problem.width + column] = offer.cost;
        }
        self.problem.solve(rows);
        for (column, owner) in self.problem.owner[..columns].iter().enumerate().filter(|(_, owner)| **owner != NONE) {
            // A row that would rather have a forbidden pair than stay alone does not exist.
            self.pairs.push((self.rows.members[*owner as usize] as usize, self.columns.members[column] as usize));
        }
        self.rows.clear();
        self.columns.clear();
    }
}

/// The cheapest assignment of a whole table; a pair dearer than `cost_max` is never made.
#[must_use]
pub fn assign(rows: usize, columns: usize, cost_max: f64, cost: impl Fn(usize, usize) -> f64) -> Vec<(usize, usize)> {
    let mut assigner = Assigner::default();
    for row in 0..rows {
        (0..columns).for_each(|column| assigner.offer(row, column, cost(row, column)));
    }
    assigner.solve(rows, columns, cost_max).to_vec()
}

fn root(leads_to: &mut [u32], mut node: u32) -> u32 {
    while leads_to[node as usize] != node {
        leads_to[node as usize] = leads_to[leads_to[node as usize] as usize];
        node = leads_to[node as usize];
    }
    node
}

impl Places {
    fn add(&mut self, member: u32) {
        let place = &mut self.place_of[member as usize];
        if *place == NONE {
            *place = self.members.len() as u32;
            self.members.push(member);
        }
    }

    fn place(&self, member: u32) -> usize {
        self.place_of[member as usize] as usize
    }

    fn clear(&mut self) {
        for member in self.members.drain(..) {
            self.place_of[member as usize] = NONE;
        }
    }
}

impl Problem {
    /// A table in which nothing is possible but staying alone.
    fn begin(&mut self, rows: usize, columns: usize, alone: f64) {
        self.width = columns + rows;
        refill(&mut self.costs, rows * self.width, FORBIDDEN);
        for row in 0..rows {
            self.costs[row * self.width + columns + row] = alone;
        }
        refill(&mut self.row_duals, rows, 0.0);
        refill(&mut self.column_duals, self.width, 0.0);
        refill(&mut self.owner, self.width, NONE);
    }

    /// Gives every row its column in the cheapest full assignment.
    fn solve(&mut self, rows: usize) {
        for row in 0..rows {
            let mut column = self.shortest_path(row);
            while self.came_from[column] != NONE {
                let before = self.came_from[column] as usize;
                self.owner[column] = self.owner[before];
                column = before;
            }
            self.owner[column] = row as u32;
        }
    }

    /// Dijkstra over reduced costs from a free row to the nearest free column; updates the duals.
    fn shortest_path(&mut self, start: usize) -> usize {
        refill(&mut self.distance, self.width, f64::INFINITY);
        refill(&mut self.came_from, self.width, NONE);
        refill(&mut self.done, self.width, false);
        let (mut row, mut via, mut base) = (start, NONE, 0.0);
        let end = loop {
            let nearest = self.reach(row, via, base);
            self.done[nearest] = true;
            base = self.distance[nearest];
            match self.owner[nearest] {
                NONE => break nearest,
                next => (row, via) = (next as usize, nearest as u32),
            }
        };
        self.row_duals[start] += base;
        for column in (0..self.width).filter(|column| self.done[*column] && *column != end) {
            let slack = base - self.distance[column];
            self.column_duals[column] -= slack;
            self.row_duals[self.owner[column] as usize] += slack;
        }
        end
    }

    /// Shortens the ways over `row` and returns the nearest column that is not done; the first of several.
    fn reach(&mut self, row: usize, via: u32, base: f64) -> usize {
        let (mut nearest, mut least) = (NONE as usize, f64::INFINITY);
        let costs = &self.costs[row * self.width..(row + 1) * self.width];
        for (column, cost) in costs.iter().enumerate().filter(|(column, _)| !self.done[*column]) {
            let reduced = base + cost - self.row_duals[row] - self.column_duals[column];
            if reduced < self.distance[column] {
                self.distance[column] = reduced;
                self.came_from[column] = via;
            }
            if self.distance[column] < least {
                (nearest, least) = (column, self.distance[column]);
            }
        }
        nearest
    }
}

fn refill<T: Clone>(values: &mut Vec<T>, count: usize, value: T) {
    values.clear();
    values.resize(count, value);
}

/// No row, no column.
const NONE: u32 = u32::MAX;
/// Dearer than any sum of real costs, and finite so that sums stay finite.
const FORBIDDEN: f64 = 1e6;

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Least cost over all partial assignments, by trying them all.
    fn by_trial(table: &[Vec<f64>], cost_max: f64, row: usize, used: u32) -> f64 {
        let Some(costs) = table.get(row) else { return 0.0 };
        let alone = cost_max + by_trial(table, cost_max, row + 1, used);
        let paired = costs.iter().enumerate().filter(|(column, cost)| used & (1 << column) == 0 && **cost <= cost_max);
        paired.map(|(column, cost)| cost + by_trial(table, cost_max, row + 1, used | 1 << column)).fold(alone, f64::min)
    }

    #[test]
    fn nobody_is_paired_beyond_the_limit() {
        assert_eq!(assign(2, 2, 0.5, |row, column| if row == column { 0.4 } else { 0.1 + row as f64 }), [(0, 1)]);
        assert!(assign(1, 1, 0.5, |_, _| 0.6).is_empty());
        assert!(assign(0, 3, 0.5, |_, _| 0.0).is_empty());
    }

    #[test]
    fn the_order_of_offers_is_irrelevant() {
        let offers = [(0, 0, 0.2), (0, 1, 0.2), (1, 0, 0.2), (1, 1, 0.2), (2, 3, 0.1)];
        let solved = |offers: &mut dyn Iterator<Item = &(usize, usize, f64)>| {
            let mut assigner = Assigner::default();
            offers.for_each(|(row, column, cost)| assigner.offer(*row, *column, *cost));
            assigner.solve(3, 4, 0.5).to_vec()
        };
        let forwards = solved(&mut offers.iter());
        assert_eq!(forwards, [(0, 0), (1, 1), (2, 3)]);
        assert_eq!(forwards, solved(&mut offers.iter().rev()));
    }

    proptest! {
        #[test]
        fn the_assignment_is_the_cheapest(
            (table, cost_max) in (1usize..6, 1usize..6).prop_flat_map(|(rows, columns)| {
                (prop::collection::vec(prop::collection::vec(0.0f64..1.0, columns), rows), 0.1f64..1.0)
            })
        ) {
            let pairs = assign(table.len(), table[0].len(), cost_max, |row, column| table[row][column]);
            let paired: f64 = pairs.iter().map(|(row, column)| table[*row][*column]).sum();
            let total = paired + cost_max * (table.len() - pairs.len()) as f64;
            prop_assert!((total - by_trial(&table, cost_max, 0, 0)).abs() < 1e-9);
            let mut columns: Vec<usize> = pairs.iter().map(|pair| pair.1).collect();
            columns.sort_unstable();
            columns.dedup();
            prop_assert_eq!(columns.len(), pairs.len());
        }

        #[test]
        fn components_give_what_one_whole_problem_gives(sparse in sparse()) {
            let mut assigner = Assigner::default();
            sparse.offers.iter().for_each(|(row, column, cost)| assigner.offer(*row, *column, *cost));
            let pairs = assigner.solve(sparse.rows, sparse.columns, ALONE).to_vec();
            prop_assert!(pairs.windows(2).all(|two| two[0] < two[1]), "ordered");
            let mut whole = Problem::default();
            whole.begin(sparse.rows, sparse.columns, ALONE);
            for (row, column, cost) in sparse.offers.iter().filter(|(.., cost)| *cost <= ALONE) {
                whole.costs[row * whole.width + column] = *cost;
            }
            whole.solve(sparse.rows);
            let owned = whole.owner[..sparse.columns].iter().enumerate().filter(|(_, owner)| **owner != NONE);
            let whole: Vec<(usize, usize)> = owned.map(|(column, owner)| (*owner as usize, column)).collect();
            prop_assert!((sparse.cost(&pairs) - sparse.cost(&whole)).abs() < 1e-9, "{pairs:?} against {whole:?}");
        }

        #[test]
        fn neither_the_order_of_offers_nor_an_earlier_problem_decides((sparse, order) in sparse_and_order()) {
            let mut assigner = Assigner::default();
            sparse.offers.iter().for_each(|(row, column, cost)| assigner.offer(*row, *column, *cost));
            let pairs = assigner.solve(sparse.rows, sparse.columns, ALONE).to_vec();
            assigner.clear();
            order.iter().for_each(|(row, column, cost)| assigner.offer(*row, *column, *cost));
            prop_assert_eq!(assigner.solve(sparse.rows, sparse.columns, ALONE), pairs);
        }
    }

    /// A table with gaps, of up to eight rows and columns.
    #[derive(Debug, Clone)]
    struct Sparse {
        rows: usize,
        columns: usize,
        offers: Vec<(usize, usize, f64)>,
    }

    impl Sparse {
        fn cost(&self, pairs: &[(usize, usize)]) -> f64 {
            let of_pair = |pair: &(usize, usize)| self.offers.iter().find(|offer| (offer.0, offer.1) == *pair);
            let paired: f64 = pairs.iter().map(|pair| of_pair(pair).expect("a pair that was offered").2).sum();
            paired + ALONE * (self.rows - pairs.len()) as f64
        }
    }

    /// Costs of the same few values as often as any, so that there are ties.
    fn sparse() -> impl Strategy<Value = Sparse> {
        let cost = || prop_oneof![2 => Just(None), 1 => (0.0f64..1.0).prop_map(Some), 1 => (1u32..5).prop_map(|fifths| Some(f64::from(fifths) / 5.0))];
        (1usize..9, 1usize..9)
            .prop_flat_map(move |(rows, columns)| {
                (Just((rows, columns)), prop::collection::vec(cost(), rows * columns))
            })
            .prop_map(|((rows, columns), costs)| {
                let costs = costs.into_iter().enumerate();
                let offers =
                    costs.filter_map(|(at, cost)| cost.map(|cost| (at / columns, at % columns, cost))).collect();
                Sparse { rows, columns, offers }
            })
    }

    fn sparse_and_order() -> impl Strategy<Value = (Sparse, Vec<(usize, usize, f64)>)> {
        sparse().prop_flat_map(|sparse| {
            let offers = sparse.offers.clone();
            (Just(sparse), Just(offers).prop_shuffle())
        })
    }

    const ALONE: f64 = 0.7;
}
