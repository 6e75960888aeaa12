//! Every way into the page, as one table: how it is asked, what it asks of who comes, who answers.
//!
//! In: nothing. Out: the router, what each path needs, and the table itself for whoever wants to try all of it. Invariant: no
//! path is answered that is not in the table with its need; what matches no path needs a login.

use std::collections::BTreeMap;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::Method;
use axum::middleware::from_fn_with_state;
use axum::routing::{MethodRouter, get, post};

use super::porter::{Hall, guard};
use super::{asset, chain, figures, login, map, now, numbers, openly, shell, switching};
use crate::switch::Act;

/// What a path asks of who comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Need {
    /// Nothing: it is said openly, and nobody can change it.
    Reading,
    /// Nothing.
    Open,
    /// To have come in.
    Login,
    /// A right.
    Right(Act),
}

/// One way in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Route {
    /// How it is asked.
    pub method: Method,
    /// The path; what stands in braces is any text.
    pub path: &'static str,
    /// What it asks of who comes.
    pub need: Need,
    /// Whether it is there on loopback too, where nobody logs in.
    pub is_everywhere: bool,
}

/// The whole table, as it is served.
#[must_use]
pub fn routes() -> Vec<Route> {
    everywhere().into_iter().chain(behind_a_login()).map(|(route, _)| route).collect()
}

/// What each path needs.
pub(super) fn needs() -> BTreeMap<&'static str, Need> {
    routes().into_iter().map(|route| (route.path, route.need)).collect()
}

/// What is where; who may see and do it is the porter's affair.
pub(super) fn router(hall: Hall) -> Router {
    let all = everywhere().into_iter().chain(behind_a_login());
    let open = all.filter(|(route, _)| route.is_everywhere || hall.porter.is_network);
    let router = open.fold(Router::new(), |router, (route, answer)| router.route(route.path, answer));
    router
        .fallback(openly::nowhere)
        .method_not_allowed_fallback(openly::not_this_way)
        .layer(DefaultBodyLimit::max(BODY_BYTES_MAX))
        .layer(from_fn_with_state(hall.clone(), guard))
        .with_state(hall)
}

type Way = (Route, MethodRouter<Hall>);

fn everywhere() -> Vec<Way> {
    let see = Need::Right(Act::SeeFigures);
    let health = Need::Right(Act::SeeHealth);
    let all = [
        (Method::GET, "/", see, get(shell)),
        (Method::GET, "/panel", see, get(figures)),
        (Method::GET, "/map/{what}/{floor}", see, get(map)),
        (Method::GET, "/now", health, get(now)),
        (Method::GET, "/banner", health, get(switching::banner_now)),
        (Method::GET, "/metrics", health, get(numbers)),
        (Method::POST, "/pause", Need::Right(Act::Pause), post(switching::pause)),
        (Method::GET, "/notice", Need::Reading, get(openly::notice)),
        (Method::GET, "/selftest", Need::Reading, get(openly::self_test)),
        (Method::GET, "/selftest.json", Need::Reading, get(openly::signed_self_test)),
        (Method::GET, "/page.css", Need::Open, get(|| async { asset("text/css; charset=utf-8", STYLE) })),
        (Method::GET, "/icon.svg", Need::Open, get(|| async { asset("image/svg+xml", ICON) })),
        (Method::GET, "/htmx.min.js", Need::Open, get(|| async { asset("text/javascript; charset=utf-8", HTMX) })),
    ];
    all.map(|(method, path, need, answer)| (Route { method, path, need, is_everywhere: true }, answer)).into()
}

fn behind_a_login() -> Vec<Way> {
    let all = [
        (Method::GET, "/login", Need::Open, get(login::show)),
        (Method::POST, "/login", Need::Open, post(login::enter)),
        (Method::POST, "/logout", Need::Login, post(login::leave)),
        (Method::GET, "/switch", Need::Login, get(switching::show)),
        (Method::POST, "/lock", Need::Right(Act::Lock), post(switching::lock)),
        (Method::POST, "/purge", Need::Right(Act::Purge), post(switching::purge)),
        (Method::GET, "/audit", Need::Right(Act::SeeAudit), get(chain::search)),
        (Method::GET, "/reports", Need::Right(Act::SeeReports), get(chain::reports)),
    ];
    all.map(|(method, path, need, answer)| (Route { method, path, need, is_everywhere: false }, answer)).into()
}

const STYLE: &str = include_str!("../page/page.css");
/// Two people on a floor, from above.
const ICON: &str = include_str!("../page/icon.svg");
/// htmx 2.0.4, unchanged; see vendor/htmx/SOURCE.txt.
const HTMX: &str = include_str!("../../../vendor/htmx/htmx.min.js");
/// Longest form, bytes.
const BODY_BYTES_MAX: usize = 16 << 10;
