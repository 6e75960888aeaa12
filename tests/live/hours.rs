//! Four hours at twenty times the pace of a shop, its three cameras coming and going: memory and descriptors stay flat
//! and every frame has met one fate.
//!
//! A shop's camera sends 15 pictures a second here, of which 3 are looked at; twenty times as many of each come in a
//! second of this test, and a camera goes away every [`TURN`], which is 80 s of the shop. What runs on the calendar of
//! the wall (windows, health, back-off) is not faster; windows at the pace of the footage are what the replay is for.

use std::time::{Duration, Instant};

use serde_json::Value;

use super::cameras::scene_of;
use super::shop::{Holdings, Shop, eye_of};
use crate::support::broker::{Broker, Listener, free_port};
use crate::support::folder::Folder;
use crate::support::onnx::{HEIGHT, Network, Values, WIDTH};
use crate::support::program::start;
use crate::support::recording::draw_room;
use crate::support::rtsp_camera::RtspCamera;
use crate::support::site::BARE;

/// A place for a camera: what it showed last, or nobody at its port.
struct Place {
    camera: Option<RtspCamera>,
    port: u16,
}

impl Place {
    fn new() -> Self {
        let camera = RtspCamera::start(scene_of(WIDTH as usize, HEIGHT as usize), FPS);
        Self { port: camera.port(), camera: Some(camera) }
    }

    fn off(&mut self) {
        self.camera = None;
    }

    fn on(&mut self) {
        self.camera = Some(RtspCamera::start_on(self.port, scene_of(WIDTH as usize, HEIGHT as usize), FPS));
    }

    /// Goes away, each time in another way, and is back before its next turn.
    fn go_and_return(&mut self, turn: usize) {
        let camera = self.camera.as_ref().expect("it is on");
        match turn / CAMERAS % 4 {
            0 => {
                self.off();
                std::thread::sleep(AWAY);
                self.on();
            }
            1 => camera.cut(),
            2 => {
                camera.freeze();
                std::thread::sleep(AWAY);
                camera.thaw();
            }
            _ => {
                camera.corrupt();
                std::thread::sleep(AWAY);
                camera.mend();
            }
        }
    }
}

/// What the eye held over time, s and MB.
#[derive(Default)]
struct Course {
    samples: Vec<(f64, f64)>,
    descriptors: Vec<usize>,
}

impl Course {
    fn note(&mut self, at: Duration, held: Holdings) {
        self.samples.push((at.as_secs_f64(), held.resident_kb as f64 / 1024.0));
        self.descriptors.push(held.descriptors);
    }

    /// MB per second over the second half, by least squares.
    fn slope(&self) -> f64 {
        let half = &self.samples[self.samples.len() / 2..];
        let mean = |of: &dyn Fn(&(f64, f64)) -> f64| half.iter().map(of).sum::<f64>() / half.len() as f64;
        let (at, held) = (mean(&|sample| sample.0), mean(&|sample| sample.1));
        let with = mean(&|sample| (sample.0 - at) * (sample.1 - held));
        with / mean(&|sample| (sample.0 - at).powi(2))
    }

    fn told(&self) -> String {
        let held = |at: usize| format!("{:.1}", self.samples[at].1);
        let last = self.samples.len() - 1;
        let quarters: Vec<String> = (0..=4).map(|quarter| held(last * quarter / 4)).collect();
        format!("{} MB", quarters.join(", "))
    }
}

/// A network that sees the same two people in every picture, and its path.
fn network(folder: &Folder) -> String {
    let people = [[20.0, 10.0, 40.0, 70.0, 0.9, 0.0], [80.0, 20.0, 104.0, 92.0, 0.6, 0.0]];
    let values = Values::Floats(people.concat());
    let drawn = Network::answering(vec![("output", vec![1, 2, 6], values)]);
    drawn.write(folder, "drawn.onnx", "head = \"yolo-v10\"\nperson_class = 0")
}

fn site(places: &[Place], network: &str, broker: u16) -> String {
    let camera = |(index, place): (usize, &Place)| {
        format!(
            "[[camera]]\nid = \"view{index}\"\nurl = \"rtsp://127.0.0.1:{}/live\"\nlooks_per_s = {LOOKS_PER_S:.1}\n\
             [[line]]\nid = \"door{index}\"\ncamera = \"view{index}\"\nends_px = [[10, 50], [110, 50]]\ninside_px = [60, 90]\n\
             [[zone]]\nid = \"shelf{index}\"\ncamera = \"view{index}\"\npolygon_px = [[10, 10], [120, 10], [120, 90], [10, 90]]\n",
            place.port
        )
    };
    let cameras: String = places.iter().enumerate().map(camera).collect();
    format!("[broker]\nurl = \"mqtt://127.0.0.1:{broker}\"\n[detector]\nmodel = \"{network}\"\n{cameras}")
}

/// Fates of the frames of every camera in the newest of the reports that have come; each must add up.
fn ledgers(listener: &Listener) -> Option<Vec<[u64; 6]>> {
    let reports = listener.heard.try_iter().filter(|got| got.topic.ends_with("/health"));
    let read = |body: &str| {
        let health: Value = serde_json::from_str(body).expect("a payload is JSON");
        assert_eq!(health["eye_starts"], 1, "one eye sees it all");
        let cameras = health["cameras"].as_array().expect("cameras").iter();
        let frames = |camera: &Value| serde_json::from_value(camera["frames"].clone()).expect("six counters");
        cameras.map(frames).collect::<Vec<[u64; 6]>>()
    };
    let told: Vec<Vec<[u64; 6]>> = reports.map(|got| read(&got.body)).collect();
    for frames in told.iter().flatten() {
        let under_way = under_way(frames);
        assert!((0..=UNDER_WAY_MAX).contains(&under_way), "{under_way} frames met no fate: {frames:?}");
    }
    told.into_iter().last()
}

