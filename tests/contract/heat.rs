//! Heatmaps decoded by a stranger: ten lines after the description in CONTRACT §2, none of ours.

use std::io::Read;

use base64::Engine;
use serde_json::Value;

use crate::support::recording::played;

/// "vz1": base64 of zlib of unsigned LEB128 numbers, index delta and value in turn.
fn decode(data: &str) -> Vec<(u64, u64)> {
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
    let pairs = numbers.chunks_exact(2).scan(0, |index, pair| {
        *index += pair[0].0;
        Some((*index, pair[1].0))
    });
    pairs.collect()
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
