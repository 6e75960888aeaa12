//! Nothing is watched before everything is said and two people have given their word.

use std::net::TcpListener;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use kehai::cli::armable;
use kehai::config::Keeping;
use kehai::config::site;
use kehai::switch::{From, Mode, Person, Role, Turn};
use kehai::vault::{NewPerson, Password, TurnError, Vault};

use crate::live::cameras::scene;
use crate::live::shop::{DOOR as LIVE_DOOR, Shop, VIEW, eye_of};
use crate::support::armed::{arm, declared};
use crate::support::folder::Folder;
use crate::support::program::{kehai, start_command};
use crate::support::rtsp_camera::RtspCamera;
use crate::support::site::BARE;
use crate::support::strace;
use crate::support::wall_clock::WallClock;

const DOOR: &str = "[[line]]\nid = \"door\"\nends_px = [[10, 50], [110, 50]]\ninside_px = [60, 90]\n";

/// A camera that notices whoever calls, in a site that says everything.
struct Stage {
    folder: Folder,
    camera: TcpListener,
    text: String,
}

impl Stage {
    fn new() -> Self {
        let camera = TcpListener::bind("127.0.0.1:0").expect("a port is free");
        camera.set_nonblocking(true).expect("it is ours");
        let folder = Folder::new();
        let (port, state) = (camera.local_addr().expect("bound").port(), folder.path("state"));
        let text =
            declared(&format!("{BARE}url = \"rtsp://127.0.0.1:{port}/view\"\n{DOOR}[vault]\nfolder = \"{state}\"\n"));
        Self { folder, camera, text }
    }

    /// `kehai run` refuses this text, names these words, and nobody has called the camera.
    fn must_refuse(&self, text: &str, code: i32, words: &[&str]) {
        let site = self.folder.write("site.toml", text);
        kehai(&["run", "--site", &site]).must_be_refused(code, words);
        assert!(self.camera.accept().is_err(), "the camera was called");
    }

    /// Lines of the chain about a refusal in these words.
    fn refusals(&self, words: &str) -> usize {
        let mut refusals = 0;
        let mut count = |line: &str| refusals += usize::from(line.contains("\"refused\"") && line.contains(words));
        self.vault().export_audit(&mut count).expect("the chain is there");
        refusals
    }

    fn vault(&self) -> Vault {
        Vault::open(Path::new(&self.folder.path("state")), Keeping::default(), Duration::ZERO).expect("a store")
    }
}

/// Makes aki and ben known to a store: somebody who is not has confirmed nothing.
fn know(vault: &Vault) {
    for (name, role) in [("aki", Role::Owner), ("ben", Role::Installer)] {
        let word = Password::of(name, "four words nobody knows").expect("good");
        vault.add_person(&NewPerson { name, role, password: &word, totp: None }, "aki").expect("they are new");
    }
}

/// The text without the line that begins so.
fn without(text: &str, key: &str) -> String {
    let lines: Vec<&str> = text.lines().filter(|line| !line.starts_with(&format!("{key} ="))).collect();
    assert!(lines.len() < text.lines().count(), "{key} is not there");
    lines.join("\n") + "\n"
}

#[test]
fn each_thing_that_is_not_said_is_named_and_no_camera_is_called() {
    let stage = Stage::new();
    for key in [
        "languages",
        "controllers",
        "legal_basis",
        "interest",
        "desk",
        "authority",
        "objection",
        "policy_url",
        "region",
    ] {
        stage.must_refuse(&without(&stage.text, key), 7, &["not armed", &format!("notice.{key}")]);
    }
    stage.must_refuse(&without(&stage.text, "keep_days"), 7, &["not armed", "vault.keep_days"]);
    let no_purposes = stage.text.split("[purposes]").next().expect("the first part");
    stage.must_refuse(no_purposes, 7, &["not armed", "purposes"]);
    let untranslated = stage.text.replace("languages = [\"en\"]", "languages = [\"en\", \"ja\"]");
    stage.must_refuse(&untranslated, 7, &["notice.objection.ja", "purposes.heat.ja"]);
    stage.must_refuse(&stage.text, 7, &["not armed", "kehai notice", "kehai arm --sign"]);
}

