//! Whatever a shop declares stays a text in every paper.

use std::collections::BTreeMap;

use kehai::config::declared::{Change, Desk, Language, LegalBasis, Metric, Party, Recipient, Words};
use kehai::config::site::{self, Site};
use kehai::notice::records::{Known, papers};
use kehai::notice::rights::{Asked, Request, answer};
use proptest::prelude::*;

use crate::support::armed::declared;
use crate::support::site::BARE;

/// Texts that try to be more than texts.
fn text() -> impl Strategy<Value = String> {
    const HOSTILE: [&str; 7] = [
        "<script>alert(1)</script>",
        "\"><img src=x onerror=y>",
        "| a | b |",
        "](javascript:x)",
        "&lt;b&gt;",
        "\u{202e}'--",
        "# **x**",
    ];
    prop_oneof![
        any::<String>(),
        prop::sample::select(&HOSTILE[..]).prop_map(str::to_owned),
        "[あ-ん一-龠a-z <>&\"'|`*\\[\\]]{0,40}"
    ]
}

fn words() -> impl Strategy<Value = Words> {
    (prop::option::of(text()), prop::option::of(text())).prop_map(|(ja, en)| Words { ja, en })
}

fn party() -> impl Strategy<Value = Party> {
    (text(), text(), text()).prop_map(|(name, address, contact)| Party { name, address, contact })
}

fn recipient() -> impl Strategy<Value = Recipient> {
    (text(), text(), text(), words()).prop_map(|(name, host, country, purpose)| Recipient {
        name,
        host,
        country,
        purpose,
    })
}

/// The site of a shop that declares these texts, whatever its check would say of them.
fn shop() -> impl Strategy<Value = Site> {
    let texts = (words(), words(), words(), words());
    let purposes = prop::collection::btree_map(prop::sample::select(&Metric::ALL[..]), words(), 0..6);
    let parties = (prop::collection::vec(party(), 0..3), prop::collection::vec(recipient(), 0..3));
    (texts, purposes, parties, prop::option::of(text()), text()).prop_map(|(texts, purposes, parties, hours, name)| {
        let mut site = site::parse(&declared(&format!("{BARE}\n")), "drawn").expect("a good site");
        let (interest, desk, authority, objection) = texts;
        let of = &mut site.declared;
        (of.controllers, of.recipients) = parties;
        of.purposes = purposes.into_iter().collect::<BTreeMap<_, _>>();
        of.legal_basis = Some(LegalBasis::LegitimateInterest);
        (of.interest, of.authority, of.objection) = (Some(interest.clone()), Some(authority), Some(objection));
        of.desk = Some(Desk { name: desk, phone: hours.clone(), email: hours.clone(), hours: hours.clone() });
        of.changes = vec![Change { date: name.clone(), what: interest }];
        site.settings.store.hours = hours;
        site.settings.store.name = name;
        site
    })
}

/// What opens a tag in a page: nothing but what we open.
fn tags(html: &str) -> Vec<String> {
    let names = html.split('<').skip(1).map(|rest| rest.trim_start_matches('/'));
    names
        .map(|rest| rest.chars().take_while(|letter| letter.is_ascii_alphanumeric() || *letter == '!').collect())
        .collect()
}

const OURS: [&str; 20] = [
    "!doctype", "html", "head", "meta", "title", "style", "body", "article", "h1", "h2", "p", "ul", "li", "table",
    "thead", "tbody", "tr", "th", "td", "!DOCTYPE",
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn whatever_is_declared_stays_text(site in shop(), request in prop::sample::select(&Request::ALL[..])) {
        for language in [Language::Ja, Language::En] {
            let known = Known { site: &site, self_test: None, today: "2026-11-27" };
            let asked = Asked { request, received: "2026-11-27", due: "2026-12-27", today: "2026-11-27" };
            let mut all: Vec<_> = papers(known, language).into_iter().map(|(_, paper)| paper).collect();
            all.push(answer(&site, asked, language));
            prop_assert_eq!(all.len(), 8);
            for paper in all {
                let html = paper.to_html();
                let foreign: Vec<String> = tags(&html).into_iter().filter(|tag| !OURS.contains(&tag.as_str())).collect();
                prop_assert!(foreign.is_empty(), "{:?}", foreign);
                let markdown = paper.to_markdown();
                prop_assert!(!markdown.contains('<'), "no tag in Markdown");
                // Each row of a table has as many cells as its head, whatever is in them.
                let bars = |line: &str| line.replace("\\\\", "").replace("\\|", "").matches('|').count();
                let mut due = None;
                for line in markdown.lines() {
                    due = match (line.starts_with('|'), due) {
                        (false, _) => None,
                        (true, None) => Some(bars(line)),
                        (true, Some(cells)) => { prop_assert_eq!(bars(line), cells, "{}", line); Some(cells) }
                    };
                }
            }
        }
    }
}
