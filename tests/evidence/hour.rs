//! An hour of footage, and a shop on a live camera: what is on the disk afterwards, on the wire, in the log, and in the
//! kernel's record of calls.
//!
//! The folder of work, of temporary files, of the home and of the results is one empty folder, and the mouth is seen to
//! write nowhere else: so the disk is known. Pictures are keyed, so that they are recognised in every file and message.

use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use kehai::cli::report::h264_pcm;
use kehai::config::site;
use kehai::floor::visible_cells;
use kehai::publish::picture::heatmap_png;
use kehai::wire::read::WindowView;
use serde_json::Value;

use super::deeds::{Deeds, is_twin, written_elsewhere};
use super::requests::Tally;
use crate::live::shop::{Shop, signal};
use crate::support::broker::{Broker, free_port};
use crate::support::carver::{Carver, files_in, keyed};
use crate::support::folder::{Folder, in_repository, names_in, read};
use crate::support::onnx::{HEIGHT, Network, Values, WIDTH};
use crate::support::program::{Ended, start_command};
use crate::support::rtsp_camera::{RtspCamera, Scene};
use crate::support::site::BARE;
use crate::support::strace::{self, CALLS, Process};

/// A room of keyed pixels in which a bar wanders, drawn frame by frame.
pub fn scene() -> Scene {
    let (width, height, ground) = (WIDTH as usize, HEIGHT as usize, texture());
    let draw = move |number: u64| {
        let bar = (number as usize * 4) % width;
        let pixel = |at: usize| if (at % width).abs_diff(bar) < 8 { 200 } else { ground[at] };
        (0..width * height).map(pixel).collect()
    };
    Scene { width, height, draw: Box::new(draw) }
}

fn texture() -> Vec<u8> {
    keyed(KEY, (WIDTH * HEIGHT) as usize)
}

/// A recording of so many seconds of the room, as a bare H.264 stream: each tenth picture is whole.
fn recording(folder: &Folder, seconds: u64) -> String {
    let Scene { width, height, draw } = scene();
    let nal = |unit: &[u8]| [&[0, 0, 0, 1], unit].concat();
    let picture = |number: u64| match number % WHOLE_EVERY {
        0 => {
            let sets = [nal(&h264_pcm::sps(width, height)), nal(&h264_pcm::pps())].concat();
            [sets, nal(&h264_pcm::idr_frame(&draw(number), width, height, number as u16))].concat()
        }
        since => nal(&h264_pcm::unchanged_frame(width, height, since)),
    };
    let pictures: Vec<Vec<u8>> = (0..seconds * FPS).map(picture).collect();
    folder.write("room.h264", pictures.concat())
}

/// A network that sees the same two people in every picture.
pub fn network(folder: &Folder) -> String {
    let people = [[20.0, 10.0, 40.0, 70.0, 0.9, 0.0], [80.0, 20.0, 104.0, 92.0, 0.6, 0.0]];
    let drawn = Network::answering(vec![("output", vec![1, 2, 6], Values::Floats(people.concat()))]);
    drawn.write(folder, "drawn.onnx", "head = \"yolo-v10\"\nperson_class = 0")
}

/// A site with a floor of metres, a line, a zone, and what else is said of camera and outlets.
fn site_of(folder: &Folder, of_camera: &str, outlets: &str) -> String {
    let text = format!(
        "{}floor = \"room\"\nmotionless = false\n{of_camera}calibration = [\n\
         {{ px = [0, 0], m = [0.0, 9.6] }}, {{ px = [128, 0], m = [12.8, 9.6] }},\n\
         {{ px = [128, 96], m = [12.8, 0.0] }}, {{ px = [0, 96], m = [0.0, 0.0] }}]\n\
         [[floor]]\nid = \"room\"\ncell_m = 1.0\norigin_m = [0.0, 0.0]\nsize_m = [13.0, 10.0]\n\
         [[line]]\nid = \"door\"\ncamera = \"cam\"\nends_px = [[10, 50], [110, 50]]\ninside_px = [60, 90]\n\
         [[zone]]\nid = \"shelf\"\ncamera = \"cam\"\npolygon_px = [[10, 10], [120, 10], [120, 90], [10, 90]]\n\
         [detector]\nmodel = \"{}\"\n{outlets}",
        BARE.replace("20.0", &format!("{FPS}.0")),
        network(folder)
    );
    folder.write("site.toml", text)
}

