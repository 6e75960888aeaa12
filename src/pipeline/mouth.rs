//! The mouth: starts the eye, listens, judges, stores, and keeps both going. It sees no pixel and no path.
//!
//! In: records of an eye. Out: committed windows in the [`Vault`], health reports, and how the eye ended. Invariants:
//! an eye that says something unforeseen is ended at once; credentials travel by pipe, never by argument or
//! environment; the eye's standard error goes nowhere.

mod ages;
mod backlog;
mod events;
mod guard;
mod rest;
mod rhythm;
mod running;

use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::UnixStream;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;

use super::{Errand, EyeJob};
use crate::clock::{CaptureTime, UtcMs, boot_ns, is_synchronised, monotonic_ns, utc_now};
use crate::config::{LOOKS_PER_S_DEFAULT, Settings};
use crate::health::load::{Gauge, Load};
use crate::health::news::LastHeard;
use crate::health::walls::Walls;
use crate::health::{CameraReport, CameraState, EyeEvent, Silence};
use crate::publish::mqtt::Validity;
use crate::sandbox::FAULT_EXIT;
use crate::sandbox::control::callers;
use crate::vault::Vault;
use crate::wire::Message;
use crate::wire::compose::{Composer, REPLAY_BOOT, rfc3339};
use crate::wire::counters::Tick;
use crate::wire::payload::{CONTRACT_VERSION, CameraHealthPayload, HealthPayload};
use crate::wire::record::ration::Ration;
use crate::wire::record::{Inbox, Record, RecordError, Report};

use ages::Ages;
pub use backlog::Backlog;
use events::Readings;
pub use guard::{Guard, Standing, Terms};
use rhythm::Rhythm;
pub(crate) use running::Eye;
pub use running::{EYES, HEAP_HYGIENE, program};

/// How an eye ended.
#[derive(Debug)]
pub enum EyeEnd {
    /// The recording is over and everything is said.
    Finished,
    /// It said why it cannot go on.
    Refused(EyeEvent),
    /// It said something the configuration does not foresee, or not then, and was ended.
    Disbelieved(RecordError),
    /// It is gone without a word.
    Died(ExitStatus),
    /// It is there and says nothing any more, and was ended.
    Silent,
    /// The wall clock was set, by so many ms, and it names its windows by the clock as it was; ended.
    ClockStepped(i64),
    /// It could not be started.
    Unstarted(String),
}

impl std::fmt::Display for EyeEnd {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Finished => write!(f, "the eye has finished"),
            Self::Refused(event) => write!(f, "the eye ended itself: {:?}", event.code),
            Self::Disbelieved(error) => write!(f, "the eye was ended for an unforeseen record: {error}"),
            Self::Died(status) => match status.signal() {
                Some(signal) if status.core_dumped() => {
                    write!(f, "the eye was ended by signal {signal} and the kernel has written its memory down")
                }
                Some(signal) => write!(f, "the eye was ended by signal {signal}"),
                None => match status.code() {
                    Some(code) if (FAULT_EXIT + 1..FAULT_EXIT + 32).contains(&code) => {
                        write!(f, "the eye was ended by signal {}", code - FAULT_EXIT)
                    }
                    Some(code) if EXITS_KNOWN.contains(&code) => write!(f, "the eye ended with status {code}"),
                    // Not a word of its own choice goes into a log.
                    _ => write!(f, "the eye ended itself"),
                },
            },
            Self::Silent => write!(f, "the eye said nothing any more and was ended"),
            Self::ClockStepped(step_ms) => {
                write!(f, "the clock was set by {:.1} s and the eye was ended", *step_ms as f64 / 1000.0)
            }
            Self::Unstarted(reason) => write!(f, "the eye could not be started: {reason}"),
        }
    }
}

/// The mouth of one node.
pub struct Mouth {
    composer: Composer,
    vault: Arc<Vault>,
    inbox: Inbox,
    ration: Option<Ration>,
    heard: LastHeard,
    cameras: Vec<Option<CameraReport>>,
    gauges: Vec<Gauge>,
    loads: watch::Sender<Vec<Load>>,
    health: watch::Sender<Option<Message>>,
    health_every: Duration,
    validity: Arc<Validity>,
    eye_starts: u32,
    /// Why a network camera takes no call.
    unreached: Vec<Silence>,
    eye_disbelieved: u32,
    /// Round the newest eye.
    walls: Walls,
    begun_ns: i64,
    settings: Settings,
    backlog: Backlog,
    /// When the store was last rid of what is too old.
    expired_ns: i64,
    ages: Ages,
    rhythm: Rhythm,
    readings: Readings,
    /// Which cameras are lost.
    lost: Vec<bool>,
    /// Ends the eye when nothing may be watched; none for a recording.
    guard: Option<Guard>,
}

