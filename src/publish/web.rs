//! A page: what was released, summed up over any period, how each camera fares, and the switch.
//!
//! In: released windows, the newest health report, forms. Out: HTML, PNG, CSS, numbers for Prometheus and one script, all from this
//! binary. Invariants: the page shows no figure that is not a sum of what is published. It is served either to this machine
//! only, and only when asked for by a name of this machine (a foreign page that resolves to loopback is refused), or to a
//! network, encrypted, to people who log in and to each only what their role may ([`porter`]); what is said openly is there for
//! everybody. What needs a script is refreshing and the form for dates, the rest are links and forms.

mod asked;
mod cameras;
mod chain;
mod chart;
mod door;
mod form;
mod frame;
mod gathered;
mod headers;
mod html;
mod limit;
mod login;
pub mod maps;
mod metrics;
mod openly;
mod panel;
mod porter;
mod session;
mod switching;
mod tables;
mod tls;
mod words;

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use axum::Extension;
use axum::Router;
use axum::extract::{DefaultBodyLimit, Path, RawQuery, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::middleware::from_fn_with_state;
use axum::response::{Html, IntoResponse, Response};
use axum::routing::{get, post};
use tokio::sync::watch;

use super::PublishError;
use super::period::Calendar;
use super::picture::{Theme, amount_png, difference_png, flow_png};
use crate::clock::utc_now;
use crate::config::PageDoor;
use crate::vault::Vault;
use crate::wire::Message;
use asked::{Asked, Refused};
pub use gathered::Shelf;
use html::escaped;
pub use openly::{Policy, Transparency};
use panel::Answer;
use porter::{Guest, Hall, Porter, guard};
use words::Language;
pub use words::{DANGER_PLAINTEXT, DANGER_UNSANDBOXED, Word};

/// What the page is made of.
pub struct Page {
    /// Name of the shop.
    pub name: String,
    /// Fewest distinct visits behind a released figure.
    pub k: u32,
    /// IANA time zone of the shop.
    pub timezone: String,
    /// Names for people, by kind and id, as "line/door".
    pub names: BTreeMap<String, String>,
    /// Which cells a camera sees, by id of the floor.
    pub seen: BTreeMap<String, Vec<bool>>,
    /// Where released windows are.
    pub vault: Arc<Vault>,
    /// What the site file allows that weakens privacy, each in a sentence for people.
    pub dangers: Vec<Word>,
    /// Newest health report.
    pub health: watch::Receiver<Option<Message>>,
    /// Whether the broker is there.
    pub connected: Arc<AtomicBool>,
    /// Sums of periods that were asked for lately.
    pub shelf: Shelf,
    /// What anybody may read.
    pub transparency: Transparency,
}

/// Serves the page at its door until the runtime ends.
///
/// # Errors
/// [`PublishError::PortInUse`], [`PublishError::PortRefused`], [`PublishError::Paper`].
pub async fn serve(page: Page, door: &PageDoor) -> Result<(), PublishError> {
    let port = door.socket().port();
    let refused = |error| PublishError::of_port("page.port", port, &error);
    let tls = match door {
        PageDoor::Loopback { .. } => None,
        PageDoor::Network { cert_file, key_file, .. } => Some(tls::acceptor(cert_file, key_file)?),
    };
    let listener = tokio::net::TcpListener::bind(door.socket()).await.map_err(refused)?;
    let no_randomness = || refused(std::io::Error::other("the system gives no randomness"));
    let porter = Porter::new(door.is_network()).ok_or_else(no_randomness)?;
    let hall = Hall { page: Arc::new(page), porter: Arc::new(porter) };
    tokio::spawn(door::serve(listener, tls, router(hall)));
    Ok(())
}

/// Whether the papers of a door can be used.
///
/// # Errors
/// [`PublishError::Paper`].
pub fn check_papers(door: &PageDoor) -> Result<(), PublishError> {
    match door {
        PageDoor::Loopback { .. } => Ok(()),
        PageDoor::Network { cert_file, key_file, .. } => tls::acceptor(cert_file, key_file).map(drop),
    }
}

/// What is where; who may see and do it is the porter's affair.
fn router(hall: Hall) -> Router {
    let everywhere = Router::new()
        .route("/", get(shell))
        .route("/panel", get(figures))
        .route("/now", get(now))
        .route("/banner", get(switching::banner_now))
        .route("/map/{what}/{floor}", get(map))
        .route("/metrics", get(numbers))
        .route("/pause", post(switching::pause))
        .route("/notice", get(openly::notice))
        .route("/selftest", get(openly::selftest))
        .route("/page.css", get(|| async { asset("text/css; charset=utf-8", include_str!("page/page.css")) }))
        .route("/htmx.min.js", get(|| async { asset("text/javascript; charset=utf-8", HTMX) }));
    let behind_a_login = Router::new()
        .route("/login", get(login::show).post(login::enter))
        .route("/logout", post(login::leave))
        .route("/switch", get(switching::show))
        .route("/lock", post(switching::lock))
        .route("/resume", post(switching::resume))
        .route("/unlock", post(switching::unlock))
        .route("/purge", post(switching::purge))
        .route("/audit", get(chain::search))
        .route("/reports", get(chain::reports));
    let all = if hall.porter.is_network { everywhere.merge(behind_a_login) } else { everywhere };
    all.layer(DefaultBodyLimit::max(BODY_BYTES_MAX)).layer(from_fn_with_state(hall.clone(), guard)).with_state(hall)
}

/// The whole page, ready to be read without a script.
async fn shell(
    State(page): State<Arc<Page>>,
    Extension(guest): Extension<Guest>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response {
    let query = query.unwrap_or_default();
    let (status, asked, figures) = answered(&page, &query, accepted(&headers)).await;
    let language = asked.language;
    let periods = panel::periods(&asked, &page.calendar(), now_s());
    let now = whats_on(&page, language);
    let now_query = format!("lang={}", language.tag());
    let values = [
        ("name", escaped(&page.name)),
        ("lang", language.tag().to_owned()),
        ("skip", words::SKIP.of(language).to_owned()),
        ("languages", panel::languages(&asked)),
        ("cameras", words::CAMERAS_NOW.of(language).to_owned()),
        ("footer", footer(page.k, language)),
        ("alarms", alarms(&page, language)),
        ("ways", frame::ways(&guest)),
        ("banner", switching::live(&switching::banner(&page, &guest, language), language)),
        ("periods", periods),
        ("now", now.clone() + &again("/now", &now_query, &now, NOW_EVERY)),
        ("figures", figures.clone() + &again("/panel", &asked.query(), &figures, PANEL_EVERY)),
    ];
    (status, Html(filled(include_str!("page/shell.html"), &values))).into_response()
}

/// A template with its `{names}` filled in; what is filled in is not searched again.
fn filled(template: &str, values: &[(&str, String)]) -> String {
    let mut parts = template.split('{');
    let mut html = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let value = part
            .split_once('}')
            .and_then(|(name, rest)| values.iter().find(|(known, _)| *known == name).map(|(_, value)| (value, rest)));
        match value {
            Some((value, rest)) => html.extend([value.as_str(), rest]),
            None => html.extend(["{", part]),
        }
    }
    html
}

/// What the site file allows that weakens privacy, where nobody can overlook it.
fn alarms(page: &Page, language: Language) -> String {
    let alarm = |danger: &Word| {
        let words = words::DANGEROUS.with(language, &[danger.of(language)]);
        format!("<p class=\"alarm\" role=\"alert\">{}</p>", escaped(&words))
    };
    page.dangers.iter().map(alarm).collect()
}

/// What every reader should know of the figures.
fn footer(k: u32, language: Language) -> String {
    let [withheld, blind, none] =
        [words::WITHHELD, words::NOBODY_LOOKED, words::NO_RECORD].map(|word| format!("<em>{}</em>", word.of(language)));
    format!(
        "{}\n{withheld}{comma}{blind}{comma}{none}{comma}<em>0</em> {}",
        words::FOOTER_WITHHELD.with(language, &[&k.to_string()]),
        words::FOOTER_FOUR.of(language),
        comma = words::COMMA.of(language),
    )
}

/// The language a browser says it likes best.
fn accepted(headers: &HeaderMap) -> Language {
    let header = headers.get(header::ACCEPT_LANGUAGE).and_then(|header| header.to_str().ok());
    header.map_or(Language::English, Language::accepted)
}

/// The figures alone, for the script; nothing where they are shown already.
async fn figures(State(page): State<Arc<Page>>, RawQuery(query): RawQuery, headers: HeaderMap) -> Response {
    let query = query.unwrap_or_default();
    let (_, asked, figures) = answered(&page, &query, accepted(&headers)).await;
    if query.ends_with(&shown(&figures)) {
        // htmx leaves the page alone on "no content".
        return StatusCode::NO_CONTENT.into_response();
    }
    let html = Html(figures.clone() + &again("/panel", &asked.query(), &figures, PANEL_EVERY));
    // The address line tells what is shown, so that it can be kept and passed on.
    match HeaderValue::from_str(&format!("/?{}", asked.query())) {
        Ok(place) => ([(HX_REPLACE_URL, place)], html).into_response(),
        Err(_) => html.into_response(),
    }
}

/// What is dangerous, and how the cameras fare.
async fn now(State(page): State<Arc<Page>>, RawQuery(query): RawQuery, headers: HeaderMap) -> Response {
    let query = query.unwrap_or_default();
    let language = Asked::language_of(&query).unwrap_or_else(|| accepted(&headers));
    let html = whats_on(&page, language);
    if query.ends_with(&shown(&html)) {
        return StatusCode::NO_CONTENT.into_response();
    }
    let query = format!("lang={}", language.tag());
    Html(html.clone() + &again("/now", &query, &html, NOW_EVERY)).into_response()
}

fn whats_on(page: &Page, language: Language) -> String {
    cameras::drawn(page.health.borrow().as_ref(), |id| page.name_of("camera", id), language)
}

/// What a question is answered with, a refusal included.
async fn answered(page: &Arc<Page>, query: &str, accepted: Language) -> (StatusCode, Asked, String) {
    let asked = match Asked::read(query, accepted) {
        Ok(asked) => asked,
        Err(refused) => {
            let asked = Asked::nothing_in(Asked::language_of(query).unwrap_or(accepted));
            return (StatusCode::BAD_REQUEST, asked.clone(), refusal(&refused, asked.language));
        }
    };
    let answer = summed(page, &asked, |page, asked, answer| answer.drawn(page, asked)).await;
    match answer {
        Ok(html) => (StatusCode::OK, asked, html),
        Err(refused) => {
            let html = refusal(&refused, asked.language);
            (StatusCode::BAD_REQUEST, asked, html)
        }
    }
}

/// Sums up what is asked for, beside the thread that delivers: a year takes its time.
async fn summed<T: Send + 'static>(
    page: &Arc<Page>,
    asked: &Asked,
    make: impl FnOnce(&Page, &Asked, &Answer) -> T + Send + 'static,
) -> Result<T, Refused> {
    let (page, asked) = (Arc::clone(page), asked.clone());
    let work = move || Answer::to(&page, &asked, now_s()).map(|answer| make(&page, &asked, &answer));
    tokio::task::spawn_blocking(work).await.expect("a sum does not panic")
}

