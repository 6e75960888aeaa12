//! The proof of memory: pictures that nobody else has go through a twin of the shop; then all its memory is searched.
//!
//! In: the shop's site. Out: [`Verdict`]. Invariants: no camera, no broker and no file of the shop is touched; the pictures
//! are noise and figures drawn here; they and the twin are gone when this ends. A search that finds nothing counts only
//! where the running eye held the pictures, and an eye that overwrites nothing is found to have kept them.

use std::io::{IsTerminal, Read};
use std::net::{Ipv4Addr, SocketAddr};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use super::super::interrupt::Interrupt;
use super::Args;
use super::camera::Camera;
use super::twin::{Member, Part, Twin, go_on, own_child, stop};
use super::verdict::{Searched, Verdict};
use super::view::{Drawn, View};
use crate::cli::arming::armable;
use crate::cli::bench::listen;
use crate::cli::output::note;
use crate::cli::session::{Prepared, prepare};
use crate::cli::{CHECK_FAILED, Failure};
use crate::clock::{Timeline, utc_now};
use crate::config::Settings;
use crate::forensics::Residue;
use crate::forensics::needles::{Form, Gathering, Needles};
use crate::forensics::search::search;
use crate::forensics::sought::{Network, Pictures, STRIDE, Sought, Wanted};
use crate::health::walls::Walls;
use crate::pipeline::mouth::EYES;
use crate::pipeline::{EyeJob, Feed, Origin};
use crate::switch::{Person, Role, Turn};
use crate::units::PictureSize;
use crate::vault::Vault;
use crate::wire::record::Report;
use crate::wire::record::ration::Errand;

/// Plays pictures to a twin of this shop and searches it.
///
/// # Errors
/// Exit 1 where something fails on the way, exit 8 where the twin's eye is not caged, exit 130 on Ctrl-C.
pub fn prove(args: &Args, shop: &Prepared) -> Result<Verdict, Failure> {
    let (interrupt, folder) = (Interrupt::listen("interrupted; nothing was proved")?, Folder::new()?);
    let [own, other] = [key()?, key()?].map(|key| View { key, size: args.picture });
    let drawn = Arc::new(Drawn::default());
    let place = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let camera = Camera::start(place, own.scene(), FPS, Arc::clone(&drawn) as Arc<_>).map_err(failed)?;
    let site = folder.path("site.toml");
    let state = folder.path("state");
    let text = site_of(&shop.site.settings, &camera.url(), args.picture) + &declared(&state);
    std::fs::write(&site, &text).map_err(failed)?;
    arm(&site, &state)?;

    tell("a twin of the shop is started");
    let mut twin = Twin::start(&site)?;
    twin.hear("camera view seen", &interrupt)?;
    tell(&format!("it watches; {} pictures at {FPS} a second", args.frames));
    while drawn.count() < args.frames {
        interrupt.pause(GLANCE)?;
    }
    let running = held(&twin, own, &drawn, &interrupt)?;
    drop(camera);
    twin.hear("camera view lost", &interrupt)?;
    interrupt.pause(IDLE + SETTLED)?;
    let members = twin.freeze()?;
    let numbers = drawn.last(RECENT);
    tell(&format!("it rests and is searched for {} pictures", numbers.len()));
    let own = filmed(own, &folder.path("own.h264"), &numbers)?;
    let other = filmed(other, &folder.path("other.h264"), &numbers)?;
    let wanted = needles(shop, [&own, &other])?;
    let searched = members.iter().map(|member| searched(member, &wanted, &interrupt)).collect::<Result<_, _>>()?;
    drop(twin);
    tell("an eye that overwrites nothing looks at the same pictures");
    let control = control(&site, &own, &wanted.own)?;
    interrupt.check()?;
    let [played, sought] = [drawn.count(), own.count];
    let size = args.picture;
    let first_layers = wanted.first_layers;
    Ok(Verdict { played, sought, size, looks_per_s: FPS, searched, running, control, first_layers })
}

