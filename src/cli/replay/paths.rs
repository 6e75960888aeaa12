//! What a replay says of ways: released flow, released transitions between places, queues.
//!
//! In: the windows as published. Out: a line for each floor, camera and queue, and their part of the summary.

use serde::Serialize;

use crate::cli::output::say;
use crate::config::Settings;
use crate::wire::read::WindowView;

/// Totals of all windows of path data.
#[derive(Serialize)]
pub struct PathTotals {
    flows: Vec<FlowTotal>,
    transitions: Vec<TransitionTotal>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    queues: Vec<QueueTotal>,
}

#[derive(Serialize)]
struct FlowTotal {
    id: String,
    windows: usize,
    cells_released: u64,
    passages: u64,
}

#[derive(Serialize)]
struct TransitionTotal {
    id: String,
    windows: usize,
    pairs_released: usize,
    transitions: u64,
}

#[derive(Serialize)]
struct QueueTotal {
    id: String,
    windows: usize,
    windows_released: usize,
    joined: u64,
    served: u64,
    abandoned: u64,
}

impl PathTotals {
    /// Adds up what was published.
    pub fn of(settings: &Settings, windows: &[WindowView]) -> Self {
        let of = |kind: &'static str, id: &String| -> Vec<&WindowView> {
            windows.iter().filter(|window| window.kind == kind && window.id == *id).collect()
        };
        let flow = |id: &String| {
            let windows = of("flow", id);
            let total = |figure: &str| windows.iter().filter_map(|window| window.figure(figure)).sum();
            FlowTotal { id: id.clone(), windows: windows.len(), cells_released: total("cells"), passages: total("n") }
        };
        let transitions = |id: &String| {
            let windows = of("od", id);
            let pairs = windows.iter().filter_map(|window| window.figures["m"].as_array()).flatten();
            let numbers: Vec<u64> = pairs.filter_map(|pair| pair[2].as_u64()).collect();
            let (pairs_released, transitions) = (numbers.len(), numbers.iter().sum());
            TransitionTotal { id: id.clone(), windows: windows.len(), pairs_released, transitions }
        };
        let queue = |id: &String| {
            let windows = of("queue", id);
            let total = |figure: &str| windows.iter().filter_map(|window| window.figure(figure)).sum();
            QueueTotal {
                id: id.clone(),
                windows: windows.len(),
                windows_released: windows.iter().filter(|window| window.figure("joined").is_some()).count(),
                joined: total("joined"),
                served: total("served"),
                abandoned: total("abandoned"),
            }
        };
        Self {
            queues: settings.queues.iter().map(|one| queue(&one.id)).collect(),
            flows: settings.floors.iter().map(|floor| flow(&floor.id)).collect(),
            transitions: settings.cameras.iter().map(|camera| transitions(&camera.id)).collect(),
        }
    }

    /// One line for each.
    pub fn print(&self) {
        for flow in &self.flows {
            say(&format!(
                "flow        {:<16} {} passages in {} cells released in {} window(s)",
                flow.id, flow.passages, flow.cells_released, flow.windows
            ));
        }
        for between in self.transitions.iter().filter(|between| between.windows > 0) {
            say(&format!(
                "transitions {:<16} {} between places, {} pairs released in {} window(s)",
                between.id, between.transitions, between.pairs_released, between.windows
            ));
        }
        for queue in &self.queues {
            say(&format!(
                "queue       {:<16} joined {:>4}  served {:>4}  abandoned {:>4}  ({} of {} windows released)",
                queue.id, queue.joined, queue.served, queue.abandoned, queue.windows_released, queue.windows
            ));
        }
    }
}
