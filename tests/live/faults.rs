//! The test camera's own switches, each met by a client that speaks bare RTSP.
//!
//! A long fault test relies on them: a switch that does nothing would let it pass.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpStream};
use std::time::Duration;

use super::cameras::scene;
use crate::support::rtsp_camera::RtspCamera;
use crate::support::rtsp_faults::Door;

/// A viewer that reads packets as they come.
struct Viewer {
    stream: TcpStream,
    inbox: Vec<u8>,
}

impl Viewer {
    fn of(camera: &RtspCamera) -> Self {
        let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, camera.port())).expect("the camera listens");
        stream.set_read_timeout(Some(Duration::from_secs(10))).expect("a socket can wait");
        Self { stream, inbox: Vec::new() }
    }

    /// Sends a request; gives the status code, `None` when the connection ends instead.
    fn ask(&mut self, method: &str, more: &str) -> Option<u16> {
        let request = format!("{method} rtsp://127.0.0.1/camera RTSP/1.0\r\nCSeq: 1\r\n{more}\r\n");
        self.stream.write_all(request.as_bytes()).ok()?;
        while !self.inbox.windows(4).any(|window| window == b"\r\n\r\n") {
            self.receive()?;
        }
        let end = self.inbox.windows(4).position(|window| window == b"\r\n\r\n")? + 4;
        let head = String::from_utf8_lossy(&self.inbox[..end]).into_owned();
        let body = head.lines().find_map(|line| line.strip_prefix("Content-Length: ")?.parse().ok()).unwrap_or(0);
        while self.inbox.len() < end + body {
            self.receive()?;
        }
        self.inbox.drain(..end + body);
        head.split(' ').nth(1)?.parse().ok()
    }

    fn watch(camera: &RtspCamera) -> Self {
        let mut viewer = Self::of(camera);
        let transport = "Transport: RTP/AVP/TCP;unicast;interleaved=0-1\r\n";
        assert_eq!(viewer.ask("SETUP", transport), Some(200));
        assert_eq!(viewer.ask("PLAY", "Session: kehai\r\n"), Some(200));
        viewer
    }

    /// The next packet: its RTP time and payload; `None` when the connection ended.
    fn packet(&mut self) -> Option<(u32, Vec<u8>)> {
        while self.inbox.len() < 4 || self.inbox.len() < self.length() {
            self.receive()?;
        }
        let packet: Vec<u8> = self.inbox.drain(..self.length()).collect();
        let time = u32::from_be_bytes(packet[8..12].try_into().expect("four bytes"));
        Some((time, packet[16..].to_vec()))
    }

    /// RTP times of the next pictures.
    fn times(&mut self, count: usize) -> Vec<u32> {
        let mut times = Vec::new();
        while times.len() < count {
            let (time, _) = self.packet().expect("the camera goes on");
            if times.last() != Some(&time) {
                times.push(time);
            }
        }
        times
    }

    /// The first piece of the next picture that is whole, behind its parameter sets.
    fn piece(&mut self) -> Vec<u8> {
        loop {
            let (_, payload) = self.packet().expect("the camera goes on");
            if payload[0] & 0x1F == FRAGMENT && payload[1] & 0x80 != 0 {
                return payload;
            }
        }
    }

    fn length(&self) -> usize {
        4 + usize::from(u16::from_be_bytes([self.inbox[2], self.inbox[3]]))
    }

    fn receive(&mut self) -> Option<()> {
        let mut chunk = [0; 4096];
        let count = self.stream.read(&mut chunk).ok().filter(|count| *count > 0)?;
        self.inbox.extend(&chunk[..count]);
        Some(())
    }
}

#[test]
fn a_corrupt_camera_garbles_its_pictures_until_it_is_mended() {
    let camera = RtspCamera::start(scene(), 25.0);
    let mut viewer = Viewer::watch(&camera);
    // The scene has two greys, and no colour.
    let is_drawn = |byte: &&u8| matches!(byte, 90 | 128 | 200);
    let is_garbled = |piece: &[u8]| piece.iter().filter(is_drawn).count() < piece.len() * 9 / 10;
    assert!(!is_garbled(&viewer.piece()));
    camera.corrupt();
    while !is_garbled(&viewer.piece()) {}
    camera.mend();
    while is_garbled(&viewer.piece()) {}
}

#[test]
fn a_slow_camera_sends_each_nth_frame_at_its_true_time() {
    let camera = RtspCamera::start(scene(), 50.0);
    camera.slow(5);
    let times = Viewer::watch(&camera).times(4);
    let step = 90_000 / 50 * 5;
    // The first is the frame due at PLAY, whichever that was.
    assert!(times[1..].windows(2).all(|pair| (pair[1] - pair[0]) % step == 0), "{times:?}");
    camera.slow(1);
    let times = Viewer::watch(&camera).times(12);
    assert!(times.windows(2).any(|pair| pair[1] - pair[0] < step), "{times:?}");
}

#[test]
fn a_door_that_resets_ends_the_connection_without_a_word() {
    let camera = RtspCamera::start(scene(), 10.0);
    camera.answer(Door::Reset);
    assert_eq!(Viewer::of(&camera).ask("OPTIONS", ""), None);
    camera.answer(Door::Open);
    assert_eq!(Viewer::of(&camera).ask("OPTIONS", ""), Some(200));
}

#[test]
fn closed_doors_say_so_at_their_own_step() {
    let camera = RtspCamera::start(scene(), 10.0);
    let transport = "Transport: RTP/AVP/TCP;unicast;interleaved=0-1\r\n";
    for (door, describe, setup) in [
        (Door::Full, 200, 453),
        (Door::Unavailable, 503, 200),
        (Door::NotFound, 404, 200),
        (Door::Locked("admin:secret".to_owned()), 401, 401),
        (Door::Open, 200, 200),
    ] {
        camera.answer(door);
        let mut viewer = Viewer::of(&camera);
        assert_eq!(viewer.ask("DESCRIBE", ""), Some(describe));
        assert_eq!(viewer.ask("SETUP", transport), Some(setup));
    }
}

#[test]
fn a_locked_door_opens_to_its_password_alone() {
    let camera = RtspCamera::start(scene(), 10.0);
    camera.answer(Door::Locked("admin:secret".to_owned()));
    let mut viewer = Viewer::of(&camera);
    assert_eq!(viewer.ask("DESCRIBE", "Authorization: Basic YWRtaW46c2VjcmV0\r\n"), Some(200));
    assert_eq!(viewer.ask("DESCRIBE", "Authorization: Basic YWRtaW46d3Jvbmc=\r\n"), Some(401));
}

#[test]
fn a_cut_ends_inside_a_packet() {
    let camera = RtspCamera::start(scene(), 10.0);
    let mut viewer = Viewer::watch(&camera);
    viewer.piece();
    camera.cut();
    while viewer.packet().is_some() {}
    assert!(viewer.inbox.len() > 4 && viewer.inbox.len() < viewer.length(), "{} bytes are left", viewer.inbox.len());
}

/// NAL unit type of a fragment (RFC 6184, 5.8).
const FRAGMENT: u8 = 28;
