//! The spool: what the broker has not answered for, oldest first.
//!
//! In: rows by reference to a released window, or with a body of their own. Out: the next one that is due. Invariants: a row
//! stays until it is settled; that it is done may be written later than it is known, never earlier; a row that cannot be read
//! keeps no other back, and is told.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use rusqlite::{Connection, OptionalExtension, params};

use super::message_in;
use crate::clock::{monotonic_ns, utc_now};
use crate::wire::Message;

/// What became of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Delivery {
    /// Acknowledged.
    Done,
    /// Refused by the broker; it does not block the others.
    Refused,
}

/// Rows by fate, since this process began.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Windows released.
    pub released: u64,
    /// Windows acknowledged by the broker, those of before among them.
    pub done: u64,
    /// Windows refused by the broker.
    pub refused: u64,
    /// Windows dropped undelivered because of their age or for want of room.
    pub dropped: u64,
    /// Rows the broker has not answered for, events and those of before among them.
    pub waiting: u64,
}

/// What a process knows of its spool beside the rows themselves.
pub(super) struct Spool {
    pub(super) counts: Counts,
    hold_ns: i64,
    /// Rows not to be sent before a monotonic time, ns, in order of their numbers.
    held_back: VecDeque<(u64, i64)>,
    /// Rows that are done and not yet taken out.
    settled: BTreeMap<u64, Delivery>,
    /// Why a row could not be read.
    pub(super) trouble: Option<rusqlite::Error>,
}

impl Spool {
    pub(super) fn of(db: &Connection, hold: Duration) -> rusqlite::Result<Self> {
        let waiting = db.query_row("SELECT count(*) FROM spool", [], |row| row.get(0))?;
        let hold_ns = i64::try_from(hold.as_nanos()).unwrap_or(i64::MAX);
        let counts = Counts { waiting, ..Counts::default() };
        Ok(Self { counts, hold_ns, held_back: VecDeque::new(), settled: BTreeMap::new(), trouble: None })
    }

    /// A new row is not sent at once.
    pub(super) fn hold_back(&mut self, number: u64) {
        self.counts.waiting += 1;
        if self.hold_ns > 0 {
            self.held_back.push_back((number, monotonic_ns() + self.hold_ns));
        }
    }

    /// The first row at or after `number` that may be sent, with its number and that of its window.
    pub(super) fn due(&mut self, db: &Connection, number: u64) -> Option<(u64, Option<u64>, Message)> {
        let now_ns = monotonic_ns();
        while self.held_back.front().is_some_and(|(_, ready_ns)| *ready_ns <= now_ns) {
            self.held_back.pop_front();
        }
        let mut from = number;
        let found = loop {
            let found = match row_at(db, from) {
                Ok(found) => found,
                Err(error) => {
                    self.trouble = Some(error);
                    let Some(number) = number_at(db, from) else { break None };
                    from = number + 1;
                    continue;
                }
            };
            match &found {
                Some((number, ..)) if self.settled.contains_key(number) => from = number + 1,
                _ => break found,
            }
        };
        // Only windows are held back, and with one whatever comes after it.
        let found = found
            .filter(|(number, seq, _)| seq.is_none() || self.held_back.front().is_none_or(|(held, _)| number < held));
        if found.is_none() {
            self.write_settled(db);
        }
        found
    }

    /// Notes what became of a row; the number of its window, if it is one and was not settled before.
    pub(super) fn settle(&mut self, db: &Connection, number: u64, delivery: Delivery) -> Option<u64> {
        if self.settled.contains_key(&number) {
            return None;
        }
        let seq = db.prepare_cached("SELECT seq FROM spool WHERE number = ?1");
        let seq = seq.and_then(|mut rows| rows.query_row([number], |row| row.get::<_, Option<u64>>(0)).optional());
        // A row that is gone was purged, or settled in an earlier life of this connection.
        let seq = seq.ok().flatten()?;
        self.settled.insert(number, delivery);
        self.counts.waiting = self.counts.waiting.saturating_sub(1);
        if seq.is_some() {
            match delivery {
                Delivery::Done => self.counts.done += 1,
                Delivery::Refused => self.counts.refused += 1,
            }
        }
        if delivery == Delivery::Refused || self.settled.len() >= SETTLED_MAX {
            self.write_settled(db);
        }
        seq
    }

    /// Takes settled rows out of the store; on a full disk they stay noted, and are tried again.
    pub(super) fn write_settled(&mut self, db: &Connection) {
        if self.settled.is_empty() {
            return;
        }
        let written = db.unchecked_transaction().and_then(|transaction| {
            for number in self.settled.keys() {
                transaction.prepare_cached("DELETE FROM spool WHERE number = ?1")?.execute([number])?;
            }
            transaction.commit()
        });
        if written.is_ok() {
            self.settled.clear();
        }
    }

    /// Counts the rows again, after some were dropped.
    pub(super) fn recount(&mut self, db: &Connection) {
        self.write_settled(db);
        let rows = db.query_row("SELECT count(*) FROM spool", [], |row| row.get::<_, u64>(0));
        self.counts.waiting = rows.unwrap_or(self.counts.waiting);
    }
}

/// A row for a released window; gives its number.
pub(super) fn of_window(db: &Connection, seq: u64) -> rusqlite::Result<u64> {
    db.prepare_cached("INSERT INTO spool (seq, spooled_s) VALUES (?1, ?2)")?.execute(params![seq, now_s()])?;
    Ok(db.last_insert_rowid() as u64)
}

/// A row with a body of its own.
pub(super) fn enqueue(db: &Connection, message: &Message) -> rusqlite::Result<()> {
    db.prepare_cached("INSERT INTO spool (topic, retain, body, spooled_s) VALUES (?1, ?2, ?3, ?4)")?
        .execute(params![message.topic, message.retain, message.body, now_s()])?;
    Ok(())
}

fn row_at(db: &Connection, number: u64) -> rusqlite::Result<Option<(u64, Option<u64>, Message)>> {
    db.prepare_cached(
        "SELECT coalesce(w.topic, s.topic), coalesce(w.retain, s.retain), coalesce(w.body, s.body), s.number, s.seq
         FROM spool s LEFT JOIN window w ON w.seq = s.seq WHERE s.number >= ?1 ORDER BY s.number LIMIT 1",
    )?
    .query_row([number], |row| Ok((row.get(3)?, row.get(4)?, message_in(row)?)))
    .optional()
}

/// The number of the next row, whether the rest of it can be read or not.
fn number_at(db: &Connection, number: u64) -> Option<u64> {
    let next = "SELECT number FROM spool WHERE number >= ?1 ORDER BY number LIMIT 1";
    db.prepare_cached(next).and_then(|mut row| row.query_row([number], |row| row.get(0))).ok()
}

pub(super) fn now_s() -> i64 {
    utc_now().0.div_euclid(1000)
}

/// Acknowledged rows that may wait to be taken out: as many are sent again after a kill.
const SETTLED_MAX: usize = 32;
