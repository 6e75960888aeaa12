//! Everything that leaves the box: MQTT messages, a page on loopback, sums over any period and pictures of them.
//!
//! In: rows of the [`crate::vault::Vault`] and messages of state and health. Out: bytes on sockets. Invariant: nothing
//! here measures; page, sums and pictures read back the very payloads that are published.

pub mod attendant;
pub mod broker;
pub mod commands;
pub mod discovery;
pub mod images;
pub mod mqtt;
pub mod period;
pub mod picture;
pub mod web;

/// Why nothing can be published.
#[derive(Debug, thiserror::Error)]
pub enum PublishError {
    /// A port of ours is taken.
    #[error(
        "{key} = {port}: the port is in use on 127.0.0.1; end the program that holds it or write another port in the site file"
    )]
    PortInUse {
        /// Key of the site file.
        key: &'static str,
        /// The port.
        port: u16,
    },
    /// A port of ours cannot be had.
    #[error("{key} = {port}: {reason}; write another port in the site file")]
    PortRefused {
        /// Key of the site file.
        key: &'static str,
        /// The port.
        port: u16,
        /// What the system said.
        reason: String,
    },
    /// A certificate or a key of the page that cannot be used.
    #[error("{key} = {path}: {reason}")]
    Paper {
        /// Key of the site file.
        key: &'static str,
        /// The file.
        path: String,
        /// What is wrong, and the remedy.
        reason: String,
    },
    /// The embedded broker does not start.
    #[error("broker.embedded = true: {reason}")]
    Embedded {
        /// What is missing, and the remedy.
        reason: String,
    },
}

impl PublishError {
    fn of_paper(key: &'static str, path: &std::path::Path, reason: String) -> Self {
        Self::Paper { key, path: path.display().to_string(), reason }
    }

    /// Why a port could not be bound.
    fn of_port(key: &'static str, port: u16, error: &std::io::Error) -> Self {
        match error.kind() {
            std::io::ErrorKind::AddrInUse => Self::PortInUse { key, port },
            _ => Self::PortRefused { key, port, reason: error.to_string() },
        }
    }
}
