//! Which programs these are: the hash of each that lies beside this one, to hold a self-test against what runs.

use std::collections::BTreeMap;
use std::io::Read;

use sha2::{Digest, Sha256};

use crate::notice::claims::Running;
use crate::pipeline::mouth::{EYES, program};

/// What runs, under a declaration.
#[must_use]
pub fn running(declaration: &str) -> Running {
    Running { version: env!("CARGO_PKG_VERSION").to_owned(), binaries: hashes(), declaration: declaration.to_owned() }
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

const PIECE_BYTES: usize = 1 << 20;
