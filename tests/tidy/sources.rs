//! The source as the house rules read it: files, their words, and the module paths they name.
//!
//! In: `src/`, `tests/`, `benches/` of this crate. Out: [`Source`]s, [`Word`]s, [`Named`] paths. Read as tokens, so that
//! comments and strings are nothing and the inside of macros is something.

use std::fs;
use std::path::Path;

use proc_macro2::{Delimiter, TokenStream, TokenTree};

/// One file of Rust.
pub struct Source {
    /// Its path below the root of the crate, `src/gate.rs`.
    pub path: String,
    /// Its text.
    pub text: String,
}

/// One token: an identifier, a literal, a punctuation mark (`::` is one), an opening or a closing bracket.
pub struct Word {
    /// As written.
    pub text: String,
    /// Line of the file, from 1.
    pub line: usize,
    /// Inline modules around it.
    pub depth: usize,
    /// Whether it lies below a `#[cfg(test)]`.
    pub test: bool,
}

/// A path that leads through the root of the crate.
pub struct Named {
    /// Segments after the root, `["clock", "utc_now"]`; empty for the root itself.
    pub path: Vec<String>,
    /// Line of the file, from 1.
    pub line: usize,
    /// Whether it is handed on by `pub use`.
    pub handed_on: bool,
}

/// All Rust files below `folder`, in the order of their paths.
pub fn sources(folder: &str) -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut found = Vec::new();
    collect(root, &root.join(folder), &mut found);
    found.sort_by(|one, other| one.path.cmp(&other.path));
    found
}

