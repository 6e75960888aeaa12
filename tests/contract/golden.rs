//! Golden payloads: the exact bytes of version 1, one file for each kind, from figures made by hand.
//!
//! In: `tests/contract/golden/KIND.json`. See the README there before a file is changed.

use kehai::clock::{UtcMs, WindowSpan};
use kehai::config::{Settings, site};
use kehai::gate::{Figures, FlowFigures, Object, QueueFigures, TransitionFigures, ZoneFigures};
use kehai::health::load::Load;
use kehai::health::{CameraReport, CameraState, Ledger};
use kehai::wire::Message;
use kehai::wire::audit::{self, HeadPayload};
use kehai::wire::compose::{Answer, Composer, Voice, about};
use kehai::wire::payload::{CONTRACT_VERSION, CameraHealthPayload, CommandPayload, HealthPayload};
use kehai::wire::record::ArrivedWindow;
use kehai::wire::seal::Signer;

use crate::support::folder::{in_repository, names_in, read};

/// A shop with one object of every kind. Every value here is part of the golden bytes.
const SHOP: &str = r#"
[store]
org = "acme"
store = "s0042"
node = "edge-1"
name = "Ginza 4-chome 銀座"
timezone = "Asia/Tokyo"
[gate]
k = 7
[[floor]]
id = "hall"
name = "Hall"
cell_m = 2.0
origin_m = [-1.0, 0.5]
size_m = [8.0, 6.0]
[[camera]]
id = "cam-a"
name = "Above the door"
floor = "hall"
calibration = [
  { px = [0, 0], m = [0, 6] },
  { px = [640, 0], m = [6, 6] },
  { px = [640, 480], m = [6, 0] },
  { px = [0, 480], m = [0, 0] },
]
[[camera]]
id = "cam-b"
[[line]]
id = "door"
name = "Door"
camera = "cam-a"
ends_m = [[1.0, 1.0], [3.0, 1.0]]
inside_m = [2.0, 3.0]
[[zone]]
id = "till"
name = "Till"
camera = "cam-b"
polygon_px = [[10, 10], [200, 10], [200, 150.4]]
"#;

/// A queue at the till, served by a line: in a shop of its own, for a shop without queues has the fingerprint it had before
/// there were any.
const QUEUE: &str = r#"
[[line]]
id = "till-side"
camera = "cam-b"
ends_px = [[200, 10], [200, 150]]
inside_px = [300, 80]
[[queue]]
id = "tills"
name = "Before the tills"
zone = "till"
served_by = "till-side"
target_s = 90
"#;

fn settings_of(text: &str) -> Settings {
    site::parse(text, "golden").expect("the golden shop is a good site").settings
}

fn composer_of(settings: &Settings) -> Composer {
    let voice = Voice {
        topic_root: "kehai/v1".into(),
        boot: "7f3a9c01".into(),
        synchronised: true,
        retain_windows: true,
        sign: None,
    };
    Composer::new(settings, voice)
}

fn composer() -> Composer {
    composer_of(&settings_of(SHOP))
}

fn shop_with_queue() -> Composer {
    composer_of(&settings_of(&format!("{SHOP}{QUEUE}")))
}

fn queue(figures: Option<QueueFigures>) -> Message {
    let span = WindowSpan { start_s: BEGIN_S, dur_s: 900 };
    let (object, figures) = (Object::Queue(0), Figures::Queue(figures));
    shop_with_queue().window(1, &ArrivedWindow { object, span, cov_ms: 899_200, figures }).message
}

fn waiting() -> QueueFigures {
    QueueFigures {
        joined: 41,
        served: 36,
        abandoned: 3,
        cut: 1,
        carried: 4,
        wait_ms: 2_345_678,
        wait_hist: [0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 0],
        aband_wait_ms: 123_456,
        len_ms: 2_600_001,
        len_max: 7,
        over: 9,
    }
}

/// 2026-11-20T01:00:00Z.
const BEGIN_S: i64 = 1_795_136_400;

fn window(object: Object, dur_s: u32, figures: Figures) -> Message {
    let span = WindowSpan { start_s: BEGIN_S, dur_s };
    composer().window(1, &ArrivedWindow { object, span, cov_ms: 899_200, figures }).message
}

fn heat(object: Object) -> Message {
    let mut cells = vec![None; 12];
    (cells[1], cells[2], cells[9], cells[11]) = (Some(7), Some(130), Some(16_384), Some(4_000_000_000));
    window(object, 3600, Figures::Heat(cells))
}

fn flow() -> Message {
    let cell = |passages, sx_milli, sy_milli| Some(FlowFigures { passages, sx_milli, sy_milli });
    let mut cells = vec![None; 12];
    (cells[1], cells[2], cells[11]) = (cell(7, -7000, 0), cell(130, 64, -63), cell(20_000, 19_999_000, -4_123_456));
    window(Object::Flow(0), 3600, Figures::Flow(cells))
}

