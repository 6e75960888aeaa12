//! The law of numbers and times when clocks step: a window is released once, and none that ends before its object's last.

use std::path::Path;
use std::time::Duration;

use kehai::config::Keeping;
use kehai::pipeline::mouth::Backlog;
use kehai::vault::{Vault, VaultError};
use kehai::wire::compose::{Composer, Voice};
use proptest::prelude::*;
use serde_json::Value;

use crate::support::folder::Folder;
use crate::support::records::{BEGIN_S, closed, door, site_with_a_door};

/// Quarters of an hour in the hour a clock is put on or back by.
const HOUR: i64 = 4;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn whatever_the_clock_does_a_window_is_released_once_and_in_order(
        steps in prop::collection::vec(prop_oneof![6 => Just(1i64), 1 => Just(HOUR + 1), 1 => Just(-HOUR)], 1..40),
        restart_every in 3usize..12,
    ) {
        let folder = Folder::new();
        let open = || Vault::open(Path::new(&folder.path("state")), Keeping::default(), Duration::ZERO).expect("room");
        let (mut vault, mut now, mut last, mut released) = (open(), 0, i64::MIN, 0u64);
        for (count, step) in steps.into_iter().enumerate() {
            now += step;
            let outcome = vault.release(|seq| door(now, seq));
            // What begins before the last one ended is lost coverage, whether or not that very window was there.
            prop_assert_eq!(outcome.is_ok(), now > last, "{:?}", outcome);
            prop_assert!(outcome.is_ok() || matches!(outcome, Err(VaultError::Past { .. })), "refused for another reason");
            last = last.max(now);
            released += u64::from(outcome.is_ok());
            if count % restart_every == 0 {
                drop(vault);
                vault = open();
            }
        }
        let payloads: Vec<Value> =
            vault.held().iter().map(|message| serde_json::from_slice(&message.body).expect("json")).collect();
        let seqs: Vec<u64> = payloads.iter().filter_map(|payload| payload["seq"].as_u64()).collect();
        prop_assert_eq!(seqs, (1..=released).collect::<Vec<_>>());
        prop_assert!(payloads.is_sorted_by(|one, other| one["ws"].as_i64() < other["ws"].as_i64()));
    }
}

#[test]
fn a_mouth_whose_clock_is_put_back_an_hour_repeats_nothing_and_counts_what_it_could_not_release() {
    let (folder, settings) = (Folder::new(), site_with_a_door());
    let vault = Vault::open(Path::new(&folder.path("state")), Keeping::default(), Duration::ZERO).expect("room");
    let voice =
        Voice { topic_root: "kehai/v1".into(), boot: "b".into(), synchronised: true, retain_windows: true, sign: None };
    let (composer, mut backlog) = (Composer::new(&settings, voice), Backlog::default());
    // Two hours, an hour back, two hours more; then an hour on by mistake, and back again.
    let course = (0..2 * HOUR).chain(HOUR..3 * HOUR).chain(4 * HOUR..5 * HOUR).chain(3 * HOUR..6 * HOUR);
    for index in course {
        backlog.take(closed(index));
        backlog.release(&vault, &composer);
    }
    let starts: Vec<i64> = vault.held().iter().map(|message| quarter(&message.body)).collect();
    let expected: Vec<i64> = (0..3 * HOUR).chain(4 * HOUR..6 * HOUR).collect();
    assert_eq!(starts, expected, "each once, in order; the hour that was jumped over is lost coverage");
    assert_eq!(backlog.count(), 3 * HOUR as u64, "an hour after the first step, and the two that the second one cost");
    let seqs: Vec<u64> = vault.held().iter().map(|message| number(&message.body)).collect();
    assert_eq!(seqs, (1..=5 * HOUR as u64).collect::<Vec<_>>());
}

fn quarter(body: &[u8]) -> i64 {
    let payload: Value = serde_json::from_slice(body).expect("json");
    let start: jiff::Timestamp = payload["ws"].as_str().expect("a start").parse().expect("a time");
    (start.as_second() - BEGIN_S) / 900
}

fn number(body: &[u8]) -> u64 {
    serde_json::from_slice::<Value>(body).expect("json")["seq"].as_u64().expect("a number")
}

#[test]
fn a_purge_does_not_let_a_window_be_released_again() {
    let folder = Folder::new();
    let vault = Vault::open(Path::new(&folder.path("state")), Keeping::default(), Duration::ZERO).expect("room");
    (0..3).for_each(|index| vault.release(|seq| door(index, seq)).expect("room"));
    vault.purge(i64::MIN, i64::MAX, "owner").expect("room");
    assert!(matches!(vault.release(|seq| door(1, seq)), Err(VaultError::Past { .. })));
    let mut number = 0;
    let after = |seq| {
        number = seq;
        door(3, seq)
    };
    vault.release(after).expect("room");
    assert_eq!(number, 4, "numbers go on");
}
