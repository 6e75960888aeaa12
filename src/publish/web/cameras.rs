//! How each camera fares right now, from the newest health report.
//!
//! In: the report. Out: HTML. Invariant: nothing here is finer than the report.

use serde_json::Value;

use super::html::{escaped, table};
use crate::wire::Message;

/// A table of the cameras; nothing before the first report.
#[must_use]
pub fn drawn(health: Option<&Message>) -> String {
    let Some(report) = health.and_then(|message| serde_json::from_slice::<Value>(&message.body).ok()) else {
        return String::new();
    };
    let cameras = report["cameras"].as_array().map_or(&[][..], Vec::as_slice);
    let rows: Vec<Vec<String>> = cameras.iter().map(row).collect();
    if rows.is_empty() {
        String::new()
    } else {
        format!("<h2>Cameras now</h2>{}", table("Cameras", &HEADS.map(str::to_owned), &rows))
    }
}

fn row(camera: &Value) -> Vec<String> {
    let state = camera["state"].as_str().unwrap_or_default();
    let is_overloaded = camera["overloaded"].as_bool().unwrap_or(false);
    let (class, words) = match state {
        "lost" => ("bad", "lost"),
        "seeing" if is_overloaded => ("bad", "seeing, overloaded"),
        "seeing" => ("good", "seeing"),
        _ => ("quiet", state),
    };
    let frames = &camera["frames"];
    vec![
        escaped(camera["id"].as_str().unwrap_or_default()),
        format!("<span class=\"{class}\">{}</span>", escaped(words)),
        looks(camera),
        format!("{:.1}", camera["fps_milli"].as_u64().unwrap_or(0) as f64 / 1000.0),
        frames[0].to_string(),
        frames[1].to_string(),
        frames[2].to_string(),
        frames[4].to_string(),
        camera["ignored"].to_string(),
        camera["motionless"].to_string(),
        camera["reconnects"].to_string(),
    ]
}

/// Looks per second a camera gets, of those it is due.
fn looks(camera: &Value) -> String {
    let rate = |name: &str| camera[name].as_u64().map(|milli| format!("{:.1}", milli as f64 / 1000.0));
    match [rate("looks_milli"), rate("looks_asked_milli")] {
        [Some(looks), Some(asked)] => format!("{looks} of {asked}"),
        [looks, _] => looks.unwrap_or_default(),
    }
}

const HEADS: [&str; 11] = [
    "camera",
    "state",
    "looks/s",
    "frames/s",
    "captured",
    "detected",
    "still",
    "overwritten",
    "ignored boxes",
    "motionless things",
    "reopened",
];
