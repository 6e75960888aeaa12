//! `kehai doctor` and `kehai run` at a door: what is wrong is named with its remedy, exit 5; what is right says for how long.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::{Command, Stdio};

use serde_json::Value;

use super::doors::{Door, Rights};
use crate::live::shop::{DOOR, Shop, VIEW};
use crate::support::folder::Folder;
use crate::support::papers::{Authority, private};
use crate::support::program::{Ended, kehai};

/// The site file of the node `acme/s0042/edge-1` with these lines in `[broker]`.
fn site(door: &Door, lines: &str) -> String {
    let text = format!(
        "[store]\norg = \"acme\"\nstore = \"s0042\"\nnode = \"edge-1\"\ntimezone = \"UTC\"\n{VIEW}[broker]\n\
         url = \"mqtts://localhost:{}\"\n{lines}",
        door.port
    );
    door.folder.write("site.toml", text)
}

fn files(door: &Door, [ca, cert, key]: [&str; 3]) -> String {
    let path = |name: &str| door.folder.path(name);
    format!("ca_file = \"{}\"\ncert_file = \"{}\"\nkey_file = \"{}\"\n", path(ca), path(cert), path(key))
}

/// What doctor says of a broker, by what it is about.
fn findings(ended: &Ended) -> Vec<(String, bool, String)> {
    let told: Value = serde_json::from_str(&ended.out).unwrap_or_else(|_| panic!("{}{}", ended.out, ended.err));
    let text = |finding: &Value, key: &str| finding[key].as_str().expect("a text").to_owned();
    let of_broker =
        told.as_array().expect("a list").iter().filter(|finding| text(finding, "what").starts_with("broker"));
    of_broker.map(|finding| (text(finding, "what"), finding["ok"] == true, text(finding, "detail"))).collect()
}

fn must_find(ended: &Ended, what: &str, is_ok: bool, words: &str) {
    let findings = findings(ended);
    let found = findings.iter().find(|(about, ..)| about == what).unwrap_or_else(|| panic!("{what}: {findings:?}"));
    assert!(found.1 == is_ok && found.2.contains(words), "{found:?} lacks \"{words}\"");
}

#[test]
fn doctor_says_what_the_broker_speaks_lets_us_do_and_for_how_long() {
    let door = Door::new(Rights::Mosquitto);
    door.authority.sign(&door.folder, "node", "acme-s0042-edge-1", &[]);
    let ended = kehai(&["doctor", "--site", &site(&door, &files(&door, ["ca.pem", "node.pem", "node.key"])), "--json"]);
    must_find(&ended, "broker", true, "speaks MQTT 5, packets of at most 1048576 bytes");
    must_find(&ended, "broker: certificates", true, "the broker's until 2049-01-01T00:00:00Z");
    must_find(&ended, "broker: publish", true, "acme/s0042/edge-1/rsp/doctor taken");
    must_find(&ended, "broker: commands", true, "cmd/+ is heard");
    // The same broker, asked in the other tongue.
    let lines = files(&door, ["ca.pem", "node.pem", "node.key"]) + "protocol = \"3.1.1\"\n";
    let ended = kehai(&["doctor", "--site", &site(&door, &lines), "--json"]);
    must_find(&ended, "broker", true, "speaks MQTT 3.1.1");
}

#[test]
fn doctor_names_what_is_wrong_with_a_door_and_ends_with_five() {
    let door = Door::new(Rights::Mosquitto);
    let stranger = Authority::new("stranger");
    stranger.file(&door.folder, "stranger.pem");
    door.authority.sign(&door.folder, "node", "acme-s0042-edge-1", &[]);
    door.authority.sign(&door.folder, "other", "acme-s0042-edge-2", &[]);
    door.authority.sign_expired(&door.folder, "late", "acme-s0042-edge-1", &[]);
    let cases = [
        (["stranger.pem", "node.pem", "node.key"], "broker", "nobody in broker.ca_file vouches"),
        (["ca.pem", "late.pem", "late.key"], "broker", "renew broker.cert_file"),
        (["ca.pem", "node.pem", "other.key"], "broker", "name the key that broker.cert_file was made with"),
        (["ca.pem", "other.pem", "other.key"], "broker: publish", "refused (NotAuthorized): let this node write"),
    ];
    for (names, what, words) in cases {
        let ended = kehai(&["doctor", "--site", &site(&door, &files(&door, names)), "--json"]);
        must_find(&ended, what, false, words);
        assert_eq!(ended.code, Some(5), "{names:?}: {}", ended.err);
    }
}

#[test]
fn a_shop_publishes_through_a_door_and_says_when_it_is_shut() {
    let door = Door::new(Rights::Password);
    let lines = |word: &str| {
        let file = private(&door.folder, "word", word);
        format!(
            "{VIEW}url = \"rtsp://127.0.0.1:9/nobody\"\n{DOOR}[broker]\nurl = \"mqtts://localhost:{}\"\nca_file = \"{}\"\n\
             user = \"edge\"\npassword_file = \"{file}\"\n",
            door.port,
            door.folder.path("ca.pem")
        )
    };
    let shop = |name: &str, lines: &str| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_kehai"));
        std::fs::create_dir_all(door.folder.path(name)).expect("the target folder can be written");
        command.env("STATE_DIRECTORY", door.folder.path(name));
        Shop::open_by(command, name, lines)
    };
    let shut = shop("shut", &lines("other"));
    shut.hear("kehai: broker: the broker does not let this node in");
    drop(shut);
    let _shop = shop("let-in", &lines("word"));
    let mut client = Command::new("mosquitto_sub");
    client.args(["-h", "localhost", "-p", &door.port.to_string(), "--cafile", &door.folder.path("ca.pem")]);
    client.args(["-u", "edge", "-P", "word", "-t", "kehai/v1/test/live/let-in/state", "-C", "1", "-W", "20"]);
    let heard = client.stdin(Stdio::null()).output().expect("mosquitto-clients is installed (make setup)");
    let state: Value = serde_json::from_slice(&heard.stdout).expect("it says that it is there");
    assert_eq!(state["state"], "online");
}

#[test]
fn a_shop_that_publishes_in_the_clear_says_so_on_its_page_and_at_its_start() {
    let folder = Folder::new();
    let mut command = Command::new(env!("CARGO_BIN_EXE_kehai"));
    command.env("STATE_DIRECTORY", folder.path(""));
    // An address of the books: nobody is there.
    let lines = format!(
        "{VIEW}url = \"rtsp://127.0.0.1:9/nobody\"\n{DOOR}[broker]\nurl = \"mqtt://192.0.2.1:1883\"\ndangerous_plaintext = true\n\
         [[recipient]]\nname = \"Nobody\"\nhost = \"192.0.2.1\"\ncountry = \"GB\"\npurpose = {{ en = \"A test\" }}\n"
    );
    let shop = Shop::open_by(command, "plain", &lines);
    shop.hear("DANGER: what is published can be read");
    shop.hear(&format!("http://127.0.0.1:{}/", shop.page_port));
    let mut page = TcpStream::connect(("127.0.0.1", shop.page_port)).expect("the page is served");
    page.write_all(b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n").expect("it listens");
    let mut text = String::new();
    page.read_to_string(&mut text).expect("it answers");
    assert!(text.contains("role=\"alert\"") && text.contains("broker.dangerous_plaintext"), "{text}");
}
