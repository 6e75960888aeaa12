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
use crate::wire::audit::Deed;
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

    /// How far the wall clock has stepped, ms; what eye there is names its windows by the clock as it was. Until the clock is
    /// where it was when the last window was released there will be none, and the event says until when.
    pub(super) fn stepped(&mut self) -> Option<i64> {
        let now = utc_now();
        let step_ms = self.readings.step_ms(now, monotonic_ns())?;
        let mut said = about([("step_ms", step_ms.into())]);
        let until_s = self.vault.released_until().ok().flatten();
        if let Some(until_s) = until_s.filter(|until_s| *until_s > now.0.div_euclid(1000)) {
            said.insert("released_until".to_owned(), rfc3339(UtcMs(until_s * 1000)).into());
        }
        self.tell("clock-step", said);
        // The times of the chain run back or leap here; without room they do so without a word.
        let _ = self.vault.remember(&Deed::done("clock-step").about("step_ms", step_ms));
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
    use std::sync::Arc;
    use std::time::Duration;

    use super::*;
    use crate::clock::WindowSpan;
    use crate::gate::{Figures, Object};
    use crate::pipeline::mouth::EyeEnd;
    use crate::vault::Vault;
    use crate::wire::compose::{Composer, Voice};
    use crate::wire::record::{RecordError, Report};

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
    /// A mouth that has read the clock as it was before it was put on by so much, ms.
    fn mouth(before_ms: i64) -> Mouth {
        let site = "[store]\norg = \"o\"\nstore = \"s\"\nnode = \"n\"\ntimezone = \"UTC\"\n[[camera]]\nid = \"view\"\n\
                    url = \"rtsp://127.0.0.1/\"\n[[line]]\nid = \"door\"\ncamera = \"view\"\nends_px = [[10, 100], [300, 100]]\n\
                    inside_px = [150, 200]\n";
        let settings = crate::config::site::parse(site, "drawn").expect("a whole site file").settings;
        let (topic_root, boot) = ("kehai/v1".to_owned(), "b".to_owned());
        let composer =
            Composer::new(&settings, Voice { topic_root, boot, synchronised: true, retain_windows: true, sign: None });
        let vault = Arc::new(Vault::throw_away().expect("memory"));
        let mut mouth = Mouth::new(&settings, composer, vault, Duration::from_secs(60));
        mouth.readings.step_ms(UtcMs(utc_now().0 - before_ms), monotonic_ns());
        mouth
    }

    /// A window that ends in half an hour.
    fn early() -> Report {
        let span = WindowSpan::holding(UtcMs(utc_now().0 + 1_800_000), 900, 0);
        let figures = Figures::Line { inward: 1, outward: 0, uncertain: 0 };
        Report::Window(ArrivedWindow { object: Object::Line(0), span, cov_ms: 900_000, figures })
    }

    #[test]
    fn a_window_of_the_future_is_a_lie_but_where_the_clock_was_put_back_since() {
        let mut honest = mouth(-3_600_000);
        assert!(matches!(honest.take(early(), true), Some(EyeEnd::ClockStepped(-3_601_000..-3_599_000))));
        let mut lying = mouth(0);
        assert!(matches!(lying.take(early(), true), Some(EyeEnd::Disbelieved(RecordError::Early { .. }))));
        assert!(honest.vault.held().is_empty() && lying.vault.held().is_empty());
    }

    #[test]
    fn of_windows_that_come_faster_than_time_does_the_first_are_released_and_the_rest_is_counted() {
        let mut mouth = mouth(0);
        let now = WindowSpan::holding(UtcMs(utc_now().0), 900, 0);
        for quarter in (1..=6).rev() {
            let span = WindowSpan { start_s: now.start_s - 900 * quarter, ..now };
            let figures = Figures::Line { inward: 1, outward: 0, uncertain: 0 };
            let window = ArrivedWindow { object: Object::Line(0), span, cov_ms: 12_000, figures };
            assert!(mouth.take(Report::Window(window), true).is_none());
        }
        assert_eq!((mouth.vault.held().len(), mouth.unreleased()), (4, 2));
    }

    #[test]
    fn a_step_is_told_with_its_size_and_until_when_nothing_can_be_released_and_stands_in_the_chain() {
        let mut mouth = mouth(-3_600_000);
        let Report::Window(ahead) = early() else { unreachable!("a window") };
        let end_s = ahead.span.end_s();
        mouth.vault.release(|seq| mouth.composer.window(seq, &ahead)).expect("room");
        assert!(mouth.stepped().is_some());
        let event = std::iter::successors(mouth.vault.due(0), |(number, _)| mouth.vault.due(number + 1)).last();
        let event: Value = serde_json::from_slice(&event.expect("two rows").1.body).expect("JSON");
        assert_eq!(
            (&event["of"], &event["about"]["released_until"]),
            (&"clock-step".into(), &rfc3339(UtcMs(end_s * 1000)).into())
        );
        let mut chain = String::new();
        mouth.vault.export_audit(&mut |line| chain.push_str(line)).expect("readable");
        assert!(chain.contains(r#""what":"clock-step""#), "{chain}");
    }
}
