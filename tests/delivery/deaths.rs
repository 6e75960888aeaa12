//! Our own death: a node that is killed between a publish and its receipt sends it again, with the same bytes, in its next life.

use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use kehai::config::Keeping;
use kehai::config::broker::Remote;
use kehai::vault::Vault;

use crate::support::folder::Folder;
use crate::support::node::{Node, must_have_all};
use crate::support::program::GLANCE;
use crate::support::stand::{Kind, Stand};
use crate::support::way::Way;

const NAME: &str = "delivery::deaths::a_node_killed_before_its_receipts_came_sends_the_same_bytes_again";
/// Folder and port of the life that is to end; the very same test lives it, in a process of its own.
const VICTIM: &str = "KEHAI_TEST_VICTIM";
const WINDOWS: usize = 25;

#[test]
fn a_node_killed_before_its_receipts_came_sends_the_same_bytes_again() {
    if let Ok(life) = std::env::var(VICTIM) {
        let (port, folder) = life.split_once(' ').expect("port and folder");
        live_and_wait(port.parse().expect("a port"), Path::new(folder));
        return;
    }
    let mut stand = Stand::new(Kind::Forgetful);
    stand.start();
    let mut ears = stand.ears();
    let (way, folder) = (Way::to(stand.port), Folder::new());
    let state = folder.path("state");
    let mut victim = Command::new(std::env::current_exe().expect("a test knows itself"));
    victim.args([NAME, "--exact"]).env(VICTIM, format!("{} {state}", way.port));
    let mut victim = victim.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("it starts");
    assert!(ears.hears_within(PATIENCE, |got| got.topic.ends_with("meta/lines")), "the node is there");
    std::thread::sleep(Duration::from_millis(100));
    way.swallow(true);
    folder.write("state/go", "");
    ears.await_windows(10);
    let begun = Instant::now();
    while !Path::new(&state).join("released").exists() {
        assert!(begun.elapsed() < PATIENCE, "all are released");
        std::thread::sleep(GLANCE);
    }
    victim.kill().expect("it lives");
    victim.wait().expect("a child can be waited for");
    way.cut();
    way.swallow(false);
    let vault =
        Arc::new(Vault::open(Path::new(&state), Keeping::default(), Duration::ZERO).expect("the store is whole"));
    assert_eq!(vault.counts().waiting as usize, WINDOWS, "nothing is done without a receipt");
    let released = vault.held();
    let node = Node::over(Remote::plain("127.0.0.1", way.port), vault);
    node.await_drained(PATIENCE);
    let copies = must_have_all(&released, &ears.rest(Duration::from_millis(300)));
    assert!(copies >= 10, "{copies} copies: those under way at the death came twice");
}

/// Connects, releases its windows when told to, and waits to be killed.
fn live_and_wait(port: u16, state: &Path) {
    let vault = Arc::new(Vault::open(state, Keeping::default(), Duration::ZERO).expect("a new store"));
    let node = Node::over(Remote::plain("127.0.0.1", port), vault);
    while !state.join("go").exists() {
        std::thread::sleep(GLANCE);
    }
    (0..WINDOWS).for_each(|_| drop(node.release()));
    std::fs::write(state.join("released"), "").expect("its own folder");
    std::thread::sleep(2 * PATIENCE);
}

const PATIENCE: Duration = Duration::from_secs(30);
