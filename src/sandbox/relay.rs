//! The relay: presents the cameras' connections, which the mouth made, inside the eye's empty network.
//!
//! In: connections with the number of their door, at the control socket. Out: each is joined to the next reader of streams
//! that knocks at this door, and bytes go both ways. Invariants: a process of its own, forked before the walls are
//! raised, so that the eye never holds a connection of the machine's network: the kernel lets whoever holds one dissolve it
//! and connect it elsewhere (measured). The relay knows no picture, can connect nothing, open nothing and start nothing, and
//! wipes what it has carried. It ends with its eye and with its mouth.

use std::mem::MaybeUninit;
use std::net::TcpListener;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};

use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::{Errno, IoSliceMut};
use rustix::net::{
    RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, Shutdown, SocketFlags, accept_with, recvmsg, shutdown,
};
use zeroize::Zeroize;

use super::{limits, paths, privileges, syscalls};

/// Forks the relay, which has `control` and the doors, and nothing else. Whether it was forked.
pub(super) fn start(control: RawFd, doors: Vec<TcpListener>) -> bool {
    // SAFETY: this process has one thread, so that the child may go on as it is.
    match unsafe { libc::fork() } {
        0 => {
            let is_shut_in = shut_in(control, &doors);
            if is_shut_in {
                // SAFETY: the descriptor is the standard input of this process and stays open.
                serve(unsafe { BorrowedFd::borrow_raw(control) }, &doors);
            }
            // SAFETY: ends at once; what the parent had prepared for its own end is none of ours.
            unsafe { libc::_exit(i32::from(!is_shut_in)) }
        }
        child => child > 0,
    }
}

/// Closes what is not the relay's, and raises walls of its own.
fn shut_in(control: RawFd, doors: &[TcpListener]) -> bool {
    let kept: Vec<RawFd> = doors.iter().map(AsRawFd::as_raw_fd).chain([control]).collect();
    let Ok(open) = std::fs::read_dir("/proc/self/fd") else { return false };
    let open: Vec<RawFd> = open.flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok()).collect();
    for descriptor in open.into_iter().filter(|descriptor| !kept.contains(descriptor)) {
        // SAFETY: nobody in this process uses it any more; a number that is closed already does no harm.
        unsafe { libc::close(descriptor) };
    }
    let _ = rustix::thread::set_name(c"relay");
    let is_bound = doors.iter().all(|door| door.set_nonblocking(true).is_ok()) && privileges::drop_all();
    privileges::end_with_parent();
    // Landlock may be missing: the filter below opens nothing.
    paths::restrict(&[], &[], &[]);
    is_bound && limits::set() && syscalls::restrict_relay()
}

/// What waits at one door.
#[derive(Default)]
struct Door {
    cameras: Vec<OwnedFd>,
    readers: Vec<OwnedFd>,
}

/// Carries bytes until the mouth is gone.
fn serve(control: BorrowedFd<'_>, listeners: &[TcpListener]) {
    let mut doors: Vec<Door> = listeners.iter().map(|_| Door::default()).collect();
    let mut pairs: Vec<Pair> = Vec::new();
    loop {
        let Some(ready) = wait(control, listeners, &doors, &pairs) else { return };
        if ready.control && !take_connections(control, &mut doors) {
            return;
        }
        for (listener, door) in listeners.iter().zip(&mut doors) {
            while let Ok(reader) = accept_with(listener, SocketFlags::CLOEXEC | SocketFlags::NONBLOCK) {
                door.readers.push(reader);
                door.readers.drain(..door.readers.len().saturating_sub(WAITING_MAX));
            }
            door.cameras.retain(|camera| !is_over(camera, true));
            door.readers.retain(|reader| !is_over(reader, false));
            while !door.cameras.is_empty() && !door.readers.is_empty() {
                pairs.push(Pair::new(door.cameras.remove(0), door.readers.remove(0)));
            }
        }
        pairs.retain_mut(Pair::carry);
    }
}

struct Ready {
    control: bool,
}

/// Waits until something can be done; `None` when the mouth is gone.
fn wait(control: BorrowedFd<'_>, listeners: &[TcpListener], doors: &[Door], pairs: &[Pair]) -> Option<Ready> {
    let mut watched = vec![PollFd::new(&control, PollFlags::IN)];
    watched.extend(listeners.iter().map(|listener| PollFd::new(listener, PollFlags::IN)));
    for door in doors {
        watched.extend(door.cameras.iter().map(|camera| PollFd::new(camera, PollFlags::RDHUP)));
        watched.extend(door.readers.iter().map(|reader| PollFd::new(reader, PollFlags::RDHUP)));
    }
    for Pair { camera, reader, down, up } in pairs {
        watched.push(PollFd::new(camera, down.wants_in() | up.wants_out()));
        watched.push(PollFd::new(reader, up.wants_in() | down.wants_out()));
    }
    loop {
        match poll(&mut watched, None) {
            Ok(_) => break,
            Err(Errno::INTR) => {}
            Err(_) => return None,
        }
    }
    let said = watched[0].revents();
    let is_gone = said.intersects(PollFlags::HUP | PollFlags::ERR) && !said.contains(PollFlags::IN);
    (!is_gone).then_some(Ready { control: said.contains(PollFlags::IN) })
}

