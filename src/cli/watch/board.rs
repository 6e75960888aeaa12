//! What is known of all nodes that are watched: the newest window of every object, who is there, what things are called.
//!
//! In: messages as they come, from anybody. Out: what a screen shows. Invariants: memory is bounded whatever comes
//! ([`OBJECTS_MAX`], [`NODES_MAX`]), and what found no room is counted; no text leaves here that could steer a terminal; an
//! older window never takes the place of a newer one.

use std::collections::BTreeMap;

use crate::publish::period::{Calendar, Context, HeatSums, ObjectFigures, Sums, Tally, definitions};
use crate::wire::read::{Kind, WindowBody};

/// All that is known.
#[derive(Default)]
pub struct Board {
    objects: BTreeMap<(String, Kind, String), Shown>,
    nodes: BTreeMap<String, bool>,
    calendars: BTreeMap<String, Calendar>,
    /// Whose time is told instead of each shop's own.
    calendar: Option<Calendar>,
    names: BTreeMap<(String, String), String>,
    /// The newest event.
    pub event: Option<Event>,
    /// Messages that came.
    pub messages: u64,
    /// Messages that are none of ours.
    pub strange: u64,
    /// Messages for which there was no room.
    pub crowded: u64,
}

/// Something that happened.
pub struct Event {
    /// Where.
    pub node: String,
    /// When, s since 1970 UTC.
    pub at_s: i64,
    /// What, and to what.
    pub words: String,
}

/// The newest window of an object.
pub struct Shown {
    /// Window start, s since 1970 UTC.
    pub start_s: i64,
    /// First second after.
    pub end_s: i64,
    /// Windows and time: of this one.
    pub tally: Tally,
    /// Figures as people read them: name, value.
    pub figures: Vec<(&'static str, String)>,
    /// The cells, if it is a heatmap.
    pub heat: Option<HeatSums>,
}

/// What a message was.
pub enum Heard {
    /// A window.
    Window(Kind, String),
    /// Whether a node is there.
    State(bool),
    /// Something happened: what, and to what.
    Event(String),
    /// The newest window of an object is no more.
    Cleared,
    /// Another message of ours.
    Other(&'static str),
    /// Nothing of ours.
    Strange,
}

impl Board {
    /// An empty board that tells times of this calendar, or of each shop's own.
    #[must_use]
    pub fn in_time_of(calendar: Option<Calendar>) -> Self {
        Self { calendar, ..Self::default() }
    }

    /// Takes a message.
    pub fn hear(&mut self, topic: &str, body: &[u8]) -> Heard {
        self.messages += 1;
        let base = base_of(topic);
        let heard = match WindowBody::read(body) {
            Ok(window) => {
                let (kind, id) = (window.kind, tame(&window.id));
                self.place(tame(base), &window);
                Heard::Window(kind, id)
            }
            Err(_) if body.is_empty() => self.clear(topic),
            Err(_) if body.starts_with(PNG) => Heard::Other("picture"),
            Err(_) => self.hear_other(base, body),
        };
        if matches!(heard, Heard::Strange) {
            self.strange += 1;
        }
        heard
    }

    /// Objects of a kind, in the order of node and id.
    pub fn of(&self, kind: Kind) -> impl Iterator<Item = (&str, &str, &Shown)> {
        let alike = self.objects.iter().filter(move |((_, one, _), _)| *one == kind);
        alike.map(|((node, _, id), shown)| (node.as_str(), id.as_str(), shown))
    }

    /// Nodes, and whether each is there.
    pub fn nodes(&self) -> impl Iterator<Item = (&str, bool)> {
        self.nodes.iter().map(|(node, is_online)| (node.as_str(), *is_online))
    }

    /// What an object is called by people; its id where nobody said.
    pub fn name<'a>(&'a self, node: &str, kind: Kind, id: &'a str) -> &'a str {
        self.names.get(&(node.to_owned(), format!("{}/{id}", kind.name()))).map_or(id, String::as_str)
    }

    /// The time of a node's shop; `None` where nobody said.
    pub fn calendar(&self, node: &str) -> Option<&Calendar> {
        self.calendar.as_ref().or_else(|| self.calendars.get(node))
    }

    /// What no longer is at the broker leaves the screen: it was purged.
    fn clear(&mut self, topic: &str) -> Heard {
        match topic.split('/').collect::<Vec<_>>()[..] {
            [.., "win", kind, id] => {
                if let Some(kind) = Kind::named(kind) {
                    self.objects.remove(&(tame(base_of(topic)), kind, tame(id)));
                }
                Heard::Cleared
            }
            [.., "img", _, _] => Heard::Cleared,
            _ => Heard::Strange,
        }
    }

    fn heats(&self) -> usize {
        self.objects.values().filter(|shown| shown.heat.is_some()).count()
    }

