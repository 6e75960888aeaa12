//! What is said openly: the policy behind the sign's code, and the newest self-test. Anybody reads it, nobody changes it.
//!
//! In: a policy as it is at the moment it is asked for, the file of the newest self-test. Out: exactly these. Invariant: nothing of a request enters an
//! answer.

use std::io::Read;
use std::path::PathBuf;
use std::sync::Arc;

use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{Html, IntoResponse, Response};

use super::frame::sent;
use super::headers::POLICY_OF_READING;
use super::porter::Hall;

/// What anybody may read.
#[derive(Debug, Clone, Default)]
pub struct Transparency {
    /// The policy; nothing where none can be made.
    pub notice: Option<Policy>,
    /// Where the newest self-test lies, JSON.
    pub selftest: Option<PathBuf>,
}

/// What makes the policy when it is asked for: a whole page of HTML without a script.
#[derive(Clone)]
pub struct Policy(Arc<dyn Fn() -> Option<String> + Send + Sync>);

impl Policy {
    /// Made anew each time, by this; nothing where it cannot be made now.
    pub fn made_by(make: impl Fn() -> Option<String> + Send + Sync + 'static) -> Self {
        Self(Arc::new(make))
    }
}

impl From<&str> for Policy {
    /// A page that never changes.
    fn from(html: &str) -> Self {
        let html = html.to_owned();
        Self::made_by(move || Some(html.clone()))
    }
}

impl std::fmt::Debug for Policy {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("Policy")
    }
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
    let policy = hall.page.transparency.notice.clone();
    match tokio::task::spawn_blocking(move || policy.and_then(|policy| policy.0())).await {
        Ok(Some(html)) => ([(header::CONTENT_SECURITY_POLICY, POLICY_OF_READING)], Html(html)).into_response(),
        _ => sent(StatusCode::NOT_FOUND, "no notice was made yet"),
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
