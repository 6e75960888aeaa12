//! Assessments a shop has to make itself: of the impact on people, and of its interest against theirs. What follows from the
//! configuration is filled in; what is to be judged is left open.
//!
//! In: a [`Writer`]. Out: two papers.

use super::Writer;
use crate::config::declared::Metric;
use crate::notice::paper::{Block, Paper};

/// The impact on people (GDPR Article 35).
pub(super) fn impact(writer: Writer) -> Paper {
    let settings = &writer.known.site.settings;
    let declared = &writer.known.site.declared;
    let figures = Metric::ALL.into_iter().filter(|metric| declared.purposes.contains_key(metric));
    let figures: Vec<&str> = figures.map(|metric| writer.metric(metric)).collect();
    let bounds = vec![
        format!("{}: {}", writer.say("カメラの数", "cameras"), settings.cameras.len()),
        format!("{}: {}", writer.say("数字の種類", "figures"), figures.join(writer.say("、", ", "))),
        format!(
            "{}: k = {}",
            writer.say("出す数字の最少人数", "fewest people behind a figure (doors are exact)"),
            settings.gate.k
        ),
        format!("{}: {}", writer.say("保存する日数", "days kept"), writer.known.site.outlets.keeping.days),
        format!(
            "{}: {}",
            writer.say("動かす時間", "hours"),
            settings.store.hours.as_deref().unwrap_or(writer.say("いつも", "always"))
        ),
        format!("{}: {}", writer.say("数えない場所", "places where nobody counts"), settings.ignores.len()),
    ];
    let mut blocks = vec![
        writer.heading("1. 何をするか", "1. What is done"),
        writer.text(
            "カメラの映像から人の位置を取り出し、映像は一回の解析ごとに消し、まとめた数字だけを出します（出入口を通った人数は、一人からでも出ます）。",
            "Where people are is taken out of camera pictures, each picture is destroyed after one look, and only totals leave (of doors also those of one person).",
        ),
        Block::List(bounds),
        writer.heading("2. 必要か、ほかの方法はないか", "2. Whether it is needed, and what else would do"),
        Block::Text(format!("{}: {}", writer.say("ねらい", "Aim"), writer.declared(declared.interest.as_ref()))),
        open(writer, "人手で数える、床のセンサーを使うなど、より立ち入らない方法を検討した結果：", "What less intrusive ways (counting by hand, sensors in the floor) were considered, and why not:"),
        writer.heading("3. 危険と、それを小さくするもの", "3. Risks, and what makes them smaller"),
        risks(writer),
        writer.heading("4. 装置の自己検査", "4. What the device found about itself"),
    ];
    blocks.extend(writer.measures());
    blocks.extend([
        writer.heading("5. 判断", "5. Judgement"),
        open(writer, "残る危険と、その大きさ（低・中・高）：", "What risk remains, and how large (low, medium, high):"),
        open(
            writer,
            "相談した方々（従業員、お客様、データ保護の担当者）とその意見：",
            "Who was asked (employees, customers, data protection officer), and what they said:",
        ),
        open(writer, "決めた人、日付、見直す日：", "Who decided, on which day, and when it is looked at again:"),
    ]);
    writer.paper("影響の評価（DPIA）", "Impact assessment (DPIA)", blocks)
}

