//! Periods in the shop's own time: local days, opening hours, parts of them, as spans of UTC.
//!
//! In: dates and times as people write them, an IANA time zone. Out: [`Period`]s. Invariants: local days have the length they
//! have (23, 24 or 25 hours, 23.5 on Lord Howe); quarter hours tile them in every zone; a window belongs to the span in
//! which it begins, and one that reaches beyond its end is told apart ([`Period::straddles`]).

use jiff::civil::{Date, DateTime, Time};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan, ZonedDateTime};

use crate::config::hours::{Hours, NoHours};

/// Time of the shop.
#[derive(Debug, Clone)]
pub struct Calendar {
    zone: TimeZone,
    name: String,
}

/// Part of the time line, `[from_s, to_s)`, s since 1970 UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Span {
    /// First second.
    pub from_s: i64,
    /// First second after.
    pub to_s: i64,
}

/// Spans in order, none touching a later one's beginning.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Period {
    spans: Vec<Span>,
}

/// What is wrong with a period.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PeriodError {
    /// No such time zone.
    #[error("{0:?} is no time zone; write an IANA name, for example Asia/Tokyo")]
    Zone(String),
    /// No date and no time.
    #[error(
        "{0:?} is no time; write a local date (2026-11-01), a local time (2026-11-01T09:00), or one with its offset (2026-11-01T09:00:00+09:00)"
    )]
    Time(String),
    /// Nothing lies between.
    #[error(
        "the period from {from} to {to} is empty; its end is the first moment after it, so that a day ends with the next date"
    )]
    Empty {
        /// As given.
        from: String,
        /// As given.
        to: String,
    },
    /// Too long to be looked at.
    #[error("the period from {from} to {to} has {days} days; at most {} are allowed", DAYS_MAX)]
    TooLong {
        /// As given.
        from: String,
        /// As given.
        to: String,
        /// Its length.
        days: i64,
    },
    /// No opening hours.
    #[error(transparent)]
    Hours(#[from] NoHours),
    /// Nothing of the opening hours lies in the period.
    #[error("the shop is closed from {from} to {to}, by the hours given")]
    Closed {
        /// As given.
        from: String,
        /// As given.
        to: String,
    },
}

impl Calendar {
    /// The time of an IANA zone.
    ///
    /// # Errors
    /// [`PeriodError::Zone`].
    pub fn of(zone: &str) -> Result<Self, PeriodError> {
        let found = TimeZone::get(zone).map_err(|_| PeriodError::Zone(zone.to_owned()))?;
        Ok(Self { zone: found, name: zone.to_owned() })
    }

    /// Name of the zone.
    #[must_use]
    pub fn zone(&self) -> &str {
        &self.name
    }

    /// A moment as people write it: a local date is its first moment.
    ///
    /// # Errors
    /// [`PeriodError::Time`].
    pub fn moment_s(&self, text: &str) -> Result<i64, PeriodError> {
        let refused = || PeriodError::Time(text.to_owned());
        if let Ok(at) = text.parse::<Timestamp>() {
            return Ok(at.as_second());
        }
        // A time without a zone is one on the shop's wall.
        let local: DateTime = text.parse().map_err(|_| refused())?;
        self.at_s(local).ok_or_else(refused)
    }

    /// Everything between two moments, or the opening hours in between.
    ///
    /// # Errors
    /// [`PeriodError`].
    pub fn period(&self, from: &str, to: &str, hours: Option<Hours>) -> Result<Period, PeriodError> {
        let whole = Span { from_s: self.moment_s(from)?, to_s: self.moment_s(to)? };
        let (from, to) = (from.to_owned(), to.to_owned());
        if whole.to_s <= whole.from_s {
            return Err(PeriodError::Empty { from, to });
        }
        let days = (whole.to_s - whole.from_s) / DAY_S;
        if days > DAYS_MAX {
            return Err(PeriodError::TooLong { from, to, days });
        }
        let period = self.within(whole, hours);
        if period.spans.is_empty() { Err(PeriodError::Closed { from, to }) } else { Ok(period) }
    }

