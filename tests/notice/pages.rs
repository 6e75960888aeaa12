//! Pages load nothing and run nothing, whatever a shop declares, and say what layer 2 has to say.

use proptest::prelude::*;

use kehai::config::declared::{Language, Metric, Party, Recipient, Words};
use kehai::config::site::Site;
use kehai::notice::layout::escape;
use kehai::notice::sign::{Form, Sign};
use kehai::notice::{page, policy, texts};

use super::shop::{BOTH, green, notice, running, site, with};

/// The names of all tags and of their attributes, in order.
fn skeleton(html: &str) -> Vec<String> {
    let tags = html.split('<').skip(1).map(|rest| rest.split('>').next().unwrap_or_default());
    let bare = |tag: &str| {
        let outside_quotes: String = tag.split('"').step_by(2).collect();
        outside_quotes
            .split_whitespace()
            .map(|word| word.trim_end_matches('=').to_owned())
            .collect::<Vec<_>>()
            .join(" ")
    };
    tags.map(bare).collect()
}

/// A site in which everything that people can write says `text`.
fn saying(text: &str) -> Site {
    let mut site = site();
    let words = Words { ja: Some(text.to_owned()), en: Some(text.to_owned()) };
    let party = Party { name: text.into(), address: text.into(), contact: text.into() };
    let declared = &mut site.declared;
    (declared.controllers, declared.processors) = (vec![party.clone()], vec![party]);
    declared.interest = Some(words.clone());
    declared.objection = Some(words.clone());
    declared.authority = Some(words.clone());
    declared.policy_url = Some(format!("https://shop.example/{text}"));
    let desk = declared.desk.as_mut().expect("declared");
    (desk.name, desk.phone, desk.email, desk.hours) =
        (words.clone(), Some(text.into()), Some(text.into()), Some(text.into()));
    declared.purposes = Metric::ALL.into_iter().map(|metric| (metric, words.clone())).collect();
    declared.recipients =
        vec![Recipient { name: text.into(), host: text.into(), country: text.into(), purpose: words.clone() }];
    declared.changes[0].what = words;
    declared.changes[0].date = text.into();
    let settings = &mut site.settings;
    settings.store.name = text.into();
    settings.store.hours = Some(text.into());
    settings.cameras[0].name = text.into();
    settings.floors[0].name = text.into();
    settings.lines.iter_mut().for_each(|line| line.name = text.into());
    settings.zones.iter_mut().for_each(|zone| zone.name = text.into());
    site
}

fn pages(site: &Site) -> Option<[String; 3]> {
    let (running, mut test) = (running(site), green(site));
    test.proofs[0].words = site.settings.store.name.clone();
    let notice = notice(site, &running, Some(&test));
    let sign = Sign::of(&notice, Language::En).ok()?;
    Some([page::sign(&notice, &sign), policy::page(&notice), sign.sheet(Form::A4).ok()?.svg(&site.settings.store.name)])
}

/// What browsers take for more than text somewhere.
const NASTY: [&str; 8] = [
    "<script>alert(1)</script>",
    "\"><img src=x onerror=alert(1)>",
    "'-alert(1)-'",
    "</style><svg onload=alert(1)>",
    "</title><b>",
    "&lt;b&gt; &#60;",
    "<!-- ]]>",
    "javascript:alert(1)//\" onmouseover=\"x",
];

