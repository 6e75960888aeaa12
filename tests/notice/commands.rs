//! `kehai notice`, as a person calls it.

use kehai::config::Keeping;
use kehai::vault::Vault;
use kehai::wire::payload::selftest::{SELF_TEST_FILE, SelfTest};
use sha2::{Digest, Sha256};
use std::path::Path;
use std::time::Duration;

use super::shop::{green, with};
use crate::support::folder::Folder;
use crate::support::program::{kehai, start};
use crate::support::site::{demo_path, demo_with};

#[test]
fn the_demo_makes_every_document_and_says_what_to_do_next() {
    let folder = Folder::new();
    let out = folder.path("notice");
    let ended = kehai(&["notice", "--site", &demo_path(), "--out", &out]);
    assert_eq!(ended.code, Some(0), "{}", ended.err);
    let site = with(&[]);
    let id = kehai::notice::sign_id(site.settings.declaration.as_deref().expect("declared"));
    for said in [
        &id,
        &site.settings.revision(),
        &format!("kehai arm --site {} --sign {id}", demo_path()),
        &"no claim is made".to_owned(),
    ] {
        assert!(ended.out.contains(said.as_str()), "{said}: {}", ended.out);
    }
    let mut names: Vec<String> = crate::support::folder::names_in(&out);
    names.sort();
    let mut wanted: Vec<String> = ["ja", "en"]
        .iter()
        .flat_map(|code| {
            [
                format!("sign-a3-{code}.pdf"),
                format!("sign-a4-{code}.pdf"),
                format!("sign-screen-{code}.png"),
                format!("sign-screen-wide-{code}.png"),
                format!("sign-{code}.html"),
                format!("texts-{code}.txt"),
            ]
        })
        .chain(["policy.html".to_owned()])
        .collect();
    wanted.sort();
    assert_eq!(names, wanted);
}

#[test]
fn each_required_key_that_is_missing_is_named_and_nothing_is_made() {
    let folder = Folder::new();
    let site = std::fs::read_to_string(demo_path()).expect("the demo's site");
    for key in [
        "languages",
        "controllers",
        "legal_basis",
        "desk",
        "authority",
        "objection",
        "policy_url",
        "region",
        "interest",
    ] {
        let without: String = lines_without(&site, key);
        let path = folder.write("site.toml", without);
        let out = folder.path("out");
        let ended = kehai(&["notice", "--site", &path, "--out", &out]);
        assert_eq!(ended.code, Some(7), "{key}: {}", ended.err);
        assert!(ended.err.contains(&format!("notice.{key}")), "{key}: {}", ended.err);
        assert!(!Path::new(&out).exists(), "{key}");
    }
    let untranslated = demo_with(&[(", en = \"To put signposts where people look for them\"", "")]);
    let ended = kehai(&["notice", "--site", &folder.write("site.toml", untranslated), "--out", &folder.path("out")]);
    assert_eq!(ended.code, Some(7));
    assert!(ended.err.contains("purposes.flow.en"), "{}", ended.err);
}

/// The site without the value of a key of `[notice]`, which may go over lines.
fn lines_without(site: &str, key: &str) -> String {
    let mut kept = Vec::new();
    let (mut is_value, mut is_notice) = (false, false);
    for line in site.lines() {
        is_notice = if line.starts_with('[') { line.starts_with("[notice]") } else { is_notice };
        let is_key = is_notice && line.split('=').next().is_some_and(|name| name.trim() == key);
        is_value = is_key || is_value && (line.starts_with(' ') || line.starts_with(']'));
        if !is_value {
            kept.push(line);
        }
    }
    kept.join("\n")
}

