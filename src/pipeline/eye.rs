//! The eye: the process that sees pictures. Capture threads, detect workers, and one thread that tracks and measures.
//!
//! In: one [`EyeJob`] on standard input. Out: records on standard output, nothing else. Invariants: whatever a
//! library prints goes nowhere; the eye ends with its mouth (standard input closed, or the parent gone); a panic in
//! any stage ends the whole eye, because a half-blind one would count wrongly.

#[cfg(all(test, feature = "mouth"))]
mod succession;

use std::cmp::Ordering;
use std::fs::File;
use std::io::{BufWriter, Read, Write};
use std::os::fd::{FromRawFd, RawFd};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, bounded};

use super::discretion::Discretion;
use super::feed::Feeder;
use super::hygiene::{leave_no_core, scrub_stack, settle};
use super::latest::Latest;
use super::lookout::Lookout;
use super::worker::{Worker, code_of};
use super::{Errand, EyeJob, JOB_BYTES_MAX};
use crate::clock::{CaptureTime, Timeline, monotonic_ns, process_cpu_ns, utc_now};
use crate::config::DetectorChoice;
use crate::detect::{Detections, Detector};
use crate::floor::{FloorMap, places_outside};
use crate::gate::Gate;
use crate::health::{CameraHealth, EyeEvent, EyeEventCode, Stage, StageCpu};
use crate::measure::{Measures, Window};
use crate::track::{Tracker, Tracks};
use crate::units::PictureSize;
use crate::wire::record::{Outbox, Record};

/// What the threads of the eye tell the one that measures.
pub enum News {
    /// A camera delivers pictures of this size.
    Opened(usize, PictureSize),
    /// The people in one frame.
    People(usize, Detections),
    /// The recording of a camera is over.
    Ended(usize),
    /// Something to pass on; a final one ends the eye.
    Event(EyeEvent),
}

/// Runs the eye on this process's standard streams. The exit code is for the mouth only.
#[must_use]
pub fn run() -> i32 {
    // A panic text could hold what a stage held: nothing is printed, the code says enough.
    std::panic::set_hook(Box::new(|_| ()));
    end_with_parent();
    let Some(pipe) = take_over_stdout() else { return EXIT_PIPE };
    let Some(job) = read_job(&mut std::io::stdin().lock()) else { return EXIT_JOB };
    let mut pipe = Pipe { writer: BufWriter::new(pipe), outbox: Outbox::new(&job.settings) };
    crate::capture::use_one_thread_per_picture();
    std::thread::Builder::new().name("parent".to_owned()).spawn(end_with_stdin).ok();
    if let Errand::Bench(rounds) = job.errand {
        return super::bench::run(&job, rounds, &mut pipe);
    }
    if let Errand::BenchLive(seconds) = job.errand {
        return super::bench::live::run(&job, seconds, &mut pipe);
    }
    if let Errand::Probe(seconds) = job.errand {
        return super::probe::run(&job, seconds, &mut pipe);
    }
    watch(&job, &mut pipe)
}

/// As [`run`], in a program that also reads USB cameras and folders of pictures.
#[must_use]
pub fn run_with_opencv() -> i32 {
    crate::capture::use_opencv_readers();
    run()
}

/// The pipe to the mouth.
pub struct Pipe {
    writer: BufWriter<File>,
    outbox: Outbox,
}

impl Pipe {
    /// Writes the records that `make` makes; when the mouth is gone, so is the eye.
    pub fn say(&mut self, make: impl FnOnce(&Outbox) -> Vec<Record>) {
        let records = make(&self.outbox);
        let written = records.iter().try_for_each(|record| self.writer.write_all(record));
        if written.and_then(|()| self.writer.flush()).is_err() {
            std::process::exit(EXIT_PIPE);
        }
    }

