//! What is released: the exact bytes, encrypted on the disk, kept until the broker has them and for as long as they may be kept.
//!
//! In: records of closed windows, events, deeds to remember. Out: what is due for the broker, what is newest for the page, the
//! history for exports, the audit chain. Invariants: a window is *released* when its bytes, its place in the spool and its line in
//! the audit chain are on the disk, in one transaction; its bytes never change and its object's time never runs backwards (I8);
//! a row of the spool is done when the broker acknowledged it; what is kept is bounded by age and by a quota, the oldest goes
//! first and is counted (I9). One mouth holds a store; commands beside it may read it, purge it and ask for its chain.

mod again;
mod audit;
mod backup;
mod claim;
mod error;
mod keys;
mod papers;
mod password;
mod people;
mod proof;
mod retention;
mod spool;
mod status;
mod stop;
mod store;
mod switch;
mod totp;
mod trial;
mod verify;
mod wipe;

use std::collections::BTreeMap;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rusqlite::{Connection, OptionalExtension, Transaction, TransactionBehavior, params};
use tokio::sync::Notify;

use crate::clock::utc_now;
use crate::config::Keeping;
use crate::wire::Message;
use crate::wire::audit::{Deed, START, hex};
use crate::wire::compose::Record;
use crate::wire::seal::{PublicKey, Signer};
pub use backup::{BackupError, Kept};
pub use claim::holder;
pub use error::VaultError;
pub use keys::KeySource;
use keys::Keys;
pub use password::{PASSWORD_CHARS_MIN, Password, Weak};
pub use people::{Known, NewPerson, PeopleError, Standing};
pub use proof::{Claim, Door, ProofError};
pub use retention::Gone;
use spool::Spool;
pub use spool::{Counts, Delivery};
pub use status::Status;
use stop::StopFile;
pub use switch::{SwitchReader, TurnError, stop};
pub use totp::{TotpSecret, step_at};
pub use trial::Trial;
pub use verify::{Fault, Judge, Verdict};
pub use wipe::{Receipt, is_damaged, wipe};

/// The store of one node.
pub struct Vault {
    inner: Mutex<Inner>,
    changed: Notify,
    signer: Signer,
    path: PathBuf,
    keeping: Keeping,
    /// Stops that are not in the store yet; none of a store in memory.
    stop: Option<StopFile>,
    /// Whether somebody has stopped everything and not even that file could be written.
    halted: Arc<AtomicBool>,
    /// A second connection, for who watches the switch while this one is busy.
    spare: Mutex<Option<Connection>>,
    /// Held for as long as this mouth lives; there is none where the store is in memory or somebody else's.
    _claim: Option<File>,
}

struct Inner {
    db: Connection,
    spool: Spool,
    newest: BTreeMap<String, (u64, Message)>,
    /// What SQLite calls the version of the data: it changes when another process has written.
    data_version: i64,
    /// How often windows were taken out, by this process or perhaps by another.
    taken_out: u64,
}

impl Vault {
    /// The store of a mouth in this folder, made where there is none; a row is sent `hold` after it was released, so that
    /// not all nodes speak at once and no row tells when the last person passed.
    ///
    /// # Errors
    /// A folder, a key or a file that cannot be used; another mouth that uses it.
    pub fn open(folder: &Path, keeping: Keeping, hold: Duration) -> Result<Self, VaultError> {
        let failed = |error: std::io::Error| VaultError::of_file(folder, &error);
        make_folder(folder)?;
        let claim = claim::claim(folder)?;
        let (path, keys) = keyed(folder, true)?;
        if path.exists() {
            store::must_be_uncut(&path, claim::has_begun(folder))?;
        } else {
            claim.set_len(0).map_err(failed)?;
        }
        own_file(&path).map_err(failed)?;
        let db = store::open(&path, &keys.store, keeping.quota_mb).inspect(|_| keys.note(folder))?;
        let spare = store::open(&path, &keys.store, keeping.quota_mb)?;
        let vault = Self::over(db, path, keys.signer, (keeping, hold, Some(claim)))?;
        *vault.spare.lock().unwrap_or_else(PoisonError::into_inner) = Some(spare);
        // Without room for them now they are made at the next start.
        let _ = (vault._claim.as_ref().map(claim::sign), vault.stop.as_ref().map(StopFile::make));
        Ok(vault)
    }

