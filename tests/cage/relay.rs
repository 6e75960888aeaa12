//! The eye's own network: empty but for the doors of its cameras, which a relay opens that holds the mouth's connections.

use std::time::Duration;

use crate::live::cameras::scene;
use crate::live::shop::{Shop, children_of, is_alive};
use crate::support::rtsp_camera::RtspCamera;

#[test]
fn eye_and_relay_have_a_network_of_their_own_and_no_right_in_it() {
    let camera = RtspCamera::start(scene(), 10.0);
    let shop = Shop::open("relay", &camera.url());
    shop.hear("camera view seen");
    let eye = shop.eye(None);
    let [relay] = children_of(eye)[..] else { panic!("the eye has one child, its relay") };
    let network = |pid: i32| std::fs::read_link(format!("/proc/{pid}/ns/net")).expect("root may look");
    assert_ne!(network(eye), network(shop.mouth()));
    assert_eq!(network(eye), network(relay));
    // What the mouth hands over is in the relay's hands alone.
    let input = |pid: i32| std::fs::read_link(format!("/proc/{pid}/fd/0")).expect("root may look");
    assert!(input(eye).to_string_lossy().starts_with("pipe:"), "{:?}", input(eye));
    assert!(input(relay).to_string_lossy().starts_with("socket:"), "{:?}", input(relay));
    for process in [eye, relay] {
        let status = std::fs::read_to_string(format!("/proc/{process}/status")).expect("it runs");
        let field =
            |name: &str| status.lines().find_map(|line| line.strip_prefix(name)).map(str::trim).unwrap_or_default();
        assert_eq!((field("NoNewPrivs:"), field("Seccomp:")), ("1", "2"), "{status}");
        for set in ["CapInh:", "CapPrm:", "CapEff:", "CapBnd:", "CapAmb:"] {
            assert!(field(set).bytes().all(|digit| digit == b'0'), "{set} {}", field(set));
        }
        let limits = std::fs::read_to_string(format!("/proc/{process}/limits")).expect("it runs");
        for limit in ["Max file size", "Max core file size"] {
            let line = limits.lines().find(|line| line.starts_with(limit)).expect("the kernel has this limit");
            assert_eq!(line[limit.len()..].split_whitespace().take(2).collect::<Vec<_>>(), ["0", "0"], "{line}");
        }
    }
    drop(shop);
    std::thread::sleep(Duration::from_millis(200));
    assert!(!is_alive(eye) && !is_alive(relay), "the relay outlives its eye");
}
