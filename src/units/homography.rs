//! The projective map between two planes.
//!
//! In: a row-major 3×3 matrix. Out: mapped points and the inverse map.
//! Source: Hartley & Zisserman, Multiple View Geometry, 2nd ed., §2.3.

/// A projective map `[X, Y, W] ~ H [x, y, 1]`.
#[derive(Debug, Clone, Copy)]
pub struct Homography {
    rows: [[f64; 3]; 3],
}

impl Homography {
    /// Takes the matrix row by row.
    #[must_use]
    pub fn new(rows: [[f64; 3]; 3]) -> Self {
        Self { rows }
    }

    /// The mapped point before division: `[X, Y, W]`.
    #[must_use]
    pub fn apply(&self, x: f64, y: f64) -> [f64; 3] {
        self.rows.map(|[a, b, c]| a * x + b * y + c)
    }

    /// The mapped point and how it moves with the given one: `[X, Y]` and `∂(X, Y) / ∂(x, y)`, row by row.
    #[must_use]
    pub fn locate(&self, x: f64, y: f64) -> ([f64; 2], [[f64; 2]; 2]) {
        let [u, v, w] = self.apply(x, y);
        let at = [u / w, v / w];
        let [.., last] = self.rows;
        let slope = |axis: usize| [0, 1].map(|side| (self.rows[axis][side] - at[axis] * last[side]) / w);
        (at, [slope(0), slope(1)])
    }

    /// The product `self · other`: first `other`, then `self`.
    #[must_use]
    pub fn after(&self, other: &Self) -> Self {
        let entry = |row: usize, column: usize| (0..3).map(|k| self.rows[row][k] * other.rows[k][column]).sum();
        Self { rows: std::array::from_fn(|row| std::array::from_fn(|column| entry(row, column))) }
    }

    /// The inverse map up to scale (the adjugate); `None` when the map is degenerate.
    #[must_use]
    pub fn inverse(&self) -> Option<Self> {
        let m = &self.rows;
        // Indices taken cyclically give every cofactor its sign.
        let cofactor = |row: usize, column: usize| {
            let (r1, r2, c1, c2) = ((row + 1) % 3, (row + 2) % 3, (column + 1) % 3, (column + 2) % 3);
            m[r1][c1] * m[r2][c2] - m[r1][c2] * m[r2][c1]
        };
        let determinant: f64 = (0..3).map(|column| m[0][column] * cofactor(0, column)).sum();
        let size = m.iter().flatten().fold(0.0f64, |size, value| size.max(value.abs()));
        if determinant.abs() <= DETERMINANT_MIN * size.powi(3) {
            return None;
        }
        Some(Self {
            rows: std::array::from_fn(|row| std::array::from_fn(|column| cofactor(column, row) / determinant)),
        })
    }

    /// The same map with every entry multiplied.
    #[must_use]
    pub fn scaled(&self, factor: f64) -> Self {
        Self { rows: self.rows.map(|row| row.map(|value| value * factor)) }
    }
}

/// Smallest determinant, relative to the cube of the largest entry, of a map that can be undone.
const DETERMINANT_MIN: f64 = 1e-14;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_and_back_is_where_it_began() {
        let map = Homography::new([[0.05, -0.6, 86.0], [-0.14, -0.4, 118.0], [0.0009, 0.019, 1.0]]);
        let [x, y, w] = map.apply(300.0, 250.0);
        let [u, v, s] = map.inverse().expect("regular").apply(x / w, y / w);
        assert!((u / s - 300.0).abs() < 1e-9 && (v / s - 250.0).abs() < 1e-9);
    }

    #[test]
    fn the_slope_is_what_a_small_step_shows() {
        let map = Homography::new([[0.05, -0.6, 86.0], [-0.14, -0.4, 118.0], [0.0009, 0.019, 1.0]]);
        let (at, slope) = map.locate(300.0, 250.0);
        for (side, step) in [[1e-4, 0.0], [0.0, 1e-4]].into_iter().enumerate() {
            let (moved, _) = map.locate(300.0 + step[0], 250.0 + step[1]);
            for axis in 0..2 {
                assert!(((moved[axis] - at[axis]) / 1e-4 - slope[axis][side]).abs() < 1e-5);
            }
        }
    }

    #[test]
    fn a_flat_map_has_no_inverse() {
        assert!(Homography::new([[1.0, 2.0, 3.0], [2.0, 4.0, 6.0], [0.0, 0.0, 1.0]]).inverse().is_none());
    }
}
