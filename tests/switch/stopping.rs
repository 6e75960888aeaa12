//! Stopping: each of its ways, within a second, whatever the camera does, and nothing of the open window leaves.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};

use kehai::config::Keeping;
use kehai::switch::{From, Mode, Person, Role, Turn};
use kehai::vault::{TurnError, Vault};
use serde_json::Value;

use crate::live::cameras::scene;
use crate::live::shop::{DOOR, Shop, VIEW, eye_of, signal};
use crate::support::armed::arm_in;
use crate::support::broker::{Broker, Listener, free_port};
use crate::support::folder::Folder;
use crate::support::program::kehai;
use crate::support::rtsp_camera::RtspCamera;

/// A shop with a camera, a broker, and an operator far away.
struct Stage {
    folder: Folder,
    camera: RtspCamera,
    shop: Shop,
    /// What its site file says beside the usual.
    more: String,
    port: u16,
    heard: Listener,
    _broker: Broker,
}

impl Stage {
    fn new(name: &str) -> Self {
        let (folder, (port, held)) = (Folder::new(), free_port());
        drop(held);
        let broker = Broker::start(port, &folder);
        let heard = broker.listen();
        let made = kehai(&["command", "key", "--secret", &folder.path("hq"), "--json"]);
        made.must_be_well();
        let key: Value = serde_json::from_str(&made.out).expect("JSON");
        let camera = RtspCamera::start(scene(), 10.0);
        let more = format!(
            "[broker]\nurl = \"mqtt://127.0.0.1:{port}\"\n[commands]\nkeys = {{ hq = {} }}\n[vault]\nfolder = \"{}\"\n{VIEW}url = \"{}\"\n{DOOR}",
            key["key"],
            folder.path("state"),
            camera.url()
        );
        let shop = Shop::open_with(name, &more);
        shop.hear("camera view seen");
        Self { folder, camera, shop, more, port, heard, _broker: broker }
    }

    fn vault(&self) -> Vault {
        Vault::open_beside(&PathBuf::from(self.folder.path("state")), Keeping::default()).expect("the shop's store")
    }

    fn has_eye(&self) -> bool {
        eye_of(self.shop.mouth() as u32).is_some()
    }

    /// Waits until no eye is left; how long that took.
    fn blind_after(&self, begun: Instant) -> Duration {
        while self.has_eye() {
            assert!(begun.elapsed() < Duration::from_secs(10), "the eye goes on");
            std::thread::sleep(Duration::from_millis(5));
        }
        begun.elapsed()
    }

    fn resume(&self) {
        let by = Some(Person::new("aki", Role::Owner));
        self.vault().turn(&Turn::Resume { by, from: From::Here }, "aki", None).expect("an owner on site");
        self.shop.hear("cameras are watched");
        self.shop.hear("camera view seen");
    }

    /// A command from afar, as an operator sends it.
    fn send(&self, verb: &str) {
        let node = format!("test/live/{}", self.name());
        let made = kehai(&["command", verb, "--node", &node, "--secret", &self.folder.path("hq")]);
        made.must_be_well();
        self.send_raw(verb, made.out.trim());
    }

    fn send_raw(&self, verb: &str, body: &str) {
        let topic = format!("kehai/v1/test/live/{}/cmd/{verb}", self.name());
        let sent = Command::new("mosquitto_pub")
            .args(["-p", &self.port.to_string(), "-t", &topic, "-m", body, "-q", "1"])
            .status()
            .expect("mosquitto-clients is installed");
        assert!(sent.success());
    }

    fn name(&self) -> String {
        let site = self.site();
        site.file_stem().and_then(|name| name.to_str()).expect("a name").trim_start_matches("live-").to_owned()
    }

    fn site(&self) -> PathBuf {
        self.shop.site().to_owned()
    }

    /// Presses the button of the page as a browser does: the word of its form comes with the page.
    fn press(&self) {
        let page = self.ask("GET / HTTP/1.1", "");
        let token = page.split("name=\"token\" value=\"").nth(1).and_then(|rest| rest.split('"').next());
        let form = format!("token={}", token.unwrap_or_else(|| panic!("a button: {page}")));
        let answer = self.ask("POST /pause HTTP/1.1", &form);
        assert!(answer.starts_with("HTTP/1.1 303 "), "{answer}");
    }

    fn ask(&self, line: &str, form: &str) -> String {
        let (port, length) = (self.shop.page_port, form.len());
        let mut stream = TcpStream::connect(("127.0.0.1", port)).expect("the page is served");
        let host = format!("127.0.0.1:{port}");
        let head = format!("Host: {host}\r\nOrigin: http://{host}\r\nContent-Length: {length}\r\nConnection: close");
        stream.write_all(format!("{line}\r\n{head}\r\n\r\n{form}").as_bytes()).expect("it listens");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("it answers");
        answer
    }

    fn command(&self, verb: &str) {
        kehai(&[verb, "--site", &self.site().to_string_lossy()]).must_be_well();
    }

    /// Lines of the audit chain about this.
    fn lines(&self, what: &str) -> Vec<String> {
        let mut lines = Vec::new();
        let named = format!("\"what\":\"{what}\"");
        let mut take = |line: &str| lines.extend(line.contains(&named).then(|| line.to_owned()));
        self.vault().export_audit(&mut take).expect("the chain is there");
        lines
    }
}