#[test]
fn what_is_said_wrongly_is_a_fault_of_the_site_file() {
    let stage = Stage::new();
    let cases = [
        ("\"legitimate-interest\"", "\"because\"", "legal_basis"),
        ("desk@shop.example", "desk", "notice.desk.email"),
        ("\"uk\"", "\"mars\"", "region"),
        ("https://shop.example/cameras", "shop.example", "notice.policy_url"),
        ("https://shop.example/cameras", "http://shop.example/cameras", "notice.policy_url"),
        ("languages = [\"en\"]", "languages = [\"tlh\"]", "languages"),
        ("\"To know how many come in\"", "\"\"", "purposes.line.en"),
        ("keep_days = 30", "keep_days = 31", "vault.keep_days"),
    ];
    for (from, to, key) in cases {
        assert!(stage.text.contains(from), "{from}");
        stage.must_refuse(&stage.text.replacen(from, to, 1), 3, &[key]);
    }
}

#[test]
fn one_identity_twice_is_one_identity() {
    let stage = Stage::new();
    let text = without(&stage.text, "sole_operator");
    let site = armable(&site::parse(&text, "two").expect("a good site"));
    let vault = stage.vault();
    know(&vault);
    let person = |name: &str, role| Person::new(name, role);
    let confirm = |by: Person| {
        let name = by.name.clone();
        vault.turn(&Turn::Arm { by, site: site.clone() }, &name, Some(&site.sign))
    };
    assert_eq!(confirm(person("aki", Role::Owner)).expect("the first").mode(), Mode::Setup);
    for (again, words) in [
        (person("aki", Role::Owner), "has confirmed already"),
        (person("aki", Role::Installer), "has confirmed already"),
        (person("ben", Role::Owner), "owner like the first"),
        (person("chie", Role::Viewer), "viewer may not arm"),
        (person("dai", Role::Auditor), "auditor may not arm"),
    ] {
        let Err(TurnError::Refused(refusal)) = confirm(again) else { panic!("it was armed") };
        assert!(refusal.to_string().contains(words), "{refusal}");
    }
    drop(vault);
    stage.must_refuse(&text, 7, &["aki has confirmed and another person has to"]);
    let vault = stage.vault();
    let armed = vault
        .turn(&Turn::Arm { by: person("ben", Role::Installer), site: site.clone() }, "ben", Some(&site.sign))
        .expect("two people");
    assert_eq!((armed.mode(), armed.arming().map(|arming| arming.by.len())), (Mode::Armed, Some(2)));
}

#[test]
fn a_configuration_that_changed_needs_a_new_sign() {
    let stage = Stage::new();
    let before = arm(&stage.text, Path::new(&stage.folder.path("state")));
    for (from, to) in [
        ("To see where the shop is crowded", "To see where the shop is empty"),
        ("desk@shop.example", "ask@shop.example"),
        ("[[10, 50], [110, 50]]", "[[10, 50], [110, 51]]"),
        ("languages", "# languages\nlanguages"),
    ] {
        let changed = stage.text.replacen(from, to, 1);
        assert_ne!(changed, stage.text);
        if to.starts_with('#') {
            // A comment is no change: the site starts, and finds that this camera does not answer.
            let site = site::parse(&changed, "comment").expect("a good site");
            assert_eq!(armable(&site).sign, before);
            continue;
        }
        stage.must_refuse(&changed, 7, &["has changed since sign", &before]);
        let site = armable(&site::parse(&changed, "changed").expect("a good site"));
        let vault = stage.vault();
        let by = Person::new("aki", Role::Owner);
        let old = kehai::switch::Site { sign: before.clone(), ..site.clone() };
        let refused = vault.turn(&Turn::Arm { by: by.clone(), site: old }, "aki", Some(&site.sign));
        assert!(matches!(refused, Err(TurnError::Refused(_))), "the old sign was acknowledged for a new configuration");
    }
}

