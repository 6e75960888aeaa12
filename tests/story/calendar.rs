//! Where on the calendar a recording lies: it moves windows, never counts.

use super::sample::must_balance;
use crate::support::recording::{Played, SAMPLE_FRAMES, sample};
use crate::support::site::demo_path;

/// Every fifth frame, beginning at `start`.
fn replayed_from(start: &str) -> Played {
    let played = Played::replay(&sample(), &demo_path(), &["--every", "5", "--start", start]);
    played.ended.must_be_well();
    assert_eq!(must_balance(&played), SAMPLE_FRAMES);
    played
}

#[test]
fn a_recording_across_two_windows_counts_what_it_counts_in_one() {
    let whole = replayed_from("2026-01-05T10:00:00Z");
    let split = replayed_from("2026-01-05T10:59:00Z");
    for line in ["east-gate", "mid-path", "west-gate"] {
        assert_eq!(split.crossings(line), whole.crossings(line), "{line}");
    }
    assert_eq!((whole.lines().len(), split.lines().len()), (10, 20));
    let covered = |played: &Played| -> u64 {
        let windows = played.windows();
        windows.iter().filter(|window| window["id"] == "east-gate").filter_map(|window| window["cov_ms"].as_u64()).sum()
    };
    assert_eq!(covered(&split), covered(&whole));
    assert_eq!(whole.summary()["frames"]["skipped"], SAMPLE_FRAMES - 159, "every fifth of 795 frames is looked at");
}

#[test]
fn windows_lie_on_the_quarter_hours_of_the_start() {
    let windows = replayed_from("2030-06-15T23:50:30+09:00").windows();
    let spans: Vec<String> =
        windows.iter().map(|window| format!("{} {} {}", window["k"], window["ws"], window["dur"])).collect();
    let (count, path) = (r#""2030-06-15T14:45:00Z" 900"#, r#""2030-06-15T14:00:00Z" 3600"#);
    for span in spans {
        let expected =
            if ["\"heat\"", "\"flow\"", "\"od\""].iter().any(|kind| span.starts_with(kind)) { path } else { count };
        assert!(span.ends_with(expected), "{span}");
    }
}
