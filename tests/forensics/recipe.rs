//! The recipe: each part of the hygiene is needed, for without it something stays that it takes away.
//!
//! Eyes with one part each watch the same camera until it is gone. With all parts nothing stays (`rest.rs`).

use std::time::Duration;

use kehai::config::CameraSource;
use kehai::forensics::Residue;
use kehai::forensics::search::search;
use kehai::pipeline::mouth::HEAP_HYGIENE;
use kehai::pipeline::{EyeJob, Origin};
use kehai::units::PictureSize;
use kehai::wire::record::ration::Errand;

use super::case::{Network, Sought};
use super::watched::Watched;
use crate::live::shop::signal;
use crate::support::eye_process::{EyeProcess, await_work};

/// What stays in an eye without any hygiene, with an overwritten heap alone, and with grey and scrubbed stacks alone.
#[expect(clippy::print_stdout, reason = "what stays without a part of the recipe is the result")]
fn left_by_parts(network: &Network) -> [Residue; 3] {
    let mut pictures = Watched::start(SIZE);
    let job = |leaves_traces| {
        let origin = Origin::Live(CameraSource::new(pictures.url()));
        EyeJob { leaves_traces, ..network.untidy_job(origin, Errand::Watch) }
    };
    let eyes = [(true, None), (true, Some(HEAP_HYGIENE)), (false, None)]
        .map(|(leaves_traces, heap)| EyeProcess::start(&job(leaves_traces), heap));
    eyes.iter().for_each(|eye| await_work(eye.id()));
    pictures.await_more(60);
    pictures.stop();
    std::thread::sleep(SETTLED);
    eyes.iter().for_each(|eye| signal(eye.id() as i32, libc::SIGSTOP));
    let [own, other] = pictures.recordings(30);
    let [needles, _] = network.needles([&own, &other], Sought { whole: 4, deep: 2 });
    let found = eyes.map(|eye| search(eye.id(), &[&needles]).expect("a child of this test").remove(0));
    for (parts, residue) in ["nothing", "heap alone", "grey and stacks alone"].iter().zip(&found) {
        println!("{}, {parts}: {residue}", network.name());
    }
    found
}

#[test]
#[ignore = "a minute: six eyes and all layers of two networks"]
fn neither_an_overwritten_heap_nor_a_grey_picture_alone_takes_all_away() {
    for network in [Some(Network::default_one()), Network::rtmdet()].into_iter().flatten() {
        for residue in left_by_parts(&network) {
            assert!(residue.windows() > 0, "{}: a part of the recipe that is not needed", network.name());
        }
    }
}

const SIZE: PictureSize = PictureSize { width: 640, height: 480 };
/// A second of rest, and what three eyes on a busy machine take for a grey picture.
const SETTLED: Duration = Duration::from_millis(2500);
