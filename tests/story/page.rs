//! The page as somebody in the shop reads it: a fortnight of windows, every period, every question however strange.
//!
//! The windows are simulated and go through the store; the page is asked over its socket and its figures are held against
//! what was put in.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, OnceLock};

use kehai::clock::{WindowSpan, utc_now};
use kehai::config::PageDoor;
use kehai::floor::visible_cells;
use kehai::publish::web::{DANGER_PLAINTEXT, DANGER_UNSANDBOXED, Page, Shelf, Transparency};
use kehai::vault::Vault;
use kehai::wire::Message;
use kehai::wire::compose::Record;
use kehai::wire::read::{BodyFigures, Kind, WindowBody};
use serde_json::Value;

use crate::support::broker::free_port;
use crate::support::served::serve_page;
use crate::support::simulated::shop;

/// A page over a simulated fortnight in Tokyo, and the bodies it was made from.
struct Served {
    port: u16,
    bodies: Vec<Vec<u8>>,
    /// First second of today in Tokyo, which has no summer time.
    today_s: i64,
}

fn served() -> &'static Served {
    static SERVED: OnceLock<Served> = OnceLock::new();
    SERVED.get_or_init(|| {
        let now_s = utc_now().0.div_euclid(1000);
        let today_s = (now_s + TOKYO_S).div_euclid(DAY_S) * DAY_S - TOKYO_S;
        let mut shop = shop("Asia/Tokyo", 3, 7);
        let windows: Vec<Message> = shop.windows(today_s - 14 * DAY_S, today_s).collect();
        let vault = Vault::throw_away().expect("memory");
        windows.iter().for_each(|window| vault.release(|_| record(window)).expect("room"));
        let (port, held) = free_port();
        drop(held);
        let (vault, seen) = (Arc::new(vault), BTreeMap::from([("hall".to_owned(), visible_cells(&shop.settings, 0))]));
        serve_page(move || page(&vault, &seen), PageDoor::Loopback { port });
        Served { port, bodies: windows.into_iter().map(|window| window.body).collect(), today_s }
    })
}

fn page(vault: &Arc<Vault>, seen: &BTreeMap<String, Vec<bool>>) -> Page {
    let (_, health) = tokio::sync::watch::channel(Some(report()));
    Page {
        name: "Shop <b> & sons {figures}".into(),
        k: 5,
        timezone: "Asia/Tokyo".into(),
        names: BTreeMap::from([("line/door-a".into(), "Main door".into()), ("zone/cellar".into(), "Cellar".into())]),
        seen: seen.clone(),
        vault: Arc::clone(vault),
        dangers: vec![DANGER_UNSANDBOXED, DANGER_PLAINTEXT],
        health,
        connected: Arc::new(AtomicBool::new(true)),
        shelf: Shelf::default(),
        transparency: Transparency::default(),
    }
}

/// A window as the store takes it.
fn record(message: &Message) -> Record {
    let window = WindowBody::read(&message.body).expect("a window");
    let span = WindowSpan { start_s: window.start_s, dur_s: window.dur_s };
    Record { message: message.clone(), kind: window.kind.name(), id: window.id.clone().into_owned(), span }
}

fn report() -> Message {
    let body = r#"{"v":1,"k":"health","at":"2026-11-20T01:00:00Z","boot":"b","clk":"sync","uptime_s":61,"eye_starts":2,
        "spool_waiting":3,"spool_dropped":0,"refused":1,"cameras":[{"id":"view","state":"seeing","fps_milli":24900,"lag_ms":80,
        "reconnects":1,"frames":[1000,200,50,740,5,5],"looks_milli":4900,"looks_asked_milli":5000,"overloaded":false,
        "ignored":4,"motionless":1}],"eye_disbelieved":0}"#;
    Message { topic: "health".into(), body: body.into(), retain: false, at_least_once: false }
}

/// What the page answers: status, and everything after the first line.
pub fn ask(target: &str) -> (u16, String) {
    let (status, bytes) = ask_for(target, "127.0.0.1");
    (status, String::from_utf8_lossy(&bytes).into_owned())
}

fn ask_for(target: &str, host: &str) -> (u16, Vec<u8>) {
    ask_with(target, &format!("Host: {host}"))
}

fn ask_with(target: &str, headers: &str) -> (u16, Vec<u8>) {
    let mut stream = TcpStream::connect(("127.0.0.1", served().port)).expect("the page is served");
    write!(stream, "GET {target} HTTP/1.1\r\n{headers}\r\nConnection: close\r\n\r\n").expect("a request can be sent");
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).expect("an answer");
    let status = std::str::from_utf8(&answer[9..12]).expect("a status").parse().expect("a number");
    (status, answer)
}

