//! A plain page on loopback: the newest released heatmap over the floor, lines, zones, and how each camera fares.
//!
//! In: the newest published payloads and the newest health report. Out: HTML, PNG, CSS and one script, all from this
//! binary. Invariants: the page shows no figure that is not published as well; it is served to this machine only, and only
//! when asked for by a name of this machine (a foreign page that resolves to loopback is refused).

use std::hash::{DefaultHasher, Hash, Hasher};
use std::net::Ipv4Addr;
use std::sync::Arc;

use axum::Router;
use axum::extract::{Path, RawQuery, Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::{Next, from_fn};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;
use tokio::sync::watch;

use super::PublishError;
use super::picture::heatmap_png;
use crate::vault::Vault;
use crate::wire::Message;
use crate::wire::read::WindowView;

/// What the page is made of.
pub struct Page {
    /// Name of the shop.
    pub name: String,
    /// Fewest distinct visits behind a released figure.
    pub k: u32,
    /// IANA time zone of the shop.
    pub timezone: String,
    /// Names for people, by kind and id, as "line/door".
    pub names: std::collections::BTreeMap<String, String>,
    /// Which cells a camera sees, by id of the floor.
    pub seen: std::collections::BTreeMap<String, Vec<bool>>,
    /// Where the newest payloads are.
    pub vault: Arc<Vault>,
    /// Whether the site file lets an eye work whose cage is not proved.
    pub is_unsandboxed: bool,
    /// Whether messages cross a network in the clear: the page says so.
    pub is_plaintext: bool,
    /// Newest health report.
    pub health: watch::Receiver<Option<Message>>,
}

/// Serves the page on loopback until the runtime ends.
///
/// # Errors
/// [`PublishError::PortInUse`], [`PublishError::PortRefused`].
pub async fn serve(page: Page, port: u16) -> Result<(), PublishError> {
    let refused = |error| PublishError::of_port("page.port", port, &error);
    let listener = tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await.map_err(refused)?;
    let router = Router::new()
        .route("/", get(shell))
        .route("/panel", get(panel))
        .route("/heat/{id}", get(heat))
        .route("/page.css", get(|| async { asset("text/css; charset=utf-8", include_str!("page/page.css")) }))
        .route("/htmx.min.js", get(|| async { asset("text/javascript; charset=utf-8", HTMX) }))
        .layer(from_fn(guard))
        .with_state(Arc::new(page));
    tokio::spawn(async move { axum::serve(listener, router).await });
    Ok(())
}

/// Refuses foreign names and adds the headers that keep a browser to itself.
async fn guard(request: Request, next: Next) -> Response {
    let host = request.headers().get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    let name = host.rsplit_once(':').map_or(host, |(name, _)| name);
    if !matches!(name, "127.0.0.1" | "localhost") {
        return (StatusCode::FORBIDDEN, "ask for this page at 127.0.0.1").into_response();
    }
    let mut response = next.run(request).await;
    for (name, value) in SECURITY_HEADERS {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response
}

async fn shell(State(page): State<Arc<Page>>) -> Html<String> {
    let alarms = [(page.is_unsandboxed, UNSANDBOXED), (page.is_plaintext, PLAINTEXT)];
    let alarm: String = alarms.into_iter().filter_map(|(is_on, words)| is_on.then_some(words)).collect();
    let shell = include_str!("page/shell.html").replace("{alarm}", &alarm).replace("{k}", &page.k.to_string());
    Html(shell.replace("{name}", &escaped(&page.name)))
}

async fn panel(State(page): State<Arc<Page>>, RawQuery(shown): RawQuery) -> Response {
    let windows: Vec<WindowView> =
        page.vault.newest().iter().filter_map(|message| WindowView::read(&message.body)).collect();
    let mut html = String::new();
    if windows.is_empty() {
        html.push_str("<p class=\"quiet\">Waiting for the first closed window …</p>");
    }
    html.push_str(&maps(&page, &windows));
    html.push_str(&lines(&page, &windows));
    html.push_str(&zones(&page, &windows));
    html.push_str(&cameras(page.health.borrow().as_ref()));
    let mut hasher = DefaultHasher::new();
    html.hash(&mut hasher);
    let version = format!("{:016x}", hasher.finish());
    if shown.is_some_and(|shown| shown == version) {
        // htmx leaves the page alone on "no content".
        return StatusCode::NO_CONTENT.into_response();
    }
    let asking = format!(
        "<span hx-get=\"/panel?{version}\" hx-trigger=\"every 2s\" hx-target=\"main\" hx-swap=\"innerHTML\"></span>"
    );
    Html(html + &asking).into_response()
}

async fn heat(State(page): State<Arc<Page>>, Path(id): Path<String>) -> Response {
    let id = id.trim_end_matches(".png");
    let newest = page.vault.newest();
    let windows = newest.iter().filter_map(|message| WindowView::read(&message.body));
    let heat =
        windows.into_iter().find(|window| window.kind == "heat" && window.id == id).and_then(|window| window.heat);
    match heat {
        Some(heat) => {
            let seen = page.seen.get(&heat.plan).map_or(&[][..], Vec::as_slice);
            ([(header::CONTENT_TYPE, "image/png"), (header::CACHE_CONTROL, "no-store")], heatmap_png(&heat, seen))
                .into_response()
        }
        None => (StatusCode::NOT_FOUND, "no such heatmap yet").into_response(),
    }
}

fn maps(page: &Page, windows: &[WindowView]) -> String {
    let figure = |window: &WindowView| {
        let heat = window.heat.as_ref()?;
        let layer = if heat.layer == "dwell" { "time spent, s" } else { "visits" };
        Some(format!(
            "<figure><img src=\"/heat/{id}.png?{start}\" alt=\"Heatmap of {plan}, {layer}\"><figcaption>{plan}: {layer} per cell of \
             {cell} m, away from the door is up. {cells} cells released, {span}. Hatched: withheld (fewer than {k} visits, or to \
             protect a neighbour). Dark: no camera looks there.</figcaption></figure>",
            id = escaped(&window.id),
            start = escaped(&window.start),
            plan = escaped(page.names.get(&format!("floor/{}", heat.plan)).unwrap_or(&heat.plan)),
            cell = heat.cell_mm as f64 / 1000.0,
            cells = heat.cells.iter().flatten().count(),
            span = page.span(window),
            k = window.k,
        ))
    };
    let figures: String = windows.iter().filter_map(figure).collect();
    if figures.is_empty() {
        String::new()
    } else {
        format!("<h2>Floor</h2><section class=\"maps\">{figures}</section>")
    }
}

fn lines(page: &Page, windows: &[WindowView]) -> String {
    let row = |window: &WindowView| {
        let figure = |name: &str| window.figure(name).map_or("–".to_owned(), |value| value.to_string());
        [page.name_of(window), figure("in"), figure("out"), figure("uncertain"), page.span(window)]
    };
    table(
        "Lines",
        &["line", "in", "out", "of these uncertain", "window"],
        windows.iter().filter(|w| w.kind == "line").map(row),
    )
}

fn zones(page: &Page, windows: &[WindowView]) -> String {
    let row = |window: &WindowView| {
        let figure = |name: &str| window.figure(name).map_or("withheld".to_owned(), |value| value.to_string());
        let visits = window.figure("visits").unwrap_or(0).max(1);
        let dwell = window
            .figure("dwell_ms")
            .map_or("withheld".to_owned(), |dwell| format!("{:.1} s", dwell as f64 / 1000.0 / visits as f64));
        [page.name_of(window), figure("visits"), figure("stops"), dwell, figure("occ_max"), page.span(window)]
    };
    let heads = ["zone", "visits", "stops", "mean dwell (dwell ÷ visits)", "most at once", "window"];
    table("Zones", &heads, windows.iter().filter(|w| w.kind == "zone").map(row))
}

fn cameras(health: Option<&Message>) -> String {
    let Some(report) = health.and_then(|message| serde_json::from_slice::<serde_json::Value>(&message.body).ok())
    else {
        return String::new();
    };
    let row = |camera: &serde_json::Value| {
        let state = camera["state"].as_str().unwrap_or_default();
        let is_overloaded = camera["overloaded"].as_bool().unwrap_or(false);
        let (class, words) = match state {
            "lost" => ("bad", "lost"),
            "seeing" if is_overloaded => ("bad", "seeing, overloaded"),
            "seeing" => ("good", "seeing"),
            _ => ("quiet", state),
        };
        let frames = &camera["frames"];
        [
            escaped(camera["id"].as_str().unwrap_or_default()),
            looks(camera),
            format!("{:.1}", camera["fps_milli"].as_u64().unwrap_or(0) as f64 / 1000.0),
            frames[0].to_string(),
            frames[1].to_string(),
            frames[2].to_string(),
            frames[4].to_string(),
            camera["ignored"].to_string(),
            camera["motionless"].to_string(),
            camera["reconnects"].to_string(),
            format!("<span class=\"{class}\">{}</span>", escaped(words)),
        ]
    };
    let cameras = report["cameras"].as_array().map_or(&[][..], Vec::as_slice);
    let heads = [
        "camera",
        "looks/s",
        "frames/s",
        "captured",
        "detected",
        "still",
        "overwritten",
        "ignored boxes",
        "motionless things",
        "reopened",
        "state",
    ];
    table("Cameras", &heads, cameras.iter().map(row))
}

/// Looks per second a camera gets, of those it is due.
fn looks(camera: &serde_json::Value) -> String {
    let rate = |name: &str| camera[name].as_u64().map(|milli| format!("{:.1}", milli as f64 / 1000.0));
    match [rate("looks_milli"), rate("looks_asked_milli")] {
        [Some(looks), Some(asked)] => format!("{looks} of {asked}"),
        [looks, _] => looks.unwrap_or_default(),
    }
}

fn table<const N: usize>(title: &str, heads: &[&str; N], rows: impl Iterator<Item = [String; N]>) -> String {
    let rows: String = rows.map(|row| format!("<tr><td>{}</td></tr>", row.join("</td><td>"))).collect();
    let heads = heads.join("</th><th>");
    if rows.is_empty() {
        String::new()
    } else {
        format!("<h2>{title}</h2><div class=\"wide\"><table><tr><th>{heads}</th></tr>{rows}</table></div>")
    }
}

fn asset(kind: &'static str, text: &'static str) -> Response {
    ([(header::CONTENT_TYPE, kind)], text).into_response()
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

impl Page {
    /// A window in the shop's own time, and how much of it was seen.
    fn span(&self, window: &WindowView) -> String {
        let Ok(start) = window.start.parse::<jiff::Timestamp>() else { return escaped(&window.start) };
        let zone = jiff::tz::TimeZone::get(&self.timezone).unwrap_or(jiff::tz::TimeZone::UTC);
        let from = start.to_zoned_datetime(zone);
        let to =
            from.checked_add(jiff::SignedDuration::from_secs(window.dur_s as i64)).unwrap_or_else(|_| from.clone());
        let seen_s = window.cov_ms as f64 / 1000.0;
        format!(
            "{} to {}, seen {seen_s:.0} s of {} min",
            from.strftime("%Y-%m-%d %H:%M"),
            to.strftime("%H:%M"),
            window.dur_s / 60
        )
    }

    fn name_of(&self, window: &WindowView) -> String {
        escaped(self.names.get(&format!("{}/{}", window.kind, window.id)).unwrap_or(&window.id))
    }
}

/// What the page says at its top where the cage of the eye need not hold.
const UNSANDBOXED: &str = "<p class=\"alarm\" role=\"alert\">Dangerous: this box may watch without a proved cage round the process that sees \
    pictures (dangerous_allow_unsandboxed). Every message says so.</p>";
/// What the page says where messages cross a network in the clear.
const PLAINTEXT: &str = "<p class=\"alarm\" role=\"alert\">Dangerous: what this box publishes can be read and changed on its way to the \
    broker (broker.dangerous_plaintext).</p>";
/// htmx 2.0.4, unchanged; see vendor/htmx/SOURCE.txt.
const HTMX: &str = include_str!("../../vendor/htmx/htmx.min.js");

const SECURITY_HEADERS: [(header::HeaderName, &str); 4] = [
    (
        header::CONTENT_SECURITY_POLICY,
        "default-src 'none'; img-src 'self'; style-src 'self'; script-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    ),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::REFERRER_POLICY, "no-referrer"),
    (header::CACHE_CONTROL, "no-store"),
];
