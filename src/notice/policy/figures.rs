//! Of the policy: for what, on what ground, what is derived from the images, and how long each thing lives.

use super::{Section, Writer, list, p, table};
use crate::config::declared::{Language, LegalBasis, Metric, Region};
use crate::config::{COUNT_WINDOW_S, PATH_WINDOW_S, Profile};
use crate::notice::claims::Claim;
use crate::notice::layout::escape;
use crate::notice::words::SignWords;

/// Purposes, kind by kind, and the ground they rest on.
pub(super) fn purposes(writer: Writer) -> Section {
    let declared = &writer.notice.site.declared;
    let rows: Vec<Vec<String>> = Metric::ALL
        .into_iter()
        .filter_map(|metric| {
            let purpose = writer.declared(Some(declared.purposes.get(&metric)?));
            Some(vec![name(writer, metric).to_owned(), purpose, basis(writer).to_owned()])
        })
        .collect();
    let head =
        [writer.say("集計するもの", "What is counted"), writer.say("目的", "What for"), writer.say("根拠", "Ground")];
    let interest = writer.declared(declared.interest.as_ref());
    let interest = if interest.is_empty() {
        String::new()
    } else {
        p(&format!("{}{interest}", writer.say("私たちの利益：", "Our interest: ")))
    };
    let analysed = p(writer.say(
        "カメラの映像には、映った方の個人情報が含まれます。解析するあいだ、私たちはそれを取得しています。解析から作って出すのは、下の集計だけです。目的のない集計は出しません。",
        "Camera images contain personal data of the people in them, and we hold it while the images are analysed. What is released of them is the figures below and nothing else. A figure without a purpose is not released.",
    ));
    let law = p(law(writer));
    writer.section("目的と根拠", "Why, and on what ground", format!("{analysed}{}{interest}{law}", table(&head, &rows)))
}

/// What is derived, and what is held back.
pub(super) fn derived(writer: Writer) -> Section {
    let settings = &writer.notice.site.settings;
    let rows: Vec<Vec<String>> = Metric::ALL
        .into_iter()
        .filter(|metric| writer.notice.site.declared.purposes.contains_key(metric))
        .map(|metric| {
            vec![name(writer, metric).to_owned(), what(writer, metric), window(writer, metric), bound(writer, metric)]
        })
        .collect();
    let head = [
        writer.say("集計するもの", "What is counted"),
        writer.say("内容", "Content"),
        writer.say("時間の単位", "Per"),
        writer.say("出す条件", "Released"),
    ];
    let Profile::Threshold = settings.gate.profile;
    let (k, crowd) = (settings.gate.k, settings.gate.crowd_min());
    let how = match writer.language {
        Language::Ja => format!(
            "保護の方式は「threshold」、k = {k} です。線を通った人数は、一人でもそのまま出します。ほかは、ちがう人が{k}人以上になった数字を、そのまま出します。{k}人より少ない数字は伏せ、引き算で求められる数字もあわせて伏せます。地図と移動の数字は、そのカメラや階に{crowd}人以上いたときだけ出します。数字に乱数（ノイズ）は加えていません。"
        ),
        Language::En => format!(
            "The method is “threshold” with k = {k}: crossings of a line are released as they are, even of one person. Any other figure is released as it is where it is about {k} different people or more; one about fewer is withheld, and so is what would give it away by subtraction. Maps and ways between places are released only where at least {crowd} people were. No noise is added to figures."
        ),
    };
    let never = p(writer.say(
        "一人の人を場所から場所へ追った数字はありません。装置には、会員情報、レジ、スマートフォンの情報と結びつける機能もありません。",
        "No figure follows one person from place to place, and the device has no means to join figures with memberships, tills or phones.",
    ));
    writer.section(
        "何を作るか",
        "What is made of the images",
        format!("{}{}{}{never}", table(&head, &rows), p(&marked(writer, Claim::KPeople, &how)), p(&least(writer))),
    )
}

/// What the rules of the region ask for at the least.
fn least(writer: Writer) -> String {
    let Some(region) = writer.notice.site.declared.region else { return String::new() };
    let (rules, name) = (region.rules(), place(writer, region));
    let (k, crowd) = (rules.k_min, rules.crowd_min.max(rules.k_min));
    let dangers = match rules.allows_dangers {
        true => "",
        false => writer.say("保護を弱める設定は使えません。", " No setting that weakens protection is taken."),
    };
    match writer.language {
        Language::Ja => format!(
            "{name}では、この装置は k = {k}、地図と移動の数字は{crowd}人を下回る設定を受けつけません（法律の数字ではなく、製品が決めた下限です）。{dangers}"
        ),
        Language::En => format!(
            "In {name} this device takes no setting below k = {k}, nor below {crowd} people for maps and ways between places. No law names these numbers; they are the product’s own floor.{dangers}"
        ),
    }
}

