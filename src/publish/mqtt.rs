//! MQTT v5, QoS 1: the vault, not the client, remembers what is undelivered.
//!
//! In: due rows of the [`Vault`], state, introduction and health messages. Out: publishes; rows settled at PUBACK.
//! Invariants: every connection begins with `state`, `about` and `meta`; a lost connection forgets the client with
//! everything in flight and the vault offers it again, so that nothing is lost when the broker lost its session; at
//! most [`IN_FLIGHT_MAX`] rows are under way; a message the broker objects to is given up and does not block the rest;
//! reconnects back off (the client itself has no pause).

pub mod clear;

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use rumqttc::Outgoing;
use rumqttc::v5::mqttbytes::v5::{DisconnectReasonCode, LastWill, Packet, PubAck, PubAckReason};
use rumqttc::v5::mqttbytes::{self, QoS};
use rumqttc::v5::{AsyncClient, ConnectionError, Event, EventLoop, MqttOptions, StateError};
use tokio::sync::{mpsc, watch};

use crate::vault::{Delivery, Vault};
use crate::wire::Message;

/// Publishes for one node.
pub struct Publisher {
    /// Broker host.
    pub host: String,
    /// Broker port.
    pub port: u16,
    /// MQTT client id; one per node.
    pub client_id: String,
    /// Undelivered rows.
    pub vault: Arc<Vault>,
    /// Sent first at every connection: state, about, meta.
    pub greeting: Vec<Message>,
    /// Sent by the broker when this node vanishes.
    pub will: Message,
    /// Newest health report.
    pub health: watch::Receiver<Option<Message>>,
    /// Whether a connection stands.
    pub connected: Arc<AtomicBool>,
}

impl Publisher {
    /// Publishes until `stop` turns true, then says goodbye.
    pub async fn run(mut self, mut stop: watch::Receiver<bool>) {
        let (mut pause, mut careful) = (PAUSE_FIRST, false);
        while !*stop.borrow() {
            let ended = self.connection(&mut stop, careful).await;
            self.connected.store(false, Ordering::Relaxed);
            if ended.heard {
                pause = PAUSE_FIRST;
            }
            careful = ended.objection && self.blame(&ended.under_way);
            if *stop.borrow() {
                break;
            }
            tokio::select! {
                () = tokio::time::sleep(pause) => pause = (pause * 2).min(PAUSE_MAX),
                _ = stop.changed() => {}
            }
        }
    }

    /// Gives up what alone was under way when the broker objected, so that it does not block the rest for ever.
    /// True when there was more and the next connection has to find out.
    fn blame(&mut self, under_way: &[Item]) -> bool {
        match under_way {
            [Item::Row(row)] => self.vault.settle(*row, Delivery::Refused),
            [Item::Greeting(index)] => drop(self.greeting.remove(*index)),
            _ => return true,
        }
        false
    }

    /// One connection from CONNECT to its loss; a careful one has one packet under way at a time.
    async fn connection(&mut self, stop: &mut watch::Receiver<bool>, careful: bool) -> Ended {
        let (client, events) = AsyncClient::new(self.options(), QUEUE_MAX);
        let (sender, mut incoming) = mpsc::channel(QUEUE_MAX);
        let polling = tokio::spawn(poll(events, sender));
        let in_flight_max = if careful { 1 } else { IN_FLIGHT_MAX };
        let mut link = Link::new(client, in_flight_max);
        let (mut stood, mut ended) = (false, Ended::default());
        loop {
            let happened = tokio::select! {
                event = incoming.recv() => event,
                () = self.vault.changed() => Some(Happened::Woken),
                () = tokio::time::sleep(LOOK_AGAIN) => Some(Happened::Woken),
                Ok(()) = self.health.changed() => Some(Happened::Health),
                _ = stop.changed() => Some(Happened::Stop),
            };
            match happened {
                None => break,
                Some(Happened::Lost { objection }) => {
                    ended.objection = objection;
                    break;
                }
                Some(Happened::Connected(packet_max)) => {
                    stood = true;
                    self.connected.store(true, Ordering::Relaxed);
                    link.packet_max = packet_max;
                    link.to_greet = (0..self.greeting.len()).collect();
                }
                Some(Happened::Sent(packet)) => link.went_out(packet),
                Some(Happened::Acknowledged(ack)) => {
                    ended.heard = true;
                    link.acknowledged(&ack, &self.vault);
                }
                Some(Happened::Health) => {
                    // A report that finds the queue full is worthless a minute later: it is not kept.
                    if let Some(report) = self.health.borrow_and_update().clone().filter(|_| stood) {
                        link.send(&report, None);
                    }
                }
                Some(Happened::Woken) => {}
                Some(Happened::Stop) => {
                    self.goodbye(&link, stood).await;
                    break;
                }
            }
            if stood {
                link.pump(&self.greeting, &self.vault);
            }
        }
        polling.abort();
        ended.under_way = link.under_way().collect();
        ended
    }

