//! The eye: the process that sees pictures. Capture threads, detect workers, and one thread that tracks and measures.
//!
//! In: one [`EyeJob`] on standard input. Out: records on standard output, nothing else. Invariants: whatever a
//! library prints goes nowhere; the eye ends with its mouth (standard input closed, or the parent gone); a panic in
//! any stage ends the whole eye, because a half-blind one would count wrongly.

#[cfg(all(test, feature = "mouth"))]
mod succession;

use std::fs::File;
use std::io::{BufWriter, Read, Write};
use std::mem::ManuallyDrop;
use std::os::fd::{FromRawFd, RawFd};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, bounded};
use rustix::event::{PollFd, PollFlags, poll};

use super::feed::Feeder;
use super::hygiene::{scrub_stack, settle};
use super::latest::Latest;
use super::lookout::Lookout;
use super::teller::Teller;
use super::worker::{Worker, code_of};
use super::{Errand, EyeJob, JOB_BYTES_MAX, TwinJob};
use crate::clock::{CaptureTime, Timeline, monotonic_ns, process_cpu_ns, utc_now};
use crate::config::DetectorChoice;
use crate::detect::{Detections, Detector};
use crate::floor::{FloorMap, places_outside};
use crate::gate::Gate;
use crate::health::walls::Walls;
use crate::health::{CameraHealth, CameraState, EyeEvent, EyeEventCode, Stage, StageCpu};
use crate::measure::{Measures, Window};
use crate::sandbox::{self, escapes};
use crate::track::{Tracker, Tracks};
use crate::units::PictureSize;
use crate::wire::attempts::Attempts;
use crate::wire::ready::Ready;
use crate::wire::record::{Outbox, Record};

/// What the threads of the eye tell the one that measures.
pub enum News {
    /// A camera delivers pictures of this size.
    Opened(usize, PictureSize),
    /// The people in one frame.
    People(usize, Detections),
    /// The recording of a camera is over.
    Ended(usize),
    /// Something about a camera has changed that people wait for; the counters say what.
    Changed(usize),
    /// Why the eye cannot go on.
    Event(EyeEvent),
}

/// Runs the eye on this process's standard streams. The exit code is for the mouth only.
#[must_use]
pub fn run() -> i32 {
    // A panic text could hold what a stage held: nothing is printed, the code says enough.
    std::panic::set_hook(Box::new(|_| ()));
    sandbox::keep_nothing_inherited();
    sandbox::forbid_core();
    sandbox::end_quietly();
    sandbox::end_with_parent();
    // No terminal is this process's: what it could type there would be taken for the operator's.
    let _ = rustix::process::setsid();
    let Some(pipe) = take_over_stdout() else { return EXIT_PIPE };
    let Some(mut job) = read_job(&mut *stdin()) else { return EXIT_JOB };
    let plan = job.twin.as_ref().map(twin_plan);
    let opened_earlier = plan.as_ref().map(escapes::open_early);
    let Ok(walls) = sandbox::enter(&job.cage(), STDIN) else { return EXIT_CAGE };
    sandbox::end_with_parent();
    if walls.has(Walls::NAMESPACE) {
        job.go_through_doors();
    }
    let mut pipe = Pipe { writer: BufWriter::new(pipe), outbox: Outbox::new(&job.settings), walls };
    if let (Some(plan), Some(opened_earlier)) = (plan, opened_earlier) {
        let outcomes = escapes::attempt(&plan, opened_earlier);
        pipe.say(|outbox| outbox.attempts(&Attempts { walls, outcomes }));
        escapes::abort();
    }
    crate::capture::use_one_thread_per_picture();
    #[cfg(debug_assertions)]
    super::fault::prepare();
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
    /// Walls that stand round this eye.
    walls: Walls,
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

    /// Says why the whole eye cannot go on.
    pub fn event(&mut self, code: EyeEventCode, numbers: [i32; 2]) {
        self.say(|outbox| outbox.event(&EyeEvent { code, camera: 0, numbers }));
    }

    /// Says that the eye is ready to work with these detectors.
    pub fn ready(&mut self, detectors: &[Detector], is_locked: bool) {
        let cpu_us = u32::try_from(process_cpu_ns() / 1000).unwrap_or(u32::MAX);
        let ready = Ready { cpu_us, is_locked, walls: self.walls, lacks: detectors.iter().find_map(Detector::lacks) };
        self.say(|outbox| outbox.ready(&ready));
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
    Threads { news, health, cpu, ages_us }
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
    let is_locked = settle();
    pipe.ready(&detectors, is_locked);
    let mut work = Work {
        teller: Teller::new(job, monotonic_ns()),
        threads: start(job, detectors, zero_ns),
        counting: Counting::new(job, timeline),
    };
    let is_live = matches!(job.errand, Errand::Watch);
    let (mut next_look_ns, mut running) = (monotonic_ns() + CALENDAR_NS, job.feeds.len());
    while running > 0 {
        match work.threads.news.recv_timeout(TICK) {
            Ok(News::Ended(camera)) if job.feeds.iter().any(|feed| feed.camera == camera) => {
                pipe.say(|outbox| work.counting.ended(camera, outbox));
                // Over is what was looked at to its end, not what was read to its end.
                work.threads.health[camera].became(CameraState::Ended);
                work.teller.tell(camera, &work.threads.health, pipe);
                running -= 1;
            }
            Ok(news) => {
                if let Err(exit) = work.take(news, pipe) {
                    return exit;
                }
            }
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return EXIT_SAID,
        }
        if !is_live {
            continue;
        }
        work.teller.tick(&work.threads.health, pipe);
        let now_ns = monotonic_ns();
        if now_ns >= next_look_ns {
            next_look_ns = now_ns + CALENDAR_NS;
            let step_ms = utc_now().0 - timeline.utc(CaptureTime(monotonic_ns() - zero_ns)).0;
            if step_ms.abs() > CLOCK_STEP_MS_MAX {
                let said = step_ms.clamp(-CLOCK_STEP_MS_SAID, CLOCK_STEP_MS_SAID) as i32;
                pipe.event(EyeEventCode::ClockStepped, [said, 0]);
                return EXIT_SAID;
            }
            pipe.say(|outbox| work.counting.tick(outbox));
        }
    }
    pipe.say(Outbox::ended);
    linger()
}

/// Waits to be ended by the mouth, or by standard input that closes; until then it can be seen that nothing is left.
fn linger() -> ! {
    loop {
        std::thread::park();
    }
}

/// An eye at work.
struct Work<'a> {
    threads: Threads,
    counting: Counting<'a>,
    teller: Teller,
}

