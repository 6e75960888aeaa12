//! Complementary suppression: a withheld cell must not follow from a released zone.
//!
//! Dwell adds: a zone's dwell minus the released cells on it is the dwell of the withheld ones. If those hold too
//! few people, one more cell on the zone is withheld, the one with the fewest visits; since it has `k` visits itself,
//! what remains unknown then rests on `k` people at least. The same where a quarter hour of the zone was withheld:
//! the hour's cells minus the released quarters would give it.
//! Source: Willenborg & de Waal, Elements of Statistical Disclosure Control (2001), ch. 7 (secondary suppression).

use std::collections::{BTreeMap, BTreeSet};

use crate::clock::WindowSpan;
use crate::measure::heatmap::HeatWindow;

/// Which zones had a window withheld although somebody was there, by start of the window.
#[derive(Default)]
pub struct ZoneLedger {
    withheld: BTreeMap<i64, BTreeSet<usize>>,
}

impl ZoneLedger {
    /// Notes how a zone's window came out.
    pub fn note(&mut self, zone: usize, span: WindowSpan, withheld_with_people: bool) {
        if withheld_with_people {
            self.withheld.entry(span.start_s).or_default().insert(zone);
        }
        while self.withheld.len() > WINDOWS_MAX {
            self.withheld.pop_first();
        }
    }

    /// Zones with such a window inside `span`.
    #[must_use]
    pub fn withheld_in(&self, span: WindowSpan) -> BTreeSet<usize> {
        self.withheld.range(span.start_s..span.end_s()).flat_map(|(_, zones)| zones.iter().copied()).collect()
    }

    /// Drops what lies before `span`: its hour is gated.
    pub fn forget_before(&mut self, span: WindowSpan) {
        self.withheld = self.withheld.split_off(&span.start_s);
    }
}

/// Withholds one more cell on every zone whose withheld cells or quarter hours could be computed from the rest.
pub fn complement(shown: &mut [bool], exact: &HeatWindow, k: u32, zones_withheld: &BTreeSet<usize>) {
    for zone in exact.zones.iter() {
        let occupied = |cell: usize| exact.visits[cell] > 0;
        let threatened = zone.cells.iter().any(|cell| !shown[*cell] && occupied(*cell));
        // A cell withheld for another zone's sake protects this one too: it rests on k people.
        let protected = zone.cells.iter().any(|cell| !shown[*cell] && exact.visits[*cell] >= k);
        if (threatened || zones_withheld.contains(&zone.zone)) && !protected {
            let weakest =
                zone.cells.iter().filter(|cell| shown[**cell]).min_by_key(|cell| (exact.visits[**cell], **cell));
            if let Some(cell) = weakest {
                shown[*cell] = false;
            }
        }
    }
}

/// Window starts remembered: two days of quarter hours, far more than are ever open.
const WINDOWS_MAX: usize = 192;

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::measure::heatmap::ZoneCells;

    const K: u32 = 5;

    fn gated(visits: &[u32], zones: Vec<ZoneCells>, withheld: &[usize]) -> Vec<bool> {
        let exact = HeatWindow { visits: visits.to_vec(), dwell_ms: vec![0; visits.len()], zones: Arc::new(zones) };
        let mut shown: Vec<bool> = visits.iter().map(|visits| *visits >= K).collect();
        complement(&mut shown, &exact, K, &withheld.iter().copied().collect());
        shown
    }

    fn zone(cells: &[usize]) -> ZoneCells {
        ZoneCells { zone: 0, cells: cells.to_vec() }
    }

    #[test]
    fn a_lonely_withheld_cell_takes_the_weakest_neighbour_of_its_zone_along() {
        assert_eq!(gated(&[9, 2, 7, 30], vec![zone(&[0, 1, 2])], &[]), [true, false, false, true]);
    }

    #[test]
    fn a_zone_without_a_threatened_cell_loses_nothing() {
        assert_eq!(gated(&[9, 0, 7], vec![zone(&[0, 1, 2])], &[]), [true, false, true]);
    }

    #[test]
    fn a_withheld_quarter_hour_is_protected_too() {
        assert_eq!(gated(&[9, 8, 7], vec![zone(&[0, 1, 2])], &[0]), [true, true, false]);
    }
}
