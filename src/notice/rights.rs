//! What people are answered who exercise a right, and what the desk needs for it.
//!
//! In: a declared site, a [`Request`], days. Out: [`Paper`]s. Invariants: an answer never asks who somebody is; it says what
//! exists, why nobody can be found in it, what the person can do, and until when they are answered.

mod questions;
mod runbook;

pub use questions::questions;
pub use runbook::runbook;

use super::paper::{Block, Paper};
use super::sign_id;
use crate::config::declared::{Language, Metric, Words};
use crate::config::site::Site;

/// What somebody asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Request {
    /// To know (GDPR Article 15).
    Access,
    /// To have it deleted (Article 17).
    Erasure,
    /// That it is not done (Article 21).
    Objection,
    /// That it is stopped for a while (Article 18).
    Restriction,
    /// To take it elsewhere (Article 20).
    Portability,
    /// To complain.
    Complaint,
}

impl Request {
    /// All of them.
    pub const ALL: [Self; 6] =
        [Self::Access, Self::Erasure, Self::Objection, Self::Restriction, Self::Portability, Self::Complaint];

    /// As it is asked for on the command line.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Access => "access",
            Self::Erasure => "erasure",
            Self::Objection => "objection",
            Self::Restriction => "restriction",
            Self::Portability => "portability",
            Self::Complaint => "complaint",
        }
    }

    fn title(self) -> (&'static str, &'static str) {
        match self {
            Self::Access => ("開示のご請求へのお答え", "Answer to your request for access"),
            Self::Erasure => ("消去のご請求へのお答え", "Answer to your request for erasure"),
            Self::Objection => ("利用停止のお申し出へのお答え", "Answer to your objection"),
            Self::Restriction => ("一時停止のお申し出へのお答え", "Answer to your request for restriction"),
            Self::Portability => {
                ("データの持ち出しのご請求へのお答え", "Answer to your request to take your data elsewhere")
            }
            Self::Complaint => ("苦情へのお答え", "Answer to your complaint"),
        }
    }

    fn outcome(self) -> (&'static str, &'static str) {
        match self {
            Self::Access => (
                "あなたについての記録を取り出すことはできません。下に書いたものが、この装置にあるすべてです。集計した数字は、お望みならそのままお渡しします。",
                "We cannot take out a record about you. What is listed below is everything that exists on this device; you can have a copy of the totals.",
            ),
            Self::Erasure => (
                "映像は、解析のたびに消えています。数字の中からあなたの分だけを選ぶことはできませんが、日時を教えていただければ、その時間帯の数字をこの装置からまとめて消します。",
                "Pictures are destroyed after each look. Your share of a total cannot be picked out, but if you name a day and a time, all totals of that time are deleted from this device.",
            ),
            Self::Objection => (
                "お申し出を受け付けました。カメラに数えられない道があり、お望みのあいだ解析を止めることもできます。断っても、店のご利用は変わりません。",
                "Your objection is noted. There is a way that is not counted, and the analysis can be paused while you are here. You are served like everybody else.",
            ),
            Self::Restriction => (
                "お申し出を調べるあいだ、この店の解析を止めることができます。窓口でお申し付けください。",
                "While your request is looked into, the analysis of this shop can be paused. Tell the desk.",
            ),
            Self::Portability => (
                "ご本人から契約や同意によって受け取ったデータはないため、この権利の対象になるものがありません。集計した数字は、一般の形式（CSV）でお渡しできます。",
                "No data were provided by you under a contract or by consent, so this right has nothing to apply to. Totals can be had in an open format (CSV).",
            ),
            Self::Complaint => (
                "ご意見をありがとうございます。窓口が調べて、期限までにお返事します。監督機関に申し立てることも、いつでもできます。",
                "Thank you for telling us. The desk looks into it and answers in time. You may turn to the authority at any time.",
            ),
        }
    }
}

/// A request and its days on the shop's calendar, "2026-11-27".
#[derive(Debug, Clone, Copy)]
pub struct Asked<'a> {
    /// For what.
    pub request: Request,
    /// When it came.
    pub received: &'a str,
    /// Until when it must be answered.
    pub due: &'a str,
    /// Today.
    pub today: &'a str,
}

