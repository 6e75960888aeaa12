//! Transitions: every visit goes on to one place, or elsewhere, or was cut; none appears from nowhere.

use std::collections::BTreeMap;

use kehai::config::{Place, Settings};
use kehai::measure::{Exact, Measures, Window};
use proptest::prelude::*;

use super::world::{EVERYWHERE, Walk, settings_with, walk, watched_through};

const STEPS: u32 = 900;
const STEP_MS: i64 = 200;
/// Long enough for everybody to be known as gone, steps.
const AFTERWARDS: u32 = 30;
/// Beside the zone and the door: a zone beside them, one over both, one that nobody can be in without being in the other.
const MORE: &str = "[[zone]]\nid = \"shelf\"\npolygon_m = [[12.0, 2.0], [18.0, 2.0], [18.0, 9.0]]\n\
                    [[zone]]\nid = \"hall\"\npolygon_m = [[2.0, 1.0], [19.0, 1.0], [19.0, 14.0], [2.0, 14.0]]\n\
                    [[zone]]\nid = \"corner\"\npolygon_m = [[4.0, 3.0], [6.0, 3.0], [6.0, 5.0], [4.0, 5.0]]\n";

/// What windows say of each place, by start of the hour and index: visits counted by the place itself, transitions to it
/// and from it.
#[derive(Default)]
struct Account {
    visits: BTreeMap<(i64, usize), u32>,
    to: BTreeMap<(i64, usize), u32>,
    from: BTreeMap<usize, u32>,
    cut: u32,
}

impl Account {
    fn of(settings: &Settings, windows: &[Window]) -> Self {
        let places = settings.places(0);
        let index = |place: Place| places.iter().position(|one| *one == place).expect("a place of the camera");
        let mut account = Self::default();
        for window in windows {
            let hour = window.span.start_s.div_euclid(3600) * 3600;
            let (place, visits) = match &window.exact {
                Exact::Zone(zone, figures) => (Place::Zone(*zone), figures.entries),
                Exact::Line(line, figures) => (Place::Line(*line), figures.inward + figures.outward),
                Exact::Transitions(_, figures) => {
                    account.cut += figures.cut;
                    for ((from, to), number) in figures.pairs() {
                        *account.from.entry(from).or_default() += number;
                        *account.to.entry((hour, to)).or_default() += number;
                    }
                    continue;
                }
                Exact::Heat(..) | Exact::Queue(..) => continue,
            };
            *account.visits.entry((hour, index(place))).or_default() += visits;
        }
        account.visits.retain(|_, visits| *visits > 0);
        account.to.retain(|(_, node), _| *node < places.len());
        account.from.retain(|node, _| *node < places.len());
        account
    }

    fn visits_of(&self, place: usize) -> u32 {
        self.visits.iter().filter(|((_, of), _)| *of == place).map(|(_, visits)| visits).sum()
    }
}

fn account(walks: &[Walk], steps: u32, before: impl Fn(u32, &mut Measures)) -> Account {
    let settings = settings_with(5, MORE);
    let (mut measures, mut windows) = watched_through(&settings, walks, steps, STEP_MS, before);
    windows.extend(measures.finish(0));
    Account::of(&settings, &windows)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn what_goes_to_a_place_and_from_it_are_its_visits(walks in prop::collection::vec(walk(EVERYWHERE, STEPS), 0..10)) {
        let account = account(&walks, STEPS + AFTERWARDS, |_, _| ());
        prop_assert_eq!(&account.to, &account.visits, "hour by hour");
        prop_assert_eq!(account.cut, 0);
        for (place, from) in &account.from {
            prop_assert_eq!(*from, account.visits_of(*place));
        }
        prop_assert_eq!(account.from.values().sum::<u32>(), account.visits.values().sum::<u32>());
    }

    #[test]
    fn what_nobody_saw_is_cut_and_nothing_else_is_missing(
        walks in prop::collection::vec(walk(EVERYWHERE, STEPS), 0..10),
        steps in 100u32..STEPS,
        blind_at in 50u32..STEPS,
    ) {
        let account = account(&walks, steps, |step, measures| if step == blind_at { measures.blinded(0) });
        prop_assert_eq!(&account.to, &account.visits, "hour by hour");
        let from: u32 = account.from.values().sum();
        prop_assert_eq!(from + account.cut, account.visits.values().sum::<u32>());
    }
}

#[test]
fn who_is_in_the_shop_when_the_recording_ends_is_cut() {
    let standing = Walk { from_m: [2.5, 5.5], to_m: [6.5, 5.5], first: 10, last: STEPS };
    let account = account(&[standing], 400, |_, _| ());
    assert_eq!((account.cut, account.visits.values().sum::<u32>()), (1, 2));
    assert_eq!(account.from.values().sum::<u32>(), 1, "from the hall into the zone");
}

#[test]
fn who_goes_while_the_camera_is_blind_is_cut_and_who_is_found_again_is_not() {
    // One walks out of the picture's sight right when it is opened anew, one stands on.
    let leaving = Walk { from_m: [6.5, 5.5], to_m: [7.5, 5.5], first: 10, last: 199 };
    let staying = Walk { from_m: [15.0, 4.0], to_m: [15.0, 4.2], first: 10, last: 300 };
    let account = account(&[leaving, staying], 400, |step, measures| {
        if step == 200 {
            measures.blinded(0)
        }
    });
    assert_eq!(account.cut, 1);
    assert_eq!(account.from.values().sum::<u32>() + 1, account.visits.values().sum::<u32>());
}
