//! A live camera of which every picture is known: keyed pictures over RTSP, without loss.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use kehai::units::PictureSize;

use super::case::Recording;
use crate::support::folder::Folder;
use crate::support::keyed::{FPS, Keyed};
use crate::support::program::GLANCE;
use crate::support::rtsp_camera::{RtspCamera, Scene};

/// A camera and the numbers of the pictures it has sent.
pub struct Watched {
    camera: Option<RtspCamera>,
    size: PictureSize,
    drawn: Arc<Mutex<BTreeSet<u64>>>,
}

impl Watched {
    /// Switches one on with pictures of this size, px.
    pub fn start(size: PictureSize) -> Self {
        let (width, height) = (size.width as usize, size.height as usize);
        let (keyed, drawn) = (Keyed::new(OWN, size), Arc::new(Mutex::new(BTreeSet::new())));
        let numbers = Arc::clone(&drawn);
        let draw = move |number| {
            numbers.lock().expect("nobody panics with it").insert(number);
            keyed.luma(number)
        };
        let camera = RtspCamera::start(Scene { width, height, draw: Box::new(draw) }, FPS);
        Self { camera: Some(camera), size, drawn }
    }

    /// Where it is found.
    pub fn url(&self) -> String {
        self.camera.as_ref().expect("it is on").url()
    }

    /// Waits until so many more pictures were sent.
    pub fn await_more(&self, count: u64) {
        let sent = || self.camera.as_ref().expect("it is on").sent().len() as u64;
        let before = sent();
        while sent() < before + count {
            std::thread::sleep(GLANCE);
        }
    }

    /// Switches it off.
    pub fn stop(&mut self) {
        self.camera = None;
    }

    /// The last pictures so far, `count` at the most, and the same numbers of another key.
    pub fn recordings(&self, count: u64) -> [Recording; 2] {
        let drawn = self.drawn.lock().expect("nobody panics with it");
        let numbers: Vec<u64> = drawn.iter().copied().skip(drawn.len().saturating_sub(count as usize)).collect();
        [OWN, OTHER].map(|key| {
            let folder = Folder::new();
            let path = Keyed::new(key, self.size).stream(&folder, &numbers);
            Recording { path, size: self.size, count: numbers.len() as u64, _folder: folder }
        })
    }
}

/// Keys of the pictures that are looked at, and of those that nobody ever sees.
pub const OWN: u64 = 1;
pub const OTHER: u64 = 2;
