//! The benchmark of many cameras in words: the answer first, then what it rests on.
//!
//! In: an [`Outcome`]. Out: lines on standard output, each figure with its unit.

use std::collections::BTreeMap;

use super::cameras::Outcome;
use super::steps::{Step, parts};
use crate::cli::output::say;

impl Outcome {
    /// Prints everything.
    pub fn print(&self) {
        let Self { cameras_asked, cameras_sustained, looks_per_s, seconds, workers, cores, .. } = self;
        say(&format!("{} through {}, {looks_per_s} looks per second and camera", self.clip, self.model));
        let others = self.others();
        say(&format!("{seconds} s for each number of cameras, {workers} detect worker(s), {cores} core(s){others}"));
        say(&format!("sustained: {cameras_sustained} of {cameras_asked} cameras"));
        say(&format!("  which means: {}", self.sustained_means));
        say("");
        say(
            "cameras  sustained  looks/s min  median  overwritten  age p50 ms  p99 ms  CPU cores  others  memory peak MB  at the end MB",
        );
        self.steps.iter().for_each(|step| say(&step.in_words()));
        say("");
        say("CPU of one camera, ms per second (1000 is one core)");
        self.table(|step| &step.camera_cpu_ms_per_s);
        say("");
        say("CPU of one look, ms");
        self.table(|step| &step.look_cpu_ms);
        say("");
        say(
            "capture: reading and decoding the stream, drawing what the network sees; letterbox: its input; decode: its",
        );
        say(
            "output to boxes; measure: tracks and windows; rest: what no stage has booked. Age: from when a picture was due",
        );
        say(
            "at the camera to its detections. The clip is read from a file: the packets of a network are not in the figures.",
        );
        let further = match self.rss_further_camera_mb {
            Some(mb) => format!(", {mb:.1} MB more with each further one"),
            None => String::new(),
        };
        say(&format!("memory of the eye: {:.1} MB with one camera{further}", self.rss_first_camera_mb));
    }

    /// One line for every number of cameras, one column for every stage.
    fn table(&self, of: impl Fn(&Step) -> &BTreeMap<&'static str, f64>) {
        let names: String = parts().map(|part| format!("  {part:>9}")).collect();
        say(&format!("cameras{names}        sum"));
        for step in &self.steps {
            let costs = of(step);
            let each: String =
                parts().map(|part| format!("  {:>9.2}", costs.get(part).copied().unwrap_or(0.0))).collect();
            say(&format!("{:>7}{each}  {:>9.2}", step.cameras, costs.values().sum::<f64>()));
        }
    }
}

impl Step {
    fn in_words(&self) -> String {
        format!(
            "{:>7}  {:<9}  {:>11.2}  {:>6.2}  {:>9.2} %  {:>10.1}  {:>6.1}  {:>9.3}  {:>6}  {:>14.1}  {:>13.1}",
            self.cameras,
            if self.is_sustained { "yes" } else { "no" },
            self.looks_per_s_min,
            self.looks_per_s_median,
            self.share_overwritten * 100.0,
            self.age_ms_p50,
            self.age_ms_p99,
            self.cpu_ms_per_s / 1000.0,
            self.others_cpu_cores.map_or_else(|| "?".to_owned(), |cores| format!("{cores:.2}")),
            self.rss_peak_mb,
            self.rss_end_mb
        )
    }
}
