//! `kehai purge`: every released window of a span of time goes, whole, from the box and from the broker.
//!
//! Nobody can purge a person: nobody is in a window. A shop that runs meanwhile notices, and tells its broker.

use std::path::PathBuf;

use serde::Serialize;

use super::credentials::Asker;
use super::moment::moment_s;
use super::output::{is_attended, note, say, say_json};
use super::state::store_of;
use super::{Failure, INTERRUPTED, USAGE};
use crate::switch::Act;

/// Arguments of `kehai purge`.
#[derive(clap::Args)]
pub struct Args {
    /// Site file
    #[arg(long)]
    site: PathBuf,
    /// First moment: a date on the shop's wall (2026-11-20), a time on it, or RFC 3339
    #[arg(long)]
    from: String,
    /// First moment that stays, written alike; windows that begin before it go as a whole
    #[arg(long)]
    to: String,
    #[command(flatten)]
    asker: Asker,
    /// Do not ask
    #[arg(long)]
    yes: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Told {
    windows: u64,
    undelivered: u64,
    from_s: i64,
    to_s: i64,
}

/// Runs the command.
pub fn run(args: &Args) -> Result<(), Failure> {
    let (site, vault) = store_of(&args.site)?;
    let zone = &site.settings.store.timezone;
    let (from_s, to_s) = (moment_s("--from", &args.from, zone)?, moment_s("--to", &args.to, zone)?);
    if to_s <= from_s {
        return Err(Failure::new(
            USAGE,
            format!("--to {}: not after --from {}; it is the first moment that stays", args.to, args.from),
        ));
    }
    let by = args.asker.leave(&vault, Act::Purge, "purge")?;
    let found = vault.within(from_s, to_s)?;
    confirm(
        args.yes,
        &format!(
            "{} windows from {} to {}, {} of them undelivered, will be gone for ever",
            found.windows, args.from, args.to, found.undelivered
        ),
    )?;
    let gone = vault.purge(from_s, to_s, &by)?;
    if args.json {
        say_json(&Told { windows: gone.windows, undelivered: gone.undelivered, from_s, to_s });
    } else {
        say(&format!("{} windows are gone, {} of them had not been delivered", gone.windows, gone.undelivered));
    }
    if site.outlets.broker.is_some() {
        note(
            "kehai: copies the broker keeps are cleared by `kehai run`, at once where it runs; what subscribers have stored is theirs to delete",
        );
    }
    Ok(())
}

/// Asks a person at the keyboard; where there is none, `--yes` must have been given.
///
/// # Errors
/// Exit 2 where nobody can be asked, 130 where the answer is no.
pub fn confirm(yes: bool, what: &str) -> Result<(), Failure> {
    if yes {
        return Ok(());
    }
    if !is_attended() {
        return Err(Failure::new(USAGE, format!("{what}; nobody is here to be asked: give --yes")));
    }
    note(&format!("{what}. Type yes:"));
    let mut answer = String::new();
    let read = std::io::stdin().read_line(&mut answer);
    if read.is_ok() && answer.trim() == "yes" { Ok(()) } else { Err(Failure::new(INTERRUPTED, "nothing was done")) }
}
