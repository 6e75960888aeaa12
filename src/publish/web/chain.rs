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
use super::frame::{framed, told};
use super::html::escaped;
use super::porter::{Guest, Hall};
use super::spoken;
use super::words::Word;
use crate::vault::{Vault, VaultError};
use crate::wire::audit::{AuditLine, Deed, read_line};

/// Lines that were found, and the number before which nobody has looked yet.
struct Found {
    rows: Vec<(u64, Option<AuditLine>)>,
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
        Ok::<_, VaultError>((asked, found))
    };
    match tokio::task::spawn_blocking(work).await {
        Ok(Ok((asked, found))) => {
            let body = Log { hall: &hall, guest: &guest, asked: &asked }.drawn(&found);
            Html(framed(&hall, &guest, ("/audit", spoken::AUDIT), &body)).into_response()
        }
        _ => {
            let words = spoken::CHAIN_UNREADABLE.of(guest.language);
            told(&hall, &guest, StatusCode::SERVICE_UNAVAILABLE, (spoken::AUDIT, words))
        }
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
                rows.push((*n, line));
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

/// What was asked, by whom, where.
struct Log<'a> {
    hall: &'a Hall,
    guest: &'a Guest,
    asked: &'a Form,
}

impl Log<'_> {
    fn drawn(&self, found: &Found) -> String {
        let language = self.guest.language;
        let why = spoken::AUDIT_WHY.with(language, &[&escaped(&self.hall.page.timezone)]);
        let rows: String = found.rows.iter().map(|(n, line)| self.row(*n, line.as_ref())).collect();
        let heads = HEADS.map(|head| format!("<th scope=\"col\">{}</th>", head.of(language))).concat();
        let table = if rows.is_empty() {
            format!("<p>{}</p>", spoken::NOTHING_FOUND.of(language))
        } else {
            format!("<table class=\"log\"><thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table>")
        };
        let older = found.unread.map(|before| self.older(before)).unwrap_or_default();
        format!("<p class=\"quiet\">{why}</p>{}{table}{older}", self.question())
    }

    fn question(&self) -> String {
        let language = self.guest.language;
        let field = |label: Word, name: &str| {
            let value = escaped(self.asked.get(name));
            format!("<label>{} <input name=\"{name}\" value=\"{value}\" maxlength=\"80\"></label>", label.of(language))
        };
        let option = |outcome: &str| {
            let (is_it, words) = (
                self.asked.get("outcome") == outcome,
                if outcome.is_empty() { spoken::ANY.of(language) } else { outcome },
            );
            format!("<option value=\"{outcome}\"{}>{words}</option>", if is_it { " selected" } else { "" })
        };
        let outcome = spoken::OUTCOME.of(language);
        let options = ["", "done", "refused", "failed"].map(option).concat();
        format!(
            "<form method=\"get\" action=\"/audit\">{}{}<label>{outcome} <select name=\"outcome\">{options}</select></label>{}{}<button>{}</button></form>",
            field(spoken::WHAT, "what"),
            field(spoken::WHO, "who"),
            field(spoken::TEXT, "text"),
            hidden("lang", language.tag()),
            spoken::SEARCH.of(language)
        )
    }

    fn older(&self, before: u64) -> String {
        let kept = ["what", "who", "outcome", "text"].map(|name| hidden(name, self.asked.get(name))).concat();
        let language = self.guest.language;
        format!(
            "<form method=\"get\" action=\"/audit\">{kept}{}{}<button>{}</button></form>",
            hidden("before", &before.to_string()),
            hidden("lang", language.tag()),
            spoken::OLDER.of(language)
        )
    }

    /// Each cell tells what it is, for narrow screens show a line as a card.
    fn row(&self, n: u64, line: Option<&AuditLine>) -> String {
        let language = self.guest.language;
        let Some(line) = line else {
            return format!("<tr><td>{n}</td><td colspan=\"5\">{}</td></tr>", spoken::NOT_AS_WRITTEN.of(language));
        };
        let about: Vec<String> = line.about.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let cells = [
            n.to_string(),
            self.moment(&line.at),
            escaped(&line.who),
            escaped(&line.what),
            escaped(&line.outcome),
            escaped(&about.join(" ")),
        ];
        let cell = |(head, cell): (&Word, &String)| format!("<td data-head=\"{}\">{cell}</td>", head.of(language));
        format!("<tr>{}</tr>", HEADS.iter().zip(&cells).map(cell).collect::<String>())
    }

    /// A moment on the shop's wall, to the second; the line's own words where they are no moment.
    fn moment(&self, at: &str) -> String {
        let calendar = self.hall.page.calendar();
        let Ok(at_s) = calendar.moment_s(at) else { return escaped(at) };
        let local = calendar.local(at_s).strftime("%Y-%m-%d %H:%M:%S");
        format!("<time datetime=\"{}\">{local}</time>", escaped(at))
    }
}

fn hidden(name: &str, value: &str) -> String {
    format!("<input type=\"hidden\" name=\"{name}\" value=\"{}\">", escaped(value))
}

/// How the store stands, and where the newest self-test is.
pub(super) async fn reports(State(hall): State<Hall>, Extension(guest): Extension<Guest>) -> Response {
    let (vault, language) = (Arc::clone(&hall.page.vault), guest.language);
    let store = match tokio::task::spawn_blocking(move || vault.status()).await {
        Ok(Ok(status)) => {
            let counts =
                [status.head.n, status.head.epoch, status.windows, status.waiting].map(|count| count.to_string());
            format!("<p>{}</p>", spoken::STORE_STANDS.with(language, &counts.each_ref().map(String::as_str)))
        }
        _ => format!("<p class=\"alarm\" role=\"alert\">{}</p>", spoken::STORE_UNREADABLE.of(language)),
    };
    let body = format!(
        "<h3>{}</h3>{store}<h3>{}</h3><p>{} <a href=\"{}\">{}</a></p>",
        spoken::STORE.of(language),
        spoken::SELF_TEST.of(language),
        spoken::SELF_TEST_WHERE.of(language),
        guest.way("/selftest"),
        spoken::SELF_TEST.of(language),
    );
    Html(framed(&hall, &guest, ("/reports", spoken::REPORTS), &body)).into_response()
}

const HEADS: [Word; 6] = [spoken::NUMBER, spoken::WHEN, spoken::WHO, spoken::WHAT, spoken::OUTCOME, spoken::ABOUT];
const LINES_AT_ONCE: u32 = 1000;
const LINES_READ_MAX: usize = 50_000;
const LINES_SHOWN_MAX: usize = 200;
