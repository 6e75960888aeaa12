//! The table of figures: names, units and formulas, one row each.
//!
//! Out: [`DEFINITIONS`]. Σ is the sum over the windows of the period that tell the figure.

use super::definitions::{Definition, Figure, Of, Why, quantile_s};
use super::{FlowCellSums, LineSums, OdSums, QueueSums, Tally, ZoneSums};
use crate::wire::read::Kind;

/// Every figure.
pub static DEFINITIONS: &[Definition] = &[
    line(["in", "crossings", "in", "入", "Σ in"], ADDS, |line| Figure::Is(line.inward as f64)),
    line(["out", "crossings", "out", "出", "Σ out"], ADDS, |line| Figure::Is(line.outward as f64)),
    line(["uncertain", "crossings", "uncertain of these", "うち不確か", "Σ uncertain"], ADDS, |line| {
        if line.uncertain_windows > 0 { Figure::Is(line.uncertain as f64) } else { Figure::None(Why::Withheld) }
    }),
    line(["pass", "people", "passers-by", "通行人", "Σ pass"], ADDS, |line| {
        if line.pass_windows > 0 { Figure::Is(line.pass as f64) } else { Figure::None(Why::NotMeasured) }
    }),
    line(
        ["footfall", "crossings", "footfall", "来店数", "Σ in; every re-entry counts, there is no identity"],
        ADDS,
        |line| Figure::Is(line.inward as f64),
    ),
    line(
        ["capture_rate", "share", "capture rate", "入店率", "Σ in ÷ Σ (in + pass), of windows with passers-by"],
        IS_A_RATIO,
        |line| match line.pass_windows {
            0 => Figure::None(Why::NotMeasured),
            _ => ratio(line.inward_with_pass, line.inward_with_pass.saturating_add(line.pass)),
        },
    ),
    zone(["entries", "visits", "entries", "入場", "Σ entries"], ADDS, |zone, _| Figure::Is(zone.entries as f64)),
    zone(["exits", "visits", "exits", "退場", "Σ exits"], ADDS, |zone, _| Figure::Is(zone.exits as f64)),
    zone(
        ["visits", "visits", "visits", "訪問", "Σ visits; a stay over an edge of windows is a visit of both"],
        ADDS,
        |zone, _| Figure::Is(zone.visits as f64),
    ),
    zone(["stops", "visits", "stops", "立ち止まり", "Σ stops (stays that reached 10 s)"], ADDS, |zone, _| {
        Figure::Is(zone.stops as f64)
    }),
    zone(["dwell_ms", "ms", "person-time", "延べ滞在時間", "Σ dwell_ms"], ADDS, |zone, _| {
        Figure::Is(zone.dwell_ms as f64)
    }),
    zone(["occ_ms", "ms", "person-time seen", "延べ在場時間", "Σ occ_ms"], ADDS, |zone, _| {
        Figure::Is(zone.occ_ms as f64)
    }),
    zone(["occ_max", "people", "most at once", "最大同時人数", "max occ_max"], IS_A_RATIO, |zone, _| {
        Figure::Is(f64::from(zone.occ_max))
    }),
    zone(
        ["engagement", "share", "engagement", "立ち止まり率", "Σ stops ÷ Σ entries"],
        IS_A_RATIO,
        |zone, _| ratio(zone.stops, zone.entries),
    ),
    zone(
        ["dwell_mean_s", "s", "mean dwell", "平均滞在時間", "Σ dwell_ms ÷ Σ entries ÷ 1000"],
        IS_A_RATIO,
        |zone, _| seconds(ratio(zone.dwell_ms, zone.entries)),
    ),
    zone(
        [
            "dwell_median_s",
            "s",
            "median dwell",
            "滞在時間の中央値",
            "the length that half of Σ hist lies below, evenly spread in its class",
        ],
        IS_A_RATIO,
        |zone, _| quantile_s(&zone.hist, 0.5),
    ),
    zone(
        ["occupancy_mean", "people", "mean occupancy", "平均在場人数", "Σ occ_ms ÷ Σ cov_ms, of windows that tell it"],
        IS_A_RATIO,
        |zone, tally| ratio(zone.occ_ms, tally.told_cov_ms),
    ),
    of(
        Kind::Zone,
        [
            "exposure",
            "share",
            "exposure",
            "接触率",
            "Σ entries of the zone ÷ Σ in of the store's doors; a lower bound where windows are withheld",
        ],
        IS_A_RATIO,
        Of::ZoneInStore(|zone, store_entries| {
            store_entries.map_or(Figure::None(Why::NotMeasured), |entries| ratio(zone.entries, entries))
        }),
    ),
    stays(0, ["stays_0_1s", "stays below 1 s", "1秒未満の滞在"]),
    stays(1, ["stays_1_2s", "stays of 1 to 2 s", "1〜2秒の滞在"]),
    stays(2, ["stays_2_4s", "stays of 2 to 4 s", "2〜4秒の滞在"]),
    stays(3, ["stays_4_8s", "stays of 4 to 8 s", "4〜8秒の滞在"]),
    stays(4, ["stays_8_16s", "stays of 8 to 16 s", "8〜16秒の滞在"]),
    stays(5, ["stays_16_32s", "stays of 16 to 32 s", "16〜32秒の滞在"]),
    stays(6, ["stays_32_64s", "stays of 32 to 64 s", "32〜64秒の滞在"]),
    stays(7, ["stays_64_128s", "stays of 64 to 128 s", "64〜128秒の滞在"]),
    stays(8, ["stays_128_256s", "stays of 128 to 256 s", "128〜256秒の滞在"]),
    stays(9, ["stays_256_512s", "stays of 256 to 512 s", "256〜512秒の滞在"]),
    stays(10, ["stays_512s_up", "stays of 512 s and more", "512秒以上の滞在"]),
    queue(["joined", "people", "joined", "並んだ人", "Σ joined"], ADDS, |queue, _| {
        Figure::Is(queue.joined as f64)
    }),
    queue(["served", "people", "served", "対応済み", "Σ served"], ADDS, |queue, _| {
        Figure::Is(queue.served as f64)
    }),
    queue(["abandoned", "people", "gave up", "離脱", "Σ abandoned"], ADDS, |queue, _| {
        Figure::Is(queue.abandoned as f64)
    }),
    queue(
        ["carried", "people", "waiting at the end", "終了時の待ち人数", "carried of the last window told"],
        IS_A_RATIO,
        |queue, _| Figure::Is(f64::from(queue.carried)),
    ),
    queue(["wait_ms", "ms", "waits with service", "延べ待ち時間", "Σ wait_ms.sum"], ADDS, |queue, _| {
        Figure::Is(queue.wait_ms as f64)
    }),
    queue(
        ["aband_wait_ms", "ms", "waits without service", "離脱者の延べ待ち時間", "Σ aband_wait_ms.sum"],
        ADDS,
        |queue, _| Figure::Is(queue.aband_wait_ms as f64),
    ),
    queue(["len_ms", "ms", "person-time waiting", "延べ行列時間", "Σ len_ms"], ADDS, |queue, _| {
        Figure::Is(queue.len_ms as f64)
    }),
    queue(["len_max", "people", "longest queue", "最長の行列", "max len_max"], IS_A_RATIO, |queue, _| {
        Figure::Is(f64::from(queue.len_max))
    }),
    queue(
        ["over", "people", "waited too long", "目標超過", "Σ over.n (ended waits longer than target_ms)"],
        ADDS,
        |queue, _| Figure::Is(queue.over as f64),
    ),
    queue(
        ["cut", "people", "waits without a seen end", "終わりが見えない待ち", "Σ cut"],
        ADDS,
        |queue, _| Figure::Is(queue.cut as f64),
    ),
    queue(
        ["wait_mean_s", "s", "mean wait", "平均待ち時間", "Σ wait_ms.sum ÷ Σ wait_ms.n ÷ 1000"],
        IS_A_RATIO,
        |queue, _| seconds(ratio(queue.wait_ms, queue.served)),
    ),
    queue(
        [
            "wait_p50_s",
            "s",
            "median wait",
            "待ち時間の中央値",
            "the length that half of Σ wait_ms.hist lies below, evenly spread in its class",
        ],
        IS_A_RATIO,
        |queue, _| quantile_s(&queue.wait_hist, 0.5),
    ),
    queue(
        [
            "wait_p90_s",
            "s",
            "wait of nine in ten",
            "待ち時間の90%点",
            "the length that 90 % of Σ wait_ms.hist lie below, evenly spread in its class",
        ],
        IS_A_RATIO,
        |queue, _| quantile_s(&queue.wait_hist, 0.9),
    ),
    queue(
        ["len_mean", "people", "mean length", "平均行列長", "Σ len_ms ÷ Σ cov_ms, of windows that tell it"],
        IS_A_RATIO,
        |queue, tally| ratio(queue.len_ms, tally.told_cov_ms),
    ),
    queue(["abandonment", "share", "abandonment", "離脱率", "Σ abandoned ÷ Σ joined"], IS_A_RATIO, |queue, _| {
        ratio(queue.abandoned, queue.joined)
    }),
    queue(
        ["over_share", "share", "share waiting too long", "目標超過率", "Σ over.n ÷ Σ (served + abandoned)"],
        IS_A_RATIO,
        |queue, _| ratio(queue.over, queue.served.saturating_add(queue.abandoned)),
    ),
    waits(0, ["waits_0_1s", "waits below 1 s", "待ち時間1秒未満"]),
    waits(1, ["waits_1_2s", "waits of 1 to 2 s", "待ち時間1〜2秒"]),
    waits(2, ["waits_2_4s", "waits of 2 to 4 s", "待ち時間2〜4秒"]),
    waits(3, ["waits_4_8s", "waits of 4 to 8 s", "待ち時間4〜8秒"]),
    waits(4, ["waits_8_16s", "waits of 8 to 16 s", "待ち時間8〜16秒"]),
    waits(5, ["waits_16_32s", "waits of 16 to 32 s", "待ち時間16〜32秒"]),
    waits(6, ["waits_32_64s", "waits of 32 to 64 s", "待ち時間32〜64秒"]),
    waits(7, ["waits_64_128s", "waits of 64 to 128 s", "待ち時間64〜128秒"]),
    waits(8, ["waits_128_256s", "waits of 128 to 256 s", "待ち時間128〜256秒"]),
    waits(9, ["waits_256_512s", "waits of 256 to 512 s", "待ち時間256〜512秒"]),
    waits(10, ["waits_512s_up", "waits of 512 s and more", "待ち時間512秒以上"]),
    of(
        Kind::Heat,
        CELLS_TOLD,
        IS_A_RATIO,
        Of::HeatWhole(|heat| count(heat.cells.iter().filter(|cell| cell.released > 0).count())),
    ),
    of(Kind::Heat, CELLS_SEEN, IS_A_RATIO, Of::HeatWhole(|heat| count(heat.seen_cells as usize))),
    of(
        Kind::Heat,
        ["visits", "visits", "visits", "訪問", "Σ of the cell, of windows that release it"],
        ADDS,
        Of::Heat("visits", |cell| released(cell.released, cell.sum as f64)),
    ),
    of(
        Kind::Heat,
        ["dwell_ms", "ms", "person-time", "延べ滞在時間", "Σ of the cell, of windows that release it"],
        ADDS,
        Of::Heat("dwell", |cell| released(cell.released, cell.sum as f64)),
    ),
    of(
        Kind::Flow,
        CELLS_TOLD,
        IS_A_RATIO,
        Of::FlowWhole(|flow| count(flow.cells.iter().filter(|cell| cell.released > 0).count())),
    ),
    of(Kind::Flow, CELLS_SEEN, IS_A_RATIO, Of::FlowWhole(|flow| count(flow.seen_cells as usize))),
    of(
        Kind::Flow,
        ["n", "passages", "passages", "通過", "Σ n of the cell, of windows that release it"],
        ADDS,
        Of::Flow(|cell| released(cell.released, cell.n as f64)),
    ),
    of(
        Kind::Flow,
        ["sx_milli", "milli", "sum of directions along the door wall", "壁沿いの向きの和", "Σ sx_milli"],
        ADDS,
        Of::Flow(|cell| released(cell.released, cell.sx_milli as f64)),
    ),
    of(
        Kind::Flow,
        ["sy_milli", "milli", "sum of directions away from the door", "奥への向きの和", "Σ sy_milli"],
        ADDS,
        Of::Flow(|cell| released(cell.released, cell.sy_milli as f64)),
    ),
    of(
        Kind::Flow,
        [
            "direction_deg",
            "deg",
            "mean direction",
            "平均の向き",
            "atan2(Σ sy_milli, Σ sx_milli); 0 along the door wall, 90 away from the door",
        ],
        IS_A_RATIO,
        Of::Flow(direction),
    ),
    of(
        Kind::Flow,
        ["agreement", "share", "agreement", "向きの一致", "hypot(Σ sx_milli, Σ sy_milli) ÷ (1000 Σ n)"],
        IS_A_RATIO,
        Of::Flow(agreement),
    ),
    of(
        Kind::Od,
        ["n", "visits", "ways", "移動", "Σ m of the pair, of windows that release it"],
        ADDS,
        Of::Pair(|pair, _| released(pair.released, pair.n as f64)),
    ),
    of(
        Kind::Od,
        ["path_share", "share", "path share", "経路の割合", "Σ m of the pair ÷ Σ m of all released pairs"],
        IS_A_RATIO,
        Of::Pair(|pair, all| if pair.released > 0 { ratio(pair.n, all) } else { Figure::None(Why::Withheld) }),
    ),
    od(
        ["dropped", "withheld ways together", "非公開の移動の合計", "Σ dropped, of windows that tell it"],
        |sums| told(sums.dropped_windows, sums.dropped),
    ),
    od(["cut", "ways without a seen end", "途切れた移動", "Σ cut, of windows that tell it"], |sums| {
        told(sums.cut_windows, sums.cut)
    }),
];

