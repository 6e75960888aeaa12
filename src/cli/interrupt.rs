//! Ctrl-C, heard between two steps of long work, so that what was begun is put away.
//!
//! In: the signals of this process. Out: exit 130 at the next step.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::time::Duration;

use tokio::signal::unix::{SignalKind, signal};

use crate::cli::{CHECK_FAILED, Failure, INTERRUPTED};

/// Whether somebody wants an end.
pub struct Interrupt {
    is_wanted: Arc<AtomicBool>,
    words: &'static str,
}

impl Interrupt {
    /// Listens from here on; `words` say what an end leaves behind.
    ///
    /// # Errors
    /// Exit 1 where the system gives no thread.
    pub fn listen(words: &'static str) -> Result<Self, Failure> {
        let failed = |error: std::io::Error| Failure::new(CHECK_FAILED, error.to_string());
        let interrupt = Self { is_wanted: Arc::default(), words };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let (flag, runtime) = (Arc::clone(&interrupt.is_wanted), runtime.map_err(failed)?);
        // Asked for before anything is begun: until then a signal simply ends the process.
        let asked = {
            let _inside = runtime.enter();
            [SignalKind::interrupt(), SignalKind::terminate()].map(signal)
        };
        let [interrupted, terminated] = asked;
        let (mut interrupted, mut terminated) = (interrupted.map_err(failed)?, terminated.map_err(failed)?);
        let listen = move || {
            runtime.block_on(async {
                tokio::select! {
                    _ = interrupted.recv() => {}
                    _ = terminated.recv() => {}
                }
            });
            flag.store(true, SeqCst);
        };
        std::thread::Builder::new().name("signals".into()).spawn(listen).map_err(failed)?;
        Ok(interrupt)
    }

    /// Says so where somebody wants an end.
    ///
    /// # Errors
    /// Exit 130.
    pub fn check(&self) -> Result<(), Failure> {
        if self.is_wanted.load(SeqCst) { Err(Failure::new(INTERRUPTED, self.words)) } else { Ok(()) }
    }

    /// Waits for so long, or for an end.
    ///
    /// # Errors
    /// Exit 130.
    pub fn pause(&self, time: Duration) -> Result<(), Failure> {
        for _ in 0..time.as_millis().div_ceil(STEP.as_millis()) {
            self.check()?;
            std::thread::sleep(STEP);
        }
        self.check()
    }
}

const STEP: Duration = Duration::from_millis(10);
