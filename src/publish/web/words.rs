//! Every word of the page, in English and in Japanese.
//!
//! In: which language the reader asked for, or the browser says. Out: text. Invariant: no word exists in one language alone: a
//! [`Word`] has both, and a page in Japanese holds no English but names, units and formulas (tests/story/page.rs).

use super::super::period::{Definition, Presence, Why};

/// A language of the page.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Language {
    /// English.
    #[default]
    English,
    /// Japanese.
    Japanese,
}

impl Language {
    /// Both, in the order in which they are offered.
    pub const ALL: [Self; 2] = [Self::English, Self::Japanese];

    /// The language that a browser likes best, by its `Accept-Language`: Japanese or English, whichever weighs more.
    #[must_use]
    pub fn accepted(header: &str) -> Self {
        let weight = |tag: &str| {
            let listed = header.split(',').filter_map(|part| {
                let mut parts = part.trim().split(';');
                let one = parts.next()?.trim().to_ascii_lowercase();
                let is_it = one == tag || one.strip_prefix(tag).is_some_and(|rest| rest.starts_with('-'));
                let quality = parts.find_map(|part| part.trim().strip_prefix("q="));
                is_it.then(|| quality.map_or(1.0, |quality| quality.trim().parse().unwrap_or(0.0)))
            });
            listed.fold(0.0_f32, f32::max)
        };
        let place = |tag: &str| header.to_ascii_lowercase().find(tag).unwrap_or(usize::MAX);
        let [english, japanese] = ["en", "ja"].map(weight);
        let is_first = place("ja") < place("en");
        if japanese > english || (japanese > 0.0 && japanese >= english && is_first) {
            Self::Japanese
        } else {
            Self::English
        }
    }

    /// From the tag in an address.
    #[must_use]
    pub fn of_tag(tag: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|language| language.tag() == tag)
    }

    /// Its tag in addresses and in HTML.
    #[must_use]
    pub fn tag(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::Japanese => "ja",
        }
    }

    /// What it is called by those who speak it.
    #[must_use]
    pub fn own_name(self) -> &'static str {
        match self {
            Self::English => "English",
            Self::Japanese => "日本語",
        }
    }
}

/// A text in both languages; `{0}`, `{1}` and so on stand for what is filled in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Word(pub &'static str, pub &'static str);

impl Word {
    /// The text in a language.
    #[must_use]
    pub fn of(self, language: Language) -> &'static str {
        match language {
            Language::English => self.0,
            Language::Japanese => self.1,
        }
    }

    /// The text in a language with its places filled; what is filled in is not searched again.
    #[must_use]
    pub fn with(self, language: Language, values: &[&str]) -> String {
        let mut parts = self.of(language).split('{');
        let mut text = parts.next().unwrap_or_default().to_owned();
        for part in parts {
            let (place, rest) = part.split_once('}').unwrap_or(("", part));
            text += place.parse().ok().and_then(|place: usize| values.get(place)).copied().unwrap_or_default();
            text += rest;
        }
        text
    }
}

/// What a figure is called.
#[must_use]
pub fn label(of: &Definition, language: Language) -> &'static str {
    Word(of.label, of.label_ja).of(language)
}

