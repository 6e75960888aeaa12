//! Brokers that are broken or mean: no window is given up because of them, they are not stormed, and once they are mended
//! everything flows on.

use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use kehai::config::broker::{Protocol, Remote, Tls};
use kehai::wire::Message;
use kehai::wire::seal::Signer;

use crate::live::cameras::scene;
use crate::live::shop::{DOOR, Shop, VIEW};
use crate::support::folder::Folder;
use crate::support::imp::{CONNECT, Came, Deed, Imp, SUBSCRIBE, message};
use crate::support::node::{BASE, Node, must_have_all};
use crate::support::papers::Authority;
use crate::support::program::start_command;
use crate::support::rtsp_camera::RtspCamera;
use crate::support::twin;

fn node_at(imp: &Imp) -> Node {
    Node::at(Remote::plain("127.0.0.1", imp.port))
}

fn some(node: &Node) -> Vec<Message> {
    (0..20).map(|_| node.release()).collect()
}

/// Lets a node suffer for a while, and then have a broker as it should be.
fn suffer(imp: &Imp, node: &Node, released: &[Message], pain: Duration, come_max: usize) {
    std::thread::sleep(pain);
    let come = imp.come();
    assert!(come <= come_max, "{come} connections in {pain:?}");
    let greeted = heard_states(imp);
    imp.repents();
    let counts = node.await_drained(PATIENCE);
    assert_eq!((counts.refused, counts.dropped), (0, 0), "nothing is given up");
    must_have_all(released, &imp.heard());
    assert!(heard_states(imp) > greeted, "the node says that it is there");
}

fn heard_states(imp: &Imp) -> usize {
    imp.heard().iter().filter(|got| got.topic.ends_with("/state")).count()
}

#[test]
fn at_a_broker_whose_every_receipt_is_none_no_window_is_given_up() {
    let imp = Imp::new(|came: &Came| {
        let [high, low] = came.number.to_be_bytes();
        if came.is_message() { Deed::Say(vec![0x40, 3, high, low, 0x95]) } else { Deed::Answer }
    });
    let mut node = node_at(&imp);
    let released = some(&node);
    node.trouble("refused");
    suffer(&imp, &node, &released, Duration::from_secs(12), 12);
}

#[test]
fn at_a_broker_that_talks_gibberish_no_window_is_given_up_and_it_is_told() {
    let imp =
        Imp::new(|came: &Came| if came.is_message() { Deed::Say(b"\xF7\x03gibberish".to_vec()) } else { Deed::Answer });
    let mut node = node_at(&imp);
    let released = some(&node);
    node.trouble("speaks no MQTT");
    suffer(&imp, &node, &released, Duration::from_secs(10), 10);
}

#[test]
#[ignore = "two minutes: as long as it takes to give up a greeting of three and then windows"]
fn at_a_broker_that_hangs_up_at_every_message_no_window_is_given_up() {
    let imp = Imp::new(|came: &Came| if came.is_message() { Deed::HangUp } else { Deed::Answer });
    let mut node = node_at(&imp);
    let released = some(&node);
    suffer(&imp, &node, &released, Duration::from_secs(120), 40);
    assert!(node.troubles().len() < 20, "{:?}", node.troubles());
}

#[test]
fn a_broker_that_takes_six_seconds_to_let_us_in_is_waited_for() {
    for protocol in [Protocol::Five, Protocol::Three] {
        let slow = |came: &Came| {
            if came.kind == CONNECT { Deed::AnswerAfter(Duration::from_secs(6)) } else { Deed::Answer }
        };
        let imp = Imp::new(slow);
        let node = Node::at(Remote { protocol, ..Remote::plain("127.0.0.1", imp.port) });
        let released = some(&node);
        node.await_drained(Duration::from_secs(20));
        must_have_all(&released, &imp.heard());
        assert_eq!(imp.come(), 2, "the first was not waited for long enough");
    }
}

