//! Of the self-test: what the eye of this site cannot do, and what it cannot recognise.
//!
//! In: a site. Out: proofs of its cage, its network and its programs. Invariant: the walls are those of an eye of this very
//! site, tried just now by a twin that opens no camera.

use super::{judged, not_run};
use crate::cli::cage::{summary, tried_with_what_there_is};
use crate::cli::doctor::{cage, encoders, leavings};
use crate::cli::finding;
use crate::cli::model::{known_cards, resolve};
use crate::config::site::Site;
use crate::health::walls::Walls;
use crate::notice::claims::Claim;
use crate::pipeline::mouth::{EYES, program};
use crate::wire::payload::selftest::Proof;

pub(super) fn proofs(site: &Site) -> Vec<Proof> {
    let [stored, network] = [Claim::NotStored, Claim::NoNetwork].map(Claim::id);
    let encoders = judged(stored, asks_for_no_encoder());
    let tried = match cage::job(Some(site)) {
        Err(failure) => Err(failure.message),
        Ok(job) => tried_with_what_there_is(&job),
    };
    let mut proofs = match tried {
        Err(why) => {
            [stored, network, "cage"].map(|id| not_run(id, &format!("the cage could not be tried: {why}"))).into()
        }
        Ok((_, proof)) => {
            let told = summary(&proof);
            let holds = |is_so: bool| if is_so { Ok(told.clone()) } else { Err(told.clone()) };
            let has_cameras = site.sources.iter().flatten().any(|source| source.usb_device().is_none());
            let is_alone = proof.walls.has(Walls::NAMESPACE) || !has_cameras;
            let reach = match is_alone {
                true => holds(proof.holds()),
                false => Err(format!("{told}; the eye has no network of its own here and calls its cameras itself")),
            };
            vec![judged("cage", holds(proof.holds())), judged(stored, holds(proof.holds())), judged(network, reach)]
        }
    };
    proofs.push(encoders);
    proofs.push(knows_boxes_alone(site));
    proofs.push(swap());
    proofs
}

/// That neither eye asks the system for anything that encodes pictures or film.
fn asks_for_no_encoder() -> Result<String, String> {
    let runtime = finding::runtime().ok();
    for name in EYES {
        let loaded = encoders::loaded_by(&program(name)?, runtime.as_deref())?;
        if !loaded.asked_for.is_empty() {
            return Err(format!("{name} asks for {}", loaded.asked_for.join(", ")));
        }
    }
    Ok(format!("{} ask for nothing that encodes a picture or a film", EYES.join(" and ")))
}

/// That the one network that is loaded is a person detector we know by the hash of its file. Of any other we cannot tell what its
/// classes are, whatever the card says that somebody wrote for it.
fn knows_boxes_alone(site: &Site) -> Proof {
    let id = Claim::NoRecognition.id();
    let card = match resolve(&site.settings.detector.model) {
        Ok(model) => model.card,
        Err(failure) => return not_run(id, &failure.message),
    };
    let of = format!("{} (sha256 {}…)", card.name, card.sha256.get(..12).unwrap_or(&card.sha256));
    if !known_cards().contains(&card) {
        let why = format!(
            "the network is {of}, a file of your own: what it finds is what its card says, which nobody here has checked"
        );
        return not_run(id, &why);
    }
    let told =
        format!("the one network is {of}, a person detector known by its file; only its boxes of people are read");
    judged(id, Ok(told))
}

/// Whether memory could reach a disk by way of swap.
fn swap() -> Proof {
    let told = leavings::swap();
    if told.starts_with("none") { judged("swap", Ok(told)) } else { not_run("swap", &told) }
}
