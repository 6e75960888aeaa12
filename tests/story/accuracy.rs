//! `scripts/accuracy`: the table holds what was measured here, names what was not, and goes where the marks are.
//!
//! Truth: a drawn sequence of two people who walk across a line, made here in the shape of a benchmark.

use std::fmt::Write;
use std::fs::create_dir_all;
use std::process::Command;

use serde_json::Value;

use crate::support::folder::{Folder, in_repository, read};
use crate::support::program::{Ended, kehai};

const FRAMES: u32 = 200;
const SEQUENCE: &str = "[Sequence]\nname=DRAWN\nframeRate=20\nseqLength=200\nimWidth=800\nimHeight=600\n";
const LINES: &str = r#"{"width": 800, "height": 600, "frames": 200, "fps": 20, "distinct_people": 2, "lines": [{"name": "door",
    "a": [400, 0], "b": [400, 600], "events": [{"frame": 90, "dir": "neg"}, {"frame": 90, "dir": "pos"}]}]}"#;

/// Two people who walk past each other; the detector misses one of them in every ninth frame.
fn drawn() -> (String, String) {
    let (mut truth, mut detections) = (String::new(), String::new());
    for frame in 1..=FRAMES {
        let walked = f64::from(frame) * 3.5;
        for (person, left, top) in [(1, 60.0 + walked, 100.0), (2, 700.0 - walked, 350.0)] {
            let _ = writeln!(truth, "{frame},{person},{left:.1},{top:.1},50,140,1,-1,-1,-1");
            if person == 2 || frame % 9 != 0 {
                let _ = writeln!(detections, "{frame},-1,{:.1},{top:.1},50,140,0.9", left + 4.0);
            }
        }
    }
    (truth, detections)
}

/// A folder of data with the drawn sequence.
fn data() -> Folder {
    let folder = Folder::new();
    create_dir_all(folder.path("mot/DRAWN")).expect("the target folder can be written");
    let (truth, detections) = drawn();
    for (name, content) in
        [("gt.txt", &*truth), ("det.txt", &*detections), ("seqinfo.ini", SEQUENCE), ("lines_gt.json", LINES)]
    {
        folder.write(&format!("mot/DRAWN/{name}"), content);
    }
    folder
}

fn accuracy(data: &Folder, more: &[&str]) -> Ended {
    let mut command = Command::new(in_repository("scripts/accuracy"));
    command.args(["--kehai", env!("CARGO_BIN_EXE_kehai"), "--data", &data.path("")]).args(more);
    let output = command.output().expect("python3 is there after `make setup`");
    let [out, err] = [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
    Ended { code: output.status.code(), out, err }
}

#[test]
fn the_table_holds_what_the_commands_say() {
    let data = data();
    let [detections, truth] = ["det.txt", "gt.txt"].map(|name| data.path(&format!("mot/DRAWN/{name}")));
    let score = |every: &str| -> Value {
        let tracks = data.path("tracks.txt");
        let options = ["--fps", "20", "--every", every, "--picture-size", "600x800"];
        kehai(&[&["track", "--detections", &detections, "--out", &tracks], &options[..]].concat()).must_be_well();
        let scored = kehai(&["score", "--json", "--truth", &truth, "--tracks", &tracks, "--every", every]);
        scored.must_be_well();
        serde_json::from_str(&scored.out).expect("JSON")
    };
    let scores = ["1", "2", "4"].map(score);
    let told = |name: &str| {
        let shares = scores.iter().map(|score| format!("{:.1}", score["tracking"][name].as_f64().expect("a share")));
        shares.collect::<Vec<_>>().join(" / ")
    };
    let row =
        format!("| DRAWN | given | {} | {} | 1.000 / 1.000 / 1.000 | 0 / 0 / 0 (2) | – |", told("HOTA"), told("IDF1"));
    let ended = accuracy(&data, &[]);
    assert_eq!(ended.code, Some(0), "{}", ended.err);
    assert!(ended.out.contains(&row), "{row}\nis missing in\n{}", ended.out);
    assert!(told("HOTA") != "100.0 / 100.0 / 100.0", "a figure that could not be otherwise shows nothing");
    for missing in ["vtest.avi through the whole pipe (no ", "clips (no videos/*/gt.json)"] {
        assert!(ended.out.contains(missing), "{}", ended.out);
    }
    assert!(!ended.out.contains("no mot/*"), "what was measured is not missing");
}

#[test]
fn the_table_replaces_what_stands_between_the_marks_and_nothing_else() {
    let data = data();
    let around = |inside: &str| format!("before\n<!-- accuracy -->\n{inside}<!-- /accuracy -->\nafter\n");
    let [english, japanese] = ["README.md", "README.ja.md"].map(|name| data.write(name, around("old\n")));
    let ended = accuracy(&data, &["--write", &english, &japanese]);
    assert_eq!(ended.code, Some(0), "{}", ended.err);
    let [english, japanese] = [english, japanese].map(|file| String::from_utf8(read(&file)).expect("text"));
    assert_eq!(english, around(&ended.out));
    assert!(
        japanese.starts_with("before\n<!-- accuracy -->\n| 追跡対象 |")
            && japanese.ends_with("<!-- /accuracy -->\nafter\n")
    );
    assert!(!japanese.contains("old"));
    let bare = data.write("bare.md", "no place for it\n");
    let refused = accuracy(&data, &["--write", &bare]);
    assert_eq!((refused.code, read(&bare)), (Some(1), b"no place for it\n".to_vec()));
    assert!(refused.err.contains("<!-- accuracy -->"), "{}", refused.err);
}

#[test]
fn where_there_is_no_truth_there_is_no_figure() {
    let ended = accuracy(&Folder::new(), &[]);
    assert_eq!(ended.code, Some(0), "{}", ended.err);
    assert_eq!(ended.out.lines().filter(|line| line.starts_with('|')).count(), 2, "{}", ended.out);
    let named = ["vtest.avi", "no mot/*/det.txt", "no videos/*/gt.json"].iter().all(|what| ended.out.contains(what));
    assert!(named, "{}", ended.out);
}