/// Puts a program's places of writing into one folder.
fn confined(mut command: Command, disk: &Folder) -> Command {
    let place = disk.path("");
    command.current_dir(&place).env("HOME", &place).env("TMPDIR", &place);
    command
}

/// The only pictures among these files are the heatmaps of these windows, each as it is drawn from its payload.
fn must_hold_no_picture(disk: &Folder, site: &str) {
    let (carver, out) = (Carver::knowing(&texture()), disk.path("out"));
    let mut heatmaps = redrawn(&out, site);
    for file in files_in(Path::new(&disk.path(""))) {
        let name = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let bytes = std::fs::read(&file).expect("it was written");
        match heatmaps.remove(&name) {
            Some(drawn) => assert!(drawn == bytes, "{name} is the picture of its payload"),
            None => assert_eq!(carver.carve(&bytes), [], "{}", file.display()),
        }
    }
    assert!(heatmaps.is_empty(), "{:?} are missing", heatmaps.keys());
}

/// The last heatmap of each floor and layer, drawn anew from the published windows.
fn redrawn(out: &str, site: &str) -> BTreeMap<String, Vec<u8>> {
    let settings = site::load(Path::new(site)).expect("the site file of this test").settings;
    let windows = String::from_utf8(read(&format!("{out}/windows.jsonl"))).expect("payloads are UTF-8");
    let draw = |line: &str| {
        let window = WindowView::read(line.as_bytes())?;
        let heat = window.heat.as_ref()?;
        Some((format!("heat-{}.png", window.id), heatmap_png(heat, &visible_cells(&settings, 0))))
    };
    windows.lines().filter_map(draw).collect()
}

/// Judges what was traced: eyes leave nothing, twins get nothing done; gives what eyes put on their pipes, together.
fn must_do_its_work_alone(processes: &[Process], cameras: &[u16], places: &[&str]) -> u64 {
    let (mut said, mut eyes) = (0, 0);
    for process in processes {
        if !process.is_eye() {
            assert_eq!(written_elsewhere(process, places), Vec::<String>::new(), "{}", process.program);
            continue;
        }
        let (deeds, is_twin) = (Deeds::of_eye(process, cameras), is_twin(processes, process));
        tell(&format!(
            "{}{}{}: {} calls, pipes {:?}, connections {} bytes, denied {}",
            process.program,
            if is_twin { " (twin)" } else { "" },
            if process.is_copy { " (copy)" } else { "" },
            process.calls.len(),
            deeds.pipes,
            deeds.on_connections,
            deeds.denied.len()
        ));
        let on_pipes = deeds.pipes.values().sum::<u64>();
        assert!(deeds.pipes.len() <= 1, "one pipe leads out: {:?}", deeds.pipes);
        if is_twin {
            assert_eq!(deeds.escapes(), Vec::<&String>::new(), "{} as a twin", process.program);
            assert!(on_pipes <= RECORD_BYTES, "a twin says one record");
        } else {
            assert_eq!(deeds.misdeeds, Vec::<String>::new(), "{}", process.program);
            said += on_pipes;
            eyes += usize::from(!process.is_copy);
        }
    }
    assert!(eyes > 0, "an eye was traced");
    said
}

