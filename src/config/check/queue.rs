//! Queues of the site file: where people wait, where they are served, after how long a wait is too long.
//!
//! In: a raw queue, the zones and lines. Out: a [`Queue`]. Invariant: both places lie before one camera.

use super::{Check, quoted};
use crate::config::site::RawQueue;
use crate::config::{Line, Place, Queue, Zone};

impl Check {
    /// A queue; with a problem, one of the first zone that is not used.
    pub(super) fn queue(&mut self, raw: RawQueue, zones: &[Zone], lines: &[Line]) -> Queue {
        self.id("queue.id", &raw.id);
        let key = |part: &str| format!("queue.{}.{part}", raw.id);
        let zone = zones.iter().position(|zone| zone.id == raw.zone);
        if zone.is_none() {
            self.refuse(key("zone"), quoted(&raw.zone), "name the id of the [[zone]] in which people wait");
        }
        let by_zone = zones.iter().position(|zone| zone.id == raw.served_by);
        let by_line = lines.iter().position(|line| line.id == raw.served_by);
        let served_by = by_zone.map(Place::Zone).or(by_line.map(Place::Line));
        let remedy = match (by_zone, by_line) {
            (None, None) => Some("name the id of the [[zone]] or [[line]] people go to when their turn comes"),
            (Some(_), Some(_)) => Some("a zone and a line have this id; give one of them another"),
            (by_zone, None) if by_zone == zone => Some("people cannot be served where they wait; name another place"),
            _ => None,
        };
        if let Some(remedy) = remedy {
            self.refuse(key("served_by"), quoted(&raw.served_by), remedy);
        }
        let camera_of = |place: Place| match place {
            Place::Zone(zone) => zones[zone].camera,
            Place::Line(line) => lines[line].camera,
        };
        if let Some((zone, served_by)) = zone.zip(served_by)
            && camera_of(Place::Zone(zone)) != camera_of(served_by)
        {
            let remedy =
                "name a place before the camera that watches the queue: nobody is followed from one to another";
            self.refuse(key("served_by"), quoted(&raw.served_by), remedy);
        }
        if !(TARGET_S_MIN..=TARGET_S_MAX).contains(&raw.target_s) {
            let remedy = format!("write {TARGET_S_MIN} to {TARGET_S_MAX} seconds");
            self.refuse(key("target_s"), raw.target_s, remedy);
        }
        Queue {
            name: raw.name.unwrap_or_else(|| raw.id.clone()),
            id: raw.id,
            zone: zone.unwrap_or_default(),
            served_by: served_by.unwrap_or(Place::Zone(0)),
            target_ms: (raw.target_s * 1000.0).round() as u32,
        }
    }
}

/// Shortest wait that can be too long, s.
const TARGET_S_MIN: f64 = 1.0;
/// Longest wait anybody would call a target, s.
const TARGET_S_MAX: f64 = 7200.0;
