//! Keys of a store: one secret of the box, one salt of the store, and what both make together.
//!
//! In: the secret of a systemd credential or of a file only we can read, and the store's salt. Out: the key of the encrypted
//! store and the key that signs. Invariants: a secret file that others can read is refused; no key is ever printed; without
//! its salt a store cannot be opened by anybody, also where the secret lives on ([`destroy`]); other keys are told from a damaged
//! store by what [`Keys::note`] left.
//! Source: HKDF-SHA256, RFC 5869.

use std::fs::{OpenOptions, Permissions};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use hkdf::Hkdf;
use sha2::Sha256;
use zeroize::Zeroizing;

use super::VaultError;
use crate::wire::seal::Signer;

/// What opens a store and what signs.
pub(super) struct Keys {
    /// Key of the encrypted store.
    pub(super) store: Zeroizing<[u8; KEY_BYTES]>,
    /// Key that signs.
    pub(super) signer: Signer,
    /// What tells these keys from others, and nothing of them.
    check: [u8; KEY_BYTES],
}

/// Where the secret of a box comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeySource {
    /// The system hands it to the service alone.
    Credential(PathBuf),
    /// A file on the same disk as the store.
    File(PathBuf),
}

impl KeySource {
    /// That of the store in a folder, for this process.
    #[must_use]
    pub fn of(folder: &Path) -> Self {
        credential().map_or_else(|| Self::File(folder.join(SECRET)), Self::Credential)
    }
}

impl Keys {
    /// The keys of the store in a folder; both files are made where there is no store yet.
    pub(super) fn of(folder: &Path, is_new: bool) -> Result<Self, VaultError> {
        let secret = match credential() {
            Some(path) => read(&path, false)?,
            None => own(&folder.join(SECRET), is_new)?,
        };
        let salt = own(&folder.join(SALT), is_new)?;
        Ok(Self::derived(&secret, &salt))
    }

    fn derived(secret: &[u8], salt: &[u8]) -> Self {
        let source = Hkdf::<Sha256>::new(Some(salt), secret);
        let key = |label: &str| {
            let mut key = Zeroizing::new([0; KEY_BYTES]);
            source.expand(label.as_bytes(), &mut *key).expect("32 bytes are not too many");
            key
        };
        let (store, signer) = (key("kehai store v1"), Signer::new(&key("kehai signature v1")));
        Self { store, signer, check: *key("kehai check v1") }
    }

    /// Whether the store in a folder was last opened with these keys; not where nothing tells.
    pub(super) fn are_of(&self, folder: &Path) -> bool {
        std::fs::read(folder.join(CHECK)).is_ok_and(|noted| noted == self.check)
    }

    /// Notes that these keys open the store in a folder; without room for it, the next start does.
    pub(super) fn note(&self, folder: &Path) {
        if !self.are_of(folder) {
            let _ = put(&folder.join(CHECK), &self.check);
        }
    }
}

/// Where systemd puts the secret, when it was told to (`LoadCredentialEncrypted=kehai-secret`).
fn credential() -> Option<PathBuf> {
    let path = PathBuf::from(std::env::var_os("CREDENTIALS_DIRECTORY")?).join(CREDENTIAL);
    path.is_file().then_some(path)
}

/// A secret file of our own, made when `may_make` and there is none.
fn own(path: &Path, may_make: bool) -> Result<Zeroizing<Vec<u8>>, VaultError> {
    match read(path, true) {
        Err(VaultError::Missing { .. }) if may_make => make(path),
        read => read,
    }
}

