//! The same recording again: at another speed, to another broker, with another network. What must not change does not.

use super::sample::{must_balance, must_count_the_gates};
use crate::support::broker::{Broker, free_port};
use crate::support::folder::{Folder, network};
use crate::support::recording::{FIRST_FRAMES, Played, draw_room, first_frames, played, sample};
use crate::support::site::{BARE, demo_path, demo_with};

#[test]
fn the_same_recording_gives_the_same_bytes() {
    let again = Played::replay(&sample(), &demo_path(), &[]);
    again.ended.must_be_well();
    for name in ["windows.jsonl", "heat-crossing-visits.png", "heat-crossing-dwell.png"] {
        assert!(again.file(name) == played().file(name), "{name} differs");
    }
}

#[test]
fn speed_changes_no_byte() {
    let site = Folder::new();
    // Two seconds across the end of a quarter of an hour, so that windows close on the way and not only at the end.
    let site = site_with_frames_at_20(&site);
    let start = ["--start", "2026-01-05T09:59:59Z"];
    let fast = Played::replay(&first_frames(), &site, &start);
    let paced = Played::replay(&first_frames(), &site, &[&start[..], &["--realtime"]].concat());
    fast.ended.must_be_well();
    paced.ended.must_be_well();
    assert_eq!(fast.lines(), paced.lines());
    assert_eq!(fast.lines().len(), 20, "ten records before ten o'clock and ten after");
}

#[test]
fn a_paced_replay_takes_as_long_as_the_recording() {
    let folder = Folder::new();
    let (room, site) = (draw_room(&folder, 21), folder.write("site.toml", BARE));
    let began = std::time::Instant::now();
    Played::replay(&room, &site, &["--realtime"]).ended.must_be_well();
    assert!(began.elapsed().as_secs_f64() >= 1.0, "20 frames a second, 21 frames");
}

#[test]
fn publishing_changes_no_byte() {
    let (folder, (port, held)) = (Folder::new(), free_port());
    drop(held);
    let site = folder.write("site.toml", demo_with(&[("18830", &port.to_string()), ("[page]\nport = 18080", "")]));
    let quiet = Played::replay(&first_frames(), &site, &[]);
    let published = Played::replay(&first_frames(), &site, &["--publish"]);
    assert_eq!(published.ended.code, Some(0), "{}", published.ended.err);
    assert_eq!(quiet.lines(), published.lines());
    assert_eq!(published.summary()["windows_acknowledged"], published.lines().len());
    let broker = Broker::start(port, &folder);
    assert_eq!(broker.kept(), [], "the broker of a replay is gone with it and keeps nothing");
}

#[test]
fn another_network_counts_the_same_people() {
    let Some(model) = network("rtmdet-nano-person/rtmdet_nano_person_dyn.onnx") else { return };
    let played = Played::replay(&sample(), &demo_path(), &["--model", &model]);
    played.ended.must_be_well();
    must_balance(&played);
    must_count_the_gates(&played);
}

#[test]
#[ignore = "a minute: all networks that are not shipped"]
fn every_known_network_counts_the_same_people() {
    let files = ["yolox-nano/yolox_nano.onnx", "yolox-nano/yolox_nano_dyn.onnx", "picodet-s/picodet_s_dyn.onnx"];
    let int8 = "nanodet-g-from-npm/nanodet_g_416_int8.onnx";
    for model in files.iter().chain([&int8]).filter_map(|file| network(file)) {
        let played = Played::replay(&sample(), &demo_path(), &["--model", &model]);
        played.ended.must_be_well();
        must_count_the_gates(&played);
    }
}

fn site_with_frames_at_20(folder: &Folder) -> String {
    assert_eq!(FIRST_FRAMES, 41);
    folder.write("site.toml", demo_with(&[("fps = 7.0 ", "fps = 20.0 ")]))
}
