//! One thread per camera: frames from the source into the mailbox, a lost camera back with patience.
//!
//! In: a [`Feed`]. Out: frames in [`Latest`], news of the camera to the measuring thread. Invariant: every captured
//! frame meets exactly one fate in the ledger.

use std::sync::Arc;
use std::time::Duration;

use crossbeam_channel::Sender;

use super::eye::News;
use super::hygiene::scrub_stack;
use super::latest::Latest;
use super::pace::Pace;
use super::{Feed, Origin};
use crate::capture::camera::BackOff;
use crate::capture::looped::{Looped, Schedule};
use crate::capture::{Arrival, CaptureError, FramePool, Grab, Source, open_live, replay};
use crate::clock::monotonic_ns;
use crate::config::LOOKS_PER_S_DEFAULT;
use crate::config::card::DetectorCard;
use crate::config::placement::Placement;
use crate::health::news::ATTEMPTS_PER_NEWS;
use crate::health::{CameraHealth, CameraState, ClipTrouble, EyeEvent, EyeEventCode, Fate, Silence, Stage, StageCpu};
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
    /// What the network wants to be fed.
    pub card: Arc<DetectorCard>,
    /// Size of its input, where the site file gives one.
    pub input: Option<PictureSize>,
    /// How often this camera is looked at, per second, where the site file says so.
    pub looks_per_s: Option<f64>,
    /// Hardware decoder to try.
    pub decoder: Option<String>,
}

impl Feeder {
    /// Feeds until the recording ends; a live camera never does.
    pub fn run(&self, feed: &Feed) {
        match &feed.origin {
            Origin::Live(source) => {
                let mut known = feed.picture;
                loop {
                    self.watch(&mut || open_live(source, self.zero_ns, self.decoder.as_deref()), &mut known);
                }
            }
            Origin::Recorded { path, fps, every, realtime } => {
                let pace = match self.looks_per_s {
                    Some(rate) if *every <= 1 => Pace::rate(rate),
                    _ => Pace::every(*every),
                };
                let opened = replay::open(path, *fps, self.decoder.as_deref());
                let played = opened.and_then(|mut source| self.play(source.as_mut(), pace, *realtime));
                if let Err(error) = played {
                    self.say(News::Event(EyeEvent { camera: self.camera as u16, ..refusal(&error) }));
                }
                self.latest.close(self.camera);
            }
            Origin::Looped { path, fps, phase } => {
                let opened = Looped::open(path, *fps, self.decoder.as_deref(), |fps| self.schedule(fps, *phase));
                let broken = opened.map_or_else(|error| error, |mut source| self.look_on(&mut source, None));
                self.say(News::Event(EyeEvent { camera: self.camera as u16, ..refusal(&broken) }));
            }
        }
    }

    /// When a recording of this rate begins, so that its looks come at this phase of the time between two.
    fn schedule(&self, fps: f64, phase: f64) -> Result<Schedule, CaptureError> {
        let looks_per_s = self.looks_per_s.unwrap_or(LOOKS_PER_S_DEFAULT);
        if fps < looks_per_s {
            return Err(CaptureError::TooSlow { fps });
        }
        let period_ns = 1e9 / looks_per_s;
        let periods = ((monotonic_ns() - self.zero_ns) as f64 / period_ns - phase).ceil();
        Ok(Schedule::new(self.zero_ns, self.zero_ns + ((periods + phase) * period_ns) as i64, fps))
    }

    /// Keeps one connection to a live camera for as long as it lasts; opens it with back-off. It is seen once it shows a
    /// picture, and its first picture fixes the size that is `known` from then on.
    fn watch(&self, open: &mut dyn FnMut() -> Result<Box<dyn Source>, CaptureError>, known: &mut Option<PictureSize>) {
        let (mut back_off, mut attempts, mut told) = (BackOff::default(), 0u32, known.map(|_| false));
        let (mut camera, first) = loop {
            let silence = match open().and_then(|camera| self.first_picture(camera, *known)) {
                Ok(seen) => break seen,
                Err(CaptureError::Resized { now }) => {
                    self.health().offers(now.width, now.height);
                    Silence::OtherPicture
                }
                Err(error) => error.silence(),
            };
            self.health().fails(silence, attempts);
            let is_other = silence == Silence::OtherPicture;
            // That it was lost is told; why it is silent comes with the next counters.
            if (attempts > 0 && attempts.is_multiple_of(ATTEMPTS_PER_NEWS)) || told != Some(is_other) {
                self.say(News::Changed(self.camera));
                told = Some(is_other);
            }
            attempts += 1;
            std::thread::sleep(back_off.step());
        };
        known.get_or_insert(camera.size());
        // Why it broke off does not matter: it is opened anew.
        let _ = self.look_on(camera.as_mut(), Some(first));
        self.health().became(CameraState::Lost);
        self.health().reconnected();
        self.say(News::Changed(self.camera));
        // Whatever the decoder held goes before the wait, not after it.
        drop(camera);
        scrub_stack();
        std::thread::sleep(BackOff::default().step());
    }

