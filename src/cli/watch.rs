//! `kehai watch`: what nodes publish, live in a terminal.
//!
//! In: a broker and a filter. Out: on a terminal tables of the newest windows and a heatmap; elsewhere a line a message.
//! Invariants: it only listens; nothing that comes can steer the terminal or fill the memory.

mod board;
mod screen;

use std::io::{IsTerminal, Write};
use std::path::PathBuf;
use std::time::Duration;

use serde::Serialize;
use serde_json::value::RawValue;
use tokio::sync::mpsc;

use super::output::note;
use super::{BROKER, CHECK_FAILED, Failure, USAGE};
use crate::clock::utc_now;
use crate::config::broker::{Login, Own, Remote, Tls};
use crate::publish::mqtt::subscriber::{FILTERS_MAX, News, Subscriber};
use crate::publish::period::Calendar;
use board::{Board, Heard, tame};
use screen::{Colours, Terminal};

/// Arguments of `kehai watch`.
#[derive(clap::Args)]
pub struct Args {
    /// Broker: mqtt://HOST:PORT, or mqtts://HOST:PORT with TLS
    #[arg(long)]
    broker: String,
    /// What is asked for, for example 'kehai/v1/acme/+/+/win/line/+'; may be given several times
    #[arg(long, default_value = "kehai/v1/#", num_args = 1..)]
    filter: Vec<String>,
    /// Certificates of those who may vouch for the broker, PEM [default: the system's]
    #[arg(long)]
    ca_file: Option<PathBuf>,
    /// Certificate by which the broker knows us, PEM
    #[arg(long, requires = "key_file")]
    cert_file: Option<PathBuf>,
    /// Its private key, PEM
    #[arg(long, requires = "cert_file")]
    key_file: Option<PathBuf>,
    /// User name
    #[arg(long, requires = "password_file")]
    user: Option<String>,
    /// File with the password, one line, mode 600
    #[arg(long, requires = "user")]
    password_file: Option<PathBuf>,
    /// Listen in the clear to a broker on another machine: everybody on the way reads along
    #[arg(long)]
    dangerous_plaintext: bool,
    /// IANA time zone of the times shown [default: that of each shop, as its "about" message says; else UTC]
    #[arg(long, value_name = "TZ")]
    zone: Option<String>,
    /// End after so many messages
    #[arg(long)]
    count: Option<u64>,
    /// Print every message as JSON, one a line
    #[arg(long)]
    json: bool,
}

/// Runs the command.
pub fn run(args: &Args) -> Result<(), Failure> {
    let subscriber = Subscriber { broker: remote(args)?, client_id: client_id(), filters: filters(args)? };
    let calendar = args.zone.as_deref().map(Calendar::of).transpose()?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| Failure::new(CHECK_FAILED, error.to_string()))?;
    let url = subscriber.broker.url();
    runtime.block_on(async {
        let (sender, news) = mpsc::channel(NEWS_MAX);
        let listening = tokio::spawn(subscriber.run(sender));
        let shown = if args.json || !std::io::stdout().is_terminal() {
            told(args, Board::in_time_of(calendar), news).await
        } else {
            painted(args, &url, Board::in_time_of(calendar), news).await
        };
        if shown {
            return Ok(());
        }
        match listening.await {
            Ok(Err(denial)) => Err(Failure::new(BROKER, format!("--broker {url}: {denial}"))),
            _ => Ok(()),
        }
    })
}

/// A line a message, until enough came; false when no more will come.
async fn told(args: &Args, mut board: Board, mut news: mpsc::Receiver<News>) -> bool {
    let mut left = args.count.unwrap_or(u64::MAX);
    while left > 0 {
        let next = tokio::select! {
            next = news.recv() => next,
            _ = tokio::signal::ctrl_c() => return true,
        };
        match next {
            None => return false,
            Some(News::Came { topic, body, is_retained }) => {
                left -= 1;
                let line = if args.json { json(&topic, &body, is_retained) } else { plain(&mut board, &topic, &body) };
                // Whoever closed the other end wants no more.
                if writeln!(std::io::stdout(), "{line}").is_err() {
                    return true;
                }
            }
            Some(News::Connected(version)) => note(&format!("kehai: connected, MQTT {}", version.name())),
            Some(News::Lost) => note("kehai: the broker is away; trying again"),
        }
    }
    true
}

