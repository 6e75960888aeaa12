//! Scores against TrackEval 1.3.0 and the program the line truth was made with, both run on the very same files.
//!
//! Truth where there is some: `mot/*/gt.txt`. The tracks follow from it by arithmetic: boxes moved and left out, ids born
//! anew, people of every class.

use serde_json::Value;

use crate::support::folder::{Folder, in_repository, read, truth};
use crate::support::program::kehai;
use crate::support::recording::sample;

/// Tracks that are wrong in every way a tracker can be, made of the truth.
fn spoilt(truth: &str) -> String {
    let row = |line: &str| {
        let values: Vec<f64> = line.split(',').take(6).map(|value| value.trim().parse().expect("a number")).collect();
        let [frame, id] = [values[0] as i64, values[1] as i64];
        let (right, down) = ((31 * frame + 17 * id) % 41 - 20, (11 * frame + 5 * id) % 21 - 10);
        let left = values[2] + values[4] * right as f64 / 100.0;
        let top = values[3] + values[5] * down as f64 / 100.0;
        let name = 1000 * id + (frame + id) / 23;
        let box_px = format!("{left:.3},{top:.3},{:.3},{:.3}", values[4], values[5]);
        ((7 * frame + 13 * id) % 8 != 0).then(|| format!("{frame},{name},{box_px},1,-1,-1,-1\n"))
    };
    truth.lines().filter_map(row).collect()
}

fn text(file: &str) -> String {
    String::from_utf8(read(file)).expect("rows are text")
}

/// What `kehai score --json` says.
fn scored(arguments: &[&str]) -> Value {
    let ended = kehai(&[&["score", "--json"], arguments].concat());
    ended.must_be_well();
    serde_json::from_str(&ended.out).expect("JSON")
}

