//! Broker by broker: the same outages at each that shops run. What differs stands in docs/brokers.md.

use std::time::Duration;

use kehai::config::broker::{Protocol, Remote};

use super::outages::{BURST, Tally, must_survive, tell};
use crate::support::jetstream::{drain_sink, make_sink};
use crate::support::node::{Node, must_have_all};
use crate::support::stand::{Kind, Stand};
use crate::support::way::Way;

fn must_survive_twenty(kind: Kind, protocol: Protocol, signal: i32) {
    let tally = must_survive(kind, protocol, 20, signal);
    tell(&format!("{kind:?}, {protocol:?}, signal {signal}: {tally:?}"));
    assert_eq!(tally.released, 22 * BURST);
    assert!(tally.connections < 200, "{tally:?}");
}

#[test]
#[ignore = "minutes: a broker dies twenty times"]
fn mosquitto_without_a_memory_dies_twenty_times() {
    must_survive_twenty(Kind::Forgetful, Protocol::Five, libc::SIGKILL);
    must_survive_twenty(Kind::Forgetful, Protocol::Three, libc::SIGKILL);
}

#[test]
#[ignore = "minutes: a broker dies twenty times"]
fn mosquitto_that_keeps_sessions_ends_twenty_times() {
    must_survive_twenty(Kind::Mindful, Protocol::Five, libc::SIGTERM);
    must_survive_twenty(Kind::Mindful, Protocol::Three, libc::SIGTERM);
}

#[test]
#[ignore = "minutes: a broker dies twenty times"]
fn mosquitto_as_we_ship_it_dies_twenty_times() {
    must_survive_twenty(Kind::Guarded, Protocol::Five, libc::SIGKILL);
    must_survive_twenty(Kind::Guarded, Protocol::Three, libc::SIGKILL);
}

#[test]
#[ignore = "minutes: a broker dies twenty times"]
fn the_broker_of_our_own_dies_twenty_times() {
    must_survive_twenty(Kind::Embedded, Protocol::Auto, libc::SIGKILL);
}

#[test]
#[ignore = "minutes: a broker dies twenty times; needs nats-server"]
fn a_single_nats_server_dies_twenty_times() {
    must_survive_twenty(Kind::Nats(1), Protocol::Auto, libc::SIGKILL);
}

#[test]
#[ignore = "minutes: a broker dies, and takes its time to come back; needs rabbitmq-server"]
fn rabbitmq_dies_twenty_times() {
    must_survive_twenty(Kind::Rabbit, Protocol::Auto, libc::SIGKILL);
}

#[test]
#[ignore = "half a minute: a cluster comes up and loses a server; needs nats-server"]
fn a_nats_cluster_that_loses_a_server_takes_everything() {
    let mut stand = Stand::new(Kind::Nats(3));
    stand.start();
    let way = Way::to(stand.port);
    let node = Node::at(Remote { rate_per_s: 200, ..Remote::plain("127.0.0.1", way.port) });
    let mut ears = stand.ears();
    let mut released: Vec<_> = (0..100).map(|_| node.release()).collect();
    ears.await_windows(20);
    // Not the one the node is connected to: the cluster has to find another leader while windows come.
    stand.end_one(2, libc::SIGKILL);
    released.extend((0..100).map(|_| node.release()));
    let counts = node.await_drained(Duration::from_secs(120));
    assert_eq!((counts.done, counts.refused), (200, 0));
    let copies = must_have_all(&released, &ears.rest(Duration::from_secs(5)));
    tell(&format!("Nats(3): {:?}", Tally { released: released.len(), copies, connections: way.come() }));
}

#[test]
#[ignore = "a minute: each server of a cluster dies in turn; needs nats-server"]
fn a_nats_cluster_whose_servers_die_in_turn_keeps_everything_for_a_sink_that_was_there_first() {
    let mut stand = Stand::new(Kind::Nats(3));
    stand.start();
    // The first client of MQTT makes the stream.
    drop(stand.ears());
    make_sink(stand.client_port(1));
    let way = Way::to(stand.port);
    let node = Node::at(Remote { rate_per_s: 200, ..Remote::plain("127.0.0.1", way.port) });
    let mut released = Vec::new();
    for server in [2, 1, 0, 2, 1, 0] {
        released.extend((0..100).map(|_| node.release()));
        std::thread::sleep(Duration::from_millis(300));
        stand.end_one(server, libc::SIGKILL);
        released.extend((0..100).map(|_| node.release()));
        std::thread::sleep(Duration::from_secs(2));
        stand.start_one(server);
        // The next one dies when two others are sure to be there.
        std::thread::sleep(Duration::from_secs(6));
    }
    let counts = node.await_drained(Duration::from_secs(120));
    assert_eq!((counts.done, counts.refused), (1200, 0));
    std::thread::sleep(Duration::from_secs(3));
    let kept = drain_sink(stand.client_port(1));
    let copies = must_have_all(&released, &kept);
    tell(&format!(
        "Nats(3), each of three twice: {:?}",
        Tally { released: released.len(), copies, connections: way.come() }
    ));
}
