//! What happened outside the box and belongs in its chain.

use super::box_of::Box;
use crate::support::program::kehai;

const WORDS: &str = "Exports of 2026-11-20 were on a laptop that was stolen";

#[test]
fn a_breach_and_a_disclosure_are_lines_that_can_be_searched() {
    let shop = Box::new();
    let note =
        |kind: &str, about: &str| kehai(&["audit", "note", "--site", &shop.site, "--kind", kind, "--about", about]);
    note("breach", WORDS).must_be_well();
    note("disclosure", "Figures of one day to the police, in writing").must_be_well();
    note("breach", "ask aki@shop.example").must_be_refused(2, &["--about", "say who by their office"]);
    assert_eq!(note("gossip", WORDS).code, Some(2));
    let found = kehai(&["audit", "search", "--site", &shop.site, "--what", "breach"]);
    assert!(found.out.contains(WORDS) && found.out.lines().count() == 1, "{}", found.out);
    let found = kehai(&["audit", "search", "--site", &shop.site, "--text", "police"]);
    assert!(found.out.contains("disclosure"), "{}", found.out);
    kehai(&["audit", "verify", "--site", &shop.site]).must_be_well();
}

#[test]
fn only_owners_and_auditors_write_notes_once_anybody_is_known() {
    let shop = Box::new();
    let secret = |name: &str| {
        let path = shop.folder.write(&format!("{name}.password"), "correct horse battery staple\n");
        std::fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o600)).expect("it is ours");
        path
    };
    let aki = secret("aki");
    kehai(&["people", "add", "aki", "--role", "owner", "--site", &shop.site, "--new-password-file", &aki])
        .must_be_well();
    for (name, role) in [("ben", "viewer"), ("chie", "auditor"), ("dai", "installer")] {
        let new = secret(name);
        kehai(&[
            "people",
            "add",
            name,
            "--role",
            role,
            "--site",
            &shop.site,
            "--as",
            "aki",
            "--password-file",
            &aki,
            "--new-password-file",
            &new,
        ])
        .must_be_well();
    }
    for (name, may) in [("aki", true), ("ben", false), ("chie", true), ("dai", false)] {
        let told = kehai(&[
            "audit",
            "note",
            "--site",
            &shop.site,
            "--kind",
            "breach",
            "--about",
            WORDS,
            "--as",
            name,
            "--password-file",
            &secret(name),
        ]);
        if may { told.must_be_well() } else { told.must_be_refused(7, &["may not"]) }
    }
    kehai(&["audit", "note", "--site", &shop.site, "--kind", "breach", "--about", WORDS])
        .must_be_refused(7, &["--as NAME"]);
    let refused =
        shop.chain().into_iter().filter(|line| line.contains("\"what\":\"breach\",\"outcome\":\"refused\"")).count();
    assert_eq!(refused, 3);
}