    /// What is open of a span.
    #[must_use]
    pub fn within(&self, whole: Span, hours: Option<Hours>) -> Period {
        let Some(hours) = hours else { return Period { spans: vec![whole] } };
        // Hours over midnight begin on the day before.
        let first = self.day_of(whole.from_s).yesterday().unwrap_or(Date::MIN);
        let days = first.series(1.day()).take_while(|day| self.midnight_s(*day).is_some_and(|at| at < whole.to_s));
        let open = days.filter_map(|day| self.open_on(hours, day)).filter_map(|open| open.and(whole));
        Period::of(open.collect())
    }

    /// The local days a period touches, each with what lies in it.
    #[must_use]
    pub fn days(&self, period: &Period) -> Vec<(Date, Period)> {
        let last = self.day_of(period.to_s() - 1);
        let days = self.day_of(period.from_s()).series(1.day()).take_while(|day| *day <= last);
        let part = |day: Date| {
            let whole = Span { from_s: self.midnight_s(day)?, to_s: self.midnight_s(day.tomorrow().ok()?)? };
            let spans: Vec<Span> = period.spans.iter().filter_map(|span| span.and(whole)).collect();
            (!spans.is_empty()).then_some((day, Period { spans }))
        };
        days.filter_map(part).collect()
    }

    /// The local day of a moment.
    #[must_use]
    pub fn day_of(&self, at_s: i64) -> Date {
        self.local(at_s).date()
    }

    /// A moment by the clock on the shop's wall.
    #[must_use]
    pub fn local(&self, at_s: i64) -> ZonedDateTime {
        Timestamp::from_second(at_s.clamp(-SECONDS_MAX, SECONDS_MAX))
            .unwrap_or_default()
            .to_zoned_datetime(self.zone.clone())
    }

    /// First moment of the local hour that holds a moment. An hour cut by a change of the clocks is shorter or longer.
    #[must_use]
    pub fn hour_of(&self, at_s: i64) -> i64 {
        let at = self.local(at_s).datetime();
        let begun = self.zone.to_ambiguous_timestamp(at.date().at(at.hour(), 0, 0, 0));
        let [first, second] = [begun.earlier(), begun.later()].map(|at| at.map_or(at_s, jiff::Timestamp::as_second));
        // An hour that comes twice is two hours; one whose beginning is skipped begins where the clocks are set forward.
        if second <= at_s { second } else { first }
    }

    fn midnight_s(&self, day: Date) -> Option<i64> {
        Some(day.to_zoned_datetime(self.zone.clone()).ok()?.start_of_day().ok()?.timestamp().as_second())
    }

    /// A time on the wall; one that is skipped counts as the moment of the change, one that comes twice as the first.
    fn at_s(&self, local: DateTime) -> Option<i64> {
        if local.time() == Time::midnight() {
            return self.midnight_s(local.date());
        }
        Some(local.to_zoned_datetime(self.zone.clone()).ok()?.timestamp().as_second())
    }

    /// When a shop of these hours is open on a local day.
    fn open_on(&self, hours: Hours, day: Date) -> Option<Span> {
        let next = || day.tomorrow().ok();
        let to_s = match hours.close {
            None => self.midnight_s(next()?)?,
            Some(close) if close > hours.open => self.at_s(day.to_datetime(close))?,
            Some(close) => self.at_s(next()?.to_datetime(close))?,
        };
        Some(Span { from_s: self.at_s(day.to_datetime(hours.open))?, to_s })
    }
}

impl Span {
    /// What two spans share.
    #[must_use]
    pub fn and(self, other: Self) -> Option<Self> {
        let both = Self { from_s: self.from_s.max(other.from_s), to_s: self.to_s.min(other.to_s) };
        (both.from_s < both.to_s).then_some(both)
    }
}

