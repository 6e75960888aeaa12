//! `kehai audit verify`: the judge's verdict on an export or on the store itself, in words and as JSON.

use std::path::{Path, PathBuf};

use serde::Serialize;

use super::each_line;
use crate::cli::output::{say, say_json};
use crate::cli::state::store_of;
use crate::cli::{CHECK_FAILED, Failure, USAGE};
use crate::vault::{Fault, Judge, Vault, Verdict};
use crate::wire::seal::PublicKey;

/// Arguments of `kehai audit verify`.
#[derive(clap::Args)]
pub struct Args {
    /// Export to judge; without it the store of --site
    file: Option<PathBuf>,
    /// Site file: its store says the key, and how far its own chain is
    #[arg(long, conflicts_with = "key")]
    site: Option<PathBuf>,
    /// Public key of the box as it was noted when it was set up: ed25519:…
    #[arg(long)]
    key: Option<String>,
    /// Heads as they were published (topic …/audit, as mosquitto_sub prints them): each must be part of the chain
    #[arg(long)]
    heads: Option<PathBuf>,
    /// Call it a fault when the box is further than the export: it is shown as the present state
    #[arg(long, requires_all = ["file", "site"])]
    current: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// The verdict as JSON.
#[derive(Serialize)]
struct Told<'a> {
    chain: &'a Option<String>,
    lines: u64,
    first: Option<u64>,
    last: Option<u64>,
    epoch: u64,
    ended: &'a Option<String>,
    checkpoints: u64,
    heads: u64,
    heads_before: u64,
    clock_back: u64,
    key: String,
    /// Where the box is, when an honest export ends before that.
    older: Option<&'a Older>,
    faults: Vec<ToldFault<'a>>,
    faults_more: u64,
}

/// An export that is a true beginning of the chain of its box.
#[derive(Serialize)]
struct Older {
    /// Its last line.
    ends: u64,
    /// The last line on the box.
    r#box: u64,
    /// Whether the box still holds that last line, so that the two could be held against each other.
    compared: bool,
}

#[derive(Serialize)]
struct ToldFault<'a> {
    n: u64,
    row: u64,
    what: &'a str,
}

/// Runs the command; exit 1 where anything is wrong with the chain.
pub fn run(args: &Args) -> Result<(), Failure> {
    let vault = args.site.as_ref().map(|site| store_of(site)).transpose()?.map(|(_, vault)| vault);
    let key = match (&args.key, &vault) {
        (Some(key), _) => parsed(key)?,
        (None, Some(vault)) => vault.public_key(),
        (None, None) => return Err(Failure::new(USAGE, KEYLESS)),
    };
    let mut judge = Judge::new(key);
    if let Some(heads) = &args.heads {
        take_heads(&mut judge, heads)?;
    }
    let mut older = None;
    let verdict = match (&args.file, &vault) {
        (Some(file), _) => {
            each_line(file, &mut |line| judge.line(line))?;
            let mut verdict = judge.end();
            if let Some(vault) = &vault {
                older = against_the_box(&mut verdict, vault, args.current)?;
            }
            verdict
        }
        (None, Some(vault)) => {
            vault.export_audit(&mut |line| judge.line(line))?;
            judge.end()
        }
        (None, None) => {
            return Err(Failure::new(
                USAGE,
                "say what to judge: a FILE that `kehai audit export` wrote, or --site SITE",
            ));
        }
    };
    tell(&verdict, key, older.as_ref(), args.json);
    match verdict.faults.len() as u64 + verdict.faults_more {
        0 => Ok(()),
        count => {
            Err(Failure::new(CHECK_FAILED, format!("{count} fault(s) in the audit chain; it is not as it was written")))
        }
    }
}

/// A public key as it is printed.
///
/// # Errors
/// Exit 2.
pub(in crate::cli) fn parsed(key: &str) -> Result<PublicKey, Failure> {
    key.parse().map_err(|_| {
        Failure::new(
            USAGE,
            format!("--key {key}: no public key; write it as `kehai doctor --site` prints it, ed25519:…"),
        )
    })
}

/// Reads heads out of a file; whatever else was published may stand between them.
fn take_heads(judge: &mut Judge, file: &Path) -> Result<(), Failure> {
    let (mut taken, mut too_many) = (0usize, false);
    each_line(file, &mut |line| {
        let body = line.find('{').map_or("", |begin| line[begin..].trim_end());
        too_many |= taken >= HEADS_MAX;
        if !too_many && judge.published(body) {
            taken += 1;
        }
    })?;
    let refused = |what: &str| Failure::new(USAGE, format!("--heads {}: {what}", file.display()));
    if too_many {
        return Err(refused(&format!("more than {HEADS_MAX} heads; judge them in parts")));
    }
    if taken == 0 {
        return Err(refused("no published head in it; give what came from the node's topic …/audit, a payload a line"));
    }
    Ok(())
}

