//! What a score says: to a person in few lines, to a program as JSON.
//!
//! In: the scores. Out: text, and what serde makes of a [`Report`]. Shares of tracking are percent, as in TrackEval; those
//! of lines lie between 0 and 1.

use std::fmt::Write;

use serde::Serialize;

use super::covers::Names;
use super::lines::{Fault, LineScore, Pooled, Rules};
use super::sequence::{Benchmark, Sequence};
use super::zones::{StayScore, ZoneScore};

/// Everything.
#[derive(Serialize)]
pub struct Report {
    /// The boxes of the truth that are scored.
    pub truth: Option<TruthReport>,
    /// The tracks.
    pub tracks: TracksReport,
    /// How well people are found and kept apart.
    pub tracking: Option<Tracking>,
    /// The same with the boxes that were left out where the truth leaves people out; `None` where none were.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tracking_unmasked: Option<Tracking>,
    /// How many ids people had.
    #[serde(rename = "identities")]
    pub names: Option<Names>,
    /// Crossings of the truth's lines by the tracks.
    pub lines: Option<LinesReport>,
    /// Zones.
    pub zones: Vec<ZoneScore>,
    /// Crossings that the product itself counted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub product_lines: Option<LinesReport>,
}

/// The boxes of the truth that are scored.
#[derive(Serialize)]
pub struct TruthReport {
    benchmark: Benchmark,
    people: usize,
    boxes: usize,
}

/// The tracks.
#[derive(Serialize)]
pub struct TracksReport {
    /// Boxes.
    pub rows: usize,
    /// Different ids.
    pub ids: usize,
    /// Whether lines, zones and identities come from stitched ids.
    pub is_stitched: bool,
    /// Every how manyth frame was looked at.
    pub every: u32,
    /// Boxes left out where the truth leaves people out; `None` where it does not or they were kept.
    pub masked_rows: Option<usize>,
}

/// How well people are found and kept apart, percent and counts, by TrackEval's names.
#[derive(Serialize)]
pub struct Tracking {
    #[serde(rename = "HOTA")]
    pub hota: f64,
    #[serde(rename = "DetA")]
    pub detection: f64,
    #[serde(rename = "AssA")]
    pub association: f64,
    #[serde(rename = "LocA")]
    pub localisation: f64,
    #[serde(rename = "IDF1")]
    pub idf1: f64,
    #[serde(rename = "MOTA")]
    pub mota: f64,
    #[serde(rename = "IDSW")]
    pub switches: usize,
    #[serde(rename = "FP")]
    pub too_many: usize,
    #[serde(rename = "FN")]
    pub missed: usize,
    #[serde(rename = "Frag")]
    pub fragments: usize,
    #[serde(rename = "HOTA_by_overlap")]
    pub hota_by_overlap: Vec<f64>,
}

/// All lines.
#[derive(Serialize)]
pub struct LinesReport {
    /// Frames a counted crossing may be off.
    pub tolerance_frames: u32,
    /// Distance at which a side is clear, px.
    pub margin_px: f64,
    /// All lines together.
    #[serde(flatten)]
    pub pooled: Pooled,
    /// Each of them.
    pub lines: Vec<LineScore>,
}

impl TruthReport {
    /// Of a sequence.
    #[must_use]
    pub fn new(sequence: &Sequence, benchmark: Benchmark) -> Self {
        Self { benchmark, people: sequence.people.len(), boxes: sequence.boxes() }
    }
}

impl LinesReport {
    /// Adds the lines up.
    #[must_use]
    pub fn new(lines: Vec<LineScore>, rules: Rules) -> Self {
        let Rules { tolerance, margin_px } = rules;
        Self { tolerance_frames: tolerance, margin_px, pooled: Pooled::of(&lines), lines }
    }

    /// All errors, by frame.
    #[must_use]
    pub fn errors(&self) -> Vec<&Fault> {
        let mut errors: Vec<&Fault> = self.lines.iter().flat_map(|line| &line.errors).collect();
        errors.sort_by_key(|fault| fault.frame);
        errors
    }

    fn write(&self, text: &mut String, whose: &str) {
        let width = self.lines.iter().map(|line| line.line.chars().count()).max().unwrap_or(0).max(4);
        line(text, format!("{whose:<11} {:<width$} direction  truth   got    TP    FP    FN  error", "line"));
        for tally in self.lines.iter().flat_map(|line| line.directions.iter().map(move |tally| (&line.line, tally))) {
            let (name, tally) = tally;
            line(
                text,
                format!(
                    "            {name:<width$} {:<9} {:>6} {:>5} {:>5} {:>5} {:>5} {:>+6}",
                    tally.direction, tally.truth, tally.got, tally.tp, tally.fp, tally.missed, tally.count_error
                ),
            );
        }
        let Pooled { tp, fp, missed, precision, recall, f1, count_error_sum } = &self.pooled;
        line(
            text,
            format!(
                "            all: TP {tp}  FP {fp}  FN {missed}  precision {precision:.3}  recall {recall:.3}  F1 {f1:.3}  counts off by {count_error_sum}  ({} frames of tolerance)",
                self.tolerance_frames
            ),
        );
        for fault in self.errors() {
            let named = |what: &str, id: Option<i64>| id.map_or_else(String::new, |id| format!("  {what} {id}"));
            line(
                text,
                format!(
                    "error       frame {:>6}  {:<width$} {:<9} {:<15}{}{}",
                    fault.frame,
                    fault.line,
                    fault.direction,
                    fault.kind.name(),
                    named("track", fault.track),
                    named("person", fault.person)
                )
                .trim_end()
                .to_owned(),
            );
        }
    }
}

