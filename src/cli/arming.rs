//! What has to be true before a camera is opened: everything declared, the sign of this very configuration acknowledged, two
//! people's word for it.
//!
//! In: a site and its store. Out: nothing, or exit 7 and what is missing. Invariant: whoever is refused here has opened no camera,
//! and stands in the audit chain.

use std::path::Path;

use super::state::{folder_of_any, who};
use super::{Failure, NOT_ARMED};
use crate::config::Keeping;
use crate::config::broker::Broker;
use crate::config::site::Site;
use crate::notice::sign_id;
use crate::switch::{self, Bounds};
use crate::vault::Vault;
use crate::wire::audit::Deed;

/// The configuration of a site file as it is armed and started.
#[must_use]
pub fn armable(site: &Site) -> switch::Site {
    let declaration = site.settings.declaration.clone().unwrap_or_default();
    switch::Site {
        sign: sign_id(&declaration),
        bounds: Bounds::of(&site.settings, site.outlets.keeping.days, dangers(site)),
        is_sole_operator: site.declared.is_sole_operator,
        declaration,
    }
}

/// Keys of what a site file allows that weakens privacy, or the word of a second person.
fn dangers(site: &Site) -> Vec<String> {
    let is_plain = matches!(&site.outlets.broker, Some(Broker::At(remote)) if remote.is_dangerous_plaintext);
    let all = [
        ("dangerous_allow_unsandboxed", site.settings.dangerous_allow_unsandboxed),
        ("broker.dangerous_plaintext", is_plain),
        ("switch.sole_operator", site.declared.is_sole_operator),
    ];
    all.into_iter().filter(|(_, is_on)| *is_on).map(|(key, _)| key.to_owned()).collect()
}

/// Keys that have to be written before this site can be armed.
#[must_use]
pub fn missing(site: &Site) -> Vec<String> {
    let mut keys = site.declared.missing();
    if let Some(Broker::At(remote)) = &site.outlets.broker
        && !is_here(&remote.host)
        && !site.declared.recipients.iter().any(|recipient| recipient.host == remote.host)
    {
        keys.push(format!(
            "recipient (one with host = \"{}\": who reads there, in which country, what for)",
            remote.host
        ));
    }
    keys
}

/// Whether a host is this machine.
fn is_here(host: &str) -> bool {
    host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// Refuses a site whose file does not say all that has to be said.
///
/// # Errors
/// Exit 7, naming every key.
pub fn must_be_declared(site: &Site) -> Result<(), Failure> {
    let keys = missing(site);
    if keys.is_empty() {
        return Ok(());
    }
    Err(Failure::new(
        NOT_ARMED,
        format!(
            "not armed: the site file does not say {}; write what is missing (`kehai setup --sample` prints a whole site file)",
            keys.join(", ")
        ),
    ))
}

/// Remembers that a site file was refused before anybody could say where its store lies: in the store that the file names as far as
/// it can be read, else in that of this service or user. Without a store there is nothing to remember it in.
pub fn remember_refused(path: &Path, what: &'static str, refused: &Failure) {
    let Ok(folder) = folder_of_any(path) else { return };
    let Ok(vault) = Vault::open_beside(&folder, Keeping::default()) else { return };
    let why: String = refused.message.chars().take(WHY_CHARS_MAX).collect();
    // Without room for the line nothing is watched all the same.
    let _ = vault.remember(&Deed::done(what).by(&who()).that_was("refused").about("why", why));
}

/// Refuses to watch what is not armed, and remembers that.
///
/// # Errors
/// Exit 7.
pub fn must_be_armed(site: &Site, vault: &Vault) -> Result<(), Failure> {
    let site_now = armable(site);
    let refused = match (must_be_declared(site), vault.switch()?.may_start(&site_now.declaration, &site_now.bounds)) {
        (Err(failure), _) => failure,
        (Ok(()), Err(refusal)) => Failure::new(NOT_ARMED, refusal.to_string()),
        (Ok(()), Ok(())) => return Ok(()),
    };
    let deed = Deed::done("watch").that_was("refused").about("why", refused.message.as_str());
    // Without room for the line nothing is watched all the same.
    let _ = vault.remember(&deed);
    Err(refused)
}

/// A site file can be wrong in more ways than a line of the chain has room for.
const WHY_CHARS_MAX: usize = 600;
