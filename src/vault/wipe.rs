//! Wiping: the keys are destroyed, then the files; what is left is a signed receipt.
//!
//! In: the folder of a store. Out: a [`Receipt`] that names what was destroyed. Invariant: once the keys are gone nothing of
//! the store can be read by anybody, whatever copy of it they have, unless they have a copy of the keys too.

use std::io::ErrorKind;
use std::path::Path;

use super::{STORE, Vault, VaultError, keys, retention, store};
use crate::config::Keeping;
use crate::wire::audit::{HEAD, HeadPayload};

/// What was destroyed.
#[derive(Debug, Clone)]
pub struct Receipt {
    /// The end of the audit chain, unsigned; none where the store could not be opened any more.
    pub head: Option<HeadPayload>,
    /// Windows in the store.
    pub windows: u64,
    /// The topics on which the broker keeps, or once kept, a window of ours.
    pub topics: Vec<String>,
    /// Files that were removed.
    pub files: Vec<String>,
}

/// Destroys the store in a folder. `seal` is called with what will have been destroyed while the key still lives; what it
/// makes of that is handed back.
///
/// # Errors
/// Another mouth uses it; a file that cannot be removed.
pub fn wipe<T>(
    folder: &Path,
    seal: impl FnOnce(&Receipt, Option<&Vault>) -> Result<T, VaultError>,
) -> Result<T, VaultError> {
    let failed = |error: std::io::Error| VaultError::Folder { path: folder.to_owned(), reason: error.to_string() };
    let _claim = super::claim::claim(folder)?;
    // A store that cannot be opened any more is destroyed all the same.
    let vault = Vault::open_beside(folder, Keeping::default()).ok();
    let mut receipt = vault.as_ref().and_then(|vault| vault.inventory().ok()).unwrap_or_else(nothing_known);
    receipt.files = FILES.iter().filter(|name| folder.join(name).exists()).map(|name| (*name).to_owned()).collect();
    let sealed = seal(&receipt, vault.as_ref())?;
    drop(vault);
    keys::destroy(folder)?;
    for name in FILES {
        match std::fs::remove_file(folder.join(name)) {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(failed(error)),
            _ => {}
        }
    }
    super::sync_folder(&folder.join(STORE)).map_err(failed)?;
    Ok(sealed)
}

impl Vault {
    fn inventory(&self) -> Result<Receipt, VaultError> {
        let inner = self.lock();
        let failed = |error| store::of(&self.path, error);
        let head = super::audit::head_now(&inner.db, HEAD, crate::clock::utc_now()).map_err(failed)?;
        let windows = inner.db.query_row("SELECT count(*) FROM window", [], |row| row.get(0)).map_err(failed)?;
        let topics = retention::retained_topics(&inner.db).map_err(failed)?;
        Ok(Receipt { head: Some(head), windows, topics, files: Vec::new() })
    }
}

fn nothing_known() -> Receipt {
    Receipt { head: None, windows: 0, topics: Vec::new(), files: Vec::new() }
}

/// All that lies in the folder of a store: the keys, the store with its journals, the claim of a mouth, the last self-test.
pub(super) const FILES: [&str; 12] = [
    "secret",
    "salt",
    "secret.partial",
    "salt.partial",
    "store.db",
    "store.db-wal",
    "store.db-shm",
    "store.db-journal",
    "store.lock",
    super::stop::STOP,
    "selftest.json",
    "selftest.json.partial",
];
