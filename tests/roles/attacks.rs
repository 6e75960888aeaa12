//! What strangers and foreign pages try, as OWASP lists it: refused, the page answers on, and nothing has changed but the chain.

use std::io::{Read, Write};
use std::net::Ipv4Addr;
use std::time::{Duration, Instant};

use kehai::clock::utc_now;
use kehai::switch::{Mode, Role};
use kehai::vault::{Claim, Door, ProofError, step_at};
use proptest::prelude::*;
use proptest::test_runner::TestRunner;

use super::staff::{lines, password};
use super::visitor::{Answer, Served, connect};

/// The page answers at once, and the store is as it was.
fn must_be_unharmed(served: &Served, state: (Mode, u64, usize)) {
    let begun = Instant::now();
    assert_eq!(served.visitor().get("/notice").status, 200);
    assert!(begun.elapsed() < Duration::from_secs(2), "it took {:?}", begun.elapsed());
    assert_eq!(served.state(), state);
}

#[test]
fn a_foreign_page_cannot_act_for_whoever_is_logged_in() {
    let served = Served::to_network();
    let state = served.state();
    let mut owner = served.logged_in(Role::Owner);
    let (token, own) = (owner.token(), format!("https://localhost:{}", served.port));
    let form = format!("token={token}");
    let of_another = format!("token={}", served.logged_in(Role::Viewer).token());
    let foreign = [
        ("no origin", vec![], form.as_str()),
        ("another origin", vec![("Origin", "https://evil.example")], &form),
        ("an origin of null", vec![("Origin", "null")], &form),
        ("from another site", vec![("Origin", &own), ("Sec-Fetch-Site", "cross-site")], &form),
        ("no token", vec![("Origin", &own)], ""),
        ("a token of another session", vec![("Origin", &own)], &of_another),
        ("a wrong token", vec![("Origin", &own)], "token=0000"),
        ("a token in the address", vec![("Origin", &own)], "other=1"),
    ];
    for (what, headers, body) in foreign {
        for path in ["/pause", "/lock", "/logout", "/purge"] {
            let target = if what.contains("address") { format!("{path}?token={token}") } else { path.to_owned() };
            let answer = owner.ask("POST", &target, &headers, body);
            assert!(matches!(answer.status, 403 | 429), "{what} at {path}: {answer:?}");
        }
    }
    for path in ["/pause", "/lock", "/logout", "/purge"] {
        assert_eq!(owner.get(&format!("{path}?token={token}")).status, 405, "{path} is no link");
    }
    assert_eq!(owner.get("/panel").status, 200, "they are logged in still");
    must_be_unharmed(&served, state);
    assert!(lines(&served.vault, "pause", "refused").iter().any(|line| line.about["why"].to_string().contains("page")));
    assert_eq!(owner.post("/pause", &form).status, 303, "and their own form works");
    assert_eq!(served.mode(), Mode::PausedHere);
}

#[test]
fn nobody_is_logged_in_by_a_foreign_form() {
    let served = Served::to_network();
    let (mut one, mut other) = (served.visitor(), served.visitor());
    let stolen = one.get("/login").token();
    other.get("/login");
    let form = |token: &str| format!("token={token}&name=viewer&password={}", password(Role::Viewer).replace(' ', "+"));
    assert_eq!(other.post("/login", &form(&stolen)).status, 403, "a word belongs to one visit");
    assert_eq!(other.post("/login", &form("")).status, 403);
    let foreign = one.ask("POST", "/login", &[("Origin", "https://evil.example")], &form(&stolen));
    assert_eq!(foreign.status, 403);
    assert_eq!(one.post("/login", &form(&stolen)).status, 303);
}

