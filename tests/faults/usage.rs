//! Commands that make no sense: exit code 2, what was written, what would be right.

use crate::support::folder::Folder;
use crate::support::program::kehai;
use crate::support::recording::draw_room;
use crate::support::site::BARE;

#[test]
fn a_command_nobody_knows_is_named() {
    kehai(&["fly"]).must_be_refused(2, &["fly", "Usage: kehai", "--help"]);
    kehai(&["replay", "--sight", "site.toml"]).must_be_refused(2, &["--sight", "Usage: kehai replay"]);
}

#[test]
fn what_is_missing_is_named() {
    kehai(&["replay"]).must_be_refused(2, &["<RECORDING>", "--site <SITE>", "--out <OUT>", "Usage: kehai replay"]);
    kehai(&["detect", "clip.avi", "--out", "det.txt"]).must_be_refused(2, &["--model"]);
}

#[test]
fn without_a_command_there_is_a_list_of_them() {
    let ended = kehai(&[]);
    assert_eq!(ended.code, Some(2));
    assert!(ended.err.contains("replay") && ended.err.contains("doctor"), "{}", ended.err);
}

#[test]
fn values_out_of_range_are_shown_with_the_range() {
    for (flag, value, range) in [
        ("--every", "0", "1..=1000"),
        ("--every", "-3", "--every"),
        ("--start", "tomorrow", "2026-01-05T10:00:00Z"),
        ("--start", "2026-01-05", "2026-01-05T10:00:00Z"),
        ("--start", "10000-01-01T00:00:00Z", "2026-01-05T10:00:00Z"),
        ("--fps", "0", "0.1 to 240"),
        ("--fps", "NaN", "0.1 to 240"),
        ("--fps", "fast", "--fps"),
        ("--camera", "back-door", "there are: cam"),
    ] {
        let folder = Folder::new();
        let (room, site, out) = (draw_room(&folder, 1), folder.write("site.toml", BARE), folder.path("out"));
        let argument = format!("{flag}={value}");
        let ended = kehai(&["replay", &room, "--site", &site, "--out", &out, &argument]);
        ended.must_be_refused(2, &[value, range]);
        assert_eq!(folder.names(), ["room", "site.toml"], "{argument}");
    }
}

#[test]
fn with_several_cameras_the_recording_must_say_whose_it_is() {
    let folder = Folder::new();
    let (room, site) = (draw_room(&folder, 1), folder.write("site.toml", format!("{BARE}[[camera]]\nid = \"yard\"\n")));
    let out = folder.path("out");
    let ended = kehai(&["replay", &room, "--site", &site, "--out", &out]);
    ended.must_be_refused(2, &["2 cameras", "--camera", "cam, yard"]);
    kehai(&["replay", &room, "--site", &site, "--out", &out, "--camera", "cam"]).must_be_well();
}

#[test]
fn sizes_and_rates_of_the_evaluation_commands_are_checked() {
    let size = kehai(&["detect", "clip.avi", "--model", "nanodet-g", "--size", "3by4", "--out", "det.txt"]);
    size.must_be_refused(2, &["3by4", "HEIGHTxWIDTH"]);
    let rate = kehai(&["track", "--detections", "det.txt", "--fps", "0", "--out", "tracks.txt"]);
    rate.must_be_refused(2, &["--fps 0", "0.1 to 1000"]);
}

#[test]
fn help_and_version_are_results() {
    for arguments in [&["--help"][..], &["--version"], &["replay", "--help"]] {
        let ended = kehai(arguments);
        ended.must_be_well();
        assert!(ended.out.contains("kehai"), "{}", ended.out);
    }
}

#[test]
fn the_evaluation_commands_say_that_they_are_ungated() {
    for command in ["detect", "track"] {
        assert!(kehai(&[command, "--help"]).out.contains("Evaluation only"), "{command}");
    }
}
