//! I3: the mouth takes no record before it is due, none that belongs to another errand, and no counter that runs backwards.

use kehai::clock::{Timeline, UtcMs, WindowSpan};
use kehai::config::Settings;
use kehai::gate::{Figures, Object};
use kehai::health::{CameraReport, CameraState, EyeEvent, EyeEventCode, Ledger, Silence};
use kehai::wire::benched::BenchRound;
use kehai::wire::counters::Tick;
use kehai::wire::ready::Ready;
use kehai::wire::record::budget::{Budget, COUNTERS_MS, LEAD, lead, replay_records};
use kehai::wire::record::ration::{Errand, Ration};
use kehai::wire::record::{ArrivedWindow, RecordError, Report};
use kehai::wire::sounding::Sounding;
use proptest::prelude::*;

use super::world::settings;

/// An eye that has begun at the zero of the clock and was heard to be ready.
fn ready(errand: Errand) -> Ration {
    let mut ration = Ration::new(&settings(5), errand, [0], 0);
    assert_eq!(ration.judge(&Report::Ready(Ready::default()), 0), Ok(()));
    ration
}

/// A camera after so many frames, all of them detected.
fn seeing(captured: u64) -> CameraReport {
    let ledger = Ledger { captured, detected: captured, ..Ledger::default() };
    CameraReport { ledger, state: CameraState::Seeing, width: 320, height: 240, ..CameraReport::unseen() }
}

fn counters(number: u32, report: CameraReport) -> Report {
    Report::Camera(0, Tick { number, media_ms: 0 }, report)
}

fn replayed(number: u32, media_ms: u32, state: CameraState) -> Report {
    Report::Camera(0, Tick { number, media_ms }, CameraReport { state, ..seeing(1) })
}

/// An empty quarter hour of the line or the zone.
fn quarter(object: Object, start_s: i64) -> Report {
    let figures = match object {
        Object::Line(_) => Figures::Line { inward: 0, outward: 0, uncertain: 0 },
        _ => Figures::Zone(None),
    };
    Report::Window(ArrivedWindow { object, span: WindowSpan { start_s, dur_s: 900 }, cov_ms: 0, figures })
}

#[test]
fn the_first_word_comes_first_and_once() {
    let mut ration = Ration::new(&settings(5), Errand::Watch, [0], 0);
    assert_eq!(ration.judge(&counters(1, seeing(0)), S), Err(RecordError::Order));
    assert_eq!(ration.judge(&Report::Ready(Ready::default()), S), Ok(()));
    assert_eq!(ration.judge(&Report::Ready(Ready::default()), S), Err(RecordError::Order));
    let refused = Report::Event(EyeEvent::of(EyeEventCode::ModelRefused));
    assert_eq!(Ration::new(&settings(5), Errand::Watch, [0], 0).judge(&refused, S), Ok(()));
}

proptest! {
    #[test]
    fn counters_never_run_further_ahead_of_the_clock_than_the_lead(waits_ms in prop::collection::vec(0u32..9000, 1..200)) {
        let (mut ration, mut now_ms, mut told) = (ready(Errand::Watch), 0, 0);
        for wait_ms in waits_ms {
            now_ms += wait_ms;
            let outcome = ration.judge(&counters(told + 1, seeing(0)), i64::from(now_ms) * MS);
            prop_assert_eq!(outcome.is_ok(), u64::from(told) < u64::from(now_ms / COUNTERS_MS) + lead(u64::from(now_ms / COUNTERS_MS)));
            told += u32::from(outcome.is_ok());
        }
    }
}

#[test]
fn counters_are_numbered_without_gaps() {
    let mut ration = ready(Errand::Watch);
    assert_eq!(ration.judge(&counters(1, seeing(0)), S), Ok(()));
    for number in [0, 1, 3, u32::MAX] {
        let expected = Err(RecordError::Number { camera: 0, found: number, expected: 2 });
        assert_eq!(ration.judge(&counters(number, seeing(0)), S), expected);
    }
}

