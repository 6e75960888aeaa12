//! What the hygiene costs: CPU of an eye with all of it over one with none, on the sample clip.
//!
//! Eyes take turns, so that the ratio holds on a busy machine; an eye that has ended its work is asked what it used.

use kehai::clock::{Timeline, UtcMs};
use kehai::pipeline::mouth::HEAP_HYGIENE;
use kehai::pipeline::{Errand, EyeJob};
use kehai::units::PictureSize;

use super::case::{Network, Recording};
use crate::support::eye_process::{EyeProcess, await_rest, await_work, cpu_ticks};
use crate::support::folder::Folder;
use crate::support::recording::{SAMPLE_FRAMES, sample};

/// CPU of an eye that has looked at all of the sample.
fn spent(network: &Network, is_tidy: bool) -> u64 {
    let size = PictureSize { width: 768, height: 576 };
    let recording = Recording { path: sample(), size, count: SAMPLE_FRAMES, _folder: Folder::new() };
    let job = network.untidy_job(recording.origin(), Errand::Replay(Timeline::starting_at(UtcMs(0))));
    let eye = EyeProcess::start(&EyeJob { leaves_traces: !is_tidy, ..job }, is_tidy.then_some(HEAP_HYGIENE));
    await_work(eye.id());
    await_rest(eye.id());
    cpu_ticks(eye.id())
}

#[expect(clippy::print_stdout, reason = "the figures are for people who compare machines")]
fn must_cost_at_most(network: &Network, most: f64) {
    let mut spent_by: [Vec<u64>; 2] = [Vec::new(), Vec::new()];
    for round in 0..ROUNDS {
        for is_tidy in [round % 2 == 0, round % 2 == 1] {
            spent_by[usize::from(is_tidy)].push(spent(network, is_tidy));
        }
    }
    let [without, with] = spent_by.map(|mut ticks| {
        ticks.sort_unstable();
        ticks[ROUNDS / 2] as f64
    });
    println!("{}: {with} ticks with hygiene, {without} without: {:.3}", network.name(), with / without);
    assert!(with <= most * without, "{}: {with} ticks with hygiene, {without} without", network.name());
}

#[test]
#[ignore = "ten times through the sample for each network"]
fn hygiene_costs_a_tenth_at_the_most() {
    must_cost_at_most(&Network::default_one(), 1.10);
    if let Some(network) = Network::rtmdet() {
        must_cost_at_most(&network, 1.05);
    }
}

/// Odd, so that there is a middle one.
const ROUNDS: usize = 5;
