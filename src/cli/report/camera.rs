//! A camera of this process: drawn scenes over RTSP, on loopback.
//!
//! In: a [`Scene`] that draws frame `n`, a rate, and [`Manners`]. Out: H.264 (I_PCM: lossless, every frame an IDR picture
//! behind its own SPS and PPS) as RTP inside the RTSP connection, to any number of clients.
//! Invariants: frame `n` is due `n / fps` after the start on a monotonic clock, the same `n` for all clients; a
//! client that joins late, was frozen or reads slowly misses frames; old ones come only out of socket buffers.
//! Nothing else is served: no UDP, no RTCP, no sound, no request bodies; any path is the camera.
//! Source: RFC 2326 (RTSP; 10.12: interleaving), RFC 6184 5.6 and 5.8 (single NAL units, FU-A).

use std::io::{self, ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use super::h264_pcm;
use crate::clock::monotonic_ns;

/// Draws frame `n`: luma, `[height, width]` row by row; 16 is black and 235 white.
pub type FrameSource = Box<dyn Fn(u64) -> Vec<u8> + Send + Sync>;

/// What the camera sees. Sides in px, multiples of 16.
pub struct Scene {
    /// Columns.
    pub width: usize,
    /// Rows.
    pub height: usize,
    /// What is there.
    pub draw: FrameSource,
}

impl Scene {
    /// RTP payloads of frame `n`: its parameter sets, then the picture in pieces.
    #[must_use]
    pub fn whole(&self, frame: u64) -> Vec<Vec<u8>> {
        let picture = h264_pcm::idr_frame(&(self.draw)(frame), self.width, self.height, frame as u16);
        let sets = [h264_pcm::sps(self.width, self.height), h264_pcm::pps()];
        sets.into_iter().chain(h264_pcm::fragments(&picture)).collect()
    }
}

/// How a camera deals with those who come. What is not said otherwise is what a good camera does.
pub trait Manners: Send + Sync {
    /// Whether a newcomer is dropped at once.
    fn resets(&self, _caller: &TcpStream) -> bool {
        false
    }

    /// The status, and headers, with which a request is turned away; `authorization` is that header.
    fn refusal(&self, _method: &str, _authorization: &str) -> Option<String> {
        None
    }

    /// What is said of the pictures before one is sent; `told` is what can be said.
    fn format(&self, told: String) -> String {
        told
    }

    /// RTP payloads of frame `n`.
    fn payloads(&self, scene: &Scene, frame: u64) -> Vec<Vec<u8>> {
        scene.whole(frame)
    }

    /// The frame to be sent next when `frame` was sent.
    fn next(&self, frame: u64) -> u64 {
        frame + 1
    }

    /// Whether all connections are kept and nothing is said.
    fn is_frozen(&self) -> bool {
        false
    }

    /// How often all connections were cut so far.
    fn cuts(&self) -> u64 {
        0
    }

    /// Bytes have come on this connection, counted from 0.
    fn has_heard(&self, _connection: usize, _bytes: &[u8]) {}

    /// A picture has been sent to somebody, whole.
    fn has_sent(&self) {}
}

/// A camera that is switched on; dropping it switches it off: afterwards its port is free and its threads are gone.
pub struct Camera {
    address: SocketAddr,
    shared: Arc<Shared>,
    listener: Option<JoinHandle<()>>,
}

impl Camera {
    /// Switches a camera on, port 0 being any. It begins with frame 0.
    ///
    /// # Errors
    /// Where the place is taken, or no thread is to be had.
    pub fn start(place: SocketAddr, scene: Scene, fps: f64, manners: Arc<dyn Manners>) -> io::Result<Self> {
        // On Unix std sets SO_REUSEADDR: connections that are still closing do not hold the port.
        let listener = TcpListener::bind(place)?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        let (started_ns, stopping, connections) = (monotonic_ns(), AtomicBool::new(false), AtomicUsize::new(0));
        let shared = Arc::new(Shared { scene, fps, manners, started_ns, stopping, connections });
        let for_listener = Arc::clone(&shared);
        let thread = thread::Builder::new().name("camera-listen".into());
        let listener = thread.spawn(move || listen(&listener, &for_listener))?;
        Ok(Self { address, shared, listener: Some(listener) })
    }

    /// The port where it is found.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.address.port()
    }

    /// Its address as a site file has it.
    #[must_use]
    pub fn url(&self) -> String {
        format!("rtsp://127.0.0.1:{}/camera", self.port())
    }
}

impl Drop for Camera {
    fn drop(&mut self) {
        self.shared.stopping.store(true, SeqCst);
        let ended = self.listener.take().map(JoinHandle::join);
        // A panic while panicking would abort and hide the first one.
        assert!(thread::panicking() || !matches!(ended, Some(Err(_))), "a camera thread panicked");
    }
}

