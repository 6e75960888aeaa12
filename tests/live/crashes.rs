//! An eye that crashes: nothing of what it saw is left on the disk, in the log or on the wire; another is soon there, and
//! the time in between is missing from the coverage.
//!
//! The shop's folder of work, of temporary files and of the home is one empty folder, so that whatever is written can be
//! found; cores are allowed as large as they like. What a panic would say, and what the camera shows, is keyed.

use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::Value;

use super::shop::{Shop, is_alive, signal};
use crate::support::broker::{Broker, Listener, free_port};
use crate::support::carver::{Carver, files_in, keyed};
use crate::support::folder::Folder;
use crate::support::onnx::{HEIGHT, Network, Values, WIDTH};
use crate::support::program::GLANCE;
use crate::support::rtsp_camera::{RtspCamera, Scene};

/// A shop that may leave cores, on a camera that shows keyed pixels.
struct Accident {
    shop: Shop,
    listener: Listener,
    disk: Folder,
    eye: i32,
    starts: u64,
    heard: String,
    _camera: RtspCamera,
    _broker: Broker,
    _files: Folder,
}

impl Accident {
    fn waiting(name: &str, fault: Option<&str>) -> Self {
        let (files, disk, (port, held)) = (Folder::new(), Folder::new(), free_port());
        drop(held);
        let broker = Broker::start(port, &files);
        let listener = broker.listen();
        let camera = RtspCamera::start(scene(), FPS);
        let site = format!(
            "[broker]\nurl = \"mqtt://127.0.0.1:{port}\"\n[detector]\nmodel = \"{}\"\n\
             [[camera]]\nid = \"view\"\nurl = \"{}\"\n\
             [[line]]\nid = \"door\"\ncamera = \"view\"\nends_px = [[10, 50], [110, 50]]\ninside_px = [60, 90]\n",
            network(&files),
            camera.url()
        );
        let mut command = with_cores(env!("CARGO_BIN_EXE_kehai"));
        let place = disk.path("");
        command.current_dir(&place).env("HOME", &place).env("TMPDIR", &place);
        command.envs(fault.map(|fault| ("KEHAI_FAULT", fault)));
        let shop = Shop::open_by(command, &format!("crash-{name}"), &site);
        shop.hear("camera view seen");
        let eye = shop.eye(None);
        let (starts, heard) = (1, String::new());
        Self { shop, listener, disk, eye, starts, heard, _camera: camera, _broker: broker, _files: files }
    }

    /// Sends the eye a signal until it is dead: one of a bad access only takes off its handler first, for nothing is bad.
    fn strike(&self, number: i32) {
        let begun = Instant::now();
        while is_alive(self.eye) && begun.elapsed() < PATIENCE {
            signal(self.eye, number);
            std::thread::sleep(GLANCE);
        }
    }

    /// What the shop says of the end, and that another eye is there in time and sees.
    fn must_be_got_over(&mut self, end: &str) {
        let waited = self.shop.hear(end);
        let begun = Instant::now();
        self.eye = self.shop.eye(Some(self.eye));
        assert!(begun.elapsed() < BACK_MAX, "back after {:?}, heard after {waited:?}", begun.elapsed());
        self.shop.hear("camera view seen");
        self.starts += 1;
        let health = self.health();
        assert_eq!(health["eye_starts"], self.starts, "{health}");
    }

    /// The first report of health that tells of the newest eye.
    fn health(&mut self) -> Value {
        let begun = Instant::now();
        while begun.elapsed() < PATIENCE {
            let Ok(got) = self.listener.heard.recv_timeout(Duration::from_millis(100)) else { continue };
            self.heard.push_str(&got.body);
            let health: Value = serde_json::from_str(&got.body).unwrap_or_default();
            if got.topic.ends_with("/health") && health["eye_starts"].as_u64() >= Some(self.starts) {
                return health;
            }
        }
        panic!("no health of eye {} within {PATIENCE:?}", self.starts);
    }

    fn must_leave_nothing(self) {
        let carver = Carver::knowing(&texture()).and_words(SECRET).and_words("panicked").and_words("RUST_BACKTRACE");
        let disk = self.disk.path("");
        let words = self.shop.words();
        assert!(!words.contains("written its memory down"), "a core was written:\n{words}");
        assert_eq!(carver.carve(words.as_bytes()), [], "in the log:\n{words}");
        assert_eq!(carver.carve(self.heard.as_bytes()), [], "on the wire:\n{}", self.heard);
        drop(self.shop);
        assert_eq!(files_in(Path::new(&disk)), Vec::<std::path::PathBuf>::new(), "nobody writes where the shop runs");
    }
}

