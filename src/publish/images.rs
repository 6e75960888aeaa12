//! Released heatmaps as pictures for screens that only show pictures: retained, where the site asks for it.
//!
//! In: the newest heat windows of the vault. Out: PNGs below `img/`, through the spool. Invariants: a picture is drawn from the very
//! payload that is published, and goes after it; where that window is gone its picture is cleared, also when it went while
//! nobody drew.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use super::picture::heatmap_png;
use crate::vault::Vault;
use crate::wire::Message;
use crate::wire::read::WindowView;

/// Draws what is new, for as long as it is polled.
pub struct Images {
    vault: Arc<Vault>,
    /// Topic of the node, which ends in a slash.
    base: String,
    /// Which cells a camera sees, by id of the floor.
    seen: BTreeMap<String, Vec<bool>>,
    /// Start of the window that was drawn last, by topic; empty where another process may have drawn one.
    drawn: BTreeMap<String, String>,
}

impl Images {
    /// Pictures of the windows in a vault, below the topic `base`, which ends in a slash; `seen` says which cells a camera
    /// sees, by id of the floor.
    #[must_use]
    pub fn of(vault: Arc<Vault>, base: String, seen: BTreeMap<String, Vec<bool>>) -> Self {
        let objects = vault.objects().unwrap_or_default();
        let maps = objects.iter().filter(|(kind, _)| kind == "heat");
        let drawn = maps.map(|(_, id)| (format!("{base}img/heat/{id}"), String::new())).collect();
        Self { vault, base, seen, drawn }
    }

    /// Draws until the runtime ends.
    pub async fn draw(mut self) {
        let mut clock = tokio::time::interval(LOOK_EVERY);
        loop {
            clock.tick().await;
            for message in self.due() {
                let topic = message.topic.clone();
                if self.vault.enqueue(&message).is_err() {
                    // Without room now it is drawn with the next look.
                    self.drawn.remove(&topic);
                }
            }
        }
    }

    /// Pictures that have to be sent, and those that have to be cleared.
    fn due(&mut self) -> Vec<Message> {
        let newest: BTreeMap<String, WindowView> = self
            .vault
            .newest()
            .iter()
            .filter_map(|message| WindowView::read(&message.body))
            .filter(|window| window.heat.is_some())
            .map(|window| (format!("{}img/heat/{}", self.base, window.id), window))
            .collect();
        let gone: Vec<String> = self.drawn.keys().filter(|topic| !newest.contains_key(*topic)).cloned().collect();
        let mut due: Vec<Message> = gone.into_iter().map(|topic| self.picture(topic, None)).collect();
        for (topic, window) in newest {
            if self.drawn.get(&topic) != Some(&window.start) {
                due.push(self.picture(topic, Some(&window)));
            }
        }
        due
    }

    fn picture(&mut self, topic: String, window: Option<&WindowView>) -> Message {
        let body = window.and_then(|window| {
            let heat = window.heat.as_ref()?;
            self.drawn.insert(topic.clone(), window.start.clone());
            Some(heatmap_png(heat, self.seen.get(&heat.plan).map_or(&[], Vec::as_slice)))
        });
        if body.is_none() {
            self.drawn.remove(&topic);
        }
        Message { topic, body: body.unwrap_or_default(), retain: true, at_least_once: true }
    }
}

/// Heatmaps come by the hour; nobody waits for their pictures.
const LOOK_EVERY: Duration = Duration::from_secs(5);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::WindowSpan;
    use crate::wire::compose::Record;
    use crate::wire::vz1;

    fn hall(start_s: i64) -> Record {
        let ws = crate::wire::compose::rfc3339(crate::clock::UtcMs(start_s * 1000));
        let data = vz1::encode([None, Some([7])].into_iter());
        let body = format!(
            "{{\"v\":1,\"k\":\"heat\",\"id\":\"hall-visits\",\"ws\":\"{ws}\",\"dur\":3600,\"cov_ms\":1,\"privacy\":{{\"k\":5}},\"d\":{{\"layer\":\"visits\",\"unit\":\"visit\",\"frame\":\"store\",\"plan\":\"hall\",\"w\":2,\"h\":1,\"cell_mm\":1000,\"origin_mm\":[0,0],\"enc\":\"vz1\",\"data\":\"{data}\",\"cells\":1,\"sum\":7,\"max\":7,\"dropped_cells\":1}}}}"
        );
        let topic = "k/o/s/n/win/heat/hall-visits".to_owned();
        let message = Message { topic, body: body.into_bytes(), retain: true, at_least_once: true };
        let span = WindowSpan { start_s, dur_s: 3600 };
        Record { message, kind: "heat", id: "hall-visits".to_owned(), span }
    }

    #[test]
    fn each_new_heatmap_is_drawn_once_and_a_purged_one_is_cleared() {
        let vault = Arc::new(Vault::throw_away().expect("memory"));
        let drawing = || {
            let (base, seen) = ("k/o/s/n/".to_owned(), BTreeMap::from([("hall".to_owned(), vec![true, true])]));
            Images::of(Arc::clone(&vault), base, seen)
        };
        let mut images = drawing();
        assert_eq!(images.due(), []);
        for start_s in [0, 3600] {
            vault.release(|_| hall(start_s)).expect("memory");
            let due = images.due();
            assert_eq!(due.len(), 1);
            assert_eq!(due[0].topic, "k/o/s/n/img/heat/hall-visits");
            assert!(due[0].retain && due[0].body.starts_with(b"\x89PNG"), "a picture that is kept");
            assert_eq!(images.due(), [], "drawn once");
        }
        let mut after_a_restart = drawing();
        assert_eq!(after_a_restart.due().len(), 1, "drawn once by each process");
        vault.purge(0, 7200, "owner").expect("memory");
        // Whoever begins only now does not know what those before have drawn.
        let mut later = drawing();
        assert_eq!(later.due().iter().map(|message| message.body.len()).collect::<Vec<_>>(), [0]);
        assert_eq!(later.due(), []);
        assert_eq!(images.due().iter().map(|message| message.body.len()).collect::<Vec<_>>(), [0]);
    }
}
