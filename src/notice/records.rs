//! The papers a shop must be able to show: record of processing, retention, inventory, assessments, undertaking, recipients.
//!
//! In: a declared site and the newest self-test of what runs. Out: [`Paper`]s, one of each kind in a language. Invariants: what
//! is declared and what is set is taken from the configuration that runs; what protects the data is told by the self-test and not
//! by us; what only a person can judge is left open to be filled in.

mod assessment;
mod inventory;
mod processing;
mod undertaking;

pub use inventory::Use;

use super::paper::{Block, Paper};
use super::sign_id;
use crate::config::declared::{Language, LegalBasis, Metric, Party, Words};
use crate::config::site::Site;
use crate::wire::payload::selftest::{Outcome, SelfTest};

/// Everything the papers are made from.
#[derive(Clone, Copy)]
pub struct Known<'a> {
    /// What is declared and set.
    pub site: &'a Site,
    /// The newest self-test, if it is of what runs.
    pub self_test: Option<&'a SelfTest>,
    /// Today, on the shop's calendar.
    pub today: &'a str,
}

/// The papers in a language, each with the name of its file.
#[must_use]
pub fn papers(known: Known, language: Language) -> Vec<(&'static str, Paper)> {
    let writer = Writer { known, language };
    let all = [
        ("record", processing::record(writer)),
        ("retention", processing::retention(writer)),
        ("recipients", processing::recipients(writer)),
        ("inventory", inventory::inventory(writer)),
        ("dpia", assessment::impact(writer)),
        ("interest", assessment::interest(writer)),
        ("undertaking", undertaking::undertaking(writer)),
    ];
    let close = |paper: Paper| Paper { blocks: [vec![writer.made_of()], paper.blocks].concat(), ..paper };
    all.into_iter().map(|(name, paper)| (name, close(paper))).collect()
}

/// Who writes a paper, in which language.
#[derive(Clone, Copy)]
struct Writer<'a> {
    known: Known<'a>,
    language: Language,
}

impl<'a> Writer<'a> {
    /// One of two wordings.
    fn say(self, ja: &'a str, en: &'a str) -> &'a str {
        match self.language {
            Language::Ja => ja,
            Language::En => en,
        }
    }

    fn heading(self, ja: &str, en: &str) -> Block {
        Block::Heading(self.own(ja, en))
    }

    fn text(self, ja: &str, en: &str) -> Block {
        Block::Text(self.own(ja, en))
    }

    fn own(self, ja: &str, en: &str) -> String {
        match self.language {
            Language::Ja => ja.to_owned(),
            Language::En => en.to_owned(),
        }
    }

    fn list(self, points: &[(&str, &str)]) -> Block {
        Block::List(points.iter().map(|(ja, en)| self.own(ja, en)).collect())
    }

    fn paper(self, ja: &str, en: &str, blocks: Vec<Block>) -> Paper {
        Paper { title: self.own(ja, en), language: self.language, blocks }
    }

    /// A declared text; a dash where this language has none.
    fn declared(self, words: Option<&Words>) -> String {
        words.and_then(|words| words.in_language(self.language)).unwrap_or("–").to_owned()
    }

    fn parties(self, parties: &[Party]) -> Block {
        let nobody = vec![self.own("なし", "nobody")];
        let named = parties.iter().map(|party| format!("{} · {} · {}", party.name, party.address, party.contact));
        Block::List(if parties.is_empty() { nobody } else { named.collect() })
    }

    /// On what ground it is done, in words.
    fn basis(self) -> String {
        let basis = match self.known.site.declared.legal_basis {
            Some(LegalBasis::LegitimateInterest) => {
                ("正当な利益（GDPR 第6条1項f）", "legitimate interest, GDPR Article 6(1)(f)")
            }
            Some(LegalBasis::PublicTask) => ("公共の任務（GDPR 第6条1項e）", "public task, GDPR Article 6(1)(e)"),
            Some(LegalBasis::LegalObligation) => {
                ("法的義務（GDPR 第6条1項c）", "legal obligation, GDPR Article 6(1)(c)")
            }
            None => ("–", "–"),
        };
        self.own(basis.0, basis.1)
    }

    /// What a kind of figure is called.
    fn metric(self, metric: Metric) -> &'a str {
        match metric {
            Metric::Line => self.say("線を通った人数", "crossings of a line"),
            Metric::Zone => self.say("区画の滞在", "stays in a zone"),
            Metric::Queue => self.say("待ち行列", "queues"),
            Metric::Heat => self.say("混み具合の地図", "map of where people are"),
            Metric::Flow => self.say("流れの地図", "map of which way people go"),
            Metric::Od => self.say("場所から場所への移動", "ways between places"),
        }
    }

    /// From which configuration a paper was made.
    fn made_of(self) -> Block {
        let settings = &self.known.site.settings;
        let sign = sign_id(settings.declaration.as_deref().unwrap_or_default());
        let made = self.say("作成日", "made on");
        let words = self.say("設定", "configuration");
        let notice = self.say("掲示", "sign");
        Block::Text(format!(
            "{} · {made} {} · {words} {} · {notice} {sign} · kehai {}",
            settings.store.name,
            self.known.today,
            settings.revision(),
            env!("CARGO_PKG_VERSION")
        ))
    }

    /// What protects the data, as the self-test of what runs has found it.
    fn measures(self) -> Vec<Block> {
        let Some(test) = self.known.self_test else {
            return vec![self.text(
                "この装置・この設定の自己検査がまだありません。`kehai report` を実行してから、作り直してください。",
                "There is no self-test of this device with this configuration yet. Run kehai report and make this paper again.",
            )];
        };
        let head = [self.say("試験", "test"), self.say("結果", "outcome"), self.say("わかったこと", "what was seen")];
        let outcome = |outcome| match outcome {
            Outcome::Green => self.say("合格", "holds"),
            Outcome::Red => self.say("不合格", "does not hold"),
            Outcome::NotRun => self.say("未実施", "not tried"),
        };
        let rows = test
            .proofs
            .iter()
            .map(|proof| vec![proof.id.clone(), outcome(proof.outcome).to_owned(), proof.words.clone()])
            .collect();
        vec![Block::Table { head: head.map(str::to_owned).to_vec(), rows }]
    }
}
