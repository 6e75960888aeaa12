//! The record of processing (GDPR Article 30; Japan: what the law on personal information asks to be known), how long what is
//! kept, and who gets it.
//!
//! In: a [`Writer`]. Out: three papers.

use super::Writer;
use crate::config::broker::Broker;
use crate::config::declared::Metric;
use crate::notice::paper::{Block, Paper};

/// The record of processing.
pub(super) fn record(writer: Writer) -> Paper {
    let declared = &writer.known.site.declared;
    let mut blocks = vec![
        writer.heading("管理者", "Controllers"),
        writer.parties(&declared.controllers),
        writer.heading("委託先", "Processors"),
        writer.parties(&declared.processors),
        writer.heading("目的と根拠", "Purposes and ground"),
        purposes(writer),
        Block::Text(format!("{}: {}", writer.say("根拠", "Ground"), writer.basis())),
        Block::Text(format!("{}: {}", writer.say("利益", "Interest"), writer.declared(declared.interest.as_ref()))),
        writer.heading("対象となる方", "People concerned"),
        writer.list(&PEOPLE),
        writer.heading("データの種類", "Kinds of data"),
        writer.list(&KINDS),
        writer.heading("届け先と国", "Recipients and countries"),
        recipients_table(writer),
        writer.heading("保存期間", "Periods"),
        periods(writer),
        writer.heading("安全管理の措置（自己検査による）", "Measures, as the self-test found them"),
    ];
    blocks.extend(writer.measures());
    blocks.extend([
        writer.heading("窓口と監督機関", "Desk and authority"),
        Block::Text(writer.declared(declared.desk.as_ref().map(|desk| &desk.name))),
        Block::Text(writer.declared(declared.authority.as_ref())),
    ]);
    writer.paper("処理活動の記録", "Record of processing", blocks)
}

/// How long what is kept.
pub(super) fn retention(writer: Writer) -> Paper {
    let blocks = vec![
        periods(writer),
        writer.text(
            "期間が過ぎたものは、装置が自分で消します。消した行は上書きされます。期間は短くすることだけができます（すべてを消してやり直すときを除く）。届け先が受け取ったものは、届け先の決まりによります。",
            "The device deletes by itself what is older. Deleted rows are overwritten. A period can only be shortened, unless everything is wiped. What recipients have received is kept by rules of their own.",
        ),
    ];
    writer.paper("保存期間の表", "Retention", blocks)
}

/// Who gets figures, and with which rights at the broker.
pub(super) fn recipients(writer: Writer) -> Paper {
    let outlets = &writer.known.site.outlets;
    let store = &writer.known.site.settings.store;
    let broker = match &outlets.broker {
        None => writer.own("仲介サーバはありません。", "There is no broker."),
        Some(Broker::Embedded { .. }) => {
            writer.own("仲介サーバはこの装置の中にあります。", "The broker is on this device.")
        }
        Some(Broker::At(remote)) => format!("{}: {}", writer.say("仲介サーバ", "Broker"), remote.url()),
    };
    let base = format!("{}/{}/{}/{}", outlets.topic_root, store.org, store.store, store.node);
    let blocks = vec![
        Block::Text(broker),
        recipients_table(writer),
        writer.heading("仲介サーバに設定する権利", "Rights to be set at the broker"),
        Block::List(vec![
            format!(
                "{base}/# : {}",
                writer.say("上の届け先には、読む権利だけを与えます", "give the recipients above the right to read, and no other")
            ),
            format!(
                "{base}/cmd/+ : {}",
                writer.say(
                    "署名した指示だけが通ります（止める・尋ねる）",
                    "signed commands alone are heeded: to stop, to ask"
                )
            ),
        ]),
        writer.text(
            "この装置は、ここに書かれていない相手には何も届けません。相手を加えると、新しい掲示と、始動のやり直しが必要です。",
            "This device delivers to nobody else. To add somebody takes a new sign and arming anew.",
        ),
    ];
    writer.paper("届け先の一覧", "Recipients", blocks)
}

fn purposes(writer: Writer) -> Block {
    let purposes = &writer.known.site.declared.purposes;
    let head = [writer.say("数字の種類", "Figures"), writer.say("目的", "What for")];
    let rows = Metric::ALL.into_iter().filter_map(|metric| {
        Some(vec![writer.metric(metric).to_owned(), writer.declared(Some(purposes.get(&metric)?))])
    });
    Block::Table { head: head.map(str::to_owned).to_vec(), rows: rows.collect() }
}

fn recipients_table(writer: Writer) -> Block {
    let recipients = &writer.known.site.declared.recipients;
    if recipients.is_empty() {
        return writer.text("店の外の届け先はありません。", "This device delivers figures to nobody outside the shop.");
    }
    let head = [
        writer.say("名前", "Name"),
        writer.say("読み取る場所", "Reads at"),
        writer.say("国", "Country"),
        writer.say("目的", "What for"),
    ];
    let row = |recipient: &crate::config::declared::Recipient| {
        let purpose = writer.declared(Some(&recipient.purpose));
        vec![recipient.name.clone(), recipient.host.clone(), recipient.country.clone(), purpose]
    };
    Block::Table { head: head.map(str::to_owned).to_vec(), rows: recipients.iter().map(row).collect() }
}

fn periods(writer: Writer) -> Block {
    let days = writer.known.site.outlets.keeping.days;
    let kept = match writer.language {
        crate::config::declared::Language::Ja => format!("{days}日"),
        crate::config::declared::Language::En => format!("{days} days"),
    };
    let head = [writer.say("データ", "Data"), writer.say("期間", "For how long"), writer.say("場所", "Where")];
    let rows = PERIODS.iter().map(|[ja, en]| {
        let row = if writer.language == crate::config::declared::Language::Ja { ja } else { en };
        row.map(|cell| if cell == KEEP_DAYS { kept.clone() } else { cell.to_owned() }).to_vec()
    });
    Block::Table { head: head.map(str::to_owned).to_vec(), rows: rows.collect() }
}

/// Stands for the days that released figures are kept.
const KEEP_DAYS: &str = "{keep_days}";
const PERIODS: [[[&str; 3]; 2]; 5] = [
    [
        ["映像", "一回の解析のあいだ（復号器の最新の数こまを除く）", "解析プログラムのメモリ（終わると上書き）"],
        ["picture", "one look; the decoder has the newest few", "memory of the analysing program, then overwritten"],
    ],
    [
        ["動きの線", "映っているあいだと、その後の数秒", "同じメモリ"],
        ["path", "while the person is in view, and some seconds more", "the same memory"],
    ],
    [
        ["人数がそろう前の数字", "集計の区切りまで", "同じメモリ"],
        ["exact figures", "until their window closes", "the same memory"],
    ],
    [
        ["公開した集計", KEEP_DAYS, "この装置の暗号化した保管庫"],
        ["released totals", KEEP_DAYS, "encrypted store of this device"],
    ],
    [["操作の記録", "1年", "同じ保管庫"], ["record of deeds", "one year", "the same store"]],
];
const PEOPLE: [(&str, &str); 4] = [
    ("お客様", "customers"),
    ("従業員", "employees"),
    ("通りがかりの方", "passers-by"),
    ("子ども（年齢は調べず、一人として数えます）", "children, counted as one person each; nobody's age is worked out"),
];
const KINDS: [(&str, &str); 3] = [
    (
        "カメラの映像（一回の解析のあいだだけ。この時点では個人情報です）",
        "camera pictures, for the length of one look; at that time they are personal data",
    ),
    ("人の位置と動き（その場にいるあいだだけ）", "where people stand and go, while they are there"),
    ("集計した数字", "totals"),
];
