//! What is released and not yet delivered: the exact bytes, each kept until the broker has acknowledged it.
//!
//! In: [`Message`]s of closed windows, oldest first. Out: what is due for the broker, what is newest for the page,
//! what was ever released for the exports of a replay. Invariants: a row is done when the broker acknowledged it, and
//! its bytes never change (I8); the number of rows is bounded by [`ROWS_MAX`], the oldest is dropped first and
//! counted (I9). This store lives in memory; the encrypted one on disk takes its place behind the same front.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;

use crate::clock::monotonic_ns;
use crate::wire::Message;

/// The store of one mouth.
pub struct Vault {
    rows: Mutex<Rows>,
    changed: Notify,
    keep_delivered: bool,
    hold_ns: i64,
}

#[derive(Default)]
struct Rows {
    first: u64,
    rows: VecDeque<Row>,
    newest: BTreeMap<String, Message>,
    counts: Counts,
}

struct Row {
    message: Message,
    delivery: Delivery,
    /// Monotonic time before which it is not sent.
    ready_ns: i64,
}

/// What became of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Delivery {
    /// Not sent, or sent and not acknowledged.
    Waiting,
    /// Acknowledged.
    Done,
    /// Refused by the broker; it does not block the others.
    Refused,
}

/// Rows by fate.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Windows released.
    pub released: u64,
    /// Acknowledged by the broker.
    pub done: u64,
    /// Refused by the broker.
    pub refused: u64,
    /// Dropped undelivered because the store was full.
    pub dropped: u64,
}

impl Counts {
    /// Rows the broker has not answered for.
    #[must_use]
    pub fn waiting(&self) -> u64 {
        self.released - self.done - self.refused - self.dropped
    }
}

impl Vault {
    /// An empty store; `keep_delivered` holds delivered rows too, for the exports of a replay; a row is sent `hold`
    /// after it was released, so that not all nodes speak at once and no row tells when the last person passed.
    #[must_use]
    pub fn new(keep_delivered: bool, hold: Duration) -> Self {
        let hold_ns = i64::try_from(hold.as_nanos()).unwrap_or(i64::MAX);
        Self { rows: Mutex::default(), changed: Notify::new(), keep_delivered, hold_ns }
    }

    /// Takes a released window. From here on its bytes are fixed.
    pub fn commit(&self, message: Message) {
        let mut rows = self.lock();
        rows.counts.released += 1;
        rows.newest.insert(message.topic.clone(), message.clone());
        rows.rows.push_back(Row { message, delivery: Delivery::Waiting, ready_ns: monotonic_ns() + self.hold_ns });
        if rows.rows.len() > ROWS_MAX {
            rows.drop_oldest();
        }
        drop(rows);
        self.changed.notify_one();
    }

    /// The first waiting row at or after `number`, with its number.
    #[must_use]
    pub fn due(&self, number: u64) -> Option<(u64, Message)> {
        let rows = self.lock();
        let start = number.saturating_sub(rows.first) as usize;
        let now_ns = monotonic_ns();
        let is_due = |row: &Row| row.delivery == Delivery::Waiting && row.ready_ns <= now_ns;
        let (index, row) = rows.rows.iter().enumerate().skip(start).find(|(_, row)| is_due(row))?;
        let mut message = row.message.clone();
        // What is sent late must not take the place of what is newer.
        message.retain &= rows.newest.get(&message.topic).is_some_and(|newest| newest.body == message.body);
        Some((rows.first + index as u64, message))
    }

    /// Settles a row.
    pub fn settle(&self, number: u64, delivery: Delivery) {
        let mut rows = self.lock();
        let index = number.checked_sub(rows.first).map(|index| index as usize);
        let Some(row) = index.and_then(|index| rows.rows.get_mut(index)) else { return };
        if row.delivery != Delivery::Waiting {
            return;
        }
        row.delivery = delivery;
        match delivery {
            Delivery::Done => rows.counts.done += 1,
            Delivery::Refused => rows.counts.refused += 1,
            Delivery::Waiting => {}
        }
        while !self.keep_delivered && rows.rows.front().is_some_and(|row| row.delivery != Delivery::Waiting) {
            rows.rows.pop_front();
            rows.first += 1;
        }
        drop(rows);
        self.changed.notify_one();
    }

    /// Waits for a row to come or be settled.
    pub async fn changed(&self) {
        self.changed.notified().await;
    }

    /// Rows by fate.
    #[must_use]
    pub fn counts(&self) -> Counts {
        self.lock().counts
    }

    /// The newest record of every object, by topic.
    #[must_use]
    pub fn newest(&self) -> Vec<Message> {
        self.lock().newest.values().cloned().collect()
    }

    /// Every record still held, oldest first.
    #[must_use]
    pub fn held(&self) -> Vec<Message> {
        self.lock().rows.iter().map(|row| row.message.clone()).collect()
    }

    fn lock(&self) -> MutexGuard<'_, Rows> {
        self.rows.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Rows {
    fn drop_oldest(&mut self) {
        if self.rows.pop_front().is_some_and(|row| row.delivery == Delivery::Waiting) {
            self.counts.dropped += 1;
        }
        self.first += 1;
    }
}

/// Rows held: at 30 objects a week of windows.
const ROWS_MAX: usize = 20_000;

#[cfg(test)]
mod tests {
    use super::*;

    fn row(name: &str) -> Message {
        Message { topic: name.to_owned(), body: name.as_bytes().to_vec(), retain: false, at_least_once: true }
    }

    fn filled(names: &[&str]) -> Vault {
        let vault = Vault::new(false, Duration::ZERO);
        names.iter().for_each(|name| vault.commit(row(name)));
        vault
    }

    #[test]
    fn rows_are_due_oldest_first_until_they_are_settled() {
        let vault = filled(&["a", "b", "c"]);
        assert_eq!(vault.due(0), Some((0, row("a"))));
        assert_eq!(vault.due(1), Some((1, row("b"))));
        vault.settle(0, Delivery::Done);
        vault.settle(1, Delivery::Refused);
        assert_eq!(vault.due(0), Some((2, row("c"))));
        assert_eq!(vault.counts(), Counts { released: 3, done: 1, refused: 1, dropped: 0 });
    }

    #[test]
    fn a_row_settled_twice_counts_once() {
        let vault = filled(&["a", "b"]);
        vault.settle(1, Delivery::Done);
        vault.settle(1, Delivery::Done);
        assert_eq!((vault.counts().done, vault.counts().waiting()), (1, 1));
    }

    #[test]
    fn a_row_is_held_back_before_it_is_sent() {
        let vault = Vault::new(false, Duration::from_secs(3600));
        vault.commit(row("a"));
        assert_eq!(vault.due(0), None);
        assert_eq!(vault.newest(), [row("a")], "the page on this box need not wait");
    }

    #[test]
    fn a_full_store_drops_the_oldest_and_says_so() {
        let vault = Vault::new(false, Duration::ZERO);
        (0..ROWS_MAX + 3).for_each(|number| vault.commit(row(&number.to_string())));
        assert_eq!(vault.counts().dropped, 3);
        assert_eq!(vault.due(0).map(|(number, _)| number), Some(3));
    }

    #[test]
    fn the_page_sees_the_newest_record_even_when_it_is_delivered() {
        let vault = filled(&["a"]);
        vault.settle(0, Delivery::Done);
        assert_eq!(vault.newest(), [row("a")]);
        assert!(vault.held().is_empty());
    }
}
