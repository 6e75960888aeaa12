//! The newest self-test of a box, beside its store: signed, and whole or not there at all.
//!
//! In: a [`SelfTest`]. Out: its signed bytes, in a file for this user alone. Invariant: what is read back was signed by this box.

use std::fs::OpenOptions;
use std::io::Write;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};

use super::{Vault, VaultError};
use crate::wire::payload::selftest::{SELF_TEST_FILE, SelfTest};

impl Vault {
    /// Signs a self-test and keeps it in the place of the one before; gives the signed bytes.
    ///
    /// # Errors
    /// The folder cannot be written; the one before is still there then.
    pub fn keep_self_test(&self, test: &SelfTest) -> Result<Vec<u8>, VaultError> {
        let path = self.path.with_file_name(SELF_TEST_FILE);
        let failed = |error: std::io::Error| VaultError::Folder { path: path.clone(), reason: error.to_string() };
        let (signed, partial) = (self.seal(test.to_body()), path.with_added_extension("partial"));
        let file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&partial);
        let store = self.path.metadata().map_err(failed)?;
        let written = file.and_then(|mut file| {
            if file.metadata()?.uid() != store.uid() {
                // Root searches memory; the file is the shop's all the same.
                std::os::unix::fs::fchown(&file, Some(store.uid()), Some(store.gid()))?;
            }
            file.write_all(&signed)?;
            file.sync_all()
        });
        written.map_err(failed)?;
        std::fs::rename(&partial, &path).and_then(|()| super::sync_folder(&path)).map_err(failed)?;
        Ok(signed)
    }

    /// The newest self-test that this box has signed; none where there is none, or one that is not believed.
    #[must_use]
    pub fn self_test(&self) -> Option<SelfTest> {
        let body = std::fs::read(self.path.with_file_name(SELF_TEST_FILE)).ok()?;
        SelfTest::of_signed(&body, &self.public_key()).ok()
    }

    /// The first bytes of the store as they lie on the disk, at most `most` of them.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn first_bytes(&self, most: usize) -> Result<Vec<u8>, VaultError> {
        use std::io::Read;
        let failed = |error: std::io::Error| VaultError::Folder { path: self.path.clone(), reason: error.to_string() };
        let mut bytes = Vec::with_capacity(most);
        let file = std::fs::File::open(&self.path).map_err(failed)?;
        file.take(most as u64).read_to_end(&mut bytes).map_err(failed)?;
        Ok(bytes)
    }
}
