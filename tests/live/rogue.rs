//! The pipe of a live eye: as many records as are due whatever its camera does, and an eye that says one more is replaced.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use kehai::health::walls::Walls;
use kehai::health::{CameraReport, CameraState};
use kehai::pipeline::{Feed, Origin};
use kehai::wire::counters::Tick;
use kehai::wire::ready::Ready;
use kehai::wire::record::budget::{COUNTERS_MS, LEAD, lead};
use kehai::wire::record::ration::Errand;
use kehai::wire::record::{Outbox, Report};
use serde_json::Value;

use super::cameras::scene;
use super::shop::{DOOR, VIEW};
use crate::support::armed::{arm, declared};
use crate::support::broker::{Broker, Listener, free_port};
use crate::support::eye::{Eye, job, settings};
use crate::support::folder::Folder;
use crate::support::rtsp_camera::RtspCamera;

fn site(url: &str, more: &str) -> String {
    let store = "[store]\norg = \"test\"\nstore = \"live\"\nnode = \"rogue\"\ntimezone = \"UTC\"\n";
    format!("{store}{more}{VIEW}url = \"{url}\"\n{DOOR}")
}

#[test]
fn a_live_eye_says_what_is_due_however_often_its_camera_comes_and_goes() {
    let camera = RtspCamera::start(scene(), 10.0);
    let site = kehai::config::site::parse(&site(&camera.url(), ""), "drawn").expect("a whole site file");
    let source = site.sources[0].clone().expect("a camera has an address");
    let feed = Feed { camera: 0, origin: Origin::Live(source), picture: None };
    let mut eye = Eye::start(&job(site.settings, vec![feed], Errand::Watch));
    let first = eye.report();
    assert!(matches!(first, Some(Ok(Report::Ready(_)))), "the first word comes first, not {first:?}");
    let (begun, mut told, mut last, mut lost) = (Instant::now(), 0u32, None, 0);
    while begun.elapsed() < LIFE {
        let Report::Camera(_, tick, report) = eye.report().expect("it lives").expect("it is believed") else {
            continue;
        };
        let due = (begun.elapsed().as_millis() / u128::from(COUNTERS_MS)) as u32;
        told += 1;
        assert_eq!(tick, Tick { number: told, media_ms: 0 });
        assert!(
            (due.saturating_sub(1)..=due + lead(due.into()) as u32).contains(&told),
            "{told} told where {due} are due"
        );
        assert!(report.ledger.is_balanced(), "{report:?}");
        // Whenever it is seen it goes: more changes than there is lead for.
        if report.state == CameraState::Seeing && last != Some(CameraState::Seeing) {
            camera.cut();
        }
        (last, lost) = (Some(report.state), report.reconnects);
    }
    let due = (begun.elapsed().as_millis() / u128::from(COUNTERS_MS)) as u32;
    assert!(lost >= 2, "the camera has gone {lost} times");
    assert!((due..=due + lead(due.into()) as u32).contains(&told), "{told} told where {due} are due");
}

/// A folder with `kehai` and an eye that speaks these bytes, once: the first to start, the twin, is the true one, and so is
/// every one after it.
fn install(folder: &Folder, said: &[u8]) -> String {
    let (said, true_eye) = (folder.write("said.bin", said), env!("CARGO_BIN_EXE_kehai-eye"));
    let [twin, done] = ["twin", "done"].map(|name| folder.path(name));
    let script = format!(
        "#!/bin/sh\n[ -e {done} ] && exec {true_eye}\n[ -e {twin} ] || {{ : > {twin}; exec {true_eye}; }}\n: > {done}\ncat {said}\nexec sleep 60\n"
    );
    let eye = folder.write("kehai-eye", script);
    std::fs::set_permissions(&eye, std::fs::Permissions::from_mode(0o755)).expect("it can be made a program");
    std::fs::hard_link(env!("CARGO_BIN_EXE_kehai"), folder.path("kehai")).expect("links can be made");
    // It keeps its store here too, and nobody else may look there.
    std::fs::set_permissions(folder.path(""), std::fs::Permissions::from_mode(0o700)).expect("it is ours");
    folder.path("kehai")
}

/// The newest health report that counts an eye that was not believed, and has a camera that is seen.
fn health(listener: &Listener) -> Value {
    loop {
        let got = listener.heard.recv_timeout(PATIENCE).expect("health is told at once");
        let body: Value = serde_json::from_str(&got.body).expect("a payload is JSON");
        if got.topic.ends_with("/health") && body["eye_disbelieved"] != 0 && body["cameras"][0]["state"] == "seeing" {
            return body;
        }
    }
}

#[test]
fn an_eye_that_says_one_record_too_many_is_ended_recorded_and_replaced() {
    let (folder, (port, held)) = (Folder::new(), free_port());
    drop(held);
    let broker = Broker::start(port, &folder);
    let listener = broker.listen();
    let camera = RtspCamera::start(scene(), 10.0);
    let text = declared(&site(&camera.url(), &format!("[broker]\nurl = \"mqtt://127.0.0.1:{port}\"\n")));
    let outbox = Outbox::new(&settings(&text));
    let unseen = CameraReport::unseen();
    let counters = (1..=LEAD + 1).flat_map(|number| outbox.camera(0, Tick { number, media_ms: 0 }, &unseen));
    let said: Vec<u8> =
        outbox.ready(&Ready { walls: Walls::ALL, ..Ready::default() }).into_iter().chain(counters).flatten().collect();
    let kehai = install(&folder, &said);
    arm(&text, Path::new(&folder.path("")));
    let mut shop = Command::new(kehai)
        .args(["run", "--site", &folder.write("site.toml", text)])
        // The one place its mouth may write to, and what it starts.
        .env("STATE_DIRECTORY", folder.path(""))
        .stdin(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .expect("kehai starts");
    let health = health(&listener);
    let _ = shop.kill();
    let ended = shop.wait_with_output().expect("it was started");
    let said = String::from_utf8_lossy(&ended.stderr);
    assert_eq!((&health["eye_starts"], &health["eye_disbelieved"]), (&2.into(), &1.into()), "{said}");
    assert!(said.contains(&format!("counters {} of camera 0, where {LEAD} are foreseen by now", LEAD + 1)), "{said}");
    assert!(said.contains("replaced in"), "{said}");
}

const LIFE: Duration = Duration::from_secs(21);
const PATIENCE: Duration = Duration::from_secs(20);
