//! What became of a twin's ways out, in the words of one pipe record.
//!
//! In: [`Attempts`] of a twin. Out: the same on the mouth's side. Invariant: error numbers of the kernel, nothing else.

use super::record::{Outbox, Record};
use crate::health::walls::Walls;

/// Ways out that were tried behind some walls.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attempts {
    /// The walls that stood.
    pub walls: Walls,
    /// 0 for a way that was open, or the error number.
    pub outcomes: [i32; 12],
}

impl Outbox {
    /// What became of a twin's ways out.
    #[must_use]
    pub fn attempts(&self, attempts: &Attempts) -> Vec<Record> {
        let mut words = vec![attempts.walls.bits()];
        words.extend(attempts.outcomes.map(i32::cast_unsigned));
        self.records(KIND_ATTEMPTS, 0, None, &words)
    }
}

impl Attempts {
    /// Reads the words of a record; `None` for a number no kernel gives.
    pub(super) fn read(words: &[u32]) -> Option<Self> {
        let [walls, outcomes @ ..] = words else { return None };
        let outcomes: [u32; 12] = outcomes.try_into().ok()?;
        let is_number = |number: &u32| *number <= ERRNO_MAX;
        outcomes
            .iter()
            .all(is_number)
            .then(|| Self { walls: Walls::from_bits(*walls), outcomes: outcomes.map(u32::cast_signed) })
    }
}

pub(super) const KIND_ATTEMPTS: u8 = 22;
/// Words of [`Attempts`].
pub(super) const ATTEMPTS_WORDS: usize = 13;
/// Largest error number of Linux (`MAX_ERRNO`).
const ERRNO_MAX: u32 = 4095;
