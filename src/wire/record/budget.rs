//! How many records an eye says: what follows from the configuration, and nothing from what is seen.
//!
//! In: the settings. Out: records of 256 bytes per hour, per eye, and of a replay from its media time. Both sides of the
//! pipe count by the constants that stand here. Invariant: a replay puts [`replay_records`] on the pipe, no more and no
//! fewer (tests/laws/budget.rs).

use super::figures::{self, Foreseen};
use super::{RECORD_BYTES, parts_of, window_records_per_hour};
use crate::clock::{CaptureTime, Timeline, WindowSpan};
use crate::config::Settings;
use crate::gate::Object;

/// Counters of a camera are due once in so long: of the monotonic clock in a shop, of media time in a replay, ms. Slow
/// enough to tell nothing of a single person.
pub const COUNTERS_MS: u32 = 5000;
/// So many records of a camera's counters may come before they are due: a change that people wait for is told at once. A
/// fault takes two (lost, seen); five of them within half a minute are told as they come (tests/live/returns.rs).
pub const LEAD: u32 = 12;

/// So many at the most, for an eye that lives on: it earns one with every two that are due, so that one that is started often
/// has no more to say by it.
pub const LEAD_MOST: u32 = 60;

/// How many records may come before they are due, once so many are.
#[must_use]
pub fn lead(due: u64) -> u64 {
    (u64::from(LEAD) + due / 2).min(u64::from(LEAD_MOST))
}

/// So many eyes an hour may replace one that ended,
pub const STARTS_PER_HOUR: usize = 120;
/// and so many more where there was peace before.
pub const STARTS_AT_ONCE: usize = 60;

/// What an eye that watches a shop says, in records.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Budget {
    /// Windows, per hour.
    pub windows_per_hour: usize,
    /// Counters of cameras, per hour.
    pub counters_per_hour: usize,
    /// The first word of an eye and its last one, and what its cameras may tell before it is due, per eye.
    pub per_eye: usize,
}

impl Budget {
    /// Under these settings.
    #[must_use]
    pub fn of(settings: &Settings) -> Self {
        let cameras = settings.cameras.len();
        Self {
            windows_per_hour: window_records_per_hour(settings),
            counters_per_hour: cameras * (3_600_000 / COUNTERS_MS) as usize,
            per_eye: FIRST_AND_LAST + cameras * LEAD as usize,
        }
    }

    /// All that an eye says in an hour, bytes.
    #[must_use]
    pub fn bytes_per_hour(&self) -> usize {
        (self.windows_per_hour + self.counters_per_hour) * RECORD_BYTES
    }
}

/// Records of a replay; the last frame that was looked at lies at these media times, ms, `None` for cameras that are not
/// replayed.
#[must_use]
pub fn replay_records(settings: &Settings, timeline: Timeline, media_ms: &[Option<u32>]) -> usize {
    let counters: usize = media_ms.iter().flatten().map(|media_ms| (media_ms / COUNTERS_MS) as usize + 2).sum();
    let foreseen = Foreseen::by(settings);
    let windows = foreseen.objects().map(|(object, words)| {
        let closed = |camera: usize| {
            let media_ms = media_ms.get(camera).copied().flatten()?;
            Some(windows_until(settings, object, timeline, media_ms))
        };
        // A floor's hour is told once all of its cameras have gone through it.
        let closed = cameras_of(settings, object).into_iter().map(|camera| closed(camera).unwrap_or(0)).min();
        usize::from(parts_of(1 + words)) * closed.unwrap_or(0)
    });
    FIRST_AND_LAST + counters + windows.sum::<usize>()
}

/// Windows of an object that a replay closes when its last frame lies at this media time, the open one included.
pub(super) fn windows_until(settings: &Settings, object: Object, timeline: Timeline, media_ms: u32) -> usize {
    let (dur_s, phase_s) = figures::grid_of(object, settings.store.hour_phase_s);
    let first = WindowSpan::holding(timeline.utc(CaptureTime(0)), dur_s, phase_s);
    let last = WindowSpan::holding(timeline.utc(CaptureTime(i64::from(media_ms) * 1_000_000)), dur_s, phase_s);
    usize::try_from((last.start_s - first.start_s) / i64::from(dur_s)).unwrap_or(0) + 1
}

/// The cameras whose pictures an object is measured on.
pub(super) fn cameras_of(settings: &Settings, object: Object) -> Vec<usize> {
    match object {
        Object::Line(line) => vec![settings.lines[usize::from(line)].camera],
        Object::Zone(zone) => vec![settings.zones[usize::from(zone)].camera],
        Object::Queue(queue) => vec![settings.zones[settings.queues[usize::from(queue)].zone].camera],
        Object::Transitions(camera) => vec![usize::from(camera)],
        Object::HeatVisits(floor) | Object::HeatDwell(floor) | Object::Flow(floor) => {
            let cameras = settings.cameras.iter().enumerate();
            cameras.filter(|(_, camera)| camera.floor == Some(usize::from(floor))).map(|(index, _)| index).collect()
        }
    }
}

/// That it is ready, and its last word.
const FIRST_AND_LAST: usize = 2;
