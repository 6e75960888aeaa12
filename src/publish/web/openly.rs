//! What is said openly: the policy behind the sign's code, and the newest self-test. Anybody reads it, nobody changes it.
//!
//! In: a policy made beforehand, the file of the newest self-test. Out: exactly these. Invariant: nothing of a request enters an
//! answer.

use std::io::Read;
use std::path::PathBuf;

use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{Html, IntoResponse, Response};

use super::frame::sent;
use super::headers::POLICY_OF_READING;
use super::porter::Hall;

/// What anybody may read.
#[derive(Debug, Clone, Default)]
pub struct Transparency {
    /// The policy, a whole page of HTML without a script; nothing where none was made.
    pub notice: Option<String>,
    /// Where the newest self-test lies, JSON.
    pub selftest: Option<PathBuf>,
}

impl Transparency {
    /// The newest self-test, as it lies there.
    pub(super) fn newest_selftest(&self) -> Option<String> {
        let mut text = String::new();
        let file = std::fs::File::open(self.selftest.as_ref()?).ok()?;
        file.take(SELFTEST_BYTES_MAX).read_to_string(&mut text).ok()?;
        Some(text)
    }
}

/// The policy.
pub(super) async fn notice(State(hall): State<Hall>) -> Response {
    match &hall.page.transparency.notice {
        Some(html) => ([(header::CONTENT_SECURITY_POLICY, POLICY_OF_READING)], Html(html.clone())).into_response(),
        None => sent(StatusCode::NOT_FOUND, "no notice was made yet"),
    }
}

/// The newest self-test.
pub(super) async fn selftest(State(hall): State<Hall>) -> Response {
    let transparency = hall.page.transparency.clone();
    match tokio::task::spawn_blocking(move || transparency.newest_selftest()).await {
        Ok(Some(json)) => ([(header::CONTENT_TYPE, "application/json")], json).into_response(),
        _ => sent(StatusCode::NOT_FOUND, "no self-test was made yet"),
    }
}

/// Longest self-test that is served.
const SELFTEST_BYTES_MAX: u64 = 1 << 20;
