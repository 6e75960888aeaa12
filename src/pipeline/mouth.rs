//! The mouth: starts the eye, listens, judges, stores, and keeps both going. It sees no pixel and no path.
//!
//! In: records of an eye. Out: committed windows in the [`Vault`], health reports, and how the eye ended. Invariants:
//! an eye that says something unforeseen is ended at once; credentials travel by pipe, never by argument or
//! environment; the eye's standard error goes nowhere.

use std::os::unix::process::ExitStatusExt;
use std::path::PathBuf;
use std::process::{ExitStatus, Stdio};
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio::sync::watch;

use super::{Errand, EyeJob, Origin};
use crate::clock::{CaptureTime, is_synchronised, monotonic_ns, utc_now};
use crate::config::{LOOKS_PER_S_DEFAULT, Settings};
use crate::detect::session::NO_REPORTS;
use crate::health::load::{Gauge, Load};
use crate::health::{CameraReport, EyeEvent, EyeEventCode, Ledger};
use crate::vault::Vault;
use crate::wire::Message;
use crate::wire::compose::{Composer, REPLAY_BOOT, rfc3339};
use crate::wire::payload::{CONTRACT_VERSION, CameraHealthPayload, HealthPayload};
use crate::wire::record::{Inbox, RECORD_BYTES, RecordError, Report};

/// How an eye ended.
#[derive(Debug)]
pub enum EyeEnd {
    /// The recording is over and everything is said.
    Finished,
    /// It said why it cannot go on.
    Refused(EyeEvent),
    /// It said something the configuration does not foresee, and was ended.
    Disbelieved(RecordError),
    /// It is gone without a word.
    Died(ExitStatus),
    /// It is there and says nothing any more, and was ended.
    Silent,
    /// It could not be started.
    Unstarted(String),
}

impl std::fmt::Display for EyeEnd {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Finished => write!(f, "the eye has finished"),
            Self::Refused(event) => write!(f, "the eye ended itself: {:?} {:?}", event.code, event.numbers),
            Self::Disbelieved(error) => write!(f, "the eye was ended for an unforeseen record: {error}"),
            Self::Died(status) => match status.signal() {
                Some(signal) if status.core_dumped() => {
                    write!(f, "the eye was ended by signal {signal} and the kernel has written its memory down")
                }
                Some(signal) => write!(f, "the eye was ended by signal {signal}"),
                None => write!(f, "the eye ended with status {}", status.code().unwrap_or(-1)),
            },
            Self::Silent => write!(f, "the eye said nothing any more and was ended"),
            Self::Unstarted(reason) => write!(f, "the eye could not be started: {reason}"),
        }
    }
}

/// The mouth of one node.
pub struct Mouth {
    composer: Composer,
    vault: Arc<Vault>,
    inbox: Inbox,
    camera_ids: Vec<String>,
    cameras: Vec<Option<CameraReport>>,
    gauges: Vec<Gauge>,
    loads: watch::Sender<Vec<Load>>,
    looks_per_s: Vec<Option<f64>>,
    health: watch::Sender<Option<Message>>,
    health_every: Duration,
    eye_starts: u32,
    begun_ns: i64,
}

impl Mouth {
    /// A mouth that commits to `vault` and reports health every `health_every`.
    #[must_use]
    pub fn new(settings: &Settings, composer: Composer, vault: Arc<Vault>, health_every: Duration) -> Self {
        Self {
            composer,
            vault,
            inbox: Inbox::new(settings),
            camera_ids: settings.cameras.iter().map(|camera| camera.id.clone()).collect(),
            cameras: vec![None; settings.cameras.len()],
            gauges: settings.cameras.iter().map(|_| Gauge::default()).collect(),
            loads: watch::Sender::new(vec![Load::default(); settings.cameras.len()]),
            looks_per_s: settings.cameras.iter().map(|camera| camera.looks_per_s).collect(),
            health: watch::Sender::new(None),
            health_every,
            eye_starts: 0,
            begun_ns: monotonic_ns(),
        }
    }

    /// Where the newest health report can be read.
    #[must_use]
    pub fn health(&self) -> watch::Receiver<Option<Message>> {
        self.health.subscribe()
    }

    /// Where it can be read how each camera is served.
    #[must_use]
    pub fn loads(&self) -> watch::Receiver<Vec<Load>> {
        self.loads.subscribe()
    }

    /// Looks per second a camera is due; `None` for a recording that is looked at whole.
    #[must_use]
    pub fn looks_per_s(&self, camera: usize) -> Option<f64> {
        self.looks_per_s[camera].or(self.is_live().then_some(LOOKS_PER_S_DEFAULT))
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
        greeting.extend(self.composer.introduction(model));
        (greeting, self.composer.state(false))
    }

