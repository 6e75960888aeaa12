//! Broker, publisher and page of one run, started together and ended together.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::sync::{Notify, mpsc, watch};
use tokio::task::JoinHandle;

use super::notice::sheets_of;
use super::output::note;
use super::programs::running;
use super::state::state_folder;
use super::{CONFIGURATION, Failure};
use crate::clock::{UtcMs, monotonic_ns};
use crate::config::broker::{Broker, Remote};
use crate::config::site::Site;
use crate::config::{CommandKey, Outlets, PageDoor, Settings, declared};
use crate::floor::visible_cells;
use crate::pipeline::mouth::Mouth;
use crate::publish::attendant::{Allowance, Attendant};
use crate::publish::broker::EmbeddedBroker;
use crate::publish::commands::{Asker, Desk};
use crate::publish::discovery::discovery;
use crate::publish::images::Images;
use crate::publish::mqtt::Publisher;
use crate::publish::web::{DANGER_PLAINTEXT, DANGER_UNSANDBOXED, Language, Page, Shelf, Transparency, Word, serve};
use crate::vault::Vault;
use crate::wire::payload::selftest::SELF_TEST_FILE;

/// What publishes while a command runs.
pub struct Publishing {
    publisher: Option<JoinHandle<()>>,
    stop: watch::Sender<bool>,
    connected: Arc<AtomicBool>,
    _broker: Option<EmbeddedBroker>,
    /// Where the broker is, for people.
    pub broker_url: Option<String>,
    /// Where the page is, for people.
    pub page_url: Option<String>,
}

impl Publishing {
    /// Starts the embedded broker, if the site wants one; before anything else, because a taken port ends the command.
    pub fn broker(outlets: &Outlets) -> Result<Option<EmbeddedBroker>, Failure> {
        match &outlets.broker {
            Some(Broker::Embedded { port, .. }) => Ok(Some(EmbeddedBroker::start(*port)?)),
            _ => Ok(None),
        }
    }

    /// Starts publisher and page on the running runtime.
    pub async fn start(
        site: &Site,
        model: &str,
        mouth: &Mouth,
        vault: &Arc<Vault>,
        broker: Option<EmbeddedBroker>,
    ) -> Result<Self, Failure> {
        let (stop, stopping) = watch::channel(false);
        let connected = Arc::new(AtomicBool::new(false));
        let remote = site.outlets.broker.as_ref().map(Broker::remote);
        let (broker_url, again) = (remote.as_ref().map(Remote::url), Arc::<Notify>::default());
        let (trouble_sender, troubles) = mpsc::channel(TROUBLES_MAX);
        let (command_sender, commands) = mpsc::channel(COMMANDS_MAX);
        let (answer_sender, answers) = mpsc::channel(COMMANDS_MAX);
        let attendant = Attendant {
            composer: mouth.composer().clone(),
            vault: Arc::clone(vault),
            desk: desk(site, mouth.composer().node(), vault.heeded()?)?,
            turns: Allowance::default(),
            answers: answer_sender,
            again: Arc::clone(&again),
            refusals: Allowance::default(),
        };
        let publisher = remote.map(|broker| {
            let (mut greeting, will) = mouth.greeting(model);
            if site.outlets.has_discovery && mouth.is_live() {
                greeting.extend(discovery(mouth.composer(), &site.settings));
            }
            let publisher = Publisher {
                broker,
                client_id: client_id(&site.settings, if mouth.is_live() { "" } else { "-replay" }),
                vault: Arc::clone(vault),
                greeting,
                will,
                health: mouth.health(),
                connected: Arc::clone(&connected),
                validity: mouth.validity(),
                troubles: trouble_sender,
                commands: command_sender,
                answers,
                again,
            };
            tokio::spawn(publisher.run(stopping))
        });
        if remote_is_plain(site) {
            note(
                "kehai: DANGER: what is published can be read and changed on its way to the broker (broker.dangerous_plaintext)",
            );
        }
        if let Some(door) = &site.outlets.page {
            serve(page(site, vault, mouth, &connected), door).await?;
        }
        let page_url = site.outlets.page.as_ref().map(PageDoor::url);
        if site.outlets.has_images && mouth.is_live() {
            let base = mouth.composer().topic("");
            tokio::spawn(Images::of(Arc::clone(vault), base, seen(&site.settings)).draw());
        }
        tokio::spawn(attendant.attend(troubles, commands, |words| note(&format!("kehai: {words}"))));
        Ok(Self { publisher, stop, connected, _broker: broker, broker_url, page_url })
    }

