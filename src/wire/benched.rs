//! What a benchmark measured: CPU, ages and memory of one eye, in the words of one pipe record.
//!
//! In: a [`BenchRound`] of the eye. Out: the same on the mouth's side. Invariant: times and counters alone; how many people
//! were found is not in here.

use super::record::{Outbox, Record, halves, whole};
use crate::health::STAGES;

/// What one round of `kehai bench` cost.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct BenchRound {
    /// Frames looked at.
    pub frames: u64,
    /// Frames that gave way to newer ones.
    pub overwritten: u64,
    /// CPU of the whole process, ns.
    pub cpu_ns: i64,
    /// Wall time, ns.
    pub wall_ns: i64,
    /// CPU by stage, ns; all zero in a round of decode and inference alone.
    pub stages_ns: [i64; STAGES.len()],
    /// Age of a frame when its detections were there: median and 99th percentile, µs. From the mailbox on for a
    /// recording that waits, from its capture on for one that plays as a camera does.
    pub age_us: [u32; 2],
    /// Resident memory of the eye: the most it ever was, and what it is at the end of the round, kB.
    pub rss_kb: [u32; 2],
}

impl BenchRound {
    fn words(&self) -> Vec<u32> {
        let mut words: Vec<u32> = [self.frames, self.overwritten].into_iter().flat_map(halves).collect();
        let times = [self.cpu_ns, self.wall_ns].into_iter().chain(self.stages_ns);
        words.extend(times.flat_map(|ns| halves(ns.cast_unsigned())));
        words.extend(self.age_us.into_iter().chain(self.rss_kb));
        words
    }

    /// Reads the [`BENCH_WORDS`] words of a record.
    pub(super) fn read(words: &[u32]) -> Self {
        let ns = |index: usize| whole(words, index).cast_signed();
        let [.., age_median, age_p99, rss_peak, rss_end] = *words else { return Self::default() };
        Self {
            frames: whole(words, 0),
            overwritten: whole(words, 1),
            cpu_ns: ns(2),
            wall_ns: ns(3),
            stages_ns: std::array::from_fn(|stage| ns(4 + stage)),
            age_us: [age_median, age_p99],
            rss_kb: [rss_peak, rss_end],
        }
    }
}

impl Outbox {
    /// A round of a benchmark.
    #[must_use]
    pub fn bench(&self, round: &BenchRound) -> Vec<Record> {
        self.records(KIND_BENCH, 0, None, &round.words())
    }
}

pub(super) const KIND_BENCH: u8 = 19;
/// Words of a [`BenchRound`].
pub(super) const BENCH_WORDS: usize = 2 * (4 + STAGES.len()) + 4;
