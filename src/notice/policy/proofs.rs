//! Of the policy: which cameras see what, what is proved, the last self-test, and how anybody can check.

use super::{Section, Writer, definitions, figures, p, table};
use crate::notice::day;
use crate::notice::layout::escape;
use crate::notice::plan::{Kind, Plan, plans, unplaced};
use crate::wire::payload::selftest::{Outcome, Proof};

/// Cameras by name, and the plan of what they cover.
pub(super) fn sources(writer: Writer) -> Section {
    let settings = &writer.notice.site.settings;
    let rows: Vec<Vec<String>> = settings
        .cameras
        .iter()
        .map(|camera| {
            let floor = camera.floor.map(|floor| escape(&settings.floors[floor].name));
            let area = floor.unwrap_or_else(|| {
                writer.say("カメラの画面の中だけ（平面図なし）", "its own picture only (no plan)").to_owned()
            });
            vec![escape(&camera.name), area]
        })
        .collect();
    let head = [writer.say("カメラ", "Camera"), writer.say("映す場所", "Area")];
    let drawn: String = plans(settings).iter().map(|drawn| plan(writer, drawn)).collect();
    let without = unplaced(settings);
    let without = if without.is_empty() {
        String::new()
    } else {
        let names: Vec<String> = without.iter().map(|name| escape(name)).collect();
        let said =
            writer.say("平面図にない（画面の上だけで決めた）場所：", "Not on a plan (drawn on the picture alone): ");
        p(&format!("{said}{}", names.join(writer.say("、", ", "))))
    };
    let source =
        p(writer
            .say("この装置の情報の出どころは、次のカメラだけです。", "These cameras are this device’s only source."));
    writer.section("カメラと範囲", "Cameras and area", format!("{source}{}{drawn}{without}", table(&head, &rows)))
}

fn plan(writer: Writer, plan: &Plan) -> String {
    let kind = |kind: Kind| match kind {
        Kind::Line => writer.say("線", "line"),
        Kind::Zone => writer.say("区画", "zone"),
        Kind::Ignored => writer.say("数えない場所", "nobody counts here"),
    };
    let item = |(name, of): &(String, Kind)| {
        let [open, close] = [writer.say("（", " ("), writer.say("）", ")")];
        format!("<li>{}{open}{}{close}</li>", escape(name), kind(*of))
    };
    let items: String = plan.legend.iter().map(item).collect();
    let shaded = writer.say("色のついたところを、カメラが映しています。", "Cameras see the shaded part.");
    format!("<h3>{}</h3>{}{}<ol>{items}</ol>", escape(&plan.floor), plan.svg, p(shaded))
}

/// What protects the data, as far as it is proved.
pub(super) fn security(writer: Writer) -> Section {
    let claims = figures::claims(writer);
    let html = if claims.is_empty() {
        p(writer.say(
            "この装置・この設定での自己検査に、この24時間のうちに合格していないため、ここでは何もお約束しません。",
            "No self-test of this device with this configuration was passed within the last 24 hours, so nothing is promised here.",
        ))
    } else {
        claims
    };
    writer.section("安全のしくみ", "How it is protected", html)
}

/// The last self-test, as it ended.
pub(super) fn self_test(writer: Writer) -> Section {
    let notice = writer.notice;
    let title = ("最後の自己検査", "Last self-test");
    let Some(test) = &notice.self_test else {
        let none = writer.say(
            "この装置・この設定での自己検査は、まだ行っていません。",
            "No self-test of this device with this configuration has been made yet.",
        );
        return writer.section(title.0, title.1, p(none));
    };
    let count = |outcome: Outcome| test.proofs.iter().filter(|proof| proof.outcome == outcome).count();
    let counts = [Outcome::Green, Outcome::Red, Outcome::NotRun].map(count);
    let [green, red, open] = counts;
    let when = day(test.at, &notice.site.settings.store.timezone);
    let said = p(&escape(&match writer.language {
        crate::config::declared::Language::Ja => {
            format!("{when}、バージョン {}：合格 {green}、不合格 {red}、未実施 {open}", test.version)
        }
        crate::config::declared::Language::En => {
            format!("{when}, version {}: {green} passed, {red} failed, {open} not run", test.version)
        }
    }));
    let row = |proof: &Proof| {
        let zone = &notice.site.settings.store.timezone;
        vec![
            format!("<code>{}</code>", escape(&proof.id)),
            outcome(writer, proof.outcome),
            day(proof.at, zone),
            escape(&proof.words),
        ]
    };
    let rows: Vec<Vec<String>> = test.proofs.iter().map(row).collect();
    let head = [
        writer.say("検査", "Test"),
        writer.say("結果", "Outcome"),
        writer.say("日付", "Day"),
        writer.say("わかったこと", "What was seen"),
    ];
    writer.section(title.0, title.1, format!("{said}{}", table(&head, &rows)))
}

fn outcome(writer: Writer, outcome: Outcome) -> String {
    let (class, said) = match outcome {
        Outcome::Green => ("green", writer.say("合格", "passed")),
        Outcome::Red => ("red", writer.say("不合格", "failed")),
        Outcome::NotRun => ("notrun", writer.say("未実施", "not run")),
    };
    format!("<span class=\"{class}\">{said}</span>")
}

/// How anybody can check what the box says.
pub(super) fn verify(writer: Writer) -> Section {
    let notice = writer.notice;
    let key = notice.public_key.as_deref().map_or_else(
        || writer.say("装置を初めて動かしたときに作られます。", "It is made when the device first runs.").to_owned(),
        |key| format!("<code>{}</code>", escape(key)),
    );
    let items = [
        (writer.say("公開鍵", "Public key"), key),
        (
            writer.say("確かめ方", "How"),
            format!(
                "<code>kehai verify --key ed25519:… FILE</code> — {}",
                writer.say(
                    "装置が出した数字に、後から手が加えられていないかを調べます。",
                    "tells whether figures are as the device signed them."
                )
            ),
        ),
        (
            writer.say("設定の照合", "Configuration"),
            format!(
                "{} <code>{}</code>",
                writer.say(
                    "装置が出すどの数字にも、この説明と同じ設定の番号がつきます：",
                    "every figure carries the same number as this notice:"
                ),
                escape(&notice.cfg)
            ),
        ),
    ];
    writer.section("確かめる", "Check it yourself", definitions(items.map(|(name, text)| (name.to_owned(), text))))
}
