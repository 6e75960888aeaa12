//! Composing a sign: a band that is seen from afar, rows that are read from near, a panel with desk and code.
//!
//! In: [`Sign`] and [`Form`]. Out: [`Sheet`]. The letters are as large as the form has room for, from [`SIZE_MAX`] down to
//! [`SIZE_MIN`]; what is left over becomes air between the rows.

use super::{Form, Mark, Row, Sign};
use crate::notice::NoticeError;
use crate::notice::fonts::{Weight, width};
use crate::notice::layout::{Area, Sheet, Style, WHITE, broken};
use crate::notice::sign::pictogram;
use crate::notice::words::SignWords;

/// Smallest letters on a sign, in points of A4.
pub const SIZE_MIN: f64 = 9.0;
const SIZE_MAX: f64 = 26.0;
const SIZE_STEP: f64 = 0.25;

/// Colours of letters and what they stand on.
pub const PALETTE: [(&str, &str); 8] =
    [(WHITE, NAVY), (AMBER, NAVY), (MIST, NAVY), (INK, WHITE), (NAVY, WHITE), (GREY, WHITE), (INK, PALE), (NAVY, PALE)];
const NAVY: &str = "#10335c";
const AMBER: &str = "#ffd35c";
const MIST: &str = "#d6e4f2";
const INK: &str = "#17212b";
const GREY: &str = "#4a5763";
const PALE: &str = "#eaf1f8";
const RULE: &str = "#c3d0dc";
const GREEN: &str = "#1b7a43";

/// A sign being composed at one size of letters.
struct Composing<'a> {
    sign: &'a Sign,
    words: &'static SignWords,
    /// Width and height of the sheet.
    page: (f64, f64),
    /// A point of A4, in units of the sheet.
    unit: f64,
    /// Size of what is read, in units of the sheet.
    size: f64,
}

/// The sign in a form, with the largest letters that leave room for everything.
pub fn composed(sign: &Sign, form: Form) -> Result<Sheet, NoticeError> {
    let (unit, page) = (form.scale(), form.size());
    let attempt = |step: u32| {
        let size = (SIZE_MIN + f64::from(step) * SIZE_STEP) * unit;
        let composing = Composing { sign, words: SignWords::of(sign.language), page, unit, size };
        if form == Form::Landscape { composing.landscape() } else { composing.portrait() }
    };
    let mut best = attempt(0).ok_or_else(|| {
        let (key, chars) = sign.longest();
        NoticeError::TooLong { form: form.name(), key, chars }
    })?;
    let (mut roomy, mut tight) = (0, ((SIZE_MAX - SIZE_MIN) / SIZE_STEP) as u32 + 1);
    while tight - roomy > 1 {
        let step = roomy.midpoint(tight);
        match attempt(step) {
            Some(sheet) => (best, roomy) = (sheet, step),
            None => tight = step,
        }
    }
    Ok(best)
}

/// Lines of text on their way to a sheet.
struct Lines {
    lines: Vec<String>,
    style: Style,
}

impl Lines {
    fn height(&self) -> f64 {
        self.lines.len() as f64 * self.style.size * self.style.leading
    }

    fn width(&self) -> f64 {
        self.lines.iter().map(|line| width(line, self.style.weight) * self.style.size).fold(0.0, f64::max)
    }
}

