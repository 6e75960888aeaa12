//! One thread per camera: frames from the source into the mailbox, a lost camera back with patience.
//!
//! In: a [`Feed`]. Out: frames in [`Latest`], news of the camera to the measuring thread. Invariant: every captured
//! frame meets exactly one fate in the ledger.

use std::sync::Arc;
use std::time::Duration;

use crossbeam_channel::Sender;

use super::eye::News;
use super::latest::Latest;
use super::{Feed, Origin};
use crate::capture::camera::BackOff;
use crate::capture::{CaptureError, FramePool, Grab, Source, open_live, replay};
use crate::clock::monotonic_ns;
use crate::health::{CameraHealth, CameraState, EyeEvent, EyeEventCode, Fate, Stage, StageCpu};
use crate::units::PictureSize;

/// What the capture thread of one camera works with.
pub struct Feeder {
    /// Index of the camera.
    pub camera: usize,
    /// Where frames go.
    pub latest: Arc<Latest>,
    /// Counters of all cameras.
    pub health: Arc<[CameraHealth]>,
    /// Where news goes.
    pub news: Sender<News>,
    /// CPU by stage.
    pub cpu: Arc<StageCpu>,
    /// Monotonic time of the capture clock's zero, ns.
    pub zero_ns: i64,
}

impl Feeder {
    /// Feeds until the recording ends; a live camera never does.
    pub fn run(&self, feed: &Feed) {
        match &feed.origin {
            Origin::Live(source) => {
                let mut known = feed.picture;
                loop {
                    self.watch(&mut || open_live(source, self.zero_ns), &mut known);
                }
            }
            Origin::Recorded { path, fps, every, realtime } => {
                let opened = replay::open(path, *fps);
                let played = opened.and_then(|mut source| self.play(source.as_mut(), (*every).max(1), *realtime));
                if let Err(error) = played {
                    let code = if matches!(error, CaptureError::Empty) {
                        EyeEventCode::ClipEmpty
                    } else {
                        EyeEventCode::ClipRefused
                    };
                    let numbers = [i32::from(matches!(error, CaptureError::RateUnknown)), 0];
                    self.tell(code, numbers);
                }
                self.health().became(CameraState::Ended);
                self.latest.close(self.camera);
            }
        }
    }

    /// Keeps one connection to a live camera for as long as it lasts; opens it with back-off. Its first picture fixes
    /// the size that is `known` from then on.
    fn watch(&self, open: &mut dyn FnMut() -> Result<Box<dyn Source>, CaptureError>, known: &mut Option<PictureSize>) {
        let (mut back_off, mut attempts, mut told) = (BackOff::default(), 0i32, None);
        let mut camera = loop {
            let (code, numbers) = match open() {
                Ok(camera) if camera.size() == *known.get_or_insert(camera.size()) => break camera,
                Ok(changed) => {
                    let size = changed.size();
                    (EyeEventCode::CameraChanged, [size.width as i32, size.height as i32])
                }
                Err(_) => (EyeEventCode::CameraSilent, [attempts, 0]),
            };
            if attempts % ATTEMPTS_PER_NEWS == 0 || told != Some(code) {
                self.tell(code, numbers);
                told = Some(code);
            }
            attempts += 1;
            std::thread::sleep(back_off.step());
        };
        let pool = FramePool::new(camera.size());
        self.opened(camera.as_ref());
        while let Ok(Grab::Frame(_)) = self.cpu.booked(Stage::Capture, || camera.grab()) {
            self.health().captured();
            match self.cpu.booked(Stage::Capture, || camera.retrieve(&pool)) {
                Ok(frame) => self.latest.put(self.camera, frame),
                Err(error) => {
                    self.health().met(Fate::Failed);
                    if matches!(error, CaptureError::Resized { .. }) {
                        break;
                    }
                }
            }
        }
        self.health().became(CameraState::Lost);
        self.health().reconnected();
        self.tell(EyeEventCode::CameraLost, [0, 0]);
        std::thread::sleep(BackOff::default().step());
    }

    /// Plays a recording to its end, waiting for every frame to be taken.
    fn play(&self, source: &mut dyn Source, every: u32, realtime: bool) -> Result<(), CaptureError> {
        let mut pool = FramePool::new(source.size());
        let begun_ns = monotonic_ns();
        let mut number = 0u64;
        while let Grab::Frame(at) = self.cpu.booked(Stage::Capture, || source.grab())? {
            number += 1;
            if number == 1 {
                self.opened(source);
            }
            self.health().captured();
            if realtime {
                let ahead_ns = at.0 - (monotonic_ns() - begun_ns);
                std::thread::sleep(Duration::from_nanos(u64::try_from(ahead_ns).unwrap_or(0)));
            }
            if !(number - 1).is_multiple_of(u64::from(every)) {
                self.health().met(Fate::Skipped);
                continue;
            }
            match self.cpu.booked(Stage::Capture, || source.retrieve(&pool)) {
                Ok(frame) => self.latest.put_waiting(self.camera, frame),
                Err(CaptureError::Resized { now }) if number == 1 => {
                    // Some headers announce another size than the stream has.
                    pool = FramePool::new(now);
                    self.health().met(Fate::Failed);
                }
                Err(_) => self.health().met(Fate::Failed),
            }
        }
        if number == 0 { Err(CaptureError::Empty) } else { Ok(()) }
    }

    fn opened(&self, source: &dyn Source) {
        let size = source.size();
        self.health().sized(size.width, size.height);
        self.health().became(CameraState::Seeing);
        self.say(News::Opened(self.camera, size));
    }

    fn health(&self) -> &CameraHealth {
        &self.health[self.camera]
    }

    fn tell(&self, code: EyeEventCode, numbers: [i32; 2]) {
        self.say(News::Event(EyeEvent { code, camera: self.camera as u16, numbers }));
    }

    fn say(&self, news: News) {
        // The measuring thread ends the process; when it is gone there is nobody left to tell.
        let _ = self.news.send(news);
    }
}

/// A camera that does not answer is reported at the first attempt and then about once a minute.
const ATTEMPTS_PER_NEWS: i32 = 60;