#[test]
fn what_a_replay_leaves_on_the_disk_is_windows_and_their_heatmaps() {
    let (files, disk) = (Folder::new(), Folder::new());
    let (clip, site) = (recording(&files, 60), site_of(&files, "", ""));
    let ended = replay(Command::new(env!("CARGO_BIN_EXE_kehai")), &disk, &[&clip, "--site", &site]);
    ended.must_be_well();
    assert_eq!(Carver::knowing(&texture()).carve(ended.out.as_bytes()), []);
    assert_eq!(
        names_in(&disk.path("out")),
        ["heat-room-dwell.png", "heat-room-visits.png", "summary.json", "windows.jsonl"]
    );
    must_hold_no_picture(&disk, &site);
    // A picture among them would have been found.
    let room = scene();
    disk.write("out/.thumbnail", [vec![0; 777], (room.draw)(3)[640..1280].to_vec()].concat());
    let found = Carver::knowing(&texture()).carve_folder(Path::new(&disk.path("")));
    assert!(found.iter().any(|(path, ..)| path.ends_with(".thumbnail")), "{found:?}");
}

fn replay(command: Command, disk: &Folder, arguments: &[&str]) -> Ended {
    let mut command = confined(command, disk);
    command.arg("replay").args(arguments).args(["--out", &disk.path("out")]);
    start_command(command).ended()
}

#[test]
#[ignore = "an hour of footage under strace"]
fn an_hour_of_footage_leaves_what_is_released_and_its_eye_does_nothing_but_speak() {
    if !strace::is_there() {
        return;
    }
    let (files, disk, log, (port, held)) = (Folder::new(), Folder::new(), Folder::new(), free_port());
    drop(held);
    let broker = Broker::start(port, &files);
    broker.register();
    let clip = recording(&files, 3600);
    let site = site_of(&files, "", &at_broker(port));
    let mut command = strace::tracing(&log, Some(CALLS));
    command.arg(env!("CARGO_BIN_EXE_kehai"));
    let ended = replay(command, &disk, &[&clip, "--site", &site, "--publish"]);
    assert_eq!(ended.code, Some(0), "{}", ended.err);
    let said = must_do_its_work_alone(&strace::read(&log), &[], &[&disk.path("")]);
    must_hold_no_picture(&disk, &site);
    let got = broker.collect();
    let wire: Vec<u8> = got.iter().flat_map(|got| got.body.bytes()).collect();
    assert_eq!(Carver::knowing(&texture()).carve(&wire), [], "on the wire");
    let summary: Value = serde_json::from_slice(&read(&disk.path("out/summary.json"))).expect("JSON");
    let windows = got.iter().filter(|got| got.is_window()).count();
    assert!(windows >= 4 * 2 + 4, "an hour has four quarters and its paths: {windows}");
    assert_eq!(said % RECORD_BYTES, 0, "whole records");
    tell(&format!(
        "{said} bytes on the pipe, {windows} windows and {} bytes to the broker; {}",
        wire.len(),
        summary["frames"]
    ));
    must_be_the_budget(said, &summary);
}

/// What the eye wrote is what the mouth has read, and what was to be expected.
fn must_be_the_budget(said: u64, summary: &Value) {
    let pipe = &summary["pipe"];
    if pipe.is_null() {
        return tell("the summary does not tell of the pipe: its bytes are compared with nothing");
    }
    assert_eq!((pipe["bytes"].as_u64(), pipe["budget_bytes"].as_u64()), (Some(said), Some(said)), "{pipe}");
}

#[test]
#[ignore = "half a minute of a live shop under strace"]
fn a_live_shop_leaves_nothing_and_its_eye_speaks_to_its_pipe_and_its_camera() {
    if !strace::is_there() {
        return;
    }
    let (files, disk, log, (port, held)) = (Folder::new(), Folder::new(), Folder::new(), free_port());
    drop(held);
    let broker = Broker::start(port, &files);
    broker.register();
    let camera = RtspCamera::start(scene(), 20.0);
    let mut command = strace::tracing(&log, Some(CALLS));
    command.arg(env!("CARGO_BIN_EXE_kehai"));
    let shop = Shop::open_by(confined(command, &disk), "traced", &live_site(&files, &camera, &at_broker(port)));
    shop.hear("camera view seen");
    std::thread::sleep(Duration::from_secs(10));
    camera.cut();
    shop.hear("camera view seen");
    let first = shop.eye(None);
    signal(first, libc::SIGKILL);
    shop.eye(Some(first));
    shop.hear("camera view seen");
    std::thread::sleep(Duration::from_secs(6));
    let (words, mouth) = (shop.words(), shop.mouth());
    signal(mouth, libc::SIGTERM);
    assert_eq!(shop.ended(), Some(0));
    let processes = strace::read(&log);
    assert!(
        processes.iter().filter(|process| process.is_eye() && !process.is_copy).count() >= 2,
        "two eyes were traced"
    );
    must_do_its_work_alone(&processes, &[camera.port()], &[&disk.path("")]);
    let tally = Tally::of(&camera);
    tell(&format!("to the camera, on {} connections: {tally:?}", camera.heard().len()));
    assert!(tally.requests > 0);
    assert_eq!(files_in(Path::new(&disk.path(""))), Vec::<PathBuf>::new(), "nobody writes where the shop runs");
    let wire: Vec<u8> = broker.collect().iter().flat_map(|got| got.body.bytes()).collect();
    let carver = Carver::knowing(&texture());
    assert_eq!((carver.carve(&wire), carver.carve(words.as_bytes())), (vec![], vec![]));
}

