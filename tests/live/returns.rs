//! A camera that goes and comes back: how soon its picture is there again, whether the time it was away is missing from
//! the coverage, and what the eye keeps of it all.
//!
//! The seen time is the test camera's own: from picture to picture as it sent them, whole and to somebody who was
//! playing. Where more than [`GAP_MAX`] lies between two of them, nothing was to be seen.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};

use serde_json::Value;

use super::cameras::scene;
use super::shop::{DOOR, Holdings, Shop, VIEW};
use crate::support::broker::{Broker, Listener, free_port};
use crate::support::folder::Folder;
use crate::support::rtsp_camera::RtspCamera;

/// What can happen to a camera.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fault {
    /// Switched off, its port closed, and on again some seconds later.
    Killed,
    /// Sends nothing and holds its connections.
    Frozen(Duration),
    /// Hangs up in the middle of a picture.
    Cut,
    /// Sends pictures that cannot be unpacked.
    Corrupted,
    /// Switched off and on at once.
    Restarted,
}

/// A camera that can be switched off and on, and all it has sent.
struct Bench {
    camera: Option<RtspCamera>,
    port: u16,
    sent: Vec<SystemTime>,
}

impl Bench {
    fn new() -> Self {
        let camera = RtspCamera::start(scene(), FPS);
        Self { port: camera.port(), camera: Some(camera), sent: Vec::new() }
    }

    fn camera(&self) -> &RtspCamera {
        self.camera.as_ref().expect("it is on")
    }

    fn off(&mut self) {
        self.sent.extend(self.camera.take().expect("it is on").stop());
    }

    fn on(&mut self) {
        self.camera = Some(RtspCamera::start_on(self.port, scene(), FPS));
    }

    /// Lets a fault happen; gives how long after its end the shop saw a picture.
    fn suffer(&mut self, fault: Fault, shop: &Shop) -> Duration {
        match fault {
            Fault::Killed => {
                self.off();
                shop.hear("camera view lost");
                std::thread::sleep(OFF);
                self.on();
            }
            Fault::Frozen(time) => {
                self.camera().freeze();
                let begun = Instant::now();
                shop.hear("camera view lost");
                std::thread::sleep(time.saturating_sub(begun.elapsed()));
                self.camera().thaw();
            }
            Fault::Cut => self.camera().cut(),
            Fault::Corrupted => {
                self.camera().corrupt();
                shop.hear("camera view lost");
                std::thread::sleep(GARBLED_ON);
                self.camera().mend();
            }
            Fault::Restarted => {
                self.off();
                self.on();
            }
        }
        let over = Instant::now();
        if matches!(fault, Fault::Cut | Fault::Restarted) {
            shop.hear("camera view lost");
        }
        shop.hear("camera view seen");
        over.elapsed()
    }

    /// Seen time between two moments.
    fn seen(&self, from: SystemTime, to: SystemTime) -> Duration {
        let sent: Vec<SystemTime> = self.sent.iter().copied().chain(self.camera().sent()).collect();
        let gaps = sent
            .windows(2)
            .filter_map(|pair| pair[1].duration_since(pair[0]).ok().filter(|gap| *gap <= GAP_MAX).map(|_| pair));
        gaps.filter_map(|pair| pair[1].min(to).duration_since(pair[0].max(from)).ok()).sum()
    }
}

#[test]
fn after_one_of_each_fault_the_picture_is_back_and_the_eye_holds_what_it_held() {
    let mut bench = Bench::new();
    let shop = Shop::open("faults", &bench.camera().url());
    shop.hear("camera view seen");
    let eye = shop.eye(None);
    // The first time of everything has its price.
    bench.suffer(Fault::Cut, &shop);
    std::thread::sleep(SETTLED);
    let before = Holdings::of(eye);
    let frozen = Fault::Frozen(Duration::from_secs(4));
    for fault in [Fault::Killed, frozen, Fault::Cut, Fault::Corrupted, Fault::Restarted] {
        let back = bench.suffer(fault, &shop);
        assert!(back <= BACK_MAX, "{fault:?}: back after {back:?}");
    }
    std::thread::sleep(SETTLED);
    must_hold_no_more(before, Holdings::of(eye));
    assert_eq!(shop.eye(None), eye, "one eye has seen it all");
}

#[test]
fn an_eye_at_work_holds_pipes_and_sockets_and_no_file() {
    let camera = RtspCamera::start(scene(), FPS);
    let shop = Shop::open("held", &camera.url());
    shop.hear("camera view seen");
    let entries = std::fs::read_dir(format!("/proc/{}/fd", shop.eye(None))).expect("the eye runs").flatten();
    let held: Vec<PathBuf> = entries.filter_map(|entry| std::fs::read_link(entry.path()).ok()).collect();
    assert!(held.iter().any(|what| what.starts_with("/dev/null")), "{held:?}");
    assert!(held.iter().all(|what| !what.is_absolute() || what == Path::new("/dev/null")), "{held:?}");
}

#[test]
fn a_camera_that_seldom_sends_a_whole_picture_is_waited_for() {
    let camera = RtspCamera::start(scene(), FPS);
    camera.spare(70);
    let shop = Shop::open("seldom", &camera.url());
    assert_eq!(shop.word_of("view"), "kehai: camera view seen, 320x240");
}