/// What the running eye holds of its newest pictures: that it sees them at all.
fn held(twin: &Twin, view: View, drawn: &Drawn, interrupt: &Interrupt) -> Result<u64, Failure> {
    let eye = twin.members().into_iter().find(|member| member.part == Part::Eye);
    let Some(Member { pid, .. }) = eye else { return Ok(0) };
    for _ in 0..ATTEMPTS {
        stop(pid)?;
        let mut gathering = Gathering::default();
        for number in drawn.last(NEWEST) {
            gathering.add(Form::Plane, number, &view.luma(number), STRIDE);
        }
        let found = search(pid, &[&gathering.into_needles()]);
        go_on(pid);
        let windows = found.map_err(failed)?.iter().map(Residue::windows).sum();
        if windows > 0 {
            return Ok(windows);
        }
        interrupt.pause(GLANCE)?;
    }
    Ok(0)
}

fn searched(member: &Member, wanted: &Wanted, interrupt: &Interrupt) -> Result<Searched, Failure> {
    interrupt.check()?;
    tell(&format!("{} is searched", member.part));
    let found = search(member.pid, &[&wanted.own, &wanted.other]);
    let found = found.map_err(|error| Failure::new(CHECK_FAILED, format!("memory of the {}: {error}", member.part)))?;
    let [own, other] = <[Residue; 2]>::try_from(found).expect("two lists, two findings");
    Ok(Searched { part: member.part, own, other })
}

fn needles(shop: &Prepared, pictures: [&Pictures; 2]) -> Result<Wanted, Failure> {
    let input = shop.site.settings.detector.size;
    let network = Network { runtime: &shop.runtime, model: &shop.model.file, card: &shop.model.card, input };
    SOUGHT.in_two(&network, pictures).map_err(|error| Failure::new(CHECK_FAILED, error.to_string()))
}

/// An eye without walls that overwrites nothing plays the pictures from their file; gives what it has kept. It opens no
/// camera.
fn control(site: &Path, pictures: &Pictures, needles: &Needles) -> Result<Residue, Failure> {
    let twin = prepare(site, None)?;
    let origin = Origin::Recorded { path: pictures.path.clone(), fps: Some(FPS), every: 1, realtime: false };
    let errand = Errand::Replay(Timeline::starting_at(utc_now()));
    let tidy = twin.uncaged_job(vec![Feed { camera: 0, origin, picture: None }], errand);
    let job = EyeJob { walls: Walls::NONE.bits(), proved: Walls::NONE.bits(), leaves_traces: true, ..tidy };
    let mut found = None;
    let mut heard = |report: &Report| {
        // It has looked at all and is still there.
        if matches!(report, Report::Ended) {
            found = own_child(EYES[0]).and_then(|eye| search(eye, &[needles]).ok());
        }
    };
    let end = listen(&twin, &job, &mut heard)?;
    let found = found.and_then(|mut found| found.pop());
    found.ok_or_else(|| Failure::new(CHECK_FAILED, format!("the control could not be searched: {end}")))
}

fn filmed(view: View, path: &Path, numbers: &[u64]) -> Result<Pictures, Failure> {
    view.film(path, numbers).map_err(failed)?;
    Ok(Pictures { path: path.to_path_buf(), size: view.size, count: numbers.len() as u64, fps: FPS })
}

/// A site of one camera with the shop's network and the settings of its first camera.
fn site_of(shop: &Settings, url: &str, size: PictureSize) -> String {
    let text = |text: &str| toml::Value::from(text).to_string();
    let (detector, camera) = (&shop.detector, &shop.cameras[0]);
    let mut lines = vec![
        format!("dangerous_allow_unsandboxed = {}", shop.dangerous_allow_unsandboxed),
        "[store]\norg = \"report\"\nstore = \"twin\"\nnode = \"twin\"\ntimezone = \"UTC\"\n[detector]".to_owned(),
        format!("model = {}", text(&detector.model)),
        format!("workers = {}\naccelerator = \"{}\"", detector.workers, detector.accelerator),
    ];
    lines.extend(
        detector.size.map(|PictureSize { height, width }| format!("size = {{ height = {height}, width = {width} }}")),
    );
    lines.extend(detector.score.map(|score| format!("score = {score}")));
    lines.push(format!("[[camera]]\nid = \"view\"\nurl = \"{url}\"\nfps = {FPS:?}\nlooks_per_s = {FPS:?}"));
    lines.extend(camera.decoder.as_ref().map(|decoder| format!("decoder = {}", text(decoder))));
    lines.push(format!("motion = {:?}\nmotionless = {}", camera.motion(), camera.is_motionless_nobody()));
    let (right, middle, below) = (size.width - 1, size.height / 2, size.height - 1);
    lines.push(format!("[[line]]\nid = \"door\"\ncamera = \"view\"\nends_px = [[0, {middle}], [{right}, {middle}]]\ninside_px = [{middle}, {below}]\n"));
    lines.join("\n")
}

