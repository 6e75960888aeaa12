//! `kehai report`: everything that is promised and can be tried on this very box, tried, and the outcome signed.
//!
//! In: a site and its store. Out: a [`SelfTest`], as text, as JSON, as a page, and beside the store for the claims of the sign.
//! Invariants: no camera is opened; what could not be tried is said not to have been; the memory of the eye, which only root
//! can search, keeps the outcome and the date of its own search ([`remember_memory`]).

mod crowd;
mod outlets;
pub(super) mod page;
mod promised;
mod store;
mod trial;
mod walls;

use std::path::Path;

use super::arming::must_be_declared;
use super::output::{say, say_json, write_whole};
use super::programs::running;
use super::records::make_folder;
use super::report::Args;
use super::state::{state_folder, store_of, who};
use super::{CHECK_FAILED, Failure, USAGE};
use crate::clock::utc_now;
use crate::config::declared::Language;
use crate::config::site::Site;
use crate::notice::claims::{Claim, is_of};
use crate::vault::Vault;
use crate::wire::audit::Deed;
use crate::wire::payload::selftest::{Outcome, Proof, SelfTest};
use page::Shown;

/// Runs the command; exit 1 where something that was tried does not hold.
pub(super) fn run(args: &Args) -> Result<(), Failure> {
    if args.promises {
        return promised::run(args);
    }
    let Some(path) = &args.site else { return Err(Failure::new(USAGE, "--site FILE is missing")) };
    let (test, signed) = kept(path)?;
    if let Some(folder) = &args.out {
        make_folder(folder)?;
        write_whole("--out", &folder.join("selftest.json"), &signed)?;
        let (site, vault) = store_of(path)?;
        let key = vault.public_key().to_string();
        let store = &site.settings.store;
        let shown = Shown {
            shop: &store.name,
            timezone: &store.timezone,
            public_key: Some(&key),
            is_of_what_runs: true,
            is_on_the_box: false,
        };
        let first = site.declared.languages.first().copied().unwrap_or(Language::Ja);
        write_whole("--out", &folder.join("selftest.html"), page::of(&test, &shown, first).as_bytes())?;
    }
    if args.json {
        say_json(&test);
    } else {
        say(&in_words(&test));
    }
    trouble(&test).map_or(Ok(()), |trouble| Err(Failure::new(CHECK_FAILED, trouble)))
}

/// Tries everything, keeps and remembers the outcome; gives it with its signed bytes.
///
/// # Errors
/// Exit 7 for a site that does not say what has to be said, exit 3 without a store, exit 1 where it cannot be written.
pub(super) fn kept(path: &Path) -> Result<(SelfTest, Vec<u8>), Failure> {
    let (site, vault) = store_of(path)?;
    must_be_declared(&site)?;
    let test = taken(&site, &vault)?;
    let signed = vault.keep_self_test(&test)?;
    let count = |outcome| test.proofs.iter().filter(|proof| proof.outcome == outcome).count();
    let deed = Deed::done("self-test").by(&who()).that_was(if count(Outcome::Red) == 0 { "done" } else { "failed" });
    let deed = deed.about("green", count(Outcome::Green)).about("red", count(Outcome::Red));
    vault.remember(&deed.about("not-run", count(Outcome::NotRun)).about("cfg", test.cfg.as_str()))?;
    let read = SelfTest::of_signed(&signed, &vault.public_key());
    read.map(|test| (test, signed))
        .map_err(|why| Failure::new(CHECK_FAILED, format!("the self-test was not kept: {why}")))
}

/// What comes of trying everything, unsigned.
fn taken(site: &Site, vault: &Vault) -> Result<SelfTest, Failure> {
    let before = vault.self_test();
    let of = running(site);
    let memory = before.filter(|test| is_of(test, &of)).and_then(|test| test.proof(Claim::Wiped.id()).cloned());
    let mut proofs = walls::proofs(site);
    proofs.push(memory.unwrap_or_else(|| not_run(Claim::Wiped.id(), MEMORY_NOT_RUN)));
    proofs.extend(crowd::proofs(site));
    proofs.extend(store::proofs(site, vault)?);
    proofs.extend(trial::proofs(site));
    proofs.extend(outlets::proofs(site, vault)?);
    Ok(SelfTest {
        version: of.version,
        binaries: of.binaries,
        declaration: of.declaration,
        cfg: site.settings.revision(),
        at: utc_now(),
        proofs: gathered(proofs),
        sig: None,
    })
}

