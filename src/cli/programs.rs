//! Which programs these are, and which network they load: the hash of each, to hold a self-test against what runs.
//!
//! In: a site. Out: [`Running`]. Invariant: a network that was exchanged makes another one of it, as a program does.

use std::collections::BTreeMap;
use std::io::Read;

use sha2::{Digest, Sha256};

use super::model::resolve;
use crate::config::site::Site;
use crate::notice::claims::Running;
use crate::pipeline::mouth::{EYES, program};

/// What runs for a site.
#[must_use]
pub fn running(site: &Site) -> Running {
    let mut binaries = hashes();
    // Without its network nothing is watched, and what can be tried without one is claimed of programs without one.
    let network = resolve(&site.settings.detector.model).ok();
    binaries.extend(network.map(|network| (NETWORK.to_owned(), network.card.sha256)));
    let declaration = site.settings.declaration.clone().unwrap_or_default();
    Running { version: env!("CARGO_PKG_VERSION").to_owned(), binaries, declaration }
}

/// SHA-256 (hex) of each program that is installed here, by its file name.
#[must_use]
pub fn hashes() -> BTreeMap<String, String> {
    let names = ["kehai", super::DETECT].into_iter().chain(EYES);
    names.filter_map(|name| Some((name.to_owned(), hash_of(&program(name).ok()?).ok()?))).collect()
}

fn hash_of(path: &std::path::Path) -> std::io::Result<String> {
    let (mut file, mut hash, mut piece) = (std::fs::File::open(path)?, Sha256::new(), vec![0; PIECE_BYTES]);
    loop {
        match file.read(&mut piece)? {
            0 => return Ok(hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()),
            bytes => hash.update(&piece[..bytes]),
        }
    }
}

/// Name of the network among the programs.
const NETWORK: &str = "network";
const PIECE_BYTES: usize = 1 << 20;
