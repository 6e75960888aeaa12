//! `kehai export` as a merchandiser calls it: totals are right, cuts follow the shop's calendar, errors name the remedy.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use kehai::config::Keeping;
use kehai::vault::Vault;
use kehai::wire::compose::{Composer, Voice};

use crate::live::shop::signal;
use crate::support::folder::Folder;
use crate::support::program::{GLANCE, kehai, start};
use crate::support::records::{closed, site_with_a_door};
use crate::support::simulated::{Shop, Truth, shop};
use crate::support::site::BARE;

/// Three days of London around the night with an hour more.
const FROM_S: i64 = 1_792_882_800;
const TO_S: i64 = FROM_S + 73 * 3600;
const DAYS: [&str; 4] = ["--from", "2026-10-25", "--to", "2026-10-28"];

/// A table read back: rows by the names of columns.
pub fn read_csv(path: &str) -> Vec<BTreeMap<String, String>> {
    let mut reader = csv::Reader::from_path(path).expect("a table");
    let heads: Vec<String> = reader.headers().expect("heads").iter().map(str::to_owned).collect();
    let rows =
        reader.records().map(|row| heads.iter().cloned().zip(row.expect("a row").iter().map(str::to_owned)).collect());
    rows.collect()
}

/// Sums of a table under the names of the naive sum.
fn totals(rows: &[BTreeMap<String, String>]) -> BTreeMap<(String, String, String), i64> {
    let mut totals = BTreeMap::new();
    let mut plus = |row: &BTreeMap<String, String>, figure: &str, value: &str| {
        let key = (row["kind"].clone(), row["id"].clone(), figure.to_owned());
        *totals.entry(key).or_default() += value.parse::<f64>().unwrap_or(0.0) as i64;
    };
    for row in rows {
        plus(row, &row["figure"], &row["value"]);
        if row["cell"] == "101" {
            plus(row, &format!("{} of cell 101", row["figure"]), &row["value"]);
        }
        if ["in", "visits", "joined", "cells_told", "dropped"].contains(&row["figure"].as_str())
            && row["cell"].is_empty()
        {
            plus(row, "windows", &row["windows"]);
            plus(row, "cov_ms", &row["cov_ms"]);
            plus(row, "withheld", &row["windows_withheld"]);
        }
    }
    totals
}

fn must_be(rows: &[BTreeMap<String, String>], truth: &Truth) {
    let totals = totals(rows);
    for ((kind, id, figure), value) in truth {
        let key = ((*kind).to_owned(), id.clone(), figure.clone());
        assert_eq!(totals.get(&key).copied().unwrap_or(0), *value, "{key:?}");
    }
}

/// Some days of a shop as lines in a file, its site file and its naive sum.
fn some_days(folder: &Folder) -> (String, String, Shop) {
    let mut shop = shop("Europe/London", 2, 11);
    let lines = folder.write("lines.txt", shop.lines(FROM_S, TO_S));
    (lines, folder.write("site.toml", &shop.site), shop)
}

fn export(arguments: &[&str]) -> Vec<BTreeMap<String, String>> {
    let out = arguments[arguments.iter().position(|word| *word == "--out").expect("--out") + 1];
    let ended = kehai(&[&["export", "--format", "csv"], arguments].concat());
    assert_eq!(ended.code, Some(0), "{}", ended.err);
    read_csv(out)
}

#[test]
fn a_table_by_day_by_hour_by_window_and_in_total_adds_up_to_what_was_there() {
    let folder = Folder::new();
    let (lines, _, shop) = some_days(&folder);
    for by in ["total", "day", "hour", "window"] {
        let out = folder.path(&format!("{by}.csv"));
        let zone = ["--zone", "Europe/London", "--by", by, "--windows", &lines, "--out", &out];
        let rows = export(&[&DAYS[..], &zone].concat());
        must_be(&rows, &shop.truth);
        assert!(rows.iter().all(|row| row["org"] == "acme" && row["node"] == "edge-1"), "topics name the node");
    }
    let days: Vec<(String, String)> = {
        let rows = read_csv(&folder.path("day.csv"));
        let of_door = rows.into_iter().filter(|row| row["id"] == "door-a" && row["figure"] == "in");
        of_door.map(|row| (row["start_local"].clone(), row["dur_s"].clone())).collect()
    };
    let expected =
        [("2026-10-25T00:00:00", "90000"), ("2026-10-26T00:00:00", "86400"), ("2026-10-27T00:00:00", "86400")];
    assert_eq!(days, expected.map(|(day, dur)| (day.to_owned(), dur.to_owned())));
    assert_eq!(folder.names(), ["day.csv", "hour.csv", "lines.txt", "site.toml", "total.csv", "window.csv"]);
}