impl Period {
    /// These spans, in order and joined where they touch.
    #[must_use]
    pub fn of(mut spans: Vec<Span>) -> Self {
        spans.retain(|span| span.from_s < span.to_s);
        spans.sort_unstable();
        let mut joined: Vec<Span> = Vec::with_capacity(spans.len());
        for span in spans {
            match joined.last_mut() {
                Some(last) if last.to_s >= span.from_s => last.to_s = last.to_s.max(span.to_s),
                _ => joined.push(span),
            }
        }
        Self { spans: joined }
    }

    /// Its spans, in order.
    #[must_use]
    pub fn spans(&self) -> &[Span] {
        &self.spans
    }

    /// First second; 0 of an empty one.
    #[must_use]
    pub fn from_s(&self) -> i64 {
        self.spans.first().map_or(0, |span| span.from_s)
    }

    /// First second after; 0 of an empty one.
    #[must_use]
    pub fn to_s(&self) -> i64 {
        self.spans.last().map_or(0, |span| span.to_s)
    }

    /// Its length, s.
    #[must_use]
    pub fn length_s(&self) -> i64 {
        self.spans.iter().map(|span| span.to_s - span.from_s).sum()
    }

    /// Whether a window that begins here belongs to it.
    #[must_use]
    pub fn holds(&self, start_s: i64) -> bool {
        self.span_of(start_s).is_some()
    }

    /// Whether a window belongs to it by its beginning and reaches beyond it.
    #[must_use]
    pub fn straddles(&self, start_s: i64, dur_s: u32) -> bool {
        self.span_of(start_s).is_some_and(|span| start_s + i64::from(dur_s) > span.to_s)
    }

    /// Windows of this length that begin in it, when one of them begins at `phase_s`.
    #[must_use]
    pub fn starts(&self, dur_s: u32, phase_s: i64) -> u64 {
        let dur_s = i64::from(dur_s.max(1));
        // Windows that begin before `at_s`, counted from the phase.
        let before = |at_s: i64| (at_s - phase_s + dur_s - 1).div_euclid(dur_s);
        self.spans.iter().map(|span| (before(span.to_s) - before(span.from_s)).cast_unsigned()).sum()
    }

    fn span_of(&self, start_s: i64) -> Option<Span> {
        let after = self.spans.partition_point(|span| span.from_s <= start_s);
        self.spans[..after].last().copied().filter(|span| start_s < span.to_s)
    }
}

/// Longest period, days: eleven years.
pub const DAYS_MAX: i64 = 4_018;
const DAY_S: i64 = 86_400;
/// The calendar of a zone reaches to the year 9999 and as far back.
const SECONDS_MAX: i64 = 253_402_207_200;

#[cfg(test)]
mod tests {
    use super::*;

    fn day(zone: &str, from: &str, to: &str) -> i64 {
        Calendar::of(zone).and_then(|calendar| calendar.period(from, to, None)).expect("a day").length_s()
    }

    #[test]
    fn a_local_day_is_as_long_as_it_is() {
        assert_eq!(day("Europe/London", "2026-03-29", "2026-03-30"), 23 * 3600);
        assert_eq!(day("Europe/London", "2026-10-25", "2026-10-26"), 25 * 3600);
        assert_eq!(day("Asia/Kathmandu", "2026-10-25", "2026-10-26"), 24 * 3600);
        assert_eq!(day("Australia/Lord_Howe", "2026-10-04", "2026-10-05"), 23 * 3600 + 1800);
        assert_eq!(day("Australia/Lord_Howe", "2026-04-05", "2026-04-06"), 24 * 3600 + 1800);
    }

    #[test]
    fn days_tile_a_period_in_quarter_hours_in_every_zone() {
        for zone in ["Asia/Kathmandu", "Australia/Lord_Howe", "America/St_Johns", "America/Havana", "Asia/Tokyo"] {
            let calendar = Calendar::of(zone).expect("a zone");
            let year = calendar.period("2026-01-01", "2027-01-01", None).expect("a year");
            let days = calendar.days(&year);
            assert_eq!(days.len(), 365, "{zone}");
            let mut at_s = year.from_s();
            for (_, day) in &days {
                assert_eq!((day.from_s(), day.from_s() % 900), (at_s, 0), "{zone}");
                at_s = day.to_s();
            }
            assert_eq!(at_s, year.to_s(), "{zone}");
        }
    }

