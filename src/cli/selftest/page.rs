//! The last self-test as a page for whoever scans the code on the sign: plain words, Japanese and English, nothing to click.
//!
//! In: a [`SelfTest`]. Out: HTML in one file. Invariant: it loads nothing, runs nothing, and everything that varies is escaped.

use crate::config::declared::Language;
use crate::notice::day_and_minute;
use crate::notice::page::{table, whole};
use crate::notice::paper::escaped;
use crate::wire::payload::selftest::{Outcome, Proof, SelfTest};

/// What a self-test is shown with.
#[derive(Clone, Copy)]
pub struct Shown<'a> {
    /// Name of the shop.
    pub shop: &'a str,
    /// IANA time zone of the shop.
    pub timezone: &'a str,
    /// What tells the box's signatures, "ed25519:…".
    pub public_key: Option<&'a str>,
    /// Whether it is of these programs and this declaration.
    pub is_of_what_runs: bool,
    /// Whether the box itself shows it, and there are ways to what else it shows.
    pub is_on_the_box: bool,
}

/// The page, the language that is read first last: that one is seen unless the other is asked for.
#[must_use]
pub fn of(test: &SelfTest, shown: &Shown, first: Language) -> String {
    let other = if first == Language::Ja { Language::En } else { Language::Ja };
    let articles = [other, first].map(|language| Writer { test, shown, language }.article(language == first));
    let title = Writer { test, shown, language: first }.say(TITLE);
    whole(first.code(), &format!("{title} · {}", shown.shop), &articles.concat())
}

/// What is written in one language.
#[derive(Clone, Copy)]
struct Writer<'a> {
    test: &'a SelfTest,
    shown: &'a Shown<'a>,
    language: Language,
}

