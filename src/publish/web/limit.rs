//! How often somebody may try: a bucket of tries for every address and every name, filled again slowly.
//!
//! In: keys and moments. Out: leave, or how long to wait and whether it is the first refusal of a row. Invariants: the number of
//! buckets is bounded; those who come when there are too many share one.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

/// Tries at once, and how long each takes to come back.
#[derive(Debug, Clone, Copy)]
pub(super) struct Rate {
    pub(super) at_once: u32,
    pub(super) each_ns: i64,
}

/// A refusal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Wait {
    /// Until the next try, s, rounded up.
    pub(super) wait_s: i64,
    /// Whether the one before was allowed: it is this one that is remembered.
    pub(super) is_first: bool,
}

#[derive(Clone, Copy)]
struct Bucket {
    /// What is missing to a full bucket, as time, ns.
    lacking_ns: i64,
    at_ns: i64,
    is_dry: bool,
}

/// All buckets.
#[derive(Default)]
pub(super) struct Limits(Mutex<BTreeMap<String, Bucket>>);

impl Limits {
    /// Takes a try.
    pub(super) fn take(&self, key: &str, rate: Rate, now_ns: i64) -> Result<(), Wait> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if all.len() >= BUCKETS_MAX && !all.contains_key(key) {
            all.retain(|_, bucket| bucket.lacking_ns > now_ns - bucket.at_ns);
        }
        let is_full = all.len() >= BUCKETS_MAX && !all.contains_key(key);
        let key = if is_full { OTHERS } else { key };
        let full = Bucket { lacking_ns: 0, at_ns: now_ns, is_dry: false };
        let bucket = all.entry(key.to_owned()).or_insert(full);
        let lacking_ns = (bucket.lacking_ns - (now_ns - bucket.at_ns)).max(0) + rate.each_ns;
        let over_ns = lacking_ns - i64::from(rate.at_once) * rate.each_ns;
        if over_ns > 0 {
            let is_first = !std::mem::replace(&mut bucket.is_dry, true);
            return Err(Wait { wait_s: over_ns.div_euclid(SECOND_NS) + 1, is_first });
        }
        *bucket = Bucket { lacking_ns, at_ns: now_ns, is_dry: false };
        Ok(())
    }
}

/// Buckets at a time.
const BUCKETS_MAX: usize = 4096;
const OTHERS: &str = "(others)";
pub(super) const SECOND_NS: i64 = 1_000_000_000;

#[cfg(test)]
mod tests {
    use super::*;

    const RATE: Rate = Rate { at_once: 3, each_ns: 10 * SECOND_NS };

    #[test]
    fn who_tries_too_often_waits_and_the_first_refusal_is_told_apart() {
        let limits = Limits::default();
        let take = |at_s: i64| limits.take("a", RATE, at_s * SECOND_NS);
        assert_eq!([take(0), take(0), take(0)], [Ok(()); 3]);
        assert_eq!(take(0), Err(Wait { wait_s: 11, is_first: true }));
        assert_eq!(take(4), Err(Wait { wait_s: 7, is_first: false }));
        assert_eq!(take(10), Ok(()));
        assert_eq!(take(10).map_err(|wait| wait.is_first), Err(true));
        assert_eq!(limits.take("b", RATE, 10 * SECOND_NS), Ok(()), "another has a bucket of their own");
    }

    #[test]
    fn a_hundred_thousand_addresses_take_no_more_room_than_four_thousand() {
        let limits = Limits::default();
        let allowed = (0..100_000).filter(|number| limits.take(&format!("a{number}"), RATE, 0).is_ok()).count();
        assert_eq!(limits.0.lock().expect("alive").len(), BUCKETS_MAX + 1);
        assert!(allowed <= BUCKETS_MAX + 3, "{allowed}");
    }
}