#[test]
fn whatever_is_declared_stays_text_in_pages_and_pictures() {
    let harmless = pages(&saying("harmless")).expect("pages");
    for nasty in NASTY {
        let [sign, policy, svg] = pages(&saying(nasty)).expect("pages");
        for (page, like) in [(&sign, &harmless[0]), (&policy, &harmless[1])] {
            assert_eq!(skeleton(page), skeleton(like), "{nasty}");
            assert!(page.contains(&escape(nasty)), "{nasty} is shown as it was written");
        }
        let parsed = roxmltree::Document::parse(&svg).expect("an SVG");
        let names: Vec<&str> =
            parsed.descendants().filter(|node| node.is_element()).map(|node| node.tag_name().name()).collect();
        assert!(
            names.iter().all(|name| ["svg", "title", "g", "rect", "path", "circle", "text"].contains(name)),
            "{names:?}"
        );
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn no_text_whatever_opens_a_tag(text in "[ -~]{1,40}") {
        let harmless = saying("harmless");
        let site = saying(&text);
        if let (Some(pages), Some(like)) = (pages(&site), pages(&harmless)) {
            prop_assert_eq!(skeleton(&pages[0]), skeleton(&like[0]));
            prop_assert_eq!(skeleton(&pages[1]), skeleton(&like[1]));
            prop_assert!(roxmltree::Document::parse(&pages[2]).is_ok());
        }
    }
}

#[test]
fn a_page_has_no_script_no_form_and_asks_nobody_for_anything() {
    let [sign, policy, _] = pages(&site()).expect("pages");
    for page in [&sign, &policy] {
        for word in [
            "<script",
            "<form",
            "<img",
            "<link",
            "<iframe",
            "@import",
            "url(",
            " src=",
            "onclick",
            "http-equiv=\"refresh",
        ] {
            assert!(!page.contains(word), "{word}");
        }
        assert!(page.contains("default-src 'none'"));
        assert!(page.starts_with("<!doctype html>\n<html lang=\""));
    }
    assert!(sign.contains("<html lang=\"en\">") && sign.contains("<h1>"), "a heading and its language");
}

#[test]
fn the_policy_holds_both_languages_and_the_first_one_counts() {
    let swapped = with(&[("languages = [\"ja\", \"en\"]", "languages = [\"en\", \"ja\"]")]);
    for (site, first, other) in [(site(), "ja", "en"), (swapped, "en", "ja")] {
        let policy = pages(&site).expect("pages")[1].clone();
        assert!(policy.contains(&format!("<html lang=\"{first}\">")));
        assert!(policy.contains(&format!("<article class=\"policy first\" id=\"{first}\" lang=\"{first}\">")));
        assert!(policy.contains(&format!("<article class=\"policy\" id=\"{other}\" lang=\"{other}\">")));
        assert!(
            policy.find(&format!("id=\"{other}\"")) < policy.find(&format!("id=\"{first}\"")),
            "the first is shown"
        );
        let counts = if first == "ja" { "日本語を正とします" } else { "the English text counts" };
        assert!(policy.contains(counts), "{counts}");
    }
    let alone =
        with(&[("languages = [\"ja\", \"en\"]", "languages = [\"ja\"]"), ("region = \"uk\"", "region = \"jp\"")]);
    let policy = pages_in(&alone, Language::Ja);
    assert!(!policy.contains("lang=\"en\"") && !policy.contains("<nav"));
}

fn pages_in(site: &Site, language: Language) -> String {
    let running = running(site);
    let notice = notice(site, &running, None);
    assert!(Sign::of(&notice, language).is_ok());
    policy::page(&notice)
}

#[test]
fn short_texts_have_140_characters_at_most_and_say_the_sentence_whole() {
    let long = format!("https://shop.example/{}", "a".repeat(170));
    let sites = [site(), with(&[("https://crossing.example/kehai", &long)]), saying(&"long ".repeat(60))];
    for (site, language) in sites.iter().flat_map(|site| BOTH.map(|language| (site, language))) {
        let running = running(site);
        let text = texts::short(&notice(site, &running, Some(&green(site))), language);
        let said: Vec<&str> = text.lines().filter(|line| !line.is_empty() && !line.starts_with('[')).collect();
        assert_eq!(said.len(), 3, "{text}");
        let sentence = match language {
            Language::Ja => "カメラ映像から人の動き(動線)を統計化しています",
            Language::En => "camera images are turned into statistics of how people move",
        };
        for text in said {
            assert!(text.chars().count() <= texts::CHARS_MAX && text.contains(sentence), "{text}");
        }
    }
}
