//! The few words of HTML a page of figures needs, with every text escaped.
//!
//! In: texts and figures. Out: HTML. Invariant: nothing enters but through [`escaped`]; there is no style and no script in it.

use super::super::period::{Definition, Figure, Presence, Why};
use super::words::{self, Language, Word};

/// A text as it may stand in HTML and in an attribute.
#[must_use]
pub fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;").replace('\'', "&#39;")
}

/// A wide table of its own: it scrolls by itself and can be reached by keyboard.
#[must_use]
pub fn table(caption: &str, heads: &[String], rows: &[Vec<String>]) -> String {
    if rows.is_empty() {
        return String::new();
    }
    let heads: String = heads.iter().map(|head| format!("<th scope=\"col\">{head}</th>")).collect();
    let row = |cells: &Vec<String>| {
        let mut cells = cells.iter();
        let name = cells.next().map(|name| format!("<th scope=\"row\">{name}</th>")).unwrap_or_default();
        format!("<tr>{name}{}</tr>", cells.map(|cell| format!("<td>{cell}</td>")).collect::<String>())
    };
    let rows: String = rows.iter().map(row).collect();
    format!(
        "<div class=\"wide\" role=\"region\" tabindex=\"0\" aria-label=\"{caption}\"><table><caption>{caption}</caption>\
         <thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table></div>"
    )
}

/// The head of a column of figures: what it is called and how it is made.
#[must_use]
pub fn head(definition: &Definition, language: Language) -> String {
    let [label, formula] = [words::label(definition, language), words::formula(definition.formula, language)];
    format!("{} <small>{}</small>", escaped(label), escaped(formula))
}

/// A figure as people read it; a sum of windows that are withheld at times is only a lower bound.
#[must_use]
pub fn figure(definition: &Definition, figure: Figure, presence: Presence, language: Language) -> String {
    let is_partly = presence == Presence::PartlyWithheld && definition.adds;
    let number = |value: f64| number(definition.unit, value, language);
    let at_least = |value: f64| words::AT_LEAST.with(language, &[&number(value)]);
    match figure {
        Figure::Is(value) if is_partly => format!("<span class=\"partly\">{}</span>", at_least(value)),
        Figure::Is(value) => number(value),
        Figure::AtLeast(value) => at_least(value),
        Figure::None(why) => no_figure(why, language),
    }
}

/// Why there is no figure.
#[must_use]
pub fn no_figure(why: Why, language: Language) -> String {
    quietly(words::why(why), language)
}

/// Words in the place of a figure.
#[must_use]
pub fn quietly(words: Word, language: Language) -> String {
    format!("<span class=\"why\">{}</span>", words.of(language))
}

/// A number in its unit.
#[must_use]
pub fn number(unit: &str, value: f64, language: Language) -> String {
    match unit {
        "share" => format!("{:.1} %", value * 100.0),
        "ms" => length(value / 1000.0, language),
        "s" => length(value, language),
        _ if value.fract() == 0.0 => thousands(value),
        _ => format!("{value:.2}"),
    }
}

/// A length of time, s, in the two units people would choose.
#[must_use]
pub fn length(length_s: f64, language: Language) -> String {
    let two = |word: Word, whole: f64, rest: f64| {
        word.with(language, &[&thousands(whole.floor()), &format!("{:02}", rest.floor())])
    };
    match length_s {
        length_s if length_s < 60.0 => words::SECONDS.with(language, &[&format!("{length_s:.1}")]),
        length_s if length_s < 3600.0 => two(words::MINUTES, length_s / 60.0, length_s % 60.0),
        _ => two(words::HOURS_LONG, length_s / 3600.0, length_s % 3600.0 / 60.0),
    }
}

/// A whole number with thin blanks between its thousands.
#[must_use]
pub fn thousands(value: f64) -> String {
    let digits = format!("{:.0}", value.abs());
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push('\u{202f}');
        }
        text.push(digit);
    }
    if value < 0.0 { format!("−{text}") } else { text }
}

#[cfg(test)]
mod tests {
    use super::super::super::period::definition;
    use super::*;
    use crate::wire::read::Kind;

    const EN: Language = Language::English;

    #[test]
    fn numbers_are_told_in_the_units_people_use() {
        assert_eq!(number("crossings", 1_234_567.0, EN), "1\u{202f}234\u{202f}567");
        assert_eq!([number("share", 0.125, EN), number("people", 0.4, EN)], ["12.5 %", "0.40"]);
        assert_eq!([12.34, 75.0, 7_260.0].map(|s| length(s, EN)), ["12.3 s", "1 min 15 s", "2 h 01 min"]);
        assert_eq!([12.34, 75.0].map(|s| length(s, Language::Japanese)), ["12.3 秒", "1 分 15 秒"]);
        assert_eq!(thousands(-1_000.0), "−1\u{202f}000");
    }

    #[test]
    fn a_sum_of_windows_withheld_at_times_is_only_a_lower_bound_and_a_share_is_not_called_one() {
        let told = |name: &str, presence: Presence| {
            figure(definition(Kind::Zone, name).expect("a figure"), Figure::Is(7.0), presence, EN)
        };
        assert_eq!(told("entries", Presence::Told), "7");
        assert!(told("entries", Presence::PartlyWithheld).contains("at least 7"));
        assert!(!told("occ_max", Presence::PartlyWithheld).contains("at least"));
    }

    #[test]
    fn four_different_things_have_four_different_words() {
        let words = [Why::NoRecord, Why::Blind, Why::Withheld, Why::NobodyCame];
        for language in Language::ALL {
            let mut words = words.map(|why| no_figure(why, language)).to_vec();
            words.dedup();
            assert_eq!(words.len(), 4);
            assert!(words.iter().all(|word| !word.contains('0')));
        }
    }

    #[test]
    fn nothing_breaks_out_of_a_text() {
        assert_eq!(escaped("<a href=\"x\">&'"), "&lt;a href=&quot;x&quot;&gt;&amp;&#39;");
    }
}
