//! Where messages go: a broker, the language it is spoken to in, and the files that open its door.
//!
//! In: `[broker]` of the site file (`config/check/broker.rs`). Out: [`Broker`]. Invariant: secrets are named by their file
//! and never held here; a connection that others could read is to this machine, or was called dangerous by name.

use std::path::PathBuf;

use super::check::broker::{is_this_machine, parsed};

/// Where messages go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Broker {
    /// A broker started and ended by the mouth, on this loopback port.
    Embedded {
        /// TCP port on 127.0.0.1.
        port: u16,
        /// Most windows sent in a second.
        rate_per_s: u32,
    },
    /// A broker that is there already.
    At(Remote),
}

impl Broker {
    /// How it is reached, whoever runs it.
    #[must_use]
    pub fn remote(&self) -> Remote {
        match self {
            Self::Embedded { port, rate_per_s } => {
                Remote { rate_per_s: *rate_per_s, ..Remote::plain("127.0.0.1", *port) }
            }
            Self::At(remote) => remote.clone(),
        }
    }
}

/// A broker and how it is spoken to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Remote {
    /// Host name or address.
    pub host: String,
    /// TCP port.
    pub port: u16,
    /// TLS; without it everybody on the way can read and write.
    pub tls: Option<Tls>,
    /// Who we are, by password.
    pub login: Option<Login>,
    /// Which MQTT is spoken.
    pub protocol: Protocol,
    /// Most windows sent in a second, so that what piled up does not flood a broker.
    pub rate_per_s: u32,
    /// Whether messages cross a network in the clear because the site file says so.
    pub is_dangerous_plaintext: bool,
}

impl Remote {
    /// A broker of this machine that lets everybody in.
    #[must_use]
    pub fn plain(host: &str, port: u16) -> Self {
        Self {
            host: host.to_owned(),
            port,
            tls: None,
            login: None,
            protocol: Protocol::Auto,
            rate_per_s: RATE_PER_S_DEFAULT,
            is_dangerous_plaintext: false,
        }
    }

    /// The broker at an address as [`Remote::url`] writes it; `None` when it is none.
    #[must_use]
    pub fn of_url(url: &str) -> Option<Self> {
        let (is_tls, host, port) = parsed(url)?;
        let is_dangerous_plaintext = !is_tls && !is_this_machine(&host);
        Some(Self { tls: is_tls.then(Tls::default), is_dangerous_plaintext, ..Self::plain(&host, port) })
    }

    /// As an address for people.
    #[must_use]
    pub fn url(&self) -> String {
        let scheme = if self.tls.is_some() { "mqtts" } else { "mqtt" };
        let host = if self.host.contains(':') { format!("[{}]", self.host) } else { self.host.clone() };
        format!("{scheme}://{host}:{}", self.port)
    }
}

/// Files of a TLS connection, PEM each; read again at every connection, so that a renewed one needs no restart.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tls {
    /// Certificates of those who may vouch for the broker; the system's own when absent.
    pub ca_file: Option<PathBuf>,
    /// Certificate and key by which the broker knows us.
    pub own: Option<Own>,
}

/// A certificate and its key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Own {
    /// Certificate, with what lies between it and the authority the broker trusts.
    pub cert_file: PathBuf,
    /// Its private key.
    pub key_file: PathBuf,
}

/// A user and the file that holds the password.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Login {
    /// User name.
    pub user: String,
    /// File of one line, mode 600.
    pub password_file: PathBuf,
}

/// Which MQTT is spoken.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Protocol {
    /// 5, and 3.1.1 where that is refused.
    #[default]
    Auto,
    /// 5 and nothing else.
    Five,
    /// 3.1.1 and nothing else.
    Three,
}

/// Windows a second when the site file does not say: a week of a shop with thirty objects within seven minutes.
pub const RATE_PER_S_DEFAULT: u32 = 50;
