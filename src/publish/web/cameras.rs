//! How each camera fares right now, from the newest health report.
//!
//! In: the report. Out: HTML. Invariant: nothing here is finer than the report.

use serde_json::Value;

use super::html::{escaped, table};
use super::words::{self, CAMERA_HEADS, Language};
use crate::wire::Message;

/// A table of the cameras; nothing before the first report.
#[must_use]
pub fn drawn(health: Option<&Message>, names: impl Fn(&str) -> String, language: Language) -> String {
    let Some(report) = health.and_then(|message| serde_json::from_slice::<Value>(&message.body).ok()) else {
        return String::new();
    };
    let cameras = report["cameras"].as_array().map_or(&[][..], Vec::as_slice);
    let rows: Vec<Vec<String>> = cameras.iter().map(|camera| row(camera, &names, language)).collect();
    if rows.is_empty() {
        String::new()
    } else {
        let heads = CAMERA_HEADS.map(|head| head.of(language).to_owned());
        format!("<h2>{}</h2>{}", words::CAMERAS_NOW.of(language), table(words::CAMERAS.of(language), &heads, &rows))
    }
}

fn row(camera: &Value, names: impl Fn(&str) -> String, language: Language) -> Vec<String> {
    let state = camera["state"].as_str().unwrap_or_default();
    let is_overloaded = camera["overloaded"].as_bool().unwrap_or(false);
    let (class, words) = match state {
        "lost" => ("bad", words::LOST.of(language)),
        "seeing" if is_overloaded => ("bad", words::OVERLOADED.of(language)),
        "seeing" => ("good", words::SEEING.of(language)),
        "opening" => ("quiet", words::OPENING.of(language)),
        "ended" => ("quiet", words::ENDED.of(language)),
        _ => ("quiet", state),
    };
    let frames = &camera["frames"];
    vec![
        names(camera["id"].as_str().unwrap_or_default()),
        format!("<span class=\"{class}\">{}</span>", escaped(words)),
        looks(camera, language),
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
fn looks(camera: &Value, language: Language) -> String {
    let rate = |name: &str| camera[name].as_u64().map(|milli| format!("{:.1}", milli as f64 / 1000.0));
    match [rate("looks_milli"), rate("looks_asked_milli")] {
        [Some(looks), Some(asked)] => words::N_OF_M.with(language, &[&looks, &asked]),
        [looks, _] => looks.unwrap_or_default(),
    }
}
