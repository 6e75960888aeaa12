//! What a broker refuses: too long, denied, another version, a hang-up at a word. Each is told with its reason, the others
//! flow on, and nobody is stormed.

use std::time::Duration;

use kehai::config::broker::{Protocol, Remote};
use kehai::publish::mqtt::Trouble;

use crate::support::broker::{Broker, free_port};
use crate::support::folder::Folder;
use crate::support::node::{BASE, Node, must_have_all};
use crate::support::stand::{Kind, Stand};
use crate::support::way::Way;

/// A broker with more settings, heard by a subscriber, and the way to it.
fn broker_with(more: &str, folder: &Folder) -> (Broker, Way) {
    let (port, held) = free_port();
    drop(held);
    let broker = Broker::start_with(more, port, folder);
    broker.register();
    (broker, Way::to(port))
}

#[test]
fn a_window_longer_than_the_broker_announces_is_told_and_the_others_flow_on() {
    let folder = Folder::new();
    let (broker, way) = broker_with("max_packet_size 4000", &folder);
    let mut node = Node::at(Remote::plain("127.0.0.1", way.port));
    let mut released: Vec<_> = (0..5).map(|_| node.release()).collect();
    let long = node.release_at("heat", "sales-visits", 5000);
    released.extend((0..5).map(|_| node.release()));
    let counts = node.await_drained(PATIENCE);
    assert_eq!((counts.done, counts.refused), (10, 1));
    let Trouble::TooLarge { topic, bytes, limit } = node.trouble("sales-visits") else { panic!("too large") };
    assert_eq!((topic, limit), (long.topic.clone(), 4000));
    assert!(bytes > 5000);
    assert!(node.vault.held().contains(&long), "it stays in the history");
    must_have_all(&released, &broker.collect());
    assert_eq!(way.come(), 1, "one connection serves");
}

#[test]
fn a_window_that_the_broker_throws_us_out_for_is_told_and_the_others_flow_on() {
    let folder = Folder::new();
    let (broker, way) = broker_with("message_size_limit 4000", &folder);
    let mut node = Node::at(Remote::plain("127.0.0.1", way.port));
    let mut released: Vec<_> = (0..5).map(|_| node.release()).collect();
    node.release_at("heat", "sales-visits", 5000);
    released.extend((0..5).map(|_| node.release()));
    let counts = node.await_drained(PATIENCE);
    assert_eq!((counts.done, counts.refused), (10, 1));
    assert!(matches!(node.trouble("sales-visits"), Trouble::Refused { .. }));
    must_have_all(&released, &broker.collect());
    assert!(way.come() <= 4, "{} connections", way.come());
}

#[test]
fn a_broker_that_takes_three_at_a_time_is_not_sent_a_fourth() {
    let folder = Folder::new();
    // mosquitto announces it to 5 and ends a connection that goes beyond.
    let (broker, way) = broker_with("max_inflight_messages 3", &folder);
    let node = Node::at(Remote { rate_per_s: 5000, ..Remote::plain("127.0.0.1", way.port) });
    let released: Vec<_> = (0..200).map(|_| node.release()).collect();
    assert_eq!(node.await_drained(PATIENCE).done, 200);
    must_have_all(&released, &broker.collect());
    assert_eq!(way.come(), 1);
}

#[test]
fn a_topic_the_broker_denies_is_told_once_and_the_others_flow_on() {
    let folder = Folder::new();
    let acl = folder.write("acl", format!("topic read #\ntopic write call\ntopic write mark\ntopic write {BASE}state\ntopic write {BASE}about\ntopic write {BASE}win/line/+\n"));
    let (broker, way) = broker_with(&format!("acl_file {acl}"), &folder);
    let mut node = Node::at(Remote::plain("127.0.0.1", way.port));
    let mut released = Vec::new();
    for _ in 0..5 {
        released.push(node.release());
        node.release_at("zone", "shelf", 0);
    }
    let counts = node.await_drained(PATIENCE);
    assert_eq!((counts.done, counts.refused), (5, 5));
    for (topic, times) in [("win/zone/shelf", 1), ("meta/lines", 1)] {
        node.trouble(&format!("{BASE}{topic} refused: NotAuthorized"));
        let told = node.troubles().iter().filter(|trouble| trouble.to_string().contains(topic)).count();
        assert_eq!(told, times, "{:?}", node.troubles());
    }
    must_have_all(&released, &broker.collect());
    assert_eq!(way.come(), 1, "a refusal costs no connection");
}

