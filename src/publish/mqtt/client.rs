//! Two MQTT clients behind one front: 5 and 3.1.1 differ in words, not in what we ask of them.
//!
//! In: messages and a filter. Out: [`Heard`], the same for both. Invariants: a client lives for one connection; what is in
//! flight when it ends is forgotten here and offered again by the vault; the words of 5 that 3.1.1 lacks (why something was
//! refused, how long a packet may be, when a message is stale) are used and never needed.

use std::sync::Arc;
use std::time::Duration;

use rumqttc::v5::mqttbytes::v5 as five;
use rumqttc::v5::mqttbytes::{Error as Error5, QoS as QoS5};
use rumqttc::v5::{self, ConnectionError as Lost5, StateError as State5};
use rumqttc::{
    self as three, ConnectReturnCode, ConnectionError as Lost3, NetworkOptions, Outgoing, QoS, StateError as State3,
    SubscribeReasonCode, TlsConfiguration, Transport,
};
use rustls::ClientConfig;

use super::loss::{Loss, of_io, of_tls};
use super::trouble::Denial;
use crate::wire::Message;

/// Which MQTT a connection speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Version {
    /// 5.
    Five,
    /// 3.1.1.
    Three,
}

impl Version {
    /// As people call it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Five => "5",
            Self::Three => "3.1.1",
        }
    }
}

/// What a connection is made with.
pub(super) struct Dial<'a> {
    pub(super) host: &'a str,
    pub(super) port: u16,
    pub(super) client_id: &'a str,
    pub(super) will: Option<&'a Message>,
    pub(super) login: Option<(String, String)>,
    pub(super) tls: Option<Arc<ClientConfig>>,
    /// Longest wait to be let in, s.
    pub(super) patience_s: u64,
}

/// What is heard on a connection.
#[derive(Debug)]
pub(super) enum Heard {
    /// The broker lets us in.
    Connected { packet_bytes_max: Option<u32>, in_flight_max: Option<u16> },
    /// A publish went out under this number; 0 where no receipt comes.
    Sent(u16),
    /// The receipt of a publish, and why it was refused if it was.
    Acknowledged { packet: u16, refusal: Option<String> },
    /// The answer to our subscription, and why it was refused if it was.
    Subscribed { refusal: Option<String> },
    /// Something came.
    Came { topic: String, body: Vec<u8>, is_retained: bool },
    /// The connection is over.
    Lost(Loss),
}

/// The speaking end of a connection.
pub(super) enum Client {
    Five(v5::AsyncClient),
    Three(three::AsyncClient),
}

/// The listening end of a connection; it must be polled for either end to live.
pub(super) struct Events {
    line: Line,
    /// How it ended, while what came before that is still told.
    loss: Option<Loss>,
}

enum Line {
    Five(Box<v5::EventLoop>),
    Three(Box<three::EventLoop>),
}

impl Client {
    /// A connection, made once [`Events::heard`] is asked.
    pub(super) fn dial(dial: Dial, version: Version) -> (Self, Events) {
        let patience_s = dial.patience_s;
        match version {
            Version::Five => {
                let (client, events) = v5::AsyncClient::new(options5(dial), QUEUE_MAX);
                (Self::Five(client), Events { line: Line::Five(Box::new(events)), loss: None })
            }
            Version::Three => {
                let (client, mut events) = three::AsyncClient::new(options3(dial), QUEUE_MAX);
                events.set_network_options(network(NetworkOptions::new(), patience_s));
                (Self::Three(client), Events { line: Line::Three(Box::new(events)), loss: None })
            }
        }
    }

    /// Hands a message over; false when the queue is full.
    pub(super) fn publish(&self, message: &Message) -> bool {
        let (topic, body) = (message.topic.clone(), message.body.clone());
        match self {
            Self::Five(client) => {
                let qos = if message.at_least_once { QoS5::AtLeastOnce } else { QoS5::AtMostOnce };
                let properties = five::PublishProperties {
                    content_type: Some("application/json".to_owned()),
                    message_expiry_interval: topic.contains("/win/").then_some(WINDOW_STALE_S),
                    ..five::PublishProperties::default()
                };
                client.try_publish_with_properties(topic, qos, message.retain, body, properties).is_ok()
            }
            Self::Three(client) => {
                let qos = if message.at_least_once { QoS::AtLeastOnce } else { QoS::AtMostOnce };
                client.try_publish(topic, qos, message.retain, body).is_ok()
            }
        }
    }