impl Mouth {
    /// A mouth that commits to `vault` and reports health every `health_every`.
    #[must_use]
    pub fn new(settings: &Settings, composer: Composer, vault: Arc<Vault>, health_every: Duration) -> Self {
        Self {
            composer,
            vault,
            inbox: Inbox::new(settings),
            ration: None,
            heard: LastHeard::new(settings.cameras.len()),
            settings: settings.clone(),
            cameras: vec![None; settings.cameras.len()],
            gauges: settings.cameras.iter().map(|_| Gauge::default()).collect(),
            loads: watch::Sender::new(vec![Load::default(); settings.cameras.len()]),
            health: watch::Sender::new(None),
            health_every,
            validity: Arc::default(),
            eye_starts: 0,
            unreached: vec![Silence::None; settings.cameras.len()],
            eye_disbelieved: 0,
            walls: Walls::NONE,
            begun_ns: monotonic_ns(),
            backlog: Backlog::default(),
            expired_ns: i64::MIN / 2,
            ages: Ages::begin(utc_now(), boot_ns()),
            rhythm: Rhythm::default(),
            readings: Readings::new(),
            lost: vec![false; settings.cameras.len()],
            guard: None,
        }
    }

    /// The same under a guard.
    #[must_use]
    pub fn guarded(self, guard: Guard) -> Self {
        Self { guard: Some(guard), ..self }
    }

    /// Where the newest health report can be read.
    #[must_use]
    pub fn health(&self) -> watch::Receiver<Option<Message>> {
        self.health.subscribe()
    }

    /// Until when certificates hold: the publisher notes it, health tells it.
    #[must_use]
    pub fn validity(&self) -> Arc<Validity> {
        Arc::clone(&self.validity)
    }

    /// Where it can be read how each camera is served.
    #[must_use]
    pub fn loads(&self) -> watch::Receiver<Vec<Load>> {
        self.loads.subscribe()
    }

    /// Looks per second a camera is due; `None` for a recording that is looked at whole.
    #[must_use]
    pub fn looks_per_s(&self, camera: usize) -> Option<f64> {
        self.settings.cameras[camera].looks_per_s.or(self.is_live().then_some(LOOKS_PER_S_DEFAULT))
    }

    /// Whether cameras are watched, and not a recording replayed.
    #[must_use]
    pub fn is_live(&self) -> bool {
        self.composer.boot() != REPLAY_BOOT
    }

    /// Messages every connection begins with, and the will.
    #[must_use]
    pub fn greeting(&self, model: &str) -> (Vec<Message>, Message) {
        let mut greeting = vec![self.composer.state(true)];
        greeting.extend(self.composer.introduction(model, &self.vault.public_key()));
        (greeting, self.composer.state(false))
    }

    /// What makes the messages of this node.
    #[must_use]
    pub fn composer(&self) -> &Composer {
        &self.composer
    }

    /// The newest counters of every camera.
    #[must_use]
    pub fn cameras(&self) -> &[Option<CameraReport>] {
        &self.cameras
    }

    /// What the last eye has put on the pipe.
    #[must_use]
    pub fn ration(&self) -> Option<&Ration> {
        self.ration.as_ref()
    }

    /// Runs one eye to its end; `heard` is told every report it makes. One that is not believed is counted, and health
    /// says so at once.
    pub async fn run_eye(&mut self, job: &EyeJob, heard: &mut dyn FnMut(&Report)) -> EyeEnd {
        let end = self.listen(job, heard).await;
        if matches!(end, EyeEnd::Disbelieved(_)) {
            self.eye_disbelieved += 1;
            self.report_health();
        }
        end
    }