#[test]
#[ignore = "two minutes: a broker that takes twenty seconds"]
fn a_broker_that_takes_twenty_seconds_to_let_us_in_and_one_that_never_does_are_waited_for() {
    let imp = Imp::new(|_| Deed::Ignore);
    let node = node_at(&imp);
    let released = some(&node);
    std::thread::sleep(Duration::from_secs(40));
    assert!(imp.come() <= 6, "{} connections", imp.come());
    imp.turns(|came| if came.kind == CONNECT { Deed::AnswerAfter(Duration::from_secs(20)) } else { Deed::Answer });
    node.await_drained(Duration::from_secs(150));
    must_have_all(&released, &imp.heard());
}

#[test]
fn receipts_in_the_wrong_order_lose_and_repeat_nothing() {
    // Of each two the receipt of the first is held back until that of the second has gone.
    let held = AtomicUsize::new(0);
    let imp = Imp::new(move |came: &Came| {
        let receipt = |number: u16| [vec![0x40, 2], number.to_be_bytes().to_vec()].concat();
        if !came.is_message() {
            return Deed::Answer;
        }
        match held.swap(0, Ordering::Relaxed) {
            0 if came.messages > 3 && came.messages.is_multiple_of(2) => {
                held.store(usize::from(came.number), Ordering::Relaxed);
                // It counts as heard, and its receipt comes with the next.
                Deed::Hear
            }
            0 => Deed::Answer,
            before => Deed::AnswerAnd(receipt(before as u16)),
        }
    });
    let node = node_at(&imp);
    let released = some(&node);
    node.await_drained(PATIENCE);
    assert_eq!(must_have_all(&released, &imp.heard()), 0, "sent once each");
    assert_eq!(imp.come(), 1);
}

#[test]
fn a_receipt_that_comes_in_one_piece_with_nonsense_is_a_receipt() {
    // A receipt for a number nobody gave ends the connection; the one before it counts.
    let imp = Imp::new(|came: &Came| {
        let is_window = came.is_message() && came.messages > 3;
        if is_window { Deed::AnswerAnd(vec![0x40, 2, 0x7F, 0xFF]) } else { Deed::Answer }
    });
    let node = node_at(&imp);
    let released: Vec<_> = (0..4).map(|_| node.release()).collect();
    node.await_drained(PATIENCE);
    must_have_all(&released, &imp.heard());
    assert!(imp.come() <= 5, "{} connections for four windows", imp.come());
}

#[test]
#[ignore = "a minute: thirty seconds are waited for each missing receipt"]
fn a_broker_that_forgets_every_third_receipt_gets_everything() {
    let imp = Imp::new(
        |came: &Came| if came.is_message() && came.messages.is_multiple_of(3) { Deed::Ignore } else { Deed::Answer },
    );
    let node = node_at(&imp);
    let released: Vec<_> = (0..60).map(|_| node.release()).collect();
    std::thread::sleep(Duration::from_secs(75));
    assert!((2..=6).contains(&imp.come()), "{} connections", imp.come());
    imp.repents();
    node.await_drained(Duration::from_secs(120));
    must_have_all(&released, &imp.heard());
}

#[test]
fn a_packet_said_to_be_endless_fills_no_memory_and_ends_nothing_for_good() {
    let before = resident_kib();
    let imp = Imp::new(|came: &Came| match came.kind {
        CONNECT => Deed::AnswerAnd([vec![0x30, 0xFF, 0xFF, 0xFF, 0x7F], vec![b'x'; 8 << 20]].concat()),
        _ => Deed::Answer,
    });
    let mut node = node_at(&imp);
    let released = some(&node);
    node.trouble("overlong");
    suffer(&imp, &node, &released, Duration::from_secs(4), 8);
    // The broker itself, in this very process, takes eight MiB a connection.
    let grown = resident_kib().saturating_sub(before);
    assert!(grown < 128 << 10, "{grown} KiB more than before");
}

