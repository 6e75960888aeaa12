//! A detect worker: the one place where frames end, looked at by the network or left unseen.
//!
//! In: frames of all cameras from the mailbox. Out: [`News::People`] for every frame, in the order of capture of each camera.
//! Invariants: every frame that is taken meets one fate; a frame in which nothing moved is wiped unseen and counts as seen
//! time; what the runtime's arena holds of a picture is overwritten once a second has passed without another look.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crossbeam_channel::Sender;

use super::eye::News;
use super::hygiene::scrub_stack;
use super::latest::{Latest, Taken};
use super::lookout::Lookout;
use crate::capture::Frame;
use crate::clock::monotonic_ns;
use crate::detect::scene::Verdict;
use crate::detect::{DetectError, Detections, Detector};
use crate::health::{CameraHealth, EyeEvent, EyeEventCode, Fate, Stage, StageCpu};

/// One detect worker.
pub struct Worker {
    /// Finds the people.
    pub detector: Detector,
    /// What is known of each camera; a camera is lent to one worker at a time.
    pub lookouts: Arc<[Mutex<Lookout>]>,
    /// Weakest score that is passed on, 0–1.
    pub score_min: f32,
    /// Where frames come from.
    pub latest: Arc<Latest>,
    /// Counters of all cameras.
    pub health: Arc<[CameraHealth]>,
    /// CPU by stage.
    pub cpu: Arc<StageCpu>,
    /// Where detections go.
    pub news: Sender<News>,
    /// Where the ages of frames at detection go, µs.
    pub ages: Sender<u32>,
    /// Zero of the capture clock where it is the monotonic clock (live cameras, and recordings that play like them).
    pub zero_ns: Option<i64>,
    /// Whether nothing is overwritten ([`super::EyeJob::leaves_traces`]).
    pub leaves_traces: bool,
}

impl Worker {
    /// Works until all cameras are over.
    pub fn run(mut self) {
        // When the runtime's arena is to be overwritten; `None` while it holds no picture.
        let mut due_ns = None;
        loop {
            match self.latest.take(patience(due_ns)) {
                Taken::Frame(camera, frame, put_ns) => {
                    if self.judge(camera, &frame) == Verdict::Still {
                        self.leave_unseen(camera, frame);
                    } else {
                        self.look(camera, frame, put_ns);
                        due_ns = Some(in_a_while());
                    }
                    scrub_stack();
                    self.latest.give_back(camera);
                }
                Taken::Ended(camera) => self.say(News::Ended(camera)),
                Taken::Idle => {}
                Taken::Over => break,
            }
            if due_ns.is_some_and(|due_ns| monotonic_ns() >= due_ns) {
                // What fails is tried again.
                due_ns = (!self.overwrite()).then(in_a_while);
            }
        }
        self.overwrite();
    }

    /// Shows the network grey, so that no buffer of the runtime holds a picture any more; `false` when that fails.
    fn overwrite(&mut self) -> bool {
        let is_done = self.leaves_traces || self.detector.run_grey().is_ok();
        scrub_stack();
        is_done
    }

    fn judge(&self, camera: usize, frame: &Frame) -> Verdict {
        self.cpu.booked(Stage::Motion, || self.lookout(camera).judge(frame))
    }

    fn lookout(&self, camera: usize) -> MutexGuard<'_, Lookout> {
        // A worker that panicked ends the eye.
        self.lookouts[camera].lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Wipes a frame in which nothing moved; its time passes all the same, with nobody there.
    fn leave_unseen(&self, camera: usize, frame: Frame) {
        let (captured_at, picture) = (frame.captured_at(), frame.placed().picture);
        drop(frame);
        self.health[camera].met(Fate::Still);
        self.say(News::People(camera, Detections { captured_at, picture, people: Vec::new() }));
    }

    fn look(&mut self, camera: usize, frame: Frame, put_ns: i64) {
        #[cfg(debug_assertions)]
        super::fault::meet(super::fault::Place::Detect);
        let captured_at = frame.captured_at();
        let mut found = self.detector.detect(frame, self.score_min, &self.cpu);
        if let Ok(detections) = &mut found {
            self.cpu.booked(Stage::Decode, || self.lookout(camera).sift(detections, &self.health[camera]));
        }
        let now_ns = monotonic_ns();
        let lag_ns = self.zero_ns.map_or(now_ns - put_ns, |zero_ns| now_ns - zero_ns - captured_at.0);
        let _ = self.ages.try_send(u32::try_from(lag_ns / 1000).unwrap_or(u32::MAX));
        self.health[camera].lagged(lag_ns);
        self.pass_on(camera, found);
    }

    fn pass_on(&self, camera: usize, found: Result<Detections, DetectError>) {
        match found {
            Ok(detections) => {
                self.health[camera].met(Fate::Detected);
                self.say(News::People(camera, detections));
            }
            Err(error) => {
                self.health[camera].met(Fate::Failed);
                let code = code_of(&error);
                // A frame that failed is counted; a network that cannot do its work ends the eye.
                if code != EyeEventCode::DetectorFailed {
                    self.say(News::Event(EyeEvent { code, camera: camera as u16, numbers: [0, 0] }));
                }
            }
        }
    }

    fn say(&self, news: News) {
        let _ = self.news.send(news);
    }
}

/// The event that tells of an error.
#[must_use]
pub fn code_of(error: &DetectError) -> EyeEventCode {
    match error {
        DetectError::Runtime { .. } => EyeEventCode::RuntimeRefused,
        DetectError::Model { .. } => EyeEventCode::ModelRefused,
        DetectError::Size { .. } | DetectError::Head { .. } => EyeEventCode::HeadRefused,
        DetectError::Placement | DetectError::Inference { .. } => EyeEventCode::DetectorFailed,
    }
}

/// How long to wait for a frame: until the runtime's memory is to be overwritten.
fn patience(due_ns: Option<i64>) -> Duration {
    due_ns.map_or(IDLE, |due_ns| Duration::from_nanos(u64::try_from(due_ns - monotonic_ns()).unwrap_or(0)))
}

fn in_a_while() -> i64 {
    monotonic_ns() + IDLE.as_nanos() as i64
}

/// After this long without another look the runtime's memory is overwritten with grey.
const IDLE: Duration = Duration::from_secs(1);
