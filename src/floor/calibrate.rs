//! From marks on the floor to the homography of a camera, with its error in centimetres.
//!
//! In: four or more point pairs picture–floor. Out: [`Calibration`]: the map, the hull in which it holds, the
//! reprojection error. Invariant: pairs that do not fix a plane (fewer than four, collinear, across the horizon)
//! are refused, never regularised away.
//! Source: Hartley & Zisserman, Multiple View Geometry, 2nd ed., algorithm 4.2 (normalised DLT), with h33 = 1 in
//! normalised coordinates, where the origin is the middle of the marks and cannot lie on the horizon.

use crate::config::PointPair;
use crate::units::FloorPoint;
use crate::units::homography::Homography;

/// A calibrated camera.
pub struct Calibration {
    picture_to_floor: Homography,
    floor_to_picture: Homography,
    /// Corners of the convex hull of the marks in the picture, in order.
    hull: Vec<[f64; 2]>,
    /// Root mean square of the distances between measured and mapped marks, cm.
    pub residual_cm_rms: f64,
    /// Largest such distance, cm.
    pub residual_cm_max: f64,
}

/// Why point pairs do not make a floor.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum CalibrationError {
    /// Fewer than four.
    #[error("{found} point pairs; give four or more")]
    TooFew {
        /// How many there are.
        found: usize,
    },
    /// No four of them with no three on a line.
    #[error(
        "{count} point pairs lie on one line (or all but one do); spread the marks over the floor, no three of four on a line"
    )]
    Collinear {
        /// How many there are.
        count: usize,
    },
    /// Picture and floor contradict each other.
    #[error("the marks lie on both sides of the horizon; a pair has px and m mixed up")]
    AcrossHorizon,
}

impl Calibration {
    /// Fits the map to the pairs.
    ///
    /// # Errors
    /// [`CalibrationError`] when they do not fix one.
    pub fn fit(pairs: &[PointPair]) -> Result<Self, CalibrationError> {
        if pairs.len() < 4 {
            return Err(CalibrationError::TooFew { found: pairs.len() });
        }
        let collinear = CalibrationError::Collinear { count: pairs.len() };
        let px: Vec<[f64; 2]> = pairs.iter().map(|pair| pair.px).collect();
        let m: Vec<[f64; 2]> = pairs.iter().map(|pair| pair.m).collect();
        let (Some((to_px, px)), Some((to_m, m))) = (normalised(&px), normalised(&m)) else { return Err(collinear) };
        if !spans_a_plane(&px) || !spans_a_plane(&m) {
            return Err(collinear);
        }
        let Some(core) = solve(&px, &m) else { return Err(collinear) };
        let (Some(from_m), Some(_)) = (to_m.inverse(), core.inverse()) else { return Err(collinear) };
        let map = from_m.after(&core).after(&to_px);
        Self::with_map(map, pairs).ok_or(CalibrationError::AcrossHorizon)
    }

    fn with_map(map: Homography, pairs: &[PointPair]) -> Option<Self> {
        let middle_w: f64 =
            pairs.iter().map(|pair| map.apply(pair.px[0], pair.px[1])[2]).sum::<f64>() / pairs.len() as f64;
        // Scaled so that w = 1 in the middle of the marks: w > 0 on the floor side of the horizon.
        let picture_to_floor = map.scaled(1.0 / middle_w);
        let floor_to_picture = picture_to_floor.inverse()?;
        let mut calibration = Self {
            picture_to_floor,
            floor_to_picture,
            hull: convex_hull(pairs.iter().map(|pair| pair.px).collect()),
            residual_cm_rms: 0.0,
            residual_cm_max: 0.0,
        };
        let mut sum = 0.0;
        for pair in pairs {
            if picture_to_floor.apply(pair.px[0], pair.px[1])[2] < HORIZON_W_MIN {
                return None;
            }
            let found = calibration.project(pair.px[0], pair.px[1]);
            let distance_cm = (found.x_m - pair.m[0]).hypot(found.y_m - pair.m[1]) * 100.0;
            calibration.residual_cm_max = calibration.residual_cm_max.max(distance_cm);
            sum += distance_cm * distance_cm;
        }
        calibration.residual_cm_rms = (sum / pairs.len() as f64).sqrt();
        Some(calibration)
    }

    /// The map itself, hull or not.
    #[must_use]
    pub fn picture_to_floor(&self) -> Homography {
        self.picture_to_floor
    }

    /// Where on the floor a picture point lies; `None` on or above the horizon and outside the hull.
    #[must_use]
    pub fn locate(&self, x_px: f64, y_px: f64) -> Option<FloorPoint> {
        (self.is_floor(x_px, y_px) && self.in_hull([x_px, y_px])).then(|| self.project(x_px, y_px))
    }