/// The local date so many days before today, in Tokyo.
fn day(before: i64) -> String {
    let at = jiff::Timestamp::from_second(served().today_s + TOKYO_S - before * DAY_S).expect("a time");
    at.to_string()[..10].to_owned()
}

/// Inward crossings of a door on the days from `before` on, as many as `days`, by plain arithmetic.
fn inward(door: &str, before: i64, days: i64) -> u64 {
    let from_s = served().today_s - before * DAY_S;
    let within = served().bodies.iter().map(|body| WindowBody::read(body).expect("a window")).filter(|window| {
        window.kind == Kind::Line && window.id == door && (from_s..from_s + days * DAY_S).contains(&window.start_s)
    });
    within.map(|window| if let BodyFigures::Line(line) = window.figures { u64::from(line.inward) } else { 0 }).sum()
}

/// The first figure behind a name.
fn first_figure(html: &str, name: &str) -> u64 {
    let row = html.split(&format!("<th scope=\"row\">{name}")).nth(1).unwrap_or_else(|| panic!("{name} in {html}"));
    assert!(row.starts_with(" <small>seen "), "the coverage stands beside it: {row}");
    let figure = row.split("<td>").nth(1).and_then(|rest| rest.split("</td>").next()).unwrap_or_default();
    let digits: String = figure.chars().filter(char::is_ascii_digit).collect();
    digits.parse().expect("a number")
}

#[test]
fn a_week_of_the_shop_is_the_sum_of_its_released_windows() {
    let (status, html) = ask("/?p=week");
    assert_eq!(status, 200);
    assert_eq!(first_figure(&html, "Main door"), inward("door-a", 7, 7));
    assert!(html.contains(&format!("<h2>{} to {}</h2>", day(7), day(1))), "{html}");
    let (_, one) = ask(&format!("/panel?from={0}&last={0}", day(3)));
    assert_eq!(first_figure(&one, "Main door"), inward("door-a", 3, 1));
}

#[test]
fn two_periods_stand_side_by_side_with_what_was_seen_of_each() {
    let (_, html) = ask(&format!("/panel?from={}&last={}&against={}", day(7), day(1), day(14)));
    assert_eq!(first_figure(&html, "Main door"), inward("door-a", 7, 7));
    let other = format!("<span class=\"quiet\">{} to {}</span>", day(14), day(8));
    assert_eq!(first_figure(&html, &other), inward("door-a", 14, 7));
    assert!(html.contains("change, sums per hour seen") && html.contains("/map/difference/hall.png"), "{html}");
    let (status, png) =
        ask_for(&format!("/map/difference/hall.png?from={}&last={}&against={}", day(7), day(1), day(14)), "localhost");
    assert!(status == 200 && png.windows(4).any(|bytes| bytes == b"\x89PNG"));
}

#[test]
fn every_figure_stands_with_its_formula_and_its_coverage() {
    let (_, html) = ask("/panel?p=yesterday");
    for formula in [
        "Σ in",
        "Σ stops ÷ Σ entries",
        "Σ occ_ms ÷ Σ cov_ms",
        "Σ abandoned ÷ Σ joined",
        "90 % of Σ wait_ms.hist",
        "Σ m of the pair ÷ Σ m",
    ] {
        assert!(html.contains(formula), "{formula} in {html}");
    }
    let rows = html.matches("<th scope=\"row\">zone-0").count();
    assert!(rows >= 3 && html.matches(" of 96").count() >= 6, "{html}");
    assert!(html.contains("<span class=\"partly\">at least "), "sums of windows withheld at times are lower bounds");
    assert!(html.contains("<svg") && html.contains("Footfall by quarter of an hour"), "{html}");
    assert!(!html.contains("style=\"") && !html.contains("<script"), "the page needs no more than its own sheet");
}

#[test]
fn what_has_no_record_is_listed_and_is_no_zero() {
    let (_, html) = ask("/panel?p=yesterday");
    let row =
        html.split("<th scope=\"row\">Cellar</th>").nth(1).and_then(|rest| rest.split("</tr>").next()).expect("listed");
    assert!(row.contains("no record") && !row.contains(">0<"), "{row}");
    let (_, html) = ask("/panel?from=1999-01-01");
    assert!(html.contains("No record: no window of this period is held."), "{html}");
}

