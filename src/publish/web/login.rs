//! The way in and out: a form, a password, a code, a session.
//!
//! In: forms of anybody. Out: a session, or a refusal that does not tell which part was wrong. Invariants: however many try, one
//! password is looked at a time and the page answers; an address and a name have so many tries, and a name that has come in from
//! an address before does not lose its own to others; a session's value is new, whatever the browser had.

use std::sync::Arc;
use std::time::Duration;

use axum::Extension;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use tokio::time::timeout;

use super::form::Form;
use super::frame::{field, form, framed, unable};
use super::limit::{Rate, SECOND_NS};
use super::porter::{Guest, Hall, SESSION, cookie, see_other};
use super::session::{is_same, random};
use super::spoken;
use crate::clock::monotonic_ns;
use crate::switch::{Person, Role};
use crate::vault::{Claim, Door, ProofError};
use crate::wire::audit::Deed;

/// The form.
pub(super) async fn show(State(hall): State<Hall>, Extension(guest): Extension<Guest>) -> Response {
    drawn(&hall, &guest, StatusCode::OK, "")
}

fn drawn(hall: &Hall, guest: &Guest, status: StatusCode, words: &str) -> Response {
    let Some(visit) = random() else { return unable(hall, guest) };
    let language = guest.language;
    let fields = [
        field(
            spoken::USER_NAME.of(language),
            "name",
            "autocomplete=\"username\" autocapitalize=\"none\" spellcheck=\"false\" required autofocus maxlength=\"32\"",
        ),
        field(
            spoken::PASSWORD.of(language),
            "password",
            "type=\"password\" autocomplete=\"current-password\" required maxlength=\"256\"",
        ),
        field(
            spoken::CODE_IF_ANY.of(language),
            "code",
            "inputmode=\"numeric\" autocomplete=\"one-time-code\" maxlength=\"6\"",
        ),
    ];
    let visitor = Guest { token: hall.porter.word_of(&visit), ..guest.clone() };
    let form = form(&visitor, "/login", &fields.concat(), spoken::LOG_IN);
    let why = spoken::LOG_IN_WHY.of(language);
    let body = format!("{words}<p class=\"quiet\">{why}</p><div class=\"upright\">{form}</div>");
    let page = framed(hall, guest, ("/login", spoken::LOG_IN), &body);
    (status, [(header::SET_COOKIE, set(VISIT, &visit))], Html(page)).into_response()
}

/// Somebody wants to come in.
pub(super) async fn enter(
    State(hall): State<Hall>,
    Extension(guest): Extension<Guest>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let form = Form::read(&body);
    let is_own = cookie(&headers, VISIT).is_some_and(|visit| is_same(form.get("token"), &hall.porter.word_of(&visit)));
    if !is_own {
        return hall.refuse(&guest, "login", spoken::NOT_OF_VISIT);
    }
    if let Some(refusal) = too_often(&hall, &guest, form.get("name")) {
        return refusal;
    }
    let Ok(Ok(_turn)) = timeout(TURN_WITHIN, hall.porter.hashing.acquire()).await else {
        return hall.later(&guest, TURN_WITHIN.as_secs() as i64);
    };
    let is_known = hall.porter.knows(form.get("name"), guest.address);
    let door = if is_known { Door::KnownPage } else { Door::Page };
    let vault = Arc::clone(&hall.page.vault);
    let work = move || {
        let claim = Claim { name: form.get("name"), password: form.get("password"), code: form.some("code"), door };
        let person = vault.prove(&claim)?;
        let edition = vault.standing(&person.name)?.ok_or(ProofError::Wrong)?.edition;
        Ok((person, edition))
    };
    match tokio::task::spawn_blocking(work).await {
        Ok(Ok((person, edition))) => come_in(&hall, &guest, person, edition),
        Ok(Err(ProofError::Wait { wait_s })) => hall.later(&guest, wait_s),
        Ok(Err(ProofError::Wrong)) => {
            let words = spoken::WRONG.of(guest.language);
            let words = format!("<p class=\"alarm\" role=\"alert\">{words}</p>");
            drawn(&hall, &guest, StatusCode::UNAUTHORIZED, &words)
        }
        Ok(Err(ProofError::Store(_))) | Err(_) => unable(&hall, &guest),
    }
}

/// Tries of an address, and of a name that nobody has come in with from there.
fn too_often(hall: &Hall, guest: &Guest, name: &str) -> Option<Response> {
    let (porter, now_ns) = (&hall.porter, monotonic_ns());
    let name: String = name.chars().take(33).collect();
    let of_address = porter.limits.take(&format!("login {}", guest.address), TRIES, now_ns);
    let leave = match of_address {
        Ok(()) if !porter.knows(&name, guest.address) => porter.limits.take(&format!("login as {name}"), TRIES, now_ns),
        leave => leave,
    };
    let wait = leave.err()?;
    if wait.is_first {
        let deed =
            Deed::done("login").by("stranger").that_was("refused").about("door", "page").about("why", "too many tries");
        // Without room for the line it is refused all the same.
        let _ = hall.page.vault.remember(&deed);
    }
    Some(hall.later(guest, wait.wait_s))
}

fn come_in(hall: &Hall, guest: &Guest, person: Person, edition: u64) -> Response {
    let (home, name) = (home(person.role), person.name.clone());
    let Some(cookie) = hall.porter.sessions.open(person, edition, monotonic_ns()) else { return unable(hall, guest) };
    hall.porter.know(&name, guest.address);
    let mut answer = see_other(&guest.way(home));
    answer.headers_mut().append(header::SET_COOKIE, set(SESSION, &cookie));
    answer.headers_mut().append(header::SET_COOKIE, HeaderValue::from_static(NO_VISIT));
    answer
}

/// The first page of a role: one it may see.
pub(super) const fn home(role: Role) -> &'static str {
    match role {
        Role::Viewer | Role::Owner => "/",
        Role::Installer => "/switch",
        Role::Auditor => "/audit",
    }
}

/// Somebody leaves.
pub(super) async fn leave(
    State(hall): State<Hall>,
    Extension(guest): Extension<Guest>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    if !hall.is_own_form(&guest, Form::read(&body).get("token")) {
        return hall.refuse(&guest, "logout", spoken::NOT_OF_SESSION);
    }
    if let Some(cookie) = cookie(&headers, SESSION) {
        hall.porter.sessions.close(&cookie);
    }
    let mut answer = see_other(&guest.way("/login"));
    answer.headers_mut().append(header::SET_COOKIE, HeaderValue::from_static(NO_SESSION));
    answer
}

/// A cookie for this host alone, over TLS, out of reach of scripts and of requests from elsewhere.
fn set(name: &str, value: &str) -> HeaderValue {
    HeaderValue::from_str(&format!("{name}={value}; Path=/; Secure; HttpOnly; SameSite=Strict"))
        .expect("hexadecimal digits")
}

const VISIT: &str = "__Host-kehai-visit";
const NO_VISIT: &str = "__Host-kehai-visit=; Path=/; Secure; HttpOnly; SameSite=Strict; Max-Age=0";
const NO_SESSION: &str = "__Host-kehai=; Path=/; Secure; HttpOnly; SameSite=Strict; Max-Age=0";
/// Ten tries at once, and then one every six seconds.
const TRIES: Rate = Rate { at_once: 10, each_ns: 6 * SECOND_NS };
/// How long somebody waits for their password to be looked at.
const TURN_WITHIN: Duration = Duration::from_secs(5);