    /// Asks for what others publish under a filter, each message at most once; false when the queue is full.
    pub(super) fn subscribe(&self, filter: &str) -> bool {
        match self {
            Self::Five(client) => client.try_subscribe(filter, QoS5::AtMostOnce).is_ok(),
            Self::Three(client) => client.try_subscribe(filter, QoS::AtMostOnce).is_ok(),
        }
    }

    /// Says goodbye, after which the broker does not call us lost.
    pub(super) fn disconnect(&self) {
        // A full queue is that of a connection that is as good as gone.
        let _ = match self {
            Self::Five(client) => client.try_disconnect().is_ok(),
            Self::Three(client) => client.try_disconnect().is_ok(),
        };
    }
}

impl Events {
    /// The next thing that concerns us; after [`Heard::Lost`] there is nothing more. What came in one piece with the end of
    /// the connection is told before it: a receipt is a receipt.
    pub(super) async fn heard(&mut self) -> Heard {
        loop {
            let heard = match (&self.loss, &mut self.line) {
                (None, Line::Five(events)) => match events.poll().await {
                    Ok(event) => heard5(event),
                    Err(error) => self.end(loss5(&error)),
                },
                (None, Line::Three(events)) => match events.poll().await {
                    Ok(event) => heard3(event),
                    Err(error) => self.end(loss3(&error)),
                },
                (Some(loss), Line::Five(events)) => match events.state.events.pop_front() {
                    Some(event) => heard5(event),
                    None => Some(Heard::Lost(loss.clone())),
                },
                (Some(loss), Line::Three(events)) => match events.state.events.pop_front() {
                    Some(event) => heard3(event),
                    None => Some(Heard::Lost(loss.clone())),
                },
            };
            if let Some(heard) = heard {
                return heard;
            }
        }
    }

    fn end(&mut self, loss: Loss) -> Option<Heard> {
        self.loss = Some(loss);
        None
    }
}

fn options5(dial: Dial) -> v5::MqttOptions {
    let mut options = v5::MqttOptions::new(dial.client_id, dial.host, dial.port);
    // rumqttc forgets in-flight messages when the broker has lost the session, so no session is kept at all.
    options.set_clean_start(true).set_keep_alive(KEEP_ALIVE).set_connection_timeout(dial.patience_s);
    options.set_max_packet_size(Some(INCOMING_BYTES_MAX));
    options.set_network_options(network(options.network_options(), dial.patience_s));
    if let Some(will) = dial.will {
        let (topic, body) = (will.topic.clone(), will.body.clone());
        options.set_last_will(five::LastWill::new(topic, body, QoS5::AtLeastOnce, true, None));
    }
    if let Some((user, password)) = dial.login {
        options.set_credentials(user, password);
    }
    if let Some(tls) = dial.tls {
        options.set_transport(Transport::Tls(TlsConfiguration::Rustls(tls)));
    }
    options
}

fn options3(dial: Dial) -> three::MqttOptions {
    let mut options = three::MqttOptions::new(dial.client_id, dial.host, dial.port);
    options.set_clean_session(true).set_keep_alive(KEEP_ALIVE);
    options.set_max_packet_size(INCOMING_BYTES_MAX as usize, OUTGOING_BYTES_MAX);
    if let Some(will) = dial.will {
        let (topic, body) = (will.topic.clone(), will.body.clone());
        options.set_last_will(three::LastWill::new(topic, body, QoS::AtLeastOnce, true));
    }
    if let Some((user, password)) = dial.login {
        options.set_credentials(user, password);
    }
    if let Some(tls) = dial.tls {
        options.set_transport(Transport::Tls(TlsConfiguration::Rustls(tls)));
    }
    options
}

fn network(mut options: NetworkOptions, patience_s: u64) -> NetworkOptions {
    options.set_tcp_nodelay(true);
    options.set_connection_timeout(patience_s);
    options
}

fn heard5(event: v5::Event) -> Option<Heard> {
    use five::Packet;
    Some(match event {
        v5::Event::Incoming(Packet::ConnAck(ack)) => {
            let said = ack.properties;
            Heard::Connected {
                packet_bytes_max: said.as_ref().and_then(|said| said.max_packet_size),
                in_flight_max: said.and_then(|said| said.receive_max),
            }
        }
        v5::Event::Incoming(Packet::PubAck(ack)) => {
            let is_good = matches!(ack.reason, five::PubAckReason::Success | five::PubAckReason::NoMatchingSubscribers);
            let words = ack.properties.and_then(|said| said.reason_string);
            let refusal = (!is_good).then(|| words.unwrap_or_else(|| format!("{:?}", ack.reason)));
            Heard::Acknowledged { packet: ack.pkid, refusal }
        }
        v5::Event::Incoming(Packet::SubAck(ack)) => {
            let bad = ack.return_codes.iter().find(|code| !matches!(code, five::SubscribeReasonCode::Success(_)));
            Heard::Subscribed { refusal: bad.map(|code| format!("{code:?}")) }
        }
        v5::Event::Incoming(Packet::Publish(publish)) => Heard::Came {
            topic: String::from_utf8_lossy(&publish.topic).into_owned(),
            body: publish.payload.to_vec(),
            is_retained: publish.retain,
        },
        v5::Event::Outgoing(Outgoing::Publish(packet)) => Heard::Sent(packet),
        _ => return None,
    })
}