/// HOTA, DetA, AssA, IDF1, MOTA and IDSW, FP, FN, Frag as TrackEval gives them.
struct Golden(&'static str, u32, [f64; 5], [u64; 4]);

const GOLDEN: [Golden; 17] = [
    Golden("ADL-Rundle-6", 1, [20.7045, 63.2778, 6.8154, 10.5846, 82.6512], [232, 5, 632, 617]),
    Golden("ETH-Bahnhof", 1, [35.6141, 46.8539, 27.2009, 37.5454, 46.5189], [238, 1976, 682, 720]),
    Golden("ETH-Pedcross2", 1, [34.0642, 59.3688, 19.6913, 30.1955, 76.2095], [272, 433, 785, 752]),
    Golden("MOT17-02-val", 1, [19.4578, 55.8619, 6.8564, 9.8139, 67.9757], [493, 1421, 1250, 1225]),
    Golden("MOT17-05-val", 1, [36.7503, 63.0931, 21.5020, 34.4281, 82.9610], [143, 9, 420, 402]),
    Golden("MOT17-09-val", 1, [23.9132, 55.1772, 10.4209, 15.0956, 66.8982], [135, 458, 360, 351]),
    Golden("PETS09-S2L1", 1, [19.4976, 61.3150, 6.2380, 9.3143, 79.8704], [193, 151, 557, 549]),
    Golden("TUD-Campus", 1, [39.8940, 63.1769, 25.3474, 41.3076, 83.5655], [14, 0, 45, 43]),
    Golden("Venice-2", 1, [18.2866, 63.2821, 5.3201, 8.0669, 83.0556], [312, 2, 896, 886]),
    Golden("ADL-Rundle-6", 6, [21.4389, 62.2809, 7.6120, 10.9325, 59.5210], [217, 3, 118, 107]),
    Golden("ETH-Bahnhof", 3, [36.3037, 46.8141, 28.5937, 38.1164, 38.9625], [216, 661, 229, 214]),
    Golden("ETH-Pedcross2", 3, [34.3877, 59.2062, 20.1888, 30.5789, 68.1229], [254, 143, 267, 231]),
    Golden("MOT17-02-val", 6, [20.1148, 55.8727, 7.4694, 10.1562, 47.2474], [426, 234, 212, 198]),
    Golden("MOT17-05-val", 3, [37.3864, 63.4076, 22.2681, 34.5900, 75.3327], [140, 3, 135, 121]),
    Golden("MOT17-09-val", 6, [24.7416, 55.1857, 11.4618, 15.7350, 47.7273], [121, 65, 67, 60]),
    Golden("TUD-Campus", 5, [40.2786, 63.8219, 25.7666, 39.7163, 70.6667], [13, 0, 9, 6]),
    Golden("Venice-2", 6, [19.0260, 64.0621, 5.8244, 8.2999, 62.8259], [303, 1, 138, 129]),
];

#[test]
fn every_sequence_scores_as_trackeval_scores_it() {
    for Golden(sequence, every, shares, counts) in GOLDEN {
        let Some(file) = truth(&format!("mot/{sequence}/gt.txt")) else { return };
        let folder = Folder::new();
        let tracks = folder.write("tracks.txt", spoilt(&text(&file)));
        let said = scored(&["--truth", &file, "--tracks", &tracks, "--every", &every.to_string()]);
        for (name, share) in ["HOTA", "DetA", "AssA", "IDF1", "MOTA"].into_iter().zip(shares) {
            let got = said["tracking"][name].as_f64().expect("a number");
            assert!((got - share).abs() < 1e-3, "{sequence} every {every}: {name} {got}, not {share}");
        }
        let got = ["IDSW", "FP", "FN", "Frag"].map(|name| said["tracking"][name].as_u64());
        assert_eq!(got, counts.map(Some), "{sequence} every {every}");
    }
}

#[test]
fn lines_and_zones_score_as_the_program_that_made_their_truth_scores_them() {
    let [Some(file), Some(lines)] = ["mot/PETS09-S2L1/gt.txt", "pets09/lines_gt.json"].map(truth) else { return };
    let folder = Folder::new();
    let tracks = folder.write("tracks.txt", spoilt(&text(&file)));
    let said = scored(&["--truth", &file, "--tracks", &tracks, "--lines", &lines, "--unmasked"]);
    let tallies: Vec<[u64; 5]> = said["lines"]["lines"]
        .as_array()
        .into_iter()
        .flatten()
        .flat_map(|line| line["directions"].as_array().into_iter().flatten())
        .map(|tally| ["truth", "got", "tp", "fp", "fn"].map(|name| tally[name].as_u64().expect("a number")))
        .collect();
    let expected =
        [[15, 12, 12, 0, 3], [10, 9, 9, 0, 1], [16, 13, 13, 0, 3], [12, 9, 8, 1, 4], [6, 3, 3, 0, 3], [4, 3, 3, 0, 1]];
    assert_eq!(tallies, expected);
    assert!((said["lines"]["f1"].as_f64().expect("a number") - 0.857).abs() < 5e-4);
    for (zone, visits, dwell_frames, off) in [(0, 90, 1605.0, 0.327), (1, 68, 1116.0, 0.234)] {
        let zone = &said["zones"][zone];
        assert_eq!(zone["visits"]["got"].as_f64(), Some(f64::from(visits)), "{zone}");
        assert!((zone["dwell_total_s"]["got"].as_f64().expect("a number") * 7.0 - dwell_frames).abs() < 1e-6, "{zone}");
        assert!((zone["occupancy_error_mean"].as_f64().expect("a number") - off).abs() < 5e-4, "{zone}");
    }
    assert_eq!(said["identities"]["distinct_ids"], 219);
    assert_eq!(said["identities"]["people"], 19);
}

#[test]
fn every_crossing_counted_wrongly_is_named_once() {
    let [Some(file), Some(lines)] = ["mot/PETS09-S2L1/gt.txt", "pets09/lines_gt.json"].map(truth) else { return };
    let folder = Folder::new();
    let tracks = folder.write("tracks.txt", spoilt(&text(&file)));
    let said = scored(&["--truth", &file, "--tracks", &tracks, "--lines", &lines]);
    let errors: Vec<&Value> = said["lines"]["lines"]
        .as_array()
        .into_iter()
        .flatten()
        .flat_map(|line| line["errors"].as_array().into_iter().flatten())
        .collect();
    let turned = errors.iter().filter(|error| error["kind"] == "wrong_direction").count() as u64;
    let wrong = said["lines"]["fp"].as_u64().zip(said["lines"]["fn"].as_u64()).map(|(fp, missed)| fp + missed);
    assert_eq!(Some(errors.len() as u64 + turned), wrong);
    for error in errors.iter().filter(|error| error["kind"] == "miss") {
        assert!(error["person"].is_u64() && error["at"].is_array(), "{error}");
    }
    assert!(said["tracks"]["masked_rows"].as_u64().is_some_and(|rows| rows > 0), "{}", said["tracks"]);
    let hota = |which: &str| said[which]["HOTA"].as_f64().expect("a number");
    assert!((hota("tracking_unmasked") - 19.4976).abs() < 1e-3 && hota("tracking") != hota("tracking_unmasked"));
}

#[test]
fn the_truth_scores_everything_against_itself() {
    let [Some(file), Some(lines)] = ["mot/MOT17-09-val/gt.txt", "mot/MOT17-09-val/lines_gt.json"].map(truth) else {
        return;
    };
    let people: String =
        text(&file).lines().filter(|row| row.contains(",1,1,")).map(|row| format!("{row}\n")).collect();
    let folder = Folder::new();
    let tracks = folder.write("tracks.txt", people);
    let said = scored(&["--truth", &file, "--tracks", &tracks, "--lines", &lines]);
    for name in ["HOTA", "IDF1", "MOTA"] {
        assert!((said["tracking"][name].as_f64().expect("a number") - 100.0).abs() < 1e-9, "{}", said["tracking"]);
    }
    assert_eq!((&said["lines"]["f1"], &said["lines"]["count_error_sum"]), (&Value::from(1.0), &Value::from(0)));
    assert_eq!(said["zones"][0]["dwell_total_s"]["error_percent"], 0.0);
    assert_eq!(said["identities"]["ids_per_person"], 1.0);
}

/// Replays every fifth frame of the sample with this truth.
fn replayed(truths: &[&str], out: &str) -> crate::support::program::Ended {
    let clip = sample();
    let site = in_repository("deploy/demo.toml");
    let mut arguments = vec!["replay", &clip, "--site", &site, "--every", "5", "--json", "--out", out];
    truths.iter().for_each(|file| arguments.extend(["--truth", *file]));
    kehai(&arguments)
}

#[test]
fn the_whole_pipe_is_scored_and_its_own_lines_with_it() {
    let [Some(boxes), Some(lines)] = ["mot/PETS09-S2L1/gt.txt", "pets09/lines_gt.json"].map(truth) else { return };
    let folder = Folder::new();
    let ended = replayed(&[&boxes, &lines], &folder.path(""));
    ended.must_be_well();
    let summary: Value = serde_json::from_str(&ended.out).expect("one document");
    let score = &summary["score"];
    assert_eq!(score["tracks"]["every"], 5);
    let figure = |name: &str| score["tracking"][name].as_f64().expect("a number");
    assert!(figure("HOTA") > 35.0 && figure("MOTA") > 55.0 && figure("LocA") > 70.0, "{}", score["tracking"]);
    // Inward is the positive side of all three lines; what the gate released is what was seen to be counted.
    let product = score["product_lines"]["lines"].as_array().expect("lines");
    assert_eq!(product.len(), 3);
    for (line, released) in product.iter().zip(summary["lines"].as_array().expect("lines")) {
        let got = [0, 1].map(|direction| &line["directions"][direction]["got"]);
        assert_eq!((&line["line"], got), (&released["id"], [&released["inward"], &released["outward"]]));
    }
    assert_eq!(serde_json::from_slice::<Value>(&read(&folder.path("score.json"))).expect("JSON"), *score);
    assert!(read(&folder.path("score.png")).starts_with(b"\x89PNG"));
}

#[test]
fn truth_of_another_clip_is_refused() {
    let [Some(boxes), Some(other)] = ["mot/PETS09-S2L1/gt.txt", "videos/mall_storefront_mot17_09/gt.json"].map(truth)
    else {
        return;
    };
    let folder = Folder::new();
    let twice = replayed(&[&boxes, &boxes], &folder.path(""));
    twice.must_be_refused(2, &["--truth ", "gt.txt", "a second file of boxes; name one"]);
    assert!(folder.names().is_empty(), "before the work");
    let mut ended = replayed(&[&other], &folder.path(""));
    ended.out.clear();
    ended.must_be_refused(4, &["480x270", "768x576", "name the truth of this clip"]);
}
