//! How a store fares: what it holds, how full it is, where its chain ends.
//!
//! In: an open store. Out: [`Status`], counts and times alone. Invariant: nothing of what is kept is shown.

use rusqlite::Connection;

use super::{Vault, VaultError, audit, number, retention, store};
use crate::clock::utc_now;
use crate::wire::audit::{HEAD, HeadPayload, read_head};

/// What a store holds.
#[derive(Debug, Clone, PartialEq)]
pub struct Status {
    /// Bytes it takes, free pages not counted.
    pub bytes: u64,
    /// Bytes it may take.
    pub bytes_most: u64,
    /// Windows kept.
    pub windows: u64,
    /// Start of the oldest and of the newest of them, s since 1970.
    pub span_s: Option<[i64; 2]>,
    /// Rows that wait for the broker.
    pub waiting: u64,
    /// Number of the newest window ever released.
    pub seq: u64,
    /// End of the audit chain, unsigned.
    pub head: HeadPayload,
    /// The newest head that was signed for the broker.
    pub checkpoint: Option<HeadPayload>,
}

impl Vault {
    /// What the store holds.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn status(&self) -> Result<Status, VaultError> {
        status(&self.lock().db).map_err(|error| store::of(&self.path, error))
    }

    /// End of the latest window that was ever released, s since 1970: of its object none that begins before can be.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn released_until(&self) -> Result<Option<i64>, VaultError> {
        let latest = "SELECT max(CAST(value AS INTEGER)) FROM about WHERE name LIKE 'until %'";
        let latest = self.lock().db.query_row(latest, [], |row| row.get(0));
        latest.map_err(|error| store::of(&self.path, error))
    }

    /// Bytes the store takes, and those it may take.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn size(&self) -> Result<(u64, u64), VaultError> {
        store::size(&self.lock().db).map_err(|error| store::of(&self.path, error))
    }

    /// Reads every page of the store against its seal; what is damaged, in words.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn damage(&self) -> Result<Vec<String>, VaultError> {
        store::damage(&self.lock().db).map_err(|error| store::of(&self.path, error))
    }

    /// Lines of the audit chain before a number, with theirs, newest first.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn audit_before(&self, n: u64, most: u32) -> Result<Vec<(u64, String)>, VaultError> {
        let inner = self.lock();
        let n = i64::try_from(n).unwrap_or(i64::MAX);
        let lines = inner.db.prepare_cached("SELECT n, line FROM audit WHERE n < ?1 ORDER BY n DESC LIMIT ?2");
        let lines = lines.and_then(|mut lines| {
            lines.query_map(rusqlite::params![n, most], |row| Ok((row.get(0)?, row.get(1)?)))?.collect()
        });
        lines.map_err(|error| store::of(&self.path, error))
    }

    /// Kind and id of every object that ever released a window, whether one is still kept or not.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn objects(&self) -> Result<Vec<(String, String)>, VaultError> {
        retention::objects(&self.lock().db).map_err(|error| store::of(&self.path, error))
    }

    /// The hash of a line of the audit chain, where it is kept.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn audit_hash(&self, n: u64) -> Result<Option<String>, VaultError> {
        audit::hash_at(&self.lock().db, n).map_err(|error| store::of(&self.path, error))
    }
}

fn status(db: &Connection) -> rusqlite::Result<Status> {
    let (bytes, bytes_most) = store::size(db)?;
    let (windows, oldest, newest) =
        db.query_row("SELECT count(*), min(start_s), max(start_s) FROM window", [], |row| {
            Ok((row.get(0)?, row.get::<_, Option<i64>>(1)?, row.get::<_, Option<i64>>(2)?))
        })?;
    let mut checkpoints = db.prepare("SELECT line FROM checkpoint ORDER BY n DESC LIMIT 1")?;
    let checkpoint = checkpoints.query_map([], |row| row.get::<_, String>(0))?.next().transpose()?;
    Ok(Status {
        bytes,
        bytes_most,
        windows,
        span_s: oldest.zip(newest).map(|(oldest, newest)| [oldest, newest]),
        waiting: db.query_row("SELECT count(*) FROM spool", [], |row| row.get(0))?,
        seq: number(db, "seq")?,
        head: audit::head_now(db, HEAD, utc_now())?,
        checkpoint: checkpoint.and_then(|line| read_head(&line)),
    })
}
