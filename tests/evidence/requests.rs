//! Every byte that goes to a camera: requests of RTSP and reports of reception, and nothing a picture could hide in.
//!
//! In: what the test camera has received on one connection. Out: a [`Tally`]. Invariant: each byte belongs to a request
//! with headers we know, their values short, or to an RTCP packet of known type and length.
//! Source: RFC 2326 (RTSP, 6, 10.12), RFC 3550 (RTCP, 6.4.2, 6.5, 6.6).

use std::time::Duration;

use crate::live::cameras::scene;
use crate::live::shop::Shop;
use crate::support::rtsp_camera::RtspCamera;

/// What was said on a connection.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Tally {
    pub requests: usize,
    pub reports: usize,
    pub bytes: usize,
}

impl Tally {
    /// Of all connections of a camera.
    pub fn of(camera: &RtspCamera) -> Self {
        let said = camera.heard();
        let each = said.iter().map(|said| tally(said).unwrap_or_else(|error| panic!("{error}")));
        each.fold(Self::default(), |sum, one| Self {
            requests: sum.requests + one.requests,
            reports: sum.reports + one.reports,
            bytes: sum.bytes + one.bytes,
        })
    }
}

/// Reads a connection to its end; what was cut off at the very end is judged as far as it goes.
fn tally(said: &[u8]) -> Result<Tally, String> {
    let (mut rest, mut tally) = (said, Tally { bytes: said.len(), ..Tally::default() });
    while let Some(first) = rest.first() {
        let length = if *first == b'$' { report(rest)? } else { request(rest)? };
        let Some(length) = length else { break };
        if *first == b'$' {
            tally.reports += 1;
        } else {
            tally.requests += 1;
        }
        rest = &rest[length..];
    }
    Ok(tally)
}

/// Length of an interleaved packet on a channel of reports; `None` when its end has not come.
fn report(rest: &[u8]) -> Result<Option<usize>, String> {
    let Some([_, channel, high, low]) = rest.get(..4) else { return Ok(None) };
    if channel % 2 != 1 {
        return Err(format!("a packet on channel {channel}, which is for pictures"));
    }
    let length = usize::from(u16::from_be_bytes([*high, *low]));
    let Some(mut packet) = rest.get(4..4 + length) else { return Ok(None) };
    if length > REPORT_BYTES_MAX {
        return Err(format!("a report of {length} bytes"));
    }
    while let Some([first, kind, high, low]) = packet.get(..4) {
        let words = usize::from(u16::from_be_bytes([*high, *low]));
        let is_known = match kind {
            201 => first & 0xC0 == 0x80 && words == 1 + 6 * usize::from(first & 0x1F),
            202 => words <= 16,
            203 => words <= 1,
            _ => false,
        };
        let end = 4 * (words + 1);
        if !is_known || packet.len() < end {
            return Err(format!("an RTCP packet of kind {kind} and {words} words"));
        }
        packet = &packet[end..];
    }
    if packet.is_empty() { Ok(Some(4 + length)) } else { Err("bytes behind a report".to_owned()) }
}

/// Length of a request; `None` when its end has not come.
fn request(rest: &[u8]) -> Result<Option<usize>, String> {
    let Some(end) = rest.windows(4).position(|four| four == b"\r\n\r\n") else {
        return if rest.len() > REQUEST_BYTES_MAX { Err("a request without an end".to_owned()) } else { Ok(None) };
    };
    let text = std::str::from_utf8(&rest[..end]).map_err(|_| "a request that is no text".to_owned())?;
    let (line, headers) = text.split_once("\r\n").unwrap_or((text, ""));
    let parts: Vec<&str> = line.split(' ').collect();
    let is_request = matches!(parts[..], [method, url, "RTSP/1.0"]
        if METHODS.contains(&method) && url.starts_with("rtsp://") && url.len() <= VALUE_BYTES_MAX);
    let is_plain = text.bytes().all(|byte| matches!(byte, b'\r' | b'\n' | 0x20..=0x7E));
    if !is_request || !is_plain || end > REQUEST_BYTES_MAX {
        return Err(format!("no request: {line}"));
    }
    for header in headers.split("\r\n").filter(|header| !header.is_empty()) {
        let known =
            header.split_once(": ").filter(|(name, value)| HEADERS.contains(name) && value.len() <= VALUE_BYTES_MAX);
        if known.is_none() {
            return Err(format!("an unknown header: {header}"));
        }
    }
    Ok(Some(end + 4))
}

#[test]
fn a_shop_says_to_its_camera_requests_and_reports_alone() {
    let camera = RtspCamera::start(scene(), 10.0);
    let shop = Shop::open("requests", &camera.url());
    shop.hear("camera view seen");
    std::thread::sleep(Duration::from_secs(1));
    camera.cut();
    shop.hear("camera view seen");
    let tally = Tally::of(&camera);
    assert!(tally.requests >= 8, "{tally:?}");
    assert!(tally.bytes <= 4096, "{tally:?}");
}

#[test]
fn anything_else_on_the_way_to_a_camera_is_found_out() {
    let options = b"OPTIONS rtsp://127.0.0.1/c RTSP/1.0\r\nCSeq: 1\r\nUser-Agent: Lavf59.27.100\r\n\r\n".as_slice();
    let reception = [b"$\x01\x00\x20".as_slice(), &[0x81, 201, 0, 7], &[0; 28]].concat();
    assert_eq!(tally(options), Ok(Tally { requests: 1, reports: 0, bytes: options.len() }));
    assert_eq!(tally(&reception), Ok(Tally { requests: 0, reports: 1, bytes: 36 }));
    let both = [options, &reception, options].concat();
    assert_eq!(tally(&both).map(|tally| (tally.requests, tally.reports)), Ok((2, 1)));
    for bad in [
        b"OPTIONS rtsp://127.0.0.1/c RTSP/1.0\r\nCSeq: 1\r\nX-Picture: 4AAQSkZJRg\r\n\r\n".to_vec(),
        b"ANNOUNCE rtsp://127.0.0.1/c RTSP/1.0\r\nCSeq: 1\r\n\r\n".to_vec(),
        [options, b"\xff\xd8\xff\xe0 a body\r\n\r\n"].concat(),
        [b"$\x00\x00\x04".as_slice(), &[1, 2, 3, 4]].concat(),
        [b"$\x01\x00\x08".as_slice(), &[0x80, 204, 0, 1], b"name"].concat(),
        [b"$\x01\x00\x24".as_slice(), &[0x81, 201, 0, 7], &[0; 32]].concat(),
        vec![7; REQUEST_BYTES_MAX + 1],
    ] {
        assert!(tally(&bad).is_err(), "{}", String::from_utf8_lossy(&bad));
    }
}

const METHODS: [&str; 7] = ["OPTIONS", "DESCRIBE", "SETUP", "PLAY", "PAUSE", "GET_PARAMETER", "TEARDOWN"];
const HEADERS: [&str; 7] = ["CSeq", "User-Agent", "Accept", "Transport", "Session", "Range", "Authorization"];
const VALUE_BYTES_MAX: usize = 300;
const REQUEST_BYTES_MAX: usize = 1024;
const REPORT_BYTES_MAX: usize = 128;
