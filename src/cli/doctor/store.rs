//! The store of a site as it lies on this box: its folder, its key, how full it is, where its chain ends.
//!
//! In: where the site keeps its store. Out: a finding each. Invariant: nothing of what is kept is shown, and of keys the
//! public one alone.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use super::{Finding, note};
use crate::cli::output::is_writable_folder;
use crate::cli::programs::running;
use crate::cli::state::state_folder;
use crate::clock::{UtcMs, utc_now};
use crate::config::site::Site;
use crate::notice::claims::{PROOF_AGE_MS_MAX, is_of};
use crate::vault::{KeySource, Status, Vault};
use crate::wire::compose::rfc3339;
use crate::wire::payload::selftest::Outcome;

/// Checks the store of a site.
pub fn check(findings: &mut Vec<Finding>, site: &Site) {
    let outlets = &site.outlets;
    let folder = match state_folder(outlets) {
        Ok(folder) => folder,
        Err(failure) => return note(findings, "state folder", Err(failure.message)),
    };
    if !folder.exists() {
        let told = format!("{} is not there yet; `kehai run` makes it, for its own user alone", folder.display());
        return note(findings, "state folder", Ok(told));
    }
    note(findings, "state folder", written(&folder));
    note(findings, "store key", key(&folder));
    if !folder.join("store.db").exists() {
        return note(findings, "store", Ok("none yet; `kehai run` makes it".to_owned()));
    }
    match Vault::open_beside(&folder, outlets.keeping) {
        Err(error) => note(findings, "store", Err(error.to_string())),
        Ok(vault) => opened(findings, &vault, site),
    }
}

fn written(folder: &Path) -> Result<String, String> {
    let shown = folder.display();
    let mode = folder.metadata().map_err(|error| format!("{shown}: {error}"))?.permissions().mode() & 0o777;
    if !is_writable_folder(folder) {
        return Err(format!("{shown}: cannot be written by this user"));
    }
    if mode & 0o077 != 0 {
        return Err(format!("{shown}: mode {mode:o} lets others look in; run `chmod go-rwx {shown}`"));
    }
    Ok(format!("{shown}, mode {mode:o}"))
}

fn key(folder: &Path) -> Result<String, String> {
    match KeySource::of(folder) {
        KeySource::Credential(path) => Ok(format!("a credential of the service, {}", path.display())),
        KeySource::File(path) => {
            let shown = path.display();
            let about = path.metadata().map_err(|error| {
                format!("{shown}: {error}; where a service has it as a credential this command has not")
            })?;
            let mode = about.permissions().mode() & 0o777;
            if mode & 0o077 != 0 {
                return Err(format!("{shown}: mode {mode:o} lets others read it; run `chmod 600 {shown}`"));
            }
            Ok(format!(
                "{shown}, mode {mode:o}: a 0600 key on the same disk does not protect a stolen box; a credential bound to its TPM does (LoadCredentialEncrypted= in deploy/kehai.service)"
            ))
        }
    }
}

fn opened(findings: &mut Vec<Finding>, vault: &Vault, site: &Site) {
    let status = match vault.status() {
        Err(error) => return note(findings, "store", Err(error.to_string())),
        Ok(status) => status,
    };
    note(findings, "store", whole(vault, status.bytes));
    let room = format!(
        "{} of {} KiB, {} windows{}",
        status.bytes >> 10,
        status.bytes_most >> 10,
        status.windows,
        status.span_s.map_or_else(String::new, |[from_s, to_s]| format!(" from {} to {}", at(from_s), at(to_s)))
    );
    let bytes = usize::try_from(status.bytes).ok();
    findings.push(Finding { what: "store size".to_owned(), ok: true, detail: room, bytes, names: Vec::new() });
    let waiting =
        format!("{} messages wait for the broker; the newest window is number {}", status.waiting, status.seq);
    note(findings, "undelivered", Ok(waiting));
    note(findings, "audit chain", Ok(chain(&status)));
    note(findings, "self-test", tested(vault, site));
    note(
        findings,
        "public key",
        Ok(format!("{}: note it off this box; `kehai verify` and `kehai audit verify` ask for it", vault.public_key())),
    );
}

/// Whether every page is as it was written. A shop that runs waits for that, so a large store is not read through.
fn whole(vault: &Vault, bytes: u64) -> Result<String, String> {
    if bytes > READ_BYTES_MAX {
        return Ok(format!("opens; not read through, {} MiB would hold the shop up", bytes >> 20));
    }
    let damage = vault.damage().map_err(|error| error.to_string())?;
    if damage.is_empty() {
        Ok("opens, and every page fits its seal".to_owned())
    } else {
        Err(format!("damaged: {}", damage.join("; ")))
    }
}

fn chain(status: &Status) -> String {
    let head = &status.head;
    let signed = status.checkpoint.as_ref().map_or_else(
        || "no head was signed for the broker yet".to_owned(),
        |checkpoint| format!("the newest signed head is of line {}, {}", checkpoint.n, checkpoint.at),
    );
    format!("{}: lines {} to {}, start {} of the product; {signed}", head.chain, head.first, head.n, head.epoch)
}

/// How old the newest self-test is, and whether it is of what runs. A shop that declares nothing has nothing to prove yet.
fn tested(vault: &Vault, site: &Site) -> Result<String, String> {
    if site.settings.declaration.is_none() {
        return Ok("none: nothing is declared".to_owned());
    }
    let remedy = "run `kehai report --site SITE`, twice a day";
    let Some(test) = vault.self_test() else { return Ok(format!("none yet; {remedy}")) };
    let (at, age_ms) = (rfc3339(test.at), utc_now().0 - test.at.0);
    if !is_of(&test, &running(site)) {
        return Err(format!("{at}, of other programs, another network or another declaration; {remedy}"));
    }
    let red: Vec<&str> =
        test.proofs.iter().filter(|proof| proof.outcome == Outcome::Red).map(|proof| proof.id.as_str()).collect();
    match () {
        () if !red.is_empty() => Err(format!("{at}: does not hold: {}", red.join(", "))),
        () if age_ms >= PROOF_AGE_MS_MAX => {
            Err(format!("{at}, {} hours old; nothing is claimed on it; {remedy}", age_ms / 3_600_000))
        }
        () => Ok(format!("{at}, {} tried", test.proofs.len())),
    }
}

fn at(second: i64) -> String {
    rfc3339(UtcMs(second * 1000))
}

/// Largest store that is read through, bytes: a second or two of a small processor.
const READ_BYTES_MAX: u64 = 128 << 20;
