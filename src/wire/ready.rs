//! The first word of an eye, in the words of one pipe record: it works, and with what.
//!
//! In: a [`Ready`] of the eye. Out: the same on the mouth's side. Invariant: said once, before anything else but a last
//! word; a code or a wall that does not exist is refused.

use super::record::{Outbox, Record};
use crate::health::NoAccelerator;
use crate::health::walls::Walls;

/// An eye whose model is loaded.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Ready {
    /// CPU it has spent so far, µs.
    pub cpu_us: u32,
    /// Whether none of its memory can be swapped out.
    pub is_locked: bool,
    /// The walls that stand round it.
    pub walls: Walls,
    /// Why the accelerator asked for is not in use; `None` where it is, or none was asked for.
    pub lacks: Option<NoAccelerator>,
}

impl Ready {
    /// Reads the words of a record; `None` for a code or a wall that does not exist.
    pub(super) fn read(words: &[u32]) -> Option<Self> {
        let [cpu_us, is_locked, walls, lacks] = words.try_into().ok()?;
        let lacks = match lacks {
            0 => None,
            number => Some(NoAccelerator::from_number(number)?),
        };
        let standing = Walls::from_bits(walls);
        let is_known = standing.bits() == walls && is_locked <= 1;
        is_known.then_some(Self { cpu_us, is_locked: is_locked == 1, walls: standing, lacks })
    }
}

impl Outbox {
    /// That the eye is ready.
    #[must_use]
    pub fn ready(&self, ready: &Ready) -> Vec<Record> {
        let lacks = ready.lacks.map_or(0, |lacks| lacks as u32);
        self.records(KIND_READY, 0, None, &[ready.cpu_us, u32::from(ready.is_locked), ready.walls.bits(), lacks])
    }
}

pub(super) const KIND_READY: u8 = 21;
/// Words of a [`Ready`].
pub(super) const READY_WORDS: usize = 4;
