//! What a recording costs in this very process: decode and inference alone, then the whole eye, in turn.
//!
//! In: an [`EyeJob`] with one recorded feed. Out: two [`BenchRound`]s a round. The heap settings the mouth
//! starts an eye with hold for both, so that the ratio shows what Kehai adds (drawing, wiping, boxes, tracks, measures)
//! and not what the heap costs.

pub mod live;

use super::eye::{Counting, EXIT_SAID, News, Pipe, load_detectors, start};
use super::feed::refusal;
use super::hygiene::settle;
use super::{EyeJob, Origin};
use crate::capture::{CaptureError, Grab, replay};
use crate::clock::{Timeline, UtcMs, monotonic_ns, process_cpu_ns};
use crate::detect::Detector;
use crate::health::{EyeEvent, EyeEventCode, Ledger, Stage};
use crate::wire::benched::BenchRound;

/// Runs the benchmark and reports every round.
pub fn run(job: &EyeJob, rounds: u32, pipe: &mut Pipe) -> i32 {
    for number in 0..rounds {
        let mut tell = |detectors: &[Detector]| {
            if number == 0 {
                pipe.ready(detectors, settle());
            }
        };
        let measured = bare(job, &mut tell).and_then(|bare| Ok([bare, whole(job)?]));
        match measured {
            Ok(measured) => measured.iter().for_each(|round| pipe.say(|outbox| outbox.bench(round))),
            Err(event) => {
                pipe.say(|outbox| outbox.event(&event));
                return EXIT_SAID;
            }
        }
    }
    pipe.say(crate::wire::record::Outbox::ended);
    0
}

/// Decode and run the network on a grey tensor: what cannot be saved. `loaded` is shown the detectors.
fn bare(job: &EyeJob, loaded: &mut dyn FnMut(&[Detector])) -> Result<BenchRound, EyeEvent> {
    let Some(Origin::Recorded { path, fps, .. }) = job.feeds.first().map(|feed| &feed.origin) else {
        return Err(EyeEvent::of(EyeEventCode::JobRefused));
    };
    let mut detectors = load_detectors(job).map_err(EyeEvent::of)?;
    loaded(&detectors);
    let mut detector = detectors.pop().ok_or(EyeEvent::of(EyeEventCode::JobRefused))?;
    drop(detectors);
    let refused = |error: CaptureError| refusal(&error);
    let mut source = replay::open(path, *fps, None).map_err(refused)?;
    detector.fit(source.size()).map_err(|_| EyeEvent::of(EyeEventCode::HeadRefused))?;
    source.will_be_drawn(&job.card.placement(source.size(), job.settings.detector.size));
    let grey = detector.grey_tensors().pop().ok_or(EyeEvent::of(EyeEventCode::HeadRefused))?;
    let (begun_cpu_ns, begun_ns) = (process_cpu_ns(), monotonic_ns());
    let mut frames = 0;
    while !matches!(source.grab(&|_| true).map_err(refused)?, Grab::End) {
        detector.run_on(&grey).map_err(|_| EyeEvent::of(EyeEventCode::DetectorFailed))?;
        frames += 1;
    }
    let (cpu_ns, wall_ns) = (process_cpu_ns() - begun_cpu_ns, monotonic_ns() - begun_ns);
    Ok(BenchRound { frames, cpu_ns, wall_ns, ..BenchRound::default() })
}

/// The eye as it runs in a shop, on the recording.
fn whole(job: &EyeJob) -> Result<BenchRound, EyeEvent> {
    let mut detectors = load_detectors(job).map_err(EyeEvent::of)?;
    warm_up(job, &mut detectors)?;
    let mut counting = Counting::new(job, Timeline::starting_at(UtcMs(0)));
    let outbox = crate::wire::record::Outbox::new(&job.settings);
    let (begun_cpu_ns, begun_ns) = (process_cpu_ns(), monotonic_ns());
    let threads = start(job, detectors, 0);
    let mut running = job.feeds.len();
    while running > 0 {
        match threads.news.recv().map_err(|_| EyeEvent::of(EyeEventCode::StageFailed))? {
            News::Opened(camera, picture) => counting.opened(camera, picture).map_err(EyeEvent::of)?,
            News::People(camera, detections) => {
                threads.cpu.booked(Stage::Measure, || counting.people(camera, detections, &outbox));
            }
            News::Ended(_) => running -= 1,
            News::Event(event) => return Err(event),
            News::Changed(_) => {}
        }
    }
    let (cpu_ns, wall_ns) = (process_cpu_ns() - begun_cpu_ns, monotonic_ns() - begun_ns);
    let mut ages_us: Vec<u32> = threads.ages_us.try_iter().collect();
    ages_us.sort_unstable();
    let ledgers: Vec<Ledger> = threads.health.iter().map(|health| health.report().ledger).collect();
    let frames = ledgers.iter().map(|ledger| ledger.detected + ledger.still).sum();
    let overwritten = ledgers.iter().map(|ledger| ledger.overwritten).sum();
    Ok(BenchRound {
        frames,
        overwritten,
        cpu_ns,
        wall_ns,
        stages_ns: threads.cpu.totals_ns(),
        age_us: [0.5, 0.99].map(|share| live::quantile(&ages_us, share)),
        rss_kb: super::footprint::resident_kb(),
    })
}

/// Lets every detector meet the picture's size before the clock starts, as the bare round does.
fn warm_up(job: &EyeJob, detectors: &mut [Detector]) -> Result<(), EyeEvent> {
    for feed in &job.feeds {
        let Origin::Recorded { path, fps, .. } = &feed.origin else {
            return Err(EyeEvent::of(EyeEventCode::JobRefused));
        };
        let size = replay::open(path, *fps, None).map_err(|error| refusal(&error))?.size();
        for detector in detectors.iter_mut() {
            detector.fit(size).map_err(|_| EyeEvent::of(EyeEventCode::HeadRefused))?;
        }
    }
    Ok(())
}
