//! Where a person should be by now on the floor: one constant-velocity filter in metres and seconds.
//!
//! In: foot points of one camera, px, and its homography. Out: how far a found foot lies from the expected one, in
//! standard deviations. A foot is known to so many pixels; how many metres these are depends on where it stands, so its
//! error is carried to the floor by the slope of the homography. Closed form, no allocation.
//! Source: UCMCTrack (arXiv 2312.08952), mapped uncertainty; the motion model as in `track/kalman.rs`.

use super::tuning::GroundNoise;
use crate::units::homography::Homography;
use crate::units::{BoxPx, FootPx};

/// The floor as one camera sees it.
pub struct GroundPlane {
    picture_to_floor: Homography,
    floor_to_picture: Homography,
}

/// A foot on the floor and how well it is known.
#[derive(Clone, Copy)]
pub struct Footing {
    /// Where, m.
    at: Pair,
    /// Covariance of its error, m².
    spread: Square,
}

/// Expected foot of one person.
pub struct GroundFilter {
    position: Pair,
    velocity: Pair,
    /// Covariance of the position, of position and velocity, of the velocity.
    spread: Square,
    cross: Square,
    velocity_spread: Square,
}

type Pair = [f64; 2];
type Square = [[f64; 2]; 2];

impl GroundPlane {
    /// The floor under a map from the picture (px) to it (m); `None` if it cannot be undone. The floor lies below the
    /// horizon, towards the lower border.
    #[must_use]
    pub fn new(picture_to_floor: Homography) -> Option<Self> {
        let [.., above] = picture_to_floor.apply(0.0, 0.0);
        let [.., below] = picture_to_floor.apply(0.0, 1.0);
        let side = if below == above { above } else { below - above };
        let picture_to_floor = picture_to_floor.scaled(side.signum());
        picture_to_floor.inverse().map(|floor_to_picture| Self { picture_to_floor, floor_to_picture })
    }

    /// Where on the picture somebody should stand; `None` where the picture shows no floor.
    #[must_use]
    pub fn find(&self, person: &GroundFilter) -> Option<FootPx> {
        let [x, y, w] = self.floor_to_picture.apply(person.position[0], person.position[1]);
        let [x, y] = [x / w, y / w];
        (self.picture_to_floor.apply(x, y)[2] > 0.0).then_some(FootPx { x_px: x as f32, y_px: y as f32 })
    }

    /// Where on the floor a box stands, m; `None` where there is no floor, or so far away that a pixel is a street long.
    #[must_use]
    pub fn footing(&self, place: &BoxPx, noise: &GroundNoise) -> Option<Footing> {
        let foot = place.foot();
        let (x, y) = (f64::from(foot.x_px), f64::from(foot.y_px));
        let [.., w] = self.picture_to_floor.apply(x, y);
        if w <= 0.0 {
            return None;
        }
        let (at, slope) = self.picture_to_floor.locate(x, y);
        let deviation = noise.foot * f64::from(place.height());
        let [across, along] = noise.foot_px_max.map(|most| deviation.clamp(noise.foot_px_min, most).powi(2));
        let mapped = |one: usize, other: usize| {
            slope[one][0] * slope[other][0] * across + slope[one][1] * slope[other][1] * along
        };
        let spread = [[mapped(0, 0), mapped(0, 1)], [mapped(0, 1), mapped(1, 1)]];
        (spread[0][0] + spread[1][1] <= SPREAD_M2_MAX).then_some(Footing { at, spread })
    }
}

impl Footing {
    /// How far apart two feet are, m.
    #[must_use]
    pub fn distance_m(&self, other: &Self) -> f64 {
        (self.at[0] - other.at[0]).hypot(self.at[1] - other.at[1])
    }
}

impl GroundFilter {
    /// Starts at a foot, at rest.
    #[must_use]
    pub fn new(footing: &Footing, noise: &GroundNoise) -> Self {
        let velocity_variance = noise.first_velocity_m_s * noise.first_velocity_m_s;
        Self {
            position: footing.at,
            velocity: [0.0; 2],
            spread: footing.spread,
            cross: [[0.0; 2]; 2],
            velocity_spread: [[velocity_variance, 0.0], [0.0, velocity_variance]],
        }
    }

    /// Moves on by `dt` seconds.
    pub fn predict(&mut self, dt: f64, noise: &GroundNoise) {
        let density = noise.acceleration;
        for one in 0..2 {
            self.position[one] += dt * self.velocity[one];
            for other in 0..2 {
                self.spread[one][other] +=
                    dt * (self.cross[one][other] + self.cross[other][one]) + dt * dt * self.velocity_spread[one][other];
            }
            self.spread[one][one] += density * dt.powi(3) / 3.0;
        }
        for one in 0..2 {
            for other in 0..2 {
                self.cross[one][other] += dt * self.velocity_spread[one][other];
            }
            self.cross[one][one] += density * dt * dt / 2.0;
            self.velocity_spread[one][one] += density * dt;
        }
    }

