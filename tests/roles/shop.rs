//! The page of a shop that runs: `kehai run` at a network address, its own sockets, its own store, names from its own site file.

use std::time::Duration;

use kehai::config::Keeping;
use kehai::publish::web::{Need, routes};
use kehai::switch::Role;
use kehai::vault::Vault;

use super::attacks::hammered;
use super::visitor::Served;
use crate::live::cameras::scene;
use crate::live::shop::{DOOR, Holdings, Shop, VIEW};
use crate::support::folder::Folder;
use crate::support::papers::Authority;
use crate::support::rtsp_camera::RtspCamera;

/// A shop whose page is at a network address, and its people.
pub struct AtWork {
    pub served: Served,
    pub shop: Shop,
    pub state: std::path::PathBuf,
    _folder: Folder,
}

impl AtWork {
    /// With a camera at `url`.
    pub fn open(name: &str, url: &str) -> Self {
        let folder = Folder::new();
        let authority = Authority::new("a town");
        let [cert, key] = authority.sign(&folder, "page", "shop", &["localhost"]);
        let state = folder.path("state");
        let more = format!(
            "address = \"0.0.0.0\"\ncert_file = \"{cert}\"\nkey_file = \"{key}\"\n[vault]\nfolder = \"{state}\"\n\
             {VIEW}name = '{SCRIPT}'\nurl = \"{url}\"\n{DOOR}name = '{SCRIPT}'\n"
        );
        let shop = Shop::open_with(name, &more);
        shop.hear("https://0.0.0.0");
        let state = std::path::PathBuf::from(state);
        let vault = Vault::open_beside(&state, Keeping::default()).expect("the shop's store");
        let served = Served::of_shop(vault, shop.page_port, &authority.file(&folder, "ca.pem"));
        Self { served, shop, state, _folder: folder }
    }

    /// With a camera that is not there.
    pub fn without_a_camera(name: &str) -> Self {
        Self::open(name, "rtsp://127.0.0.1:9/view")
    }
}

#[test]
fn names_in_the_site_file_stay_names_on_every_page() {
    let work = AtWork::without_a_camera("names");
    let mut owner = work.served.logged_in(Role::Owner);
    let mut shown = 0;
    for route in routes().iter().filter(|route| route.method == "GET" && route.need != Need::Open) {
        for language in ["en", "ja"] {
            let path = route.path.replace("{what}", "heat").replace("{floor}", "hall.png");
            let answer = owner.get(&format!("{path}?lang={language}"));
            assert!(!answer.body.contains("<script>"), "{path}: {answer:?}");
            shown += usize::from(answer.body.contains("&lt;script&gt;"));
        }
    }
    assert!(shown >= 4, "the names are shown on {shown} pages");
}

#[test]
#[ignore = "takes minutes: the long form of three hundred, at a shop that watches"]
fn ten_thousand_bad_logins_neither_stall_the_page_nor_the_cameras_nor_lock_the_owner_out() {
    let camera = RtspCamera::start(scene(), 10.0);
    let work = AtWork::open("hammered", &camera.url());
    work.shop.hear(" seen");
    let (eye, mouth) = (work.shop.eye(None), work.shop.mouth());
    // What a first password and a first login take is taken before: the rest is what ten thousand more add.
    for number in 0..20 {
        let wrong =
            work.served.visitor_from(std::net::Ipv4Addr::new(127, 0, 8, 1 + number)).try_in("guest", "wrong", "");
        assert!(matches!(wrong.status, 401 | 429), "{wrong:?}");
    }
    let before = (Holdings::of(mouth), frames_per_second(&work.served));
    let told = hammered(&work.served, 10_000);
    let after = (Holdings::of(mouth), frames_per_second(&work.served));
    assert_eq!(work.shop.eye(None), eye, "no eye was replaced");
    tell(&format!("{told:?}; before {before:?}, after {after:?} (frames a second, of ten)"));
    assert_eq!(told.looked_at + told.turned_away, 10_000);
    assert!(told.slowest < Duration::from_secs(2) && told.took < Duration::from_secs(600), "{told:?}");
    assert!(before.1 > 9.0 && after.1 > 9.0, "the camera is watched as before: {before:?} {after:?}");
    let grown_kb = after.0.resident_kb.saturating_sub(before.0.resident_kb);
    assert!(grown_kb < 16 << 10, "the mouth has grown by {grown_kb} kB");
    assert!(after.0.descriptors < before.0.descriptors + 16, "{before:?} {after:?}");
}

#[expect(clippy::print_stdout, reason = "figures of a long test are read by people")]
fn tell(words: &str) {
    println!("{words}");
}

/// Frames that arrive of its camera each second, by the next report: one comes every minute.
fn frames_per_second(served: &Served) -> f64 {
    let mut viewer = served.visitor_from(std::net::Ipv4Addr::new(127, 0, 6, 1));
    assert_eq!(viewer.log_in(Role::Viewer, 0).status, 303);
    let mut told = |name: &str| {
        let text = viewer.get("/metrics").body;
        let line = text.lines().find(|line| line.starts_with(name)).map(str::to_owned);
        line.and_then(|line| line.rsplit(' ').next()?.parse::<f64>().ok()).unwrap_or_else(|| panic!("{name}: {text}"))
    };
    let (report, begun) = (told("kehai_uptime_seconds"), std::time::Instant::now());
    while told("kehai_uptime_seconds") <= report {
        assert!(begun.elapsed() < Duration::from_secs(90), "no report comes");
        std::thread::sleep(Duration::from_secs(1));
    }
    told("kehai_camera_frames_per_second")
}

const SCRIPT: &str = "<script>alert(1)</script>";
