//! `kehai audit search`: lines of the chain by what, who, when, how it went, and words in it.

use std::path::PathBuf;

use super::each_line;
use crate::cli::credentials::Asker;
use crate::cli::moment::moment_s;
use crate::cli::output::{note, say};
use crate::cli::state::store_of;
use crate::cli::{Failure, USAGE};
use crate::switch::Act;
use crate::vault::Vault;
use crate::wire::audit::{AuditLine, Deed, read_line};

/// Arguments of `kehai audit search`.
#[derive(clap::Args)]
pub struct Args {
    /// Export to search; without it the store of --site
    file: Option<PathBuf>,
    /// Site file
    #[arg(long)]
    site: Option<PathBuf>,
    /// What was done: release, purge, expire, start …
    #[arg(long)]
    what: Option<String>,
    /// Who did it: node, uid:0 …
    #[arg(long)]
    who: Option<String>,
    /// Not before this moment: a date on the shop's wall, or RFC 3339
    #[arg(long)]
    from: Option<String>,
    /// Before this moment
    #[arg(long)]
    to: Option<String>,
    /// How it went: done, refused, failed
    #[arg(long)]
    outcome: Option<String>,
    /// Words anywhere in the line
    #[arg(long)]
    text: Option<String>,
    #[command(flatten)]
    asker: Asker,
    /// Print the lines as they stand in the chain
    #[arg(long)]
    json: bool,
}

/// Runs the command.
pub fn run(args: &Args) -> Result<(), Failure> {
    let store = args.site.as_ref().map(|site| store_of(site)).transpose()?;
    let zone = store.as_ref().map_or("UTC", |(site, _)| site.settings.store.timezone.as_str());
    let moment = |flag, text: &Option<String>| text.as_deref().map(|text| moment_s(flag, text, zone)).transpose();
    let span_s = [moment("--from", &args.from)?, moment("--to", &args.to)?];
    let mut found = Found { args, span_s, read: 0, hits: 0, unreadable: 0 };
    match (&args.file, &store) {
        (Some(file), _) => each_line(file, &mut |line| found.look(line))?,
        (None, Some((_, vault))) => in_store(vault, &mut found)?,
        (None, None) => {
            let message = "say where to search: a FILE that `kehai audit export` wrote, or --site SITE for the store";
            return Err(Failure::new(USAGE, message));
        }
    }
    note(&format!("kehai: {} of {} lines", found.hits, found.read));
    if found.unreadable > 0 {
        note(&format!(
            "kehai: {} lines are not as they were written; `kehai audit verify` names them",
            found.unreadable
        ));
    }
    Ok(())
}

fn in_store(vault: &Vault, found: &mut Found<'_>) -> Result<(), Failure> {
    // Who looks stands in it.
    let by = found.args.asker.leave(vault, Act::SeeAudit, "audit-search")?;
    vault.remember(&Deed::done("audit-search").by(&by))?;
    Ok(vault.export_audit(&mut |line| found.look(line))?)
}

/// What is sought, and how much of it was there.
struct Found<'a> {
    args: &'a Args,
    span_s: [Option<i64>; 2],
    read: u64,
    hits: u64,
    unreadable: u64,
}

impl Found<'_> {
    fn look(&mut self, text: &str) {
        let line = match read_line(text) {
            Ok(line) => line,
            // Signed heads stand between the lines.
            Err(_) => return self.unreadable += u64::from(!text.starts_with("{\"v\":")),
        };
        self.read += 1;
        if self.is_sought(&line, text) {
            self.hits += 1;
            say(&if self.args.json { text.to_owned() } else { in_words(&line) });
        }
    }

    fn is_sought(&self, line: &AuditLine, text: &str) -> bool {
        let is = |sought: &Option<String>, value: &str| sought.as_deref().is_none_or(|sought| sought == value);
        let at_s = line.at.parse::<jiff::Timestamp>().map_or(0, |at| at.as_second());
        let [from_s, to_s] = self.span_s;
        is(&self.args.what, &line.what)
            && is(&self.args.who, &line.who)
            && is(&self.args.outcome, &line.outcome)
            && from_s.is_none_or(|from_s| at_s >= from_s)
            && to_s.is_none_or(|to_s| at_s < to_s)
            && self.args.text.as_deref().is_none_or(|words| text.contains(words))
    }
}

fn in_words(line: &AuditLine) -> String {
    let about: Vec<String> = line.about.iter().map(|(name, value)| format!("{name}={value}")).collect();
    format!("{:>8} {} {:<8} {:<12} {:<8} {}", line.n, line.at, line.who, line.what, line.outcome, about.join(" "))
}
