//! One file, one idea: lengths, arguments, names and opening lines of every file.
//!
//! In: `src/`, `tests/`, `benches/`. The numbers are those of STYLE.md §1, §4 and §5.

use syn::spanned::Spanned;
use syn::visit::Visit;
use syn::{Block, FnArg, ImplItemFn, ItemFn, Signature, TraitItemFn};

use super::sources::{Source, sources};

const FILE_LINES_MAX: usize = 500;
const FUNCTION_LINES_MAX: usize = 60;
/// `self` does not count.
const ARGUMENTS_MAX: usize = 5;
/// Folders between `src` and a file.
const FOLDERS_MAX: usize = 2;
/// Names that say nothing about the field.
const EMPTY_NAMES: [&str; 5] = ["mod", "utils", "helpers", "common", "manager"];

/// Length and arguments of the functions of one file.
#[derive(Default)]
struct Functions {
    faults: Vec<String>,
}

impl Functions {
    fn weigh(&mut self, signature: &Signature, block: Option<&Block>) {
        let (name, line) = (&signature.ident, signature.span().start().line);
        let end = block.map_or(line, |block| block.brace_token.span.close().end().line);
        let lines = end - line + 1;
        if lines > FUNCTION_LINES_MAX {
            self.faults.push(format!("{line}: {name} has {lines} lines, at most {FUNCTION_LINES_MAX} are allowed"));
        }
        let arguments = signature.inputs.iter().filter(|input| matches!(input, FnArg::Typed(_))).count();
        if arguments > ARGUMENTS_MAX {
            self.faults
                .push(format!("{line}: {name} takes {arguments} arguments, at most {ARGUMENTS_MAX} are allowed"));
        }
    }
}

impl<'ast> Visit<'ast> for Functions {
    fn visit_item_fn(&mut self, item: &'ast ItemFn) {
        self.weigh(&item.sig, Some(&item.block));
        syn::visit::visit_item_fn(self, item);
    }

    fn visit_impl_item_fn(&mut self, item: &'ast ImplItemFn) {
        self.weigh(&item.sig, Some(&item.block));
        syn::visit::visit_impl_item_fn(self, item);
    }

    fn visit_trait_item_fn(&mut self, item: &'ast TraitItemFn) {
        self.weigh(&item.sig, item.default.as_ref());
        syn::visit::visit_trait_item_fn(self, item);
    }
}

fn function_faults(source: &Source) -> Vec<String> {
    let file = syn::parse_file(&source.text).unwrap_or_else(|error| panic!("{}: {error}", source.path));
    let mut functions = Functions::default();
    functions.visit_file(&file);
    functions.faults.into_iter().map(|fault| format!("{}:{fault}", source.path)).collect()
}

fn file_faults(source: &Source) -> Vec<String> {
    let path = &source.path;
    let mut faults = Vec::new();
    let lines = source.text.lines().count();
    if lines > FILE_LINES_MAX {
        faults.push(format!("{path} has {lines} lines, at most {FILE_LINES_MAX} are allowed"));
    }
    if !source.text.starts_with("//!") {
        faults.push(format!("{path} does not open with its contract (//!)"));
    }
    let parts: Vec<&str> = path.trim_end_matches(".rs").split('/').collect();
    if let Some(empty) = parts.iter().find(|part| EMPTY_NAMES.contains(*part)) {
        faults.push(format!("{path}: \"{empty}\" is no noun of the field"));
    }
    if parts.len() > FOLDERS_MAX + 2 {
        faults.push(format!("{path} lies deeper than {FOLDERS_MAX} folders"));
    }
    faults
}

fn all_sources() -> Vec<Source> {
    ["src", "tests", "benches"].into_iter().flat_map(sources).collect()
}

fn must_be_empty(faults: &[String]) {
    assert!(faults.is_empty(), "\n{}\n", faults.join("\n"));
}

#[test]
fn every_file_is_short_well_named_and_opens_with_its_contract() {
    let faults: Vec<String> = all_sources().iter().flat_map(file_faults).collect();
    must_be_empty(&faults);
}

#[test]
fn every_function_fits_on_a_screen_and_takes_few_arguments() {
    let faults: Vec<String> = all_sources().iter().flat_map(function_faults).collect();
    must_be_empty(&faults);
}

#[test]
fn the_measures_of_size_measure() {
    let source = |path: &str, text: String| Source { path: path.into(), text };
    let long = format!("impl A {{ fn f(&self) {{{}}} }}", "\n".repeat(FUNCTION_LINES_MAX));
    assert_eq!(function_faults(&source("src/a.rs", long)).len(), 1);
    let fits = format!("fn f() {{{}}}", "\n".repeat(FUNCTION_LINES_MAX - 1));
    assert_eq!(function_faults(&source("src/a.rs", fits)).len(), 0);
    let busy = "trait T { fn f(&self, a: A, b: A, c: A, d: A, e: A); fn g(a: A, b: A, c: A, d: A, e: A, f: A); }";
    assert_eq!(function_faults(&source("src/a.rs", busy.into())).len(), 1);
    let nameless = source("src/a/b/c/utils.rs", "\n".repeat(FILE_LINES_MAX + 1));
    assert_eq!(file_faults(&nameless).len(), 4);
}
