//! Every package may be passed on: its licence is one of those we know, or offers one of them.
//!
//! In: `cargo metadata` of the whole graph, tests and build scripts included. A package without an SPDX expression
//! fails; so does a strong copyleft without an alternative.

use super::dependencies::{metadata, packages, text};

/// Licences under which a package may be passed on with this product.
const ALLOWED: [&str; 11] = [
    "MIT",
    "Apache-2.0",
    "Apache-2.0 WITH LLVM-exception",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "0BSD",
    "ISC",
    "Zlib",
    "MPL-2.0",
    "Unicode-3.0",
    "CDLA-Permissive-2.0",
];

/// Packages with another licence, each with the reason it is harmless.
const EXCEPTIONS: [(&str, &str, &str); 2] = [
    ("borrow-or-share", "MIT-0", "MIT without the duty to name the author; below jsonschema, a tool of the tests"),
    (
        "tiny-keccak",
        "CC0-1.0",
        "given to the public; below parquet, built only where a system has no source of randomness",
    ),
];

/// Whether an SPDX expression can be met with what `known` accepts; `/` is the old way to write OR.
fn can_be_met(expression: &str, known: &dyn Fn(&str) -> bool) -> bool {
    let spaced = expression.replace('/', " OR ").replace('(', " ( ").replace(')', " ) ");
    let words: Vec<&str> = spaced.split_whitespace().collect();
    let mut reader = Reader { words: &words, known };
    reader.either() == Some(true) && reader.words.is_empty()
}

/// What is left to read of an expression. Its methods answer whether what they read can be met, `None` when it is
/// no expression.
struct Reader<'a> {
    words: &'a [&'a str],
    known: &'a dyn Fn(&str) -> bool,
}

impl<'a> Reader<'a> {
    fn either(&mut self) -> Option<bool> {
        let mut met = self.both()?;
        while self.take("OR") {
            met |= self.both()?;
        }
        Some(met)
    }

    fn both(&mut self) -> Option<bool> {
        let mut met = self.one()?;
        while self.take("AND") {
            met &= self.one()?;
        }
        Some(met)
    }

    fn one(&mut self) -> Option<bool> {
        if self.take("(") {
            let met = self.either()?;
            return self.take(")").then_some(met);
        }
        let name = self.next()?;
        if !self.take("WITH") {
            return Some((self.known)(name));
        }
        let exception = self.next()?;
        Some((self.known)(&format!("{name} WITH {exception}")))
    }

    fn take(&mut self, word: &str) -> bool {
        let taken = self.words.first() == Some(&word);
        self.words = &self.words[usize::from(taken)..];
        taken
    }

    fn next(&mut self) -> Option<&'a str> {
        let (next, rest) = self.words.split_first()?;
        self.words = rest;
        Some(next)
    }
}

#[test]
fn every_licence_may_be_passed_on() {
    let metadata = metadata();
    let fault = |package: &&serde_json::Value| {
        let (name, licence) = (text(package, "name"), text(package, "license"));
        let known = |one: &str| {
            ALLOWED.contains(&one) || EXCEPTIONS.iter().any(|(excepted, its, _)| *excepted == name && *its == one)
        };
        let said = if licence.is_empty() { "no licence" } else { licence };
        (!can_be_met(licence, &known)).then(|| format!("{name} {}: {said}", text(package, "version")))
    };
    let faults: Vec<String> = packages(&metadata).iter().filter_map(fault).collect();
    assert!(faults.is_empty(), "licences outside tests/tidy/licences.rs:\n{}\n", faults.join("\n"));
}

#[test]
fn an_exception_that_is_no_longer_needed_goes() {
    let metadata = metadata();
    for (name, licence, why) in EXCEPTIONS {
        let needed = packages(&metadata)
            .into_iter()
            .any(|package| text(package, "name") == name && text(package, "license") == licence);
        assert!(needed, "{name} under {licence} ({why}) is gone or has changed; take it out");
    }
}

#[test]
fn a_licence_expression_is_read_as_spdx_says() {
    let met = |expression: &str| can_be_met(expression, &|one| ALLOWED.contains(&one));
    for good in [
        "MIT",
        "GPL-3.0-only OR MIT",
        "MIT/Apache-2.0",
        "(GPL-2.0 OR ISC) AND Unicode-3.0",
        "Apache-2.0 WITH LLVM-exception",
    ] {
        assert!(met(good), "{good}");
    }
    for bad in
        ["", "GPL-3.0-only", "MIT AND AGPL-3.0", "WTFPL", "GPL-3.0 WITH GCC-exception-3.1", "MIT OR", "(MIT", "MIT MIT"]
    {
        assert!(!met(bad), "{bad}");
    }
}
