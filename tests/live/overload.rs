//! More than the box bears: every camera gives way alike, and it is said.

use std::time::Duration;

use serde_json::Value;

use super::cameras::{scene, scene_of};
use super::endurance::get;
use super::shop::Shop;
use crate::support::broker::{Broker, Listener, free_port};
use crate::support::folder::Folder;
use crate::support::rtsp_camera::RtspCamera;

/// The newest health report that comes while the bell camera is lost.
fn health(listener: &Listener) -> Value {
    loop {
        let got = listener.heard.recv_timeout(PATIENCE).expect("a camera that is lost is reported");
        if got.topic.ends_with("/health") {
            let health: Value = serde_json::from_str(&got.body).expect("a payload is JSON");
            if health["cameras"][0]["state"] == "lost" {
                return health;
            }
        }
    }
}

#[test]
#[ignore = "half a minute of a busy processor"]
fn three_cameras_that_are_too_much_get_an_even_rate_and_the_shop_says_so() {
    let (folder, (port, held)) = (Folder::new(), free_port());
    drop(held);
    let broker = Broker::start(port, &folder);
    let listener = broker.listen();
    // Its loss makes the shop report without waiting for the minute.
    let bell = RtspCamera::start(scene_of(32, 32), 1.0);
    let cameras: Vec<RtspCamera> = [20.0, 25.0, 40.0].map(|fps| RtspCamera::start(scene(), fps)).into();
    let mut site = format!(
        "[broker]\nurl = \"mqtt://127.0.0.1:{port}\"\n[detector]\nsize = {{ height = 640, width = 640 }}\n\
         [[camera]]\nid = \"bell\"\nurl = \"{}\"\nlooks_per_s = 0.5\n",
        bell.url()
    );
    for (index, camera) in cameras.iter().enumerate() {
        site += &format!("[[camera]]\nid = \"view{index}\"\nurl = \"{}\"\nlooks_per_s = 20.0\n", camera.url());
    }
    let shop = Shop::open_with("overload", &site);
    (0..cameras.len()).for_each(|_| _ = shop.hear("kehai: overloaded: camera view"));
    // A whole span in which all are there.
    std::thread::sleep(SPAN * 2);
    bell.cut();
    let health = health(&listener);
    let views = &health["cameras"].as_array().expect("cameras")[1..];
    let looks: Vec<u64> = views.iter().map(|view| view["looks_milli"].as_u64().expect("looks")).collect();
    tell(&format!("looks a second, thousandths, of 20000 asked: {looks:?}"));
    assert!(views.iter().all(|view| view["overloaded"] == true && view["looks_asked_milli"] == 20_000), "{health}");
    let mean = looks.iter().sum::<u64>() / looks.len() as u64;
    assert!(looks.iter().all(|looks| looks.abs_diff(mean) * 100 <= mean * UNEVEN_PERCENT_MAX), "{looks:?}");
    let panel = get(shop.page_port, "/now");
    assert_eq!(panel.matches("seeing, overloaded").count(), cameras.len(), "{panel}");
    assert_eq!(panel.matches(" of 20.0</td>").count(), cameras.len(), "{panel}");
    // A twentieth of the pictures is no load; but that whoever moved has gone is not told before the quarter is over.
    let quarter = quarter_now();
    cameras.iter().for_each(|camera| camera.slow(20));
    std::thread::sleep(SPAN * 3);
    let panel = get(shop.page_port, "/now");
    let told = panel.matches("seeing, overloaded").count();
    assert!(told == cameras.len() || quarter_now() != quarter, "{panel}");
}

fn quarter_now() -> i64 {
    kehai::clock::utc_now().0 / 900_000
}

#[expect(clippy::print_stdout, reason = "what a long run measured is its result")]
fn tell(words: &str) {
    println!("{words}");
}

/// Time between two reports of an eye.
const SPAN: Duration = Duration::from_secs(5);
const PATIENCE: Duration = Duration::from_secs(20);
const UNEVEN_PERCENT_MAX: u64 = 15;
