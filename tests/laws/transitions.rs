//! Transitions: every visit goes on to one place, or elsewhere, or was cut; none appears from nowhere.

use std::collections::BTreeMap;

use kehai::clock::UtcMs;
use kehai::config::{Place, Settings};
use kehai::gate::{Figures, Gate, Object, ReleasedWindow};
use kehai::measure::transitions::{Pair, TransitionWindow};
use kehai::measure::{Exact, Measures, Window};
use proptest::prelude::*;

use super::world::{EVERYWHERE, Eye, START, Walk, settings_with, walk, watched_through};

const STEPS: u32 = 900;
const STEP_MS: i64 = 200;
const K: u32 = 5;
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
                    account.cut += figures.cut();
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
        prop_assert!(account.from.iter().all(|(place, from)| *from <= account.visits_of(*place)));
        let from: u32 = account.from.values().sum();
        prop_assert_eq!(from + account.cut, account.visits.values().sum::<u32>());
    }
}

/// The windows of a recording that begins a minute and a half before a quarter past ten.
fn of_two_quarters(settings: &Settings, walks: &[Walk]) -> Vec<Window> {
    recorded(settings, walks, START.0 + (60 + 900 - 90) * 1000, STEPS + AFTERWARDS)
}

/// The windows of a recording that begins at a moment, ms since 1970.
fn recorded(settings: &Settings, walks: &[Walk], begins_at: i64, steps: u32) -> Vec<Window> {
    let mut eye = Eye::new(settings, UtcMs(begins_at));
    for step in 0..steps {
        let people: Vec<[f64; 2]> = walks.iter().filter_map(|walk| walk.at(step)).collect();
        eye.see(i64::from(step) * STEP_MS, &people);
    }
    eye.finish()
}

/// What anybody can subtract from: the visits of a place in an hour, `None` where a quarter hour with people was withheld.
fn visits_released(place: Place, windows: &[Window], released: &[ReleasedWindow]) -> Option<u32> {
    let object = match place {
        Place::Zone(zone) => Object::Zone(zone as u16),
        Place::Line(line) => Object::Line(line as u16),
    };
    let had_nobody = |one: &ReleasedWindow| {
        let is_empty = |window: &Window| match &window.exact {
            Exact::Zone(zone, figures) => {
                Place::Zone(*zone) == place && window.span == one.span() && figures.visits == 0
            }
            _ => false,
        };
        windows.iter().any(is_empty)
    };
    let quarters = released.iter().filter(|one| one.object() == object).map(|one| match one.figures() {
        Figures::Line { inward, outward, .. } => Some(inward + outward),
        Figures::Zone(Some(zone)) => Some(zone.entries),
        _ => had_nobody(one).then_some(0),
    });
    quarters.sum()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn what_places_leave_over_rests_on_k_people(walks in prop::collection::vec(walk(EVERYWHERE, STEPS), 10..40)) {
        let settings = settings_with(K, MORE);
        let windows = of_two_quarters(&settings, &walks);
        let released = gated(&settings, of_two_quarters(&settings, &walks));
        let (exact, shown) = hours(&windows, &released).pop().expect("the hour has transitions");
        for (node, place) in settings.places(0).into_iter().enumerate() {
            let column = (0..exact.nodes).map(|from| (shown[from * exact.nodes + node], (from, node)));
            let hidden: Vec<Pair> = column.clone().filter(|(number, _)| *number == 0).map(|(_, pair)| pair).collect();
            let shown: u32 = column.map(|(number, _)| number).sum();
            let behind = |pairs: &[Pair]| exact.people_behind(pairs.iter().copied()) >= K as usize;
            match visits_released(place, &windows, &released) {
                Some(visits) => {
                    let is_harmless = visits == shown || shown == 0 || behind(&hidden);
                    prop_assert!(is_harmless, "{} of {} to {:?} follow", visits - shown, visits, place);
                }
                None => {
                    let hides_k = hidden.iter().any(|pair| behind(&[*pair]));
                    prop_assert!(shown == 0 || hides_k, "a withheld quarter hour of {:?} follows", place);
                }
            }
        }
    }

    /// A place's visits less what its row shows, hour by hour and added up from any hour on, are what the row withholds, who
    /// was cut and who is on the way: each of them nobody or `k` people, unless the row's hidden pairs cover them.
    #[test]
    fn what_rows_leave_over_rests_on_k_people(
        walks in prop::collection::vec(walk(EVERYWHERE, STEPS), 10..60),
        steps in 500u32..STEPS,
    ) {
        let settings = settings_with(K, MORE);
        // Begins a minute and a half before the hour, and ends while people are there.
        let windows = recorded(&settings, &walks, START.0 - 30_000, steps);
        let released = gated(&settings, recorded(&settings, &walks, START.0 - 30_000, steps));
        let mut pending = vec![0; settings.places(0).len()];
        for (exact, shown) in hours(&windows, &released) {
            for (node, pending) in pending.iter_mut().enumerate() {
                let number = |pair: Pair| exact.pairs().find(|(one, _)| *one == pair).map_or(0, |(_, number)| number);
                let row = |to: usize| (shown[node * exact.nodes + to], number((node, to)));
                let visits: u32 = (0..exact.nodes).map(|from| number((from, node))).sum();
                let gone: u32 = (0..exact.nodes).map(|to| row(to).1).sum();
                let carried_in = *pending;
                let cut = exact.beside[node].cut;
                *pending = carried_in + visits - gone - cut;
                prop_assert_eq!([exact.beside[node].carried_in, exact.beside[node].pending], [carried_in, *pending]);
                let hidden = (0..exact.nodes).filter(|to| row(*to).0 == 0 && row(*to).1 > 0).map(|to| (node, to));
                let behind = exact.people_behind(hidden) as u32;
                let is_harmless = |people: u32| people == 0 || people >= K;
                let shows_nothing = (0..exact.nodes).all(|to| row(to).0 == 0);
                let is_covered = behind > 0 || [carried_in, cut, *pending].into_iter().all(is_harmless);
                let left = (behind, carried_in, cut, *pending);
                prop_assert!(shows_nothing || (is_harmless(behind) && is_covered), "{:?} of {} follow", left, node);
            }
        }
    }
}

