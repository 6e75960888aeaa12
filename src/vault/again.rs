//! What the store does for the talk beside the record: signed messages, windows sent once more, the configuration it last saw.
//!
//! In: messages, spans of time, a fingerprint. Out: rows of the spool. Invariant: a window that is sent again has the bytes it
//! was released with.

use rusqlite::params;

use super::{Vault, VaultError, audit, set_text, spool, text};
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

    /// Remembers a command that is heeded, and when it was `made`, so that none made before it is heeded after a restart.
    ///
    /// # Errors
    /// No room: it is not to be heeded then.
    pub fn heed(&self, deed: &Deed, made: UtcMs) -> Result<u64, VaultError> {
        self.lock().write(&self.path, |db, epoch| {
            let last = last_command(db)?.map_or(made, |last| last.max(made));
            set_text(db, COMMAND, &last.0.to_string())?;
            audit::append(db, epoch, deed, utc_now())
        })
    }

    /// When the latest command that was heeded had been made.
    #[must_use]
    pub fn last_command(&self) -> Option<UtcMs> {
        last_command(&self.lock().db).ok().flatten()
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
}

fn last_command(db: &rusqlite::Connection) -> rusqlite::Result<Option<UtcMs>> {
    Ok(text(db, COMMAND)?.and_then(|text| text.parse().ok()).map(UtcMs))
}

/// Under which name it is noted when the latest command was made.
const COMMAND: &str = "command";