fn refusal(refused: &Refused, language: Language) -> String {
    let words = words::NOT_SHOWN.with(language, &[&refused.told(language)]);
    format!("<p class=\"alarm\" role=\"alert\">{}</p>", escaped(&words))
}

/// A picture of a floor: "heat", "difference" or "ways".
async fn map(
    State(page): State<Arc<Page>>,
    Path((what, floor)): Path<(String, String)>,
    RawQuery(query): RawQuery,
) -> Response {
    let query = query.unwrap_or_default();
    let theme = if query.split('&').any(|pair| pair == "dark=1") { Theme::Dark } else { Theme::Light };
    let asked = match Asked::read(&query, Language::English) {
        Ok(asked) => asked,
        Err(refused) => return (StatusCode::BAD_REQUEST, refused.told(Language::English)).into_response(),
    };
    let language = asked.language;
    let floor = floor.trim_end_matches(".png").to_owned();
    let drawn =
        summed(&page, &asked, move |page, asked, answer| drawn(page, asked, answer, [&what, &floor], theme)).await;
    match drawn {
        Ok(Some(png)) => ([(header::CONTENT_TYPE, "image/png")], png).into_response(),
        Ok(None) => (StatusCode::NOT_FOUND, "no such map in this period").into_response(),
        Err(refused) => (StatusCode::BAD_REQUEST, refused.told(language)).into_response(),
    }
}

