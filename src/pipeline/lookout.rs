//! What a detect worker knows of one camera from frame to frame: whether to look, and who of those found is nobody.
//!
//! In: frames and detections of one camera in the order of capture. Out: [`Verdict`]s, and detections without ignored and
//! motionless ones; both are counted. Invariant: what is decided follows from the frames alone, so that a recording gives
//! the same counts at any speed and with any number of workers.

use std::sync::Arc;

use crate::capture::Frame;
use crate::config::Settings;
use crate::config::card::ScoreLevels;
use crate::detect::Detections;
use crate::detect::motionless::Motionless;
use crate::detect::scene::{Scene, Verdict};
use crate::floor::ignore::Ignored;
use crate::health::CameraHealth;

/// The lookout of one camera.
pub struct Lookout {
    settings: Arc<Settings>,
    camera: usize,
    high: f32,
    scene: Option<Scene>,
    ignored: Option<Ignored>,
    motionless: Option<Motionless>,
}

impl Lookout {
    /// For a camera of which nothing has been seen; scores of detections mean what `levels` says.
    #[must_use]
    pub fn new(settings: Arc<Settings>, camera: usize, levels: ScoreLevels) -> Self {
        let (motion, is_nobody) = (settings.cameras[camera].motion(), settings.cameras[camera].is_motionless_nobody());
        let scene = (motion > 0.0).then(|| Scene::new(motion as f32, levels));
        let motionless = is_nobody.then(|| Motionless::new(levels));
        Self { settings, camera, high: levels.high, scene, ignored: None, motionless }
    }

    /// Whether the network is to look at the next frame.
    pub fn judge(&mut self, frame: &Frame) -> Verdict {
        self.scene.as_mut().map_or(Verdict::Called, |scene| scene.judge(frame))
    }

    /// Takes out who is nobody, ignored ones first, and counts them.
    pub fn sift(&mut self, detections: &mut Detections, health: &CameraHealth) {
        self.ignore(detections, health);
        if let Some(motionless) = &mut self.motionless {
            motionless.suppress(detections);
            health.lists_motionless(motionless.listed() as u32);
        }
        if let Some(scene) = &mut self.scene {
            scene.found(detections);
        }
    }

    fn ignore(&mut self, detections: &mut Detections, health: &CameraHealth) {
        if self.settings.ignores.is_empty() {
            return;
        }
        let ignored = match self.ignored.take() {
            Some(ignored) => ignored,
            // Marks that make no floor end the eye elsewhere.
            None => match Ignored::new(&self.settings, self.camera, detections.picture) {
                Ok(ignored) => ignored,
                Err(_) => return,
            },
        };
        let (high, anchor) = (self.high, self.settings.cameras[self.camera].anchor);
        detections.people.retain(|found| {
            let is_nobody = ignored.holds(found.place.at(anchor));
            if is_nobody && found.score >= high {
                health.ignored();
            }
            !is_nobody
        });
        self.ignored = Some(ignored);
    }
}
