//! MQTT, QoS 1: the vault, not the client, remembers what is undelivered.
//!
//! In: due rows of the [`Vault`], state, introduction and health messages. Out: publishes; rows settled at PUBACK; commands
//! as they come; [`Trouble`]s. Invariants: every connection begins with `state`, `about` and `meta`; a lost connection
//! forgets the client with everything in flight and the vault offers it again, so that nothing is lost when the broker lost
//! its session; rows go oldest first and no faster than the site says; a message the broker objects to is given up, told,
//! and does not block the rest, but no row is given up at a broker that has answered for nothing on that connection;
//! reconnects back off (the client itself has no pause).

pub mod clear;
mod client;
mod hearing;
mod link;
mod loss;
mod papers;
pub mod sounding;
mod speech;
pub mod subscriber;
mod trouble;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::sync::{Notify, mpsc, watch};

pub use client::Version;
pub use hearing::Command;
pub use papers::Validity;
pub use trouble::{Denial, Trouble};

use client::{CONNECT_S, Client, Dial, Events, Heard, QUEUE_MAX};
use hearing::Hearing;
use link::{Item, Link, Load};
use loss::Loss;
use speech::{Backoff, Pace, Patience, Speech};
use trouble::Grievances;

use crate::clock::{monotonic_ns, utc_now};
use crate::config::broker::Remote;
use crate::vault::{Delivery, Vault};
use crate::wire::Message;

/// Publishes for one node.
pub struct Publisher {
    /// The broker and how it is spoken to.
    pub broker: Remote,
    /// MQTT client id; one per node.
    pub client_id: String,
    /// Undelivered rows.
    pub vault: Arc<Vault>,
    /// Sent first at every connection: state, about, meta.
    pub greeting: Vec<Message>,
    /// Sent by the broker when this node vanishes; its topic ends in `/state`, and commands come below `/cmd`.
    pub will: Message,
    /// Newest health report.
    pub health: watch::Receiver<Option<Message>>,
    /// Whether a connection stands.
    pub connected: Arc<AtomicBool>,
    /// Until when certificates hold.
    pub validity: Arc<Validity>,
    /// Takes what the broker objects to; what finds it full is dropped.
    pub troubles: mpsc::Sender<Trouble>,
    /// Takes commands, unchecked; what finds it full is dropped.
    pub commands: mpsc::Sender<Command>,
    /// Answers to commands: they go out at once or never.
    pub answers: mpsc::Receiver<Message>,
    /// Wakes this to introduce the node again.
    pub again: Arc<Notify>,
}

impl Publisher {
    /// Publishes until `stop` turns true, then says goodbye.
    pub async fn run(self, mut stop: watch::Receiver<bool>) {
        let mut course = Course::of(&self);
        let mut publisher = self;
        while !*stop.borrow() {
            let ended = publisher.connection(&mut course, &mut stop).await;
            publisher.connected.store(false, Ordering::Relaxed);
            let most = publisher.learn(&mut course, ended);
            if *stop.borrow() {
                break;
            }
            tokio::select! {
                () = tokio::time::sleep(course.backoff.pause(most)) => {}
                _ = stop.changed() => {}
            }
        }
    }

    /// One connection from CONNECT to its loss.
    async fn connection(&mut self, course: &mut Course, stop: &mut watch::Receiver<bool>) -> Ended {
        course.think_again(self.greeting.len(), self.vault.counts().waiting > 0);
        let (client, events) = match self.dial(course) {
            Ok(dialled) => dialled,
            Err(denial) => return Ended::with(Loss::Denied(denial)),
        };
        let (sender, mut incoming) = mpsc::channel(QUEUE_MAX);
        let polling = tokio::spawn(poll(events, sender));
        let mut link = Link::new(client, course.careful);
        let mut ended = Ended::with(Loss::Gone);
        loop {
            let again = if link.is_paced() { course.pace.wait() } else { LOOK_AGAIN };
            tokio::select! {
                heard = incoming.recv() => match heard {
                    None => break,
                    Some(Heard::Lost(loss)) => {
                        ended.loss = loss;
                        break;
                    }
                    Some(heard) => self.take(heard, &mut link, course, &mut ended),
                },
                () = self.vault.changed() => {}
                () = tokio::time::sleep(again) => {}
                Ok(()) = self.health.changed() => {
                    // A report that finds the queue full is worthless a minute later: it is not kept.
                    if let Some(report) = self.health.borrow_and_update().clone().filter(|_| ended.stood) {
                        link.mention(&report, monotonic_ns());
                    }
                }
                Some(answer) = self.answers.recv() => if ended.stood {
                    link.mention(&answer, monotonic_ns());
                },
                () = self.again.notified() => link.greet(self.greeting.len(), &course.left_out()),
                _ = stop.changed() => {
                    if ended.stood {
                        link.leave(&self.will);
                        tokio::time::sleep(GOODBYE).await;
                    }
                    break;
                }
            }
            if ended.stood && !self.go_on(&mut link, course) {
                break;
            }
        }
        polling.abort();
        ended.is_quick = link.moved_within(HANG_UP_NS, monotonic_ns());
        ended.under_way = link.under_way().map(|item| (item, self.topic_of(item, &link))).collect();
        ended
    }

