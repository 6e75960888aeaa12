//! Who sees and does what at the page: each role at each path, and what becomes of their sessions.

use kehai::switch::{Act, Mode, Person, Role, Turn, may};
use kehai::vault::Password;

use super::staff::{lines, password};
use super::visitor::{Served, Visitor};

/// Every path that asks for a right, how it is asked, and what for.
pub const PATHS: [(&str, &str, Act); 13] = [
    ("GET", "/", Act::SeeFigures),
    ("GET", "/panel", Act::SeeFigures),
    ("GET", "/map/heat/hall.png", Act::SeeFigures),
    ("GET", "/now", Act::SeeHealth),
    ("GET", "/banner", Act::SeeHealth),
    ("GET", "/metrics", Act::SeeHealth),
    ("GET", "/audit", Act::SeeAudit),
    ("GET", "/reports", Act::SeeReports),
    ("POST", "/pause", Act::Pause),
    ("POST", "/lock", Act::Lock),
    ("POST", "/resume", Act::Resume),
    ("POST", "/unlock", Act::Unlock),
    ("POST", "/purge", Act::Purge),
];

fn is_start(act: Act) -> bool {
    matches!(act, Act::Resume | Act::Unlock | Act::Purge)
}

/// Puts the switch back, as an owner at the box would.
fn armed_again(served: &Served) {
    let by = || Some(Person::new("owner", Role::Owner));
    let from = kehai::switch::From::Here;
    if served.mode() == Mode::Locked {
        served.vault.turn(&Turn::Unlock { by: by(), from }, "owner", None).expect("an owner may");
    }
    if served.mode() != Mode::Armed {
        served.vault.turn(&Turn::Resume { by: by(), from }, "owner", None).expect("an owner may");
    }
}

#[test]
fn every_role_sees_and_does_what_it_may_and_each_refusal_is_remembered() {
    let served = Served::to_network();
    for role in Role::ALL {
        let mut visitor = served.logged_in(role);
        for (method, path, act) in PATHS {
            // What needs a code has a test of its own.
            if role == Role::Owner && is_start(act) {
                continue;
            }
            let before = lines(&served.vault, act.name(), "refused").len();
            let state = served.state();
            let answer = if method == "GET" {
                visitor.get(path)
            } else {
                let token = visitor.token();
                visitor.post(path, &format!("token={token}&code=000000&from=2020-01-01&to=2100-01-01"))
            };
            let refusals = lines(&served.vault, act.name(), "refused");
            if may(Some(role), act) {
                // There is no map of this hall: that is no matter of rights.
                let expected = [200, 303, 404];
                assert!(expected.contains(&answer.status), "{} {path}: {answer:?}", role.name());
                assert_eq!(refusals.len(), before, "{} {path}", role.name());
                armed_again(&served);
            } else {
                assert_eq!(answer.status, 403, "{} {path}: {answer:?}", role.name());
                assert_eq!((refusals.len(), refusals[before].who.as_str()), (before + 1, role.name()), "{path}");
                assert_eq!(served.state(), state, "{} {path}", role.name());
            }
        }
    }
}

#[test]
fn a_stranger_reads_what_is_said_openly_and_nothing_else() {
    let served = Served::to_network();
    let (state, mut stranger) = (served.state(), served.visitor());
    for (method, path, act) in PATHS {
        let answer = if method == "GET" { stranger.get(path) } else { stranger.post(path, "token=") };
        let is_shut = answer.status == 401 || (answer.status == 303 && answer.header("location") == "/login");
        assert!(is_shut, "{path}: {answer:?}");
        if method == "POST" {
            let refused = lines(&served.vault, act.name(), "refused");
            assert_eq!(refused.last().map(|line| line.who.as_str()), Some("stranger"), "{path}");
        }
    }
    for (path, words) in [("/notice", "Policy"), ("/selftest", "proofs"), ("/login", "Log in")] {
        let answer = stranger.get(path);
        assert!(answer.status == 200 && answer.body.contains(words), "{path}: {answer:?}");
    }
    for path in ["/notice", "/selftest"] {
        for method in ["POST", "PUT", "DELETE", "PATCH"] {
            assert_eq!(stranger.ask(method, path, &[], "x").status, 405, "{method} {path}");
        }
        assert_eq!(stranger.ask("HEAD", path, &[], "").status, 200);
    }
    assert_eq!(stranger.get("/nothing/like/this").status, 401);
    assert_eq!(served.state(), state);
}

#[test]
fn an_owner_goes_on_unlocks_and_purges_with_a_code_that_was_never_used() {
    for (path, before, after) in [
        ("/resume", Some(Turn::Pause(kehai::switch::From::Here)), (Mode::Armed, 6)),
        ("/unlock", Some(Turn::Lock), (Mode::PausedHere, 6)),
        ("/purge", None, (Mode::Armed, 0)),
    ] {
        let served = Served::to_network();
        if let Some(turn) = before {
            served.vault.turn(&turn, "test", None).expect("everybody may");
        }
        let mut owner = served.logged_in(Role::Owner);
        let token = owner.token();
        let with = |code: &str| format!("token={token}&code={code}&from=2020-01-01&to=2100-01-01");
        let state = served.state();
        let used = served.staff.codes.code_of(served.step);
        for code in ["", "12345x", &used] {
            assert_eq!(
                owner.post(path, &with(code)).status,
                403,
                "{path} {code}: the login has used it, or it is none"
            );
            assert_eq!(served.state(), state);
        }
        let done = owner.post(path, &with(&served.staff.codes.code_of(served.step + 1)));
        assert!(matches!(done.status, 200 | 303), "{path}: {done:?}");
        assert_eq!((served.state().0, served.state().1), after, "{path}");
        let line = lines(&served.vault, &path[1..], "done").pop().expect("it is remembered");
        assert_eq!(line.who, "owner");
        assert_eq!(lines(&served.vault, &path[1..], "refused").len(), 3);
    }
}

