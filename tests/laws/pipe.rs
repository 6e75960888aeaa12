//! I3: the mouth believes nothing that the configuration does not foresee.

use kehai::clock::UtcMs;
use kehai::gate::{Figures, ReleasedWindow};
use kehai::health::{CameraReport, CameraState, EyeEvent, EyeEventCode, Ledger, Silence};
use kehai::units::Codec;
use kehai::wire::benched::BenchRound;
use kehai::wire::record::{Inbox, Outbox, RECORD_BYTES, RecordError, Report};
use kehai::wire::sounding::Sounding;
use proptest::prelude::*;

use super::world::{Walk, released, settings};

fn crowd() -> Vec<Walk> {
    (0..7)
        .map(|person| Walk { from_m: [4.5, 3.5], to_m: [8.5, 7.5], first: person * 60, last: person * 60 + 50 })
        .collect()
}

#[test]
fn what_the_eye_says_is_what_the_mouth_hears() {
    let settings = settings(5);
    let (outbox, mut inbox) = (Outbox::new(&settings), Inbox::new(&settings));
    for window in released(&settings, &crowd(), 900, 200) {
        let reports: Vec<Report> =
            outbox.window(&window).iter().filter_map(|record| inbox.accept(record).expect("foreseen")).collect();
        let [Report::Window(arrived)] = &reports[..] else { panic!("one window, not {reports:?}") };
        assert_eq!(
            (&arrived.object, &arrived.span, &arrived.figures),
            (&window.object(), &window.span(), window.figures())
        );
    }
    let ledger = Ledger { captured: u64::MAX, detected: 5, still: 4, skipped: 3, overwritten: 2, failed: 1 };
    let report = CameraReport {
        ledger,
        state: CameraState::Lost,
        reconnects: 9,
        width: 1920,
        height: 1080,
        lag_ms: 77,
        ignored: u64::MAX - 1,
        motionless: 6,
    };
    assert_eq!(inbox.accept(&outbox.camera(0, &report)[0]), Ok(Some(Report::Camera(0, report))));
    let event = EyeEvent { code: EyeEventCode::CameraLost, camera: 0, numbers: [-1, i32::MAX] };
    assert_eq!(inbox.accept(&outbox.event(&event)[0]), Ok(Some(Report::Event(event))));
    let round = BenchRound {
        frames: 795,
        overwritten: 3,
        cpu_ns: i64::MAX,
        wall_ns: 6,
        stages_ns: [1, 2, 3, 4, 5, 6],
        age_us: [7, 8],
        rss_kb: [10, 9],
    };
    assert_eq!(inbox.accept(&outbox.bench(&round)[0]), Ok(Some(Report::Bench(round))));
    let sounding = Sounding {
        silence: Silence::BrokeOff,
        codec: Codec::H265,
        width: 1920,
        height: 1080,
        frames: 125,
        span_ms: 4960,
        gap_ms_max: 80,
        first_ms: 410,
        claimed_fps_milli: 25_000,
    };
    assert_eq!(inbox.accept(&outbox.sounding(0, &sounding)[0]), Ok(Some(Report::Sounding(0, sounding))));
}

#[test]
fn a_window_said_twice_is_not_believed() {
    let settings = settings(5);
    let (outbox, mut inbox) = (Outbox::new(&settings), Inbox::new(&settings));
    let windows = released(&settings, &[], 900, 200);
    let records = outbox.window(&windows[0]);
    assert!(inbox.accept(&records[0]).is_ok());
    assert!(matches!(inbox.accept(&records[0]), Err(RecordError::Calendar { .. })));
}

#[test]
fn an_eye_under_another_configuration_is_not_believed() {
    let (tight, loose) = (settings(9), settings(5));
    let windows = released(&loose, &[], 900, 200);
    let record = Outbox::new(&loose).window(&windows[0])[0];
    assert!(matches!(Inbox::new(&tight).accept(&record), Err(RecordError::Configuration { .. })));
}

