//! I3: the mouth believes nothing that the configuration does not foresee.

use kehai::clock::UtcMs;
use kehai::config::Settings;
use kehai::gate::{Figures, ReleasedWindow};
use kehai::health::walls::Walls;
use kehai::health::{CameraReport, CameraState, EyeEvent, EyeEventCode, Ledger, NoAccelerator, Silence};
use kehai::units::Codec;
use kehai::wire::benched::BenchRound;
use kehai::wire::counters::Tick;
use kehai::wire::ready::Ready;
use kehai::wire::record::{Inbox, Outbox, RECORD_BYTES, Record, RecordError, Report};
use kehai::wire::sounding::Sounding;
use proptest::prelude::*;

use super::queue::QUEUE;
use super::world::{Walk, released, settings, settings_with};

fn crowd() -> Vec<Walk> {
    (0..7)
        .map(|person| Walk { from_m: [4.5, 3.5], to_m: [8.5, 7.5], first: person * 60, last: person * 60 + 50 })
        .collect()
}

/// Seven who stand in the queue for some seconds and go on to its counter, one after the other, then on for good.
fn queue() -> Vec<Walk> {
    let at = |from_m, to_m, first, last| Walk { from_m, to_m, first, last };
    let waiting = (0..7).map(|person| (320 + person * 70, 3.5 + 0.6 * f64::from(person)));
    let ways = waiting.flat_map(|(first, y_m)| {
        [at([8.0, y_m], [8.4, y_m], first, first + 30), at([8.5, y_m], [13.0, y_m], first + 31, first + 60)]
    });
    ways.collect()
}

/// A shop with an object of every kind.
fn whole_shop() -> Settings {
    settings_with(5, QUEUE)
}

/// The records of the first released window that is one of these.
fn records_of(which: impl Fn(&Figures) -> bool) -> Vec<Record> {
    let walks: Vec<Walk> = crowd().into_iter().chain(queue()).collect();
    let windows = released(&whole_shop(), &walks, 900, 200);
    Outbox::new(&whole_shop()).window(windows.iter().find(|window| which(window.figures())).expect("it is released"))
}

/// What the mouth makes of records when one word is changed by `change`, by index behind the coverage.
fn heard_with(mut records: Vec<Record>, index: usize, change: impl Fn(u32) -> u32) -> Result<(), RecordError> {
    let (record, at) = ((1 + index) / WORDS, HEADER_BYTES + 4 * ((1 + index) % WORDS));
    let bytes = &mut records[record][at..at + 4];
    let word = u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]);
    bytes.copy_from_slice(&change(word).to_le_bytes());
    let mut inbox = Inbox::new(&whole_shop());
    records.iter().try_for_each(|record| inbox.accept(record).map(|_| ()))
}

/// The index of the first word of a window behind the coverage that is not 0.
fn first_word(records: &[Record]) -> usize {
    let words = records.iter().flat_map(|record| record[HEADER_BYTES..].chunks_exact(4));
    words.skip(1).position(|word| word != [0; 4]).expect("something is released")
}

#[test]
fn what_the_eye_says_is_what_the_mouth_hears() {
    let settings = whole_shop();
    let (outbox, mut inbox) = (Outbox::new(&settings), Inbox::new(&settings));
    let walks: Vec<Walk> = crowd().into_iter().chain(queue()).collect();
    for window in released(&settings, &walks, 900, 200) {
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
        silence: Silence::OtherPicture,
        attempts: 8,
        offered: [160, 241],
        lacks_decoder: true,
        looks_milli: 4321,
        is_overloaded: true,
    };
    let tick = Tick { number: 12, media_ms: 60_001 };
    assert_eq!(inbox.accept(&outbox.camera(0, tick, &report)[0]), Ok(Some(Report::Camera(0, tick, report))));
    let ready = Ready { cpu_us: 345_678, is_locked: true, walls: Walls::ALL, lacks: Some(NoAccelerator::NotInRuntime) };
    assert_eq!(inbox.accept(&outbox.ready(&ready)[0]), Ok(Some(Report::Ready(ready))));
    let event = EyeEvent { code: EyeEventCode::ClipRefused, camera: 0, numbers: [-1, i32::MAX] };
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
fn a_queue_that_contradicts_itself_is_not_believed() {
    let queue = records_of(|figures| matches!(figures, Figures::Queue(Some(_))));
    assert_eq!(heard_with(queue.clone(), 0, |joined| joined), Ok(()));
    let impossible = Err(RecordError::Value { kind: queue[0][KIND_AT] });
    assert_eq!(heard_with(queue.clone(), 0, |_| 4), impossible, "fewer than k joined");
    assert_eq!(heard_with(queue.clone(), 1, |served| served + 1), impossible, "the histogram has one less");
    assert_eq!(heard_with(queue.clone(), 9, |_| 1000), impossible, "more waits over the target than waits");
    assert_eq!(heard_with(queue, 4, |_| 1000), impossible, "more are carried than ever waited");
}

#[test]
fn a_flow_longer_than_its_passages_is_not_believed() {
    let flow = records_of(|figures| matches!(figures, Figures::Flow(cells) if cells.iter().flatten().next().is_some()));
    let cell = first_word(&flow);
    let impossible = Err(RecordError::Value { kind: flow[0][KIND_AT] });
    assert_eq!(heard_with(flow.clone(), cell, |passages| passages), Ok(()));
    assert_eq!(heard_with(flow.clone(), cell, |_| 4), impossible);
    assert_eq!(heard_with(flow.clone(), cell + 1, |_| 1_000_000), impossible);
    assert_eq!(heard_with(flow, cell - 1, |_| 1), impossible, "a sum where nothing passed");
}

#[test]
fn transitions_of_fewer_than_k_are_not_believed() {
    let transitions =
        records_of(|figures| matches!(figures, Figures::Transitions(all) if all.pairs.iter().any(|pair| *pair > 0)));
    let nodes = whole_shop().places(0).len() + 1;
    let impossible = Err(RecordError::Value { kind: transitions[0][KIND_AT] });
    for index in 0..2 + nodes * nodes {
        assert_eq!(heard_with(transitions.clone(), index, |_| 4), impossible, "word {index}");
    }
    assert_eq!(heard_with(transitions.clone(), 2, |_| 5), Ok(()));
    assert_eq!(heard_with(transitions, 1 + nodes * nodes, |_| 5), impossible, "from elsewhere to elsewhere");
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
/// Words of a record.
const WORDS: usize = (RECORD_BYTES - HEADER_BYTES) / 4;
/// Where in the header the kind stands, and the start of the window.
const KIND_AT: usize = 8;
const START_AT: std::ops::Range<usize> = 16..24;
/// Where in the record of a zone its visits stand: behind coverage, flag, entries and exits.
const VISITS_AT: usize = HEADER_BYTES + 4 * 4;
