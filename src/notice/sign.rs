//! The sign: what stands on it in one language, and the four forms it is made in.
//!
//! In: [`Notice`]. Out: [`Sign`], composed as a [`Sheet`], from which PDF and picture are made. Invariants: nothing that is
//! declared is left out, shortened or set smaller than can be read; where it has no room, [`NoticeError::TooLong`] says which
//! text to shorten.

mod compose;
mod pictogram;

use super::code::Code;
use super::fonts::lacking;
use super::layout::Sheet;
use super::words::SignWords;
use super::{Notice, NoticeError};
use crate::config::declared::{Language, Metric};
pub use compose::{PALETTE, SIZE_MIN};
pub use pictogram::pictogram;

/// Paper or screen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// 210 mm × 297 mm; the unit is a point.
    A4,
    /// 297 mm × 420 mm; the unit is a point.
    A3,
    /// 1080 × 1920 px.
    Portrait,
    /// 1920 × 1080 px.
    Landscape,
}

/// What stands on a sign.
pub struct Sign {
    /// Its language.
    pub language: Language,
    /// Name of the shop.
    pub shop: String,
    /// What is said about what, in order.
    pub rows: Vec<Row>,
    /// Whom to ask.
    pub desk: Vec<String>,
    /// The code.
    pub code: Code,
    /// Where the policy can be read.
    pub policy_url: String,
    /// Id, date and configuration.
    pub footer: String,
}

/// A heading and what is said under it.
pub struct Row {
    /// The heading.
    pub heading: &'static str,
    /// Key in the site file of each text beside it.
    pub texts: Vec<(String, String)>,
    /// What stands before each text.
    pub mark: Mark,
    /// Something small below.
    pub small: Option<String>,
}

/// What stands before a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mark {
    /// Nothing.
    None,
    /// A dot.
    Dot,
    /// A check mark.
    Check,
}

impl Form {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::A4, Self::A3, Self::Portrait, Self::Landscape];

    /// Width and height, in its units.
    #[must_use]
    pub fn size(self) -> (f64, f64) {
        match self {
            Self::A4 => (210.0 * POINTS_PER_MM, 297.0 * POINTS_PER_MM),
            Self::A3 => (297.0 * POINTS_PER_MM, 420.0 * POINTS_PER_MM),
            Self::Portrait => (1080.0, 1920.0),
            Self::Landscape => (1920.0, 1080.0),
        }
    }

    /// What a point of A4 is on it.
    #[must_use]
    pub fn scale(self) -> f64 {
        match self {
            Self::A4 => 1.0,
            Self::A3 => 297.0 / 210.0,
            Self::Portrait => 1080.0 / Self::A4.size().0,
            Self::Landscape => 1.62, // its right two thirds are as wide as A4
        }
    }

    /// Name in the names of files and in messages.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::A4 => "a4",
            Self::A3 => "a3",
            Self::Portrait => "screen",
            Self::Landscape => "screen-wide",
        }
    }
}

impl Sign {
    /// What has to stand on it.
    ///
    /// # Errors
    /// [`NoticeError::NoLetter`] for a letter the font does not have.
    pub fn of(notice: &Notice, language: Language) -> Result<Self, NoticeError> {
        let (words, declared) = (SignWords::of(language), &notice.site.declared);
        let policy_url = declared.policy_url.clone().unwrap_or_default();
        let code = Code::of(&policy_url, &notice.sign_id);
        let sign = Self {
            language,
            shop: notice.site.settings.store.name.clone(),
            rows: rows(notice, words, language),
            desk: desk(notice, words, language),
            code: code.ok_or_else(|| NoticeError::TooLong {
                form: "QR code",
                key: "notice.policy_url".into(),
                chars: policy_url.chars().count(),
            })?,
            policy_url,
            footer: [
                (words.number, &notice.sign_id),
                (words.made, &notice.made_on),
                (words.configuration, &notice.cfg),
            ]
            .map(|(word, value)| format!("{word} {value}"))
            .join("\u{3000}"),
        };
        sign.check_letters()?;
        Ok(sign)
    }