    /// The same store for a command beside the mouth, or without one.
    ///
    /// # Errors
    /// As [`Vault::open`]; there must be a store.
    pub fn open_beside(folder: &Path, keeping: Keeping) -> Result<Self, VaultError> {
        if let Err(error) = std::fs::metadata(folder.join(STORE)) {
            let path = folder.to_owned();
            let is_hidden = error.kind() == std::io::ErrorKind::PermissionDenied;
            return Err(if is_hidden { VaultError::NotOurs { path } } else { VaultError::Nothing { path } });
        }
        let (path, keys) = keyed(folder, false)?;
        store::must_be_uncut(&path, claim::has_begun(folder))?;
        let db = store::open(&path, &keys.store, keeping.quota_mb)?;
        Self::over(db, path, keys.signer, (keeping, Duration::ZERO, None))
    }

    fn over(
        db: Connection,
        path: PathBuf,
        signer: Signer,
        (keeping, hold, claim): (Keeping, Duration, Option<File>),
    ) -> Result<Self, VaultError> {
        let failed = |error| store::of(&path, error);
        let begins = claim.is_some() || path == Path::new(MEMORY);
        if begins {
            begin(&db).map_err(failed)?;
        }
        let spool = Spool::of(&db, hold).map_err(failed)?;
        let newest = newest(&db).map_err(failed)?;
        let data_version = data_version(&db).map_err(failed)?;
        let inner = Mutex::new(Inner { db, spool, newest, data_version, taken_out: 0 });
        let (changed, halted, spare) = (Notify::new(), Arc::default(), Mutex::default());
        let stop = path.parent().filter(|_| path != Path::new(MEMORY)).map(StopFile::of);
        Ok(Self { inner, changed, signer, path, keeping, stop, halted, spare, _claim: claim })
    }

    /// Releases a window: `compose` makes its record under the number it is given. From here on its bytes are fixed, and kept.
    ///
    /// # Errors
    /// [`VaultError::Past`] for a window that cannot be released any more; no room; nothing has happened then.
    pub fn release(&self, compose: impl FnOnce(u64) -> Record) -> Result<(), VaultError> {
        let mut inner = self.lock();
        self.make_room(&mut inner)?;
        let released = inner.write(&self.path, |db, epoch| {
            let seq = number(db, "seq")? + 1;
            let record = compose(seq);
            if let Some(past) = past(db, &record)? {
                return Ok(Err(past));
            }
            let message = Message { body: self.signer.seal(record.message.body.clone()), ..record.message.clone() };
            let spooled = keep(db, seq, &record, &message)?;
            let body = hex(&<sha2::Sha256 as sha2::Digest>::digest(&message.body));
            audit::append(db, epoch, &Deed::done("release").about("seq", seq).about("sha256", body), utc_now())?;
            Ok(Ok((seq, spooled, message)))
        })?;
        let (seq, spooled, message) = released?;
        inner.spool.counts.released += 1;
        inner.spool.hold_back(spooled);
        inner.newest.insert(message.topic.clone(), (seq, message));
        drop(inner);
        self.changed.notify_one();
        Ok(())
    }

    /// Takes any other message that must arrive: an event, an answer, a head of the audit chain.
    ///
    /// # Errors
    /// No room.
    pub fn enqueue(&self, message: &Message) -> Result<(), VaultError> {
        let mut inner = self.lock();
        inner.write(&self.path, |db, _| spool::enqueue(db, message))?;
        inner.spool.counts.waiting += 1;
        self.changed.notify_one();
        Ok(())
    }