fn read(path: &Path, is_ours: bool) -> Result<Zeroizing<Vec<u8>>, VaultError> {
    let failed = |error: &std::io::Error| match error.kind() {
        ErrorKind::NotFound => VaultError::Missing { path: path.to_owned() },
        _ => VaultError::Folder { path: path.to_owned(), reason: error.to_string() },
    };
    let about = path.metadata().map_err(|error| failed(&error))?;
    if is_ours && about.mode() & 0o077 != 0 {
        return Err(VaultError::Open { path: path.to_owned(), mode: about.mode() & 0o777 });
    }
    let bytes = Zeroizing::new(std::fs::read(path).map_err(|error| failed(&error))?);
    if bytes.len() < KEY_BYTES {
        return Err(VaultError::Short { path: path.to_owned(), bytes: bytes.len() });
    }
    Ok(bytes)
}

/// Secret and salt of the store in a folder, for its backup.
pub(super) fn both(folder: &Path) -> Result<[Zeroizing<Vec<u8>>; 2], VaultError> {
    let secret = match credential() {
        Some(path) => read(&path, false)?,
        None => read(&folder.join(SECRET), true)?,
    };
    Ok([secret, read(&folder.join(SALT), true)?])
}

/// Puts secret and salt of a backup where those of a store lie.
pub(super) fn restore(folder: &Path, [secret, salt]: [&[u8]; 2]) -> Result<(), VaultError> {
    put(&folder.join(SECRET), secret)?;
    put(&folder.join(SALT), salt)
}

/// A new secret: whole on the disk or not there at all.
fn make(path: &Path) -> Result<Zeroizing<Vec<u8>>, VaultError> {
    let failed = |error: std::io::Error| VaultError::of_file(path, &error);
    let mut secret = Zeroizing::new(vec![0; KEY_BYTES]);
    getrandom::fill(&mut secret).map_err(|error| failed(std::io::Error::other(error.to_string())))?;
    put(path, &secret)?;
    Ok(secret)
}

/// Bytes for this user alone: whole on the disk or not there at all.
fn put(path: &Path, secret: &[u8]) -> Result<(), VaultError> {
    let failed = |error: std::io::Error| VaultError::of_file(path, &error);
    let beside = path.with_extension("partial");
    let mut file =
        OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&beside).map_err(failed)?;
    file.set_permissions(Permissions::from_mode(0o600)).map_err(failed)?;
    file.write_all(secret).and_then(|()| file.sync_all()).map_err(failed)?;
    std::fs::rename(&beside, path).map_err(failed)?;
    super::sync_folder(path).map_err(failed)
}

/// Makes everything under these keys unreadable for ever: the salt goes, and the secret where it is ours.
///
/// # Errors
/// A file that could not be overwritten and removed.
pub(super) fn destroy(folder: &Path) -> Result<(), VaultError> {
    for name in [SALT, SECRET] {
        let path = folder.join(name);
        let failed = |error: std::io::Error| VaultError::Folder { path: path.clone(), reason: error.to_string() };
        match OpenOptions::new().write(true).open(&path) {
            Err(error) if error.kind() == ErrorKind::NotFound => continue,
            Err(error) => return Err(failed(error)),
            Ok(mut file) => {
                // On flash memory the old block may live on; that the name is gone is what can be had.
                file.write_all(&[0; KEY_BYTES]).and_then(|()| file.sync_all()).map_err(failed)?;
            }
        }
        std::fs::remove_file(&path).map_err(failed)?;
        super::sync_folder(&path).map_err(failed)?;
    }
    Ok(())
}

const KEY_BYTES: usize = 32;
const SECRET: &str = "secret";
const SALT: &str = "salt";
const CHECK: &str = "key-check";
const CREDENTIAL: &str = "kehai-secret";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_salt_makes_other_keys_of_the_same_secret() {
        let [one, other] = [b"a", b"b"].map(|salt| Keys::derived(&[1; 32], salt));
        assert_ne!(*one.store, *other.store);
        assert_ne!(one.signer.public(), other.signer.public());
    }

    #[test]
    fn one_secret_does_not_show_the_other() {
        let keys = Keys::derived(&[1; 32], &[2; 32]);
        assert_ne!(keys.signer.public(), Signer::new(&keys.store).public());
    }
}
