//! Truth, tracks and lines that cannot be scored: each complaint names the option, the file, the line and what to write.

use crate::support::folder::Folder;
use crate::support::program::{kehai, kehai_detect};
use crate::support::recording::draw_room;
use crate::support::site::BARE;

const TRUTH: &str = "1,1,10,10,20,40,1,-1,-1,-1\n2,1,12,10,20,40,1,-1,-1,-1\n";
const TRACKS: &str = "1,7,10,10,20,40,1,-1,-1,-1\n2,7,12,10,20,40,1,-1,-1,-1\n";
const LINES: &str = r#"{"width": 100, "height": 72, "frames": 2, "fps": 7,
    "lines": [{"name": "gate", "a": [50, 0], "b": [50, 72], "events": []}]}"#;

/// Runs `kehai score` on three files with these texts.
fn score(truth: &str, tracks: &str, lines: &str, more: &[&str]) -> crate::support::program::Ended {
    let folder = Folder::new();
    let files =
        [folder.write("truth.txt", truth), folder.write("tracks.txt", tracks), folder.write("lines.json", lines)];
    let named = ["score", "--truth", &files[0], "--tracks", &files[1], "--lines", &files[2]];
    kehai(&[&named, more].concat())
}

#[test]
fn rows_that_are_none_are_named_with_their_line() {
    for (tracks, naming) in [
        ("1,7,10,10,20,40\n2,7,12", ["line 2: \"2,7,12\": 3 of 6 values", "write frame,id,left,top,width,height"]),
        ("1,7,10,10,20,40\n1,8,9,9,9,9\n1,7,0,0,5,5", ["line 3: id 7 is in frame 1 already (line 1)", "write one box"]),
        ("1,-1,10,10,20,40,0.9", ["line 1: id -1", "`kehai track` makes tracks of them"]),
        ("0,7,10,10,20,40", ["line 1", "frame 0 is out of range; write a whole number from 1"]),
        ("1,7,10,10,-20,40", ["a box of -20 x 40 px", "write width and height from 0"]),
        ("1,7,nan,10,20,40", ["line 1", "out of range"]),
    ] {
        score(TRUTH, tracks, LINES, &[]).must_be_refused(4, &["--tracks ", "tracks.txt", naming[0], naming[1]]);
    }
}

#[test]
fn a_crowd_that_no_picture_holds_is_refused_in_truth_and_tracks() {
    let crowd: String = (1..=1001).map(|id| format!("2,{id},10,10,20,40,1,-1,-1,-1\n")).collect();
    let naming = "line 1001: frame 2 has more than 1000 rows; write 1000 a frame at most";
    score(TRUTH, &crowd, LINES, &[]).must_be_refused(4, &["--tracks ", "tracks.txt", naming]);
    score(&crowd, TRACKS, LINES, &[]).must_be_refused(4, &["--truth ", "truth.txt", naming]);
}

#[test]
fn truth_that_holds_nobody_is_refused() {
    for (truth, naming) in [
        ("", "is empty; name the rows of the truth"),
        ("1,1,10,10,20,40,0,-1,-1,-1", "1 rows and nobody to be found by the rules of mot15"),
        ("1,1,10,10,20,40", "6 of 7 values can be read; write frame,id,left,top,width,height,mark"),
        ("1,1,10,10,20,40,1,1,1\n1,1,0,0,9,9,1,1,1", "line 2: id 1 is in frame 1 already (line 1)"),
    ] {
        score(truth, TRACKS, LINES, &[]).must_be_refused(4, &["--truth ", "truth.txt", naming]);
    }
    let refused = score(TRUTH, TRACKS, LINES, &["--benchmark", "mot17"]);
    refused.must_be_refused(4, &["--truth ", "no column of classes", "write mot15"]);
}

#[test]
fn lines_that_cannot_be_read_are_refused() {
    let with = |from: &str, to: &str| score(TRUTH, TRACKS, &LINES.replace(from, to), &[]);
    for (from, to, naming) in [
        ("{\"width\"", "width", "write JSON"),
        ("\"fps\": 7,", "", "no fps; name the clip's frames per second with --fps"),
        ("[50, 72]", "[50, 0]", "line gate: its ends"),
        ("[50, 72]", "[50, 1e7]", "line gate: b [50, 10000000] is far outside the picture; write x from -200 to 200"),
        ("\"frames\": 2", "\"frames\": 4294967295", "frames 4294967295: write how many frames the clip has, 1 to "),
        ("\"events\": []", "\"events\": [{\"frame\": 1, \"dir\": \"up\"}]", "frame 1: dir \"up\": write pos or neg"),
    ] {
        with(from, to).must_be_refused(4, &["--lines ", "lines.json", naming]);
    }
}

#[test]
fn files_that_are_not_there_and_options_out_of_range_are_refused() {
    let folder = Folder::new();
    let (truth, lines) = (folder.write("truth.txt", TRUTH), folder.write("lines.json", LINES));
    let missing = folder.path("nothing.txt");
    kehai(&["score", "--truth", &truth, "--tracks", &missing]).must_be_refused(4, &["--tracks ", "nothing.txt"]);
    kehai(&["score", "--tracks", &truth]).must_be_refused(2, &["--truth"]);
    let picture = ["score", "--truth", &truth, "--tracks", &truth, "--picture", "score.png"];
    kehai(&picture).must_be_refused(2, &["--lines"]);
    let nowhere = folder.path("nowhere/score.png");
    let drawn = ["score", "--tracks", &truth, "--lines", &lines, "--picture", &nowhere];
    kehai(&drawn).must_be_refused(2, &["--picture ", "nowhere", "name a file that can be written"]);
    score(TRUTH, TRACKS, LINES, &["--fps", "0"]).must_be_refused(2, &["--fps 0: write 0.1 to 1000"]);
    score(TRUTH, TRACKS, LINES, &["--every", "0"]).must_be_refused(2, &["--every"]);
}

#[test]
fn tracks_of_nobody_are_a_result() {
    let ended = score(TRUTH, "", LINES, &[]);
    ended.must_be_well();
    assert!(ended.out.contains("HOTA 0.00") && ended.out.contains("FN 2"), "{}", ended.out);
}

#[test]
fn a_score_that_could_not_be_written_is_refused_before_the_clip_is_opened() {
    let folder = Folder::new();
    let (site, lines) = (folder.write("site.toml", BARE), folder.write("lines.json", LINES));
    // The clip is worthless, but nobody waits for that to be found out.
    let clip = folder.write("clip.avi", "no video");
    let taken = folder.path("taken/score.json");
    std::fs::create_dir_all(&taken).expect("the target folder can be written");
    for (out, naming) in [(&format!("{site}/out"), "is not a folder"), (&folder.path("taken"), "is a folder")] {
        let ended = kehai_detect(&["replay", &clip, "--site", &site, "--truth", &lines, "--out", out]);
        ended.must_be_refused(2, &["--out ", out, naming]);
    }
}

#[test]
fn truth_of_another_picture_is_named_with_its_file() {
    let folder = Folder::new();
    let (site, lines) = (folder.write("site.toml", BARE), folder.write("lines.json", LINES));
    let (room, out) = (draw_room(&folder, 2), folder.path("out"));
    let ended = kehai_detect(&["replay", &room, "--site", &site, "--truth", &lines, "--out", &out]);
    ended.must_be_refused(4, &["--truth ", &lines, "made for a picture of 100x72", "name the truth of this clip"]);
}
