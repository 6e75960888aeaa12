//! Whether a record may come now: what an eye with its errand says, how often, and in which order.
//!
//! In: the reports of one eye, with the monotonic time of the mouth. Out: nothing, or why the eye is not to be believed.
//! Invariants: the first word comes first and once; counters of a live camera never run more than [`lead`] records ahead of
//! the mouth's own clock, those of a replay follow media time, and media time does not pass a window that was not told;
//! no counter runs backwards.

use serde::{Deserialize, Serialize};

use super::budget::{COUNTERS_MS, LEAD, cameras_of, lead, replay_records, windows_until};
use super::figures::Foreseen;
use super::{RecordError, Report};
use crate::clock::Timeline;
use crate::config::Settings;
use crate::gate::Object;
use crate::health::{CameraReport, CameraState};
use crate::wire::counters::Tick;

/// What an eye is started for.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub enum Errand {
    /// Watch cameras until ended.
    Watch,
    /// Replay recordings once, their first frame at the zero of this timeline.
    Replay(Timeline),
    /// Measure what the recording costs: this many rounds, each once bare and once whole.
    Bench(u32),
    /// Watch recordings that play as cameras do, and measure what this many seconds of it cost.
    BenchLive(u32),
    /// Try to get out of the cage, and see no picture.
    Twin,
    /// Open each camera, count what it sends for this many seconds, and say how it does.
    Probe(u32),
}

/// What one eye has said so far.
pub struct Ration {
    settings: Settings,
    errand: Errand,
    begun_ns: i64,
    is_ready: bool,
    records: usize,
    benched: u32,
    cameras: Vec<Said>,
    /// Windows of each object that have come.
    windows: std::collections::BTreeMap<Object, usize>,
}

/// What was said of one camera.
#[derive(Clone)]
struct Said {
    is_fed: bool,
    is_sounded: bool,
    at_ns: i64,
    last: Option<(Tick, CameraReport)>,
}

impl Ration {
    /// For an eye that is started now for these cameras.
    #[must_use]
    pub fn new(settings: &Settings, errand: Errand, cameras: impl IntoIterator<Item = usize>, now_ns: i64) -> Self {
        let unfed = Said { is_fed: false, is_sounded: false, at_ns: now_ns, last: None };
        let mut said = vec![unfed; settings.cameras.len()];
        for camera in cameras {
            said.iter_mut().skip(camera).take(1).for_each(|said| said.is_fed = true);
        }
        Self {
            settings: settings.clone(),
            errand,
            begun_ns: now_ns,
            is_ready: false,
            records: 0,
            benched: 0,
            cameras: said,
            windows: std::collections::BTreeMap::new(),
        }
    }

    /// Counts a record as it is read.
    pub fn read(&mut self) {
        self.records += 1;
    }

    /// Records read so far.
    #[must_use]
    pub fn records(&self) -> usize {
        self.records
    }

    /// Records of a replay whose cameras got as far as they have; `None` for other errands.
    #[must_use]
    pub fn foreseen(&self) -> Option<usize> {
        let Errand::Replay(timeline) = self.errand else { return None };
        let media_ms = |said: &Said| said.is_fed.then_some(said.last?.0.media_ms);
        let media_ms: Vec<Option<u32>> = self.cameras.iter().map(media_ms).collect();
        Some(replay_records(&self.settings, timeline, &media_ms))
    }