#[test]
fn ten_thousand_commands_a_second_and_what_nobody_asked_for_keep_no_window_back() {
    let imp = Imp::new(|came: &Came| {
        if !came.is_message() {
            return Deed::Answer;
        }
        // Five hundred with each receipt, and some of the broker's own.
        let command = message(&format!("{BASE}cmd/ping"), &[b'x'; 600]);
        let own = message("$SYS/broker/uptime", b"1 second");
        Deed::AnswerAnd([command.repeat(500), own.repeat(20)].concat())
    });
    let before = resident_kib();
    let mut node = node_at(&imp);
    let begun = Instant::now();
    let released: Vec<_> = (0..200).map(|_| node.release()).collect();
    node.await_drained(PATIENCE);
    let took = begun.elapsed();
    must_have_all(&released, &imp.heard());
    assert_eq!(imp.come(), 1);
    let commands = std::iter::from_fn(|| node.try_command()).count();
    // They were taken while others still came.
    assert!(commands <= 40, "{commands} wait");
    let grown = resident_kib().saturating_sub(before);
    assert!(took < Duration::from_secs(30) && grown < 64 << 10, "{took:?}, {grown} KiB more than before");
}

#[test]
fn a_port_where_no_broker_listens_is_named_and_knocked_at_ever_more_rarely() {
    let answer = format!("HTTP/1.1 400 Bad Request\r\nContent-Length: 300\r\n\r\n{}", "x".repeat(300));
    let imp = Imp::new(move |_| Deed::Say(answer.clone().into_bytes()));
    let mut node = node_at(&imp);
    let released = some(&node);
    node.trouble("speaks no MQTT");
    suffer(&imp, &node, &released, Duration::from_secs(8), 7);
}

#[test]
#[ignore = "half a minute: a shop is flooded for ten seconds"]
#[expect(clippy::print_stdout, reason = "a measurement is told")]
fn a_shop_whose_broker_sends_ten_thousand_commands_a_second_goes_on_looking() {
    let camera = RtspCamera::start(scene(), 10.0);
    let body = Signer::new(&[9; 32]).seal(
        br#"{"v":1,"k":"cmd","verb":"ping","id":"r","node":"test/live/flooded","at":"2026-01-01T00:00:00Z","exp":"2026-01-01T00:01:00Z"}"#
            .to_vec(),
    );
    let flood = message("kehai/v1/test/live/flooded/cmd/ping", &body).repeat(1_000);
    let imp = Imp::new(move |came: &Came| match came.kind {
        SUBSCRIBE => Deed::AnswerAndStream(flood.clone(), Duration::from_secs(60)),
        _ => Deed::Answer,
    });
    let key = Signer::new(&[8; 32]).public();
    let shop = |name: &str, port: u16| {
        let broker = format!("[broker]\nurl = \"mqtt://127.0.0.1:{port}\"\n[commands]\nkeys = {{ hq = \"{key}\" }}\n");
        let shop = Shop::open_with(name, &format!("{broker}{VIEW}url = \"{}\"\n{DOOR}", camera.url()));
        shop.hear("seen, ");
        let worked = |process: i32| ticks(process);
        let before = [worked(shop.eye(None)), worked(shop.mouth())];
        let mut slowest = Duration::ZERO;
        for _ in 0..20 {
            std::thread::sleep(Duration::from_millis(500));
            slowest = slowest.max(page_takes(shop.page_port));
        }
        Told {
            eye: worked(shop.eye(None)) - before[0],
            mouth: worked(shop.mouth()) - before[1],
            kib: resident_kib_of(&shop.mouth().to_string()),
            slowest,
        }
    };
    let quiet = shop("quiet", Imp::new(|_| Deed::Answer).port);
    let flooded = shop("flooded", imp.port);
    println!("quiet {quiet:?}, flooded {flooded:?}");
    assert_eq!(imp.come(), 1);
    assert!(flooded.eye * 10 >= quiet.eye * 7, "{flooded:?} of {quiet:?}");
    assert!(flooded.kib < quiet.kib + (32 << 10), "{flooded:?} after {quiet:?}");
    assert!(flooded.slowest < Duration::from_secs(2), "{flooded:?}");
    assert!(flooded.mouth < quiet.mouth + 700, "less than seven tenths of a core: {flooded:?} after {quiet:?}");
}

