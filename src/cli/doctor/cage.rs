//! The cage of the eye on this machine: every way out that a twin tried, and which wall stops which.
//!
//! In: a site file, or a small one of our own. Out: a line a way out, or the matrix of walls. Invariant: what is said was
//! tried just now.

use std::path::Path;

use super::{Finding, note};
use crate::cli::cage::{matrix, summary, tried_with_what_there_is};
use crate::cli::model::{Model, resolve};
use crate::cli::output::{say, say_json};
use crate::cli::{Failure, SANDBOX};
use crate::config::site::{self, Site};
use crate::pipeline::{EyeJob, Feed, Origin};
use crate::sandbox::escapes::Escape;
use crate::sandbox::twin::Proof;
use crate::wire::record::ration::Errand;

/// Lets a twin try, and notes every way out.
pub(super) fn check(findings: &mut Vec<Finding>, site: Option<&Site>) {
    let Ok(job) = job(site) else { return }; // What is missing of the model is said elsewhere.
    match tried_with_what_there_is(&job) {
        Ok((_, proof)) => {
            for ((_, way), outcome) in Escape::EACH.iter().zip(proof.outcomes) {
                let said = Proof::in_words(outcome);
                note(findings, &format!("escape: {way}"), if outcome == 0 { Err(said) } else { Ok(said) });
            }
            let told = summary(&proof);
            note(findings, CAGE, if proof.holds() { Ok(told) } else { Err(told) });
        }
        Err(reason) => note(findings, CAGE, Err(format!("the self-test failed: {reason}"))),
    }
}

/// Prints which wall stops which way out.
///
/// # Errors
/// Exit 8 when a way is open behind all walls, 1 when nothing was proved.
pub(super) fn walls(site: Option<&Path>, json: bool) -> Result<(), Failure> {
    let site = site.map(site::load).transpose()?;
    let matrix = matrix(&job(site.as_ref())?)?;
    if json {
        say_json(&matrix);
    } else {
        say(&matrix.in_words());
    }
    match matrix.open() {
        open if open.is_empty() => Ok(()),
        open => Err(Failure::new(SANDBOX, format!("open behind all walls: {}", open.join(", ")))),
    }
}

/// The job of an eye for this site, or for a camera that does not exist.
///
/// # Errors
/// Exit 6 where model or runtime is missing.
pub(in crate::cli) fn job(site: Option<&Site>) -> Result<EyeJob, Failure> {
    let Site { settings, sources, .. } = match site {
        Some(site) => site.clone(),
        None => site::parse(NO_SITE, "built in")?,
    };
    let Model { card, file, .. } = resolve(&settings.detector.model)?;
    let feed = |(camera, source): (usize, Option<_>)| {
        source.map(|source| Feed { camera, origin: Origin::Live(source), picture: None })
    };
    let feeds = sources.into_iter().enumerate().filter_map(feed).collect();
    let runtime = crate::cli::finding::runtime()?;
    Ok(EyeJob {
        settings,
        card,
        model: file,
        runtime,
        feeds,
        errand: Errand::Twin,
        walls: 0,
        proved: 0,
        twin: None,
        leaves_traces: false,
    })
}

/// A site with a camera of the network.
const NO_SITE: &str = r#"
[store]
org = "none"
store = "none"
node = "none"
timezone = "UTC"
[[camera]]
id = "none"
url = "rtsp://127.0.0.1/"
"#;
pub(super) const CAGE: &str = "cage of the eye";