fn at_broker(port: u16) -> String {
    format!("[broker]\nurl = \"mqtt://127.0.0.1:{port}\"\n")
}

/// What a live shop of this room is told beside who it is.
pub fn live_site(files: &Folder, camera: &RtspCamera, outlets: &str) -> String {
    format!(
        "{outlets}[detector]\nmodel = \"{}\"\n[[camera]]\nid = \"view\"\nurl = \"{}\"\n\
         [[line]]\nid = \"door\"\ncamera = \"view\"\nends_px = [[10, 50], [110, 50]]\ninside_px = [60, 90]\n",
        network(files),
        camera.url()
    )
}

#[test]
#[ignore = "needs strace"]
fn an_eye_that_writes_a_file_and_becomes_another_program_is_found_out() {
    if !strace::is_there() {
        return;
    }
    let (files, disk, log, place) = (Folder::new(), Folder::new(), Folder::new(), Folder::new());
    let (clip, site) = (recording(&files, 2), site_of(&files, "", ""));
    let (mouth, planted) = (place.path("kehai"), disk.path("planted"));
    std::fs::hard_link(env!("CARGO_BIN_EXE_kehai"), &mouth).expect("one file system");
    let script = format!(
        "#!/bin/sh\nprintf '\\211PNG\\r\\n\\032\\n0000IHDR' > {planted}\nexec {}\n",
        env!("CARGO_BIN_EXE_kehai-eye")
    );
    std::fs::set_permissions(place.write("kehai-eye", script), PermissionsExt::from_mode(0o755)).expect("it is ours");
    let runtime = in_repository("fetched/onnxruntime");
    let library =
        names_in(&runtime).into_iter().find(|name| name.starts_with("libonnxruntime.so")).expect("make setup");
    let mut command = strace::tracing(&log, Some(CALLS));
    command.arg(&mouth).env("ORT_DYLIB_PATH", format!("{runtime}/{library}"));
    replay(command, &disk, &[&clip, "--site", &site]).must_be_well();
    let processes = strace::read(&log);
    let eyes = processes.iter().filter(|process| process.is_eye() && !is_twin(&processes, process));
    let misdeeds: Vec<String> = eyes.flat_map(|eye| Deeds::of_eye(eye, &[]).misdeeds).collect();
    assert!(misdeeds.iter().any(|deed| deed.contains(&planted)), "{misdeeds:?}");
    assert!(misdeeds.iter().any(|deed| deed.starts_with("execve(")), "{misdeeds:?}");
    let found = Carver::default().carve_folder(Path::new(&disk.path("")));
    assert!(found.iter().any(|(path, ..)| path.ends_with("planted")), "{found:?}");
}

#[expect(clippy::print_stdout, reason = "what a long run measured is its result")]
fn tell(words: &str) {
    println!("{words}");
}

const KEY: u64 = 0x6B65_6861_6902;
/// Looks per second of a shop.
const FPS: u64 = 3;
const WHOLE_EVERY: u64 = 10;
const RECORD_BYTES: u64 = 256;
