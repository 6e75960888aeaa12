//! The self-test of a box: what is tried, how it ends, and that nobody can pretend it ended otherwise.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use kehai::clock::{UtcMs, utc_now};
use kehai::config::Keeping;
use kehai::notice::claims::{Claim, Running, proved};
use kehai::vault::Vault;
use kehai::wire::payload::selftest::{Outcome, SelfTest};
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::box_of::Box;
use crate::support::folder::{Folder, in_repository, read};
use crate::support::program::kehai;

#[test]
fn a_self_test_is_signed_kept_beside_the_store_and_bears_claims() {
    let shop = Box::new();
    let out = shop.folder.path("out");
    let told = kehai(&["report", "--site", &shop.site, "--json", "--out", &out]);
    told.must_be_well();
    let told: SelfTest = serde_json::from_str(&told.out).expect("a self-test");
    let kept = format!("{}/selftest.json", shop.state);
    assert_eq!(std::fs::metadata(&kept).expect("it is kept").permissions().mode() & 0o777, 0o600);
    let vault = shop.vault();
    assert_eq!(vault.self_test().expect("the box believes it"), told);
    assert_eq!(std::fs::read(&kept).ok(), std::fs::read(format!("{out}/selftest.json")).ok());
    let page = std::fs::read_to_string(format!("{out}/selftest.html")).expect("a page");
    assert!(page.contains("Images are not stored") && page.contains("映像を保存しない") && page.contains(&told.cfg));

    let running = Running {
        version: told.version.clone(),
        binaries: told.binaries.clone(),
        declaration: told.declaration.clone(),
    };
    assert!(told.binaries.len() >= 3, "{:?}", told.binaries);
    let claims: Vec<&str> = proved(Some(&told), &running, utc_now()).into_iter().map(Claim::id).collect();
    assert_eq!(
        claims,
        [
            "not-stored",
            "no-recognition",
            "aggregates-only",
            "k-people",
            "kept-at-most",
            "no-network",
            "encrypted",
            "signed"
        ],
        "{told:#?}"
    );
    for id in ["aggregates-only", "privacy-state", "kept-at-most"] {
        let proof = told.proof(id).expect("it is spoken of");
        assert!(proof.words.contains("drawn"), "the store holds nothing, and that proves nothing: {proof:?}");
    }
    let wiped = told.proof("wiped").expect("it is spoken of");
    assert!(wiped.outcome == Outcome::NotRun && wiped.words.contains("--memory"), "{wiped:?}");
    let lines = shop.chain();
    assert!(
        lines.iter().any(|line| line.contains("\"what\":\"self-test\"") && line.contains("\"red\":0")),
        "{lines:?}"
    );
}

#[test]
fn a_search_of_memory_is_kept_with_its_own_date_and_bears_its_claim() {
    if !rustix::process::geteuid().is_root() {
        return;
    }
    let shop = Box::new();
    let memory = ["report", "--memory", "--site", &shop.site, "--frames", "10", "--picture", "240x320"];
    kehai(&memory).must_be_well();
    let searched = shop.vault().self_test().expect("kept").proof("wiped").cloned().expect("it is spoken of");
    assert_eq!(searched.outcome, Outcome::Green, "{searched:?}");
    kehai(&["report", "--site", &shop.site]).must_be_well();
    let test = shop.vault().self_test().expect("kept");
    assert_eq!(test.proof("wiped"), Some(&searched), "the rest was tried anew, this was not");
    assert!(test.proof("cage").is_some_and(|proof| proof.at > searched.at));
}

#[test]
fn a_self_test_that_was_changed_or_is_of_another_box_is_none() {
    let (shop, other) = (Box::new(), Box::new());
    kehai(&["report", "--site", &shop.site]).must_be_well();
    let kept = format!("{}/selftest.json", shop.state);
    let good = std::fs::read_to_string(&kept).expect("it is kept");
    let bad = good.replacen("not-run", "green", 1);
    assert_ne!(good, bad);
    for (text, state) in [(&bad, &shop.state), (&good, &other.state)] {
        std::fs::write(format!("{state}/selftest.json"), text).expect("it can be written");
        let vault = Vault::open_beside(Path::new(state), Keeping::default()).expect("a store");
        assert_eq!(vault.self_test(), None);
    }
}

#[test]
fn what_does_not_hold_fails_the_report_and_bears_no_claim() {
    let shop = Box::with(&[("[store]", "dangerous_allow_unsandboxed = true\n[store]")]);
    let told = kehai(&["report", "--site", &shop.site, "--json"]);
    assert_eq!(told.code, Some(1));
    assert!(told.err.contains("the self-test failed: dangers"), "{}", told.err);
    let told: SelfTest = serde_json::from_str(&told.out).expect("a self-test");
    assert_eq!(told.proof("dangers").map(|proof| proof.outcome), Some(Outcome::Red));
    let lines = shop.chain();
    assert!(lines.iter().any(|line| line.contains("\"what\":\"self-test\",\"outcome\":\"failed\"")), "{lines:?}");
}