    /// A connection about to be made, with papers as they are now.
    fn dial(&self, course: &mut Course) -> Result<(Client, Events), Denial> {
        let broker = &self.broker;
        let dial = Dial {
            host: &broker.host,
            port: broker.port,
            client_id: &self.client_id,
            will: Some(&self.will),
            login: broker.login.as_ref().map(papers::password).transpose()?,
            tls: broker.tls.as_ref().map(|tls| papers::client_config(tls, &self.validity)).transpose()?,
            patience_s: course.patience.wait_s(),
        };
        Ok(Client::dial(dial, course.speech.version(monotonic_ns())))
    }

    /// Takes what was heard.
    fn take(&self, heard: Heard, link: &mut Link, course: &mut Course, ended: &mut Ended) {
        let now_ns = monotonic_ns();
        match heard {
            Heard::Connected { packet_bytes_max, in_flight_max } => {
                ended.stood = true;
                self.connected.store(true, Ordering::Relaxed);
                link.connected(
                    self.greeting.len(),
                    &course.left_out(),
                    [packet_bytes_max, in_flight_max.map(u32::from)],
                );
            }
            Heard::Sent(packet) => link.went_out(packet, now_ns),
            Heard::Acknowledged { packet, refusal } => {
                let Some(item) = link.acknowledged(packet, refusal.is_none(), &self.vault, now_ns) else { return };
                if !std::mem::replace(&mut ended.answered, true) {
                    link.greet_also(&course.doubted);
                }
                if let Item::Greeting(index) = item {
                    course.doubted.remove(&index);
                }
                ended.delivered |= matches!(item, Item::Row(_));
                if let (Some(reason), Some(topic)) = (refusal, self.topic_of(item, link)) {
                    course.grievances.tell(Trouble::Refused { topic, reason }, now_ns);
                }
                link.forget(item);
            }
            Heard::Subscribed { refusal } => {
                if let Some(trouble) = course.hearing.answered(refusal, now_ns) {
                    course.grievances.tell(trouble, now_ns);
                }
            }
            Heard::Came { topic, body, is_retained } => course.hearing.came(&topic, body, is_retained),
            Heard::Lost(_) => {}
        }
    }

    /// Hands over what is due; false when the other end has not answered for too long.
    fn go_on(&self, link: &mut Link, course: &mut Course) -> bool {
        let now_ns = monotonic_ns();
        let Course { pace, grievances, hearing, .. } = course;
        let is_idle = !link.is_greeting() && link.under_way().next().is_none();
        if hearing.is_due(is_idle, now_ns) && link.subscribe(&hearing.filter()) {
            hearing.asked();
        }
        link.pump(&mut Load { greeting: &self.greeting, vault: &self.vault, pace, grievances }, now_ns);
        if let Some(error) = self.vault.trouble() {
            course.grievances.tell(Trouble::Store { reason: error.to_string() }, now_ns);
        }
        self.warn_of_ends(course, now_ns);
        !link.is_stuck(now_ns)
    }