#[test]
fn no_text_of_anybody_becomes_a_part_of_the_page() {
    let served = Served::to_network();
    let script = "%3Cscript%3Ealert(1)%3C%2Fscript%3E%22%27";
    let mut auditor = served.logged_in(Role::Auditor);
    let mut viewer = served.logged_in(Role::Viewer);
    let answers = [
        served.visitor().try_in(script, script, script),
        auditor.get(&format!("/audit?what={script}&who={script}&text={script}&before={script}&lang={script}")),
        auditor.get("/audit?outcome=refused"),
        auditor.get(&format!("/reports?lang={script}")),
        viewer.get(&format!("/?p={script}&hours={script}")),
        viewer.get(&format!("/panel?from={script}")),
        viewer.get(&format!("/map/{script}/{script}")),
        viewer.get(&format!("/{script}")),
        viewer.post(&format!("/{script}"), script),
        served.visitor().try_in(script, script, script),
        served.visitor().get("/login"),
    ];
    for answer in answers {
        assert!(answer.status < 500, "{answer:?}");
        assert!(!answer.body.contains("<script>") && !answer.body.contains("<b>"), "{answer:?}");
        let policy = answer.header("content-security-policy");
        assert!(policy.contains("default-src 'none'") && !policy.contains("unsafe"), "{policy}");
    }
    assert!(served.visitor().get("/login").body.contains("Shop &lt;b&gt; &amp; sons"));
}

#[test]
fn every_answer_keeps_a_browser_to_itself() {
    let served = Served::to_network();
    let mut viewer = served.logged_in(Role::Viewer);
    for path in ["/", "/login", "/audit", "/nothing", "/page.css", "/notice"] {
        let answer = viewer.get(path);
        for (name, value) in [
            ("x-content-type-options", "nosniff"),
            ("x-frame-options", "DENY"),
            ("referrer-policy", "same-origin"),
            ("cache-control", "no-store"),
            ("strict-transport-security", "max-age=31536000"),
            ("cross-origin-opener-policy", "same-origin"),
            ("cross-origin-resource-policy", "same-origin"),
        ] {
            assert_eq!(answer.header(name), value, "{name} of {path}");
        }
        assert!(answer.header("content-security-policy").contains("frame-ancestors 'none'"), "{path}");
        assert!(answer.header("permissions-policy").contains("camera=()"), "{path}");
        assert!(!answer.body.contains("http://") && !answer.body.contains("https://"), "no request to anybody else");
    }
}

#[test]
fn no_path_leads_out_of_the_page() {
    let served = Served::to_network();
    let state = served.state();
    let mut viewer = served.logged_in(Role::Viewer);
    let long = format!("/map/heat/{}", "a".repeat(8000));
    for path in [
        "/map/..%2f..%2f..%2fetc/passwd",
        "/map/heat/..%2f..%2f..%2fetc%2fpasswd",
        "/map/heat/../../etc/passwd",
        "/..%2f..%2fetc%2fpasswd",
        "/map/heat/hall%00.png",
        "/map/%ff%fe/%ff",
        "/page.css/../../Cargo.toml",
        "/selftest/../secret",
        "/%61udit",
        &long,
    ] {
        let answer = viewer.get(path);
        assert!(matches!(answer.status, 400 | 404), "{path}: {answer:?}");
        assert!(!answer.body.contains("root:"));
    }
    must_be_unharmed(&served, state);
}

#[test]
fn what_is_too_large_is_refused_and_what_is_too_slow_holds_nobody_up() {
    let served = Served::to_network();
    let state = served.state();
    let mut viewer = served.logged_in(Role::Viewer);
    let token = viewer.token();
    let large = format!("token={token}&more={}", "x".repeat(20 << 10));
    for path in ["/pause", "/lock"] {
        assert_eq!(viewer.post(path, &large).status, 413);
    }
    let head = "GET /notice HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n";
    let many = format!("{head}{}\r\n", "x-more: 1\r\n".repeat(200));
    let long = format!("{head}x-more: {}\r\n\r\n", "x".repeat(64 << 10));
    for request in [many, long] {
        let answer = Answer::read(&served.raw(Ipv4Addr::LOCALHOST, request.as_bytes()));
        assert!(matches!(answer.status, 0 | 431), "{answer:?}");
    }
    // Half a handshake, and nothing more, from two addresses.
    let slow: Vec<_> = (0..40).map(|number| connect(Ipv4Addr::new(127, 0, 1, 1 + number % 2), served.port)).collect();
    slow.iter().for_each(|mut stream| stream.write_all(&[0x16, 3, 1]).expect("it listens"));
    must_be_unharmed(&served, state);
}