/// Tables and a map, until the person ends it; false when no more will come.
async fn painted(args: &Args, url: &str, mut board: Board, mut news: mpsc::Receiver<News>) -> bool {
    let mut left = args.count.unwrap_or(u64::MAX);
    let mut state = "connecting".to_owned();
    let page = Page::open();
    let mut is_new = true;
    let mut tick = tokio::time::interval(REPAINT);
    loop {
        tokio::select! {
            next = news.recv() => match next {
                None => return false,
                Some(News::Came { topic, body, .. }) => {
                    board.hear(&topic, &body);
                    left -= 1;
                    is_new = true;
                }
                Some(News::Connected(version)) => (state, is_new) = (format!("connected, MQTT {}", version.name()), true),
                Some(News::Lost) => (state, is_new) = ("the broker is away; trying again".to_owned(), true),
            },
            _ = tick.tick() => {
                let now_s = utc_now().0 / 1000;
                // Ages change by themselves.
                if (is_new || now_s % AGES_S == 0) && page.paint(&screen::lines(&board, &format!("{url}  {state}"), now_s, terminal())).is_err() {
                    return true;
                }
                is_new = false;
            }
            _ = tokio::signal::ctrl_c() => return true,
        }
        if left == 0 {
            return true;
        }
    }
}

/// The other page of a terminal; what stood there before comes back when it is dropped.
struct Page;

impl Page {
    fn open() -> Self {
        // A terminal that is gone is found out when it is painted on.
        let _ = std::io::stdout().write_all(b"\x1b[?1049h\x1b[?25l");
        Self
    }

    fn paint(&self, lines: &[String]) -> std::io::Result<()> {
        let mut screen = String::from("\u{1b}[H");
        for line in lines {
            screen.push_str(line);
            screen.push_str("\u{1b}[K\r\n");
        }
        screen.push_str("\u{1b}[J");
        let mut out = std::io::stdout().lock();
        out.write_all(screen.as_bytes()).and_then(|()| out.flush())
    }
}

impl Drop for Page {
    fn drop(&mut self) {
        let _ = std::io::stdout().write_all(b"\x1b[?25h\x1b[?1049l");
    }
}

fn terminal() -> Terminal {
    let size = rustix::termios::tcgetwinsize(std::io::stdout()).ok().filter(|size| size.ws_col > 0 && size.ws_row > 0);
    let (columns, rows) = size.map_or((80, 24), |size| (size.ws_col.into(), size.ws_row.into()));
    Terminal { columns, rows, colours: Colours::of(&|name| std::env::var(name).ok()) }
}

/// A message in a line of words.
fn plain(board: &mut Board, topic: &str, body: &[u8]) -> String {
    let topic = tame_topic(topic);
    match board.hear(&topic, body) {
        Heard::Window(kind, id) => {
            let now_s = utc_now().0 / 1000;
            let newest = board.of(kind).find(|(node, one, _)| *one == id && topic.contains(node));
            newest.map_or_else(
                || format!("{topic}: an older window"),
                |(node, id, shown)| screen::row(board, (node, kind, id), shown, now_s).trim_start().to_owned(),
            )
        }
        Heard::State(is_online) => format!("{topic}: {}", if is_online { "online" } else { "offline" }),
        Heard::Event(words) => format!("{topic}: {words}"),
        Heard::Cleared => format!("{topic}: no longer kept by the broker"),
        Heard::Other(kind) => format!("{topic}: {kind}, {} bytes", body.len()),
        Heard::Strange => format!("{topic}: {} bytes that are no payload of ours", body.len()),
    }
}

/// A message as one line of JSON: topic, whether it was kept, and the payload as it came, or as text where it is no JSON.
fn json(topic: &str, body: &[u8], is_retained: bool) -> String {
    let line = Line { topic, retained: is_retained, payload: exact(body) };
    let line = serde_json::to_string(&line).unwrap_or_default();
    // JSON lets letters stand that steer a terminal; escaped they mean the same.
    line.chars().fold(String::with_capacity(line.len()), |mut line, letter| {
        match letter {
            '\u{7f}'..='\u{9f}'
            | '\u{200b}'..='\u{200f}'
            | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            | '\u{feff}' => {
                line.push_str(&format!("\\u{:04x}", letter as u32));
            }
            _ => line.push(letter),
        }
        line
    })
}