#[test]
fn a_malformed_value_is_a_fault_of_the_site_file_and_a_language_that_is_not_declared_one_of_the_call() {
    let folder = Folder::new();
    let malformed = demo_with(&[("email = \"privacy@crossing.example\", hours", "email = \"privacy\", hours")]);
    let ended = kehai(&["notice", "--site", &folder.write("site.toml", malformed), "--out", &folder.path("out")]);
    assert_eq!(ended.code, Some(3));
    assert!(ended.err.contains("notice.desk.email"), "{}", ended.err);
    let japanese =
        demo_with(&[("languages = [\"ja\", \"en\"]", "languages = [\"ja\"]"), ("region = \"uk\"", "region = \"jp\"")]);
    let path = folder.write("site.toml", japanese);
    let ended = kehai(&["notice", "--site", &path, "--out", &folder.path("out"), "--lang", "en"]);
    assert_eq!(ended.code, Some(2));
    assert!(ended.err.contains("notice.languages"), "{}", ended.err);
}

#[test]
fn claims_are_made_on_a_self_test_that_the_box_has_signed_of_these_very_programs() {
    let folder = Folder::new();
    let state = folder.path("state");
    let vault = Vault::open(Path::new(&state), Keeping::default(), Duration::ZERO).expect("a store");
    let test = of_these_programs();
    let body = serde_json::to_vec(&test).expect("plain data");
    let claims = |body: Vec<u8>| {
        std::fs::write(Path::new(&state).join(SELF_TEST_FILE), body).expect("written");
        let out = folder.path("out");
        let arguments = ["notice", "--site", &demo_path(), "--out", &out, "--format", "texts", "--json"];
        let ended = start(&arguments, &[("STATE_DIRECTORY", &state)]).ended();
        assert_eq!(ended.code, Some(0), "{}", ended.err);
        let made: serde_json::Value = serde_json::from_str(&ended.out).expect("json");
        (made["claims"].as_array().expect("a list").len(), ended.err)
    };
    assert_eq!(claims(vault.seal(body.clone())).0, 9);
    let mut old = test.clone();
    old.proofs.iter_mut().for_each(|proof| proof.at.0 -= 24 * 3_600_000);
    assert_eq!(claims(vault.seal(serde_json::to_vec(&old).expect("plain data"))).0, 0, "of yesterday");
    let unsigned = claims(body);
    assert_eq!(unsigned.0, 0);
    assert!(unsigned.1.contains("not believed"), "{}", unsigned.1);
    let foreign = kehai::wire::seal::Signer::new(&[7; 32]).seal(serde_json::to_vec(&test).expect("plain data"));
    assert_eq!(claims(foreign).0, 0);
    let of_others = SelfTest { binaries: green(&with(&[])).binaries, ..test };
    assert_eq!(claims(vault.seal(serde_json::to_vec(&of_others).expect("plain data"))).0, 0);
}

/// SHA-256 of the network that is taken where a site names none, as its card says.
pub fn hash_of_network() -> String {
    let card: toml::Table = include_str!("../../models/nanodet-g-8bit.card.toml").parse().expect("a card");
    card["sha256"].as_str().expect("a text").to_owned()
}

/// A self-test of the programs that this test run has built.
fn of_these_programs() -> SelfTest {
    let folder = Path::new(env!("CARGO_BIN_EXE_kehai")).parent().expect("a folder");
    let names = ["kehai", "kehai-detect", "kehai-eye", "kehai-eye-opencv"];
    let hash = |name: &str| {
        let bytes = std::fs::read(folder.join(name)).expect("a program");
        Sha256::digest(&bytes).iter().map(|byte| format!("{byte:02x}")).collect::<String>()
    };
    let programs = names.iter().map(|name| ((*name).to_owned(), hash(name)));
    let binaries = programs.chain([("network".to_owned(), hash_of_network())]).collect();
    let mut test = SelfTest { binaries, version: env!("CARGO_PKG_VERSION").into(), ..green(&with(&[])) };
    test.at = kehai::clock::utc_now();
    test.proofs.iter_mut().for_each(|proof| proof.at = test.at);
    test
}