#[test]
fn strange_questions_are_refused_in_words_and_never_repeated_as_they_are() {
    let year = format!("/panel?from=2024-01-01&last={}", day(0));
    for (target, words) in [
        ("/panel?p=%3Cscript%3E", "p is latest, today"),
        ("/panel?from=2026-11-40", "a day as in"),
        ("/panel?from=2026-11-02&last=2026-11-01", "not before it"),
        (&year, "at most 400 days"),
        ("/map/heat/hall.png?layer=faces", "visits or dwell"),
    ] {
        let (status, answer) = ask(target);
        assert!(status == 400 || target.starts_with("/panel") && status == 200, "{target}: {status}");
        assert!(answer.contains(words) && !answer.contains("<script>"), "{target}: {answer}");
    }
    assert_eq!(ask("/?p=month").0, 400);
    assert_eq!(ask("/map/heat/../../etc/passwd").0, 404);
    assert_eq!(ask("/map/heat/cellar.png?p=yesterday").0, 404);
    assert_eq!(ask_for("/", "evil.example").0, 403);
}

#[test]
fn the_page_keeps_a_browser_to_itself_and_shows_names_as_they_are() {
    let (status, html) = ask("/");
    assert_eq!(status, 200);
    let policy = "content-security-policy: default-src 'none'; img-src 'self'; style-src 'self'; script-src 'self'; \
                  connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";
    assert!(html.contains(policy), "{html}");
    assert!(!html.contains("http://") && !html.contains("https://"), "no request to anybody else");
    assert!(html.contains("Shop &lt;b&gt; &amp; sons {figures}"), "{html}");
    assert!(html.contains("role=\"alert\">Dangerous: this box may watch without"), "{html}");
    let (status, maps) = ask("/panel?p=yesterday&layer=dwell&ways=1");
    assert!(status == 200 && maps.contains("/map/heat/hall.png") && maps.contains("/map/ways/hall.png"), "{maps}");
}

#[test]
fn what_is_shown_already_is_not_sent_again() {
    let (_, html) = ask("/panel?p=yesterday");
    let again = html.split("hx-get=\"").nth(1).and_then(|rest| rest.split('"').next()).expect("it asks again");
    let (status, rest) = ask(&again.replace("&amp;", "&"));
    assert_eq!(status, 204, "{rest}");
}

/// What a browser that prefers Japanese is shown.
fn ask_in_japanese(target: &str) -> String {
    let (_, answer) = ask_with(target, "Host: 127.0.0.1\r\nAccept-Language: ja-JP,ja;q=0.9,en;q=0.5");
    String::from_utf8(answer).expect("UTF-8")
}

/// The words a person sees or hears of a page: texts, and attributes that are read out.
fn words_of(html: &str) -> String {
    let body = html.split_once("<body>").map_or(html, |(_, body)| body);
    let mut words = String::new();
    for part in body.split('<').skip(1) {
        let (tag, text) = part.split_once('>').unwrap_or((part, ""));
        for attribute in ["alt=\"", "aria-label=\"", "placeholder=\"", "title=\""] {
            words.extend(tag.split(attribute).nth(1).and_then(|rest| rest.split('"').next()).into_iter().chain([" "]));
        }
        words.extend([text, " "]);
    }
    words
}

#[test]
fn a_page_in_japanese_has_no_english_but_names_and_formulas() {
    let other = format!("from={}&last={}&against={}", day(7), day(1), day(14));
    for query in ["p=latest", "p=today", "p=yesterday&ways=1", "p=weeks&layer=dwell", "from=1999-01-01", &other] {
        let html = ask_in_japanese(&format!("/?{query}"));
        assert!(html.contains("<html lang=\"ja\">"), "{query}");
        let text = words_of(&html);
        let is_latin = |letter: char| letter.is_ascii_alphanumeric() || "_-.".contains(letter);
        let strange: Vec<&str> = text
            .split(|letter: char| !is_latin(letter))
            .map(|word| word.trim_matches(['-', '.']))
            .filter(|word| word.len() > 1 && word.chars().any(|letter| letter.is_ascii_alphabetic()))
            .filter(|word| !SAME_IN_JAPANESE.contains(word) && !word.starts_with("zone-0"))
            .collect();
        assert!(strange.is_empty(), "{query}: {strange:?} in {text}");
    }
    let refused = ask_in_japanese("/?p=month");
    assert!(refused.contains("表示できません: p は latest、"), "{refused}");
}

