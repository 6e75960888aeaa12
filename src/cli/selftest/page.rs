//! The last self-test as a page for whoever scans the code on the sign: plain words, Japanese and English, nothing to click.
//!
//! In: a [`SelfTest`]. Out: HTML in one file. Invariant: it loads nothing, runs nothing, and everything that varies is escaped.

use crate::config::declared::Language;
use crate::notice::paper::{Block, Paper, in_one_page};
use crate::wire::compose::rfc3339;
use crate::wire::payload::selftest::{Outcome, Proof, SelfTest};

/// The page.
pub(super) fn of(test: &SelfTest) -> String {
    in_one_page(&[paper(test, Language::Ja), paper(test, Language::En)])
}

fn paper(test: &SelfTest, language: Language) -> Paper {
    let say = |ja: &'static str, en: &'static str| match language {
        Language::Ja => ja,
        Language::En => en,
    };
    let head = [
        say("結果", "Outcome"),
        say("試験", "What was tried"),
        say("わかったこと", "What was seen"),
        say("日時", "When"),
    ];
    let row = |proof: &Proof| {
        let outcome = match proof.outcome {
            Outcome::Green => say("合格", "holds"),
            Outcome::Red => say("不合格", "does not hold"),
            Outcome::NotRun => say("未実施", "not tried"),
        };
        let name =
            names().into_iter().find(|(id, _, _)| *id == proof.id).map_or(proof.id.as_str(), |(_, ja, en)| say(ja, en));
        [outcome, name, proof.words.as_str(), &rfc3339(proof.at)].map(str::to_owned).to_vec()
    };
    let facts = vec![
        format!("{}: {}", say("日時", "When"), rfc3339(test.at)),
        format!("{}: kehai {}", say("プログラム", "Program"), test.version),
        format!(
            "{}: {}",
            say("設定の番号（すべての通知にも入っています）", "Configuration, as in every message"),
            test.cfg
        ),
        format!("{}: {}", say("署名", "Signature"), test.sig.as_deref().unwrap_or("-")),
    ];
    let open = say(
        "この装置が自分で試した結果です。試せなかったものは「未実施」と書きます。",
        "What this device has tried on itself. What could not be tried is called so.",
    );
    Paper {
        title: say("この装置の自己検査", "Self-test of this device").to_owned(),
        language,
        blocks: vec![
            Block::Text(open.to_owned()),
            Block::List(facts),
            Block::Table { head: head.map(str::to_owned).to_vec(), rows: test.proofs.iter().map(row).collect() },
        ],
    }
}

/// What each proof is called, in both languages.
fn names() -> [(&'static str, &'static str, &'static str); 18] {
    [
        ("not-stored", "映像を保存しない", "Images are not stored"),
        ("no-recognition", "顔や個人を見分けない", "Nobody is recognised"),
        ("wiped", "映像をメモリからも消す", "Images are erased from memory"),
        ("aggregates-only", "人について出るのは集計だけ", "Of people, only totals leave"),
        ("k-people", "少ない人数の数字は出さない", "Figures about few people are withheld"),
        ("kept-at-most", "決めた日数でこの装置から消す", "Totals are deleted from this device in time"),
        ("no-network", "解析プログラムはカメラ以外につながらない", "The analysing program reaches its cameras alone"),
        ("encrypted", "この装置では暗号化して保管する", "Totals are kept encrypted on this device"),
        ("signed", "署名を付ける", "Totals are signed"),
        ("cage", "解析プログラムの出口をふさぐ", "Ways out of the analysing program"),
        ("privacy-state", "保護の強さを数字に添える", "Each total names its protection"),
        ("audit-chain", "操作の記録が書き換えられていない", "The record of deeds is whole"),
        ("clock", "時計", "Clock"),
        ("armed", "届け出どおりに始動している", "Started as declared"),
        ("dangers", "保護を弱める設定がない", "No setting weakens protection"),
        ("recipients", "数字の届け先", "Who gets totals"),
        ("tls", "通信の証明書", "Certificates"),
        ("swap", "メモリをディスクに書かない", "Memory is not written to a disk"),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::UtcMs;

    #[test]
    fn nothing_that_was_seen_breaks_out_of_the_page() {
        let words = "<script>alert(1)</script> & \"more\"".to_owned();
        let proof = Proof { id: "not-stored".into(), outcome: Outcome::Green, at: UtcMs(0), words };
        let test = SelfTest {
            version: "1".into(),
            binaries: Default::default(),
            declaration: String::new(),
            cfg: "c1".into(),
            at: UtcMs(0),
            proofs: vec![proof],
            sig: None,
        };
        let page = of(&test);
        assert!(!page.contains("<script"), "{page}");
        assert!(page.contains("Images are not stored") && page.contains("映像を保存しない"));
    }
}