    /// Judges a report that came at a monotonic time, ns.
    ///
    /// # Errors
    /// [`RecordError`] when an eye with this errand does not say that, or not now.
    pub fn judge(&mut self, report: &Report, now_ns: i64) -> Result<(), RecordError> {
        let is_in_order = match (report, self.errand) {
            // One that cannot work says so before it is ready.
            (Report::Event(_), _) => true,
            // One that sounds cameras loads nothing.
            (Report::Ready(_), Errand::Probe(_)) => false,
            (_, Errand::Probe(_)) => true,
            (Report::Ready(_), _) => !self.is_ready,
            _ => self.is_ready,
        };
        if !is_in_order {
            return Err(RecordError::Order);
        }
        match report {
            Report::Ready(_) => {
                self.is_ready = true;
                self.cameras.iter_mut().for_each(|said| said.at_ns = now_ns);
                Ok(())
            }
            Report::Window(window) if matches!(self.errand, Errand::Watch | Errand::Replay(_)) => {
                *self.windows.entry(window.object).or_default() += 1;
                Ok(())
            }
            Report::Window(_) => Err(RecordError::Errand),
            Report::Camera(camera, tick, report) => self.camera(usize::from(*camera), *tick, report, now_ns),
            Report::Bench(_) => self.bench(),
            Report::Sounding(camera, _) => self.sounding(usize::from(*camera)),
            Report::Ended => self.ended(),
            Report::Event(_) => Ok(()),
            // A twin is heard by whoever started it, and by nobody else.
            Report::Attempts(_) => Err(RecordError::Errand),
        }
    }

    /// Whether an eye at work has said nothing of a camera for longer than this, ns, or has not begun for so long.
    #[must_use]
    pub fn is_overdue(&self, now_ns: i64, patience_ns: i64, start_patience_ns: i64) -> bool {
        if !self.is_ready {
            return now_ns - self.begun_ns > start_patience_ns;
        }
        self.cameras.iter().any(|said| said.is_fed && now_ns - said.at_ns > patience_ns)
    }

    fn camera(&mut self, index: usize, tick: Tick, report: &CameraReport, now_ns: i64) -> Result<(), RecordError> {
        let camera = index as u16;
        let said = &self.cameras[index];
        let number = said.last.map_or(0, |(tick, _)| tick.number).wrapping_add(1);
        if !said.is_fed || matches!(self.errand, Errand::Bench(_) | Errand::Probe(_)) {
            return Err(RecordError::Errand);
        }
        if tick.number != number {
            return Err(RecordError::Number { camera, found: tick.number, expected: number });
        }
        let elapsed_ms = u32::try_from((now_ns - self.begun_ns) / 1_000_000).unwrap_or(u32::MAX);
        let foreseen = match self.errand {
            Errand::Replay(_) => self.replayed(said, tick, report),
            Errand::BenchLive(_) => elapsed_ms / BENCH_MS + LEAD,
            _ => {
                let due = elapsed_ms / COUNTERS_MS;
                due + lead(u64::from(due)) as u32
            }
        };
        if number > foreseen {
            return Err(RecordError::TooMany { camera, number, foreseen });
        }
        let at_ms = if matches!(self.errand, Errand::Replay(_)) { tick.media_ms } else { elapsed_ms };
        let is_live = matches!(self.errand, Errand::Watch);
        let before = said.last.map_or_else(CameraReport::unseen, |(_, report)| report);
        let has_media = matches!(self.errand, Errand::Replay(_)) || tick.media_ms == 0;
        if !has_media || !is_plausible(&before, report, at_ms, is_live) || !self.is_told_of(index, tick) {
            return Err(RecordError::Counters { camera });
        }
        let said = &mut self.cameras[index];
        (said.last, said.at_ns) = (Some((tick, *report)), now_ns);
        Ok(())
    }

    /// Most records of a camera by this media time: one when it opened, one for each time, and the last.
    fn replayed(&self, said: &Said, tick: Tick, report: &CameraReport) -> u32 {
        match said.last {
            Some((last, before)) if last.media_ms > tick.media_ms || before.state == CameraState::Ended => 0,
            _ => tick.media_ms / COUNTERS_MS + 1 + u32::from(report.state == CameraState::Ended),
        }
    }

    /// Whether every window has come that a replay's camera has closed by this media time; its hours on a floor may wait
    /// for other cameras.
    fn is_told_of(&self, camera: usize, tick: Tick) -> bool {
        let Errand::Replay(timeline) = self.errand else { return true };
        let of_camera = |object: &Object| cameras_of(&self.settings, *object) == [camera];
        let foreseen = Foreseen::by(&self.settings);
        let mut objects = foreseen.objects().map(|(object, _)| object).filter(of_camera);
        objects.all(|object| {
            let closed = windows_until(&self.settings, object, timeline, tick.media_ms) - 1;
            self.windows.get(&object).is_some_and(|told| *told >= closed) || closed == 0
        })
    }