    /// Waits until the broker has answered for every row, at most `patience`.
    pub async fn drained(&self, vault: &Vault, patience: Duration) {
        let waiting = async {
            while vault.counts().waiting > 0 {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        if self.publisher.is_some() {
            // What is left is shown to the user as undelivered.
            let _ = tokio::time::timeout(patience, waiting).await;
        }
    }

    /// Whether the broker is there right now.
    #[must_use]
    pub fn is_connected(&self) -> bool {
        self.connected.load(Ordering::Relaxed)
    }

    /// Says goodbye to the broker.
    pub async fn end(mut self) {
        self.stop.send_replace(true);
        if let Some(publisher) = self.publisher.take() {
            let _ = tokio::time::timeout(Duration::from_secs(2), publisher).await;
        }
    }
}

/// Troubles that may wait to be told.
const TROUBLES_MAX: usize = 64;
/// Commands that may wait to be judged.
const COMMANDS_MAX: usize = 16;

/// The desk for commands, with the keys of the site file; earlier processes have heeded none made after `heeded`.
fn desk(site: &Site, node: String, heeded: UtcMs) -> Result<Desk, Failure> {
    let asker = |key: &CommandKey| {
        let refused = |error| {
            let (name, key) = (&key.name, &key.key);
            Failure::new(
                CONFIGURATION,
                format!("commands.keys.{name} = \"{key}\": {error}; write the key that `kehai command key` prints"),
            )
        };
        Ok(Asker { name: key.name.clone(), key: key.key.parse().map_err(refused)? })
    };
    let askers: Result<Vec<Asker>, Failure> = site.outlets.command_keys.iter().map(asker).collect();
    Ok(Desk::new(node, askers?, monotonic_ns(), heeded))
}

/// The name under which a node is known to a broker. Two clients of one name throw each other off: whoever speaks beside
/// the shop itself adds a `suffix`.
pub fn client_id(settings: &Settings, suffix: &str) -> String {
    let store = &settings.store;
    format!("kehai-{}-{}-{}{suffix}", store.org, store.store, store.node)
}

/// Whether messages cross a network in the clear.
fn remote_is_plain(site: &Site) -> bool {
    matches!(&site.outlets.broker, Some(Broker::At(remote)) if remote.is_dangerous_plaintext)
}

/// Which cells of each floor a camera sees.
fn seen(settings: &Settings) -> BTreeMap<String, Vec<bool>> {
    let floors = settings.floors.iter().enumerate();
    floors.map(|(index, floor)| (floor.id.clone(), visible_cells(settings, index))).collect()
}

/// What the page is made of, but for the broker.
fn page(site: &Site, vault: &Arc<Vault>, mouth: &Mouth, connected: &Arc<AtomicBool>) -> Page {
    let settings = &site.settings;
    let of = |kind: &str, id: &str, name: &String| (format!("{kind}/{id}"), name.clone());
    let lines = settings.lines.iter().map(|line| of("line", &line.id, &line.name));
    let zones = settings.zones.iter().map(|zone| of("zone", &zone.id, &zone.name));
    let queues = settings.queues.iter().map(|queue| of("queue", &queue.id, &queue.name));
    let floors = settings.floors.iter().map(|floor| of("floor", &floor.id, &floor.name));
    let cameras = settings.cameras.iter().map(|camera| of("camera", &camera.id, &camera.name));
    Page {
        name: settings.store.name.clone(),
        k: settings.gate.k,
        timezone: settings.store.timezone.clone(),
        names: lines.chain(zones).chain(queues).chain(floors).chain(cameras).collect::<BTreeMap<_, _>>(),
        seen: seen(settings),
        vault: Arc::clone(vault),
        dangers: dangers(site),
        health: mouth.health(),
        connected: Arc::clone(connected),
        shelf: Shelf::default(),
        transparency: openly(site),
    }
}

/// What anybody may read, made from what runs now.
fn openly(site: &Site) -> Transparency {
    let newest = state_folder(&site.outlets).ok().map(|folder| folder.join(SELF_TEST_FILE));
    let (site, running) = (site.clone(), running(site));
    Transparency::new(newest, move |language| {
        let likes = match language {
            Language::Japanese => declared::Language::Ja,
            Language::English => declared::Language::En,
        };
        sheets_of(&site, &running, likes)
    })
}

/// What the site file allows that weakens privacy, for people.
fn dangers(site: &Site) -> Vec<Word> {
    let all =
        [(site.settings.dangerous_allow_unsandboxed, DANGER_UNSANDBOXED), (remote_is_plain(site), DANGER_PLAINTEXT)];
    all.into_iter().filter(|(is_on, _)| *is_on).map(|(_, words)| words).collect()
}
