//! What is said openly: the policy behind the sign's code, and the newest self-test. Anybody reads it, nobody changes it.
//!
//! In: the file of the newest self-test, and what makes pages of it. Out: exactly these pages. Invariants: nothing of a request
//! enters an answer but its language; a page rests on the self-test that lies there now, not on one that lay there at the start, and
//! a claim whose proof grows too old is gone within a minute.

use std::io::Read;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use axum::Extension;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{Html, IntoResponse, Response};

use super::frame::{told, unable};
use super::headers::POLICY_OF_READING;
use super::porter::{Guest, Hall};
use super::spoken;
use super::words::Language;
use crate::clock::monotonic_ns;

/// What anybody may read.
#[derive(Clone)]
pub struct Transparency(Arc<Drawer>);

/// The pages for one language: whole ones, without a script.
#[derive(Debug, Clone, Default)]
pub struct Sheets {
    /// The policy; nothing where not all of it is declared.
    pub notice: Option<String>,
    /// The newest self-test; nothing where none was made.
    pub self_test: Option<String>,
}

struct Drawer {
    make: Box<dyn Fn(Language) -> Sheets + Send + Sync>,
    /// Where the newest self-test lies, signed, JSON.
    newest: Option<PathBuf>,
    made: Mutex<Option<Made>>,
}

/// What was made.
struct Made {
    /// Of which self-test.
    of: Option<Vec<u8>>,
    /// When, ns of the monotonic clock.
    at_ns: i64,
    /// In the order of [`Language::ALL`].
    sheets: [Sheets; 2],
}

impl Transparency {
    /// Pages that are made anew whenever another self-test lies at `newest`, and when they are a minute old.
    #[must_use]
    pub fn new(newest: Option<PathBuf>, make: impl Fn(Language) -> Sheets + Send + Sync + 'static) -> Self {
        Self(Arc::new(Drawer { make: Box::new(make), newest, made: Mutex::default() }))
    }

    /// The newest self-test, as it lies there.
    pub(super) fn signed(&self) -> Option<Vec<u8>> {
        let mut bytes = Vec::new();
        let file = std::fs::File::open(self.0.newest.as_ref()?).ok()?;
        file.take(SELFTEST_BYTES_MAX).read_to_end(&mut bytes).ok()?;
        Some(bytes)
    }

    /// The pages in a language, as they stand now.
    fn sheets(&self, language: Language, now_ns: i64) -> Sheets {
        let newest = self.signed();
        // One at a time: many who ask make no more work than one.
        let mut made = self.0.made.lock().unwrap_or_else(PoisonError::into_inner);
        if made.as_ref().is_none_or(|made| made.of != newest || now_ns - made.at_ns >= PAGE_AGE_NS_MAX) {
            *made = Some(Made { of: newest, at_ns: now_ns, sheets: Language::ALL.map(&self.0.make) });
        }
        let place = Language::ALL.iter().position(|one| *one == language).unwrap_or_default();
        made.as_ref().map(|made| made.sheets[place].clone()).unwrap_or_default()
    }
}

impl Default for Transparency {
    /// Nothing was made.
    fn default() -> Self {
        Self::new(None, |_| Sheets::default())
    }
}

/// The policy.
pub(super) async fn notice(State(hall): State<Hall>, Extension(guest): Extension<Guest>) -> Response {
    let none = (spoken::NOTICE, spoken::NO_NOTICE.of(guest.language));
    match sheets(&hall, &guest).await {
        Some(Sheets { notice: Some(html), .. }) => read(html),
        Some(_) => told(&hall, &guest, StatusCode::NOT_FOUND, none),
        None => unable(&hall, &guest),
    }
}

/// The newest self-test, for people.
pub(super) async fn self_test(State(hall): State<Hall>, Extension(guest): Extension<Guest>) -> Response {
    let none = (spoken::SELF_TEST, spoken::NO_SELF_TEST.of(guest.language));
    match sheets(&hall, &guest).await {
        Some(Sheets { self_test: Some(html), .. }) => read(html),
        Some(_) => told(&hall, &guest, StatusCode::NOT_FOUND, none),
        None => unable(&hall, &guest),
    }
}

async fn sheets(hall: &Hall, guest: &Guest) -> Option<Sheets> {
    let (transparency, language) = (hall.page.transparency.clone(), guest.language);
    tokio::task::spawn_blocking(move || transparency.sheets(language, monotonic_ns())).await.ok()
}

fn read(html: String) -> Response {
    ([(header::CONTENT_SECURITY_POLICY, POLICY_OF_READING)], Html(html)).into_response()
}

/// The newest self-test with its signature, byte for byte.
pub(super) async fn signed_self_test(State(hall): State<Hall>, Extension(guest): Extension<Guest>) -> Response {
    let transparency = hall.page.transparency.clone();
    match tokio::task::spawn_blocking(move || transparency.signed()).await {
        Ok(Some(json)) => ([(header::CONTENT_TYPE, "application/json")], json).into_response(),
        _ => {
            let none = (spoken::SELF_TEST, spoken::NO_SELF_TEST.of(guest.language));
            told(&hall, &guest, StatusCode::NOT_FOUND, none)
        }
    }
}

/// A path nobody knows.
pub(super) async fn nowhere(State(hall): State<Hall>, Extension(guest): Extension<Guest>) -> Response {
    told(&hall, &guest, StatusCode::NOT_FOUND, (spoken::NO_SUCH_PAGE, ""))
}

/// A path that is asked in a way it does not answer.
pub(super) async fn not_this_way(State(hall): State<Hall>, Extension(guest): Extension<Guest>) -> Response {
    let words = spoken::NOT_THIS_WAY.of(guest.language);
    told(&hall, &guest, StatusCode::METHOD_NOT_ALLOWED, (spoken::REFUSED, words))
}

/// Longest self-test that is served.
const SELFTEST_BYTES_MAX: u64 = 1 << 20;
/// A claim whose proof has grown too old is gone from the page after this long; more often a page is not worth making.
const PAGE_AGE_NS_MAX: i64 = 60_000_000_000;

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;

    #[test]
    fn a_page_is_made_anew_after_a_minute_and_not_before() {
        let made = AtomicU32::new(0);
        let page = Transparency::new(None, move |_| Sheets {
            notice: Some(made.fetch_add(1, Ordering::Relaxed).to_string()),
            self_test: None,
        });
        let pages = [7, PAGE_AGE_NS_MAX + 6, PAGE_AGE_NS_MAX + 7, 3 * PAGE_AGE_NS_MAX]
            .map(|at_ns| page.sheets(Language::ALL[0], at_ns).notice.unwrap_or_default());
        assert_eq!(pages, ["0", "0", "2", "4"], "two languages are made at a time");
    }
}
