//! `kehai wipe`: the store is destroyed, what the broker keeps is cleared, and a signed receipt says so.
//!
//! Order: the broker first, as far as it can be reached, for the receipt tells what was not cleared and must be signed while
//! the key lives; the receipt is on the disk before the key goes, and gets its name once everything is gone.

use std::io::Write;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::audit::private;
use super::credentials::Asker;
use super::output::{check_file, note, say, say_json};
use super::purge::confirm;
use super::state::{state_folder, who};
use super::{BROKER, CHECK_FAILED, Failure, NOT_ARMED, USAGE};
use crate::clock::utc_now;
use crate::config::broker::Broker;
use crate::config::site::{self, Site};
use crate::publish::mqtt::clear::{Cleared, clear};
use crate::switch::Act;
use crate::vault::{Receipt, Vault, VaultError, is_damaged, wipe};
use crate::wire::audit::{Deed, HeadPayload};
use crate::wire::compose::rfc3339;
use crate::wire::payload::CONTRACT_VERSION;
use crate::wire::seal::PublicKey;

/// Arguments of `kehai wipe`.
#[derive(clap::Args)]
pub struct Args {
    /// Site file
    #[arg(long)]
    site: PathBuf,
    /// File for the receipt; else wipe-receipt-….json beside the folder of the store
    #[arg(long)]
    receipt: Option<PathBuf>,
    /// Destroy nothing: clear at the broker what the receipt says was not cleared
    #[arg(long, requires = "receipt")]
    clear: bool,
    #[command(flatten)]
    asker: Asker,
    /// Do not ask
    #[arg(long)]
    yes: bool,
    /// Print the receipt
    #[arg(long)]
    json: bool,
}

/// What is left of a store.
#[derive(Debug, Serialize, Deserialize)]
struct ReceiptPayload {
    v: u8,
    k: String,
    /// When, UTC, RFC 3339.
    at: String,
    /// Who did it.
    who: String,
    /// Topic of the node.
    node: String,
    /// Key the store signed with; it is destroyed.
    key: Option<String>,
    /// End of the audit chain; none where the store could not be opened any more.
    head: Option<HeadPayload>,
    /// Windows that were destroyed.
    windows: u64,
    /// Files that were removed.
    files: Vec<String>,
    /// Topics the broker keeps nothing on any more.
    cleared: Vec<String>,
    /// Topics on which it may still keep something: it was not reached, or refused.
    uncleared: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    sig: Option<String>,
}

/// Runs the command.
pub fn run(args: &Args) -> Result<(), Failure> {
    let site = site::load(&args.site)?;
    if let (true, Some(receipt)) = (args.clear, &args.receipt) {
        return clear_later(&site, receipt);
    }
    let folder = state_folder(&site.outlets)?;
    if !folder.is_dir() {
        return Err(VaultError::Nothing { path: folder }.into());
    }
    let by = asked_by(args, &site, &folder)?;
    let receipt = args.receipt.clone().unwrap_or_else(|| beside(&folder));
    check_file("--receipt", &receipt)?;
    confirm(
        args.yes,
        &format!("the store in {} will be destroyed for ever, with every window and the audit chain", folder.display()),
    )?;
    let partial = receipt.with_added_extension("partial");
    let (body, uncleared) = wipe(&folder, |found, vault| {
        // On a full disk the store cannot say so any more, and goes all the same.
        let _ = vault.map(|vault| vault.remember(&Deed::done("wipe").by(&by)));
        let payload = payload(&site, found, vault, &by);
        let uncleared = payload.uncleared.len();
        let body = serde_json::to_vec(&payload).unwrap_or_default();
        let body = vault.map_or_else(|| body.clone(), |vault| vault.seal(body.clone()));
        let failed = |error: std::io::Error| VaultError::Folder { path: partial.clone(), reason: error.to_string() };
        let mut file = private(&partial).map_err(failed)?;
        file.write_all(&body).and_then(|()| file.write_all(b"\n")).and_then(|()| file.sync_all()).map_err(failed)?;
        Ok((body, uncleared))
    })?;
    std::fs::rename(&partial, &receipt).map_err(|error| {
        Failure::new(CHECK_FAILED, format!("the store is destroyed; its receipt is {}: {error}", partial.display()))
    })?;
    if args.json {
        say(&String::from_utf8_lossy(&body));
    } else {
        say(&format!("the store is destroyed; receipt: {}", receipt.display()));
    }
    if uncleared > 0 {
        let message = format!(
            "the broker did not clear {uncleared} topic(s), which the receipt names; once it can be reached: kehai wipe --site {} --receipt {} --clear",
            args.site.display(),
            receipt.display()
        );
        return Err(Failure::new(BROKER, message));
    }
    Ok(())
}

