//! An empty network: a namespace of its own whose loopback bears the doors of the cameras.
//!
//! In: addresses. Out: whether the network is left, and a listener at each door. Invariants: no privilege is needed where
//! user namespaces are allowed; in the new network nothing is reachable but this process and its relay. The cameras'
//! own addresses are put on the loopback, so that requests name the camera as it knows itself.

use std::io::ErrorKind;
use std::mem;
use std::net::{IpAddr, SocketAddr, TcpListener};
use std::time::Duration;

use rustix::thread::{UnshareFlags, unshare_unsafe};

/// Leaves the machine's network for an empty one; without user namespaces only root can. `None` where it is left and the new
/// one cannot be used, as where a machine's policy takes the rights of a new namespace away again.
pub(super) fn leave() -> Option<bool> {
    // SAFETY: this process has one thread, and no descriptor depends on the namespaces left.
    let unshared = |flags| unsafe { unshare_unsafe(flags) }.is_ok();
    let has_left = unshared(UnshareFlags::NEWUSER | UnshareFlags::NEWNET) || unshared(UnshareFlags::NEWNET);
    (!has_left || raise_loopback()).then_some(has_left)
}

/// Listens at every door; `None` when one cannot be opened.
pub(super) fn open_doors(doors: &[SocketAddr]) -> Option<Vec<TcpListener>> {
    for (number, address) in doors.iter().map(SocketAddr::ip).enumerate() {
        if !address.is_loopback() && !add_address(number, address) {
            return None;
        }
    }
    doors.iter().map(open).collect()
}

/// The kernel takes a moment before it lets an IPv6 address be used, to see whether it is anybody else's.
fn open(door: &SocketAddr) -> Option<TcpListener> {
    for _ in 0..ATTEMPTS {
        match TcpListener::bind(door) {
            Ok(listener) => return Some(listener),
            Err(error) if error.kind() == ErrorKind::AddrNotAvailable => std::thread::sleep(ATTEMPT_PAUSE),
            Err(_) => return None,
        }
    }
    None
}

fn raise_loopback() -> bool {
    let mut request = named("lo");
    request.ifr_ifru.ifru_flags = (libc::IFF_UP | libc::IFF_RUNNING) as libc::c_short;
    asked(libc::AF_INET, libc::SIOCSIFFLAGS, (&raw const request).cast())
}

/// Puts an address on the loopback, as its alias of this number.
fn add_address(number: usize, address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => {
            let mut request = named(&format!("lo:{}", number + 1));
            // SAFETY: an all-zero address is valid, and the union is large enough for it.
            unsafe {
                let mut wanted: libc::sockaddr_in = mem::zeroed();
                wanted.sin_family = libc::AF_INET as libc::sa_family_t;
                wanted.sin_addr.s_addr = u32::from(address).to_be();
                request.ifr_ifru.ifru_addr = mem::transmute::<libc::sockaddr_in, libc::sockaddr>(wanted);
            }
            asked(libc::AF_INET, libc::SIOCSIFADDR, (&raw const request).cast())
        }
        IpAddr::V6(address) => {
            let wanted = libc::in6_ifreq {
                ifr6_addr: libc::in6_addr { s6_addr: address.octets() },
                ifr6_prefixlen: 128,
                ifr6_ifindex: LOOPBACK_INDEX,
            };
            asked(libc::AF_INET6, libc::SIOCSIFADDR, (&raw const wanted).cast())
        }
    }
}

fn named(name: &str) -> libc::ifreq {
    // SAFETY: an all-zero request is valid.
    let mut request: libc::ifreq = unsafe { mem::zeroed() };
    for (place, byte) in request.ifr_name.iter_mut().zip(name.bytes()) {
        *place = byte as libc::c_char;
    }
    request
}

/// Puts a request to the kernel's network.
fn asked(family: libc::c_int, what: libc::Ioctl, request: *const libc::c_void) -> bool {
    // SAFETY: the request is that of the call and outlives it; the socket is closed at once.
    unsafe {
        let socket = libc::socket(family, libc::SOCK_DGRAM | libc::SOCK_CLOEXEC, 0);
        let done = socket >= 0 && libc::ioctl(socket, what, request) == 0;
        if socket >= 0 {
            libc::close(socket);
        }
        done
    }
}

/// The loopback is the first interface of every network.
const LOOPBACK_INDEX: libc::c_int = 1;
const ATTEMPTS: u32 = 200;
const ATTEMPT_PAUSE: Duration = Duration::from_millis(5);

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::TcpStream;

    /// A user namespace is only left by a process of one thread: what a single thread can do is root's network alone.
    #[test]
    fn cameras_have_their_own_addresses_in_an_empty_network_and_nobody_else_is_there() {
        let tried = std::thread::spawn(|| {
            // SAFETY: this thread alone leaves the network, and ends here.
            if unsafe { unshare_unsafe(UnshareFlags::NEWNET) }.is_err() || !raise_loopback() {
                return false;
            }
            let wait = Duration::from_millis(500);
            let doors: [SocketAddr; 4] = [
                ([10, 77, 0, 9], 554).into(),
                ([192, 0, 2, 4], 8554).into(),
                ([127, 1, 0, 1], 554).into(),
                ([0xfd00, 0, 0, 0, 0, 0, 0, 7], 554).into(),
            ];
            let listeners = open_doors(&doors).expect("every door opens");
            for door in &doors {
                TcpStream::connect_timeout(door, wait).expect("there is a door");
            }
            assert!(TcpStream::connect_timeout(&([10, 77, 0, 10], 554).into(), wait).is_err());
            assert!(TcpStream::connect_timeout(&([10, 77, 0, 9], 555).into(), wait).is_err());
            listeners.len() == doors.len()
        });
        // Only root of a whole machine can leave its network with one thread of several; elsewhere nothing was tried.
        let _ = tried.join().expect("no door is missing");
    }
}
