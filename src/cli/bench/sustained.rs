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
    sustained: u32,
    failed: Option<u32>,
}

impl Search {
    /// Up to `most` cameras.
    #[must_use]
    pub fn up_to(most: u32) -> Self {
        Self { most, sustained: 0, failed: None }
    }

    /// The number to try next: doubled until it fails, then halfway between; `None` when the answer is known.
    #[must_use]
    pub fn next(&self) -> Option<u32> {
        match self.failed {
            None if self.sustained >= self.most => None,
            None => Some((self.sustained * 2).clamp(1, self.most)),
            Some(failed) if failed - self.sustained > 1 => Some(self.sustained + (failed - self.sustained) / 2),
            Some(_) => None,
        }
    }

    /// Notes how a number fared.
    pub fn tried(&mut self, cameras: u32, is_sustained: bool) {
        if is_sustained {
            self.sustained = cameras;
        } else {
            self.failed = Some(cameras);
        }
    }

    /// The number that was asked for.
    #[must_use]
    pub fn most(&self) -> u32 {
        self.most
    }

    /// The greatest number that was sustained; 0 when one camera is too much.
    #[must_use]
    pub fn sustained(&self) -> u32 {
        self.sustained
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
    fn the_number_is_doubled_until_it_fails_and_then_closed_in_upon() {
        assert_eq!(searched(8, 64), (vec![1, 2, 4, 8], 8));
        assert_eq!(searched(8, 5), (vec![1, 2, 4, 8, 6, 5], 5));
        assert_eq!(searched(6, 6), (vec![1, 2, 4, 6], 6));
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
    fn a_camera_that_lags_and_pictures_that_give_way_are_no_success() {
        assert!(is_sustained(0.95, 0.0) && is_sustained(1.02, 0.009));
        assert!(!is_sustained(0.949, 0.0));
        assert!(!is_sustained(1.0, 0.01));
    }
}
