//! Commands to a running node, from a client that is not ours: those that may ask are answered, nobody else changes anything.

use std::cell::RefCell;
use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::Value;

use kehai::wire::seal::PublicKey;

use crate::live::shop::{DOOR, Shop, VIEW};
use crate::support::broker::{Broker, Got, Listener, free_port};
use crate::support::folder::Folder;
use crate::support::program::kehai;

/// A node without a camera that answers, a broker, and the operator's secret.
struct Stage {
    folder: Folder,
    port: u16,
    heard: Listener,
    /// What came since the last command and nobody waited for yet: answers and kept papers come in no fixed order.
    passed: RefCell<Vec<Got>>,
    _broker: Broker,
    _shop: Shop,
}

const NODE: &str = "kehai/v1/test/live/asked";

impl Stage {
    fn new() -> Self {
        let (folder, (port, held)) = (Folder::new(), free_port());
        drop(held);
        let broker = Broker::start(port, &folder);
        let heard = broker.listen();
        let made = kehai(&["command", "key", "--secret", &folder.path("hq"), "--json"]);
        made.must_be_well();
        let key: Value = serde_json::from_str(&made.out).expect("JSON");
        let camera = format!("{VIEW}url = \"rtsp://127.0.0.1:{}/gone\"\n{DOOR}", free_port().0);
        let more = format!(
            "[broker]\nurl = \"mqtt://127.0.0.1:{port}\"\n[commands]\nkeys = {{ hq = {} }}\n{camera}",
            key["key"]
        );
        let shop = Shop::open_with("asked", &more);
        let stage = Self { folder, port, heard, passed: RefCell::default(), _broker: broker, _shop: shop };
        stage.hear("state", |got| got.body.contains("online"));
        stage
    }

    /// A command as an operator makes it.
    fn made(&self, arguments: &[&str]) -> String {
        let secret = self.folder.path("hq");
        let made = kehai(&[&["command"], arguments, &["--node", "test/live/asked", "--secret", &secret]].concat());
        made.must_be_well();
        made.out.trim().to_owned()
    }

    fn send(&self, verb: &str, body: &str, more: &[&str]) {
        self.passed.borrow_mut().clear();
        let (port, topic) = (self.port.to_string(), format!("{NODE}/cmd/{verb}"));
        let arguments = [&["-p", &port, "-t", &topic, "-m", body, "-q", "1"], more].concat();
        let sent = Command::new("mosquitto_pub").args(arguments).status().expect("mosquitto-clients is installed");
        assert!(sent.success());
    }

    /// Waits for a message below the node's topic; one that came since the last command will do.
    fn hear(&self, below: &str, is_it: impl Fn(&Got) -> bool) -> Got {
        let topic = format!("{NODE}/{below}");
        let wanted = |got: &Got| got.topic == topic && is_it(got);
        let mut passed = self.passed.borrow_mut();
        if let Some(at) = passed.iter().position(wanted) {
            return passed.remove(at);
        }
        let begun = Instant::now();
        while begun.elapsed() < PATIENCE {
            let Ok(got) = self.heard.heard.recv_timeout(Duration::from_millis(100)) else { continue };
            if wanted(&got) {
                return got;
            }
            passed.push(got);
        }
        let came: Vec<String> = passed.iter().map(|got| format!("{} {}", got.topic, got.body)).collect();
        panic!("nothing came over {below}; what came: {came:#?}");
    }
}

#[test]
fn a_node_answers_whom_its_site_file_names_and_says_why_it_refuses_the_rest() {
    let stage = Stage::new();
    let about = stage.hear("about", |_| true);
    let about: Value = serde_json::from_str(&about.body).expect("JSON");
    let key: PublicKey = about["public_key"].as_str().expect("a key").parse().expect("one of ours");

    let ping = stage.made(&["ping"]);
    stage.send("ping", &ping, &[]);
    let answer = stage.hear("rsp/ping", |_| true);
    assert_eq!(key.verify(answer.body.as_bytes()), Ok(()), "answers are signed");
    let asked: Value = serde_json::from_str(&ping).expect("JSON");
    let answer: Value = serde_json::from_str(&answer.body).expect("JSON");
    assert_eq!((&answer["id"], &answer["ok"]), (&asked["id"], &Value::Bool(true)));

    stage.send("config-get", &stage.made(&["config-get"]), &[]);
    let answer = stage.hear("rsp/config-get", |_| true);
    assert!(answer.body.contains("\"door\"") && !answer.body.contains("rtsp://"), "{}", answer.body);

    stage.send("rebirth", &stage.made(&["rebirth"]), &[]);
    stage.hear("rsp/rebirth", |_| true);
    stage.hear("meta/zones", |_| true);

    let refused = |why: &str| {
        let event = stage.hear("evt/command-refused", |got| got.body.contains(why));
        assert_eq!(key.verify(event.body.as_bytes()), Ok(()), "events are signed");
    };
    stage.send("ping", &ping, &[]);
    refused("came before");
    stage.send("ping", &stage.made(&["ping"]), &["-r"]);
    // The broker hands a retained message on as a live one to who is there, and as a kept one to who comes later.
    stage.hear("rsp/ping", |_| true);
    stage.send("ping", "{}", &[]);
    refused("not a command");
    stage.send("ping", &ping.replace("ed25519:", "ed25519:A"), &[]);
    refused("not signed");
    stage.send("rebirth", &stage.made(&["ping"]), &[]);
    refused("another node or topic");
}

const PATIENCE: Duration = Duration::from_secs(20);
