//! Where the windows of an export come from: this box's own store, or files of payload lines.
//!
//! In: a site file, or files. Out: windows, oldest first, and what is known of their objects.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use super::super::credentials::Asker;
use super::super::state::state_folder;
use super::super::{Failure, USAGE};
use super::files::Lines;
use super::rows::{Object, Visit};
use crate::config::Settings;
use crate::config::site::Site;
use crate::publish::period::{Calendar, Node, Period};
use crate::switch::Act;
use crate::vault::Vault;
use crate::wire::audit::Deed;
use crate::wire::read::{Kind, WindowBody};

/// Windows to export.
pub struct Source {
    place: Place,
    /// The node of windows that do not say theirs.
    node: Option<Node>,
    /// Time zone of the shop, where it is known.
    pub zone: Option<String>,
    /// Names for people, by "line/door".
    pub names: BTreeMap<String, String>,
    /// Objects that are known.
    pub objects: BTreeSet<Object>,
}

enum Place {
    Store(Box<Vault>),
    Files(Box<Lines>),
}

/// What was in the source besides windows.
#[derive(Default)]
pub struct Leftovers {
    /// Lines that are no payload of ours.
    pub malformed: u64,
    /// Words about the first.
    pub first: Option<String>,
    /// Payloads of other kinds.
    pub others: u64,
    /// Whether some windows stand with a topic and others without.
    pub is_mixed: bool,
}

impl Source {
    /// The files, or the store of the site where there are none, for whoever may take figures out of it; `read` hears how many bytes of files were read.
    ///
    /// # Errors
    /// A file or a store that cannot be read; neither given.
    pub fn open(
        site: Option<&Site>,
        files: &[PathBuf],
        asker: &Asker,
        read: &mut dyn FnMut(u64),
    ) -> Result<Self, Failure> {
        let place = match (site, files) {
            (None, []) => {
                let message = "give --site, to export what this box holds, or --windows FILE with lines of payloads";
                return Err(Failure::new(USAGE, message));
            }
            (Some(site), []) => {
                let vault = Vault::open_beside(&state_folder(&site.outlets)?, site.outlets.keeping)?;
                if vault.has_people()? {
                    let by = asker.leave(&vault, Act::Export, "export")?;
                    vault.remember(&Deed::done("export").by(&by))?;
                }
                Place::Store(Box::new(vault))
            }
            _ => Place::Files(Box::new(Lines::open(files, read)?)),
        };
        let settings = site.map(|site| &site.settings);
        let mut source = Self {
            place,
            node: settings.map(node_of),
            zone: settings.map(|settings| settings.store.timezone.clone()),
            names: settings.map(names_of).unwrap_or_default(),
            objects: settings.map(objects_of).unwrap_or_default(),
        };
        if let Place::Files(lines) = &mut source.place {
            if source.zone.is_none() && lines.zones.len() == 1 {
                source.zone = lines.zones.first().cloned();
            }
            source.names.append(&mut lines.names);
            let found = std::mem::take(&mut lines.objects).into_iter();
            source.objects.extend(found.map(|(node, kind, id)| (node.or_else(|| source.node.clone()), kind, id)));
        }
        Ok(source)
    }

    /// Shows every window that begins in a period, oldest first.
    ///
    /// # Errors
    /// A file or a store that cannot be read, or what `visit` says.
    pub fn each(&mut self, period: &Period, visit: &mut Visit) -> Result<(), Failure> {
        let node = self.node.as_ref();
        match &mut self.place {
            Place::Files(lines) => lines.each(period, &mut |named, window| visit(named.or(node), window)),
            Place::Store(vault) => {
                for span in period.spans() {
                    // A day at a time, so that no more than that is in memory.
                    for from_s in (span.from_s..span.to_s).step_by(DAY_S) {
                        for body in vault.windows(from_s, span.to_s.min(from_s + DAY_S as i64))? {
                            let window = WindowBody::read(&body)
                                .map_err(|error| Failure::new(USAGE, format!("the store: {error}")))?;
                            visit(node, &window)?;
                        }
                    }
                }
                Ok(())
            }
        }
    }

    /// What there is, in words, for somebody who asked for a period without windows.
    #[must_use]
    pub fn reach(&self, calendar: &Calendar) -> String {
        let reach = match &self.place {
            Place::Files(lines) => lines.reach(),
            Place::Store(vault) => {
                let bodies = vault.windows(i64::MIN, i64::MAX).unwrap_or_default();
                let start = |body: Option<&Vec<u8>>| WindowBody::read(body?).ok().map(|window| window.start_s);
                start(bodies.first()).zip(start(bodies.last())).map(|(first, last)| [first, last])
            }
        };
        reach.map_or("there are no windows at all".to_owned(), |reach| {
            let [first, last] = reach.map(|at_s| calendar.local(at_s).strftime("%Y-%m-%d %H:%M").to_string());
            format!("the first window begins at {first}, the last at {last}, {} time", calendar.zone())
        })
    }

    /// What else was in it.
    #[must_use]
    pub fn leftovers(&self) -> Leftovers {
        let Place::Files(lines) = &self.place else { return Leftovers::default() };
        Leftovers {
            malformed: lines.malformed.lines,
            first: lines.malformed.first.clone(),
            others: lines.others,
            is_mixed: lines.with_topic == [true; 2] && self.node.is_none(),
        }
    }
}

fn node_of(settings: &Settings) -> Node {
    let store = &settings.store;
    Node { org: store.org.clone(), store: store.store.clone(), node: store.node.clone() }
}

fn names_of(settings: &Settings) -> BTreeMap<String, String> {
    let named = |kind: &str, id: &str, name: &String| (format!("{kind}/{id}"), name.clone());
    let lines = settings.lines.iter().map(|line| named("line", &line.id, &line.name));
    let zones = settings.zones.iter().map(|zone| named("zone", &zone.id, &zone.name));
    let queues = settings.queues.iter().map(|queue| named("queue", &queue.id, &queue.name));
    let floors = settings.floors.iter().map(|floor| named("floor", &floor.id, &floor.name));
    let cameras = settings.cameras.iter().map(|camera| named("camera", &camera.id, &camera.name));
    lines.chain(zones).chain(queues).chain(floors).chain(cameras).collect()
}

/// Objects a site measures, with or without windows.
fn objects_of(settings: &Settings) -> BTreeSet<Object> {
    let of = |kind: Kind, id: &str| (Some(node_of(settings)), kind, id.to_owned());
    let lines = settings.lines.iter().map(|line| of(Kind::Line, &line.id));
    let zones = settings.zones.iter().map(|zone| of(Kind::Zone, &zone.id));
    let queues = settings.queues.iter().map(|queue| of(Kind::Queue, &queue.id));
    let floors = settings.floors.iter().flat_map(|floor| {
        let layer = |layer: &str| of(Kind::Heat, &format!("{}-{layer}", floor.id));
        [layer("visits"), layer("dwell"), of(Kind::Flow, &floor.id)]
    });
    let has_places = |camera: &usize| !settings.places(*camera).is_empty();
    let cameras =
        (0..settings.cameras.len()).filter(has_places).map(|camera| of(Kind::Od, &settings.cameras[camera].id));
    lines.chain(zones).chain(queues).chain(floors).chain(cameras).collect()
}

/// Windows are read from the store this many seconds at a time.
const DAY_S: usize = 86_400;
