//! Delivery over a real broker to a client that is not ours: every record once, the same bytes, whatever the broker does.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::support::broker::{Broker, First, Got, await_greeting, await_port, free_port, relay};
use crate::support::folder::Folder;
use crate::support::program::{Ended, start};
use crate::support::recording::{Played, draw_room, first_frames};
use crate::support::site::{BARE, demo_at_broker};

/// Where the demo's node publishes.
const DEMO: &str = "kehai/v1/demo/pets09/edge-1/";

/// The windows among what came, and that each stands under the topic its payload names.
fn bodies(got: &[Got]) -> Vec<String> {
    let windows: Vec<&Got> = got.iter().filter(|got| got.is_window()).collect();
    for window in &windows {
        let payload: Value = serde_json::from_str(&window.body).expect("a payload is JSON");
        let place = format!("/win/{}/{}", payload["k"].as_str().unwrap_or("?"), payload["id"].as_str().unwrap_or("?"));
        assert!(window.topic.ends_with(&place), "{} holds {place}", window.topic);
        assert!(window.qos == 1 && !window.retained, "{window:?}");
    }
    windows.into_iter().map(|got| got.body.clone()).collect()
}

#[test]
fn a_subscriber_gets_every_record_once_and_byte_for_byte() {
    let (folder, (port, held)) = (Folder::new(), free_port());
    drop(held);
    let broker = Broker::start(port, &folder);
    broker.register();
    let site = folder.write("site.toml", demo_at_broker(port));
    let played = Played::replay(&first_frames(), &site, &["--publish", "--start", "2026-01-05T09:59:57Z"]);
    assert_eq!(played.ended.code, Some(0), "{}", played.ended.err);
    let got = broker.collect();
    assert_eq!(bodies(&got), played.lines());
    assert_eq!(played.lines().len(), 20);
    assert_eq!(played.summary()["windows_acknowledged"], 20);
}