struct Shared {
    scene: Scene,
    fps: f64,
    manners: Arc<dyn Manners>,
    started_ns: i64,
    stopping: AtomicBool,
    connections: AtomicUsize,
}

impl Shared {
    fn frame_now(&self) -> u64 {
        ((monotonic_ns() - self.started_ns) as f64 / 1e9 * self.fps) as u64
    }

    /// The RTP packets of one frame, each framed for the RTSP connection.
    fn packets(&self, frame: u64, sequence: &mut u16) -> Vec<Vec<u8>> {
        let payloads = self.manners.payloads(&self.scene, frame);
        let timestamp = RTP_TIME_START.wrapping_add((frame as f64 * RTP_CLOCK_HZ / self.fps) as u64 as u32);
        let last = payloads.len() - 1;
        let packet = |(index, payload): (usize, &Vec<u8>)| {
            let marker = if index == last { 0x80 } else { 0 };
            let length = ((RTP_HEADER_BYTES + payload.len()) as u16).to_be_bytes();
            let head = [[b'$', 0], length, [RTP_VERSION_2, marker | PAYLOAD_TYPE], sequence.to_be_bytes()].concat();
            *sequence = sequence.wrapping_add(1);
            [&head[..], &timestamp.to_be_bytes(), &RTP_SOURCE.to_be_bytes(), payload].concat()
        };
        payloads.iter().enumerate().map(packet).collect()
    }

    fn session_description(&self) -> String {
        let format = self.manners.format(h264_pcm::format_parameters(self.scene.width, self.scene.height));
        format!(
            "v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\ns=camera\r\nc=IN IP4 0.0.0.0\r\nt=0 0\r\na=control:*\r\n\
             m=video 0 RTP/AVP {PAYLOAD_TYPE}\r\na=rtpmap:{PAYLOAD_TYPE} H264/{RTP_CLOCK_HZ}\r\n\
             a=fmtp:{PAYLOAD_TYPE} {format}\r\na=framerate:{}\r\na=control:video\r\n",
            self.fps
        )
    }
}

fn listen(listener: &TcpListener, shared: &Shared) {
    thread::scope(|clients| {
        while !shared.stopping.load(SeqCst) {
            let Ok((stream, _)) = listener.accept() else {
                thread::sleep(TICK);
                continue;
            };
            if shared.manners.resets(&stream) {
                continue;
            }
            let (cuts_seen, number) = (shared.manners.cuts(), shared.connections.fetch_add(1, SeqCst));
            let mut client =
                Client { stream, shared, number, cuts_seen, inbox: Vec::new(), sequence: 0, frame_next: None };
            let thread = thread::Builder::new().name("camera-client".into());
            thread.spawn_scoped(clients, move || client.serve()).expect("the system starts a thread");
        }
    });
}

/// One connection. It polls, so that one thread can listen, send, freeze and be cut off.
struct Client<'a> {
    stream: TcpStream,
    shared: &'a Shared,
    /// Which connection it is, of all there were.
    number: usize,
    cuts_seen: u64,
    inbox: Vec<u8>,
    sequence: u16,
    /// The earliest frame still to send: `None` until PLAY, 0 for the one due now.
    frame_next: Option<u64>,
}

