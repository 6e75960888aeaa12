//! At rest: nothing of what was looked at is left in any process.

use std::time::Duration;

use kehai::clock::{Timeline, UtcMs};
use kehai::forensics::Residue;
use kehai::forensics::needles::Needles;
use kehai::forensics::search::search;
use kehai::pipeline::{Errand, Origin};
use kehai::units::PictureSize;

use super::case::{Network, Recording, STORE};
use crate::live::shop::{eye_of, signal};
use crate::support::eye_process::{EyeProcess, await_rest, await_work};
use crate::support::folder::Folder;
use crate::support::keyed::Keyed;
use crate::support::program::{GLANCE, start};

/// What was found of these needles in each process.
fn search_all(processes: &[(&str, u32)], needles: &Needles, foreign: &Needles) -> Vec<(String, Residue, Residue)> {
    let look = |(name, pid): &(&str, u32)| {
        let found = search(*pid, &[needles, foreign]).unwrap_or_else(|error| panic!("{name}: {error}"));
        let [own, others] = <[Residue; 2]>::try_from(found).expect("two lists");
        ((*name).to_owned(), own, others)
    };
    processes.iter().map(look).collect()
}

#[expect(clippy::print_stdout, reason = "what was found where is the result")]
fn tell(case: &str, found: &[(String, Residue, Residue)]) {
    for (name, own, others) in found {
        println!("{case}, {name}: {own}\n  of another key: {others}");
    }
}

/// Replays a recording with all hygiene, the mouth frozen once it runs, and looks at both when all is looked at.
fn replayed(network: &Network, recording: &Recording, needles: &Needles, foreign: &Needles) -> Vec<(String, Residue, Residue)> {
    let folder = Folder::new();
    let site = folder.write("site.toml", format!("{STORE}{}", network.site("fps = 20.0")));
    let mouth = start(&["replay", &recording.path, "--site", &site, "--out", &folder.path("out")], &[]);
    let eye = loop {
        if let Some(eye) = eye_of(mouth.id()) {
            break eye as u32;
        }
        std::thread::sleep(GLANCE);
    };
    await_work(eye);
    signal(mouth.id() as i32, libc::SIGSTOP);
    await_rest(eye);
    std::thread::sleep(SETTLED);
    let found = search_all(&[("eye", eye), ("mouth", mouth.id())], needles, foreign);
    signal(mouth.id() as i32, libc::SIGCONT);
    mouth.ended().must_be_well();
    found
}

fn untidily_replayed(network: &Network, recording: &Recording, needles: &Needles) -> Residue {
    let eye = EyeProcess::start_untidy(&network.untidy_job(recording.origin(), Errand::Replay(Timeline::starting_at(UtcMs(0)))));
    await_work(eye.id());
    await_rest(eye.id());
    search(eye.id(), &[needles]).expect("a child of this test").remove(0)
}

fn must_leave_nothing(case: &str, network: &Network, [own, other]: [&Recording; 2]) {
    let foreign = network.needles(other, WHOLE, None);
    let needles = network.needles(own, WHOLE, Some(&foreign));
    let untidy = untidily_replayed(network, own, &needles);
    let found = replayed(network, own, &needles, &foreign);
    tell(case, &found);
    tell("control", &[("eye".into(), untidy.clone(), Residue::default())]);
    assert!(untidy.windows() > 0, "without hygiene nothing is found either: the test is void");
    for (name, own, others) in &found {
        assert_eq!((own.windows(), others.windows()), (0, 0), "{case}, {name}: {own}");
    }
}

#[test]
fn nothing_of_a_clip_is_left() {
    let folder = Folder::new();
    let film = |key| Recording {
        path: Keyed::new(key, 320, 240).film(&folder, FRAMES),
        size: PictureSize { width: 320, height: 240 },
        count: FRAMES,
    };
    must_leave_nothing("clip", &Network::default_one(), [&film(1), &film(2)]);
}

#[test]
fn nothing_of_a_folder_of_pictures_is_left() {
    let folder = Folder::new();
    let pictures = |key| Recording {
        path: Keyed::new(key, 320, 240).folder(&folder, FRAMES),
        size: PictureSize { width: 320, height: 240 },
        count: FRAMES,
    };
    must_leave_nothing("folder", &Network::default_one(), [&pictures(1), &pictures(2)]);
}


const SETTLED: Duration = Duration::from_millis(250);
const FRAMES: u64 = 24;
const WHOLE: u64 = 6;
