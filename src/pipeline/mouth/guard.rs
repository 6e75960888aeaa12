//! The guard: ends the eye the moment the switch says so, whatever else this process is busy with.
//!
//! In: the switch in the store, opening hours, a signal. Out: [`Standing`], and an eye that is gone. Invariants: an eye runs only
//! while the guard holds it; between a stop and the end of the eye lie [`GLANCE`] and what the kernel needs to end a process; a
//! switch that cannot be read is off. It has a thread and a connection to the store of its own.

use std::os::fd::OwnedFd;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};
use tokio::sync::watch;

use crate::clock::utc_now;
use crate::config::hours::Hours;
use crate::publish::period::{Calendar, Span};
use crate::switch::{From, Mode, Turn};
use crate::vault::{SwitchReader, Vault};

/// Whether cameras are watched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// They are.
    On,
    /// The shop is closed.
    Closed,
    /// Another configuration is armed than this process runs.
    Changed,
    /// The switch is off.
    Off(Mode),
}

impl Standing {
    /// As it stands in health reports and events.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::On => Mode::Armed.name(),
            Self::Closed => "closed",
            Self::Changed => Mode::Setup.name(),
            Self::Off(mode) => mode.name(),
        }
    }
}

/// When cameras may be watched.
pub struct Terms {
    /// Hash of the site file that has to be armed.
    pub declaration: String,
    /// Opening hours, where there are some, and the shop's time.
    pub hours: Option<(Calendar, Hours)>,
}

/// Holds the eye, and lets go of it when it has to end.
pub struct Guard {
    held: Arc<Held>,
    standing: watch::Receiver<Standing>,
}

#[derive(Default)]
struct Held {
    is_on: AtomicBool,
    eye: Mutex<Option<OwnedFd>>,
}

impl Guard {
    /// Begins to look at the switch of a store; `None` for a store that has none to look at.
    #[must_use]
    pub fn over(vault: &Arc<Vault>, terms: Terms) -> Option<Self> {
        let reader = vault.switch_reader()?;
        let signalled = Arc::new(AtomicBool::new(false));
        // Where no handler can be set, the signal ends the whole process: that stops it as well.
        let _ = signal_hook::flag::register(signal_hook::consts::SIGUSR1, Arc::clone(&signalled));
        let (held, vault) = (Arc::<Held>::default(), Arc::downgrade(vault));
        let first = standing(&reader, &terms);
        held.is_on.store(first == Standing::On, Ordering::Release);
        let (sender, receiver) = watch::channel(first);
        let watched = Arc::downgrade(&held);
        std::thread::spawn(move || {
            let _blind = Blind(Weak::clone(&watched));
            look(&reader, &terms, (&watched, &vault), &signalled, &sender);
        });
        Some(Self { held, standing: receiver })
    }

    /// Whether cameras are watched.
    #[must_use]
    pub fn standing(&self) -> Standing {
        *self.standing.borrow()
    }

    /// Tells of every change.
    #[must_use]
    pub fn changes(&self) -> watch::Receiver<Standing> {
        self.standing.clone()
    }

    /// Takes an eye that has just been started; false, and the eye is ended, where none may run.
    pub fn hold(&self, process: u32) -> bool {
        let pid = i32::try_from(process).ok().and_then(Pid::from_raw);
        let Some(eye) = pid.and_then(|pid| pidfd_open(pid, PidfdFlags::empty()).ok()) else { return false };
        *self.held.eye() = Some(eye);
        // Whoever switched it off just before has not seen this eye.
        let is_on = self.held.is_on.load(Ordering::Acquire);
        if !is_on {
            self.held.let_go();
        }
        is_on
    }
}

impl Held {
    fn eye(&self) -> std::sync::MutexGuard<'_, Option<OwnedFd>> {
        self.eye.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Ends the eye.
    fn let_go(&self) {
        if let Some(eye) = self.eye().take() {
            // One that is gone already is as good.
            let _ = pidfd_send_signal(eye, Signal::KILL);
        }
    }
}

/// Ends the eye when whoever looks at the switch is gone, for whatever reason.
struct Blind(Weak<Held>);

impl Drop for Blind {
    fn drop(&mut self) {
        if let Some(held) = self.0.upgrade() {
            held.is_on.store(false, Ordering::Release);
            held.let_go();
        }
    }
}

/// Looks until nobody holds the guard any more.
fn look(
    reader: &SwitchReader,
    terms: &Terms,
    (held, vault): (&Weak<Held>, &Weak<Vault>),
    signalled: &AtomicBool,
    sender: &watch::Sender<Standing>,
) {
    while let Some(held) = held.upgrade() {
        let is_signalled = signalled.swap(false, Ordering::AcqRel);
        let now = if is_signalled { Standing::Off(Mode::PausedHere) } else { standing(reader, terms) };
        held.is_on.store(now == Standing::On, Ordering::Release);
        if now != Standing::On {
            held.let_go();
        }
        if let Some(vault) = vault.upgrade().filter(|_| is_signalled) {
            // What finds no room holds all the same, and is written later.
            let _ = vault.turn(&Turn::Pause(From::Here), "signal", None);
        }
        sender.send_if_modified(|standing| std::mem::replace(standing, now) != now);
        drop(held);
        std::thread::sleep(GLANCE);
    }
}

fn standing(reader: &SwitchReader, terms: &Terms) -> Standing {
    match reader.read() {
        Some(switch) if switch.is_on(&terms.declaration) => {
            if terms.is_open() {
                Standing::On
            } else {
                Standing::Closed
            }
        }
        Some(switch) if switch.mode() != Mode::Armed => Standing::Off(switch.mode()),
        Some(_) => Standing::Changed,
        None => Standing::Off(Mode::PausedHere),
    }
}

impl Terms {
    /// Whether the shop is open, or closed so lately that its last window is not told yet.
    fn is_open(&self) -> bool {
        let Some((calendar, hours)) = &self.hours else { return true };
        let now_s = utc_now().0.div_euclid(1000);
        [now_s, now_s - CLOSING_S].into_iter().any(|at_s| {
            let moment = Span { from_s: at_s, to_s: at_s + 1 };
            !calendar.within(moment, Some(*hours)).spans().is_empty()
        })
    }
}

/// Between two looks: a stop has to be over within a second.
const GLANCE: Duration = Duration::from_millis(50);
/// An eye is left this long after closing time, s, to tell the window that closed with the shop
/// ([`crate::config::WINDOW_GRACE_S`] and what the telling takes). What it sees meanwhile belongs to a window that is never released.
const CLOSING_S: i64 = crate::config::WINDOW_GRACE_S as i64 + 5;
