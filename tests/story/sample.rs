//! The sample clip under the demo's site file: what a newcomer sees first, held against the truth.
//!
//! Truth: `lines_gt.json` of PETS 2009 S2.L1 (data/pets09): east gate 15 in, 10 out; west gate 6 in, 4 out.

use crate::support::recording::{Played, SAMPLE_FRAMES, played};

/// Most crossings a gate may be off by, each way.
const OFF_MAX: u64 = 3;
/// Gate, inward, outward.
const TRUTH: [(&str, [u64; 2]); 2] = [("east-gate", [15, 10]), ("west-gate", [6, 4])];
/// Distinct visits below which nothing is released.
const K: u64 = 5;

/// Both gates are counted within [`OFF_MAX`] of the truth.
pub fn must_count_the_gates(played: &Played) {
    for (line, truth) in TRUTH {
        let found = played.crossings(line);
        let off = [0, 1].map(|way| found[way].abs_diff(truth[way]));
        assert!(off.iter().all(|off| *off <= OFF_MAX), "{line}: {found:?} instead of {truth:?}");
    }
}

/// Every captured frame met one fate; gives the number captured.
pub fn must_balance(played: &Played) -> u64 {
    let frames = &played.summary()["frames"];
    let of = |fate: &str| frames[fate].as_u64().expect("a counter is a number");
    let met: u64 = ["detected", "still", "skipped", "overwritten", "failed"].map(of).iter().sum();
    assert_eq!(of("captured"), met, "{frames}");
    met
}

#[test]
fn every_frame_of_the_sample_is_looked_at() {
    let played = played();
    played.ended.must_be_well();
    assert_eq!(must_balance(played), SAMPLE_FRAMES);
    assert_eq!(played.summary()["frames"]["detected"], SAMPLE_FRAMES);
}

#[test]
fn every_line_zone_and_layer_of_heat_has_one_record() {
    let windows = played().windows();
    let mut found: Vec<String> = windows.iter().map(|window| format!("{} {}", window["k"], window["id"])).collect();
    found.sort();
    let expected = [
        r#""flow" "crossing""#,
        r#""heat" "crossing-dwell""#,
        r#""heat" "crossing-visits""#,
        r#""line" "east-gate""#,
        r#""line" "mid-path""#,
        r#""line" "west-gate""#,
        r#""od" "view-1""#,
        r#""zone" "crossing""#,
        r#""zone" "junction""#,
        r#""zone" "sign""#,
    ];
    assert_eq!(found, expected);
}

#[test]
fn records_are_numbered_without_gaps() {
    let numbers: Vec<u64> = played().windows().iter().filter_map(|window| window["seq"].as_u64()).collect();
    assert_eq!(numbers, (1..=10).collect::<Vec<u64>>());
}

#[test]
fn people_through_the_gates_are_counted() {
    must_count_the_gates(played());
}

#[test]
fn the_whole_clip_counts_as_seen() {
    for window in played().windows() {
        let cov_ms = window["cov_ms"].as_u64().expect("coverage is a number");
        // 795 frames at 7 a second are 113.6 s; the last one may count or not.
        assert!((113_300..=113_700).contains(&cov_ms), "{window}");
    }
}

#[test]
fn the_heatmap_shows_at_least_twenty_places() {
    let windows = played().windows();
    let maps: Vec<_> = windows.iter().filter(|window| window["k"] == "heat").collect();
    assert_eq!(maps.len(), 2);
    for map in maps {
        assert!(map["d"]["cells"].as_u64() >= Some(20), "{map}");
    }
}

#[test]
fn no_figure_of_people_rests_on_fewer_than_five_visits() {
    let windows = played().windows();
    let zones = windows.iter().filter(|window| window["k"] == "zone");
    let visits: Vec<u64> = zones.filter_map(|zone| zone["d"]["visits"].as_u64()).collect();
    assert!(!visits.is_empty() && visits.iter().all(|visits| *visits >= K), "{visits:?}");
    let map = windows.iter().find(|window| window["id"] == "crossing-visits").expect("the heatmap is there");
    let body = map.to_string();
    let heat = kehai::wire::read::WindowView::read(body.as_bytes()).and_then(|view| view.heat).expect("it is readable");
    assert!(heat.cells.iter().flatten().all(|visits| u64::from(*visits) >= K));
}

#[test]
fn ways_between_the_places_are_shown_and_no_place_is_gone_to_more_often_than_visited() {
    let windows = played().windows();
    let of = |kind: &str, id: &str| {
        windows.iter().find(|window| window["k"] == kind && window["id"] == id).expect("it is there")
    };
    let ways = &of("od", "view-1")["d"];
    let nodes: Vec<&str> = ways["nodes"].as_array().expect("a list").iter().filter_map(|node| node.as_str()).collect();
    let pairs: Vec<[u64; 3]> = serde_json::from_value(ways["m"].clone()).expect("triples of numbers");
    assert!(pairs.len() >= 5 && pairs.iter().all(|[.., number]| *number >= K), "{ways}");
    for (index, node) in nodes.iter().enumerate().take(nodes.len() - 1) {
        let (kind, id) = node.split_once('/').expect("a kind and an id");
        let figure = |name: &str| of(kind, id)["d"][name].as_u64().unwrap_or(0);
        let visits = figure("entries") + figure("in") + figure("out");
        for end in 0..2 {
            let gone: u64 = pairs.iter().filter(|pair| pair[end] == index as u64).map(|pair| pair[2]).sum();
            assert!(gone <= visits, "{node}: {gone} of {visits}");
        }
    }
}

#[test]
fn every_heatmap_comes_as_a_picture_too() {
    for layer in ["visits", "dwell"] {
        let png = played().file(&format!("heat-crossing-{layer}.png"));
        let picture = image::load_from_memory_with_format(&png, image::ImageFormat::Png).expect("it decodes").to_rgb8();
        let colours: std::collections::BTreeSet<[u8; 3]> = picture.pixels().map(|pixel| pixel.0).collect();
        assert!(picture.width() > 300 && colours.len() > 10, "{layer}: {} colours", colours.len());
    }
}

#[test]
fn the_summary_says_what_the_records_say() {
    let summary = played().summary();
    for line in summary["lines"].as_array().expect("lines are a list") {
        let id = line["id"].as_str().expect("a line has an id");
        assert_eq!(
            [&line["inward"], &line["outward"]].map(|way| way.as_u64()),
            played().crossings(id).map(Some),
            "{id}"
        );
    }
    assert_eq!(summary["windows_released"], played().lines().len());
    assert_eq!(summary["model"], "nanodet-g-8bit");
}

#[test]
fn a_replay_leaves_its_results_and_nothing_else() {
    let out = crate::support::folder::names_in(&played().out());
    assert_eq!(out, ["heat-crossing-dwell.png", "heat-crossing-visits.png", "summary.json", "windows.jsonl"]);
}