/// The shop's interest against that of people (GDPR Article 6(1)(f)).
pub(super) fn interest(writer: Writer) -> Paper {
    let declared = &writer.known.site.declared;
    let purposes = Metric::ALL.into_iter().filter_map(|metric| {
        Some(format!("{}: {}", writer.metric(metric), writer.declared(Some(declared.purposes.get(&metric)?))))
    });
    let blocks = vec![
        Block::Text(format!("{}: {}", writer.say("選ばれている根拠", "Ground that was chosen"), writer.basis())),
        writer.heading("1. 利益", "1. The interest"),
        Block::Text(writer.declared(declared.interest.as_ref())),
        Block::List(purposes.collect()),
        open(
            writer,
            "この利益が現実のもので、法に反しないことの説明：",
            "Why this interest is real, present and lawful:",
        ),
        writer.heading("2. 必要性", "2. The need"),
        writer.text(
            "個人を見分ける必要はなく、人がいるかどうかだけを調べます。目的のない数字は、装置の中で捨て、出しません。",
            "Nobody has to be recognised; it is only looked for whether and where somebody is. A figure without a purpose is dropped in memory and not released.",
        ),
        open(writer, "より立ち入らない方法では足りない理由：", "Why nothing less intrusive is enough:"),
        writer.heading("3. つりあい", "3. The balance"),
        writer.list(&[
            (
                "店に入る方に、カメラの手前の掲示で知らせます（掲示をそこに出すのは店の仕事です）。",
                "Whoever comes in is to be told by a sign before a camera sees them; putting it there is the shop's work.",
            ),
            ("子どもも通ります。年齢は調べません。", "Children pass as well; nobody's age is worked out."),
            (
                "従業員はその場に長くいます。従業員の場所は数えないように設定し、評価には使いません。",
                "Employees are there for long: mask their places, and never evaluate them by it.",
            ),
        ]),
        Block::Text(format!(
            "{}: {}",
            writer.say("断る方法", "How to object"),
            writer.declared(declared.objection.as_ref())
        )),
        open(
            writer,
            "人々が予期すること、影響、なぜ釣り合うと考えるか：",
            "What people expect, how it touches them, and why it is in balance:",
        ),
        open(writer, "決めた人、日付：", "Who decided, and on which day:"),
    ];
    writer.paper("正当な利益の評価", "Assessment of the legitimate interest", blocks)
}

fn risks(writer: Writer) -> Block {
    let head = [writer.say("危険", "Risk"), writer.say("小さくするもの", "What makes it smaller")];
    let rows = RISKS.iter().map(|[risk, answer]| vec![writer.own(risk.0, risk.1), writer.own(answer.0, answer.1)]);
    Block::Table { head: head.map(str::to_owned).to_vec(), rows: rows.collect() }
}

/// A place to write, with what is to be written.
fn open(writer: Writer, ja: &str, en: &str) -> Block {
    Block::Text(format!("{} …………………………………………………………", writer.own(ja, en)))
}

const RISKS: [[(&str, &str); 2]; 6] = [
    [
        ("映像が外に出る、残る", "pictures leave or stay"),
        (
            "映像を見るプログラムが、書いたりよそへつないだりできないようにします。始めるたびに試し、結果は下の自己検査に書きます。",
            "what sees them is kept from writing and from connecting elsewhere; that is tried at every start, and the self-test below says how it ended",
        ),
    ],
    [
        ("数字から一人がわかる", "a person shows in a figure"),
        (
            "人数が少ない数字は出しません。出入口の人数は正確です。",
            "figures of few people are withheld; doors are exact",
        ),
    ],
    [
        ("従業員が見張られる", "employees are watched"),
        (
            "従業員の場所を数えない、営業時間だけ動かす、評価に使わないと誓約する。",
            "their places masked, opening hours alone, and an undertaking not to evaluate anybody",
        ),
    ],
    [
        ("装置が盗まれる", "the device is stolen"),
        (
            "映像はありません。数字は暗号化されています。鍵が同じディスクにある場合は、守りになりません。",
            "there is no picture in it; totals are encrypted, which does not help where the key lies on the same disk",
        ),
    ],
    [
        ("目的がいつのまにか広がる", "the purpose creeps"),
        (
            "設定を変えると、新しい掲示と、始動のやり直し（二人で。一人運営と届け出た店では一人で）が必要です。",
            "another configuration takes a new sign and arming anew, by two people or by the one who is declared to run it alone",
        ),
    ],
    [
        ("知らないうちに映る", "people do not know"),
        (
            "掲示の番号を確かめるまで、カメラの映像は使いません。掲示の番号は、すべての数字に添えられます。",
            "without an acknowledged sign no camera is watched, and every figure carries the number of the sign",
        ),
    ],
];