#[test]
fn a_shop_stops_within_a_second_by_each_of_its_ways_also_while_its_camera_hangs() {
    let stage = Stage::new("stopped");
    type Way = fn(&Stage);
    let ways: [(&str, Way, Mode); 4] = [
        ("command line", |stage| stage.command("pause"), Mode::PausedHere),
        ("signal", |stage| signal(stage.shop.mouth(), libc::SIGUSR1), Mode::PausedHere),
        ("button of the page", |stage| stage.press(), Mode::PausedHere),
        ("command from afar", |stage| stage.send("pause"), Mode::PausedRemotely),
    ];
    for is_hanging in [false, true] {
        for (name, stop, mode) in ways {
            stage.camera_hangs(is_hanging);
            let begun = Instant::now();
            stop(&stage);
            let took = stage.blind_after(begun);
            assert!(took < Duration::from_secs(1), "{name}, camera hangs: {is_hanging}: {took:?}");
            let paused_s = kehai::clock::utc_now().0 / 1000;
            stage.shop.hear(mode.name());
            std::thread::sleep(Duration::from_millis(200));
            assert_eq!(stage.vault().switch().expect("it is there").mode(), mode, "{name}");
            stage.must_tell_nothing_of(paused_s);
            stage.camera_hangs(false);
            stage.resume();
        }
    }
    let who: Vec<bool> = ["\"uid:", "\"signal\"", "\"page\"", "\"key:hq\""]
        .iter()
        .map(|who| stage.lines("pause").iter().filter(|line| line.contains(*who)).count() == 2)
        .collect();
    assert_eq!(who, [true; 4], "{:#?}", stage.lines("pause"));
}

impl Stage {
    fn camera_hangs(&self, is_hanging: bool) {
        if is_hanging {
            self.camera.freeze();
            // It is in the midst of a read that does not come back.
            std::thread::sleep(Duration::from_millis(500));
        } else {
            self.camera.thaw();
        }
    }

    /// No window is released that holds this moment.
    fn must_tell_nothing_of(&self, at_s: i64) {
        for body in self.vault().windows(0, i64::MAX).expect("the store can be read") {
            let window: Value = serde_json::from_slice(&body).expect("JSON");
            let start: jiff::Timestamp = window["ws"].as_str().and_then(|text| text.parse().ok()).expect("a start");
            let end_s = start.as_second() + window["dur"].as_i64().expect("a length");
            assert!(!(start.as_second()..end_s).contains(&at_s), "{window}");
        }
    }
}

#[test]
fn what_was_stopped_on_site_is_not_started_from_afar() {
    let stage = Stage::new("stays");
    stage.command("pause");
    stage.blind_after(Instant::now());
    let made = kehai(&["command", "ping", "--node", "test/live/stays", "--secret", &stage.folder.path("hq")]);
    let resume = made.out.trim().replace("\"ping\"", "\"resume\"");
    stage.send_raw("resume", &resume);
    stage.send_raw("resume", made.out.trim());
    stage.send_raw("pause", "{}");
    for verb in ["arm", "unlock", "config-set"] {
        stage.send_raw(verb, "{\"k\":2,\"keep_days\":90,\"profile\":\"none\"}");
    }
    let before = stage.vault().switch().expect("it is there");
    let begun = Instant::now();
    let mut refused = 0;
    while refused < 6 && begun.elapsed() < Duration::from_secs(20) {
        let Ok(got) = stage.heard.heard.recv_timeout(Duration::from_millis(100)) else { continue };
        refused += usize::from(got.topic.ends_with("evt/command-refused"));
    }
    assert_eq!(refused, 6);
    assert_eq!(stage.lines("command").iter().filter(|line| line.contains("\"refused\"")).count(), 6);
    assert_eq!(stage.vault().switch().expect("it is there"), before);
    stage.send("lock");
    stage.shop.hear("locked");
    let by = Some(Person::new("aki", Role::Owner));
    for turn in [
        Turn::Resume { by: by.clone(), from: From::Here },
        Turn::Unlock { by: by.clone(), from: From::Afar },
        Turn::Unlock { by: None, from: From::Here },
    ] {
        assert!(matches!(stage.vault().turn(&turn, "somebody", None), Err(TurnError::Refused(_))));
        assert_eq!(stage.vault().switch().expect("it is there").mode(), Mode::Locked);
    }
    assert!(!stage.has_eye());
    stage.vault().turn(&Turn::Unlock { by, from: From::Here }, "aki", None).expect("an owner on site");
    stage.resume();
}

#[test]
fn a_shop_that_is_paused_stays_so_over_a_restart_and_says_so_in_its_health() {
    let stage = Stage::new("again");
    stage.command("pause");
    stage.blind_after(Instant::now());
    let begun = Instant::now();
    loop {
        assert!(begun.elapsed() < Duration::from_secs(20), "health says nothing");
        let Ok(got) = stage.heard.heard.recv_timeout(Duration::from_millis(100)) else { continue };
        if !got.topic.ends_with("/health") {
            continue;
        }
        let health: Value = serde_json::from_str(&got.body).expect("JSON");
        if health["mode"] == "paused-here" {
            assert_eq!(health["cameras"], Value::Array(Vec::new()), "of cameras that are not watched nothing is told");
            break;
        }
    }
    signal(stage.shop.mouth(), libc::SIGKILL);
    let again = Shop::open_with("again-anew", &stage.more);
    again.hear("paused-here");
    std::thread::sleep(Duration::from_secs(1));
    assert!(eye_of(again.mouth() as u32).is_none(), "a restart starts nothing");
    assert_eq!(stage.vault().switch().expect("it is there").mode(), Mode::PausedHere);
}

#[test]
fn a_shop_that_runs_another_configuration_than_is_armed_watches_nothing_and_says_what_to_do() {
    let stage = Stage::new("other");
    let text = std::fs::read_to_string(stage.site()).expect("it is there");
    let changed = text.replace("keep_days = 30", "keep_days = 29");
    assert_ne!(changed, text);
    arm_in(&stage.vault(), &changed);
    stage.shop.hear("restart `kehai run`");
    assert!(!stage.has_eye());
}