fn heard3(event: three::Event) -> Option<Heard> {
    use three::Packet;
    Some(match event {
        three::Event::Incoming(Packet::ConnAck(_)) => Heard::Connected { packet_bytes_max: None, in_flight_max: None },
        three::Event::Incoming(Packet::PubAck(ack)) => Heard::Acknowledged { packet: ack.pkid, refusal: None },
        three::Event::Incoming(Packet::SubAck(ack)) => {
            let is_bad = ack.return_codes.contains(&SubscribeReasonCode::Failure);
            Heard::Subscribed { refusal: is_bad.then(|| "refused".to_owned()) }
        }
        three::Event::Incoming(Packet::Publish(publish)) => {
            Heard::Came { topic: publish.topic.clone(), body: publish.payload.to_vec(), is_retained: publish.retain }
        }
        three::Event::Outgoing(Outgoing::Publish(packet)) => Heard::Sent(packet),
        _ => return None,
    })
}

/// A receipt with a reason that is none is an objection: so mosquitto refuses a payload over its `message_size_limit`. What
/// else cannot be read says nothing of what was sent.
fn loss5(error: &Lost5) -> Loss {
    use five::ConnectReturnCode as Code;
    use five::DisconnectReasonCode as Reason;
    match error {
        Lost5::Io(error) => of_io(error),
        Lost5::Tls(error) => of_tls(error),
        Lost5::ConnectionRefused(Code::RefusedProtocolVersion | Code::UnsupportedProtocolVersion) => Loss::OtherVersion,
        Lost5::ConnectionRefused(Code::BadUserNamePassword) => Loss::Denied(Denial::Login),
        Lost5::ConnectionRefused(
            code @ (Code::NotAuthorized
            | Code::Banned
            | Code::BadAuthenticationMethod
            | Code::BadClientId
            | Code::ClientIdentifierNotValid),
        ) => Loss::Denied(Denial::NotAllowed(format!("{code:?}"))),
        Lost5::MqttState(State5::Deserialization(Error5::Io(error)) | State5::Io(error)) => of_io(error),
        Lost5::MqttState(State5::ConnectionAborted) => Loss::HungUp,
        Lost5::MqttState(State5::Deserialization(Error5::PayloadSizeLimitExceeded { .. }))
        | Lost5::MqttState(State5::IncomingPacketTooLarge { .. }) => Loss::Overlong,
        Lost5::MqttState(State5::Deserialization(
            error @ (Error5::InvalidReason(_)
            | Error5::InvalidConnectReturnCode(_)
            | Error5::OutgoingPacketTooLarge { .. }),
        )) => Loss::Objection(error.to_string()),
        Lost5::MqttState(State5::Deserialization(error)) => Loss::Gibberish(error.to_string()),
        Lost5::NotConnAck(_) => Loss::Gibberish("an answer that is none to a CONNECT".to_owned()),
        Lost5::Timeout(_) => Loss::Silence,
        Lost5::MqttState(State5::OutgoingPacketTooLarge { .. }) => Loss::Objection("packet too large".to_owned()),
        Lost5::MqttState(State5::ServerDisconnect { reason_code: Reason::SessionTakenOver, .. }) => Loss::TakenOver,
        Lost5::MqttState(State5::ServerDisconnect {
            reason_code:
                reason @ (Reason::PacketTooLarge
                | Reason::MalformedPacket
                | Reason::ProtocolError
                | Reason::TopicNameInvalid
                | Reason::NotAuthorized
                | Reason::QuotaExceeded
                | Reason::RetainNotSupported
                | Reason::QoSNotSupported
                | Reason::PayloadFormatInvalid),
            ..
        }) => Loss::Objection(format!("{reason:?}")),
        _ => Loss::Gone,
    }
}

