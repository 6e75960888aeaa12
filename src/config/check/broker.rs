//! Broker and page of the site file: where messages go, and by which door.
//!
//! In: `[broker]` and `[page]`, raw. Out: [`Outlets`]. Invariants: no password stands in the site file; what leaves this
//! machine is encrypted, or called dangerous by name.

use std::net::IpAddr;

use super::{Check, is_id_byte, quoted};
use crate::config::broker::{Broker, Login, Own, Protocol, RATE_PER_S_DEFAULT, Remote, Tls};
use crate::config::site::{RawBroker, RawPage, RawVault, topic_root_default};
use crate::config::{Outlets, PageDoor};

impl Check {
    pub(super) fn outlets(&mut self, broker: Option<RawBroker>, page: Option<RawPage>, vault: &RawVault) -> Outlets {
        let topic_root = broker.as_ref().map_or_else(topic_root_default, |broker| broker.topic_root.clone());
        if topic_root.split('/').any(|level| level.is_empty() || !level.bytes().all(is_id_byte)) {
            let remedy = "write levels of a-z, 0-9, _ and - with single slashes between";
            self.refuse("broker.topic_root", quoted(&topic_root), remedy);
        }
        let has_discovery = broker.as_ref().is_some_and(|broker| broker.home_assistant);
        let has_images = broker.as_ref().is_some_and(|broker| broker.images);
        let broker = broker.and_then(|raw| self.broker(&raw));
        let embedded = match &broker {
            Some(Broker::Embedded { port, .. }) => Some(*port),
            _ => None,
        };
        if embedded == Some(0) {
            self.refuse("broker.port", 0, "write a port from 1 to 65535");
        }
        if let Some(page) = page.as_ref().filter(|page| page.port == 0 || Some(page.port) == embedded) {
            self.refuse("page.port", page.port, "write a port from 1 to 65535 that the broker does not hold");
        }
        let (state_folder, keeping) = self.vault(vault);
        Outlets {
            topic_root,
            broker,
            has_discovery,
            has_images,
            page: page.and_then(|page| self.page(page)),
            state_folder,
            keeping,
            command_keys: Vec::new(),
        }
    }

    /// Off this machine the page is encrypted, or there is none.
    fn page(&mut self, raw: RawPage) -> Option<PageDoor> {
        let address = raw.address.as_deref().unwrap_or("127.0.0.1");
        let Ok(ip) = address.parse::<IpAddr>() else {
            let remedy = "write an address of this machine, or \"0.0.0.0\" for all of them";
            self.refuse("page.address", quoted(address), remedy);
            return None;
        };
        let files = [("page.cert_file", &raw.cert_file), ("page.key_file", &raw.key_file)];
        if ip.is_loopback() {
            for (key, path) in files {
                if let Some(path) = path {
                    let remedy = "is for a page at a network: write address = \"0.0.0.0\" too, or leave it out";
                    self.refuse(key, quoted(&path.display().to_string()), remedy);
                }
            }
            if address != "127.0.0.1" {
                self.refuse("page.address", quoted(address), "write \"127.0.0.1\", or leave it out");
            }
            return Some(PageDoor::Loopback { port: raw.port });
        }
        for (key, _) in files.into_iter().filter(|(_, path)| path.is_none()) {
            let remedy = format!("name a PEM file: at {address} the page is encrypted, and asks who is there");
            self.refuse(key, "missing", remedy);
        }
        Some(PageDoor::Network { address: ip, port: raw.port, cert_file: raw.cert_file?, key_file: raw.key_file? })
    }

    fn broker(&mut self, raw: &RawBroker) -> Option<Broker> {
        let rate_per_s = raw.rate_per_s.unwrap_or(RATE_PER_S_DEFAULT);
        if !(RATE_PER_S_MIN..=RATE_PER_S_MAX).contains(&rate_per_s) {
            let remedy = format!("write {RATE_PER_S_MIN} to {RATE_PER_S_MAX} messages a second");
            self.refuse("broker.rate_per_s", rate_per_s, remedy);
        }
        match (&raw.url, raw.embedded) {
            (None, true) => {
                self.embedded_alone(raw);
                Some(Broker::Embedded { port: raw.port.unwrap_or(BROKER_PORT_DEFAULT), rate_per_s })
            }
            (Some(url), false) if raw.port.is_none() => self.remote(url, raw, rate_per_s).map(Broker::At),
            _ => {
                let remedy = "write either url = \"mqtt://HOST:PORT\" or embedded = true with a port";
                self.refuse("broker", "both or neither", remedy);
                None
            }
        }
    }

    /// The broker of our own is on loopback and knows nobody.
    fn embedded_alone(&mut self, raw: &RawBroker) {
        let keys = [
            ("ca_file", raw.ca_file.is_some()),
            ("cert_file", raw.cert_file.is_some()),
            ("key_file", raw.key_file.is_some()),
            ("user", raw.user.is_some()),
            ("password_file", raw.password_file.is_some()),
            ("protocol", raw.protocol.is_some()),
            ("dangerous_plaintext", raw.dangerous_plaintext),
        ];
        for (key, _) in keys.into_iter().filter(|(_, is_there)| *is_there) {
            self.refuse(format!("broker.{key}"), "…", "is for a broker with a url; the embedded one needs none");
        }
    }

