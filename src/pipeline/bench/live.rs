//! What cameras cost: recordings that play as live cameras do, through the eye as it runs in a shop.
//!
//! In: an [`EyeJob`] with looped feeds. Out: the counters of every camera, first at the begin and last at the end of what
//! is measured, and one [`BenchRound`] over the same time. Measured is from [`SETTLE_NS`] after every camera has
//! been looked at for the first time.

use crossbeam_channel::RecvTimeoutError;

use crate::clock::{Timeline, monotonic_ns, process_cpu_ns, utc_now};
use crate::health::{EyeEvent, EyeEventCode, Ledger, STAGES, Stage};
use crate::pipeline::EyeJob;
use crate::pipeline::eye::{Counting, EXIT_SAID, News, Pipe, TICK, Threads, load_detectors, start};
use crate::pipeline::teller::Teller;
use crate::pipeline::{footprint, hygiene::settle};
use crate::wire::benched::BenchRound;
use crate::wire::record::Outbox;
use crate::wire::record::ration::BENCH_MS;

/// Watches for `seconds` and reports what it cost.
pub fn run(job: &EyeJob, seconds: u32, pipe: &mut Pipe) -> i32 {
    match watch(job, seconds, pipe) {
        Ok(round) => {
            pipe.say(|outbox| outbox.bench(&round));
            pipe.say(Outbox::ended);
            0
        }
        Err(event) => {
            pipe.say(|outbox| outbox.event(&event));
            EXIT_SAID
        }
    }
}

fn watch(job: &EyeJob, seconds: u32, pipe: &mut Pipe) -> Result<BenchRound, EyeEvent> {
    let detectors = load_detectors(job).map_err(EyeEvent::of)?;
    let is_locked = settle();
    pipe.ready(&detectors, is_locked);
    let begun_ns = monotonic_ns();
    let (threads, mut teller) = (start(job, detectors, begun_ns), Teller::new(job, begun_ns));
    let mut counting = Counting::new(job, Timeline::starting_at(utc_now()));
    let outbox = Outbox::new(&job.settings);
    let (mut settled_ns, mut measuring) = (begun_ns + PATIENCE_NS, None);
    let (mut is_looked_at, mut next_report_ns) = (false, 0);
    loop {
        match threads.news.recv_timeout(TICK) {
            Ok(News::Event(event)) => return Err(event),
            Ok(News::Opened(camera, picture)) => {
                footprint::give_back();
                counting.opened(camera, picture).map_err(EyeEvent::of)?;
            }
            Ok(News::People(camera, detections)) => {
                threads.cpu.booked(Stage::Measure, || counting.people(camera, detections, &outbox));
            }
            Ok(News::Ended(_) | News::Changed(_)) | Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return Err(EyeEvent::of(EyeEventCode::StageFailed)),
        }
        let now_ns = monotonic_ns();
        if !is_looked_at && job.feeds.iter().all(|feed| looks(&threads.health[feed.camera].report().ledger) > 0) {
            (is_looked_at, settled_ns) = (true, now_ns + SETTLE_NS);
        }
        if measuring.is_none() && now_ns >= settled_ns {
            measuring = Some(Count::now(&threads));
        }
        let Some(begun) = &measuring else { continue };
        let is_over = now_ns >= begun.wall_ns + i64::from(seconds) * NS_PER_S;
        let round = is_over.then(|| Count::now(&threads).since(begun));
        if is_over || now_ns >= next_report_ns {
            next_report_ns = now_ns + i64::from(BENCH_MS) * 1_000_000;
            job.feeds.iter().for_each(|feed| teller.tell(feed.camera, &threads.health, pipe));
            threads.cpu.booked(Stage::Measure, || counting.tick(&outbox));
        }
        if let Some(round) = round {
            return Ok(round);
        }
    }
}

/// Frames a camera was looked at, whether the network was asked or nothing had moved.
fn looks(ledger: &Ledger) -> u64 {
    ledger.detected + ledger.still
}

/// Everything that is counted, as it stands at one moment.
struct Count {
    wall_ns: i64,
    cpu_ns: i64,
    stages_ns: [i64; STAGES.len()],
    looks: u64,
    overwritten: u64,
    /// Ages since the last count, µs, youngest first.
    ages_us: Vec<u32>,
}

impl Count {
    fn now(threads: &Threads) -> Self {
        let ledgers: Vec<Ledger> = threads.health.iter().map(|health| health.report().ledger).collect();
        let mut ages_us: Vec<u32> = threads.ages_us.try_iter().collect();
        ages_us.sort_unstable();
        Self {
            wall_ns: monotonic_ns(),
            cpu_ns: process_cpu_ns(),
            stages_ns: threads.cpu.totals_ns(),
            looks: ledgers.iter().map(looks).sum(),
            overwritten: ledgers.iter().map(|ledger| ledger.overwritten).sum(),
            ages_us,
        }
    }

    /// What came to pass since an earlier count.
    fn since(&self, earlier: &Self) -> BenchRound {
        BenchRound {
            frames: self.looks - earlier.looks,
            overwritten: self.overwritten - earlier.overwritten,
            cpu_ns: self.cpu_ns - earlier.cpu_ns,
            wall_ns: self.wall_ns - earlier.wall_ns,
            stages_ns: std::array::from_fn(|stage| self.stages_ns[stage] - earlier.stages_ns[stage]),
            age_us: [0.5, 0.99].map(|share| quantile(&self.ages_us, share)),
            rss_kb: footprint::resident_kb(),
        }
    }
}

/// The value below which this share of sorted values lies; 0 where there is none.
pub(super) fn quantile(sorted: &[u32], share: f64) -> u32 {
    sorted.get((share * sorted.len() as f64) as usize).or(sorted.last()).copied().unwrap_or(0)
}

/// Decoders that start and the network's first look at a picture of this size are not what a shop costs.
const SETTLE_NS: i64 = 2 * NS_PER_S;
/// Cameras that were not looked at by then are measured as they are.
const PATIENCE_NS: i64 = 30 * NS_PER_S;
const NS_PER_S: i64 = 1_000_000_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quantile_is_one_of_the_values() {
        let hundred: Vec<u32> = (0..100).collect();
        assert_eq!([0.5, 0.99, 1.0].map(|share| quantile(&hundred, share)), [50, 99, 99]);
        assert_eq!(quantile(&[7], 0.99), 7);
        assert_eq!(quantile(&[], 0.5), 0);
    }
}
