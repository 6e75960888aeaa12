//! The switch on the page: where it stands, and the buttons that turn it.
//!
//! In: forms. Out: stops of the switch, purged windows, the banner. Invariants: to stop needs a page of ours and nothing else; nothing is
//! started or unlocked here, for nobody can tell from how far a page is asked; to purge needs an owner and a code that was not used
//! before; who asks stands in the audit chain.

use std::sync::Arc;

use axum::Extension;
use axum::body::Bytes;
use axum::extract::{RawQuery, State};
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse, Response};

use super::form::Form;
use super::frame::{field, form, framed, told, unable};
use super::html::escaped;
use super::porter::{Guest, Hall, see_other};
use super::spoken;
use super::words::{ARMED, LOCKED, Language, NOT_ARMED, PAUSED_HERE, PAUSED_REMOTELY, STOP, SWITCH, UNREADABLE, Word};
use super::{NOW_EVERY, Page, again, shown, whats_on};
use crate::switch::{Act, From, Mode, Person, Turn};
use crate::vault::{ProofError, TurnError};

/// Where the switch stands, for the top of the page, with the button that stops; nothing on a box that was never set up.
pub(super) fn banner(page: &Page, guest: &Guest) -> String {
    let (mode, language) = (page.vault.switch().map(|switch| switch.mode()), guest.language);
    let (class, words) = match mode {
        Ok(Mode::Unprovisioned) => return String::new(),
        Ok(mode) => words(mode),
        Err(_) => ("bad", UNREADABLE),
    };
    let is_stoppable = matches!(mode, Ok(Mode::Armed | Mode::PausedRemotely));
    let button = match mode {
        Ok(_) if is_stoppable && guest.may(Act::Pause) => form(guest, "/pause", "", STOP),
        // Nobody logs in on loopback: what starts is a command.
        Ok(mode) if guest.session.is_none() => format!("<p class=\"quiet\">{}</p>", at_the_box(mode, language)),
        _ => String::new(),
    };
    let (name, words) = (SWITCH.of(language), words.of(language));
    format!("<section class=\"switch\" aria-label=\"{name}\"><p class=\"{class}\">{words}</p>{button}</section>")
}

/// Which command goes on from here.
fn at_the_box(mode: Mode, language: Language) -> String {
    let commands = match mode {
        Mode::Unprovisioned | Mode::Setup => "kehai notice, kehai arm",
        Mode::Armed => "kehai pause",
        Mode::PausedHere | Mode::PausedRemotely => "kehai resume",
        Mode::Locked => "kehai unlock, kehai resume",
    };
    spoken::AT_THE_BOX.with(language, &[commands])
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
) -> Response {
    let html = banner(&hall.page, &guest);
    if query.unwrap_or_default().ends_with(&shown(&html)) {
        return StatusCode::NO_CONTENT.into_response();
    }
    Html(live(&html, guest.language)).into_response()
}

/// A banner that renews itself.
pub(super) fn live(html: &str, language: Language) -> String {
    html.to_owned() + &again("/banner", &format!("lang={}", language.tag()), html, NOW_EVERY)
}

/// The page of the switch: what can be done where it stands, each with what it means.
pub(super) async fn show(State(hall): State<Hall>, Extension(guest): Extension<Guest>) -> Response {
    let mode = hall.page.vault.switch().map_or(Mode::Setup, |switch| switch.mode());
    let mut turns = String::new();
    match mode {
        Mode::Armed => turns += &format!("<p>{}</p>", spoken::PAUSE_WHY.of(guest.language)),
        _ => turns += &format!("<p>{}</p>", at_the_box(mode, guest.language)),
    }
    if mode != Mode::Locked && guest.may(Act::Lock) {
        turns += &offered(&guest, [spoken::LOCK, spoken::LOCK_WHY], &form(&guest, "/lock", "", spoken::LOCK));
    }
    let purge = purging(&hall, &guest);
    let cameras = whats_on(&hall.page, guest.language);
    let body = format!("{}{turns}{cameras}{purge}", banner(&hall.page, &guest));
    Html(framed(&hall, &guest, ("/switch", SWITCH), &body)).into_response()
}

/// A thing to do: what it is called, what it means, its form.
fn offered(guest: &Guest, [name, why]: [Word; 2], form: &str) -> String {
    let [name, why] = [name, why].map(|word| word.of(guest.language));
    format!("<section class=\"turn\"><h3>{name}</h3><p class=\"quiet\">{why}</p>{form}</section>")
}

