//! The check of the gate: how few people a figure may rest on, and what the region asks for on top.
//!
//! In: `[gate]` raw, the region, every `dangerous_` key. Out: [`Gate`]. Invariant: a region only tightens what holds everywhere; what
//! the site file leaves out is as tight as the region asks, and what it writes looser is refused.

use super::{Check, quoted};
use crate::config::declared::{K_MIN, Region};
use crate::config::site::{RawBroker, RawGate};
use crate::config::{Gate, Profile};

impl Check {
    pub(super) fn gate(&mut self, raw: &RawGate, region: Option<Region>) -> Gate {
        match raw.profile.as_str() {
            "threshold" => {}
            "standard" | "strict" => self.refuse(
                "gate.profile",
                quoted(&raw.profile),
                "this version has no calibrated noise yet and will not claim it; write \"threshold\"",
            ),
            other => self.refuse("gate.profile", quoted(other), "write \"threshold\", the only profile there is"),
        }
        let (k_min, crowd_least) = region.map_or((K_MIN, K_MIN), |region| {
            let rules = region.rules();
            (rules.k_min, rules.crowd_min)
        });
        let whose = region.map_or_else(String::new, |region| format!(" (region {})", region.name()));
        let k = raw.k.unwrap_or(k_min);
        if !(k_min..=K_MAX).contains(&k) {
            let remedy = format!("write {k_min}{whose} to {K_MAX} distinct visits; privacy only tightens");
            self.refuse("gate.k", k, remedy);
        }
        let crowd_least = crowd_least.max(k);
        if let Some(crowd_min) = raw.crowd_min.filter(|crowd_min| !(crowd_least..=K_MAX).contains(crowd_min)) {
            let remedy = format!("write {crowd_least}{whose} to {K_MAX} people; gate.k is {k}");
            self.refuse("gate.crowd_min", crowd_min, remedy);
        }
        let crowd_min = raw.crowd_min.or_else(|| (crowd_least > k).then_some(crowd_least));
        Gate { profile: Profile::Threshold, k, crowd_min }
    }

    /// Refuses what weakens privacy where the region does not allow it.
    pub(super) fn dangers(&mut self, region: Option<Region>, is_unsandboxed: bool, broker: Option<&RawBroker>) {
        let Some(region) = region.filter(|region| !region.rules().allows_dangers) else { return };
        let dangers = [
            ("dangerous_allow_unsandboxed", is_unsandboxed),
            ("broker.dangerous_plaintext", broker.is_some_and(|broker| broker.dangerous_plaintext)),
        ];
        for (key, _) in dangers.into_iter().filter(|(_, is_on)| *is_on) {
            self.refuse(key, "true", format!("take it out: region {} allows nothing dangerous", region.name()));
        }
    }
}

/// More than any shop needs: beyond it nothing would ever be told.
const K_MAX: u32 = 1000;
