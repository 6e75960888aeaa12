//! `kehai records`: the papers a shop must be able to show, from the configuration that runs.
//!
//! In: a site file. Out: a folder of papers, as Markdown and HTML, in the languages of the notice. Invariant: nothing is made
//! where something is missing, and what is missing is named (exit 7).

use std::path::{Path, PathBuf};

use super::arming::must_be_declared;
use super::output::{say, say_json, write_whole};
use super::programs::running;
use super::state::state_folder;
use super::{Failure, USAGE};
use crate::clock::utc_now;
use crate::config::site::{self, Site};
use crate::notice::claims::is_of;
use crate::notice::day;
use crate::notice::records::{Known, papers};
use crate::vault::Vault;
use crate::wire::payload::selftest::SelfTest;

/// Arguments of `kehai records`.
#[derive(clap::Args)]
pub struct Args {
    /// Site file
    #[arg(long)]
    site: PathBuf,
    /// Folder for the papers
    #[arg(long)]
    out: PathBuf,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Runs the command.
pub fn run(args: &Args) -> Result<(), Failure> {
    let site = site::load(&args.site)?;
    must_be_declared(&site)?;
    make_folder(&args.out)?;
    let (test, today) = (self_test(&site), day(utc_now(), &site.settings.store.timezone));
    let known = Known { site: &site, self_test: test.as_ref(), today: &today };
    let mut files = Vec::new();
    for language in &site.declared.languages {
        for (name, paper) in papers(known, *language) {
            let mut keep = |ending: &str, text: &str| {
                let path = args.out.join(format!("{name}-{}.{ending}", language.code()));
                write_whole("--out", &path, text.as_bytes()).map(|()| files.push(path.display().to_string()))
            };
            keep("md", &paper.to_markdown())?;
            keep("html", &paper.to_html())?;
        }
    }
    if args.json {
        say_json(&serde_json::json!({ "cfg": site.settings.revision(), "files": files, "self_test": test.is_some() }));
    } else {
        say(&files.join("\n"));
        let rest = "what only a person can judge is left open in dpia and interest; fill it in, date it, sign it";
        let untested =
            if test.is_some() { "" } else { "; run `kehai report` first, so that the measures stand in them" };
        say(&format!("{} papers of configuration {}; {rest}{untested}", files.len(), site.settings.revision()));
    }
    Ok(())
}

/// A folder for what is written, made where there is none.
///
/// # Errors
/// Exit 2.
pub(super) fn make_folder(folder: &Path) -> Result<(), Failure> {
    std::fs::create_dir_all(folder).map_err(|error| {
        Failure::new(USAGE, format!("--out {}: {error}; name a folder that can be made", folder.display()))
    })
}

/// The newest self-test of what runs, where there is a store that holds one.
fn self_test(site: &Site) -> Option<SelfTest> {
    let vault = Vault::open_beside(&state_folder(&site.outlets).ok()?, site.outlets.keeping).ok()?;
    let of = running(site);
    vault.self_test().filter(|test| is_of(test, &of))
}
