//! What the store does for the talk beside the record: signed messages, windows sent once more, commands that were heeded, the
//! configuration it last saw.
//!
//! In: messages, spans of time, a fingerprint. Out: rows of the spool. Invariant: a window that is sent again has the bytes it
//! was released with.

use rusqlite::params;

use super::{Vault, VaultError, audit, number, set, set_text, spool, store, text};
use crate::clock::{UtcMs, utc_now};
use crate::wire::Message;
use crate::wire::audit::Deed;

impl Vault {
    /// Takes a JSON message that must arrive, and signs it.
    ///
    /// # Errors
    /// No room.
    pub fn enqueue_signed(&self, message: Message) -> Result<(), VaultError> {
        self.enqueue(&Message { body: self.seal(message.body), ..message })
    }

    /// Puts the windows that start within `[from_s, to_s)`, s since 1970, into the spool once more, oldest first, but for those
    /// that wait there already; gives their number.
    ///
    /// # Errors
    /// No room.
    pub fn respool(&self, from_s: i64, to_s: i64) -> Result<u64, VaultError> {
        let mut inner = self.lock();
        let inner = &mut *inner;
        inner.spool.write_settled(&inner.db);
        let rows = inner.write(&self.path, |db, _| {
            db.execute(
                "INSERT INTO spool (seq, spooled_s) SELECT seq, ?3 FROM window
                 WHERE start_s >= ?1 AND start_s < ?2 AND seq NOT IN (SELECT seq FROM spool WHERE seq IS NOT NULL) ORDER BY seq",
                params![from_s, to_s, spool::now_s()],
            )
        })?;
        inner.spool.recount(&inner.db);
        self.changed.notify_one();
        Ok(rows as u64)
    }

    /// Notes the fingerprint of the configuration in force; gives the one before where that was another.
    ///
    /// # Errors
    /// No room.
    pub fn configured(&self, cfg: &str) -> Result<Option<String>, VaultError> {
        self.lock().write(&self.path, |db, epoch| {
            let before = text(db, "cfg")?;
            if before.as_deref() == Some(cfg) {
                return Ok(None);
            }
            set_text(db, "cfg", cfg)?;
            let deed = Deed::done("configure").about("cfg", cfg);
            audit::append(db, epoch, &deed, utc_now())?;
            Ok(before)
        })
    }

    /// Remembers that a command is heeded which was made at `at`.
    ///
    /// # Errors
    /// No room: it must not be heeded then.
    pub fn heed(&self, deed: &Deed, at: UtcMs) -> Result<u64, VaultError> {
        self.lock().write(&self.path, |db, epoch| {
            let latest = number(db, HEEDED)?.max(u64::try_from(at.0).unwrap_or(0));
            set(db, HEEDED, latest)?;
            audit::append(db, epoch, deed, utc_now())
        })
    }

    /// When the latest command was made that was ever heeded; the begin of 1970 where none was.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn heeded(&self) -> Result<UtcMs, VaultError> {
        let latest = number(&self.lock().db, HEEDED).map_err(|error| store::of(&self.path, error))?;
        Ok(UtcMs(i64::try_from(latest).unwrap_or(i64::MAX)))
    }
}

/// Under this name stands when the latest command was made, ms since 1970.
const HEEDED: &str = "heeded";
