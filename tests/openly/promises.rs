//! The table of promises: whole, and resting on tests that exist.

use std::collections::BTreeSet;

use kehai::notice::promises::{COUNT, Row, State, all};
use serde_json::Value;
use syn::visit::Visit;

use super::box_of::Box;
use crate::support::folder::in_repository;
use crate::support::program::kehai;
use crate::tidy::sources::{Source, sources};

/// Test functions by their place, and whether only the long run runs them.
#[derive(Default)]
struct Tests {
    quick: BTreeSet<String>,
    long: BTreeSet<String>,
    place: String,
}

impl Tests {
    fn of_repository() -> Self {
        let mut tests = Self::default();
        for Source { path, text } in sources("src").into_iter().chain(sources("tests")) {
            let place = path.trim_end_matches(".rs").replace('/', "::");
            tests.place = place.strip_prefix("tests::").unwrap_or(&place).to_owned();
            tests.visit_file(&syn::parse_file(&text).unwrap_or_else(|error| panic!("{path}: {error}")));
        }
        tests
    }

    /// What is wrong with a name in the table, if anything is.
    fn fault(&self, named: &str) -> Option<String> {
        let (name, is_long) = named.strip_suffix(" (long)").map_or((named, false), |name| (name, true));
        match (self.quick.contains(name), self.long.contains(name), is_long) {
            (true, _, false) | (_, true, true) => None,
            (true, _, true) => Some(format!("{name} is no test of the long run")),
            (_, true, false) => Some(format!("{name} is #[ignore]d; say (long) behind it")),
            (false, false, _) => Some(format!("{name} does not exist")),
        }
    }
}

impl<'ast> Visit<'ast> for Tests {
    fn visit_item_fn(&mut self, function: &'ast syn::ItemFn) {
        let is = |name: &str| function.attrs.iter().any(|attribute| attribute.path().is_ident(name));
        if is("test") {
            let name = format!("{}::{}", self.place, function.sig.ident);
            _ = if is("ignore") { self.long.insert(name) } else { self.quick.insert(name) };
        }
    }

    /// Properties stand in a macro, and are tests as well.
    fn visit_macro(&mut self, of: &'ast syn::Macro) {
        if of.path.is_ident("proptest") {
            let text = of.tokens.to_string();
            let pieces: Vec<&str> = text.split("fn ").collect();
            for pair in pieces.windows(2) {
                let attributes = pair[0].rsplit('}').next().unwrap_or_default();
                let name: String =
                    pair[1].chars().take_while(|letter| letter.is_alphanumeric() || *letter == '_').collect();
                let tests = if attributes.contains("ignore") { &mut self.long } else { &mut self.quick };
                tests.insert(format!("{}::{name}", self.place));
            }
        }
    }
}

#[test]
fn every_promise_has_a_row_and_every_test_it_names_exists() {
    let rows: Vec<&Row> = all().collect();
    let numbers: Vec<&str> = rows.iter().map(|row| row.number).collect();
    let due: Vec<String> = [("0", 16), ("1", 8), ("2", 23), ("3", 45), ("4", 12)]
        .into_iter()
        .flat_map(|(document, count)| (1..=count).map(move |row| format!("{document}.{row}")))
        .collect();
    assert_eq!((numbers.len(), &numbers), (COUNT, &due.iter().map(String::as_str).collect()));
    let tests = Tests::of_repository();
    assert!(tests.quick.len() > 300 && tests.long.len() > 20, "{} and {}", tests.quick.len(), tests.long.len());
    let mut faults = Vec::new();
    for row in rows {
        assert!(row.promise.len() > 10, "{}", row.number);
        match row.state {
            State::Kept { tests: [], proofs: [] } => faults.push(format!("{}: kept by nothing", row.number)),
            State::Kept { tests: named, .. } => {
                faults.extend(named.iter().filter_map(|name| Some(format!("{}: {}", row.number, tests.fault(name)?))));
            }
            State::NotApplicable(why) | State::NotBuilt(why) => assert!(why.len() > 20, "{}: {why}", row.number),
        }
    }
    assert!(faults.is_empty(), "\n{}", faults.join("\n"));
}

#[test]
fn a_test_that_is_not_there_or_sleeps_is_found_out() {
    let tests = Tests::of_repository();
    assert_eq!(
        tests.fault("openly::promises::nobody_wrote_this"),
        Some("openly::promises::nobody_wrote_this does not exist".into())
    );
    assert!(tests.fault("vault::costs::what_a_release_costs").is_some_and(|fault| fault.contains("(long)")));
    assert_eq!(tests.fault("vault::costs::what_a_release_costs (long)"), None);
    assert_eq!(tests.fault("laws::secrecy::nothing_below_k_is_ever_released"), None, "a property is a test");
}

#[test]
fn the_table_is_printed_whole_and_says_what_ran_here() {
    let bare = kehai(&["report", "--promises"]);
    bare.must_be_well();
    assert!(bare.out.contains("104 promises:") && bare.out.contains("0 unknown; no self-test ran"), "{}", bare.out);
    let shop = Box::new();
    let told = kehai(&["report", "--promises", "--site", &shop.site, "--json"]);
    told.must_be_well();
    let rows: Vec<Value> = serde_json::from_str(&told.out).expect("rows");
    assert_eq!(rows.len(), COUNT);
    let state = |number: &str| rows.iter().find(|row| row["number"] == number).map(|row| row["state"].clone());
    assert_eq!(state("0.13"), Some("kept".into()), "tried on this box");
    assert_eq!(state("4.1"), Some("kept-at-build".into()), "memory was not searched here");
    assert_eq!(state("0.6"), Some("not-applicable".into()));
    // Every self-test that a promise names is one the box really runs.
    for tried in rows.iter().flat_map(|row| row["self_tests"].as_array().into_iter().flatten()) {
        let id = tried["id"].as_str().expect("a name");
        assert!(shop.vault().self_test().expect("kept").proof(id).is_some(), "{id}");
    }
}

#[test]
fn a_broken_promise_is_told_and_fails_the_report() {
    let shop = Box::with(&[("[store]", "dangerous_allow_unsandboxed = true\n[store]")]);
    let told = kehai(&["report", "--promises", "--site", &shop.site]);
    assert_eq!(told.code, Some(1));
    assert!(told.err.contains("promises that do not hold on this box: 3.39"), "{}", told.err);
}

#[test]
fn the_security_policy_says_what_it_must() {
    let policy = std::fs::read_to_string(in_repository("SECURITY.md")).expect("there is one");
    for words in [
        "## Threat model",
        "## Support",
        "## Reporting",
        "## The clock",
        "24 hours",
        "72 hours",
        "3 to 5 days",
        "30 days",
        "## Classes of data",
        "## A stolen box",
        "cargo audit",
        "## Drill",
        "kehai audit note --kind breach",
        "kehai restore",
        "## Where the box stands",
    ] {
        assert!(policy.contains(words), "SECURITY.md does not say {words}");
    }
}