#[test]
fn a_camera_that_says_nothing_of_its_seldom_pictures_is_waited_for() {
    let camera = RtspCamera::start(scene(), FPS);
    camera.spare(70);
    camera.keep_quiet();
    let shop = Shop::open("quiet", &camera.url());
    assert_eq!(shop.word_of("view"), "kehai: camera view seen, 320x240");
}

#[test]
#[ignore = "fifty faults, and the end of a quarter hour"]
fn fifty_faults_leave_the_coverage_true_and_the_eye_as_it_was() {
    let (folder, (port, held)) = (Folder::new(), free_port());
    drop(held);
    let broker = Broker::start(port, &folder);
    let listener = broker.listen();
    let mut bench = Bench::new();
    let url = bench.camera().url();
    let site = format!("[broker]\nurl = \"mqtt://127.0.0.1:{port}\"\n{VIEW}url = \"{url}\"\n{DOOR}");
    let shop = Shop::open_with("fifty", &site);
    shop.hear("camera view seen");
    let (eye, begun) = (shop.eye(None), SystemTime::now());
    std::thread::sleep(BETWEEN);
    let before = Holdings::of(eye);
    let frozen = Fault::Frozen(Duration::from_secs(10));
    for fault in [Fault::Killed, frozen, Fault::Cut, Fault::Corrupted, Fault::Restarted] {
        let mut backs: Vec<Duration> = (0..10)
            .map(|_| {
                let back = bench.suffer(fault, &shop);
                std::thread::sleep(BETWEEN);
                back
            })
            .collect();
        backs.sort();
        tell(&format!(
            "{fault:?}: back after {:?} (median), {:?} (worst); {:?}",
            backs[5],
            backs[9],
            Holdings::of(eye)
        ));
        assert!(backs[9] <= BACK_MAX, "{fault:?}: {backs:?}");
    }
    let (after, over) = (Holdings::of(eye), SystemTime::now());
    tell(&format!("before {before:?}, after {after:?}"));
    must_hold_no_more(before, after);
    let (covered, end) = coverage(&listener, over);
    let (seen, faulty) = (bench.seen(begun, end), bench.seen(begun, over));
    let error = covered.as_secs_f64() - seen.as_secs_f64();
    tell(&format!(
        "covered {covered:?}, seen {seen:?}, of that {faulty:?} until the last fault; off by {error:.2} s: {:.2} % of all, {:.2} % of that",
        100.0 * error / seen.as_secs_f64(),
        100.0 * error / faulty.as_secs_f64()
    ));
    assert!(error.abs() <= 0.02 * faulty.as_secs_f64());
    assert_eq!(shop.eye(None), eye, "one eye has seen it all");
}

/// Coverage of all windows up to the first that ended after `over`, and its end.
fn coverage(listener: &Listener, over: SystemTime) -> (Duration, SystemTime) {
    let mut covered = Duration::ZERO;
    while let Ok(got) = listener.heard.recv_timeout(WINDOW_PATIENCE) {
        if !got.is_window() {
            continue;
        }
        let window: Value = serde_json::from_str(&got.body).expect("a payload is JSON");
        covered += Duration::from_millis(window["cov_ms"].as_u64().expect("a window has its coverage"));
        let start: jiff::Timestamp = window["ws"].as_str().and_then(|text| text.parse().ok()).expect("and its start");
        let end_s = start.as_second() as u64 + window["dur"].as_u64().expect("and its length");
        let end = SystemTime::UNIX_EPOCH + Duration::from_secs(end_s);
        if end >= over {
            return (covered, end);
        }
    }
    panic!("no window came within {WINDOW_PATIENCE:?}");
}

fn must_hold_no_more(before: Holdings, after: Holdings) {
    assert_eq!((after.threads, after.descriptors), (before.threads, before.descriptors));
    assert!(after.resident_kb <= before.resident_kb + GROWTH_KB_MAX, "{before:?}, {after:?}");
}

#[expect(clippy::print_stdout, reason = "what a long run measured is its result")]
fn tell(words: &str) {
    println!("{words}");
}

const FPS: f64 = 10.0;
/// Pictures come every tenth of a second; where two are missing, the camera was away.
const GAP_MAX: Duration = Duration::from_millis(350);
const BACK_MAX: Duration = Duration::from_secs(3);
/// How long a killed camera stays off once it is missed.
const OFF: Duration = Duration::from_secs(2);
/// How long a garbled camera stays so once it is given up.
const GARBLED_ON: Duration = Duration::from_secs(2);
/// Time until an eye has looked at a picture, idled and wiped its runtime's memory, and so holds all it will hold.
const SETTLED: Duration = Duration::from_secs(3);
/// Time between two faults.
const BETWEEN: Duration = Duration::from_secs(6);
/// A quarter hour, the grace and the share of a minute that is the node's own.
const WINDOW_PATIENCE: Duration = Duration::from_secs(900 + 10 + 60 + 30);
/// What the heap may keep of reopening a camera, kB.
const GROWTH_KB_MAX: usize = 4096;