/// Keyed pixels, and a bar that wanders over them.
fn scene() -> Scene {
    let (width, height, ground) = (WIDTH as usize, HEIGHT as usize, texture());
    let draw = move |number: u64| {
        let bar = (number as usize * 4) % width;
        let pixel = |at: usize| if (at % width).abs_diff(bar) < 8 { 200 } else { ground[at] };
        (0..width * height).map(pixel).collect()
    };
    Scene { width, height, draw: Box::new(draw) }
}

fn texture() -> Vec<u8> {
    keyed(KEY, (WIDTH * HEIGHT) as usize)
}

/// A network that sees the same person in every picture.
fn network(folder: &Folder) -> String {
    let drawn =
        Network::answering(vec![("output", vec![1, 1, 6], Values::Floats(vec![20.0, 10.0, 40.0, 70.0, 0.9, 0.0]))]);
    drawn.write(folder, "drawn.onnx", "head = \"yolo-v10\"\nperson_class = 0")
}

/// A command whose process may leave a core as large as this machine allows.
fn with_cores(program: &str) -> Command {
    let mut command = Command::new(program);
    // SAFETY: between fork and exec only two plain system calls on a local struct are made.
    unsafe {
        command.pre_exec(|| {
            let mut limit: libc::rlimit = std::mem::zeroed();
            libc::getrlimit(libc::RLIMIT_CORE, &raw mut limit);
            limit.rlim_cur = limit.rlim_max;
            if libc::setrlimit(libc::RLIMIT_CORE, &raw const limit) == 0 {
                Ok(())
            } else {
                Err(std::io::Error::last_os_error())
            }
        });
    }
    command
}

#[test]
#[expect(clippy::print_stdout, reason = "a test that cannot be held against anything says so")]
fn a_process_without_walls_leaves_a_core_in_the_folder_that_is_searched() {
    let folder = Folder::new();
    let mut command = with_cores("sh");
    let ended = command.args(["-c", "kill -SEGV $$"]).current_dir(folder.path("")).status().expect("a shell starts");
    assert_eq!(ended.signal(), Some(libc::SIGSEGV));
    let pattern = std::fs::read_to_string("/proc/sys/kernel/core_pattern").unwrap_or_default();
    if !ended.core_dumped() || pattern.starts_with(['|', '/']) {
        println!("skipped: this machine keeps no cores in the folder of work (core_pattern {pattern:?})");
        return;
    }
    assert_eq!(folder.names().len(), 1, "the core that the tests below would find");
}

#[test]
fn an_eye_that_is_killed_by_any_signal_leaves_nothing_and_is_replaced() {
    let mut accident = Accident::waiting("signals", None);
    for number in [libc::SIGSEGV, libc::SIGABRT, libc::SIGBUS, libc::SIGKILL] {
        accident.strike(number);
        accident.must_be_got_over(&format!("ended by signal {number}"));
    }
    accident.must_leave_nothing();
}

#[cfg(debug_assertions)]
mod by_a_fault_of_its_own {
    use super::*;

    fn must_leave_nothing(stage: &str, kind: &str, end: &str) {
        let fault = format!("{stage} {kind} 20 {SECRET}");
        let mut accident = Accident::waiting(&format!("{stage}-{kind}"), Some(&fault));
        accident.must_be_got_over(end);
        accident.must_leave_nothing();
    }

    #[test]
    fn a_panic_where_pictures_come_in_says_nothing() {
        must_leave_nothing("capture", "panic", "the eye ended itself: StageFailed");
    }

    #[test]
    fn a_panic_with_a_picture_in_hand_says_nothing() {
        must_leave_nothing("detect", "panic", "the eye ended itself: StageFailed");
    }

    #[test]
    fn a_panic_where_people_are_measured_says_nothing() {
        must_leave_nothing("measure", "panic", "the eye ended with status 101");
    }

    #[test]
    fn an_abort_with_a_picture_in_hand_leaves_nothing() {
        must_leave_nothing("detect", "abort", "ended by signal 6");
    }

    #[test]
    fn memory_that_runs_out_with_a_picture_in_hand_leaves_nothing() {
        must_leave_nothing("detect", "memory", "ended by signal 6");
    }
}

