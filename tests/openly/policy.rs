//! The policy behind the code on the sign, as a running shop serves it.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::Command;

use kehai::clock::utc_now;
use kehai::config::{Keeping, site};
use kehai::notice::claims::Claim;
use kehai::vault::Vault;
use kehai::wire::payload::selftest::{Outcome, Proof, SelfTest};
use sha2::{Digest, Sha256};

use crate::live::shop::{DOOR, Shop, VIEW};
use crate::notice::commands::hash_of_network;
use crate::support::folder::Folder;

/// What `/notice` answers.
fn policy(port: u16) -> String {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).expect("the page is there");
    stream.write_all(b"GET /notice HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n").expect("it listens");
    let mut text = String::new();
    stream.read_to_string(&mut text).expect("it answers");
    text
}

/// SHA-256 of each program that this test run has built, and of the network they load.
fn binaries() -> std::collections::BTreeMap<String, String> {
    let folder = Path::new(env!("CARGO_BIN_EXE_kehai")).parent().expect("a folder");
    let hash = |name: &str| {
        let bytes = std::fs::read(folder.join(name)).expect("a program");
        Sha256::digest(&bytes).iter().map(|byte| format!("{byte:02x}")).collect::<String>()
    };
    let programs = ["kehai", "kehai-detect", "kehai-eye", "kehai-eye-opencv"].map(|name| (name.to_owned(), hash(name)));
    programs.into_iter().chain([("network".to_owned(), hash_of_network())]).collect()
}

#[test]
fn the_policy_that_is_served_claims_what_is_proved_when_it_is_asked_for_and_not_when_the_shop_was_opened() {
    for (name, outcome) in [("said", Outcome::Green), ("unsaid", Outcome::Red)] {
        let folder = Folder::new();
        let state = folder.path("state");
        let mut command = Command::new(env!("CARGO_BIN_EXE_kehai"));
        command.env("STATE_DIRECTORY", &state);
        let shop = Shop::open_by(command, name, &format!("{VIEW}url = \"rtsp://127.0.0.1:9/view\"\n{DOOR}"));
        shop.word_of("view");
        let text = std::fs::read_to_string(shop.site()).expect("its site file");
        let settings = site::parse(&text, "shop").expect("a good site").settings;
        let proof = |id: &str, outcome| Proof { id: id.into(), outcome, at: utc_now(), words: "tried".into() };
        let test = SelfTest {
            version: env!("CARGO_PKG_VERSION").into(),
            binaries: binaries(),
            declaration: settings.declaration.clone().expect("declared"),
            cfg: settings.revision(),
            at: utc_now(),
            proofs: vec![proof(Claim::Signed.id(), Outcome::Green), proof(Claim::NotStored.id(), outcome)],
            sig: None,
        };
        // It was made while the shop was open already.
        Vault::open_beside(Path::new(&state), Keeping::default())
            .expect("its store")
            .keep_self_test(&test)
            .expect("kept");
        let policy = policy(shop.page_port);
        assert!(policy.contains("The totals carry a signature"), "{policy}");
        assert_eq!(policy.contains("Images are not stored."), outcome == Outcome::Green, "{policy}");
    }
}
