//! An ONVIF device that tests can make behave badly: it answers the search and questions about its streams.
//!
//! In: a [`Manner`]. Out: a UDP port that answers WS-Discovery and a TCP port that answers SOAP, both on loopback.
//! Invariants: the password is checked as a real device does, by digest, in the manner it was made for; every body it
//! was sent is kept, so that a test can look for what must not be in there.
//! Source: WS-Discovery (April 2005), ONVIF Core and Media ver10, WS-Security UsernameToken Profile 1.0, RFC 2617.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use md5::Md5;
use sha1::{Digest, Sha1};

/// How a device behaves.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Manner {
    /// As the standard says; the password by WS-UsernameToken.
    WellFormed,
    /// As the standard says; the password by HTTP digest.
    HttpDigest,
    /// Answers to the search, and to SOAP with what is no XML; both come garbled and twice.
    Garbage,
    /// Answers to SOAP without end.
    Huge,
    /// Takes connections and says nothing.
    Silent,
    /// Answers with entities that would grow without bound.
    Entities,
}

/// A device that is switched on; dropping it switches it off.
pub struct OnvifDevice {
    search: SocketAddr,
    service: SocketAddr,
    shared: Arc<Shared>,
    threads: Vec<JoinHandle<()>>,
}

struct Shared {
    manner: Manner,
    service: SocketAddr,
    stopping: AtomicBool,
    heard: Mutex<String>,
}

impl OnvifDevice {
    /// Switches a device on.
    pub fn start(manner: Manner) -> Self {
        let udp = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
        let tcp = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
        udp.set_read_timeout(Some(TICK)).expect("a socket can wait");
        tcp.set_nonblocking(true).expect("a listener can poll");
        let (search, service) = (udp.local_addr().expect("bound"), tcp.local_addr().expect("bound"));
        let (stopping, heard) = (AtomicBool::new(false), Mutex::new(String::new()));
        let shared = Arc::new(Shared { manner, service, stopping, heard });
        let (for_search, for_service) = (Arc::clone(&shared), Arc::clone(&shared));
        let threads = vec![
            std::thread::spawn(move || for_search.answer_searches(&udp)),
            std::thread::spawn(move || for_service.serve(&tcp)),
        ];
        Self { search, service, shared, threads }
    }

    /// Where it is searched for.
    pub fn search(&self) -> String {
        self.search.to_string()
    }

    /// Where it is asked.
    pub fn service(&self) -> String {
        format!("http://{}/onvif/device_service", self.service)
    }

    /// Everything it was sent.
    pub fn heard(&self) -> String {
        self.shared.heard.lock().expect("nobody panics while holding it").clone()
    }
}

impl Drop for OnvifDevice {
    fn drop(&mut self) {
        self.shared.stopping.store(true, SeqCst);
        let failed = self.threads.drain(..).any(|thread| thread.join().is_err());
        assert!(std::thread::panicking() || !failed, "a thread of the device panicked");
    }
}

impl Shared {
    fn answer_searches(&self, udp: &UdpSocket) {
        let mut datagram = [0; 4096];
        while !self.stopping.load(SeqCst) {
            let Ok((length, from)) = udp.recv_from(&mut datagram) else { continue };
            let question = String::from_utf8_lossy(&datagram[..length]).into_owned();
            let id = between(&question, "MessageID>", "<");
            let whole = format!(
                "<?xml version=\"1.0\"?><e:Envelope {ENVELOPE} xmlns:w=\"http://schemas.xmlsoap.org/ws/2004/08/addressing\" \
                 xmlns:d=\"http://schemas.xmlsoap.org/ws/2005/04/discovery\"><e:Header><w:RelatesTo>{id}</w:RelatesTo></e:Header>\
                 <e:Body><d:ProbeMatches><d:ProbeMatch><d:Scopes>onvif://www.onvif.org/type/video_encoder \
                 onvif://www.onvif.org/name/Front%20Door onvif://www.onvif.org/hardware/K-1</d:Scopes>\
                 <d:XAddrs>http://169.254.9.9/x http://{}/onvif/device_service</d:XAddrs></d:ProbeMatch></d:ProbeMatches>\
                 </e:Body></e:Envelope>",
                self.service
            );
            let mut answers = vec![whole.clone(), whole];
            if self.manner == Manner::Garbage {
                answers.push("\u{1b}[2J<a><b".to_owned());
            }
            for answer in answers {
                udp.send_to(answer.as_bytes(), from).expect("loopback takes a datagram");
            }
        }
    }

