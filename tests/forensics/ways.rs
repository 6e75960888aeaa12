//! The ways in: pictures of a recording or a camera go through a shop, and all its processes are searched for them.
//!
//! In: pictures, a network. Out: nothing but a verdict, and a line of a table for people. Each process is looked at when the
//! eye has overwritten what it held, and what is left of them once more after the eye's end: the mouth and its broker.
//! Invariant: every case has two controls: an eye that overwrites nothing, in which the same search must find something,
//! and pictures of another key, of which it must find nothing.

use std::time::{Duration, Instant};

use kehai::clock::{Timeline, UtcMs};
use kehai::config::CameraSource;
use kehai::forensics::Residue;
use kehai::forensics::needles::Needles;
use kehai::forensics::search::search;
use kehai::pipeline::Origin;
use kehai::units::PictureSize;
use kehai::wire::record::ration::Errand;

use super::case::{Network, Recording, STORE, Sought};
use super::watched::Watched;
use crate::live::shop::{Shop, children_of, eye_of, is_alive, signal};
use crate::support::broker::free_port;
use crate::support::eye_process::{EyeProcess, await_rest, await_work, works};
use crate::support::folder::Folder;
use crate::support::program::{GLANCE, start};

/// What was found in one process of the pictures it has seen, and of those it has not.
struct Searched {
    name: &'static str,
    own: Residue,
    foreign: Residue,
    took: Duration,
}

/// What is looked for: pictures that were seen, and pictures of another key.
struct Sides {
    own: Needles,
    foreign: Needles,
}

impl Sides {
    fn of(network: &Network, recordings: [&Recording; 2], sought: Sought) -> Self {
        let [own, foreign] = network.needles(recordings, sought);
        Self { own, foreign }
    }

    fn in_control(&self, untidy: &EyeProcess) -> Residue {
        search(untidy.id(), &[&self.own]).expect("a child of this test").remove(0)
    }

    fn in_process(&self, name: &'static str, pid: i32) -> Searched {
        let begun = Instant::now();
        let found = search(pid as u32, &[&self.own, &self.foreign]).unwrap_or_else(|error| panic!("{name}: {error}"));
        let [own, foreign] = <[Residue; 2]>::try_from(found).expect("two lists");
        Searched { name, own, foreign, took: begun.elapsed() }
    }
}

/// The processes of a shop.
struct Processes {
    mouth: i32,
    eye: i32,
    relays: Vec<i32>,
    broker: i32,
}

impl Processes {
    fn of(mouth: i32, eye: i32) -> Self {
        let is_broker = |pid: &i32| {
            std::fs::read_to_string(format!("/proc/{pid}/comm")).is_ok_and(|name| name.trim() == "mosquitto")
        };
        let broker = children_of(mouth).into_iter().find(is_broker).expect("the site embeds a broker");
        Self { mouth, eye, relays: children_of(eye), broker }
    }

    fn all(&self) -> impl Iterator<Item = (&'static str, i32)> {
        let relays = self.relays.iter().map(|relay| ("relay", *relay));
        [("eye", self.eye), ("mouth", self.mouth), ("broker", self.broker)].into_iter().chain(relays)
    }

    /// Searches all of them, as they stand still.
    fn search(&self, sides: &Sides) -> Vec<Searched> {
        self.all().map(|(name, pid)| sides.in_process(name, pid)).collect()
    }

    /// Lets the eye end while the broker is frozen, so that the mouth may wait for it; searches those of both that are
    /// still there, and lets them end.
    fn search_after_the_end(&self, sides: &Sides, end: Option<i32>) -> Vec<Searched> {
        signal(self.broker, libc::SIGSTOP);
        end.into_iter().for_each(|end| signal(self.mouth, end));
        let eyes = || self.relays.iter().chain([&self.eye]);
        eyes().chain([&self.mouth]).for_each(|pid| signal(*pid, libc::SIGCONT));
        let begun = Instant::now();
        while eyes().any(|pid| is_alive(*pid)) {
            assert!(begun.elapsed() < PATIENCE, "the eye or its relay outlives its mouth's word");
            // A mouth with nothing to wait for ends at once.
            std::thread::yield_now();
        }
        signal(self.mouth, libc::SIGSTOP);
        let left = [("mouth after the end", self.mouth), ("broker after the end", self.broker)];
        let found = left.into_iter().filter_map(|(name, pid)| {
            let searched = is_alive(pid).then(|| sides.in_process(name, pid))?;
            is_alive(pid).then_some(searched)
        });
        let found = found.collect();
        [self.broker, self.mouth].iter().for_each(|pid| signal(*pid, libc::SIGCONT));
        found
    }
}