fn place(writer: Writer, region: Region) -> &'static str {
    match region {
        Region::Jp => writer.say("日本", "Japan"),
        Region::Eu => writer.say("EU", "the European Union"),
        Region::Uk => writer.say("英国", "the United Kingdom"),
    }
}

/// How long each thing lives.
pub(super) fn lifecycle(writer: Writer) -> Section {
    let days = writer.notice.bounds().keep_days;
    let kept = match writer.language {
        Language::Ja => format!("{days}日。そのあと自動で削除"),
        Language::En => format!("{days} days, then deleted without anybody’s doing"),
    };
    let kept = marked(writer, Claim::KeptAtMost, &kept);
    let seen = marked(
        writer,
        Claim::Wiped,
        writer.say(
            "1回の解析のあいだ（復号器には最新の数こまが、次のこまに替わるまであります）",
            "one analysis; the decoder has the newest few until the next ones come",
        ),
    );
    let memory = writer.say("装置のメモリー", "memory of the device");
    let store = writer.say("装置の中の保管庫", "store of the device");
    let row = |thing: &str, time: &str, place: &str| vec![thing.to_owned(), time.to_owned(), place.to_owned()];
    let rows = [
        row(writer.say("映像（1こまずつ）", "Image (each one)"), &seen, memory),
        row(
            writer.say("一人ひとりの動き", "Way of a person"),
            writer.say("映っているあいだと、その後の数秒", "while the person is in view, and some seconds more"),
            memory,
        ),
        row(
            writer.say("出す前の数字", "Figure before it is released"),
            writer.say("出すか伏せるかを決めるまで", "until it is released or withheld"),
            memory,
        ),
        row(writer.say("集計した数字", "Released figure"), &kept, store),
        row(
            writer.say("操作の記録（だれが装置に何をしたか）", "Record of what operators did"),
            writer.say("1年", "one year"),
            store,
        ),
    ];
    let head = [writer.say("もの", "What"), writer.say("期間", "How long"), writer.say("場所", "Where")];
    let html = format!("{}{}", table(&head, &rows), copies(writer));
    writer.section("いつまで持つか", "How long things are kept", html)
}

/// What becomes of figures once somebody else has them.
fn copies(writer: Writer) -> String {
    if writer.notice.site.declared.recipients.is_empty() {
        return String::new();
    }
    p(writer.say(
        "届け先が受け取った数字は、届け先がそれぞれの決まりで保管します。この装置からは消せません。",
        "What recipients have received they keep by rules of their own; this device cannot delete it there.",
    ))
}

/// What must be said in any case, marked where the self-test has not proved it.
fn marked(writer: Writer, claim: Claim, text: &str) -> String {
    if writer.notice.claims.contains(&claim) {
        return text.to_owned();
    }
    let mark = writer.say("（自己検査では未確認）", " (not proved by a self-test)");
    format!("{text}<span class=\"notrun\">{mark}</span>")
}

fn name(writer: Writer, metric: Metric) -> &'static str {
    match metric {
        Metric::Line => writer.say("通った人数", "People passing a line"),
        Metric::Zone => writer.say("区画の人数と滞在時間", "Visits and stays in zones"),
        Metric::Queue => writer.say("列の長さと待ち時間", "Queues"),
        Metric::Heat => writer.say("混み具合の地図", "Map of where it is busy"),
        Metric::Flow => writer.say("流れの地図", "Map of directions"),
        Metric::Od => writer.say("場所から場所への移動", "Ways between places"),
    }
}

