//! The mouth's side of the cameras: it connects to them, hands each connection to the eye's relay, and reads no byte of it.
//!
//! In: addresses of network cameras. Out: their doors inside the eye's network, and connections for as long as the eye
//! lives; what a connection that cannot be had fails with. Invariants: a connection that has ended is made anew after a
//! pause, an endless number of times, at most one at a time for each camera; names are looked up here, anew each time.

use std::io::{Error, ErrorKind, IoSlice};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::net::{SendAncillaryBuffer, SendAncillaryMessage, SendFlags, sendmsg};
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;
use tokio::net::{TcpStream, UnixStream};
use tokio::sync::mpsc::UnboundedSender;

use super::door_of;
use crate::capture::camera::BackOff;
use crate::clock::monotonic_ns;
use crate::health::Silence;
use crate::health::walls::Walls;
use crate::pipeline::{EyeJob, Feed};

/// A network camera, and the door behind which the eye finds it.
#[derive(Clone)]
pub struct Caller {
    /// Index of the camera.
    pub camera: usize,
    /// Host and port as the site file names them.
    pub host: String,
    /// Port.
    pub port: u16,
    /// Number of its door.
    pub door: u16,
}

/// Who calls the network cameras of a job whose eye has a network of its own.
#[must_use]
pub fn callers(job: &EyeJob) -> Vec<Caller> {
    let doors = job.doors();
    let caller = |feed: &Feed| {
        let source = feed.origin.network_camera()?;
        let door = doors.iter().position(|door| *door == door_of(feed.camera, source))?;
        Some(Caller { camera: feed.camera, host: source.host().to_owned(), port: source.port(), door: door as u16 })
    };
    if Walls::from_bits(job.proved).has(Walls::NAMESPACE) {
        job.feeds.iter().filter_map(caller).collect()
    } else {
        Vec::new()
    }
}

impl Caller {
    /// Calls the camera for as long as the eye lives; what stands in the way is told.
    pub async fn call(self, control: Arc<UnixStream>, troubles: UnboundedSender<(usize, Silence)>) {
        let mut back_off = BackOff::default();
        loop {
            let begun_ns = monotonic_ns();
            match self.connect().await {
                Ok(connection) => {
                    let _ = troubles.send((self.camera, Silence::None));
                    if hand_over(&control, self.door, &connection).await.is_err() {
                        return; // The eye is gone.
                    }
                    ended(connection).await;
                    if monotonic_ns() - begun_ns > LASTED_NS {
                        back_off.reset();
                    }
                }
                Err(error) => {
                    let silence = match error.kind() {
                        ErrorKind::ConnectionRefused => Silence::Refused,
                        _ => Silence::NoAnswer,
                    };
                    let _ = troubles.send((self.camera, silence));
                }
            }
            tokio::time::sleep(back_off.step()).await;
        }
    }

    async fn connect(&self) -> Result<TcpStream, Error> {
        let connecting = TcpStream::connect((self.host.as_str(), self.port));
        let connection =
            tokio::time::timeout(CONNECT, connecting).await.map_err(|_| Error::from(ErrorKind::TimedOut))??;
        // A request is small and waited for.
        connection.set_nodelay(true)?;
        Ok(connection)
    }
}

/// Gives the relay a copy of a connection for a door.
async fn hand_over(control: &UnixStream, door: u16, connection: &TcpStream) -> Result<(), Error> {
    let number = door.to_le_bytes();
    loop {
        control.writable().await?;
        let sent = control.try_io(Interest::WRITABLE, || {
            let descriptors = [connection.as_fd()];
            let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
            let mut ancillary = SendAncillaryBuffer::new(&mut space);
            ancillary.push(SendAncillaryMessage::ScmRights(&descriptors));
            Ok(sendmsg(control, &[IoSlice::new(&number)], &mut ancillary, SendFlags::NOSIGNAL)?)
        });
        match sent {
            Ok(_) => return Ok(()),
            Err(error) if error.kind() == ErrorKind::WouldBlock => {}
            Err(error) => return Err(error),
        }
    }
}

/// Waits until a connection is over in both directions, which the relay sees to, without reading from it and without being
/// woken by what it carries.
async fn ended(connection: TcpStream) {
    let Ok(connection) = connection.into_std() else { return };
    let connection = OwnedFd::from(connection);
    // SAFETY: the descriptor is owned by the watched value and closed after it is no longer watched.
    let watched = unsafe { AsyncFd::register_with_interest(connection, Interest::PRIORITY) };
    let Ok(watched) = watched else { return };
    while let Ok(mut ready) = watched.ready(Interest::PRIORITY).await {
        let mut now = [PollFd::new(watched.get_ref(), PollFlags::empty())];
        let is_over = poll(&mut now, Some(&Timespec { tv_sec: 0, tv_nsec: 0 })).is_err()
            || now[0].revents().intersects(PollFlags::HUP | PollFlags::ERR);
        if is_over {
            return;
        }
        // Urgent bytes say nothing here.
        ready.clear_ready();
    }
}

/// Longest wait for a camera to take a call.
const CONNECT: Duration = Duration::from_secs(5);
/// A connection that lasted this long was a good one, ns.
const LASTED_NS: i64 = 2_000_000_000;