    /// Takes in a sighting.
    pub fn correct(&mut self, footing: &Footing) {
        let inverse = self.innovation_inverse(footing);
        let gain = times(&self.spread, &inverse);
        let velocity_gain = times(&transposed(&self.cross), &inverse);
        let innovation = self.innovation(footing);
        let (spread, cross) = (self.spread, self.cross);
        for one in 0..2 {
            self.position[one] += gain[one][0] * innovation[0] + gain[one][1] * innovation[1];
            self.velocity[one] += velocity_gain[one][0] * innovation[0] + velocity_gain[one][1] * innovation[1];
        }
        subtract(&mut self.velocity_spread, &times(&velocity_gain, &cross));
        subtract(&mut self.cross, &times(&gain, &cross));
        subtract(&mut self.spread, &times(&gain, &spread));
    }

    /// Squared Mahalanobis distance of a found foot from the expected one.
    #[must_use]
    pub fn distance2(&self, footing: &Footing) -> f64 {
        let ([x, y], inverse) = (self.innovation(footing), self.innovation_inverse(footing));
        x * x * inverse[0][0] + 2.0 * x * y * inverse[0][1] + y * y * inverse[1][1]
    }

    fn innovation(&self, footing: &Footing) -> Pair {
        [footing.at[0] - self.position[0], footing.at[1] - self.position[1]]
    }

    fn innovation_inverse(&self, footing: &Footing) -> Square {
        let [a, b, d] =
            [(0, 0), (0, 1), (1, 1)].map(|(one, other)| self.spread[one][other] + footing.spread[one][other]);
        let determinant = a * d - b * b;
        [[d / determinant, -b / determinant], [-b / determinant, a / determinant]]
    }
}

fn times(one: &Square, other: &Square) -> Square {
    let entry = |row: usize, column: usize| one[row][0] * other[0][column] + one[row][1] * other[1][column];
    [[entry(0, 0), entry(0, 1)], [entry(1, 0), entry(1, 1)]]
}

fn transposed(square: &Square) -> Square {
    [[square[0][0], square[1][0]], [square[0][1], square[1][1]]]
}

fn subtract(from: &mut Square, what: &Square) {
    for row in 0..2 {
        for column in 0..2 {
            from[row][column] -= what[row][column];
        }
    }
}

/// A foot known no better than to five metres is known to nobody, m².
const SPREAD_M2_MAX: f64 = 25.0;

#[cfg(test)]
mod tests {
    use super::super::tuning::Tuning;
    use super::*;

    const NOISE: GroundNoise = Tuning::STANDARD.ground;

    /// A camera that sees 100 px a metre, everywhere.
    fn plan() -> GroundPlane {
        let map = Homography::new([[0.01, 0.0, 0.0], [0.0, 0.01, 0.0], [0.0, 0.0, 1.0]]);
        GroundPlane::new(map).expect("it can be undone")
    }

    fn standing(x_px: f32, y_px: f32) -> BoxPx {
        BoxPx { x1: x_px - 20.0, y1: y_px - 100.0, x2: x_px + 20.0, y2: y_px }
    }

    #[test]
    fn a_steady_walk_is_foreseen_whatever_the_frame_rate() {
        for step_s in [1.0 / 25.0, 1.0 / 7.0, 1.0 / 5.0] {
            let footing = |at_s: f64| plan().footing(&standing(100.0 * at_s as f32, 200.0), &NOISE).expect("floor");
            let mut filter = GroundFilter::new(&footing(0.0), &NOISE);
            let steps = (3.0 / step_s) as i32;
            for step in 1..=steps {
                filter.predict(step_s, &NOISE);
                filter.correct(&footing(f64::from(step) * step_s));
            }
            filter.predict(0.5, &NOISE);
            let expected_m = f64::from(steps) * step_s + 0.5;
            assert!((filter.position[0] - expected_m).abs() < 0.06, "{} at {step_s}", filter.position[0]);
            assert!(filter.distance2(&footing(expected_m)) < 0.1);
            assert!(filter.distance2(&footing(expected_m + 3.0)) > 20.0);
        }
    }

    #[test]
    fn two_short_predictions_equal_one_long_one() {
        let footing = plan().footing(&standing(100.0, 200.0), &NOISE).expect("floor");
        let (mut once, mut twice) = (GroundFilter::new(&footing, &NOISE), GroundFilter::new(&footing, &NOISE));
        once.predict(0.4, &NOISE);
        twice.predict(0.2, &NOISE);
        twice.predict(0.2, &NOISE);
        for (one, other) in [(once.spread, twice.spread), (once.cross, twice.cross)] {
            assert!((one[0][0] - other[0][0]).abs() < 1e-12 && (one[1][1] - other[1][1]).abs() < 1e-12);
        }
    }

    #[test]
    fn above_the_horizon_there_is_no_footing() {
        let street = Homography::new([[0.05, -0.6, 86.0], [-0.14, -0.4, 118.0], [0.0009, 0.019, 1.0]]);
        for sign in [1.0, -1.0] {
            let plane = GroundPlane::new(street.scaled(sign)).expect("it can be undone");
            assert!(plane.footing(&standing(300.0, 300.0), &NOISE).is_some());
            assert!(plane.footing(&standing(300.0, -80.0), &NOISE).is_none(), "above");
            assert!(plane.footing(&standing(300.0, -66.0), &NOISE).is_none(), "a street a pixel");
        }
    }
}
