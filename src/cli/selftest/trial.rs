//! Of the self-test: what becomes of figures, tried on drawn people in a store of their own, so that a box that holds nothing yet
//! proves something all the same.
//!
//! In: a site. Out: proofs. Invariant: the windows are the gate's own and go through composer and store as a shop's do; the store
//! is in memory and gone afterwards.

use super::store::Held;
use super::{crowd, judged, not_run};
use crate::clock::UtcMs;
use crate::config::Settings;
use crate::config::site::Site;
use crate::gate::ReleasedWindow;
use crate::notice::claims::Claim;
use crate::vault::{Trial, VaultError};
use crate::wire::compose::{Composer, REPLAY_BOOT, Voice};
use crate::wire::payload::selftest::Proof;
use crate::wire::record::ArrivedWindow;

pub(super) fn proofs(of: &Site) -> Vec<Proof> {
    let ids = [Claim::AggregatesOnly.id(), "privacy-state", Claim::KeptAtMost.id()];
    let k = of.settings.gate.k;
    let drawn = (k <= crowd::K_DRAWN_MAX).then(|| crowd::drawn(k)).flatten();
    let released = drawn.as_ref().and_then(|settings| crowd::released(settings, k));
    let (Some(settings), Some(windows)) = (drawn, released.filter(|windows| !windows.is_empty())) else {
        return ids.map(|id| not_run(id, "nobody could be drawn to try it on")).into();
    };
    let tried = Trial::new(of.outlets.keeping).and_then(|trial| {
        release(&trial, &settings, &windows)?;
        let bodies: Vec<Vec<u8>> = trial.vault().held().into_iter().map(|message| message.body).collect();
        let mut held = Held::new();
        bodies.iter().for_each(|body| held.look(body, &trial.vault().public_key()));
        let of_drawn = |words: &str| format!("{} windows of drawn people {words}", bodies.len());
        let totals = held.totals().map(|_| of_drawn("hold nothing but totals"));
        let states = held.states().map(|_| of_drawn("name their privacy profile and k"));
        let kept = forgotten(&trial, of.outlets.keeping.days, &windows, &bodies)?;
        Ok([totals, states, kept])
    });
    match tried {
        Ok(outcomes) => ids.into_iter().zip(outcomes).map(|(id, outcome)| judged(id, outcome)).collect(),
        Err(error) => ids.map(|id| not_run(id, &format!("it could not be tried: {error}"))).into(),
    }
}

/// Brings windows into a store as the mouth does.
fn release(trial: &Trial, settings: &Settings, windows: &[ReleasedWindow]) -> Result<(), VaultError> {
    let voice = Voice {
        topic_root: "kehai/v1".into(),
        boot: REPLAY_BOOT.into(),
        synchronised: true,
        retain_windows: false,
        sign: None,
    };
    let composer = Composer::new(settings, voice);
    windows.iter().try_for_each(|window| {
        let (object, span, cov_ms) = (window.object(), window.span(), window.cov_ms());
        let arrived = ArrivedWindow { object, span, cov_ms, figures: window.figures().clone() };
        trial.vault().release(|seq| composer.window(seq, &arrived))
    })
}

/// That windows are there until their days are over, and afterwards neither they nor their bytes.
fn forgotten(
    trial: &Trial,
    days: u32,
    windows: &[ReleasedWindow],
    bodies: &[Vec<u8>],
) -> Result<Result<String, String>, VaultError> {
    let ends = windows.iter().map(|window| window.span().start_s + i64::from(window.span().dur_s));
    let (first_s, last_s) = (ends.clone().min().unwrap_or_default(), ends.max().unwrap_or_default());
    let after = |end_s: i64, more_s: i64| UtcMs((end_s + i64::from(days) * DAY_S + more_s) * 1000);
    trial.vault().expire(after(first_s, -1))?;
    let is_early = trial.vault().held().len() < windows.len();
    let before = found(&trial.pages()?, bodies);
    trial.vault().expire(after(last_s, 0))?;
    let (rows, pieces) = (trial.vault().held().len(), found(&trial.pages()?, bodies));
    Ok(match (is_early, before * 2 >= pieces_of(bodies).count(), rows, pieces) {
        (true, ..) => Err(format!("drawn windows went before their {days} days were over")),
        (_, false, ..) => Err("the bytes of drawn windows were not found where they must be".to_owned()),
        (_, _, 0, 0) => {
            let told = format!("of {} drawn windows neither rows nor bytes are left after {days} days", windows.len());
            Ok(told)
        }
        (_, _, rows, pieces) => {
            Err(format!("after {days} days {rows} drawn windows and {pieces} pieces of their bytes are left"))
        }
    })
}