    /// A body with this node's signature.
    #[must_use]
    pub fn seal(&self, body: Vec<u8>) -> Vec<u8> {
        self.signer.seal(body)
    }

    /// The key by which anybody tells what this node has signed.
    #[must_use]
    pub fn public_key(&self) -> PublicKey {
        self.signer.public()
    }

    /// The first waiting row at or after `number`, with its number.
    #[must_use]
    pub fn due(&self, number: u64) -> Option<(u64, Message)> {
        let mut inner = self.lock();
        let inner = &mut *inner;
        inner.notice_others();
        let (number, seq, mut message) = inner.spool.due(&inner.db, number)?;
        // What is sent late must not take the place of what is newer.
        let is_newest = |seq: u64| inner.newest.get(&message.topic).is_some_and(|(newest, _)| *newest == seq);
        message.retain &= seq.is_none_or(is_newest);
        Some((number, message))
    }

    /// Why something that waits could not be read, once each time.
    #[must_use]
    pub fn trouble(&self) -> Option<VaultError> {
        let error = self.lock().spool.trouble.take()?;
        Some(VaultError::Damaged { path: self.path.clone(), reason: error.to_string() })
    }

    /// Settles a row. That it is done may be written a little later: who is ended in between sends it once more.
    pub fn settle(&self, number: u64, delivery: Delivery) {
        let mut inner = self.lock();
        let inner = &mut *inner;
        if let Some(seq) = inner.spool.settle(&inner.db, number, delivery)
            && delivery == Delivery::Refused
        {
            let deed = Deed::done("publish").that_was("refused").about("seq", seq);
            // The row is given up in any case; what cannot be written is counted in health.
            let _ = inner.write(&self.path, |db, epoch| audit::append(db, epoch, &deed, utc_now()));
        }
        self.changed.notify_one();
    }

    /// Waits for a row to come or be settled.
    pub async fn changed(&self) {
        self.changed.notified().await;
    }

    /// Rows by fate.
    #[must_use]
    pub fn counts(&self) -> Counts {
        let mut inner = self.lock();
        inner.notice_others();
        inner.spool.counts
    }

    /// A value that is another one as soon as windows came or went, through this process or through another.
    #[must_use]
    pub fn version(&self) -> [u64; 2] {
        let mut inner = self.lock();
        inner.notice_others();
        [inner.spool.counts.released, inner.taken_out]
    }

    /// The newest record of every object, by topic.
    #[must_use]
    pub fn newest(&self) -> Vec<Message> {
        let mut inner = self.lock();
        inner.notice_others();
        inner.newest.values().map(|(_, message)| message.clone()).collect()
    }

    /// Every record still held, oldest first.
    #[must_use]
    pub fn held(&self) -> Vec<Message> {
        let inner = self.lock();
        let rows = inner.db.prepare_cached("SELECT topic, retain, body FROM window ORDER BY seq");
        let rows = rows.and_then(|mut rows| rows.query_map([], message_in)?.collect());
        rows.unwrap_or_default()
    }

