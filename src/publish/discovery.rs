//! Home Assistant finds the figures by itself: one retained message for each, where the site asks for it.
//!
//! In: the settings and the topics of a node. Out: retained messages below `homeassistant/`. Invariants: every sensor knows whether the
//! node is there and when its last window is too old to show; nothing is offered that is not published.
//! Source: Home Assistant, MQTT discovery (device and sensor messages with `unique_id`, `availability`, `expire_after`).

use crate::config::{COUNT_WINDOW_S, Settings};
use crate::wire::Message;
use crate::wire::compose::{Composer, Sensor};

/// The messages of discovery.
#[must_use]
pub fn discovery(composer: &Composer, settings: &Settings) -> Vec<Message> {
    let place = |kind: &'static str, id: &str, name: &str, figures: &[Figure]| -> Vec<Message> {
        let sensor = |figure: &Figure| {
            let (key, words, unit) = *figure;
            composer.sensor(&Sensor {
                kind,
                id,
                name: format!("{name}: {words}"),
                figure: key,
                unit,
                expire_s: EXPIRE_S,
            })
        };
        figures.iter().map(sensor).collect()
    };
    let lines = settings.lines.iter().flat_map(|line| place("line", &line.id, &line.name, &OF_LINE));
    let zones = settings.zones.iter().flat_map(|zone| place("zone", &zone.id, &zone.name, &OF_ZONE));
    let queues = settings.queues.iter().flat_map(|queue| place("queue", &queue.id, &queue.name, &OF_QUEUE));
    lines.chain(zones).chain(queues).collect()
}

/// Name on the wire, words, unit.
type Figure = (&'static str, &'static str, &'static str);

const OF_LINE: [Figure; 2] =
    [("in", "in, last quarter of an hour", "people"), ("out", "out, last quarter of an hour", "people")];
const OF_ZONE: [Figure; 2] = [
    ("visits", "visits, last quarter of an hour", "people"),
    ("occ_max", "most at once, last quarter of an hour", "people"),
];
const OF_QUEUE: [Figure; 2] = [
    ("joined", "joined, last quarter of an hour", "people"),
    ("len_max", "longest, last quarter of an hour", "people"),
];
/// A window is late when the next one should have been there: two windows and the longest wait before one is sent.
const EXPIRE_S: u32 = 2 * COUNT_WINDOW_S + 120;