fn line(text: &mut String, words: String) {
    text.push_str(&words);
    text.push('\n');
}

impl Report {
    /// In words, a line each.
    #[must_use]
    pub fn text(&self) -> String {
        let mut text = String::new();
        self.write_what(&mut text);
        let of = [(&self.tracking, "tracking"), (&self.tracking_unmasked, "unmasked")];
        for (tracking, which) in of.into_iter().filter_map(|(tracking, which)| Some((tracking.as_ref()?, which))) {
            tracking.write(&mut text, which);
        }
        if let Some(names) = &self.names {
            names.write(&mut text);
        }
        if let Some(lines) = &self.lines {
            lines.write(&mut text, "lines");
        }
        if let Some(lines) = &self.product_lines {
            lines.write(&mut text, "product");
        }
        self.zones.iter().for_each(|zone| zone.write(&mut text));
        text.trim_end().to_owned()
    }

    fn write_what(&self, text: &mut String) {
        if let Some(TruthReport { benchmark, people, boxes }) = &self.truth {
            line(text, format!("truth       {people} people, {boxes} boxes, by the rules of {}", benchmark.name()));
        }
        let TracksReport { rows, ids, is_stitched, every, masked_rows } = &self.tracks;
        let mut words = format!("tracks      {ids} tracks, {rows} boxes");
        if *every > 1 {
            let _ = write!(words, ", in one frame of {every}");
        }
        line(text, words);
        if let Some(masked) = masked_rows {
            line(
                text,
                format!(
                    "mask        {masked} boxes left out where the truth leaves people out (--unmasked keeps them)"
                ),
            );
        }
        if *is_stitched {
            line(text, "stitched    lines, zones and ids are those of the stitched tracks".to_owned());
        }
    }
}

impl Tracking {
    fn write(&self, text: &mut String, which: &str) {
        let Self {
            hota, detection, association, localisation, idf1, mota, switches, too_many, missed, fragments, ..
        } = self;
        line(
            text,
            format!("{which:<11} HOTA {hota:.2}  DetA {detection:.2}  AssA {association:.2}  LocA {localisation:.2}"),
        );
        line(
            text,
            format!(
                "            IDF1 {idf1:.2}  MOTA {mota:.2}  IDSW {switches}  FP {too_many}  FN {missed}  Frag {fragments}"
            ),
        );
    }
}

impl Names {
    fn write(&self, text: &mut String) {
        let mut words = format!("ids         {} ids for {} people", self.distinct_ids, self.people);
        if let (Some(covered), Some(each)) = (self.people_covered, self.ids_per_person) {
            let _ = write!(words, "; {each:.2} ids a person ({covered} people covered)");
        }
        line(text, words);
    }
}

impl ZoneScore {
    fn write(&self, text: &mut String) {
        let percent = |percent: Option<f64>| percent.map_or_else(String::new, |percent| format!(" ({percent:+.1} %)"));
        let Self { visits, dwell_total_s, dwell_mean_s, .. } = self;
        let mut words = format!(
            "zone        {}: visits {} of {}  dwell {:.1} of {:.1} s{}  a visit {:.2} of {:.2} s{}",
            self.zone,
            visits.got,
            visits.truth,
            dwell_total_s.got,
            dwell_total_s.truth,
            percent(dwell_total_s.error_percent),
            dwell_mean_s.got,
            dwell_mean_s.truth,
            percent(dwell_mean_s.error_percent)
        );
        if let Some(off) = self.occupancy_error_mean {
            let _ = write!(words, "  people inside off by {off:.3}");
        }
        line(text, words);
        let is_short = self.stays.len() <= STAYS_SHOWN_MAX;
        let shown: Vec<&StayScore> = self.stays.iter().filter(|stay| is_short || stay.is_far_off()).collect();
        if !is_short {
            let few = "visits are off by more than a second and a fifth; --json has all";
            line(text, format!("            {} of {} {few}", shown.len(), self.stays.len()));
        }
        shown.iter().for_each(|stay| stay.write(text));
        if self.visits_left_over > 0 {
            line(text, format!("            visits that belong to nobody: {}", self.visits_left_over));
        }
    }
}

impl StayScore {
    /// Whether a person reads about it among many.
    fn is_far_off(&self) -> bool {
        self.got_s.is_none_or(|got_s| (got_s - self.truth_s).abs() > (self.truth_s / 5.0).max(1.0))
    }

    fn write(&self, text: &mut String) {
        let Self { who, truth_s, .. } = self;
        let from = self.first_frame.map_or_else(String::new, |frame| format!(" from frame {frame}"));
        let got = match (self.got_s, self.track) {
            (Some(got), Some(track)) => format!("{got:.1} of {truth_s:.1} s ({:+.1} s)  track {track}", got - truth_s),
            _ => format!("not seen ({truth_s:.1} s)"),
        };
        line(text, format!("            {who}{from}: {got}"));
    }
}

/// Visits of a zone that are listed one by one.
const STAYS_SHOWN_MAX: usize = 12;