    fn serve(&self, tcp: &TcpListener) {
        while !self.stopping.load(SeqCst) {
            match tcp.accept() {
                // A client that hangs up has heard enough.
                Ok((stream, _)) => drop(self.answer(stream)),
                Err(_) => std::thread::sleep(TICK),
            }
        }
    }

    fn answer(&self, mut stream: TcpStream) -> std::io::Result<()> {
        stream.set_nonblocking(false)?;
        stream.set_read_timeout(Some(Duration::from_secs(5)))?;
        let (head, body) = read_request(&mut stream)?;
        self.heard.lock().expect("nobody panics while holding it").push_str(&format!("{head}{body}"));
        match self.manner {
            Manner::Silent => {
                while !self.stopping.load(SeqCst) {
                    std::thread::sleep(TICK);
                }
                Ok(())
            }
            Manner::Garbage => reply(&mut stream, "200 OK", "", "\u{1b}[2J{\"no\": \"xml\"}"),
            Manner::Entities => reply(&mut stream, "200 OK", "", &grown()),
            Manner::Huge => {
                stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n<a>")?;
                while !self.stopping.load(SeqCst) {
                    stream.write_all(&[b'x'; 4096])?;
                }
                Ok(())
            }
            Manner::HttpDigest if !has_http_digest(&head) && !body.contains("GetSystemDateAndTime") => {
                let challenge =
                    "WWW-Authenticate: Digest realm=\"onvif\", nonce=\"4711\", qop=\"auth\", algorithm=MD5\r\n";
                reply(&mut stream, "401 Unauthorized", challenge, "")
            }
            Manner::WellFormed if !has_token(&body) && !body.contains("GetSystemDateAndTime") => {
                let fault = "<e:Fault><e:Code><e:Value>e:Sender</e:Value><e:Subcode><e:Value>ter:NotAuthorized</e:Value>\
                             </e:Subcode></e:Code><e:Reason><e:Text>Sender not Authorized</e:Text></e:Reason></e:Fault>";
                reply(&mut stream, "400 Bad Request", "", &envelope(fault))
            }
            _ => reply(&mut stream, "200 OK", "", &envelope(&self.told(&body))),
        }
    }

    fn told(&self, question: &str) -> String {
        if question.contains("GetSystemDateAndTime") {
            return CLOCK.to_owned();
        }
        if question.contains("GetCapabilities") {
            return format!(
                "<t:Capabilities><Media><XAddr>http://{}/onvif/media</XAddr></Media></t:Capabilities>",
                self.service
            );
        }
        if question.contains("GetProfiles") {
            let profile = |token: &str, width: u32, height: u32, codec: &str| {
                format!(
                    "<t:Profiles token=\"{token}\"><Name>{token} stream</Name><VideoEncoderConfiguration><Encoding>{codec}</Encoding>\
                     <Resolution><Width>{width}</Width><Height>{height}</Height></Resolution><RateControl><FrameRateLimit>25\
                     </FrameRateLimit></RateControl><H264><GovLength>50</GovLength></H264></VideoEncoderConfiguration></t:Profiles>"
                )
            };
            let profiles = [
                profile("main", 1920, 1080, "H265"),
                profile("sub", 640, 360, "H264"),
                profile("tiny", 320, 180, "H264"),
            ];
            return format!("<t:GetProfilesResponse>{}</t:GetProfilesResponse>", profiles.concat());
        }
        let token = between(question, "ProfileToken>", "<");
        format!("<t:MediaUri><Uri>rtsp://admin:{PASSWORD}@camera.local:8554/{token}?x=1&amp;y=2</Uri></t:MediaUri>")
    }
}