    /// Learns from how a connection ended; gives the longest pause before the next.
    fn learn(&mut self, course: &mut Course, ended: Ended) -> Duration {
        let now_ns = monotonic_ns();
        if ended.stood && now_ns - ended.begun_ns > STEADY_NS {
            course.backoff.reset();
        }
        if !ended.stood {
            course.speech.refused(&ended.loss, now_ns);
        }
        course.patience.learn(ended.stood, ended.loss == Loss::Silence);
        let was_asked = course.hearing.is_open();
        if let Some(trouble) = course.hearing.lost(ended.loss == Loss::HungUp, ended.loss == Loss::Overlong, now_ns) {
            course.grievances.tell(trouble, now_ns);
        }
        match &ended.loss {
            Loss::Denied(denial) => {
                course.grievances.tell(Trouble::Denied { reason: denial.to_string() }, now_ns);
                return PAUSE_DENIED_MAX;
            }
            Loss::OtherVersion if course.speech.is_fixed() => {
                course.grievances.tell(Trouble::Denied { reason: Denial::Protocol.to_string() }, now_ns);
                return PAUSE_DENIED_MAX;
            }
            Loss::TakenOver => {
                let reason = format!(
                    "another client comes as {}: give each box its own [store] node, and stop what runs twice",
                    self.client_id
                );
                course.grievances.tell(Trouble::Denied { reason }, now_ns);
                return PAUSE_DENIED_MAX;
            }
            Loss::Objection(reason) | Loss::Gibberish(reason) if !ended.stood => {
                course.grievances.tell(Trouble::Denied { reason: Denial::NoMqtt(reason.clone()).to_string() }, now_ns);
                return PAUSE_DENIED_MAX;
            }
            Loss::Objection(reason) => {
                self.blame(course, &ended, reason, now_ns);
                // It answers, and with every second connection one message less is in the way.
                return if ended.answered { PAUSE_OBJECTION_MAX } else { PAUSE_MAX };
            }
            Loss::Gibberish(reason) => {
                course.grievances.tell(Trouble::Denied { reason: Denial::NoMqtt(reason.clone()).to_string() }, now_ns);
                self.suspect(course, &ended, now_ns);
                return PAUSE_MAX;
            }
            Loss::HungUp if ended.stood && ended.is_quick && !was_asked => self.suspect(course, &ended, now_ns),
            _ => course.suspect = None,
        }
        // The broker is there and takes rows; but one that takes two clients of one name in turn is not to be stormed.
        if ended.delivered || (ended.answered && course.suspect.is_some()) { PAUSE_BRIEF_MAX } else { PAUSE_MAX }
    }

    /// The other end hung up just after it was sent something: once is chance, as often as that it is meant.
    fn suspect(&mut self, course: &mut Course, ended: &Ended, now_ns: i64) {
        let [(item, _)] = ended.under_way.as_slice() else {
            course.suspect = None;
            course.careful = ended.under_way.len();
            return;
        };
        let strikes = course.suspect.take().filter(|(last, _)| last == item).map_or(1, |(_, strikes)| strikes + 1);
        if strikes < STRIKES_MAX {
            (course.suspect, course.careful) = (Some((*item, strikes)), 1);
        } else {
            self.blame(course, ended, "the broker hangs up whenever it is sent", now_ns);
        }
    }

    /// Gives up what alone was under way when the broker objected, so that it does not block the rest for ever; where there
    /// was more, the next connection has to find out. Whoever has answered for nothing at all does not mind this row, but is
    /// broken, and may be mended: it gets everything anew, the greeting first.
    fn blame(&mut self, course: &mut Course, ended: &Ended, reason: &str, now_ns: i64) {
        let [(item, topic)] = ended.under_way.as_slice() else {
            course.careful = ended.under_way.len();
            return;
        };
        match item {
            Item::Row(_) if !ended.answered => {
                course.doubted.clear();
                (course.careful, course.suspect) = (1, None);
                let reason = Denial::NoAnswer(reason.to_owned()).to_string();
                return course.grievances.tell(Trouble::Denied { reason }, now_ns);
            }
            Item::Row(row) => self.vault.settle(*row, Delivery::Refused),
            Item::Greeting(index) if ended.answered => {
                course.doubted.remove(index);
                course.minded.insert(*index);
                course.minded_ns = now_ns;
            }
            Item::Greeting(index) => drop(course.doubted.insert(*index)),
        }
        (course.careful, course.suspect) = (0, None);
        let topic = topic.clone().unwrap_or_default();
        course.grievances.tell(Trouble::Refused { topic, reason: reason.to_owned() }, now_ns);
    }

    fn topic_of(&self, item: Item, link: &Link) -> Option<String> {
        match item {
            Item::Greeting(index) => self.greeting.get(index).map(|message| message.topic.clone()),
            Item::Row(row) => link.topic(row).cloned(),
        }
    }

    /// Tells of certificates that end within a month, or have ended; once a day.
    fn warn_of_ends(&self, course: &mut Course, now_ns: i64) {
        if now_ns < course.warn_again_ns {
            return;
        }
        course.warn_again_ns = now_ns + DAY_NS;
        let ends =
            [("broker.cert_file", self.validity.own_s()), ("the broker's certificate", self.validity.broker_s())];
        let soon_s = utc_now().0 / 1000 + EXPIRY_WARNING_S;
        for (which, not_after_s) in ends.into_iter().filter_map(|(which, end_s)| Some((which, end_s?))) {
            if not_after_s < soon_s {
                course.grievances.tell(Trouble::CertificateExpiring { which, not_after_s }, now_ns);
            }
        }
    }
}

