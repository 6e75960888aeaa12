//! Short texts for a shop's app, its receipts and its web page, of [`CHARS_MAX`] characters at most.
//!
//! In: [`Notice`]. Out: a text file with a paragraph each. Invariant: the sentence that must be said is whole in each; the
//! address is left out only where it would not fit, and then the sign is pointed to.

use super::Notice;
use super::claims::Claim;
use super::code::Code;
use crate::config::declared::Language;

/// Most characters of one text.
pub const CHARS_MAX: usize = 140;

/// The texts of a language.
#[must_use]
pub fn short(notice: &Notice, language: Language) -> String {
    let [app, receipt, web] = [app(notice, language), receipt(notice, language), web(notice, language)];
    let [of_app, of_receipt, of_web] = match language {
        Language::Ja => ["アプリ", "レシート", "ウェブ"],
        Language::En => ["App", "Receipt", "Web"],
    };
    format!("[{of_app}]\n{app}\n\n[{of_receipt}]\n{receipt}\n\n[{of_web}]\n{web}\n")
}

fn app(notice: &Notice, language: Language) -> String {
    let (shop, address) = (&notice.site.settings.store.name, address(notice));
    match language {
        Language::Ja => shortest(&[
            format!("{shop}では、{SENTENCE_JA}。くわしくはこちら：{address}"),
            format!("この店では、{SENTENCE_JA}。くわしくはこちら：{address}"),
            format!("この店では、{SENTENCE_JA}。くわしくは店の入口の掲示をごらんください。"),
        ]),
        Language::En => shortest(&[
            format!("{shop}: {SENTENCE_EN}. Details: {address}"),
            format!("In this shop, {SENTENCE_EN}. Details: {address}"),
            format!("In this shop, {SENTENCE_EN}. Details: see the sign at the door."),
        ]),
    }
}

fn receipt(notice: &Notice, language: Language) -> String {
    let (id, address) = (&notice.sign_id, address(notice));
    match language {
        Language::Ja => shortest(&[
            format!("当店では、{SENTENCE_JA}。掲示番号 {id} {address}"),
            format!("当店では、{SENTENCE_JA}。掲示番号 {id}"),
        ]),
        Language::En => {
            shortest(&[format!("Here, {SENTENCE_EN}. Sign {id} {address}"), format!("Here, {SENTENCE_EN}. Sign {id}")])
        }
    }
}

fn web(notice: &Notice, language: Language) -> String {
    let address = address(notice);
    let stored = notice.claims.contains(&Claim::NotStored);
    let stored = if stored { dated(notice, language) } else { String::new() };
    let desk = notice.site.declared.desk.as_ref().and_then(|desk| desk.phone.as_ref().or(desk.email.as_ref()));
    let desk = desk.map(String::as_str).unwrap_or_default();
    match language {
        Language::Ja => shortest(&[
            format!("店内では、{SENTENCE_JA}。{stored}お問い合わせ：{desk}　{address}"),
            format!("店内では、{SENTENCE_JA}。{stored}{address}"),
            format!("店内では、{SENTENCE_JA}。{stored}お問い合わせ：{desk}"),
            format!("店内では、{SENTENCE_JA}。{stored}"),
        ]),
        Language::En => shortest(&[
            format!("In our shop, {SENTENCE_EN}. {stored} Questions: {desk} {address}").replace("  ", " "),
            format!("In our shop, {SENTENCE_EN}. {stored} {address}").replace("  ", " "),
            format!("In our shop, {SENTENCE_EN}. {stored} Questions: {desk}").replace("  ", " "),
            format!("In our shop, {SENTENCE_EN}. {stored}"),
        ]),
    }
}

/// That nothing is stored, with the day on which that was tested: a text lies about for longer than a proof holds.
fn dated(notice: &Notice, language: Language) -> String {
    let sentence = Claim::NotStored.sentence(language, notice.bounds());
    let day = notice.tested_on().unwrap_or_default();
    match language {
        Language::Ja => format!("{}（{day}検査）。", sentence.trim_end_matches('。')),
        Language::En => format!("{} (tested {day}).", sentence.trim_end_matches('.')),
    }
}

fn address(notice: &Notice) -> String {
    let policy_url = notice.site.declared.policy_url.as_deref().unwrap_or_default();
    Code::of(policy_url, &notice.sign_id).map(|code| code.address).unwrap_or_default()
}

/// The first, fullest, that is short enough; the last always is.
fn shortest(texts: &[String]) -> String {
    let is_short = |text: &&String| text.chars().count() <= CHARS_MAX;
    texts.iter().find(is_short).or(texts.last()).cloned().unwrap_or_default()
}

const SENTENCE_JA: &str = "カメラ映像から人の動き(動線)を統計化しています";
const SENTENCE_EN: &str = "camera images are turned into statistics of how people move";