/// How a figure is made; the names of the contract are the same in every language.
#[must_use]
pub fn formula(formula: &'static str, language: Language) -> &'static str {
    let found = FORMULAS.iter().find(|word| word.0 == formula);
    found.map_or(formula, |word| word.of(language))
}

/// Why there is no figure.
#[must_use]
pub fn why(why: Why) -> Word {
    match why {
        Why::NoRecord => NO_RECORD,
        Why::Blind => NOBODY_LOOKED,
        Why::Withheld => WITHHELD,
        Why::NotMeasured => Word("not measured", "測定なし"),
        Why::NobodyCame => Word("nobody came", "来訪なし"),
    }
}

/// What is known of an object.
#[must_use]
pub fn presence(presence: Presence) -> Word {
    match presence {
        Presence::NoRecord => NO_RECORD,
        Presence::Blind => NOBODY_LOOKED,
        Presence::Withheld => WITHHELD,
        Presence::PartlyWithheld => Word("partly withheld", "一部非公開"),
        Presence::Told => Word("told", "公開"),
    }
}

pub const NO_RECORD: Word = Word("no record", "記録なし");
pub const NOBODY_LOOKED: Word = Word("nobody looked", "観測なし");
pub const WITHHELD: Word = Word("withheld", "非公開");
pub const AT_LEAST: Word = Word("at least {0}", "{0} 以上");

pub const SKIP: Word = Word("To the figures", "数値へ移動");
pub const CAMERAS_NOW: Word = Word("Cameras now", "現在のカメラ");
pub const SWITCH: Word = Word("Switch", "スイッチ");
pub const STOP: Word = Word("Stop watching", "計測を止める");
pub const NOT_ARMED: Word =
    Word("Not armed: cameras are not watched.", "開始の手続きが済んでいません。カメラの映像は使われていません。");
pub const ARMED: Word =
    Word("Armed: cameras are watched within opening hours.", "計測中です（営業時間内のみカメラの映像を使います）。");
pub const PAUSED_HERE: Word = Word(
    "Stopped on site: cameras are not watched. An owner resumes it at the box, nobody from afar.",
    "店舗で停止中です。カメラの映像は使われていません。再開できるのは店舗にいる責任者だけで、遠隔ではできません。",
);
pub const PAUSED_REMOTELY: Word = Word(
    "Stopped from afar: cameras are not watched. An owner resumes it at the box.",
    "遠隔で停止中です。カメラの映像は使われていません。店舗にいる責任者が再開できます。",
);
pub const LOCKED: Word = Word(
    "Locked: cameras are not watched. An owner unlocks it at the box.",
    "ロック中です。カメラの映像は使われていません。店舗にいる責任者が解除できます。",
);
pub const UNREADABLE: Word = Word(
    "The switch cannot be read: nothing is watched.",
    "スイッチの状態を読めません。カメラの映像は使われていません。",
);
pub const LANGUAGES: Word = Word("Language", "言語");
pub const DANGEROUS: Word = Word("Dangerous: {0}", "危険: {0}");
pub const NOT_SHOWN: Word = Word("Not shown: {0}.", "表示できません: {0}。");
pub const FOOTER_WITHHELD: Word = Word(
    "Zones in which fewer than {0} different people stayed, and map cells on which fewer stood, are withheld; line counts are exact.",
    "滞在した人が {0} 人に満たないゾーンと、立ち入った人がそれに満たない区画は公開しません。ラインの通過数は正確な値です。",
);
pub const FOOTER_FOUR: Word = Word(
    "are four different things. The page shows what this box publishes, and how its cameras fare.",
    "はそれぞれ別の意味です。このページには、この装置が公開する数値とカメラの状態だけを表示します。",
);

pub const NEWEST: Word = Word("newest windows", "最新の集計枠");
pub const AGAINST: Word = Word(" against {0}", "と {0} の比較");
pub const SPAN: Word = Word("{0} to {1}", "{0}〜{1}");
pub const WAITING: Word = Word("Waiting for the first closed window …", "最初の集計枠が閉じるのを待っています…");
pub const NOTHING_HELD: Word =
    Word("No record: no window of this period is held.", "記録なし: この期間の集計枠は保存されていません。");
pub const DAYS_OF: Word = Word(
    "Days and times of {0}. Every figure is a sum of released windows, each counted once.",
    "日時は {0} のものです。どの数値も、公開された集計枠をそれぞれ一度だけ合計したものです。",
);
pub const FOOTFALL: Word = Word("Footfall {0}", "来店数（{0}）");
pub const ENTRIES: Word = Word("Entries of zones {0}", "ゾーンへの入場（{0}）");
pub const BY_QUARTER: Word = Word("by quarter of an hour", "15分ごと");
pub const BY_DAY: Word = Word("by day", "日ごと");
pub const IN: Word = Word("in", "入");
pub const OUT: Word = Word("out", "出");
pub const BEFORE: Word = Word("Against the days before", "直前の同じ日数と比べる");

pub const FLOOR: Word = Word("Floor", "フロア");
pub const VISITS: Word = Word("visits", "訪問");
pub const TIME_SPENT: Word = Word("time spent", "滞在時間");
pub const SHOW_WAYS: Word = Word("show ways", "動線を表示");
pub const HIDE_WAYS: Word = Word("hide ways", "動線を隠す");
pub const HEATMAP_OF: Word = Word("Heatmap of {0}: {1}", "{0} のヒートマップ: {1}");
pub const HEAT_CAPTION: Word = Word(
    "{0}: {1} by cell of {2} m, away from the door is up. Seen {3}, {4}. At least {5} different people behind every cell of a window.",
    "{0}: {2} m 四方の区画ごとの{1}。上が入口から奥の方向です。観測 {3}、{4}。各集計枠のどの区画も {5} 人以上に基づきます。{6}",
);
pub const CHANGE_ON: Word = Word("Change on {0}", "{0} の変化");
pub const CHANGE_CAPTION: Word = Word(
    "{0}: change of {1} per hour seen, blue is less, orange is more.",
    "{0}: 観測1時間あたりの{1}の変化。青は減少、橙は増加です。{2}",
);
pub const WAYS_OVER: Word = Word("Ways over {0}", "{0} の動線");
pub const WAYS_CAPTION: Word = Word("{0}: where people go. Seen {1}, {2}.", "{0}: 人の流れる向き。観測 {1}、{2}。{3}");
/// Pictures have English words; the line below them says what they mean.
pub const IN_THE_PICTURE: Word = Word(
    "",
    "図中の語: visits は訪問、person-s・person-min・person-h は延べ人秒・人分・人時間、per h seen は観測1時間あたり、none は 0、withheld は非公開、withheld at times は一部非公開、no camera はカメラの範囲外。",
);
pub const IN_THE_WAYS: Word = Word(
    "",
    "図中の語: passages は通過、thickest は最も太い矢印の通過数、agree は向きがそろう、mixed は半分ほどそろう、every way は向きがばらばら、withheld は非公開、withheld at times は一部非公開、no camera はカメラの範囲外。",
);

pub const PERIOD: Word = Word("Period", "期間");
pub const LATEST: Word = Word("latest window", "最新の集計枠");
pub const TODAY: Word = Word("today", "今日");
pub const YESTERDAY: Word = Word("yesterday", "昨日");
pub const WEEK: Word = Word("last 7 days", "過去7日間");
pub const WEEKS: Word = Word("this week against last", "今週と先週の比較");
pub const OTHER_DAYS: Word = Word("Other days", "ほかの日");
pub const FIRST_DAY: Word = Word("first day", "最初の日");
pub const LAST_DAY: Word = Word("last day", "最後の日");
pub const AGAINST_FROM: Word = Word("against, from", "比較する期間の最初の日");
pub const HOURS: Word = Word("hours", "時間帯");
pub const SHOW: Word = Word("Show", "表示");
pub const AT_MOST_DAYS: Word =
    Word("At most {0} days. The same in the address line: {1}", "最長 {0} 日。アドレス欄でも同じ指定ができます: {1}");

pub const LINES: Word = Word("Lines", "ライン");
pub const ZONES: Word = Word("Zones", "ゾーン");
pub const QUEUES: Word = Word("Queues", "行列");
pub const NAME: Word = Word("name", "名称");
pub const SEEN_OF_PERIOD: Word = Word("seen: Σ cov_ms ÷ period", "観測: Σ cov_ms ÷ 期間");
pub const SEEN_OF_WINDOW: Word = Word("seen: cov_ms ÷ dur", "観測: cov_ms ÷ dur");
pub const WINDOW: Word = Word("window", "集計枠");
pub const WINDOWS: Word = Word("windows", "集計枠");
pub const CHANGE: Word = Word("change, sums per hour seen", "変化（合計は観測1時間あたり）");
pub const SEEN: Word = Word("seen {0}", "観測 {0}");
pub const N_OF_M: Word = Word("{0} of {1}", "{1} 中 {0}");
pub const N_WITHHELD: Word = Word(", {0} withheld", "、非公開 {0}");
pub const N_BLIND: Word = Word(", {0} nobody looked", "、観測なし {0}");
pub const COMMA: Word = Word(", ", "、");
pub const WAYS: Word = Word("Ways between places", "場所の間の移動");
pub const WAYS_EXPLAINED: Word = Word(
    "From the row to the column. Share: {0}. Not listed: withheld.",
    "行の場所から列の場所へ。割合: {0}。表にないものは非公開です。",
);
pub const ELSEWHERE: Word = Word("elsewhere", "その他");
pub const FROM_TO: Word = Word("from \\ to", "から \\ へ");
pub const REST_SEEN: Word = Word("Seen {0}, {1}.", "観測 {0}、{1}。");
pub const REST: Word = Word("{0}: {1} {2}. ", "{0}: {1} {2}。");
pub const OF_WINDOWS_TOLD: Word = Word("of windows told", "公開された集計枠のみ");
pub const POINTS: Word = Word("{0} points", "{0} ポイント");
pub const NOT_COMPARABLE: Word = Word("not comparable", "比較不可");

pub const SECONDS: Word = Word("{0} s", "{0} 秒");
pub const MINUTES: Word = Word("{0} min {1} s", "{0} 分 {1} 秒");
pub const HOURS_LONG: Word = Word("{0} h {1} min", "{0} 時間 {1} 分");

pub const CHART_OF: Word = Word("Chart of {0}", "{0} のグラフ");
pub const CHART_WORDS: Word = Word(
    "{0}: {1} in, {2} out, in {3} {4}.{5} Withheld: {6}; nobody looked: {7}; no record: {8}.",
    "{0}: 入 {1}、出 {2}、{3} {4}。{5}非公開: {6}、観測なし: {7}、記録なし: {8}。",
);
pub const BUSIEST: Word = Word(" Most in: {0} at {1}.", "入が最も多いのは {1} の {0}。");
pub const QUARTERS: Word = Word("quarters of an hour", "個の15分枠");
pub const DAYS: Word = Word("days", "日間");

pub const CAMERAS: Word = Word("Cameras", "カメラ");
pub const LOST: Word = Word("lost", "途絶");
pub const SEEING: Word = Word("seeing", "観測中");
pub const OPENING: Word = Word("opening", "接続を試行中");
pub const ENDED: Word = Word("ended", "終了");
pub const OVERLOADED: Word = Word("seeing, overloaded", "観測中、過負荷");
/// Heads of the table of cameras.
pub const CAMERA_HEADS: [Word; 11] = [
    Word("camera", "カメラ"),
    Word("state", "状態"),
    Word("looks/s", "検出回数／秒"),
    Word("frames/s", "フレーム／秒"),
    Word("captured", "取得"),
    Word("detected", "検出済み"),
    Word("still", "静止"),
    Word("overwritten", "上書き"),
    Word("ignored boxes", "除外した枠"),
    Word("motionless things", "動かない物"),
    Word("reopened", "再接続"),
];

/// The cage may be unproved.
pub const DANGER_UNSANDBOXED: Word = Word(
    "this box may watch without a proved cage round the process that sees pictures (dangerous_allow_unsandboxed). Every message says so.",
    "この装置は、画像を扱うプロセスの隔離が確認できなくても観測することがあります (dangerous_allow_unsandboxed)。すべてのメッセージにその旨が記されます。",
);
/// The broker is reached in the clear.
pub const DANGER_PLAINTEXT: Word = Word(
    "what this box publishes can be read and changed on its way to the broker (broker.dangerous_plaintext).",
    "この装置が公開する内容は、ブローカーに届くまでの間に読まれたり書き換えられたりするおそれがあります (broker.dangerous_plaintext)。",
);

pub const REFUSED_STORE: Word = Word("{0}", "保存庫を読み取れません（{0}）");
pub const REFUSED_PERIOD: Word = Word("{0}", "期間を読み取れません（{0}）");
pub const REFUSED_CLOSED: Word = Word(
    "the shop is closed in this whole period, by the hours given",
    "指定した時間帯では、この期間を通して閉店しています",
);
pub const REFUSED_HOURS: Word =
    Word("hours are quarters of an hour, as in 10:00-21:00", "時間帯は 10:00-21:00 のように15分単位で書いてください");
pub const REFUSED_LAYER: Word = Word("layer is visits or dwell", "layer は visits か dwell です");
pub const REFUSED_LANGUAGE: Word = Word("lang is en or ja", "lang は en か ja です");
pub const REFUSED_LAST: Word =
    Word("last needs from: the first day of the period", "last には from（期間の最初の日）が必要です");
pub const REFUSED_FUTURE: Word = Word("the period has not begun yet", "この期間はまだ始まっていません");
pub const REFUSED_LATE: Word = Word("against is too late a day", "against の日が遅すぎます");
pub const REFUSED_OTHER_FUTURE: Word =
    Word("the period it is held against has not begun yet", "比較する期間はまだ始まっていません");
pub const REFUSED_LENGTH: Word = Word(
    "a period begins with from and ends with last, not before it; it has at most {0} days",
    "期間は from に始まり last に終わります（last は from より前にできません）。最長 {0} 日です",
);
pub const REFUSED_NAME: Word =
    Word("p is latest, today, yesterday, week or weeks", "p は latest、today、yesterday、week、weeks のいずれかです");
pub const REFUSED_DATE: Word = Word(
    "{0} is a day as in 2026-11-01, from 1970 to 2105",
    "{0} は 2026-11-01 のような日付です（1970年から2105年まで）",
);

/// Formulas that have words in them besides names of the contract.
const FORMULAS: [Word; 14] = [
    Word("Σ in; every re-entry counts, there is no identity", "Σ in（再入場も毎回数える。個人は識別しない）"),
    Word("Σ in ÷ Σ (in + pass), of windows with passers-by", "Σ in ÷ Σ (in + pass)（通行人を数える集計枠のみ）"),
    Word("Σ stops (stays that reached 10 s)", "Σ stops（10秒以上の滞在）"),
    Word(
        "the length that half of Σ hist lies below, evenly spread in its class",
        "Σ hist の半数がこれより短い長さ（階級内は均等に分布するとみなす）",
    ),
    Word("Σ occ_ms ÷ Σ cov_ms, of windows that tell it", "Σ occ_ms ÷ Σ cov_ms（公開された集計枠のみ）"),
    Word("max occ_max", "occ_max の最大値"),
    Word(
        "Σ entries of the zone ÷ Σ in of the store's doors; a lower bound where windows are withheld",
        "ゾーンの Σ entries ÷ 店の入口の Σ in（非公開の集計枠があるときは下限）",
    ),
    Word(
        "the length that half of Σ wait_ms.hist lies below, evenly spread in its class",
        "Σ wait_ms.hist の半数がこれより短い長さ（階級内は均等に分布するとみなす）",
    ),
    Word(
        "the length that 90 % of Σ wait_ms.hist lie below, evenly spread in its class",
        "Σ wait_ms.hist の90 %がこれより短い長さ（階級内は均等に分布するとみなす）",
    ),
    Word("Σ len_ms ÷ Σ cov_ms, of windows that tell it", "Σ len_ms ÷ Σ cov_ms（公開された集計枠のみ）"),
    Word("max len_max", "len_max の最大値"),
    Word("Σ m of the pair ÷ Σ m of all released pairs", "この組の Σ m ÷ 公開された全組の Σ m"),
    Word("Σ dropped, of windows that tell it", "Σ dropped（公開された集計枠のみ）"),
    Word("Σ cut, of windows that tell it", "Σ cut（公開された集計枠のみ）"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_browser_gets_the_language_it_likes_best() {
        for (header, language) in [
            ("ja", Language::Japanese),
            ("ja-JP,ja;q=0.9,en-US;q=0.8,en;q=0.7", Language::Japanese),
            ("en-US,en;q=0.9,ja;q=0.8", Language::English),
            ("en;q=0.5, ja;q=0.9", Language::Japanese),
            ("de, ja;q=0.3", Language::Japanese),
            ("en, ja", Language::English),
            ("ja, en", Language::Japanese),
            ("jam, fr", Language::English),
            ("ja;q=0", Language::English),
            ("", Language::English),
            (";;;,q=ja", Language::English),
        ] {
            assert_eq!(Language::accepted(header), language, "{header:?}");
        }
    }

    #[test]
    fn what_is_filled_in_is_not_searched_again_and_stands_where_the_language_wants_it() {
        assert_eq!(N_OF_M.with(Language::English, &["{1}", "96"]), "{1} of 96");
        assert_eq!(N_OF_M.with(Language::Japanese, &["95", "96"]), "96 中 95");
    }
}
