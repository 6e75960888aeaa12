//! How long what is released is kept: by age, by quota, and until somebody purges it.
//!
//! In: the time, a quota, a span of time to purge. Out: rows that are really gone, and a line in the audit chain that says so.
//! Invariants: whole windows go, never a part of one; the oldest go first; what was not delivered is counted as dropped;
//! freed pages are overwritten and given back.

use rusqlite::{Connection, params_from_iter};

use super::{Inner, Vault, VaultError, audit, newest, spool, store};
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
    /// Takes out what is older than it may be at `now`. Where the newest of a topic goes, the broker is told to forget the
    /// copy it keeps.
    ///
    /// # Errors
    /// The store cannot be written; it is tried again.
    pub fn expire(&self, now: UtcMs) -> Result<Gone, VaultError> {
        self.expire_as_of(now, now)
    }

    /// As [`Vault::expire`], where the clock says `at` and things are as old as at `now`.
    ///
    /// # Errors
    /// As [`Vault::expire`].
    pub fn expire_as_of(&self, now: UtcMs, at: UtcMs) -> Result<Gone, VaultError> {
        let now_s = now.0.div_euclid(1000);
        let before_s = now_s - i64::from(self.keeping.days) * DAY_S;
        let mut inner = self.lock();
        let inner = &mut *inner;
        inner.spool.write_settled(&inner.db);
        let gone = inner.write(&self.path, |db, epoch| {
            let mut gone = take_out(db, "start_s + dur_s <= ?1", &[before_s])?;
            db.execute("DELETE FROM spool WHERE seq IS NULL AND spooled_s <= ?1", [before_s])?;
            gone.lines = audit::forget(db, now_s - AUDIT_DAYS * DAY_S)? as u64;
            if gone != Gone::default() {
                audit::append(db, epoch, &gone.told(Deed::done("expire")), at)?;
            }
            Ok(gone)
        })?;
        self.after(inner, gone)?;
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
            let gone = take_out(db, "start_s >= ?1 AND start_s < ?2", &[from_s, to_s])?;
            let deed = Deed::done("purge").by(who).about("from_s", from_s).about("to_s", to_s);
            audit::append(db, epoch, &gone.told(deed), utc_now())?;
            Ok(gone)
        })?;
        self.after(inner, gone)?;
        Ok(gone)
    }

    /// Takes out every window that is of none of these kinds, on behalf of `who`: what it was for is no purpose any more.
    ///
    /// # Errors
    /// The store cannot be written; nothing is gone then.
    pub fn purge_other_kinds(&self, kinds: &[&str], who: &str) -> Result<Gone, VaultError> {
        let mut inner = self.lock();
        let inner = &mut *inner;
        inner.spool.write_settled(&inner.db);
        let names: Vec<String> = kinds.iter().map(|kind| format!("'{kind}'")).collect();
        let condition = format!("kind NOT IN ({})", names.join(", "));
        let gone = inner.write(&self.path, |db, epoch| {
            let gone = take_out(db, &condition, &[])?;
            if gone != Gone::default() {
                let deed = Deed::done("purge").by(who).about("kept_kinds", kinds.join(" "));
                audit::append(db, epoch, &gone.told(deed), utc_now())?;
            }
            Ok(gone)
        })?;
        self.after(inner, gone)?;
        Ok(gone)
    }

    /// Windows that start within `[from_s, to_s)`, s since 1970, and those of them that are undelivered.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn within(&self, from_s: i64, to_s: i64) -> Result<Gone, VaultError> {
        let counted = self.lock().db.query_row(
            "SELECT count(*), count(s.seq) FROM window w LEFT JOIN spool s ON s.seq = w.seq WHERE start_s >= ?1 AND start_s < ?2",
            [from_s, to_s],
            |row| Ok(Gone { windows: row.get(0)?, undelivered: row.get(1)?, lines: 0 }),
        );
        counted.map_err(|error| store::of(&self.path, error))
    }

    /// Drops the oldest when the quota is nearly reached: windows the broker has, then those it has not, then what else
    /// waits for it. Of the audit chain, which a year may make longer than the quota, no more stays than half of it.
    pub(super) fn make_room(&self, inner: &mut Inner) -> Result<(), VaultError> {
        let failed = |error| store::of(&self.path, error);
        let (bytes, most) = store::size(&inner.db).map_err(failed)?;
        if bytes < most / 10 * 9 {
            return Ok(());
        }
        inner.spool.write_settled(&inner.db);
        let gone = inner.write(&self.path, |db, epoch| {
            let mut gone = Gone { lines: shorten(db, most)?, ..Gone::default() };
            if gone.lines == 0 {
                gone = oldest(db)?;
            }
            if gone != Gone::default() {
                audit::append(db, epoch, &gone.told(Deed::done("quota")), utc_now())?;
            }
            Ok(gone)
        })?;
        self.after(inner, gone)
    }

    /// What is to be done once rows are gone; that they are is on the disk already.
    fn after(&self, inner: &mut Inner, gone: Gone) -> Result<(), VaultError> {
        if gone == Gone::default() {
            return Ok(());
        }
        inner.taken_out += 1;
        inner.spool.counts.dropped += gone.undelivered;
        inner.spool.recount(&inner.db);
        inner.newest = newest(&inner.db).map_err(|error| store::of(&self.path, error))?;
        // Where somebody reads, the freed pages are given back the next time; they are overwritten already.
        let _ = store::shrink(&inner.db);
        self.changed.notify_one();
        Ok(())
    }
}

