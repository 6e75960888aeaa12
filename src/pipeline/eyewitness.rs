//! A recording through the stages of the eye, watched frame by frame: for evaluation alone, in a program of its own.
//!
//! In: an [`EyeJob`] for recordings. Out: who was where and which lines counted, for every frame, in this very process.
//! Invariants: the stages are those of the eye, the gate and all after it left out; nothing is sent and nothing written
//! here; neither the eye nor the mouth calls this (tests/tidy/monopolies.rs).

use std::collections::BTreeMap;

use super::eye::{Counting, News, load_detectors, start};
use super::{Errand, EyeJob};
use crate::clock::CaptureTime;
use crate::detect::Detections;
use crate::health::{EyeEvent, EyeEventCode};
use crate::measure::{Exact, Window};
use crate::track::Track;
use crate::units::BoxPx;

/// What became of one frame.
pub struct Sight {
    /// When it was captured.
    pub captured_at: CaptureTime,
    /// The people who were followed in it.
    pub people: Vec<Seen>,
    /// The crossings that it added.
    pub crossings: Vec<Crossing>,
}

/// One person in one frame.
pub struct Seen {
    /// Their track.
    pub track: u64,
    /// Whom they count as: the track that went before, where this one took it over.
    pub counts_as: u64,
    /// Where, px.
    pub place: BoxPx,
}

/// One crossing that a line of the site counted.
pub struct Crossing {
    /// Index of the line in the settings.
    pub line: usize,
    /// Whether it went inward.
    pub is_inward: bool,
}

/// Counts of each line in its open window: inward, outward.
type Counts = BTreeMap<usize, [u32; 2]>;

/// Plays the recording of a job; `see` is told of every frame that was looked at or left unseen because nothing moved.
///
/// # Errors
/// The event an eye would have ended with.
pub fn watch(job: &EyeJob, see: &mut dyn FnMut(Sight)) -> Result<(), EyeEvent> {
    let ended = |code| EyeEvent { code, camera: 0, numbers: [0, 0] };
    let Errand::Replay(timeline) = job.errand else { return Err(ended(EyeEventCode::StageFailed)) };
    crate::capture::use_one_thread_per_picture();
    let detectors = load_detectors(job).map_err(ended)?;
    let threads = start(job, detectors, 0);
    let mut counting = Counting::new(job, timeline);
    let mut running = job.feeds.len();
    while running > 0 {
        match threads.news.recv() {
            Ok(News::Opened(camera, picture)) => {
                let numbers = [picture.width as i32, picture.height as i32];
                let refused = |code| EyeEvent { code, camera: camera as u16, numbers };
                counting.opened(camera, picture).map_err(refused)?;
            }
            Ok(News::People(camera, detections)) => see(sight(&mut counting, camera, detections)),
            Ok(News::Event(event)) => return Err(event),
            Ok(News::Changed(_)) => {}
            Ok(News::Ended(camera)) => running -= usize::from(job.feeds.iter().any(|feed| feed.camera == camera)),
            Err(_) => return Err(ended(EyeEventCode::StageFailed)),
        }
    }
    Ok(())
}

fn sight(counting: &mut Counting<'_>, camera: usize, detections: Detections) -> Sight {
    let captured_at = detections.captured_at;
    let before = counts(counting, camera);
    let Some((closed, tracks)) = counting.follow(camera, detections) else {
        return Sight { captured_at, people: Vec::new(), crossings: Vec::new() };
    };
    let people = tracks.seen.iter().map(Seen::new).collect();
    // A frame closes what is over before it adds what it shows.
    let base = if closed.iter().any(is_of_line) { Counts::new() } else { before };
    let after = counts(counting, camera);
    Sight { captured_at, people, crossings: added(&base, &after) }
}

impl Seen {
    fn new(track: &Track) -> Self {
        Self { track: track.id.0, counts_as: track.counts_as.0, place: track.place }
    }
}

fn counts(counting: &Counting<'_>, camera: usize) -> Counts {
    let lines = counting.measures().open_lines(camera);
    lines.map(|(line, window)| (line, [window.inward, window.outward])).collect()
}

fn is_of_line(window: &Window) -> bool {
    matches!(window.exact, Exact::Line(..))
}

/// The crossings by which counts have grown.
fn added(before: &Counts, after: &Counts) -> Vec<Crossing> {
    let grown = |(line, counts): (&usize, &[u32; 2])| {
        let base = before.get(line).copied().unwrap_or_default();
        let times = [0, 1].map(|way| counts[way].saturating_sub(base[way]));
        let line = *line;
        [(true, times[0]), (false, times[1])]
            .into_iter()
            .flat_map(move |(is_inward, times)| (0..times).map(move |_| Crossing { line, is_inward }))
    };
    after.iter().flat_map(grown).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_that_has_counted_more_tells_each_crossing() {
        let (before, after) = (Counts::from([(0, [2, 0]), (1, [1, 1])]), Counts::from([(0, [4, 1]), (1, [1, 1])]));
        let told = |base: &Counts| -> Vec<(usize, bool)> {
            added(base, &after).iter().map(|crossing| (crossing.line, crossing.is_inward)).collect()
        };
        assert_eq!(told(&before), [(0, true), (0, true), (0, false)]);
        assert_eq!(told(&Counts::new()).len(), 7, "all of a window that has just begun");
    }
}