/// The answer to somebody who exercises a right.
#[must_use]
pub fn answer(site: &Site, asked: Asked, language: Language) -> Paper {
    let say = |(ja, en): (&str, &str)| match language {
        Language::Ja => ja.to_owned(),
        Language::En => en.to_owned(),
    };
    let declared =
        |words: Option<&Words>| words.and_then(|words| words.in_language(language)).unwrap_or("–").to_owned();
    let of = &site.declared;
    let dates = match language {
        Language::Ja => format!("受付 {}・回答 {}・期限 {}", asked.received, asked.today, asked.due),
        Language::En => format!("Received {}, answered {}, due {}", asked.received, asked.today, asked.due),
    };
    let heading = |texts| Block::Heading(say(texts));
    let controllers =
        of.controllers.iter().map(|party| format!("{} · {} · {}", party.name, party.address, party.contact));
    let mut blocks = vec![
        Block::Text(dates),
        Block::List(controllers.collect()),
        heading(("お答え", "Our answer")),
        Block::Text(say(asked.request.outcome())),
        heading(("なぜ、あなたを見つけられないのか", "Why you cannot be found")),
    ];
    blocks.extend(UNFOUND.map(|texts| Block::Text(say(texts))));
    blocks.push(heading(("この店にあるもの", "What exists")));
    blocks.push(Block::List(existing(site, language)));
    blocks.push(heading(("あなたができること", "What you can do")));
    let objection = format!("{} {}", say(("断る：", "Object:")), declared(of.objection.as_ref()));
    let authority = format!(
        "{} {}",
        say(("監督機関に申し立てる：", "Complain to the authority:")),
        declared(of.authority.as_ref())
    );
    blocks.push(Block::List([vec![objection], CAN_DO.map(say).to_vec(), vec![authority]].concat()));
    blocks.push(heading(("窓口", "Desk")));
    blocks.push(Block::List(desk(site, language)));
    blocks.push(Block::Text(from_which(site, language)));
    Paper { title: say(asked.request.title()), language, blocks }
}

/// What there is, with its lifetime.
fn existing(site: &Site, language: Language) -> Vec<String> {
    let (days, k) = (site.outlets.keeping.days, site.settings.gate.k);
    let (kept, pictures) = match language {
        Language::Ja => (
            format!(
                "集計した数字：この装置では{days}日で消えます。{k}人に満たないものは出しません（出入口の人数を除く）。目的："
            ),
            "映像：一回の解析のあいだだけ。保存した映像はありません。人の動き：映っているあいだと、その後の数秒だけ。装置を操作した人の記録：1年。".to_owned(),
        ),
        Language::En => (
            format!(
                "Totals: deleted from this device after {days} days; those of fewer than {k} people are withheld, except counts at doors. What for:"
            ),
            "Pictures: for the length of one look; none are kept. Where somebody goes: while they are in view, and some seconds more. Who operated the device: one year.".to_owned(),
        ),
    };
    let purposes = Metric::ALL.into_iter().filter_map(|metric| {
        let purpose = site.declared.purposes.get(&metric)?.in_language(language).unwrap_or("–");
        Some(format!("{}: {purpose}", metric.name()))
    });
    let receives = match (site.declared.recipients.is_empty(), language) {
        (true, Language::Ja) => vec!["届け先：この装置から店の外へは届けません。".to_owned()],
        (true, Language::En) => vec!["Recipients: this device delivers to nobody outside the shop.".to_owned()],
        (false, _) => site
            .declared
            .recipients
            .iter()
            .map(|recipient| format!("→ {} ({}) · {}", recipient.name, recipient.country, by_its_rules(language)))
            .collect(),
    };
    [pictures, kept].into_iter().chain(purposes).chain(receives).collect()
}

fn by_its_rules(language: Language) -> &'static str {
    match language {
        Language::Ja => "受け取った数字は、届け先の決まりで保管されます",
        Language::En => "keeps what it has received by rules of its own",
    }
}

fn desk(site: &Site, language: Language) -> Vec<String> {
    let Some(desk) = &site.declared.desk else { return Vec::new() };
    let name = desk.name.in_language(language).map(str::to_owned);
    [name, desk.phone.clone(), desk.email.clone(), desk.hours.clone()].into_iter().flatten().collect()
}

fn from_which(site: &Site, language: Language) -> String {
    let sign = sign_id(site.settings.declaration.as_deref().unwrap_or_default());
    let cfg = site.settings.revision();
    match language {
        Language::Ja => format!(
            "このお答えは、設定 {cfg}（掲示 {sign}）から作り、装置が署名しました。費用はかかりません。身分証明書や写真は必要ありません。"
        ),
        Language::En => format!(
            "This answer was made from configuration {cfg} (sign {sign}) and signed by the device. It is free of charge. No papers and no photograph are needed."
        ),
    }
}

/// Why nobody is found (GDPR Articles 11 and 12(2)).
const UNFOUND: [(&str, &str); 2] = [
    (
        "残っているのは、集計した数字だけです。名前も、顔も、番号も付いていないため、どれがあなたの分かを調べる方法がありません（GDPR 第11条、第12条2項）。",
        "What is left is totals, without a name, a face or a number; there is no means to tell which part is yours (GDPR Articles 11 and 12(2)).",
    ),
    (
        "あなたを見つけるために新しい情報を集めることは、かえってあなたのことを多く知ることになるので、いたしません。",
        "To find you we would have to collect more about you than we ever did; we will not.",
    ),
];
const CAN_DO: [(&str, &str); 3] = [
    (
        "その場で止める：窓口に「止めてください」とお伝えください。パスワードなしで、すぐに止まります。",
        "Have it paused: tell the desk. It takes no password and is over at once.",
    ),
    (
        "消す：日と時間帯を伝えれば、その間の数字をこの装置からまとめて消します。",
        "Have totals deleted: name a day and a time; all totals of that time go from this device.",
    ),
    ("数えまちがいを知らせる：装置の調整に使います。", "Tell us of a wrong count: the device is adjusted."),
];