#[test]
fn what_was_over_before_the_eye_began_is_not_believed() {
    let settings = settings(5);
    let windows = released(&settings, &[], 900, 200);
    let (record, span) = (Outbox::new(&settings).window(&windows[0])[0], windows[0].span());
    let mut inbox = Inbox::new(&settings);
    inbox.begin_again(UtcMs(span.end_s() * 1000));
    assert!(matches!(inbox.accept(&record), Err(RecordError::Calendar { .. })));
    inbox.begin_again(UtcMs(span.end_s() * 1000 - 1));
    assert!(inbox.accept(&record).is_ok());
}

#[test]
fn what_an_earlier_eye_has_released_is_passed_over() {
    let settings = settings(5);
    let windows = released(&settings, &[], 900, 200);
    let record = Outbox::new(&settings).window(&windows[0])[0];
    let mut inbox = Inbox::new(&settings);
    assert!(matches!(inbox.accept(&record), Ok(Some(Report::Window(_)))));
    inbox.begin_again(UtcMs(windows[0].span().start_s * 1000));
    assert_eq!(inbox.accept(&record), Ok(None), "the clock was set back");
    assert!(matches!(inbox.accept(&record), Err(RecordError::Calendar { .. })), "one eye says it once");
}

#[test]
fn a_figure_of_fewer_than_k_is_not_believed() {
    let settings = settings(5);
    let windows = released(&settings, &crowd(), 900, 200);
    let is_full = |window: &&ReleasedWindow| matches!(window.figures(), Figures::Zone(Some(_)));
    let mut record = Outbox::new(&settings).window(windows.iter().find(is_full).expect("seven came by"))[0];
    assert!(record[VISITS_AT] >= 5);
    assert!(Inbox::new(&settings).accept(&record).is_ok());
    record[VISITS_AT] = 4;
    assert_eq!(Inbox::new(&settings).accept(&record), Err(RecordError::Value { kind: record[KIND_AT] }));
}

#[test]
fn parts_out_of_order_are_not_believed() {
    let settings = settings(5);
    let windows = released(&settings, &crowd(), 900, 200);
    let heat = windows
        .iter()
        .map(|window| Outbox::new(&settings).window(window))
        .find(|records| records.len() > 2)
        .expect("a heatmap has parts");
    let mut inbox = Inbox::new(&settings);
    assert_eq!(inbox.accept(&heat[0]), Ok(None));
    assert!(matches!(inbox.accept(&heat[2]), Err(RecordError::OutOfOrder { .. })));
}

proptest! {
    #[test]
    fn noise_on_the_pipe_is_refused_and_never_panics(bytes in prop::collection::vec(any::<u8>(), RECORD_BYTES)) {
        let record: [u8; RECORD_BYTES] = bytes.try_into().expect("as many as asked for");
        prop_assert!(Inbox::new(&settings(5)).accept(&record).is_err());
    }
}

#[test]
fn a_changed_header_is_refused_or_says_something_else() {
    let settings = settings(5);
    let windows = released(&settings, &[], 900, 200);
    let whole = Outbox::new(&settings).window(&windows[0])[0];
    let said = Inbox::new(&settings).accept(&whole);
    for (at, by) in (0..HEADER_BYTES).flat_map(|at| (1..=u8::MAX).map(move |by| (at, by))) {
        let mut record = whole;
        record[at] ^= by;
        let outcome = Inbox::new(&settings).accept(&record);
        // An empty zone in place of an empty line, or another whole quarter hour, is foreseen as well.
        let is_foreseen = at == KIND_AT || START_AT.contains(&at);
        assert!(if is_foreseen { outcome != said } else { outcome.is_err() }, "byte {at} changed by {by}");
    }
}

const HEADER_BYTES: usize = 32;
/// Where in the header the kind stands, and the start of the window.
const KIND_AT: usize = 8;
const START_AT: std::ops::Range<usize> = 16..24;
/// Where in the record of a zone its visits stand: behind coverage, flag, entries and exits.
const VISITS_AT: usize = HEADER_BYTES + 4 * 4;
