//! The switch on the page: where it stands, and the buttons that turn it.
//!
//! In: forms. Out: turns of the switch, purged windows, the banner. Invariants: to stop needs a page of ours and nothing else; to
//! start again, to unlock and to purge needs an owner and a code that was not used before; who asks stands in the audit chain.

use std::sync::Arc;

use axum::Extension;
use axum::body::Bytes;
use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{Html, IntoResponse, Response};

use super::asked::Asked;
use super::form::Form;
use super::frame::{field, form, framed, sent};
use super::html::escaped;
use super::porter::{Guest, Hall, later, see_other};
use super::words::{ARMED, LOCKED, Language, NOT_ARMED, PAUSED_HERE, PAUSED_REMOTELY, STOP, SWITCH, UNREADABLE, Word};
use super::{NOW_EVERY, Page, accepted, again, shown, whats_on};
use crate::switch::{Act, From, Mode, Person, Turn};
use crate::vault::{ProofError, TurnError};

/// Where the switch stands, for the top of the page, with the button that stops; nothing on a box that was never set up.
pub(super) fn banner(page: &Page, guest: &Guest, language: Language) -> String {
    let mode = page.vault.switch().map(|switch| switch.mode());
    let (class, words) = match mode {
        Ok(Mode::Unprovisioned) => return String::new(),
        Ok(mode) => words(mode),
        Err(_) => ("bad", UNREADABLE),
    };
    let is_stoppable = matches!(mode, Ok(Mode::Armed | Mode::PausedRemotely));
    let button = if is_stoppable && guest.may(Act::Pause) {
        form("/pause", &guest.token, "", STOP.of(language))
    } else {
        String::new()
    };
    let (name, words) = (SWITCH.of(language), words.of(language));
    format!("<section class=\"switch\" aria-label=\"{name}\"><p class=\"{class}\">{words}</p>{button}</section>")
}

fn words(mode: Mode) -> (&'static str, Word) {
    match mode {
        Mode::Unprovisioned | Mode::Setup => ("quiet", NOT_ARMED),
        Mode::Armed => ("good", ARMED),
        Mode::PausedHere => ("bad", PAUSED_HERE),
        Mode::PausedRemotely => ("bad", PAUSED_REMOTELY),
        Mode::Locked => ("bad", LOCKED),
    }
}

