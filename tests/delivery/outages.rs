//! Outages: a broker that is away, dies again and again, or falls silent. Every released window arrives, each with one
//! content, and `state` comes first each time.
//!
//! The way to the broker is opened once the subscriber hears again: what is tested is the node, not how soon a subscriber is
//! back. Broker by broker the same is done in `matrix.rs`.

use std::time::{Duration, Instant};

use kehai::config::broker::{Protocol, Remote};

use crate::support::broker::Got;
use crate::support::node::{BASE, Node, must_have_all};
use crate::support::stand::{Kind, Stand};
use crate::support::way::Way;

/// What a run of outages came to.
#[derive(Debug)]
pub struct Tally {
    /// Windows released.
    pub released: usize,
    /// Copies beyond the first: each was under way when its broker died.
    pub copies: usize,
    /// Connections made.
    pub connections: usize,
}

/// The broker is away at first and then dies under load so many times, by this signal.
pub fn must_survive(kind: Kind, protocol: Protocol, deaths: usize, signal: i32) -> Tally {
    let mut stand = Stand::new(kind);
    let way = Way::to(stand.port);
    let node = Node::at(Remote { protocol, rate_per_s: 400, ..stand.remote(way.port) });
    let mut released: Vec<_> = (0..BURST).map(|_| node.release()).collect();
    let mut got: Vec<Got> = Vec::new();
    for death in 0..=deaths {
        way.shut();
        stand.start();
        let mut ears = stand.ears();
        way.open();
        released.extend((0..BURST).map(|_| node.release()));
        // What a broker kept from before may come first; this connection begins with its own `state`.
        let is_state = |got: &Got| !got.retained && got.topic.ends_with("/state") && got.body.contains("online");
        assert!(ears.hears_within(PATIENCE, is_state), "the node says that it is there");
        if death < deaths {
            // In the midst of it, each time at another place.
            ears.await_windows(5 + death % (BURST - 10));
            stand.end(signal);
        } else {
            node.await_drained(PATIENCE);
        }
        let heard = ears.rest(Duration::from_millis(if death < deaths { 100 } else { 500 }));
        // Who is handed again what an earlier connection said cannot tell what comes first on this one.
        if !matches!(kind, Kind::Nats(_) | Kind::Rabbit) {
            must_begin_with_state(&heard);
        }
        got.extend(heard);
    }
    let copies = must_have_all(&released, &got);
    assert_eq!(node.vault.counts().refused, 0);
    Tally { released: released.len(), copies, connections: way.come() }
}

/// On the connection that was heard, what the node says first is that it is there, then what it is.
pub fn must_begin_with_state(heard: &[Got]) {
    let said: Vec<&str> = heard
        .iter()
        .filter(|got| !got.retained && !got.body.contains("offline"))
        .filter_map(|got| got.topic.strip_prefix(BASE))
        .collect();
    assert_eq!(said.iter().take(3).copied().collect::<Vec<_>>(), ["state", "about", "meta/lines"]);
}

#[test]
fn a_broker_that_dies_again_and_again_under_load_loses_nothing_and_is_not_stormed() {
    let tally = must_survive(Kind::Forgetful, Protocol::Auto, 4, libc::SIGKILL);
    assert_eq!(tally.released, 6 * BURST);
    assert!(tally.copies <= 4 * 10, "at most ten are under way at each death: {tally:?}");
    // Attempts while it is away back off, and one connection a life is enough.
    assert!(tally.connections < 30, "{tally:?}");
}

#[test]
fn what_was_under_way_when_the_receipts_stopped_is_sent_again_with_the_same_bytes() {
    let mut stand = Stand::new(Kind::Forgetful);
    stand.start();
    let mut ears = stand.ears();
    let way = Way::to(stand.port);
    let node = Node::at(Remote::plain("127.0.0.1", way.port));
    node.await_connected(true);
    assert!(ears.hears_within(PATIENCE, |got| got.topic.ends_with("meta/lines")));
    way.freeze(true);
    let released: Vec<_> = (0..BURST).map(|_| node.release()).collect();
    std::thread::sleep(Duration::from_millis(200));
    assert_eq!(node.vault.counts().done, 0, "nothing is done without a receipt");
    way.cut();
    way.freeze(false);
    node.await_drained(PATIENCE);
    must_have_all(&released, &ears.rest(Duration::from_millis(300)));
}