/// What a twin declares: it watches drawn figures, and keeps what it measures of them in its own folder.
fn declared(state: &Path) -> String {
    let words = "{ en = \"A self-test that watches drawn figures\" }";
    let party = "{ name = \"Self-test\", address = \"this box\", contact = \"this box\" }";
    let lines = [
        format!("[vault]\nfolder = {}\nkeep_days = 1", toml::Value::from(state.display().to_string())),
        "[switch]\nsole_operator = true\n[notice]\nlanguages = [\"en\"]\nregion = \"uk\"".to_owned(),
        format!("controllers = [{party}]\nlegal_basis = \"legitimate-interest\"\ninterest = {words}"),
        format!("desk = {{ name = {words}, phone = \"000\" }}\nauthority = {words}\nobjection = {words}"),
        format!("policy_url = \"http://127.0.0.1/\"\n[purposes]\nline = {words}\n"),
    ];
    lines.join("\n")
}

/// Arms the twin, in a store that goes with it.
fn arm(site: &Path, state: &Path) -> Result<(), Failure> {
    let site = crate::config::site::load(site)?;
    let vault = Vault::open(state, site.outlets.keeping, Duration::ZERO)?;
    let (armable, name) = (armable(&site), "self-test".to_owned());
    let (sign, by) = (armable.sign.clone(), Person::new(name.as_str(), Role::Owner));
    let armed = vault.turn(&Turn::Arm { by, site: armable }, &name, Some(&sign));
    armed.map(drop).map_err(|error| Failure::new(CHECK_FAILED, format!("the twin cannot be armed: {error}")))
}

/// A folder of root's alone; gone when dropped.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Result<Self, Failure> {
        let folder = std::env::temp_dir().join(format!("kehai-report-{:016x}", key()?));
        std::fs::DirBuilder::new().mode(0o700).create(&folder).map_err(failed)?;
        Ok(Self(folder))
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // What lies in it is noise; what cannot be removed goes with the temporary folder.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// A number that nobody knows.
fn key() -> Result<u64, Failure> {
    let mut key = [0; 8];
    std::fs::File::open("/dev/urandom").and_then(|mut random| random.read_exact(&mut key)).map_err(failed)?;
    Ok(u64::from_ne_bytes(key))
}

fn failed(error: std::io::Error) -> Failure {
    Failure::new(CHECK_FAILED, error.to_string())
}

/// Tells a person how far it is.
fn tell(what: &str) {
    if std::io::stderr().is_terminal() {
        note(&format!("kehai: {what}"));
    }
}

/// What the product promises: a picture is overwritten once no other came for so long.
const IDLE: Duration = Duration::from_secs(1);
const SETTLED: Duration = Duration::from_millis(250);
const GLANCE: Duration = Duration::from_millis(50);
/// Pictures a second, and as many looks.
const FPS: f64 = 10.0;
/// Pictures that are looked for, of those that were played.
const RECENT: usize = 100;
/// All of the last three, of the very last one also what each layer of the network makes of it.
const SOUGHT: Sought = Sought { whole: 3, deep: 1 };
/// Pictures that a running eye may hold, and those that are on their way to it.
const NEWEST: usize = 10;
/// How often it is looked whether it does: between two pictures it may hold none.
const ATTEMPTS: usize = 5;
