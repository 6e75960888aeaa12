//! What a broker objects to, in words an operator can act on.
//!
//! In: what went wrong on a connection. Out: [`Trouble`]s on a bounded channel. Invariants: the same trouble is told once
//! an hour and not once an attempt; what finds the channel full is dropped, for nobody waits for it.

use std::collections::BTreeMap;

use tokio::sync::mpsc;

use crate::clock::UtcMs;
use crate::wire::compose::rfc3339;

/// Something the broker did not take, or why it is not reached.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Trouble {
    /// A message was refused; it leaves the spool and stays in the history.
    #[error("{topic} refused: {reason}")]
    Refused {
        /// Where it was to go.
        topic: String,
        /// What the broker said.
        reason: String,
    },
    /// A message is longer than the broker takes; it leaves the spool and stays in the history.
    #[error(
        "{topic} is {bytes} bytes long, the broker takes {limit}: raise its limit of packets (mosquitto: max_packet_size)"
    )]
    TooLarge {
        /// Where it was to go.
        topic: String,
        /// Its packet, bytes.
        bytes: usize,
        /// Longest packet the broker takes, bytes.
        limit: usize,
    },
    /// The connection is refused; nothing is lost, and it is tried again.
    #[error("{reason}")]
    Denied {
        /// By what, and the remedy.
        reason: String,
    },
    /// Something that waits cannot be read from the store; what comes after it is sent.
    #[error("{reason}")]
    Store {
        /// What and where, and the remedy.
        reason: String,
    },
    /// No commands are heard; it is tried again.
    #[error("commands are not heard: {reason}")]
    Deaf {
        /// What the broker said.
        reason: String,
    },
    /// A certificate ends soon, or has ended.
    #[error("{which} ends at {}: renew it", rfc3339(UtcMs(*not_after_s * 1000)))]
    CertificateExpiring {
        /// Whose: "broker.cert_file" or "the broker's certificate".
        which: &'static str,
        /// When, s since 1970.
        not_after_s: i64,
    },
}

/// Why a broker does not let us in.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Denial {
    /// User or password.
    #[error("the broker refuses user or password: check broker.user and what stands in broker.password_file")]
    Login,
    /// Not allowed, for whatever reason.
    #[error(
        "the broker does not let this node in ({0}): check broker.user, what stands in broker.password_file, broker.cert_file and the broker's own rules"
    )]
    NotAllowed(String),
    /// The broker's certificate has ended.
    #[error("the broker's certificate has expired: renew it at the broker (or set this box's clock)")]
    BrokerExpired,
    /// The broker's certificate has not begun.
    #[error("the broker's certificate is not valid yet: set this box's clock")]
    BrokerEarly,
    /// Nobody we trust vouches for the broker.
    #[error(
        "nobody in broker.ca_file vouches for the broker's certificate: name the certificate of the authority that signed it"
    )]
    UnknownAuthority,
    /// The broker's certificate is somebody else's.
    #[error(
        "the broker's certificate is not for the name in broker.url: write the name it was made for, or renew it with this one"
    )]
    WrongName,
    /// The broker does not take our certificate.
    #[error(
        "the broker refuses our certificate ({0}): renew broker.cert_file, or have it signed by an authority the broker knows"
    )]
    OwnCertificate(String),
    /// No TLS at the other end, or not one we can speak.
    #[error("no TLS with the broker ({0}): check the port in broker.url")]
    NoTls(String),
    /// One of our files is of no use.
    #[error("{0}")]
    File(String),
    /// Something answers, and no broker does so.
    #[error("what answers at broker.url speaks no MQTT ({0}): check host and port")]
    NoMqtt(String),
    /// It lets us in and answers for nothing.
    #[error(
        "the broker lets this node in and answers for nothing it is sent ({0}): look into the broker's own log; nothing is given up"
    )]
    NoAnswer(String),
    /// It speaks another MQTT than the site file wants.
    #[error("the broker does not speak what broker.protocol demands; write \"auto\"")]
    Protocol,
}

/// Tells troubles, each once in a while.
pub(super) struct Grievances {
    sender: mpsc::Sender<Trouble>,
    told_ns: BTreeMap<String, i64>,
}

impl Grievances {
    pub(super) fn new(sender: mpsc::Sender<Trouble>) -> Self {
        Self { sender, told_ns: BTreeMap::new() }
    }

    /// Tells a trouble unless it was told within the hour before `now_ns`.
    pub(super) fn tell(&mut self, trouble: Trouble, now_ns: i64) {
        self.told_ns.retain(|_, told_ns| now_ns - *told_ns < AGAIN_NS);
        let words = trouble.to_string();
        if self.told_ns.contains_key(&words) || self.told_ns.len() >= TOLD_MAX {
            return;
        }
        // A full channel means that nobody listens; what happened is counted in health all the same.
        if self.sender.try_send(trouble).is_ok() {
            self.told_ns.insert(words, now_ns);
        }
    }
}

/// How long the same trouble is not told again.
const AGAIN_NS: i64 = 3600 * 1_000_000_000;
/// Different troubles told within that time: more than a shop has topics.
const TOLD_MAX: usize = 512;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_trouble_is_told_once_an_hour_and_another_at_once() {
        let (sender, mut told) = mpsc::channel(8);
        let mut grievances = Grievances::new(sender);
        let refused = |topic: &str| Trouble::Refused { topic: topic.to_owned(), reason: "no".to_owned() };
        for now_ns in [0, 1, AGAIN_NS - 1] {
            grievances.tell(refused("a"), now_ns);
        }
        grievances.tell(refused("b"), 1);
        grievances.tell(refused("a"), AGAIN_NS);
        let heard: Vec<Trouble> = std::iter::from_fn(|| told.try_recv().ok()).collect();
        assert_eq!(heard, [refused("a"), refused("b"), refused("a")]);
    }

    #[test]
    fn a_trouble_nobody_had_room_for_is_told_when_there_is_room() {
        let (sender, mut told) = mpsc::channel(1);
        let mut grievances = Grievances::new(sender);
        let denied = |reason: &str| Trouble::Denied { reason: reason.to_owned() };
        grievances.tell(denied("a"), 0);
        grievances.tell(denied("b"), 0);
        assert_eq!(told.try_recv(), Ok(denied("a")));
        grievances.tell(denied("b"), 1);
        assert_eq!(told.try_recv(), Ok(denied("b")));
    }
}