#[test]
fn repeated_and_shuffled_lines_change_nothing_and_foreign_ones_are_told() {
    let folder = Folder::new();
    let (lines, site, shop) = some_days(&folder);
    let text = std::fs::read_to_string(&lines).expect("lines");
    let mut all: Vec<&str> = text.lines().collect();
    all.reverse();
    let bare: Vec<&str> = text.lines().step_by(7).map(|line| &line[line.find('{').expect("a payload")..]).collect();
    let again = folder.write("again.jsonl", bare.join("\n"));
    let foreign = "not a payload\nkehai/v1/acme/s0042/edge-1/state {\"v\":1,\"k\":\"state\",\"state\":\"online\"}\n{\"v\":1,\"k\":\"line\"}\n";
    let shuffled = folder.write("shuffled.txt", all.join("\n") + "\n" + foreign);
    let out = folder.path("out.csv");
    let named = ["export", "--format", "csv", "--site", &site, "--windows", &shuffled, &again, "--out", &out, "--json"];
    let ended = kehai(&[&named[..], &DAYS].concat());
    assert_eq!(ended.code, Some(0), "{}", ended.err);
    must_be(&read_csv(&out), &shop.truth);
    let summary: serde_json::Value = serde_json::from_str(&ended.out).expect("a summary");
    assert_eq!(
        (&summary["duplicates"], &summary["malformed_lines"], &summary["other_messages"]),
        (&bare.len().into(), &2.into(), &1.into())
    );
    let line = format!("shuffled.txt, line {}: ", all.len() + 1);
    assert!(ended.err.contains(&line), "{line} is missing in {}", ended.err);
}

#[test]
fn opening_hours_kinds_and_ids_narrow_a_table_and_what_is_missing_is_no_record() {
    let folder = Folder::new();
    let (lines, site, _) = some_days(&folder);
    let out = folder.path("out.csv");
    let narrow = [
        "--site",
        &site,
        "--windows",
        &lines,
        "--hours",
        "00:00-06:00",
        "--kind",
        "zone",
        "--id",
        "zone-01",
        "--out",
        &out,
    ];
    let rows = export(&[&["--from", "2026-10-24", "--to", "2026-10-27"], &narrow[..]].concat());
    assert!(rows.iter().all(|row| row["id"] == "zone-01" && row["kind"] == "zone" && row["name"] == "Shelf 1"));
    let visits: Vec<[&str; 4]> = rows
        .iter()
        .filter(|row| row["figure"] == "visits")
        .map(|row| ["day", "dur_s", "windows_expected", "state"].map(|column| row[column].as_str()))
        .collect();
    assert_eq!(visits[0], ["2026-10-24", "21600", "0", "no record"]);
    assert_eq!(visits[1][..3], ["2026-10-25", "25200", "28"], "the night has an hour more");
    assert_eq!(visits[2][..3], ["2026-10-26", "21600", "24"]);
    let exposure = rows.iter().find(|row| row["figure"] == "exposure" && row["day"] == "2026-10-25").expect("exposure");
    assert!(
        exposure["value"].parse::<f64>().is_ok_and(|share| share > 0.0),
        "doors are heard though they are not asked for"
    );
}