fn under_way([captured, fates @ ..]: &[u64; 6]) -> i64 {
    *captured as i64 - fates.iter().sum::<u64>() as i64
}

#[test]
#[ignore = "twelve minutes: four hours at twenty times their pace"]
fn four_hours_of_cameras_that_come_and_go_leave_memory_flat_and_every_frame_accounted_for() {
    let (folder, (port, held)) = (Folder::new(), free_port());
    drop(held);
    let broker = Broker::start(port, &folder);
    let listener = broker.listen();
    let mut places: Vec<Place> = (0..CAMERAS).map(|_| Place::new()).collect();
    let shop = Shop::open_with("hours", &site(&places, &network(&folder), port));
    (0..CAMERAS).for_each(|_| _ = shop.hear("seen, 128x96"));
    let (eye, begun, mut course) = (shop.eye(None), Instant::now(), Course::default());
    std::thread::sleep(TURN);
    let before = Holdings::of(eye);
    let mut turns = 0;
    while begun.elapsed() < HOURS / PACE {
        let due = begun + TURN * (turns as u32 + 2);
        places[turns % CAMERAS].go_and_return(turns);
        turns += 1;
        std::thread::sleep(due.saturating_duration_since(Instant::now()));
        course.note(begun.elapsed(), Holdings::of(eye));
        ledgers(&listener);
    }
    let after = Holdings::of(eye);
    places.iter_mut().for_each(Place::off);
    // All is drained, and the eye has said so, before one of them comes back and makes the shop report.
    std::thread::sleep(REPORTED);
    ledgers(&listener);
    places[0].on();
    shop.hear("seen, 128x96");
    std::thread::sleep(AWAY / 2);
    let last = ledgers(&listener).expect("a camera that is seen is reported");
    let hour = 3600.0 / f64::from(PACE);
    tell(&format!(
        "{turns} losses in {:?} at {PACE} times the pace: {}; {:.3} MB per hour of footage over the second half; {before:?}, {after:?}; \
         descriptors at most {:?}; captured, detected, still, skipped, overwritten, failed: {last:?}",
        begun.elapsed(),
        course.told(),
        course.slope() * hour,
        course.descriptors.iter().max()
    ));
    assert!(course.slope() * hour <= SLOPE_MB_MAX, "{}", course.told());
    assert_eq!((after.threads, after.descriptors), (before.threads, before.descriptors));
    assert!(last[1..].iter().all(|frames| under_way(frames) == 0), "{last:?}");
}

#[test]
#[ignore = "a quarter of a minute: four hours of pictures"]
fn four_hours_of_a_recording_roll_through_their_windows_in_flat_memory() {
    let folder = Folder::new();
    let room = draw_room(&folder, 1);
    let (first, pictures) = (format!("{room}/00000.png"), LOOKS_OF_A_SHOP * 4 * 3600);
    (1..pictures).for_each(|number| {
        std::os::unix::fs::symlink(&first, format!("{room}/{number:05}.png")).expect("links can be made");
    });
    let places = "[[line]]\nid = \"door\"\nends_px = [[10, 50], [110, 50]]\ninside_px = [60, 90]\n\
                  [[zone]]\nid = \"shelf\"\npolygon_px = [[10, 10], [120, 10], [120, 90], [10, 90]]\n";
    let bare = BARE.replace("20.0", &format!("{LOOKS_OF_A_SHOP}.0"));
    let site = folder.write("site.toml", format!("{bare}{places}[detector]\nmodel = \"{}\"\n", network(&folder)));
    let (out, begun, mut course) = (folder.path("out"), Instant::now(), Course::default());
    let mut replay = start(&["replay", &room, "--site", &site, "--out", &out], &[]);
    while replay.is_running() {
        if let Some(held) = eye_of(replay.id()).and_then(Holdings::look) {
            course.note(begun.elapsed(), held);
        }
        std::thread::sleep(Duration::from_millis(200));
    }
    let took = begun.elapsed();
    replay.ended().must_be_well();
    let summary: Value =
        serde_json::from_slice(&crate::support::folder::read(&format!("{out}/summary.json"))).expect("JSON");
    let windows = std::fs::read_to_string(format!("{out}/windows.jsonl")).expect("windows").lines().count();
    let hour_s = took.as_secs_f64() / 4.0;
    // The last look may have met an eye that was on its way out.
    course.samples.pop();
    let slope = course.slope() * hour_s;
    tell(&format!(
        "{pictures} pictures, {windows} windows in {took:?}: {}; {slope:.3} MB per hour of footage; {summary}",
        course.told()
    ));
    assert!(slope <= SLOPE_MB_MAX, "{}", course.told());
}

#[expect(clippy::print_stdout, reason = "what a long run measured is its result")]
fn tell(words: &str) {
    println!("{words}");
}

const CAMERAS: usize = 3;
const HOURS: Duration = Duration::from_secs(4 * 3600);
const PACE: u32 = 20;
const LOOKS_OF_A_SHOP: u64 = 3;
const LOOKS_PER_S: f64 = 20.0 * LOOKS_OF_A_SHOP as f64;
const FPS: f64 = 20.0 * 15.0;
/// From one camera's loss to the next one's.
const TURN: Duration = Duration::from_secs(4);
const AWAY: Duration = Duration::from_secs(2);
/// The eye reports every five seconds.
const REPORTED: Duration = Duration::from_secs(7);
const SLOPE_MB_MAX: f64 = 1.0;
/// One being drawn, one waiting, one at the network.
const UNDER_WAY_MAX: i64 = 3;
