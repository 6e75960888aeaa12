//! The relay: presents the cameras' connections, which the mouth made, inside the eye's empty network.
//!
//! In: connections with the number of their door, at the control socket. Out: each is joined to the next reader of streams
//! that knocks at this door, and bytes go both ways. Invariants: a process of its own, forked before the walls are
//! raised, so that the eye never holds a connection of the machine's network: the kernel lets whoever holds one dissolve it
//! and connect it elsewhere (measured). The relay knows no picture, can connect nothing, open nothing and start nothing, and
//! wipes what it has carried. What the eye says to a camera is requests: more bytes than those take end the connection. It
//! ends with its eye and with its mouth.

use std::ffi::CString;
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
use crate::clock::monotonic_ns;
use crate::wire::record::budget::{STARTS_AT_ONCE, STARTS_PER_HOUR};

/// Forks the relay, which has `control` and the doors, and nothing else; what is `control` here afterwards ends with it.
/// Whether it was forked.
pub(super) fn start(control: RawFd, doors: Vec<TcpListener>) -> bool {
    let Ok((end, life)) = rustix::pipe::pipe_with(rustix::pipe::PipeFlags::CLOEXEC) else { return false };
    // SAFETY: this process has one thread, so that the child may go on as it is.
    match unsafe { libc::fork() } {
        0 => {
            let is_shut_in = shut_in(control, life.as_raw_fd(), &doors);
            if is_shut_in {
                // SAFETY: the descriptor is the standard input of this process and stays open.
                serve(unsafe { BorrowedFd::borrow_raw(control) }, &doors);
            }
            // SAFETY: ends at once; what the parent had prepared for its own end is none of ours.
            unsafe { libc::_exit(i32::from(!is_shut_in)) }
        }
        child => {
            // What the mouth hands over is for the relay: who holds a connection can lead it elsewhere.
            // SAFETY: both descriptors are open; the copy is the standard input from here on.
            child > 0 && unsafe { libc::dup2(end.as_raw_fd(), control) } == control
        }
    }
}

/// Closes what is not the relay's, and raises walls of its own.
fn shut_in(control: RawFd, life: RawFd, doors: &[TcpListener]) -> bool {
    let kept: Vec<RawFd> = doors.iter().map(AsRawFd::as_raw_fd).chain([control, life]).collect();
    let Ok(open) = std::fs::read_dir("/proc/self/fd") else { return false };
    let open: Vec<RawFd> = open.flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok()).collect();
    for descriptor in open.into_iter().filter(|descriptor| !kept.contains(descriptor)) {
        // SAFETY: nobody in this process uses it any more; a number that is closed already does no harm.
        unsafe { libc::close(descriptor) };
    }
    let _ = CString::new(RELAY).map(|name| rustix::thread::set_name(&name));
    let is_bound = doors.iter().all(|door| door.set_nonblocking(true).is_ok()) && privileges::drop_all();
    privileges::end_with_parent();
    // Landlock may be missing: the filter below opens nothing.
    paths::restrict(&[], &[], &[]);
    is_bound && limits::set() && syscalls::restrict_relay()
}

/// What waits at one door, and what may still go out by it.
struct Door {
    cameras: Vec<OwnedFd>,
    readers: Vec<OwnedFd>,
    allowance: Allowance,
}

