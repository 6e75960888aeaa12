//! Events and answers as messages.
//!
//! In: what happened, what was asked. Out: [`Message`]s, unsigned; the vault signs them. Invariant: no address, no password and
//! nothing about a person has a place in them.

use serde_json::{Map, Value};

use super::{Composer, json, rfc3339};
use crate::clock::UtcMs;
use crate::gate::Object;
use crate::wire::Message;
use crate::wire::payload::{AnswerPayload, CONTRACT_VERSION, EventPayload};

/// An answer, but for who gives it.
pub struct Answer {
    /// What was asked.
    pub verb: &'static str,
    /// Name of the request.
    pub id: String,
    /// When.
    pub at: UtcMs,
    /// What was asked for, or why it is refused.
    pub outcome: Result<Map<String, Value>, String>,
}

impl Composer {
    /// Something the operator should know of.
    #[must_use]
    pub fn event(&self, at: UtcMs, of: &str, about: Map<String, Value>) -> Message {
        let (at, boot) = (rfc3339(at), self.boot.clone());
        let payload = EventPayload { v: CONTRACT_VERSION, k: "evt", of: of.to_owned(), at, boot, about, sig: None };
        let topic = self.topic(&format!("evt/{of}"));
        Message { topic, body: json(&payload), retain: false, at_least_once: true }
    }

    /// What a node answers to a command.
    #[must_use]
    pub fn answer(&self, answer: Answer) -> Message {
        let topic = self.topic(&format!("rsp/{}", answer.verb));
        let (ok, why) = (answer.outcome.is_ok(), answer.outcome.as_ref().err().cloned());
        let payload = AnswerPayload {
            v: CONTRACT_VERSION,
            k: "rsp",
            verb: answer.verb.to_owned(),
            id: answer.id,
            at: rfc3339(answer.at),
            boot: self.boot.clone(),
            ok,
            why,
            d: answer.outcome.unwrap_or_default(),
            sig: None,
        };
        Message { topic, body: json(&payload), retain: false, at_least_once: true }
    }

    /// All that decides what is measured and released. Addresses and passwords of cameras and broker are no part of it.
    #[must_use]
    pub fn configuration(&self) -> Map<String, Value> {
        let settings = serde_json::to_value(&self.settings).unwrap_or_default();
        about([("cfg", self.settings.revision().into()), ("settings", settings)])
    }

    /// An object as the end of its topic, "KIND/ID".
    #[must_use]
    pub fn place(&self, object: Object) -> String {
        let settings = &self.settings;
        match object {
            Object::Line(line) => format!("line/{}", settings.lines[usize::from(line)].id),
            Object::Zone(zone) => format!("zone/{}", settings.zones[usize::from(zone)].id),
            Object::Queue(queue) => format!("queue/{}", settings.queues[usize::from(queue)].id),
            Object::HeatVisits(floor) => format!("heat/{}-visits", settings.floors[usize::from(floor)].id),
            Object::HeatDwell(floor) => format!("heat/{}-dwell", settings.floors[usize::from(floor)].id),
            Object::Flow(floor) => format!("flow/{}", settings.floors[usize::from(floor)].id),
            Object::Transitions(camera) => format!("od/{}", settings.cameras[usize::from(camera)].id),
        }
    }

    /// This node, as commands address it.
    #[must_use]
    pub fn node(&self) -> String {
        let store = &self.settings.store;
        format!("{}/{}/{}", store.org, store.store, store.node)
    }
}

/// What a message is about.
pub type About = Map<String, Value>;

/// What a message is about, by name.
#[must_use]
pub fn about<const N: usize>(things: [(&str, Value); N]) -> About {
    things.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}