#[test]
fn who_opens_too_many_connections_is_turned_away_and_others_are_not() {
    let served = Served::to_loopback();
    let greedy: Vec<_> = (0..40).map(|_| connect(Ipv4Addr::new(127, 0, 1, 1), served.port)).collect();
    let mut turned_away = 0;
    for mut stream in &greedy {
        stream.write_all(b"GET /notice HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").ok();
        let mut first = [0; 1];
        turned_away += usize::from(!stream.read(&mut first).is_ok_and(|bytes| bytes == 1));
    }
    assert_eq!(turned_away, 40 - 32, "as many of one address as there is room for");
    assert_eq!(served.visitor().get("/notice").status, 200);
}

#[test]
fn nothing_is_said_in_the_clear_or_in_old_tls() {
    let served = Served::to_network();
    let plain = |bytes: &[u8]| {
        let mut stream = connect(Ipv4Addr::LOCALHOST, served.port);
        stream.write_all(bytes).expect("it listens");
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer);
        answer
    };
    let answer = plain(b"GET /notice HTTP/1.1\r\nHost: localhost\r\n\r\n");
    assert!(!answer.starts_with(b"HTTP"), "{}", String::from_utf8_lossy(&answer));
    for minor in [1, 2] {
        let answer = plain(&hello(minor));
        // An alert, fatal: protocol version.
        assert_eq!(
            (answer.first(), answer.get(5..7)),
            (Some(&21), Some(&[2, 70][..])),
            "TLS 1.{}: {answer:?}",
            minor - 1
        );
    }
}

/// A greeting of TLS 1.0 (1), 1.1 (2) or 1.2 (3) that differs in nothing else.
fn hello(minor: u8) -> Vec<u8> {
    let mut body = vec![3, minor];
    body.extend([7; 32]);
    // No session; ECDHE with ECDSA and AES-GCM; no compression.
    body.extend([0, 0, 2, 0xc0, 0x2b, 1, 0]);
    let more = [0, 10, 0, 4, 0, 2, 0, 23, 0, 11, 0, 2, 1, 0, 0, 13, 0, 4, 0, 2, 4, 3, 0, 23, 0, 0];
    body.extend([0, more.len() as u8]);
    body.extend(more);
    let mut shaken = vec![1, 0, 0, body.len() as u8];
    shaken.extend(body);
    let mut record = vec![0x16, 3, 1, 0, shaken.len() as u8];
    record.extend(shaken);
    record
}

