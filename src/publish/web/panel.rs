//! The figures of the page for one question: periods to choose, tables, charts, maps.
//!
//! In: [`Asked`] and the [`super::Page`]. Out: HTML. Invariant: everything on it is a sum of released windows, with its coverage.

use std::sync::Arc;

use super::super::period::{Calendar, Period, Sums};
use super::Page;
use super::asked::{Asked, Chosen, DAYS_MAX, Days, Named, Refused};
use super::chart;
use super::gathered::{Gathered, newest_day};
use super::html::escaped;
use super::maps::{difference, flow_of, heat_of};
use super::tables::{Side, Tables};
use super::words::{self, Language, Word};
use crate::wire::read::Kind;

/// Everything that is asked for, summed up.
pub struct Answer {
    /// The periods.
    pub chosen: Chosen,
    /// Windows of the period; the newest ones where none is chosen.
    pub here: Arc<Gathered>,
    /// What is held against it.
    pub other: Option<Arc<Gathered>>,
    /// The day that is charted where no period is chosen.
    day: Option<(Period, Arc<Gathered>)>,
    now_s: i64,
}

impl Answer {
    /// Sums up what is asked for at a moment, s since 1970 UTC.
    ///
    /// # Errors
    /// [`Refused`].
    pub fn to(page: &Page, asked: &Asked, now_s: i64) -> Result<Self, Refused> {
        let calendar = page.calendar();
        let chosen = asked.chosen(&calendar, now_s)?;
        let gathered = |period: &Period| page.shelf.gathered(&page.vault, &calendar, period);
        let here = match &chosen.period {
            Some(named) => gathered(&named.period)?,
            None => Arc::new(Gathered::newest(&page.vault)),
        };
        let other = chosen.other.as_ref().map(|named| gathered(&named.period)).transpose()?;
        let day = if chosen.period.is_none() { newest_day(&page.vault, &calendar) } else { None };
        let day = day.map(|period| gathered(&period).map(|gathered| (period, gathered))).transpose()?;
        Ok(Self { chosen, here, other, day, now_s })
    }

    /// The HTML of it.
    #[must_use]
    pub fn drawn(&self, page: &Page, asked: &Asked) -> String {
        let side = Side {
            sums: &self.here.sums,
            period: self.chosen.period.as_ref().map(|named| &named.period),
            name: self.name(asked.language),
        };
        let other = self.other.as_ref().zip(self.chosen.other.as_ref()).map(|(gathered, named)| Side {
            sums: &gathered.sums,
            period: Some(&named.period),
            name: &named.name,
        });
        let language = asked.language;
        let tables = Tables { page, side, other, now_s: self.now_s, language };
        let mut html = self.title(page, asked);
        if self.here.sums.windows() == 0 {
            html += &match &self.chosen.period {
                None => format!("<p class=\"quiet\">{}</p>", words::WAITING.of(language)),
                Some(_) => {
                    format!("<p class=\"why\">{}</p>{}", words::NOTHING_HELD.of(language), tables.drawn())
                }
            };
            return html;
        }
        html += &self.charts(page, &page.calendar(), language);
        html += &tables.drawn();
        html += &tables.ways();
        html += &self.floors(page, asked, &tables);
        html
    }

    fn name(&self, language: Language) -> &str {
        self.chosen.period.as_ref().map_or(words::NEWEST.of(language), |named| &named.name)
    }

    fn title(&self, page: &Page, asked: &Asked) -> String {
        let language = asked.language;
        let other = self.chosen.other.as_ref().map(|named| words::AGAINST.with(language, &[&named.name]));
        let offer =
            self.chosen.period.as_ref().and_then(|named| before(&page.calendar(), asked, named)).unwrap_or_default();
        format!(
            "<h2>{}{}</h2><p class=\"quiet\">{}{offer}</p>",
            escaped(self.name(language)),
            escaped(&other.unwrap_or_default()),
            escaped(&words::DAYS_OF.with(language, &[&page.timezone])),
        )
    }

    /// Lines, and the zones for who wants them.
    fn charts(&self, page: &Page, calendar: &Calendar, language: Language) -> String {
        let (gathered, of) = match &self.day {
            Some((period, gathered)) => {
                let day = calendar.day_of(period.from_s()).to_string();
                (gathered, words::COMMA.of(language).to_owned() + &day)
            }
            None => (&self.here, String::new()),
        };
        let charts = |kind: Kind| -> String {
            let of_kind = gathered.series.iter().filter(|((of, _), _)| *of == kind).take(CHARTS_MAX);
            let name = |id: &str| format!("{}{of}", page.plain_name_of(kind.name(), id));
            of_kind.map(|((_, id), bars)| chart::drawn(&name(id), gathered, bars, (calendar, language))).collect()
        };
        let (lines, zones) = (charts(Kind::Line), charts(Kind::Zone));
        let by = if gathered.is_by_quarter { words::BY_QUARTER } else { words::BY_DAY }.of(language);
        let mut html = String::new();
        if !lines.is_empty() {
            html += &format!("<h3>{}</h3>{}{lines}", words::FOOTFALL.with(language, &[by]), legend(language));
        }
        if !zones.is_empty() {
            html +=
                &{ format!("<details><summary>{}</summary>{zones}</details>", words::ENTRIES.with(language, &[by])) };
        }
        html
    }