    fn bench(&mut self) -> Result<(), RecordError> {
        self.benched += 1;
        let most = match self.errand {
            Errand::Bench(rounds) => rounds.saturating_mul(2),
            Errand::BenchLive(_) => 1,
            _ => 0,
        };
        if self.benched <= most { Ok(()) } else { Err(RecordError::Errand) }
    }

    fn sounding(&mut self, camera: usize) -> Result<(), RecordError> {
        let said = &mut self.cameras[camera];
        let is_due = matches!(self.errand, Errand::Probe(_)) && said.is_fed && !said.is_sounded;
        said.is_sounded = true;
        if is_due { Ok(()) } else { Err(RecordError::Errand) }
    }

    fn ended(&self) -> Result<(), RecordError> {
        match self.foreseen() {
            Some(foreseen) if foreseen != self.records => Err(RecordError::Budget { read: self.records, foreseen }),
            _ => Ok(()),
        }
    }
}

/// Whether a camera can have come from one report to the other by this time since it began, ms. The counters of a live
/// one add up at every moment (`pipeline/discretion.rs`).
fn is_plausible(before: &CameraReport, now: &CameraReport, at_ms: u32, is_live: bool) -> bool {
    let fates = |report: &CameraReport| {
        let ledger = report.ledger;
        let [detected, still] = [ledger.detected, ledger.still];
        [detected, still, ledger.skipped, ledger.overwritten, ledger.failed]
    };
    let grows = |[before, now]: [u64; 2]| before <= now;
    // What a live camera detected is what is left, and gives way when the rest is told.
    let first = usize::from(is_live);
    let pairs = fates(before).into_iter().zip(fates(now)).skip(first).map(|(before, now)| [before, now]);
    let captured = [before.ledger.captured, now.ledger.captured];
    let others = [captured, [before.ignored, now.ignored], [before.reconnects, now.reconnects].map(u64::from)];
    let met: Option<u64> = fates(now).into_iter().try_fold(0u64, u64::checked_add);
    let adds_up = if is_live { met == Some(captured[1]) } else { met.is_some_and(|met| met <= captured[1]) };
    let seconds = u64::from(at_ms / 1000) + AHEAD_S;
    let sides = [now.width, now.height, now.offered[0], now.offered[1]];
    let is_same_size = before.width == 0 || [before.width, before.height] == [now.width, now.height];
    pairs.chain(others).all(grows)
        && adds_up
        && is_same_size
        && captured[1] <= seconds * FPS_MAX
        && now.ignored <= captured[1].saturating_mul(BOXES_MAX)
        && u64::from(now.attempts).max(now.reconnects.into()) <= seconds * ATTEMPTS_MAX
        && now.motionless <= BOXES_MAX as u32
        // A replay looks as fast as the box can.
        && (!is_live || u64::from(now.looks_milli) <= FPS_MAX * 1000)
        && now.lag_ms <= LAG_MS_MAX
        && sides.iter().all(|side| *side <= SIDE_MAX)
}

/// A benchmark reports its cameras once in so long, ms.
pub const BENCH_MS: u32 = 1000;
/// No camera sends more pictures a second.
const FPS_MAX: u64 = 1000;
/// A capture thread may be so far ahead of what was looked at: every thousandth frame of a clip, and a few on their way, s.
const AHEAD_S: u64 = 32;
/// More boxes than any head gives.
const BOXES_MAX: u64 = 100_000;
/// No camera is opened more often a second.
const ATTEMPTS_MAX: u64 = 10;
const LAG_MS_MAX: u32 = 3_600_000;
/// Longest side of a picture, px.
const SIDE_MAX: u32 = 32_768;