/// How many pieces of these bodies lie somewhere in a store's pages; one that goes over the edge of a page is not found.
fn found(pages: &[u8], bodies: &[Vec<u8>]) -> usize {
    let there: std::collections::HashSet<&[u8]> = pages.windows(PIECE_BYTES).collect();
    pieces_of(bodies).filter(|piece| there.contains(piece)).count()
}

fn pieces_of(bodies: &[Vec<u8>]) -> impl Iterator<Item = &[u8]> {
    bodies.iter().flat_map(|body| body.chunks_exact(PIECE_BYTES))
}

const DAY_S: i64 = 86_400;
/// Long enough that no other text of a store has the same.
const PIECE_BYTES: usize = 24;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Keeping;
    use crate::gate::Figures;
    use crate::wire::payload::selftest::Outcome;

    fn windows() -> (Settings, Vec<ReleasedWindow>) {
        let settings = crowd::drawn(5).expect("the hall is a good site");
        let windows = crowd::released(&settings, 5).expect("they walk");
        (settings, windows)
    }

    #[test]
    fn every_kind_of_figure_is_among_what_is_tried() {
        let (_, windows) = windows();
        let has = |is: fn(&Figures) -> bool| windows.iter().any(|window| is(window.figures()));
        assert!(has(|figures| matches!(figures, Figures::Line { inward, .. } if *inward == 5)));
        assert!(has(|figures| matches!(figures, Figures::Zone(Some(_)))));
        assert!(has(|figures| matches!(figures, Figures::Queue(_))));
        assert!(
            has(|figures| matches!(figures, Figures::Heat(_))) && has(|figures| matches!(figures, Figures::Flow(_)))
        );
        assert!(has(|figures| matches!(figures, Figures::Transitions(_))));
    }

    #[test]
    fn a_store_that_forgets_too_late_or_too_soon_is_found_out() {
        let (settings, windows) = windows();
        let outcome = |keeps: u32, promised: u32| {
            let trial = Trial::new(Keeping { days: keeps, ..Keeping::default() }).expect("memory");
            release(&trial, &settings, &windows).expect("room");
            let bodies: Vec<Vec<u8>> = trial.vault().held().into_iter().map(|message| message.body).collect();
            forgotten(&trial, promised, &windows, &bodies).expect("it can be tried")
        };
        assert!(outcome(7, 7).is_ok(), "{:?}", outcome(7, 7));
        assert!(outcome(8, 7).is_err_and(|told| told.contains("are left")));
        assert!(outcome(6, 7).is_err_and(|told| told.contains("before their")));
    }

    #[test]
    fn a_field_that_the_schema_does_not_know_is_no_total_however_deep_it_lies() {
        let (settings, windows) = windows();
        let trial = Trial::new(Keeping::default()).expect("memory");
        release(&trial, &settings, &windows).expect("room");
        for message in trial.vault().held() {
            let text = String::from_utf8(message.body).expect("JSON");
            let spoilt = text.replacen("\"d\":{", "\"d\":{\"track\":7,", 1);
            assert_ne!(text, spoilt);
            for (body, is_total) in [(&text, true), (&spoilt, false)] {
                let mut held = Held::new();
                held.look(body.as_bytes(), &trial.vault().public_key());
                assert_eq!(held.totals().is_ok(), is_total, "{body}");
            }
        }
    }

    #[test]
    fn a_box_that_holds_nothing_yet_proves_it_on_drawn_people() {
        let site = crate::config::site::parse(
            "[store]\norg = \"t\"\nstore = \"t\"\nnode = \"t\"\ntimezone = \"UTC\"\n[[camera]]\nid = \"view\"\n",
            "built in",
        );
        let proofs = proofs(&site.expect("a good site"));
        assert_eq!(proofs.len(), 3);
        for proof in proofs {
            assert_eq!(proof.outcome, Outcome::Green, "{proof:?}");
            assert!(proof.words.contains("drawn"), "{proof:?}");
        }
    }
}
