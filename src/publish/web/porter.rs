//! The porter: who comes in, what they may see and do, and with which words every answer leaves.
//!
//! In: requests, with the address they came from. Out: the same requests with a [`Guest`], or a refusal. Invariants: at a network
//! nothing is open but the way in and what is said openly; a path nobody knows needs a login like the others; what changes
//! anything comes from a page of ours; a refusal of somebody's act is a line of the audit chain, as far as these come at a
//! human pace; no answer leaves without its headers.

use std::collections::{BTreeMap, VecDeque};
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

use axum::extract::{FromRef, MatchedPath, Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use tokio::sync::Semaphore;
use tokio::time::timeout;

use super::asked::Asked;
use super::door::Visitor;
use super::frame::told;
use super::headers::{REQUEST_WITHIN, is_of_our_page, with_headers};
use super::limit::{Limits, Rate, SECOND_NS};
use super::routes::{Need, needs};
use super::session::{Session, Sessions, random};
use super::spoken;
use super::words::{Language, Word};
use super::{Page, accepted};
use crate::clock::monotonic_ns;
use crate::switch::{Act, may};
use crate::wire::audit::{Deed, hex};

/// What every answer is made from.
#[derive(Clone)]
pub(super) struct Hall {
    pub(super) page: Arc<Page>,
    pub(super) porter: Arc<Porter>,
}

impl FromRef<Hall> for Arc<Page> {
    fn from_ref(hall: &Hall) -> Self {
        Self::clone(&hall.page)
    }
}

/// Who keeps the door.
pub(super) struct Porter {
    pub(super) is_network: bool,
    needs: BTreeMap<&'static str, Need>,
    pub(super) sessions: Sessions,
    pub(super) limits: Limits,
    /// One password is looked at a time: the cameras need the processor.
    pub(super) hashing: Semaphore,
    /// Names, and addresses from where they have come in.
    known: Mutex<VecDeque<(String, IpAddr)>>,
    secret: String,
    /// What forms on loopback carry.
    token: String,
}

/// Who asks.
#[derive(Clone)]
pub(super) struct Guest {
    pub(super) session: Option<Session>,
    pub(super) address: IpAddr,
    /// What their forms carry.
    pub(super) token: String,
    /// What they read.
    pub(super) language: Language,
    /// Whether they have chosen it; else it is their browser's.
    pub(super) names_language: bool,
}

impl Guest {
    /// As it stands in the audit chain.
    pub(super) fn who(&self) -> &str {
        self.session.as_ref().map_or(ON_THE_BOX, |session| &session.name)
    }

    /// An address of ours, in the language they have chosen.
    pub(super) fn way(&self, path: &str) -> String {
        if self.names_language { format!("{path}?lang={}", self.language.tag()) } else { path.to_owned() }
    }

    pub(super) fn may(&self, act: Act) -> bool {
        match &self.session {
            Some(session) => may(Some(session.role), act),
            None => may(None, act) || matches!(act, Act::SeeFigures | Act::SeeHealth),
        }
    }
}

impl Porter {
    /// One who knows nobody yet; nothing where the system has no randomness.
    pub(super) fn new(is_network: bool) -> Option<Self> {
        Some(Self {
            is_network,
            needs: needs(),
            sessions: Sessions::default(),
            limits: Limits::default(),
            hashing: Semaphore::new(1),
            known: Mutex::default(),
            secret: random()?,
            token: random()?,
        })
    }

    /// The word that a form of a visit carries.
    pub(super) fn word_of(&self, visit: &str) -> String {
        let mut mac = Hmac::<Sha256>::new_from_slice(self.secret.as_bytes()).expect("keys of any length");
        mac.update(visit.as_bytes());
        hex(&mac.finalize().into_bytes())
    }

    /// Whether somebody of this name has come in from this address.
    pub(super) fn knows(&self, name: &str, address: IpAddr) -> bool {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.iter().any(|(known, from)| known == name && *from == address)
    }

    /// Remembers from where somebody has come in.
    pub(super) fn know(&self, name: &str, address: IpAddr) {
        if !self.knows(name, address) {
            let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
            known.truncate(KNOWN_MAX - 1);
            known.push_front((name.to_owned(), address));
        }
    }
}

/// Lets a request in, or does not, and sees every answer out.
pub(super) async fn guard(State(hall): State<Hall>, mut request: Request, next: Next) -> Response {
    let answer = match admitted(&hall, &request) {
        Ok(guest) => {
            request.extensions_mut().insert(guest);
            let late = |_| (StatusCode::REQUEST_TIMEOUT, "that took too long").into_response();
            timeout(REQUEST_WITHIN, next.run(request)).await.unwrap_or_else(late)
        }
        Err(refusal) => *refusal,
    };
    with_headers(answer, hall.porter.is_network)
}

fn admitted(hall: &Hall, request: &Request) -> Result<Guest, Box<Response>> {
    let porter = &hall.porter;
    if !porter.is_network && !is_asked_here(request.headers()) {
        return Err(Box::new((StatusCode::FORBIDDEN, "ask for this page at 127.0.0.1").into_response()));
    }
    let path = request.extensions().get::<MatchedPath>();
    if request.headers().contains_key(header::TRANSFER_ENCODING) {
        // Forms of browsers say how long they are; two ways of saying it are how requests are smuggled.
        let refusal = (StatusCode::LENGTH_REQUIRED, [(header::CONNECTION, "close")], "say the length");
        return Err(Box::new(refusal.into_response()));
    }
    let need = path.and_then(|path| porter.needs.get(path.as_str())).copied().unwrap_or(Need::Login);
    let guest = guest(hall, request);
    let is_reading = matches!(*request.method(), Method::GET | Method::HEAD);
    let act = if let Need::Right(act) = need { Some(act) } else { None };
    if porter.is_network && matches!(need, Need::Login | Need::Right(_)) {
        match &guest.session {
            None => return Err(Box::new(stranger(hall, request, &guest, act))),
            Some(session) if act.is_some_and(|act| !may(Some(session.role), act)) => {
                let role = spoken::role(session.role);
                let why = Language::ALL.map(|of| spoken::NOT_OF_ROLE.with(of, &[&session.name, role.of(of)]));
                return Err(Box::new(hall.refuse_because(&guest, act.map_or("page", Act::name), &why)));
            }
            Some(_) => {}
        }
    }
    if !is_reading && need != Need::Reading && !is_of_our_page(request.headers(), porter.is_network) {
        return Err(Box::new(hall.refuse(&guest, act.map_or("page", Act::name), spoken::NOT_OURS)));
    }
    Ok(guest)
}

/// Who has not come in: a page leads to the login, an act is refused.
fn stranger(hall: &Hall, request: &Request, guest: &Guest, act: Option<Act>) -> Response {
    let is_reading = matches!(*request.method(), Method::GET | Method::HEAD);
    match request.uri().path() {
        "/" | "/switch" | "/audit" | "/reports" if is_reading => see_other(&guest.way("/login")),
        "/now" | "/panel" | "/banner" if is_reading => {
            // htmx leads the whole page there.
            (StatusCode::UNAUTHORIZED, [("hx-redirect", guest.way("/login"))], "log in").into_response()
        }
        _ if is_reading => {
            told(hall, guest, StatusCode::UNAUTHORIZED, (spoken::LOG_IN, spoken::NOBODY.of(guest.language)))
        }
        _ => {
            let mut answer = hall.refuse(guest, act.map_or("page", Act::name), spoken::NOBODY);
            if answer.status() == StatusCode::FORBIDDEN {
                *answer.status_mut() = StatusCode::UNAUTHORIZED;
            }
            answer
        }
    }
}

impl Hall {
    /// Refuses an act, and remembers that.
    pub(super) fn refuse(&self, guest: &Guest, what: &'static str, why: Word) -> Response {
        self.refuse_because(guest, what, &Language::ALL.map(|language| why.of(language).to_owned()))
    }

    /// Refuses an act for a reason that is told in each language; the chain has the first.
    fn refuse_because(&self, guest: &Guest, what: &'static str, why: &[String; 2]) -> Response {
        let leave = self.porter.limits.take(&format!("refusal {}", guest.address), REFUSALS, monotonic_ns());
        let is_told = leave.is_ok() || leave.is_err_and(|wait| wait.is_first);
        if is_told {
            let who = if self.porter.is_network && guest.session.is_none() { STRANGER } else { guest.who() };
            let deed = Deed::done(what).by(who).that_was("refused").about("door", "page").about("why", why[0].as_str());
            // Without room for the line it is refused all the same.
            let _ = self.page.vault.remember(&deed);
        }
        match leave {
            Ok(()) => {
                let (language, [english, japanese]) = (guest.language, why);
                let why = if language == Language::English { english } else { japanese };
                let words =
                    [spoken::REFUSED_BECAUSE.with(language, &[why]), spoken::WRITTEN_DOWN.of(language).to_owned()];
                told(self, guest, StatusCode::FORBIDDEN, (spoken::REFUSED, &words.join("\n")))
            }
            Err(wait) => self.later(guest, wait.wait_s),
        }
    }

    /// Whether a form carries the word its page was given.
    pub(super) fn is_own_form(&self, guest: &Guest, given: &str) -> bool {
        super::session::is_same(given, &guest.token)
    }

    /// Too often: when to come again.
    pub(super) fn later(&self, guest: &Guest, wait_s: i64) -> Response {
        let wait_s = wait_s.max(1).to_string();
        let words = spoken::LATER_WHY.with(guest.language, &[&wait_s]);
        let answer = told(self, guest, StatusCode::TOO_MANY_REQUESTS, (spoken::LATER, &words));
        ([(header::RETRY_AFTER, wait_s)], answer).into_response()
    }
}

/// Leads a browser on, after what it did was done.
pub(super) fn see_other(way: &str) -> Response {
    let way = HeaderValue::from_str(way).expect("a path of ours");
    (StatusCode::SEE_OTHER, [(header::LOCATION, way)]).into_response()
}

fn guest(hall: &Hall, request: &Request) -> Guest {
    let address = request.extensions().get::<Visitor>().map_or(IpAddr::from([0, 0, 0, 0]), |visitor| visitor.0);
    let session = if hall.porter.is_network { session(hall, request) } else { None };
    let token = session.as_ref().map_or_else(
        || if hall.porter.is_network { String::new() } else { hall.porter.token.clone() },
        |session| session.token.clone(),
    );
    let chosen = request.uri().query().and_then(Asked::language_of);
    let language = chosen.unwrap_or_else(|| accepted(request.headers()));
    Guest { session, address, token, language, names_language: chosen.is_some() }
}

/// The session of a cookie, where its person still stands as they did.
fn session(hall: &Hall, request: &Request) -> Option<Session> {
    let cookie = cookie(request.headers(), SESSION)?;
    let asks_by_itself = request.uri().query().is_some_and(|query| query.starts_with("v=") || query.contains("&v="));
    let session = hall.porter.sessions.of(&cookie, monotonic_ns(), !asks_by_itself)?;
    let standing = hall.page.vault.standing(&session.name).ok().flatten();
    let is_standing = standing.is_some_and(|there| there.role == session.role && there.edition == session.edition);
    if !is_standing {
        hall.porter.sessions.close(&cookie);
    }
    is_standing.then_some(session)
}

/// The value of a cookie.
pub(super) fn cookie(headers: &HeaderMap, name: &str) -> Option<String> {
    let all = headers.get_all(header::COOKIE).into_iter().filter_map(|cookies| cookies.to_str().ok());
    let mut pairs = all.flat_map(|cookies| cookies.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.find(|(known, value)| *known == name && value.len() <= COOKIE_BYTES_MAX).map(|(_, value)| value.to_owned())
}

/// Whether this page was asked for by a name of this machine.
fn is_asked_here(headers: &HeaderMap) -> bool {
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    matches!(host.rsplit_once(':').map_or(host, |(name, _)| name), "127.0.0.1" | "localhost")
}

/// Cookie of a session. The prefix binds it to this very host, and to TLS.
pub(super) const SESSION: &str = "__Host-kehai";
/// Longest cookie that is looked at, bytes.
const COOKIE_BYTES_MAX: usize = 128;
/// Names and addresses that are remembered.
const KNOWN_MAX: usize = 256;
/// Who pauses on loopback: whoever is at the box.
const ON_THE_BOX: &str = "page";
const STRANGER: &str = "stranger";
/// Refusals of one address that are remembered one by one: thirty, and then one every two seconds.
const REFUSALS: Rate = Rate { at_once: 30, each_ns: 2 * SECOND_NS };
