//! What a region asks for, as a matrix: each region with each bound left out, looser and tighter, with each dangerous key, and with
//! notices in the right language and in another. A region only tightens.

use kehai::config::declared::{Language, Region};
use kehai::config::site;

use crate::support::armed::declared;
use crate::support::folder::Folder;
use crate::support::program::kehai;
use crate::support::site::BARE;

/// A declared site of a region, its notice in one language, with more at its beginning and in its `[gate]`.
fn shop(region: Region, language: Language, first: &str, gate: &str) -> String {
    let text = format!("{first}\n{BARE}url = \"rtsp://127.0.0.1:9/view\"\n[gate]\n{gate}\n");
    let text = declared(&text).replace("region = \"uk\"", &format!("region = \"{}\"", region.name()));
    match language {
        Language::En => text,
        Language::Ja => text.replace("languages = [\"en\"]", "languages = [\"ja\"]").replace("{ en = ", "{ ja = "),
    }
}

/// `kehai run` of this site ends so and says these words.
fn must_end(text: &str, code: i32, words: &[&str]) {
    let folder = Folder::new();
    let text = text.replace("[vault]\n", &format!("[vault]\nfolder = \"{}\"\n", folder.path("state")));
    kehai(&["run", "--site", &folder.write("site.toml", text)]).must_be_refused(code, words);
}

/// The language in which a region lets notices be.
fn language(region: Region) -> Language {
    region.rules().language.unwrap_or(Language::En)
}

/// Nothing is wrong with it but that nobody has armed it.
const WELL: [&str; 2] = ["not armed", "kehai notice"];

#[test]
fn what_a_region_asks_for_holds_where_the_site_file_says_nothing_or_more_and_nothing_less_is_taken() {
    for region in Region::ALL {
        let (rules, of) = (region.rules(), format!("(region {})", region.name()));
        let site = |gate: &str| shop(region, language(region), "", gate);
        let gate = |text: &str| site::parse(text, "matrix").expect("a good site").settings.gate;
        let crowd_least = rules.crowd_min.max(rules.k_min);

        let silent = gate(&site(""));
        assert_eq!((silent.k, silent.crowd_min()), (rules.k_min, crowd_least), "{}", region.name());
        let tighter = gate(&site(&format!("k = {}", rules.k_min + 1)));
        assert_eq!((tighter.k, tighter.crowd_min()), (rules.k_min + 1, crowd_least.max(rules.k_min + 1)));
        let crowded = gate(&site(&format!("crowd_min = {}", crowd_least + 1)));
        assert_eq!((crowded.k, crowded.crowd_min()), (rules.k_min, crowd_least + 1));

        for good in ["".into(), format!("k = {}", rules.k_min + 1), format!("crowd_min = {}", crowd_least + 1)] {
            must_end(&site(&good), 7, &WELL);
        }
        let (k, crowd) = (rules.k_min - 1, crowd_least - 1);
        must_end(&site(&format!("k = {k}")), 3, &["gate.k", &k.to_string(), &format!("write {} {of}", rules.k_min)]);
        let remedy = format!("write {crowd_least} {of}");
        must_end(&site(&format!("crowd_min = {crowd}")), 3, &["gate.crowd_min", &crowd.to_string(), &remedy]);
    }
}

#[test]
fn a_dangerous_key_is_refused_where_the_region_allows_none() {
    for region in Region::ALL {
        let alone = shop(region, language(region), "dangerous_allow_unsandboxed = true", "");
        let broker = "[broker]\nurl = \"mqtt://10.0.0.9:1883\"\ndangerous_plaintext = true\n\
                      [[recipient]]\nname = \"HQ\"\nhost = \"10.0.0.9\"\ncountry = \"GB\"\npurpose = { en = \"staffing\" }";
        let plain = shop(region, language(region), broker, "");
        let plain = match language(region) {
            Language::En => plain,
            Language::Ja => plain.replace("{ en = ", "{ ja = "),
        };
        for (text, key) in [(alone, "dangerous_allow_unsandboxed"), (plain, "broker.dangerous_plaintext")] {
            match region.rules().allows_dangers {
                true => must_end(&text, 7, &WELL),
                false => must_end(&text, 3, &[key, "take it out", &format!("region {}", region.name())]),
            }
        }
    }
    assert!(!Region::Eu.rules().allows_dangers, "there is one that allows none");
}

#[test]
fn a_notice_has_to_be_in_the_language_of_its_region() {
    for region in Region::ALL {
        for language in [Language::Ja, Language::En] {
            let text = shop(region, language, "", "");
            match region.rules().language.filter(|wanted| *wanted != language) {
                None => must_end(&text, 7, &WELL),
                Some(wanted) => {
                    let missing = format!("\"{}\" among notice.languages (region {})", wanted.code(), region.name());
                    must_end(&text, 7, &["not armed", &missing, "write what is missing"]);
                }
            }
        }
    }
}
