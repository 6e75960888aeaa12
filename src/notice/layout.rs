//! Laying out: text becomes lines that fit, lines and shapes become a sheet, a sheet becomes an SVG.
//!
//! In: texts with a [`Style`] and a width. Out: [`Sheet`]. Invariants: a line is never wider than what it was given and never
//! begins with what must not begin one (Unicode annex 14); all that is declared is escaped; everything on a sheet has a box, by
//! which tests see that nothing overlaps.

use std::fmt::Write;

use unicode_linebreak::linebreaks;

use super::fonts::{FAMILY, Weight, width};

/// How a text looks.
#[derive(Debug, Clone, Copy)]
pub struct Style {
    /// Height of the letters, in units of the sheet.
    pub size: f64,
    /// Thickness.
    pub weight: Weight,
    /// Colour, "#rrggbb".
    pub colour: &'static str,
    /// From one base line to the next, in sizes.
    pub leading: f64,
}

/// A place on a sheet, in its units; y down.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Area {
    /// Left border.
    pub x: f64,
    /// Upper border.
    pub y: f64,
    /// Width.
    pub width: f64,
    /// Height.
    pub height: f64,
}

/// One line of text on a sheet.
#[derive(Debug, Clone)]
pub struct Line {
    /// What it says.
    pub text: String,
    /// Where its letters are.
    pub area: Area,
    /// How it looks.
    pub style: Style,
    /// What it stands on, "#rrggbb".
    pub ground: &'static str,
}

/// A page, being filled.
#[derive(Debug)]
pub struct Sheet {
    /// Width, in its units.
    pub width: f64,
    /// Height, in its units.
    pub height: f64,
    /// Everything that is read.
    pub lines: Vec<Line>,
    /// Pictures that must be seen whole.
    pub pictures: Vec<Area>,
    shapes: String,
    ground: &'static str,
}

impl Area {
    /// Whether two places share more than an edge.
    #[must_use]
    pub fn overlaps(&self, other: &Self) -> bool {
        let apart = |a: f64, length: f64, b: f64| a + length <= b + SLACK;
        !(apart(self.x, self.width, other.x)
            || apart(other.x, other.width, self.x)
            || apart(self.y, self.height, other.y)
            || apart(other.y, other.height, self.y))
    }

    /// Whether another place lies inside.
    #[must_use]
    pub fn holds(&self, other: &Self) -> bool {
        self.x <= other.x + SLACK
            && self.y <= other.y + SLACK
            && other.x + other.width <= self.x + self.width + SLACK
            && other.y + other.height <= self.y + self.height + SLACK
    }
}

impl Sheet {
    /// An empty one.
    #[must_use]
    pub fn new(width: f64, height: f64) -> Self {
        let mut sheet =
            Self { width, height, lines: Vec::new(), pictures: Vec::new(), shapes: String::new(), ground: WHITE };
        sheet.rectangle(Area { x: 0.0, y: 0.0, width, height }, 0.0, WHITE);
        sheet
    }

    /// A filled rectangle; what is written from now on stands on its colour.
    pub fn rectangle(&mut self, area: Area, radius: f64, colour: &'static str) {
        let Area { x, y, width, height } = area;
        self.ground = colour;
        self.shape(&format!(
            r#"<rect x="{x:.2}" y="{y:.2}" width="{width:.2}" height="{height:.2}" rx="{radius:.2}" fill="{colour}"/>"#
        ));
    }

    /// What is written from now on stands on this colour.
    pub fn on(&mut self, colour: &'static str) {
        self.ground = colour;
    }

    /// A shape of our own, as SVG.
    pub fn shape(&mut self, svg: &str) {
        self.shapes.push_str(svg);
        self.shapes.push('\n');
    }

    /// A drawing of our own, as SVG, that nothing may cover.
    pub fn picture(&mut self, area: Area, svg: &str) {
        self.pictures.push(area);
        self.shape(svg);
    }

