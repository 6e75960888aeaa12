//! The store of a site as it lies on this box: its folder, its key, how full it is, where its chain ends.
//!
//! In: where the site keeps its store. Out: a finding each. Invariant: nothing of what is kept is shown, and of keys the
//! public one alone.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use super::{Finding, note};
use crate::cli::output::is_writable_folder;
use crate::cli::state::state_folder;
use crate::clock::UtcMs;
use crate::config::Outlets;
use crate::vault::{KeySource, Status, Vault};
use crate::wire::compose::rfc3339;

/// Checks the store of a site.
pub fn check(findings: &mut Vec<Finding>, outlets: &Outlets) {
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
        Ok(vault) => opened(findings, &vault),
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

fn opened(findings: &mut Vec<Finding>, vault: &Vault) {
    let status = vault.status().and_then(|status| Ok((status, vault.damage()?)));
    let (status, damage) = match status {
        Err(error) => return note(findings, "store", Err(error.to_string())),
        Ok(found) => found,
    };
    if !damage.is_empty() {
        note(findings, "store", Err(format!("damaged: {}", damage.join("; "))));
    }
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
    note(
        findings,
        "public key",
        Ok(format!("{}: note it off this box; `kehai verify` and `kehai audit verify` ask for it", vault.public_key())),
    );
}

fn chain(status: &Status) -> String {
    let head = &status.head;
    let signed = status.checkpoint.as_ref().map_or_else(
        || "no head was signed for the broker yet".to_owned(),
        |checkpoint| format!("the newest signed head is of line {}, {}", checkpoint.n, checkpoint.at),
    );
    format!("{}: lines {} to {}, start {} of the product; {signed}", head.chain, head.first, head.n, head.epoch)
}

fn at(second: i64) -> String {
    rfc3339(UtcMs(second * 1000))
}
