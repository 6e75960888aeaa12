//! Everything that has to be said is said, in both languages, and what must never be said is not.

use kehai::config::declared::{Language, Metric, Words};
use kehai::config::site::Site;
use kehai::notice::denial::denied;
use kehai::notice::layout::escape;
use kehai::notice::sign::{Form, Sign};
use kehai::notice::words::SignWords;
use kehai::notice::{Notice, NoticeError, Told, page, policy, texts};

use super::shop::{AT, BOTH, green, notice, running, site, with};

struct Said {
    sign: String,
    policy: String,
    texts: String,
    sheet: String,
}

/// What is said of a site in one language.
fn said(site: &Site, language: Language) -> Said {
    let (running, test) = (running(site), green(site));
    let notice = notice(site, &running, Some(&test));
    let sign = Sign::of(&notice, language).expect("a sign");
    let policy = policy::page(&notice);
    let start = policy.find(&format!("id=\"{}\"", language.code())).expect("an article");
    let end = policy[start..].find("</article>").expect("its end");
    let lines = sign.sheet(Form::A4).expect("room").lines;
    Said {
        sign: page::sign(&notice, &sign),
        policy: policy[start..start + end].to_owned(),
        texts: texts::short(&notice, language),
        sheet: lines.iter().map(|line| line.text.as_str()).collect::<Vec<_>>().join("\n"),
    }
}

#[test]
fn layer_one_says_what_who_why_how_to_object_whom_to_ask_and_where_to_read_on() {
    let site = site();
    let declared = &site.declared;
    for language in BOTH {
        let said = said(&site, language);
        let words = SignWords::of(language);
        let text = |words: &Words| words.in_language(language).expect("translated").to_owned();
        let desk = declared.desk.as_ref().expect("declared");
        let mut needed = vec![
            words.sentence(language),
            words.analysed.to_owned(),
            text(declared.objection.as_ref().expect("declared")),
            text(&desk.name),
            desk.phone.clone().expect("declared"),
            desk.email.clone().expect("declared"),
            desk.hours.clone().expect("declared"),
            declared.policy_url.clone().expect("declared"),
            site.settings.revision(),
            kehai::notice::sign_id(site.settings.declaration.as_deref().expect("declared")),
            "2026-11-27".to_owned(),
            site.settings.store.name.clone(),
        ];
        needed.extend(declared.controllers.iter().map(|party| party.name.clone()));
        needed.extend(declared.purposes.values().map(text));
        for needed in needed {
            assert!(said.sign.contains(&escape(&needed)), "{language:?}: the sign does not say {needed}");
        }
        assert!(words.analysed.contains(if language == Language::Ja { "解析" } else { "analysed" }));
    }
    assert_eq!(SignWords::of(Language::Ja).sentence(Language::Ja), "カメラ映像から人の動き(動線)を統計化しています");
}

/// A shop with other bounds than the demo, a processor, a recipient, hours and one person who arms alone.
fn busy() -> Site {
    let recipient = "[[recipient]]\nname = \"Head office\"\nhost = \"broker.example\"\ncountry = \"FR\"\npurpose = { ja = \"店舗の比較\", en = \"To compare shops\" }\n";
    with(&[
        ("processors = []", "processors = [{ name = \"Box & Co\", address = \"2 Lane\", contact = \"+1 555 0100\" }]"),
        ("# [switch]", &format!("{recipient}[switch]\nsole_operator = true\nhours = \"10:00-21:00\"")),
        ("keep_days = 30", "keep_days = 12"),
        ("k = 5 ", "k = 7\ncrowd_min = 11 "),
    ])
}

/// Everything a site declares, in a language.
fn declared_by(site: &Site, language: Language) -> Vec<String> {
    let declared = &site.declared;
    let text = |words: &Words| words.in_language(language).expect("translated").to_owned();
    let mut values: Vec<String> = Vec::new();
    for party in declared.controllers.iter().chain(&declared.processors) {
        values.extend([party.name.clone(), party.address.clone(), party.contact.clone()]);
    }
    for one in &declared.recipients {
        values.extend([one.name.clone(), one.host.clone(), one.country.clone(), text(&one.purpose)]);
    }
    for change in &declared.changes {
        values.extend([change.date.clone(), text(&change.what)]);
    }
    values.extend(declared.purposes.values().map(text));
    let optional = [&declared.interest, &declared.authority, &declared.objection];
    values.extend(optional.into_iter().map(|words| text(words.as_ref().expect("declared"))));
    values
}

#[test]
fn layer_two_says_every_declared_value_and_every_bound_that_runs() {
    let site = busy();
    for language in BOTH {
        let said = said(&site, language).policy;
        let bounds = match language {
            Language::Ja => [
                "12日",
                "7人",
                "k = 7",
                "11人以上いたとき",
                "単独運営",
                "正当な利益",
                "30日以内",
                "身分証明書",
                "映っているあいだと、その後の数秒",
                "1年",
                "15分",
                "60分",
                "1 m四方",
            ],
            Language::En => [
                "12 days",
                "7 people",
                "k = 7",
                "at least 11 people",
                "sole operator",
                "Legitimate interest",
                "30 days",
                "identification",
                "some seconds more",
                "one year",
                "15 minutes",
                "60 minutes",
                "cells of 1 m",
            ],
        };
        let named = ["View 1", "Crossing", "East gate", "Junction", "10:00-21:00", "ed25519:KEY"];
        let needed = bounds.into_iter().chain(named).map(str::to_owned).chain(declared_by(&site, language));
        for needed in needed {
            assert!(said.contains(&escape(&needed)), "{language:?}: the policy does not say {needed}");
        }
        for word in ["ε", "epsilon", "δ"] {
            assert!(!said.contains(word), "there is no noise, so there is no {word}");
        }
    }
}

