//! What a replay says of ways: released flow.
//!
//! In: the windows as published. Out: a line for each floor, and their part of the summary.

use serde::Serialize;

use crate::cli::output::say;
use crate::config::Settings;
use crate::wire::read::WindowView;

/// Totals of all windows of path data.
#[derive(Serialize)]
pub struct PathTotals {
    flows: Vec<FlowTotal>,
}

#[derive(Serialize)]
struct FlowTotal {
    id: String,
    windows: usize,
    cells_released: u64,
    passages: u64,
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
        Self { flows: settings.floors.iter().map(|floor| flow(&floor.id)).collect() }
    }

    /// One line for each.
    pub fn print(&self) {
        for flow in &self.flows {
            say(&format!(
                "flow        {:<16} {} passages in {} cells released in {} window(s)",
                flow.id, flow.passages, flow.cells_released, flow.windows
            ));
        }
    }
}
