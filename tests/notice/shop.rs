//! A fictitious shop that declares everything, and self-tests of it.

use std::collections::BTreeMap;

use kehai::clock::UtcMs;
use kehai::config::declared::Language;
use kehai::config::site::{Site, parse};
use kehai::notice::claims::{Claim, Running};
use kehai::notice::{Notice, Told};
use kehai::wire::payload::selftest::{Outcome, Proof, SelfTest};

use crate::support::site::demo_with;

/// 2026-11-27, half past nine in the evening in London and the next morning in Tokyo.
pub const AT: UtcMs = UtcMs(1_795_815_000_000);
pub const BOTH: [Language; 2] = [Language::Ja, Language::En];

/// The demo's site.
pub fn site() -> Site {
    with(&[])
}

/// The demo's site with each first text replaced by its second.
pub fn with(changes: &[(&str, &str)]) -> Site {
    parse(&demo_with(changes), "site.toml").expect("a good site")
}

/// What runs.
pub fn running(site: &Site) -> Running {
    let binaries = BTreeMap::from([("kehai".to_owned(), "ab".repeat(32)), ("kehai-eye".to_owned(), "cd".repeat(32))]);
    let declaration = site.settings.declaration.clone().expect("the demo declares");
    Running { version: "0.1.0".into(), binaries, declaration }
}

/// A self-test of it in which everything was proved.
pub fn green(site: &Site) -> SelfTest {
    let Running { version, binaries, declaration } = running(site);
    let proof = |claim: &Claim| Proof {
        id: claim.id().to_owned(),
        outcome: Outcome::Green,
        at: AT,
        words: format!("{} was tried", claim.id()),
    };
    let proofs = Claim::ALL.iter().map(proof).collect();
    SelfTest { version, binaries, declaration, cfg: site.settings.revision(), at: AT, proofs, sig: None }
}

/// The notice of a site with a self-test.
pub fn notice<'a>(site: &'a Site, running: &'a Running, newest: Option<&'a SelfTest>) -> Notice<'a> {
    Notice::of(site, Told { at: AT, running, newest, public_key: Some("ed25519:KEY".into()) }).expect("a whole notice")
}