    /// Heatmaps, what changed on the floor, ways over it.
    fn floors(&self, page: &Page, asked: &Asked, tables: &Tables) -> String {
        let (query, language) = (asked.query(), asked.language);
        let layer = if asked.layer == "dwell" { words::TIME_SPENT } else { words::VISITS }.of(language);
        let version = page.vault.counts().released;
        let picture = |what: &str, floor: &str, alt: &str| {
            let source =
                format!("/map/{what}/{floor}.png?{query}&amp;n={version}", query = query.replace('&', "&amp;"));
            format!(
                "<picture><source media=\"(prefers-color-scheme: dark)\" srcset=\"{source}&amp;dark=1\"><img src=\"{source}\" alt=\"{alt}\"></picture>",
                alt = escaped(alt)
            )
        };
        let (mut html, gloss) = (String::new(), words::IN_THE_PICTURE.of(language));
        for floor in page.seen.keys() {
            let name = page.plain_name_of("floor", floor);
            if let Some((tally, heat)) = heat_of(&self.here.sums, floor, asked.layer) {
                let [seen, windows] = tables.ends(&tables.side, tally);
                let (side, k) = ((f64::from(heat.grid.cell_mm) / 1000.0).to_string(), tally.k[0].to_string());
                let values = [&escaped(&name), layer, &side, &seen, &windows, &k, gloss];
                html += &format!(
                    "<figure>{}<figcaption>{}</figcaption></figure>",
                    picture("heat", floor, &words::HEATMAP_OF.with(language, &[&name, layer])),
                    words::HEAT_CAPTION.with(language, &values),
                );
            }
            if is_compared(&self.here.sums, self.other.as_deref(), floor, asked.layer) {
                let caption = words::CHANGE_CAPTION.with(language, &[&escaped(&name), layer, gloss]);
                html += &format!(
                    "<figure>{}<figcaption>{caption}</figcaption></figure>",
                    picture("difference", floor, &words::CHANGE_ON.with(language, &[&name]))
                );
            }
            if let Some((tally, _)) = flow_of(&self.here.sums, floor).filter(|_| asked.ways) {
                let [seen, windows] = tables.ends(&tables.side, tally);
                let gloss = words::IN_THE_WAYS.of(language);
                let caption = words::WAYS_CAPTION.with(language, &[&escaped(&name), &seen, &windows, gloss]);
                html += &format!(
                    "<figure>{}<figcaption>{caption}</figcaption></figure>",
                    picture("ways", floor, &words::WAYS_OVER.with(language, &[&name]))
                );
            }
        }
        if html.is_empty() {
            html
        } else {
            {
                let title = words::FLOOR.of(language);
                format!("<h3>{title}</h3>{}<section class=\"maps\">{html}</section>", switches(asked))
            }
        }
    }
}

/// Whether a floor can be held against itself in the other period.
fn is_compared(here: &Sums, other: Option<&Gathered>, floor: &str, layer: &str) -> bool {
    let other = other.and_then(|other| heat_of(&other.sums, floor, layer));
    let both = heat_of(here, floor, layer).zip(other);
    both.is_some_and(|(here, other)| difference(here, other, &[]).is_some())
}

/// A link to the same period held against the days before it.
fn before(calendar: &Calendar, asked: &Asked, named: &Named) -> Option<String> {
    if asked.against.is_some() || asked.days == Days::Weeks {
        return None;
    }
    let length_days = calendar.days(&named.period).len() as i64;
    let first = calendar.day_of(named.period.from_s());
    let against = first.checked_sub(jiff::Span::new().days(length_days)).ok()?;
    let query = Asked { against: Some(against), ..asked.clone() }.query();
    let words = words::BEFORE.of(asked.language);
    Some(format!(" <a href=\"/?{}\">{words}</a>", query.replace('&', "&amp;")))
}