#[test]
fn a_kind_of_figure_without_a_purpose_is_not_in_the_policy() {
    let site = with(&[("od = {", "# od = {")]);
    assert!(!site.declared.purposes.contains_key(&Metric::Od));
    assert!(!said(&site, Language::En).policy.contains("Ways between places"));
    assert!(said(&super::shop::site(), Language::En).policy.contains("Ways between places"));
}

#[test]
fn the_policy_says_what_its_region_asks_for_at_the_least() {
    for (region, numbers, allows_none) in
        [("jp", ["k = 5", "5"], false), ("uk", ["k = 5", "10"], false), ("eu", ["k = 10", "20"], true)]
    {
        let site =
            with(&[("region = \"uk\"", &format!("region = \"{region}\"")), ("k = 5 ", "k = 12\ncrowd_min = 30 ")]);
        let [k, crowd] = numbers;
        let [ja, en] = BOTH.map(|language| said(&site, language).policy);
        assert!(en.contains(&format!("takes no setting below {k}, nor below {crowd} people")), "{region}: {en}");
        assert!(
            ja.contains(&format!("この装置は {k}、地図と移動の数字は{crowd}人を下回る設定を受けつけません")),
            "{region}: {ja}"
        );
        assert_eq!(en.contains("No setting that weakens protection is taken"), allows_none, "{region}");
        assert_eq!(ja.contains("保護を弱める設定は使えません"), allows_none, "{region}");
    }
}

#[test]
fn nobody_outside_is_said_where_nobody_is() {
    assert!(
        said(&site(), Language::En).policy.contains("This device delivers figures to nobody but those responsible")
    );
    assert!(said(&site(), Language::Ja).policy.contains("運営者のほかのだれにも数字を届けません"));
}

#[test]
fn where_somebody_else_gets_figures_it_is_said_that_this_device_cannot_delete_theirs() {
    let says = |site: &Site| {
        [(Language::En, "this device cannot delete it there"), (Language::Ja, "この装置からは消せません")]
            .map(|(language, words)| said(site, language).policy.contains(words))
    };
    assert_eq!([says(&busy()), says(&site())], [[true; 2], [false; 2]]);
}

#[test]
fn a_shop_without_a_floor_has_no_plan_and_says_so() {
    let text = "[store]\norg = \"t\"\nstore = \"t\"\nnode = \"t\"\ntimezone = \"Asia/Tokyo\"\n[[camera]]\nid = \"c\"\nname = \"天井\"\n[[line]]\nid = \"d\"\nname = \"入口\"\nends_px = [[0, 0], [9, 9]]\ninside_px = [0, 9]\n";
    let demo = std::fs::read_to_string(crate::support::site::demo_path()).expect("the demo's site");
    let declared = &demo[demo.find("[vault]").expect("kept")..demo.find("# [[recipient]]").expect("kept")];
    let site = kehai::config::site::parse(&format!("{text}{declared}"), "t").expect("a good site");
    let policy = said(&site, Language::Ja).policy;
    assert!(
        policy.contains("画面の中だけ（平面図なし）") && policy.contains("入口") && !policy.contains("class=\"plan\"")
    );
    assert!(said(&super::shop::site(), Language::Ja).policy.contains("class=\"plan\""));
}

#[test]
fn nothing_we_say_denies_that_personal_data_is_handled_and_the_policy_says_that_it_is() {
    for language in BOTH {
        let Said { sign, policy, texts, sheet } = said(&site(), language);
        for text in [&sign, &policy, &texts, &sheet] {
            assert_eq!(denied(text), None, "{language:?}");
            for word in ["匿名", "anonym", "個人を特定しません"] {
                assert!(!text.to_lowercase().contains(word), "{language:?}: {word}");
            }
        }
        let admits = match language {
            Language::Ja => "個人情報が含まれます。解析するあいだ、私たちはそれを取得しています",
            Language::En => "Camera images contain personal data",
        };
        assert!(policy.contains(admits));
    }
}

#[test]
fn a_shop_that_denies_it_gets_no_sign() {
    for (from, to, key) in [
        ("窓口でお申し出いただくこともできます。", "個人情報は取得していません。", "notice.objection.ja"),
        ("To put signposts where people look for them", "Signposts; no  Personal data is used", "purposes.flow.en"),
        ("First notice.", "We do not collect personal data.", "notice.changes.2026-11-27.en"),
    ] {
        let site = with(&[(from, to)]);
        let running = running(&site);
        let refused = Notice::of(&site, Told { at: AT, running: &running, newest: None, public_key: None }).err();
        assert!(matches!(&refused, Some(NoticeError::Forbidden { key: of, .. }) if of == key), "{refused:?}");
    }
}