#[test]
fn what_was_armed_is_not_loosened_by_a_new_site_file() {
    let stage = Stage::new();
    let state = stage.folder.path("state");
    let desk = "[[ignore]]\nid = \"desk\"\npolygon_px = [[1, 1], [9, 1], [9, 9]]\n";
    let tight =
        format!("{}\n{desk}[gate]\nk = 10\ncrowd_min = 20\n", stage.text).replace("keep_days = 30", "keep_days = 7");
    arm(&tight, Path::new(&state));
    for (from, to, key) in [
        ("k = 10", "k = 9", "gate.k = 9, was 10"),
        ("crowd_min = 20", "crowd_min = 19", "gate.crowd_min = 19, was 20"),
        ("keep_days = 7", "keep_days = 8", "vault.keep_days = 8, was 7"),
        (desk, "", "ignore.desk is missing"),
        ("[9, 9]", "[9, 8]", "ignore.desk is another place"),
        ("[switch]", "dangerous_allow_unsandboxed = true\n[switch]", "dangerous_allow_unsandboxed = true, was false"),
    ] {
        let loose = match key.starts_with("dangerous") {
            true => format!("dangerous_allow_unsandboxed = true\n{tight}"),
            false => tight.replacen(from, to, 1),
        };
        stage.must_refuse(&loose, 7, &["privacy only tightens", key]);
        let site = armable(&site::parse(&loose, "loose").expect("a good site"));
        let by = Person::new("aki", Role::Owner);
        let refused = stage.vault().turn(&Turn::Arm { by, site: site.clone() }, "aki", Some(&site.sign));
        assert!(matches!(refused, Err(TurnError::Refused(_))), "{key} was armed");
    }
    assert_eq!(stage.refusals("only tightens"), 12, "each start and each arming that was refused is remembered");
}

#[test]
fn another_name_or_a_lone_owner_is_no_way_round_the_ratchet() {
    let stage = Stage::new();
    let floor = |id: &str, cell_m: f64| {
        format!("[[floor]]\nid = \"{id}\"\ncell_m = {cell_m:?}\norigin_m = [0.0, 0.0]\nsize_m = [20.0, 20.0]\n")
    };
    let two = without(&stage.text, "sole_operator");
    let site = armable(&site::parse(&format!("{two}\n{}", floor("hall", 2.0)), "two").expect("a good site"));
    let vault = stage.vault();
    know(&vault);
    for (name, role) in [("aki", Role::Owner), ("ben", Role::Installer)] {
        let by = Person::new(name, role);
        vault.turn(&Turn::Arm { by, site: site.clone() }, name, Some(&site.sign)).expect("two people");
    }
    drop(vault);
    let loose = [
        (format!("{two}\n{}", floor("room", 1.0)), "floor.room.cell_m (mm) = 1000, was 2000"),
        (format!("{two}\n{}{}", floor("hall", 2.0), floor("room", 1.0)), "floor.room.cell_m (mm) = 1000, was 2000"),
        (format!("{}\n{}", stage.text, floor("hall", 2.0)), "switch.sole_operator = true, was false"),
    ];
    for (text, words) in &loose {
        stage.must_refuse(text, 7, &["privacy only tightens", words]);
    }
    assert_eq!(stage.refusals("only tightens"), loose.len());
}

#[test]
fn another_camera_is_another_configuration_however_its_address_is_written() {
    let stage = Stage::new();
    arm(&stage.text, Path::new(&stage.folder.path("state")));
    let port = stage.camera.local_addr().expect("bound").port();
    let url = format!("rtsp://127.0.0.1:{port}/view");
    for other in [
        format!("rtsp://127.0.0.1:{port}/other"),
        format!("rtsp://127.0.0.1:1/x@127.0.0.1:{port}/view"),
        format!("rtsp://u:p@127.0.0.1:1?@127.0.0.1:{port}/view"),
    ] {
        stage.must_refuse(&stage.text.replace(&url, &other), 7, &["has changed since sign"]);
    }
    let twice = format!("{}\n[[camera]]\nid = \"again\"\nurl = \"rtsp://u:p@127.0.0.1:{port}/view\"\n", stage.text);
    stage.must_refuse(&twice, 3, &["camera.again.url", "camera cam is this very stream"]);
    assert_eq!((stage.refusals("has changed"), stage.refusals("this very stream")), (3, 1));
}