impl Work<'_> {
    /// Takes what the threads say; fails with the exit code once the eye cannot go on.
    fn take(&mut self, news: News, pipe: &mut Pipe) -> Result<(), i32> {
        let Self { threads, counting, teller } = self;
        match news {
            News::Opened(camera, picture) => {
                // Opening a stream has run code and freed memory that watching it does not need.
                settle();
                let numbers = [picture.width as i32, picture.height as i32];
                let opened = counting.opened(camera, picture);
                teller.opened(camera, &threads.health, pipe);
                opened.map_err(|code| {
                    pipe.say(|outbox| outbox.event(&EyeEvent { code, camera: camera as u16, numbers }));
                    EXIT_SAID
                })
            }
            News::People(camera, detections) => {
                #[cfg(debug_assertions)]
                crate::pipeline::fault::meet(crate::pipeline::fault::Place::Measure);
                let captured_at = detections.captured_at;
                pipe.say(|outbox| threads.cpu.booked(Stage::Measure, || counting.people(camera, detections, outbox)));
                teller.passed(camera, captured_at, &threads.health, pipe);
                Ok(())
            }
            News::Changed(camera) => {
                teller.changed(camera, &threads.health, pipe);
                Ok(())
            }
            News::Ended(_) => Ok(()),
            News::Event(event) => {
                pipe.say(|outbox| outbox.event(&event));
                Err(EXIT_SAID)
            }
        }
    }
}

/// Ends when the mouth is gone. Nothing is read: what comes is the relay's.
fn end_with_stdin() {
    let input = stdin();
    let mut watched = [PollFd::new(&*input, PollFlags::RDHUP)];
    while !matches!(poll(&mut watched, None), Ok(1..)) {}
    std::process::exit(0);
}

/// The standard input, read without a buffer: behind the job come connections, which a buffer would lose.
fn stdin() -> ManuallyDrop<File> {
    // SAFETY: the descriptor is open for as long as the process lives, and never closed here.
    ManuallyDrop::new(unsafe { File::from_raw_fd(STDIN) })
}

fn twin_plan(job: &TwinJob) -> escapes::Plan {
    escapes::Plan { folder: job.folder.clone(), udp: job.udp, tcp: job.tcp, camera: job.camera }
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
/// The walls could not be raised.
const EXIT_CAGE: i32 = 6;
const STDIN: RawFd = 0;
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
/// How often a live eye looks at the calendar and the wall clock.
const CALENDAR_NS: i64 = 5_000_000_000;
