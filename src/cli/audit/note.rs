//! `kehai audit note`: what happened outside the box and belongs in its chain: a breach, a disclosure to an authority.
//!
//! In: a kind and words. Out: a line of the chain. Invariant: an owner or an auditor wrote it; it names no person that it is about.

use std::path::PathBuf;

use crate::cli::credentials::Asker;
use crate::cli::output::{say, say_json};
use crate::cli::state::store_of;
use crate::cli::{Failure, USAGE};
use crate::switch::Act;
use crate::wire::audit::Deed;

/// Arguments of `kehai audit note`.
#[derive(clap::Args)]
pub struct Args {
    /// Site file
    #[arg(long)]
    site: PathBuf,
    /// What happened
    #[arg(long)]
    kind: Kind,
    /// In a sentence; never a name, an address or a number of a person it is about
    #[arg(long)]
    about: String,
    #[command(flatten)]
    asker: Asker,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// What can be noted.
#[derive(Clone, Copy, clap::ValueEnum)]
enum Kind {
    /// Something may have leaked, was lost or was changed
    Breach,
    /// Figures were handed to an authority, or asked for by one
    Disclosure,
}

impl Kind {
    fn name(self) -> &'static str {
        match self {
            Self::Breach => "breach",
            Self::Disclosure => "disclosure",
        }
    }
}

/// Runs the command.
///
/// # Errors
/// Exit 2 for words that are none or name a person, exit 7 for whoever may not.
pub fn run(args: &Args) -> Result<(), Failure> {
    if let Some(why) = fault(&args.about) {
        return Err(Failure::new(USAGE, format!("--about: {why}")));
    }
    let (_, vault) = store_of(&args.site)?;
    let what = args.kind.name();
    let by = args.asker.leave(&vault, Act::SeeAudit, what)?;
    let n = vault.remember(&Deed::done(what).by(&by).about("about", args.about.trim()))?;
    if args.json {
        say_json(&serde_json::json!({ "n": n, "what": what, "who": by }));
    } else {
        say(&format!(
            "line {n} of the chain: {what}, noted by {by}; the clocks that run from now stand in SECURITY.md"
        ));
    }
    Ok(())
}

/// What is wrong with words for the chain, if anything is: it can never be taken back.
fn fault(about: &str) -> Option<String> {
    let chars = about.trim().chars().count();
    let digits = about.split(|letter: char| !(letter.is_ascii_digit() || "-+ ".contains(letter)));
    let longest = digits.map(|run| run.chars().filter(char::is_ascii_digit).count()).max().unwrap_or(0);
    match () {
        () if chars == 0 || chars > CHARS_MAX || about.chars().any(char::is_control) => {
            Some(format!("{chars} characters; write 1 to {CHARS_MAX} on one line"))
        }
        () if about.contains('@') => Some("an address of e-mail names a person; say who by their office".to_owned()),
        () if longest >= DIGITS_MAX => {
            Some("a number that could be a telephone's names a person; leave it out".to_owned())
        }
        () => None,
    }
}

const CHARS_MAX: usize = 500;
/// A date has eight digits, a telephone number nine or more.
const DIGITS_MAX: usize = 9;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_note_is_a_sentence_that_names_nobody() {
        for good in ["A laptop with exports was stolen on 2026-11-27", "警察に 2026-11-27 の集計を渡した"] {
            assert_eq!(fault(good), None, "{good}");
        }
        for bad in ["", "a\nb", "ask aki@shop.example", "call +81 3-1234-5678", &"x".repeat(501)] {
            assert!(fault(bad).is_some(), "{bad}");
        }
    }
}