fn drawn(page: &Page, asked: &Asked, answer: &Answer, [what, floor]: [&str; 2], theme: Theme) -> Option<Vec<u8>> {
    let seen = page.seen.get(floor)?;
    let heat = || maps::heat_of(&answer.here.sums, floor, asked.layer);
    match what {
        "heat" => Some(amount_png(&maps::amounts(heat()?, seen), theme)),
        "ways" => Some(flow_png(&maps::ways(maps::flow_of(&answer.here.sums, floor)?, seen), theme)),
        "difference" => {
            let other = maps::heat_of(&answer.other.as_ref()?.sums, floor, asked.layer)?;
            Some(difference_png(&maps::difference(heat()?, other, seen)?, theme))
        }
        _ => None,
    }
}

async fn numbers(State(page): State<Arc<Page>>) -> Response {
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], metrics::text(&page)).into_response()
}

/// What asks again after a while, and says which version is shown.
fn again(path: &str, query: &str, html: &str, every: &str) -> String {
    let query = query.replace('&', "&amp;");
    let version = shown(html);
    format!(
        "<span hx-get=\"{path}?{query}&amp;{version}\" hx-trigger=\"every {every}\" hx-target=\"closest .live\" hx-swap=\"innerHTML\"></span>"
    )
}

/// Which version of a piece of HTML this is.
fn shown(html: &str) -> String {
    let mut hasher = DefaultHasher::new();
    html.hash(&mut hasher);
    format!("v={:016x}", hasher.finish())
}

