//! Where the store of a node lies: in the site file, in the service's own folder, or with the user's other state.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::{CONFIGURATION, Failure};
use crate::config::Outlets;
use crate::config::site::{self, Site};
use crate::vault::{Vault, VaultError};

/// A site and its store, opened beside whoever runs it.
///
/// # Errors
/// A site file that is refused; no store there, or one that does not open.
pub fn store_of(path: &Path) -> Result<(Site, Vault), Failure> {
    let site = site::load(path)?;
    let vault = Vault::open_beside(&state_folder(&site.outlets)?, site.outlets.keeping)?;
    Ok((site, vault))
}

/// A site and its store for whoever sets it up: made where there is none yet.
///
/// # Errors
/// As [`store_of`], but for a store that is not there.
pub fn store_to_set_up(path: &Path) -> Result<(Site, Vault), Failure> {
    let site = site::load(path)?;
    let (folder, keeping) = (state_folder(&site.outlets)?, site.outlets.keeping);
    let vault = match Vault::open_beside(&folder, keeping) {
        Err(VaultError::Nothing { .. }) => Vault::open(&folder, keeping, Duration::ZERO)?,
        opened => opened?,
    };
    Ok((site, vault))
}

/// Who asks, for the audit chain.
#[must_use]
pub fn who() -> String {
    format!("uid:{}", rustix::process::getuid().as_raw())
}

/// The folder of the store.
///
/// # Errors
/// Exit 3 where nothing says which.
pub fn state_folder(outlets: &Outlets) -> Result<PathBuf, Failure> {
    folder_of(outlets.state_folder.clone())
}

/// The folder of the store of a site file that names this one, or none.
///
/// # Errors
/// As [`state_folder`].
pub fn folder_of(named: Option<PathBuf>) -> Result<PathBuf, Failure> {
    let variable = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let of_user = || variable("XDG_STATE_HOME").or_else(|| Some(variable("HOME")?.join(".local/state")));
    let folder = named.or_else(|| variable("STATE_DIRECTORY"));
    folder.or_else(|| Some(of_user()?.join("kehai"))).filter(|folder| folder.is_absolute()).ok_or_else(|| {
        Failure::new(CONFIGURATION, "vault.folder is missing and neither STATE_DIRECTORY nor HOME say where state is kept; write [vault] folder = \"/var/lib/kehai\"")
    })
}

/// The folder of the store of a site file that may have any fault: as it names it where that can be read, else that of this service
/// or user.
///
/// # Errors
/// As [`state_folder`].
pub fn folder_of_any(path: &Path) -> Result<PathBuf, Failure> {
    let text = std::fs::read_to_string(path).unwrap_or_default();
    let section = text.split("\n[").find(|section| section.trim_start().trim_start_matches('[').starts_with("vault]"));
    let lines = section.into_iter().flat_map(str::lines);
    let mut folders =
        lines.filter_map(|line| toml::from_str::<toml::Table>(line).ok()?.get("folder")?.as_str().map(PathBuf::from));
    folder_of(folders.next_back())
}
