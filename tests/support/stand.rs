//! Brokers as shops run them, to be killed and frozen: mosquitto with and without a memory, behind certificates and rights,
//! as `kehai` itself starts it, NATS alone and as three, RabbitMQ. Each on ports of its own, its files in a folder of the test.

use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use kehai::config::broker::{Own, Remote, Tls};
use kehai::publish::broker::EmbeddedBroker;

use super::broker::{Got, Listener, await_port, free_port};
use super::folder::{Folder, in_repository, read};
use super::papers::Authority;

/// Which broker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// mosquitto that keeps nothing on disk.
    Forgetful,
    /// mosquitto that writes its sessions down when it is asked to end.
    Mindful,
    /// mosquitto as deploy/broker ships it: TLS, a certificate for each client, rights.
    Guarded,
    /// The one that `kehai` starts by itself.
    Embedded,
    /// As many NATS servers as one cluster.
    Nats(usize),
    /// RabbitMQ.
    Rabbit,
}

/// A broker that may be running.
pub struct Stand {
    kind: Kind,
    folder: Folder,
    /// Where nodes come in.
    pub port: u16,
    /// Where those behind the first, and what lies between them, are.
    others: Vec<u16>,
    children: Vec<Child>,
    embedded: Option<EmbeddedBroker>,
}

impl Stand {
    /// A broker that does not run yet.
    pub fn new(kind: Kind) -> Self {
        let port = || free_port().0;
        let folder = Folder::in_tmp();
        if kind == Kind::Guarded {
            let authority = Authority::new("authority");
            authority.file(&folder, "ca.pem");
            authority.sign(&folder, "broker", "broker", &["localhost", "127.0.0.1"]);
            authority.sign(&folder, "node", "acme-s0042-edge-1", &[]);
            authority.sign(&folder, "ears", "ears", &[]);
        }
        let others = (0..9).map(|_| port()).collect();
        Self { kind, folder, port: port(), others, children: Vec::new(), embedded: None }
    }

    /// The broker as a site file names it, behind a way that leads from this port.
    pub fn remote(&self, way: u16) -> Remote {
        let plain = Remote::plain("127.0.0.1", way);
        if self.kind != Kind::Guarded {
            return plain;
        }
        let path = |name: &str| self.folder.path(name).into();
        let own = Own { cert_file: path("node.pem"), key_file: path("node.key") };
        Remote { tls: Some(Tls { ca_file: Some(path("ca.pem")), own: Some(own) }), ..plain }
    }

    /// What a client of mosquitto's says to be let in.
    fn way_in(&self) -> Vec<String> {
        let mut words: Vec<String> = ["-V", "mqttv311", "-h", "127.0.0.1"].map(str::to_owned).to_vec();
        if self.kind == Kind::Guarded {
            for (flag, file) in [("--cafile", "ca.pem"), ("--cert", "ears.pem"), ("--key", "ears.key")] {
                words.extend([flag.to_owned(), self.folder.path(file)]);
            }
        }
        words
    }

