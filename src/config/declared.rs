//! What a shop has to say openly before it may watch: who, why, on what ground, how long, whom to ask.
//!
//! In: `[notice]`, `[purposes]`, `[[recipient]]` and `[switch]` of the site file, checked. Out: [`Declared`], from which sign,
//! policy and records are made. Invariants: what is written here is part of the configuration's hash; what is required and not
//! written is named by [`Declared::missing`], and nothing is armed without it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Everything declared.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Declared {
    /// Languages of sign and policy; the first is the one that counts where they differ.
    pub languages: Vec<Language>,
    /// Who decides why and how: one, or several jointly.
    pub controllers: Vec<Party>,
    /// Who runs the box on their behalf, if anybody.
    pub processors: Vec<Party>,
    /// On what legal ground.
    pub legal_basis: Option<LegalBasis>,
    /// What the shop is after, where the ground is a legitimate interest.
    pub interest: Option<Words>,
    /// Whom to ask.
    pub desk: Option<Desk>,
    /// To which authority one may complain.
    pub authority: Option<Words>,
    /// How to object, and the way through the shop that no camera sees.
    pub objection: Option<Words>,
    /// Where the policy can be read: what the QR code says.
    pub policy_url: Option<String>,
    /// What each kind of figure is for. One without a purpose is not released: it is dropped within the
    /// eye, unsaid.
    pub purposes: BTreeMap<Metric, Words>,
    /// To whom figures go; nobody else may get them.
    pub recipients: Vec<Recipient>,
    /// Whose rules tighten the bounds.
    pub region: Option<Region>,
    /// Whether one person arms alone, which the policy then says.
    pub is_sole_operator: bool,
    /// How long released windows are kept, days, where the site file says it by itself.
    pub keep_days: Option<u32>,
    /// What changed and when, newest first.
    pub changes: Vec<Change>,
}

/// A language that sign and policy are written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Language {
    /// Japanese.
    Ja,
    /// English.
    En,
}

/// A text in each language.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Words {
    /// Japanese.
    pub ja: Option<String>,
    /// English.
    pub en: Option<String>,
}

impl Words {
    /// The text in a language.
    #[must_use]
    pub fn in_language(&self, language: Language) -> Option<&str> {
        match language {
            Language::Ja => self.ja.as_deref(),
            Language::En => self.en.as_deref(),
        }
        .filter(|text| !text.trim().is_empty())
    }
}

/// Somebody with a name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Party {
    /// Name.
    pub name: String,
    /// Postal address.
    pub address: String,
    /// Telephone number, address of e-mail or page.
    pub contact: String,
}

/// Legal grounds, by the names of the GDPR; Japan's law asks for the purpose, which is told in any case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LegalBasis {
    /// Article 6(1)(f).
    LegitimateInterest,
    /// Article 6(1)(e).
    PublicTask,
    /// Article 6(1)(c).
    LegalObligation,
}

/// Whom to ask.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Desk {
    /// Where it is, or what it is called.
    pub name: Words,
    /// Telephone number.
    pub phone: Option<String>,
    /// Address of e-mail.
    pub email: Option<String>,
    /// When somebody is there.
    pub hours: Option<String>,
}

/// A kind of figure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Metric {
    /// Crossings of a line.
    Line,
    /// Visits of a zone.
    Zone,
    /// A queue.
    Queue,
    /// Heat over a floor.
    Heat,
    /// Flow over a floor.
    Flow,
    /// Transitions between places.
    Od,
}

impl Metric {
    /// All of them, in the order they are shown in.
    pub const ALL: [Self; 6] = [Self::Line, Self::Zone, Self::Queue, Self::Heat, Self::Flow, Self::Od];

    /// As it stands in topics.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Line => "line",
            Self::Zone => "zone",
            Self::Queue => "queue",
            Self::Heat => "heat",
            Self::Flow => "flow",
            Self::Od => "od",
        }
    }
}

/// Somebody who gets figures.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Recipient {
    /// Name.
    pub name: String,
    /// Host of the broker it reads from, as in `broker.url`.
    pub host: String,
    /// Country it keeps them in, ISO 3166-1 alpha-2.
    pub country: String,
    /// What it wants them for.
    pub purpose: Words,
}

