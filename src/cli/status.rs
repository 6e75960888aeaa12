//! `kehai status`: where the switch stands, whose word it has, what is released and what waits.
//!
//! In: a site file and its store. Out: counts, times, ids. Invariant: nothing of what is kept is shown.

use std::path::PathBuf;

use serde::Serialize;

use super::Failure;
use super::arming::{armable, missing};
use super::output::{say, say_json};
use super::state::{state_folder, store_of};
use crate::clock::UtcMs;
use crate::vault::holder;
use crate::wire::compose::rfc3339;

/// Arguments of `kehai status`.
#[derive(clap::Args)]
pub struct Args {
    /// Site file
    #[arg(long)]
    site: PathBuf,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Told {
    mode: &'static str,
    /// Fingerprint of the configuration, as it stands in every message.
    cfg: String,
    /// Whether what is armed is this very configuration.
    is_current: bool,
    sign_armed: Option<String>,
    sign_of_this_site: String,
    armed_by: Vec<String>,
    armed_at: Option<String>,
    missing: Vec<String>,
    /// Process of `kehai run`, where one runs.
    run_process: Option<u32>,
    windows: u64,
    waiting: u64,
    store_bytes: u64,
    audit_lines: u64,
}

/// Runs the command.
pub fn run(args: &Args) -> Result<(), Failure> {
    let (site, vault) = store_of(&args.site)?;
    let (switch, status, armable) = (vault.switch()?, vault.status()?, armable(&site));
    let arming = switch.arming();
    let told = Told {
        mode: switch.mode().name(),
        cfg: site.settings.revision(),
        is_current: switch.may_start(&armable.declaration, &armable.bounds).is_ok(),
        sign_armed: arming.map(|arming| arming.sign.clone()),
        sign_of_this_site: armable.sign,
        armed_by: arming.map(|arming| arming.by.clone()).unwrap_or_default(),
        armed_at: arming.map(|arming| rfc3339(UtcMs(arming.at.0))),
        missing: missing(&site),
        run_process: holder(&state_folder(&site.outlets)?),
        windows: status.windows,
        waiting: status.waiting,
        store_bytes: status.bytes,
        audit_lines: status.head.n,
    };
    if args.json {
        say_json(&told);
    } else {
        told.print();
    }
    Ok(())
}

impl Told {
    fn print(&self) {
        let running = self
            .run_process
            .map_or("`kehai run` does not run".to_owned(), |process| format!("`kehai run` runs as process {process}"));
        say(&format!("switch         {} ({running})", self.mode));
        match (&self.sign_armed, &self.armed_at) {
            (Some(sign), Some(at)) => {
                say(&format!("armed          sign {sign}, by {}, {at}", self.armed_by.join(" and ")))
            }
            _ => say("armed          no"),
        }
        let standing = match (self.missing.as_slice(), self.is_current) {
            ([], true) => "is what is armed".to_owned(),
            ([], false) => format!("is not armed; its sign is {}", self.sign_of_this_site),
            (missing, _) => format!("cannot be armed: it does not say {}", missing.join(", ")),
        };
        say(&format!("this site file {} {standing}", self.cfg));
        say(&format!(
            "store          {} windows, {} messages wait for the broker, {} KiB",
            self.windows,
            self.waiting,
            self.store_bytes >> 10
        ));
        say(&format!("audit chain    {} lines", self.audit_lines));
    }
}
