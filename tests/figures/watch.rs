//! `kehai watch` beside a real broker: what comes is shown, what is hostile neither steers a terminal nor ends it.

use std::process::Command;

use serde_json::Value;

use crate::support::broker::{Broker, free_port};
use crate::support::folder::Folder;
use crate::support::program::{Running, kehai, start};
use crate::support::simulated::shop;

/// Publishes a kept message with a client that is not ours: whoever comes later finds it.
fn publish(port: u16, topic: &str, body: &[u8], folder: &Folder) {
    let file = folder.write("message", body);
    let mut client = Command::new("mosquitto_pub");
    client.args(["-h", "127.0.0.1", "-p", &port.to_string(), "-q", "1", "-r", "-t", topic, "-f", &file]);
    assert!(client.status().expect("mosquitto-clients is installed (make setup)").success());
}

fn watching(port: u16, more: &[&str]) -> Running {
    let url = format!("mqtt://127.0.0.1:{port}");
    start(&[&["watch", "--broker", &url], more].concat(), &[])
}

#[test]
fn every_message_is_a_line_and_hostile_ones_are_tame() {
    let folder = Folder::new();
    let (port, taken) = free_port();
    drop(taken);
    let _broker = Broker::start(port, &folder);
    let mut shop = shop("Asia/Tokyo", 1, 5);
    let messages: Vec<_> = shop.windows(1_795_136_400, 1_795_136_400 + 900).collect();
    messages.iter().for_each(|message| publish(port, &message.topic, &message.body, &folder));
    let hostile = b"{\"v\":1,\"k\":\"line\",\"id\":\"\\u001b[2J\\u202edoor\",\"ws\":\"2026-11-20T01:00:00Z\",\"dur\":900,\"cov_ms\":1,\"privacy\":{\"k\":5},\"d\":{\"in\":1,\"out\":2}}";
    publish(port, "kehai/v1/a/b/c/win/line/x", hostile, &folder);
    publish(port, "kehai/v1/a/b/c/state", b"\x1b]0;owned\x07\xff", &folder);
    let count = (messages.len() + 2).to_string();
    let words = watching(port, &["--count", &count]).ended();
    assert_eq!(words.code, Some(0), "{}", words.err);
    assert_eq!(words.out.lines().count(), messages.len() + 2, "{}", words.out);
    assert!(words.out.contains("acme/s0042/edge-1 door-a: in "), "{}", words.out);
    assert!(words.out.chars().all(|letter| letter == '\n' || !letter.is_control()), "{:?}", words.out);
    let lines = watching(port, &["--count", &count, "--json"]).ended();
    let read: Vec<Value> = lines.out.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    assert_eq!(read.len(), messages.len() + 2);
    assert!(lines.out.chars().all(|letter| letter == '\n' || !letter.is_control()), "{:?}", lines.out);
    for message in &messages {
        let body = std::str::from_utf8(&message.body).expect("JSON");
        assert!(lines.out.contains(body), "the payload stands as it came: {body}");
    }
}

#[test]
fn a_filter_narrows_what_is_heard() {
    let folder = Folder::new();
    let (port, taken) = free_port();
    drop(taken);
    let _broker = Broker::start(port, &folder);
    for shop in ["s1", "s2"] {
        publish(port, &format!("kehai/v1/acme/{shop}/edge/state"), br#"{"v":1,"k":"state","state":"online"}"#, &folder);
    }
    let heard = watching(port, &["--count", "1", "--filter", "kehai/v1/acme/s2/+/state"]).ended();
    assert_eq!(heard.out, "kehai/v1/acme/s2/edge/state: online\n", "{}", heard.err);
}

#[test]
fn an_address_or_a_filter_that_cannot_be_is_refused_with_the_remedy() {
    let cases: [(&[&str], &[&str]); 5] = [
        (&["--broker", "127.0.0.1"], &["127.0.0.1", "mqtt://HOST:PORT"]),
        (&["--broker", "mqtt://user:secret@127.0.0.1:1883"], &["--password-file"]),
        (&["--broker", "mqtt://broker.example:1883"], &["mqtts://", "--dangerous-plaintext"]),
        (&["--broker", "mqtt://127.0.0.1:1883", "--ca-file", "ca.pem"], &["without TLS"]),
        (&["--broker", "mqtt://127.0.0.1:1883", "--filter", "kehai/#/x"], &["kehai/#/x", "# at the end"]),
    ];
    for (arguments, naming) in cases {
        let ended = kehai(&[&["watch"], arguments].concat());
        ended.must_be_refused(2, naming);
        assert!(!ended.err.contains("secret"), "a password is not repeated");
    }
}