/// Whose rules tighten the bounds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Region {
    /// Japan: the act on the protection of personal information, and the guidebook on camera images.
    Jp,
    /// European Union: the GDPR.
    Eu,
    /// United Kingdom: the UK GDPR.
    Uk,
}

/// What the rules of a region ask for beyond what holds everywhere. No law names these numbers: they are what we let stand for
/// its caution, and a site file may ask for more but not for less.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RegionRules {
    /// Fewest distinct visits behind a figure.
    pub k_min: u32,
    /// Fewest people on a floor, or between the places of a camera, before anything of its paths is released.
    pub crowd_min: u32,
    /// The language that notices have to be in, among others.
    pub language: Option<Language>,
    /// Whether a `dangerous_` key may be set.
    pub allows_dangers: bool,
}

impl Region {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Jp, Self::Eu, Self::Uk];

    /// As it is written.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Jp => "jp",
            Self::Eu => "eu",
            Self::Uk => "uk",
        }
    }

    /// What it asks for.
    #[must_use]
    pub fn rules(self) -> RegionRules {
        let everywhere = RegionRules { k_min: K_MIN, crowd_min: K_MIN, language: None, allows_dangers: true };
        match self {
            Self::Jp => RegionRules { language: Some(Language::Ja), ..everywhere },
            Self::Eu => RegionRules { k_min: 10, crowd_min: 20, allows_dangers: false, ..everywhere },
            Self::Uk => RegionRules { crowd_min: 10, language: Some(Language::En), ..everywhere },
        }
    }
}

/// Fewest distinct visits behind a figure, anywhere (PRIVACY §3).
pub const K_MIN: u32 = 5;

/// A change that was announced.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Change {
    /// The day, "2026-11-27".
    pub date: String,
    /// What changed.
    pub what: Words,
}

impl Declared {
    /// What has to be written before anything is armed, by its key in the site file.
    #[must_use]
    pub fn missing(&self) -> Vec<String> {
        let required = [
            ("notice.languages", !self.languages.is_empty()),
            ("notice.controllers", !self.controllers.is_empty()),
            ("notice.legal_basis", self.legal_basis.is_some()),
            ("notice.desk", self.desk.is_some()),
            ("notice.authority", self.authority.is_some()),
            ("notice.objection", self.objection.is_some()),
            ("notice.policy_url", self.policy_url.is_some()),
            ("notice.region", self.region.is_some()),
            ("purposes", !self.purposes.is_empty()),
            ("vault.keep_days", self.keep_days.is_some()),
            ("notice.interest", self.legal_basis != Some(LegalBasis::LegitimateInterest) || self.interest.is_some()),
        ];
        let keys = required.into_iter().filter(|(_, is_there)| !is_there).map(|(key, _)| key.to_owned());
        keys.chain(self.language_of_region()).chain(self.untranslated()).collect()
    }

    /// The language of the region, where the notice is not in it.
    fn language_of_region(&self) -> Option<String> {
        let region = self.region?;
        let language = region.rules().language.filter(|language| !self.languages.contains(language))?;
        Some(format!("\"{}\" among notice.languages (region {})", language.code(), region.name()))
    }

    /// Texts that lack a language the notice is to be in.
    fn untranslated(&self) -> impl Iterator<Item = String> + '_ {
        let texts = [
            self.interest.as_ref().map(|text| ("notice.interest".to_owned(), text)),
            self.desk.as_ref().map(|desk| ("notice.desk.name".to_owned(), &desk.name)),
            self.authority.as_ref().map(|text| ("notice.authority".to_owned(), text)),
            self.objection.as_ref().map(|text| ("notice.objection".to_owned(), text)),
        ];
        let purposes = self.purposes.iter().map(|(metric, text)| (format!("purposes.{}", metric.name()), text));
        let recipients = self
            .recipients
            .iter()
            .map(|recipient| (format!("recipient.{}.purpose", recipient.name), &recipient.purpose));
        let texts = texts.into_iter().flatten().chain(purposes).chain(recipients);
        texts.flat_map(|(key, text)| {
            let lacking = self.languages.iter().filter(|language| text.in_language(**language).is_none());
            lacking.map(move |language| format!("{key}.{}", language.code())).collect::<Vec<_>>()
        })
    }
}

impl Language {
    /// ISO 639-1.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Ja => "ja",
            Self::En => "en",
        }
    }
}
