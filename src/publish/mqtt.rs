//! MQTT v5, QoS 1: the vault, not the client, remembers what is undelivered.
//!
//! In: due rows of the [`Vault`], state, introduction and health messages. Out: publishes; rows settled at PUBACK.
//! Invariants: every connection begins with `state`, `about` and `meta`; a lost connection forgets the client with
//! everything in flight and the vault offers it again, so that nothing is lost when the broker lost its session; at
//! most [`IN_FLIGHT_MAX`] rows are under way; reconnects back off (the client itself has no pause).

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use rumqttc::Outgoing;
use rumqttc::v5::mqttbytes::QoS;
use rumqttc::v5::mqttbytes::v5::{LastWill, Packet, PubAck, PubAckReason};
use rumqttc::v5::{AsyncClient, Event, EventLoop, MqttOptions};
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
        let mut pause = PAUSE_FIRST;
        while !*stop.borrow() {
            if self.connection(&mut stop).await {
                pause = PAUSE_FIRST;
            }
            self.connected.store(false, Ordering::Relaxed);
            tokio::select! {
                () = tokio::time::sleep(pause) => pause = (pause * 2).min(PAUSE_MAX),
                _ = stop.changed() => {}
            }
        }
    }

    /// One connection from CONNECT to its loss. True when it ever stood.
    async fn connection(&mut self, stop: &mut watch::Receiver<bool>) -> bool {
        let (client, events) = AsyncClient::new(self.options(), QUEUE_MAX);
        let (sender, mut incoming) = mpsc::channel(QUEUE_MAX);
        let polling = tokio::spawn(poll(events, sender));
        let mut link = Link { client, sent: VecDeque::new(), in_flight: HashMap::new(), next_row: 0, packet_max: None };
        let mut stood = false;
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
                Some(Happened::Connected(packet_max)) => {
                    stood = true;
                    self.connected.store(true, Ordering::Relaxed);
                    link.packet_max = packet_max;
                    let sent = self.greeting.iter().filter(|message| link.send(message, None)).count();
                    debug_assert_eq!(sent, self.greeting.len(), "the queue is longer than the greeting");
                }
                Some(Happened::Sent(packet)) => link.went_out(packet),
                Some(Happened::Acknowledged(ack)) => link.acknowledged(&ack, &self.vault),
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
                link.pump(&self.vault);
            }
        }
        polling.abort();
        stood
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

/// What can happen on a connection.
enum Happened {
    Connected(Option<u32>),
    Sent(u16),
    Acknowledged(PubAck),
    Woken,
    Health,
    Stop,
}

/// Polls the client for as long as the connection lasts: it only lives while it is polled.
async fn poll(mut events: EventLoop, sender: mpsc::Sender<Happened>) {
    while let Ok(event) = events.poll().await {
        let happened = match event {
            Event::Incoming(Packet::ConnAck(ack)) => {
                Happened::Connected(ack.properties.and_then(|properties| properties.max_packet_size))
            }
            Event::Incoming(Packet::PubAck(ack)) => Happened::Acknowledged(ack),
            Event::Outgoing(Outgoing::Publish(packet)) => Happened::Sent(packet),
            _ => continue,
        };
        if sender.send(happened).await.is_err() {
            return;
        }
    }
}

/// Book-keeping of one connection. The client names a packet id only after sending, so ids are paired in order.
struct Link {
    client: AsyncClient,
    sent: VecDeque<Option<u64>>,
    in_flight: HashMap<u16, u64>,
    next_row: u64,
    packet_max: Option<u32>,
}

impl Link {
    /// Hands the client as many due rows as may be under way.
    fn pump(&mut self, vault: &Vault) {
        while self.in_flight.len() + self.sent.iter().flatten().count() < IN_FLIGHT_MAX {
            let Some((row, message)) = vault.due(self.next_row) else { return };
            let bytes = message.topic.len() + message.body.len() + PACKET_OVERHEAD;
            if self.packet_max.is_some_and(|most| bytes > most as usize) {
                vault.settle(row, Delivery::Refused);
            } else if !self.send(&message, Some(row)) {
                return;
            }
            self.next_row = row + 1;
        }
    }

    /// Hands a message to the client; false when its queue is full.
    fn send(&mut self, message: &Message, row: Option<u64>) -> bool {
        let taken = self.send_untracked(message);
        if taken {
            self.sent.push_back(row);
        }
        taken
    }

    fn send_untracked(&self, message: &Message) -> bool {
        let qos = if message.at_least_once { QoS::AtLeastOnce } else { QoS::AtMostOnce };
        self.client.try_publish(message.topic.clone(), qos, message.retain, message.body.clone()).is_ok()
    }

    fn went_out(&mut self, packet: u16) {
        if let Some(Some(row)) = self.sent.pop_front() {
            self.in_flight.insert(packet, row);
        }
    }

    fn acknowledged(&mut self, ack: &PubAck, vault: &Vault) {
        let Some(row) = self.in_flight.remove(&ack.pkid) else { return };
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