/// Between the door and elsewhere: in and out again, and in and on.
fn od(dropped: u32, cut: u32) -> Message {
    window(
        Object::Transitions(0),
        3600,
        Figures::Transitions(TransitionFigures { pairs: vec![12, 51, 58, 0], dropped, cut }),
    )
}

fn zone() -> ZoneFigures {
    let hist = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11];
    ZoneFigures { entries: 66, exits: 65, visits: 68, stops: 51, dwell_ms: 700_123, occ_ms: 690_001, occ_max: 9, hist }
}

fn health() -> Message {
    let ledger = Ledger { captured: 100, detected: 90, still: 4, skipped: 3, overwritten: 2, failed: 1 };
    let state = CameraState::Seeing;
    let report = CameraReport {
        ledger,
        state,
        reconnects: 1,
        width: 640,
        height: 480,
        lag_ms: 45,
        ignored: 12,
        motionless: 1,
        ..CameraReport::unseen()
    };
    let load = Load { fps_milli: 14_980, looks_milli: 4_200, is_overloaded: true };
    let payload = HealthPayload {
        v: CONTRACT_VERSION,
        k: "health",
        at: "2026-11-20T01:00:00Z".into(),
        boot: "7f3a9c01".into(),
        clk: "sync",
        uptime_s: 3600,
        eye_starts: 1,
        walls: kehai::health::walls::Walls::ALL.names(),
        unsandboxed: false,
        eye_disbelieved: 0,
        spool_waiting: 2,
        spool_dropped: 0,
        refused: 0,
        tls_not_after: None,
        cameras: vec![CameraHealthPayload::of("cam-a", &report, load, Some(5.0))],
        unreleased: 0,
        store_bytes: 1_048_576,
        store_most_bytes: 2_145_386_496,
        mode: None,
    };
    composer().health(&payload)
}

/// As it leaves: a made-up node signs with everybody's key.
fn signed(message: Message) -> Message {
    Message { body: Signer::of_replays().seal(message.body), ..message }
}

fn answer(verb: &'static str, outcome: Result<serde_json::Map<String, serde_json::Value>, String>) -> Answer {
    Answer { verb, id: "r-17".into(), at: NOW, outcome }
}

/// What an operator sends, not a node.
fn command() -> Message {
    let [at, exp] = ["2026-11-20T01:00:00Z", "2026-11-20T01:05:00Z"].map(str::to_owned);
    let (k, verb, id, node) = ("cmd".into(), "ping".into(), "r-17".into(), composer().node());
    let payload = CommandPayload { v: CONTRACT_VERSION, k, verb, id, node, at, exp, from: None, to: None, sig: None };
    let topic = composer().topic("cmd/ping");
    Message { topic, body: payload.unsigned(), retain: false, at_least_once: false }
}

fn head() -> Message {
    let head = HeadPayload {
        n: 52,
        first: 7,
        epoch: 3,
        head: "5a".repeat(32),
        ..audit::head("audit", "00112233aabbccdd", NOW)
    };
    let body = audit::head_of(&head, &Signer::of_replays()).into_bytes();
    Message { topic: composer().topic("audit"), body, retain: false, at_least_once: true }
}

/// 2026-11-20T01:00:00Z.
const NOW: UtcMs = UtcMs(1_795_136_400_000);

/// Every kind of message, by the name of its file.
pub fn messages() -> Vec<(String, Message)> {
    let line = Figures::Line { inward: 63, outward: 58, uncertain: 3 };
    let named = [
        ("line", window(Object::Line(0), 900, line)),
        ("zone", window(Object::Zone(0), 900, Figures::Zone(Some(zone())))),
        ("zone-withheld", window(Object::Zone(0), 900, Figures::Zone(None))),
        ("heat-visits", heat(Object::HeatVisits(0))),
        ("heat-dwell", heat(Object::HeatDwell(0))),
        ("flow", flow()),
        ("od", od(9, 7)),
        ("od-withheld", od(0, 0)),
        ("queue", queue(Some(waiting()))),
        ("queue-withheld", queue(None)),
        (
            "meta-queues-one",
            shop_with_queue()
                .introduction("nanodet-g", &Signer::of_replays().public())
                .pop()
                .expect("queues come last"),
        ),
        ("state-online", composer().state(true)),
        ("state-offline", composer().state(false)),
        ("health", health()),
        ("line-signed", signed(window(Object::Line(0), 900, Figures::Line { inward: 1, outward: 2, uncertain: 0 }))),
        ("evt-camera-lost", signed(composer().event(NOW, "camera-lost", about([("camera", "cam-a".into())])))),
        ("rsp-ping", signed(composer().answer(answer("ping", Ok(about([("spool_waiting", 3.into())])))))),
        ("rsp-refused", signed(composer().answer(answer("replay", Err("no room".into()))))),
        ("cmd-ping", signed(command())),
        ("audit", head()),
    ];
    let introduction =
        composer().introduction("nanodet-g", &Signer::of_replays().public()).into_iter().map(|message| {
            let name = message.topic.rsplit("edge-1/").next().unwrap_or_default().replace('/', "-");
            (name, message)
        });
    named.map(|(name, message)| (name.to_owned(), message)).into_iter().chain(introduction).collect()
}