    /// Says an event of the whole eye.
    pub fn event(&mut self, code: EyeEventCode, numbers: [i32; 2]) {
        self.say(|outbox| outbox.event(&EyeEvent { code, camera: 0, numbers }));
    }

    /// Says that an accelerator was asked for and is not in use.
    pub fn lacks(&mut self, detectors: &[Detector]) {
        if let Some(lacks) = detectors.iter().find_map(Detector::lacks) {
            self.event(EyeEventCode::AcceleratorMissing, [lacks as i32, 0]);
        }
    }
}

/// The threads of an eye at work.
pub struct Threads {
    /// Where they send news.
    pub news: Receiver<News>,
    /// Counters of all cameras.
    pub health: Arc<[CameraHealth]>,
    /// CPU by stage.
    pub cpu: Arc<StageCpu>,
    /// Ages of frames at detection, µs, of the first [`AGES_MAX`] frames: since capture, or where recordings wait,
    /// since the mailbox.
    pub ages_us: Receiver<u32>,
    /// What of each camera has been told.
    told: Vec<(Discretion, u32)>,
}

impl Threads {
    /// Says how a camera fares: before every event, so that nobody sees the event with the counters of before.
    pub(super) fn report(&mut self, camera: usize, pipe: &mut Pipe) {
        let (discretion, things) = &mut self.told[camera];
        let report = discretion.told(self.health[camera].report(), utc_now());
        pipe.say(|outbox| outbox.camera(camera as u16, &report));
        let before = std::mem::replace(things, report.motionless);
        let code = match report.motionless.cmp(&before) {
            Ordering::Less => EyeEventCode::MotionlessGone,
            Ordering::Equal => return,
            Ordering::Greater => EyeEventCode::Motionless,
        };
        let numbers = [report.motionless as i32, 0];
        pipe.say(|outbox| outbox.event(&EyeEvent { code, camera: camera as u16, numbers }));
    }
}

/// Loads the detectors, one for each worker, and runs every one once so that errors come before any picture.
///
/// # Errors
/// The event to end with.
pub fn load_detectors(job: &EyeJob) -> Result<Vec<Detector>, EyeEventCode> {
    let load = |_| {
        let DetectorChoice { accelerator, size, .. } = job.settings.detector;
        Detector::load_on(accelerator, &job.runtime, &job.model, &job.card, size).map_err(|error| code_of(&error))
    };
    (0..job.settings.detector.workers).map(load).collect()
}

/// Starts capture threads and detect workers.
#[must_use]
pub fn start(job: &EyeJob, detectors: Vec<Detector>, zero_ns: i64) -> Threads {
    let health: Arc<[CameraHealth]> = job.settings.cameras.iter().map(|_| CameraHealth::default()).collect();
    let (latest, cpu) = (Arc::new(Latest::new(Arc::clone(&health))), Arc::new(StageCpu::default()));
    let (sender, news) = bounded(NEWS_MAX);
    let (ages, ages_us) = bounded(AGES_MAX);
    for silent in (0..job.settings.cameras.len()).filter(|camera| job.feeds.iter().all(|feed| feed.camera != *camera)) {
        latest.close(silent);
    }
    let settings = Arc::new(job.settings.clone());
    let lookout = |camera| Mutex::new(Lookout::new(Arc::clone(&settings), camera, job.card.score));
    let lookouts: Arc<[Mutex<Lookout>]> = (0..job.settings.cameras.len()).map(lookout).collect();
    for detector in detectors {
        let worker = Worker {
            detector,
            lookouts: Arc::clone(&lookouts),
            score_min: job.card.score.low,
            latest: Arc::clone(&latest),
            health: Arc::clone(&health),
            cpu: Arc::clone(&cpu),
            news: sender.clone(),
            ages: ages.clone(),
            zero_ns: matches!(job.errand, Errand::Watch | Errand::BenchLive(_)).then_some(zero_ns),
            leaves_traces: job.leaves_traces,
        };
        spawn("detect", &sender, move || worker.run());
    }
    let card = Arc::new(job.card.clone());
    for feed in &job.feeds {
        let (latest, health, news, cpu) = (Arc::clone(&latest), Arc::clone(&health), sender.clone(), Arc::clone(&cpu));
        let of_site = &job.settings.cameras[feed.camera];
        let feeder = Feeder {
            camera: feed.camera,
            latest,
            health,
            news,
            cpu,
            zero_ns,
            card: Arc::clone(&card),
            input: job.settings.detector.size,
            looks_per_s: of_site.looks_per_s,
            decoder: of_site.decoder.clone(),
        };
        let feed = feed.clone();
        spawn("capture", &sender, move || feeder.run(&feed));
    }
    let discretion = |_| match job.errand {
        Errand::Watch => (Discretion::live(utc_now()), 0),
        _ => (Discretion::replay(), 0),
    };
    Threads { news, told: health.iter().map(discretion).collect(), health, cpu, ages_us }
}

