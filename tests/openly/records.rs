//! The papers of a shop: whole, in both languages, and made from what runs.

use std::collections::BTreeSet;

use kehai::notice::records::Use;
use kehai::wire::schema::inventory::fields;

use super::box_of::Box;
use crate::support::folder::names_in;
use crate::support::program::kehai;

const RECIPIENT: &str = "[[recipient]]\nname = \"Area office\"\nhost = \"broker.shop.example\"\ncountry = \"JP\"\npurpose = { en = \"To compare shops\", ja = \"店をくらべる\" }\n";

/// A shop that speaks both languages and has somebody who gets figures.
fn bilingual() -> Box {
    let mut changes = vec![("languages = [\"en\"]".to_owned(), "languages = [\"ja\", \"en\"]".to_owned())];
    for (en, ja) in [
        ("To know how busy the shop is", "混雑を知る"),
        ("The till by the door", "入口のレジ"),
        ("Information Commissioner's Office", "情報コミッショナー"),
        ("Use the side door: no camera looks there", "横の入口にはカメラがありません"),
        ("To know how many come in", "入店の数を知る"),
        ("To know what people look at", "関心を知る"),
        ("To open another till in time", "レジを増やす"),
        ("To see where the shop is crowded", "混む場所を知る"),
        ("To see which way people go", "流れを知る"),
        ("To see how people go through the shop", "回り方を知る"),
    ] {
        changes.push((format!("{{ en = \"{en}\" }}"), format!("{{ en = \"{en}\", ja = \"{ja}\" }}")));
    }
    changes.push(("[purposes]".to_owned(), format!("{RECIPIENT}\n[purposes]")));
    let changes: Vec<(&str, &str)> = changes.iter().map(|(from, to)| (from.as_str(), to.as_str())).collect();
    Box::with(&changes)
}

#[test]
fn every_published_field_stands_in_the_inventory() {
    let shop = bilingual();
    let out = shop.folder.path("papers");
    kehai(&["records", "--site", &shop.site, "--out", &out]).must_be_well();
    let paper = std::fs::read_to_string(format!("{out}/inventory-en.md")).expect("it is made");
    let rows: Vec<Vec<String>> = paper
        .lines()
        .filter(|line| line.starts_with("| "))
        .map(|line| line.trim_matches(['|', ' ']).split(" | ").map(|cell| cell.replace('\\', "")).collect())
        .collect();
    let fields = fields();
    assert!(fields.len() > 150, "{}", fields.len());
    for field in &fields {
        assert!(Use::of(&field.message).is_some(), "nobody has said what {} is for", field.message);
        let row = rows.iter().find(|row| row[0] == field.message && row[1] == field.path);
        let row = row.unwrap_or_else(|| panic!("{} {} is not in the inventory", field.message, field.path));
        assert!(row.len() == 6 && row[3..].iter().all(|cell| cell.len() > 3), "{row:?}");
    }
    let messages: BTreeSet<&str> = fields.iter().map(|field| field.message.as_str()).collect();
    assert_eq!(messages.len(), 14, "{messages:?}");
    assert_eq!(Use::of("portrait"), None, "what nobody has thought about has no use");
}

#[test]
fn a_figure_without_a_purpose_is_not_in_the_inventory() {
    let shop = Box::with(&[("od = { en = \"To see how people go through the shop\" }", "")]);
    let out = shop.folder.path("papers");
    kehai(&["records", "--site", &shop.site, "--out", &out]).must_be_well();
    let paper = std::fs::read_to_string(format!("{out}/inventory-en.md")).expect("it is made");
    assert!(!paper.contains("| od |") && paper.contains("| line |"));
}

#[test]
fn records_are_made_from_what_is_declared_in_both_languages() {
    let shop = bilingual();
    kehai(&["report", "--site", &shop.site]).must_be_well();
    let out = shop.folder.path("papers");
    kehai(&["records", "--site", &shop.site, "--out", &out]).must_be_well();
    let names = names_in(&out);
    assert_eq!(names.len(), 7 * 2 * 2, "{names:?}");
    let paper = |name: &str| std::fs::read_to_string(format!("{out}/{name}")).expect("it is made");
    let has = |name: &str, words: &[&str]| {
        let text = paper(name);
        for words in words {
            assert!(text.contains(words), "{name} does not say {words}:\n{text}");
        }
    };
    has(
        "record-en.md",
        &[
            "Test Shop Ltd",
            "1 Test Street",
            "privacy@shop.example",
            "Article 6(1)(f)",
            "children",
            "employees",
            "passers-by",
            "30 days",
            "Area office",
            "JP",
            "Information Commissioner",
            "encrypted",
            "holds",
        ],
    );
    has("record-ja.md", &["Test Shop Ltd", "従業員", "子ども", "30日", "店をくらべる", "情報コミッショナー", "合格"]);
    has("retention-en.md", &["one look", "some seconds more", "30 days", "one year"]);
    has("recipients-en.html", &["Area office", "broker.shop.example", "To compare shops", "the right to read"]);
    has("dpia-en.md", &["k = 5", "To know how busy the shop is", "…………", "What risk remains"]);
    has("dpia-ja.html", &["影響の評価", "残る危険"]);
    has("interest-en.md", &["Why this interest is real", "Use the side door"]);
    has("undertaking-ja.md", &["従業員の評価には使いません"]);
    has("undertaking-en.md", &["never to evaluate employees", "locked cabinet"]);
    let cfg = shop.vault().self_test().expect("kept").cfg;
    for name in &names {
        has(name, &[&cfg]);
        assert!(!paper(name).contains("<script"), "{name}");
    }
}

#[test]
fn what_is_missing_is_named_and_no_paper_is_made() {
    let shop = Box::with(&[("region = \"uk\"", ""), ("desk = ", "# desk = ")]);
    let out = shop.folder.path("papers");
    kehai(&["records", "--site", &shop.site, "--out", &out]).must_be_refused(7, &["notice.region", "notice.desk"]);
    assert!(!std::path::Path::new(&out).exists());
}