#[test]
fn two_periods_stand_side_by_side_and_unequal_coverage_is_said() {
    let folder = Folder::new();
    let (lines, site, _) = some_days(&folder);
    let out = folder.path("out.csv");
    let compared = [
        "--compare-from",
        "2026-10-26",
        "--compare-to",
        "2026-10-27T06:00",
        "--site",
        &site,
        "--windows",
        &lines,
        "--out",
        &out,
    ];
    let rows = export(&[&["--from", "2026-10-25", "--to", "2026-10-26"], &compared[..]].concat());
    let door = rows.iter().find(|row| row["id"] == "door-a" && row["figure"] == "in").expect("a door");
    let number = |column: &str| door[column].parse::<f64>().expect("a number");
    assert!((number("difference") - (number("value") - number("compare_value"))).abs() < 1e-9);
    let hours = number("told_ms") / 3_600_000.0;
    assert!((number("per_hour") - number("value") / hours).abs() < 1e-9);
    assert_eq!(door["comparable"], "per hour");
    let mean = rows.iter().find(|row| row["id"] == "zone-00" && row["figure"] == "dwell_mean_s").expect("a mean");
    assert_eq!((mean["comparable"].as_str(), mean["per_hour"].as_str()), ("yes", ""));
    assert!(rows.iter().any(|row| row["kind"] == "heat" && !row["cell"].is_empty() && !row["difference"].is_empty()));
}

#[test]
fn what_cannot_be_exported_is_refused_with_the_remedy_and_leaves_no_file() {
    let folder = Folder::new();
    let (lines, site, _) = some_days(&folder);
    let out = folder.path("out.csv");
    let cases: [(&[&str], &[&str]); 12] = [
        (
            &["--from", "yesterday", "--to", "2026-10-26", "--windows", &lines, "--site", &site],
            &["yesterday", "local date"],
        ),
        (&["--from", "2026-10-26", "--to", "2026-10-25", "--windows", &lines, "--site", &site], &["is empty"]),
        (
            &["--from", "2025-01-01", "--to", "2025-01-02", "--windows", &lines, "--site", &site],
            &["no window begins", "2026-10-25 00:00"],
        ),
        (&["--from", "2026-10-25", "--to", "2026-10-26", "--windows", &lines], &["--zone"]),
        (&["--from", "2026-10-25", "--to", "2026-10-26"], &["--site", "--windows"]),
        (
            &["--from", "2026-10-25", "--to", "2026-10-26", "--windows", &lines, "--zone", "Mars/Base"],
            &["Mars/Base", "Asia/Tokyo"],
        ),
        (
            &["--from", "2026-10-25", "--to", "2026-10-26", "--windows", &lines, "--site", &site, "--kind", "till"],
            &["--kind till"],
        ),
        (
            &["--from", "2026-10-25", "--to", "2026-10-26", "--windows", "/nowhere.jsonl", "--site", &site],
            &["/nowhere.jsonl"],
        ),
        (
            &["--from", "2026-10-25", "--to", "2026-10-26", "--windows", &lines, "--site", &site, "--hours", "9-5"],
            &["9-5", "10:00-21:00"],
        ),
        (
            &["--from", "2026-10-25", "--to", "2026-10-26", "--windows", &lines, "--site", &site, "--id", "zone-OO"],
            &["--id zone-OO", "there are:", "zone-00"],
        ),
        (
            &["--from", "2026-10-25", "--to", "2026-10-26", "--windows", &lines, "--site", &site, "--doors", "zone-00"],
            &["--doors zone-00", "there are: door-a, door-b"],
        ),
        (
            &["--from", "2026-10-25", "--to", "2026-10-26", "--windows", &lines, "--zone", "Asia/Tokyo", "--id", "a,b"],
            &["--id a"],
        ),
    ];
    for (arguments, naming) in cases {
        let ended = kehai(&[&["export", "--format", "csv", "--out", &out], arguments].concat());
        ended.must_be_refused(2, naming);
    }
    let nowhere = ["export", "--format", "csv", "--out", "/nowhere/out.csv", "--windows", &lines, "--site", &site];
    kehai(&[&nowhere[..], &DAYS].concat()).must_be_refused(2, &["/nowhere/out.csv"]);
    assert_eq!(folder.names(), ["lines.txt", "site.toml"]);
}

