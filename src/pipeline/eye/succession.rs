//! One eye after another, as the mouth starts them: what the first has named, the second does not name anew.
//!
//! In: the demo's site and people who are ever new. No picture and no network is needed: ids are given where people are
//! counted.

use super::*;
use crate::config::site;
use crate::detect::Detection;
use crate::units::BoxPx;

const PICTURE: PictureSize = PictureSize { height: 576, width: 768 };

fn job() -> EyeJob {
    EyeJob {
        settings: site::parse(include_str!("../../../deploy/demo.toml"), "demo.toml")
            .expect("the demo's site")
            .settings,
        card: toml::from_str(include_str!("../../../models/nanodet-g.card.toml")).expect("a card"),
        model: "none".into(),
        runtime: "none".into(),
        feeds: Vec::new(),
        errand: Errand::Watch,
        walls: 0,
        proved: 0,
        twin: None,
        leaves_traces: false,
    }
}

/// Twelve people, others in every minute.
fn newcomers(frame: i64) -> Detections {
    let left = |who: i64| (who * 60) as f32;
    let place = |who| BoxPx { x1: left(who), y1: 200.0, x2: left(who) + 20.0, y2: 260.0 };
    let people = (0..12).map(|who| Detection { place: place(who), score: 0.95 }).collect();
    let (minute, quarter) = (frame / 4, frame % 4);
    let captured_at = CaptureTime(minute * 60_000_000_000 + quarter * 250_000_000);
    Detections { captured_at, picture: PICTURE, people }
}

#[test]
fn an_eye_that_replaces_another_gives_no_id_anew() {
    let job = job();
    let mut last = 0;
    for _ in 0..5 {
        let mut counting = Counting::new(&job, Timeline::starting_at(utc_now()));
        assert!(counting.opened(0, PICTURE).is_ok(), "the demo's picture");
        let mut given = Vec::new();
        for frame in 0..400 {
            let (_, tracks) = counting.follow(0, newcomers(frame)).expect("time moves on");
            given.extend(tracks.seen.iter().flat_map(|track| [track.id.0, track.counts_as.0]));
        }
        let (least, most) = (given.iter().min().copied(), given.iter().max().copied());
        assert!(least.is_some_and(|least| least > last), "{least:?} after {last}");
        assert!(most > least.map(|least| least + 1000), "{} sightings of ever new people", given.len());
        last = most.unwrap_or(last);
    }
}
