//! What can go wrong with a store, by what the operator can do about it.
//!
//! In: what the system and SQLite say. Out: [`VaultError`]. Invariant: no text holds a key, or a byte of what is kept.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

/// Why the store cannot do what it is asked.
#[derive(Debug, thiserror::Error)]
pub enum VaultError {
    /// The folder or a file in it cannot be used.
    #[error("state {path}: {reason}; name a folder of this user's own in [vault] folder, or in STATE_DIRECTORY")]
    Folder {
        /// What was touched.
        path: PathBuf,
        /// What the system said.
        reason: String,
    },
    /// There is no store at all.
    #[error(
        "state {path}: there is no store yet; `kehai run` makes it here or where [vault] folder says. What a replay released lies in its --out folder, in windows.jsonl"
    )]
    Nothing {
        /// The folder.
        path: PathBuf,
    },
    /// It belongs to somebody else.
    #[error("state {path}: you may not look in there; run this as the user of `kehai run`, or as root")]
    NotOurs {
        /// The folder.
        path: PathBuf,
    },
    /// A key file is not there.
    #[error(
        "state {path}: missing, and the store cannot be opened without it; where a service keeps it as a credential run this as that service does (LoadCredentialEncrypted=kehai-secret), else restore it from its backup, or begin anew with `kehai wipe`"
    )]
    Missing {
        /// The file.
        path: PathBuf,
    },
    /// A key file that others can read, or a folder others can look into.
    #[error("state {path}: mode {mode:o} lets others read it; run `chmod go-rwx {path}`")]
    Open {
        /// The file.
        path: PathBuf,
        /// Its mode.
        mode: u32,
    },
    /// A key file that is none.
    #[error("state {path}: {bytes} bytes are no secret, 32 or more are; restore it from its backup")]
    Short {
        /// The file.
        path: PathBuf,
        /// Its length.
        bytes: usize,
    },
    /// The keys do not open the store.
    #[error(
        "state {path}: not a store, or one under other keys; restore `secret` and `salt` of this very store, or begin anew with `kehai wipe`"
    )]
    Key {
        /// The store.
        path: PathBuf,
    },
    /// No room on the disk, or in the quota.
    #[error("state {path}: no room; free the disk, or raise [vault] quota_mb")]
    Full {
        /// The store.
        path: PathBuf,
    },
    /// Another process writes and does not end.
    #[error("state {path}: another process holds it; try again")]
    Busy {
        /// The store.
        path: PathBuf,
    },
    /// Another mouth serves this store.
    #[error("state {path}: another `kehai run` uses it; end that one, or name another folder in [vault] folder")]
    InUse {
        /// The folder.
        path: PathBuf,
    },
    /// A window of this object, or a later one, was released before.
    #[error(
        "{kind} {id}: a window up to {end_s} s was released before; one that begins at {start_s} s is lost coverage"
    )]
    Past {
        /// Kind of the object.
        kind: &'static str,
        /// Object.
        id: String,
        /// Start of the refused window, s since 1970.
        start_s: i64,
        /// End of the last released one, s since 1970.
        end_s: i64,
    },
    /// A part of the store cannot be read.
    #[error(
        "state {path}: a part of it cannot be read ({reason}), and what stands there does not arrive; `kehai doctor --site` says how much: restore it from its backup, or begin anew with `kehai wipe`"
    )]
    Damaged {
        /// The store.
        path: PathBuf,
        /// What SQLite said.
        reason: String,
    },
    /// Anything else SQLite says.
    #[error("state {path}: {reason}; run `kehai doctor --site`")]
    Store {
        /// The store.
        path: PathBuf,
        /// What SQLite said.
        reason: String,
    },
}

impl VaultError {
    /// What the system's refusal of a file or folder means to the operator.
    pub(super) fn of_file(path: &Path, error: &std::io::Error) -> Self {
        let path = path.to_owned();
        match error.kind() {
            ErrorKind::StorageFull | ErrorKind::QuotaExceeded => Self::Full { path },
            _ => Self::Folder { path, reason: error.to_string() },
        }
    }
}
