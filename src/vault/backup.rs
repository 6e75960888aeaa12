//! The backup of a box: its site file, the keys of its store, how tight it was and whether it was locked, in one file that a
//! passphrase opens. Nothing else needs one.
//!
//! In: a store and its folder, a site file, a passphrase. Out: sealed bytes, or a new folder with the same keys, and what its new
//! store begins with.
//! Invariants: without the passphrase the bytes tell nothing but their length, and no changed or shortened copy is opened;
//! nothing that is there already is overwritten; a restored box knows nobody, is not armed, is locked if it was, and cannot be
//! armed looser than what was armed before.
//! Source: AES-256-GCM, NIST SP 800-38D; its key is [`stretched`].

use std::path::Path;

use ring::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use zeroize::Zeroizing;

use super::password::stretched;
use super::{Vault, VaultError, audit, keys, make_folder, switch, wipe};
use crate::clock::utc_now;
use crate::switch::{Switch, Unreadable};
use crate::wire::audit::Deed;

/// Why there is no backup, or nothing came of it.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// No randomness, no memory.
    #[error("the system gives no randomness or too little memory ({0}); try again")]
    System(&'static str),
    /// Not one of ours.
    #[error("not a backup of kehai, or one of a newer version; name a file that `kehai backup` wrote")]
    Foreign,
    /// The passphrase does not fit, or the bytes are not those that were written.
    #[error("the passphrase does not open it, or the file was changed or cut short; nothing was restored")]
    Sealed,
    /// Something is there already.
    #[error(
        "state {path}: {name} is there already; restore into an empty folder, or destroy what is there with `kehai wipe`"
    )]
    Occupied {
        /// The folder.
        path: String,
        /// What is there.
        name: &'static str,
    },
    /// Its switch is of a version that is not known here: bounds would be forgotten.
    #[error(transparent)]
    Switch(#[from] Unreadable),
    /// The folder or a key in it.
    #[error(transparent)]
    Folder(#[from] VaultError),
}

/// What a backup holds.
pub struct Kept {
    /// Text of the site file.
    pub site: Zeroizing<String>,
    secret: Zeroizing<Vec<u8>>,
    salt: Zeroizing<Vec<u8>>,
    /// What outlives the box of its switch.
    switch: Switch,
}

impl Kept {
    /// What is to be kept of the box in this folder, whose store this is.
    ///
    /// # Errors
    /// A key or a switch that is not there or cannot be read.
    pub fn of(folder: &Path, vault: &Vault, site: &str) -> Result<Self, BackupError> {
        let [secret, salt] = keys::both(folder)?;
        Ok(Self { site: Zeroizing::new(site.to_owned()), secret, salt, switch: vault.switch()?.kept() })
    }

    /// One file's bytes that this passphrase opens.
    ///
    /// # Errors
    /// [`BackupError::System`].
    pub fn sealed(&self, passphrase: &str) -> Result<Vec<u8>, BackupError> {
        let mut random = [0; SALT_BYTES + NONCE_LEN];
        getrandom::fill(&mut random).map_err(|_| BackupError::System("randomness"))?;
        let head = [MAGIC, &random[..]].concat();
        let (salt, nonce) = random.split_at(SALT_BYTES);
        let key = key_of(passphrase, salt)?;
        let switch = self.switch.to_text();
        let parts = [self.site.as_bytes(), &self.secret, &self.salt, switch.as_bytes()];
        let mut plain = Zeroizing::new(Vec::with_capacity(parts.iter().map(|part| part.len() + 4).sum::<usize>() + 16));
        for part in parts {
            plain.extend((part.len() as u32).to_be_bytes());
            plain.extend(part);
        }
        let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| BackupError::System("randomness"))?;
        let tag = key.seal_in_place_separate_tag(nonce, Aad::from(&head), &mut plain);
        let tag = tag.map_err(|_| BackupError::System("memory"))?;
        Ok([&head, &plain[..], tag.as_ref()].concat())
    }

    /// What was sealed with this passphrase.
    ///
    /// # Errors
    /// [`BackupError::Foreign`], [`BackupError::Sealed`].
    pub fn opened(bytes: &[u8], passphrase: &str) -> Result<Self, BackupError> {
        let rest = bytes.strip_prefix(MAGIC).ok_or(BackupError::Foreign)?;
        let (salt, rest) = rest.split_at_checked(SALT_BYTES).ok_or(BackupError::Sealed)?;
        let (nonce, rest) = rest.split_at_checked(NONCE_LEN).ok_or(BackupError::Sealed)?;
        let key = key_of(passphrase, salt)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| BackupError::Sealed)?;
        let (head, mut sealed) = (&bytes[..MAGIC.len() + SALT_BYTES + NONCE_LEN], Zeroizing::new(rest.to_vec()));
        let plain = key.open_in_place(nonce, Aad::from(head), &mut sealed).map_err(|_| BackupError::Sealed)?;
        let mut plain: &[u8] = plain;
        let mut part = || {
            let (length, rest) = plain.split_first_chunk::<4>()?;
            let (part, rest) = rest.split_at_checked(u32::from_be_bytes(*length) as usize)?;
            plain = rest;
            Some(Zeroizing::new(part.to_vec()))
        };
        let parts = [part(), part(), part(), part()];
        let [Some(site), Some(secret), Some(salt), Some(switch)] = parts else { return Err(BackupError::Sealed) };
        let site = Zeroizing::new(std::str::from_utf8(&site).map_err(|_| BackupError::Sealed)?.to_owned());
        let switch = std::str::from_utf8(&switch).map_err(|_| BackupError::Sealed)?;
        Ok(Self { site, secret, salt, switch: Switch::of_text(switch)?.kept() })
    }

    /// Puts the keys into a folder in which there is no store and nothing of one.
    ///
    /// # Errors
    /// [`BackupError::Occupied`], or a folder that cannot be written.
    pub fn restore(&self, folder: &Path) -> Result<(), BackupError> {
        if let Some(name) = wipe::FILES.into_iter().find(|name| folder.join(name).exists()) {
            return Err(BackupError::Occupied { path: folder.display().to_string(), name });
        }
        make_folder(folder)?;
        keys::restore(folder, [&self.secret, &self.salt])?;
        Ok(())
    }

    /// Puts what outlived the box of its switch into its new store, on behalf of `who`.
    ///
    /// # Errors
    /// No room.
    pub fn restore_switch(&self, vault: &Vault, who: &str) -> Result<(), VaultError> {
        vault.lock().write(&vault.path, |db, epoch| {
            switch::write(db, &self.switch)?;
            let deed = Deed::done("restore").by(who).about("key", vault.public_key().to_string());
            audit::append(db, epoch, &deed.about("to", self.switch.mode().name()), utc_now())?;
            Ok(())
        })
    }
}