#[test]
fn what_has_piled_up_goes_oldest_first_and_no_faster_than_the_site_says() {
    let mut stand = Stand::new(Kind::Forgetful);
    stand.start();
    let ears = stand.ears();
    let way = Way::to(stand.port);
    way.shut();
    let node = Node::at(Remote { rate_per_s: 50, ..Remote::plain("127.0.0.1", way.port) });
    let released: Vec<_> = (0..100).map(|_| node.release()).collect();
    way.open();
    node.await_connected(true);
    let begun = Instant::now();
    node.await_drained(PATIENCE);
    let took = begun.elapsed();
    assert!(took > Duration::from_millis(1600) && took < Duration::from_secs(6), "100 rows at 50 a second: {took:?}");
    let got = ears.rest(Duration::from_millis(200));
    must_have_all(&released, &got);
    let order: Vec<&str> = got.iter().filter(|got| got.is_window()).map(|got| got.body.as_str()).collect();
    let expected: Vec<&str> = released.iter().map(|row| std::str::from_utf8(&row.body).expect("JSON")).collect();
    assert_eq!(order, expected);
}

#[test]
#[ignore = "ten minutes: a broker that comes late"]
fn a_broker_that_comes_ten_minutes_late_gets_everything_oldest_first() {
    let mut stand = Stand::new(Kind::Forgetful);
    let way = Way::to(stand.port);
    way.shut();
    let node = Node::at(Remote { rate_per_s: 400, ..Remote::plain("127.0.0.1", way.port) });
    let mut released = Vec::new();
    let begun = Instant::now();
    while begun.elapsed() < Duration::from_secs(600) {
        released.push(node.release());
        std::thread::sleep(Duration::from_secs(2));
    }
    let knocks = way.come();
    stand.start();
    let ears = stand.ears();
    let there = Instant::now();
    way.open();
    node.await_connected(true);
    let noticed = there.elapsed();
    assert_eq!(node.await_drained(PATIENCE).done, released.len() as u64);
    let heard = ears.rest(Duration::from_millis(500));
    must_begin_with_state(&heard);
    assert_eq!(must_have_all(&released, &heard), 0);
    tell(&format!("{} windows, {knocks} attempts in ten minutes, noticed after {noticed:?}", released.len()));
    // Pauses grow up to half a minute.
    assert!(knocks < 60 && noticed < Duration::from_secs(40), "{knocks}, {noticed:?}");
}

#[test]
#[ignore = "half a minute: as long as a broker may take for a receipt"]
fn a_broker_that_is_frozen_and_thaws_is_left_in_the_meantime_and_gets_everything() {
    let mut stand = Stand::new(Kind::Forgetful);
    stand.start();
    let ears = stand.ears();
    let node = Node::at(Remote::plain("127.0.0.1", stand.port));
    node.await_connected(true);
    stand.freeze(true);
    let released: Vec<_> = (0..BURST).map(|_| node.release()).collect();
    node.await_connected(false);
    stand.freeze(false);
    node.await_drained(PATIENCE);
    must_have_all(&released, &ears.rest(Duration::from_millis(500)));
}

#[test]
#[ignore = "a minute: as long as a broker may take for a receipt"]
fn a_broker_that_falls_silent_is_left_and_nothing_is_lost() {
    for protocol in [Protocol::Five, Protocol::Three] {
        let mut stand = Stand::new(Kind::Forgetful);
        stand.start();
        let mut ears = stand.ears();
        let way = Way::to(stand.port);
        let node = Node::at(Remote { protocol, rate_per_s: 5000, ..Remote::plain("127.0.0.1", way.port) });
        node.await_connected(true);
        assert!(ears.hears_within(PATIENCE, |got| got.topic.ends_with("meta/lines")));
        way.freeze(true);
        // More than the sockets hold: a write that waits must not hold the node for ever.
        let released: Vec<_> = (0..40).map(|_| node.release_at("heat", "sales", 120_000)).collect();
        node.await_connected(false);
        way.cut();
        way.freeze(false);
        node.await_drained(PATIENCE);
        must_have_all(&released, &ears.rest(Duration::from_millis(500)));
        assert!(way.come() < 12, "{} connections", way.come());
    }
}

/// Says what a run came to, for docs/brokers.md.
#[expect(clippy::print_stdout, reason = "figures for docs/brokers.md")]
pub fn tell(what: &str) {
    println!("{what}");
}

/// Windows released at a time.
pub const BURST: usize = 40;
const PATIENCE: Duration = Duration::from_secs(60);
