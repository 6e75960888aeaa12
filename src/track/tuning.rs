//! The one setting of the tracker: every figure it goes by, in seconds, box heights and metres.
//!
//! In: nothing; there is no key for these in the site file. Invariant: no figure counts frames, so that a slower camera
//! needs no other setting (the test that stretches time holds it). Source: simulated annealing on the boxes of nine MOT15
//! and MOT17 sequences at 30 to 5 frames a second, each also with jittered and dropped boxes, and on those three detectors
//! found in PETS09-S2L1; one setting for all, rounded. A change of any figure by a few per cent moves HOTA by some tenths.

/// What the tracker goes by.
#[derive(Clone, Copy)]
pub struct Tuning {
    /// Filters on the picture.
    pub picture: PictureNoise,
    /// Filter on the floor.
    pub ground: GroundNoise,
    /// Whom a detection may continue.
    pub matching: Matching,
    /// Whom a new track counts as.
    pub stitching: Stitching,
}

/// Noise of a box on the picture, in box heights.
#[derive(Clone, Copy)]
pub struct PictureNoise {
    /// Standard deviation of a sighting, h.
    pub measurement: f64,
    /// Acceleration density, h / s^1.5.
    pub acceleration: f64,
    /// Random walk of the position, h / √s.
    pub walk: f64,
    /// Standard deviation of the first velocity, h / s.
    pub first_velocity: f64,
}

/// Noise of a foot on the floor.
#[derive(Clone, Copy)]
pub struct GroundNoise {
    /// Spectral density of the acceleration, m² / s³.
    pub acceleration: f64,
    /// Standard deviation of the first velocity, m / s.
    pub first_velocity_m_s: f64,
    /// Standard deviation of a foot on the picture, box heights.
    pub foot: f64,
    /// The least it is, px.
    pub foot_px_min: f64,
    /// The most it is across and along the picture, px.
    pub foot_px_max: [f64; 2],
}

/// Gates and prices of the three association steps.
#[derive(Clone, Copy)]
pub struct Matching {
    /// Weakest calibrated score that continues a track.
    pub score_low: f32,
    /// Weakest that begins a track; a strong one must confirm it.
    pub score_birth: f32,
    /// Weakest strong one: it finds a lost person and confirms a track.
    pub score_high: f32,
    /// Weight of the similarity of boxes where the distance is one on the picture; the rest is that of the distance.
    pub similarity_weight: f64,
    /// The same where the distance is one on the floor.
    pub similarity_weight_on_ground: f64,
    /// Squared Mahalanobis distance that costs as much as any.
    pub distance2_full: f64,
    /// Largest squared Mahalanobis distance of a foot point, 2 degrees of freedom.
    pub distance2_max: f64,
    /// Power of the ratio of heights in the similarity.
    pub height_power: f32,
    /// How much a weak score weighs against a strong detection.
    pub score_weight: f32,
    /// Share by which boxes are grown before they are compared.
    pub buffer: f32,
    /// Dearest pair of a confirmed person and a strong detection.
    pub cost_strong: f64,
    /// Dearest pair of somebody just seen and a weak detection.
    pub cost_weak: f64,
    /// Dearest pair of a track not confirmed yet and a strong detection.
    pub cost_tentative: f64,
    /// A new detection this much (IoU) on a person just seen is the same person.
    pub double_iou: f32,
    /// Sightings until a track counts.
    pub hits_to_confirm: u32,
    /// A track unseen for longer is over, s.
    pub lost_s: f64,
    /// After a longer gap between frames everything starts afresh, s.
    pub gap_s: f64,
}

/// Whom a new track counts as: somebody lost in the open, not long ago and not far away.
#[derive(Clone, Copy)]
pub struct Stitching {
    /// Longest absence, s.
    pub gap_s: f64,
    /// Farthest, m.
    pub distance_m: f64,
    /// Farther by this for every second of absence, m / s.
    pub speed_m_s: f64,
    /// Least ratio of the two heights.
    pub height_ratio: f32,
    /// What a box height stands for where the camera has no metres, m: more than a person, for a step away from the camera
    /// is a short way on its picture.
    pub person_m: f64,
    /// What lies this close to a border of the picture came or went there, share of the picture's height.
    pub border: f32,
}

impl Tuning {
    /// The setting.
    pub const STANDARD: Self = Self {
        picture: PictureNoise { measurement: 0.086, acceleration: 0.352, walk: 0.011, first_velocity: 4.5 },
        ground: GroundNoise {
            acceleration: 0.148,
            first_velocity_m_s: 0.6,
            foot: 0.17,
            foot_px_min: 1.5,
            foot_px_max: [13.0, 7.0],
        },
        matching: Matching {
            score_low: 0.055,
            score_birth: 0.462,
            score_high: 0.66,
            similarity_weight: 0.763,
            similarity_weight_on_ground: 0.51,
            distance2_full: 13.9,
            distance2_max: 36.0,
            height_power: 1.6,
            score_weight: 1.97,
            buffer: 0.137,
            cost_strong: 0.75,
            cost_weak: 0.389,
            cost_tentative: 0.707,
            double_iou: 0.6,
            hits_to_confirm: 2,
            lost_s: 2.0,
            gap_s: 2.0,
        },
        stitching: Stitching {
            gap_s: 1.1,
            distance_m: 1.55,
            speed_m_s: 1.5,
            height_ratio: 0.6,
            person_m: 3.4,
            border: 0.02,
        },
    };

    /// The same setting where a second lasts `times` as long: what moves and errs per second does so the slower.
    #[cfg(test)]
    #[must_use]
    pub fn stretched(mut self, times: f64) -> Self {
        self.picture.acceleration /= times.powf(1.5);
        self.picture.walk /= times.sqrt();
        self.picture.first_velocity /= times;
        self.ground.acceleration /= times.powi(3);
        self.ground.first_velocity_m_s /= times;
        self.matching.lost_s *= times;
        self.matching.gap_s *= times;
        self.stitching.gap_s *= times;
        self.stitching.speed_m_s /= times;
        self
    }
}