fn what(writer: Writer, metric: Metric) -> String {
    let floors = &writer.notice.site.settings.floors;
    let mut sides: Vec<String> = floors.iter().map(|floor| (f64::from(floor.cell_mm) / 1000.0).to_string()).collect();
    sides.dedup();
    let cells = sides.join(" / ");
    let what = match metric {
        Metric::Line => writer.say("線を通った人数、方向ごと", "How many crossed, in each direction").to_owned(),
        Metric::Zone => writer
            .say(
                "入った人数、いた人数、滞在時間の分布",
                "How many came and were there; how long they stayed, as a distribution",
            )
            .to_owned(),
        Metric::Queue => writer
            .say(
                "並んだ人数、待ち時間の分布、あきらめた人数",
                "How many queued or gave up; how long they waited, as a distribution",
            )
            .to_owned(),
        Metric::Heat => match writer.language {
            Language::Ja => format!("{cells} m四方のますごとの人数と滞在時間"),
            Language::En => format!("People and time in cells of {cells} m"),
        },
        Metric::Flow => match writer.language {
            Language::Ja => format!("{cells} m四方のますごとの進む向き"),
            Language::En => format!("Directions of movement in cells of {cells} m"),
        },
        Metric::Od => {
            writer.say("区画・線のあいだを移動した人数", "How many went from one place to another").to_owned()
        }
    };
    format!("{what}{}", objects(writer, metric))
}

/// Names of what a kind of figure is about, in brackets.
fn objects(writer: Writer, metric: Metric) -> String {
    let settings = &writer.notice.site.settings;
    let names: Vec<&str> = match metric {
        Metric::Line => settings.lines.iter().map(|line| line.name.as_str()).collect(),
        Metric::Zone => settings.zones.iter().map(|zone| zone.name.as_str()).collect(),
        Metric::Queue => settings.queues.iter().map(|queue| queue.name.as_str()).collect(),
        Metric::Heat | Metric::Flow => settings.floors.iter().map(|floor| floor.name.as_str()).collect(),
        Metric::Od => Vec::new(),
    };
    if names.is_empty() {
        return String::new();
    }
    let names: Vec<String> = names.into_iter().map(escape).collect();
    format!("{}{}{}", writer.say("（", " ("), names.join(writer.say("、", ", ")), writer.say("）", ")"))
}

fn window(writer: Writer, metric: Metric) -> String {
    let seconds = match metric {
        Metric::Line | Metric::Zone | Metric::Queue => COUNT_WINDOW_S,
        Metric::Heat | Metric::Flow | Metric::Od => PATH_WINDOW_S,
    };
    format!("{}{}", seconds / 60, writer.say("分", " minutes"))
}

fn bound(writer: Writer, metric: Metric) -> String {
    let k = writer.notice.site.settings.gate.k;
    match (metric, writer.language) {
        (Metric::Line, Language::Ja) => "いつも（一人でも）".to_owned(),
        (Metric::Line, Language::En) => "always, even one".to_owned(),
        (_, Language::Ja) => format!("{k}人から"),
        (_, Language::En) => format!("from {k} people on"),
    }
}

fn basis(writer: Writer) -> &'static str {
    match writer.notice.site.declared.legal_basis {
        Some(LegalBasis::LegitimateInterest) => {
            writer.say("正当な利益（GDPR 第6条1項f）", "Legitimate interest (GDPR Article 6(1)(f))")
        }
        Some(LegalBasis::PublicTask) => {
            writer.say("公共の任務（GDPR 第6条1項e）", "Public task (GDPR Article 6(1)(e))")
        }
        Some(LegalBasis::LegalObligation) => {
            writer.say("法律上の義務（GDPR 第6条1項c）", "Legal obligation (GDPR Article 6(1)(c))")
        }
        None => "",
    }
}

fn law(writer: Writer) -> &'static str {
    match writer.notice.site.declared.region {
        Some(Region::Jp) => writer.say(
            "この説明は、個人情報の保護に関する法律と、経済産業省・総務省の「カメラ画像利活用ガイドブック」にそって作っています。",
            "This notice follows Japan’s Act on the Protection of Personal Information and the guidebook on the use of camera images of METI and MIC.",
        ),
        Some(Region::Eu) => writer.say(
            "この説明は、EU一般データ保護規則（GDPR）第13条にそって作っています。",
            "This notice is made under Article 13 of the General Data Protection Regulation (GDPR).",
        ),
        Some(Region::Uk) => writer.say(
            "この説明は、英国一般データ保護規則（UK GDPR）第13条にそって作っています。",
            "This notice is made under Article 13 of the UK GDPR.",
        ),
        None => "",
    }
}

/// Everything that is proved, as a list; empty where nothing is.
pub(super) fn claims(writer: Writer) -> String {
    let notice = writer.notice;
    if notice.claims.is_empty() {
        return String::new();
    }
    let tested = notice.tested_on().unwrap_or_default();
    let said = notice.claims.iter().map(|claim| escape(&claim.sentence(writer.language, notice.bounds())));
    format!("{}{}", p(&escape(&SignWords::of(writer.language).tested.replace("{}", &tested))), list(said))
}