/// Whether the values over parts of a period add up to that of the whole.
const ADDS: bool = true;
const IS_A_RATIO: bool = false;

/// A row: name, unit, name for people in English and in Japanese, formula.
const fn of(kind: Kind, texts: [&'static str; 5], adds: bool, of: Of) -> Definition {
    let [name, unit, label, label_ja, formula] = texts;
    Definition { kind, name, unit, label, label_ja, formula, adds, of }
}

const fn line(texts: [&'static str; 5], adds: bool, make: fn(&LineSums) -> Figure) -> Definition {
    of(Kind::Line, texts, adds, Of::Line(make))
}

const fn zone(texts: [&'static str; 5], adds: bool, make: fn(&ZoneSums, &Tally) -> Figure) -> Definition {
    of(Kind::Zone, texts, adds, Of::Zone(make))
}

const fn queue(texts: [&'static str; 5], adds: bool, make: fn(&QueueSums, &Tally) -> Figure) -> Definition {
    of(Kind::Queue, texts, adds, Of::Queue(make))
}

const fn od(texts: [&'static str; 4], make: fn(&OdSums) -> Figure) -> Definition {
    let [name, label, label_ja, formula] = texts;
    of(Kind::Od, [name, "visits", label, label_ja, formula], ADDS, Of::Od(make))
}

const fn stays(class: usize, [name, label, label_ja]: [&'static str; 3]) -> Definition {
    of(
        Kind::Zone,
        [name, "visits", label, label_ja, "Σ hist of this class (stays that ended, by whole length)"],
        ADDS,
        Of::Stays(class),
    )
}

const fn waits(class: usize, [name, label, label_ja]: [&'static str; 3]) -> Definition {
    of(
        Kind::Queue,
        [name, "people", label, label_ja, "Σ wait_ms.hist of this class (waits with service)"],
        ADDS,
        Of::Waits(class),
    )
}

/// Both are texts of a layer as a whole.
const CELLS_TOLD: [&str; 5] =
    ["cells_told", "cells", "cells told", "公開された区画", "number of cells that at least one window releases"];
const CELLS_SEEN: [&str; 5] =
    ["cells_seen", "cells", "cells a camera sees", "カメラに写る区画", "max (cells + dropped_cells) of a window"];

fn count(number: usize) -> Figure {
    Figure::Is(number as f64)
}

fn ratio(part: u64, whole: u64) -> Figure {
    if whole > 0 { Figure::Is(part as f64 / whole as f64) } else { Figure::None(Why::NobodyCame) }
}

/// Of a figure in ms.
fn seconds(figure: Figure) -> Figure {
    if let Figure::Is(value) = figure { Figure::Is(value / 1000.0) } else { figure }
}

fn released(windows: u32, value: f64) -> Figure {
    if windows > 0 { Figure::Is(value) } else { Figure::None(Why::Withheld) }
}

fn told(windows: u64, value: u64) -> Figure {
    if windows > 0 { Figure::Is(value as f64) } else { Figure::None(Why::Withheld) }
}

fn direction(cell: &FlowCellSums) -> Figure {
    let (x, y) = (cell.sx_milli as f64, cell.sy_milli as f64);
    match cell.released {
        0 => Figure::None(Why::Withheld),
        _ if x == 0.0 && y == 0.0 => Figure::None(Why::NobodyCame),
        _ => Figure::Is(y.atan2(x).to_degrees()),
    }
}

fn agreement(cell: &FlowCellSums) -> Figure {
    match (cell.released, cell.n) {
        (0, _) => Figure::None(Why::Withheld),
        (_, 0) => Figure::None(Why::NobodyCame),
        (_, n) => Figure::Is((cell.sx_milli as f64).hypot(cell.sy_milli as f64) / (1000.0 * n as f64)),
    }
}
