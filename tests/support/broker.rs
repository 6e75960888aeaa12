//! A real broker and a client that is not ours: mosquitto and its command-line clients, on loopback.
//!
//! What is published is heard as it comes, by a subscriber who stays: mosquitto 2.0.11 does not always bring the session of
//! one who was away back. The broker is never restarted either; what a broker's absence is to a node, the way to it shows as
//! well ([`relay`]).

use std::io::{BufRead, BufReader, Read, Write, copy, sink};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU16, Ordering};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use super::folder::Folder;
use super::program::GLANCE;

/// A broker; ended when dropped.
pub struct Broker {
    child: Child,
    port: u16,
    ears: Mutex<Option<Ears>>,
}

/// A subscriber of everything, and what it has heard so far.
struct Ears {
    listener: Listener,
    got: Vec<Got>,
}

/// One message as a subscriber got it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Got {
    /// Whether the broker had kept it.
    pub retained: bool,
    /// Quality of service.
    pub qos: u8,
    /// Where it was published.
    pub topic: String,
    /// The payload.
    pub body: String,
}

impl Broker {
    /// Starts a broker at `port`, its settings in `folder`, and waits until it answers.
    pub fn start(port: u16, folder: &Folder) -> Self {
        Self::start_with("", port, folder)
    }

    /// As [`Broker::start`], with more settings.
    pub fn start_with(more: &str, port: u16, folder: &Folder) -> Self {
        let config = format!("listener {port} 127.0.0.1\nallow_anonymous true\nuser root\nlog_type none\n{more}\n");
        let config = folder.write("mosquitto.conf", config);
        let program = kehai::publish::broker::find_program().expect("mosquitto is installed (make setup)");
        let mut command = Command::new(program);
        command.args(["-c", &config]).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let child = command.spawn().expect("mosquitto starts");
        let broker = Self { child, port, ears: Mutex::new(None) };
        await_port(port, true);
        broker
    }

    /// Begins to hear everything: from here on nothing is missed.
    pub fn register(&self) {
        let ears = Ears { listener: self.listen(), got: Vec::new() };
        let begun = Instant::now();
        // Who hears a call is there.
        while ears.listener.heard.recv_timeout(GLANCE).is_err() {
            assert!(begun.elapsed() < PATIENCE, "the subscriber does not come");
            self.call(CALL);
        }
        *self.ears.lock().expect("one test, one thread") = Some(ears);
    }

    /// Hears all that is published from here on, as it comes, until it is dropped.
    pub fn listen(&self) -> Listener {
        Listener::of(self.client(&["-q", "1", "-t", "#", "-F", FORMAT]))
    }

    /// All that was published since [`Broker::register`].
    pub fn collect(&self) -> Vec<Got> {
        // What was published before this mark comes before it.
        self.call(MARK);
        self.hear(|got| got.topic == MARK);
        let mut ears = self.ears.lock().expect("one test, one thread");
        let got = std::mem::take(&mut ears.as_mut().expect("registered").got);
        got.into_iter().filter(|got| ![CALL, MARK].contains(&got.topic.as_str())).collect()
    }

    /// Waits for the first window since [`Broker::register`].
    pub fn first_window(&self) -> String {
        self.hear(Got::is_window).body
    }

    /// Listens until something is heard.
    fn hear(&self, is_it: impl Fn(&Got) -> bool) -> Got {
        let mut ears = self.ears.lock().expect("one test, one thread");
        let Ears { listener, got } = ears.as_mut().expect("registered");
        loop {
            let next = listener.heard.recv_timeout(PATIENCE).expect("the broker passes on what it was given");
            got.push(next);
            if let Some(found) = got.last().filter(|got| is_it(got)) {
                return found.clone();
            }
        }
    }

    /// Publishes a message of ours.
    fn call(&self, topic: &str) {
        let mut client = Command::new("mosquitto_pub");
        client.args(["-h", "127.0.0.1", "-p", &self.port.to_string(), "-q", "1", "-t", topic, "-m", "-"]);
        assert!(client.status().expect(INSTALLED).success());
    }

    /// What a subscriber finds who only comes now.
    pub fn kept(&self) -> Vec<Got> {
        let said = self.said(&["--retained-only", "-q", "1", "-t", "#", "-W", "3", "-F", FORMAT]);
        said.lines().map(Got::read).collect()
    }

    /// Runs a client to its end; gives what it printed.
    fn said(&self, arguments: &[&str]) -> String {
        let output = self.client(arguments).output().expect(INSTALLED);
        String::from_utf8(output.stdout).expect("payloads are UTF-8")
    }

    /// A client with these arguments.
    fn client(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new("mosquitto_sub");
        command.args(["-V", "5", "-h", "127.0.0.1", "-p", &self.port.to_string()]).args(arguments);
        command.stdin(Stdio::null()).stderr(Stdio::null());
        command
    }
}

/// A subscriber of everything that stays.
pub struct Listener {
    client: Child,
    /// What it hears.
    pub heard: Receiver<Got>,
}