#[test]
fn both_languages_show_the_same_figures_and_the_address_chooses_between_them() {
    let query = format!("from={}&last={}&against={}&ways=1", day(7), day(1), day(14));
    let japanese = ask_in_japanese(&format!("/?{query}"));
    let (_, english) = ask(&format!("/?{query}"));
    let cells = |html: &str| -> Vec<String> {
        let cells = html.split("<td>").skip(1).filter_map(|rest| rest.split("</td>").next());
        cells
            .map(|cell| cell.chars().filter(char::is_ascii_digit).collect())
            .filter(|cell: &String| cell.len() < 5)
            .collect()
    };
    assert_eq!(cells(&english).len(), cells(&japanese).len());
    assert_eq!(first_figure(&english, "Main door"), inward("door-a", 7, 7));
    let row = japanese.split("<th scope=\"row\">Main door").nth(1).expect("the door is listed");
    let digits: String = row
        .split("<td>")
        .nth(1)
        .unwrap_or_default()
        .split("</td>")
        .next()
        .unwrap_or_default()
        .chars()
        .filter(char::is_ascii_digit)
        .collect();
    assert_eq!(digits, inward("door-a", 7, 7).to_string());
    let chosen = ask_in_japanese(&format!("/?{query}&lang=en"));
    assert!(
        chosen.contains("<html lang=\"en\">") && chosen.contains("&amp;lang=en"),
        "the switch outweighs the browser"
    );
    assert!(ask(&format!("/?{query}&lang=ja")).1.contains("最初の日"), "and is kept in every link");
}

#[test]
fn numbers_for_prometheus_are_those_of_the_report_and_no_finer() {
    let (status, text) = ask("/metrics");
    assert!(status == 200 && text.contains("text/plain; version=0.0.4"), "{text}");
    for sample in [
        "kehai_broker_connected 1",
        "kehai_eye_starts_total 2",
        "kehai_spool_waiting 3",
        "kehai_spool_refused_total 1",
        "kehai_camera_up{camera=\"view\"} 1",
        "kehai_camera_frames_total{camera=\"view\",fate=\"captured\"} 1000",
        "kehai_camera_frames_total{camera=\"view\",fate=\"still\"} 50",
        "kehai_camera_frames_per_second{camera=\"view\"} 24.9",
        "kehai_clock_synchronised 1",
    ] {
        assert!(text.lines().any(|line| line == sample), "{sample} in {text}");
    }
    assert!(text.contains(&format!("kehai_windows_released_total {}", served().bodies.len())), "{text}");
    let names: Vec<&str> = text.lines().filter_map(|line| line.strip_prefix("# TYPE ")?.split(' ').next()).collect();
    let samples: Vec<&str> = text.lines().filter(|line| line.starts_with("kehai_")).collect();
    assert!(
        samples.iter().all(|line| names.iter().any(|name| line.starts_with(name))),
        "each is introduced: {samples:?}"
    );
    let is_told_by_the_report = |line: &&&str| !line.contains("store_bytes") && !line.contains("windows_");
    let told: Value = serde_json::from_slice(&report().body).expect("JSON");
    assert_eq!(told["cameras"][0]["frames"].as_array().map(Vec::len), Some(6));
    assert_eq!(samples.iter().filter(is_told_by_the_report).count(), 1 + 1 + 1 + 6 + 1 + 6 + 8, "{samples:#?}");
}

/// Words that are the same in both languages: names of this shop, of the contract, of keys and of the product.
const SAME_IN_JAPANESE: [&str; 66] = [
    "Kehai",
    "English",
    "Shop",
    "lt",
    "gt",
    "amp",
    "sons",
    "figures",
    "Main",
    "door",
    "Cellar",
    "door-a",
    "door-b",
    "tills",
    "view",
    "hall",
    "Asia",
    "Tokyo",
    "from",
    "last",
    "against",
    "hours",
    "in",
    "out",
    "pass",
    "uncertain",
    "entries",
    "stops",
    "dwell_ms",
    "occ_ms",
    "occ_max",
    "cov_ms",
    "dur",
    "hist",
    "joined",
    "served",
    "abandoned",
    "wait_ms.hist",
    "wait_ms.sum",
    "wait_ms.n",
    "len_ms",
    "len_max",
    "over.n",
    "dropped",
    "cut",
    "visits",
    "person-s",
    "person-min",
    "person-h",
    "per",
    "seen",
    "none",
    "withheld",
    "at",
    "times",
    "no",
    "camera",
    "passages",
    "thickest",
    "agree",
    "mixed",
    "every",
    "way",
    "dangerous_allow_unsandboxed",
    "broker.dangerous_plaintext",
    "10:00-21:00",
];
const DAY_S: i64 = 86_400;
const TOKYO_S: i64 = 9 * 3600;
