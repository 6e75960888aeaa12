//! One HTTP question to one device of this network: small, bounded, and to addresses that are local only.
//!
//! In: an [`Address`] that [`Address::parse`] let through, and a body. Out: an [`Answer`]. Invariants: only loopback,
//! private and link-local addresses are contacted, by number, so that nothing is looked up; an answer is bounded in
//! size ([`BODY_BYTES_MAX`]) and in time ([`PATIENCE_NS`]); nothing a device sends is followed.
//! Source: RFC 9112 (HTTP/1.1 messages), RFC 1918, RFC 3927, RFC 4193 (local addresses).

use std::io::{ErrorKind, Read, Write};
use std::net::{IpAddr, SocketAddr, TcpStream};
use std::time::Duration;

use crate::clock::monotonic_ns;

/// Where a device of this network is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    /// Address and port.
    pub socket: SocketAddr,
    /// Path, with its slash.
    pub path: String,
}

/// Why there is no answer.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum HttpError {
    /// Not an address that may be contacted.
    #[error(
        "is not http://ADDRESS[:PORT]/PATH of this network: write the number of a private, link-local or loopback address"
    )]
    NotLocal,
    /// Nobody listens.
    #[error("refused: nobody listens at this port")]
    Refused,
    /// Nothing in time.
    #[error("no answer within {} s", PATIENCE_NS / 1_000_000_000)]
    Late,
    /// It ended the connection.
    #[error("the connection ended before the answer did")]
    Ended,
    /// More than any device has to say.
    #[error("the answer is longer than {BODY_BYTES_MAX} bytes and was not read")]
    TooLong,
    /// Not HTTP.
    #[error("the answer is no HTTP")]
    NotHttp,
}

/// What a device answers.
#[derive(Debug, PartialEq, Eq)]
pub struct Answer {
    /// Status code.
    pub status: u16,
    /// What it wants to be shown, one for each `WWW-Authenticate`.
    pub challenges: Vec<String>,
    /// The body.
    pub body: Vec<u8>,
}

/// Whether an address is on this machine or its own network.
#[must_use]
pub fn is_local(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => v4.is_loopback() || v4.is_private() || v4.is_link_local(),
        IpAddr::V6(v6) => v6.is_loopback() || v6.is_unicast_link_local() || v6.is_unique_local(),
    }
}

impl Address {
    /// Reads `http://ADDRESS[:PORT][/PATH]`; a bare address means the usual path of ONVIF.
    ///
    /// # Errors
    /// [`HttpError::NotLocal`] for names, other schemes, credentials and addresses beyond this network.
    pub fn parse(url: &str) -> Result<Self, HttpError> {
        let rest = url.strip_prefix("http://").unwrap_or(url);
        let (authority, path) = rest.find('/').map_or((rest, DEVICE_PATH), |slash| rest.split_at(slash));
        let bare = authority.trim_start_matches('[').trim_end_matches(']');
        let address = bare.parse::<IpAddr>().map(|address| SocketAddr::new(address, HTTP_PORT));
        let socket = address.or_else(|_| authority.parse::<SocketAddr>()).map_err(|_| HttpError::NotLocal)?;
        let is_plain = path.len() <= PATH_BYTES_MAX && path.bytes().all(|byte| byte.is_ascii_graphic());
        if !is_local(socket.ip()) || !is_plain || socket.port() == 0 {
            return Err(HttpError::NotLocal);
        }
        Ok(Self { socket, path: path.to_owned() })
    }

    /// The address as it is written.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}{}", self.socket, self.path)
    }

    /// Sends `body` and reads the answer; `authorization` is the value of that header.
    ///
    /// # Errors
    /// [`HttpError`] when there is none.
    pub fn post(&self, body: &str, authorization: Option<&str>) -> Result<Answer, HttpError> {
        let end_ns = monotonic_ns() + PATIENCE_NS;
        let mut stream = TcpStream::connect_timeout(&self.socket, CONNECT_PATIENCE).map_err(|error| of(&error))?;
        stream.set_write_timeout(Some(CONNECT_PATIENCE)).map_err(|error| of(&error))?;
        let shown = authorization.map(|value| format!("Authorization: {value}\r\n")).unwrap_or_default();
        let request = format!(
            "POST {} HTTP/1.1\r\nHost: {}\r\nContent-Type: application/soap+xml; charset=utf-8\r\nContent-Length: {}\r\nConnection: close\r\n{shown}\r\n{body}",
            self.path,
            self.socket,
            body.len()
        );
        stream.write_all(request.as_bytes()).map_err(|error| of(&error))?;
        Answer::read(&mut Hurried { stream, end_ns })
    }
}

