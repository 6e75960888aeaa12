//! The books of one connection: what was handed over, what is in flight, what was answered.
//!
//! In: due rows of the vault, receipts. Out: publishes, rows settled. Invariants: the greeting is answered before the first
//! row goes out; at most so many are under way as the broker takes; a row is done at a good receipt and by nothing else.

use std::collections::{BTreeSet, HashMap, VecDeque};

use super::client::Client;
use super::speech::Pace;
use super::trouble::{Grievances, Trouble};
use crate::vault::{Delivery, Vault};
use crate::wire::Message;

/// What is sent and acknowledged: a part of the greeting, or a row of the vault.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Item {
    Greeting(usize),
    Row(u64),
}

/// What a link works with.
pub(super) struct Load<'a> {
    pub(super) greeting: &'a [Message],
    pub(super) vault: &'a Vault,
    pub(super) pace: &'a mut Pace,
    pub(super) grievances: &'a mut Grievances,
}

/// Book-keeping of one connection. The client names a packet id only after sending, so ids are paired in order.
pub(super) struct Link {
    client: Client,
    in_flight_max: usize,
    /// Rows still to be answered one at a time, so that it shows which one the broker minds.
    careful: usize,
    to_greet: VecDeque<usize>,
    /// A message handed over whose number is not known yet; `None` where no receipt comes.
    sent: VecDeque<Option<Item>>,
    /// What went out under which number, and when, ns.
    in_flight: HashMap<u16, (Item, i64)>,
    topics: HashMap<u64, String>,
    next_row: u64,
    packet_bytes_max: Option<u32>,
    moved_ns: i64,
    is_paced: bool,
}

impl Link {
    pub(super) fn new(client: Client, careful: usize) -> Self {
        Self {
            client,
            in_flight_max: IN_FLIGHT_MAX,
            careful,
            to_greet: VecDeque::new(),
            sent: VecDeque::new(),
            in_flight: HashMap::new(),
            topics: HashMap::new(),
            next_row: 0,
            packet_bytes_max: None,
            moved_ns: 0,
            is_paced: false,
        }
    }

    /// The broker lets us in: the greeting is due, but for what it minded before.
    pub(super) fn connected(
        &mut self,
        greeting: usize,
        minded: &BTreeSet<usize>,
        [packet_bytes_max, in_flight_max]: [Option<u32>; 2],
    ) {
        self.packet_bytes_max = packet_bytes_max;
        self.in_flight_max = in_flight_max.map_or(IN_FLIGHT_MAX, |most| IN_FLIGHT_MAX.min(most.max(1) as usize));
        self.greet(greeting, minded);
    }

    /// The greeting is due, but for what the broker minded before.
    pub(super) fn greet(&mut self, greeting: usize, minded: &BTreeSet<usize>) {
        self.to_greet = (0..greeting).filter(|index| !minded.contains(index)).collect();
    }

    /// More of the greeting is due.
    pub(super) fn greet_also(&mut self, parts: &BTreeSet<usize>) {
        self.to_greet.extend(parts);
    }

    /// Hands the client as much as may be under way: the greeting, and once that is answered the due rows.
    pub(super) fn pump(&mut self, load: &mut Load, now_ns: i64) {
        self.is_paced = false;
        while self.under_way().count() < if self.careful > 0 { 1 } else { self.in_flight_max } {
            if let Some(index) = self.to_greet.front().copied() {
                let message = &load.greeting[index];
                if self.fits(message, load.grievances, now_ns)
                    && !self.send(message, Some(Item::Greeting(index)), now_ns)
                {
                    return;
                }
                self.to_greet.pop_front();
            } else if self.is_greeting() || !self.pump_row(load, now_ns) {
                return;
            }
        }
    }

    /// Hands over the next due row; false when there is none, or it is not its time.
    fn pump_row(&mut self, load: &mut Load, now_ns: i64) -> bool {
        let mut due = load.vault.due(self.next_row);
        // What was released earlier may have become due later; what is under way must not be taken for it.
        if due.is_none() && self.next_row > 0 && self.under_way().next().is_none() {
            due = load.vault.due(0);
        }
        let Some((row, message)) = due else { return false };
        if !self.fits(&message, load.grievances, now_ns) {
            load.vault.settle(row, Delivery::Refused);
        } else if !load.pace.take(now_ns) {
            self.is_paced = true;
            return false;
        } else if self.send(&message, Some(Item::Row(row)), now_ns) {
            self.topics.insert(row, message.topic);
        } else {
            return false;
        }
        self.next_row = row + 1;
        true
    }