#[test]
fn a_server_that_stalls_while_tls_is_agreed_on_is_knocked_at_ever_more_rarely() {
    let (folder, imp) = (Folder::new(), Imp::new(|_| Deed::Ignore));
    let ca_file = Some(Authority::new("malice").file(&folder, "ca.pem").into());
    let tls = Some(Tls { ca_file, own: None });
    let node = Node::at(Remote { tls, ..Remote::plain("127.0.0.1", imp.port) });
    node.release();
    std::thread::sleep(Duration::from_secs(12));
    assert_eq!(imp.come(), 2, "one waits for five seconds, the next for ten");
    assert_eq!(node.vault.counts().waiting, 1);
}

#[test]
#[expect(clippy::print_stdout, reason = "a test that is skipped says so")]
fn a_name_that_nobody_knows_is_asked_for_until_somebody_does() {
    if let Some(hosts) = twin::part() {
        let imp = Imp::new(|_| Deed::Answer);
        let node = Node::at(Remote::plain("broker.kehai-test.invalid", imp.port));
        let released = some(&node);
        std::thread::sleep(Duration::from_secs(3));
        assert_eq!(imp.come(), 0);
        std::fs::write(hosts, "127.0.0.1 localhost broker.kehai-test.invalid\n").expect("ours");
        node.await_drained(PATIENCE);
        must_have_all(&released, &imp.heard());
        return assert_eq!(imp.come(), 1);
    }
    let folder = Folder::new();
    let (hosts, nobody) = (folder.write("hosts", "127.0.0.1 localhost\n"), folder.write("resolv.conf", ""));
    let twin = twin::command("delivery::malice::a_name_that_nobody_knows_is_asked_for_until_somebody_does", &hosts);
    let mut command = Command::new("unshare");
    let mount = format!("mount --bind '{hosts}' /etc/hosts && mount --bind '{nobody}' /etc/resolv.conf && exec \"$@\"");
    command.args(["--map-root-user", "--mount", "--propagation", "private", "sh", "-c", &mount, "sh"]);
    command.arg(twin.get_program()).args(twin.get_args());
    command.envs(twin.get_envs().filter_map(|(name, value)| Some((name, value?))));
    let ended = start_command(command).ended();
    if ended.err.contains("Operation not permitted") || ended.err.contains("unshare failed") {
        return println!("skipped: this machine lets nobody mount anything");
    }
    assert_eq!(ended.code, Some(0), "{}\n{}", ended.out, ended.err);
}

/// How a shop fares for ten seconds.
#[derive(Debug)]
struct Told {
    /// Hundredths of a second its eye worked.
    eye: u64,
    /// Hundredths of a second its mouth worked.
    mouth: u64,
    /// Memory of its mouth.
    kib: u64,
    /// The longest its page took.
    slowest: Duration,
}

fn page_takes(port: u16) -> Duration {
    use std::io::{Read, Write};
    let begun = Instant::now();
    let mut stream = std::net::TcpStream::connect(("127.0.0.1", port)).expect("the page is served");
    write!(stream, "GET /metrics HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n").expect("it listens");
    stream.read_to_string(&mut String::new()).expect("it answers");
    begun.elapsed()
}

/// Time a process has worked, hundredths of a second.
fn ticks(process: i32) -> u64 {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).expect("it lives");
    let words: Vec<&str> = stat.rsplit(')').next().expect("a name").split_whitespace().collect();
    [11, 12].iter().map(|at| words[*at].parse::<u64>().expect("a number")).sum()
}

/// Memory this process takes, KiB.
fn resident_kib() -> u64 {
    resident_kib_of("self")
}

fn resident_kib_of(process: &str) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).expect("Linux");
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).expect("it has memory");
    line.split_whitespace().nth(1).and_then(|number| number.parse().ok()).expect("a number")
}

const PATIENCE: Duration = Duration::from_secs(60);
