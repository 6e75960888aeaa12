//! What somebody asks the page for: a period in the shop's own time, another to hold against it, what is shown of the floor.
//!
//! In: a query string, whoever wrote it. Out: [`Asked`], and [`Chosen`] periods no longer than [`DAYS_MAX`]. Invariant: what is
//! not understood is refused in words that say what is allowed; nothing of it is repeated unescaped.

use jiff::ToSpan;
use jiff::civil::Date;

use super::super::period::{Calendar, Period, PeriodError, Span};
use super::words::{self, Language, Word};
use crate::config::hours::Hours;
use crate::vault::VaultError;

/// What the page shall show.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    /// The days.
    pub days: Days,
    /// First local day of a period of the same length that is held against them.
    pub against: Option<Date>,
    /// Opening hours, as they were written.
    pub hours: Option<String>,
    /// Layer of the heatmaps: "visits" or "dwell".
    pub layer: &'static str,
    /// Whether ways over the floor are drawn.
    pub ways: bool,
    /// The language it is shown in.
    pub language: Language,
    /// Whether the question names it; else it is the browser's.
    pub names_language: bool,
}

/// Days, by name or by date.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Days {
    /// The newest window of everything, whenever it was.
    Latest,
    /// From midnight to now.
    Today,
    /// The whole day before.
    Yesterday,
    /// The seven whole days before today.
    Week,
    /// From Monday to now, against the same stretch of the week before.
    Weeks,
    /// From the first to the last, both whole.
    Dates(Date, Date),
}

/// Periods to sum up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chosen {
    /// The period; the newest windows where there is none.
    pub period: Option<Named>,
    /// What is held against it.
    pub other: Option<Named>,
}

/// A period with its name for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Named {
    /// In local dates.
    pub name: String,
    /// From when to when.
    pub period: Period,
}

/// Why a question is not answered, and what is allowed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused(Word, String);

impl Refused {
    /// In a language.
    #[must_use]
    pub fn told(&self, language: Language) -> String {
        self.0.with(language, &[&self.1])
    }
}

impl From<Word> for Refused {
    fn from(word: Word) -> Self {
        Self(word, String::new())
    }
}

impl From<VaultError> for Refused {
    fn from(error: VaultError) -> Self {
        Self(words::REFUSED_STORE, error.to_string())
    }
}

impl From<PeriodError> for Refused {
    fn from(error: PeriodError) -> Self {
        match error {
            PeriodError::Closed { .. } => words::REFUSED_CLOSED.into(),
            error => Self(words::REFUSED_PERIOD, error.to_string()),
        }
    }
}

impl Default for Asked {
    fn default() -> Self {
        Self {
            days: Days::Latest,
            against: None,
            hours: None,
            layer: "visits",
            ways: false,
            language: Language::English,
            names_language: false,
        }
    }
}

impl Asked {
    /// A question in a language, and nothing else.
    #[must_use]
    pub fn nothing_in(language: Language) -> Self {
        Self { language, ..Self::default() }
    }

    /// The language a query string names, if it does.
    #[must_use]
    pub fn language_of(query: &str) -> Option<Language> {
        query.split('&').filter_map(|pair| pair.strip_prefix("lang=")).find_map(Language::of_tag)
    }

    /// Reads a query string that came from a browser of some language. Members it does not know belong to somebody else.
    ///
    /// # Errors
    /// [`Refused`].
    pub fn read(query: &str, accepted: Language) -> Result<Self, Refused> {
        let mut asked = Self::nothing_in(accepted);
        let (mut first, mut last) = (None, None);
        for (key, value) in query.split('&').filter_map(|pair| pair.split_once('=')) {
            let value = value.replace("%3A", ":").replace("%3a", ":");
            match (key, value.as_str()) {
                (_, "") => {}
                ("p", value) => asked.days = Days::named(value)?,
                ("from", value) => first = Some(date("from", value)?),
                ("last", value) => last = Some(date("last", value)?),
                ("against", value) => asked.against = Some(date("against", value)?),
                ("hours", value) => {
                    Hours::read(value).map_err(|_| words::REFUSED_HOURS)?;
                    asked.hours = Some(value.to_owned());
                }
                ("layer", "dwell") => asked.layer = "dwell",
                ("layer", "visits") => asked.layer = "visits",
                ("layer", _) => return Err(words::REFUSED_LAYER.into()),
                ("ways", value) => asked.ways = value == "1",
                ("lang", tag) => {
                    asked.language = Language::of_tag(tag).ok_or(words::REFUSED_LANGUAGE)?;
                    asked.names_language = true;
                }
                _ => {}
            }
        }
        match (first, last) {
            (None, None) => {}
            (Some(first), last) => asked.days = Days::Dates(first, last.unwrap_or(first)),
            (None, Some(_)) => return Err(words::REFUSED_LAST.into()),
        }
        Ok(asked)
    }

