//! Doors: TLS by name and by address, certificates and passwords, good ones and bad ones, and the rights files we ship.

use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use kehai::config::broker::{Login, Own, Remote, Tls};
use kehai::publish::mqtt::Trouble;

use crate::support::broker::{await_port, free_port};
use crate::support::folder::{Folder, in_repository, read};
use crate::support::node::Node;
use crate::support::papers::{Authority, private};
use crate::support::way::Way;

/// A broker behind a door, and all who have or lack a key.
pub struct Door {
    pub folder: Folder,
    pub authority: Authority,
    broker: Child,
    pub port: u16,
    way: Way,
}

/// What the broker runs on.
pub enum Rights {
    /// Certificates, and deploy/broker as it is shipped.
    Mosquitto,
    /// The same for NATS.
    Nats,
    /// A user and a password.
    Password,
}

impl Door {
    pub fn new(rights: Rights) -> Self {
        let (folder, authority) = (Folder::in_tmp(), Authority::new("authority"));
        authority.file(&folder, "ca.pem");
        authority.sign(&folder, "broker", "broker", &["localhost", "127.0.0.1"]);
        let (port, held) = free_port();
        drop(held);
        let mut command = match rights {
            Rights::Mosquitto => {
                folder.write("acl", read(&in_repository("deploy/broker/acl")));
                let shipped = String::from_utf8(read(&in_repository("deploy/broker/mosquitto.conf"))).expect("text");
                let text = shipped
                    .replace("/etc/mosquitto/kehai/", &folder.path(""))
                    .replace("/var/lib/mosquitto/", &folder.path(""))
                    .replace("listener 8883", &format!("user root\nlistener {port} 127.0.0.1"));
                mosquitto(&folder, &text)
            }
            Rights::Password => {
                let made = Command::new("mosquitto_passwd")
                    .args(["-b", "-c", &folder.path("users"), "edge", "word"])
                    .status()
                    .expect("mosquitto is installed (make setup)");
                assert!(made.success());
                let place = |name: &str| folder.path(name);
                let text = format!(
                    "user root\nlistener {port} 127.0.0.1\ncafile {}\ncertfile {}\nkeyfile {}\nallow_anonymous false\n\
                     password_file {}\n",
                    place("ca.pem"),
                    place("broker.pem"),
                    place("broker.key"),
                    place("users")
                );
                mosquitto(&folder, &text)
            }
            Rights::Nats => {
                let (client, held) = free_port();
                drop(held);
                let shipped = String::from_utf8(read(&in_repository("deploy/broker/nats.conf"))).expect("text");
                let text = shipped
                    .replace("/etc/nats/kehai/", &folder.path(""))
                    .replace("/var/lib/nats", &folder.path("nats"))
                    .replace("port: 8883", &format!("listen: \"127.0.0.1:{port}\""))
                    .replace("127.0.0.1:4222", &format!("127.0.0.1:{client}"));
                let config = folder.write("nats.conf", text);
                let mut command = Command::new("nats-server");
                command.args(["-c", &config]);
                command
            }
        };
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let broker = command.spawn().expect("the broker is installed (scripts/setup --acceptance)");
        await_port(port, true);
        Self { folder, authority, broker, port, way: Way::to(port) }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path(name).into()
    }

    /// As the site file of the node `acme/s0042/edge-1` would say it, by the name of this host.
    fn remote(&self, own: Option<[String; 2]>) -> Remote {
        let own = own.map(|[cert_file, key_file]| Own { cert_file: cert_file.into(), key_file: key_file.into() });
        let tls = Some(Tls { ca_file: Some(self.path("ca.pem")), own });
        Remote { tls, ..Remote::plain("localhost", self.way.port) }
    }

    fn with_password(&self, word: &str) -> Remote {
        let password_file = private(&self.folder, "word", word).into();
        Remote { login: Some(Login { user: "edge".to_owned(), password_file }), ..self.remote(None) }
    }

