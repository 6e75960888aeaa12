//! The page on loopback: nobody is asked who they are, anybody at the box may stop, nobody starts anything.

use kehai::switch::Mode;

use super::staff::lines;
use super::visitor::Served;
use crate::support::folder::Folder;
use crate::support::papers::Authority;
use crate::support::program::kehai;
use crate::support::site::BARE;

#[test]
fn whoever_is_at_the_box_stops_it_with_one_button_and_no_password() {
    let served = Served::to_loopback();
    let mut visitor = served.visitor();
    let page = visitor.get("/");
    assert!(page.status == 200 && page.body.contains("Armed") && page.body.contains("Stop watching"), "{page:?}");
    let form = format!("token={}", page.token());
    assert_eq!(visitor.get("/pause").status, 405);
    assert_eq!(visitor.post("/pause", "token=0").status, 403);
    assert_eq!(visitor.ask("POST", "/pause", &[("Origin", "http://evil.example")], &form).status, 403);
    assert_eq!(served.mode(), Mode::Armed);
    assert_eq!(visitor.post("/pause", &form).status, 303);
    assert_eq!(served.mode(), Mode::PausedHere);
    assert_eq!(lines(&served.vault, "pause", "done").last().map(|line| line.who.clone()), Some("page".to_owned()));
    assert_eq!(lines(&served.vault, "pause", "refused").len(), 2);
    let page = visitor.get("/");
    assert!(page.body.contains("Stopped on site") && !page.body.contains("Stop watching"), "{page:?}");
    assert!(visitor.get("/banner").body.contains("Stopped on site"));
}

#[test]
fn on_loopback_there_is_no_login_and_nothing_that_needs_one() {
    let served = Served::to_loopback();
    for path in ["/login", "/switch", "/audit", "/reports", "/resume", "/unlock", "/purge", "/lock"] {
        assert_eq!(served.visitor().get(path).status, 404, "{path}");
        assert_eq!(served.visitor().post(path, "").status, 404, "{path}");
    }
    assert_eq!(served.visitor().get("/notice").status, 200);
}

#[test]
fn a_page_at_a_network_needs_its_papers_and_they_are_named() {
    let folder = Folder::new();
    let site = |more: &str| folder.write("site.toml", format!("{BARE}[page]\nport = 8443\n{more}"));
    let doctor = |more: &str| kehai(&["doctor", "--site", &site(more)]);
    let [cert, key] = Authority::new("a town").sign(&folder, "page", "shop", &["localhost"]);
    for (more, words) in [
        ("address = \"0.0.0.0\"\n".to_owned(), "page.cert_file = missing"),
        (format!("address = \"0.0.0.0\"\ncert_file = \"{cert}\"\n"), "page.key_file = missing"),
        (format!("cert_file = \"{cert}\"\nkey_file = \"{key}\"\n"), "page.cert_file"),
        ("address = \"shop.example\"\n".to_owned(), "page.address = \"shop.example\""),
    ] {
        let ended = doctor(&more);
        assert_eq!(ended.code, Some(3), "{more}: {}", ended.err);
        assert!(ended.err.contains(words), "{words} in {}", ended.err);
    }
}
