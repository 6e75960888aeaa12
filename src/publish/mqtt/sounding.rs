//! One connection to a broker to see how it does: for `kehai doctor`.
//!
//! In: a broker. Out: what it speaks, what it lets us do, until when certificates hold. Invariant: nothing of a shop is
//! sent; the one message says who sends it and is not kept.

use std::sync::Arc;
use std::time::Duration;

use super::client::{CONNECT_S, Client, Dial, Heard, Version};
use super::loss::Loss;
use super::papers::{self, Validity};
use super::trouble::Denial;
use crate::config::broker::{Protocol, Remote};
use crate::wire::Message;

/// What was found.
#[derive(Debug)]
pub struct Sounding {
    /// What the broker speaks.
    pub version: Version,
    /// Longest packet it takes, bytes, as far as it says.
    pub packet_bytes_max: Option<u32>,
    /// Why it refuses what we publish; 3.1.1 has no words for it.
    pub publish_refusal: Option<String>,
    /// Why it does not let us hear commands.
    pub subscribe_refusal: Option<String>,
    /// Until when certificates hold.
    pub validity: Arc<Validity>,
}

/// Why nothing was found.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unsounded {
    /// Nobody answers.
    #[error("nobody answers: check host and port in broker.url, the network, and whether the broker runs")]
    Away,
    /// It answers and hangs up.
    #[error("it answers and hangs up: check the port in broker.url (TLS and plain MQTT have ports of their own)")]
    HangsUp,
    /// It does not let us in.
    #[error("{0}")]
    Denied(#[from] Denial),
}

/// Connects, publishes one message, asks for commands, leaves.
///
/// # Errors
/// [`Unsounded`], with the remedy.
pub async fn sound(broker: &Remote, client_id: &str, message: &Message, filter: &str) -> Result<Sounding, Unsounded> {
    let versions: &[Version] = match broker.protocol {
        Protocol::Auto => &[Version::Five, Version::Three],
        Protocol::Five => &[Version::Five],
        Protocol::Three => &[Version::Three],
    };
    let mut reason = Unsounded::Away;
    for version in versions {
        let validity = Arc::new(Validity::default());
        let dial = Dial {
            host: &broker.host,
            port: broker.port,
            client_id,
            will: None,
            login: broker.login.as_ref().map(papers::password).transpose()?,
            tls: broker.tls.as_ref().map(|tls| papers::client_config(tls, &validity)).transpose()?,
            patience_s: CONNECT_S,
        };
        let asking = ask(dial, *version, message, filter, validity);
        match tokio::time::timeout(PATIENCE, asking).await {
            Ok(Ok(sounding)) => return Ok(sounding),
            Ok(Err(Loss::Denied(denial))) => return Err(denial.into()),
            Ok(Err(Loss::OtherVersion)) => reason = Unsounded::Denied(Denial::Protocol),
            Ok(Err(Loss::HungUp)) => reason = Unsounded::HangsUp,
            Ok(Err(_)) | Err(_) => return Err(Unsounded::Away),
        }
    }
    Err(reason)
}

async fn ask(
    dial: Dial<'_>,
    version: Version,
    message: &Message,
    filter: &str,
    validity: Arc<Validity>,
) -> Result<Sounding, Loss> {
    let (client, mut events) = Client::dial(dial, version);
    let mut sounding = None;
    let (mut has_published, mut has_asked) = (false, false);
    while !(has_published && has_asked) {
        match (events.heard().await, &mut sounding) {
            (Heard::Connected { packet_bytes_max, .. }, _) => {
                let (publish_refusal, subscribe_refusal, validity) = (None, None, Arc::clone(&validity));
                sounding = Some(Sounding { version, packet_bytes_max, publish_refusal, subscribe_refusal, validity });
                client.publish(message);
            }
            (Heard::Acknowledged { refusal, .. }, Some(found)) => {
                (found.publish_refusal, has_published) = (refusal, true);
                client.subscribe(filter);
            }
            (Heard::Subscribed { refusal }, Some(found)) => (found.subscribe_refusal, has_asked) = (refusal, true),
            // Who hangs up at the first publish or at being asked for commands does not let us do it.
            (Heard::Lost(Loss::HungUp | Loss::Objection(_)), Some(found)) => {
                let refused = Some("it hangs up".to_owned());
                let place = if has_published { &mut found.subscribe_refusal } else { &mut found.publish_refusal };
                *place = refused;
                break;
            }
            (Heard::Lost(loss), _) => return Err(loss),
            _ => {}
        }
    }
    client.disconnect();
    // The goodbye leaves while it is polled; a broker that keeps us waiting may go without it.
    let _ = tokio::time::timeout(GOODBYE, events.heard()).await;
    sounding.ok_or(Loss::Gone)
}

/// Longest a broker may take for all of it.
const PATIENCE: Duration = Duration::from_secs(10);
const GOODBYE: Duration = Duration::from_millis(100);