/// A connection that gives up when its time is over, however slowly the other side drips.
struct Hurried {
    stream: TcpStream,
    end_ns: i64,
}

impl Read for Hurried {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let left_ns = u64::try_from(self.end_ns - monotonic_ns()).unwrap_or(0);
        if left_ns == 0 {
            return Err(ErrorKind::TimedOut.into());
        }
        self.stream.set_read_timeout(Some(Duration::from_nanos(left_ns)))?;
        self.stream.read(buffer)
    }
}

impl Answer {
    /// Reads one answer to its end.
    fn read(stream: &mut dyn Read) -> Result<Self, HttpError> {
        let mut inbox = Vec::new();
        loop {
            if let Some((head, length)) = Head::read(&inbox)? {
                inbox.drain(..length);
                let body = head.body(stream, inbox)?;
                return Ok(Self { status: head.status, challenges: head.challenges, body });
            }
            if inbox.len() > HEAD_BYTES_MAX {
                return Err(HttpError::TooLong);
            }
            if !more(stream, &mut inbox)? {
                return Err(HttpError::Ended);
            }
        }
    }
}

/// What stands before a body.
struct Head {
    status: u16,
    challenges: Vec<String>,
    length: Option<usize>,
    is_chunked: bool,
}

impl Head {
    /// The head and its length in bytes, once it is all there.
    fn read(inbox: &[u8]) -> Result<Option<(Self, usize)>, HttpError> {
        let mut headers = [httparse::EMPTY_HEADER; HEADERS_MAX];
        let mut response = httparse::Response::new(&mut headers);
        let length = match response.parse(inbox) {
            Ok(httparse::Status::Complete(length)) => length,
            Ok(httparse::Status::Partial) => return Ok(None),
            Err(_) => return Err(HttpError::NotHttp),
        };
        let values = |name: &'static str| {
            let named = response.headers.iter().filter(move |header| header.name.eq_ignore_ascii_case(name));
            named.filter_map(|header| std::str::from_utf8(header.value).ok())
        };
        let body = values("content-length").next().map(|value| value.trim().parse::<usize>());
        let head = Self {
            status: response.code.ok_or(HttpError::NotHttp)?,
            challenges: values("www-authenticate").map(str::to_owned).collect(),
            length: body.transpose().map_err(|_| HttpError::NotHttp)?,
            is_chunked: values("transfer-encoding").any(|value| value.to_ascii_lowercase().contains("chunked")),
        };
        Ok(Some((head, length)))
    }

    fn body(&self, stream: &mut dyn Read, mut inbox: Vec<u8>) -> Result<Vec<u8>, HttpError> {
        if self.is_chunked {
            return chunks(stream, inbox);
        }
        let length = self.length.unwrap_or(usize::MAX);
        if self.length.is_some_and(|length| length > BODY_BYTES_MAX) {
            return Err(HttpError::TooLong);
        }
        while inbox.len() < length {
            if inbox.len() > BODY_BYTES_MAX {
                return Err(HttpError::TooLong);
            }
            if !more(stream, &mut inbox)? {
                return if self.length.is_none() { Ok(inbox) } else { Err(HttpError::Ended) };
            }
        }
        inbox.truncate(length);
        Ok(inbox)
    }
}

/// Puts a body together that comes in chunks.
fn chunks(stream: &mut dyn Read, mut inbox: Vec<u8>) -> Result<Vec<u8>, HttpError> {
    let mut body = Vec::new();
    loop {
        match httparse::parse_chunk_size(&inbox).map_err(|_| HttpError::NotHttp)? {
            httparse::Status::Complete((_, 0)) => return Ok(body),
            httparse::Status::Complete((start, size)) => {
                let size = usize::try_from(size).map_err(|_| HttpError::TooLong)?;
                if size > BODY_BYTES_MAX - body.len() {
                    return Err(HttpError::TooLong);
                }
                while inbox.len() < start + size + LINE_END_BYTES {
                    if !more(stream, &mut inbox)? {
                        return Err(HttpError::Ended);
                    }
                }
                body.extend_from_slice(&inbox[start..start + size]);
                inbox.drain(..start + size + LINE_END_BYTES);
            }
            httparse::Status::Partial if inbox.len() > HEAD_BYTES_MAX => return Err(HttpError::NotHttp),
            httparse::Status::Partial => {
                if !more(stream, &mut inbox)? {
                    return Err(HttpError::Ended);
                }
            }
        }
    }
}

/// Reads what is there; `false` at the end.
fn more(stream: &mut dyn Read, inbox: &mut Vec<u8>) -> Result<bool, HttpError> {
    let mut piece = [0u8; 4096];
    let read = stream.read(&mut piece).map_err(|error| of(&error))?;
    inbox.extend_from_slice(&piece[..read]);
    Ok(read > 0)
}