#[test]
fn faults_on_purpose_are_built_into_debug_builds_alone() {
    for program in ["kehai", "kehai-eye", "kehai-eye-opencv"] {
        let path = Path::new(env!("CARGO_BIN_EXE_kehai")).with_file_name(program);
        let bytes = std::fs::read(&path).expect("it is built");
        let has = |words: &[u8]| bytes.windows(words.len()).any(|window| window == words);
        assert!(has(b"RTSP") || has(b"rtsp"), "{program}: words are found");
        assert_eq!(has(b"KEHAI_FAULT"), cfg!(debug_assertions), "{program}");
    }
}

/// Where memory is counted; `None`, and said so, on a machine where this test may not count it.
struct Cage(std::path::PathBuf);

impl Cage {
    /// A group of processes that may take this much memory more than they have, bytes.
    #[expect(clippy::print_stdout, reason = "a test that is skipped says so")]
    fn of(bytes: u64) -> Option<Self> {
        for (parent, limit) in [("/sys/fs/cgroup/memory", "memory.limit_in_bytes"), ("/sys/fs/cgroup", "memory.max")] {
            let place = Path::new(parent).join(format!("kehai-test-{}", std::process::id()));
            if std::fs::create_dir(&place).is_err() {
                continue;
            }
            let cage = Self(place);
            if std::fs::write(cage.0.join(limit), bytes.to_string()).is_ok() {
                return Some(cage);
            }
        }
        println!("skipped: memory cannot be limited here (needs root and a memory cgroup)");
        None
    }

    fn take(&self, pid: i32) {
        std::fs::write(self.0.join("cgroup.procs"), pid.to_string()).expect("root may move a process");
    }
}

impl Drop for Cage {
    fn drop(&mut self) {
        // The kernel needs a moment to bury whom it has killed.
        let begun = Instant::now();
        while std::fs::remove_dir(&self.0).is_err() && begun.elapsed() < Duration::from_secs(5) {
            std::thread::yield_now();
        }
    }
}

#[test]
#[ignore = "needs root: the kernel's own hand when memory runs out"]
fn an_eye_that_the_kernel_kills_for_its_memory_leaves_nothing_and_is_replaced() {
    let Some(cage) = Cage::of(256 << 10) else { return };
    let mut accident = Accident::waiting("starved", None);
    cage.take(accident.eye);
    // What it takes from now on counts: a camera that comes anew is new memory.
    accident._camera.cut();
    accident.must_be_got_over("ended by signal 9");
    accident.must_leave_nothing();
}

#[test]
#[ignore = "the end of a quarter hour"]
fn the_time_before_a_crash_and_the_crash_itself_are_missing_from_the_coverage() {
    let mut accident = Accident::waiting("coverage", None);
    std::thread::sleep(Duration::from_secs(5));
    accident.strike(libc::SIGSEGV);
    accident.must_be_got_over("ended by signal 11");
    let back = jiff::Timestamp::now();
    let window = loop {
        let got = accident.listener.heard.recv_timeout(WINDOW_PATIENCE).expect("a window comes");
        accident.heard.push_str(&got.body);
        if got.is_window() {
            break serde_json::from_str::<Value>(&got.body).expect("a payload is JSON");
        }
    };
    let start: jiff::Timestamp = window["ws"].as_str().and_then(|text| text.parse().ok()).expect("its start");
    let end_ms = start.as_millisecond() + 1000 * window["dur"].as_i64().expect("its length");
    let (seen_ms, covered_ms) = (end_ms - back.as_millisecond().max(start.as_millisecond()), window["cov_ms"].as_i64());
    let covered_ms = covered_ms.expect("its coverage");
    assert!((seen_ms - 2000..=seen_ms + 2000).contains(&covered_ms), "covered {covered_ms} ms, seen {seen_ms} ms");
    accident.must_leave_nothing();
}

const KEY: u64 = 0x6B65_6861_6901;
const FPS: f64 = 20.0;
const SECRET: &str = "whom-the-picture-showed";
const BACK_MAX: Duration = Duration::from_secs(2);
const PATIENCE: Duration = Duration::from_secs(20);
/// A quarter hour, the grace and the share of a minute that is the node's own.
const WINDOW_PATIENCE: Duration = Duration::from_secs(900 + 10 + 60 + 30);
