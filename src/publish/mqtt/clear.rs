//! Clears what a broker keeps of a node: a retained message of no bytes takes the place of each.
//!
//! In: topics we know of, and the topic of the node. Out: [`Cleared`], what is gone and what may still be there. Invariants:
//! nothing outside the node is touched; a broker that does not answer costs [`PATIENCE`] and no more.

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::time::Duration;

use rumqttc::Outgoing;
use rumqttc::v5::mqttbytes::QoS;
use rumqttc::v5::mqttbytes::v5::{Packet, PubAckReason};
use rumqttc::v5::{AsyncClient, Event, EventLoop, MqttOptions};

/// What became of topics.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Cleared {
    /// Those the broker keeps nothing on any more.
    pub cleared: Vec<String>,
    /// Those it may keep something on: it was not reached, or refused.
    pub uncleared: Vec<String>,
}

/// Clears `topics`, and what else the broker at `address` says it keeps below `node`.
pub async fn clear(address: (&str, u16), client_id: &str, node: &str, topics: &[String]) -> Cleared {
    let mut options = MqttOptions::new(client_id, address.0, address.1);
    options
        .set_clean_start(true)
        .set_connection_timeout(PATIENCE.as_secs())
        .set_max_packet_size(Some(PACKET_BYTES_MAX));
    let (client, events) = AsyncClient::new(options, QUEUE_MAX);
    let mut sweep = Sweep {
        client,
        node: format!("{node}/"),
        known: BTreeSet::new(),
        to_send: VecDeque::new(),
        sent: VecDeque::new(),
        in_flight: HashMap::new(),
        done: BTreeSet::new(),
        refused: BTreeSet::new(),
    };
    topics.iter().for_each(|topic| sweep.learn(topic));
    // What was acknowledged until then counts.
    let _ = tokio::time::timeout(PATIENCE, sweep.run(events)).await;
    let _ = sweep.client.try_disconnect();
    let (cleared, uncleared) = sweep.known.into_iter().partition(|topic| sweep.done.contains(topic));
    Cleared { cleared, uncleared }
}

/// One connection: asks what is kept, and clears it.
struct Sweep {
    client: AsyncClient,
    node: String,
    known: BTreeSet<String>,
    to_send: VecDeque<String>,
    sent: VecDeque<String>,
    in_flight: HashMap<u16, String>,
    done: BTreeSet<String>,
    refused: BTreeSet<String>,
}

impl Sweep {
    /// Until everything known is answered for and nothing more turns up, or the connection is over.
    async fn run(&mut self, mut events: EventLoop) {
        let mut is_connected = false;
        loop {
            let event = match tokio::time::timeout(QUIET, events.poll()).await {
                Ok(Ok(event)) => event,
                Ok(Err(_)) => return,
                Err(_) if is_connected && self.is_over() => return,
                Err(_) => continue,
            };
            match event {
                Event::Incoming(Packet::ConnAck(_)) => {
                    is_connected = true;
                    // A broker that lets a node read nothing but its commands refuses; what we know of is cleared all the same.
                    let _ = self.client.try_subscribe(format!("{}#", self.node), QoS::AtLeastOnce);
                }
                Event::Incoming(Packet::Publish(kept)) if kept.retain && !kept.payload.is_empty() => {
                    let topic = String::from_utf8_lossy(&kept.topic).into_owned();
                    self.learn(&topic);
                }
                Event::Incoming(Packet::PubAck(ack)) => {
                    let is_good = matches!(ack.reason, PubAckReason::Success | PubAckReason::NoMatchingSubscribers);
                    let answered = if is_good { &mut self.done } else { &mut self.refused };
                    answered.extend(self.in_flight.remove(&ack.pkid));
                }
                Event::Outgoing(Outgoing::Publish(packet)) => {
                    if let Some(topic) = self.sent.pop_front() {
                        self.in_flight.insert(packet, topic);
                    }
                }
                _ => {}
            }
            if is_connected {
                self.pump();
            }
        }
    }

    /// A topic of the node that is to be cleared; of others, and of more than anybody has, nothing.
    fn learn(&mut self, topic: &str) {
        let is_ours = topic.starts_with(&self.node) && self.known.len() < TOPICS_MAX;
        if is_ours && self.known.insert(topic.to_owned()) {
            self.to_send.push_back(topic.to_owned());
        }
    }

    fn pump(&mut self) {
        while self.sent.len() + self.in_flight.len() < IN_FLIGHT_MAX
            && let Some(topic) = self.to_send.front()
            && self.client.try_publish(topic.clone(), QoS::AtLeastOnce, true, Vec::new()).is_ok()
        {
            self.sent.extend(self.to_send.pop_front());
        }
    }

    fn is_over(&self) -> bool {
        self.done.len() + self.refused.len() == self.known.len()
    }
}

/// Longest a broker is waited for in all.
const PATIENCE: Duration = Duration::from_secs(10);
/// When nothing has come for so long, nothing more is kept.
const QUIET: Duration = Duration::from_secs(1);
const QUEUE_MAX: usize = 64;
/// Messages under way at once; mosquitto takes 20.
const IN_FLIGHT_MAX: usize = 10;
/// More topics than any node has.
const TOPICS_MAX: usize = 10_000;
/// Longest message that is listened to: a heat map has 128 KB at most.
const PACKET_BYTES_MAX: u32 = 1 << 20;
