//! Nothing is watched before everything is said and two people have given their word.

use std::net::TcpListener;
use std::path::Path;
use std::time::Duration;

use kehai::cli::armable;
use kehai::config::Keeping;
use kehai::config::site;
use kehai::switch::{Mode, Person, Role, Turn};
use kehai::vault::{TurnError, Vault};

use crate::support::armed::{arm, declared};
use crate::support::folder::Folder;
use crate::support::program::kehai;
use crate::support::site::BARE;

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

    fn vault(&self) -> Vault {
        Vault::open(Path::new(&self.folder.path("state")), Keeping::default(), Duration::ZERO).expect("a store")
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
    let person = |name: &str, role| Person { name: name.to_owned(), role };
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
        let by = Person { name: "aki".to_owned(), role: Role::Owner };
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
        let by = Person { name: "aki".to_owned(), role: Role::Owner };
        let refused = stage.vault().turn(&Turn::Arm { by, site: site.clone() }, "aki", Some(&site.sign));
        assert!(matches!(refused, Err(TurnError::Refused(_))), "{key} was armed");
    }
    let mut refusals = 0;
    let mut count =
        |line: &str| refusals += usize::from(line.contains("\"refused\"") && line.contains("only tightens"));
    stage.vault().export_audit(&mut count).expect("the chain is there");
    assert_eq!(refusals, 12, "each start and each arming that was refused is remembered");
}
