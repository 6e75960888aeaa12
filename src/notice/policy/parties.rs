//! Of the policy: who decides, who works for them, who gets figures, whom to ask, when cameras are watched, what changed.

use super::{Section, Writer, definitions, list, p, table};
use crate::config::declared::{Language, Party};
use crate::notice::layout::escape;

/// Controllers and processors.
pub(super) fn who(writer: Writer) -> Section {
    let declared = &writer.notice.site.declared;
    let controllers = parties(writer, &declared.controllers);
    let jointly = if declared.controllers.len() > 1 {
        p(writer.say(
            "上の者が共同で目的と方法を決め、共同で責任を負います。どの者に連絡していただいてもかまいません。",
            "They decide together why and how, and are jointly responsible. You can turn to any of them.",
        ))
    } else {
        String::new()
    };
    let processors = if declared.processors.is_empty() {
        p(writer.say("ほかの会社に処理を任せていません。", "Nobody else processes data on their behalf."))
    } else {
        let heading = writer.say("処理を任せている者", "Processors, who work on their behalf");
        format!("<h3>{heading}</h3>{}", parties(writer, &declared.processors))
    };
    writer.section("運営者", "Who is responsible", format!("{controllers}{jointly}{processors}"))
}

fn parties(writer: Writer, parties: &[Party]) -> String {
    let row = |party: &Party| [&party.name, &party.address, &party.contact].map(|text| escape(text)).to_vec();
    let head = [writer.say("名前", "Name"), writer.say("住所", "Address"), writer.say("連絡先", "Contact")];
    table(&head, &parties.iter().map(row).collect::<Vec<_>>())
}

/// To whom figures go, and where.
pub(super) fn recipients(writer: Writer) -> Section {
    let recipients = &writer.notice.site.declared.recipients;
    if recipients.is_empty() {
        let nobody = writer.say(
            "この装置は、運営者のほかのだれにも数字を届けません。",
            "This device delivers figures to nobody but those responsible.",
        );
        return writer.section("だれに渡すか", "Who gets figures", p(nobody));
    }
    let rows: Vec<Vec<String>> = recipients
        .iter()
        .map(|one| {
            vec![escape(&one.name), escape(&one.host), escape(&one.country), writer.declared(Some(&one.purpose))]
        })
        .collect();
    let head = [
        writer.say("名前", "Name"),
        writer.say("受け取るサーバー", "Server"),
        writer.say("国", "Country"),
        writer.say("目的", "What for"),
    ];
    let only = p(writer.say(
        "人について届けるのは、集計した数字だけです。この装置は、ここにない相手には届けません。",
        "Of people they get released figures only. This device delivers to nobody who is not named here.",
    ));
    writer.section("だれに渡すか", "Who gets figures", format!("{}{only}", table(&head, &rows)))
}

/// The desk.
pub(super) fn desk(writer: Writer) -> Section {
    let Some(desk) = &writer.notice.site.declared.desk else {
        return writer.section("お問い合わせ", "Whom to ask", String::new());
    };
    let text = |text: &Option<String>| text.as_deref().map(escape).unwrap_or_default();
    let items = [
        (writer.say("窓口", "Desk"), writer.declared(Some(&desk.name))),
        (writer.say("電話", "Phone"), text(&desk.phone)),
        (writer.say("メール", "E-mail"), text(&desk.email)),
        (writer.say("受付", "Hours"), text(&desk.hours)),
    ];
    let items = items.map(|(name, text)| (name.to_owned(), text));
    let answer = p(writer.say(
        "お問い合わせには、30日以内に、無料でお答えします。もっと時間がかかるときは、その前に理由をお知らせします。",
        "You get an answer within 30 days, free of charge. If it takes longer, we tell you why before.",
    ));
    writer.section("お問い合わせ", "Whom to ask", format!("{}{answer}", definitions(items)))
}

/// When cameras are watched, and by whom that is started.
pub(super) fn operation(writer: Writer) -> Section {
    let declared = &writer.notice.site.declared;
    let hours = match (&writer.notice.site.settings.store.hours, writer.language) {
        (Some(hours), Language::Ja) => format!("映像を解析する時間：{}（店の時計）", escape(hours)),
        (Some(hours), Language::En) => format!("Images are analysed from {} by the shop’s clock.", escape(hours)),
        (None, _) => writer
            .say("止めていないかぎり、一日中解析します。", "Images are analysed all day, unless it is paused.")
            .to_owned(),
    };
    let arming = if declared.is_sole_operator {
        writer.say(
            "この店は一人で運営しているため、解析は一人の判断で始めます（単独運営）。",
            "This shop is run by one person, who starts the analysis alone (sole operator).",
        )
    } else {
        writer.say(
            "この設定での解析を始めるには、ちがう二人（設置担当と責任者）の確認が必要です。",
            "Two different people, the installer and the owner, must confirm before the analysis starts under this configuration.",
        )
    };
    let stop = writer.say("止めるのは、一人で、すぐにできます。", "Anyone in charge can stop it alone and at once.");
    writer.section("動かし方", "How it is run", list([hours, arming.to_owned(), stop.to_owned()]))
}

/// Id, date, which language counts, and what changed.
pub(super) fn changes(writer: Writer) -> Section {
    let (notice, declared) = (writer.notice, &writer.notice.site.declared);
    let master = declared.languages.first().copied().unwrap_or(Language::Ja);
    let master = match (master, writer.language) {
        (Language::Ja, Language::Ja) => "言語によって内容がちがうときは、日本語を正とします。",
        (Language::Ja, Language::En) => "Where languages differ, the Japanese text counts.",
        (Language::En, Language::Ja) => "言語によって内容がちがうときは、英語を正とします。",
        (Language::En, Language::En) => "Where languages differ, the English text counts.",
    };
    let items = [
        (writer.say("掲示番号", "Sign"), escape(&notice.sign_id)),
        (writer.say("作成日（最終更新）", "Made on (last updated)"), escape(&notice.made_on)),
        (writer.say("設定", "Configuration"), escape(&notice.cfg)),
    ];
    let items = items.map(|(name, text)| (name.to_owned(), text));
    let mut changes: Vec<_> = declared.changes.iter().collect();
    changes.sort_by(|one, other| other.date.cmp(&one.date));
    let log = if changes.is_empty() {
        p(writer.say("変更の記録はありません。", "No change has been noted."))
    } else {
        list(changes.iter().map(|change| format!("{}　{}", escape(&change.date), writer.declared(Some(&change.what)))))
    };
    let bound = p(writer.say(
        "目的、設定、届け先などを変えると掲示番号も変わり、新しい掲示の番号を確かめるまで解析は始まりません。",
        "Whoever changes purposes, settings or recipients changes the id, and no analysis starts before the new sign is acknowledged.",
    ));
    let heading = writer.say("変更の記録", "Change log");
    writer.section(
        "この説明について",
        "About this notice",
        format!("{}<h3>{heading}</h3>{log}{bound}{}", definitions(items), p(master)),
    )
}
