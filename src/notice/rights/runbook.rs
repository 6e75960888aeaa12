//! The runbook of the enquiry desk: what to do from the moment somebody asks until they are answered.
//!
//! In: a language. Out: a paper.

use crate::config::declared::Language;
use crate::notice::paper::{Block, Paper};

/// The runbook.
#[must_use]
pub fn runbook(language: Language) -> Paper {
    let say = |(ja, en): (&str, &str)| match language {
        Language::Ja => ja.to_owned(),
        Language::En => en.to_owned(),
    };
    let mut blocks = Vec::new();
    for (heading, steps) in STEPS {
        blocks.push(Block::Heading(say(*heading)));
        blocks.push(Block::List(steps.iter().map(|step| say(*step)).collect()));
    }
    let head = TICKET.map(|(ja, en)| say((ja, en))).to_vec();
    blocks.push(Block::Heading(say(("受付票", "Ticket"))));
    blocks.push(Block::Table { rows: vec![vec![" ".to_owned(); head.len()]; 3], head });
    Paper { title: say(("窓口の手引き", "Runbook of the desk")), language, blocks }
}

type Texts = (&'static str, &'static str);

const STEPS: &[(Texts, &[Texts])] = &[
    (
        ("その日（0日目）", "The day it comes (day 0)"),
        &[
            (
                "話を聞き、受付票に日付と内容を書く。名前は、返事に必要なときだけ。",
                "Listen; note the day and the matter on a ticket. A name only where it is needed to answer.",
            ),
            ("身分証明書、写真、来店の証明を求めない。", "Ask for no papers, no photograph, no proof of a visit."),
            (
                "「止めてほしい」と言われたら、先に `kehai pause` で止める。",
                "If they want it stopped, stop it first: kehai pause.",
            ),
            (
                "受け付けたことを、その場か翌日までに伝える。",
                "Confirm that it has come, there and then or by the next day.",
            ),
            ("費用はとらない。", "It is free of charge."),
        ],
    ),
    (
        ("7日目まで", "By day 7"),
        &[
            (
                "`kehai rights --site SITE --request KIND --received DATE --out FILE` で、署名つきの返事を作る。",
                "Make the signed answer: kehai rights --site SITE --request KIND --received DATE --out FILE.",
            ),
            (
                "消去の場合は、日と時間帯を聞き、所有者が `kehai purge` で消す。消した記録が残る。",
                "For erasure ask for day and time; an owner deletes with kehai purge, and the record of deeds tells it.",
            ),
            ("数えまちがいの指摘は、設置した人に渡す。", "A wrong count goes to the installer."),
        ],
    ),
    (
        ("30日目まで", "By day 30"),
        &[
            (
                "返事を渡す。遅くとも30日（GDPR では1か月）。",
                "Give the answer; thirty days at the latest (the GDPR says one month).",
            ),
            (
                "込み入った場合は、期限の前に理由を伝えて、さらに60日まで延ばせる。",
                "Where it is intricate, say why before the time is over; sixty more days at most.",
            ),
            (
                "何度も同じことを求められても、まず同じ返事をもう一度渡す。断るのは、明らかに度を越したときだけで、理由と申し立て先を添える。",
                "Whoever asks again gets the answer again. Refuse only what is plainly excessive, with the reason and where to complain.",
            ),
        ],
    ),
    (
        ("警察などから求められたとき", "When an authority asks"),
        &[
            (
                "渡せるのは集計した数字だけ。映像はないと伝える。",
                "There are totals to hand over and no pictures; say so.",
            ),
            ("文書を求め、上の人に知らせる。", "Ask for it in writing, and tell your superior."),
            ("`kehai audit note --kind disclosure` で記録する。", "Note it: kehai audit note --kind disclosure."),
        ],
    ),
    (
        ("漏えいかもしれないとき", "When something may have leaked"),
        &[
            (
                "まず `kehai pause`。それから責任者に電話する。",
                "First kehai pause, then telephone whoever is responsible.",
            ),
            (
                "`kehai audit note --kind breach` で、気づいた時刻を残す。",
                "Note the moment: kehai audit note --kind breach.",
            ),
            (
                "期限は SECURITY.md：24時間、72時間、3～5日、30日。",
                "The clocks stand in SECURITY.md: 24 hours, 72 hours, 3 to 5 days, 30 days.",
            ),
        ],
    ),
];
const TICKET: [Texts; 6] = [
    ("番号", "Number"),
    ("受付日", "Received"),
    ("内容", "Matter"),
    ("期限（30日）", "Due (30 days)"),
    ("返事の日", "Answered"),
    ("担当", "By"),
];