/// Links that choose what is drawn of the floor.
fn switches(asked: &Asked) -> String {
    let link = |to: Asked, words: Word| {
        let words = words.of(asked.language);
        let current = if to == *asked { " aria-current=\"true\"" } else { "" };
        format!("<a href=\"/?{}\"{current}>{words}</a>", to.query().replace('&', "&amp;"))
    };
    let layer = |layer| Asked { layer, ..asked.clone() };
    let ways = Asked { ways: !asked.ways, ..asked.clone() };
    format!(
        "<nav class=\"switches\" aria-label=\"{}\">{} {} {}</nav>",
        words::FLOOR.of(asked.language),
        link(layer("visits"), words::VISITS),
        link(layer("dwell"), words::TIME_SPENT),
        link(ways, if asked.ways { words::HIDE_WAYS } else { words::SHOW_WAYS }),
    )
}

/// Links to periods, and a form for dates. Without a script the form does nothing, and the address line does the same.
#[must_use]
pub fn periods(asked: &Asked, calendar: &Calendar, now_s: i64) -> String {
    let link = |days: Days, words: &str| {
        let current = if days == asked.days { " aria-current=\"page\"" } else { "" };
        let query = Asked { days, against: None, ..asked.clone() }.query().replace('&', "&amp;");
        format!("<li><a href=\"/?{query}\"{current}>{words}</a></li>")
    };
    let language = asked.language;
    let named: String = Days::NAMED.iter().map(|(days, words)| link(*days, words.of(language))).collect();
    let today = calendar.day_of(now_s);
    let past = (2..=DAYS_OFFERED).filter_map(|days| today.checked_sub(jiff::Span::new().days(days)).ok());
    let days: String = past.map(|day| link(Days::Dates(day, day), &day.to_string())).collect();
    let (first, last) = match asked.days {
        Days::Dates(first, last) => (first.to_string(), last.to_string()),
        _ => Default::default(),
    };
    let against = asked.against.map(|day| day.to_string()).unwrap_or_default();
    let hours = escaped(asked.hours.as_deref().unwrap_or_default());
    let field = |words: Word, rest: &str| format!("<label>{} <input {rest}></label>", words.of(language));
    let tongue = if asked.names_language { language.tag() } else { "" };
    let example = "/?from=2026-11-01&amp;last=2026-11-07&amp;against=2026-10-25&amp;hours=10:00-21:00";
    format!(
        "<nav aria-label=\"{}\"><ul>{named}</ul><details><summary>{}</summary><form hx-get=\"/panel\" hx-target=\"#figures\">{}{}{}{}\
         <input type=\"hidden\" name=\"layer\" value=\"{}\"><input type=\"hidden\" name=\"ways\" value=\"{}\"><input type=\"hidden\" name=\"lang\" value=\"{tongue}\">\
         <button>{}</button></form><p class=\"quiet\">{}</p><ul class=\"days\">{days}</ul></details></nav>",
        words::PERIOD.of(language),
        words::OTHER_DAYS.of(language),
        field(words::FIRST_DAY, &format!("type=\"date\" name=\"from\" value=\"{first}\" required")),
        field(words::LAST_DAY, &format!("type=\"date\" name=\"last\" value=\"{last}\"")),
        field(words::AGAINST_FROM, &format!("type=\"date\" name=\"against\" value=\"{against}\"")),
        field(words::HOURS, &format!("name=\"hours\" value=\"{hours}\" placeholder=\"10:00-21:00\" size=\"11\"")),
        asked.layer,
        u8::from(asked.ways),
        words::SHOW.of(language),
        words::AT_MOST_DAYS.with(language, &[&DAYS_MAX.to_string(), example]),
    )
}

/// Links to the same in each language.
#[must_use]
pub fn languages(asked: &Asked) -> String {
    let link = |language: Language| {
        let current = if language == asked.language { " aria-current=\"true\"" } else { "" };
        let query = Asked { language, names_language: true, ..asked.clone() }.query().replace('&', "&amp;");
        let (tag, name) = (language.tag(), language.own_name());
        format!("<a href=\"/?{query}\" lang=\"{tag}\" hreflang=\"{tag}\"{current}>{name}</a>")
    };
    let label = words::LANGUAGES.of(asked.language);
    format!("<nav class=\"languages\" aria-label=\"{label}\">{}</nav>", Language::ALL.map(link).join(" "))
}

/// What the colours and patterns of a chart mean.
fn legend(language: Language) -> String {
    let keys = [
        ("in", words::IN),
        ("out", words::OUT),
        ("withheld", words::WITHHELD),
        ("blind", words::NOBODY_LOOKED),
        ("norecord", words::NO_RECORD),
    ];
    let key = |(class, word): (&str, Word)| format!("<span class=\"key {class}\"></span> {}", word.of(language));
    format!("<p class=\"legend quiet\">{}</p>", keys.map(key).join(" "))
}

/// Charts drawn of a kind.
const CHARTS_MAX: usize = 40;
/// Single days that are offered as links: those an ordinary store holds.
const DAYS_OFFERED: i64 = 30;
