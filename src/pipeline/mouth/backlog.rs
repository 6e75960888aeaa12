//! Closed windows on their way into the vault: where it has no room they wait here, in memory, and come when there is.
//!
//! In: windows that arrived whole. Out: releases, oldest first. Invariants: a window is released once or counted as lost;
//! at most [`WAITING_MAX`] wait.

use std::collections::VecDeque;

use super::events::LowCoverage;
use crate::vault::{Vault, VaultError};
use crate::wire::compose::Composer;
use crate::wire::record::ArrivedWindow;

/// Closed windows that are not released.
#[derive(Default)]
pub struct Backlog {
    waiting: VecDeque<ArrivedWindow>,
    lost: u64,
    low_coverage: LowCoverage,
}

impl Backlog {
    /// Takes a closed window in.
    pub fn take(&mut self, window: ArrivedWindow) {
        self.waiting.push_back(window);
    }

    /// Counts a window that will not be released.
    pub(super) fn give_up(&mut self) {
        self.lost += 1;
    }

    /// Releases what waits. Without room it goes on waiting, and the oldest is lost when there is too much of it.
    pub fn release(&mut self, vault: &Vault, composer: &Composer) {
        while let Some(window) = self.waiting.front() {
            match vault.release(|seq| composer.window(seq, window)) {
                Ok(()) => self.low_coverage.weigh(window, || composer.place(window.object)),
                Err(VaultError::Past { .. }) => self.lost += 1,
                Err(_) if self.waiting.len() <= WAITING_MAX => return,
                Err(_) => self.lost += 1,
            }
            self.waiting.pop_front();
        }
    }

    /// What was released since the last time and had been seen for less than half of its window.
    pub(super) fn low_coverage(&mut self) -> LowCoverage {
        std::mem::take(&mut self.low_coverage)
    }

    /// Those that wait for room, and those that never will be released.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.waiting.len() as u64 + self.lost
    }
}

/// Closed windows that may wait for room in the vault: an hour of the largest shop.
const WAITING_MAX: usize = 1024;
