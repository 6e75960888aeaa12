//! Benchmarks that cannot be run: what was written, what would be right, and nothing measured before.

use crate::support::folder::Folder;
use crate::support::program::kehai;
use crate::support::recording::{draw_room, sample};
use crate::support::site::BARE;

/// `kehai bench CLIP` for as many cameras as `more` says.
fn must_be_refused(clip: &str, more: &[&str], code: i32, naming: &[&str]) {
    let arguments = [&["bench", clip, "--model", "nanodet-g"], more].concat();
    kehai(&arguments).must_be_refused(code, naming);
}

#[test]
fn numbers_out_of_range_are_shown_with_the_range() {
    for (flag, value, range) in [
        ("--cameras", "0", "1..=64"),
        ("--cameras", "65", "1..=64"),
        ("--cameras", "many", "--cameras"),
        ("--looks-per-s", "0", "0.5 to 60"),
        ("--looks-per-s", "NaN", "0.5 to 60"),
        ("--seconds", "0", "1..=600"),
        ("--workers", "0", "1..=16"),
        ("--fps", "0", "0.1 to 240"),
    ] {
        let more = if flag == "--cameras" { vec![flag, value] } else { vec!["--cameras", "2", flag, value] };
        must_be_refused(&sample(), &more, 2, &[flag, value, range]);
    }
}

#[test]
fn what_only_cameras_have_is_not_for_a_clip_alone_and_the_other_way_round() {
    must_be_refused(&sample(), &["--picture", "bench.png"], 2, &["--cameras <N>"]);
    must_be_refused(&sample(), &["--seconds", "5"], 2, &["--cameras <N>"]);
    must_be_refused(&sample(), &["--cameras", "2", "--rounds", "2"], 2, &["--rounds", "--cameras"]);
}

#[test]
fn a_picture_that_cannot_be_written_is_named_before_anything_is_measured() {
    let folder = Folder::new();
    let (taken, below) = (folder.path("taken.png"), folder.write("file", "no folder"));
    std::fs::create_dir_all(&taken).expect("the target folder can be written");
    // The clip is worthless, but nobody waits for that to be found out.
    let clip = folder.write("clip.avi", "no video");
    for picture in [taken.as_str(), &format!("{below}/bench.png"), "/nowhere/bench.png"] {
        let naming = ["--picture", picture, "name a file that can be written"];
        must_be_refused(&clip, &["--cameras", "2", "--picture", picture], 2, &naming);
    }
    assert_eq!(folder.names(), ["clip.avi", "file", "taken.png"]);
}

#[test]
fn a_clip_that_cannot_play_as_a_camera_is_named_with_what_it_lacks() {
    let folder = Folder::new();
    must_be_refused("/nowhere/monday.mp4", &["--cameras", "2"], 4, &["/nowhere/monday.mp4", "No such file"]);
    let text = folder.write("notes.avi", "Monday: rain\n");
    must_be_refused(&text, &["--cameras", "2"], 4, &[&text, "FFmpeg knows"]);
    let room = draw_room(&folder, 2);
    must_be_refused(&room, &["--cameras", "2"], 4, &[&room, "no frame rate", "--fps"]);
    let naming = [&sample(), "10 pictures per second", "--looks-per-s"];
    must_be_refused(&sample(), &["--cameras", "2", "--looks-per-s", "11"], 2, &naming);
}

#[test]
fn an_accelerator_that_is_not_in_use_is_told_once() {
    let folder = Folder::new();
    let room = draw_room(&folder, 3);
    let site = folder.write("site.toml", format!("{BARE}[detector]\naccelerator = \"cuda\"\n"));
    for more in [&["--rounds", "2"][..], &["--fps", "10", "--cameras", "2", "--seconds", "1"]] {
        let arguments = [&["bench", &room, "--model", "nanodet-g", "--site", &site], more].concat();
        let ended = kehai(&arguments);
        assert_eq!(ended.code, Some(0), "{}", ended.err);
        assert_eq!(ended.err.matches("detector.accelerator = \"cuda\": not in use").count(), 1, "{}", ended.err);
    }
}
