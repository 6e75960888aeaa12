//! A chart of bars over a day or over days: what went in above the line, what went out below it.
//!
//! In: [`Bar`]s. Out: SVG without style and script, and a sentence for who does not see it. Invariant: nobody there, withheld,
//! nobody looking and no record look different.

use std::fmt::Write as _;

use super::super::period::Calendar;
use super::gathered::{Bar, Gathered};
use super::html::{escaped, thousands};
use super::words::{self, Language};

/// Draws the bars of one line or zone.
#[must_use]
pub fn drawn(name: &str, gathered: &Gathered, bars: &[Bar], (calendar, language): (&Calendar, Language)) -> String {
    let most = bars.iter().map(|bar| bar.inward.max(bar.outward)).max().unwrap_or(0).max(1);
    let step = WIDTH / bars.len().max(1) as f64;
    let height = |value: u64| value as f64 / most as f64 * HALF;
    let (mut inward, mut outward, mut gaps) = (String::new(), String::new(), String::new());
    for (place, bar) in bars.iter().enumerate() {
        let x = place as f64 * step;
        let (up, down) = (height(bar.inward), height(bar.outward));
        // Writing to a text cannot fail.
        let wide = (step * 0.86).max(1.0);
        if up > 0.0 {
            let _ = write!(inward, "M{x:.1} {MIDDLE}v-{up:.1}h{wide:.1}v{up:.1}z");
        }
        if down > 0.0 {
            let _ = write!(outward, "M{x:.1} {MIDDLE}v{down:.1}h{wide:.1}v-{down:.1}z");
        }
    }
    let mut place = 0;
    for alike in bars.chunk_by(|one, next| gap(one) == gap(next)) {
        if let Some(class) = gap(&alike[0]) {
            let (x, wide, high) = (place as f64 * step, alike.len() as f64 * step, 2.0 * HALF);
            let _ = write!(
                gaps,
                "<rect class=\"{class}\" x=\"{x:.1}\" y=\"{TOP}\" width=\"{wide:.1}\" height=\"{high}\"/>"
            );
        }
        place += alike.len();
    }
    format!(
        "<figure class=\"chart\"><figcaption>{name}</figcaption><div class=\"wide\" role=\"region\" tabindex=\"0\" aria-label=\"{chart}\">\
         <svg viewBox=\"-40 0 {} {}\" role=\"img\" aria-label=\"{}\">{HATCH}{gaps}<path class=\"in\" d=\"{inward}\"/><path class=\"out\" d=\"{outward}\"/>\
         <path class=\"axis\" d=\"M0 {MIDDLE}h{WIDTH}\"/><text x=\"-6\" y=\"{}\" text-anchor=\"end\">{}</text>{}</svg></div></figure>",
        WIDTH + 50.0,
        MIDDLE + HALF + 22.0,
        escaped(&in_words(name, gathered, bars, (calendar, language))),
        TOP + 10.0,
        thousands(most as f64),
        ticks(gathered, calendar, step),
        name = escaped(name),
        chart = escaped(&words::CHART_OF.with(language, &[name])),
    )
}

/// How a stretch without a bar is filled; `None` where its figures are told.
fn gap(bar: &Bar) -> Option<&'static str> {
    match bar {
        Bar { told: 0, withheld: 0, blind: 0, .. } => Some("norecord"),
        Bar { told: 0, withheld: 0, .. } => Some("blind"),
        Bar { told: 0, .. } => Some("withheld"),
        _ => None,
    }
}

/// Hours of a day, or days.
fn ticks(gathered: &Gathered, calendar: &Calendar, step: f64) -> String {
    let every = if gathered.is_by_quarter { 8 } else { gathered.bars.len().div_ceil(12) };
    let format = if gathered.is_by_quarter { "%H:%M" } else { "%m-%d" };
    let label = |(place, bar): (usize, &super::super::period::Span)| {
        let (x, y) = (place as f64 * step, MIDDLE + HALF + 16.0);
        format!("<text x=\"{x:.1}\" y=\"{y}\">{}</text>", calendar.local(bar.from_s).strftime(format))
    };
    gathered.bars.iter().enumerate().step_by(every.max(1)).map(label).collect()
}

fn in_words(name: &str, gathered: &Gathered, bars: &[Bar], (calendar, language): (&Calendar, Language)) -> String {
    let sum = |of: fn(&Bar) -> u64| thousands(bars.iter().map(of).sum::<u64>() as f64);
    let count = |class: &str| bars.iter().filter(|bar| gap(bar) == Some(class)).count();
    let format = if gathered.is_by_quarter { "%H:%M" } else { "%Y-%m-%d" };
    let busiest = bars.iter().zip(&gathered.bars).max_by_key(|(bar, _)| bar.inward).filter(|(bar, _)| bar.inward > 0);
    let busiest = busiest.map(|(bar, span)| {
        let at = calendar.local(span.from_s).strftime(format).to_string();
        words::BUSIEST.with(language, &[&thousands(bar.inward as f64), &at])
    });
    let parts = if gathered.is_by_quarter { words::QUARTERS } else { words::DAYS };
    let [withheld, blind, norecord] = ["withheld", "blind", "norecord"].map(|class| count(class).to_string());
    let values = [
        name,
        &sum(|bar| bar.inward),
        &sum(|bar| bar.outward),
        &bars.len().to_string(),
        parts.of(language),
        &busiest.unwrap_or_default(),
        &withheld,
        &blind,
        &norecord,
    ];
    words::CHART_WORDS.with(language, &values)
}

const WIDTH: f64 = 960.0;
const TOP: f64 = 4.0;
const HALF: f64 = 60.0;
const MIDDLE: f64 = TOP + HALF;
/// The pattern of what is withheld.
const HATCH: &str = "<defs><pattern id=\"hatch\" width=\"6\" height=\"6\" patternUnits=\"userSpaceOnUse\" patternTransform=\"rotate(45)\">\
    <path class=\"hatching\" d=\"M0 0v6\"/></pattern></defs>";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::publish::period::Span;

    #[test]
    fn what_is_not_there_for_four_reasons_looks_different() {
        let bars = [
            Bar { told: 1, cov_ms: 900_000, ..Bar::default() },
            Bar { withheld: 1, cov_ms: 900_000, ..Bar::default() },
            Bar { blind: 1, ..Bar::default() },
            Bar::default(),
        ];
        assert_eq!(bars.map(|bar| gap(&bar)), [None, Some("withheld"), Some("blind"), Some("norecord")]);
        let spans = (0..4).map(|bar| Span { from_s: 900 * bar, to_s: 900 * (bar + 1) }).collect();
        let gathered = Gathered { bars: spans, is_by_quarter: true, ..Gathered::default() };
        let calendar = Calendar::of("UTC").expect("a zone");
        let svg = drawn("<door>", &gathered, &bars, (&calendar, Language::English));
        assert_eq!(svg.matches("<rect").count(), 3);
        let long = drawn("door", &gathered, &[Bar::default(); 4], (&calendar, Language::English));
        assert_eq!(long.matches("<rect").count(), 1, "a long gap is one");
        assert!(svg.contains("Withheld: 1; nobody looked: 1; no record: 1"), "{svg}");
        assert!(!svg.contains("<door>") && !svg.contains("style="));
    }
}