#[test]
fn what_is_no_ordinary_file_is_refused_and_stays_what_it_is() {
    let folder = Folder::new();
    let (lines, site, _) = some_days(&folder);
    // Whoever may write there would otherwise have a file in the place of a device.
    let (link, pipe) = (folder.path("link"), folder.path("pipe"));
    std::os::unix::fs::symlink("/dev/null", &link).expect("a link");
    let made = std::process::Command::new("mkfifo").arg(&pipe).status().expect("coreutils");
    assert!(made.success());
    for (out, naming) in [(&*link, "no ordinary file"), (&pipe, "no ordinary file"), ("-", "standard output")] {
        for format in ["csv", "parquet", "png"] {
            let export = ["export", "--format", format, "--out", out, "--windows", &lines, "--site", &site];
            kehai(&[&export[..], &DAYS].concat()).must_be_refused(2, &["--out", naming]);
        }
    }
    assert_eq!(folder.names(), ["lines.txt", "link", "pipe", "site.toml"]);
    assert!(std::fs::symlink_metadata(&link).expect("there").is_symlink());
}

#[test]
fn an_export_that_is_interrupted_leaves_nothing_behind() {
    let folder = Folder::new();
    let mut shop = shop("Europe/London", 4, 11);
    let lines = folder.write("lines.txt", shop.lines(FROM_S, FROM_S + 20 * 86_400));
    let site = folder.write("site.toml", &shop.site);
    for format in ["csv", "parquet"] {
        let out = folder.path(&format!("out.{format}"));
        let days = ["--from", "2026-10-25", "--to", "2026-11-14", "--by", "hour", "--format", format];
        let mut running =
            start(&[&["export", "--windows", &lines, "--site", &site, "--out", &out], &days[..]].concat(), &[]);
        while !Path::new(&format!("{out}.partial")).exists() {
            assert!(running.is_running(), "it begins a file");
            std::thread::sleep(GLANCE);
        }
        signal(running.id() as i32, libc::SIGINT);
        running.ended().must_be_refused(130, &["interrupted; nothing was written"]);
        assert_eq!(folder.names(), ["lines.txt", "site.toml"], "{format}");
    }
}

#[test]
fn the_help_names_every_column() {
    let folder = Folder::new();
    let (lines, site, _) = some_days(&folder);
    let out = folder.path("out.csv");
    let compared = [
        "--compare-from",
        "2026-10-26",
        "--compare-to",
        "2026-10-27",
        "--site",
        &site,
        "--windows",
        &lines,
        "--out",
        &out,
    ];
    let rows = export(&[&["--from", "2026-10-25", "--to", "2026-10-26"], &compared[..]].concat());
    let help = kehai(&["export", "--help"]).out;
    for column in rows[0].keys() {
        assert!(
            help.split(|letter: char| !letter.is_alphanumeric() && letter != '_').any(|word| word == column),
            "{column}"
        );
    }
}

#[test]
fn what_the_box_holds_is_exported_without_any_file() {
    let folder = Folder::new();
    let state = folder.path("state");
    let vault = Vault::open(Path::new(&state), Keeping::default(), Duration::ZERO).expect("new");
    let voice =
        Voice { topic_root: "kehai/v1".into(), boot: "b".into(), synchronised: true, retain_windows: true, sign: None };
    let composer = Composer::new(&site_with_a_door(), voice);
    (0..3).for_each(|index| vault.release(|seq| composer.window(seq, &closed(index))).expect("room"));
    let line = "[[line]]\nid = \"door\"\nends_px = [[10, 100], [300, 100]]\ninside_px = [150, 200]\n";
    let site = folder.write("site.toml", format!("{BARE}{line}[vault]\nfolder = \"{state}\"\n"));
    let out = folder.path("doors.csv");
    // Beside whoever holds the store.
    let days = ["--from", "2026-01-05", "--to", "2026-01-06", "--by", "total", "--format", "csv"];
    let ended = kehai(&[&["export", "--site", &site, "--out", &out], &days[..]].concat());
    assert_eq!(ended.code, Some(0), "{}", ended.err);
    let rows = read_csv(&out);
    let inward = rows.iter().find(|row| row["id"] == "door" && row["figure"] == "in").expect("a row");
    assert_eq!((inward["value"].as_str(), inward["windows"].as_str()), ("123", "3"), "40 + 41 + 42");
}
