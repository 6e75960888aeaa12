//! What only the mouth needs: where things go, how long they are kept, who may ask.
//!
//! In: the site file, checked. Out: [`Outlets`]. Invariant: none of it reaches the eye.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;

use super::broker::Broker;

/// Where things go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outlets {
    /// Root of all topics.
    pub topic_root: String,
    /// Where messages go.
    pub broker: Option<Broker>,
    /// Whether Home Assistant is told of every figure.
    pub has_discovery: bool,
    /// Whether heatmaps are published as pictures too.
    pub has_images: bool,
    /// Where the web page is served.
    pub page: Option<PageDoor>,
    /// Folder of the store, where the site file names one.
    pub state_folder: Option<PathBuf>,
    /// How much of what is released is kept.
    pub keeping: Keeping,
    /// Who may send commands.
    pub command_keys: Vec<CommandKey>,
}

/// Where the web page is served, and to whom.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PageDoor {
    /// To this machine alone, without a login.
    Loopback {
        /// Port.
        port: u16,
    },
    /// To a network: encrypted, and to people who log in.
    Network {
        /// Address of this machine, or all of them.
        address: IpAddr,
        /// Port.
        port: u16,
        /// Certificate, PEM.
        cert_file: PathBuf,
        /// Its key, PEM; nobody else can read the file.
        key_file: PathBuf,
    },
}

impl PageDoor {
    /// Address and port to listen at.
    #[must_use]
    pub fn socket(&self) -> SocketAddr {
        match self {
            Self::Loopback { port } => SocketAddr::new(Ipv4Addr::LOCALHOST.into(), *port),
            Self::Network { address, port, .. } => SocketAddr::new(*address, *port),
        }
    }

    /// Whether it is open to others than this machine.
    #[must_use]
    pub fn is_network(&self) -> bool {
        matches!(self, Self::Network { .. })
    }

    /// For people; at a network by whatever name its certificate says.
    #[must_use]
    pub fn url(&self) -> String {
        let scheme = if self.is_network() { "https" } else { "http" };
        format!("{scheme}://{}/", self.socket())
    }
}

/// Somebody who may send commands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommandKey {
    /// Name, for the audit chain.
    pub name: String,
    /// What tells their signature, "ed25519:…".
    pub key: String,
}

/// How much of what is released is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Keeping {
    /// Age at which a window goes, days.
    pub days: u32,
    /// Room for the store, MiB.
    pub quota_mb: u32,
}

impl Default for Keeping {
    fn default() -> Self {
        Self { days: KEEP_DAYS_MAX, quota_mb: QUOTA_MB_DEFAULT }
    }
}

/// Longest a released window is kept on the box, days (PRIVACY §5).
pub const KEEP_DAYS_MAX: u32 = 30;
/// Room for a month of windows and a year of audit of sixty objects, MiB.
pub const QUOTA_MB_DEFAULT: u32 = 2048;
