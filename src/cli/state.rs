//! Where the store of a node lies: in the site file, in the service's own folder, or with the user's other state.

use std::os::unix::fs::DirBuilderExt;
use std::path::PathBuf;

use super::{CONFIGURATION, Failure};
use crate::config::Outlets;

/// The folder of the store, made where there is none: once the mouth is confined it cannot be.
///
/// # Errors
/// Exit 3 where nothing says which, and where it cannot be made.
pub fn made_state_folder(outlets: &Outlets) -> Result<PathBuf, Failure> {
    let folder = state_folder(outlets)?;
    let made = std::fs::DirBuilder::new().recursive(true).mode(0o700).create(&folder);
    made.map_err(|error| {
        let words = format!(
            "state {}: {error}; name a folder of this user's own in [vault] folder, or in STATE_DIRECTORY",
            folder.display()
        );
        Failure::new(CONFIGURATION, words)
    })?;
    Ok(folder)
}

/// The folder of the store.
///
/// # Errors
/// Exit 3 where nothing says which.
pub fn state_folder(outlets: &Outlets) -> Result<PathBuf, Failure> {
    let variable = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let of_user = || variable("XDG_STATE_HOME").or_else(|| Some(variable("HOME")?.join(".local/state")));
    let folder = outlets.state_folder.clone().or_else(|| variable("STATE_DIRECTORY"));
    folder.or_else(|| Some(of_user()?.join("kehai"))).filter(|folder| folder.is_absolute()).ok_or_else(|| {
        Failure::new(CONFIGURATION, "vault.folder is missing and neither STATE_DIRECTORY nor HOME say where state is kept; write [vault] folder = \"/var/lib/kehai\"")
    })
}