#[test]
fn a_camera_that_nobody_feeds_has_no_counters() {
    let mut ration = Ration::new(&settings(5), Errand::Watch, [], 0);
    assert_eq!(ration.judge(&Report::Ready(Ready::default()), S), Ok(()));
    assert_eq!(ration.judge(&counters(1, seeing(0)), S), Err(RecordError::Errand));
}

#[test]
fn counters_that_no_camera_can_have_are_not_believed() {
    let before = CameraReport { reconnects: 2, ignored: 9, ..seeing(100) };
    type Change = fn(&mut CameraReport);
    let changes: [Change; 15] = [
        |report| report.ledger = Ledger { captured: 99, detected: 99, ..Ledger::default() },
        |report| report.ledger.captured += 1,
        |report| report.ledger.still = 1,
        |report| report.ledger = Ledger { captured: 10_000_000, detected: 10_000_000, ..Ledger::default() },
        |report| report.ledger.skipped = u64::MAX,
        |report| report.reconnects = 1,
        |report| report.reconnects = 1_000_000,
        |report| report.ignored = 8,
        |report| report.ignored = u64::MAX,
        |report| report.attempts = 1_000_000,
        |report| report.width = 321,
        |report| report.offered = [1 << 20, 240],
        |report| report.lag_ms = u32::MAX,
        |report| report.looks_milli = u32::MAX,
        |report| report.motionless = u32::MAX,
    ];
    for (index, change) in changes.into_iter().enumerate() {
        let (mut ration, mut now) = (ready(Errand::Watch), before);
        assert_eq!(ration.judge(&counters(1, before), S), Ok(()));
        change(&mut now);
        let outcome = ration.judge(&counters(2, now), 2 * S);
        assert_eq!(outcome, Err(RecordError::Counters { camera: 0 }), "change {index}");
        assert_eq!(ration.judge(&counters(2, before), 2 * S), Ok(()), "change {index}");
    }
    let mut ration = ready(Errand::Watch);
    let with_media = Report::Camera(0, Tick { number: 1, media_ms: 1 }, before);
    assert_eq!(ration.judge(&with_media, S), Err(RecordError::Counters { camera: 0 }), "a shop has no media time");
}

#[test]
fn figures_of_another_errand_are_not_believed() {
    let (round, sounding) =
        (Report::Bench(BenchRound::default()), Report::Sounding(0, Sounding::silent(Silence::Busy)));
    for report in [&round, &sounding] {
        assert_eq!(ready(Errand::Watch).judge(report, S), Err(RecordError::Errand));
    }
    let window = quarter(Object::Line(0), START_S);
    for errand in [Errand::Bench(1), Errand::BenchLive(1)] {
        assert_eq!(ready(errand).judge(&window, S), Err(RecordError::Errand));
    }
    assert_eq!(ready(Errand::Bench(1)).judge(&counters(1, seeing(0)), S), Err(RecordError::Errand));
}

#[test]
fn a_benchmark_and_a_sounding_have_as_many_records_as_were_asked_for() {
    let round = Report::Bench(BenchRound::default());
    let mut bench = ready(Errand::Bench(2));
    let outcomes: Vec<bool> = (0..5).map(|_| bench.judge(&round, S).is_ok()).collect();
    assert_eq!(outcomes, [true, true, true, true, false]);
    let mut live = ready(Errand::BenchLive(5));
    assert_eq!([live.judge(&round, S).is_ok(), live.judge(&round, S).is_ok()], [true, false]);
    let mut probe = Ration::new(&settings(5), Errand::Probe(1), [0], 0);
    let sounding = Report::Sounding(0, Sounding::silent(Silence::Busy));
    assert_eq!([probe.judge(&sounding, S).is_ok(), probe.judge(&sounding, S).is_ok()], [true, false]);
    assert_eq!(probe.judge(&Report::Ready(Ready::default()), S), Err(RecordError::Order));
}

