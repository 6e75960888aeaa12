//! Roles and acts, every cell of the one table, over every way into the page, as the router itself lists them (the command line:
//! commands.rs). Only the allowed cells succeed, each refusal is a line of the chain, and whoever asks sees nothing that is hidden.

use std::net::Ipv4Addr;

use kehai::publish::web::{Need, Route, routes};
use kehai::switch::{Act, From, Mode, Person, Role, Turn, may};
use kehai::vault::Vault;

use super::staff::lines;
use super::visitor::{Answer, Served, Visitor};

/// Somebody who comes to the page: of a role, or a stranger.
type Who = Option<Role>;

fn is_allowed(who: Who, need: Need) -> bool {
    match need {
        Need::Reading | Need::Open => true,
        Need::Login => who.is_some(),
        // At a network a stranger stops nothing: whoever stands at the box does.
        Need::Right(act) => who.is_some() && may(who, act),
    }
}

/// What needs a code that was not used before has a test of its own (page.rs); here every code is wrong.
fn needs_a_code(act: Act) -> bool {
    act == Act::Purge
}

/// Asks as a page of ours does; `{what}` and the like are filled with what there might be.
fn ask(visitor: &mut Visitor<'_>, route: &Route, token: &str) -> Answer {
    let path = route.path.replace("{what}", "heat").replace("{floor}", "hall.png");
    assert!(!path.contains('{'), "{path}: say what to try in the braces");
    match route.method.as_str() {
        "GET" => visitor.get(&path),
        "POST" => visitor.post(&path, &format!("token={token}&code=000000&from=2020-01-01&to=2100-01-01")),
        other => panic!("{other} {path}: say how to try it"),
    }
}

/// No answer holds a picture of anybody, a secret, a path of this machine or a figure that was withheld.
fn must_hide_what_is_hidden(served: &Served, route: &Route, answer: &Answer) {
    let (kind, path) = (answer.header("content-type"), route.path);
    let known = ["text/html", "text/plain", "text/css", "text/javascript", "application/json", "image/svg+xml"];
    let is_map = path.starts_with("/map/") && kind == "image/png";
    assert!(kind.is_empty() || is_map || known.iter().any(|known| kind.starts_with(known)), "{path} is {kind}");
    let secret = served.staff.codes.to_text();
    for hidden in ["argon2", secret.as_str(), &served.folder.path(""), "/etc/", "/home/", "<video", "data:image"] {
        assert!(!answer.body.contains(hidden), "{path} tells {hidden}");
    }
    assert!(route.path != "/metrics" || !answer.body.to_lowercase().contains("cellar"), "{answer:?}");
    let Some(row) = answer.body.split("scope=\"row\">Cellar").nth(1).and_then(|rest| rest.split("</tr>").next()) else {
        return;
    };
    let figures: Vec<&str> = row.split("<td>").skip(1).collect();
    let windows = figures.len() - 1;
    assert!(figures[..windows].iter().all(|cell| !cell.contains(|letter: char| letter.is_ascii_digit())), "{row}");
    assert!(row.contains("withheld"), "{row}");
}

/// Puts the switch back, as an owner at the box would.
fn armed_again(vault: &Vault) {
    let by = || Some(Person::new("owner", Role::Owner));
    let mode = || vault.switch().expect("it can be read").mode();
    if mode() == Mode::Locked {
        vault.turn(&Turn::Unlock { by: by(), from: From::Here }, "owner", None).expect("an owner may");
    }
    if matches!(mode(), Mode::PausedHere | Mode::PausedRemotely) {
        vault.turn(&Turn::Resume { by: by(), from: From::Here }, "owner", None).expect("an owner may");
    }
}

/// Tries one way in as somebody, and holds what comes of it against the table.
fn try_cell(served: &Served, visitor: &mut Visitor<'_>, (who, token): (Who, &str), route: &Route) {
    let act = if let Need::Right(act) = route.need { Some(act) } else { None };
    let told_as = act.map_or("page", Act::name);
    let (state, before) = (served.state(), lines(&served.vault, told_as, "refused").len());
    let answer = ask(visitor, route, token);
    must_hide_what_is_hidden(served, route, &answer);
    let name = who.map_or("stranger", Role::name);
    let cell = format!("{name} at {} {}: {answer:?}", route.method, route.path);
    let refusals = lines(&served.vault, told_as, "refused");
    if is_allowed(who, route.need) && !act.is_some_and(needs_a_code) {
        // There is no map of this hall: that is no matter of rights.
        assert!(
            matches!(answer.status, 200 | 303) || (answer.status == 404 && route.path.starts_with("/map/")),
            "{cell}"
        );
        assert_eq!(answer.header("location") == "/login", route.path == "/logout", "{cell}");
        assert_eq!(refusals.len(), before, "{cell}");
        armed_again(&served.vault);
        return;
    }
    assert_eq!(served.state(), state, "{cell}");
    match (who, route.method.as_str()) {
        // Who only looks and has not come in is shown the way in.
        (None, "GET") => assert!(answer.status == 401 || answer.header("location") == "/login", "{cell}"),
        _ => {
            assert_eq!(answer.status, if who.is_some() { 403 } else { 401 }, "{cell}");
            assert_eq!(
                (refusals.len(), refusals.last().map(|line| line.who.as_str())),
                (before + 1, Some(name)),
                "{cell}"
            );
        }
    }
}

#[test]
fn at_every_way_into_the_page_only_the_allowed_cells_succeed_and_each_refusal_is_remembered() {
    let served = Served::to_network();
    let everybody = Role::ALL.into_iter().map(Some).chain([None]);
    for (number, who) in everybody.enumerate() {
        // Refusals of one address come at a human pace only.
        let mut visitor = served.visitor_from(Ipv4Addr::new(127, 0, 4, 1 + number as u8));
        if let Some(role) = who {
            assert_eq!(visitor.log_in(role, served.step).status, 303);
        }
        let token = who.map(|_| visitor.token()).unwrap_or_default();
        let is_way_in = |route: &Route| route.path == "/login" && route.method == "POST";
        let is_way_out = |route: &Route| route.path == "/logout";
        for route in routes().iter().filter(|route| !is_way_in(route) && !is_way_out(route)) {
            try_cell(&served, &mut visitor, (who, &token), route);
        }
        // Whoever leaves has left.
        routes().iter().filter(|route| is_way_out(route)).for_each(|route| {
            try_cell(&served, &mut visitor, (who, &token), route);
        });
        assert_eq!(visitor.get("/panel").status, 401);
    }
    let of_table: Vec<Act> =
        Act::ALL.into_iter().filter(|act| routes().iter().any(|way| way.need == Need::Right(*act))).collect();
    assert_eq!(of_table.len(), 7, "what the page knows of the table: {of_table:?}");
}

#[test]
fn on_loopback_every_way_in_that_is_there_is_open_and_none_starts_anything() {
    let served = Served::to_loopback();
    for route in routes() {
        let mut visitor = served.visitor();
        let token = visitor.get("/").token();
        let answer = ask(&mut visitor, &route, &token);
        must_hide_what_is_hidden(&served, &route, &answer);
        let is_there = answer.status == 200 || answer.status == 303;
        let is_no_map = route.path.starts_with("/map/") && answer.status == 404;
        assert_eq!(is_there || is_no_map, route.is_everywhere, "{route:?}: {answer:?}");
        assert!(!matches!(route.need, Need::Right(act) if needs_a_code(act)) || !is_there, "{route:?}");
        armed_again(&served.vault);
    }
}
