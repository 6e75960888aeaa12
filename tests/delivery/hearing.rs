//! Commands from outside: heard after every connection, marked when the broker had kept them, asked for again when refused.

use std::process::Command as Process;
use std::time::Duration;

use kehai::config::broker::{Protocol, Remote};

use crate::support::broker::{Broker, free_port};
use crate::support::folder::Folder;
use crate::support::node::{BASE, Node};
use crate::support::way::Way;

fn broker(more: &str, folder: &Folder) -> (Broker, u16) {
    let (port, held) = free_port();
    drop(held);
    (Broker::start_with(more, port, folder), port)
}

/// Somebody publishes.
fn say(port: u16, verb: &str, body: &[u8], more: &[&str]) {
    let folder = Folder::new();
    let file = folder.write("body", body);
    let topic = format!("{BASE}cmd/{verb}");
    let mut client = Process::new("mosquitto_pub");
    client.args(["-h", "127.0.0.1", "-p", &port.to_string(), "-q", "1", "-t", &topic, "-f", &file]).args(more);
    assert!(client.status().expect("mosquitto-clients is installed (make setup)").success());
}

#[test]
fn commands_are_heard_in_either_version_after_every_connection() {
    let folder = Folder::new();
    let (_broker, port) = broker("", &folder);
    for protocol in [Protocol::Five, Protocol::Three] {
        let way = Way::to(port);
        let mut node = Node::at(Remote { protocol, ..Remote::plain("127.0.0.1", way.port) });
        for life in 0..2 {
            node.await_connected(true);
            let begun = std::time::Instant::now();
            // Nobody tells when a subscription stands: it is asked until it answers.
            let command = loop {
                say(port, "ping", format!("{{\"id\":{life}}}").as_bytes(), &[]);
                std::thread::sleep(Duration::from_millis(50));
                if let Some(command) = node.try_command() {
                    break command;
                }
                assert!(begun.elapsed().as_secs() < 20, "no command came");
            };
            assert_eq!((command.verb.as_str(), command.is_retained), ("ping", false));
            while node.try_command().is_some() {}
            way.cut();
            node.await_connected(false);
        }
    }
}

#[test]
fn a_command_the_broker_had_kept_is_marked() {
    let folder = Folder::new();
    let (_broker, port) = broker("", &folder);
    say(port, "lock", b"{\"id\":\"old\"}", &["-r"]);
    let mut node = Node::at(Remote::plain("127.0.0.1", port));
    let command = node.command();
    assert_eq!((command.verb.as_str(), command.body.as_slice()), ("lock", &b"{\"id\":\"old\"}"[..]));
    assert!(command.is_retained);
}

#[test]
fn a_refused_subscription_is_told_asked_again_and_costs_no_window() {
    let folder = Folder::new();
    let acl = folder.write("acl", format!("topic write {BASE}#\n"));
    // mosquitto 2.0 grants a subscription and passes nothing on, unless it is told to check when it is asked.
    let (_broker, port) = broker(&format!("acl_file {acl}"), &folder);
    let way = Way::to(port);
    let node = Node::at(Remote::plain("127.0.0.1", way.port));
    node.release();
    assert_eq!(node.await_drained(Duration::from_secs(20)).done, 1);
    assert_eq!(way.come(), 1);
}

#[test]
fn a_broker_that_hangs_up_when_asked_for_commands_gets_the_windows_all_the_same() {
    let folder = Folder::new();
    let (broker, port) = broker("", &folder);
    broker.register();
    let way = Way::to(port);
    way.forbid(b"cmd/+");
    let mut node = Node::at(Remote::plain("127.0.0.1", way.port));
    node.trouble("hangs up when asked");
    node.await_connected(true);
    let released: Vec<_> = (0..20).map(|_| node.release()).collect();
    node.await_drained(Duration::from_secs(20));
    crate::support::node::must_have_all(&released, &broker.collect());
    assert!(way.come() <= 6, "{} connections", way.come());
}

#[test]
fn an_overlong_command_that_the_broker_keeps_does_not_end_every_connection() {
    let folder = Folder::new();
    let (broker, port) = broker("", &folder);
    broker.register();
    say(port, "ping", &vec![b'x'; 2 << 20], &["-r"]);
    // 5 has told the broker what is too long; in 3.1.1 it comes.
    for protocol in [Protocol::Five, Protocol::Three] {
        let way = Way::to(port);
        let mut node = Node::at(Remote { protocol, ..Remote::plain("127.0.0.1", way.port) });
        if protocol == Protocol::Three {
            node.trouble("overlong");
        }
        let released: Vec<_> = (0..20).map(|_| node.release()).collect();
        node.await_drained(Duration::from_secs(20));
        crate::support::node::must_have_all(&released, &broker.collect());
        assert!(way.come() <= 3, "{} connections", way.come());
    }
}