fn spawn(name: &str, news: &Sender<News>, body: impl FnOnce() + Send + 'static) {
    let news = news.clone();
    let guarded = move || {
        let ended = std::panic::catch_unwind(std::panic::AssertUnwindSafe(body));
        // The stack of a thread that is over is kept for the next one.
        scrub_stack();
        if ended.is_err() {
            let _ = news.send(News::Event(EyeEvent { code: EyeEventCode::StageFailed, camera: 0, numbers: [0, 0] }));
        }
    };
    std::thread::Builder::new().name(name.to_owned()).spawn(guarded).expect("a thread can be started");
}

/// From detections to released windows, for all cameras.
pub struct Counting<'a> {
    job: &'a EyeJob,
    trackers: Vec<Tracker>,
    maps: Vec<Option<(PictureSize, FloorMap)>>,
    measures: Measures,
    gate: Gate,
}

impl<'a> Counting<'a> {
    /// Nothing counted yet.
    #[must_use]
    pub fn new(job: &'a EyeJob, timeline: Timeline) -> Self {
        // An eye that replaces another gives no id its predecessor could have given.
        let first_id = if matches!(job.errand, Errand::Watch) { monotonic_ns().cast_unsigned() } else { 1 };
        let cameras = job.settings.cameras.len();
        Self {
            job,
            trackers: (0..cameras).map(|_| Tracker::new(job.card.score, first_id)).collect(),
            maps: (0..cameras).map(|_| None).collect(),
            measures: Measures::new(&job.settings, timeline),
            gate: Gate::new(&job.settings),
        }
    }

    /// Ties a camera to its floor, or notes that it was away; refuses pictures the site file was not drawn for.
    ///
    /// # Errors
    /// The event to end with.
    pub fn opened(&mut self, camera: usize, picture: PictureSize) -> Result<(), EyeEventCode> {
        if let Some((known, _)) = &self.maps[camera] {
            self.measures.blinded(camera);
            return if *known == picture { Ok(()) } else { Err(EyeEventCode::PlacesRefused) };
        }
        let settings = &self.job.settings;
        let map = FloorMap::new(&settings.cameras[camera], picture).map_err(|_| EyeEventCode::PlacesRefused)?;
        if !places_outside(settings, camera, &map).is_empty() {
            return Err(EyeEventCode::PlacesRefused);
        }
        if let Some(picture_to_floor) = map.homography() {
            self.trackers[camera].stand_on(picture_to_floor);
        }
        self.measures.place(settings, camera, &map);
        self.maps[camera] = Some((picture, map));
        Ok(())
    }

    /// Takes the people of one frame; gives the records of windows that closed by it.
    pub fn people(&mut self, camera: usize, detections: Detections, outbox: &Outbox) -> Vec<Record> {
        let Some((closed, _)) = self.follow(camera, detections) else { return Vec::new() };
        self.released(closed, outbox)
    }

