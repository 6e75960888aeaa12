//! Queues: whoever joins is served, gives up, is lost from sight, or still waits.

use kehai::config::Settings;
use kehai::gate::{Figures, Gate};
use kehai::measure::queue::QueueWindow;
use kehai::measure::{Exact, Measures, Window};
use proptest::prelude::*;

use super::world::{Walk, settings_with, walk, watched_through};

const STEPS: u32 = 900;
const STEP_MS: i64 = 200;
const K: u32 = 5;
/// People wait in the zone; the counter beside it serves them.
pub const QUEUE: &str = "[[zone]]\nid = \"counter\"\npolygon_m = [[9.5, 3.0], [14.0, 3.0], [14.0, 8.0], [9.5, 8.0]]\n\
                     [[queue]]\nid = \"line\"\nzone = \"zone\"\nserved_by = \"counter\"\ntarget_s = 6\n";
/// The queue, the counter and what lies round them, m.
const ROUND: [[f64; 2]; 2] = [[3.0, 3.0], [14.5, 8.5]];

fn queues(windows: &[Window]) -> Vec<&QueueWindow> {
    let of_queue = windows.iter().filter_map(|window| match &window.exact {
        Exact::Queue(_, queue) => Some(queue),
        _ => None,
    });
    of_queue.collect()
}

fn watched(settings: &Settings, walks: &[Walk], before: impl Fn(u32, &mut Measures)) -> Vec<Window> {
    let (mut measures, mut windows) = watched_through(settings, walks, STEPS, STEP_MS, before);
    windows.extend(measures.finish(0));
    windows
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn whoever_joins_is_served_or_gives_up_or_waits_on(
        walks in prop::collection::vec(walk(ROUND, STEPS), 0..12),
        blind_at in prop::option::of(50u32..STEPS),
    ) {
        let blind = |step, measures: &mut Measures| if blind_at == Some(step) { measures.blinded(0) };
        let windows = watched(&settings_with(K, QUEUE), &walks, blind);
        let mut before = 0;
        for queue in queues(&windows) {
            prop_assert_eq!(queue.joined + before, queue.served + queue.abandoned + queue.cut + queue.carried);
            prop_assert_eq!(queue.wait_hist.iter().sum::<u32>(), queue.served);
            prop_assert!(queue.people <= queue.joined && queue.carried <= queue.len_max);
            prop_assert!(queue.over <= queue.served + queue.abandoned);
            prop_assert!(blind_at.is_some() || queue.cut == 0);
            before = queue.carried;
        }
        let dwell_ms: u64 = super::world::zones(&windows).iter().map(|(_, zone)| zone.dwell_ms).sum();
        prop_assert!(queues(&windows).iter().map(|queue| queue.len_ms).sum::<u64>() <= dwell_ms, "waiting is being there");
    }

    #[test]
    fn a_queue_is_released_from_k_people_who_joined(walks in prop::collection::vec(walk(ROUND, STEPS), 0..20)) {
        let settings = settings_with(K, QUEUE);
        let mut gate = Gate::new(&settings);
        for window in watched(&settings, &walks, |_, _| ()) {
            let people = match &window.exact {
                Exact::Queue(_, queue) => Some(queue.people),
                _ => None,
            };
            let released = gate.release(window);
            if let (Some(people), Figures::Queue(figures)) = (people, released[0].figures()) {
                prop_assert_eq!(figures.is_some(), people >= K);
            }
        }
    }
}

#[test]
fn six_who_wait_in_turn_are_served() {
    // Each stands four to nine seconds in the queue, then goes to the counter beside it and from there away.
    let person = |number: u32| {
        let (first, wait) = (320 + number * 60, 20 + number * 5);
        let y_m = 3.5 + 0.7 * f64::from(number);
        let at = |from: f64, to: f64, first, last| Walk { from_m: [from, y_m], to_m: [to, y_m], first, last };
        [
            at(8.0, 8.4, first, first + wait),
            at(8.5, 11.0, first + wait + 1, first + wait + 12),
            at(11.1, 11.6, first + wait + 13, first + wait + 24),
        ]
    };
    let walks: Vec<Walk> = (0..6).flat_map(person).collect();
    let windows = watched(&settings_with(K, QUEUE), &walks, |_, _| ());
    let queue = queues(&windows)[1];
    assert_eq!([queue.joined, queue.served, queue.abandoned, queue.cut, queue.carried], [6, 6, 0, 0, 0]);
    assert_eq!(queue.people, 6);
    assert!((20_000..50_000).contains(&queue.wait_ms), "{}", queue.wait_ms);
}
