//! Zones: how many visits there were, how long they took and how many people were inside, against the truth.
//!
//! In: paths of tracks and a [`Zone`] with its true stays. Out: [`ZoneScore`]. A visit is a track inside the polygon,
//! gaps up to the given length bridged, from the given length on; it lasts from its first frame to its last. Visits and
//! true stays are paired by the time they share, or where the truth tells no times, by how long they took.

use serde::Serialize;

use super::evidence::Looks;
use super::geometry::{Geometry, Stay, Zone, is_inside};
use super::lines::Paths;
use super::sequence::best_pairs;

/// One zone against the truth.
#[derive(Serialize)]
pub struct ZoneScore {
    /// Its name.
    pub zone: String,
    /// Visits.
    pub visits: Against,
    /// Time inside over all visits, s.
    pub dwell_total_s: Against,
    /// Time inside a visit, s.
    pub dwell_mean_s: Against,
    /// People inside too many or too few, mean over the frames looked at; `None` where the truth tells no times.
    pub occupancy_error_mean: Option<f64>,
    /// Every true visit.
    pub stays: Vec<StayScore>,
    /// Visits that belong to no true one.
    pub visits_left_over: usize,
}

/// A figure and what it should be.
#[derive(Serialize)]
pub struct Against {
    /// What is true.
    pub truth: f64,
    /// What was measured.
    pub got: f64,
    /// How far off that is, percent of the truth.
    pub error_percent: Option<f64>,
}

/// One true visit.
#[derive(Serialize)]
pub struct StayScore {
    /// Who, in the words of the truth.
    pub who: String,
    /// First frame, where the truth tells.
    pub first_frame: Option<u32>,
    /// How long it took, s.
    pub truth_s: f64,
    /// How long the visit took that is taken for it, s.
    pub got_s: Option<f64>,
    /// Its track.
    pub track: Option<i64>,
}

/// One measured visit.
#[derive(Debug, PartialEq)]
struct Visit {
    track: i64,
    first: u32,
    last: u32,
}

impl Visit {
    fn frames(&self) -> f64 {
        f64::from(self.last - self.first + 1)
    }
}

/// Scores a zone.
#[must_use]
pub fn score(zone: &Zone, geometry: &Geometry, paths: &Paths, looks: &Looks) -> ZoneScore {
    let gap_frames = geometry.gap_frames.max(2 * looks.every);
    let visits = visits(zone, paths, gap_frames, geometry.visit_frames_min);
    let fps = geometry.fps;
    let total = |frames: f64| frames / fps;
    let mean = |frames: f64, count: usize| frames / count.max(1) as f64 / fps;
    let truth_frames: f64 = zone.stays.iter().fold(0.0, |sum, stay| sum + stay.frames);
    let got_frames: f64 = visits.iter().fold(0.0, |sum, visit| sum + visit.frames());
    let stays = stays(zone, &visits, fps);
    let paired = stays.iter().filter(|stay| stay.track.is_some()).count();
    ZoneScore {
        zone: zone.name.clone(),
        visits: Against::new(zone.stays.len() as f64, visits.len() as f64),
        dwell_total_s: Against::new(total(truth_frames), total(got_frames)),
        dwell_mean_s: Against::new(mean(truth_frames, zone.stays.len()), mean(got_frames, visits.len())),
        occupancy_error_mean: occupancy_error(zone, paths, &looks.within(geometry.frames)),
        visits_left_over: visits.len() - paired,
        stays,
    }
}

impl Against {
    fn new(truth: f64, got: f64) -> Self {
        Self { truth, got, error_percent: (truth > 0.0).then(|| 100.0 * (got / truth - 1.0)) }
    }
}

fn visits(zone: &Zone, paths: &Paths, gap_frames: u32, frames_min: u32) -> Vec<Visit> {
    let mut visits: Vec<Visit> = Vec::new();
    for (track, path) in paths.points(zone.anchor) {
        let mut open: Option<Visit> = None;
        for (frame, _) in path.into_iter().filter(|(_, at)| is_inside(&zone.polygon, *at)) {
            match &mut open {
                Some(visit) if frame - visit.last <= gap_frames + 1 => visit.last = frame,
                _ => visits.extend(open.replace(Visit { track, first: frame, last: frame })),
            }
        }
        visits.extend(open);
    }
    visits.retain(|visit| visit.last - visit.first + 1 >= frames_min);
    visits.sort_by_key(|visit| (visit.first, visit.track));
    visits
}

/// The true visits, each with the measured one that is taken for it.
fn stays(zone: &Zone, visits: &[Visit], fps: f64) -> Vec<StayScore> {
    let fit = |stay: usize, visit: usize| match zone.stays[stay].span {
        Some([first, last]) => {
            let end = f64::from(visits[visit].last.min(last)) + 1.0;
            (end - f64::from(visits[visit].first.max(first))).max(0.0)
        }
        None => 1.0 / (1.0 + (zone.stays[stay].frames - visits[visit].frames()).abs()),
    };
    let pairs = best_pairs([zone.stays.len(), visits.len()], fit);
    let score = |(index, stay): (usize, &Stay)| {
        let visit = pairs.iter().find(|[of, _]| *of == index).map(|[_, visit]| &visits[*visit]);
        StayScore {
            who: stay.who.clone(),
            first_frame: stay.span.map(|[first, _]| first),
            truth_s: stay.frames / fps,
            got_s: visit.map(|visit| visit.frames() / fps),
            track: visit.map(|visit| visit.track),
        }
    };
    zone.stays.iter().enumerate().map(score).collect()
}

