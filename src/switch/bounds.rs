//! The ratchet: how tight a configuration is, and whether another is looser.
//!
//! In: settings and what is declared. Out: [`Bounds`], compared key by key. Invariant (I12): of two bounds
//! [`Bounds::tightened`] is as tight as either in every key, and [`Bounds::loosened_by`] names every key that would give way.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::config::Settings;

/// Everything of a configuration that may only tighten.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bounds {
    /// Fewest distinct visits behind a figure.
    pub k: u32,
    /// Fewest distinct visits of a whole floor or camera before anything of its paths is told.
    pub crowd_min: u32,
    /// Side of a cell, mm, by floor.
    pub cell_mm: BTreeMap<String, u32>,
    /// How long released windows are kept, days.
    pub keep_days: u32,
    /// Places where nobody counts: a hash of each, by name.
    pub masks: BTreeMap<String, String>,
    /// What is allowed that weakens privacy, or the word of a second person, each by its key.
    pub dangers: Vec<String>,
}

impl Bounds {
    /// Those of settings that keep windows so long and allow these dangers.
    #[must_use]
    pub fn of(settings: &Settings, keep_days: u32, dangers: Vec<String>) -> Self {
        let mask = |ignore: &crate::config::Ignore| {
            let cameras: Vec<&str> =
                ignore.cameras.iter().map(|camera| settings.cameras[*camera].id.as_str()).collect();
            let text = serde_json::to_vec(&(cameras, &ignore.polygon)).expect("plain data");
            let hash = Sha256::digest(&text)[..8].iter().map(|byte| format!("{byte:02x}")).collect();
            (ignore.id.clone(), hash)
        };
        Self {
            k: settings.gate.k,
            crowd_min: settings.gate.crowd_min(),
            cell_mm: settings.floors.iter().map(|floor| (floor.id.clone(), floor.cell_mm)).collect(),
            keep_days,
            masks: settings.ignores.iter().map(mask).collect(),
            dangers,
        }
    }

    /// As tight as either.
    #[must_use]
    pub fn tightened(&self, other: &Self) -> Self {
        let mut cell_mm = self.cell_mm.clone();
        for (floor, mm) in &other.cell_mm {
            let cell = cell_mm.entry(floor.clone()).or_insert(*mm);
            *cell = (*cell).max(*mm);
        }
        let masks = self.masks.iter().chain(&other.masks).map(|(id, hash)| (id.clone(), hash.clone())).collect();
        Self {
            k: self.k.max(other.k),
            crowd_min: self.crowd_min.max(other.crowd_min),
            cell_mm,
            keep_days: self.keep_days.min(other.keep_days),
            masks,
            dangers: self.dangers.iter().filter(|danger| other.dangers.contains(danger)).cloned().collect(),
        }
    }

    /// What of these bounds another would loosen, each "key = value, was value".
    #[must_use]
    pub fn loosened_by(&self, other: &Self) -> Vec<String> {
        let mut keys = Vec::new();
        let mut least = |key: &str, value: u32, was: u32| {
            if value < was {
                keys.push(format!("{key} = {value}, was {was}"));
            }
        };
        least("gate.k", other.k, self.k);
        least("gate.crowd_min", other.crowd_min, self.crowd_min);
        for (floor, mm) in &other.cell_mm {
            // A new floor may be an old one by another name: it is as coarse as the coarsest there was.
            let was = self.cell_mm.get(floor).or_else(|| self.cell_mm.values().max());
            was.into_iter().for_each(|was| least(&format!("floor.{floor}.cell_m (mm)"), *mm, *was));
        }
        if other.keep_days > self.keep_days {
            keys.push(format!("vault.keep_days = {}, was {}", other.keep_days, self.keep_days));
        }
        for (id, was) in &self.masks {
            match other.masks.get(id) {
                Some(hash) if hash == was => {}
                Some(_) => keys.push(format!(
                    "ignore.{id} is another place than it was (to cover more, add an [[ignore]] beside it)"
                )),
                None => keys.push(format!("ignore.{id} is missing")),
            }
        }
        let new = other.dangers.iter().filter(|danger| !self.dangers.contains(danger));
        keys.extend(new.map(|danger| format!("{danger} = true, was false")));
        keys
    }
}
