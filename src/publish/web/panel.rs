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
            name: self.name(),
        };
        let other = self.other.as_ref().zip(self.chosen.other.as_ref()).map(|(gathered, named)| Side {
            sums: &gathered.sums,
            period: Some(&named.period),
            name: &named.name,
        });
        let tables = Tables { page, side, other, now_s: self.now_s };
        let mut html = self.title(page, asked);
        if self.here.sums.windows() == 0 {
            html += &match &self.chosen.period {
                None => "<p class=\"quiet\">Waiting for the first closed window …</p>".to_owned(),
                Some(_) => {
                    format!("<p class=\"why\">No record: no window of this period is held.</p>{}", tables.drawn())
                }
            };
            return html;
        }
        html += &self.charts(page, &page.calendar());
        html += &tables.drawn();
        html += &tables.ways();
        html += &self.floors(page, asked, &tables);
        html
    }

    fn name(&self) -> &str {
        self.chosen.period.as_ref().map_or("newest windows", |named| &named.name)
    }

    fn title(&self, page: &Page, asked: &Asked) -> String {
        let other = self.chosen.other.as_ref().map(|named| format!(" against {}", named.name)).unwrap_or_default();
        let offer =
            self.chosen.period.as_ref().and_then(|named| before(&page.calendar(), asked, named)).unwrap_or_default();
        format!(
            "<h2>{}{}</h2><p class=\"quiet\">Days and times of {}. Every figure is a sum of released windows, each counted once.{offer}</p>",
            escaped(self.name()),
            escaped(&other),
            escaped(&page.timezone),
        )
    }

    /// Lines, and the zones for who wants them.
    fn charts(&self, page: &Page, calendar: &Calendar) -> String {
        let (gathered, of) = match &self.day {
            Some((period, gathered)) => (gathered, format!(", {}", calendar.day_of(period.from_s()))),
            None => (&self.here, String::new()),
        };
        let charts = |kind: Kind| -> String {
            let of_kind = gathered.series.iter().filter(|((of, _), _)| *of == kind).take(CHARTS_MAX);
            let name = |id: &str| format!("{}{of}", page.plain_name_of(kind.name(), id));
            of_kind.map(|((_, id), bars)| chart::drawn(&name(id), gathered, bars, calendar)).collect()
        };
        let (lines, zones) = (charts(Kind::Line), charts(Kind::Zone));
        let by = if gathered.is_by_quarter { "by quarter of an hour" } else { "by day" };
        let mut html = String::new();
        if !lines.is_empty() {
            html += &format!("<h3>Footfall {by}</h3>{LEGEND}{lines}");
        }
        if !zones.is_empty() {
            html += &format!("<details><summary>Entries of zones {by}</summary>{zones}</details>");
        }
        html
    }

    /// Heatmaps, what changed on the floor, ways over it.
    fn floors(&self, page: &Page, asked: &Asked, tables: &Tables) -> String {
        let query = asked.query();
        let version = page.vault.counts().released;
        let picture = |what: &str, floor: &str, alt: &str| {
            let source =
                format!("/map/{what}/{floor}.png?{query}&amp;n={version}", query = query.replace('&', "&amp;"));
            format!(
                "<picture><source media=\"(prefers-color-scheme: dark)\" srcset=\"{source}&amp;dark=1\"><img src=\"{source}\" alt=\"{alt}\"></picture>",
                alt = escaped(alt)
            )
        };
        let mut html = String::new();
        for floor in page.seen.keys() {
            let name = page.plain_name_of("floor", floor);
            if let Some((tally, heat)) = heat_of(&self.here.sums, floor, asked.layer) {
                let layer = if asked.layer == "dwell" { "time spent" } else { "visits" };
                let [seen, windows] = tables.ends(&tables.side, tally);
                html += &format!(
                    "<figure>{}<figcaption>{}: {layer} by cell of {} m, away from the door is up. Seen {seen}, {windows}. At least {} different people behind every cell of a window.</figcaption></figure>",
                    picture("heat", floor, &format!("Heatmap of {name}: {layer}")),
                    escaped(&name),
                    f64::from(heat.grid.cell_mm) / 1000.0,
                    tally.k[0],
                );
            }
            if is_compared(&self.here.sums, self.other.as_deref(), floor, asked.layer) {
                let caption = format!(
                    "{}: change of {} per hour seen, blue is less, orange is more.",
                    escaped(&name),
                    asked.layer
                );
                html += &format!(
                    "<figure>{}<figcaption>{caption}</figcaption></figure>",
                    picture("difference", floor, &format!("Change on {name}"))
                );
            }
            if let Some((tally, _)) = flow_of(&self.here.sums, floor).filter(|_| asked.ways) {
                let [seen, windows] = tables.ends(&tables.side, tally);
                let caption = format!("{}: where people go. Seen {seen}, {windows}.", escaped(&name));
                html += &format!(
                    "<figure>{}<figcaption>{caption}</figcaption></figure>",
                    picture("ways", floor, &format!("Ways over {name}"))
                );
            }
        }
        if html.is_empty() {
            html
        } else {
            format!("<h3>Floor</h3>{}<section class=\"maps\">{html}</section>", switches(asked))
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
    Some(format!(" <a href=\"/?{}\">Against the days before</a>", query.replace('&', "&amp;")))
}

/// Links that choose what is drawn of the floor.
fn switches(asked: &Asked) -> String {
    let link = |to: Asked, words: &str| {
        let current = if to == *asked { " aria-current=\"true\"" } else { "" };
        format!("<a href=\"/?{}\"{current}>{words}</a>", to.query().replace('&', "&amp;"))
    };
    let layer = |layer| Asked { layer, ..asked.clone() };
    let ways = Asked { ways: !asked.ways, ..asked.clone() };
    format!(
        "<nav class=\"switches\" aria-label=\"Floor\">{} {} {}</nav>",
        link(layer("visits"), "visits"),
        link(layer("dwell"), "time spent"),
        link(ways, if asked.ways { "hide ways" } else { "show ways" }),
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
    let named: String = Days::NAMED.iter().map(|(days, words)| link(*days, words)).collect();
    let today = calendar.day_of(now_s);
    let past = (2..=DAYS_OFFERED).filter_map(|days| today.checked_sub(jiff::Span::new().days(days)).ok());
    let days: String = past.map(|day| link(Days::Dates(day, day), &day.to_string())).collect();
    let (first, last) = match asked.days {
        Days::Dates(first, last) => (first.to_string(), last.to_string()),
        _ => Default::default(),
    };
    let against = asked.against.map(|day| day.to_string()).unwrap_or_default();
    let hours = escaped(asked.hours.as_deref().unwrap_or_default());
    format!(
        "<nav aria-label=\"Period\"><ul>{named}</ul><details><summary>Other days</summary>\
         <form hx-get=\"/panel\" hx-target=\"#figures\"><label>first day <input type=\"date\" name=\"from\" value=\"{first}\" required></label>\
         <label>last day <input type=\"date\" name=\"last\" value=\"{last}\"></label>\
         <label>against, from <input type=\"date\" name=\"against\" value=\"{against}\"></label>\
         <label>hours <input name=\"hours\" value=\"{hours}\" placeholder=\"10:00-21:00\" size=\"11\"></label>\
         <input type=\"hidden\" name=\"layer\" value=\"{}\"><button>Show</button></form>\
         <p class=\"quiet\">At most {DAYS_MAX} days. The same in the address line: /?from=2026-11-01&amp;last=2026-11-07&amp;against=2026-10-25&amp;hours=10:00-21:00</p>\
         <ul class=\"days\">{days}</ul></details></nav>",
        asked.layer
    )
}

const LEGEND: &str = "<p class=\"legend quiet\"><span class=\"key in\"></span> in <span class=\"key out\"></span> out \
    <span class=\"key withheld\"></span> withheld <span class=\"key blind\"></span> nobody looked <span class=\"key norecord\"></span> no record</p>";
/// Charts drawn of a kind.
const CHARTS_MAX: usize = 40;
/// Single days that are offered as links: those an ordinary store holds.
const DAYS_OFFERED: i64 = 30;
