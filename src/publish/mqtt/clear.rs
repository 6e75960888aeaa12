//! Clears what a broker keeps of a node: a retained message of no bytes takes the place of each.
//!
//! In: topics we know of, and the topic of the node. Out: [`Cleared`], what is gone and what may still be there. Invariants:
//! nothing outside the node is touched; a broker that does not answer costs [`PATIENCE`] and no more.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use super::client::{CONNECT_S, Client, Dial, Events, Heard};
use super::loss::Loss;
use super::papers::{self, Validity};
use super::speech::Speech;
use super::trouble::Denial;
use crate::clock::monotonic_ns;
use crate::config::broker::Remote;
use crate::wire::Message;

/// What became of topics.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Cleared {
    /// Those the broker keeps nothing on any more.
    pub cleared: Vec<String>,
    /// Those it may keep something on: it was not reached, or refused.
    pub uncleared: Vec<String>,
}

/// Clears `topics`, and what else the broker says it keeps below `node`.
pub async fn clear(broker: &Remote, client_id: &str, node: &str, topics: &[String]) -> Cleared {
    let mut known: BTreeMap<String, Fate> = topics.iter().map(|topic| (topic.clone(), Fate::Waiting)).collect();
    let mut speech = Speech::new(broker.protocol);
    // Whoever does not speak version 5 is asked once more in the older one.
    for _ in 0..2 {
        let Ok((client, events)) = dial(broker, client_id, &mut speech) else { break };
        let mut sweep =
            Sweep { client, node: format!("{node}/"), known, sent: VecDeque::new(), in_flight: HashMap::new() };
        // What was acknowledged until then counts.
        let loss = tokio::time::timeout(PATIENCE, sweep.run(events)).await;
        sweep.client.disconnect();
        known = sweep.known;
        match loss {
            Ok(Some(loss)) => speech.refused(&loss, monotonic_ns()),
            Ok(None) | Err(_) => break,
        }
    }
    let (cleared, uncleared): (Vec<_>, Vec<_>) = known.into_iter().partition(|(_, fate)| *fate == Fate::Cleared);
    let names = |topics: Vec<(String, Fate)>| topics.into_iter().map(|(topic, _)| topic).collect();
    Cleared { cleared: names(cleared), uncleared: names(uncleared) }
}

fn dial(broker: &Remote, client_id: &str, speech: &mut Speech) -> Result<(Client, Events), Denial> {
    let dial = Dial {
        host: &broker.host,
        port: broker.port,
        client_id,
        will: None,
        login: broker.login.as_ref().map(papers::password).transpose()?,
        tls: broker.tls.as_ref().map(|tls| papers::client_config(tls, &Arc::<Validity>::default())).transpose()?,
        patience_s: CONNECT_S,
    };
    Ok(Client::dial(dial, speech.version(monotonic_ns())))
}

/// What became of a topic.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Fate {
    Waiting,
    UnderWay,
    Cleared,
    Refused,
}

/// One connection: asks what is kept, and clears it.
struct Sweep {
    client: Client,
    node: String,
    known: BTreeMap<String, Fate>,
    sent: VecDeque<String>,
    in_flight: HashMap<u16, String>,
}

impl Sweep {
    /// Until everything known is answered for and nothing more turns up, or the connection is lost.
    async fn run(&mut self, mut events: Events) -> Option<Loss> {
        let mut is_connected = false;
        loop {
            let heard = match tokio::time::timeout(QUIET, events.heard()).await {
                Ok(heard) => heard,
                Err(_) if is_connected && self.is_over() => return None,
                Err(_) => continue,
            };
            match heard {
                Heard::Connected { .. } => {
                    is_connected = true;
                    // A broker that lets a node read nothing but its commands refuses; what we know of is cleared all the same.
                    self.client.subscribe(&format!("{}#", self.node));
                }
                Heard::Came { topic, body, is_retained } if is_retained && !body.is_empty() => self.learn(topic),
                Heard::Sent(packet) => {
                    self.in_flight.extend(self.sent.pop_front().map(|topic| (packet, topic)));
                }
                Heard::Acknowledged { packet, refusal } => {
                    let fate = if refusal.is_none() { Fate::Cleared } else { Fate::Refused };
                    self.known.extend(self.in_flight.remove(&packet).map(|topic| (topic, fate)));
                }
                Heard::Lost(loss) => return Some(loss),
                _ => {}
            }
            if is_connected {
                self.pump();
            }
        }
    }

    /// A topic of the node that is to be cleared; of others, and of more than anybody has, nothing.
    fn learn(&mut self, topic: String) {
        if topic.starts_with(&self.node) && self.known.len() < TOPICS_MAX {
            self.known.entry(topic).or_insert(Fate::Waiting);
        }
    }

    fn pump(&mut self) {
        let room = IN_FLIGHT_MAX.saturating_sub(self.sent.len() + self.in_flight.len());
        for (topic, fate) in self.known.iter_mut().filter(|(_, fate)| **fate == Fate::Waiting).take(room) {
            let nothing = Message { topic: topic.clone(), body: Vec::new(), retain: true, at_least_once: true };
            if !self.client.publish(&nothing) {
                return;
            }
            *fate = Fate::UnderWay;
            self.sent.push_back(topic.clone());
        }
    }

    fn is_over(&self) -> bool {
        self.known.values().all(|fate| matches!(fate, Fate::Cleared | Fate::Refused))
    }
}

/// Longest a broker is waited for in all.
const PATIENCE: Duration = Duration::from_secs(10);
/// When nothing has come for so long, nothing more is kept.
const QUIET: Duration = Duration::from_secs(1);
/// Messages under way at once; mosquitto takes 20.
const IN_FLIGHT_MAX: usize = 10;
/// More topics than any node has.
const TOPICS_MAX: usize = 10_000;