#[test]
fn an_owner_without_codes_starts_nothing_at_the_page() {
    let served = Served::to_network();
    let word = Password::of("other-owner", "four words nobody knows").expect("good");
    let new = kehai::vault::NewPerson { name: "other-owner", role: Role::Owner, password: &word, totp: None };
    served.vault.add_person(&new, "owner").expect("an owner adds an owner");
    let mut other = served.visitor();
    assert_eq!(other.try_in("other-owner", "four words nobody knows", "").status, 303);
    served.vault.turn(&Turn::Pause(kehai::switch::From::Here), "test", None).expect("everybody may");
    let token = other.token();
    let answer = other.post("/resume", &format!("token={token}&code=123456"));
    assert!(answer.status == 403 && answer.body.contains("codes"), "{answer:?}");
    assert_eq!(served.mode(), Mode::PausedHere);
}

#[test]
fn a_code_is_asked_of_whoever_has_codes_and_no_answer_tells_which_part_was_wrong() {
    let served = Served::to_network();
    let right = served.staff.codes.code_of(served.step);
    let told: Vec<String> = [
        ("owner", password(Role::Owner), ""),
        ("owner", password(Role::Owner), "000000"),
        ("owner", "not the password at all", right.as_str()),
        ("nobody", "not the password at all", ""),
        ("viewer", password(Role::Viewer), "000000"),
    ]
    .into_iter()
    .map(|(name, word, code)| {
        let answer = served.visitor().try_in(name, word, code);
        assert_eq!(answer.status, 401, "{name}");
        // Each form has a word of its own.
        answer.body.replace(&answer.token(), "")
    })
    .collect();
    assert!(told.windows(2).all(|pair| pair[0] == pair[1]), "{told:#?}");
    assert_eq!(served.visitor().log_in(Role::Owner, served.step).status, 303, "a code is used up by a success alone");
    let again = served.visitor().log_in(Role::Owner, served.step);
    assert_eq!(again.status, 401, "it is good once");
}

#[test]
fn a_session_is_new_hidden_from_scripts_and_gone_when_its_person_is() {
    let served = Served::to_network();
    let mut viewer = served.visitor();
    viewer.cookies.insert("__Host-kehai".into(), "chosen-by-somebody-else".into());
    let answer = viewer.log_in(Role::Viewer, 0);
    let set = answer.headers.iter().find(|(name, value)| name == "set-cookie" && value.starts_with("__Host-kehai="));
    let (_, set) = set.expect("a session");
    let attributes: Vec<&str> = set.split("; ").skip(1).collect();
    assert_eq!(attributes, ["Path=/", "Secure", "HttpOnly", "SameSite=Strict"]);
    let value = viewer.cookies["__Host-kehai"].clone();
    assert!(value.len() == 64 && value != "chosen-by-somebody-else");
    assert_eq!(viewer.get("/panel").status, 200);
    let mut thief = served.visitor();
    thief.cookies.insert("__Host-kehai".into(), "chosen-by-somebody-else".into());
    assert_eq!(thief.get("/panel").status, 401);

    let leaving = |visitor: &mut Visitor<'_>| {
        let token = visitor.token();
        visitor.post("/logout", &format!("token={token}"))
    };
    let mut second = served.logged_in(Role::Viewer);
    let old = second.cookies.clone();
    assert_eq!(leaving(&mut second).status, 303);
    second.cookies = old;
    assert_eq!(second.get("/panel").status, 401, "what was logged out is no session any more");
    assert_eq!(viewer.get("/panel").status, 200, "and the other one is");

    let word = Password::of("viewer", "another four quiet words").expect("good");
    served.vault.change_password("viewer", &word, "owner").expect("an owner may");
    assert_eq!(viewer.get("/panel").status, 401, "another password ends what the old one began");
    assert_eq!(viewer.try_in("viewer", "another four quiet words", "").status, 303);
    served.vault.revoke_person("viewer", "owner").expect("an owner may");
    assert_eq!(viewer.get("/panel").status, 401, "at once");
    assert_eq!(viewer.try_in("viewer", "another four quiet words", "").status, 401);
}

#[test]
fn auditors_find_a_refusal_and_see_no_figure() {
    let served = Served::to_network();
    let mut viewer = served.logged_in(Role::Viewer);
    assert_eq!(viewer.get("/audit").status, 403);
    let mut auditor = served.logged_in(Role::Auditor);
    let answer = auditor.get("/audit?what=see-audit&outcome=refused&who=viewer");
    assert!(answer.status == 200 && answer.body.contains("<td>viewer</td>"), "{answer:?}");
    assert!(!auditor.get("/audit?who=nobody").body.contains("<td>"), "what is not sought is not shown");
    assert!(auditor.get("/reports").body.contains("{&quot;proofs&quot;:[]}"));
    assert_eq!(lines(&served.vault, "audit-search", "done").len(), 2, "who looks stands in it");
    assert_eq!(auditor.get("/panel").status, 403);
}
