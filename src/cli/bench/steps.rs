//! What one number of cameras cost: CPU by stage and camera, ages, memory.
//!
//! In: the eye's round and the counters of its cameras at begin and end. Out: a [`Step`], in units for people. CPU times
//! are those of the whole eye; what no stage has booked is the rest (waiting, waking, and the threads' own upkeep).

use std::collections::BTreeMap;

use serde::Serialize;

use super::sustained::is_sustained;
use crate::health::{Ledger, STAGES};
use crate::wire::benched::BenchRound;

/// One number of cameras, measured.
#[derive(Debug, Serialize)]
pub struct Step {
    pub cameras: u32,
    pub is_sustained: bool,
    /// Looks per second of the camera that got the fewest, and of the one in the middle.
    pub looks_per_s_min: f64,
    pub looks_per_s_median: f64,
    /// Share of the pictures due that gave way to newer ones, all cameras together.
    pub share_overwritten: f64,
    /// From when a picture was due at the camera to when its detections were there, median and 99th percentile, ms.
    pub age_ms_p50: f64,
    pub age_ms_p99: f64,
    /// CPU of the whole eye, ms per second: 1000 is one core.
    pub cpu_ms_per_s: f64,
    /// Cores other programs used meanwhile; null where the kernel does not say.
    pub others_cpu_cores: Option<f64>,
    /// CPU per camera and stage, ms per second; `rest` is what no stage has booked.
    pub camera_cpu_ms_per_s: BTreeMap<&'static str, f64>,
    /// CPU of the whole eye per look, by stage, ms.
    pub look_cpu_ms: BTreeMap<&'static str, f64>,
    /// Resident memory of the eye: the most it was, and at the end, MB.
    pub rss_peak_mb: f64,
    pub rss_end_mb: f64,
}

/// What is not booked on any of [`STAGES`].
const REST: &str = "rest";

/// [`STAGES`] and the rest, in the order of the story.
pub fn parts() -> impl Iterator<Item = &'static str> {
    STAGES.into_iter().chain([REST])
}

impl Step {
    /// From the eye's round and, for each camera, its counters at begin and end; `asked` is looks per second.
    #[must_use]
    pub fn of(round: &BenchRound, cameras: &[[Ledger; 2]], asked: f64) -> Self {
        let seconds = round.wall_ns.max(1) as f64 / 1e9;
        let looks = |ledger: &Ledger| ledger.detected + ledger.still;
        let mut rates: Vec<f64> =
            cameras.iter().map(|[begin, end]| (looks(end) - looks(begin)) as f64 / seconds).collect();
        rates.sort_by(f64::total_cmp);
        let slowest = rates.first().copied().unwrap_or(0.0);
        let share_overwritten = round.overwritten as f64 / (round.frames + round.overwritten).max(1) as f64;
        let rest_ns = round.cpu_ns - round.stages_ns.iter().sum::<i64>();
        // Stages book on the thread's clock, which is finer than the process's: nothing is less than no time.
        let spent_ns = round.stages_ns.into_iter().chain([rest_ns.max(0)]);
        let spent_ms: Vec<(&str, f64)> = parts().zip(spent_ns.map(|ns| ns as f64 / 1e6)).collect();
        let each = |divisor: f64| spent_ms.iter().map(|(part, ms)| (*part, ms / divisor)).collect();
        Self {
            cameras: cameras.len() as u32,
            is_sustained: is_sustained(slowest / asked, share_overwritten),
            looks_per_s_min: slowest,
            looks_per_s_median: rates.get(rates.len() / 2).copied().unwrap_or(0.0),
            share_overwritten,
            age_ms_p50: f64::from(round.age_us[0]) / 1000.0,
            age_ms_p99: f64::from(round.age_us[1]) / 1000.0,
            cpu_ms_per_s: round.cpu_ns as f64 / 1e6 / seconds,
            others_cpu_cores: None,
            camera_cpu_ms_per_s: each(seconds * cameras.len().max(1) as f64),
            look_cpu_ms: each(round.frames.max(1) as f64),
            rss_peak_mb: f64::from(round.rss_kb[0]) / 1024.0,
            rss_end_mb: f64::from(round.rss_kb[1]) / 1024.0,
        }
    }

    /// Cores in use by all cameras together, by part, in the order of the story.
    #[must_use]
    pub fn cores_in_use(&self) -> Vec<f64> {
        let cores =
            |part| self.camera_cpu_ms_per_s.get(part).copied().unwrap_or(0.0) * f64::from(self.cameras) / 1000.0;
        parts().map(cores).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ledger(detected: u64, overwritten: u64) -> Ledger {
        Ledger { detected, overwritten, ..Ledger::default() }
    }

    /// Two cameras for ten seconds: 50 and 48 looks, of which 3 are still pictures; 500 ms of CPU on each stage.
    fn step(overwritten: u64) -> Step {
        let round = BenchRound {
            frames: 98,
            overwritten,
            cpu_ns: 3_000_000_000 + STAGES.len() as i64 * 500_000_000,
            wall_ns: 10_000_000_000,
            stages_ns: [500_000_000; STAGES.len()],
            age_us: [41_000, 90_500],
            rss_kb: [153_600, 102_400],
        };
        let still = Ledger { still: 3, ..ledger(55, 0) };
        Step::of(&round, &[[ledger(10, 1), ledger(60, 1)], [ledger(10, 0), still]], 5.0)
    }

    #[test]
    fn looks_are_counted_from_begin_to_end_whether_anything_moved_or_not() {
        let step = step(0);
        assert_eq!((step.cameras, step.looks_per_s_min, step.looks_per_s_median), (2, 4.8, 5.0));
        assert!(step.is_sustained);
    }

    #[test]
    fn pictures_that_gave_way_are_a_share_of_those_that_were_due() {
        let step = step(2);
        assert!((step.share_overwritten - 0.02).abs() < 1e-9 && !step.is_sustained);
    }

    #[test]
    fn what_no_stage_has_booked_is_the_rest_and_all_parts_make_the_whole() {
        let step = step(0);
        assert_eq!(step.camera_cpu_ms_per_s["capture"], 25.0);
        assert_eq!(step.camera_cpu_ms_per_s["rest"], 150.0);
        assert!((step.look_cpu_ms["rest"] - 3000.0 / 98.0).abs() < 1e-9);
        assert!((step.cores_in_use().iter().sum::<f64>() * 1000.0 - step.cpu_ms_per_s).abs() < 1e-6);
        assert_eq!((step.age_ms_p50, step.age_ms_p99, step.rss_peak_mb, step.rss_end_mb), (41.0, 90.5, 150.0, 100.0));
    }
}