    fn place(&mut self, node: String, window: &WindowBody) {
        let key = (node, window.kind, tame(&window.id));
        let newest = self.objects.get(&key).map(|shown| shown.start_s);
        if newest.is_none() && self.objects.len() >= OBJECTS_MAX {
            self.crowded += 1;
            return;
        }
        if newest.is_some_and(|newest| newest > window.start_s) {
            return;
        }
        let mut sums = Sums::default();
        sums.add(None, window);
        let Some(object) = sums.find(window.kind, &window.id) else { return };
        let told = definitions(window.kind).filter(|definition| SHOWN.contains(&definition.name));
        let told = told.filter_map(|definition| {
            let figure = definition.figure(object, &Context::default())?;
            let value = figure.value().map_or_else(|| figure.why().map_or("", |why| why.words()).to_owned(), short);
            Some((definition.label, value))
        });
        let has_room = self.objects.get(&key).is_some_and(|shown| shown.heat.is_some()) || self.heats() < HEATS_MAX;
        let heat = match &object.figures {
            ObjectFigures::Heat(heat) if has_room => Some(heat.clone()),
            _ => None,
        };
        let shown = Shown {
            start_s: window.start_s,
            end_s: window.end_s(),
            tally: object.tally,
            figures: told.collect(),
            heat,
        };
        self.objects.insert(key, shown);
    }

