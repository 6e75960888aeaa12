//! Answers to people who exercise a right, and what the desk has to give them.

use kehai::wire::seal::SealError;
use serde_json::Value;

use super::box_of::Box;
use crate::support::program::kehai;

#[test]
fn an_answer_is_signed_asks_for_no_papers_and_says_until_when() {
    let shop = Box::new();
    for request in ["access", "erasure", "objection", "restriction", "portability", "complaint"] {
        let out = shop.folder.path(&format!("{request}.html"));
        kehai(&["rights", "--site", &shop.site, "--request", request, "--out", &out]).must_be_well();
        let page = std::fs::read_to_string(&out).expect("an answer");
        for words in [
            "Article",
            "No papers and no photograph",
            "Use the side door",
            "Information Commissioner",
            "desk@shop.example",
            "30 days",
            "free of charge",
            "What you can do",
        ] {
            assert!(page.contains(words), "{request}: {words} is not said");
        }
        let signed = std::fs::read(format!("{out}.json")).expect("signed");
        let key = shop.vault().public_key();
        assert_eq!(key.verify(&signed), Ok(()));
        let changed = String::from_utf8(signed.clone()).expect("text").replace("Test Shop", "Best Shop").into_bytes();
        assert_eq!(key.verify(&changed), Err(SealError::Broken));
        let value: Value = serde_json::from_slice(&signed).expect("JSON");
        assert_eq!((value["k"].as_str(), value["request"].as_str()), (Some("rights"), Some(request)));
        assert!(value["due"].as_str() > value["received"].as_str());
    }
    let lines = shop.chain();
    assert_eq!(lines.iter().filter(|line| line.contains("\"what\":\"rights-answer\"")).count(), 6);
}

#[test]
fn the_clock_of_an_answer_runs_from_the_day_it_came() {
    let shop = Box::new();
    let out = shop.folder.path("answer.md");
    let asked = |received: &str| {
        kehai(&["rights", "--site", &shop.site, "--request", "access", "--received", received, "--out", &out])
    };
    let late = asked("2020-01-31");
    assert_eq!(late.code, Some(0));
    assert!(late.err.contains("due on 2020-02-29") && late.err.contains("say why it is late"), "{}", late.err);
    asked("2999-01-01").must_be_refused(2, &["--received", "has not come yet"]);
    kehai(&["rights", "--site", &shop.site, "--request", "access", "--lang", "ja", "--out", &out])
        .must_be_refused(2, &["--lang ja", "declared in en"]);
    kehai(&["rights", "--site", &shop.site, "--request", "portrait", "--out", &out])
        .must_be_refused(2, &["portrait", "access"]);
    let bare = Box::with(&[("authority = ", "# authority = ")]);
    kehai(&["rights", "--site", &bare.site, "--request", "access", "--out", &out])
        .must_be_refused(7, &["notice.authority"]);
}

#[test]
fn the_desk_has_a_runbook_and_a_dozen_answers_in_both_languages() {
    let runbook = kehai(&["rights", "--runbook"]);
    runbook.must_be_well();
    for words in [
        "Ask for no papers, no photograph",
        "thirty days",
        "kehai pause",
        "--kind disclosure",
        "--kind breach",
        "身分証明書",
        "30日",
        "受付票",
    ] {
        assert!(runbook.out.contains(words), "{words}");
    }
    for (language, question) in [("ja", "私は録画されていますか。"), ("en", "Am I being recorded?")] {
        let told = kehai(&["rights", "--questions", "--lang", language]);
        told.must_be_well();
        assert!(told.out.contains(question));
        assert!(told.out.lines().filter(|line| line.starts_with("## ")).count() >= 12, "{}", told.out);
        assert_eq!(kehai::notice::denial::denied(&told.out), None);
    }
}