    /// Where on the floor a drawn picture point lies, hull or not.
    #[must_use]
    pub fn project(&self, x_px: f64, y_px: f64) -> FloorPoint {
        let [x, y, w] = self.picture_to_floor.apply(x_px, y_px);
        FloorPoint { x_m: x / w, y_m: y / w }
    }

    /// Whether a picture point shows floor: it lies below the horizon.
    #[must_use]
    pub fn is_floor(&self, x_px: f64, y_px: f64) -> bool {
        self.picture_to_floor.apply(x_px, y_px)[2] >= HORIZON_W_MIN
    }

    /// Where in the picture a floor point lies, px; `None` for one that the camera does not look towards.
    #[must_use]
    pub fn find(&self, at: FloorPoint) -> Option<[f64; 2]> {
        let [x, y, w] = self.floor_to_picture.apply(at.x_m, at.y_m);
        let [x_px, y_px] = [x / w, y / w];
        self.is_floor(x_px, y_px).then_some([x_px, y_px])
    }

    /// Whether a floor point lies in the calibrated part of the picture.
    #[must_use]
    pub fn covers(&self, at: FloorPoint) -> bool {
        self.find(at).is_some_and(|[x_px, y_px]| self.locate(x_px, y_px).is_some())
    }

    /// A floor point in the middle of the calibrated part of the picture.
    #[must_use]
    pub fn middle(&self) -> Option<FloorPoint> {
        let count = self.hull.len() as f64;
        let [x, y] = [0, 1].map(|axis| self.hull.iter().map(|corner| corner[axis]).sum::<f64>() / count);
        self.locate(x, y)
    }

    fn in_hull(&self, point: [f64; 2]) -> bool {
        let corners = self.hull.len();
        (0..corners).all(|corner| turn(self.hull[corner], self.hull[(corner + 1) % corners], point) >= -1e-6)
    }
}

/// Points moved to their middle and scaled to mean distance √2, and the map that does it.
fn normalised(points: &[[f64; 2]]) -> Option<(Homography, Vec<[f64; 2]>)> {
    let count = points.len() as f64;
    let middle = [0, 1].map(|axis| points.iter().map(|point| point[axis]).sum::<f64>() / count);
    let spread = points.iter().map(|point| (point[0] - middle[0]).hypot(point[1] - middle[1])).sum::<f64>() / count;
    if spread < 1e-9 {
        return None;
    }
    let scale = std::f64::consts::SQRT_2 / spread;
    let map = Homography::new([[scale, 0.0, -scale * middle[0]], [0.0, scale, -scale * middle[1]], [0.0, 0.0, 1.0]]);
    Some((map, points.iter().map(|point| [scale * (point[0] - middle[0]), scale * (point[1] - middle[1])]).collect()))
}

/// Whether some four points have no three on a line.
fn spans_a_plane(points: &[[f64; 2]]) -> bool {
    let apart = |a: usize, b: usize, c: usize| turn(points[a], points[b], points[c]).abs() > COLLINEAR_AREA;
    let count = points.len();
    (0..count).any(|a| {
        (a + 1..count).any(|b| {
            (b + 1..count)
                .filter(|c| apart(a, b, *c))
                .any(|c| (c + 1..count).any(|d| apart(a, b, d) && apart(a, c, d) && apart(b, c, d)))
        })
    })
}

/// Twice the signed area of a triangle: positive for a left turn (y up).
fn turn(a: [f64; 2], b: [f64; 2], c: [f64; 2]) -> f64 {
    (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])
}

/// Least squares for the eight free entries over the normal equations.
fn solve(from: &[[f64; 2]], to: &[[f64; 2]]) -> Option<Homography> {
    let mut normal = [[0.0f64; 9]; 8];
    for (&[x, y], &[u, v]) in from.iter().zip(to) {
        let equations = [[x, y, 1.0, 0.0, 0.0, 0.0, -u * x, -u * y, u], [0.0, 0.0, 0.0, x, y, 1.0, -v * x, -v * y, v]];
        for equation in equations {
            for row in 0..8 {
                for column in 0..9 {
                    normal[row][column] += equation[row] * equation[column];
                }
            }
        }
    }
    let h = eliminate(normal)?;
    Some(Homography::new([[h[0], h[1], h[2]], [h[3], h[4], h[5]], [h[6], h[7], 1.0]]))
}