impl Composing<'_> {
    fn portrait(&self) -> Option<Sheet> {
        let (page_width, page_height) = self.page;
        let (unit, margin) = (self.unit, MARGIN * self.unit);
        let inner = page_width - 2.0 * margin;
        let mut sheet = Sheet::new(page_width, page_height);
        let band = self.band(&mut sheet, inner);
        let footer = page_height - margin * 0.6 - SIZE_MIN * unit * 1.3;
        let panel = self.panel(&mut sheet, footer - 10.0 * unit, inner);
        let place = Area { x: margin, y: band + 14.0 * unit, width: inner, height: panel - band - 28.0 * unit };
        self.rows(&mut sheet, place, &self.sign.rows.iter().collect::<Vec<_>>())?;
        self.footer(&mut sheet, margin, footer, inner)?;
        Some(sheet)
    }

    fn landscape(&self) -> Option<Sheet> {
        let (page_width, page_height) = self.page;
        let (unit, margin) = (self.unit, MARGIN * self.unit);
        let left = page_width * 0.36;
        let mut sheet = Sheet::new(page_width, page_height);
        sheet.rectangle(Area { x: 0.0, y: 0.0, width: left, height: page_height }, 0.0, NAVY);
        let inner = left - 2.0 * margin;
        let side = 104.0 * unit;
        let y = self.title(&mut sheet, Area { x: margin, y: margin, width: inner, height: side });
        let y = self.headline(&mut sheet, [margin, y + 14.0 * unit, inner], 1);
        let side = CODE_SIDE * unit * 1.25;
        let code = Area { x: margin, y: page_height - margin - side, width: side, height: side };
        sheet.picture(code, &self.sign.code.svg(code));
        sheet.on(NAVY);
        let beside = inner - side - 14.0 * unit;
        let details = self.bold(self.words.details, 13.0 * unit, AMBER, beside);
        let address = self.plain(&self.sign.policy_url, 10.0 * unit, MIST, beside);
        let at = code.y + (side - details.height() - address.height()).max(0.0) / 2.0;
        let x = margin + side + 14.0 * unit;
        let at = sheet.write(&details.lines, x, at, details.style);
        let end = sheet.write(&address.lines, x, at, address.style);
        if y > code.y - 10.0 * unit || end > page_height - margin / 2.0 {
            return None;
        }
        sheet.on(WHITE);
        let (x, inner) = (left + margin, page_width - left - 2.0 * margin);
        let footer = page_height - margin - SIZE_MIN * unit * 1.3;
        let texts = self.sign.desk.iter().map(|text| ("notice.desk".to_owned(), text.clone())).collect();
        let desk = Row { heading: self.words.desk, texts, mark: Mark::None, small: None };
        let rows: Vec<&Row> = self.sign.rows.iter().chain([&desk]).collect();
        let place = Area { x, y: margin * 0.8, width: inner, height: footer - margin * 0.8 - 14.0 * unit };
        self.rows(&mut sheet, place, &rows)?;
        self.footer(&mut sheet, x, footer, inner)?;
        Some(sheet)
    }

    /// The band on top; returns where it ends.
    fn band(&self, sheet: &mut Sheet, inner: f64) -> f64 {
        let (unit, margin) = (self.unit, MARGIN * self.unit);
        // Twice: first to see how high it gets, for its ground lies below its letters.
        let write = |sheet: &mut Sheet| {
            let title = Area { x: margin, y: margin * 0.8, width: inner, height: 70.0 * unit };
            let y = self.title(sheet, title);
            self.headline(sheet, [margin, y + 12.0 * unit, inner], 0) + 16.0 * unit
        };
        let height = write(&mut Sheet::new(self.page.0, self.page.1));
        sheet.rectangle(Area { x: 0.0, y: 0.0, width: self.page.0, height }, 0.0, NAVY);
        write(sheet)
    }

    /// Pictogram, name of the shop and that images are analysed; `place` is as high as the pictogram. Returns its end.
    fn title(&self, sheet: &mut Sheet, place: Area) -> f64 {
        let unit = self.unit;
        let side = place.height;
        let square = Area { width: side, ..place };
        let x = place.x + side + 16.0 * unit;
        let room = place.width - side - 16.0 * unit;
        let shop = self.plain(&self.sign.shop, (self.size * 0.95).clamp(SIZE_MIN * unit, 14.0 * unit), MIST, room);
        let label = self.bold(self.words.analysed, self.label_size(room), AMBER, room);
        let height = shop.height() + label.height();
        sheet.picture(square, &pictogram(square, NAVY, WHITE, "#d9822b"));
        let y = place.y + (side - height).max(0.0) / 2.0;
        let y = sheet.write(&shop.lines, x, y, shop.style);
        let y = sheet.write(&label.lines, x, y, label.style);
        y.max(place.y + side)
    }

    /// As large as the rest allows, and on one line where that is not too small.
    fn label_size(&self, room: f64) -> f64 {
        let size = (self.size * 1.25).clamp(13.0 * self.unit, 22.0 * self.unit);
        let on_one_line = room / width(self.words.analysed, Weight::Bold);
        if on_one_line >= size * 0.8 { size.min(on_one_line) } else { size }
    }

    /// The sentence that is seen from afar, at `[x, y, room]`; returns its end.
    fn headline(&self, sheet: &mut Sheet, [x, y, room]: [f64; 3], narrow: usize) -> f64 {
        let lines: Vec<String> = self.words.headline[narrow].iter().map(|line| (*line).to_owned()).collect();
        let widest = lines.iter().map(|line| width(line, Weight::Bold)).fold(0.0, f64::max);
        let size = (room / widest).min(self.size * 2.6).clamp(20.0 * self.unit, 44.0 * self.unit).min(room / widest);
        let style = Style { size, weight: Weight::Bold, colour: WHITE, leading: 1.28 };
        sheet.write(&lines, x, y, style)
    }

    /// Desk and code at the foot, ending at `bottom`; returns where it begins.
    fn panel(&self, sheet: &mut Sheet, bottom: f64, inner: f64) -> f64 {
        let (unit, margin) = (self.unit, MARGIN * self.unit);
        let (side, gap) = (CODE_SIDE * unit, 14.0 * unit);
        let room = inner - side - 3.0 * gap;
        let small = (self.size * 0.8).clamp(SIZE_MIN * unit, 12.0 * unit);
        let parts = [
            self.bold(self.words.desk, self.size, NAVY, room),
            self.desk(room),
            self.bold(self.words.details, self.size, NAVY, room),
            self.plain(&self.sign.policy_url, small, INK, room),
        ];
        let text: f64 = parts.iter().map(Lines::height).sum::<f64>() + gap * 0.6;
        let height = text.max(side) + 2.0 * gap;
        let top = bottom - height;
        sheet.rectangle(Area { x: margin, y: top, width: inner, height }, 10.0 * unit, PALE);
        let code = Area { x: margin + inner - side - gap, y: top + (height - side) / 2.0, width: side, height: side };
        sheet.picture(code, &self.sign.code.svg(code));
        sheet.on(PALE);
        let mut y = top + (height - text) / 2.0;
        for (at, part) in parts.iter().enumerate() {
            y = sheet.write(&part.lines, margin + gap, y, part.style) + if at == 1 { gap * 0.6 } else { 0.0 };
        }
        sheet.on(WHITE);
        top
    }

    fn desk(&self, room: f64) -> Lines {
        let style = self.style(Weight::Regular, self.size, INK);
        let lines = self.sign.desk.iter().flat_map(|text| broken(text, style, room)).collect();
        Lines { lines, style }
    }

    /// The rows, spread over a place; `None` where they have no room.
    fn rows(&self, sheet: &mut Sheet, place: Area, rows: &[&Row]) -> Option<()> {
        let headings: Vec<Lines> =
            rows.iter().map(|row| self.bold(row.heading, self.size, NAVY, place.width * 0.24)).collect();
        let first = headings.iter().map(Lines::width).fold(0.0, f64::max) + self.size * 1.4;
        let room = place.width - first;
        let texts: Vec<Vec<Lines>> = rows.iter().map(|row| self.texts(row, room)).collect();
        let body = |texts: &[Lines]| texts.iter().map(Lines::height).sum::<f64>();
        let heights: Vec<f64> =
            headings.iter().zip(&texts).map(|(heading, texts)| heading.height().max(body(texts))).collect();
        let between = rows.len() as f64;
        let spare = place.height - heights.iter().sum::<f64>() - between * self.size * AIR_MIN;
        if spare < 0.0 {
            return None;
        }
        let air = self.size * AIR_MIN + (spare / between).min(self.size * 1.6);
        let mut y = place.y + (place.height - heights.iter().sum::<f64>() - between * air) / 2.0;
        for (at, (row, heading)) in rows.iter().zip(&headings).enumerate() {
            if at > 0 {
                sheet.shape(&format!(
                    r#"<path d="M{:.2} {y:.2}h{:.2}" stroke="{RULE}" stroke-width="{:.2}"/>"#,
                    place.x, place.width, self.unit
                ));
            }
            y += air / 2.0;
            sheet.write(&heading.lines, place.x, y, heading.style);
            self.write_texts(sheet, [place.x + first, y], row, &texts[at]);
            y += heights[at] + air / 2.0;
        }
        Some(())
    }

    fn texts(&self, row: &Row, room: f64) -> Vec<Lines> {
        let indent = if row.mark == Mark::None { 0.0 } else { self.size * INDENT };
        let mut texts: Vec<Lines> =
            row.texts.iter().map(|(_, text)| self.plain(text, self.size, INK, room - indent)).collect();
        let small = (self.size * 0.8).max(SIZE_MIN * self.unit);
        texts.extend(row.small.iter().map(|text| self.plain(text, small, GREY, room - indent)));
        texts
    }

    fn write_texts(&self, sheet: &mut Sheet, [x, mut y]: [f64; 2], row: &Row, texts: &[Lines]) {
        let indent = if row.mark == Mark::None { 0.0 } else { self.size * INDENT };
        for (at, text) in texts.iter().enumerate() {
            let middle = y + text.style.size * text.style.leading / 2.0;
            if at < row.texts.len() {
                sheet.shape(&self.mark(row.mark, x, middle));
            }
            y = sheet.write(&text.lines, x + indent, y, text.style);
        }
    }

    fn mark(&self, mark: Mark, x: f64, y: f64) -> String {
        let size = self.size;
        match mark {
            Mark::None => String::new(),
            Mark::Dot => {
                format!(r#"<circle cx="{:.2}" cy="{y:.2}" r="{:.2}" fill="{NAVY}"/>"#, x + size * 0.35, size * 0.17)
            }
            Mark::Check => format!(
                r#"<path d="M{:.2} {:.2}l{:.2} {:.2}l{:.2} {:.2}" stroke="{GREEN}" stroke-width="{:.2}" stroke-linecap="round" stroke-linejoin="round" fill="none"/>"#,
                x + size * 0.02,
                y + size * 0.02,
                size * 0.27,
                size * 0.28,
                size * 0.52,
                -size * 0.6,
                size * 0.16
            ),
        }
    }

    fn footer(&self, sheet: &mut Sheet, x: f64, y: f64, room: f64) -> Option<()> {
        let lines = self.plain(&self.sign.footer, SIZE_MIN * self.unit, GREY, room);
        sheet.write(&lines.lines, x, y, lines.style);
        (lines.lines.len() == 1).then_some(())
    }

    fn style(&self, weight: Weight, size: f64, colour: &'static str) -> Style {
        Style { size, weight, colour, leading: self.words.leading }
    }

    fn bold(&self, text: &str, size: f64, colour: &'static str, room: f64) -> Lines {
        let style = self.style(Weight::Bold, size, colour);
        Lines { lines: broken(text, style, room), style }
    }

    fn plain(&self, text: &str, size: f64, colour: &'static str, room: f64) -> Lines {
        let style = self.style(Weight::Regular, size, colour);
        Lines { lines: broken(text, style, room), style }
    }
}

/// Border of a sheet, in points of A4: what any printer can print.
const MARGIN: f64 = 36.0;
/// Side of the code with its light border, in points of A4: 4.5 cm.
const CODE_SIDE: f64 = 128.0;
/// Least air between two rows, in sizes.
const AIR_MIN: f64 = 0.7;
/// Width left to a mark, in sizes.
const INDENT: f64 = 1.3;
