//! A camera that tests can freeze, cut off and switch back on: drawn scenes over RTSP, on loopback.
//!
//! In: a [`Scene`] that draws frame `n`, and a rate. Out: the camera of `kehai report`, and switches for its manners, which
//! are in `rtsp_faults.rs`.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::Ordering::SeqCst;
use std::time::SystemTime;

use kehai::cli::report::camera::Camera;
pub use kehai::cli::report::camera::Scene;

use super::rtsp_faults::{Door, Faults};

/// A camera that is switched on; dropping it switches it off.
pub struct RtspCamera {
    camera: Camera,
    faults: Arc<Faults>,
}

impl RtspCamera {
    /// Switches a camera on at a free port.
    pub fn start(scene: Scene, fps: f64) -> Self {
        Self::start_on(0, scene, fps)
    }

    /// Switches a camera on at this port, where another may just have gone. It begins with frame 0.
    ///
    /// # Panics
    /// When the port is taken.
    pub fn start_on(port: u16, scene: Scene, fps: f64) -> Self {
        Self::start_at((Ipv4Addr::LOCALHOST, port).into(), scene, fps)
    }

    /// Switches a camera on at another address of this machine, port 0 being any.
    ///
    /// # Panics
    /// When it is taken.
    pub fn start_at(place: SocketAddr, scene: Scene, fps: f64) -> Self {
        let faults = Arc::new(Faults::default());
        let manners = Arc::clone(&faults);
        Self { camera: Camera::start(place, scene, fps, manners).expect("the camera's port is free"), faults }
    }

    /// Where the camera is found.
    pub fn url(&self) -> String {
        self.camera.url()
    }

    /// When it has sent a picture to somebody, whole and not garbled, in order.
    pub fn sent(&self) -> Vec<SystemTime> {
        self.faults.sent.lock().expect("nobody panics while holding it").clone()
    }

    /// Every byte that anybody has said to it, by connection.
    pub fn heard(&self) -> Vec<Vec<u8>> {
        self.faults.heard.lock().expect("nobody panics while holding it").clone()
    }

    /// The port to give to [`RtspCamera::start_on`] when this camera shall come back.
    pub fn port(&self) -> u16 {
        self.camera.port()
    }

    /// Keeps all connections and falls silent: no pictures, no answers. A frame under way is completed.
    pub fn freeze(&self) {
        self.faults.frozen.store(true, SeqCst);
    }

    /// Goes on with the frame that is due now.
    pub fn thaw(&self) {
        self.faults.frozen.store(false, SeqCst);
    }

    /// Drops every connection inside a packet, half a picture sent; a frozen one at once. New ones are welcome.
    pub fn cut(&self) {
        self.faults.cuts.fetch_add(1, SeqCst);
    }

    /// Garbles the payload of every picture from here on, headers and sizes left whole, until it is mended.
    pub fn corrupt(&self) {
        self.faults.corrupt.store(true, SeqCst);
    }

    /// Ends what [`RtspCamera::corrupt`] began.
    pub fn mend(&self) {
        self.faults.corrupt.store(false, SeqCst);
    }

    /// Sends only each `every`th frame, with its true number and time; 1 is the full rate.
    pub fn slow(&self, every: u64) {
        self.faults.every.store(every.max(1), SeqCst);
    }

    /// Sends only each `every`th picture whole, whenever somebody comes, and in between that nothing has changed.
    pub fn spare(&self, every: u64) {
        self.faults.whole_every.store(every.max(1), SeqCst);
    }

    /// Says nothing of its pictures before it sends one.
    pub fn keep_quiet(&self) {
        self.faults.terse.store(true, SeqCst);
    }

    /// How it meets those who come, from here on: those who watch already are not disturbed.
    pub fn answer(&self, door: Door) {
        *self.faults.door.lock().expect("nobody panics while holding it") = door;
    }

    /// Switches the camera off, cutting its connections: afterwards its port is free and its threads are gone. Gives when
    /// it had sent pictures ([`RtspCamera::sent`]).
    pub fn stop(self) -> Vec<SystemTime> {
        self.sent()
    }
}
