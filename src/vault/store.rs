//! The encrypted file: opened, keyed, laid out, bounded.
//!
//! In: a folder and a key. Out: a connection whose every page on disk is encrypted (SQLCipher 4, AES-256 in CBC mode with a
//! HMAC for each page), and where commits are on the disk when they return. Invariants: what is deleted is overwritten
//! (`secure_delete`) and given back; the file never grows beyond its quota.

use std::path::Path;
use std::time::Duration;

use rusqlite::types::ValueRef;
use rusqlite::{Connection, ErrorCode, OpenFlags, OptionalExtension, Transaction, TransactionBehavior};
use zeroize::Zeroizing;

use super::VaultError;
use crate::wire::audit::hex;

/// Opens the store of a folder, or makes it.
pub(super) fn open(path: &Path, key: &[u8; 32], quota_mb: u32) -> Result<Connection, VaultError> {
    let connection = Connection::open(path).map_err(|error| of(path, error))?;
    // What it would say on standard error of a wrong key, the error says.
    connection
        .query_row("PRAGMA cipher_log_level = NONE", [], |_| Ok(()))
        .optional()
        .map_err(|error| of(path, error))?;
    let text = Zeroizing::new(format!("PRAGMA key = \"x'{}'\"", hex(key)));
    connection.execute_batch(&text).map_err(|error| of(path, error))?;
    prepare(&connection, quota_mb).map_err(|error| of(path, error))?;
    Ok(connection)
}

/// A store that is gone with this process, and was never on a disk.
pub(super) fn throw_away() -> Result<Connection, VaultError> {
    let path = Path::new(":memory:");
    let connection = Connection::open_in_memory().map_err(|error| of(path, error))?;
    prepare(&connection, THROW_AWAY_MB).map_err(|error| of(path, error))?;
    Ok(connection)
}

/// Refuses a file that was cut off within its first page, which would pass for that of a store that is yet to begin.
pub(super) fn must_be_uncut(path: &Path, has_begun: bool) -> Result<(), VaultError> {
    match std::fs::metadata(path) {
        Ok(about) if about.len() < PAGE_BYTES && (about.len() > 0 || has_begun) => {
            Err(VaultError::Damaged { path: path.to_owned(), reason: format!("cut off at {} bytes", about.len()) })
        }
        _ => Ok(()),
    }
}

fn prepare(connection: &Connection, quota_mb: u32) -> rusqlite::Result<()> {
    connection.busy_timeout(PATIENCE)?;
    // Nothing of it in clear beside it: neither swapped sorts nor temporary tables.
    connection.execute_batch(
        "PRAGMA temp_store = MEMORY; PRAGMA auto_vacuum = INCREMENTAL; PRAGMA secure_delete = ON; PRAGMA cipher_memory_security = ON; PRAGMA foreign_keys = ON;",
    )?;
    let version: i64 = connection.query_row("SELECT count(*) FROM sqlite_master", [], |row| row.get(0))?;
    connection.execute_batch(&format!(
        "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = {JOURNAL_PAGES};"
    ))?;
    let page_bytes = number(connection, "page_size")?;
    connection.execute_batch(&format!("PRAGMA journal_size_limit = {}", JOURNAL_PAGES * page_bytes))?;
    // The quota is for the store and its journal together.
    let pages = (u64::from(quota_mb) * (1 << 20) / page_bytes).saturating_sub(2 * JOURNAL_PAGES).max(JOURNAL_PAGES);
    connection.query_row(&format!("PRAGMA max_page_count = {pages}"), [], |_| Ok(()))?;
    if version == 0 {
        connection.execute_batch(&format!("BEGIN IMMEDIATE; {TABLES} COMMIT;"))?;
    }
    Ok(())
}

/// Bytes a store takes, free pages not counted, and bytes it may take.
pub(super) fn size(connection: &Connection) -> rusqlite::Result<(u64, u64)> {
    let number = |name: &str| number(connection, name);
    let (page, pages, free) = (number("page_size")?, number("page_count")?, number("freelist_count")?);
    Ok(((pages - free) * page, number("max_page_count")? * page))
}

/// What SQLite says of itself; SQLCipher gives some of its numbers as text.
fn number(connection: &Connection, name: &str) -> rusqlite::Result<u64> {
    connection.query_row(&format!("PRAGMA {name}"), [], |row| {
        Ok(match row.get_ref(0)? {
            ValueRef::Text(digits) => {
                std::str::from_utf8(digits).ok().and_then(|digits| digits.parse().ok()).unwrap_or(0)
            }
            _ => row.get(0)?,
        })
    })
}

/// Gives freed pages back to the disk, and empties the journal.
pub(super) fn shrink(connection: &Connection) -> rusqlite::Result<()> {
    // It gives back one page a step.
    let mut vacuum = connection.prepare("PRAGMA incremental_vacuum")?;
    let mut pages = vacuum.query([])?;
    while pages.next()?.is_some() {}
    // A reader beside us may hold it back; the next time does.
    connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))
}