fn loss3(error: &Lost3) -> Loss {
    match error {
        Lost3::Io(error) => of_io(error),
        Lost3::Tls(error) => of_tls(error),
        Lost3::ConnectionRefused(ConnectReturnCode::RefusedProtocolVersion) => Loss::OtherVersion,
        Lost3::ConnectionRefused(ConnectReturnCode::BadUserNamePassword) => Loss::Denied(Denial::Login),
        Lost3::ConnectionRefused(code @ (ConnectReturnCode::NotAuthorized | ConnectReturnCode::BadClientId)) => {
            Loss::Denied(Denial::NotAllowed(format!("{code:?}")))
        }
        Lost3::MqttState(State3::Deserialization(three::Error::Io(error)) | State3::Io(error)) => of_io(error),
        Lost3::MqttState(State3::ConnectionAborted) => Loss::HungUp,
        Lost3::MqttState(State3::Deserialization(three::Error::PayloadSizeLimitExceeded(_))) => Loss::Overlong,
        Lost3::MqttState(State3::Deserialization(three::Error::OutgoingPacketTooLarge { .. })) => {
            Loss::Objection("packet too large".to_owned())
        }
        Lost3::MqttState(State3::Deserialization(error)) => Loss::Gibberish(error.to_string()),
        Lost3::NotConnAck(_) => Loss::Gibberish("an answer that is none to a CONNECT".to_owned()),
        Lost3::NetworkTimeout => Loss::Silence,
        _ => Loss::Gone,
    }
}

/// Requests that may wait in a client.
pub(super) const QUEUE_MAX: usize = 64;
/// Longest packet we take, bytes: sixteen times the longest command we heed, and one that is longer ends no connection
/// for good (`hearing.rs`).
const INCOMING_BYTES_MAX: u32 = 1 << 20;
/// Longest packet we send, bytes: eight times the longest payload (CONTRACT §2).
const OUTGOING_BYTES_MAX: usize = 1 << 20;
/// A window that no subscriber fetched for a day and a half is no news (CONTRACT §4), s.
const WINDOW_STALE_S: u32 = 36 * 3600;
const KEEP_ALIVE: Duration = Duration::from_secs(20);
/// How long whoever is dialled for the first time may take to let us in, s.
pub(super) const CONNECT_S: u64 = 5;

#[cfg(test)]
mod tests {
    use super::*;

    fn lost(error: Error5) -> Loss {
        loss5(&Lost5::MqttState(State5::Deserialization(error)))
    }

    #[test]
    fn a_broker_that_goes_away_objects_to_nothing() {
        for kind in [std::io::ErrorKind::ConnectionReset, std::io::ErrorKind::UnexpectedEof] {
            assert_eq!(lost(Error5::Io(kind.into())), Loss::HungUp);
        }
        assert_eq!(loss5(&Lost5::Io(std::io::ErrorKind::ConnectionRefused.into())), Loss::Gone);
    }

    #[test]
    fn an_answer_that_cannot_be_read_or_a_packet_that_cannot_be_sent_is_an_objection() {
        for unreadable in [Error5::InvalidReason(0x95), Error5::InvalidConnectReturnCode(0x95)] {
            assert!(matches!(lost(unreadable), Loss::Objection(_)));
        }
        assert!(matches!(lost(Error5::InvalidPacketType(0)), Loss::Gibberish(_)), "that says nothing of what was sent");
        let too_large = State5::OutgoingPacketTooLarge { pkt_size: 9, max: 8 };
        assert!(matches!(loss5(&Lost5::MqttState(too_large)), Loss::Objection(_)));
    }

    #[test]
    fn a_client_of_our_name_is_told_from_a_broker_that_minds_what_it_is_sent() {
        let sent =
            |reason_code| loss5(&Lost5::MqttState(State5::ServerDisconnect { reason_code, reason_string: None }));
        use five::DisconnectReasonCode as Reason;
        assert_eq!(sent(Reason::SessionTakenOver), Loss::TakenOver);
        assert!(matches!(sent(Reason::PacketTooLarge), Loss::Objection(_)));
        assert_eq!(sent(Reason::ServerShuttingDown), Loss::Gone);
    }

    #[test]
    fn a_broker_that_speaks_another_version_is_told_from_one_that_shuts_the_door() {
        let refused = |code| loss5(&Lost5::ConnectionRefused(code));
        use five::ConnectReturnCode as Code;
        assert_eq!(refused(Code::UnsupportedProtocolVersion), Loss::OtherVersion);
        assert_eq!(refused(Code::RefusedProtocolVersion), Loss::OtherVersion);
        assert_eq!(refused(Code::BadUserNamePassword), Loss::Denied(Denial::Login));
        assert_eq!(refused(Code::ServerBusy), Loss::Gone);
    }
}