    /// Starts it, or starts it again, and waits until it takes clients.
    pub fn start(&mut self) {
        let commands = match self.kind {
            Kind::Forgetful | Kind::Mindful => vec![self.mosquitto(&self.settings())],
            Kind::Guarded => vec![self.mosquitto(&self.shipped_settings())],
            Kind::Embedded => {
                self.embedded = Some(EmbeddedBroker::start(self.port).expect("the port is free again"));
                vec![]
            }
            Kind::Nats(servers) => (0..servers).map(|server| self.nats(server, servers)).collect(),
            Kind::Rabbit => vec![self.rabbit()],
        };
        for mut command in commands {
            command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).process_group(0);
            self.children.push(command.spawn().unwrap_or_else(|error| panic!("{:?}: {error}; {INSTALLED}", self.kind)));
        }
        if self.kind == Kind::Rabbit {
            let begun = Instant::now();
            while std::net::TcpStream::connect(("127.0.0.1", self.port)).is_err() {
                assert!(begun.elapsed() < Duration::from_secs(90), "RabbitMQ does not come up");
                std::thread::sleep(Duration::from_millis(100));
            }
        } else {
            await_port(self.port, true);
        }
    }

    /// Ends it by a signal and waits until it is gone; the embedded one is always killed.
    pub fn end(&mut self, signal: i32) {
        self.embedded = None;
        self.signal(signal);
        for mut child in self.children.drain(..) {
            child.wait().expect("a child can be waited for");
        }
    }

    /// Ends one of several servers.
    pub fn end_one(&mut self, server: usize, signal: i32) {
        let mut child = self.children.remove(server);
        send(&child, signal);
        child.wait().expect("a child can be waited for");
    }

    /// Starts one of several servers again.
    pub fn start_one(&mut self, server: usize) {
        let Kind::Nats(servers) = self.kind else { panic!("there is one") };
        let mut command = self.nats(server, servers);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).process_group(0);
        self.children.insert(server, command.spawn().expect(INSTALLED));
    }

    /// Where a server of a cluster takes clients that speak its own tongue.
    pub fn client_port(&self, server: usize) -> u16 {
        self.others[server]
    }

    /// Stops it where it stands, or lets it go on.
    pub fn freeze(&self, is_frozen: bool) {
        self.signal(if is_frozen { libc::SIGSTOP } else { libc::SIGCONT });
    }

    fn signal(&self, signal: i32) {
        self.children.iter().for_each(|child| send(child, signal));
    }

    /// Begins to hear everything: from here on nothing is missed.
    pub fn ears(&self) -> Ears {
        let mut words = self.way_in();
        match self.kind {
            // What it has acknowledged it has handed to whoever listens without receipts.
            Kind::Forgetful | Kind::Mindful | Kind::Guarded | Kind::Embedded => {
                words.extend(["-q", "0"].map(str::to_owned));
            }
            // What it has acknowledged lies on its disk for whoever it knows.
            Kind::Nats(_) | Kind::Rabbit => words.extend(["-q", "1", "-c", "-i", "ears"].map(str::to_owned)),
        }
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let listener = Listener::at(self.port, &words);
        let mut ears = Ears { listener, got: Vec::new() };
        let begun = Instant::now();
        while !ears.hears_within(Duration::from_millis(100), |got| got.topic == CALL) {
            assert!(begun.elapsed() < PATIENCE, "the subscriber does not come");
            self.call(CALL);
        }
        ears
    }

    /// Publishes a message of ours; whether the broker took it is not asked.
    pub fn call(&self, topic: &str) {
        let mut client = Command::new("mosquitto_pub");
        client.args(self.way_in()).args(["-p", &self.port.to_string(), "-q", "1", "-t", topic, "-m", "-"]);
        client.stderr(Stdio::null()).status().expect(INSTALLED);
    }

    fn settings(&self) -> String {
        let port = self.port;
        let plain = format!("listener {port} 127.0.0.1\nallow_anonymous true\nuser root\nmax_queued_messages 100000\n");
        if self.kind == Kind::Forgetful {
            return plain;
        }
        format!("{plain}persistence true\npersistence_location {}/\n", self.folder.path(""))
    }

    /// The settings we ship, at paths and a port of this test, and with rights for whoever listens here.
    fn shipped_settings(&self) -> String {
        let shipped = |name: &str| String::from_utf8(read(&in_repository(name))).expect("text");
        let rights = format!("{}\nuser ears\ntopic readwrite #\n", shipped("deploy/broker/acl"));
        self.folder.write("acl", rights);
        shipped("deploy/broker/mosquitto.conf")
            .replace("/etc/mosquitto/kehai/", &self.folder.path(""))
            .replace("/var/lib/mosquitto/", &self.folder.path(""))
            .replace("listener 8883", &format!("user root\nlistener {} 127.0.0.1", self.port))
    }

    fn mosquitto(&self, settings: &str) -> Command {
        let config = self.folder.write("mosquitto.conf", format!("{settings}\nlog_type none\n"));
        let mut command = Command::new(kehai::publish::broker::find_program().expect(INSTALLED));
        command.args(["-c", &config]);
        command
    }

    fn nats(&self, server: usize, servers: usize) -> Command {
        let [client, between] = [self.others[server], self.others[3 + server]];
        let mqtt = if server == 0 { self.port } else { self.others[6 + server] };
        let store = self.folder.path(&format!("nats-{server}"));
        let mut text = format!(
            "server_name: n{server}\nlisten: 127.0.0.1:{client}\njetstream {{ store_dir: \"{store}\" }}\n\
             mqtt {{ listen: \"127.0.0.1:{mqtt}\" }}\n"
        );
        if servers > 1 {
            let routes: Vec<String> =
                (0..servers).map(|other| format!("nats-route://127.0.0.1:{}", self.others[3 + other])).collect();
            text += &format!("cluster {{ name: k, listen: 127.0.0.1:{between}, routes: [{}] }}\n", routes.join(", "));
        }
        let config = self.folder.write(&format!("nats-{server}.conf"), text);
        let mut command = Command::new("nats-server");
        command.args(["-c", &config]);
        command
    }

    fn rabbit(&self) -> Command {
        let path = |name: &str| self.folder.path(name);
        let config = format!(
            "listeners.tcp.default = {}\nmqtt.listeners.tcp.default = {}\nmqtt.allow_anonymous = true\n\
             mqtt.default_user = guest\nmqtt.default_pass = guest\nmqtt.prefetch = 100\n",
            self.others[0], self.port
        );
        self.folder.write("rabbitmq.conf", config);
        self.folder.write("enabled_plugins", "[rabbitmq_mqtt].\n");
        // The script of the server itself: the one in the PATH becomes another user.
        let mut command = Command::new("/usr/lib/rabbitmq/bin/rabbitmq-server");
        command.envs([
            ("HOME", path("")),
            ("RABBITMQ_NODENAME", format!("kehai{}@localhost", self.port)),
            ("RABBITMQ_CONFIG_FILE", path("rabbitmq")),
            ("RABBITMQ_CONF_ENV_FILE", path("none")),
            ("RABBITMQ_ENABLED_PLUGINS_FILE", path("enabled_plugins")),
            ("RABBITMQ_MNESIA_BASE", path("mnesia")),
            ("RABBITMQ_LOG_BASE", path("log")),
            ("RABBITMQ_PID_FILE", path("pid")),
            ("RABBITMQ_DIST_PORT", self.others[1].to_string()),
            ("ERL_EPMD_PORT", self.others[2].to_string()),
            ("ERL_EPMD_ADDRESS", "127.0.0.1".to_owned()),
            // It may be asked to end while a killed server still stands in its list.
            ("ERL_EPMD_RELAXED_COMMAND_CHECK", "1".to_owned()),
        ]);
        command
    }
}

