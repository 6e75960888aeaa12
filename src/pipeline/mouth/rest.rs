//! The mouth while nothing is watched: the heartbeat goes on, nothing else is said.
//!
//! In: what the guard says. Out: health reports, events of every change. Invariant: of a camera that is not watched nothing is told.

use tokio::sync::watch;

use super::{Mouth, Standing};
use crate::health::Silence;
use crate::health::walls::Walls;
use crate::wire::compose::about;

impl Mouth {
    /// Where the switch stands; on for a mouth without a guard.
    #[must_use]
    pub fn standing(&self) -> Standing {
        self.guard.as_ref().map_or(Standing::On, super::Guard::standing)
    }

    /// Waits until cameras may be watched; `changed` is told of every other change meanwhile.
    pub async fn rest(&mut self, changed: &mut dyn FnMut(Standing)) {
        let Some(mut changes) = self.guard.as_ref().map(super::Guard::changes) else { return };
        self.forget_cameras();
        let mut clock = tokio::time::interval(self.health_every);
        loop {
            let standing = *changes.borrow_and_update();
            self.tell_switch(standing);
            self.report_health();
            if standing == Standing::On {
                return;
            }
            changed(standing);
            self.wait_for_change(&mut changes, &mut clock).await;
        }
    }

    async fn wait_for_change(&mut self, changes: &mut watch::Receiver<Standing>, clock: &mut tokio::time::Interval) {
        loop {
            tokio::select! {
                // The guard lives as long as this mouth.
                _ = changes.changed() => return,
                _ = clock.tick() => {
                    self.keep_house();
                    // A stop that found no room is written as soon as there is some.
                    let _ = self.vault.switch();
                    self.report_health();
                }
            }
        }
    }

    fn forget_cameras(&mut self) {
        self.cameras.iter_mut().for_each(|camera| *camera = None);
        self.unreached.iter_mut().for_each(|why| *why = Silence::None);
        self.walls = Walls::NONE;
        self.ration = None;
    }

    fn tell_switch(&self, standing: Standing) {
        self.tell("switch", about([("mode", standing.name().into())]));
    }
}