/// Who destroys it: an owner. A store that is damaged, under its own keys, need not be able to say who that is; under other keys
/// nobody can tell whether it is.
fn asked_by(args: &Args, site: &Site, folder: &Path) -> Result<String, Failure> {
    let asked = Vault::open_beside(folder, site.outlets.keeping)
        .map_err(Failure::from)
        .and_then(|vault| args.asker.leave(&vault, Act::Wipe, "wipe"));
    match asked {
        // Whoever was not believed is not believed by a damaged store either.
        Err(failure) if !matches!(failure.code, NOT_ARMED | USAGE) && is_damaged(folder)? => Ok(who()),
        asked => asked,
    }
}

fn beside(folder: &Path) -> PathBuf {
    let at: String = rfc3339(utc_now()).chars().filter(char::is_ascii_alphanumeric).collect();
    folder.parent().unwrap_or(folder).join(format!("wipe-receipt-{at}.json"))
}

fn payload(site: &Site, found: &Receipt, vault: Option<&Vault>, by: &str) -> ReceiptPayload {
    let node = node(site);
    let mut topics = found.topics.clone();
    // Also of objects all windows of which are gone, and pictures, whether the site still asks for them or not.
    let objects = vault.and_then(|vault| vault.objects().ok()).unwrap_or_default();
    topics.extend(objects.iter().map(|(kind, id)| format!("{node}/win/{kind}/{id}")));
    topics.extend(objects.iter().filter(|(kind, _)| kind == "heat").map(|(_, id)| format!("{node}/img/heat/{id}")));
    topics.extend(["state", "about"].map(|topic| format!("{node}/{topic}")));
    topics.extend(METAS.map(|of| format!("{node}/meta/{of}")));
    topics.sort();
    topics.dedup();
    let Cleared { cleared, uncleared } = at_broker(site, &topics);
    ReceiptPayload {
        v: CONTRACT_VERSION,
        k: "wipe-receipt".to_owned(),
        at: rfc3339(utc_now()),
        who: by.to_owned(),
        node,
        key: vault.map(|vault| vault.public_key().to_string()),
        head: vault.and_then(|vault| vault.status().ok()).map(|status| status.head).or_else(|| found.head.clone()),
        windows: found.windows,
        files: found.files.clone(),
        cleared,
        uncleared,
        sig: None,
    }
}

/// Clears these topics, and whatever else is kept below the node.
fn at_broker(site: &Site, topics: &[String]) -> Cleared {
    let remote = match &site.outlets.broker {
        Some(Broker::At(remote)) => remote,
        // It lives and dies with `kehai run`, and keeps nothing beyond it.
        Some(Broker::Embedded { .. }) | None => return Cleared { cleared: topics.to_vec(), uncleared: Vec::new() },
    };
    let store = &site.settings.store;
    let client = format!("kehai-{}-{}-{}-wipe", store.org, store.store, store.node);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let nothing = || Cleared { cleared: Vec::new(), uncleared: topics.to_vec() };
    runtime.map_or_else(|_| nothing(), |runtime| runtime.block_on(clear(remote, &client, &node(site), topics)))
}

fn clear_later(site: &Site, receipt: &Path) -> Result<(), Failure> {
    let refused = |why: String| Failure::new(USAGE, format!("--receipt {}: {why}", receipt.display()));
    let text = std::fs::read_to_string(receipt).map_err(|error| refused(error.to_string()))?;
    let read: ReceiptPayload =
        serde_json::from_str(&text).map_err(|error| refused(format!("no receipt of a wipe: {error}")))?;
    let (node, key) = (node(site), read.key.as_deref().and_then(|key| key.parse::<PublicKey>().ok()));
    match key {
        // A node that had another name once knows topics under that name too.
        Some(key) => key.verify(text.trim_end().as_bytes()).map_err(|why| refused(why.to_string()))?,
        None => {
            if let Some(stranger) = read.uncleared.iter().find(|topic| !topic.starts_with(&format!("{node}/"))) {
                return Err(refused(format!("{stranger} is no topic of this site ({node})")));
            }
        }
    }
    let left = at_broker(site, &read.uncleared).uncleared;
    if left.is_empty() {
        note(&format!("kehai: {} topic(s) cleared", read.uncleared.len()));
        return Ok(());
    }
    say_json(&left);
    Err(Failure::new(
        BROKER,
        format!("{} topic(s) are still not cleared; try again once the broker can be reached", left.len()),
    ))
}

fn node(site: &Site) -> String {
    let store = &site.settings.store;
    format!("{}/{}/{}/{}", site.outlets.topic_root, store.org, store.store, store.node)
}

/// What a node tells of itself, retained.
const METAS: [&str; 6] = ["cameras", "floors", "lines", "zones", "queues", "calendar"];
