//! Sums over a floor as pictures: amounts, differences of two periods, ways.
//!
//! In: [`Gathered`] sums. Out: PNGs. Invariants: a cell that some windows withhold is drawn as such, and so is one that no camera
//! sees; two periods are compared per hour seen, never by their bare sums.

use super::super::period::{FlowSums, HeatSums, ObjectFigures, ObjectSums, Sums, Tally};
use super::super::picture::{Cell, Map, Passages};
use crate::wire::read::Kind;

/// A layer of a heatmap of a floor, the one with the latest window where its cells were changed.
#[must_use]
pub fn heat_of<'a>(sums: &'a Sums, floor: &str, layer: &str) -> Option<(&'a Tally, &'a HeatSums)> {
    newest(sums, Kind::Heat, |figures| match figures {
        ObjectFigures::Heat(heat) if heat.grid.plan == floor && heat.layer == layer => Some(heat),
        _ => None,
    })
}

/// The flow over a floor, the one with the latest window.
#[must_use]
pub fn flow_of<'a>(sums: &'a Sums, floor: &str) -> Option<(&'a Tally, &'a FlowSums)> {
    newest(sums, Kind::Flow, |figures| match figures {
        ObjectFigures::Flow(flow) if flow.grid.plan == floor => Some(flow),
        _ => None,
    })
}

fn newest<'a, T>(
    sums: &'a Sums,
    kind: Kind,
    pick: impl Fn(&'a ObjectFigures) -> Option<&'a T>,
) -> Option<(&'a Tally, &'a T)> {
    let of_kind = sums.objects().into_iter().filter(|(key, _)| key.kind == kind);
    let picked = of_kind.filter_map(|(_, ObjectSums { tally, figures })| Some((tally, pick(figures)?)));
    picked.max_by_key(|(tally, _)| tally.end_s)
}

/// What windows in which somebody looked tell of a cell that `released` of them list.
fn cell<T>(value: T, released: u32, tally: &Tally, is_seen: bool) -> Cell<T> {
    let looked = tally.windows - tally.blind;
    match u64::from(released) {
        0 if is_seen && looked > 0 => Cell::Withheld,
        0 => Cell::Blind,
        released if released < looked => Cell::Partly(value),
        _ => Cell::Known(value),
    }
}

/// How person-time is counted so that numbers stay short.
fn time_unit(most_ms: u64) -> (f64, &'static str) {
    match most_ms {
        0..7_200_000 => (1e3, "person-s"),
        7_200_000..432_000_000 => (6e4, "person-min"),
        _ => (3.6e6, "person-h"),
    }
}

/// Amounts of a layer; `seen` says which cells a camera sees.
#[must_use]
pub fn amounts((tally, heat): (&Tally, &HeatSums), seen: &[bool]) -> Map<f64> {
    let most = heat.cells.iter().map(|cell| cell.sum).max().unwrap_or(0);
    let (divisor, unit) = if heat.layer == "dwell" { time_unit(most) } else { (1.0, "visits") };
    let cells = heat.cells.iter().enumerate().map(|(index, sums)| {
        let is_seen = seen.get(index).copied().unwrap_or(false);
        cell(sums.sum as f64 / divisor, sums.released, tally, is_seen)
    });
    Map { columns: heat.grid.columns as usize, cells: cells.collect(), unit: unit.to_owned() }
}

/// How much more there is of a layer than in another period, per hour seen; `None` where its cells were changed in between.
#[must_use]
pub fn difference(here: (&Tally, &HeatSums), other: (&Tally, &HeatSums), seen: &[bool]) -> Option<Map<f64>> {
    if here.1.grid != other.1.grid {
        return None;
    }
    let (divisor, unit) =
        if here.1.layer == "dwell" { (6e4, "person-min\nper h seen") } else { (1.0, "visits\nper h seen") };
    let per_hour = |sum: u64, cov_ms: u64| sum as f64 / divisor / (cov_ms as f64 / 3.6e6);
    let cells = here.1.cells.iter().zip(&other.1.cells).enumerate().map(|(index, (one, two))| {
        let is_seen = seen.get(index).copied().unwrap_or(false);
        let rate = |sums: &super::super::period::HeatCellSums, tally| {
            cell(per_hour(sums.sum, sums.cov_ms.max(1)), sums.released, tally, is_seen)
        };
        match (rate(one, here.0), rate(two, other.0)) {
            (Cell::Known(one), Cell::Known(two)) => Cell::Known(one - two),
            (Cell::Known(one) | Cell::Partly(one), Cell::Known(two) | Cell::Partly(two)) => Cell::Partly(one - two),
            (Cell::Blind, _) | (_, Cell::Blind) => Cell::Blind,
            _ => Cell::Withheld,
        }
    });
    Some(Map { columns: here.1.grid.columns as usize, cells: cells.collect(), unit: unit.to_owned() })
}

