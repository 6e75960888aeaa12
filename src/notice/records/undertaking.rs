//! What whoever works with the box undertakes, to be signed on paper, and a card to keep beside it.
//!
//! In: a [`Writer`]. Out: a paper.

use super::Writer;
use crate::notice::paper::{Block, Paper};

pub(super) fn undertaking(writer: Writer) -> Paper {
    let blocks = vec![
        writer.heading("約束", "I undertake"),
        writer.list(&[
            ("自分の名前とパスワードを、ほかの人に使わせません。", "to let nobody else use my name and password;"),
            ("集計した数字を、届け出た目的のためだけに使います。", "to use totals for the declared purposes alone;"),
            ("従業員の評価には使いません。", "never to evaluate employees by them;"),
            (
                "数字をほかの情報と合わせて、だれかを見つけようとはしません。",
                "never to try to find anybody by joining them with anything else;",
            ),
            (
                "知ったことを、仕事をやめたあとも、ほかの人に話しません。",
                "to keep to myself what I learn, also when I have left;",
            ),
            (
                "おかしいと思ったら、まず止め、それから知らせます。",
                "to stop it first and tell then, when something seems wrong.",
            ),
        ]),
        writer.heading("手もとのカード", "Card to keep beside the device"),
        writer.list(&[
            ("止める：`kehai pause`。パスワードはいりません。", "To stop: kehai pause. It takes no password."),
            (
                "映りたくないという方には、サインに書いた道をご案内します。",
                "To somebody who does not want to be seen: show the way that stands on the sign.",
            ),
            ("身分証明書や写真は、決して求めません。", "Never ask for papers or a photograph."),
            (
                "質問には窓口の手引き（`kehai rights --questions`）で答えます。",
                "To questions: the answers of the desk (kehai rights --questions).",
            ),
            (
                "装置を動かさない、開けない。鍵のかかる棚に置く。",
                "Do not move or open the device; it stands in a locked cabinet.",
            ),
        ]),
        Block::Table {
            head: [
                writer.say("名前", "Name"),
                writer.say("役割", "Role"),
                writer.say("日付", "Date"),
                writer.say("署名", "Signature"),
            ]
            .map(str::to_owned)
            .to_vec(),
            rows: vec![vec![" ".to_owned(); 4]; 4],
        },
    ];
    writer.paper("操作する人の誓約", "Undertaking of whoever operates it", blocks)
}
