//! Of the policy: what rights people have, why nobody can be found in the figures, how to object, and who is counted.

use super::{Section, Writer, definitions, list, p};
use crate::notice::claims::Claim;
use crate::notice::layout::escape;

/// Rights, one by one, and where to complain.
pub(super) fn rights(writer: Writer) -> Section {
    let why = p(writer.say(
        "この装置に残るのは、名前も顔も番号も付いていない数字です。そのうちのどれがあなたのものか、私たちには調べる方法がありません。そのために、あなたについて新しく情報を集めることもしません（GDPR 第11条）。",
        "What this device keeps is figures without names, faces or numbers of people. We have no means to tell which of them are about you, and we will not collect more about you only to find out (GDPR Article 11).",
    ));
    let id = p(writer.say(
        "ご請求のときに、身分証明書や写真を求めることはありません。",
        "We never ask for identification or for a photograph when you exercise a right.",
    ));
    let items = RIGHTS.map(|[ja, en]| (writer.say(ja.0, en.0).to_owned(), writer.say(ja.1, en.1).to_owned()));
    let authority = (
        writer.say("苦情を申し立てる", "Complaint").to_owned(),
        writer.declared(writer.notice.site.declared.authority.as_ref()),
    );
    writer.section(
        "あなたの権利",
        "Your rights",
        format!("{why}{}{id}", definitions(items.into_iter().chain([authority]))),
    )
}

/// How to object, and the way that no camera sees.
pub(super) fn objection(writer: Writer) -> Section {
    let text = p(&writer.declared(writer.notice.site.declared.objection.as_ref()));
    let free = p(writer.say("断っても、サービスは変わりません。", "Whoever objects is served like everybody else."));
    writer.section("映りたくない方へ", "If you do not want to be seen", format!("{text}{free}"))
}

/// Children, staff and passers-by.
pub(super) fn people(writer: Writer) -> Section {
    let notice = writer.notice;
    let mut items = vec![
        writer
            .say(
                "お客様、従業員、通りがかりの方、子どもを、区別せずに一人として数えます。",
                "Customers, staff, passers-by and children are counted alike, as one person each.",
            )
            .to_owned(),
        writer
            .say("従業員の評価に使うことは禁じられています。", "Using any of it to evaluate employees is forbidden.")
            .to_owned(),
    ];
    if notice.claims.contains(&Claim::NoRecognition) {
        items.push(escape(&Claim::NoRecognition.sentence(writer.language, notice.bounds())));
    }
    writer.section("子どもと従業員", "Children and staff", list(items))
}

/// What each right comes to here, in Japanese and English.
const RIGHTS: [[(&str, &str); 2]; 6] = [
    [
        (
            "知る（開示）",
            "どんな数字を、いつまで持つかを、署名つきの書面でお答えします。集計した数字そのものもお渡しできます。",
        ),
        (
            "Access",
            "You get a signed answer: which figures exist, and for how long. You can have the released figures too.",
        ),
    ],
    [
        (
            "消す（消去）",
            "一人分だけを選んで消すことはできませんが、お申し出の時間帯の数字を、この装置からまとめて消すことができます。",
        ),
        (
            "Erasure",
            "We cannot pick out one person’s share, but we can delete every figure of the time you name from this device.",
        ),
    ],
    [
        ("直す（訂正）", "個人についての記録はありません。数えまちがいのご指摘は、装置の調整に使います。"),
        (
            "Rectification",
            "There is no record about a person. If you think we count wrongly, tell us and we adjust the device.",
        ),
    ],
    [
        ("断る（異議・利用停止）", "いつでも断ることができます。方法は次の項目をごらんください。"),
        ("Objection", "You can object at any time; the next section says how."),
    ],
    [
        ("止める（制限）", "お申し出を調べるあいだ、この店の解析を止めることができます。"),
        ("Restriction", "While we look into your request we can stop the analysis of this shop."),
    ],
    [
        ("自動の判断", "この装置は、人についての自動の判断を行いません。"),
        ("Automated decisions", "This device makes no decision about a person."),
    ],
];