    /// Measures what the people of one frame did; gives the windows that closed by it, and who is who. `None` for a frame
    /// that is late, and before the camera was opened.
    pub(super) fn follow(&mut self, camera: usize, detections: Detections) -> Option<(Vec<Window>, &Tracks)> {
        let (_, map) = self.maps[camera].as_ref()?;
        let tracks = self.trackers[camera].advance(detections)?;
        Some((self.measures.step(camera, &map.steps(tracks)), tracks))
    }

    /// What is measured so far.
    #[cfg(feature = "mouth")]
    pub(super) fn measures(&self) -> &Measures {
        &self.measures
    }

    /// Closes what the calendar has ended.
    pub fn tick(&mut self, outbox: &Outbox) -> Vec<Record> {
        let closed = self.measures.tick(utc_now());
        self.released(closed, outbox)
    }

    /// Closes everything of a camera whose recording is over.
    pub fn ended(&mut self, camera: usize, outbox: &Outbox) -> Vec<Record> {
        let closed = self.measures.finish(camera);
        self.released(closed, outbox)
    }

    fn released(&mut self, closed: Vec<Window>, outbox: &Outbox) -> Vec<Record> {
        let released = closed.into_iter().flat_map(|window| self.gate.release(window));
        released.flat_map(|window| outbox.window(&window)).collect()
    }
}

/// Watches or replays until ended.
fn watch(job: &EyeJob, pipe: &mut Pipe) -> i32 {
    let (zero_ns, timeline) = match job.errand {
        Errand::Replay(timeline) => (0, timeline),
        _ => (monotonic_ns(), Timeline::starting_at(utc_now())),
    };
    let detectors = match load_detectors(job) {
        Ok(detectors) => detectors,
        Err(code) => {
            pipe.event(code, [0, 0]);
            return EXIT_SAID;
        }
    };
    pipe.lacks(&detectors);
    leave_no_core();
    if !settle() {
        pipe.event(EyeEventCode::MemoryUnlocked, [0, 0]);
    }
    pipe.event(EyeEventCode::Ready, [(process_cpu_ns() / 1000) as i32, 0]);
    let mut threads = start(job, detectors, zero_ns);
    let mut counting = Counting::new(job, timeline);
    let is_live = matches!(job.errand, Errand::Watch);
    let report_every_ns = if is_live { REPORT_LIVE_NS } else { REPORT_REPLAY_NS };
    let (mut next_report_ns, mut running) = (monotonic_ns() + report_every_ns, job.feeds.len());
    while running > 0 {
        match threads.news.recv_timeout(TICK) {
            Ok(News::Ended(camera)) if job.feeds.iter().any(|feed| feed.camera == camera) => {
                pipe.say(|outbox| counting.ended(camera, outbox));
                running -= 1;
            }
            Ok(news) => {
                if let Err(exit) = take_news(news, &mut counting, pipe, &mut threads) {
                    return exit;
                }
            }
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return EXIT_SAID,
        }
        let now_ns = monotonic_ns();
        if now_ns >= next_report_ns {
            next_report_ns = now_ns + report_every_ns;
            report(job, &mut threads, pipe);
            if is_live {
                let step_ms = utc_now().0 - timeline.utc(CaptureTime(monotonic_ns() - zero_ns)).0;
                if step_ms.abs() > CLOCK_STEP_MS_MAX {
                    pipe.event(
                        EyeEventCode::ClockStepped,
                        [step_ms.clamp(-CLOCK_STEP_MS_SAID, CLOCK_STEP_MS_SAID) as i32, 0],
                    );
                    return EXIT_SAID;
                }
                pipe.say(|outbox| counting.tick(outbox));
            }
        }
    }
    report(job, &mut threads, pipe);
    pipe.say(Outbox::ended);
    linger()
}

/// Waits to be ended by the mouth, or by standard input that closes; until then it can be seen that nothing is left.
fn linger() -> ! {
    loop {
        std::thread::park();
    }
}