    /// Says "offline" itself: after a proper goodbye the broker does not.
    async fn goodbye(&self, link: &Link, stood: bool) {
        if stood {
            link.send_untracked(&self.will);
            let _ = link.client.try_disconnect();
            tokio::time::sleep(GOODBYE).await;
        }
    }

    fn options(&self) -> MqttOptions {
        let mut options = MqttOptions::new(&self.client_id, &self.host, self.port);
        let will = LastWill::new(self.will.topic.clone(), self.will.body.clone(), QoS::AtLeastOnce, true, None);
        // rumqttc forgets in-flight messages when the broker has lost the session, so no session is kept at all
        // and the vault offers again what was not acknowledged.
        options.set_clean_start(true).set_keep_alive(KEEP_ALIVE).set_connection_timeout(CONNECT_S).set_last_will(will);
        options
    }
}

/// How a connection ended.
#[derive(Default)]
struct Ended {
    /// Whether the broker acknowledged anything.
    heard: bool,
    /// Whether the broker objected to something it was sent, and did not just go away.
    objection: bool,
    /// What was sent and not acknowledged.
    under_way: Vec<Item>,
}

/// What can happen on a connection.
enum Happened {
    Connected(Option<u32>),
    Sent(u16),
    Acknowledged(PubAck),
    Woken,
    Health,
    Stop,
    Lost { objection: bool },
}

/// Polls the client for as long as the connection lasts: it only lives while it is polled.
async fn poll(mut events: EventLoop, sender: mpsc::Sender<Happened>) {
    loop {
        let happened = match events.poll().await {
            Ok(Event::Incoming(Packet::ConnAck(ack))) => {
                Happened::Connected(ack.properties.and_then(|properties| properties.max_packet_size))
            }
            Ok(Event::Incoming(Packet::PubAck(ack))) => Happened::Acknowledged(ack),
            Ok(Event::Outgoing(Outgoing::Publish(packet))) => Happened::Sent(packet),
            Ok(_) => continue,
            Err(error) => Happened::Lost { objection: is_objection(&error) },
        };
        let is_over = matches!(happened, Happened::Lost { .. });
        if sender.send(happened).await.is_err() || is_over {
            return;
        }
    }
}

/// Whether the broker ended the connection for what it was sent. An answer that cannot be read is one: mosquitto
/// refuses a payload over its `message_size_limit` with a reason that is none of a PUBACK's.
fn is_objection(error: &ConnectionError) -> bool {
    use DisconnectReasonCode as Reason;
    match error {
        // A connection that broke off in mid packet is no answer.
        ConnectionError::MqttState(StateError::Deserialization(error)) => !matches!(error, mqttbytes::Error::Io(_)),
        ConnectionError::MqttState(StateError::ServerDisconnect { reason_code, .. }) => matches!(
            reason_code,
            Reason::PacketTooLarge
                | Reason::MalformedPacket
                | Reason::ProtocolError
                | Reason::TopicNameInvalid
                | Reason::PayloadFormatInvalid
        ),
        _ => false,
    }
}

/// What is sent and acknowledged: a part of the greeting, or a row of the vault.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Item {
    Greeting(usize),
    Row(u64),
}

/// Book-keeping of one connection. The client names a packet id only after sending, so ids are paired in order.
struct Link {
    client: AsyncClient,
    in_flight_max: usize,
    to_greet: VecDeque<usize>,
    sent: VecDeque<Option<Item>>,
    in_flight: HashMap<u16, Item>,
    next_row: u64,
    packet_max: Option<u32>,
}

impl Link {
    fn new(client: AsyncClient, in_flight_max: usize) -> Self {
        Self {
            client,
            in_flight_max,
            to_greet: VecDeque::new(),
            sent: VecDeque::new(),
            in_flight: HashMap::new(),
            next_row: 0,
            packet_max: None,
        }
    }