    /// Whether only the pace holds rows back.
    pub(super) fn is_paced(&self) -> bool {
        self.is_paced
    }

    /// Whether a part of the greeting is not answered yet.
    pub(super) fn is_greeting(&self) -> bool {
        !self.to_greet.is_empty() || self.under_way().any(|item| matches!(item, Item::Greeting(_)))
    }

    /// What is sent and not acknowledged.
    pub(super) fn under_way(&self) -> impl Iterator<Item = Item> {
        self.in_flight.values().map(|(item, _)| item).chain(self.sent.iter().flatten()).copied()
    }

    /// Whether a receipt is missing for longer than any broker takes: all of them, or one while others come.
    pub(super) fn is_stuck(&self, now_ns: i64) -> bool {
        let is_forgotten = self.in_flight.values().any(|(_, sent_ns)| now_ns - sent_ns > FORGOTTEN_NS);
        is_forgotten || (self.under_way().next().is_some() && now_ns - self.moved_ns > ANSWER_NS)
    }

    /// Whether the last thing happened less than this long ago.
    pub(super) fn moved_within(&self, ns: i64, now_ns: i64) -> bool {
        now_ns - self.moved_ns <= ns
    }

    /// Where a row was to go.
    pub(super) fn topic(&self, row: u64) -> Option<&String> {
        self.topics.get(&row)
    }

    /// Whether the broker takes packets of this size, as far as it said.
    fn fits(&self, message: &Message, grievances: &mut Grievances, now_ns: i64) -> bool {
        let (bytes, limit) = (packet_bytes(message), self.packet_bytes_max.map(|most| most as usize));
        let Some(limit) = limit.filter(|limit| bytes > *limit) else { return true };
        grievances.tell(Trouble::TooLarge { topic: message.topic.clone(), bytes, limit }, now_ns);
        false
    }

    /// Hands a message to the client; false when its queue is full.
    fn send(&mut self, message: &Message, item: Option<Item>, now_ns: i64) -> bool {
        let is_first = self.under_way().next().is_none();
        let is_taken = self.client.publish(message);
        if is_taken {
            self.sent.push_back(item);
            self.moved_ns = if is_first { now_ns } else { self.moved_ns };
        }
        is_taken
    }

    /// Hands over what nobody waits for, if the broker takes it.
    pub(super) fn mention(&mut self, message: &Message, now_ns: i64) {
        if self.packet_bytes_max.is_none_or(|most| packet_bytes(message) <= most as usize) {
            self.send(message, None, now_ns);
        }
    }

    pub(super) fn subscribe(&self, filter: &str) -> bool {
        self.client.subscribe(filter)
    }

    /// Says goodbye: after that the broker does not say it for us.
    pub(super) fn leave(&mut self, last_word: &Message) {
        self.client.publish(last_word);
        self.client.disconnect();
    }

    pub(super) fn went_out(&mut self, packet: u16, now_ns: i64) {
        if let Some(Some(item)) = self.sent.pop_front() {
            self.in_flight.insert(packet, (item, now_ns));
        }
    }

    /// Takes a receipt; gives what was refused.
    pub(super) fn acknowledged(&mut self, packet: u16, is_good: bool, vault: &Vault, now_ns: i64) -> Option<Item> {
        let (item, _) = self.in_flight.remove(&packet)?;
        self.moved_ns = now_ns;
        if let Item::Row(row) = item {
            self.careful = self.careful.saturating_sub(1);
            vault.settle(row, if is_good { Delivery::Done } else { Delivery::Refused });
        }
        Some(item)
    }

    pub(super) fn forget(&mut self, item: Item) {
        if let Item::Row(row) = item {
            self.topics.remove(&row);
        }
    }
}

/// Length of a message on the way, bytes.
fn packet_bytes(message: &Message) -> usize {
    message.topic.len() + message.body.len() + PACKET_OVERHEAD
}

/// Rows under way at once; mosquitto takes 20.
const IN_FLIGHT_MAX: usize = 10;
/// Header, packet number and properties of a publish packet: 5 + 2 + 2 + 1 + 19 (content type) + 5 (expiry) bytes.
const PACKET_OVERHEAD: usize = 34;
/// Longest time a broker takes for a receipt, ns.
const ANSWER_NS: i64 = 30 * 1_000_000_000;
/// Longest time a single receipt may be missing while others come, ns.
const FORGOTTEN_NS: i64 = 4 * ANSWER_NS;