fn take_news(news: News, counting: &mut Counting<'_>, pipe: &mut Pipe, threads: &mut Threads) -> Result<(), i32> {
    match news {
        News::Opened(camera, picture) => {
            // Opening a stream has run code and freed memory that watching it does not need.
            settle();
            let numbers = [picture.width as i32, picture.height as i32];
            let opened = counting.opened(camera, picture);
            let code = opened.err().unwrap_or(EyeEventCode::CameraSeen);
            threads.report(camera, pipe);
            pipe.say(|outbox| outbox.event(&EyeEvent { code, camera: camera as u16, numbers }));
            opened.map_err(|_| EXIT_SAID)
        }
        News::People(camera, detections) => {
            pipe.say(|outbox| threads.cpu.booked(Stage::Measure, || counting.people(camera, detections, outbox)));
            Ok(())
        }
        News::Ended(_) => Ok(()),
        News::Event(event) => {
            threads.report(usize::from(event.camera), pipe);
            pipe.say(|outbox| outbox.event(&event));
            if event.code.is_final() { Err(EXIT_SAID) } else { Ok(()) }
        }
    }
}

fn report(job: &EyeJob, threads: &mut Threads, pipe: &mut Pipe) {
    job.feeds.iter().for_each(|feed| threads.report(feed.camera, pipe));
}

/// The kernel ends the eye when its parent dies, however it dies.
fn end_with_parent() {
    // SAFETY: prctl with these arguments only sets a flag of this process.
    unsafe {
        libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL);
    }
}

fn end_with_stdin() {
    let mut byte = [0u8; 1];
    while matches!(std::io::stdin().read(&mut byte), Ok(1..)) {}
    std::process::exit(0);
}

/// Keeps the pipe for records alone: what libraries print to standard output goes where standard error goes.
fn take_over_stdout() -> Option<File> {
    const STDOUT: RawFd = 1;
    const STDERR: RawFd = 2;
    // SAFETY: plain descriptor calls; the duplicate is owned by the returned File alone.
    unsafe {
        let pipe = libc::fcntl(STDOUT, libc::F_DUPFD_CLOEXEC, 3);
        (pipe >= 0 && libc::dup2(STDERR, STDOUT) >= 0).then(|| File::from_raw_fd(pipe))
    }
}

/// Reads the job: its length as u32, little-endian, then JSON.
fn read_job(input: &mut dyn Read) -> Option<EyeJob> {
    let mut length = [0u8; 4];
    input.read_exact(&mut length).ok()?;
    let length = u32::from_le_bytes(length) as usize;
    if length > JOB_BYTES_MAX {
        return None;
    }
    let mut text = vec![0u8; length];
    input.read_exact(&mut text).ok()?;
    serde_json::from_slice(&text).ok()
}

/// The event on the pipe tells why.
pub const EXIT_SAID: i32 = 3;
/// The pipe is gone.
const EXIT_PIPE: i32 = 4;
/// The job could not be read.
const EXIT_JOB: i32 = 5;
/// News that may wait: a frame's detections are small, and a worker that is ahead waits.
const NEWS_MAX: usize = 16;
/// Ages kept for a benchmark.
pub const AGES_MAX: usize = 100_000;
/// How often the measuring thread looks up from an empty channel.
pub(super) const TICK: Duration = Duration::from_millis(250);
/// A clock that is off by more was set, not corrected (CONTRACT §3), ms.
const CLOCK_STEP_MS_MAX: i64 = 1000;
/// Largest step that is told, ms.
const CLOCK_STEP_MS_SAID: i64 = 1 << 30;
/// Counters of a live eye: slow enough to tell nothing of a single person.
const REPORT_LIVE_NS: i64 = 5_000_000_000;
/// Counters of a replay, for its progress.
const REPORT_REPLAY_NS: i64 = 500_000_000;
