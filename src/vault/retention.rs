//! How long what is released is kept: by age, by quota, and until somebody purges it.
//!
//! In: the time, a quota, a span of time to purge. Out: rows that are really gone, and a line in the audit chain that says so.
//! Invariants: whole windows go, never a part of one; the oldest go first; what was not delivered is counted as dropped;
//! freed pages are overwritten and given back.

use rusqlite::{Connection, params_from_iter};

use super::{Inner, Vault, VaultError, audit, message_in, newest, spool, store};
use crate::clock::{UtcMs, utc_now};
use crate::wire::Message;
use crate::wire::audit::Deed;

/// What was taken out.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Gone {
    /// Windows.
    pub windows: u64,
    /// Those of them that had not been delivered.
    pub undelivered: u64,
    /// Lines of the audit chain.
    pub lines: u64,
}

impl Vault {
    /// Takes out what is older than it may be at `now`.
    ///
    /// # Errors
    /// The store cannot be written; it is tried again.
    pub fn expire(&self, now: UtcMs) -> Result<Gone, VaultError> {
        let now_s = now.0.div_euclid(1000);
        let before_s = now_s - i64::from(self.keeping.days) * DAY_S;
        let mut inner = self.lock();
        let inner = &mut *inner;
        inner.spool.write_settled(&inner.db);
        let gone = inner.write(&self.path, |db, epoch| {
            let mut gone = take_out(db, "start_s + dur_s <= ?1", &[before_s])?;
            db.execute("DELETE FROM spool WHERE seq IS NULL AND spooled_s <= ?1", [before_s])?;
            gone.lines = audit::forget(db, now_s - AUDIT_DAYS * DAY_S)? as u64;
            if gone.windows > 0 || gone.lines > 0 {
                let deed = Deed::done("expire").about("windows", gone.windows);
                let deed = deed.about("undelivered", gone.undelivered).about("audit_lines", gone.lines);
                audit::append(db, epoch, &deed, now)?;
            }
            Ok(gone)
        })?;
        inner.after(gone);
        if gone != Gone::default() {
            store::shrink(&inner.db).map_err(|error| store::of(&self.path, error))?;
        }
        Ok(gone)
    }

    /// Takes out every window that starts within `[from_s, to_s)`, s since 1970, on behalf of `who`. Where the newest of a
    /// topic goes, the broker is told to forget the copy it keeps.
    ///
    /// # Errors
    /// The store cannot be written; nothing is gone then.
    pub fn purge(&self, from_s: i64, to_s: i64, who: &str) -> Result<Gone, VaultError> {
        let mut inner = self.lock();
        let inner = &mut *inner;
        inner.spool.write_settled(&inner.db);
        let gone = inner.write(&self.path, |db, epoch| {
            let kept = newest(db)?;
            let gone = take_out(db, "start_s >= ?1 AND start_s < ?2", &[from_s, to_s])?;
            let left = newest(db)?;
            for (topic, (seq, message)) in kept {
                if left.get(&topic).is_none_or(|(left, _)| *left != seq) && message.retain {
                    spool::enqueue(db, &Message { body: Vec::new(), ..message })?;
                }
            }
            let deed = Deed::done("purge").by(who).about("from_s", from_s).about("to_s", to_s);
            let deed = deed.about("windows", gone.windows).about("undelivered", gone.undelivered);
            audit::append(db, epoch, &deed, utc_now())?;
            Ok(gone)
        })?;
        inner.after(gone);
        inner.newest = newest(&inner.db).map_err(|error| store::of(&self.path, error))?;
        store::shrink(&inner.db).map_err(|error| store::of(&self.path, error))?;
        self.changed.notify_one();
        Ok(gone)
    }

    /// Drops the oldest windows when the quota is nearly reached: first those the broker has, then those it has not.
    pub(super) fn make_room(&self, inner: &mut Inner) -> Result<(), VaultError> {
        let failed = |error| store::of(&self.path, error);
        let (bytes, most) = store::size(&inner.db).map_err(failed)?;
        if bytes < most / 10 * 9 {
            return Ok(());
        }
        inner.spool.write_settled(&inner.db);
        let gone = inner.write(&self.path, |db, epoch| {
            let share: i64 = db.query_row("SELECT count(*) / 10 + 1 FROM window", [], |row| row.get(0))?;
            let delivered = "seq IN (SELECT seq FROM window WHERE seq NOT IN (SELECT seq FROM spool WHERE seq IS NOT NULL) ORDER BY seq LIMIT ?1)";
            let mut gone = take_out(db, delivered, &[share])?;
            if gone.windows == 0 {
                gone = take_out(db, "seq IN (SELECT seq FROM window ORDER BY seq LIMIT ?1)", &[share])?;
            }
            let deed = Deed::done("quota").about("windows", gone.windows).about("undelivered", gone.undelivered);
            audit::append(db, epoch, &deed, utc_now())?;
            Ok(gone)
        })?;
        inner.after(gone);
        Ok(())
    }
}

impl Inner {
    fn after(&mut self, gone: Gone) {
        self.spool.counts.dropped += gone.undelivered;
        self.spool.recount(&self.db);
    }
}

/// Takes out the windows a condition names, with their rows of the spool.
fn take_out(db: &Connection, condition: &str, values: &[i64]) -> rusqlite::Result<Gone> {
    let count = format!("SELECT count(*) FROM spool WHERE seq IN (SELECT seq FROM window WHERE {condition})");
    let undelivered = db.query_row(&count, params_from_iter(values), |row| row.get(0))?;
    let windows = db.execute(&format!("DELETE FROM window WHERE {condition}"), params_from_iter(values))?;
    Ok(Gone { windows: windows as u64, undelivered, lines: 0 })
}

/// The topics on which the broker keeps a message of ours.
pub(super) fn retained_topics(db: &Connection) -> rusqlite::Result<Vec<String>> {
    let mut rows = db.prepare("SELECT topic, retain, body FROM window WHERE retain GROUP BY topic")?;
    let rows = rows.query_map([], message_in)?;
    rows.map(|row| row.map(|message| message.topic)).collect()
}

const DAY_S: i64 = 86_400;
/// How long the audit chain is kept, days (PRIVACY §5).
const AUDIT_DAYS: i64 = 365;