/// Gaussian elimination with partial pivoting; `None` when singular.
fn eliminate(mut table: [[f64; 9]; 8]) -> Option<[f64; 8]> {
    for column in 0..8 {
        let pivot = (column..8).max_by(|a, b| table[*a][column].abs().total_cmp(&table[*b][column].abs()))?;
        if table[pivot][column].abs() < PIVOT_MIN {
            return None;
        }
        table.swap(column, pivot);
        for row in (0..8).filter(|row| *row != column) {
            let factor = table[row][column] / table[column][column];
            let pivot_row = table[column];
            for (entry, pivot_entry) in table[row].iter_mut().zip(pivot_row).skip(column) {
                *entry -= factor * pivot_entry;
            }
        }
    }
    Some(std::array::from_fn(|row| table[row][8] / table[row][row]))
}

/// Corners of the convex hull, counter-clockwise (Andrew's monotone chain, 1979).
fn convex_hull(mut points: Vec<[f64; 2]>) -> Vec<[f64; 2]> {
    points.sort_by(|a, b| a[0].total_cmp(&b[0]).then(a[1].total_cmp(&b[1])));
    let chain = |points: &mut dyn Iterator<Item = &[f64; 2]>| {
        let mut half: Vec<[f64; 2]> = Vec::new();
        for point in points {
            while half.len() >= 2 && turn(half[half.len() - 2], half[half.len() - 1], *point) <= 0.0 {
                half.pop();
            }
            half.push(*point);
        }
        half.pop();
        half
    };
    let mut hull = chain(&mut points.iter());
    hull.extend(chain(&mut points.iter().rev()));
    hull
}

/// Closer than this to the horizon (relative to the middle of the marks) a pixel is a street long.
const HORIZON_W_MIN: f64 = 0.02;
/// Twice the area, in normalised units, below which three marks lie on a line.
const COLLINEAR_AREA: f64 = 1e-3;
/// Smallest pivot of the normal equations in normalised units.
const PIVOT_MIN: f64 = 1e-9;

#[cfg(test)]
mod tests {
    use super::*;

    fn pair(px: [f64; 2], m: [f64; 2]) -> PointPair {
        PointPair { px, m }
    }

    /// A camera that looks down a room 8 m wide.
    fn room() -> Vec<PointPair> {
        vec![
            pair([100.0, 500.0], [0.0, 0.0]),
            pair([700.0, 500.0], [8.0, 0.0]),
            pair([500.0, 200.0], [8.0, 12.0]),
            pair([300.0, 200.0], [0.0, 12.0]),
        ]
    }

    #[test]
    fn four_marks_map_onto_themselves() {
        let calibration = Calibration::fit(&room()).expect("a plane");
        assert!(calibration.residual_cm_max < 1e-6);
        let middle = calibration.locate(400.0, 500.0).expect("in the hull");
        assert!((middle.x_m - 4.0).abs() < 1e-9 && middle.y_m.abs() < 1e-9);
    }

    #[test]
    fn outside_the_marks_there_is_no_floor() {
        let calibration = Calibration::fit(&room()).expect("a plane");
        assert!(calibration.locate(50.0, 500.0).is_none());
        assert!(calibration.locate(400.0, 100.0).is_none());
        assert!(calibration.covers(FloorPoint { x_m: 4.0, y_m: 6.0 }));
        assert!(!calibration.covers(FloorPoint { x_m: 40.0, y_m: 6.0 }));
        assert!(calibration.find(FloorPoint { x_m: 4.0, y_m: -60.0 }).is_none(), "behind the camera");
        assert!(!calibration.is_floor(400.0, 1.0), "the sky");
    }

    #[test]
    fn a_wrong_mark_shows_in_centimetres() {
        let exact = Calibration::fit(&room()).expect("a plane").project(400.0, 320.0);
        let mut pairs = room();
        pairs.push(pair([400.0, 320.0], [exact.x_m, exact.y_m + 0.5]));
        let calibration = Calibration::fit(&pairs).expect("a plane");
        assert!(
            calibration.residual_cm_max > 5.0 && calibration.residual_cm_max < 60.0,
            "{}",
            calibration.residual_cm_max
        );
    }

    #[test]
    fn marks_on_a_line_are_refused() {
        let line: Vec<PointPair> = (0..4).map(|i| pair([f64::from(i) * 100.0, 300.0], [f64::from(i), 5.0])).collect();
        assert_eq!(Calibration::fit(&line).err(), Some(CalibrationError::Collinear { count: 4 }));
        let mut all_but_one = line;
        all_but_one[3] = pair([300.0, 500.0], [3.0, 0.0]);
        assert_eq!(Calibration::fit(&all_but_one).err(), Some(CalibrationError::Collinear { count: 4 }));
        assert_eq!(Calibration::fit(&room()[..3]).err(), Some(CalibrationError::TooFew { found: 3 }));
    }
}