fn key_of(passphrase: &str, salt: &[u8]) -> Result<LessSafeKey, BackupError> {
    let key = stretched(passphrase.as_bytes(), salt).ok_or(BackupError::System("memory"))?;
    let key = UnboundKey::new(&AES_256_GCM, &*key).map_err(|_| BackupError::System("memory"))?;
    Ok(LessSafeKey::new(key))
}

/// What a backup begins with: its kind and version.
const MAGIC: &[u8] = b"kehai-backup v2\n";
const SALT_BYTES: usize = 16;

#[cfg(test)]
mod tests {
    use super::*;

    fn kept() -> Kept {
        let [secret, salt] = [1, 2].map(|byte| Zeroizing::new(vec![byte; 32]));
        Kept { site: Zeroizing::new("[store]".to_owned()), secret, salt, switch: Switch::default() }
    }

    #[test]
    fn what_was_sealed_comes_back_and_no_other_passphrase_opens_it() {
        let sealed = kept().sealed("four words nobody guesses").expect("sealed");
        let opened = Kept::opened(&sealed, "four words nobody guesses").expect("opened");
        assert_eq!((opened.site.as_str(), &*opened.secret, &*opened.salt), ("[store]", &vec![1; 32], &vec![2; 32]));
        assert!(matches!(Kept::opened(&sealed, "four words nobody guesse"), Err(BackupError::Sealed)));
        let shows = |bytes: &[u8]| sealed.windows(bytes.len()).any(|window| window == bytes);
        assert!(!shows(b"[store]") && !shows(&[1; 8]), "the keys can be read");
    }

    #[test]
    fn no_changed_and_no_shortened_copy_is_opened() {
        let sealed = kept().sealed("four words nobody guesses").expect("sealed");
        for at in [0, MAGIC.len(), MAGIC.len() + SALT_BYTES, sealed.len() / 2, sealed.len() - 1] {
            let mut changed = sealed.clone();
            changed[at] ^= 1;
            assert!(Kept::opened(&changed, "four words nobody guesses").is_err(), "byte {at}");
            assert!(Kept::opened(&sealed[..at], "four words nobody guesses").is_err(), "{at} bytes");
        }
    }
}