    async fn listen(&mut self, job: &EyeJob, heard: &mut dyn FnMut(&Report)) -> EyeEnd {
        self.eye_starts += 1;
        let is_live = matches!(job.errand, Errand::Watch);
        self.heard.begin_again();
        if is_live {
            // A step while there was no eye misleads none.
            let _ = self.stepped();
        }
        self.ration =
            Some(Ration::new(&self.settings, job.errand, job.feeds.iter().map(|feed| feed.camera), monotonic_ns()));
        self.inbox.begin_again(match job.errand {
            Errand::Replay(timeline) => timeline.utc(CaptureTime(0)),
            _ => utc_now(),
        });
        let mut eye = match Eye::start(job, self.guard.as_ref()).await {
            Ok(eye) => eye,
            Err(reason) => return EyeEnd::Unstarted(reason),
        };
        let (mut troubles, _callers) = call_cameras(job, &eye.control);
        let mut clock = tokio::time::interval(self.health_every);
        clock.tick().await;
        let mut glance = tokio::time::interval(GLANCE);
        loop {
            tokio::select! {
                // What has come is read before anybody is called silent.
                biased;
                record = eye.record() => match record {
                    None => return EyeEnd::Died(eye.ended().await),
                    Some(record) => match self.judge(&record, job) {
                        Ok(None) => {}
                        Ok(Some(report)) => {
                            heard(&report);
                            if let Some(end) = self.take(report, is_live) {
                                eye.end().await;
                                return end;
                            }
                        }
                        Err(error) => {
                            eye.end().await;
                            return EyeEnd::Disbelieved(error);
                        }
                    },
                },
                Some((camera, silence)) = troubles.recv() => {
                    if let Some(report) = self.reached(camera, silence) {
                        heard(&Report::Camera(camera as u16, Tick { number: 0, media_ms: 0 }, report));
                    }
                }
                _ = glance.tick(), if is_live => if let Some(end) = self.glance() {
                    eye.end().await;
                    return end;
                },
                _ = clock.tick() => {
                    self.keep_house();
                    self.report_health();
                }
            }
        }
    }

    /// Counts a record; gives the report it completes, when that may come now.
    fn judge(&mut self, record: &Record, job: &EyeJob) -> Result<Option<Report>, RecordError> {
        let ration = self.ration.as_mut().ok_or(RecordError::Order)?;
        ration.read();
        let mut report = self.inbox.accept(record)?;
        report.as_ref().map_or(Ok(()), |report| ration.judge(report, monotonic_ns()))?;
        match &mut report {
            Some(Report::Ready(ready)) if ready.walls.bits() != job.proved => {
                let proved = Walls::from_bits(job.proved).to_string();
                return Err(RecordError::Walls { standing: ready.walls.to_string(), proved });
            }
            Some(Report::Camera(camera, _, report)) => self.correct(usize::from(*camera), report),
            _ => {}
        }
        Ok(report)
    }

    /// Why an eye has to be ended, if it has.
    fn glance(&mut self) -> Option<EyeEnd> {
        let stepped = self.stepped().map(EyeEnd::ClockStepped);
        stepped.or_else(|| self.is_overdue().then_some(EyeEnd::Silent))
    }

    fn is_overdue(&self) -> bool {
        self.ration.as_ref().is_some_and(|ration| ration.is_overdue(monotonic_ns(), SILENCE_NS, START_PATIENCE_NS))
    }

    fn take(&mut self, report: Report, is_live: bool) -> Option<EyeEnd> {
        match report {
            // A live eye cannot have measured what has not been yet.
            Report::Window(window) if is_live && window.span.end_s() > utc_now().0 / 1000 + CLOCK_SLACK_S => {
                // But one that was ended by a clock that was put back since has not lied.
                let early = || EyeEnd::Disbelieved(RecordError::Early { end_s: window.span.end_s() });
                Some(self.stepped().map_or_else(early, EyeEnd::ClockStepped))
            }
            Report::Window(window)
                if is_live && !self.rhythm.admits(window.object, window.span.dur_s, monotonic_ns()) =>
            {
                self.backlog.give_up();
                None
            }
            Report::Window(window) => {
                if is_live {
                    self.composer.clock_is(is_synchronised());
                }
                self.backlog.take(window);
                self.backlog.release(&self.vault, &self.composer);
                None
            }
            Report::Camera(camera, _, report) => {
                let camera = usize::from(camera);
                self.cameras[camera] = Some(report);
                let news = self.heard.hear(camera, &report);
                self.tell_cameras(camera, &news);
                if self.weigh(camera, &report) || !news.is_empty() {
                    self.report_health();
                }
                None
            }
            Report::Event(event) => Some(EyeEnd::Refused(event)),
            Report::Ready(ready) => {
                self.walls = ready.walls;
                None
            }
            Report::Bench(_) | Report::Sounding(..) | Report::Attempts(_) => None,
            Report::Ended => {
                self.report_health();
                Some(EyeEnd::Finished)
            }
        }
    }

    /// Closed windows that are not released: those that wait for room, and those that never will be.
    #[must_use]
    pub fn unreleased(&self) -> u64 {
        self.backlog.count()
    }

    /// Notes whether a camera takes a call; how it fares then, where that is news.
    fn reached(&mut self, camera: usize, silence: Silence) -> Option<CameraReport> {
        let before = std::mem::replace(&mut self.unreached[camera], silence);
        let mut report = self.cameras[camera].unwrap_or_else(CameraReport::unseen);
        if silence == Silence::None || silence == before || report.state == CameraState::Seeing {
            return None;
        }
        self.correct(camera, &mut report);
        self.cameras[camera] = Some(report);
        if !self.heard.hear(camera, &report).is_empty() {
            self.report_health();
        }
        Some(report)
    }

