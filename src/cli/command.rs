//! `kehai command`: makes a key for an operator, and commands signed with it.
//!
//! A command is printed as one line, for `mosquitto_pub -s` or any other client; it holds for five minutes at most and is
//! never to be retained. Nothing is sent from here.

use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use super::output::{say, say_json};
use super::{CHECK_FAILED, Failure, USAGE};
use crate::clock::{UtcMs, utc_now};
use crate::wire::compose::rfc3339;
use crate::wire::payload::{CONTRACT_VERSION, CommandPayload};
use crate::wire::read::utc_of;
use crate::wire::seal::Signer;

/// Arguments of `kehai command`.
#[derive(clap::Args)]
pub struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(clap::Subcommand)]
enum What {
    /// Make a key: a new secret file, and on standard output the line for [commands] in the site file
    Key {
        /// Secret file to make, mode 0600
        #[arg(long)]
        secret: PathBuf,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Ask whether a node is there
    Ping(Ask),
    /// Ask a node to introduce itself again: state, about, meta
    Rebirth(Ask),
    /// Ask a node for what decides what it measures and releases
    ConfigGet(Ask),
    /// Make a node watch nothing, until somebody on site resumes
    Pause(Ask),
    /// Make a node watch nothing, until an owner unlocks it on site
    Lock(Ask),
    /// Ask a node to send windows once more
    Replay {
        #[command(flatten)]
        ask: Ask,
        /// First start of a window, as 2026-11-20T09:00:00Z
        #[arg(long)]
        from: String,
        /// Windows that start here or later are not sent
        #[arg(long)]
        to: String,
    },
}

#[derive(clap::Args)]
struct Ask {
    /// The node: ORG/STORE/NODE
    #[arg(long)]
    node: String,
    /// Secret file that `kehai command key` made
    #[arg(long)]
    secret: PathBuf,
    /// How long it holds, s
    #[arg(long, default_value_t = 60, value_parser = clap::value_parser!(u32).range(1..=300))]
    seconds: u32,
}

/// Runs the command.
pub fn run(args: &Args) -> Result<(), Failure> {
    match &args.what {
        What::Key { secret, json } => make_key(secret, *json),
        What::Ping(ask) => print(ask, "ping", None),
        What::Rebirth(ask) => print(ask, "rebirth", None),
        What::ConfigGet(ask) => print(ask, "config-get", None),
        What::Pause(ask) => print(ask, "pause", None),
        What::Lock(ask) => print(ask, "lock", None),
        What::Replay { ask, from, to } => print(ask, "replay", Some([("--from", from), ("--to", to)])),
    }
}

fn make_key(path: &Path, json: bool) -> Result<(), Failure> {
    let failed = |why: String| Failure::new(USAGE, format!("--secret {}: {why}; name a new file", path.display()));
    let seed = random()?;
    let mut file = std::fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)
        .map_err(|error| failed(error.to_string()))?;
    file.write_all(&*seed).and_then(|()| file.sync_all()).map_err(|error| failed(error.to_string()))?;
    let key = Signer::new(&seed).public().to_string();
    if json {
        say_json(&serde_json::json!({ "key": key }));
    } else {
        say(&format!("[commands]\nkeys = {{ name = \"{key}\" }}   # write who holds it in place of `name`"));
    }
    Ok(())
}

/// Prints a signed command.
fn print(ask: &Ask, verb: &str, span: Option<[(&str, &String); 2]>) -> Result<(), Failure> {
    for (flag, text) in span.iter().flatten() {
        if utc_of(text).is_none() {
            return Err(Failure::new(USAGE, format!("{flag} {text}: no moment; write it as 2026-11-20T09:00:00Z")));
        }
    }
    let now = utc_now();
    let command = CommandPayload {
        v: CONTRACT_VERSION,
        k: "cmd".to_owned(),
        verb: verb.to_owned(),
        id: crate::wire::audit::hex(&random()?[..8]),
        node: ask.node.clone(),
        at: rfc3339(now),
        exp: rfc3339(UtcMs(now.0 + i64::from(ask.seconds) * 1000)),
        from: span.map(|[(_, from), _]| from.clone()),
        to: span.map(|[_, (_, to)]| to.clone()),
        sig: None,
    };
    let body = signer(&ask.secret)?.seal(command.unsigned());
    say(&String::from_utf8_lossy(&body));
    Ok(())
}

fn signer(path: &Path) -> Result<Signer, Failure> {
    let failed = |why: String| {
        Failure::new(USAGE, format!("--secret {}: {why}; name a file that `kehai command key` made", path.display()))
    };
    let bytes = Zeroizing::new(std::fs::read(path).map_err(|error| failed(error.to_string()))?);
    let seed: Zeroizing<[u8; 32]> =
        Zeroizing::new(bytes.as_slice().try_into().map_err(|_| failed(format!("{} bytes are no key", bytes.len())))?);
    Ok(Signer::new(&seed))
}

fn random() -> Result<Zeroizing<[u8; 32]>, Failure> {
    let mut bytes = Zeroizing::new([0; 32]);
    getrandom::fill(&mut *bytes).map_err(|error| Failure::new(CHECK_FAILED, format!("no randomness: {error}")))?;
    Ok(bytes)
}