#[test]
fn a_node_introduces_itself_and_says_goodbye() {
    let (folder, (port, held)) = (Folder::new(), free_port());
    drop(held);
    let broker = Broker::start(port, &folder);
    let site = folder.write("site.toml", demo_at_broker(port));
    let played = Played::replay(&first_frames(), &site, &["--publish"]);
    assert_eq!(played.ended.code, Some(0), "{}", played.ended.err);
    let mut kept = broker.kept();
    kept.sort_by(|one, other| one.topic.cmp(&other.topic));
    let topics: Vec<&str> = kept.iter().map(|got| got.topic.trim_start_matches(DEMO)).collect();
    // No window among them: an old one must not take the place of a shop's newest.
    assert_eq!(
        topics,
        ["about", "meta/calendar", "meta/cameras", "meta/floors", "meta/lines", "meta/queues", "meta/zones", "state"]
    );
    assert!(kept.iter().all(|got| got.retained && got.qos == 1), "{kept:#?}");
    assert_eq!(kept[7].body, r#"{"v":1,"k":"state","state":"offline","boot":"replay"}"#);
    let about: Value = serde_json::from_str(&kept[0].body).expect("a payload is JSON");
    assert_eq!(about["cfg"], played.windows()[0]["cfg"], "records and introduction name the same configuration");
}

/// The broker takes nothing as long as a map of a floor; all the rest arrives, whether or not it says so beforehand.
fn must_deliver_what_is_short(limit: &str, longest: usize) {
    let (folder, (port, held)) = (Folder::new(), free_port());
    drop(held);
    let broker = Broker::start_with(&format!("{limit} {longest}"), port, &folder);
    broker.register();
    let site = folder.write("site.toml", demo_at_broker(port));
    let played = Played::replay(&first_frames(), &site, &["--publish", "--start", "2026-01-05T09:59:57Z"]);
    assert_eq!(played.ended.code, Some(5), "{}", played.ended.err);
    assert!(played.ended.err.contains("6 of 20 windows were not delivered"), "{}", played.ended.err);
    let is_short = |line: &String| !["heat", "flow"].iter().any(|kind| line.contains(&format!("\"k\":\"{kind}\"")));
    let short: BTreeSet<String> = played.lines().into_iter().filter(is_short).collect();
    assert!(short.iter().all(|line| line.len() < longest), "{short:#?}");
    assert_eq!(bodies(&broker.collect()).into_iter().collect::<BTreeSet<_>>(), short);
}

#[test]
fn a_broker_that_refuses_long_payloads_gets_the_rest() {
    must_deliver_what_is_short("message_size_limit", 500);
}

#[test]
fn a_broker_that_announces_its_longest_packet_gets_the_rest() {
    must_deliver_what_is_short("max_packet_size", 540);
}

/// A drawn room of 300 pictures, ten seconds apart: more than three quarters of an hour across a full hour.
struct LongDay {
    folder: Folder,
}

impl LongDay {
    fn new(port: u16) -> Self {
        let folder = Folder::new();
        draw_room(&folder, 300);
        let places = "[[line]]\nid = \"door\"\nends_px = [[10, 50], [110, 50]]\ninside_px = [60, 90]\n\
                      [[zone]]\nid = \"shelf\"\npolygon_px = [[10, 10], [60, 10], [60, 60]]\n\
                      [detector]\nsize = { height = 64, width = 64 }\n";
        let site = format!("{}{places}[broker]\nurl = \"mqtt://127.0.0.1:{port}\"\n", BARE.replace("20.0", "0.1"));
        folder.write("site.toml", site);
        Self { folder }
    }

    /// Replays it while `meanwhile` runs; gives how it ended and the records it wrote.
    fn publish_while<T>(&self, meanwhile: impl FnOnce() -> T) -> (Ended, Vec<String>, T) {
        let (room, site, out) = (self.folder.path("room"), self.folder.path("site.toml"), self.folder.path("out"));
        let running = start(&["replay", &room, "--site", &site, "--out", &out, "--publish"], &[]);
        let left = meanwhile();
        let ended = running.ended();
        let text = std::fs::read_to_string(self.folder.path("out/windows.jsonl")).expect("records were written");
        (ended, text.lines().map(str::to_owned).collect(), left)
    }
}

#[test]
fn a_broker_that_comes_up_late_gets_everything() {
    let ((port, way), (behind, held)) = (free_port(), free_port());
    let day = LongDay::new(port);
    drop(held);
    let broker = Broker::start(behind, &day.folder);
    broker.register();
    let (ended, lines, _ways) = day.publish_while(|| {
        // The first attempt finds somebody who hangs up; only then there is a way to the broker.
        drop(way.accept().expect("kehai looks for its broker"));
        relay(way, behind, First::Passed)
    });
    assert_eq!(ended.code, Some(0), "{}", ended.err);
    assert_eq!(bodies(&broker.collect()), lines);
    assert_eq!(lines.len(), 9, "a line and a zone in four quarters of an hour, transitions in one hour");
}

#[test]
fn a_broker_that_goes_before_its_receipts_come_loses_nothing() {
    let ((port, way), (behind, held)) = (free_port(), free_port());
    let day = LongDay::new(port);
    drop(held);
    let broker = Broker::start(behind, &day.folder);
    broker.register();
    let ways = relay(way, behind, First::Swallowed);
    let (ended, lines, before) = day.publish_while(|| {
        let before = broker.first_window();
        let first = ways.recv().expect("the node is there");
        first.shutdown(std::net::Shutdown::Both).expect("a way can be cut");
        before
    });
    assert_eq!(ended.code, Some(0), "{}", ended.err);
    let got = bodies(&broker.collect());
    // At least once: a record whose receipt never came is sent again, with the same bytes.
    let everything: BTreeSet<&String> = got.iter().collect();
    assert_eq!(everything, lines.iter().collect::<BTreeSet<_>>(), "{} came", got.len());
    assert_eq!(got.iter().filter(|line| **line == before).count(), 2, "once on each connection");
    assert!(got.len() <= 2 * lines.len());
}

#[test]
fn the_embedded_broker_does_not_outlive_a_killed_mouth() {
    let (folder, (port, held)) = (Folder::new(), free_port());
    drop(held);
    let site = folder.write("site.toml", format!("{BARE}[broker]\nembedded = true\nport = {port}\n"));
    let (room, out) = (draw_room(&folder, 300), folder.path("out"));
    let running = start(&["replay", &room, "--site", &site, "--out", &out, "--publish", "--realtime"], &[]);
    await_greeting(port);
    drop(running);
    await_port(port, false);
}

#[test]
#[ignore = "half a minute: the patience of a replay"]
fn without_a_broker_the_records_are_written_and_the_failure_is_told() {
    let (folder, (port, held)) = (Folder::new(), free_port());
    drop(held);
    let places = "[[line]]\nid = \"door\"\nends_px = [[10, 50], [110, 50]]\ninside_px = [60, 90]\n";
    let broker = format!("[broker]\nurl = \"mqtt://127.0.0.1:{port}\"\n");
    let site = folder.write("site.toml", format!("{BARE}{places}{broker}"));
    let played = Played::replay(&draw_room(&folder, 3), &site, &["--publish"]);
    assert_eq!(played.ended.code, Some(5), "{}", played.ended.err);
    assert!(played.ended.err.contains("2 of 2 windows were not delivered"), "{}", played.ended.err);
    assert_eq!(played.lines().len(), 2);
    assert_eq!(played.summary()["windows_acknowledged"], 0);
}