/// A message as it is printed.
#[derive(Serialize)]
struct Line<'a> {
    topic: &'a str,
    retained: bool,
    payload: Box<RawValue>,
}

/// A payload with every byte as it came, so that its signature can be checked; over several lines it is put in one.
fn exact(body: &[u8]) -> Box<RawValue> {
    let text = String::from_utf8_lossy(body);
    let is_one_line = !text.contains(['\n', '\r']);
    let whole = serde_json::from_str::<Box<RawValue>>(&text).ok().filter(|_| is_one_line);
    let value =
        || serde_json::from_str::<serde_json::Value>(&text).unwrap_or_else(|_| text.clone().into_owned().into());
    whole.unwrap_or_else(|| serde_json::value::to_raw_value(&value()).expect("values are JSON"))
}

fn tame_topic(topic: &str) -> String {
    topic.split('/').take(TOPIC_LEVELS_MAX).map(tame).collect::<Vec<_>>().join("/")
}

fn remote(args: &Args) -> Result<Remote, Failure> {
    let refused = |remedy: &str| Failure::new(USAGE, format!("--broker {}: {remedy}", tame(&args.broker)));
    if args.broker.contains('@') {
        let remedy = "write mqtts://HOST:PORT without user and password; those are --user and --password-file";
        return Err(Failure::new(USAGE, format!("--broker …@…: {remedy}")));
    }
    let Some(mut remote) = Remote::of_url(&args.broker) else {
        return Err(refused("write mqtt://HOST:PORT or mqtts://HOST:PORT"));
    };
    if remote.is_dangerous_plaintext && !args.dangerous_plaintext {
        return Err(refused(
            "this is another machine and plain MQTT is readable on the way; write mqtts://, or add --dangerous-plaintext",
        ));
    }
    match &mut remote.tls {
        Some(Tls { ca_file, own }) => {
            ca_file.clone_from(&args.ca_file);
            let files = args.cert_file.clone().zip(args.key_file.clone());
            *own = files.map(|(cert_file, key_file)| Own { cert_file, key_file });
        }
        None if args.ca_file.is_some() || args.cert_file.is_some() => {
            return Err(refused("certificates are of no use without TLS; write mqtts://HOST:8883"));
        }
        None => {}
    }
    let login = args.user.clone().zip(args.password_file.clone());
    remote.login = login.map(|(user, password_file)| Login { user, password_file });
    Ok(remote)
}

fn filters(args: &Args) -> Result<Vec<String>, Failure> {
    let is_good = |filter: &str| {
        let levels: Vec<&str> = filter.split('/').collect();
        let whole = |level: &&str| !level.contains(['+', '#']) || level.len() == 1;
        let is_tail = |at: usize, level: &str| level != "#" || at + 1 == levels.len();
        !filter.is_empty()
            && levels.iter().all(whole)
            && levels.iter().enumerate().all(|(at, level)| is_tail(at, level))
    };
    if let Some(bad) = args.filter.iter().find(|filter| !is_good(filter)) {
        let remedy = "write levels with slashes between, + for any one level, # at the end for all below";
        return Err(Failure::new(USAGE, format!("--filter {}: {remedy}", tame(bad))));
    }
    if args.filter.len() > FILTERS_MAX {
        return Err(Failure::new(USAGE, format!("--filter: at most {FILTERS_MAX} are asked for at once")));
    }
    Ok(args.filter.clone())
}

/// A name that no other watcher has: two of one name throw each other off the broker.
fn client_id() -> String {
    format!("kehai-watch-{}-{:x}", std::process::id(), utc_now().0)
}

/// News that may wait; beyond that the connection does.
const NEWS_MAX: usize = 256;
const REPAINT: Duration = Duration::from_millis(500);
/// Seconds between two paintings when nothing comes.
const AGES_S: i64 = 5;
/// Levels of a topic that are shown.
const TOPIC_LEVELS_MAX: usize = 12;