#[test]
fn that_one_person_arms_alone_is_told_and_is_no_failure() {
    for (changes, is_alone) in [(&[][..], true), (&[("sole_operator = true", "sole_operator = false")][..], false)] {
        let shop = Box::with(changes);
        let told = kehai(&["report", "--site", &shop.site, "--json"]);
        told.must_be_well();
        let told: SelfTest = serde_json::from_str(&told.out).expect("a self-test");
        let dangers = told.proof("dangers").expect("it is spoken of");
        assert_eq!(dangers.outcome, Outcome::Green, "{dangers:?}");
        assert_eq!(dangers.words.contains("one person arms alone (switch.sole_operator)"), is_alone, "{dangers:?}");
    }
}

#[test]
fn of_a_network_that_nobody_here_knows_it_is_not_claimed_that_it_recognises_nobody() {
    let folder = Folder::new();
    let mut network = read(&in_repository("fetched/models/nanodet_g.onnx"));
    // Field 6 of an ONNX model is its documentation: one letter.
    network.extend([0x32, 0x01, b'x']);
    let sha256: String = Sha256::digest(&network).iter().map(|byte| format!("{byte:02x}")).collect();
    let known = include_str!("../../models/nanodet-g.card.toml");
    let card = known
        .replace("5844a9b3385c3450112859db3005c9d807a9bda8bef70364b437418fec5390b7", &sha256)
        .replace("name = \"nanodet-g\"", "name = \"face-age-gender\"")
        .replace("person_class = 0", "person_class = 7");
    assert!(card.contains("face-age-gender") && card.contains("person_class = 7"), "the card has changed: {known}");
    folder.write("own.onnx.card.toml", card);
    let model = format!("[detector]\nmodel = \"{}\"\n[store]", folder.write("own.onnx", network));
    let shop = Box::with(&[("[store]", &model)]);
    let told = kehai(&["report", "--site", &shop.site, "--json"]);
    told.must_be_well();
    let told: SelfTest = serde_json::from_str(&told.out).expect("a self-test");
    let recognises = told.proof("no-recognition").expect("it is spoken of");
    assert_eq!(recognises.outcome, Outcome::NotRun, "{recognises:?}");
    // What is claimed of this network is claimed of no other.
    assert_eq!(told.binaries["network"], sha256);
    assert_ne!(sha256, crate::notice::commands::hash_of_network());
    assert!(recognises.words.contains("face-age-gender") && recognises.words.contains("your own"), "{recognises:?}");
}

#[test]
fn a_self_test_that_is_old_or_of_something_else_is_told_by_the_doctor() {
    let shop = Box::new();
    let told = |shop: &Box| {
        let doctor = kehai(&["doctor", "--site", &shop.site, "--json"]);
        let findings: Vec<Value> = serde_json::from_str(&doctor.out).expect("findings");
        let found = findings.into_iter().find(|finding| finding["what"] == "self-test").expect("it is spoken of");
        (found["ok"] == true, found["detail"].as_str().unwrap_or_default().to_owned())
    };
    assert!(told(&shop).1.starts_with("none yet"));
    kehai(&["report", "--site", &shop.site]).must_be_well();
    let (is_well, words) = told(&shop);
    assert!(is_well && words.ends_with(" tried"), "{words}");
    let test = shop.vault().self_test().expect("kept");
    let keep = |test: &SelfTest| drop(shop.vault().keep_self_test(test).expect("it can be kept"));
    keep(&SelfTest { at: UtcMs(test.at.0 - 25 * 3_600_000), ..test.clone() });
    let (is_well, words) = told(&shop);
    assert!(!is_well && words.contains("25 hours old"), "{words}");
    keep(&SelfTest { declaration: "another".into(), ..test });
    let (is_well, words) = told(&shop);
    assert!(!is_well && words.contains("another declaration"), "{words}");
}

#[test]
fn a_report_of_a_site_that_says_nothing_names_what_is_missing() {
    let shop = Box::with(&[("region = \"uk\"", "")]);
    kehai(&["report", "--site", &shop.site]).must_be_refused(7, &["notice.region"]);
}

#[test]
fn the_members_a_window_may_have_are_those_of_the_schema() {
    let schema = kehai(&["schema"]);
    schema.must_be_well();
    let schema: Value = serde_json::from_str(&schema.out).expect("JSON");
    let definitions = schema["$defs"].as_object().expect("definitions");
    let windows = definitions.values().filter(|definition| definition["properties"]["ws"].is_object());
    let mut members: Vec<String> = windows
        .flat_map(|window| window["properties"].as_object().into_iter().flat_map(|members| members.keys().cloned()))
        .collect();
    members.sort();
    members.dedup();
    let mut known = ["v", "k", "id", "ws", "dur", "rev", "boot", "seq", "cfg", "clk", "cov_ms", "privacy", "d", "sig"];
    known.sort_unstable();
    assert_eq!(members, known, "whoever adds a member to windows says here that it is no person's");
}