impl Listener {
    /// A client with these arguments that hears everything at a port.
    pub fn at(port: u16, arguments: &[&str]) -> Self {
        let mut command = Command::new("mosquitto_sub");
        command.args(["-h", "127.0.0.1", "-p", &port.to_string(), "-t", "#", "-F", FORMAT]).args(arguments);
        Self::of(command)
    }

    fn of(mut command: Command) -> Self {
        command.stdin(Stdio::null()).stderr(Stdio::null()).stdout(Stdio::piped());
        let mut client = command.spawn().expect(INSTALLED);
        let (sender, heard) = channel();
        let lines = BufReader::new(client.stdout.take().expect("piped")).lines();
        std::thread::spawn(move || lines.map_while(Result::ok).try_for_each(|line| sender.send(Got::read(&line))));
        Self { client, heard }
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        // Ended already is as good.
        let _ = self.client.kill();
        let _ = self.client.wait();
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        // Ended already is as good.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Got {
    fn read(line: &str) -> Self {
        let mut parts = line.splitn(4, ' ');
        let mut next = || parts.next().expect("four parts").to_owned();
        let (retained, qos) = (next() == "1", next().parse().expect("a quality"));
        Self { retained, qos, topic: next(), body: next() }
    }

    /// Whether it is a window.
    pub fn is_window(&self) -> bool {
        self.topic.contains("/win/")
    }
}

/// Lets nodes through to the broker at port `behind`. Where `first` is [`First::Swallowed`], what the first of them says
/// arrives, and after the receipts for its greeting nothing comes back, until the returned end of its way is cut.
pub fn relay(way: TcpListener, behind: u16, first: First) -> Receiver<TcpStream> {
    let (sender, ends) = channel();
    std::thread::spawn(move || {
        for (number, node) in way.incoming().flatten().enumerate() {
            let broker = TcpStream::connect(("127.0.0.1", behind))?;
            let (mut said, mut heard) = (node.try_clone()?, broker.try_clone()?);
            std::thread::spawn(move || copy(&mut said, &mut heard));
            // Nobody may wait for the end of a way.
            let _ = sender.send(node.try_clone()?);
            let is_swallowed = number == 0 && first == First::Swallowed;
            std::thread::spawn(move || answer(broker, node, is_swallowed));
        }
        Ok::<(), std::io::Error>(())
    });
    ends
}

fn answer(mut broker: TcpStream, mut node: TcpStream, is_swallowed: bool) -> std::io::Result<u64> {
    if !is_swallowed {
        return copy(&mut broker, &mut node);
    }
    let mut welcome = [0; 256];
    let length = broker.read(&mut welcome)?;
    node.write_all(&welcome[..length])?;
    copy(&mut (&mut broker).take(GREETING_RECEIPTS_BYTES), &mut node)?;
    copy(&mut broker, &mut sink())
}

/// What becomes of the answers to the first node on its way.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum First {
    /// They arrive.
    Passed,
    /// They do not, after the greeting.
    Swallowed,
}

/// Waits until a broker at this port takes a message.
pub fn await_greeting(port: u16) {
    let begun = Instant::now();
    let mut hello = Command::new("mosquitto_pub");
    hello.args(["-h", "127.0.0.1", "-p", &port.to_string(), "-t", MARK, "-m", "hello"]);
    hello.stdout(Stdio::null()).stderr(Stdio::null());
    while !hello.status().expect(INSTALLED).success() {
        assert!(begun.elapsed().as_secs() < 10, "no broker takes messages at port {port}");
        std::thread::sleep(GLANCE);
    }
}

/// Waits until a port is open, or closed.
pub fn await_port(port: u16, open: bool) {
    let begun = Instant::now();
    while TcpStream::connect(("127.0.0.1", port)).is_ok() != open {
        assert!(
            begun.elapsed().as_secs() < 10,
            "port {port} should have become {}",
            if open { "open" } else { "closed" }
        );
        std::thread::sleep(GLANCE);
    }
}

/// A port nobody holds, and a listener that holds it until dropped.
///
/// Each is given once in a test run, and from below the range the kernel takes ports of its own choice from: between
/// the end of one holder and the begin of the next nobody else comes by.
pub fn free_port() -> (u16, TcpListener) {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let offset = (std::process::id() % 100) as u16 * 100;
    (0..500)
        .find_map(|_| {
            let port = 20_000 + (offset + NEXT.fetch_add(1, Ordering::Relaxed)) % 12_000;
            TcpListener::bind(("127.0.0.1", port)).ok().map(|listener| (port, listener))
        })
        .expect("loopback has free ports")
}

/// The subscription to commands, answered by six bytes (MQTT 5.0, §3.9); state, about and six times meta, each by four (§3.4).
const GREETING_RECEIPTS_BYTES: u64 = 6 + 8 * 4;
const MARK: &str = "mark";
const CALL: &str = "call";
/// Longest a message may take, and a subscriber to come.
const PATIENCE: Duration = Duration::from_secs(20);
/// Retained, quality, topic, payload.
const FORMAT: &str = "%r %q %t %p";
const INSTALLED: &str = "mosquitto-clients is installed (make setup)";
