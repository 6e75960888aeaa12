//! What the operator should know of, as it happens: cameras that go and come, a clock that steps, coverage that is low, a
//! configuration that takes effect.
//!
//! In: news of cameras, released windows, readings of both clocks. Out: signed events in the vault. Invariant: an event says nothing
//! about people, and of coverage nothing finer than a window (I10).

use std::collections::BTreeMap;

use serde_json::Value;

use super::Mouth;
use crate::clock::{UtcMs, monotonic_ns, utc_now};
use crate::health::news::CameraNews;
use crate::wire::compose::{about, rfc3339};
use crate::wire::record::ArrivedWindow;

/// Readings of the wall clock beside the one that never steps.
pub(super) struct Readings {
    last: Option<(UtcMs, i64)>,
}

impl Readings {
    pub(super) fn new() -> Self {
        Self { last: None }
    }

    /// How far the wall clock has stepped since the last reading, ms, when it was more than a second.
    pub(super) fn step_ms(&mut self, utc: UtcMs, monotonic_ns: i64) -> Option<i64> {
        let (last_utc, last_ns) = self.last.replace((utc, monotonic_ns))?;
        let step_ms = (utc.0 - last_utc.0) - (monotonic_ns - last_ns) / 1_000_000;
        (step_ms.abs() > STEP_MS).then_some(step_ms)
    }
}

/// Objects that were seen for less than half of a window, by the window's start and length, s.
#[derive(Default)]
pub(super) struct LowCoverage {
    windows: BTreeMap<(i64, u32), BTreeMap<String, u32>>,
}

impl LowCoverage {
    /// Notes a window if its object was seen for less than half of it.
    pub(super) fn weigh(&mut self, window: &ArrivedWindow, place: impl FnOnce() -> String) {
        if window.cov_ms / 1000 < window.span.dur_s / 2 && self.windows.len() < WINDOWS_MAX {
            let places = self.windows.entry((window.span.start_s, window.span.dur_s)).or_default();
            places.insert(place(), window.cov_ms);
        }
    }
}

impl Mouth {
    /// Tells that this configuration is in force, when it was another before.
    pub fn announce_configuration(&self) {
        let cfg = self.settings.revision();
        // Without room it is told at the next start.
        if let Ok(Some(before)) = self.vault.configured(&cfg) {
            self.tell("config-applied", about([("cfg", cfg.into()), ("before", before.into())]));
        }
    }

    pub(super) fn tell_cameras(&mut self, camera: usize, news: &[CameraNews]) {
        let of = |news: &CameraNews| match news {
            CameraNews::Lost => Some("camera-lost"),
            CameraNews::Seen(_) => Some("camera-back"),
            _ => None,
        };
        let id = self.settings.cameras[camera].id.clone();
        for of in news.iter().filter_map(of) {
            // Every eye sees its cameras for the first time; only one that was lost comes back.
            let was_lost = std::mem::replace(&mut self.lost[camera], of == "camera-lost");
            if was_lost != self.lost[camera] {
                self.tell(of, about([("camera", id.as_str().into())]));
            }
        }
    }

    /// How far the wall clock has stepped, ms; what eye there is names its windows by the clock as it was.
    pub(super) fn stepped(&mut self) -> Option<i64> {
        let step_ms = self.readings.step_ms(utc_now(), monotonic_ns())?;
        self.tell("clock-step", about([("step_ms", step_ms.into())]));
        Some(step_ms)
    }

    /// Tells of low coverage, one event for all objects of a window.
    pub(super) fn tell_coverage(&mut self) {
        for ((start_s, dur_s), places) in self.backlog.low_coverage().windows {
            let places: serde_json::Map<String, Value> =
                places.into_iter().map(|(place, cov_ms)| (place, cov_ms.into())).collect();
            let ws = rfc3339(UtcMs(start_s * 1000));
            let about = about([("ws", ws.into()), ("dur", dur_s.into()), ("cov_ms", Value::Object(places))]);
            self.tell("coverage-low", about);
        }
    }

    pub(super) fn tell(&self, of: &str, about: serde_json::Map<String, Value>) {
        if self.is_live() {
            // What finds no room is lost; health tells the state of everything.
            let _ = self.vault.enqueue_signed(self.composer.event(utc_now(), of, about));
        }
    }
}

/// A step is one of more than a second (CONTRACT §3).
const STEP_MS: i64 = 1000;
/// Windows with low coverage that may wait to be told.
const WINDOWS_MAX: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_that_is_set_is_noticed_either_way_and_one_that_drifts_is_not() {
        let mut readings = Readings::new();
        let second = 1_000_000_000;
        assert_eq!(readings.step_ms(UtcMs(0), 0), None);
        assert_eq!(readings.step_ms(UtcMs(1001), second), None);
        assert_eq!(readings.step_ms(UtcMs(3_602_001), 2 * second), Some(3_600_000));
        assert_eq!(readings.step_ms(UtcMs(3_603_001), 3 * second), None, "a step is told once");
        assert_eq!(readings.step_ms(UtcMs(4001), 4 * second), Some(-3_600_000));
        assert_eq!(readings.step_ms(UtcMs(3001), 5 * second), Some(-2000));
    }
}