    /// The newest counters of every camera.
    #[must_use]
    pub fn cameras(&self) -> &[Option<CameraReport>] {
        &self.cameras
    }

    /// Runs one eye to its end; `heard` is told every report it makes.
    pub async fn run_eye(&mut self, job: &EyeJob, heard: &mut dyn FnMut(&Report)) -> EyeEnd {
        self.eye_starts += 1;
        let is_live = matches!(job.errand, Errand::Watch);
        self.inbox.begin_again(match job.errand {
            Errand::Replay(timeline) => timeline.utc(CaptureTime(0)),
            _ => utc_now(),
        });
        let mut eye = match Eye::start(job).await {
            Ok(eye) => eye,
            Err(reason) => return EyeEnd::Unstarted(reason),
        };
        let mut clock = tokio::time::interval(self.health_every);
        clock.tick().await;
        let mut patience = START_PATIENCE;
        loop {
            tokio::select! {
                // What has come is read before anybody is called silent.
                biased;
                record = eye.record() => match record {
                    None => return EyeEnd::Died(eye.ended().await),
                    Some(record) => match self.inbox.accept(&record) {
                        Ok(None) => {}
                        Ok(Some(report)) if !belongs(&report, job.errand) => {
                            eye.end().await;
                            return EyeEnd::Disbelieved(RecordError::Errand);
                        }
                        Ok(Some(report)) => {
                            patience = SILENCE;
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
                // Health is due less often, so that it does not renew this for ever.
                () = tokio::time::sleep(patience), if is_live => {
                    eye.end().await;
                    return EyeEnd::Silent;
                }
                _ = clock.tick() => self.report_health(),
            }
        }
    }

    fn take(&mut self, report: Report, is_live: bool) -> Option<EyeEnd> {
        match report {
            // A live eye cannot have measured what has not been yet.
            Report::Window(window) if is_live && window.span.end_s() > utc_now().0 / 1000 + CLOCK_SLACK_S => {
                Some(EyeEnd::Disbelieved(RecordError::Early { end_s: window.span.end_s() }))
            }
            Report::Window(window) => {
                if is_live {
                    self.composer.clock_is(is_synchronised());
                }
                let message = self.composer.window(&window);
                self.vault.commit(message);
                None
            }
            Report::Camera(camera, report) => {
                self.cameras[usize::from(camera)] = Some(report);
                self.weigh(usize::from(camera), report.ledger);
                None
            }
            Report::Event(event) if event.code.is_final() => Some(EyeEnd::Refused(event)),
            // Only what changes how a camera is to be read is news; a frame that failed is counted.
            Report::Event(EyeEvent {
                code:
                    EyeEventCode::CameraSeen
                    | EyeEventCode::CameraLost
                    | EyeEventCode::Motionless
                    | EyeEventCode::MotionlessGone,
                ..
            }) => {
                self.report_health();
                None
            }
            Report::Event(_) | Report::Bench(_) | Report::Sounding(..) => None,
            Report::Ended => {
                self.report_health();
                Some(EyeEnd::Finished)
            }
        }
    }

    /// Follows the load of a camera; a box that becomes overloaded, or no longer is, says so at once.
    fn weigh(&mut self, camera: usize, ledger: Ledger) {
        let gauge = &mut self.gauges[camera];
        gauge.note(ledger, monotonic_ns());
        let load = gauge.load();
        let before = self.loads.borrow()[camera];
        if before != load {
            self.loads.send_modify(|loads| loads[camera] = load);
        }
        if before.is_overloaded != load.is_overloaded {
            self.report_health();
        }
    }

    fn report_health(&mut self) {
        let now_ns = monotonic_ns();
        let mut cameras = Vec::new();
        for (camera, report) in self.cameras.iter().enumerate() {
            let Some(report) = report else { continue };
            let (id, load) = (&self.camera_ids[camera], self.gauges[camera].load());
            cameras.push(CameraHealthPayload::of(id, report, load, self.looks_per_s(camera)));
        }
        let counts = self.vault.counts();
        let health = HealthPayload {
            v: CONTRACT_VERSION,
            k: "health",
            at: rfc3339(utc_now()),
            boot: self.composer.boot().to_owned(),
            clk: if is_synchronised() { "sync" } else { "free" },
            uptime_s: u64::try_from((now_ns - self.begun_ns) / 1_000_000_000).unwrap_or(0),
            eye_starts: self.eye_starts,
            spool_waiting: counts.waiting(),
            spool_dropped: counts.dropped,
            refused: counts.refused,
            cameras,
        };
        self.health.send_replace(Some(self.composer.health(&health)));
    }
}

/// Whether an eye with this errand may say such a thing: figures of a benchmark or of a sounding are no way out for one
/// that watches a shop.
fn belongs(report: &Report, errand: Errand) -> bool {
    match report {
        Report::Window(_) => matches!(errand, Errand::Watch | Errand::Replay(_)),
        Report::Bench(_) => matches!(errand, Errand::Bench(_) | Errand::BenchLive(_)),
        Report::Sounding(..) => matches!(errand, Errand::Probe(_)),
        Report::Camera(..) | Report::Event(_) | Report::Ended => true,
    }
}

/// A running eye.
struct Eye {
    child: Child,
    /// Held open: the eye ends when it closes.
    _input: ChildStdin,
    output: ChildStdout,
    partial: [u8; RECORD_BYTES],
    filled: usize,
}

impl Eye {
    async fn start(job: &EyeJob) -> Result<Self, String> {
        let name = eye_for(job.feeds.iter().map(|feed| &feed.origin));
        let program = program(name)?;
        let mut command = Command::new(&program);
        // Read by the dynamic linker, so they must be there at exec: freed memory is overwritten, and nothing is
        // kept in per-thread caches that are not (PRIVACY: perturb without tcache_count=0 keeps small blocks).
        command.env_clear().env("GLIBC_TUNABLES", HEAP_HYGIENE).env(NO_REPORTS.0, NO_REPORTS.1);
        #[cfg(debug_assertions)]
        command.envs(super::fault::for_one_eye(job.errand));
        // Ctrl-C is for the mouth alone, which ends the eye itself.
        command.process_group(0);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).kill_on_drop(true);
        let mut child = command.spawn().map_err(|error| format!("{}: {error}", program.display()))?;
        let (input, output) = (child.stdin.take(), child.stdout.take());
        let (Some(mut input), Some(output)) = (input, output) else { return Err("it has no pipes".to_owned()) };
        let text = serde_json::to_vec(job).map_err(|error| error.to_string())?;
        let length = u32::try_from(text.len()).map_err(|error| error.to_string())?;
        let sent = async {
            input.write_all(&length.to_le_bytes()).await?;
            input.write_all(&text).await?;
            input.flush().await
        };
        sent.await.map_err(|error| format!("it does not read its job: {error}"))?;
        Ok(Self { child, _input: input, output, partial: [0; RECORD_BYTES], filled: 0 })
    }

    /// The next record; `None` when the pipe is closed. Cancel-safe: a started record is kept.
    async fn record(&mut self) -> Option<[u8; RECORD_BYTES]> {
        while self.filled < RECORD_BYTES {
            match self.output.read(&mut self.partial[self.filled..]).await {
                Ok(read @ 1..) => self.filled += read,
                _ => return None,
            }
        }
        self.filled = 0;
        Some(self.partial)
    }

    /// Says how an eye ended that closed its pipe; ends it when it does not end by itself.
    async fn ended(&mut self) -> ExitStatus {
        match tokio::time::timeout(PATIENCE, self.child.wait()).await {
            Ok(Ok(status)) => status,
            _ => self.end().await,
        }
    }

    /// Ends it, whatever it does, and says how it ended.
    async fn end(&mut self) -> ExitStatus {
        // Gone already is as good.
        let _ = self.child.start_kill();
        self.child.wait().await.unwrap_or_default()
    }
}

/// The program that reads these: OpenCV's readers are loaded for those alone that need them.
fn eye_for<'a>(mut origins: impl Iterator<Item = &'a Origin>) -> &'static str {
    if origins.any(Origin::needs_opencv) { EYES[1] } else { EYES[0] }
}