/// One proof for each name: where several parts of one were tried, it is as good as the worst of them.
fn gathered(proofs: Vec<Proof>) -> Vec<Proof> {
    let mut gathered: Vec<Proof> = Vec::new();
    for proof in proofs {
        let Some(same) = gathered.iter_mut().find(|other| other.id == proof.id) else {
            gathered.push(proof);
            continue;
        };
        same.words = format!("{}; {}", same.words, proof.words);
        if weight(proof.outcome) > weight(same.outcome) {
            same.outcome = proof.outcome;
        }
    }
    gathered
}

fn weight(outcome: Outcome) -> u8 {
    match outcome {
        Outcome::Green => 0,
        Outcome::NotRun => 1,
        Outcome::Red => 2,
    }
}

/// Puts down what a search of memory found, among what else is known of these programs and this declaration; a shop that declares
/// nothing, or has no store yet, has no sign that could rest on it.
///
/// # Errors
/// There is no store, or it cannot be written.
pub(super) fn remember_memory(path: &Path, outcome: Result<String, String>) -> Result<(), Failure> {
    let site = crate::config::site::load(path)?;
    let folder = state_folder(&site.outlets)?;
    if site.settings.declaration.is_none() || !folder.join("store.db").exists() {
        return Ok(());
    }
    let (vault, of) = (Vault::open_beside(&folder, site.outlets.keeping)?, running(&site));
    let known = vault.self_test().filter(|test| is_of(test, &of));
    let mut test = known.unwrap_or(SelfTest {
        version: of.version,
        binaries: of.binaries,
        declaration: of.declaration,
        cfg: site.settings.revision(),
        at: utc_now(),
        proofs: Vec::new(),
        sig: None,
    });
    test.proofs.retain(|proof| proof.id != Claim::Wiped.id());
    test.proofs.push(judged(Claim::Wiped.id(), outcome));
    vault.keep_self_test(&test)?;
    vault.remember(&Deed::done("self-test").by(&who()).about("part", Claim::Wiped.id()))?;
    Ok(())
}

/// What was tried and holds, or does not.
fn judged(id: &str, outcome: Result<String, String>) -> Proof {
    let (outcome, words) = match outcome {
        Ok(words) => (Outcome::Green, words),
        Err(words) => (Outcome::Red, words),
    };
    Proof { id: id.to_owned(), outcome, at: utc_now(), words }
}

/// What was not tried, and why.
fn not_run(id: &str, why: &str) -> Proof {
    Proof { id: id.to_owned(), outcome: Outcome::NotRun, at: utc_now(), words: why.to_owned() }
}

fn in_words(test: &SelfTest) -> String {
    let mut lines = vec![format!(
        "self-test of {}, version {}, configuration {}",
        crate::wire::compose::rfc3339(test.at),
        test.version,
        test.cfg
    )];
    lines
        .extend(test.proofs.iter().map(|proof| format!("{:<8} {:<16} {}", word(proof.outcome), proof.id, proof.words)));
    let count = |outcome| test.proofs.iter().filter(|proof| proof.outcome == outcome).count();
    let [green, red, not_run] = [Outcome::Green, Outcome::Red, Outcome::NotRun].map(count);
    lines.push(format!("{green} hold, {red} do not, {not_run} were not tried; signed, beside the store"));
    lines.join("\n")
}

/// An outcome in a word.
pub(super) fn word(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Green => "holds",
        Outcome::Red => "FAILS",
        Outcome::NotRun => "not run",
    }
}

fn trouble(test: &SelfTest) -> Option<String> {
    let red: Vec<&str> =
        test.proofs.iter().filter(|proof| proof.outcome == Outcome::Red).map(|proof| proof.id.as_str()).collect();
    (!red.is_empty()).then(|| format!("the self-test failed: {}", red.join(", ")))
}

const MEMORY_NOT_RUN: &str = "the memory of the eye has not been searched for these programs and this declaration; run `sudo kehai report --memory --site SITE`";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_proof_of_several_parts_is_as_good_as_the_worst() {
        let parts = vec![judged("a", Ok("one".into())), not_run("a", "two"), judged("b", Ok("three".into()))];
        let of = |parts| gathered(parts).into_iter().map(|proof| (proof.id, proof.outcome)).collect::<Vec<_>>();
        assert_eq!(of(parts.clone()), [("a".into(), Outcome::NotRun), ("b".into(), Outcome::Green)]);
        let worse = [parts, vec![judged("a", Err("no".into()))]].concat();
        assert_eq!(of(worse)[0], ("a".into(), Outcome::Red));
    }
}