    fn remote(&mut self, url: &str, raw: &RawBroker, rate_per_s: u32) -> Option<Remote> {
        if url.contains('@') {
            let remedy =
                "write mqtts://HOST:PORT without user and password; those are broker.user and broker.password_file";
            self.refuse("broker.url", "…@…", remedy);
            return None;
        }
        let Some((is_tls, host, port)) = parsed(url) else {
            self.refuse("broker.url", "…", "write mqtt://HOST:PORT or mqtts://HOST:PORT without user and password");
            return None;
        };
        let is_near = is_this_machine(&host);
        if !is_tls && !is_near && !raw.dangerous_plaintext {
            let remedy = format!(
                "{host} is not this machine and plain MQTT is readable on the way; write mqtts://{host}:8883, or dangerous_plaintext = true"
            );
            self.refuse("broker.url", quoted(url), remedy);
        }
        if is_tls && host.contains(':') {
            let remedy = "give the broker a name: certificates are not checked against IPv6 addresses";
            self.refuse("broker.url", quoted(url), remedy);
        }
        let tls = self.tls(raw, is_tls);
        let login = self.login(raw);
        let protocol = self.protocol(raw.protocol.as_deref());
        let is_dangerous_plaintext = !is_tls && !is_near;
        Some(Remote { host, port, tls, login, protocol, rate_per_s, is_dangerous_plaintext })
    }

    fn tls(&mut self, raw: &RawBroker, is_tls: bool) -> Option<Tls> {
        let files = [("ca_file", &raw.ca_file), ("cert_file", &raw.cert_file), ("key_file", &raw.key_file)];
        if !is_tls {
            for (key, file) in files {
                if let Some(file) = file {
                    let remedy = "is of no use without TLS; write url = \"mqtts://HOST:8883\"";
                    self.refuse(format!("broker.{key}"), quoted(&file.display().to_string()), remedy);
                }
            }
            return None;
        }
        let own = match (&raw.cert_file, &raw.key_file) {
            (Some(cert_file), Some(key_file)) => Some(Own { cert_file: cert_file.clone(), key_file: key_file.clone() }),
            (None, None) => None,
            _ => {
                let remedy = "a certificate and its key belong together: write broker.cert_file and broker.key_file";
                self.refuse("broker.cert_file", "one of two", remedy);
                None
            }
        };
        Some(Tls { ca_file: raw.ca_file.clone(), own })
    }

    fn login(&mut self, raw: &RawBroker) -> Option<Login> {
        match (&raw.user, &raw.password_file) {
            (Some(user), Some(file)) => Some(Login { user: user.clone(), password_file: file.clone() }),
            (None, None) => None,
            _ => {
                let remedy =
                    "a user and the file of the password belong together: write broker.user and broker.password_file";
                self.refuse("broker.user", "one of two", remedy);
                None
            }
        }
    }

    fn protocol(&mut self, raw: Option<&str>) -> Protocol {
        match raw {
            None | Some("auto") => Protocol::Auto,
            Some("5") => Protocol::Five,
            Some("3.1.1") => Protocol::Three,
            Some(other) => {
                self.refuse("broker.protocol", quoted(other), "write \"auto\", \"5\" or \"3.1.1\"");
                Protocol::Auto
            }
        }
    }
}

/// Whether it is TLS, the host without brackets and the port of an address.
pub(in crate::config) fn parsed(url: &str) -> Option<(bool, String, u16)> {
    let (scheme, rest) = url.split_once("://")?;
    let (is_tls, usual) = match scheme {
        "mqtt" => (false, "1883"),
        "mqtts" => (true, "8883"),
        _ => return None,
    };
    let rest = rest.trim_end_matches('/');
    let (host, port) = rest.rsplit_once(':').filter(|(_, port)| !port.ends_with(']')).unwrap_or((rest, usual));
    let host = host.trim_matches(['[', ']']);
    let is_host = !host.is_empty() && !host.contains(['/', '?', '#', ' ']);
    Some((is_tls, host.to_owned(), port.parse().ok().filter(|port| *port > 0 && is_host)?))
}

pub(in crate::config) fn is_this_machine(host: &str) -> bool {
    host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// Loopback port of the embedded broker.
const BROKER_PORT_DEFAULT: u16 = 18_830;
/// Slowest rate at which a shop of sixty objects still keeps up.
const RATE_PER_S_MIN: u32 = 1;
/// Faster than any broker here took windows one by one.
const RATE_PER_S_MAX: u32 = 10_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_has_a_scheme_a_host_and_a_port() {
        let host = |url: &str| parsed(url).map(|(is_tls, host, port)| format!("{is_tls} {host} {port}"));
        assert_eq!(host("mqtt://localhost").as_deref(), Some("false localhost 1883"));
        assert_eq!(host("mqtts://broker.example/").as_deref(), Some("true broker.example 8883"));
        assert_eq!(host("mqtts://[::1]:9").as_deref(), Some("true ::1 9"));
        assert_eq!(host("mqtt://[::1]").as_deref(), Some("false ::1 1883"));
        for url in ["broker:1883", "http://a:1", "mqtt://:1883", "mqtt://a:0", "mqtt://a:99999", "mqtt://a/b"] {
            assert_eq!(host(url), None, "{url}");
        }
    }
}