fn of(error: &std::io::Error) -> HttpError {
    match error.kind() {
        ErrorKind::ConnectionRefused => HttpError::Refused,
        ErrorKind::ConnectionReset | ErrorKind::BrokenPipe | ErrorKind::ConnectionAborted => HttpError::Ended,
        _ => HttpError::Late,
    }
}

/// Where ONVIF devices answer when nothing else is said (ONVIF Core, 5.1.1).
pub const DEVICE_PATH: &str = "/onvif/device_service";
/// Longest answer that is read; profiles of a camera with many of them are some 60 kB.
pub const BODY_BYTES_MAX: usize = 256 << 10;
const HEAD_BYTES_MAX: usize = 16 << 10;
const HEADERS_MAX: usize = 64;
const PATH_BYTES_MAX: usize = 256;
const LINE_END_BYTES: usize = 2;
const HTTP_PORT: u16 = 80;
/// Longest wait for a whole answer, ns.
const PATIENCE_NS: i64 = 5_000_000_000;
/// Longest wait for a connection on a local network.
const CONNECT_PATIENCE: Duration = Duration::from_secs(2);

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn only_this_network_is_contacted_and_only_by_number() {
        for good in [
            "http://192.168.1.20/onvif/device_service",
            "http://169.254.3.4:8080/x",
            "10.0.0.9",
            "172.16.0.1:81",
            "http://127.0.0.1:1/",
            "http://[fe80::1]:80/x",
        ] {
            assert!(Address::parse(good).is_ok(), "{good}");
        }
        for bad in [
            "http://8.8.8.8/",
            "http://camera.example/",
            "http://localhost/",
            "https://192.168.1.20/",
            "http://admin:a@192.168.1.20/",
            "http://192.168.1.20:0/",
            "http://192.168.1.20/a b",
            "http://192.168.1.20/a\r\nX: y",
            "http://172.32.0.1/",
            "http://0.0.0.0/",
            "http://[2001:db8::1]/",
            "http://[::ffff:8.8.8.8]/",
            "",
        ] {
            assert_eq!(Address::parse(bad), Err(HttpError::NotLocal), "{bad}");
        }
        assert_eq!(Address::parse("10.0.0.9").map(|to| to.url()), Ok("http://10.0.0.9:80/onvif/device_service".into()));
    }

    #[test]
    fn an_answer_is_read_whole_chunked_or_to_its_end() {
        for text in [
            "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello world",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhe\r\n3;x=y\r\nllo\r\n0\r\n\r\n",
            "HTTP/1.0 200 OK\r\n\r\nhello",
        ] {
            let answer = Answer::read(&mut text.as_bytes()).expect("an answer");
            assert_eq!((answer.status, answer.body.as_slice()), (200, &b"hello"[..]));
        }
    }

    #[test]
    fn an_answer_that_is_huge_torn_or_no_answer_is_told_apart() {
        let read = |text: &str| Answer::read(&mut text.as_bytes());
        assert_eq!(read("HTTP/1.1 200 OK\r\nContent-Length: 99999999\r\n\r\n"), Err(HttpError::TooLong));
        let endless = format!("HTTP/1.1 200 OK\r\n\r\n{}", "x".repeat(2 * BODY_BYTES_MAX));
        assert_eq!(read(&endless), Err(HttpError::TooLong));
        let head = format!("HTTP/1.1 200 OK\r\nX: {}", "x".repeat(2 * HEAD_BYTES_MAX));
        assert_eq!(read(&head), Err(HttpError::TooLong));
        let chunk = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nfffffffffffffff0\r\n";
        assert_eq!(read(chunk), Err(HttpError::TooLong));
        assert_eq!(read("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nshort"), Err(HttpError::Ended));
        assert_eq!(read("SSH-2.0-dropbear\r\n"), Err(HttpError::NotHttp));
        assert_eq!(read("HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n"), Err(HttpError::NotHttp));
    }

    proptest! {
        #[test]
        fn garbage_is_an_error_and_no_panic(garbage in prop::collection::vec(any::<u8>(), 0..600), chunked: bool) {
            let encoding = if chunked { "Transfer-Encoding: chunked\r\n" } else { "" };
            let head = format!("HTTP/1.1 200 OK\r\n{encoding}\r\n");
            let _ = Answer::read(&mut garbage.as_slice());
            let _ = Answer::read(&mut [head.as_bytes(), &garbage].concat().as_slice());
            let _ = Address::parse(&String::from_utf8_lossy(&garbage));
        }
    }
}
