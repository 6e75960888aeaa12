//! A broker that does what no broker should, on cue: it is told what to answer to each packet, and may be told to behave.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use super::broker::{Got, free_port};

/// A packet as it came.
pub struct Came {
    /// Type of the packet: MQTT 5.0, §2.1.2.
    pub kind: u8,
    /// Its number; 0 where it has none.
    pub number: u16,
    /// Messages that wanted a receipt on this connection, with this one.
    pub messages: usize,
    is_five: bool,
}

/// What is done about a packet.
pub enum Deed {
    /// What a broker answers.
    Answer,
    /// The answer, and then this.
    AnswerAnd(Vec<u8>),
    /// The answer, and then this ten times a second for so long, whatever else is said.
    AnswerAndStream(Vec<u8>, Duration),
    /// The answer, so much later; whatever comes meanwhile waits.
    AnswerAfter(Duration),
    /// No answer now, and heard all the same.
    Hear,
    /// This and not the answer.
    Say(Vec<u8>),
    /// Nothing.
    Ignore,
    /// The end of the connection.
    HangUp,
}

type Manner = Box<dyn Fn(&Came) -> Deed + Send>;

/// A broker of bad manners.
pub struct Imp {
    pub port: u16,
    state: Arc<State>,
}

struct State {
    manner: Mutex<Manner>,
    heard: Mutex<Vec<Got>>,
    come: AtomicUsize,
    is_over: AtomicBool,
}

impl Imp {
    /// One that answers as it is told.
    pub fn new(manner: impl Fn(&Came) -> Deed + Send + 'static) -> Self {
        let (port, listener) = free_port();
        let (manner, heard) = (Mutex::new(Box::new(manner) as Manner), Mutex::default());
        let state = Arc::new(State { manner, heard, come: AtomicUsize::new(0), is_over: AtomicBool::new(false) });
        let shared = Arc::clone(&state);
        std::thread::spawn(move || {
            for node in listener.incoming().flatten() {
                if shared.is_over.load(Ordering::Relaxed) {
                    return;
                }
                shared.come.fetch_add(1, Ordering::Relaxed);
                let shared = Arc::clone(&shared);
                // How a connection ends is the node's business.
                std::thread::spawn(move || shared.serve(node));
            }
        });
        Self { port, state }
    }

    /// Answers otherwise from now on, also on connections that stand.
    pub fn turns(&self, manner: impl Fn(&Came) -> Deed + Send + 'static) {
        *self.state.manner.lock().expect("sound") = Box::new(manner);
    }

    /// Is a broker as it should be from now on.
    pub fn repents(&self) {
        self.turns(|_| Deed::Answer);
    }

    /// How many came.
    pub fn come(&self) -> usize {
        self.state.come.load(Ordering::Relaxed)
    }

    /// What it has given a receipt for.
    pub fn heard(&self) -> Vec<Got> {
        self.state.heard.lock().expect("sound").clone()
    }
}

impl Drop for Imp {
    fn drop(&mut self) {
        self.state.is_over.store(true, Ordering::Relaxed);
        // It waits for somebody to come.
        let _ = TcpStream::connect(("127.0.0.1", self.port));
    }
}

impl State {
    fn serve(&self, mut node: TcpStream) -> std::io::Result<()> {
        let (mut messages, mut is_five) = (0, true);
        loop {
            let (first, body) = packet(&mut node)?;
            let kind = first >> 4;
            if kind == CONNECT {
                is_five = body.get(6) == Some(&5);
            }
            let wants_receipt = kind == PUBLISH && first & 0b110 != 0;
            messages += usize::from(wants_receipt);
            let at = if kind == PUBLISH { 2 + usize::from(u16::from_be_bytes([body[0], body[1]])) } else { 0 };
            let has_number = wants_receipt || kind == SUBSCRIBE;
            let number = if has_number { u16::from_be_bytes([body[at], body[at + 1]]) } else { 0 };
            let came = Came { kind, number, messages, is_five };
            let deed = self.manner.lock().expect("sound")(&came);
            if !matches!(deed, Deed::Say(_) | Deed::Ignore | Deed::HangUp) && wants_receipt {
                self.note(&body, at, is_five);
            }
            match deed {
                Deed::Answer => node.write_all(&came.answer())?,
                Deed::AnswerAnd(more) => node.write_all(&[came.answer(), more].concat())?,
                Deed::AnswerAndStream(bytes, length) => {
                    node.write_all(&came.answer())?;
                    let mut stream = node.try_clone()?;
                    std::thread::spawn(move || {
                        let begun = Instant::now();
                        while begun.elapsed() < length && stream.write_all(&bytes).is_ok() {
                            std::thread::sleep(Duration::from_millis(100));
                        }
                    });
                }
                Deed::AnswerAfter(pause) => {
                    std::thread::sleep(pause);
                    node.write_all(&came.answer())?;
                }
                Deed::Say(bytes) => node.write_all(&bytes)?,
                Deed::Ignore | Deed::Hear => {}
                Deed::HangUp => return node.shutdown(Shutdown::Both),
            }
        }
    }

    fn note(&self, body: &[u8], at: usize, is_five: bool) {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        // Ours have few properties: their length takes one byte.
        let begin = at + 2 + if is_five { 1 + usize::from(body[at + 2]) } else { 0 };
        self.heard.lock().expect("sound").push(Got {
            retained: false,
            qos: 1,
            topic: text(&body[2..at]),
            body: text(&body[begin..]),
        });
    }
}

impl Came {
    /// Whether it is a message that wants a receipt.
    pub fn is_message(&self) -> bool {
        self.kind == PUBLISH && self.number != 0
    }

    /// What a broker answers.
    pub fn answer(&self) -> Vec<u8> {
        let [high, low] = self.number.to_be_bytes();
        match (self.kind, self.is_five) {
            (CONNECT, true) => vec![0x20, 3, 0, 0, 0],
            (CONNECT, false) => vec![0x20, 2, 0, 0],
            (PUBLISH, _) if self.number != 0 => vec![0x40, 2, high, low],
            (SUBSCRIBE, true) => vec![0x90, 4, high, low, 0, 0],
            (SUBSCRIBE, false) => vec![0x90, 3, high, low, 0],
            (PINGREQ, _) => vec![0xD0, 0],
            _ => Vec::new(),
        }
    }
}

/// First byte and body of the next packet.
fn packet(node: &mut TcpStream) -> std::io::Result<(u8, Vec<u8>)> {
    let mut byte = || {
        let mut byte = [0];
        node.read_exact(&mut byte).map(|()| byte[0])
    };
    let (first, mut length, mut shift) = (byte()?, 0, 0);
    loop {
        let more = byte()?;
        length |= usize::from(more & 0x7F) << shift;
        shift += 7;
        if more & 0x80 == 0 {
            break;
        }
    }
    let mut body = vec![0; length];
    node.read_exact(&mut body)?;
    Ok((first, body))
}

/// A message nobody asked for, at most once.
pub fn message(topic: &str, body: &[u8]) -> Vec<u8> {
    let length = 2 + topic.len() + 1 + body.len();
    assert!(length < 1 << 14, "two bytes of length are enough");
    let mut packet = vec![0x30, (length & 0x7F) as u8 | 0x80, (length >> 7) as u8];
    packet.extend((topic.len() as u16).to_be_bytes());
    packet.extend(topic.as_bytes());
    packet.push(0);
    packet.extend(body);
    packet
}

pub const CONNECT: u8 = 1;
const PUBLISH: u8 = 3;
pub const SUBSCRIBE: u8 = 8;
const PINGREQ: u8 = 12;