    /// Bodies of the released windows that start within `[from_s, to_s)`, s since 1970, oldest first.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn windows(&self, from_s: i64, to_s: i64) -> Result<Vec<Vec<u8>>, VaultError> {
        let inner = self.lock();
        let rows = inner
            .db
            .prepare_cached("SELECT body FROM window WHERE start_s >= ?1 AND start_s < ?2 ORDER BY start_s, seq");
        let rows = rows.and_then(|mut rows| rows.query_map([from_s, to_s], |row| row.get(0))?.collect());
        rows.map_err(|error| store::of(&self.path, error))
    }

    /// Remembers a deed.
    ///
    /// # Errors
    /// No room: who needs it remembered must not do it then.
    pub fn remember(&self, deed: &Deed) -> Result<u64, VaultError> {
        self.lock().write(&self.path, |db, epoch| audit::append(db, epoch, deed, utc_now()))
    }

    /// Signs the head of the audit chain and hands it to the broker, where lines came since the last time.
    ///
    /// # Errors
    /// No room.
    pub fn publish_head(&self, topic: &str) -> Result<(), VaultError> {
        let mut inner = self.lock();
        let is_new = inner.write(&self.path, |db, _| {
            let Some(line) = audit::checkpoint(db, &self.signer, utc_now())? else { return Ok(false) };
            let body = line.into_bytes();
            let message = Message { topic: topic.to_owned(), body, retain: false, at_least_once: true };
            spool::enqueue(db, &message)?;
            Ok(true)
        })?;
        if is_new {
            inner.spool.counts.waiting += 1;
            self.changed.notify_one();
        }
        Ok(())
    }

    /// The whole audit chain, a line at a time, ending with a signed last one.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn export_audit(&self, line: &mut dyn FnMut(&str)) -> Result<(), VaultError> {
        let inner = self.lock();
        audit::export(&inner.db, &self.signer, utc_now(), line).map_err(|error| store::of(&self.path, error))
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Vault {
    fn drop(&mut self) {
        let mut inner = self.lock();
        let inner = &mut *inner;
        // What cannot be written is sent once more.
        inner.spool.write_settled(&inner.db);
    }
}