/// Ways over a floor.
#[must_use]
pub fn ways((tally, flow): (&Tally, &FlowSums), seen: &[bool]) -> Map<Passages> {
    let cells = flow.cells.iter().enumerate().map(|(index, sums)| {
        let passages =
            Passages { n: sums.n as f64, sum: [sums.sx_milli, sums.sy_milli].map(|milli| milli as f64 / 1000.0) };
        cell(passages, sums.released, tally, seen.get(index).copied().unwrap_or(false))
    });
    Map { columns: flow.grid.columns as usize, cells: cells.collect(), unit: String::new() }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A window of a floor of four cells: number by cell.
    fn heat(start: &str, cov_ms: u64, cells: &[(usize, u64)]) -> Vec<u8> {
        let listed = |index: usize| cells.iter().find(|(cell, _)| *cell == index).map(|(_, value)| [*value]);
        let data = crate::wire::vz1::encode((0..4).map(listed));
        format!(
            r#"{{"v":1,"k":"heat","id":"hall-visits","ws":"{start}","dur":3600,"rev":0,"boot":"b","seq":1,"cfg":"c","clk":"sync","cov_ms":{cov_ms},"privacy":{{"profile":"threshold","k":5}},"d":{{"layer":"visits","unit":"visit","frame":"store","plan":"hall","w":2,"h":2,"cell_mm":1000,"origin_mm":[0,0],"enc":"vz1","data":"{data}","cells":{},"sum":0,"max":0,"dropped_cells":1}}}}"#,
            cells.len()
        )
        .into_bytes()
    }

    fn sums(bodies: &[Vec<u8>]) -> Sums {
        let mut sums = Sums::default();
        for body in bodies {
            sums.add_body(None, body).expect("a window");
        }
        sums
    }

    const SEEN: [bool; 4] = [true, true, true, false];

    #[test]
    fn a_cell_is_known_partly_known_withheld_or_unseen() {
        let sums = sums(&[
            heat("2026-11-01T01:00:00Z", 3_600_000, &[(0, 6), (1, 7)]),
            heat("2026-11-01T02:00:00Z", 3_600_000, &[(0, 5)]),
            heat("2026-11-01T03:00:00Z", 0, &[]),
        ]);
        let map = amounts(heat_of(&sums, "hall", "visits").expect("a layer"), &SEEN);
        assert_eq!(map.cells, [Cell::Known(11.0), Cell::Partly(7.0), Cell::Withheld, Cell::Blind]);
        assert!(heat_of(&sums, "hall", "dwell").is_none() && heat_of(&sums, "cellar", "visits").is_none());
    }

    #[test]
    fn where_nobody_looked_at_all_the_floor_is_blind_and_not_withheld() {
        let sums = sums(&[heat("2026-11-01T01:00:00Z", 0, &[])]);
        let map = amounts(heat_of(&sums, "hall", "visits").expect("a layer"), &SEEN);
        assert_eq!(map.cells, [Cell::Blind; 4]);
    }

    #[test]
    fn two_periods_are_compared_per_hour_seen() {
        let one = sums(&[heat("2026-11-08T01:00:00Z", 1_800_000, &[(0, 6), (1, 7)])]);
        let two = sums(&[
            heat("2026-11-01T01:00:00Z", 3_600_000, &[(0, 10), (1, 6)]),
            heat("2026-11-01T02:00:00Z", 3_600_000, &[(0, 8)]),
        ]);
        let [one, two] = [&one, &two].map(|sums| heat_of(sums, "hall", "visits").expect("a layer"));
        let map = difference(one, two, &SEEN).expect("one grid");
        assert_eq!(map.cells, [Cell::Known(12.0 - 9.0), Cell::Partly(14.0 - 6.0), Cell::Withheld, Cell::Blind]);
    }
}
