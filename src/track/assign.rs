//! Who is whom at least cost: the assignment problem with a price for staying alone.
//!
//! In: a cost for every pair. Out: the pairs of the cheapest assignment in which no pair costs more than the
//! limit. Invariant: ties are broken by index, so that runs repeat bit for bit.
//! Source: Jonker & Volgenant (1987), shortest augmenting paths with dual variables.

/// Pairs `(row, column)` of the cheapest assignment; a pair dearer than `cost_max` is never made.
#[must_use]
pub fn assign(rows: usize, columns: usize, cost_max: f64, cost: impl Fn(usize, usize) -> f64) -> Vec<(usize, usize)> {
    if rows == 0 || columns == 0 {
        return Vec::new();
    }
    // Each row has a column of its own beyond the real ones: staying alone, at the limit.
    let width = columns + rows;
    let mut table = vec![FORBIDDEN; rows * width];
    for row in 0..rows {
        for column in 0..columns {
            let value = cost(row, column);
            table[row * width + column] = if value <= cost_max { value } else { FORBIDDEN };
        }
        table[row * width + columns + row] = cost_max;
    }
    let owner = solve(rows, width, &table);
    let mut pairs: Vec<(usize, usize)> =
        owner[..columns].iter().enumerate().filter_map(|(column, row)| row.map(|row| (row, column))).collect();
    pairs.retain(|(row, column)| table[row * width + column] < FORBIDDEN);
    pairs.sort_unstable();
    pairs
}

/// The row that owns each column in the cheapest full assignment of all rows.
fn solve(rows: usize, width: usize, table: &[f64]) -> Vec<Option<usize>> {
    let mut duals = Duals { rows: vec![0.0; rows], columns: vec![0.0; width] };
    let mut owner: Vec<Option<usize>> = vec![None; width];
    for row in 0..rows {
        let path = shortest_path(row, table, &mut duals, &owner);
        let mut column = path.end;
        loop {
            let previous = path.came_from[column];
            owner[column] = match previous {
                Some(before) => owner[before],
                None => Some(row),
            };
            match previous {
                Some(before) => column = before,
                None => break,
            }
        }
    }
    owner
}

struct Duals {
    rows: Vec<f64>,
    columns: Vec<f64>,
}

struct Path {
    end: usize,
    came_from: Vec<Option<usize>>,
}

/// Dijkstra over reduced costs from a free row to the nearest free column; updates the duals.
fn shortest_path(start: usize, table: &[f64], duals: &mut Duals, owner: &[Option<usize>]) -> Path {
    let width = owner.len();
    let mut distance = vec![f64::INFINITY; width];
    let mut came_from = vec![None; width];
    let mut done = vec![false; width];
    let (mut row, mut via, mut base) = (start, None, 0.0);
    let end = loop {
        for column in (0..width).filter(|column| !done[*column]) {
            let reduced = base + table[row * width + column] - duals.rows[row] - duals.columns[column];
            if reduced < distance[column] {
                distance[column] = reduced;
                came_from[column] = via;
            }
        }
        let nearest = (0..width).filter(|column| !done[*column]).min_by(|a, b| distance[*a].total_cmp(&distance[*b]));
        let nearest = nearest.expect("every row has its own column to stay alone in");
        done[nearest] = true;
        base = distance[nearest];
        match owner[nearest] {
            None => break nearest,
            Some(next) => (row, via) = (next, Some(nearest)),
        }
    };
    duals.rows[start] += base;
    for column in (0..width).filter(|column| done[*column] && *column != end) {
        let slack = base - distance[column];
        duals.columns[column] -= slack;
        if let Some(row) = owner[column] {
            duals.rows[row] += slack;
        }
    }
    Path { end, came_from }
}

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
    }
}
