//! A map of a period in a frame that says what it shows: object, time, how much, how much of it was seen.
//!
//! In: sums of one period, or of two. Out: a PNG. The map itself, its colours and patterns are those of the page
//! (`publish/picture.rs`). Invariant: no map leaves without its coverage and the windows it was summed from.

use std::collections::BTreeMap;

use embedded_graphics::mono_font::iso_8859_1::{FONT_7X13, FONT_9X18_BOLD};
use embedded_graphics::text::Alignment;

use super::super::canvas::Canvas;
use super::super::{Failure, USAGE};
use super::rows::{Stretch, Wanted};
use crate::publish::period::{Key, ObjectFigures, ObjectSums, Sums, Tally};
use crate::publish::picture::{Theme, amount_png, difference_png, flow_png};
use crate::publish::web::maps::{amounts, difference, ways};
use crate::wire::read::CellGrid;

/// What a picture is made with.
pub struct Frame<'a> {
    /// What is asked for.
    pub wanted: &'a Wanted,
    /// Names for people, by "floor/hall".
    pub names: &'a BTreeMap<String, String>,
    /// Which cells a camera sees, by floor; where a floor is missing nobody knows.
    pub seen: &'a BTreeMap<String, Vec<bool>>,
    /// The period in words, and the one it is compared with.
    pub periods: [Option<String>; 2],
}

/// One period: its parts and its sums.
type Summed<'a> = (&'a Stretch, &'a Sums);

impl Frame<'_> {
    /// Draws the one map that is asked for.
    ///
    /// # Errors
    /// Exit 2: none or several are asked for; two periods whose cells differ.
    pub fn draw(&self, here: Summed, other: Option<Summed>) -> Result<Vec<u8>, Failure> {
        let (key, object) = self.chosen(here.1)?;
        let there = match other {
            Some((stretch, sums)) => {
                let found = sums.objects().get(key).copied();
                let missing = || {
                    Failure::new(
                        USAGE,
                        format!("{} has no windows with the same cells in the period to compare with", key.id),
                    )
                };
                Some((stretch, found.ok_or_else(missing)?))
            }
            None => None,
        };
        let grid = key.grid.as_ref().expect("maps have cells");
        let map = self.map(grid, object, there.map(|(_, object)| object))?;
        let name = self.names.get(&format!("floor/{}", grid.plan)).filter(|name| is_printable(name));
        let what = if key.layer.is_empty() { "ways people go" } else { key.layer.as_str() };
        let versus = if there.is_some() { ", difference per hour seen" } else { "" };
        let title = format!("{}: {what}{versus}", name.map_or(&*grid.plan, String::as_str));
        let mut captions = vec![captioned(&self.periods[0], here.0, object)];
        captions
            .extend(there.map(|(stretch, object)| format!("against {}", captioned(&self.periods[1], stretch, object))));
        captions.push(format!(
            "cells of {} m, away from the door is up; k = {}{}",
            f64::from(grid.cell_mm) / 1000.0,
            object.tally.k[0],
            if self.seen.contains_key(&*grid.plan) { "" } else { "; hatched: withheld, or no camera looks there" }
        ));
        Ok(framed(&map, &title, &captions))
    }

    /// The one map that is asked for.
    fn chosen<'a>(&self, sums: &'a Sums) -> Result<(&'a Key, &'a ObjectSums), Failure> {
        let maps =
            sums.objects().into_iter().filter(|(key, _)| key.grid.is_some() && self.wanted.has(key.kind, &key.id));
        let maps: Vec<_> = maps.collect();
        if let [(key, object)] = maps[..] {
            return Ok((key, object));
        }
        let all: Vec<String> = sums.objects().into_keys().filter(|key| key.grid.is_some()).map(told).collect();
        let message = match all.as_slice() {
            [] => "--format png draws a map, and there are none in the period".to_owned(),
            _ => format!("--format png draws one map: choose with --kind and --id among {}", all.join(", ")),
        };
        Err(Failure::new(USAGE, message))
    }

    fn map(&self, grid: &CellGrid, object: &ObjectSums, other: Option<&ObjectSums>) -> Result<Vec<u8>, Failure> {
        let all = vec![true; grid.count()];
        let seen = self.seen.get(&*grid.plan).filter(|seen| seen.len() == all.len()).unwrap_or(&all);
        let tally = |object: &ObjectSums| object.tally;
        Ok(match (&object.figures, other.map(|other| (tally(other), &other.figures))) {
            (ObjectFigures::Heat(heat), None) => amount_png(&amounts((&object.tally, heat), seen), Theme::Light),
            (ObjectFigures::Flow(flow), None) => flow_png(&ways((&object.tally, flow), seen), Theme::Light),
            (ObjectFigures::Heat(heat), Some((tally, ObjectFigures::Heat(more)))) => {
                let map =
                    difference((&object.tally, heat), (&tally, more), seen).expect("the cells are part of the key");
                difference_png(&map, Theme::Light)
            }
            _ => return Err(Failure::new(USAGE, "only a heatmap is drawn as a difference; choose one with --id")),
        })
    }
}