/// How many people too many or too few are inside, on average.
fn occupancy_error(zone: &Zone, paths: &Paths, frames: &[u32]) -> Option<f64> {
    let exact = zone.stays.iter().map(|stay| stay.span.filter(|_| stay.is_exact()));
    let spans: Vec<[u32; 2]> = exact.collect::<Option<_>>()?;
    let mut inside = std::collections::BTreeMap::<u32, usize>::new();
    for (_, path) in paths.points(zone.anchor) {
        for (frame, _) in path.into_iter().filter(|(_, at)| is_inside(&zone.polygon, *at)) {
            *inside.entry(frame).or_default() += 1;
        }
    }
    let off = |frame: &u32| {
        let truth = spans.iter().filter(|[first, last]| (*first..=*last).contains(frame)).count();
        truth.abs_diff(inside.get(frame).copied().unwrap_or(0))
    };
    Some(frames.iter().map(off).sum::<usize>() as f64 / frames.len().max(1) as f64)
}

#[cfg(test)]
mod tests {
    use super::super::geometry::Anchor;
    use super::*;
    use crate::cli::mot::{Place, Row};

    /// Rows of a track that stands inside the zone in these frames.
    fn inside(track: i64, frames: &[u32]) -> Vec<Row> {
        let place = Place { left: 4.0, top: 0.0, width: 2.0, height: 5.0 };
        frames.iter().map(|frame| Row { line: 1, frame: *frame, id: track, place, rest: Vec::new() }).collect()
    }

    fn zone(stays: Vec<Stay>) -> Zone {
        let polygon = vec![[0.0, 0.0], [10.0, 0.0], [10.0, 10.0], [0.0, 10.0]];
        Zone { name: "table".into(), polygon, anchor: Anchor::Foot, stays }
    }

    fn scored(stays: Vec<Stay>, rows: &[Row]) -> ZoneScore {
        let geometry = Geometry {
            picture: [10.0, 10.0],
            fps: 2.0,
            frames: 20,
            margin_px: 1.0,
            gap_frames: 2,
            visit_frames_min: 2,
            people: None,
            lines: Vec::new(),
            zones: Vec::new(),
            unannotated: Vec::new(),
        };
        score(&zone(stays), &geometry, &Paths::new(rows), &Looks { every: 1, frames: None })
    }

    fn stay(who: &str, span: [u32; 2]) -> Stay {
        Stay { who: who.into(), span: Some(span), frames: f64::from(span[1] - span[0] + 1) }
    }

    #[test]
    fn gaps_are_bridged_and_a_glance_is_no_visit() {
        let rows = inside(7, &[1, 2, 5, 6, 12, 16, 17]);
        let found = visits(&zone(Vec::new()), &Paths::new(&rows), 2, 2);
        assert_eq!(found, [Visit { track: 7, first: 1, last: 6 }, Visit { track: 7, first: 16, last: 17 }]);
    }

    #[test]
    fn visits_are_held_against_the_stays_they_share_time_with() {
        let rows: Vec<Row> = [inside(7, &[1, 2, 3, 4]), inside(8, &[11, 12, 13, 14, 15, 16])].concat();
        let zone = scored(vec![stay("late", [11, 18]), stay("early", [1, 4])], &rows);
        assert_eq!((zone.stays[0].track, zone.stays[0].got_s, zone.stays[0].truth_s), (Some(8), Some(3.0), 4.0));
        assert_eq!((zone.stays[1].track, zone.visits_left_over), (Some(7), 0));
        assert_eq!((zone.dwell_total_s.truth, zone.dwell_total_s.got), (6.0, 5.0));
        assert_eq!((zone.dwell_mean_s.truth, zone.dwell_mean_s.got), (3.0, 2.5));
        assert!(zone.dwell_mean_s.error_percent.is_some_and(|percent| (percent + 100.0 / 6.0).abs() < 1e-9));
        assert_eq!(zone.occupancy_error_mean, Some(0.1), "2 of 20 frames");
    }

    #[test]
    fn without_times_stays_are_known_by_their_length() {
        let short = Stay { who: "short".into(), span: None, frames: 2.0 };
        let long = Stay { who: "long".into(), span: None, frames: 6.0 };
        let rows: Vec<Row> = [inside(7, &[1, 2, 3, 4, 5]), inside(8, &[11, 12]), inside(9, &[1, 2, 3])].concat();
        let zone = scored(vec![short, long], &rows);
        assert_eq!((zone.stays[0].track, zone.stays[1].track), (Some(8), Some(7)));
        assert_eq!((zone.visits_left_over, zone.occupancy_error_mean), (1, None));
    }
}
