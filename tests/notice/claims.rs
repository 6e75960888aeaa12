//! A claim stands only where its proof does, and the hash on the sign is that of every message.

use kehai::clock::{UtcMs, WindowSpan};
use kehai::config::Settings;
use kehai::config::declared::Language;
use kehai::gate::{Figures, Object};
use kehai::notice::claims::{Bounds, Claim, Running, proved};
use kehai::notice::sign::Sign;
use kehai::notice::{page, policy, texts};
use kehai::wire::compose::{Composer, Voice};
use kehai::wire::payload::selftest::{Outcome, SelfTest};
use kehai::wire::record::ArrivedWindow;

use super::shop::{BOTH, green, notice, running, site, with};

/// Everything that is said in a language: sign, policy and short texts.
fn said(test: Option<&SelfTest>, language: Language) -> String {
    let site = site();
    let running = running(&site);
    let notice = notice(&site, &running, test);
    let sign = Sign::of(&notice, language).expect("a sign");
    [page::sign(&notice, &sign), policy::page(&notice), texts::short(&notice, language)].concat()
}

fn sentence(claim: Claim, language: Language) -> String {
    claim.sentence(language, Bounds { k: 5, keep_days: 30 })
}

#[test]
fn a_claim_disappears_everywhere_when_its_proof_is_red_not_run_or_gone_and_the_others_stay() {
    let green = green(&site());
    for language in BOTH {
        let all = said(Some(&green), language);
        for claim in Claim::ALL {
            assert!(all.contains(&sentence(claim, language)), "{} is proved and not said", claim.id());
            let mut spoilt = vec![SelfTest { proofs: Vec::new(), ..green.clone() }];
            for outcome in [Outcome::Red, Outcome::NotRun] {
                let mut test = green.clone();
                let of_claim = test.proofs.iter_mut().filter(|proof| proof.id == claim.id());
                of_claim.for_each(|proof| proof.outcome = outcome);
                for other in Claim::ALL.into_iter().filter(|other| *other != claim) {
                    assert!(proved(Some(&test), &running(&site())).contains(&other), "{} went too", other.id());
                }
                spoilt.push(test);
            }
            for test in spoilt {
                assert!(!said(Some(&test), language).contains(&sentence(claim, language)), "{}", claim.id());
            }
        }
    }
}

#[test]
fn a_proof_that_failed_once_is_not_made_good_by_one_that_did_not() {
    let mut test = green(&site());
    let mut red = test.proofs[0].clone();
    red.outcome = Outcome::Red;
    test.proofs.push(red);
    assert!(!proved(Some(&test), &running(&site())).contains(&Claim::ALL[0]));
}

#[test]
fn nothing_is_claimed_on_a_self_test_of_another_version_of_other_programs_or_of_another_declaration() {
    let site = site();
    let (test, running) = (green(&site), running(&site));
    assert_eq!(proved(Some(&test), &running), Claim::ALL);
    let others = [
        Running { version: "0.1.1".into(), ..running.clone() },
        Running { declaration: "ff".repeat(32), ..running.clone() },
        Running { binaries: [("kehai".to_owned(), "ab".repeat(32))].into(), ..running.clone() },
        Running { binaries: Default::default(), ..running.clone() },
    ];
    for other in others {
        assert_eq!(proved(Some(&test), &other), [], "{other:?}");
        let notice = notice(&site, &other, Some(&test));
        assert!(notice.self_test.is_none() && notice.tested_on().is_none());
    }
    assert_eq!(proved(None, &running), []);
    let of_nothing = SelfTest { binaries: Default::default(), ..test };
    assert_eq!(proved(Some(&of_nothing), &Running { binaries: Default::default(), ..running }), [], "of no program");
}

#[test]
fn the_hash_on_a_sign_is_that_of_every_message_and_follows_every_declared_value_as_its_id_does() {
    let other_desk = with(&[("phone = \"+44 118 496 0000\"", "phone = \"+44 118 496 0001\"")]);
    let ids = [site(), other_desk].map(|site| {
        let running = running(&site);
        let notice = notice(&site, &running, None);
        let sign = Sign::of(&notice, Language::En).expect("a sign");
        assert!(sign.footer.contains(&notice.sign_id) && sign.footer.contains(&notice.cfg), "{}", sign.footer);
        assert_eq!(cfg_of_a_message(&site.settings), notice.cfg);
        (notice.sign_id, notice.cfg)
    });
    assert_ne!(ids[0].0, ids[1].0);
    assert_ne!(ids[0].1, ids[1].1);
}

fn cfg_of_a_message(settings: &Settings) -> String {
    let voice =
        Voice { topic_root: "k".into(), boot: "replay".into(), synchronised: true, retain_windows: false, sign: None };
    let window = ArrivedWindow {
        object: Object::Line(0),
        span: WindowSpan { start_s: 0, dur_s: 900 },
        cov_ms: 900_000,
        figures: Figures::Line { inward: 1, outward: 2, uncertain: 0 },
    };
    let body = Composer::new(settings, voice).window(1, &window).message.body;
    let value: serde_json::Value = serde_json::from_slice(&body).expect("json");
    value["cfg"].as_str().expect("a text").to_owned()
}

#[test]
fn what_must_be_said_of_lifetimes_and_of_small_figures_is_marked_where_it_is_not_proved() {
    let count = |claims: &[Claim]| {
        let mut test = green(&site());
        test.proofs.retain(|proof| !claims.iter().any(|claim| claim.id() == proof.id));
        said(Some(&test), Language::En).matches("(not proved by a self-test)").count()
    };
    assert_eq!(count(&[]), 0);
    assert_eq!(count(&[Claim::Wiped]), 1);
    assert_eq!(count(&[Claim::Wiped, Claim::KeptAtMost, Claim::KPeople]), 3);
}

#[test]
fn the_day_on_a_sign_is_the_shops() {
    let days = ["Europe/London", "Asia/Tokyo"].map(|zone| kehai::notice::day(UtcMs(1_795_815_000_000), zone));
    assert_eq!(days, ["2026-11-27", "2026-11-28"]);
}
