//! The story is the layout: what each part of the source may import (invariant I4).
//!
//! In: every `crate::` path of `src/`, test code included. A stage imports the one before it and what lies beneath;
//! each exception below has its reason.

use super::sources::{Named, Source, sources};

/// What one part of the source may import.
struct Row {
    /// Its stage file and folder below `src`, or the binary.
    part: &'static str,
    /// Parts it may import whole.
    may: &'static [&'static str],
    /// Single items it may import besides, each with the reason.
    except: &'static [(&'static str, &'static str)],
}

const BENEATH: [&str; 5] = ["units", "clock", "health", "config", "switch"];
/// Those who join the stages may import every one of them.
const EVERYTHING: &[&str] = &["*"];

const TABLE: [Row; 22] = [
    beneath("units", &[]),
    beneath("clock", &[]),
    beneath("health", &["clock"]),
    beneath("config", &["units", "clock"]),
    beneath("switch", &["config", "clock"]),
    stage("capture", &[], &[]),
    stage("detect", &["capture"], &[]),
    stage("track", &["detect"], &[]),
    stage("floor", &["track"], &[]),
    stage("measure", &["floor"], &[("track::TrackId", "the id travels with the step")]),
    stage("gate", &["measure"], &[]),
    stage(
        "wire",
        &["gate"],
        &[
            ("measure::dwell::DWELL_CLASSES", "the number of histogram classes is part of the payload"),
            ("floor::visible_cells", "which cells a heat record holds follows from the settings"),
            ("floor::cell_middle", "geometry of the retained meta payload"),
            ("floor::residual_mm", "geometry of the retained meta payload"),
            ("floor::on_floor_mm", "geometry of the retained meta payload"),
        ],
    ),
    stage("vault", &["wire"], &[]),
    stage("publish", &["vault", "wire"], &[]),
    stage("sandbox", EVERYTHING, &[]),
    stage("pipeline", EVERYTHING, &[]),
    stage("cli", EVERYTHING, &[]),
    stage("lib", EVERYTHING, &[]),
    beneath("main", &["cli", "pipeline"]),
    beneath("bin", &["cli", "pipeline"]),
    stage(
        "notice",
        &["wire"],
        &[
            ("floor::visible_cells", "the plan of the covered area shows what cameras see"),
            ("floor::on_floor_mm", "the plan of the covered area shows what is drawn on it"),
        ],
    ),
    stage("forensics", &["capture", "detect"], &[]),
];

const fn stage(
    part: &'static str,
    may: &'static [&'static str],
    except: &'static [(&'static str, &'static str)],
) -> Row {
    Row { part, may, except }
}

/// What lies beneath the stages, or above them, has no `BENEATH` of its own.
const fn beneath(part: &'static str, may: &'static [&'static str]) -> Row {
    Row { part, may, except: &[] }
}

impl Row {
    fn allows(&self, path: &[String]) -> bool {
        let Some(target) = path.first() else { return self.part == "lib" };
        let whole = |part: &&str| *part == target || (*part == "*" && target != "*");
        let excepted = |(item, _): &(&str, &str)| *item == path.join("::");
        target == self.part || self.whole().iter().any(whole) || self.except.iter().any(excepted)
    }

    fn whole(&self) -> Vec<&'static str> {
        let alone = BENEATH.contains(&self.part) || matches!(self.part, "main" | "bin");
        let beneath: &[&str] = if alone { &[] } else { &BENEATH };
        self.may.iter().chain(beneath).copied().collect()
    }

    fn in_words(&self) -> String {
        let items = self.except.iter().map(|(item, _)| *item);
        let all: Vec<&str> = self.whole().into_iter().chain(items).collect();
        if all.is_empty() { "nothing".into() } else { all.join(", ") }
    }
}

fn faults(source: &Source) -> Vec<String> {
    let Some(row) = TABLE.iter().find(|row| row.part == source.stage()) else {
        return vec![format!("{}: not a part of the story; give it a row in tests/tidy/imports.rs", source.path)];
    };
    let fault = |named: Named| {
        let place = format!("{}:{}", source.path, named.line);
        let path = named.path.join("::");
        let foreign = named.path.first().is_none_or(|target| target != row.part);
        if !row.allows(&named.path) {
            let path = if path.is_empty() { "the whole crate" } else { &path };
            return Some(format!("{place} imports {path}; the story only allows {}", row.in_words()));
        }
        let laundered = named.handed_on && foreign && row.part != "lib";
        laundered.then(|| format!("{place} hands {path} on; a stage re-exports only its own parts"))
    };
    source.named().into_iter().filter_map(fault).collect()
}

#[test]
fn a_stage_imports_only_the_one_before_it_and_what_lies_beneath() {
    let faults: Vec<String> = sources("src").iter().flat_map(faults).collect();
    assert!(faults.is_empty(), "\n{}\n", faults.join("\n"));
}

#[test]
fn the_import_table_names_what_it_finds() {
    let judged = |path: &str, text: &str| faults(&Source { path: path.into(), text: text.into() }).len();
    assert_eq!(judged("src/gate/noise.rs", "use crate::measure::Window; use crate::units::BoxPx;"), 0);
    assert_eq!(judged("src/gate/noise.rs", "use crate::{track::Track, capture::Frame};"), 2);
    assert_eq!(judged("src/measure.rs", "use crate::track::{TrackId, Track};"), 1, "an exception is one item");
    assert_eq!(judged("src/units.rs", "use super::clock::UtcMs;"), 1);
    assert_eq!(judged("src/gate.rs", "pub use crate::measure::Window;"), 1, "re-exports launder");
    assert_eq!(judged("src/gate.rs", "use crate::*;"), 1);
    assert_eq!(judged("src/helper.rs", ""), 1);
}
