//! A claim stands only where its proof does, and the hash on the sign is that of every message.

use kehai::clock::{UtcMs, WindowSpan};
use kehai::config::Settings;
use kehai::config::declared::Language;
use kehai::gate::{Figures, Object};
use kehai::notice::claims::{Bounds, Claim, PROOF_AGE_MS_MAX, Running, proved};
use kehai::notice::sign::{Form, Sign};
use kehai::notice::{page, policy, texts};
use kehai::wire::compose::{Composer, Voice};
use kehai::wire::payload::selftest::{Outcome, Proof, SelfTest};
use kehai::wire::record::ArrivedWindow;

use super::shop::{AT, BOTH, green, notice, running, site, with};

/// What is said in a language: on the sign, whether paper, screen or page; in the policy's article; in the short texts.
fn said_on(test: Option<&SelfTest>, language: Language) -> [String; 3] {
    let site = site();
    let running = running(&site);
    let notice = notice(&site, &running, test);
    let sign = Sign::of(&notice, language).expect("a sign");
    let sheets = Form::ALL.map(|form| sign.sheet(form).expect("room").lines);
    // A sheet breaks its lines where it has to.
    let sheets = sheets.map(|lines| lines.iter().map(|line| line.text.as_str()).collect::<Vec<_>>().join(" "));
    let policy = policy::page(&notice);
    let start = policy.find(&format!("id=\"{}\"", language.code())).expect("an article");
    let end = start + policy[start..].find("</article>").expect("its end");
    let signs = [page::sign(&notice, &sign), sheets.join("\n")].join("\n");
    [signs, policy[start..end].to_owned(), texts::short(&notice, language)].map(|text| bare(&text))
}

/// A text without spaces and entities, so that it does not matter where its lines end.
fn bare(text: &str) -> String {
    text.replace("&#39;", "'").replace("&quot;", "\"").chars().filter(|letter| !letter.is_whitespace()).collect()
}

fn said(test: Option<&SelfTest>, language: Language) -> String {
    said_on(test, language).concat()
}

/// A claim's sentence as it is looked for: bare, without its full stop, for behind it a day may follow.
fn sentence(claim: Claim, language: Language) -> String {
    let sentence = bare(&claim.sentence(language, Bounds { k: 5, keep_days: 30 }));
    sentence.trim_end_matches(['.', '。']).to_owned()
}

/// A self-test in which this claim alone ended otherwise.
fn spoilt(claim: Claim, spoil: impl Fn(&mut Proof)) -> SelfTest {
    let mut test = green(&site());
    test.proofs.iter_mut().filter(|proof| proof.id == claim.id()).for_each(spoil);
    test
}

#[test]
fn a_claim_disappears_everywhere_when_its_proof_is_red_not_run_old_or_gone_and_the_others_stay() {
    let green = green(&site());
    for language in BOTH {
        for claim in Claim::ALL {
            // The sign has room for six: with the three before it gone each of them has its turn.
            let mut fewer = green.clone();
            let others = Claim::ALL.into_iter().filter(|other| *other != claim).take(3).map(Claim::id);
            let others: Vec<&str> = others.collect();
            fewer.proofs.retain(|proof| !others.contains(&proof.id.as_str()));
            let [sign, policy, texts] =
                said_on(Some(&fewer), language).map(|text| text.matches(&sentence(claim, language)).count());
            assert!(sign == 5, "{}: {sign} of a page, two papers and two screens say it", claim.id());
            assert!(policy >= 1, "the policy does not say {}", claim.id());
            assert_eq!(texts > 0, claim == Claim::NotStored, "{}", claim.id());

            let outcome = |outcome| spoilt(claim, move |proof| proof.outcome = outcome);
            let aged = |age_ms: i64| spoilt(claim, move |proof| proof.at.0 = AT.0 - age_ms);
            let mut gone = green.clone();
            gone.proofs.retain(|proof| proof.id != claim.id());
            for test in [outcome(Outcome::Red), outcome(Outcome::NotRun), aged(PROOF_AGE_MS_MAX), aged(-1), gone] {
                for text in said_on(Some(&test), language) {
                    assert!(!text.contains(&sentence(claim, language)), "{} is still said: {text}", claim.id());
                }
                let left = proved(Some(&test), &running(&site()), AT);
                assert_eq!(left.len(), Claim::ALL.len() - 1, "others went too: {left:?}");
            }
            assert_eq!(proved(Some(&aged(PROOF_AGE_MS_MAX - 1)), &running(&site()), AT), Claim::ALL);
        }
    }
}

#[test]
fn what_is_claimed_names_the_day_it_was_tested_and_of_several_days_the_first() {
    for (language, words) in [
        (Language::Ja, "2026-11-27に、この装置の自己検査で確かめました"),
        (Language::En, "Tested on 2026-11-27 by this device itself"),
    ] {
        let [sign, policy, texts] = said_on(Some(&green(&site())), language);
        assert!(sign.contains(&bare(words)) && policy.contains(&bare(words)), "{sign}{policy}");
        assert!(texts.contains("2026-11-27"), "{texts}");
        let [sign, policy, texts] =
            said_on(Some(&spoilt(Claim::Signed, |proof| proof.at.0 -= 23 * 3_600_000)), language);
        let earlier = bare(&words.replace("27", "26"));
        assert!(
            sign.contains(&earlier) && policy.contains(&earlier) && texts.contains("2026-11-26"),
            "{sign}{policy}{texts}"
        );
        let nothing = SelfTest { proofs: Vec::new(), ..green(&site()) };
        assert!(!said(Some(&nothing), language).contains(&bare(words)));
    }
}

#[test]
fn a_proof_that_failed_once_is_not_made_good_by_one_that_did_not() {
    let mut test = green(&site());
    let mut red = test.proofs[0].clone();
    red.outcome = Outcome::Red;
    test.proofs.push(red);
    assert!(!proved(Some(&test), &running(&site()), AT).contains(&Claim::ALL[0]));
}

#[test]
fn nothing_is_claimed_on_a_self_test_of_another_version_of_other_programs_or_of_another_declaration() {
    let site = site();
    let (test, running) = (green(&site), running(&site));
    assert_eq!(proved(Some(&test), &running, AT), Claim::ALL);
    let others = [
        Running { version: "0.1.1".into(), ..running.clone() },
        Running { declaration: "ff".repeat(32), ..running.clone() },
        Running { binaries: [("kehai".to_owned(), "ab".repeat(32))].into(), ..running.clone() },
        Running { binaries: Default::default(), ..running.clone() },
    ];
    for other in others {
        assert_eq!(proved(Some(&test), &other, AT), [], "{other:?}");
        let notice = notice(&site, &other, Some(&test));
        assert!(notice.self_test.is_none() && notice.tested_on().is_none());
    }
    assert_eq!(proved(None, &running, AT), []);
    let of_nothing = SelfTest { binaries: Default::default(), ..test };
    assert_eq!(
        proved(Some(&of_nothing), &Running { binaries: Default::default(), ..running }, AT),
        [],
        "of no program"
    );
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
        said(Some(&test), Language::En).matches("(notprovedbyaself-test)").count()
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