    /// Writes lines below each other, from the upper left; returns where the next thing may begin.
    pub fn write(&mut self, lines: &[String], x: f64, mut y: f64, style: Style) -> f64 {
        let step = style.size * style.leading;
        for text in lines {
            let top = y + (step - style.size) / 2.0;
            let area = Area { x, y: top, width: width(text, style.weight) * style.size, height: style.size };
            self.lines.push(Line { text: text.clone(), area, style, ground: self.ground });
            y += step;
        }
        y
    }

    /// The page as an SVG, so high and wide in units of its own; `name` is for those who hear it.
    #[must_use]
    pub fn svg(&self, name: &str) -> String {
        let (width, height) = (self.width, self.height);
        let mut svg = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" viewBox=\"0 0 {width} {height}\" \
             role=\"img\" font-family=\"{FAMILY}\">\n<title>{}</title>\n{}",
            escape(name),
            self.shapes
        );
        for line in &self.lines {
            let Line { text, area, style, .. } = line;
            let base = area.y + style.size * ASCENT;
            let _ = writeln!(
                svg,
                r#"<text x="{:.2}" y="{base:.2}" font-size="{:.2}" font-weight="{}" fill="{}" xml:space="preserve">{}</text>"#,
                area.x,
                style.size,
                style.weight.number(),
                style.colour,
                escape(text)
            );
        }
        svg.push_str("</svg>\n");
        svg
    }
}

/// Breaks a text into lines that are no wider than `room`, in units of the sheet: between phrases where that leaves no line
/// half empty, else wherever the rules allow. A last line of a word or two is avoided where narrower lines are as many.
#[must_use]
pub fn broken(text: &str, style: Style, room: f64) -> Vec<String> {
    let lines = filled(text, style, room);
    let is_short = |lines: &[String]| {
        lines.len() > 1 && lines.last().is_some_and(|last| width(last, style.weight) * style.size < room * SHORT)
    };
    if !is_short(&lines) {
        return lines;
    }
    let narrower = NARROWER.iter().map(|share| filled(text, style, room * share));
    narrower.into_iter().find(|other| other.len() == lines.len() && !is_short(other)).unwrap_or(lines)
}

/// Lines as full as phrases allow.
fn filled(text: &str, style: Style, room: f64) -> Vec<String> {
    let width_of = |line: &str| width(line.trim_end(), style.weight) * style.size;
    let mut lines = Vec::new();
    let mut rest: Vec<&str> = Vec::new();
    let mut start = 0;
    for (end, _) in linebreaks(text) {
        rest.push(&text[start..end]);
        start = end;
        while width_of(&rest.concat()) > room {
            let cut = cut(&rest, room, &width_of);
            if cut > 0 {
                lines.push(rest.drain(..cut).collect::<String>());
                continue;
            }
            // What has no place to break and is wider than a line is broken anywhere.
            let only = rest.remove(0);
            let fitting = only
                .char_indices()
                .map(|(at, letter)| at + letter.len_utf8())
                .take_while(|at| width_of(&only[..*at]) <= room);
            let first = only.chars().next().map_or(0, char::len_utf8);
            let at = fitting.last().unwrap_or(first);
            lines.push(only[..at].to_owned());
            if at == only.len() {
                break;
            }
            rest.insert(0, &only[at..]);
        }
    }
    lines.push(rest.concat());
    lines.into_iter().map(|line| line.trim_end().to_owned()).filter(|line| !line.is_empty()).collect()
}

/// How many pieces go on a line; 0 where not even one does.
fn cut(pieces: &[&str], room: f64, width_of: &dyn Fn(&str) -> f64) -> usize {
    let fits = |count: &usize| width_of(&pieces[..*count].concat()) <= room;
    let Some(most) = (1..pieces.len()).rev().find(fits) else { return 0 };
    let is_full = |count: &usize| width_of(&pieces[..*count].concat()) >= room * FULL;
    let phrases = (1..=most).rev().take_while(is_full);
    phrases.into_iter().find(|count| is_between_phrases(pieces[count - 1], pieces[*count])).unwrap_or(most)
}