    /// Hands the client as much as may be under way: the greeting, and once that has arrived the due rows.
    fn pump(&mut self, greeting: &[Message], vault: &Vault) {
        while self.under_way().count() < self.in_flight_max {
            if let Some(index) = self.to_greet.front().copied() {
                if self.fits(&greeting[index]) && !self.send(&greeting[index], Some(Item::Greeting(index))) {
                    return;
                }
                self.to_greet.pop_front();
                continue;
            }
            if self.under_way().any(|item| matches!(item, Item::Greeting(_))) {
                return;
            }
            let Some((row, message)) = vault.due(self.next_row) else { return };
            if !self.fits(&message) {
                vault.settle(row, Delivery::Refused);
            } else if !self.send(&message, Some(Item::Row(row))) {
                return;
            }
            self.next_row = row + 1;
        }
    }

    /// What is sent and not acknowledged.
    fn under_way(&self) -> impl Iterator<Item = Item> {
        self.in_flight.values().chain(self.sent.iter().flatten()).copied()
    }

    /// Whether the broker takes packets of this size, as far as it said.
    fn fits(&self, message: &Message) -> bool {
        let bytes = message.topic.len() + message.body.len() + PACKET_OVERHEAD;
        self.packet_max.is_none_or(|most| bytes <= most as usize)
    }

    /// Hands a message to the client; false when its queue is full, or the broker would not take it.
    fn send(&mut self, message: &Message, item: Option<Item>) -> bool {
        let taken = self.fits(message) && self.send_untracked(message);
        if taken {
            self.sent.push_back(item);
        }
        taken
    }

    fn send_untracked(&self, message: &Message) -> bool {
        let qos = if message.at_least_once { QoS::AtLeastOnce } else { QoS::AtMostOnce };
        self.client.try_publish(message.topic.clone(), qos, message.retain, message.body.clone()).is_ok()
    }

    fn went_out(&mut self, packet: u16) {
        if let Some(Some(item)) = self.sent.pop_front() {
            self.in_flight.insert(packet, item);
        }
    }

    fn acknowledged(&mut self, ack: &PubAck, vault: &Vault) {
        let Some(Item::Row(row)) = self.in_flight.remove(&ack.pkid) else { return };
        let is_good = matches!(ack.reason, PubAckReason::Success | PubAckReason::NoMatchingSubscribers);
        vault.settle(row, if is_good { Delivery::Done } else { Delivery::Refused });
    }
}

/// Rows under way at once; mosquitto takes 20.
const IN_FLIGHT_MAX: usize = 10;
/// Requests and events that may wait in the client's channels.
const QUEUE_MAX: usize = 64;
/// Room for header and properties of a publish packet, bytes.
const PACKET_OVERHEAD: usize = 32;
const KEEP_ALIVE: Duration = Duration::from_secs(20);
/// Longest wait for a connection, s.
const CONNECT_S: u64 = 5;
/// Rows that were held back are looked for this often.
const LOOK_AGAIN: Duration = Duration::from_secs(1);
const PAUSE_FIRST: Duration = Duration::from_millis(250);
const PAUSE_MAX: Duration = Duration::from_secs(15);
/// Time for the last packet to leave.
const GOODBYE: Duration = Duration::from_millis(100);

#[cfg(test)]
mod tests {
    use super::*;

    fn lost(error: mqttbytes::Error) -> ConnectionError {
        ConnectionError::MqttState(StateError::Deserialization(error))
    }

    #[test]
    fn a_broker_that_goes_away_objects_to_nothing() {
        for kind in [std::io::ErrorKind::ConnectionReset, std::io::ErrorKind::UnexpectedEof] {
            assert!(!is_objection(&lost(mqttbytes::Error::Io(kind.into()))));
        }
        assert!(!is_objection(&ConnectionError::Io(std::io::ErrorKind::ConnectionRefused.into())));
    }

    #[test]
    fn an_answer_that_cannot_be_read_or_a_packet_that_cannot_be_sent_is_an_objection() {
        assert!(is_objection(&lost(mqttbytes::Error::InvalidReason(0x95))));
        assert!(is_objection(&lost(mqttbytes::Error::OutgoingPacketTooLarge { pkt_size: 9, max: 8 })));
    }
}
