//! A node in a test: the product's own publisher over a vault of its own, without cameras.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use kehai::clock::WindowSpan;
use kehai::config::broker::Remote;
use kehai::publish::mqtt::{Command, Publisher, Trouble, Validity};
use kehai::vault::{Counts, Vault};
use kehai::wire::Message;
use kehai::wire::compose::Record;
use tokio::sync::{mpsc, watch};

use super::broker::Got;
use super::program::GLANCE;
use super::records::BEGIN_S;

/// Where it publishes.
pub const BASE: &str = "kehai/v1/acme/s0042/edge-1/";

/// A running publisher and what it works on; ended when dropped.
pub struct Node {
    pub vault: Arc<Vault>,
    pub validity: Arc<Validity>,
    pub connected: Arc<AtomicBool>,
    troubles: mpsc::Receiver<Trouble>,
    commands: mpsc::Receiver<Command>,
    stop: watch::Sender<bool>,
    thread: Option<JoinHandle<()>>,
    released: AtomicUsize,
    told: Vec<Trouble>,
}

impl Node {
    /// A node at a broker.
    pub fn at(broker: Remote) -> Self {
        Self::over(broker, Arc::new(Vault::throw_away().expect("memory")))
    }

    /// A node over a vault that is there already.
    pub fn over(broker: Remote, vault: Arc<Vault>) -> Self {
        let (stop, stopping) = watch::channel(false);
        let (trouble_sender, troubles) = mpsc::channel(64);
        let (command_sender, commands) = mpsc::channel(16);
        let (connected, validity) = (Arc::<AtomicBool>::default(), Arc::<Validity>::default());
        let publisher = Publisher {
            broker,
            client_id: "kehai-acme-s0042-edge-1".to_owned(),
            vault: Arc::clone(&vault),
            greeting: ["state", "about", "meta/lines"].map(|topic| kept(topic, "online")).to_vec(),
            will: kept("state", "offline"),
            health: watch::channel(None).1,
            connected: Arc::clone(&connected),
            validity: Arc::clone(&validity),
            troubles: trouble_sender,
            commands: command_sender,
            answers: tokio::sync::mpsc::channel(1).1,
            again: Arc::default(),
        };
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
            runtime.block_on(publisher.run(stopping));
        });
        Self {
            vault,
            validity,
            connected,
            troubles,
            commands,
            stop,
            thread: Some(thread),
            released: AtomicUsize::new(0),
            told: Vec::new(),
        }
    }

    /// Releases a window; each has a number of its own.
    pub fn release(&self) -> Message {
        self.release_at("line", "door", 0)
    }

    /// Releases a window of an object, padded by so many bytes.
    pub fn release_at(&self, kind: &'static str, id: &str, padding: usize) -> Message {
        let number = self.released.fetch_add(1, Ordering::Relaxed);
        let message = padded(number, [kind, id], padding);
        let span = WindowSpan { start_s: BEGIN_S + number as i64 * 900, dur_s: 900 };
        let record = Record { message: message.clone(), kind, id: id.to_owned(), span };
        self.vault.release(|_| record).expect("a window after the last");
        Message { body: self.vault.seal(message.body), ..message }
    }

    /// Waits until the broker has answered for every row.
    pub fn await_drained(&self, patience: Duration) -> Counts {
        let begun = Instant::now();
        while self.vault.counts().waiting > 0 {
            assert!(begun.elapsed() < patience, "{:?} after {patience:?}", self.vault.counts());
            std::thread::sleep(GLANCE);
        }
        self.vault.counts()
    }

    /// Waits for a trouble that contains these words; all told so far are kept.
    pub fn trouble(&mut self, words: &str) -> Trouble {
        let begun = Instant::now();
        loop {
            self.told.extend(std::iter::from_fn(|| self.troubles.try_recv().ok()));
            if let Some(found) = self.told.iter().find(|trouble| trouble.to_string().contains(words)) {
                return found.clone();
            }
            assert!(begun.elapsed() < PATIENCE, "no trouble with \"{words}\" among {:?}", self.told);
            std::thread::sleep(GLANCE);
        }
    }

    /// All troubles told so far.
    pub fn troubles(&mut self) -> &[Trouble] {
        self.told.extend(std::iter::from_fn(|| self.troubles.try_recv().ok()));
        &self.told
    }

    /// The next command, if one has come.
    pub fn try_command(&mut self) -> Option<Command> {
        self.commands.try_recv().ok()
    }

    /// Waits for the next command.
    pub fn command(&mut self) -> Command {
        let begun = Instant::now();
        loop {
            if let Ok(command) = self.commands.try_recv() {
                return command;
            }
            assert!(begun.elapsed() < PATIENCE, "no command came");
            std::thread::sleep(GLANCE);
        }
    }

    /// Waits until the broker has let it in, or it is no longer there.
    pub fn await_connected(&self, is_there: bool) {
        let begun = Instant::now();
        while self.connected.load(Ordering::Relaxed) != is_there {
            assert!(begun.elapsed() < PATIENCE, "connected should have become {is_there}");
            std::thread::sleep(GLANCE);
        }
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        self.stop.send_replace(true);
        if let Some(thread) = self.thread.take() {
            // A test that already fails is not to fail twice.
            let _ = thread.join();
        }
    }
}

/// What came of what was released: copies beyond the first. Every row came, each with one content and in its order.
pub fn must_have_all(released: &[Message], got: &[Got]) -> usize {
    let windows: Vec<&Got> = got.iter().filter(|got| got.is_window()).collect();
    let mut contents: BTreeMap<(String, u64), BTreeSet<&str>> = BTreeMap::new();
    for window in &windows {
        let payload: serde_json::Value = serde_json::from_str(&window.body).expect("a payload is JSON");
        let key = (window.topic.clone(), payload["seq"].as_u64().expect("a number"));
        contents.entry(key).or_default().insert(&window.body);
    }
    assert!(contents.values().all(|bodies| bodies.len() == 1), "two contents under one key: {contents:#?}");
    let came: BTreeSet<&[u8]> = windows.iter().map(|window| window.body.as_bytes()).collect();
    let lost: Vec<String> = released
        .iter()
        .filter(|message| !came.contains(message.body.as_slice()))
        .map(|message| String::from_utf8_lossy(&message.body).into_owned())
        .collect();
    assert_eq!(lost, Vec::<String>::new(), "lost of {}", released.len());
    assert_eq!(came.len(), released.len(), "what was never released came");
    windows.len() - came.len()
}

/// The record of a window with this number.
fn padded(number: usize, [kind, id]: [&str; 2], padding: usize) -> Message {
    let filling = "x".repeat(padding);
    let body = format!(r#"{{"v":1,"k":"{kind}","id":"{id}","seq":{number},"d":{{"in":{number}}},"pad":"{filling}"}}"#);
    let topic = format!("{BASE}win/{kind}/{id}");
    Message { topic, body: body.into_bytes(), retain: true, at_least_once: true }
}

fn kept(topic: &str, said: &str) -> Message {
    let body = format!(r#"{{"v":1,"k":"{topic}","state":"{said}"}}"#).into_bytes();
    Message { topic: format!("{BASE}{topic}"), body, retain: true, at_least_once: true }
}

/// Longest wait for one thing to happen; a pause between two connections is part of it.
const PATIENCE: Duration = Duration::from_secs(60);
