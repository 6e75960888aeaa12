//! The way between a node and its broker, in the hands of a test: it counts who comes, is shut, frozen or cut on cue.

use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::broker::free_port;

/// A way that leads from a port of its own to that of a broker.
pub struct Way {
    /// Where nodes come in.
    pub port: u16,
    state: Arc<State>,
}

#[derive(Default)]
struct State {
    behind: Mutex<u16>,
    is_shut: AtomicBool,
    is_frozen: AtomicBool,
    /// Whether what comes back from the broker is thrown away.
    is_swallowing: AtomicBool,
    is_over: AtomicBool,
    come: AtomicUsize,
    generation: AtomicUsize,
    /// Whoever says this is hung up on.
    taboo: Mutex<Option<Vec<u8>>>,
    /// What the next who come get to hear, before they are hung up on.
    answers: Mutex<Vec<Vec<u8>>>,
}

impl Way {
    /// An open way to a port.
    pub fn to(behind: u16) -> Self {
        let (port, listener) = free_port();
        let state = Arc::<State>::default();
        *state.behind.lock().expect("sound") = behind;
        let shared = Arc::clone(&state);
        std::thread::spawn(move || {
            for node in listener.incoming().flatten() {
                if shared.is_over.load(Ordering::Relaxed) {
                    return;
                }
                shared.come.fetch_add(1, Ordering::Relaxed);
                let shared = Arc::clone(&shared);
                // A way that cannot be gone is one more hang-up for the node.
                std::thread::spawn(move || shared.lead(node));
            }
        });
        Self { port, state }
    }

    /// How many came, let through or not.
    pub fn come(&self) -> usize {
        self.state.come.load(Ordering::Relaxed)
    }

    /// Hangs up on all who come, and on all who are there.
    pub fn shut(&self) {
        self.state.is_shut.store(true, Ordering::Relaxed);
        self.cut();
    }

    pub fn open(&self) {
        self.state.is_shut.store(false, Ordering::Relaxed);
    }

    /// Lets nothing pass in either direction, and ends nothing.
    pub fn freeze(&self, is_frozen: bool) {
        self.state.is_frozen.store(is_frozen, Ordering::Relaxed);
        // Whoever was reading when it froze still hands that on.
        std::thread::sleep(3 * LOOK);
    }

    /// Throws away what the broker answers from here on, and ends nothing.
    pub fn swallow(&self, is_swallowing: bool) {
        self.state.is_swallowing.store(is_swallowing, Ordering::Relaxed);
        std::thread::sleep(3 * LOOK);
    }

    /// Hangs up on all who are there.
    pub fn cut(&self) {
        self.state.generation.fetch_add(1, Ordering::Relaxed);
    }

    /// Hangs up on whoever says this.
    pub fn forbid(&self, words: &[u8]) {
        *self.state.taboo.lock().expect("sound") = Some(words.to_vec());
    }

    /// Lets the next who come hear these instead of the broker, one each, and hangs up.
    pub fn answer(&self, answers: &[&[u8]]) {
        *self.state.answers.lock().expect("sound") = answers.iter().rev().map(|answer| answer.to_vec()).collect();
    }
}

impl Drop for Way {
    fn drop(&mut self) {
        self.state.is_over.store(true, Ordering::Relaxed);
        self.cut();
        // Wakes the listener, which then ends.
        let _ = TcpStream::connect(("127.0.0.1", self.port));
    }
}

impl State {
    fn lead(self: &Arc<Self>, mut node: TcpStream) -> std::io::Result<()> {
        if self.is_shut.load(Ordering::Relaxed) {
            return Ok(());
        }
        let answer = self.answers.lock().expect("sound").pop();
        if let Some(answer) = answer {
            node.set_read_timeout(Some(Duration::from_secs(2)))?;
            let _ = node.read(&mut [0; 4096])?;
            return node.write_all(&answer);
        }
        let behind = *self.behind.lock().expect("sound");
        let broker = TcpStream::connect(("127.0.0.1", behind))?;
        let generation = self.generation.load(Ordering::Relaxed);
        let (back, there) = (broker.try_clone()?, node.try_clone()?);
        let shared = Arc::clone(self);
        std::thread::spawn(move || shared.carry(back, there, generation, false));
        self.carry(node, broker, generation, true)
    }

    /// Carries bytes one way until either end or the way itself is over.
    fn carry(&self, mut from: TcpStream, mut to: TcpStream, generation: usize, is_out: bool) -> std::io::Result<()> {
        from.set_read_timeout(Some(LOOK))?;
        let mut bytes = [0; 16 * 1024];
        // The end of what came before, for words may come in two pieces.
        let mut said = Vec::new();
        loop {
            let is_current = self.generation.load(Ordering::Relaxed) == generation;
            if self.is_frozen.load(Ordering::Relaxed) && is_current {
                std::thread::sleep(LOOK);
                continue;
            }
            let read = if is_current { from.read(&mut bytes) } else { Ok(0) };
            match read {
                Ok(0) => break,
                Ok(_) if !is_out && self.is_swallowing.load(Ordering::Relaxed) => {}
                Ok(length) => {
                    if is_out && self.is_taboo(&mut said, &bytes[..length]) {
                        break;
                    }
                    if to.write_all(&bytes[..length]).is_err() {
                        break;
                    }
                }
                Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {}
                Err(_) => break,
            }
        }
        // Gone already is as good.
        let _ = (from.shutdown(Shutdown::Both), to.shutdown(Shutdown::Both));
        Ok(())
    }

    fn is_taboo(&self, said: &mut Vec<u8>, more: &[u8]) -> bool {
        let taboo = self.taboo.lock().expect("sound");
        let Some(words) = taboo.as_ref() else { return false };
        said.extend_from_slice(more);
        let is_said = said.windows(words.len()).any(|window| window == words.as_slice());
        said.drain(..said.len().saturating_sub(words.len()));
        is_said
    }
}

/// How long a way is looked down before its orders are looked at again.
const LOOK: Duration = Duration::from_millis(5);