#[test]
fn the_word_of_one_is_told_as_such_and_taken_back_by_a_stop() {
    let stage = Stage::new();
    let state = stage.folder.path("state");
    arm(&stage.text, Path::new(&state));
    let by = |name: &str, role| Person::new(name, role);
    let changed = without(&stage.text, "sole_operator");
    let site = armable(&site::parse(&changed, "changed").expect("a good site"));
    let vault = stage.vault();
    know(&vault);
    let first = Turn::Arm { by: by("aki", Role::Owner), site: site.clone() };
    let second = Turn::Arm { by: by("ben", Role::Installer), site: site.clone() };
    let confirmed = vault.turn(&first, "aki", None).expect("the first of two");
    assert!(!confirmed.is_armed(&site.declaration) && confirmed.mode() == Mode::Armed, "what was armed still is");
    vault.turn(&Turn::Pause(From::Here), "somebody", None).expect("stops are never refused");
    let alone = vault.turn(&second, "ben", None).expect("a first word again");
    assert!(!alone.is_armed(&site.declaration), "a word from before the pause counts no more");
    assert!(vault.turn(&first, "aki", None).expect("the second").is_armed(&site.declaration));
}

#[test]
fn a_closed_shop_watches_nothing_and_an_open_one_stops_at_closing_time() {
    let quarter = |at_s: i64| {
        let at = jiff::Timestamp::from_second(at_s.div_euclid(900) * 900).expect("now").in_tz("UTC").expect("a zone");
        format!("{:02}:{:02}", at.hour(), at.minute())
    };
    let now_s = kehai::clock::utc_now().0 / 1000;
    let (folder, camera) = (Folder::new(), RtspCamera::start(scene(), 10.0));
    let clock = WallClock::new(&folder);
    let shop = |name: &str, from_s: i64, to_s: i64| {
        let hours = format!("hours = \"{}-{}\"", quarter(from_s), quarter(to_s));
        let mut command = Command::new(env!("CARGO_BIN_EXE_kehai"));
        command.envs([clock.variable()]);
        let more = format!("{VIEW}url = \"{}\"\n{LIVE_DOOR}", camera.url());
        Shop::open_saying(command, name, &more, &hours)
    };
    let closed = shop("closed", now_s + 7200, now_s + 10_800);
    closed.hear("the shop is closed");
    assert!(eye_of(closed.mouth() as u32).is_none() && camera.heard().is_empty(), "the camera was called");
    drop(closed);
    let open = shop("open", now_s - 3600, now_s + 3600);
    open.hear("camera view seen");
    clock.step(2 * 3600);
    open.hear("the shop is closed");
    let begun = std::time::Instant::now();
    while eye_of(open.mouth() as u32).is_some() {
        assert!(begun.elapsed() < Duration::from_secs(1), "it goes on watching");
    }
}

#[test]
fn hours_that_are_none_are_a_fault_of_the_site_file() {
    let stage = Stage::new();
    for hours in ["10-21", "10:00-10:00", "10:07-21:00", "always"] {
        let text = stage.text.replace("[switch]", &format!("[switch]\nhours = \"{hours}\""));
        stage.must_refuse(&text, 3, &["switch.hours", hours, "quarters of an hour"]);
    }
}

#[test]
#[ignore = "acceptance: strace"]
fn what_is_not_armed_never_touches_a_camera_in_any_call_into_the_kernel() {
    if !strace::is_there() {
        return;
    }
    let stage = Stage::new();
    let address = stage.camera.local_addr().expect("bound").port().to_string();
    let usb = stage.text.replacen(&format!("rtsp://127.0.0.1:{address}/view"), "usb:/dev/video0", 1);
    let refused = [
        (stage.text.clone(), 7),
        (without(&stage.text, "objection"), 7),
        (stage.text.replacen("\"uk\"", "\"mars\"", 1), 3),
        (usb, 7),
    ];
    for (text, code) in refused {
        let (log, site) = (Folder::new(), stage.folder.write("site.toml", text));
        let mut command = strace::tracing(&log, None);
        command.args([env!("CARGO_BIN_EXE_kehai"), "run", "--site", &site]);
        assert_eq!(start_command(command).ended().code, Some(code));
        let processes = strace::read(&log);
        let mut calls = processes.iter().flat_map(|process| &process.calls);
        assert!(calls.clone().count() > 50, "strace saw something");
        let touched = calls.find(|call| {
            [&call.arguments, &call.result].iter().any(|text| text.contains("/dev/video") || text.contains(&address))
        });
        assert_eq!(touched.map(|call| (&call.name, &call.arguments)), None);
        assert!(!processes.iter().any(strace::Process::is_eye), "an eye was started");
    }
}
