//! How many cameras a box sustains: what that means, and which number to try next.
//!
//! In: what was tried and whether it held. Out: the next number of cameras, or the answer. Invariant: a search ends, for
//! every number is tried at most once.

/// What "sustained" means, for people.
pub const MEANING: &str = "every camera is looked at at least 95 % as often as asked, and fewer than 1 % of the pictures that were due give way to newer ones";

/// Least share of the looks asked for that every camera must get.
const LOOKS_SHARE_MIN: f64 = 0.95;
/// Share of overwritten pictures that is too much.
const OVERWRITTEN_SHARE_END: f64 = 0.01;

/// Whether so many looks of the one camera that got the fewest, and so many pictures overwritten, count as sustained.
/// `looks_share` is looks per looks asked for, `overwritten_share` of the pictures of all cameras that were due.
#[must_use]
pub fn is_sustained(looks_share: f64, overwritten_share: f64) -> bool {
    looks_share >= LOOKS_SHARE_MIN && overwritten_share < OVERWRITTEN_SHARE_END
}

/// A search for the greatest number of cameras that is sustained.
pub struct Search {
    most: u32,
    tried: Vec<(u32, bool)>,
}

impl Search {
    /// Up to `most` cameras.
    #[must_use]
    pub fn up_to(most: u32) -> Self {
        Self { most, tried: Vec::new() }
    }

    /// The number to try next; `None` when the answer is known. First one camera, then all; then those in between, doubled
    /// for the picture's sake where all are sustained, closed in upon where they are not.
    #[must_use]
    pub fn next(&self) -> Option<u32> {
        let is_new = |cameras: &u32| self.tried.iter().all(|(tried, _)| tried != cameras);
        if let Some(end) = [1, self.most].into_iter().find(is_new) {
            return (self.tried.is_empty() || self.sustained() > 0).then_some(end);
        }
        let held = self.sustained();
        let failed = self.tried.iter().filter(|(cameras, held_too)| !held_too && *cameras > held);
        match failed.map(|(cameras, _)| *cameras).min() {
            None => (1..u32::BITS).map(|power| 1 << power).take_while(|cameras| *cameras < self.most).find(is_new),
            Some(_) if held == 0 => None,
            Some(failed) if held * 2 < failed => Some(held * 2),
            Some(failed) => (failed - held > 1).then_some(held + (failed - held) / 2),
        }
    }

    /// Notes how a number fared.
    pub fn tried(&mut self, cameras: u32, is_sustained: bool) {
        self.tried.push((cameras, is_sustained));
    }

    /// The number that was asked for.
    #[must_use]
    pub fn most(&self) -> u32 {
        self.most
    }

    /// The greatest number that was sustained; 0 when one camera is too much.
    #[must_use]
    pub fn sustained(&self) -> u32 {
        let sustained = self.tried.iter().filter(|(_, is_sustained)| *is_sustained);
        sustained.map(|(cameras, _)| *cameras).max().unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every number tried on a box that sustains `held` cameras, and the answer.
    fn searched(most: u32, held: u32) -> (Vec<u32>, u32) {
        let (mut search, mut tried) = (Search::up_to(most), Vec::new());
        while let Some(cameras) = search.next() {
            tried.push(cameras);
            search.tried(cameras, cameras <= held);
        }
        (tried, search.sustained())
    }

    #[test]
    fn one_camera_and_all_come_first_and_then_the_answer_is_closed_in_upon() {
        assert_eq!(searched(8, 64), (vec![1, 8, 2, 4], 8));
        assert_eq!(searched(8, 5), (vec![1, 8, 2, 4, 6, 5], 5));
        assert_eq!(searched(6, 6), (vec![1, 6, 2, 4], 6));
        assert_eq!(searched(2, 1), (vec![1, 2], 1));
        assert_eq!(searched(8, 0), (vec![1], 0));
        assert_eq!(searched(1, 1), (vec![1], 1));
    }

    #[test]
    fn every_answer_is_found_and_no_number_is_tried_twice() {
        for most in 1..=64 {
            for held in 0..=most {
                let (mut tried, answer) = searched(most, held);
                assert_eq!(answer, held, "of {most}");
                assert!(tried.len() <= 13, "{tried:?}");
                tried.sort_unstable();
                assert!(tried.windows(2).all(|pair| pair[0] < pair[1]) && tried.iter().all(|cameras| *cameras <= most));
            }
        }
    }

    #[test]
    fn a_small_number_that_failed_by_mishap_does_not_hide_a_greater_one_that_held() {
        let mut search = Search::up_to(8);
        for (cameras, held) in [(1, true), (8, true), (2, false), (4, true)] {
            assert_eq!(search.next(), Some(cameras));
            search.tried(cameras, held);
        }
        assert_eq!((search.next(), search.sustained()), (None, 8));
    }

    #[test]
    fn a_camera_that_lags_and_pictures_that_give_way_are_no_success() {
        assert!(is_sustained(0.95, 0.0) && is_sustained(1.02, 0.009));
        assert!(!is_sustained(0.949, 0.0));
        assert!(!is_sustained(1.0, 0.01));
    }
}