/// A broker that closes the connection at a word of 5 or 3.1.1.
fn must_get_the_others(protocol: Protocol) {
    let mut stand = Stand::new(Kind::Forgetful);
    stand.start();
    let ears = stand.ears();
    let way = Way::to(stand.port);
    way.forbid(b"win/zone/shelf");
    let mut node = Node::at(Remote { protocol, ..Remote::plain("127.0.0.1", way.port) });
    let mut released: Vec<_> = (0..5).map(|_| node.release()).collect();
    node.release_at("zone", "shelf", 0);
    released.extend((0..5).map(|_| node.release()));
    let counts = node.await_drained(PATIENCE);
    assert_eq!((counts.done, counts.refused), (10, 1));
    node.trouble("win/zone/shelf refused: the broker hangs up");
    must_have_all(&released, &ears.rest(Duration::from_millis(300)));
    assert!((6..=10).contains(&way.come()), "{} connections", way.come());
}

#[test]
fn a_broker_that_hangs_up_at_one_window_gets_the_others_and_is_not_stormed() {
    must_get_the_others(Protocol::Five);
}

#[test]
#[ignore = "twenty seconds: pauses that grow"]
fn a_broker_of_the_older_version_that_hangs_up_at_one_window_gets_the_others() {
    must_get_the_others(Protocol::Three);
}

#[test]
#[ignore = "a dozen seconds: pauses that grow"]
fn two_nodes_of_one_name_do_not_storm_the_broker_they_throw_each_other_off() {
    for protocol in [Protocol::Five, Protocol::Three] {
        let folder = Folder::new();
        let (_broker, way) = broker_with("", &folder);
        let remote = Remote { protocol, ..Remote::plain("127.0.0.1", way.port) };
        let (one, other) = (Node::at(remote.clone()), Node::at(remote));
        for _ in 0..40 {
            one.release();
            other.release();
            std::thread::sleep(Duration::from_millis(150));
        }
        assert!(way.come() <= 14, "{} connections of two nodes in six seconds", way.come());
    }
}

/// What a broker that speaks 3.1.1 alone says to 5, in its own words and in those of 5.
const OTHER_VERSION: [&[u8]; 2] = [&[0x20, 2, 0, 1], &[0x20, 3, 0, 0x84, 0]];

#[test]
fn a_broker_that_refuses_version_five_is_spoken_to_in_three() {
    for answers in [vec![OTHER_VERSION[0]], vec![OTHER_VERSION[1]], vec![&[][..], &[][..]]] {
        let folder = Folder::new();
        let (broker, way) = broker_with("", &folder);
        way.answer(&answers);
        let node = Node::at(Remote::plain("127.0.0.1", way.port));
        let released: Vec<_> = (0..5).map(|_| node.release()).collect();
        node.await_drained(PATIENCE);
        must_have_all(&released, &broker.collect());
        assert_eq!(way.come(), answers.len() + 1, "{answers:?}");
        // It is remembered: the next connection speaks 3.1.1 at once.
        way.cut();
        node.await_connected(false);
        node.release();
        node.await_drained(PATIENCE);
        assert_eq!(way.come(), answers.len() + 2, "{answers:?}");
    }
}

#[test]
fn a_version_the_site_demands_is_not_given_up() {
    let (port, held) = free_port();
    drop(held);
    let way = Way::to(port);
    way.answer(&[OTHER_VERSION[1]; 3]);
    let mut node = Node::at(Remote { protocol: Protocol::Five, ..Remote::plain("127.0.0.1", way.port) });
    node.trouble("broker.protocol");
    assert!(way.come() <= 3);
}

#[test]
fn a_node_that_is_not_let_in_says_so_once_and_knocks_ever_more_rarely() {
    let (port, held) = free_port();
    drop(held);
    let way = Way::to(port);
    // "Bad user name or password", in the words of 5.
    way.answer(&[&[0x20, 3, 0, 0x86, 0][..]; 50]);
    let mut node = Node::at(Remote::plain("127.0.0.1", way.port));
    node.trouble("broker.password_file");
    std::thread::sleep(Duration::from_secs(4));
    assert_eq!(node.troubles().len(), 1, "{:?}", node.troubles());
    assert!((3..=6).contains(&way.come()), "{} connections in four seconds", way.come());
}

const PATIENCE: Duration = Duration::from_secs(60);
