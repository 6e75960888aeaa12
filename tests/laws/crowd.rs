//! The least crowd: nothing of the ways of a floor is told where fewer people were on it, whatever a single cell would allow.

use kehai::config::Settings;
use kehai::gate::Figures;

use super::world::{Walk, released, settings};

/// Eight people who walk the same metre-wide way one behind the other, and how many heat cells, flow cells and pairs are told of them.
fn told(settings: &Settings) -> [usize; 3] {
    let walks: Vec<Walk> = (0..PEOPLE)
        .map(|person| {
            let first = person * 6;
            Walk { from_m: [2.5, 5.5], to_m: [17.5, 5.5], first, last: first + 50 }
        })
        .collect();
    let windows = released(settings, &walks, PEOPLE * 6 + 60, 200);
    let mut told = [0; 3];
    for window in &windows {
        match window.figures() {
            Figures::Heat(cells) => told[0] += cells.iter().flatten().count(),
            Figures::Flow(cells) => told[1] += cells.iter().flatten().count(),
            Figures::Transitions(figures) => told[2] += figures.pairs.iter().filter(|pair| **pair > 0).count(),
            _ => {}
        }
    }
    told
}

#[test]
fn fewer_people_on_a_floor_than_the_least_crowd_leave_no_way() {
    let with = |crowd_min| {
        let mut settings = settings(5);
        settings.gate.crowd_min = crowd_min;
        told(&settings)
    };
    let enough = with(Some(PEOPLE));
    assert!(enough.iter().all(|told| *told > 0), "{enough:?}");
    assert_eq!(with(None), enough, "left out it is k, and there were more");
    assert_eq!(with(Some(PEOPLE + 1)), [0; 3]);
}

const PEOPLE: u32 = 8;