fn collect(root: &Path, folder: &Path, found: &mut Vec<Source>) {
    for entry in fs::read_dir(folder).into_iter().flatten() {
        let path = entry.expect("a folder of the source can be read").path();
        if path.is_dir() {
            collect(root, &path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = fs::read_to_string(&path).expect("source is UTF-8");
            let path = path.strip_prefix(root).expect("below the root").to_string_lossy().into_owned();
            found.push(Source { path, text });
        }
    }
}

impl Source {
    /// Its first folder or file below `src`, `gate` for `src/gate/suppress.rs`.
    pub fn stage(&self) -> &str {
        self.modules()[0]
    }

    /// Its place in the crate, `["gate", "suppress"]`.
    fn modules(&self) -> Vec<&str> {
        self.path.trim_end_matches(".rs").split('/').skip(1).collect()
    }

    /// Whether `place` is this file, or the folder or stage it lies in (`src/gate` is `src/gate.rs` and all below).
    pub fn lies_in(&self, place: &str) -> bool {
        let rest = self.path.strip_prefix(place);
        rest.is_some_and(|rest| rest.is_empty() || rest == ".rs" || rest.starts_with('/'))
    }

    /// Its tokens in the order of the text.
    pub fn words(&self) -> Vec<Word> {
        let stream: TokenStream = self.text.parse().unwrap_or_else(|error| panic!("{}: {error}", self.path));
        let mut words = Vec::new();
        flatten(stream, 0, false, &mut words);
        words
    }

    /// Every path of the crate that it names, with `crate::`, with `super::`, or (binaries) with `kehai::`.
    pub fn named(&self) -> Vec<Named> {
        let words = self.words();
        let binary = self.lies_in("src/main") || self.lies_in("src/bin");
        let own = if binary || self.lies_in("src/lib") { 0 } else { self.modules().len() };
        let mut named = Vec::new();
        let mut handed_on = false;
        for (at, word) in words.iter().enumerate() {
            match word.text.as_str() {
                "use" => handed_on = at > 0 && matches!(words[at - 1].text.as_str(), "pub" | ")"),
                ";" => handed_on = false,
                _ => {}
            }
            let Some(after) = root_at(&words, at, own, binary) else { continue };
            let mut paths = Vec::new();
            tree(&words, after, &[], &mut paths);
            named.extend(paths.into_iter().map(|path| Named { path, line: word.line, handed_on }));
        }
        named
    }
}

fn flatten(stream: TokenStream, depth: usize, test: bool, words: &mut Vec<Word>) {
    let trees: Vec<TokenTree> = stream.into_iter().collect();
    let mut next_is_test = false;
    for (at, tree) in trees.iter().enumerate() {
        let line = tree.span().start().line;
        let mut push = |text: String, line| words.push(Word { text, line, depth, test: test || next_is_test });
        match tree {
            TokenTree::Group(group) => {
                let [open, close] = brackets(group.delimiter());
                push(open.into(), line);
                let attribute = at > 0 && trees[at - 1].to_string() == "#";
                let braces = group.delimiter() == Delimiter::Brace;
                let module = braces && at > 1 && trees[at - 2].to_string() == "mod";
                flatten(group.stream(), depth + usize::from(module), test || next_is_test, words);
                let line = group.span_close().start().line;
                words.push(Word { text: close.into(), line, depth, test: test || next_is_test });
                next_is_test = (next_is_test && !braces) || (attribute && is_cfg_test(&group.stream()));
            }
            TokenTree::Punct(punct) if punct.as_char() == ':' && at > 0 && joins(&trees[at - 1]) => {
                words.last_mut().expect("the first colon").text = "::".into();
            }
            _ => {
                push(tree.to_string(), line);
                next_is_test &= tree.to_string() != ";";
            }
        }
    }
}

fn is_cfg_test(attribute: &TokenStream) -> bool {
    attribute.to_string().replace(' ', "") == "cfg(test)"
}

/// Whether a token is the first colon of `::`.
fn joins(tree: &TokenTree) -> bool {
    matches!(tree, TokenTree::Punct(punct) if punct.as_char() == ':' && punct.spacing() == proc_macro2::Spacing::Joint)
}

fn brackets(delimiter: Delimiter) -> [&'static str; 2] {
    match delimiter {
        Delimiter::Parenthesis => ["(", ")"],
        Delimiter::Brace => ["{", "}"],
        Delimiter::Bracket => ["[", "]"],
        Delimiter::None => ["", ""],
    }
}

/// Where the path goes on after the root of the crate, if a path through the root begins here.
fn root_at(words: &[Word], at: usize, own: usize, binary: bool) -> Option<usize> {
    let text = |at: usize| words.get(at).map_or("", |word| word.text.as_str());
    if at > 0 && text(at - 1) == "::" {
        return None;
    }
    match text(at) {
        "crate" if text(at + 1) != ")" => Some(at + 1),
        "kehai" if binary && text(at + 1) == "::" => Some(at + 1),
        "super" => {
            let mut steps = 1;
            while text(at + 2 * steps) == "super" {
                steps += 1;
            }
            (steps >= own + words[at].depth).then_some(at + 2 * steps - 1)
        }
        _ => None,
    }
}

/// Spells out the tree of a path whose `::` stands at `at`; returns where it ends.
fn tree(words: &[Word], mut at: usize, so_far: &[String], paths: &mut Vec<Vec<String>>) -> usize {
    let text = |at: usize| words.get(at).map_or("", |word| word.text.as_str());
    let mut path = so_far.to_vec();
    while text(at) == "::" {
        match text(at + 1) {
            "{" => return branches(words, at + 2, &path, paths),
            "<" => break,
            segment => path.push(segment.to_owned()),
        }
        at += 2;
    }
    paths.push(path);
    at
}

/// The branches between the braces of a path; returns where they end.
fn branches(words: &[Word], mut at: usize, so_far: &[String], paths: &mut Vec<Vec<String>>) -> usize {
    while at < words.len() && words[at].text != "}" {
        match words[at].text.as_str() {
            "," => at += 1,
            "as" => at += 2,
            "self" => {
                paths.push(so_far.to_vec());
                at += 1;
            }
            segment => {
                let path: Vec<String> = so_far.iter().cloned().chain([segment.to_owned()]).collect();
                at = tree(words, at + 1, &path, paths);
            }
        }
    }
    at + 1
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paths(path: &str, text: &str) -> Vec<String> {
        let source = Source { path: path.into(), text: text.into() };
        source.named().into_iter().map(|named| named.path.join("::")).collect()
    }

    #[test]
    fn a_path_is_found_wherever_it_hides() {
        assert_eq!(paths("src/a.rs", "use crate::{b::{self, C as D}, e::f};"), ["b", "b::C", "e::f"]);
        assert_eq!(paths("src/a.rs", r#"fn f() { println!("{}", crate::b::C(1)) }"#), ["b::C"]);
        assert_eq!(paths("src/a.rs", "use crate as k; use crate::*;"), ["", "*"]);
        assert_eq!(
            paths("src/a.rs", "pub(crate) struct A; /// [`crate::b`]\n// crate::c\nstruct B;"),
            Vec::<String>::new()
        );
        assert_eq!(paths("src/main.rs", "fn main() { kehai::cli::run::<u8>() }"), ["cli::run"]);
    }

    #[test]
    fn a_path_through_super_counts_once_it_leaves_the_stage() {
        assert_eq!(paths("src/a/b.rs", "use super::C; use super::super::d::E;"), ["d::E"]);
        assert_eq!(paths("src/a.rs", "use super::d; mod tests { use super::*; use super::super::e; }"), ["d", "e"]);
    }

    #[test]
    fn words_below_cfg_test_are_marked() {
        let source = Source { path: "src/a.rs".into(), text: "#[cfg(test)] mod t { fn u() {} } fn v() {}".into() };
        let test: Vec<String> = source.words().into_iter().filter(|word| word.test).map(|word| word.text).collect();
        assert_eq!(test.join(" "), "mod t { fn u ( ) { } }");
    }
}
