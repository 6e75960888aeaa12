//! What is sent to the page of a shop that runs below what browsers do: two lengths, strange methods, half requests.

use std::io::{Read, Write};
use std::net::Ipv4Addr;
use std::time::{Duration, Instant};

use kehai::publish::web::routes;
use kehai::switch::Role;

use super::shop::AtWork;
use super::visitor::{Answer, Served};

fn answers(served: &Served, request: &str) -> (Answer, usize) {
    let bytes = served.raw(Ipv4Addr::LOCALHOST, request.as_bytes());
    (Answer::read(&bytes), String::from_utf8_lossy(&bytes).matches("HTTP/1.1 ").count())
}

#[test]
fn a_request_that_says_its_length_in_two_ways_is_refused_and_nothing_is_smuggled_behind_it() {
    let work = AtWork::without_a_camera("smuggled");
    let hidden = "GET /selftest.json HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    let length = hidden.len();
    for (what, head, body) in [
        ("two lengths", format!("Content-Length: {length}\r\nContent-Length: 0"), hidden.to_owned()),
        ("a list of lengths", format!("Content-Length: 0, {length}"), hidden.to_owned()),
        ("a length with a sign", "Content-Length: +0".to_owned(), hidden.to_owned()),
        ("no number", "Content-Length: 0x0".to_owned(), hidden.to_owned()),
        (
            "length, then chunks",
            format!("Content-Length: {length}\r\nTransfer-Encoding: chunked"),
            format!("0\r\n\r\n{hidden}"),
        ),
        (
            "chunks, then length",
            format!("Transfer-Encoding: chunked\r\nContent-Length: {length}"),
            format!("0\r\n\r\n{hidden}"),
        ),
        ("chunks alone", "Transfer-Encoding: chunked".to_owned(), format!("0\r\n\r\n{hidden}")),
        ("chunks that are none", "Transfer-Encoding: xchunked".to_owned(), hidden.to_owned()),
        ("chunks twice", "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity".to_owned(), hidden.to_owned()),
        ("a blank before the colon", "Content-Length : 0".to_owned(), hidden.to_owned()),
        (
            "a folded line",
            format!("X: 1\r\n Content-Length: {length}\r\nTransfer-Encoding: chunked"),
            hidden.to_owned(),
        ),
    ] {
        let (answer, many) =
            answers(&work.served, &format!("POST /login HTTP/1.1\r\nHost: localhost\r\n{head}\r\n\r\n{body}"));
        assert!(matches!(answer.status, 400 | 411), "{what}: {answer:?}");
        assert_eq!(many, 1, "{what}: nothing behind it is answered");
    }
}

#[test]
fn methods_that_no_page_of_ours_uses_do_nothing_and_echo_nothing() {
    let work = AtWork::without_a_camera("methods");
    let mut owner = work.served.logged_in(Role::Owner);
    let (token, state) = (owner.token(), (work.served.mode(), work.served.state().2));
    let own = format!("https://localhost:{}", work.served.port);
    for route in routes() {
        let path = route.path.replace("{what}", "heat").replace("{floor}", "hall.png");
        for method in ["OPTIONS", "TRACE", "PUT", "DELETE", "PATCH", "FROB", "post"] {
            let answer =
                owner.ask(method, &path, &[("Origin", &own), ("X-Told", "echo-me")], &format!("token={token}"));
            assert!(matches!(answer.status, 400..500), "{method} {path}: {answer:?}");
            assert!(!answer.body.contains("echo-me") && answer.header("access-control-allow-origin").is_empty());
        }
        if route.method == "GET" {
            let (whole, head) = (owner.get(&path), owner.ask("HEAD", &path, &[], ""));
            assert_eq!((head.status, head.body.as_str()), (whole.status, ""), "{path}");
        }
    }
    let connect =
        answers(&work.served, "CONNECT 127.0.0.1:22 HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").0;
    assert!(!(200..300).contains(&connect.status), "{connect:?}");
    let away =
        answers(&work.served, "GET http://evil.example/ HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n").0;
    assert!(!(200..300).contains(&away.status) && !away.header("location").contains("evil"), "{away:?}");
    assert_eq!((work.served.mode(), work.served.state().2), state);
}

#[test]
fn who_sends_a_letter_at_a_time_is_let_go_and_holds_nobody_up() {
    let work = AtWork::without_a_camera("slow");
    let head = "GET /selftest HTTP/1.1\r\nHost: localhost\r\nX-Slow: ";
    std::thread::scope(|scope| {
        let slow: Vec<_> = (0..CONNECTIONS)
            .map(|number| {
                let served = &work.served;
                scope.spawn(move || {
                    let mut stream = served.stream(Ipv4Addr::new(127, 0, 7, 1 + number % 2));
                    let begun = Instant::now();
                    let mut sent = head.bytes().chain(std::iter::repeat(b'x'));
                    while begun.elapsed() < PATIENCE {
                        if stream.write_all(&[sent.next().expect("endless")]).and_then(|()| stream.flush()).is_err() {
                            break;
                        }
                        std::thread::sleep(Duration::from_millis(250));
                    }
                    let mut rest = Vec::new();
                    let _ = stream.read_to_end(&mut rest);
                    begun.elapsed()
                })
            })
            .collect();
        while slow.iter().any(|one| !one.is_finished()) {
            let asked = Instant::now();
            assert_eq!(work.served.visitor().get("/login").status, 200);
            assert!(asked.elapsed() < Duration::from_secs(2), "it took {:?}", asked.elapsed());
            std::thread::sleep(Duration::from_millis(200));
        }
        for one in slow {
            let held = one.join().expect("no panic");
            assert!(held < PATIENCE, "a connection was held for {held:?}");
        }
    });
}

#[test]
fn cookies_are_for_this_host_over_tls_alone_and_out_of_reach_of_scripts() {
    let work = AtWork::without_a_camera("cookies");
    let mut viewer = work.served.visitor();
    let answers = [viewer.get("/login"), viewer.log_in(Role::Viewer, 0)];
    let set = answers.iter().flat_map(|answer| &answer.headers).filter(|(name, _)| name == "set-cookie");
    let set: Vec<&String> = set.map(|(_, value)| value).collect();
    assert!(set.len() >= 3, "a visit, a session, and the visit is over: {set:?}");
    for cookie in set {
        assert!(cookie.starts_with("__Host-kehai"), "{cookie}");
        for flag in ["; Path=/", "; Secure", "; HttpOnly", "; SameSite=Strict"] {
            assert!(cookie.contains(flag), "{flag} of {cookie}");
        }
        assert!(!cookie.contains("Domain"), "{cookie}");
    }
    assert_eq!(viewer.get("/").header("cache-control"), "no-store");
    assert_eq!(viewer.get("/").header("strict-transport-security"), "max-age=31536000");
}

const CONNECTIONS: u8 = 40;
/// Headers have to be there within fifteen seconds.
const PATIENCE: Duration = Duration::from_secs(25);
