//! `kehai doctor`: does the broker let this node do what it must, and for how long yet.
//!
//! In: a site. Out: findings. Invariant: one connection of its own beside that of a running node, under another client id;
//! nothing of the shop is sent.

use crate::cli::Failure;
use crate::cli::publishing::client_id;
use crate::clock::{UtcMs, utc_now};
use crate::config::broker::Remote;
use crate::config::site::Site;
use crate::publish::mqtt::sounding::{Sounding, sound};
use crate::publish::mqtt::{Validity, Version};
use crate::wire::Message;
use crate::wire::compose::rfc3339;

/// What was found: what it is about, and how it is.
pub(in crate::cli) type Told = Vec<(&'static str, Result<String, String>)>;

/// Connects to the broker of a site and tries what a node does there.
pub(in crate::cli) fn check(site: &Site, remote: &Remote) -> Result<Told, Failure> {
    let store = &site.settings.store;
    let base = format!("{}/{}/{}/{}", site.outlets.topic_root, store.org, store.store, store.node);
    let message = Message {
        topic: format!("{base}/rsp/doctor"),
        body: br#"{"v":1,"k":"rsp","of":"doctor"}"#.to_vec(),
        retain: false,
        at_least_once: true,
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| Failure::new(super::CHECK_FAILED, error.to_string()))?;
    let client_id = client_id(&site.settings, "-doctor");
    let sounded = runtime.block_on(sound(remote, &client_id, &message, &format!("{base}/cmd/+")));
    let mut told = vec![];
    if remote.is_dangerous_plaintext {
        let words = "in the clear: everybody on the way reads and writes it (broker.dangerous_plaintext = true)";
        told.push(("broker: secrecy", Ok(words.to_owned())));
    }
    match sounded {
        Err(reason) => told.push(("broker", Err(format!("{}: {reason}", remote.url())))),
        Ok(found) => told.extend(described(remote, &found, &message.topic)),
    }
    Ok(told)
}

fn described(remote: &Remote, found: &Sounding, topic: &str) -> Told {
    let most = found.packet_bytes_max.map_or(String::new(), |bytes| format!(", packets of at most {bytes} bytes"));
    let mut told = vec![("broker", Ok(format!("{} speaks MQTT {}{most}", remote.url(), found.version.name())))];
    if remote.tls.is_some() {
        told.push(("broker: certificates", certificates(&found.validity)));
    }
    let publish = match (&found.publish_refusal, found.version) {
        (Some(why), _) => {
            Err(format!("{topic} refused ({why}): let this node write below its own topics, see deploy/broker"))
        }
        (None, Version::Five) => Ok(format!("{topic} taken")),
        (None, Version::Three) => Ok(format!("{topic} taken, as far as MQTT 3.1.1 tells")),
    };
    told.push(("broker: publish", publish));
    let commands = match &found.subscribe_refusal {
        Some(why) => Err(format!("cmd/+ refused ({why}): let this node read its own commands, see deploy/broker")),
        None => Ok("cmd/+ is heard".to_owned()),
    };
    told.push(("broker: commands", commands));
    told
}

/// Until when certificates hold; one that ends within a month is a fault that can still be mended.
fn certificates(validity: &Validity) -> Result<String, String> {
    let ends = [("the broker's", validity.broker_s()), ("broker.cert_file", validity.own_s())];
    let now_s = utc_now().0 / 1000;
    let mut is_soon = false;
    let words = ends.into_iter().filter_map(|(whose, end_s)| {
        let end_s = end_s?;
        let days = (end_s - now_s).div_euclid(86_400);
        is_soon |= days < RENEW_DAYS;
        Some(format!("{whose} until {} ({days} days)", rfc3339(UtcMs(end_s * 1000))))
    });
    let words = words.collect::<Vec<_>>().join(", ");
    if is_soon { Err(format!("{words}: renew what ends within {RENEW_DAYS} days")) } else { Ok(words) }
}

/// A certificate is renewed this long before it ends, days.
const RENEW_DAYS: i64 = 30;
