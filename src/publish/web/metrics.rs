//! `GET /metrics`: how the box fares, as Prometheus reads it.
//!
//! In: the newest health report, rows by fate. Out: text in the exposition format 0.0.4. Invariant I10: nothing here is finer than
//! what the health report already says; whoever asks every second learns no more than who reads the report.

use std::fmt::Write as _;

use serde_json::Value;

use super::Page;

/// Everything there is to tell.
#[must_use]
pub fn text(page: &Page) -> String {
    let mut told = Told::default();
    let counts = page.vault.counts();
    told.one("build_info", "gauge", "Version that runs.", &[("version", env!("CARGO_PKG_VERSION"))], 1.0);
    told.plain("broker_connected", "gauge", "Whether the broker is there.", f64::from(u8::from(page.is_connected())));
    told.plain("windows_released_total", "counter", "Windows released.", counts.released as f64);
    told.plain("windows_delivered_total", "counter", "Windows the broker has acknowledged.", counts.done as f64);
    if let Ok((taken, allowed)) = page.vault.size() {
        told.plain("store_bytes", "gauge", "Bytes the store takes.", taken as f64);
        told.plain("store_bytes_allowed", "gauge", "Bytes the store may take.", allowed as f64);
    }
    let report = page.health.borrow().as_ref().and_then(|report| serde_json::from_slice::<Value>(&report.body).ok());
    if let Some(report) = report {
        told.node(&report);
        told.cameras(report["cameras"].as_array().map_or(&[], Vec::as_slice));
    }
    told.text
}

#[derive(Default)]
struct Told {
    text: String,
}

impl Told {
    fn node(&mut self, report: &Value) {
        let is_synchronised = f64::from(u8::from(report["clk"] == "sync"));
        self.plain("clock_synchronised", "gauge", "Whether the clock is synchronised.", is_synchronised);
        for (key, name, kind, help) in NODE {
            self.of(report, key, name, (kind, help, 1.0), &[]);
        }
    }

    fn cameras(&mut self, cameras: &[Value]) {
        let id = |camera: &Value| camera["id"].as_str().unwrap_or_default().to_owned();
        for camera in cameras {
            let is_seeing = f64::from(u8::from(camera["state"] == "seeing"));
            self.one("camera_up", "gauge", "Whether pictures arrive.", &[("camera", &id(camera))], is_seeing);
        }
        for camera in cameras {
            for (place, fate) in FATES.into_iter().enumerate() {
                let frames = camera["frames"][place].as_u64().unwrap_or(0) as f64;
                let labels = [("camera", id(camera)), ("fate", fate.to_owned())];
                let labels = [("camera", labels[0].1.as_str()), ("fate", labels[1].1.as_str())];
                self.one(
                    "camera_frames_total",
                    "counter",
                    "Frames by fate; captured is the sum of the others.",
                    &labels,
                    frames,
                );
            }
        }
        for (key, name, kind, help, scale) in CAMERA {
            for camera in cameras {
                self.of(camera, key, name, (kind, help, scale), &[("camera", &id(camera))]);
            }
        }
    }

    /// A member of a report, if it is there.
    fn of(
        &mut self,
        report: &Value,
        key: &str,
        name: &str,
        (kind, help, scale): (&str, &str, f64),
        labels: &[(&str, &str)],
    ) {
        let value = match &report[key] {
            Value::Bool(is) => Some(f64::from(u8::from(*is))),
            value => value.as_f64(),
        };
        if let Some(value) = value {
            self.one(name, kind, help, labels, value / scale);
        }
    }

    fn plain(&mut self, name: &str, kind: &str, help: &str, value: f64) {
        self.one(name, kind, help, &[], value);
    }

    /// A sample; its name is introduced where it comes first.
    fn one(&mut self, name: &str, kind: &str, help: &str, labels: &[(&str, &str)], value: f64) {
        let type_line = format!("# TYPE kehai_{name} {kind}\n");
        if !self.text.contains(&type_line) {
            // Writing to a text cannot fail.
            let _ = write!(self.text, "# HELP kehai_{name} {help}\n{type_line}");
        }
        let quoted = |text: &str| text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
        let labels: Vec<String> = labels.iter().map(|(key, value)| format!("{key}=\"{}\"", quoted(value))).collect();
        let labels = if labels.is_empty() { String::new() } else { format!("{{{}}}", labels.join(",")) };
        let _ = writeln!(self.text, "kehai_{name}{labels} {value}");
    }
}

/// Order of the frames of a camera in the report.
const FATES: [&str; 6] = ["captured", "detected", "still", "skipped", "overwritten", "failed"];

/// Members of a report: key, name, type, help.
const NODE: [(&str, &str, &str, &str); 6] = [
    ("uptime_s", "uptime_seconds", "gauge", "Seconds since the process started."),
    ("eye_starts", "eye_starts_total", "counter", "Starts of the process that sees pictures."),
    ("eye_disbelieved", "eye_disbelieved_total", "counter", "Times it was ended for saying what is not foreseen."),
    ("spool_waiting", "spool_waiting", "gauge", "Messages waiting for the broker."),
    ("spool_dropped", "spool_dropped_total", "counter", "Messages dropped because the spool was full."),
    ("refused", "spool_refused_total", "counter", "Messages the broker refused."),
];

/// Members of a camera: key, name, type, help, divisor.
const CAMERA: [(&str, &str, &str, &str, f64); 8] = [
    ("fps_milli", "camera_frames_per_second", "gauge", "Frames that arrive per second.", 1000.0),
    ("looks_milli", "camera_looks_per_second", "gauge", "Frames looked at per second.", 1000.0),
    ("looks_asked_milli", "camera_looks_due_per_second", "gauge", "Looks per second it is due.", 1000.0),
    ("overloaded", "camera_overloaded", "gauge", "Whether the box is too slow for its cameras.", 1.0),
    ("lag_ms", "camera_lag_seconds", "gauge", "Age of a frame when it was looked at, as the report tells it.", 1000.0),
    ("reconnects", "camera_reconnects_total", "counter", "Reopenings.", 1.0),
    ("ignored", "camera_ignored_boxes_total", "counter", "Boxes dropped where nobody counts.", 1.0),
    ("motionless", "camera_motionless_things", "gauge", "Things that have not moved and count as nobody.", 1.0),
];
