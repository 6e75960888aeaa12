//! What is said openly by a shop that runs: the policy and the newest self-test, for everybody, without a script and from nobody else.

use kehai::wire::payload::selftest::{Outcome, SelfTest};

use super::shop::AtWork;
use super::visitor::Answer;
use crate::support::program::kehai;

/// Whether a page loads, runs and sends nothing.
fn must_keep_to_itself(answer: &Answer) {
    assert_eq!(answer.status, 200, "{answer:?}");
    for strange in ["<script", "<link", "<img", "<iframe", "<form", "src=", "url(", "@import", "javascript:"] {
        assert!(!answer.body.contains(strange), "{strange} in {}", answer.body);
    }
    let policy = answer.header("content-security-policy");
    assert!(policy.contains("default-src 'none'") && policy.contains("form-action 'none'"), "{policy}");
    assert!(answer.header("set-cookie").is_empty(), "nobody is followed");
}

#[test]
fn a_visitor_finds_the_last_self_test_and_a_claim_goes_when_its_test_fails() {
    let work = AtWork::without_a_camera("openly");
    let mut visitor = work.served.visitor();
    let none = visitor.get("/selftest");
    assert!(
        none.status == 404 && none.body.contains("kehai report") && none.body.contains("href=\"/notice\""),
        "{none:?}"
    );
    let unproved = visitor.get("/notice");
    must_keep_to_itself(&unproved);
    assert!(!unproved.body.contains(CLAIM) && unproved.body.contains("desk@shop.example"), "{unproved:?}");

    kehai(&["report", "--site", &work.shop.site().to_string_lossy()]).must_be_well();
    let (shown, notice) = (visitor.get("/selftest"), visitor.get("/notice"));
    must_keep_to_itself(&shown);
    let key = work.served.vault.public_key();
    let signed = visitor.get("/selftest.json");
    let test = SelfTest::of_signed(signed.body.as_bytes(), &key).expect("signed by this box");
    let moment = kehai::notice::day_and_minute(test.at, "UTC");
    let programs = test.binaries.get("kehai").expect("its hash");
    for words in [
        &moment,
        programs,
        &test.cfg,
        &key.to_string(),
        env!("CARGO_PKG_VERSION"),
        "Images are not stored",
        "holds",
        "not tried",
    ] {
        assert!(shown.body.contains(words), "{words} in {}", shown.body);
    }
    assert!(shown.body.contains("href=\"/notice?lang=en\"") && shown.body.contains("href=\"/selftest.json\""));
    assert!(notice.body.contains("href=\"/selftest?lang=en\"") && notice.body.contains(CLAIM), "{notice:?}");
    assert!(visitor.get("/selftest?lang=ja").body.contains("<html lang=\"ja\">"));
    assert!(visitor.get("/login").body.contains("href=\"/selftest\""));

    let mut failed = test;
    failed.proofs.iter_mut().filter(|proof| proof.id == "not-stored").for_each(|proof| proof.outcome = Outcome::Red);
    work.served.vault.keep_self_test(&failed).expect("room");
    let (shown, notice) = (visitor.get("/selftest"), visitor.get("/notice"));
    assert!(shown.body.contains("This does not hold") && shown.body.contains("1 do not hold"), "{shown:?}");
    assert!(!notice.body.contains(CLAIM), "at once, while the shop runs");
    failed.version = "0.0.0".to_owned();
    work.served.vault.keep_self_test(&failed).expect("room");
    assert!(visitor.get("/selftest").body.contains("have changed since"));
    std::fs::write(work.state.join("selftest.json"), "{\"proofs\":[]}").expect("it can be written");
    assert_eq!(visitor.get("/selftest").status, 404, "what the box has not signed is not shown");
}

const CLAIM: &str = "Images are not stored.";
