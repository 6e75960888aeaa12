//! Who on this network is a camera: one question to all, and what comes back in three seconds.
//!
//! In: the IPv4 interfaces that are up. Out: [`Found`]. Invariants: the question leaves by private and link-local
//! interfaces alone and crosses no router; a device is believed about itself only: what it gives as its address must
//! be the one it answers from; answers are bounded in size, number and time, and those not understood are counted.
//! Source: WS-Discovery (April 2005), ONVIF Core Specification 7.3 (scopes).

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket};
use std::time::Duration;

use serde::Serialize;

use super::http::{Address, is_local};
use super::xml;
use crate::clock::monotonic_ns;

/// A device that answered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Device {
    /// Its name, as it says.
    pub name: String,
    /// Its model, as it says.
    pub hardware: String,
    /// Where it is.
    pub address: IpAddr,
    /// Where it can be asked.
    pub service: String,
}

/// What a search found.
#[derive(Default, Serialize)]
pub struct Found {
    /// Interfaces that were asked, by their address.
    pub asked: Vec<String>,
    /// Interfaces that were not, and why.
    pub not_asked: Vec<String>,
    /// Devices in the order of their address.
    pub devices: Vec<Device>,
    /// Answers that were not understood, or spoke for another device.
    pub answers_ignored: u32,
}

/// Asks, waits and lists. `at` asks one place of this machine instead of everybody.
#[must_use]
pub fn search(at: Option<SocketAddr>, id: &str) -> Found {
    let mut found = Found::default();
    let sockets = match at {
        Some(at) => place(at, Ipv4Addr::LOCALHOST, &mut found).into_iter().collect(),
        None => everywhere(&mut found),
    };
    let question = question(id);
    let mut devices = BTreeMap::new();
    let end_ns = monotonic_ns() + WAIT_NS;
    let (mut heard, mut said) = (0, 0);
    while monotonic_ns() < end_ns && heard < ANSWERS_MAX {
        // A datagram may be lost: it is sent twice (WS-Discovery, appendix I).
        if said < 2 && monotonic_ns() >= end_ns - WAIT_NS + i64::from(said) * REPEAT_NS {
            said += 1;
            for (socket, to) in &sockets {
                // An interface that went away meanwhile has nobody to ask.
                let _ = socket.send_to(question.as_bytes(), to);
            }
        }
        heard += hear(&sockets, id, &mut devices, &mut found.answers_ignored);
        std::thread::sleep(GLANCE);
    }
    found.devices = devices.into_values().collect();
    found
}

/// Takes what has arrived; gives how many datagrams that were.
fn hear(
    sockets: &[(UdpSocket, SocketAddr)],
    id: &str,
    devices: &mut BTreeMap<(IpAddr, String), Device>,
    ignored: &mut u32,
) -> u32 {
    let mut heard = 0;
    let mut datagram = [0u8; DATAGRAM_BYTES_MAX];
    for (socket, _) in sockets {
        while let Ok((length, from)) = socket.recv_from(&mut datagram) {
            heard += 1;
            match read_answer(&datagram[..length], from.ip(), id) {
                Some(answered) if devices.len() < DEVICES_MAX => {
                    devices
                        .extend(answered.into_iter().map(|device| ((device.address, device.service.clone()), device)));
                }
                _ => *ignored += 1,
            }
            if heard >= ANSWERS_MAX {
                return heard;
            }
        }
    }
    heard
}

/// The devices of one answer to the question `id`; `None` when it is none.
fn read_answer(datagram: &[u8], from: IpAddr, id: &str) -> Option<Vec<Device>> {
    if !is_local(from) {
        return None;
    }
    xml::read(datagram, |document| {
        let root = document.root();
        if !xml::text(root, &["Header", "RelatesTo"])?.ends_with(id) {
            return None;
        }
        let matches = xml::all(root, "ProbeMatch").take(MATCHES_MAX);
        let devices: Vec<Device> = matches
            .filter_map(|found| {
                let places = xml::text(found, &["XAddrs"])?.split_ascii_whitespace().take(MATCHES_MAX);
                let own = places.filter_map(|url| Address::parse(url).ok()).find(|own| own.socket.ip() == from)?;
                let scopes = xml::text(found, &["Scopes"]).unwrap_or_default();
                let [name, hardware] = ["name", "hardware"].map(|about| scope(scopes, about));
                Some(Device { name, hardware, address: from, service: own.url() })
            })
            .collect();
        (!devices.is_empty()).then_some(devices)
    })
}