    /// An eye whose camera takes no call only knows that nothing comes; the mouth knows why.
    fn correct(&self, camera: usize, report: &mut CameraReport) {
        let why = self.unreached[camera];
        if why != Silence::None && report.state != CameraState::Seeing {
            report.silence = why;
        }
    }

    /// Follows the load of a camera: frames by the mouth's clock, looks as the eye tells of them. Whether the box has become
    /// overloaded, or no longer is.
    fn weigh(&mut self, camera: usize, report: &CameraReport) -> bool {
        self.gauges[camera].note(report.ledger, monotonic_ns());
        let load = self.load(camera, report);
        let before = self.loads.borrow()[camera];
        if before != load {
            self.loads.send_modify(|loads| loads[camera] = load);
        }
        before.is_overloaded != load.is_overloaded
    }

    fn load(&self, camera: usize, report: &CameraReport) -> Load {
        let fps_milli = self.gauges[camera].load().fps_milli;
        Load { fps_milli, looks_milli: report.looks_milli.into(), is_overloaded: report.is_overloaded }
    }

    /// What has to be done from time to time: windows without room are tried again, what is too old goes.
    fn keep_house(&mut self) {
        self.backlog.release(&self.vault, &self.composer);
        self.tell_coverage();
        let now_ns = monotonic_ns();
        if !self.is_live() {
            return;
        }
        let now = utc_now();
        let ages = self.ages.now(now, boot_ns());
        if now_ns - self.expired_ns > EXPIRE_EVERY_NS {
            self.expired_ns = now_ns;
            // What could not go now goes next time.
            let _ = self.vault.expire_as_of(ages, now);
        }
        // A head that finds no room is told with the next.
        let _ = self.vault.publish_head(&self.composer.topic("audit"));
    }

    fn report_health(&mut self) {
        let now_ns = monotonic_ns();
        let mut cameras = Vec::new();
        for (camera, report) in self.cameras.iter().enumerate() {
            let Some(report) = report else { continue };
            let (id, load) = (&self.settings.cameras[camera].id, self.load(camera, report));
            cameras.push(CameraHealthPayload::of(id, report, load, self.looks_per_s(camera)));
        }
        let counts = self.vault.counts();
        let (store_bytes, store_most_bytes) = self.vault.size().unwrap_or_default();
        let health = HealthPayload {
            v: CONTRACT_VERSION,
            k: "health",
            at: rfc3339(utc_now()),
            boot: self.composer.boot().to_owned(),
            clk: if is_synchronised() { "sync" } else { "free" },
            uptime_s: u64::try_from((now_ns - self.begun_ns) / 1_000_000_000).unwrap_or(0),
            eye_starts: self.eye_starts,
            eye_disbelieved: self.eye_disbelieved,
            walls: self.walls.names(),
            unsandboxed: self.settings.dangerous_allow_unsandboxed,
            spool_waiting: counts.waiting,
            spool_dropped: counts.dropped,
            refused: counts.refused,
            cameras,
            tls_not_after: self.validity.first_s().map(|end_s| rfc3339(UtcMs(end_s * 1000))),
            unreleased: self.backlog.count(),
            store_bytes,
            store_most_bytes,
            mode: self.guard.as_ref().map(|guard| guard.standing().name()),
        };
        self.health.send_replace(Some(self.composer.health(&health)));
    }
}

/// Calls the network cameras of an eye for as long as what is returned lives; where they cannot be reached, it is told.
fn call_cameras(job: &EyeJob, control: &Arc<UnixStream>) -> (mpsc::UnboundedReceiver<(usize, Silence)>, JoinSet<()>) {
    let (sender, troubles) = mpsc::unbounded_channel();
    let mut calls = JoinSet::new();
    for caller in callers(job) {
        calls.spawn(caller.call(Arc::clone(control), sender.clone()));
    }
    (troubles, calls)
}

/// How an eye ends that finds its pipe, its job or its cage missing, and one that panics.
const EXITS_KNOWN: [i32; 5] = [0, 4, 5, 6, 101];
/// Loading the models of many workers from a slow disk takes its time, ns.
const START_PATIENCE_NS: i64 = 60_000_000_000;
/// A live eye reports each camera every five seconds, and leaves out no two reports in a row; ns.
const SILENCE_NS: i64 = 15_000_000_000;
/// How often the mouth looks whether an eye is still there.
const GLANCE: Duration = Duration::from_secs(1);
/// How often what is too old is looked for, ns.
const EXPIRE_EVERY_NS: i64 = 3_600_000_000_000;
/// How far two readings of one clock may lie apart, s.
const CLOCK_SLACK_S: i64 = 1;
