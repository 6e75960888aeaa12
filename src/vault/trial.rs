//! Stores in memory alone, laid out like that of a shop: of a replay, and to try things on.
//!
//! In: how long windows are kept. Out: a [`Vault`], or [`Trial`] around one. Invariant: only a store that was never on a disk shows its pages; in that of a
//! shop they are encrypted, and nobody asks for them.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::{Vault, VaultError, store};
use crate::config::Keeping;
use crate::wire::seal::Signer;

impl Vault {
    /// The store of a replay: gone with this process, and signed with everybody's key.
    ///
    /// # Errors
    /// No memory.
    pub fn throw_away() -> Result<Self, VaultError> {
        in_memory(Keeping::default())
    }
}

fn in_memory(keeping: Keeping) -> Result<Vault, VaultError> {
    let of = (keeping, Duration::ZERO, None);
    Vault::over(store::throw_away()?, PathBuf::from(":memory:"), Signer::of_replays(), of)
}

/// A store that is gone with this process, and whose pages can be looked at.
pub struct Trial {
    vault: Vault,
}

impl Trial {
    /// One that keeps windows for so long.
    ///
    /// # Errors
    /// No memory.
    pub fn new(keeping: Keeping) -> Result<Self, VaultError> {
        Ok(Self { vault: in_memory(keeping)? })
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