    #[test]
    fn opening_hours_follow_the_clock_on_the_wall_through_a_change() {
        let calendar = Calendar::of("Europe/London").expect("a zone");
        let open = |hours: &str| {
            let hours = Hours::read(hours).expect("hours");
            calendar.period("2026-10-24", "2026-10-26", Some(hours)).expect("open").length_s() / 900
        };
        assert_eq!(open("10:00-21:00"), 2 * 44);
        assert_eq!(open("00:00-06:00"), 24 + 28, "one night has an hour more");
        assert_eq!(open("18:00-02:00"), 8 + 36 + 24, "the night before, the night of the change, the evening after");
        assert_eq!(open("22:00-24:00"), 16);
        for bad in ["10:00", "10:00-10:00", "25:00-26:00", "10:05-11:00", "a-b"] {
            assert!(Hours::read(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_window_belongs_where_it_begins_and_says_when_it_reaches_beyond() {
        let calendar = Calendar::of("Asia/Kathmandu").expect("a zone");
        let day = calendar.period("2026-11-01", "2026-11-02", None).expect("a day");
        let last_hour_s = (day.to_s() - 1) / 3600 * 3600;
        assert!(day.holds(last_hour_s) && day.straddles(last_hour_s, 3600), "an hour of UTC is none of Kathmandu");
        assert!(day.holds(day.to_s() - 900) && !day.straddles(day.to_s() - 900, 900));
        assert!(!day.holds(day.to_s()) && !day.holds(day.from_s() - 900));
        assert_eq!((day.starts(900, 0), day.starts(3600, 0), day.starts(3600, 900)), (96, 24, 24));
    }

    #[test]
    fn times_are_local_unless_they_say_otherwise_and_nonsense_is_named() {
        let calendar = Calendar::of("Asia/Tokyo").expect("a zone");
        let at = |text: &str| calendar.moment_s(text);
        assert_eq!(at("2026-11-01"), at("2026-10-31T15:00:00Z"));
        assert_eq!(at("2026-11-01T09:00"), at("2026-11-01T09:00:00+09:00"));
        assert!(at("yesterday").is_err() && at("2026-02-30").is_err() && Calendar::of("Mars/Olympus").is_err());
        let period = |from: &str, to: &str| calendar.period(from, to, None).map(|period| period.length_s());
        assert!(matches!(period("2026-11-02", "2026-11-01"), Err(PeriodError::Empty { .. })));
        assert!(matches!(period("2026-11-01", "2026-11-01"), Err(PeriodError::Empty { .. })));
        assert!(matches!(period("1026-11-01", "2026-11-01"), Err(PeriodError::TooLong { .. })));
    }

    #[test]
    fn hours_begin_on_the_full_hour_of_the_wall_also_after_half_an_hour_of_change() {
        let kathmandu = Calendar::of("Asia/Kathmandu").expect("a zone");
        assert_eq!(kathmandu.hour_of(1_767_607_200), 1_767_607_200 - 2700);
        let howe = Calendar::of("Australia/Lord_Howe").expect("a zone");
        let day = howe.period("2026-10-04", "2026-10-05", None).expect("a day");
        let mut hours: Vec<i64> = (day.from_s()..day.to_s()).step_by(900).map(|at| howe.hour_of(at)).collect();
        hours.dedup();
        assert!(hours.is_sorted() && hours[0] == day.from_s() && hours.len() == 24, "{hours:?}");
        let london = Calendar::of("Europe/London").expect("a zone");
        let day = london.period("2026-10-25", "2026-10-26", None).expect("a day");
        let mut hours: Vec<i64> = (day.from_s()..day.to_s()).step_by(900).map(|at| london.hour_of(at)).collect();
        hours.dedup();
        assert_eq!(
            hours,
            (day.from_s()..day.to_s()).step_by(3600).collect::<Vec<_>>(),
            "an hour that comes twice is two"
        );
    }
}
