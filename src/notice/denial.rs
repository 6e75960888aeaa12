//! What a sign must never say: that no personal data is handled. Images of people are personal data until they are gone.
//!
//! In: what a shop declares. Out: the first text that denies it. Source: Japan's Personal Information Protection Commission, Q&A
//! on the guidelines: information is acquired even if the image is deleted at once.

use super::NoticeError;
use crate::config::declared::{Declared, Words};

/// Refuses a declaration that denies that personal data is handled.
pub(super) fn check(declared: &Declared) -> Result<(), NoticeError> {
    let named = |key: &str, words: &Words| {
        let texts = [("ja", &words.ja), ("en", &words.en)].into_iter();
        texts.filter_map(|(code, text)| Some((format!("{key}.{code}"), text.clone()?))).collect::<Vec<_>>()
    };
    let single = [
        ("notice.interest", &declared.interest),
        ("notice.objection", &declared.objection),
        ("notice.authority", &declared.authority),
    ];
    let mut texts: Vec<(String, String)> =
        single.into_iter().filter_map(|(key, words)| Some(named(key, words.as_ref()?))).flatten().collect();
    texts.extend(
        declared.purposes.iter().flat_map(|(metric, words)| named(&format!("purposes.{}", metric.name()), words)),
    );
    texts.extend(
        declared.recipients.iter().flat_map(|one| named(&format!("recipient.{}.purpose", one.name), &one.purpose)),
    );
    texts.extend(
        declared.changes.iter().flat_map(|change| named(&format!("notice.changes.{}", change.date), &change.what)),
    );
    texts.extend(declared.desk.iter().flat_map(|desk| named("notice.desk.name", &desk.name)));
    match texts.into_iter().find_map(|(key, text)| Some((key, denied(&text)?))) {
        Some((key, found)) => Err(NoticeError::Forbidden { key, found: found.to_owned() }),
        None => Ok(()),
    }
}

/// The words by which a text denies that personal data is handled.
#[must_use]
pub fn denied(text: &str) -> Option<&'static str> {
    let plain: String = text.to_lowercase().chars().filter(|letter| !letter.is_whitespace()).collect();
    DENIALS.into_iter().find(|denial| plain.contains(&denial.replace(' ', "")))
}

const DENIALS: [&str; 27] = [
    "個人情報は取得しません",
    "個人情報は取得していません",
    "個人情報を取得しません",
    "個人情報を取得していません",
    "個人情報は収集しません",
    "個人情報は収集していません",
    "個人情報を収集しません",
    "個人情報を収集していません",
    "個人情報は扱いません",
    "個人情報を扱いません",
    "個人情報は扱っていません",
    "個人情報は含まれません",
    "個人情報は含みません",
    "個人情報を含みません",
    "個人情報ではありません",
    "個人情報は一切",
    "個人データではありません",
    "個人データは扱いません",
    "no personal data",
    "no personal information",
    "not personal data",
    "not personal information",
    "without personal data",
    "never personal data",
    "do not collect personal",
    "does not collect personal",
    "do not process personal",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_denial_is_found_whatever_its_case_and_spaces() {
        assert_eq!(denied("We handle NO  personal\u{a0}data."), Some("no personal data"));
        assert!(denied("当店は 個人情報は取得していません。").is_some());
        assert_eq!(denied("映像には個人情報が含まれます。混雑を減らします。"), None);
        assert_eq!(denied("Images are personal data while they are analysed."), None);
    }
}