/// Path of another program of Kehai, beside this one.
///
/// # Errors
/// Where it is missed.
pub fn program(name: &str) -> Result<PathBuf, String> {
    let own = std::env::current_exe().map_err(|error| error.to_string())?;
    let beside = own.with_file_name(name);
    if beside.is_file() {
        Ok(beside)
    } else {
        Err(format!("{} is missing; install kehai and {name} side by side", beside.display()))
    }
}

/// The programs of the eye: for network cameras and clips; for USB cameras and folders of pictures too.
pub const EYES: [&str; 2] = ["kehai-eye", "kehai-eye-opencv"];

/// Time an eye gets to end after it closed its pipe.
const PATIENCE: Duration = Duration::from_millis(500);
/// Loading the models of many workers from a slow disk takes its time.
const START_PATIENCE: Duration = Duration::from_secs(60);
/// A live eye reports its cameras every five seconds.
const SILENCE: Duration = Duration::from_secs(15);
/// How far two readings of one clock may lie apart, s.
const CLOCK_SLACK_S: i64 = 1;
/// Overwrite freed memory with 0x5a, keep no per-thread caches (measured: no residue of the last frame).
const HEAP_HYGIENE: &str = "glibc.malloc.perturb=90:glibc.malloc.tcache_count=0:glibc.malloc.arena_max=2:glibc.malloc.mmap_threshold=262144:glibc.malloc.trim_threshold=131072";