/// What the scopes say about something, `onvif://www.onvif.org/ABOUT/VALUE`.
fn scope(scopes: &str, about: &str) -> String {
    let start = format!("onvif://www.onvif.org/{about}/");
    let value = scopes.split_ascii_whitespace().find_map(|scope| scope.strip_prefix(start.as_str()));
    value.map_or_else(|| "unnamed".to_owned(), |value| xml::plain(&decoded(value)))
}

/// Percent-decoding; what is no UTF-8 then is replaced.
fn decoded(text: &str) -> String {
    let bytes = text.as_bytes();
    let (mut plain, mut at) = (Vec::with_capacity(bytes.len()), 0);
    while at < bytes.len() {
        let code = bytes.get(at + 1..at + 3).and_then(|code| std::str::from_utf8(code).ok());
        match code.filter(|_| bytes[at] == b'%').and_then(|code| u8::from_str_radix(code, 16).ok()) {
            Some(byte) => {
                plain.push(byte);
                at += 3;
            }
            None => {
                plain.push(bytes[at]);
                at += 1;
            }
        }
    }
    String::from_utf8_lossy(&plain).into_owned()
}

fn question(id: &str) -> String {
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?><s:Envelope xmlns:s=\"http://www.w3.org/2003/05/soap-envelope\" \
         xmlns:a=\"http://schemas.xmlsoap.org/ws/2004/08/addressing\" xmlns:d=\"http://schemas.xmlsoap.org/ws/2005/04/discovery\" \
         xmlns:dn=\"http://www.onvif.org/ver10/network/wsdl\"><s:Header><a:MessageID>urn:uuid:{id}</a:MessageID>\
         <a:To s:mustUnderstand=\"1\">urn:schemas-xmlsoap-org:ws:2005:04:discovery</a:To>\
         <a:Action s:mustUnderstand=\"1\">http://schemas.xmlsoap.org/ws/2005/04/discovery/Probe</a:Action></s:Header>\
         <s:Body><d:Probe><d:Types>dn:NetworkVideoTransmitter</d:Types></d:Probe></s:Body></s:Envelope>"
    )
}

/// A socket for every private or link-local interface that is up.
fn everywhere(found: &mut Found) -> Vec<(UdpSocket, SocketAddr)> {
    let to = SocketAddr::from((EVERYBODY, DISCOVERY_PORT));
    let mut sockets = Vec::new();
    for own in interfaces() {
        if sockets.len() == INTERFACES_MAX {
            found.not_asked.push(format!("{own}: more than {INTERFACES_MAX} interfaces"));
        } else if is_local(IpAddr::V4(own)) {
            sockets.extend(place(to, own, found));
        } else {
            found.not_asked.push(format!("{own}: a public address"));
        }
    }
    sockets
}

fn place(to: SocketAddr, own: Ipv4Addr, found: &mut Found) -> Option<(UdpSocket, SocketAddr)> {
    let bound = UdpSocket::bind((own, 0)).and_then(|socket| {
        // One hop: the question crosses no router. The kernel sends it by the interface of the socket's own address.
        socket.set_multicast_ttl_v4(1)?;
        socket.set_nonblocking(true)?;
        Ok(socket)
    });
    match bound {
        Ok(socket) => {
            found.asked.push(own.to_string());
            Some((socket, to))
        }
        Err(error) => {
            found.not_asked.push(format!("{own}: {error}"));
            None
        }
    }
}