    /// Waits for the first picture of a camera that has just been opened: one that answers and shows nothing is not seen.
    fn first_picture(
        &self,
        mut camera: Box<dyn Source>,
        known: Option<PictureSize>,
    ) -> Result<(Box<dyn Source>, Grab), CaptureError> {
        let now = camera.size();
        if known.is_some_and(|known| known != now) {
            return Err(CaptureError::Resized { now });
        }
        loop {
            match self.cpu.booked(Stage::Capture, || camera.grab(&|_| true))? {
                picture @ Grab::Frame(_) => return Ok((camera, picture)),
                other => {
                    self.health().captured();
                    self.health().met(if matches!(other, Grab::Passed(_)) { Fate::Skipped } else { Fate::Failed });
                }
            }
        }
    }

    /// Looks at what comes, `first` before all else, for as long as it comes, newest first; says why it broke off.
    fn look_on(&self, source: &mut dyn Source, first: Option<Grab>) -> CaptureError {
        let pool = self.pool(source);
        let mut pace = Pace::rate(self.looks_per_s.unwrap_or(LOOKS_PER_S_DEFAULT));
        self.opened(source);
        let mut grabbed = first.map_or_else(|| self.grab(source, &pace), Ok);
        loop {
            let grab = match grabbed {
                Ok(grab) => grab,
                Err(broken) => return broken,
            };
            if self.captured(grab, &mut pace).is_some() {
                match self.cpu.booked(Stage::Capture, || source.retrieve(&pool)) {
                    Ok(frame) => self.latest.put(self.camera, frame),
                    Err(broken) => {
                        self.health().met(Fate::Failed);
                        if matches!(broken, CaptureError::Resized { .. }) {
                            return broken;
                        }
                    }
                }
            }
            grabbed = self.grab(source, &pace);
        }
    }

    fn grab(&self, source: &mut dyn Source, pace: &Pace) -> Result<Grab, CaptureError> {
        self.cpu.booked(Stage::Capture, || source.grab(&|arrival| pace.is_due(&arrival)))
    }

    /// Plays a recording to its end, waiting for every frame to be taken.
    fn play(&self, source: &mut dyn Source, mut pace: Pace, realtime: bool) -> Result<(), CaptureError> {
        let mut pool = self.pool(source);
        let begun_ns = monotonic_ns();
        let mut is_first = true;
        loop {
            let grab = self.grab(source, &pace)?;
            if matches!(grab, Grab::End) {
                break;
            }
            if is_first {
                self.opened(source);
            }
            if let Some(arrival) = self.captured(grab, &mut pace) {
                if realtime {
                    let ahead_ns = arrival.at.0 - (monotonic_ns() - begun_ns);
                    std::thread::sleep(Duration::from_nanos(u64::try_from(ahead_ns).unwrap_or(0)));
                }
                match self.cpu.booked(Stage::Capture, || source.retrieve(&pool)) {
                    Ok(frame) => self.latest.put_waiting(self.camera, frame),
                    Err(CaptureError::Resized { now }) if is_first => {
                        // Some headers announce another size than the stream has.
                        pool = FramePool::new(self.placed(now));
                        self.health().met(Fate::Failed);
                    }
                    Err(_) => self.health().met(Fate::Failed),
                }
            }
            is_first = false;
        }
        if is_first { Err(CaptureError::Empty) } else { Ok(()) }
    }

    /// Counts what came; gives the arrival of a picture that is to be drawn.
    fn captured(&self, grab: Grab, pace: &mut Pace) -> Option<Arrival> {
        self.health().captured();
        #[cfg(debug_assertions)]
        super::fault::meet(super::fault::Place::Capture);
        let fate = match grab {
            Grab::Frame(arrival) if pace.is_due(&arrival) => {
                pace.looked(&arrival);
                return Some(arrival);
            }
            Grab::Frame(_) | Grab::Passed(_) => Fate::Skipped,
            Grab::Broken(_) | Grab::End => Fate::Failed,
        };
        self.health().met(fate);
        None
    }

    fn placed(&self, picture: PictureSize) -> Placement {
        self.card.placement(picture, self.input)
    }

    fn pool(&self, source: &mut dyn Source) -> FramePool {
        let placed = self.placed(source.size());
        source.will_be_drawn(&placed);
        FramePool::new(placed)
    }

    fn opened(&self, source: &dyn Source) {
        let size = source.size();
        self.health().sized(size.width, size.height);
        self.health().lacks_decoder(self.decoder.is_some() && !source.is_on_device());
        self.health().became(CameraState::Seeing);
        self.say(News::Opened(self.camera, size));
    }

    fn health(&self) -> &CameraHealth {
        &self.health[self.camera]
    }

    fn say(&self, news: News) {
        // The measuring thread ends the process; when it is gone there is nobody left to tell.
        let _ = self.news.send(news);
    }
}

/// Why a recording cannot be played; saying so ends the eye.
#[must_use]
pub fn refusal(error: &CaptureError) -> EyeEvent {
    let numbers = match error {
        CaptureError::RateUnknown => [ClipTrouble::RateUnknown as i32, 0],
        CaptureError::TooSlow { fps } => [ClipTrouble::TooSlow as i32, (fps * 1000.0).round() as i32],
        _ => [0, 0],
    };
    let is_empty = matches!(error, CaptureError::Empty);
    let code = if is_empty { EyeEventCode::ClipEmpty } else { EyeEventCode::ClipRefused };
    EyeEvent { code, camera: 0, numbers }
}