impl Writer<'_> {
    fn say<'w>(&self, [ja, en]: [&'w str; 2]) -> &'w str {
        match self.language {
            Language::Ja => ja,
            Language::En => en,
        }
    }

    fn article(&self, is_first: bool) -> String {
        let code = self.language.code();
        format!(
            "<article class=\"policy{first}\" id=\"{code}\" lang=\"{code}\">\n<header>{switch}<p class=\"shop\">{shop}</p>\n\
             <h1>{title}</h1>\n<p class=\"analysed\">{when}</p></header>\n{ways}\
             <section><h2>{outcome}</h2>\n{verdict}{tried}</section>\n<section><h2>{check}</h2>\n{facts}</section>\n</article>\n",
            first = if is_first { " first" } else { "" },
            switch = self.switch(),
            shop = escaped(self.shown.shop),
            title = self.say(TITLE),
            when = self.moment(self.test.at),
            ways = if self.shown.is_on_the_box { self.ways() } else { String::new() },
            outcome = self.say(["結果", "Outcome"]),
            verdict = self.verdict(),
            tried = self.tried(),
            check = self.say(["確かめる", "Check it yourself"]),
            facts = self.facts(),
        )
    }

    fn switch(&self) -> String {
        let link = |language: Language, name: &str| match language == self.language {
            true => format!("<b>{name}</b>"),
            false => {
                format!("<a href=\"#{code}\" lang=\"{code}\" hreflang=\"{code}\">{name}</a>", code = language.code())
            }
        };
        let links = link(Language::Ja, "日本語") + &link(Language::En, "English");
        format!("<nav class=\"languages\">{links}</nav>\n")
    }

    fn ways(&self) -> String {
        let code = self.language.code();
        let notice = self.say(["カメラの使い方について", "What the cameras do here"]);
        let shop = self.say(["店の担当者の方はこちら", "For people of this shop"]);
        format!(
            "<nav class=\"ways\"><a href=\"/notice?lang={code}\">{notice}</a> <a href=\"/?lang={code}\">{shop}</a></nav>\n"
        )
    }

    /// How it ended, in a sentence; what does not hold is named.
    fn verdict(&self) -> String {
        let of = |outcome| self.test.proofs.iter().filter(move |proof| proof.outcome == outcome);
        let [green, red, open] = [Outcome::Green, Outcome::Red, Outcome::NotRun].map(|outcome| of(outcome).count());
        let counts = match self.language {
            Language::Ja => format!("合格 {green}、不合格 {red}、未実施 {open}。"),
            Language::En => format!("{green} hold, {red} do not hold, {open} were not tried. "),
        };
        let open = self.say([
            "この装置が自分で試した結果です。試せなかったものは「未実施」と書きます。",
            "This is what the device has tried on itself. What could not be tried is called so.",
        ]);
        let mut html = format!("<p><b>{counts}</b>{open}</p>\n");
        if red > 0 {
            let names: Vec<String> = of(Outcome::Red).map(|proof| self.name(proof)).collect();
            let words = self.say([
                "次のことは守られていません。掲示や説明では約束しません。気になる方は、店の窓口におたずねください。",
                "This does not hold, and sign and notice do not promise it. Ask the desk of this shop about it: ",
            ]);
            let names = names.join(self.say(["、", ", "]));
            html += &format!("<p class=\"trouble\" role=\"note\">{words}<b>{names}</b></p>\n");
        }
        if !self.shown.is_of_what_runs {
            let words = self.say([
                "いま動いているプログラムか設定は、この検査のときのものではありません。新しい検査（kehai report）が済むまで、ここにあることは何もお約束しません。",
                "Programs or configuration have changed since. Until there is a new one (kehai report), nothing here is promised.",
            ]);
            html += &format!("<p class=\"trouble\" role=\"note\">{words}</p>\n");
        }
        html
    }

    fn tried(&self) -> String {
        let head = [
            ["検査", "What was tried"],
            ["結果", "Outcome"],
            ["わかったこと（英語）", "What was seen"],
            ["日時", "When"],
        ];
        let row = |proof: &Proof| {
            let (class, outcome) = match proof.outcome {
                Outcome::Green => ("green", ["合格", "holds"]),
                Outcome::Red => ("red", ["不合格", "does not hold"]),
                Outcome::NotRun => ("notrun", ["未実施", "not tried"]),
            };
            vec![
                self.name(proof),
                format!("<span class=\"{class}\">{}</span>", self.say(outcome)),
                format!("<span lang=\"en\">{}</span>", escaped(&proof.words)),
                self.moment(proof.at),
            ]
        };
        table(&head.map(|head| self.say(head)), &self.test.proofs.iter().map(row).collect::<Vec<_>>())
    }

    fn name(&self, proof: &Proof) -> String {
        let known = names().into_iter().find(|(id, _, _)| *id == proof.id);
        escaped(known.map_or(proof.id.as_str(), |(_, ja, en)| self.say([ja, en])))
    }

    fn facts(&self) -> String {
        let code = |text: &str| format!("<code>{}</code>", escaped(text));
        let programs = self.test.binaries.iter().map(|(name, hash)| format!("{}: {}", escaped(name), code(hash)));
        let file = if self.shown.is_on_the_box {
            "<a href=\"/selftest.json\">selftest.json</a>".to_owned()
        } else {
            code("selftest.json")
        };
        let how = self.say([
            "下のファイルに、公開鍵に合う署名が付いているかを調べます。",
            "tells whether the file below carries a signature that fits the public key.",
        ]);
        let all = [
            (["プログラム", "Program"], format!("kehai {}", escaped(&self.test.version))),
            (["設定の番号（出すどの数字にも付く）", "Configuration, as in every message"], code(&self.test.cfg)),
            (["公開鍵", "Public key"], code(self.shown.public_key.unwrap_or("-"))),
            (["署名", "Signature"], code(self.test.sig.as_deref().unwrap_or("-"))),
            (["ファイル", "File"], file),
            (["確かめ方", "How"], format!("{} — {how}", code("kehai verify --key ed25519:… selftest.json"))),
            (["プログラムの SHA-256", "SHA-256 of the programs"], programs.collect::<Vec<_>>().join("<br>")),
        ];
        let items: String =
            all.iter().map(|(name, text)| format!("<dt>{}</dt><dd>{text}</dd>", self.say(*name))).collect();
        format!("<dl>{items}</dl>")
    }

    fn moment(&self, at: crate::clock::UtcMs) -> String {
        escaped(&day_and_minute(at, self.shown.timezone))
    }
}

const TITLE: [&str; 2] = ["この装置の自己検査", "Self-test of this device"];

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
        let shown =
            Shown { shop: "<b>", timezone: "UTC", public_key: None, is_of_what_runs: false, is_on_the_box: true };
        let page = of(&test, &shown, Language::En);
        assert!(!page.contains("<script"), "{page}");
        assert!(page.contains("Images are not stored") && page.contains("映像を保存しない"));
    }
}