/// What outlives a connection.
struct Course {
    speech: Speech,
    backoff: Backoff,
    pace: Pace,
    hearing: Hearing,
    grievances: Grievances,
    /// Rows the next connection sends one at a time.
    careful: usize,
    /// What was alone under way when the broker last hung up, and how often in a row.
    suspect: Option<(Item, u8)>,
    /// Parts of the greeting that the broker objected to, and when it last did.
    minded: BTreeSet<usize>,
    minded_ns: i64,
    /// Parts that were alone under way when a broker objected that had answered for nothing: they are said once it does.
    doubted: BTreeSet<usize>,
    patience: Patience,
    /// When the ends of certificates are looked at again.
    warn_again_ns: i64,
}

impl Course {
    fn of(publisher: &Publisher) -> Self {
        let base = publisher.will.topic.strip_suffix("state").unwrap_or(&publisher.will.topic);
        Self {
            speech: Speech::new(publisher.broker.protocol),
            backoff: Backoff::of(&publisher.client_id),
            pace: Pace::new(publisher.broker.rate_per_s, monotonic_ns()),
            hearing: Hearing::new(format!("{base}cmd/"), publisher.commands.clone()),
            grievances: Grievances::new(publisher.troubles.clone()),
            careful: 0,
            suspect: None,
            minded: BTreeSet::new(),
            minded_ns: 0,
            doubted: BTreeSet::new(),
            patience: Patience::of(CONNECT_S),
            warn_again_ns: i64::MIN,
        }
    }
}

impl Course {
    /// Before a connection: what was minded long ago may be welcome now, and where nothing else is to be said what was
    /// doubted is.
    fn think_again(&mut self, greeting: usize, has_rows: bool) {
        if monotonic_ns() - self.minded_ns > MINDED_NS {
            self.minded.clear();
        }
        if !has_rows && self.left_out().len() == greeting {
            self.doubted.clear();
        }
    }

    /// Parts of the greeting that are not said before the broker has answered for something.
    fn left_out(&self) -> BTreeSet<usize> {
        &self.minded | &self.doubted
    }
}

/// How a connection ended.
struct Ended {
    loss: Loss,
    /// Whether the broker had let us in.
    stood: bool,
    /// When it was begun, ns.
    begun_ns: i64,
    /// Whether anything was answered for.
    answered: bool,
    /// Whether a row was answered for.
    delivered: bool,
    /// Whether it ended just after something was sent or answered.
    is_quick: bool,
    /// What was sent and not acknowledged, and where it was to go.
    under_way: Vec<(Item, Option<String>)>,
}

impl Ended {
    fn with(loss: Loss) -> Self {
        let begun_ns = monotonic_ns();
        let (under_way, answered) = (Vec::new(), false);
        Self { loss, stood: false, begun_ns, answered, delivered: false, is_quick: false, under_way }
    }
}

/// Polls the client for as long as the connection lasts: it only lives while it is polled.
async fn poll(mut events: Events, sender: mpsc::Sender<Heard>) {
    loop {
        let heard = events.heard().await;
        let is_over = matches!(heard, Heard::Lost(_));
        if sender.send(heard).await.is_err() || is_over {
            return;
        }
    }
}

/// Rows that were held back are looked for this often.
const LOOK_AGAIN: Duration = Duration::from_secs(1);
/// Longest pause while the broker is away.
const PAUSE_MAX: Duration = Duration::from_secs(15);
/// Longest pause after a connection that ended soon and on which rows were taken, or one alone was not.
const PAUSE_BRIEF_MAX: Duration = Duration::from_secs(4);
/// Longest pause after an objection.
const PAUSE_OBJECTION_MAX: Duration = Duration::from_secs(1);
/// A connection that stood this long was a good one, ns.
const STEADY_NS: i64 = 10 * 1_000_000_000;
/// Longest pause while the broker does not let us in.
const PAUSE_DENIED_MAX: Duration = Duration::from_secs(60);
/// Time for the last packet to leave.
const GOODBYE: Duration = Duration::from_millis(100);
/// Who hangs up within this time of being sent something may do it for that reason, ns.
const HANG_UP_NS: i64 = 2_000_000_000;
/// Times a broker hangs up on the same message, alone under way, before that is taken for a refusal.
const STRIKES_MAX: u8 = 5;
/// How long a part of the greeting that was objected to is left out, ns.
const MINDED_NS: i64 = 3600 * 1_000_000_000;
/// A certificate that ends sooner than this is told, s.
const EXPIRY_WARNING_S: i64 = 30 * 86_400;
const DAY_NS: i64 = 86_400 * 1_000_000_000;