    fn hear_other(&mut self, base: &str, body: &[u8]) -> Heard {
        let Ok(value) = serde_json::from_slice::<serde_json::Value>(body) else { return Heard::Strange };
        match value["k"].as_str() {
            Some("state") => {
                let is_online = value["state"] == "online";
                let node = tame(base);
                if self.nodes.len() < NODES_MAX || self.nodes.contains_key(&node) {
                    self.nodes.insert(node, is_online);
                } else {
                    self.crowded += 1;
                }
                Heard::State(is_online)
            }
            Some("meta") => {
                let of = value["of"].as_str().unwrap_or_default().trim_end_matches('s').to_owned();
                for item in value["items"].as_array().into_iter().flatten() {
                    let Some((id, name)) = item["id"].as_str().zip(item["name"].as_str()) else { continue };
                    let key = (tame(base), format!("{}/{}", tame(&of), tame(id)));
                    if self.names.len() < OBJECTS_MAX || self.names.contains_key(&key) {
                        self.names.insert(key, tame(name));
                    } else {
                        self.crowded += 1;
                    }
                }
                Heard::Other("meta")
            }
            Some("about") => {
                let calendar = value["timezone"].as_str().and_then(|zone| Calendar::of(zone).ok());
                let node = tame(base);
                if self.calendars.len() < NODES_MAX || self.calendars.contains_key(&node) {
                    self.calendars.extend(calendar.map(|calendar| (node, calendar)));
                } else {
                    self.crowded += 1;
                }
                Heard::Other("about")
            }
            Some("evt") => {
                let what = value["of"].as_str().unwrap_or_default();
                let about = if value["about"].is_null() { String::new() } else { value["about"].to_string() };
                let event = format!("{} {}", tame(what), tame(&about));
                let at = value["at"].as_str().and_then(|at| at.parse::<jiff::Timestamp>().ok());
                let at_s = at.map_or(0, jiff::Timestamp::as_second);
                if self.event.as_ref().is_none_or(|newest| newest.at_s <= at_s) {
                    self.event = Some(Event { node: tame(base), at_s, words: event.trim_end().to_owned() });
                }
                Heard::Event(event.trim_end().to_owned())
            }
            Some("health") => Heard::Other("health"),
            Some("audit") => Heard::Other("audit"),
            Some("rsp") => Heard::Other("answer"),
            Some("cmd") => Heard::Other("command"),
            _ => Heard::Strange,
        }
    }
}

/// The levels of a topic that name its node: the three before what it is about.
fn base_of(topic: &str) -> &str {
    let after = ["/win/", "/state", "/about", "/meta/", "/health", "/audit", "/evt/", "/img/", "/rsp/", "/cmd/"];
    let end = after.iter().filter_map(|part| topic.rfind(part)).min().unwrap_or(topic.len());
    let base = &topic[..end];
    base.rmatch_indices('/').nth(2).map_or(base, |(at, _)| &base[at + 1..])
}

/// A text from anybody that is safe to print: no control character, nothing that turns the direction of writing, and no
/// longer than a name.
#[must_use]
pub fn tame(text: &str) -> String {
    let is_harmless = |letter: char| {
        !letter.is_control()
            && !matches!(letter, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
    };
    text.chars().take(TEXT_MAX).map(|letter| if is_harmless(letter) { letter } else { '\u{fffd}' }).collect()
}

/// A number in a few letters.
fn short(value: f64) -> String {
    if value.fract() == 0.0 { format!("{value}") } else { format!("{value:.2}") }
}

/// The first bytes of a picture.
const PNG: &[u8] = b"\x89PNG";
/// Figures that fit on a screen.
const SHOWN: [&str; 17] = [
    "in",
    "out",
    "uncertain",
    "visits",
    "stops",
    "dwell_mean_s",
    "occ_max",
    "occupancy_mean",
    "joined",
    "served",
    "abandoned",
    "wait_p50_s",
    "wait_p90_s",
    "len_max",
    "cells_told",
    "dropped",
    "cut",
];
/// Objects that are shown: ten shops with fifty each.
pub const OBJECTS_MAX: usize = 500;
/// Heatmaps whose cells are kept.
const HEATS_MAX: usize = 40;
/// Nodes whose state is shown.
pub const NODES_MAX: usize = 200;
/// Letters of a text.
const TEXT_MAX: usize = 60;

#[cfg(test)]
mod tests {
    use super::*;

    fn line(id: &str, start: &str, inward: u32) -> String {
        format!(
            r#"{{"v":1,"k":"line","id":"{id}","ws":"2026-11-20T{start}:00Z","dur":900,"cov_ms":900000,"privacy":{{"k":5}},"d":{{"in":{inward},"out":0,"uncertain":0}}}}"#
        )
    }

    fn shown(board: &Board) -> Vec<(&str, &str, &str)> {
        board.of(Kind::Line).map(|(node, id, shown)| (node, id, shown.figures[0].1.as_str())).collect()
    }

    #[test]
    fn the_newest_window_stays_whatever_comes_later() {
        let mut board = Board::default();
        for (start, inward) in [("10:00", 1), ("10:30", 3), ("10:15", 2)] {
            board.hear("kehai/v1/acme/s1/edge/win/line/door", line("door", start, inward).as_bytes());
        }
        assert_eq!(shown(&board), [("acme/s1/edge", "door", "3")]);
    }

    #[test]
    fn a_purged_window_leaves_the_screen_and_its_neighbour_stays() {
        let mut board = Board::default();
        for id in ["door", "gate"] {
            board.hear(&format!("kehai/v1/acme/s1/edge/win/line/{id}"), line(id, "10:00", 1).as_bytes());
        }
        assert!(matches!(board.hear("kehai/v1/acme/s1/edge/win/line/door", b""), Heard::Cleared));
        assert_eq!(shown(&board), [("acme/s1/edge", "gate", "1")]);
        assert_eq!(board.strange, 0);
    }

    #[test]
    fn the_newest_event_is_kept_whatever_comes_later() {
        let mut board = Board::default();
        for (what, at) in [("camera-lost", "10:00"), ("camera-back", "10:05"), ("clock-step", "09:00")] {
            let body =
                format!(r#"{{"v":1,"k":"evt","of":"{what}","at":"2026-11-20T{at}:00Z","about":{{"camera":"view"}}}}"#);
            assert!(matches!(board.hear("kehai/v1/acme/s1/edge/evt/x", body.as_bytes()), Heard::Event(_)));
        }
        let event = board.event.as_ref().expect("an event");
        assert_eq!((event.node.as_str(), event.words.as_str()), ("acme/s1/edge", r#"camera-back {"camera":"view"}"#));
        for ours in [&b"\x89PNG\r"[..], br#"{"v":1,"k":"rsp"}"#, br#"{"v":1,"k":"cmd"}"#] {
            board.hear("kehai/v1/acme/s1/edge/img/heat/x", ours);
        }
        assert_eq!(board.strange, 0);
    }

    #[test]
    fn what_could_steer_a_terminal_does_not_leave_the_board() {
        assert_eq!(tame("\u{1b}[2Jdoor\n\u{202e}x\u{7}\u{9b}m"), "\u{fffd}[2Jdoor\u{fffd}\u{fffd}x\u{fffd}\u{fffd}m");
        assert_eq!(tame(&"x".repeat(1000)).len(), TEXT_MAX);
    }

    #[test]
    fn memory_is_bounded_whatever_comes() {
        let mut board = Board::default();
        for number in 0..10_000 {
            let topic = format!("a/b/c{number}/win/line/door");
            board.hear(&topic, line("door", "10:00", 1).as_bytes());
            board.hear(&format!("a/b/c{number}/state"), br#"{"v":1,"k":"state","state":"online"}"#);
            board.hear(&format!("a/b/c{number}/about"), br#"{"v":1,"k":"about","timezone":"Asia/Tokyo"}"#);
            board.hear(
                "a/b/c/meta/lines",
                format!(r#"{{"v":1,"k":"meta","of":"lines","items":[{{"id":"{number}","name":"n"}}]}}"#).as_bytes(),
            );
        }
        assert_eq!((board.of(Kind::Line).count(), board.nodes().count()), (OBJECTS_MAX, NODES_MAX));
        assert_eq!(board.calendars.len(), NODES_MAX);
        assert_eq!(board.crowded, 40_000 - 2 * OBJECTS_MAX as u64 - 2 * NODES_MAX as u64);
        for strange in [&b"\xff\xfe"[..], b"{}", b"[]", b"{\"k\":7}", b"", b"{\"v\":1,\"k\":\"line\"}"] {
            board.hear("x", strange);
        }
        assert_eq!(board.strange, 6);
    }

    #[test]
    fn the_node_is_read_from_any_depth_of_root() {
        assert_eq!(base_of("kehai/v1/acme/s1/edge/win/line/door"), "acme/s1/edge");
        assert_eq!(base_of("r/acme/s1/edge/state"), "acme/s1/edge");
        assert_eq!(base_of("edge/state"), "edge");
        assert_eq!(base_of(""), "");
    }
}