impl Gone {
    /// A deed that was about this.
    fn told(self, deed: Deed) -> Deed {
        let deed = deed.about("windows", self.windows).about("undelivered", self.undelivered);
        deed.about("audit_lines", self.lines)
    }
}

/// Takes out a tenth of the oldest: delivered windows, or undelivered ones, or what else waits.
fn oldest(db: &Connection) -> rusqlite::Result<Gone> {
    let share: i64 = db.query_row("SELECT count(*) / 10 + 1 FROM window", [], |row| row.get(0))?;
    let delivered = "seq IN (SELECT seq FROM window WHERE seq NOT IN (SELECT seq FROM spool WHERE seq IS NOT NULL) ORDER BY seq LIMIT ?1)";
    let mut gone = take_out(db, delivered, &[share])?;
    if gone.windows == 0 {
        gone = take_out(db, "seq IN (SELECT seq FROM window ORDER BY seq LIMIT ?1)", &[share])?;
    }
    if gone.windows == 0 {
        let half = "number IN (SELECT number FROM spool ORDER BY number LIMIT (SELECT count(*) / 2 + 1 FROM spool))";
        gone.undelivered = db.execute(&format!("DELETE FROM spool WHERE {half}"), [])? as u64;
    }
    Ok(gone)
}

/// Forgets the oldest tenth of the audit chain where it takes more than half of `most_bytes`; gives the lines that went.
fn shorten(db: &Connection, most_bytes: u64) -> rusqlite::Result<u64> {
    let ends = db.query_row("SELECT min(n), max(n) FROM audit", [], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let (Some(first), Some(last)): (Option<u64>, Option<u64>) = ends else { return Ok(0) };
    if (last - first + 1) * LINE_BYTES < most_bytes / 2 {
        return Ok(0);
    }
    Ok(audit::forget_to(db, first + (last - first) / 10)? as u64)
}

/// Takes out the windows a condition names, with their rows of the spool; where the broker keeps one of them, a row that
/// clears it comes in.
fn take_out(db: &Connection, condition: &str, values: &[i64]) -> rusqlite::Result<Gone> {
    let kept = newest(db)?;
    let count = format!("SELECT count(*) FROM spool WHERE seq IN (SELECT seq FROM window WHERE {condition})");
    let undelivered = db.query_row(&count, params_from_iter(values), |row| row.get(0))?;
    let windows = db.execute(&format!("DELETE FROM window WHERE {condition}"), params_from_iter(values))?;
    for (_, (seq, message)) in kept {
        let is_there: bool =
            db.prepare_cached("SELECT count(*) FROM window WHERE seq = ?1")?.query_row([seq], |row| row.get(0))?;
        if !is_there && message.retain {
            spool::enqueue(db, &Message { body: Vec::new(), ..message })?;
        }
    }
    Ok(Gone { windows: windows as u64, undelivered, lines: 0 })
}

/// The topics on which the broker keeps, or once kept, a window of ours: of every object that ever released one.
pub(super) fn retained_topics(db: &Connection) -> rusqlite::Result<Vec<String>> {
    let mut rows = db.prepare("SELECT DISTINCT topic FROM window WHERE retain")?;
    let mut topics: Vec<String> = rows.query_map([], |row| row.get(0))?.collect::<rusqlite::Result<_>>()?;
    let root = topics.first().and_then(|topic| Some(topic[..topic.find(WINDOWS)?].to_owned()));
    for (kind, id) in objects(db)? {
        topics.extend(root.as_ref().map(|root| format!("{root}{WINDOWS}{kind}/{id}")));
    }
    topics.sort();
    topics.dedup();
    Ok(topics)
}

/// Kind and id of every object that ever released a window.
pub(super) fn objects(db: &Connection) -> rusqlite::Result<Vec<(String, String)>> {
    let mut rows = db.prepare("SELECT name FROM about WHERE name LIKE 'until %'")?;
    let names = rows.query_map([], |row| row.get::<_, String>(0))?.collect::<rusqlite::Result<Vec<String>>>()?;
    let parts = |name: &String| {
        let (kind, id) = name.strip_prefix("until ")?.split_once(' ')?;
        Some((kind.to_owned(), id.to_owned()))
    };
    Ok(names.iter().filter_map(parts).collect())
}

const DAY_S: i64 = 86_400;
/// How long the audit chain is kept, days (PRIVACY §5).
const AUDIT_DAYS: i64 = 365;
/// What a line of the audit chain takes in the store, bytes: measured 409 (tests/vault/costs.rs).
const LINE_BYTES: u64 = 410;
/// What stands before kind and object in the topic of a window.
const WINDOWS: &str = "/win/";
