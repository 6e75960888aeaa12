//! Everything a score rests on: the truth, the tracks, and which frames of the clip were looked at.
//!
//! In: rows and [`Geometry`]. Out: [`Report`]. Invariant: HOTA, IDF1 and CLEAR come from the tracks as they are; lines,
//! zones and names from the stitched ones where there are any.

use std::collections::{BTreeMap, BTreeSet};

use super::clear::clear;
use super::covers::{Covers, Names};
use super::geometry::{Geometry, is_inside};
use super::hota::hota;
use super::identity::idf1;
use super::lines::{Paths, Rules, crossings, score};
use super::report::{LinesReport, Report, Tracking, TracksReport, TruthReport};
use super::sequence::{Benchmark, Sequence};
use super::zones;
use crate::cli::mot::Row;

/// Truth, tracks and how they are compared.
pub struct Evidence<'a> {
    /// Boxes of the truth and whose rules they follow.
    pub truth: Option<(Vec<Row>, Benchmark)>,
    /// Lines and zones.
    pub geometry: Option<&'a Geometry>,
    /// The tracks.
    pub tracks: Vec<Row>,
    /// The same with ids after stitching.
    pub stitched: Option<Vec<Row>>,
    /// Which frames were looked at.
    pub looks: Looks,
    /// Frames a counted crossing may be off, where the usual will not do.
    pub tolerance: Option<u32>,
    /// Whether tracks also count where the truth leaves people out.
    pub unmasked: bool,
}

/// Frames of a clip that were looked at.
pub struct Looks {
    /// Frames from one look to the next.
    pub every: u32,
    /// Those frames, where they do not follow from `every`.
    pub frames: Option<BTreeSet<u32>>,
}

impl Looks {
    /// Whether a frame was looked at.
    #[must_use]
    pub fn holds(&self, frame: u32) -> bool {
        match &self.frames {
            Some(frames) => frames.contains(&frame),
            None => (frame - 1).is_multiple_of(self.every),
        }
    }

    /// Those of a clip of so many frames.
    #[must_use]
    pub fn within(&self, frames: u32) -> Vec<u32> {
        (1..=frames).filter(|frame| self.holds(*frame)).collect()
    }
}