fn asset(kind: &'static str, text: &'static str) -> Response {
    ([(header::CONTENT_TYPE, kind)], text).into_response()
}

fn now_s() -> i64 {
    utc_now().0.div_euclid(1000)
}

impl Page {
    fn calendar(&self) -> Calendar {
        let calendar = Calendar::of(&self.timezone).or_else(|_| Calendar::of("UTC"));
        calendar.expect("UTC is a zone")
    }

    /// A stretch of time in the shop's own time.
    fn span(&self, from_s: i64, to_s: i64, language: Language) -> String {
        let calendar = self.calendar();
        let (from, to) = (calendar.local(from_s), calendar.local(to_s));
        let (from, to) = (from.strftime("%Y-%m-%d %H:%M").to_string(), to.strftime("%H:%M").to_string());
        words::SPAN.with(language, &[&from, &to])
    }

    fn plain_name_of(&self, kind: &str, id: &str) -> String {
        self.names.get(&format!("{kind}/{id}")).map_or(id, String::as_str).to_owned()
    }

    fn name_of(&self, kind: &str, id: &str) -> String {
        escaped(&self.plain_name_of(kind, id))
    }

    fn is_connected(&self) -> bool {
        self.connected.load(Ordering::Relaxed)
    }
}

const NOW_EVERY: &str = "2s";
/// Windows close every quarter of an hour; a replay closes one in seconds.
const PANEL_EVERY: &str = "3s";
const HX_REPLACE_URL: HeaderName = HeaderName::from_static("hx-replace-url");
/// htmx 2.0.4, unchanged; see vendor/htmx/SOURCE.txt.
const HTMX: &str = include_str!("../../vendor/htmx/htmx.min.js");
/// Longest form, bytes.
const BODY_BYTES_MAX: usize = 16 << 10;