/// What of the store is damaged, in words: pages whose seal does not fit, and tables that do not hang together.
pub(super) fn damage(connection: &Connection) -> rusqlite::Result<Vec<String>> {
    // Nobody writes meanwhile: a page that is just being brought in from the journal would look damaged.
    let quiet = Transaction::new_unchecked(connection, TransactionBehavior::Immediate)?;
    let mut told = Vec::new();
    for question in ["PRAGMA cipher_integrity_check", "PRAGMA integrity_check(10)"] {
        let mut answers = quiet.prepare(question)?;
        let answers = answers.query_map([], |row| row.get::<_, String>(0))?;
        told.extend(answers.collect::<rusqlite::Result<Vec<String>>>()?.into_iter().filter(|answer| answer != "ok"));
    }
    Ok(told)
}

/// Whether a page of the file does not fit its seal under this key, or the file is no store at all.
pub(super) fn is_torn(path: &Path, key: &[u8; 32]) -> bool {
    let torn = || -> rusqlite::Result<bool> {
        let connection = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
        connection.query_row("PRAGMA cipher_log_level = NONE", [], |_| Ok(())).optional()?;
        connection.execute_batch(&Zeroizing::new(format!("PRAGMA key = \"x'{}'\"", hex(key))))?;
        let mut faults = connection.prepare("PRAGMA cipher_integrity_check")?;
        let mut faults = faults.query([])?;
        Ok(faults.next()?.is_some())
    };
    torn().unwrap_or_else(|error| error.sqlite_error_code() == Some(ErrorCode::NotADatabase))
}

/// What a refusal of the store means to the operator.
pub(super) fn of(path: &Path, error: rusqlite::Error) -> VaultError {
    let path = path.to_owned();
    match error.sqlite_error_code() {
        Some(ErrorCode::NotADatabase) => VaultError::Key { path },
        Some(ErrorCode::DiskFull) => VaultError::Full { path },
        // Its index beside it finds no room in other words.
        Some(ErrorCode::SystemIoFailure | ErrorCode::CannotOpen) if is_disk_full(&path) => VaultError::Full { path },
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => VaultError::Busy { path },
        _ => VaultError::Store { path, reason: error.to_string() },
    }
}

/// Whether the disk of a file has no room for a journal, or for one more name.
fn is_disk_full(path: &Path) -> bool {
    let disk = path.parent().and_then(|folder| rustix::fs::statvfs(folder).ok());
    disk.is_some_and(|disk| {
        disk.f_bavail.saturating_mul(disk.f_frsize) < ROOM_BYTES_MIN || (disk.f_files > 0 && disk.f_favail < NAMES_MIN)
    })
}

/// `about` holds the name of the chain, the newest numbers and how far each object is released; `window` the released windows of this node, their exact bytes; `spool` what the broker has not answered
/// for, by reference to its window or with a body of its own; `audit` the chain; `checkpoint` its signed heads.
const TABLES: &str = "
CREATE TABLE about (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE window (
    seq INTEGER PRIMARY KEY, kind TEXT NOT NULL, id TEXT NOT NULL, start_s INTEGER NOT NULL, dur_s INTEGER NOT NULL,
    topic TEXT NOT NULL, retain INTEGER NOT NULL, body BLOB NOT NULL, UNIQUE (kind, id, start_s));
CREATE INDEX window_by_time ON window (start_s);
CREATE INDEX window_by_topic ON window (topic, seq);
CREATE TABLE spool (
    number INTEGER PRIMARY KEY AUTOINCREMENT, seq INTEGER REFERENCES window (seq) ON DELETE CASCADE,
    topic TEXT, retain INTEGER, body BLOB, spooled_s INTEGER NOT NULL);
CREATE INDEX spool_by_seq ON spool (seq);
CREATE TABLE audit (n INTEGER PRIMARY KEY, at_s INTEGER NOT NULL, what TEXT NOT NULL, line TEXT NOT NULL);
CREATE TABLE checkpoint (n INTEGER PRIMARY KEY, line TEXT NOT NULL);
";

/// Room without which nothing goes on: as much as the journal takes.
const ROOM_BYTES_MIN: u64 = 1 << 20;
/// Names that must be free: journal and index.
const NAMES_MIN: u64 = 2;
/// What SQLCipher writes at once, bytes.
const PAGE_BYTES: u64 = 4096;
/// Pages of the journal before it is brought into the store: 1 MiB.
const JOURNAL_PAGES: u64 = 256;
/// How long one process waits for another that writes.
const PATIENCE: Duration = Duration::from_secs(5);
/// A replay of a year of thirty objects takes less.
const THROW_AWAY_MB: u32 = 4096;