fn read_request(stream: &mut TcpStream) -> std::io::Result<(String, String)> {
    let mut inbox = Vec::new();
    let mut chunk = [0; 4096];
    loop {
        let text = String::from_utf8_lossy(&inbox).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = between(head, "Content-Length: ", "\r\n").parse().unwrap_or(0);
            if body.len() >= length {
                return Ok((head.to_owned(), body.to_owned()));
            }
        }
        let count = stream.read(&mut chunk)?;
        if count == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
        inbox.extend_from_slice(&chunk[..count]);
    }
}

fn reply(stream: &mut TcpStream, status: &str, more: &str, body: &str) -> std::io::Result<()> {
    write!(stream, "HTTP/1.1 {status}\r\nContent-Length: {}\r\n{more}\r\n{body}", body.len())
}

fn envelope(body: &str) -> String {
    format!("<?xml version=\"1.0\"?><e:Envelope {ENVELOPE} xmlns:t=\"urn:t\"><e:Body>{body}</e:Body></e:Envelope>")
}

/// Whether the digest in the body is that of the password, made at this device's own time.
fn has_token(body: &str) -> bool {
    let field = |name: &str| {
        let behind = body.split_once(&format!("{name}>")).or_else(|| body.split_once(name))?.1;
        Some(behind.split_once('<')?.0.rsplit('>').next()?.to_owned())
    };
    let (Some(user), Some(digest), Some(nonce), Some(created)) =
        (field("wsse:Username"), field("#PasswordDigest\""), field("#Base64Binary\""), field("wsu:Created"))
    else {
        return false;
    };
    let mut sha1 = Sha1::new();
    sha1.update(STANDARD.decode(nonce).unwrap_or_default());
    sha1.update(&created);
    sha1.update(PASSWORD);
    user == "admin" && created.starts_with("2031-02-03T04:0") && digest == STANDARD.encode(sha1.finalize())
}

fn has_http_digest(head: &str) -> bool {
    let md5 = |text: String| Md5::digest(text).iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    let path = between(head, "POST ", " ");
    let who = md5(format!("admin:onvif:{PASSWORD}"));
    let what = md5(format!("POST:{path}"));
    let cnonce = between(head, "cnonce=\"", "\"");
    head.contains(&format!("response=\"{}\"", md5(format!("{who}:4711:00000001:{cnonce}:auth:{what}"))))
}

/// Ten levels of ten: 10 GB, were they unfolded.
fn grown() -> String {
    let levels = (1..10).map(|level| format!("<!ENTITY l{level} \"{}\">", format!("&l{};", level - 1).repeat(10)));
    format!("<!DOCTYPE a [<!ENTITY l0 \"xxxxxxxxxx\">{}]><a>&l9;</a>", levels.collect::<String>())
}

fn between<'a>(text: &'a str, start: &str, end: &str) -> &'a str {
    text.split_once(start).and_then(|(_, rest)| rest.split_once(end)).map_or("", |(found, _)| found)
}

/// The password of `admin`.
pub const PASSWORD: &str = "gehe1m";
const ENVELOPE: &str = "xmlns:e=\"http://www.w3.org/2003/05/soap-envelope\"";
/// This device lives in the future, as devices without a time service do.
const CLOCK: &str = "<t:UTCDateTime><Time><Hour>4</Hour><Minute>5</Minute><Second>6</Second></Time>\
                     <Date><Year>2031</Year><Month>2</Month><Day>3</Day></Date></t:UTCDateTime>";
const TICK: Duration = Duration::from_millis(10);