    /// The sign in one of its forms.
    ///
    /// # Errors
    /// [`NoticeError::TooLong`] where it has no room for everything in letters that can be read.
    pub fn sheet(&self, form: Form) -> Result<Sheet, NoticeError> {
        compose::composed(self, form)
    }

    fn check_letters(&self) -> Result<(), NoticeError> {
        let texts = self.rows.iter().flat_map(|row| &row.texts).map(|(key, text)| (key.as_str(), text.as_str()));
        let desk = self.desk.iter().map(|text| ("notice.desk", text.as_str()));
        let all = texts.chain(desk).chain([("store.name", self.shop.as_str())]);
        match all.into_iter().find_map(|(key, text)| Some((key, lacking(text)?))) {
            Some((key, letter)) => Err(NoticeError::NoLetter { key: key.to_owned(), letter }),
            None => Ok(()),
        }
    }

    /// The longest text that is declared, by its key: what to shorten first.
    fn longest(&self) -> (String, usize) {
        let texts = self.rows.iter().flat_map(|row| row.texts.iter().cloned());
        let desk = self.desk.iter().map(|text| ("notice.desk".to_owned(), text.clone()));
        let all = texts.chain(desk).chain([("store.name".to_owned(), self.shop.clone())]);
        let counted = all.map(|(key, text)| (key, text.chars().count()));
        counted.max_by_key(|(_, chars)| *chars).unwrap_or_default()
    }
}

fn rows(notice: &Notice, words: &'static SignWords, language: Language) -> Vec<Row> {
    let declared = &notice.site.declared;
    let mut purposes: Vec<(String, String)> = Vec::new();
    for metric in Metric::ALL {
        let text = declared.purposes.get(&metric).and_then(|text| text.in_language(language));
        if let Some(text) = text.filter(|text| !purposes.iter().any(|(_, known)| known == text)) {
            purposes.push((format!("purposes.{}.{}", metric.name(), language.code()), text.to_owned()));
        }
    }
    let who = declared.controllers.iter().map(|party| ("notice.controllers.name".to_owned(), party.name.clone()));
    let objection = declared.objection.as_ref().and_then(|text| text.in_language(language)).unwrap_or_default();
    let row = |heading, texts, mark| Row { heading, texts, mark, small: None };
    let is_joint = declared.controllers.len() > 1;
    let mut rows = vec![
        row(words.why, purposes, Mark::Dot),
        Row {
            small: is_joint.then(|| words.jointly.to_owned()),
            ..row(words.who, who.collect(), if is_joint { Mark::Dot } else { Mark::None })
        },
        promises(notice, words, language),
        row(words.objection, vec![(format!("notice.objection.{}", language.code()), objection.to_owned())], Mark::None),
    ];
    rows.retain(|row| !row.texts.is_empty());
    rows
}

/// What is proved; nothing where nothing is.
fn promises(notice: &Notice, words: &'static SignWords, language: Language) -> Row {
    let claims = notice.claims.iter().take(CLAIMS_MAX);
    let texts = claims.map(|claim| (claim.id().to_owned(), claim.sentence(language, notice.bounds()))).collect();
    let small = notice.tested_on().map(|day| words.tested.replace("{}", &day));
    Row { heading: words.promises, texts, mark: Mark::Check, small }
}

fn desk(notice: &Notice, words: &SignWords, language: Language) -> Vec<String> {
    let Some(desk) = &notice.site.declared.desk else { return Vec::new() };
    let line = |word: &str, text: &Option<String>| text.as_ref().map(|text| format!("{word} {text}"));
    let name = desk.name.in_language(language).map(str::to_owned);
    [name, line(words.phone, &desk.phone), line(words.email, &desk.email), line(words.hours, &desk.hours)]
        .into_iter()
        .flatten()
        .collect()
}

/// Claims on a sign; all of them stand on the policy.
const CLAIMS_MAX: usize = 6;
const POINTS_PER_MM: f64 = 72.0 / 25.4;