impl Inner {
    /// Everything `change` does to the store, or nothing.
    fn write<T>(
        &mut self,
        path: &Path,
        change: impl FnOnce(&Transaction<'_>, u64) -> rusqlite::Result<T>,
    ) -> Result<T, VaultError> {
        let changed = self.db.transaction_with_behavior(TransactionBehavior::Immediate).and_then(|transaction| {
            // A mouth may have begun since this store was opened beside it.
            let epoch = number(&transaction, "epoch")?;
            let changed = change(&transaction, epoch)?;
            transaction.commit()?;
            Ok(changed)
        });
        changed.map_err(|error| store::of(path, error))
    }

    /// Reads anew what another process may have changed.
    fn notice_others(&mut self) {
        let version = data_version(&self.db).unwrap_or(self.data_version);
        if version != self.data_version {
            self.data_version = version;
            self.taken_out += 1;
            self.newest = newest(&self.db).unwrap_or_default();
            self.spool.recount(&self.db);
        }
    }
}

/// Path and keys of the store in a folder.
fn keyed(folder: &Path, may_make: bool) -> Result<(PathBuf, Keys), VaultError> {
    let path = folder.join(STORE);
    let is_new = may_make && !path.exists();
    Ok((path, Keys::of(folder, is_new)?))
}

/// Makes a folder only this user can look into. One that is there and holds nothing but a store is closed to others; one
/// that holds anything else is not ours to close.
///
/// # Errors
/// It cannot be made, or others can look into it.
pub fn make_folder(folder: &Path) -> Result<(), VaultError> {
    use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
    let failed = |error: std::io::Error| VaultError::of_file(folder, &error);
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(failed)?;
    let mode = folder.metadata().map_err(failed)?.permissions().mode() & 0o777;
    if mode & 0o077 == 0 {
        return Ok(());
    }
    let mut names = std::fs::read_dir(folder).map_err(failed)?.flatten().map(|entry| entry.file_name());
    let is_ours = names.all(|name| name.to_str().is_some_and(|name| wipe::FILES.contains(&name)));
    let closed = is_ours.then(|| std::fs::set_permissions(folder, std::fs::Permissions::from_mode(0o700)));
    match closed {
        Some(closed) => closed.map_err(failed),
        None => Err(VaultError::Open { path: folder.to_owned(), mode }),
    }
}

/// Makes the file of a store before SQLite does, for this user alone: its journals are made with the same mode.
fn own_file(path: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
    let file = File::options().write(true).create(true).truncate(false).mode(0o600).open(path)?;
    file.set_permissions(std::fs::Permissions::from_mode(0o600))
}

/// Makes the name of a file in its folder last.
fn sync_folder(path: &Path) -> std::io::Result<()> {
    File::open(path.parent().unwrap_or(Path::new("/")))?.sync_all()
}

/// Begins an epoch, with a line that says so; the first one names the chain.
fn begin(db: &Connection) -> rusqlite::Result<()> {
    let transaction = Transaction::new_unchecked(db, TransactionBehavior::Immediate)?;
    let mut name = [0; 8];
    // A chain without a random name is still a chain.
    let _ = getrandom::fill(&mut name);
    transaction.execute("INSERT OR IGNORE INTO about VALUES ('chain', ?1)", [hex(&name)])?;
    let epoch = number(&transaction, "epoch")? + 1;
    set(&transaction, "epoch", epoch)?;
    let deed = Deed::done(START).about("version", env!("CARGO_PKG_VERSION"));
    audit::append(&transaction, epoch, &deed, utc_now())?;
    transaction.commit()
}

/// A window that overlaps what its object has released.
fn past(db: &Connection, record: &Record) -> rusqlite::Result<Option<VaultError>> {
    let key = format!("until {} {}", record.kind, record.id);
    let until = text(db, &key)?.and_then(|until| until.parse::<i64>().ok());
    let (start_s, kind, id) = (record.span.start_s, record.kind, &record.id);
    let past = |end_s| VaultError::Past { kind, id: id.clone(), start_s, end_s };
    Ok(until.filter(|until| start_s < *until).map(past))
}

/// Puts a window, its number, its object's time and its row of the spool down; gives the row's number.
fn keep(db: &Connection, seq: u64, record: &Record, message: &Message) -> rusqlite::Result<u64> {
    let span = record.span;
    db.prepare_cached(
        "INSERT INTO window (seq, kind, id, start_s, dur_s, topic, retain, body) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
    )?
    .execute(params![
        seq,
        record.kind,
        record.id,
        span.start_s,
        span.dur_s,
        message.topic,
        message.retain,
        message.body
    ])?;
    set(db, "seq", seq)?;
    let until = format!("until {} {}", record.kind, record.id);
    db.prepare_cached("INSERT OR REPLACE INTO about VALUES (?1, ?2)")?
        .execute(params![until, span.end_s().to_string()])?;
    spool::of_window(db, seq)
}

fn newest(db: &Connection) -> rusqlite::Result<BTreeMap<String, (u64, Message)>> {
    let mut rows = db.prepare(
        "SELECT topic, retain, body, seq FROM window WHERE seq IN (SELECT max(seq) FROM window GROUP BY topic)",
    )?;
    let rows = rows.query_map([], |row| Ok((row.get(3)?, message_in(row)?)))?;
    rows.map(|row| row.map(|(seq, message): (u64, Message)| (message.topic.clone(), (seq, message)))).collect()
}

/// A message whose topic, retain and body are the first columns.
fn message_in(row: &rusqlite::Row<'_>) -> rusqlite::Result<Message> {
    Ok(Message { topic: row.get(0)?, retain: row.get(1)?, body: row.get(2)?, at_least_once: true })
}

fn data_version(db: &Connection) -> rusqlite::Result<i64> {
    db.query_row("PRAGMA data_version", [], |row| row.get(0))
}

fn text(db: &Connection, name: &str) -> rusqlite::Result<Option<String>> {
    db.prepare_cached("SELECT value FROM about WHERE name = ?1")?.query_row([name], |row| row.get(0)).optional()
}

fn number(db: &Connection, name: &str) -> rusqlite::Result<u64> {
    Ok(text(db, name)?.and_then(|text| text.parse().ok()).unwrap_or(0))
}

fn set(db: &Connection, name: &str, value: u64) -> rusqlite::Result<()> {
    set_text(db, name, &value.to_string())
}

fn set_text(db: &Connection, name: &str, value: &str) -> rusqlite::Result<()> {
    db.prepare_cached("INSERT OR REPLACE INTO about VALUES (?1, ?2)")?.execute([name, value])?;
    Ok(())
}

const STORE: &str = "store.db";
const MEMORY: &str = ":memory:";