/// The golden payloads, by the names of their files.
pub fn golden_payloads() -> Vec<(String, String)> {
    let folder = in_repository("tests/contract/golden");
    let names = names_in(&folder).into_iter().filter(|name| name.ends_with(".json"));
    let read = |name: String| {
        let text = String::from_utf8(read(&format!("{folder}/{name}"))).expect("payloads are UTF-8");
        (name.trim_end_matches(".json").to_owned(), text.trim_end().to_owned())
    };
    let mut golden: Vec<(String, String)> = names.map(read).collect();
    golden.sort();
    golden
}

/// The version of the product is the one thing in a payload that may change with every release.
fn without_release(body: &str) -> String {
    body.replace(&format!("\"version\":\"{}\"", env!("CARGO_PKG_VERSION")), "\"version\":\"0.0.0\"")
}

#[test]
fn the_bytes_of_every_kind_are_those_of_version_one() {
    let golden = golden_payloads();
    for (name, message) in messages() {
        let body = without_release(&String::from_utf8(message.body).expect("payloads are UTF-8"));
        let expected = golden.iter().find(|(golden, _)| *golden == name).map(|(_, text)| text.as_str());
        assert_eq!(expected, Some(body.as_str()), "tests/contract/golden/{name}.json");
    }
}

#[test]
fn every_golden_payload_is_still_made() {
    let mut made: Vec<String> = messages().into_iter().map(|(name, _)| name).collect();
    made.sort();
    let golden: Vec<String> = golden_payloads().into_iter().map(|(name, _)| name).collect();
    assert_eq!(made, golden);
}

#[test]
fn every_message_goes_where_the_contract_says() {
    let ways: Vec<String> = messages()
        .into_iter()
        .map(|(name, message)| {
            let quality = u8::from(message.at_least_once);
            let kept = if message.retain { "kept" } else { "" };
            format!("{name} {} {quality} {kept}", message.topic.trim_start_matches("kehai/v1/acme/s0042/edge-1/"))
        })
        .collect();
    let expected = [
        "line win/line/door 1 kept",
        "zone win/zone/till 1 kept",
        "zone-withheld win/zone/till 1 kept",
        "heat-visits win/heat/hall-visits 1 kept",
        "heat-dwell win/heat/hall-dwell 1 kept",
        "flow win/flow/hall 1 kept",
        "od win/od/cam-a 1 kept",
        "od-withheld win/od/cam-a 1 kept",
        "queue win/queue/tills 1 kept",
        "queue-withheld win/queue/tills 1 kept",
        "meta-queues-one meta/queues 1 kept",
        "state-online state 1 kept",
        "state-offline state 1 kept",
        "health health 0 ",
        "line-signed win/line/door 1 kept",
        "evt-camera-lost evt/camera-lost 1 ",
        "rsp-ping rsp/ping 1 ",
        "rsp-refused rsp/replay 1 ",
        "cmd-ping cmd/ping 0 ",
        "audit audit 1 ",
        "about about 1 kept",
        "meta-calendar meta/calendar 1 kept",
        "meta-cameras meta/cameras 1 kept",
        "meta-floors meta/floors 1 kept",
        "meta-lines meta/lines 1 kept",
        "meta-zones meta/zones 1 kept",
        "meta-queues meta/queues 1 kept",
    ];
    assert_eq!(ways, expected);
}

#[test]
fn a_window_has_the_number_it_was_given_and_the_same_windows_give_the_same_bytes() {
    let line = || Figures::Line { inward: 1, outward: 2, uncertain: 0 };
    let span = WindowSpan { start_s: BEGIN_S, dur_s: 900 };
    let arrived = || ArrivedWindow { object: Object::Line(0), span, cov_ms: 1, figures: line() };
    let bodies = || -> Vec<Message> { (1..=3).map(|seq| composer().window(seq, &arrived()).message).collect() };
    assert_eq!(bodies(), bodies());
    for (message, number) in bodies().iter().zip(1..) {
        assert!(String::from_utf8_lossy(&message.body).contains(&format!("\"seq\":{number},")));
    }
}
