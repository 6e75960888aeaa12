//! Heatmaps and flow decoded by a stranger: ten lines after the description in CONTRACT §2, none of ours.

use std::io::Read;

use base64::Engine;
use serde_json::Value;

use crate::support::recording::played;

/// "vz1": base64 of zlib of unsigned LEB128 numbers, index delta and `N` values in turn.
fn decode_columns<const N: usize>(data: &str) -> Vec<(u64, [u64; N])> {
    let packed = base64::engine::general_purpose::STANDARD.decode(data).expect("base64");
    let mut plain = Vec::new();
    flate2::read::ZlibDecoder::new(&packed[..]).read_to_end(&mut plain).expect("zlib");
    let mut numbers = vec![(0u64, 0)];
    for byte in plain {
        let (value, shift) = numbers.last_mut().expect("never empty");
        (*value, *shift) = (*value | u64::from(byte & 0x7f) << *shift, *shift + 7);
        if byte < 0x80 {
            numbers.push((0, 0));
        }
    }
    let cells = numbers.chunks_exact(1 + N).scan(0, |index, cell| {
        *index += cell[0].0;
        Some((*index, std::array::from_fn(|column| cell[1 + column].0)))
    });
    cells.collect()
}

fn decode(data: &str) -> Vec<(u64, u64)> {
    decode_columns(data).into_iter().map(|(index, [value])| (index, value)).collect()
}

/// Zigzag numbers: 0, 1, 2, 3 … are 0, −1, 1, −2 …
fn signed(zigzag: u64) -> i64 {
    let half = (zigzag / 2).cast_signed();
    if zigzag.is_multiple_of(2) { half } else { -half - 1 }
}

/// The heatmaps of the sample, `d` of each.
fn heatmaps() -> Vec<Value> {
    let windows = played().windows();
    windows.into_iter().filter(|window| window["k"] == "heat").map(|window| window["d"].clone()).collect()
}

#[test]
fn a_stranger_reads_the_cells_that_the_totals_announce() {
    for heat in heatmaps() {
        let cells = decode(heat["data"].as_str().expect("data is text"));
        assert_eq!(heat["enc"], "vz1");
        assert_eq!(heat["cells"], cells.len());
        assert_eq!(heat["sum"], cells.iter().map(|cell| cell.1).sum::<u64>());
        assert_eq!(heat["max"], cells.iter().map(|cell| cell.1).max().unwrap_or(0));
    }
}

#[test]
fn every_cell_lies_on_the_grid_and_none_comes_twice() {
    for heat in heatmaps() {
        let count = heat["w"].as_u64().zip(heat["h"].as_u64()).map(|(w, h)| w * h).expect("a grid has sides");
        let cells = decode(heat["data"].as_str().expect("data is text"));
        assert!(cells.iter().all(|(index, _)| *index < count));
        assert!(cells.windows(2).all(|pair| pair[0].0 < pair[1].0));
        assert!(cells.len() as u64 + heat["dropped_cells"].as_u64().expect("a number") <= count);
    }
}

#[test]
fn both_layers_release_the_same_cells() {
    let cells = |heat: &Value| decode(heat["data"].as_str().expect("data is text")).into_iter().map(|cell| cell.0);
    let layers: Vec<Vec<u64>> = heatmaps().iter().map(|heat| cells(heat).collect()).collect();
    assert_eq!(layers.len(), 2);
    assert_eq!(layers[0], layers[1]);
}

#[test]
fn the_flow_of_the_sample_is_released_and_no_sum_is_longer_than_its_passages() {
    let windows = played().windows();
    let flow = &windows.iter().find(|window| window["k"] == "flow").expect("the floor has a flow")["d"];
    let cells = decode_columns::<3>(flow["data"].as_str().expect("data is text"));
    assert_eq!(flow["cols"], serde_json::json!(["i", "n", "sx_milli", "sy_milli"]));
    assert_eq!((flow["enc"].as_str(), flow["cells"].as_u64()), (Some("vz1"), Some(cells.len() as u64)));
    assert_eq!(flow["n"], cells.iter().map(|(_, [n, ..])| n).sum::<u64>());
    assert!(cells.len() >= 10, "{} cells", cells.len());
    let shown: Vec<u64> =
        decode(heatmaps()[0]["data"].as_str().expect("data is text")).iter().map(|cell| cell.0).collect();
    for (index, [n, sx, sy]) in cells {
        let length = (signed(sx) as f64).hypot(signed(sy) as f64);
        assert!(shown.contains(&index) && n >= 5 && length <= 1001.0 * n as f64, "{index}: {n} {length}");
    }
}
