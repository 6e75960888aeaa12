//! What auditors see: lines of the audit chain, newest first, and the newest self-test.
//!
//! In: a question, the chain, a file. Out: HTML. Invariants: no more than [`LINES_READ_MAX`] lines are read for one question and
//! [`LINES_SHOWN_MAX`] are shown; who searches stands in the chain.

use std::sync::Arc;

use axum::Extension;
use axum::extract::{RawQuery, State};
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse, Response};

use super::form::Form;
use super::frame::{framed, sent};
use super::html::{escaped, table};
use super::porter::{Guest, Hall};
use crate::vault::{Vault, VaultError};
use crate::wire::audit::{AuditLine, Deed, read_line};

/// Lines that were found, and the number before which nobody has looked yet.
struct Found {
    rows: Vec<Vec<String>>,
    unread: Option<u64>,
}

/// Searches the chain.
pub(super) async fn search(
    State(hall): State<Hall>,
    Extension(guest): Extension<Guest>,
    RawQuery(query): RawQuery,
) -> Response {
    let asked = Form::read(query.unwrap_or_default().as_bytes());
    let (vault, who) = (Arc::clone(&hall.page.vault), guest.who().to_owned());
    let work = move || {
        // Who looks stands in it.
        vault.remember(&Deed::done("audit-search").by(&who).about("door", "page"))?;
        let found = find(&vault, &asked)?;
        Ok::<_, VaultError>(drawn(&asked, &found))
    };
    match tokio::task::spawn_blocking(work).await {
        Ok(Ok(body)) => Html(framed(&hall.page.name, Some(&guest), &body)).into_response(),
        _ => sent(StatusCode::SERVICE_UNAVAILABLE, "the chain cannot be read now (kehai doctor says why)"),
    }
}

fn find(vault: &Vault, asked: &Form) -> Result<Found, VaultError> {
    let mut before = asked.some("before").and_then(|before| before.parse().ok()).unwrap_or(u64::MAX);
    let (mut rows, mut read) = (Vec::new(), 0);
    while read < LINES_READ_MAX {
        let lines = vault.audit_before(before, LINES_AT_ONCE)?;
        let Some((n, _)) = lines.last() else { return Ok(Found { rows, unread: None }) };
        let last = *n;
        for (n, text) in &lines {
            let line = read_line(text).ok();
            if line.as_ref().is_none_or(|line| is_sought(asked, line, text)) {
                rows.push(row(*n, line.as_ref()));
            }
            if rows.len() >= LINES_SHOWN_MAX {
                return Ok(Found { rows, unread: Some(*n) });
            }
        }
        (before, read) = (last, read + lines.len());
    }
    Ok(Found { rows, unread: Some(before) })
}

fn is_sought(asked: &Form, line: &AuditLine, text: &str) -> bool {
    let is = |key: &str, value: &str| asked.some(key).is_none_or(|sought| sought == value);
    is("what", &line.what)
        && is("who", &line.who)
        && is("outcome", &line.outcome)
        && asked.some("text").is_none_or(|words| text.contains(words))
}

fn row(n: u64, line: Option<&AuditLine>) -> Vec<String> {
    let Some(line) = line else { return vec![n.to_string(), "not as it was written".to_owned()] };
    let about: Vec<String> = line.about.iter().map(|(name, value)| format!("{name}={value}")).collect();
    [n.to_string(), line.at.clone(), line.who.clone(), line.what.clone(), line.outcome.clone(), about.join(" ")]
        .iter()
        .map(|text| escaped(text))
        .collect()
}

fn drawn(asked: &Form, found: &Found) -> String {
    let field = |name: &str| {
        format!("<label>{name} <input name=\"{name}\" value=\"{}\" maxlength=\"80\"></label>", escaped(asked.get(name)))
    };
    let fields: String = ["what", "who", "outcome", "text"].into_iter().map(field).collect();
    let heads = ["number", "when, UTC", "who", "what", "outcome", "about"].map(str::to_owned);
    let older = found.unread.map(|before| {
        format!(
            "<form method=\"get\" action=\"/audit\">{}<input type=\"hidden\" name=\"before\" value=\"{before}\"><button>Older</button></form>",
            ["what", "who", "outcome", "text"]
                .map(|name| format!("<input type=\"hidden\" name=\"{name}\" value=\"{}\">", escaped(asked.get(name))))
                .concat()
        )
    });
    format!(
        "<h2>Audit chain</h2><form method=\"get\" action=\"/audit\">{fields}<button>Search</button></form>{}{}",
        table("Audit chain", &heads, &found.rows),
        older.unwrap_or_default()
    )
}

/// The newest self-test, and how the store stands.
pub(super) async fn reports(State(hall): State<Hall>, Extension(guest): Extension<Guest>) -> Response {
    let (vault, transparency) = (Arc::clone(&hall.page.vault), hall.page.transparency.clone());
    let work = move || (vault.status(), transparency.newest_selftest());
    let Ok((status, selftest)) = tokio::task::spawn_blocking(work).await else {
        return sent(StatusCode::SERVICE_UNAVAILABLE, "nothing can be read now (kehai doctor says why)");
    };
    let store = match status {
        Ok(status) => format!(
            "<p>The chain ends at line {} of epoch {}; {} windows are kept, {} messages wait for the broker.</p>",
            status.head.n, status.head.epoch, status.windows, status.waiting
        ),
        Err(_) => "<p class=\"alarm\" role=\"alert\">The store cannot be read (kehai doctor says why).</p>".to_owned(),
    };
    let selftest = match selftest {
        Some(text) => format!("<pre class=\"wide\">{}</pre>", escaped(&text)),
        None => "<p class=\"quiet\">No self-test was made yet (kehai report).</p>".to_owned(),
    };
    let body = format!("<h2>Reports</h2>{store}<h3>Newest self-test</h3>{selftest}");
    Html(framed(&hall.page.name, Some(&guest), &body)).into_response()
}

const LINES_AT_ONCE: u32 = 1000;
const LINES_READ_MAX: usize = 50_000;
const LINES_SHOWN_MAX: usize = 200;
