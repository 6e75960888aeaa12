//! The frame of the pages beside the figures: head, language, ways to the others, a form with its word, an answer in words.
//!
//! In: pieces of HTML that are escaped already. Out: whole pages. Invariants: every form carries a token; every answer a person
//! may see is a page that says what happened and where to go on.

use axum::http::StatusCode;
use axum::response::{Html, IntoResponse, Response};

use super::html::escaped;
use super::login::home;
use super::porter::{Guest, Hall};
use super::spoken;
use super::words::{self, Language, Word};
use crate::switch::{Act, may};

/// A whole page of a guest; `here` is its path, which the other language is asked for at.
pub(super) fn framed(hall: &Hall, guest: &Guest, (here, title): (&str, Word), body: &str) -> String {
    let ways = ways(guest, here);
    around(hall, guest, (here, title), [&ways, body])
}

fn around(hall: &Hall, guest: &Guest, (here, title): (&str, Word), [ways, body]: [&str; 2]) -> String {
    let language = guest.language;
    let (name, title) = (escaped(&hall.page.name), title.of(language));
    format!(
        "<!doctype html><html lang=\"{tag}\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\
         <title>{title} – Kehai – {name}</title><link rel=\"icon\" href=\"/icon.svg\"><link rel=\"stylesheet\" href=\"/page.css\"></head><body>\
         <a class=\"skip\" href=\"#main\">{skip}</a>\
         <header><h1><span lang=\"ja\">気配</span> <span>Kehai</span></h1><p>{name}</p>{languages}</header>{ways}\
         <main id=\"main\" tabindex=\"-1\"><h2>{title}</h2>{body}</main><footer>{openly}</footer></body></html>",
        tag = language.tag(),
        skip = spoken::SKIP.of(language),
        languages = languages(here, language),
        openly = openly(guest),
    )
}

fn languages(here: &str, shown: Language) -> String {
    let link = |language: Language| {
        let current = if language == shown { " aria-current=\"true\"" } else { "" };
        let (tag, name) = (language.tag(), language.own_name());
        format!("<a href=\"{here}?lang={tag}\" lang=\"{tag}\" hreflang=\"{tag}\"{current}>{name}</a>")
    };
    let label = words::LANGUAGES.of(shown);
    format!("<nav class=\"languages\" aria-label=\"{label}\">{}</nav>", Language::ALL.map(link).join(" "))
}

/// Links to what somebody may see, and the way out; nothing where nobody has to come in.
pub(super) fn ways(guest: &Guest, here: &str) -> String {
    let Some(session) = &guest.session else { return String::new() };
    let language = guest.language;
    let all = [
        (Some(Act::SeeFigures), "/", spoken::FIGURES),
        (None, "/switch", words::SWITCH),
        (Some(Act::SeeAudit), "/audit", spoken::AUDIT),
        (Some(Act::SeeReports), "/reports", spoken::REPORTS),
    ];
    let open = all.into_iter().filter(|(act, _, _)| act.is_none_or(|act| may(Some(session.role), act)));
    let link = |(_, path, name): (_, &str, Word)| {
        let current = if path == here { " aria-current=\"page\"" } else { "" };
        format!("<li><a href=\"{}\"{current}>{}</a></li>", guest.way(path), name.of(language))
    };
    let links: String = open.map(link).collect();
    let role = spoken::role(session.role).of(language);
    let who = spoken::NAME_AND_ROLE.with(language, &[&escaped(&session.name), role]);
    format!(
        "<nav class=\"rooms\" aria-label=\"{}\"><ul>{links}</ul><p class=\"quiet\">{who}</p>{}</nav>",
        spoken::PAGES.of(language),
        form(guest, "/logout", "", spoken::LOG_OUT)
    )
}

/// Links to what anybody may read.
pub(super) fn openly(guest: &Guest) -> String {
    let language = guest.language;
    let link =
        |(path, name): (&str, Word)| format!("<li><a href=\"{}\">{}</a></li>", guest.way(path), name.of(language));
    let links = [("/notice", spoken::NOTICE), ("/selftest", spoken::SELF_TEST)].map(link).concat();
    format!("<nav aria-label=\"{}\"><ul>{links}</ul></nav>", spoken::OPENLY.of(language))
}

/// A form that changes something.
pub(super) fn form(guest: &Guest, action: &str, fields: &str, button: Word) -> String {
    let (action, token, words) = (guest.way(action), &guest.token, button.of(guest.language));
    format!(
        "<form method=\"post\" action=\"{action}\"><input type=\"hidden\" name=\"token\" value=\"{token}\">{fields}<button>{words}</button></form>"
    )
}

/// A field with its label; `more` are attributes.
pub(super) fn field(label: &str, name: &str, more: &str) -> String {
    format!("<label>{label} <input name=\"{name}\" {more}></label>")
}

/// An answer in words, with a title and a way on.
pub(super) fn told(hall: &Hall, guest: &Guest, status: StatusCode, (title, words): (Word, &str)) -> Response {
    let way = match &guest.session {
        Some(session) => (home(session.role), spoken::BACK),
        None if hall.porter.is_network => ("/login", spoken::BACK_TO_LOG_IN),
        None => ("/", spoken::BACK),
    };
    let words = if words.is_empty() { String::new() } else { format!("<p role=\"alert\">{}</p>", escaped(words)) };
    let body = format!("{words}<p><a href=\"{}\">{}</a></p>", guest.way(way.0), way.1.of(guest.language));
    // An answer is none of the pages: the ways lead to all of them.
    let ways = ways(guest, "");
    (status, Html(around(hall, guest, (way.0, title), [&ways, &body]))).into_response()
}

/// What cannot be helped here and now.
pub(super) fn unable(hall: &Hall, guest: &Guest) -> Response {
    let words = spoken::UNABLE.of(guest.language);
    told(hall, guest, StatusCode::SERVICE_UNAVAILABLE, (spoken::NOT_NOW, words))
}
