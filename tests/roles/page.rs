//! Who sees and does what at the page: each role at each path, and what becomes of their sessions.

use kehai::switch::{From, Mode, Role, Turn};
use kehai::vault::Password;

use super::staff::{lines, password};
use super::visitor::{Served, Visitor};

#[test]
fn a_stranger_reads_what_is_said_openly_and_changes_none_of_it() {
    let served = Served::to_network();
    let (state, mut stranger) = (served.state(), served.visitor());
    for (path, words) in
        [("/notice", "Policy"), ("/selftest", "proofs"), ("/selftest.json", "proofs"), ("/login", "Log in")]
    {
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
fn an_owner_purges_with_a_code_that_was_never_used() {
    let served = Served::to_network();
    let mut owner = served.logged_in(Role::Owner);
    let token = owner.token();
    let with = |code: &str| format!("token={token}&code={code}&from=2020-01-01&to=2100-01-01");
    let state = served.state();
    let used = served.staff.codes.code_of(served.step);
    for code in ["", "12345x", &used] {
        assert_eq!(owner.post("/purge", &with(code)).status, 403, "{code}: the login has used it, or it is none");
        assert_eq!(served.state(), state);
    }
    let done = owner.post("/purge", &with(&served.staff.codes.code_of(served.step + 1)));
    assert_eq!(done.status, 200, "{done:?}");
    assert_eq!((served.state().0, served.state().1), (Mode::Armed, 0));
    let line = lines(&served.vault, "purge", "done").pop().expect("it is remembered");
    assert_eq!(line.who, "owner");
    assert_eq!(lines(&served.vault, "purge", "refused").len(), 3);
}

#[test]
fn an_owner_without_codes_deletes_nothing_at_the_page() {
    let served = Served::to_network();
    let word = Password::of("other-owner", "four words nobody knows").expect("good");
    let new = kehai::vault::NewPerson { name: "other-owner", role: Role::Owner, password: &word, totp: None };
    served.vault.add_person(&new, "owner").expect("an owner adds an owner");
    let mut other = served.visitor();
    assert_eq!(other.try_in("other-owner", "four words nobody knows", "").status, 303);
    let (token, state) = (other.token(), served.state());
    let answer = other.post("/purge", &format!("token={token}&code=123456&from=2020-01-01&to=2100-01-01"));
    assert!(answer.status == 403 && answer.body.contains("codes"), "{answer:?}");
    assert_eq!(served.state(), state);
}

#[test]
fn what_was_stopped_is_not_started_by_any_page_for_nobody_knows_how_far_away_it_is() {
    let served = Served::to_network();
    let mut owner = served.logged_in(Role::Owner);
    for (stop, mode, command) in [
        (Turn::Pause(From::Here), Mode::PausedHere, "kehai resume"),
        (Turn::Lock, Mode::Locked, "kehai unlock, kehai resume"),
    ] {
        served.vault.turn(&stop, "test", None).expect("everybody may");
        let (page, token) = (owner.get("/switch"), owner.token());
        assert!(page.body.contains(command), "{page:?}");
        let code = served.staff.codes.code_of(served.step + 1);
        for path in ["/resume", "/unlock", "/arm"] {
            assert!(!page.body.contains(&format!("action=\"{path}")), "{page:?}");
            assert_eq!(owner.post(path, &format!("token={token}&code={code}")).status, 404, "{path}");
        }
        assert_eq!(served.mode(), mode);
    }
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
    assert!(answer.status == 200 && answer.body.contains(">viewer</td>"), "{answer:?}");
    assert!(!auditor.get("/audit?who=nobody").body.contains("<td"), "what is not sought is not shown");
    assert!(auditor.get("/reports").body.contains("href=\"/selftest\""));
    assert_eq!(lines(&served.vault, "audit-search", "done").len(), 2, "who looks stands in it");
    assert_eq!(auditor.get("/panel").status, 403);
}
