//! A figure as Home Assistant wants to hear of it.
//!
//! In: an object and one of its figures. Out: the retained message that makes a sensor of it.

use serde_json::json;

use super::{Composer, json};
use crate::wire::Message;

/// One figure of one object.
pub struct Sensor<'a> {
    /// Kind of the object.
    pub kind: &'static str,
    /// Object.
    pub id: &'a str,
    /// Name for people.
    pub name: String,
    /// Name of the figure on the wire.
    pub figure: &'static str,
    /// Unit.
    pub unit: &'static str,
    /// When a value is too old to be shown, s.
    pub expire_s: u32,
}

impl Composer {
    /// The message that makes a sensor of a figure. A withheld figure shows as unknown.
    #[must_use]
    pub fn sensor(&self, sensor: &Sensor<'_>) -> Message {
        let store = &self.settings.store;
        let device = format!("kehai-{}-{}-{}", store.org, store.store, store.node);
        let unique = format!("{device}-{}-{}-{}", sensor.kind, sensor.id, sensor.figure);
        let payload = json!({
            "name": sensor.name,
            "unique_id": unique,
            "state_topic": self.topic(&format!("win/{}/{}", sensor.kind, sensor.id)),
            "value_template": format!("{{{{ value_json.d.get('{}', none) }}}}", sensor.figure),
            "unit_of_measurement": sensor.unit,
            "state_class": "measurement",
            "expire_after": sensor.expire_s,
            "availability": [{
                "topic": self.topic("state"),
                "value_template": "{{ value_json.state }}",
                "payload_available": "online",
                "payload_not_available": "offline",
            }],
            "device": { "identifiers": [device], "name": store.name, "manufacturer": "Kehai", "sw_version": env!("CARGO_PKG_VERSION") },
            "origin": { "name": "kehai", "sw_version": env!("CARGO_PKG_VERSION") },
        });
        let topic = format!("homeassistant/sensor/{unique}/config");
        Message { topic, body: json(&payload), retain: true, at_least_once: true }
    }
}