    /// The query string that asks for the same.
    #[must_use]
    pub fn query(&self) -> String {
        let mut query = match self.days {
            Days::Dates(first, last) => format!("from={first}&last={last}"),
            days => format!("p={}", days.name()),
        };
        if let Some(against) = self.against {
            query += &format!("&against={against}");
        }
        if let Some(hours) = &self.hours {
            query += &format!("&hours={hours}");
        }
        query += &format!("&layer={}", self.layer);
        if self.ways {
            query += "&ways=1";
        }
        if self.names_language {
            query += &format!("&lang={}", self.language.tag());
        }
        query
    }

    /// The periods it names, at a moment, s since 1970 UTC.
    ///
    /// # Errors
    /// [`Refused`], where they are too long, turned round or wholly in the future.
    pub fn chosen(&self, calendar: &Calendar, now_s: i64) -> Result<Chosen, Refused> {
        let today = calendar.day_of(now_s);
        let Some((first, last)) = self.days.dates(today) else { return Ok(Chosen { period: None, other: None }) };
        let whole = self.named(calendar, first, last)?;
        let period = whole.until(now_s).ok_or(words::REFUSED_FUTURE)?;
        let length = first.until(last).map_or(0, |span| i64::from(span.get_days()));
        let against = match self.days {
            Days::Weeks => first.checked_sub(7.days()).ok(),
            _ => self.against,
        };
        let other = against.map(|against| {
            let last = against.checked_add(length.days()).map_err(|_| words::REFUSED_LATE)?;
            let other = self.named(calendar, against, last)?;
            // As far into the week as this one is.
            let until = if self.days == Days::Weeks { same_wall_time(calendar, now_s) } else { now_s };
            other.until(until).ok_or_else(|| Refused::from(words::REFUSED_OTHER_FUTURE))
        });
        Ok(Chosen { period: Some(period), other: other.transpose()? })
    }

    fn named(&self, calendar: &Calendar, first: Date, last: Date) -> Result<Named, Refused> {
        let refused = |error: jiff::Error| Refused(words::REFUSED_PERIOD, error.to_string());
        let length = first.until(last).map_err(refused)?.get_days();
        if !(0..DAYS_MAX).contains(&length) {
            return Err(Refused(words::REFUSED_LENGTH, DAYS_MAX.to_string()));
        }
        let end = last.tomorrow().map_err(refused)?;
        let hours = self.hours.as_deref().and_then(|hours| Hours::read(hours).ok());
        let period = calendar.period(&first.to_string(), &end.to_string(), hours)?;
        let days = if first == last {
            first.to_string()
        } else {
            words::SPAN.with(self.language, &[&first.to_string(), &last.to_string()])
        };
        let hours =
            self.hours.as_ref().map(|hours| words::COMMA.of(self.language).to_owned() + hours).unwrap_or_default();
        Ok(Named { name: days + &hours, period })
    }
}

impl Named {
    /// What of it has begun before a moment.
    fn until(&self, to_s: i64) -> Option<Self> {
        let past = Span { from_s: i64::MIN, to_s };
        let spans: Vec<Span> = self.period.spans().iter().filter_map(|span| span.and(past)).collect();
        (!spans.is_empty()).then(|| Self { name: self.name.clone(), period: Period::of(spans) })
    }
}

impl Days {
    /// Days that have a name, in the order in which they are offered, each with it.
    pub const NAMED: [(Self, Word); 5] = [
        (Self::Latest, words::LATEST),
        (Self::Today, words::TODAY),
        (Self::Yesterday, words::YESTERDAY),
        (Self::Week, words::WEEK),
        (Self::Weeks, words::WEEKS),
    ];

    fn named(name: &str) -> Result<Self, Refused> {
        let found = Self::NAMED.into_iter().map(|(days, _)| days).find(|days| days.name() == name);
        found.ok_or_else(|| words::REFUSED_NAME.into())
    }

    fn name(self) -> &'static str {
        match self {
            Self::Latest => "latest",
            Self::Today => "today",
            Self::Yesterday => "yesterday",
            Self::Week => "week",
            Self::Weeks => "weeks",
            Self::Dates(..) => "dates",
        }
    }

    /// First and last day; `None` for the newest windows.
    fn dates(self, today: Date) -> Option<(Date, Date)> {
        let before = |days: i64| today.checked_sub(days.days()).unwrap_or(Date::MIN);
        match self {
            Self::Latest => None,
            Self::Today => Some((today, today)),
            Self::Yesterday => Some((before(1), before(1))),
            Self::Week => Some((before(7), before(1))),
            Self::Weeks => Some((before(i64::from(today.weekday().to_monday_zero_offset())), today)),
            Self::Dates(first, last) => Some((first, last)),
        }
    }
}