impl Drop for Stand {
    fn drop(&mut self) {
        self.signal(libc::SIGKILL);
        for mut child in self.children.drain(..) {
            let _ = child.wait();
        }
        if self.kind == Kind::Rabbit {
            // Erlang's port mapper is nobody's child.
            let port = self.others[2].to_string();
            let _ = Command::new("epmd")
                .args(["-port", &port, "-kill"])
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .status();
        }
    }
}

/// A subscriber of everything, and what it has heard so far.
pub struct Ears {
    listener: Listener,
    /// What it has heard so far.
    pub got: Vec<Got>,
}

impl Ears {
    /// Whether something is heard within a time.
    pub fn hears_within(&mut self, patience: Duration, is_it: impl Fn(&Got) -> bool) -> bool {
        let begun = Instant::now();
        while let Some(left) = patience.checked_sub(begun.elapsed()) {
            let Ok(got) = self.listener.heard.recv_timeout(left) else { return false };
            self.got.push(got);
            if self.got.last().is_some_and(&is_it) {
                return true;
            }
        }
        false
    }

    /// Waits until so many windows were heard in all.
    pub fn await_windows(&mut self, count: usize) {
        let begun = Instant::now();
        while self.windows() < count {
            assert!(begun.elapsed() < PATIENCE, "{} of {count} windows were heard", self.windows());
            self.hears_within(Duration::from_millis(100), |_| true);
        }
    }

    /// Windows heard so far.
    pub fn windows(&self) -> usize {
        self.got.iter().filter(|got| got.is_window()).count()
    }

    /// All it hears until it has been silent for a while.
    pub fn rest(mut self, silence: Duration) -> Vec<Got> {
        while self.hears_within(silence, |_| true) {}
        self.got.retain(|got| got.topic != CALL);
        self.got
    }
}

fn send(child: &Child, signal: i32) {
    // SAFETY: a plain system call to a process group this test has made and not yet buried.
    unsafe {
        libc::kill(-(child.id() as i32), signal);
    }
}

const CALL: &str = "call";
/// Longest a message may take, and a subscriber to come.
const PATIENCE: Duration = Duration::from_secs(60);
const INSTALLED: &str = "the brokers are installed (scripts/setup --acceptance)";