/// The form that deletes, for owners with codes.
fn purging(hall: &Hall, guest: &Guest) -> String {
    if !guest.may(Act::Purge) || !has_codes(hall, guest) {
        return String::new();
    }
    let language = guest.language;
    let moment = "type=\"datetime-local\" required";
    let fields = field(spoken::PURGE_FROM.of(language), "from", moment)
        + &field(spoken::PURGE_TO.of(language), "to", moment)
        + &code(language);
    let why = spoken::PURGE_WHY.with(language, &[&escaped(&hall.page.timezone)]);
    let (title, form) = (spoken::PURGE_TITLE.of(language), form(guest, "/purge", &fields, spoken::PURGE));
    format!("<details class=\"turn\"><summary>{title}</summary><p class=\"quiet\">{why}</p>{form}</details>")
}

fn code(language: Language) -> String {
    let more = "inputmode=\"numeric\" autocomplete=\"one-time-code\" required maxlength=\"6\" size=\"8\"";
    field(spoken::CODE.of(language), "code", more)
}

fn has_codes(hall: &Hall, guest: &Guest) -> bool {
    let standing = hall.page.vault.standing(guest.who()).ok().flatten();
    standing.is_some_and(|there| there.has_totp)
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
        return hall.refuse(guest, act.name(), spoken::NOT_OF_SESSION);
    }
    turned(hall, guest, turn).await
}

/// Deletes released windows.
pub(super) async fn purge(State(hall): State<Hall>, Extension(guest): Extension<Guest>, body: Bytes) -> Response {
    let form = Form::read(&body);
    if !hall.is_own_form(&guest, form.get("token")) {
        return hall.refuse(&guest, Act::Purge.name(), spoken::NOT_OF_SESSION);
    }
    let calendar = hall.page.calendar();
    let span = calendar.moment_s(form.get("from").trim()).and_then(|from_s| {
        let to_s = calendar.moment_s(form.get("to").trim())?;
        Ok((from_s, to_s))
    });
    let Some((from_s, to_s)) = span.ok().filter(|(from_s, to_s)| from_s < to_s) else {
        let words = spoken::WRONG_SPAN.of(guest.language);
        return told(&hall, &guest, StatusCode::BAD_REQUEST, (spoken::NOT_DONE_TITLE, words));
    };
    let person = match stepped_up(&hall, &guest, form.get("code"), Act::Purge).await {
        Ok(person) => person,
        Err(refusal) => return *refusal,
    };
    let vault = Arc::clone(&hall.page.vault);
    match tokio::task::spawn_blocking(move || vault.purge(from_s, to_s, &person.name)).await {
        Ok(Ok(gone)) => {
            let counts = [gone.windows, gone.undelivered].map(|count| count.to_string());
            let words = spoken::PURGED.with(guest.language, &[&counts[0], &counts[1]]);
            told(&hall, &guest, StatusCode::OK, (spoken::PURGE_TITLE, &words))
        }
        _ => unable(&hall, &guest),
    }
}

/// Whoever may do this, and has just shown a code.
async fn stepped_up(hall: &Hall, guest: &Guest, code: &str, act: Act) -> Result<Person, Box<Response>> {
    if !has_codes(hall, guest) {
        return Err(Box::new(hall.refuse(guest, act.name(), spoken::NO_CODES)));
    }
    let (vault, name, code) = (Arc::clone(&hall.page.vault), guest.who().to_owned(), code.trim().to_owned());
    match tokio::task::spawn_blocking(move || vault.prove_code(&name, &code)).await {
        Ok(Ok(person)) => Ok(person),
        Ok(Err(ProofError::Wrong)) => Err(Box::new(hall.refuse(guest, act.name(), spoken::WRONG_CODE))),
        Ok(Err(ProofError::Wait { wait_s })) => Err(Box::new(hall.later(guest, wait_s))),
        _ => Err(Box::new(unable(hall, guest))),
    }
}

async fn turned(hall: &Hall, guest: &Guest, turn: Turn) -> Response {
    let (vault, who, is_stop) = (Arc::clone(&hall.page.vault), guest.who().to_owned(), turn.is_stop());
    match tokio::task::spawn_blocking(move || vault.turn(&turn, &who, None)).await {
        Ok(Ok(_)) if hall.porter.is_network => see_other(&guest.way("/switch")),
        Ok(Ok(_)) => see_other(&guest.way("/")),
        Ok(Err(TurnError::Refused(why))) => {
            let words = spoken::NOT_DONE.with(guest.language, &[&why.to_string()]);
            told(hall, guest, StatusCode::CONFLICT, (spoken::NOT_DONE_TITLE, &words))
        }
        Ok(Err(TurnError::Store(_))) if is_stop => {
            let words = spoken::DONE_WITHOUT_ROOM.of(guest.language);
            told(hall, guest, StatusCode::OK, (spoken::STOPPED_TITLE, words))
        }
        _ => unable(hall, guest),
    }
}