    /// A subscriber with a certificate of this name hears `topic` when the node speaks.
    fn hears(&self, name: &str, filter: &str, speak: impl FnOnce()) -> String {
        let [cert, key] = self.authority.sign(&self.folder, name, name, &[]);
        let mut client = Command::new("mosquitto_sub");
        client.args(["-V", "mqttv311", "-h", "localhost", "-p", &self.port.to_string(), "-W", "4", "-v", "-t", filter]);
        client.args(["--cafile", &self.folder.path("ca.pem"), "--cert", &cert, "--key", &key]);
        let client =
            client.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().expect("installed");
        std::thread::sleep(Duration::from_millis(500));
        speak();
        String::from_utf8(client.wait_with_output().expect("it ends by itself").stdout).expect("UTF-8")
    }
}

impl Drop for Door {
    fn drop(&mut self) {
        let _ = self.broker.kill();
        let _ = self.broker.wait();
    }
}

fn mosquitto(folder: &Folder, text: &str) -> Command {
    let config = folder.write("mosquitto.conf", format!("{text}\nlog_type none\n"));
    let mut command = Command::new(kehai::publish::broker::find_program().expect("make setup installs mosquitto"));
    command.args(["-c", &config]);
    command
}

/// 2049-01-01, when the good certificates of a test end, s.
const END_S: i64 = 2_493_072_000;

/// The rights we ship let a node say and hear what is its own, and nothing else.
fn must_keep_to_its_own(door: &Door) {
    let own = door.authority.sign(&door.folder, "node", "acme-s0042-edge-1", &[]);
    let mut node = Node::at(door.remote(Some(own)));
    node.await_connected(true);
    let said = door.hears("merchandising", "kehai/v1/acme/#", || {
        for (kind, id) in [("line", "door"), ("zone", "shelf"), ("heat", "sales-visits")] {
            node.release_at(kind, id, 0);
        }
        node.await_drained(PATIENCE);
    });
    for topic in ["win/line/door", "win/zone/shelf", "win/heat/sales-visits"] {
        assert!(said.contains(&format!("edge-1/{topic} ")), "{topic} is missing in {said}");
    }
    let heard = door.hears("headquarters", "kehai/v1/acme/#", || {
        let mut client = Command::new("mosquitto_pub");
        client.args([
            "-V",
            "mqttv311",
            "-h",
            "localhost",
            "-p",
            &door.port.to_string(),
            "-q",
            "0",
            "-i",
            "hq2",
            "-m",
            "{}",
        ]);
        client.args(["-t", "kehai/v1/acme/s0042/edge-1/cmd/ping", "--cafile", &door.folder.path("ca.pem")]);
        client.args(["--cert", &door.folder.path("headquarters.pem"), "--key", &door.folder.path("headquarters.key")]);
        assert!(client.status().expect("installed").success());
        assert_eq!(node.command().verb, "ping");
    });
    assert!(heard.contains("edge-1/cmd/ping {}"), "{heard}");
    assert_eq!((node.validity.own_s(), node.validity.broker_s()), (Some(END_S), Some(END_S)));
    assert_eq!(node.troubles(), []);
}

#[test]
fn the_rights_we_ship_for_mosquitto_let_a_node_do_what_it_must() {
    must_keep_to_its_own(&Door::new(Rights::Mosquitto));
}

#[test]
#[ignore = "needs nats-server"]
fn the_rights_we_ship_for_nats_let_a_node_do_what_it_must() {
    must_keep_to_its_own(&Door::new(Rights::Nats));
}

#[test]
fn the_rights_we_ship_for_mosquitto_let_a_node_do_nothing_else() {
    let door = Door::new(Rights::Mosquitto);
    // Another node of the same shop, which may not speak for this one.
    let own = door.authority.sign(&door.folder, "other", "acme-s0042-edge-2", &[]);
    let mut node = Node::at(door.remote(Some(own)));
    node.release();
    let counts = node.await_drained(PATIENCE);
    assert_eq!((counts.done, counts.refused), (0, 1));
    node.trouble("win/line/door refused: NotAuthorized");
    assert_eq!(door.way.come(), 1, "a refusal costs no connection");
}

#[test]
fn a_node_is_let_in_by_password_by_name_and_by_address_and_reads_its_papers_again() {
    let door = Door::new(Rights::Password);
    for host in ["localhost", "127.0.0.1"] {
        let node = Node::at(Remote { host: host.to_owned(), ..door.with_password("word\n") });
        node.release();
        assert_eq!(node.await_drained(PATIENCE).done, 1, "{host}");
    }
    // A wrong password is told; a right one needs no restart.
    let mut node = Node::at(door.with_password("other"));
    node.trouble("broker.password_file");
    private(&door.folder, "word", "word");
    node.release();
    assert_eq!(node.await_drained(PATIENCE).done, 1);
    assert!(door.way.come() < 10, "{} connections", door.way.come());
}