/// Whether a reader expects a pause: after a mark or a blank, and in Japanese after a particle, before another word.
fn is_between_phrases(before: &str, after: &str) -> bool {
    let (Some(last), Some(next)) = (before.chars().last(), after.chars().next()) else { return true };
    let begins_a_word = !('\u{3041}'..='\u{309f}').contains(&next) || POLITE.contains(next);
    OPENING.contains(next)
        || last.is_whitespace()
        || last.is_ascii()
        || PAUSES.contains(last)
        || PARTICLES.contains(last) && begins_a_word
}

/// Text that is safe between tags and in quoted attributes, of HTML and of SVG.
#[must_use]
pub fn escape(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            letter if letter.is_control() && letter != '\n' => safe.push('\u{fffd}'),
            letter => safe.push(letter),
        }
    }
    safe
}

/// Marks after which a reader pauses.
const PAUSES: &str = "、。，．！？：；）」』】・\u{3000}";
/// Brackets that open.
const OPENING: &str = "（「『【(";
/// How little a last line may hold, and how much narrower lines may get for its sake.
const SHORT: f64 = 0.25;
const NARROWER: [f64; 5] = [0.94, 0.88, 0.82, 0.76, 0.7];
/// Letters that end most phrases, and those that begin a polite word.
const PARTICLES: &str = "をはがにでともへのやてば";
const POLITE: &str = "おご";
/// How much of a line is filled before it may end at a phrase.
const FULL: f64 = 0.6;
/// The colour of an empty sheet.
pub const WHITE: &str = "#ffffff";
/// Height of the letters above the base line, in sizes (its capitals are 0.73 high, its ideographs 0.88).
const ASCENT: f64 = 0.86;
/// What rounding may add up to, in units of a sheet.
const SLACK: f64 = 0.02;

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const STYLE: Style = Style { size: 10.0, weight: Weight::Regular, colour: "#000000", leading: 1.4 };

    #[test]
    fn no_line_begins_with_a_mark_that_ends_a_sentence_or_a_small_letter() {
        let text =
            "お客様の動きを数えて、混雑を減らします。レジの待ち時間をチェックし、（人数だけ）スタッフを増やします。";
        for room in 20..120 {
            let lines = broken(text, STYLE, f64::from(room));
            assert_eq!(lines.concat(), text);
            let forbidden = |line: &&String| line.starts_with(['、', '。', '）', 'ッ', 'ェ', 'ー']);
            // A room of two letters leaves no choice.
            assert!(room < 40 || !lines.iter().any(|line| forbidden(&line)), "{room}: {lines:?}");
        }
    }

    #[test]
    fn what_cannot_be_broken_is_broken_anywhere_rather_than_cut() {
        let lines = broken(&format!("see https://shop.example/{}", "a".repeat(100)), STYLE, 100.0);
        assert!(lines.len() > 4 && lines.concat().ends_with("aaa"));
        assert!(lines.iter().all(|line| width(line, STYLE.weight) * STYLE.size <= 100.0), "{lines:?}");
    }

    proptest! {
        #[test]
        fn every_letter_is_on_some_line_and_no_line_is_too_wide(text in "[a-zA-Zあ-んア-ン一-三、。「」 ()-]{0,200}", room in 15.0..300.0f64) {
            let lines = broken(&text, STYLE, room);
            let kept = |text: &str| text.chars().filter(|letter| !letter.is_whitespace()).collect::<String>();
            prop_assert_eq!(kept(&lines.concat()), kept(&text));
            prop_assert!(lines.iter().all(|line| width(line, STYLE.weight) * STYLE.size <= room + 1e-9));
        }

        #[test]
        fn nothing_that_is_escaped_opens_a_tag_or_leaves_an_attribute(text in any::<String>()) {
            let safe = escape(&text);
            prop_assert!(!safe.contains(['<', '>', '"', '\'']));
            let document = format!("<a b=\"{safe}\">{safe}</a>");
            let parsed = roxmltree::Document::parse(&document);
            // What XML has no way to write may not be in it at all; the rest comes back as it was.
            if let Ok(parsed) = parsed {
                prop_assert_eq!(parsed.root_element().children().count(), usize::from(!text.is_empty()));
            }
        }
    }
}