#[test]
fn counters_of_a_replay_follow_its_media_time() {
    let mut ration = ready(Errand::Replay(timeline()));
    let (seeing, over) = (CameraState::Seeing, CameraState::Ended);
    assert_eq!(ration.judge(&replayed(1, 0, seeing), 0), Ok(()));
    let early = Err(RecordError::TooMany { camera: 0, number: 2, foreseen: 1 });
    assert_eq!(ration.judge(&replayed(2, COUNTERS_MS - 1, seeing), 0), early);
    assert_eq!(ration.judge(&replayed(2, COUNTERS_MS, seeing), 0), Ok(()));
    assert!(ration.judge(&replayed(3, COUNTERS_MS - 1, seeing), 0).is_err(), "media time runs backwards");
    assert_eq!(ration.judge(&replayed(3, COUNTERS_MS, over), 0), Ok(()));
    assert!(ration.judge(&replayed(4, 9 * COUNTERS_MS, over), 0).is_err(), "it was over");
}

#[test]
fn media_time_does_not_pass_a_window_that_was_not_told() {
    let mut ration = ready(Errand::Replay(timeline()));
    let later = replayed(1, 901_000, CameraState::Seeing);
    let unbelieved = Err(RecordError::Counters { camera: 0 });
    assert_eq!(ration.judge(&later, 0), unbelieved);
    assert_eq!(ration.judge(&quarter(Object::Line(0), START_S), 0), Ok(()));
    assert_eq!(ration.judge(&later, 0), unbelieved, "the zone's is missing");
    assert_eq!(ration.judge(&quarter(Object::Zone(0), START_S), 0), Ok(()));
    assert_eq!(ration.judge(&later, 0), Ok(()));
}

#[test]
fn a_replay_that_ends_with_fewer_records_than_its_length_has_is_not_believed() {
    let mut ration = ready(Errand::Replay(timeline()));
    assert_eq!(ration.judge(&replayed(1, 0, CameraState::Ended), 0), Ok(()));
    (0..3).for_each(|_| ration.read());
    let foreseen = replay_records(&settings(5), timeline(), &[Some(0)]);
    assert_eq!(ration.judge(&Report::Ended, 0), Err(RecordError::Budget { read: 3, foreseen }));
    (3..foreseen).for_each(|_| ration.read());
    assert_eq!(ration.judge(&Report::Ended, 0), Ok(()));
}

#[test]
fn an_eye_that_leaves_out_a_camera_is_overdue() {
    let mut ration = ready(Errand::Watch);
    assert!(!ration.is_overdue(15 * S, 15 * S, 60 * S));
    assert!(ration.is_overdue(15 * S + 1, 15 * S, 60 * S));
    assert_eq!(ration.judge(&counters(1, seeing(0)), 15 * S), Ok(()));
    assert!(!ration.is_overdue(30 * S, 15 * S, 60 * S));
    let unready = Ration::new(&settings(5), Errand::Watch, [0], 0);
    assert_eq!([60 * S, 60 * S + 1].map(|now_ns| unready.is_overdue(now_ns, 15 * S, 60 * S)), [false, true]);
}

#[test]
fn an_hour_has_the_records_that_the_budget_names() {
    let settings: Settings = settings(5);
    let budget = Budget::of(&settings);
    assert_eq!(budget.counters_per_hour, 720);
    assert_eq!(budget.per_eye, 2 + LEAD as usize);
    // A replay of whole hours from a full hour on closes one window more: the one that its last frame opens.
    let hours = |hours: u32| replay_records(&settings, timeline(), &[Some(hours * 3_600_000)]);
    assert_eq!(hours(3) - hours(2), budget.windows_per_hour + budget.counters_per_hour);
    assert_eq!(replay_records(&settings, timeline(), &[None]), 2, "no camera, no window");
}

fn timeline() -> Timeline {
    Timeline::starting_at(UtcMs(START_S * 1000))
}

const MS: i64 = 1_000_000;
const S: i64 = 1000 * MS;
/// A full hour.
const START_S: i64 = 1_767_607_200;