impl Client<'_> {
    /// Every way to end (hang-up, cut, stop) is an error of some step; closing is all that follows.
    fn serve(&mut self) {
        if self.stream.set_nonblocking(true).is_ok() && self.stream.set_nodelay(true).is_ok() {
            while self.step().is_ok() {}
        }
        let _ = self.stream.shutdown(Shutdown::Both);
    }

    fn step(&mut self) -> io::Result<()> {
        if self.is_over() {
            return self.tear();
        }
        if !self.shared.manners.is_frozen() {
            self.receive()?;
            while let Some(request) = take_request(&mut self.inbox) {
                self.answer(&request)?;
            }
            let now = self.shared.frame_now();
            if self.frame_next.is_some_and(|next| next <= now) {
                self.frame_next = Some(self.shared.manners.next(now));
                let packets = self.shared.packets(now, &mut self.sequence);
                self.send(&packets.concat())?;
                self.shared.manners.has_sent();
                return Ok(());
            }
        }
        thread::sleep(TICK);
        Ok(())
    }

    fn is_over(&self) -> bool {
        self.shared.stopping.load(SeqCst) || self.shared.manners.cuts() != self.cuts_seen
    }

    /// The last act: half a frame, ending inside a packet, unless the camera is frozen or not playing.
    fn tear(&mut self) -> io::Result<()> {
        if let (Some(frame), false) = (self.frame_next, self.shared.manners.is_frozen()) {
            let packets = self.shared.packets(frame.max(self.shared.frame_now()), &mut self.sequence);
            let (whole, rest) = packets.split_at(packets.len() / 2);
            self.send(&[&whole.concat(), &rest[0][..rest[0].len() / 2]].concat())?;
        }
        Err(ErrorKind::ConnectionAborted.into())
    }

    fn receive(&mut self) -> io::Result<()> {
        let mut chunk = [0; 4096];
        let count = match self.stream.read(&mut chunk) {
            Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
            result => result?,
        };
        self.shared.manners.has_heard(self.number, &chunk[..count]);
        self.inbox.extend(&chunk[..count]);
        if count == 0 || self.inbox.len() > INBOX_BYTES_MAX { Err(ErrorKind::UnexpectedEof.into()) } else { Ok(()) }
    }

    /// Writes all of it, however slowly the client reads; gives up when the connection is to end.
    fn send(&mut self, mut bytes: &[u8]) -> io::Result<()> {
        while !bytes.is_empty() {
            match self.stream.write(bytes) {
                Ok(count) => bytes = &bytes[count..],
                Err(error) if error.kind() != ErrorKind::WouldBlock => return Err(error),
                Err(error) if self.is_over() => return Err(error),
                Err(_) => thread::sleep(TICK),
            }
        }
        Ok(())
    }

    fn answer(&mut self, request: &str) -> io::Result<()> {
        let method = request.split(' ').next().unwrap_or_default();
        let cseq = header(request, "CSeq");
        if let Some(refusal) = self.shared.manners.refusal(method, header(request, "Authorization")) {
            return self.send(format!("RTSP/1.0 {refusal}\r\nCSeq: {cseq}\r\n\r\n").as_bytes());
        }
        let (status, rest) = match method {
            "OPTIONS" => ("200 OK", "Public: OPTIONS, DESCRIBE, SETUP, PLAY, GET_PARAMETER, TEARDOWN\r\n\r\n".into()),
            "DESCRIBE" => {
                let body = self.shared.session_description();
                let length = body.len();
                ("200 OK", format!("Content-Type: application/sdp\r\nContent-Length: {length}\r\n\r\n{body}"))
            }
            "SETUP" if !header(request, "Transport").contains("RTP/AVP/TCP") => {
                ("461 Unsupported Transport", "\r\n".into())
            }
            "SETUP" => ("200 OK", format!("{SESSION};timeout=60\r\nTransport: {TRANSPORT}\r\n\r\n")),
            "PLAY" | "GET_PARAMETER" | "TEARDOWN" => ("200 OK", format!("{SESSION}\r\n\r\n")),
            _ => ("501 Not Implemented", "\r\n".into()),
        };
        match method {
            "PLAY" => self.frame_next = Some(0),
            "TEARDOWN" => self.frame_next = None,
            _ => {}
        }
        self.send(format!("RTSP/1.0 {status}\r\nCSeq: {cseq}\r\n{rest}").as_bytes())
    }
}

/// Takes the first complete request out of the inbox and skips the client's RTCP packets before it.
fn take_request(inbox: &mut Vec<u8>) -> Option<String> {
    while inbox.first() == Some(&b'$') {
        let length = 4 + usize::from(u16::from_be_bytes([*inbox.get(2)?, *inbox.get(3)?]));
        inbox.get(length - 1)?; // not all of it is here yet
        inbox.drain(..length);
    }
    let length = inbox.windows(4).position(|w| w == b"\r\n\r\n")? + 4;
    let request: Vec<u8> = inbox.drain(..length).collect();
    Some(String::from_utf8_lossy(&request).into_owned())
}

/// The value of a header, empty without one.
fn header<'a>(request: &'a str, name: &str) -> &'a str {
    let mut headers = request.lines().filter_map(|line| line.split_once(':'));
    headers.find(|(key, _)| key.eq_ignore_ascii_case(name)).map_or("", |(_, value)| value.trim())
}

const SESSION: &str = "Session: kehai";
/// The only track has its data on channel 0, whatever the client proposed.
const TRANSPORT: &str = "RTP/AVP/TCP;unicast;interleaved=0-1";
/// How late a client thread may notice that something changed.
const TICK: Duration = Duration::from_millis(2);
/// A client that sends this much without a complete request speaks no RTSP.
const INBOX_BYTES_MAX: usize = 1 << 16;
const RTP_VERSION_2: u8 = 0x80;
const RTP_HEADER_BYTES: usize = 12;
/// The first dynamic payload type (RFC 3551, 6).
const PAYLOAD_TYPE: u8 = 96;
const RTP_CLOCK_HZ: f64 = 90_000.0;
/// Any number but 0, which FFmpeg takes for "no timestamp yet".
const RTP_TIME_START: u32 = 90_000;
const RTP_SOURCE: u32 = 0x6B65_6861;