fn gated(settings: &Settings, windows: Vec<Window>) -> Vec<ReleasedWindow> {
    let mut gate = Gate::new(settings);
    windows.into_iter().flat_map(|window| gate.release(window)).collect()
}

/// The transitions of each hour: as measured, and as shown row by row.
fn hours<'a>(windows: &'a [Window], released: &'a [ReleasedWindow]) -> Vec<(&'a TransitionWindow, &'a [u32])> {
    let exact = windows.iter().filter_map(|one| match &one.exact {
        Exact::Transitions(_, exact) => Some(exact),
        _ => None,
    });
    let shown = released.iter().filter_map(|one| match one.figures() {
        Figures::Transitions(figures) => Some(&figures.pairs[..]),
        _ => None,
    });
    exact.zip(shown).collect()
}

#[test]
fn a_quarter_hour_of_one_person_who_left_at_once_does_not_follow_either() {
    let settings = settings_with(K, "");
    let is_edge = |window: &&Window| match &window.exact {
        Exact::Zone(_, zone) => zone.visits == 1 && zone.entries == 1 && zone.dwell_ms == 0,
        _ => false,
    };
    // Nine stand in the zone one after the other, far apart; the tenth counts by the frame on the edge of the quarters.
    let stands = |at: [f64; 2], first, last| Walk { from_m: at, to_m: at, first, last };
    let nine = (0..9).map(|one| {
        stands([4.5 + f64::from(one % 3) * 1.8, 3.5 + f64::from(one / 3) * 1.6], 10 + 45 * one, 30 + 45 * one)
    });
    let mut edges = 0;
    for first in 440..450 {
        let walks: Vec<Walk> = nine.clone().chain([stands([5.0, 4.2], first, 450)]).collect();
        let windows = of_two_quarters(&settings, &walks);
        if windows.iter().filter(is_edge).count() == 1 {
            edges += 1;
            let released = gated(&settings, of_two_quarters(&settings, &walks));
            let (exact, shown) = hours(&windows, &released)[0];
            assert_eq!(exact.pairs().find(|(pair, _)| *pair == (2, 0)), Some(((2, 0), 10)));
            assert_eq!(shown[2 * exact.nodes], 0, "ten less the nine of the first quarter hour");
        }
    }
    assert!(edges > 0, "somebody counts on the edge");
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