/// An object as it is asked for.
fn told(key: &Key) -> String {
    format!("--kind {} --id {}", key.kind.name(), key.id)
}

/// Time, amount and ground of a map in a line.
fn captioned(period: &Option<String>, stretch: &Stretch, object: &ObjectSums) -> String {
    let Tally { windows, withheld, blind, .. } = object.tally;
    let amount = match &object.figures {
        ObjectFigures::Heat(heat) => {
            let sum: u64 = heat.cells.iter().fold(0, |sum, cell| sum.saturating_add(cell.sum));
            if heat.layer == "dwell" {
                format!("{} person-min", sum / 60_000)
            } else {
                format!("n = {sum} visits to cells")
            }
        }
        ObjectFigures::Flow(flow) => {
            format!("n = {} passages", flow.cells.iter().fold(0u64, |sum, cell| sum.saturating_add(cell.n)))
        }
        _ => String::new(),
    };
    format!(
        "{}: {amount}, {:.0} % seen; {windows} of {} windows, {withheld} withheld, {blind} blind",
        period.as_deref().unwrap_or_default(),
        object.tally.coverage(&stretch.period) * 100.0,
        object.tally.expected(&stretch.period)
    )
}

/// Whether the letters of the frame have every one of these.
fn is_printable(text: &str) -> bool {
    text.chars().all(|letter| matches!(letter, ' '..='~' | '\u{a0}'..='\u{ff}'))
}

/// A map with a title above and lines below.
fn framed(map: &[u8], title: &str, captions: &[String]) -> Vec<u8> {
    let map = image::load_from_memory(map).expect("a picture of our own").to_rgba8();
    let words = captions.iter().map(|line| line.chars().count() as i32 * 7).chain([title.chars().count() as i32 * 9]);
    let width = words.max().unwrap_or(0).max(map.width().cast_signed()) + 2 * MARGIN_PX;
    let height = map.height().cast_signed() + TITLE_PX + captions.len() as i32 * LINE_PX + 2 * MARGIN_PX;
    let mut canvas = Canvas::new([width, height]);
    canvas.text(title, [MARGIN_PX, MARGIN_PX], &FONT_9X18_BOLD, Alignment::Left);
    canvas.paste(&map, [MARGIN_PX, MARGIN_PX + TITLE_PX]);
    let below = MARGIN_PX + TITLE_PX + map.height().cast_signed() + 6;
    for (number, line) in (0..).zip(captions) {
        canvas.text(line, [MARGIN_PX, below + number * LINE_PX], &FONT_7X13, Alignment::Left);
    }
    canvas.png()
}

const MARGIN_PX: i32 = 12;
const TITLE_PX: i32 = 28;
const LINE_PX: i32 = 16;