/// Carries bytes until the mouth is gone.
fn serve(control: BorrowedFd<'_>, listeners: &[TcpListener]) {
    let mut doors: Vec<Door> = listeners
        .iter()
        .map(|_| Door { cameras: Vec::new(), readers: Vec::new(), allowance: Allowance::new(monotonic_ns()) })
        .collect();
    let mut pairs: Vec<Pair> = Vec::new();
    loop {
        let Some(ready) = wait(control, listeners, &doors, &pairs) else { return };
        if ready.control && !take_connections(control, &mut doors) {
            return;
        }
        for (number, (listener, door)) in listeners.iter().zip(&mut doors).enumerate() {
            while let Ok(reader) = accept_with(listener, SocketFlags::CLOEXEC | SocketFlags::NONBLOCK) {
                door.readers.push(reader);
                door.readers.drain(..door.readers.len().saturating_sub(WAITING_MAX));
            }
            door.cameras.retain(|camera| !is_over(camera, true));
            door.readers.retain(|reader| !is_over(reader, false));
            while !door.cameras.is_empty() && !door.readers.is_empty() {
                pairs.push(Pair::new(door.cameras.remove(0), door.readers.remove(0), number));
            }
        }
        pairs.retain_mut(|pair| pair.carry(&mut doors[pair.door].allowance));
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
    for Pair { camera, reader, down, up, .. } in pairs {
        let sides = [(camera, down.wants_in() | up.wants_out()), (reader, up.wants_in() | down.wants_out())];
        // Of a side nothing is wanted of, the kernel would still say again and again that it has gone.
        let wanted = sides.into_iter().filter(|(_, wants)| !wants.is_empty());
        watched.extend(wanted.map(|(side, wants)| PollFd::new(side, wants)));
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
    /// Number of the door where they met.
    door: usize,
}

impl Pair {
    fn new(camera: OwnedFd, reader: OwnedFd, door: usize) -> Self {
        Self { camera, reader, down: Load::default(), up: Load::default(), door }
    }

    /// Carries what is there; `false` once either side has gone, or the eye says more than its reader of streams would.
    fn carry(&mut self, allowance: &mut Allowance) -> bool {
        let (camera, reader) = (self.camera.as_fd(), self.reader.as_fd());
        let goes_on = self.down.carry(camera, reader, &mut |_| true)
            && self.up.carry(reader, camera, &mut |bytes| allowance.takes(bytes, monotonic_ns()));
        if !goes_on {
            let _ = shutdown(&self.camera, Shutdown::Both);
            let _ = shutdown(&self.reader, Shutdown::Both);
        }
        goes_on
    }
}

/// What may still be said to a camera: requests are small and seldom, whatever goes on in the eye.
struct Allowance {
    left: u64,
    at_ns: i64,
}

impl Allowance {
    fn new(now_ns: i64) -> Self {
        Self { left: UP_BYTES_AT_START, at_ns: now_ns }
    }

    /// Whether so many bytes may go to the camera at this time.
    fn takes(&mut self, bytes: usize, now_ns: i64) -> bool {
        let earned = (now_ns - self.at_ns) as u64 / 1_000_000_000 * UP_BYTES_PER_S;
        if earned > 0 {
            self.left = (self.left + earned).min(UP_BYTES_AT_ONCE);
            self.at_ns = now_ns;
        }
        let left = self.left.checked_sub(bytes as u64);
        self.left = left.unwrap_or(0);
        left.is_some()
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

    /// Takes from one side what is there, so much as `may` pass, and gives the other what it takes; `false` once one of them has
    /// gone, or what is there may not pass.
    fn carry(&mut self, from: BorrowedFd<'_>, to: BorrowedFd<'_>, may: &mut dyn FnMut(usize) -> bool) -> bool {
        if self.start == self.end {
            (self.start, self.end) = match rustix::io::read(from, &mut self.bytes[..]) {
                Ok(0) => return false,
                Ok(count) if !may(count) => return false,
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

/// Name of the process.
pub const RELAY: &str = "kehai-relay";
/// Most bytes an hour towards the cameras of one door.
pub const UP_BYTES_PER_HOUR: usize =
    (STARTS_PER_HOUR + STARTS_AT_ONCE) * UP_BYTES_AT_START as usize + 3600 * UP_BYTES_PER_S as usize;
/// Bytes towards the cameras of one door, over all their connections: a beginning takes 450 (measured), twice that with a
/// password; afterwards come a sign of life a minute and reports of what came (RFC 3550: some 100 bytes in five seconds).
const UP_BYTES_AT_ONCE: u64 = 32 << 10;
/// A relay that has just begun may say so much, which is enough for nine cameras at one address: its eye may have been
/// replaced often.
const UP_BYTES_AT_START: u64 = 8 << 10;
const UP_BYTES_PER_S: u64 = 128;
/// Connections that wait at one door, at most: cameras that share an address share it.
const WAITING_MAX: usize = 16;
/// Bytes carried at once: a large picture is some of these.
const LOAD_BYTES: usize = 64 << 10;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_camera_is_told_requests_and_no_pictures() {
        let mut allowance = Allowance::new(0);
        let minute = |number: i64| number * 60_000_000_000;
        assert!((0..600).all(|number| allowance.takes(7000, minute(number))), "requests and reports of a minute");
        let mut said: u64 = 0;
        while allowance.takes(1000, minute(600)) {
            said += 1000;
        }
        assert!(said <= UP_BYTES_AT_ONCE, "{said} bytes at once");
    }
}