/// IPv4 addresses of the interfaces that are up, but for loopback.
fn interfaces() -> Vec<Ipv4Addr> {
    let mut list: *mut libc::ifaddrs = std::ptr::null_mut();
    let mut own = Vec::new();
    // SAFETY: the list is the system's until freed; each entry is looked at only where its pointers are set, and read as
    // IPv4 only where its family says so.
    unsafe {
        if libc::getifaddrs(&raw mut list) != 0 {
            return own;
        }
        let mut entry = list;
        while let Some(interface) = entry.as_ref() {
            entry = interface.ifa_next;
            let flags = interface.ifa_flags as libc::c_int;
            let is_up = flags & libc::IFF_UP != 0 && flags & libc::IFF_LOOPBACK == 0;
            if let Some(address) = interface.ifa_addr.as_ref().filter(|_| is_up)
                && libc::c_int::from(address.sa_family) == libc::AF_INET
            {
                let v4 = interface.ifa_addr.cast::<libc::sockaddr_in>().read_unaligned();
                own.push(Ipv4Addr::from(u32::from_be(v4.sin_addr.s_addr)));
            }
        }
        libc::freeifaddrs(list);
    }
    own.sort_unstable();
    own.dedup();
    own
}

/// Where ONVIF devices listen (ONVIF Core, 7.3).
const EVERYBODY: Ipv4Addr = Ipv4Addr::new(239, 255, 255, 250);
const DISCOVERY_PORT: u16 = 3702;
/// Devices answer within half a second (WS-Discovery, APP_MAX_DELAY); slow ones take two.
const WAIT_NS: i64 = 3_000_000_000;
const REPEAT_NS: i64 = 500_000_000;
const GLANCE: Duration = Duration::from_millis(10);
/// Longest answer; a datagram that is longer is cut and so no document.
const DATAGRAM_BYTES_MAX: usize = 16 << 10;
const ANSWERS_MAX: u32 = 2048;
const DEVICES_MAX: usize = 256;
/// Devices in one answer, and addresses of one device.
const MATCHES_MAX: usize = 8;
const INTERFACES_MAX: usize = 16;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const ID: &str = "11111111-2222-4333-8444-555555555555";

    fn answer(id: &str, places: &str) -> String {
        format!(
            "<e:Envelope xmlns:e='s'><e:Header><RelatesTo>uuid:{id}</RelatesTo></e:Header><e:Body><ProbeMatches><ProbeMatch>\
             <Scopes>onvif://www.onvif.org/hardware/K-1 onvif://www.onvif.org/name/Front%20Door%1b</Scopes>\
             <XAddrs>{places}</XAddrs></ProbeMatch></ProbeMatches></e:Body></e:Envelope>"
        )
    }

    #[test]
    fn a_device_is_believed_about_itself_alone() {
        let from: IpAddr = "192.168.1.20".parse().expect("an address");
        let read = |text: &str, from| read_answer(text.as_bytes(), from, ID);
        let own = answer(ID, "http://[fe80::1]/x http://169.254.7.7/x http://192.168.1.20/onvif/device_service");
        let device = Device {
            name: "Front Door".to_owned(),
            hardware: "K-1".to_owned(),
            address: from,
            service: "http://192.168.1.20:80/onvif/device_service".to_owned(),
        };
        assert_eq!(read(&own, from), Some(vec![device]));
        assert_eq!(read(&answer(ID, "http://192.168.1.99/x"), from), None, "another's address");
        assert_eq!(read(&own, "8.8.8.8".parse().expect("an address")), None, "a stranger's answer");
        assert_eq!(read(&answer("another question", "http://192.168.1.20/x"), from), None);
        assert_eq!(read("<a/>", from), None);
    }

    proptest! {
        #[test]
        fn an_answer_of_garbage_is_no_device_and_no_panic(garbage in prop::collection::vec(any::<u8>(), 0..300), cut in 0usize..400) {
            let from = IpAddr::V4(Ipv4Addr::LOCALHOST);
            prop_assert_eq!(read_answer(&garbage, from, ID), None);
            let whole = answer(ID, "http://127.0.0.1/x");
            let torn = &whole.as_bytes()[..cut.min(whole.len() - 1)];
            prop_assert_eq!(read_answer(torn, from, ID), None);
            let text = String::from_utf8_lossy(&garbage);
            let _ = read_answer(answer(ID, &xml::escape(&text)).as_bytes(), from, ID);
            let shown = scope(&format!("onvif://www.onvif.org/name/{text}"), "name");
            prop_assert!(!shown.contains(char::is_control));
        }
    }
}