impl Evidence<'_> {
    /// Scores it.
    #[must_use]
    pub fn score(mut self) -> Report {
        self.thin();
        let whole = self.sequence(&self.tracks);
        let masked_rows = self.mask();
        let is_masked = masked_rows.is_some_and(|rows| rows > 0);
        let of_tracks = if is_masked { self.sequence(&self.tracks) } else { None };
        let (of_tracks, whole) = if is_masked { (of_tracks, whole) } else { (whole, None) };
        let counted = self.stitched.as_ref().unwrap_or(&self.tracks);
        let paths = Paths::new(counted);
        let of_counted = self.stitched.as_ref().and_then(|rows| self.sequence(rows));
        let covers = of_counted.as_ref().or(of_tracks.as_ref()).map(|of| Covers::new(of, &clear(of)));
        Report {
            truth: of_tracks.as_ref().zip(self.truth.as_ref()).map(|(of, (_, rules))| TruthReport::new(of, *rules)),
            tracks: TracksReport {
                rows: self.tracks.len(),
                ids: self.tracks.iter().map(|row| row.id).collect::<BTreeSet<_>>().len(),
                is_stitched: self.stitched.is_some(),
                every: self.looks.every,
                masked_rows,
            },
            tracking: of_tracks.as_ref().map(tracking),
            tracking_unmasked: whole.as_ref().map(tracking),
            names: self.names(covers.as_ref(), of_tracks.as_ref(), paths.count()),
            lines: self.lines(&paths, &covers.unwrap_or_default()),
            zones: self.zones(&paths),
            product_lines: None,
        }
    }

    fn sequence(&self, tracks: &[Row]) -> Option<Sequence> {
        self.truth.as_ref().map(|(truth, benchmark)| Sequence::new(truth, tracks, *benchmark))
    }

    /// Leaves out what was not looked at.
    fn thin(&mut self) {
        let looks = &self.looks;
        let truth = self.truth.iter_mut().map(|(rows, _)| rows);
        for rows in truth.chain([&mut self.tracks]).chain(&mut self.stitched) {
            rows.retain(|row| looks.holds(row.frame));
        }
    }

    /// Leaves out tracks where the truth leaves people out; tells how many rows that were.
    fn mask(&mut self) -> Option<usize> {
        let geometry = self.geometry.filter(|geometry| !geometry.unannotated.is_empty() && !self.unmasked)?;
        let is_seen = |row: &Row| !geometry.unannotated.iter().any(|polygon| is_inside(polygon, row.place.foot()));
        let rows = self.tracks.len();
        self.tracks.retain(is_seen);
        self.stitched.iter_mut().for_each(|rows| rows.retain(is_seen));
        Some(rows - self.tracks.len())
    }

    fn names(&self, covers: Option<&Covers>, truth: Option<&Sequence>, distinct_ids: usize) -> Option<Names> {
        let told = self.geometry.and_then(|geometry| geometry.people);
        let people = told.or(truth.map(|truth| truth.people.len()))?;
        Some(covers.map_or(Names::without_boxes(distinct_ids, people), |covers| covers.names(distinct_ids, people)))
    }

    /// How crossings are found and compared.
    #[must_use]
    pub fn rules(&self, geometry: &Geometry) -> Rules {
        let usual = if geometry.fps <= FPS_FEW { TOLERANCE_FEW } else { TOLERANCE_MANY };
        Rules { margin_px: geometry.margin_px, tolerance: self.tolerance.unwrap_or(usual) }
    }

    fn lines(&self, paths: &Paths, covers: &Covers) -> Option<LinesReport> {
        let geometry = self.geometry.filter(|geometry| !geometry.lines.is_empty())?;
        let people = Paths::new(self.truth.as_ref().map_or(&[], |(rows, _)| rows));
        let rules = self.rules(geometry);
        let one = |line| score(line, &crossings(paths, line, rules.margin_px), rules, covers, &people);
        Some(LinesReport::new(geometry.lines.iter().map(one).collect(), rules))
    }

    fn zones(&self, paths: &Paths) -> Vec<zones::ZoneScore> {
        let Some(geometry) = self.geometry else { return Vec::new() };
        geometry.zones.iter().map(|zone| zones::score(zone, geometry, paths, &self.looks)).collect()
    }
}

fn tracking(sequence: &Sequence) -> Tracking {
    let (hota, clear) = (hota(sequence), clear(sequence));
    Tracking {
        hota: 100.0 * hota.hota,
        detection: 100.0 * hota.detection,
        association: 100.0 * hota.association,
        localisation: 100.0 * hota.localisation,
        idf1: 100.0 * idf1(sequence),
        mota: 100.0 * clear.mota,
        switches: clear.switches,
        too_many: clear.too_many,
        missed: clear.missed,
        fragments: clear.fragments,
        hota_by_overlap: hota.by_overlap.iter().map(|share| 100.0 * share).collect(),
    }
}

/// Refuses a file in which somebody is in two places at once.
///
/// # Errors
/// Both lines, the id and the frame.
pub fn check_once_a_frame(rows: &[Row]) -> Result<(), String> {
    let mut seen: BTreeMap<(u32, i64), usize> = BTreeMap::new();
    for row in rows {
        if let Some(first) = seen.insert((row.frame, row.id), row.line) {
            let (line, id, frame) = (row.line, row.id, row.frame);
            return Err(format!(
                "line {line}: id {id} is in frame {frame} already (line {first}); write one box for an id in a frame"
            ));
        }
    }
    Ok(())
}

/// Up to this rate, frames per second, crossings may be off by fewer frames.
const FPS_FEW: f64 = 10.0;
/// Frames a crossing may be off: two seconds at 7 a second, one at 30.
const TOLERANCE_FEW: u32 = 14;
const TOLERANCE_MANY: u32 = 30;
