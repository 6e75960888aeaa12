//! The frame of the pages behind the login: head, ways to the others, a form with its word.
//!
//! In: pieces of HTML that are escaped already. Out: whole pages. Invariant: every form carries a token.

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};

use super::html::escaped;
use super::porter::Guest;
use crate::switch::{Act, may};

/// A whole page; with the ways of whoever has come in.
pub(super) fn framed(name: &str, guest: Option<&Guest>, body: &str) -> String {
    let (name, ways) = (escaped(name), guest.map(ways).unwrap_or_default());
    format!(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\
         <title>Kehai – {name}</title><link rel=\"stylesheet\" href=\"/page.css\"></head><body>\
         <header><h1><span lang=\"ja\">気配</span> <span>Kehai</span></h1><p>{name}</p></header>{ways}<main>{body}</main></body></html>"
    )
}

/// Links to what somebody may see, and the way out; nothing where nobody has to come in.
pub(super) fn ways(guest: &Guest) -> String {
    let Some(session) = &guest.session else { return String::new() };
    let all = [
        (Some(Act::SeeFigures), "/", "Figures"),
        (None, "/switch", "Switch"),
        (Some(Act::SeeAudit), "/audit", "Audit chain"),
        (Some(Act::SeeReports), "/reports", "Reports"),
    ];
    let open = all.into_iter().filter(|(act, _, _)| act.is_none_or(|act| may(Some(session.role), act)));
    let links: String = open.map(|(_, path, words)| format!("<li><a href=\"{path}\">{words}</a></li>")).collect();
    let (name, role) = (escaped(&session.name), session.role.name());
    format!(
        "<nav aria-label=\"Pages\"><ul>{links}<li>{name} ({role})</li><li>{}</li></ul></nav>",
        form("/logout", &guest.token, "", "Log out")
    )
}

/// A form that changes something.
pub(super) fn form(action: &str, token: &str, fields: &str, words: &str) -> String {
    format!(
        "<form method=\"post\" action=\"{action}\"><input type=\"hidden\" name=\"token\" value=\"{token}\">{fields}<button>{words}</button></form>"
    )
}

/// A field with its label; `more` are attributes.
pub(super) fn field(label: &str, name: &str, more: &str) -> String {
    format!("<label>{label} <input name=\"{name}\" {more}></label>")
}

/// A few words as an answer.
pub(super) fn sent(status: StatusCode, words: &str) -> Response {
    (status, words.to_owned()).into_response()
}