#[expect(clippy::print_stdout, reason = "what was found where is the result")]
fn must_be_empty(case: &str, all: &[Searched], control: &Residue, needles: &Sides) {
    let cells = all.iter().map(|Searched { name, own, took, .. }| {
        let megabytes = own.scanned_bytes as f64 / 1e6;
        format!("{name} {} in {megabytes:.0} MB, {:.1} s", own.windows(), took.as_secs_f64())
    });
    let negative = all.iter().map(|searched| searched.foreign.windows()).sum::<u64>();
    println!(
        "| {case} | {} | control {} | negative {negative} | needles {} and {} |",
        cells.collect::<Vec<_>>().join(" | "),
        control.windows(),
        needles.own.count(),
        needles.foreign.count()
    );
    assert!(control.windows() > 0, "{case}: without hygiene nothing is found either, the test is void");
    for Searched { name, own, foreign, .. } in all {
        assert_eq!((own.windows(), foreign.windows()), (0, 0), "{case}, {name}: {own}; of another key {foreign}");
        assert!(own.scanned_bytes > SCANNED_MIN && own.unread_bytes == 0, "{case}, {name}: {own}");
    }
}

/// Replays a recording as a person does, the mouth frozen once it runs, and looks at all when all is looked at.
fn replayed(network: &Network, recording: &Recording, sides: &Sides) -> Vec<Searched> {
    let folder = Folder::new();
    let site = folder.write("site.toml", format!("{STORE}{}{}", embedded_broker(), network.site("fps = 20.0")));
    let mouth = start(&["replay", &recording.path, "--publish", "--site", &site, "--out", &folder.path("out")], &[]);
    let eye = loop {
        // The twin that tried the cage never works.
        match eye_of(mouth.id()).filter(|eye| works(*eye as u32)) {
            Some(eye) => break eye,
            None => std::thread::sleep(GLANCE),
        }
    };
    let processes = Processes::of(mouth.id() as i32, eye);
    signal(processes.mouth, libc::SIGSTOP);
    await_rest(eye as u32);
    std::thread::sleep(SETTLED);
    let mut found = processes.search(sides);
    found.extend(processes.search_after_the_end(sides, None));
    let ended = mouth.ended();
    assert_eq!(ended.code, Some(0), "{}{}", ended.out, ended.err);
    found
}

/// A recording is replayed by a shop, and at the same time looked at by an eye that is the control.
pub fn recording_must_leave_nothing(case: &str, network: &Network, recordings: [&Recording; 2], sought: Sought) {
    let sides = Sides::of(network, recordings, sought);
    assert!(network.people(recordings[0]) > 0, "{case}: there is nobody to be found");
    let errand = Errand::Replay(Timeline::starting_at(UtcMs(0)));
    let untidy = EyeProcess::start_untidy(&network.untidy_job(recordings[0].origin(), errand));
    await_work(untidy.id());
    let found = replayed(network, recordings[0], &sides);
    await_rest(untidy.id());
    must_be_empty(case, &found, &sides.in_control(&untidy), &sides);
}

/// Two eyes watch one camera, a tidy one of a shop and one that is the control; then the camera is gone.
pub fn camera_must_leave_nothing(case: &str, network: &Network, size: PictureSize, frames: u64, sought: Sought) {
    let mut pictures = Watched::start(size);
    let source = CameraSource::new(pictures.url());
    let untidy = EyeProcess::start_untidy(&network.untidy_job(Origin::Live(source), Errand::Watch));
    let site = format!("{}{}", embedded_broker(), network.site(&format!("url = \"{}\"", pictures.url())));
    let shop = Shop::open_with(&format!("forensics-{}", untidy.id()), &site);
    shop.hear("camera view seen");
    await_work(untidy.id());
    pictures.await_more(frames);
    pictures.stop();
    shop.hear("camera view lost");
    std::thread::sleep(IDLE + SETTLED);
    let processes = Processes::of(shop.mouth(), shop.eye(None));
    assert_eq!(processes.relays.len(), 1, "{case}: a live eye has one relay");
    // They stay as they are while it is made out what to look for.
    let stopped = processes.all().map(|(_, pid)| pid).chain([untidy.id() as i32]);
    stopped.for_each(|pid| signal(pid, libc::SIGSTOP));
    let [own, other] = pictures.recordings(RECENT.min(frames));
    let sides = Sides::of(network, [&own, &other], sought);
    assert!(network.people(&own) > 0, "{case}: there is nobody to be found");
    let control = sides.in_control(&untidy);
    let mut found = processes.search(&sides);
    found.extend(processes.search_after_the_end(&sides, Some(libc::SIGTERM)));
    must_be_empty(case, &found, &control, &sides);
}

fn embedded_broker() -> String {
    format!("[broker]\nembedded = true\nport = {}\n", free_port().0)
}

/// What the product promises: a picture is overwritten once no other came for so long.
const IDLE: Duration = Duration::from_secs(1);
const SETTLED: Duration = Duration::from_millis(250);
/// Longest an eye may take to end.
const PATIENCE: Duration = Duration::from_secs(10);
/// No process of ours has less memory, bytes.
const SCANNED_MIN: u64 = 500_000;
/// Pictures of a camera that are looked for.
const RECENT: u64 = 100;