/// The banner alone, for the script; nothing where it is shown already.
pub(super) async fn banner_now(
    State(hall): State<Hall>,
    Extension(guest): Extension<Guest>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response {
    let query = query.unwrap_or_default();
    let language = Asked::language_of(&query).unwrap_or_else(|| accepted(&headers));
    let html = banner(&hall.page, &guest, language);
    if query.ends_with(&shown(&html)) {
        return StatusCode::NO_CONTENT.into_response();
    }
    Html(live(&html, language)).into_response()
}

/// A banner that renews itself.
pub(super) fn live(html: &str, language: Language) -> String {
    html.to_owned() + &again("/banner", &format!("lang={}", language.tag()), html, NOW_EVERY)
}

/// The page of the switch.
pub(super) async fn show(State(hall): State<Hall>, Extension(guest): Extension<Guest>) -> Response {
    let code = field("code", "code", "inputmode=\"numeric\" autocomplete=\"one-time-code\" required maxlength=\"6\"");
    let spans = field("from (2026-11-20, or 2026-11-20T09:00)", "from", "required maxlength=\"32\"")
        + &field("first moment that stays", "to", "required maxlength=\"32\"");
    let all = [
        (Act::Lock, "/lock", String::new(), "Lock: stop until an owner unlocks it"),
        (Act::Resume, "/resume", code.clone(), "Watch again"),
        (Act::Unlock, "/unlock", code.clone(), "Unlock"),
        (Act::Purge, "/purge", spans + &code, "Purge for ever"),
    ];
    let open = all.into_iter().filter(|(act, ..)| guest.may(*act));
    let forms: String = open.map(|(_, action, fields, words)| form(action, &guest.token, &fields, words)).collect();
    let body = format!(
        "<h2>Switch</h2>{}{forms}{}",
        banner(&hall.page, &guest, Language::English),
        whats_on(&hall.page, Language::English)
    );
    Html(framed(&hall.page.name, Some(&guest), &body)).into_response()
}

/// Stops.
pub(super) async fn pause(State(hall): State<Hall>, Extension(guest): Extension<Guest>, body: Bytes) -> Response {
    stop(&hall, &guest, &body, (Act::Pause, Turn::Pause(From::Here))).await
}

/// Stops for good.
pub(super) async fn lock(State(hall): State<Hall>, Extension(guest): Extension<Guest>, body: Bytes) -> Response {
    stop(&hall, &guest, &body, (Act::Lock, Turn::Lock)).await
}

async fn stop(hall: &Hall, guest: &Guest, body: &[u8], (act, turn): (Act, Turn)) -> Response {
    if !hall.is_own_form(guest, Form::read(body).get("token")) {
        return hall.refuse(guest, act.name(), NOT_OF_SESSION);
    }
    turned(hall, guest, turn).await
}

/// Goes on.
pub(super) async fn resume(State(hall): State<Hall>, Extension(guest): Extension<Guest>, body: Bytes) -> Response {
    match stepped_up(&hall, &guest, &body, Act::Resume).await {
        Ok(person) => turned(&hall, &guest, Turn::Resume { by: Some(person), from: From::Here }).await,
        Err(refusal) => *refusal,
    }
}

/// Undoes a lock.
pub(super) async fn unlock(State(hall): State<Hall>, Extension(guest): Extension<Guest>, body: Bytes) -> Response {
    match stepped_up(&hall, &guest, &body, Act::Unlock).await {
        Ok(person) => turned(&hall, &guest, Turn::Unlock { by: Some(person), from: From::Here }).await,
        Err(refusal) => *refusal,
    }
}

/// Deletes released windows.
pub(super) async fn purge(State(hall): State<Hall>, Extension(guest): Extension<Guest>, body: Bytes) -> Response {
    let form = Form::read(&body);
    let calendar = hall.page.calendar();
    let span = calendar.moment_s(form.get("from").trim()).and_then(|from_s| {
        let to_s = calendar.moment_s(form.get("to").trim())?;
        Ok((from_s, to_s))
    });
    let (from_s, to_s) = match span {
        Ok((from_s, to_s)) if from_s < to_s => (from_s, to_s),
        Ok(_) => return sent(StatusCode::BAD_REQUEST, "the first moment that stays comes after the first that goes"),
        Err(why) => return sent(StatusCode::BAD_REQUEST, &why.to_string()),
    };
    let person = match stepped_up(&hall, &guest, &body, Act::Purge).await {
        Ok(person) => person,
        Err(refusal) => return *refusal,
    };
    let vault = Arc::clone(&hall.page.vault);
    match tokio::task::spawn_blocking(move || vault.purge(from_s, to_s, &person.name)).await {
        Ok(Ok(gone)) => {
            let words = format!(
                "<p>{} windows are gone, {} of them had not been delivered.</p>",
                gone.windows, gone.undelivered
            );
            Html(framed(&hall.page.name, Some(&guest), &words)).into_response()
        }
        _ => sent(StatusCode::SERVICE_UNAVAILABLE, UNABLE),
    }
}

/// Whoever may do this, and has just shown a code.
async fn stepped_up(hall: &Hall, guest: &Guest, body: &[u8], act: Act) -> Result<Person, Box<Response>> {
    let form = Form::read(body);
    if !hall.is_own_form(guest, form.get("token")) {
        return Err(Box::new(hall.refuse(guest, act.name(), NOT_OF_SESSION)));
    }
    let standing = hall.page.vault.standing(guest.who()).ok().flatten();
    if !standing.is_some_and(|there| there.has_totp) {
        return Err(Box::new(hall.refuse(guest, act.name(), NO_CODES)));
    }
    let (vault, name, code) =
        (Arc::clone(&hall.page.vault), guest.who().to_owned(), form.get("code").trim().to_owned());
    match tokio::task::spawn_blocking(move || vault.prove_code(&name, &code)).await {
        Ok(Ok(person)) => Ok(person),
        Ok(Err(ProofError::Wrong)) => Err(Box::new(hall.refuse(guest, act.name(), WRONG_CODE))),
        Ok(Err(ProofError::Wait { wait_s })) => Err(Box::new(later(wait_s))),
        _ => Err(Box::new(sent(StatusCode::SERVICE_UNAVAILABLE, UNABLE))),
    }
}

async fn turned(hall: &Hall, guest: &Guest, turn: Turn) -> Response {
    let (vault, who, is_stop) = (Arc::clone(&hall.page.vault), guest.who().to_owned(), turn.is_stop());
    match tokio::task::spawn_blocking(move || vault.turn(&turn, &who, None)).await {
        Ok(Ok(_)) if hall.porter.is_network => see_other("/switch"),
        Ok(Ok(_)) => see_other("/"),
        Ok(Err(TurnError::Refused(why))) => {
            let words = format!("<p class=\"alarm\" role=\"alert\">Not done: {}.</p>", escaped(&why.to_string()));
            (StatusCode::CONFLICT, Html(framed(&hall.page.name, Some(guest), &words))).into_response()
        }
        Ok(Err(TurnError::Store(_))) if is_stop => {
            sent(StatusCode::OK, "stopped; it is written down as soon as there is room")
        }
        _ => sent(StatusCode::SERVICE_UNAVAILABLE, UNABLE),
    }
}

const NOT_OF_SESSION: &str = "the form is not of this session";
const NO_CODES: &str = "this needs somebody with codes (kehai people add --totp), or somebody at the box (kehai)";
const WRONG_CODE: &str = "the code is wrong, or was used before";
const UNABLE: &str = "this box cannot do that now (kehai doctor says why)";
