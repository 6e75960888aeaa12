//! A camera's user and password: out of a file that nobody else may read, into digests, and nowhere else.
//!
//! In: a file of one line, `user:password`. Out: [`Credentials`]. Invariants: wiped when dropped; neither printed, nor
//! compared, nor sent: what leaves is a digest of it; no error text holds a part of the file.

use std::io::Read;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use zeroize::Zeroizing;

use crate::cli::{CONFIGURATION, Failure};

/// User and password of cameras.
pub struct Credentials {
    line: Zeroizing<String>,
    colon: usize,
}

impl Credentials {
    /// Reads them from a file.
    ///
    /// # Errors
    /// Exit 3 for a file that is not there, that others may read, or that is not one line `user:password`.
    pub fn read(path: &Path) -> Result<Self, Failure> {
        let refused = |what: &str| Failure::new(CONFIGURATION, format!("credentials file {}: {what}", path.display()));
        let unread = |error: std::io::Error| refused(&error.to_string());
        let mut file = std::fs::File::open(path).map_err(unread)?;
        let about = file.metadata().map_err(unread)?;
        if !about.is_file() {
            return Err(refused("is no file; give one that holds one line user:password"));
        }
        if about.mode() & OTHERS != 0 {
            let mode = about.mode() & 0o777;
            return Err(refused(&format!("others may read it (mode {mode:o}); `chmod 600` it")));
        }
        let mut text = Zeroizing::new(String::with_capacity(FILE_BYTES_MAX + 1));
        let read = file.by_ref().take(FILE_BYTES_MAX as u64 + 1).read_to_string(&mut text);
        if read.is_err() || text.len() > FILE_BYTES_MAX {
            return Err(refused(&format!("write UTF-8 of at most {FILE_BYTES_MAX} bytes, one line user:password")));
        }
        Self::of(&text).ok_or_else(|| refused("write one line user:password"))
    }

    /// Reads one line `user:password`.
    pub(super) fn of(text: &str) -> Option<Self> {
        let line = text.strip_suffix('\n').unwrap_or(text);
        let line = line.strip_suffix('\r').unwrap_or(line);
        let colon = line.find(':').filter(|colon| *colon > 0)?;
        let is_plain = !line.contains(char::is_control);
        is_plain.then(|| Self { line: Zeroizing::new(line.to_owned()), colon })
    }

    /// The user.
    #[must_use]
    pub fn user(&self) -> &str {
        &self.line[..self.colon]
    }

    /// The password, for the one who makes a digest of it.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.line[self.colon + 1..]
    }
}

/// Rights of group and others.
const OTHERS: u32 = 0o077;
/// More than any user and password.
const FILE_BYTES_MAX: usize = 1024;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_parted_at_its_first_colon() {
        let read = |text: &str| Credentials::of(text).map(|both| (both.user().to_owned(), both.reveal().to_owned()));
        assert_eq!(read("admin:a:b c\r\n"), Some(("admin".to_owned(), "a:b c".to_owned())));
        assert_eq!(read("admin:"), Some(("admin".to_owned(), String::new())));
        for bad in ["", "\n", "admin", ":geheim", "admin:a\nroot:b\n"] {
            assert_eq!(read(bad), None, "{bad:?}");
        }
    }
}
