//! What a replay puts on the pipe, byte for byte of its budget: the sample, and two cameras of unequal length.

use kehai::clock::{Timeline, UtcMs};
use kehai::pipeline::{Feed, Origin};
use kehai::wire::record::budget::{Budget, replay_records};
use kehai::wire::record::ration::Errand;
use kehai::wire::record::{RECORD_BYTES, Report};
use serde_json::Value;

use crate::support::eye::{Eye, job, settings};
use crate::support::program::kehai;
use crate::support::recording::{SAMPLE_FRAMES, played, sample};
use crate::support::site::{demo_path, demo_with};

#[test]
fn the_sample_takes_the_bytes_that_its_length_and_its_site_foresee() {
    let pipe = &played().summary()["pipe"];
    let bytes = pipe["bytes"].as_u64().expect("bytes are a number");
    let settings = settings(&std::fs::read_to_string(demo_path()).expect("the demo's site"));
    // Seven pictures a second; the last one is where the recording ends.
    let media_ms = (SAMPLE_FRAMES as u32 - 1) * 1000 / 7;
    let records = replay_records(&settings, Timeline::starting_at(UtcMs(START_MS)), &[Some(media_ms)]);
    assert_eq!(bytes, (records * RECORD_BYTES) as u64);
    assert_eq!((&pipe["budget_bytes"], &pipe["records"]), (&bytes.into(), &records.into()));
}

/// The demo's camera and another one on the same floor, with a line of its own.
fn two_cameras() -> String {
    let demo = demo_with(&[]);
    let camera = demo.split("[[camera]]").nth(1).and_then(|rest| rest.split("[[line]]").next()).expect("a camera");
    let second = camera.replace("view-1", "view-2");
    let drawn = demo
        .replace("ends_px", "camera = \"view-1\"\nends_px")
        .replace("polygon_px = [[", "camera = \"view-1\"\npolygon_px = [[");
    let drawn = drawn.replace("# camera = \"view-1\"\n", "# ");
    let line =
        "[[line]]\nid = \"far\"\ncamera = \"view-2\"\nends_px = [[430, 170], [430, 410]]\ninside_px = [350, 300]\n";
    format!("{drawn}\n[[camera]]{second}\n{line}")
}

#[test]
fn two_cameras_of_unequal_length_take_the_bytes_that_both_foresee() {
    let settings = settings(&two_cameras());
    // Half a minute before a full hour: the longer recording sees two hours begin, the shorter one but one.
    let timeline = Timeline::starting_at(UtcMs(START_MS + 3_600_000 - 30_000));
    let feed = |camera, fps, every| {
        let origin = Origin::Recorded { path: sample().into(), fps: Some(fps), every, realtime: false };
        Feed { camera, origin, picture: None }
    };
    let feeds = vec![feed(0, 10.0, 20), feed(1, 40.0, 40)];
    let mut eye = Eye::start(&job(settings.clone(), feeds, Errand::Replay(timeline)));
    let mut media_ms = [None, None];
    loop {
        match eye.report().expect("it ends with a word").expect("it is believed") {
            Report::Camera(camera, tick, _) => media_ms[usize::from(camera)] = Some(tick.media_ms),
            Report::Event(event) => panic!("{event:?}"),
            Report::Ended => break,
            _ => {}
        }
    }
    // The last of 795 pictures that is looked at is the 780th or the 760th after the first.
    assert_eq!(media_ms, [Some(78_000), Some(19_000)]);
    let foreseen = replay_records(&settings, timeline, &media_ms);
    assert_eq!((eye.ration.records(), eye.ration.foreseen()), (foreseen, Some(foreseen)));
    eye.let_go();
    assert!(eye.report().is_none(), "nothing comes after the last word");
}

#[test]
fn the_doctor_prints_the_budget_line_by_line_and_the_lines_add_up() {
    let arguments = ["doctor", "--site", &demo_path()];
    let findings: Value = serde_json::from_str(&kehai(&[&arguments[..], &["--json"]].concat()).out).expect("JSON");
    let of = |what: &str| {
        let finding = findings.as_array().expect("a list").iter().find(|finding| finding["what"] == what);
        finding.and_then(|finding| finding["bytes"].as_u64()).unwrap_or_else(|| panic!("{what}: {findings}"))
    };
    let budget = Budget::of(&settings(&std::fs::read_to_string(demo_path()).expect("the demo's site")));
    assert_eq!(of("pipe: windows"), (budget.windows_per_hour * RECORD_BYTES) as u64);
    assert_eq!(of("pipe: counters"), (budget.counters_per_hour * RECORD_BYTES) as u64);
    assert_eq!(of("pipe: start and end"), (budget.per_eye * RECORD_BYTES) as u64);
    assert_eq!(of("pipe budget"), of("pipe: windows") + of("pipe: counters"));
    let text = kehai(&arguments).out;
    let hour = format!("{} bytes an hour and {} a start", of("pipe budget"), of("pipe: start and end"));
    assert!(text.contains(&hour) && text.contains("could leak"), "{text}");
}

/// Where the replay of the sample begins when nobody says otherwise.
const START_MS: i64 = 1_767_607_200_000;
