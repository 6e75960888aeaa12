//! The inventory: every field that is published, what it is for, on what ground, for how long.
//!
//! In: the fields of the schema. Out: a paper with a row for each. Invariant: a message nobody has put into a [`Use`] has no row
//! that could pass (tests/openly/records.rs).

use super::Writer;
use crate::config::declared::{Language, Metric};
use crate::notice::paper::{Block, Paper};
use crate::wire::schema::inventory::fields;

/// What a message is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Use {
    /// Figures about many people, for the purpose their kind has.
    Figures(Metric),
    /// How the box fares; nothing of people.
    Operation,
    /// Where things are in the shop; nothing of people.
    Geometry,
    /// What was asked and answered, by whom; names of operators' keys.
    Commands,
    /// That the past was not changed.
    Evidence,
}

impl Use {
    /// What a kind of message is for; none for one nobody has thought about.
    #[must_use]
    pub fn of(message: &str) -> Option<Self> {
        if let Some(metric) = Metric::ALL.into_iter().find(|metric| metric.name() == message) {
            return Some(Self::Figures(metric));
        }
        match message {
            "state" | "about" | "health" | "evt" => Some(Self::Operation),
            "meta" => Some(Self::Geometry),
            "cmd" | "rsp" => Some(Self::Commands),
            "audit" => Some(Self::Evidence),
            _ => None,
        }
    }
}

pub(super) fn inventory(writer: Writer) -> Paper {
    let head = [
        writer.say("通知", "Message"),
        writer.say("項目", "Field"),
        writer.say("内容（英語）", "What it is"),
        writer.say("目的", "What for"),
        writer.say("根拠", "Ground"),
        writer.say("期間", "For how long"),
    ];
    let rows = fields().into_iter().filter_map(|field| {
        let of = Use::of(&field.message);
        let purposes = &writer.known.site.declared.purposes;
        if matches!(of, Some(Use::Figures(metric)) if !purposes.contains_key(&metric)) {
            // Without a purpose it is not released.
            return None;
        }
        let [purpose, ground, period] = reasons(writer, of?);
        Some(vec![field.message, field.path, field.what, purpose, ground, period])
    });
    let blocks = vec![
        writer.text(
            "装置が送る通知の項目は、次がすべてです（画像や一覧にするときも、同じ数字を使います）。この表は、装置が通知の形を決める元の定義から作られます。",
            "These are all fields of all messages the device sends; pictures and lists are made of the same figures. The table is made from the definition the device makes its messages by.",
        ),
        Block::Table { head: head.map(str::to_owned).to_vec(), rows: rows.collect() },
    ];
    writer.paper("データの一覧", "Data inventory", blocks)
}

fn reasons(writer: Writer, of: Use) -> [String; 3] {
    let days = writer.known.site.outlets.keeping.days;
    let kept = match writer.language {
        Language::Ja => format!("{days}日"),
        Language::En => format!("{days} days"),
    };
    let no_person = writer.own("人についての内容なし", "nothing of a person");
    let newest = writer.own("次の通知まで", "until the next one");
    match of {
        Use::Figures(metric) => {
            let purpose = writer.declared(writer.known.site.declared.purposes.get(&metric));
            [purpose, writer.basis(), kept]
        }
        Use::Operation => [writer.own("装置の状態を知る", "to know how the device fares"), no_person, newest],
        Use::Geometry => [writer.own("数字の場所を示す", "to say where a figure belongs"), no_person, newest],
        Use::Commands => [
            writer.own("指示に答え、だれの指示かを残す", "to answer commands, and know whose they were"),
            writer.own("操作する人の鍵の名前だけ", "names of operators' keys alone"),
            writer.own("1年（操作の記録）", "one year, in the record of deeds"),
        ],
        Use::Evidence => [
            writer.own("記録が書き換えられていないことを示す", "to show that the record was not changed"),
            no_person,
            writer.own("1年", "one year"),
        ],
    }
}