/// Wrong passwords of the owner from several addresses: the page answers, the owner comes in, nothing has changed.
pub fn hammered(served: &Served, tries: u32) -> Hammered {
    let home = Ipv4Addr::new(127, 0, 2, 1);
    let step_now = || step_at(utc_now().0.div_euclid(1000));
    let first = step_now();
    assert_eq!(served.visitor_from(home).log_in(Role::Owner, first).status, 303);
    let harmless = |served: &Served| (served.mode(), served.state().2);
    let before = harmless(served);
    let (begun, mut looked_at, mut slowest) = (Instant::now(), 0, Duration::ZERO);
    std::thread::scope(|scope| {
        let attackers: Vec<_> = (1..=ATTACKERS)
            .map(|number| {
                scope.spawn(move || {
                    let mut attacker = served.visitor_from(Ipv4Addr::new(127, 0, 3, number));
                    let mut token = attacker.get("/login").token();
                    let tried = (0..tries / u32::from(ATTACKERS)).map(|guess| {
                        let form = format!("token={token}&name=owner&password=guess+number+{guess}");
                        let answer = attacker.post("/login", &form);
                        assert!(matches!(answer.status, 401 | 429), "{answer:?}");
                        assert!(answer.status != 429 || !answer.header("retry-after").is_empty());
                        if answer.status == 401 {
                            token = answer.token();
                        }
                        u32::from(answer.status == 401)
                    });
                    tried.sum::<u32>()
                })
            })
            .collect();
        while attackers.iter().any(|attacker| !attacker.is_finished()) {
            let asked = Instant::now();
            assert_eq!(served.visitor().get("/notice").status, 200);
            slowest = slowest.max(asked.elapsed());
        }
        looked_at = attackers.into_iter().map(|attacker| attacker.join().expect("no panic")).sum::<u32>();
    });
    assert!(slowest < Duration::from_secs(3), "the page took {slowest:?} meanwhile");
    // A name has ten tries and one every six seconds, wherever they come from.
    let allowed = 10 + begun.elapsed().as_secs() as u32 / 6 + 1;
    assert!(looked_at <= allowed, "{looked_at} passwords were looked at in {:?}", begun.elapsed());
    let claim = Claim { name: "owner", password: password(Role::Owner), code: None, door: Door::Box };
    let at_box = served.vault.prove(&claim);
    // A code is missing, and no patience.
    assert!(matches!(at_box, Err(ProofError::Wrong)), "at the box the owner waits for nobody: {at_box:?}");
    let took = begun.elapsed();
    let step = step_now().max(first + 1);
    let again = served.visitor_from(home).log_in(Role::Owner, step);
    assert_eq!(again.status, 303, "and from home they come in as ever: {again:?}");
    let told = lines(&served.vault, "prove", "refused").len() + lines(&served.vault, "login", "refused").len();
    assert!(told >= 2 && told <= 2 * looked_at as usize + 100, "{told} lines tell of it, and do not fill the store");
    assert_eq!(harmless(served), before);
    Hammered { looked_at, turned_away: tries - looked_at, slowest, took }
}

/// What came of it.
#[derive(Debug)]
pub struct Hammered {
    /// Passwords that were looked at, and found wrong.
    pub looked_at: u32,
    /// Tries that were told to come again later.
    pub turned_away: u32,
    /// Longest that somebody else waited for a page meanwhile.
    pub slowest: Duration,
    pub took: Duration,
}

#[test]
fn three_hundred_bad_logins_neither_stall_the_page_nor_lock_the_owner_out() {
    hammered(&Served::to_network(), 300);
}

#[test]
fn whatever_bytes_a_form_or_a_question_holds_the_page_answers_and_changes_nothing() {
    let served = Served::to_network();
    let state = served.state();
    let mut viewer = served.logged_in(Role::Viewer);
    let (cookies, token) = (viewer.cookies.clone(), viewer.token());
    let cookies: Vec<String> = cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
    let paths = ["/login", "/logout", "/purge", "/notice", "/audit"];
    let strategy = (
        prop::sample::select(paths.to_vec()),
        prop::collection::vec(any::<u8>(), 0..300),
        "[!-~]{0,80}",
        any::<bool>(),
        any::<bool>(),
    );
    let mut runner =
        TestRunner::new(ProptestConfig { cases: 150, failure_persistence: None, ..ProptestConfig::default() });
    let outcome = runner.run(&strategy, |(path, body, query, is_get, has_token)| {
        let method = if is_get { "GET" } else { "POST" };
        let body = if has_token { [format!("token={token}&code=").as_bytes(), &body].concat() } else { body };
        // A logout that is right would end what is tried here.
        let path = if has_token && path == "/logout" { "/purge" } else { path };
        let mut request = format!(
            "{method} {path}?{query} HTTP/1.1\r\nHost: localhost:{port}\r\nOrigin: https://localhost:{port}\r\nCookie: {}\r\nConnection: close\r\nContent-Length: {}\r\n\r\n",
            cookies.join("; "),
            body.len(),
            port = served.port
        )
        .into_bytes();
        request.extend(body);
        let answer = Answer::read(&served.raw(Ipv4Addr::LOCALHOST, &request));
        prop_assert!((200..500).contains(&answer.status), "{method} {path}?{query}: {answer:?}");
        Ok(())
    });
    outcome.expect("every request is answered");
    must_be_unharmed(&served, state);
}

const ATTACKERS: u8 = 8;
