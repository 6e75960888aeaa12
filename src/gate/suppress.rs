//! Complementary suppression: a withheld cell must not follow from a released zone.
//!
//! Dwell adds: a zone's dwell minus that of the released cells that lie in it wholly is the dwell of the rest, which are
//! the withheld cells in it and the parts of cells on its border. If somebody was there, the released cell in the zone
//! with the fewest visits is withheld too; since it has `k` visits itself, what remains unknown rests on `k` people at
//! least. The same where a quarter hour of the zone was withheld: the hour's cells minus the released quarters would
//! give it. A zone with no released cell wholly in it gives nothing to subtract.
//! Not covered: zones within zones, whose difference may rest on fewer than `k` (README, "Not proven yet").
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

/// Withholds one more cell in every zone whose remainder or withheld quarter hours could be computed from the rest.
pub fn complement(shown: &mut [bool], exact: &HeatWindow, k: u32, zones_withheld: &BTreeSet<usize>) {
    for zone in exact.zones.iter() {
        let occupied = |cell: &usize| exact.visits[*cell] > 0;
        let is_subtracted = |cell: &usize| shown[*cell] && zone.inside.binary_search(cell).is_ok();
        let has_rest = zone.touched.iter().any(|cell| occupied(cell) && !is_subtracted(cell));
        // A cell withheld for another zone's sake protects this one too: it rests on k people.
        let protected = zone.inside.iter().any(|cell| !shown[*cell] && exact.distinct[*cell] >= k);
        if (has_rest || zones_withheld.contains(&zone.zone)) && !protected {
            let released = zone.inside.iter().filter(|cell| shown[**cell]);
            if let Some(weakest) = released.min_by_key(|cell| (exact.visits[**cell], **cell)) {
                shown[*weakest] = false;
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
    use crate::measure::cells::ZoneCells;

    const K: u32 = 5;

    fn gated(visits: &[u32], zones: &[ZoneCells], withheld: &[usize]) -> Vec<bool> {
        let empty = HeatWindow::empty(visits.len());
        let zones = Arc::new(zones.to_vec());
        let exact = HeatWindow { visits: visits.to_vec(), distinct: visits.to_vec(), zones, ..empty };
        let mut shown: Vec<bool> = visits.iter().map(|visits| *visits >= K).collect();
        complement(&mut shown, &exact, K, &withheld.iter().copied().collect());
        shown
    }

    fn zone(inside: &[usize], border: &[usize]) -> ZoneCells {
        ZoneCells { zone: 0, touched: [inside, border].concat(), inside: inside.to_vec() }
    }

    #[test]
    fn a_lonely_withheld_cell_takes_the_weakest_neighbour_in_its_zone_along() {
        assert_eq!(gated(&[9, 2, 7, 30], &[zone(&[0, 1, 2], &[])], &[]), [true, false, false, true]);
    }

    #[test]
    fn a_cell_that_only_borders_the_zone_is_no_protection() {
        assert_eq!(gated(&[9, 2, 7, 5], &[zone(&[0, 1, 2], &[3])], &[]), [true, false, false, true]);
    }

    #[test]
    fn somebody_on_the_border_of_a_zone_is_protected_too() {
        assert_eq!(gated(&[9, 7, 8], &[zone(&[0, 1], &[2])], &[]), [true, false, true]);
    }

    #[test]
    fn a_zone_without_a_rest_loses_nothing() {
        assert_eq!(gated(&[9, 0, 7], &[zone(&[0, 1, 2], &[])], &[]), [true, false, true]);
        assert_eq!(gated(&[9, 8], &[zone(&[], &[0, 1])], &[]), [true, true], "nothing to subtract");
    }

    #[test]
    fn a_withheld_quarter_hour_is_protected_too() {
        assert_eq!(gated(&[9, 8, 7], &[zone(&[0, 1, 2], &[])], &[0]), [true, true, false]);
    }
}
