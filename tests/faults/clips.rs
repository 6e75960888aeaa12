//! Recordings that are none: exit code 4, the name of the clip, and what to give instead.

use crate::support::folder::Folder;
use crate::support::program::kehai;
use crate::support::recording::draw_room;
use crate::support::site::BARE;

/// What is given for a clip, and words the complaint must hold.
fn must_be_no_clip(clip: &str, naming: &[&str]) {
    let folder = Folder::new();
    let (site, out) = (folder.write("site.toml", BARE), folder.path("out"));
    let naming: Vec<&str> = naming.iter().chain(&[clip]).copied().collect();
    kehai(&["replay", clip, "--site", &site, "--out", &out]).must_be_refused(4, &naming);
    kehai(&["detect", clip, "--model", "nanodet-g", "--out", &out]).must_be_refused(4, &naming);
    assert_eq!(folder.names(), ["site.toml"], "a failed run leaves nothing");
}

#[test]
fn a_clip_that_is_not_there_is_named() {
    must_be_no_clip("/nowhere/monday.mp4", &["No such file", "name a video file or a folder of pictures"]);
}

#[test]
fn a_pipe_or_a_device_is_no_recording_and_nobody_waits_for_it() {
    let naming = ["is neither a file nor a folder", "a pipe or a device is no recording", "name a video file"];
    let folder = Folder::new();
    let pipe = folder.path("live.ts");
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().expect("mkfifo runs").success());
    for clip in [pipe.as_str(), "/dev/zero"] {
        must_be_no_clip(clip, &naming);
        kehai(&["bench", clip, "--model", "nanodet-g"]).must_be_refused(4, &[&naming[..], &[clip]].concat());
    }
}

#[test]
fn a_pipe_in_a_folder_is_no_picture() {
    let folder = Folder::new();
    let pipe = folder.path("000.png");
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().expect("mkfifo runs").success());
    must_be_no_clip(&folder.path(""), &["holds no picture", "PNG or JPEG"]);
}

#[test]
fn a_text_is_no_clip() {
    let folder = Folder::new();
    must_be_no_clip(&folder.write("notes.avi", "Monday: rain\n"), &["cannot be opened as", "FFmpeg knows"]);
}

#[test]
fn an_empty_file_is_no_clip() {
    let folder = Folder::new();
    must_be_no_clip(&folder.write("empty.mp4", ""), &["cannot be opened as", "FFmpeg knows"]);
}

#[test]
fn a_torn_video_is_no_clip_and_the_decoder_says_nothing_of_its_own() {
    let folder = Folder::new();
    let torn = folder.write("torn.mp4", b"\0\0\0\x18ftypisom\0\0\x02\0isommp41\0\0\x10\0mdat\0\0\0\x01");
    must_be_no_clip(&torn, &["cannot be opened as", "FFmpeg knows"]);
}

#[test]
fn an_empty_folder_is_no_recording() {
    let folder = Folder::new();
    folder.write("readme.txt", "no pictures yet");
    must_be_no_clip(&folder.path(""), &["holds no picture", "PNG or JPEG"]);
}

#[test]
fn a_folder_of_pictures_without_a_rate_asks_for_one() {
    let folder = Folder::new();
    let (room, site) = (draw_room(&folder, 2), folder.write("site.toml", BARE.replace("fps = 20.0", "")));
    let ended = kehai(&["replay", &room, "--site", &site, "--out", &folder.path("out")]);
    ended.must_be_refused(4, &["no frame rate", "write fps", "--fps"]);
    let well = kehai(&["replay", &room, "--site", &site, "--out", &folder.path("out"), "--fps", "5"]);
    well.must_be_well();
}

#[test]
fn boxes_that_are_none_are_named_by_their_line() {
    let folder = Folder::new();
    let boxes = folder.write("det.txt", "1,-1,10,10,20,40,0.9,-1,-1,-1\n2,-1,10,ten,20,40,0.9\n");
    let ended = kehai(&["track", "--detections", &boxes, "--fps", "7", "--out", &folder.path("tracks.txt")]);
    ended.must_be_refused(4, &[&boxes, "line 2", "ten", "frame,-1,left,top,width,height,score"]);
    assert_eq!(folder.names(), ["det.txt"]);
}

#[test]
fn a_frame_number_that_no_clip_has_is_refused_at_once() {
    let folder = Folder::new();
    let boxes = folder.write("det.txt", "4e9,-1,10,10,20,40,0.9\n");
    let ended = kehai(&["track", "--detections", &boxes, "--fps", "7", "--out", &folder.path("tracks.txt")]);
    ended.must_be_refused(4, &[&boxes, "line 1", "out of range"]);
}

#[test]
fn scores_that_are_none_and_crowds_that_no_picture_holds_are_refused() {
    let crowd = "3,-1,10,10,20,40,0.9\n".repeat(1001);
    for (text, naming) in [
        ("1,-1,10,10,20,40,0.9\n2,-1,10,10,20,40,87\n", "line 2: score 87: write a score from 0 to 1"),
        ("1,-1,10,10,20,40,-0.1\n", "line 1: score -0.1: write a score from 0 to 1"),
        (crowd.as_str(), "line 1001: frame 3 has more than 1000 rows; write 1000 a frame at most"),
    ] {
        let folder = Folder::new();
        let boxes = folder.write("det.txt", text);
        let ended = kehai(&["track", "--detections", &boxes, "--fps", "7", "--out", &folder.path("tracks.txt")]);
        ended.must_be_refused(4, &[&boxes, naming]);
        assert_eq!(folder.names(), ["det.txt"]);
    }
}
