//! Figures of a period in tables, each with its formula and with how much of the period was seen.
//!
//! In: [`Sums`], and those of another period held against them. Out: HTML. Invariants: no sum stands without its coverage; what
//! two periods have in unequal time is compared per hour seen, and the line that compares says so.

use std::collections::BTreeSet;

use super::super::period::{
    Context, Definition, Figure, ObjectFigures, ObjectSums, Period, Presence, Span, Sums, Tally, Why, definition,
};
use super::Page;
use super::html::{escaped, figure, head, length, no_figure, number, quietly, table, thousands};
use super::words::{self, Language, Word};
use crate::wire::read::Kind;

/// One side of the tables.
pub struct Side<'a> {
    /// The sums.
    pub sums: &'a Sums,
    /// Of what; the newest windows where there is none.
    pub period: Option<&'a Period>,
    /// Its name.
    pub name: &'a str,
}

/// What the tables are made of.
pub struct Tables<'a> {
    /// Names, time zone.
    pub page: &'a Page,
    /// The period.
    pub side: Side<'a>,
    /// What is held against it.
    pub other: Option<Side<'a>>,
    /// Now, s since 1970 UTC.
    pub now_s: i64,
    /// The language they are in.
    pub language: Language,
}

impl Tables<'_> {
    /// Lines, zones and queues.
    #[must_use]
    pub fn drawn(&self) -> String {
        let kinds = [
            (Kind::Line, words::LINES, &LINE[..]),
            (Kind::Zone, words::ZONES, &ZONE[..]),
            (Kind::Queue, words::QUEUES, &QUEUE[..]),
        ];
        kinds.into_iter().map(|(kind, title, names)| self.of_kind(kind, title, names)).collect()
    }

    fn of_kind(&self, kind: Kind, title: Word, names: &[&str]) -> String {
        let language = self.language;
        let title = title.of(language);
        let figures = names.iter().filter_map(|name| definition(kind, name));
        // Passers-by are a column where an outside line counts them.
        let figures: Vec<&Definition> = figures.filter(|figure| self.is_measured(kind, figure)).collect();
        let is_sum = self.side.period.is_some();
        let seen = if is_sum { words::SEEN_OF_PERIOD } else { words::SEEN_OF_WINDOW }.of(language);
        let mut heads = vec![format!("{} <small>{seen}</small>", words::NAME.of(language))];
        heads.extend(figures.iter().map(|figure| head(figure, language)));
        heads.push(if is_sum { words::WINDOWS } else { words::WINDOW }.of(language).to_owned());
        let rows: Vec<Vec<String>> = self.ids(kind).iter().flat_map(|id| self.rows(kind, id, &figures)).collect();
        if rows.is_empty() { String::new() } else { format!("<h3>{title}</h3>{}", table(title, &heads, &rows)) }
    }

    /// A figure that nothing could be counted for is left out.
    fn is_measured(&self, kind: Kind, of: &Definition) -> bool {
        let is_there = |side: &Side| {
            let objects = side.sums.objects().into_iter().filter(|(key, _)| key.kind == kind);
            let mut figures = objects.filter_map(|(_, sums)| of.figure(sums, &self.context(side)));
            figures.any(|figure| figure != Figure::None(Why::NotMeasured))
        };
        !["pass", "capture_rate", "exposure"].contains(&of.name) || is_there(&self.side)
    }

    fn context(&self, side: &Side) -> Context {
        Context { store_entries: side.sums.store_entries(None, None) }
    }

    /// Everything that is set up or has a record.
    fn ids(&self, kind: Kind) -> BTreeSet<String> {
        let prefix = format!("{}/", kind.name());
        let known = self.page.names.keys().filter_map(|key| key.strip_prefix(&prefix)).map(str::to_owned);
        let sides = [Some(&self.side), self.other.as_ref()].into_iter().flatten();
        let found = sides.flat_map(|side| side.sums.objects().into_keys()).filter(|key| key.kind == kind);
        known.chain(found.map(|key| key.id.clone())).collect()
    }

    fn rows(&self, kind: Kind, id: &str, figures: &[&Definition]) -> Vec<Vec<String>> {
        let name = self.page.name_of(kind.name(), id);
        let mut rows = vec![self.row(&self.side, kind, id, (name, figures))];
        let Some(other) = &self.other else { return rows };
        let [here, there] = [&self.side, other].map(|side| side.sums.find(kind, id));
        if here.is_none() && there.is_none() {
            return rows;
        }
        let name = format!("<span class=\"quiet\">{}</span>", escaped(other.name));
        rows.push(self.row(other, kind, id, (name, figures)));
        let change = |of: &&Definition| match (here, there) {
            (Some(here), Some(there)) => {
                let sides = [(here, self.context(&self.side)), (there, self.context(other))];
                change(of, sides, self.language)
            }
            _ => quietly(words::NOT_COMPARABLE, self.language),
        };
        let name = format!("<span class=\"quiet\">{}</span>", words::CHANGE.of(self.language));
        rows.push([name].into_iter().chain(figures.iter().map(change)).chain([String::new()]).collect());
        rows
    }

    fn row(&self, side: &Side, kind: Kind, id: &str, (name, figures): (String, &[&Definition])) -> Vec<String> {
        let sums = side.sums.find(kind, id);
        let presence = sums.map_or(Presence::NoRecord, |sums| sums.tally.presence());
        let told = |of: &&Definition| {
            let value = sums.and_then(|sums| of.figure(sums, &self.context(side)));
            value.map_or_else(
                || no_figure(Why::NoRecord, self.language),
                |value| figure(of, value, presence, self.language),
            )
        };
        let ends = sums.map(|sums| self.ends(side, &sums.tally));
        let (name, windows) = match ends {
            Some([seen, windows]) => {
                (format!("{name} <small>{}</small>", words::SEEN.with(self.language, &[&seen])), windows)
            }
            None => (name, words::NO_RECORD.of(self.language).to_owned()),
        };
        [name].into_iter().chain(figures.iter().map(told)).chain([windows]).collect()
    }

    /// How much of it was seen, and in which windows.
    #[must_use]
    pub fn ends(&self, side: &Side, tally: &Tally) -> [String; 2] {
        let Some(period) = side.period else {
            let seen = tally.cov_ms as f64 / (tally.span_s.max(1) * 1000) as f64;
            let span = self.page.span(tally.first_s, tally.end_s, self.language);
            return [percent(seen), escaped(&span)];
        };
        let due = self.due(period, tally);
        let expected = due.as_ref().map_or(0, |due| tally.expected(due)).max(tally.windows);
        let counts = [tally.windows, expected].map(|count| thousands(count as f64));
        let mut windows = words::N_OF_M.with(self.language, &[&counts[0], &counts[1]]);
        for (count, words) in [(tally.withheld, words::N_WITHHELD), (tally.blind, words::N_BLIND)] {
            if count > 0 {
                windows += &words.with(self.language, &[&count.to_string()]);
            }
        }
        let whole_s = expected as f64 * f64::from(tally.dur_s);
        let seen_s = tally.cov_ms as f64 / 1000.0;
        let (comma, long) = (words::COMMA.of(self.language), length(seen_s, self.language));
        [format!("{}{comma}{long}", percent(seen_s / whole_s.max(1.0))), windows]
    }

    /// What of a period can have windows by now: one is released a little after its end.
    fn due(&self, period: &Period, tally: &Tally) -> Option<Period> {
        let past = Span { from_s: i64::MIN, to_s: self.now_s - i64::from(tally.dur_s) - RELEASED_AFTER_S };
        let spans: Vec<Span> = period.spans().iter().filter_map(|span| span.and(past)).collect();
        (!spans.is_empty()).then(|| Period::of(spans))
    }

    /// Transitions before each camera: how many went from where to where, and which share of all ways that is.
    #[must_use]
    pub fn ways(&self) -> String {
        let objects = self.side.sums.objects().into_iter().filter(|(key, _)| key.kind == Kind::Od);
        let tables: String = objects.map(|(key, sums)| self.matrix(&key.id, sums)).collect();
        let formula = definition(Kind::Od, "path_share").map_or("", |share| share.formula);
        if tables.is_empty() {
            return String::new();
        }
        format!(
            "<h3>{}</h3><p class=\"quiet\">{}</p>{tables}",
            words::WAYS.of(self.language),
            escaped(&words::WAYS_EXPLAINED.with(self.language, &[words::formula(formula, self.language)]))
        )
    }

    fn matrix(&self, camera: &str, sums: &ObjectSums) -> String {
        let ObjectFigures::Od(od) = &sums.figures else { return String::new() };
        let places: BTreeSet<&String> = od.pairs.keys().flat_map(|(from, to)| [from, to]).collect();
        let all = od.total().max(1) as f64;
        let most = od.pairs.values().map(|pair| pair.n).max().unwrap_or(1).max(1);
        let looked = sums.tally.windows - sums.tally.blind;
        let cell = |from: &String, to: &String| match od.pairs.get(&(from.clone(), to.clone())) {
            None => no_figure(Why::Withheld, self.language),
            Some(pair) => {
                let n = thousands(pair.n as f64);
                let is_partly = u64::from(pair.released) < looked;
                let n = if is_partly { words::AT_LEAST.with(self.language, &[&n]) } else { n };
                let shade = (pair.n * 4).div_ceil(most);
                format!("<span class=\"s{shade}\">{n} <small>{}</small></span>", percent(pair.n as f64 / all))
            }
        };
        let place_name = |place: &String| match place.split_once('/') {
            Some((kind, id)) => self.page.name_of(kind, id),
            None if place == "elsewhere" => words::ELSEWHERE.of(self.language).to_owned(),
            None => escaped(place),
        };
        let heads: Vec<String> = [words::FROM_TO.of(self.language).to_owned()]
            .into_iter()
            .chain(places.iter().map(|place| place_name(place)))
            .collect();
        let row =
            |from: &&String| [place_name(from)].into_iter().chain(places.iter().map(|to| cell(from, to))).collect();
        let rows: Vec<Vec<String>> = places.iter().map(row).collect();
        let name = self.page.name_of("camera", camera);
        let figures = ["dropped", "cut"].into_iter().filter_map(|name| definition(Kind::Od, name));
        let rest = figures.filter_map(|of| {
            let told = of.figure(sums, &Context::default())?;
            let figure = figure(of, told, sums.tally.presence(), self.language);
            let formula = format!("<small>{}</small>", words::formula(of.formula, self.language));
            Some(words::REST.with(self.language, &[words::label(of, self.language), &figure, &formula]))
        });
        let [seen, windows] = self.ends(&self.side, &sums.tally);
        let nothing = if rows.is_empty() {
            format!("<p>{name}: {}</p>", words::presence(sums.tally.presence()).of(self.language))
        } else {
            String::new()
        };
        format!(
            "{}{nothing}<p class=\"quiet\">{}{}</p>",
            table(&name, &heads, &rows),
            rest.collect::<String>(),
            words::REST_SEEN.with(self.language, &[&seen, &windows])
        )
    }
}

