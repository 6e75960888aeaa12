//! The sample clip as several cameras at once: what a box is said to sustain, and what that rests on.

use serde_json::Value;

use crate::support::folder::Folder;
use crate::support::program::kehai;
use crate::support::recording::sample;
use crate::support::site::demo_path;

fn number(of: &Value, key: &str) -> f64 {
    of[key].as_f64().unwrap_or_else(|| panic!("{key} is a number in {of}"))
}

/// The parts of a map of costs, added up.
fn sum(of: &Value) -> f64 {
    of.as_object().expect("costs by stage").values().filter_map(Value::as_f64).sum()
}

fn must_be_sane(step: &Value) {
    let (slowest, middle) = (number(step, "looks_per_s_min"), number(step, "looks_per_s_median"));
    assert!(slowest > 0.0 && slowest <= middle && middle < 7.5, "five looks a second were asked for: {step}");
    let (age, age_p99) = (number(step, "age_ms_p50"), number(step, "age_ms_p99"));
    assert!(age > 1.0 && age <= age_p99, "no network answers within a millisecond: {step}");
    assert!((0.0..=1.0).contains(&number(step, "share_overwritten")), "{step}");
    let cameras = number(step, "cameras");
    let per_s = sum(&step["camera_cpu_ms_per_s"]) * cameras;
    assert!((per_s / number(step, "cpu_ms_per_s") - 1.0).abs() < 0.05, "all stages make the whole: {step}");
    for stage in ["capture", "letterbox", "inference", "decode", "measure"] {
        assert!(number(&step["look_cpu_ms"], stage) > 0.0, "{stage}: {step}");
    }
    let (peak, end) = (number(step, "rss_peak_mb"), number(step, "rss_end_mb"));
    assert!(end > 20.0 && end <= peak && peak < 500.0, "{step}");
    let is_sustained = slowest >= 4.75 && number(step, "share_overwritten") < 0.01;
    assert_eq!(step["is_sustained"], is_sustained, "{step}");
}

#[test]
fn what_a_box_sustains_rests_on_every_number_of_cameras_that_was_tried() {
    let folder = Folder::new();
    let (clip, site, picture) = (sample(), demo_path(), folder.path("bench.png"));
    let arguments = ["bench", &clip, "--model", "nanodet-g", "--site", &site, "--cameras", "2", "--seconds", "2"];
    let ended = kehai(&[&arguments[..], &["--json", "--picture", &picture]].concat());
    ended.must_be_well();
    let outcome: Value = serde_json::from_str(&ended.out).expect("one JSON object");
    assert_eq!((number(&outcome, "cameras_asked"), number(&outcome, "looks_per_s")), (2.0, 5.0));
    assert!(outcome["sustained_means"].as_str().is_some_and(|means| means.contains("95 %") && means.contains("1 %")));
    let steps = outcome["steps"].as_array().expect("a list");
    steps.iter().for_each(must_be_sane);
    let tried: Vec<f64> = steps.iter().map(|step| number(step, "cameras")).collect();
    let sustained = steps.iter().filter(|step| step["is_sustained"] == true);
    let most = sustained.map(|step| number(step, "cameras")).fold(0.0, f64::max);
    assert_eq!(number(&outcome, "cameras_sustained"), most);
    assert!(tried == [1.0, 2.0] || (tried == [1.0] && most == 0.0), "{tried:?}");
    assert_eq!(number(&outcome, "rss_first_camera_mb"), number(&steps[0], "rss_peak_mb"));
    let drawn = image::open(&picture).expect("a picture");
    assert!(drawn.width() >= 800 && drawn.to_rgb8().pixels().any(|pixel| pixel.0 != [255; 3]));
    assert_eq!(folder.names(), ["bench.png"], "nothing half done stays behind");
}
