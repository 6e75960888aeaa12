//! A store to try things on: laid out like that of a shop, in memory alone, and with pages that can be looked at.
//!
//! In: how long windows are kept. Out: [`Trial`]. Invariant: only a store that was never on a disk shows its pages; in that of a
//! shop they are encrypted, and nobody asks for them.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::{Vault, VaultError, store};
use crate::config::Keeping;
use crate::wire::seal::Signer;

/// A store that is gone with this process.
pub struct Trial {
    vault: Vault,
}

impl Trial {
    /// One that keeps windows for so long.
    ///
    /// # Errors
    /// No memory.
    pub fn new(keeping: Keeping) -> Result<Self, VaultError> {
        let of = (keeping, Duration::ZERO, None);
        let vault = Vault::over(store::throw_away()?, PathBuf::from(":memory:"), Signer::of_replays(), of)?;
        Ok(Self { vault })
    }

    /// The store.
    #[must_use]
    pub fn vault(&self) -> &Vault {
        &self.vault
    }

    /// Every page of it, those that are free too.
    ///
    /// # Errors
    /// No memory.
    pub fn pages(&self) -> Result<Vec<u8>, VaultError> {
        let inner = self.vault.lock();
        let pages = inner.db.serialize("main").map(|pages| pages.to_vec());
        pages.map_err(|error| store::of(Path::new(":memory:"), error))
    }
}