/// Takes one message from the mouth: the number of a door, u16 little-endian, and a connection. `false` at its end.
fn take_connections(control: BorrowedFd<'_>, doors: &mut [Door]) -> bool {
    let mut number = [0u8; 2];
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut ancillary = RecvAncillaryBuffer::new(&mut space);
    let received = recvmsg(control, &mut [IoSliceMut::new(&mut number)], &mut ancillary, RecvFlags::CMSG_CLOEXEC);
    match received {
        Ok(message) if message.bytes == number.len() => {}
        Err(Errno::INTR | Errno::AGAIN) => return true,
        _ => return false,
    }
    let sent = ancillary.drain().filter_map(|message| match message {
        RecvAncillaryMessage::ScmRights(descriptors) => Some(descriptors),
        _ => None,
    });
    for camera in sent.flatten() {
        if let Some(door) = doors.get_mut(usize::from(u16::from_le_bytes(number))) {
            // A reader that knocks wants the newest; what waits longer has been given up by its camera or its mouth.
            for stale in door.cameras.drain(..door.cameras.len().saturating_sub(WAITING_MAX - 1)) {
                let _ = shutdown(&stale, Shutdown::Both);
            }
            door.cameras.push(camera);
        }
    }
    true
}

/// Whether the other side of a connection that still waits has gone; a camera's is then ended, so that the mouth sees it.
fn is_over(connection: &OwnedFd, is_camera: bool) -> bool {
    let mut watched = [PollFd::new(connection, PollFlags::RDHUP)];
    let is_over = poll(&mut watched, Some(&rustix::event::Timespec { tv_sec: 0, tv_nsec: 0 })).is_ok()
        && watched[0].revents().intersects(PollFlags::RDHUP | PollFlags::HUP | PollFlags::ERR);
    if is_over && is_camera {
        let _ = shutdown(connection, Shutdown::Both);
    }
    is_over
}

/// A camera's connection joined to a reader of streams.
struct Pair {
    camera: OwnedFd,
    reader: OwnedFd,
    down: Load,
    up: Load,
}

impl Pair {
    fn new(camera: OwnedFd, reader: OwnedFd) -> Self {
        Self { camera, reader, down: Load::default(), up: Load::default() }
    }

    /// Carries what is there; `false` once either side has gone.
    fn carry(&mut self) -> bool {
        let goes_on = self.down.carry(self.camera.as_fd(), self.reader.as_fd())
            && self.up.carry(self.reader.as_fd(), self.camera.as_fd());
        if !goes_on {
            let _ = shutdown(&self.camera, Shutdown::Both);
            let _ = shutdown(&self.reader, Shutdown::Both);
        }
        goes_on
    }
}

/// Bytes on their way in one direction.
struct Load {
    bytes: Box<[u8]>,
    start: usize,
    end: usize,
}

impl Default for Load {
    fn default() -> Self {
        Self { bytes: vec![0; LOAD_BYTES].into_boxed_slice(), start: 0, end: 0 }
    }
}

impl Load {
    fn wants_in(&self) -> PollFlags {
        if self.start == self.end { PollFlags::IN | PollFlags::RDHUP } else { PollFlags::empty() }
    }

    fn wants_out(&self) -> PollFlags {
        if self.start == self.end { PollFlags::empty() } else { PollFlags::OUT }
    }

    /// Takes from one side what is there and gives the other what it takes; `false` once one of them has gone.
    fn carry(&mut self, from: BorrowedFd<'_>, to: BorrowedFd<'_>) -> bool {
        if self.start == self.end {
            (self.start, self.end) = match recv(from, &mut self.bytes) {
                Ok(0) => return false,
                Ok(count) => (0, count),
                Err(Errno::AGAIN | Errno::INTR) => return true,
                Err(_) => return false,
            };
        }
        match rustix::io::write(to, &self.bytes[self.start..self.end]) {
            Ok(count) => {
                self.bytes[self.start..self.start + count].zeroize();
                self.start += count;
                true
            }
            Err(Errno::AGAIN | Errno::INTR) => true,
            Err(_) => false,
        }
    }
}

impl Drop for Load {
    fn drop(&mut self) {
        self.bytes.zeroize();
    }
}

fn recv(from: BorrowedFd<'_>, bytes: &mut [u8]) -> Result<usize, Errno> {
    rustix::io::read(from, bytes)
}

/// Connections that wait at one door, at most: cameras that share an address share it.
const WAITING_MAX: usize = 16;
/// Bytes carried at once: a large picture is some of these.
const LOAD_BYTES: usize = 64 << 10;