/// How a figure changed: sums per hour seen in percent, shares and means by their difference.
fn change(of: &Definition, sides: [(&ObjectSums, Context); 2], language: Language) -> String {
    let value = |(sums, context): &(&ObjectSums, Context)| {
        let value = of.figure(sums, context)?.value()?;
        let hours = sums.tally.told_cov_ms as f64 / 3.6e6;
        if of.adds { (hours > 0.0).then_some(value / hours) } else { Some(value) }
    };
    let [Some(here), Some(there)] = [&sides[0], &sides[1]].map(value) else {
        return quietly(words::NOT_COMPARABLE, language);
    };
    let mark = if sides.iter().any(|(sums, _)| sums.tally.presence() == Presence::PartlyWithheld) {
        format!(" <small>{}</small>", words::OF_WINDOWS_TOLD.of(language))
    } else {
        String::new()
    };
    let sign = match here.total_cmp(&there) {
        std::cmp::Ordering::Less => "−",
        std::cmp::Ordering::Equal => "±",
        std::cmp::Ordering::Greater => "+",
    };
    let change = match of.unit {
        _ if of.adds && there == 0.0 => return quietly(words::NOT_COMPARABLE, language),
        _ if of.adds => format!("{:.1} %", (here / there - 1.0).abs() * 100.0),
        "share" => words::POINTS.with(language, &[&format!("{:.1}", (here - there).abs() * 100.0)]),
        unit => number(unit, (here - there).abs(), language),
    };
    format!("{sign}{change}{mark}")
}

fn percent(share: f64) -> String {
    format!("{:.1} %", share * 100.0)
}

const LINE: [&str; 5] = ["footfall", "out", "uncertain", "pass", "capture_rate"];
const ZONE: [&str; 8] =
    ["entries", "stops", "engagement", "dwell_mean_s", "dwell_median_s", "occupancy_mean", "occ_max", "exposure"];
const QUEUE: [&str; 9] =
    ["joined", "served", "abandonment", "wait_p50_s", "wait_p90_s", "wait_mean_s", "len_mean", "len_max", "over_share"];
/// A window is on the page this long after its end at the latest, s: the grace of the wire.
const RELEASED_AFTER_S: i64 = 15;