#[test]
fn what_is_wrong_with_a_door_is_told_by_its_name_and_tried_ever_more_rarely() {
    let door = Door::new(Rights::Mosquitto);
    let stranger = Authority::new("stranger");
    stranger.file(&door.folder, "stranger.pem");
    let own = |file: &str| door.authority.sign(&door.folder, file, "acme-s0042-edge-1", &[]);
    let with_ca = |name: &str| {
        let mut remote = door.remote(Some(own("good")));
        remote.tls.as_mut().expect("TLS").ca_file = Some(door.path(name));
        remote
    };
    let expired = door.authority.sign_expired(&door.folder, "late", "acme-s0042-edge-1", &[]);
    let unknown = stranger.sign(&door.folder, "unknown", "acme-s0042-edge-1", &[]);
    let [open_cert, open_key] = own("open");
    std::fs::set_permissions(&open_key, std::os::unix::fs::PermissionsExt::from_mode(0o644)).expect("ours");
    let cases = [
        (with_ca("stranger.pem"), "broker.ca_file vouches"),
        (with_ca("missing.pem"), "missing.pem: No such file"),
        (door.remote(Some(expired)), "refuses our certificate"),
        (door.remote(Some(unknown)), "refuses our certificate"),
        (door.remote(None), "refuses our certificate"),
        (door.remote(Some([open_cert, open_key])), "chmod 600"),
    ];
    let mut nodes: Vec<(Node, &str)> = cases.into_iter().map(|(remote, words)| (Node::at(remote), words)).collect();
    for (node, words) in &mut nodes {
        node.trouble(words);
    }
    std::thread::sleep(Duration::from_secs(2));
    for (node, words) in &mut nodes {
        assert_eq!(node.troubles().len(), 1, "{words}: {:?}", node.troubles());
    }
    // Four of them come to the broker at all, each at 0, 0.25, 0.75, 1.75 s and so on.
    assert!(door.way.come() <= 6 * 7, "{} connections", door.way.come());
}

#[test]
fn a_certificate_that_ends_soon_is_told_while_it_still_holds() {
    let door = Door::new(Rights::Mosquitto);
    let own = door.authority.sign_for_days(&door.folder, "brief", "acme-s0042-edge-1", 20);
    let mut node = Node::at(door.remote(Some(own)));
    let Trouble::CertificateExpiring { which, not_after_s } = node.trouble("renew it") else { panic!("expiring") };
    assert_eq!((which, Some(not_after_s)), ("broker.cert_file", node.validity.own_s()));
    node.release();
    assert_eq!(node.await_drained(PATIENCE).done, 1, "it holds");
}

#[test]
fn a_broker_whose_certificate_has_expired_or_is_for_another_name_is_not_believed() {
    for (called, is_expired, words) in
        [("localhost", true, "the broker's certificate has expired"), ("elsewhere", false, "not for the name")]
    {
        let (folder, authority) = (Folder::in_tmp(), Authority::new("authority"));
        let ca_file = authority.file(&folder, "ca.pem");
        let [cert, key] = match is_expired {
            true => authority.sign_expired(&folder, "broker", "broker", &[called]),
            false => authority.sign(&folder, "broker", "broker", &[called]),
        };
        let (port, held) = free_port();
        drop(held);
        let text = format!(
            "user root\nlistener {port} 127.0.0.1\nallow_anonymous true\ncafile {ca_file}\ncertfile {cert}\nkeyfile {key}\n"
        );
        let mut command = mosquitto(&folder, &text);
        let mut broker = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("make setup");
        await_port(port, true);
        let tls = Some(Tls { ca_file: Some(ca_file.into()), own: None });
        let mut node = Node::at(Remote { tls, ..Remote::plain("localhost", port) });
        node.release();
        node.trouble(words);
        assert_eq!(node.vault.counts().done, 0);
        if is_expired {
            assert_eq!(node.validity.broker_s(), Some(1_577_836_800), "2020-01-01, and said so");
        }
        let _ = (broker.kill(), broker.wait());
    }
}

const PATIENCE: Duration = Duration::from_secs(60);
