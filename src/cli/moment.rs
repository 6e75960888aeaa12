//! Moments as people write them: a date on the shop's wall, or RFC 3339.
//!
//! In: text and a time zone. Out: seconds since 1970. Invariant: a date is its first moment there, so that from one date to
//! the next is that whole day, whatever the clocks do in it.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

use super::{Failure, USAGE};

/// A moment, s since 1970; `flag` is the option that names it.
///
/// # Errors
/// Exit 2, naming flag, value and what would be right.
pub fn moment_s(flag: &str, text: &str, zone: &str) -> Result<i64, Failure> {
    if let Ok(at) = text.parse::<Timestamp>() {
        return Ok(at.as_second());
    }
    let local = text.parse::<DateTime>().ok();
    let zone = TimeZone::get(zone).unwrap_or(TimeZone::UTC);
    let at = local.and_then(|local| zone.to_ambiguous_zoned_datetime(local).compatible().ok());
    at.map(|at| at.timestamp().as_second()).ok_or_else(|| {
        Failure::new(
            USAGE,
            format!("{flag} {text}: no moment; write a date as 2026-11-20, a time as 2026-11-20T18:30, or RFC 3339 as 2026-11-20T09:30:00Z"),
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_date_begins_when_it_begins_on_the_wall() {
        let at = |text, zone| moment_s("--from", text, zone).map_err(|failure| failure.code);
        assert_eq!(at("2026-01-05", "Asia/Tokyo"), Ok(1_767_538_800));
        assert_eq!(at("2026-01-05T09:00", "Asia/Tokyo"), Ok(1_767_571_200));
        assert_eq!(at("2026-01-05T00:00:00Z", "Asia/Tokyo"), Ok(1_767_571_200));
        assert_eq!(at("yesterday", "Asia/Tokyo"), Err(USAGE));
    }
}
