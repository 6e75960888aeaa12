//! Where a person should be by now on the picture: four scalar constant-velocity filters in seconds.
//!
//! In: boxes, px, and elapsed time, s. Out: the expected box and how far a found one lies from it.
//! State: foot x, foot y, width, height with a velocity each; all noise in box heights, so that near and far
//! people are treated alike. Width and height err as the foot does: only the ratio of noises matters to a filter. Closed form, no allocation.
//! Source: Bar-Shalom, Li, Kirubarajan, Estimation with Applications to Tracking and Navigation, §6.2.2
//! (continuous white-noise acceleration).

use super::tuning::PictureNoise;
use crate::units::BoxPx;

/// Expected box of one person.
pub struct BoxFilter {
    foot_x: Scalar,
    foot_y: Scalar,
    width: Scalar,
    height: Scalar,
}

impl BoxFilter {
    /// Starts at a detection, at rest.
    #[must_use]
    pub fn new(place: &BoxPx, noise: &PictureNoise) -> Self {
        let height = f64::from(place.height()).max(1.0);
        let [foot_x, foot_y, width, box_height] = measured(place);
        let start = |value| Scalar::new(value, noise.measurement * height, noise.first_velocity * height);
        Self { foot_x: start(foot_x), foot_y: start(foot_y), width: start(width), height: start(box_height) }
    }

    /// Moves on by `elapsed_s`; a person out of sight keeps their size.
    pub fn predict(&mut self, elapsed_s: f64, is_lost: bool, noise: &PictureNoise) {
        let height = self.height();
        if is_lost {
            self.width.velocity = 0.0;
            self.height.velocity = 0.0;
        }
        let growth = Growth::over(elapsed_s, noise.acceleration * height, noise.walk * height);
        for scalar in [&mut self.foot_x, &mut self.foot_y, &mut self.width, &mut self.height] {
            scalar.predict(elapsed_s, &growth);
        }
    }

    /// Takes in a sighting.
    pub fn correct(&mut self, place: &BoxPx, noise: &PictureNoise) {
        let variance = (noise.measurement * f64::from(place.height()).max(1.0)).powi(2);
        let scalars = [&mut self.foot_x, &mut self.foot_y, &mut self.width, &mut self.height];
        for (scalar, value) in scalars.into_iter().zip(measured(place)) {
            scalar.correct(value, variance);
        }
    }

    /// The expected box, px.
    #[must_use]
    pub fn place(&self) -> BoxPx {
        let (half_width, height) = (self.width.value.max(1.0) / 2.0, self.height());
        BoxPx {
            x1: (self.foot_x.value - half_width) as f32,
            y1: (self.foot_y.value - height) as f32,
            x2: (self.foot_x.value + half_width) as f32,
            y2: self.foot_y.value as f32,
        }
    }

    /// Squared Mahalanobis distance of a found foot point from the expected one.
    #[must_use]
    pub fn distance2(&self, place: &BoxPx, noise: &PictureNoise) -> f64 {
        let variance = (noise.measurement * self.height()).powi(2);
        let foot = place.foot();
        self.foot_x.distance2(f64::from(foot.x_px), variance) + self.foot_y.distance2(f64::from(foot.y_px), variance)
    }

    fn height(&self) -> f64 {
        self.height.value.max(1.0)
    }
}

fn measured(place: &BoxPx) -> [f64; 4] {
    let foot = place.foot();
    [foot.x_px, foot.y_px, place.width(), place.height()].map(f64::from)
}

/// One value and its velocity, with their covariance.
struct Scalar {
    value: f64,
    velocity: f64,
    variance: f64,
    covariance: f64,
    velocity_variance: f64,
}

/// What a step in time adds to variance, covariance and velocity variance.
struct Growth {
    position: f64,
    cross: f64,
    velocity: f64,
}

impl Growth {
    fn over(elapsed_s: f64, acceleration: f64, walk: f64) -> Self {
        let density = acceleration * acceleration;
        Self {
            position: density * elapsed_s.powi(3) / 3.0 + walk * walk * elapsed_s,
            cross: density * elapsed_s * elapsed_s / 2.0,
            velocity: density * elapsed_s,
        }
    }
}

impl Scalar {
    fn new(value: f64, deviation: f64, velocity_deviation: f64) -> Self {
        let (variance, velocity_variance) = (deviation * deviation, velocity_deviation * velocity_deviation);
        Self { value, velocity: 0.0, variance, covariance: 0.0, velocity_variance }
    }

    fn predict(&mut self, dt: f64, growth: &Growth) {
        self.value += self.velocity * dt;
        self.variance += dt * (2.0 * self.covariance + dt * self.velocity_variance) + growth.position;
        self.covariance += dt * self.velocity_variance + growth.cross;
        self.velocity_variance += growth.velocity;
    }

    fn correct(&mut self, measured: f64, variance: f64) {
        let innovation = measured - self.value;
        let innovation_variance = self.variance + variance;
        let (gain, velocity_gain) = (self.variance / innovation_variance, self.covariance / innovation_variance);
        self.value += gain * innovation;
        self.velocity += velocity_gain * innovation;
        self.velocity_variance -= velocity_gain * self.covariance;
        self.covariance *= 1.0 - gain;
        self.variance *= 1.0 - gain;
    }

    fn distance2(&self, measured: f64, variance: f64) -> f64 {
        (measured - self.value).powi(2) / (self.variance + variance)
    }
}

#[cfg(test)]
mod tests {
    use super::super::tuning::Tuning;
    use super::*;

    const NOISE: PictureNoise = Tuning::STANDARD.picture;

    fn walker(at_s: f64) -> BoxPx {
        let left = (100.0 * at_s) as f32;
        BoxPx { x1: left, y1: 0.0, x2: left + 40.0, y2: 100.0 }
    }

    fn followed(step_s: f64, until_s: f64) -> BoxFilter {
        let mut filter = BoxFilter::new(&walker(0.0), &NOISE);
        let mut at_s = 0.0;
        while at_s < until_s - 1e-9 {
            at_s += step_s;
            filter.predict(step_s, false, &NOISE);
            filter.correct(&walker(at_s), &NOISE);
        }
        filter
    }

    #[test]
    fn a_steady_walk_is_foreseen_whatever_the_frame_rate() {
        for step_s in [1.0 / 25.0, 1.0 / 7.0, 1.0 / 5.0] {
            let mut filter = followed(step_s, 3.0);
            filter.predict(0.5, true, &NOISE);
            let expected = filter.place().foot().x_px;
            let real = walker((3.0 / step_s - 1e-9).ceil() * step_s + 0.5).foot().x_px;
            assert!((expected - real).abs() < 6.0, "{expected} for {real} at {step_s}");
        }
    }

    #[test]
    fn two_short_predictions_equal_one_long_one() {
        let (mut once, mut twice) = (followed(0.1, 1.0), followed(0.1, 1.0));
        once.predict(0.4, false, &NOISE);
        twice.predict(0.2, false, &NOISE);
        twice.predict(0.2, false, &NOISE);
        assert!((once.foot_x.value - twice.foot_x.value).abs() < 1e-9);
        assert!((once.foot_x.variance - twice.foot_x.variance).abs() / once.foot_x.variance < 0.02);
    }
}