fn date(key: &str, value: &str) -> Result<Date, Refused> {
    let is_plain = value.len() == 10 && value.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-');
    let date = if is_plain { value.parse().ok() } else { None };
    date.filter(|date: &Date| (1970..2106).contains(&date.year()))
        .ok_or_else(|| Refused(words::REFUSED_DATE, key.to_owned()))
}

/// The same time on the wall a week before.
fn same_wall_time(calendar: &Calendar, now_s: i64) -> i64 {
    let now = calendar.local(now_s);
    now.checked_sub(7.days()).map_or(now_s - 7 * 86_400, |before| before.timestamp().as_second())
}

/// Longest period the page sums up, days.
pub const DAYS_MAX: i32 = 400;

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Friday 2026-11-27, 09:30 in Tokyo.
    const NOW_S: i64 = 1_795_739_400;

    fn chosen(query: &str) -> Result<Chosen, Refused> {
        Asked::read(query, Language::English)?.chosen(&Calendar::of("Asia/Tokyo").expect("a zone"), NOW_S)
    }

    fn hours(query: &str) -> [Option<f64>; 2] {
        let chosen = chosen(query).expect("a period");
        [chosen.period, chosen.other].map(|named| named.map(|named| named.period.length_s() as f64 / 3600.0))
    }

    #[test]
    fn days_have_their_names_in_the_shops_own_time() {
        let name = |query: &str| chosen(query).expect("a period").period.map(|named| named.name);
        assert_eq!(name("p=latest"), None);
        assert_eq!(name("p=today").as_deref(), Some("2026-11-27"));
        assert_eq!(name("p=yesterday").as_deref(), Some("2026-11-26"));
        assert_eq!(name("p=week").as_deref(), Some("2026-11-20 to 2026-11-26"));
        assert_eq!(
            name("from=2026-11-01&last=2026-11-03&hours=10%3A00-21%3A00").as_deref(),
            Some("2026-11-01 to 2026-11-03, 10:00-21:00")
        );
    }

    #[test]
    fn a_period_ends_now_and_the_week_before_as_far_into_the_week() {
        assert_eq!(hours("p=today"), [Some(9.5), None]);
        assert_eq!(hours("p=weeks"), [Some(105.5), Some(105.5)]);
        assert_eq!(hours("from=2026-11-01&last=2026-11-02&against=2026-10-30"), [Some(48.0), Some(48.0)]);
    }

    #[test]
    fn what_is_not_understood_is_refused_and_says_what_is_allowed() {
        for (query, allowed) in [
            ("p=month", "p is latest, today"),
            ("from=yesterday", "a day as in 2026-11-01"),
            ("from=2026-02-30", "a day as in 2026-11-01"),
            ("from=9999-12-31", "from 1970 to 2105"),
            ("last=2026-11-01", "last needs from"),
            ("from=2026-11-02&last=2026-11-01", "not before it"),
            ("from=2025-01-01&last=2026-11-01", "at most 400 days"),
            ("from=2027-01-01", "not begun"),
            ("from=2026-11-01&hours=noon", "10:00-21:00"),
            ("p=today&layer=faces", "visits or dwell"),
            ("p=today&lang=fr", "en or ja"),
        ] {
            let error = chosen(query).expect_err(query).told(Language::English);
            assert!(error.contains(allowed), "{query}: {error}");
        }
    }

    proptest! {
        #[test]
        fn what_was_asked_can_be_asked_again(
            days in 0..6usize, first in 0..20_000i64, length in 0..399i64, against in any::<bool>(), ways in any::<bool>()
        ) {
            let day = |count: i64| Date::constant(1975, 1, 1).checked_add(count.days()).expect("a day");
            let dates = Days::Dates(day(first), day(first + length));
            let days = Days::NAMED.get(days).map_or(dates, |(days, _)| *days);
            let hours = ways.then(|| "09:00-21:30".to_owned());
            let against = against.then(|| day(first));
            let language = if ways { Language::Japanese } else { Language::English };
            let asked = Asked { days, against, hours, layer: "dwell", ways, language, names_language: ways };
            prop_assert_eq!(Asked::read(&asked.query(), Language::English), Ok(asked));
        }

        #[test]
        fn no_question_is_repeated_or_ends_the_page(query in "[a-z]{0,8}=[<>\"'&=%a-z0-9:-]{0,60}") {
            if let Err(refused) = chosen(&query) {
                let told = Language::ALL.map(|language| refused.told(language));
                prop_assert!(told.iter().all(|told| !told.contains(['<', '>'])), "{told:?}");
            }
        }
    }
}