/// Holds an export against the chain of the box it is said to be of. One that the box has outgrown is no fault, unless it is
/// shown as the present; one the box knows nothing of, or otherwise, is.
fn against_the_box(verdict: &mut Verdict, vault: &Vault, must_be_current: bool) -> Result<Option<Older>, Failure> {
    let Some((last, hash)) = verdict.last.clone() else { return Ok(None) };
    let head = vault.status()?.head;
    let mut fault = |n, what: String| verdict.faults.push(Fault { n, row: 0, what });
    let own = vault.audit_hash(last)?;
    if verdict.chain.as_ref().is_some_and(|chain| *chain != head.chain) {
        fault(last, format!("is of another chain than that of the box, {}: the store was made anew", head.chain));
    } else if head.n < last {
        fault(last, format!("is not on the box, whose chain ends at line {}: its store was rolled back", head.n));
    } else if own.as_ref().is_some_and(|own| *own != hash) {
        let what = "is another one on the box: its store was rolled back and went on, or this is an export of none of its states";
        fault(last, what.to_owned());
    } else if head.n > last && must_be_current {
        let what = format!(
            "is the last of this export, and the box is at line {}: an older one is shown as the present",
            head.n
        );
        fault(last, what);
    } else if head.n > last && verdict.faults.is_empty() {
        return Ok(Some(Older { ends: last, r#box: head.n, compared: own.is_some() }));
    }
    Ok(None)
}

fn tell(verdict: &Verdict, key: PublicKey, older: Option<&Older>, is_json: bool) {
    let last = verdict.last.as_ref().map(|(n, _)| *n);
    if is_json {
        let faults = verdict.faults.iter();
        return say_json(&Told {
            chain: &verdict.chain,
            lines: verdict.lines,
            first: verdict.first,
            last,
            epoch: verdict.epoch,
            ended: &verdict.ended,
            checkpoints: verdict.checkpoints,
            heads: verdict.heads,
            heads_before: verdict.heads_before,
            clock_back: verdict.clock_back.map_or(0, |(count, _)| count),
            key: key.to_string(),
            older,
            faults: faults.map(|fault| ToldFault { n: fault.n, row: fault.row, what: &fault.what }).collect(),
            faults_more: verdict.faults_more,
        });
    }
    let chain = verdict.chain.as_deref().unwrap_or("without a name");
    let (first, last) = (verdict.first.unwrap_or(0), last.unwrap_or(0));
    say(&format!("chain {chain}: {} lines, {first} to {last}, {} starts of the product", verdict.lines, verdict.epoch));
    say(&format!(
        "signed by {key}: {} checkpoints, and the end of {}",
        verdict.checkpoints,
        verdict.ended.as_deref().unwrap_or("(none)")
    ));
    if verdict.heads + verdict.heads_before > 0 {
        say(&format!(
            "published heads: {} are part of it, {} are of lines that are kept no longer",
            verdict.heads, verdict.heads_before
        ));
    }
    if let Some((count, n)) = verdict.clock_back {
        say(&format!("the clock ran back {count} time(s), first at line {n}: no fault, clocks are set"));
    }
    if let Some(Older { ends, r#box, compared }) = older {
        let held = if *compared {
            "the box has the same line there"
        } else {
            "the box keeps that line no longer and cannot be held against it"
        };
        say(&format!(
            "OLDER: ends at line {ends}, the box is at line {box}; {held}. No fault in it, and not the present state: export anew for that"
        ));
    }
    for fault in &verdict.faults {
        let place = if fault.row > 0 { format!(" (line {} of the file)", fault.row) } else { String::new() };
        say(&format!("FAULT line {}{place}: {}", fault.n, fault.what));
    }
    if verdict.faults_more > 0 {
        say(&format!("FAULT and {} more", verdict.faults_more));
    }
}

const KEYLESS: &str = "say by which key: --key ed25519:… as it was noted when the box was set up (`kehai doctor --site` and the node's message `about` show it), or --site SITE on the box itself";
/// Published heads that are taken in at once: five years of one every quarter of an hour.
const HEADS_MAX: usize = 200_000;
