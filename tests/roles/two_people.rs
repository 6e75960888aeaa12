//! Two people are two people: nobody confirms with a password that somebody else set, nor is anybody's word left once they are gone.

use std::path::Path;

use kehai::cli::armable;
use kehai::config::Keeping;
use kehai::config::site;
use kehai::switch::Mode;
use kehai::vault::Vault;

use super::staff::lines;
use crate::support::armed::declared;
use crate::support::folder::Folder;
use crate::support::papers::private;
use crate::support::program::{Ended, kehai};
use crate::support::site::BARE;

/// A box that two people arm, and hana, its first owner.
struct Stage {
    folder: Folder,
    site: String,
    sign: String,
}

impl Stage {
    fn new() -> Self {
        let folder = Folder::new();
        let camera = "url = \"rtsp://127.0.0.1:9/view\"\n[[line]]\nid = \"door\"\nends_px = [[10, 50], [110, 50]]\ninside_px = [60, 90]\n";
        let text = declared(&format!("{BARE}{camera}[vault]\nfolder = \"{}\"\n", folder.path("state")))
            .replace("sole_operator = true", "");
        let (site, sign) =
            (folder.write("site.toml", &text), armable(&site::parse(&text, "two").expect("a good site")).sign);
        let stage = Self { folder, site, sign };
        let hana = stage.word("hana", "of her own");
        stage.people(&["add", "hana", "--role", "owner", "--new-password-file", &hana]).must_be_well();
        stage
    }

    /// The file of somebody's password, as they or another made it.
    fn word(&self, name: &str, which: &str) -> String {
        private(&self.folder, &format!("{name} {which}"), &format!("four quiet words {which} #{}", name.len()))
    }

    fn people(&self, words: &[&str]) -> Ended {
        kehai(&[&["people"], words, &["--site", &self.site]].concat())
    }

    /// Hana does something to somebody.
    fn hana(&self, words: &[&str]) -> Ended {
        let hana = self.word("hana", "of her own");
        self.people(&[words, &["--as", "hana", "--password-file", &hana]].concat())
    }

    fn add(&self, name: &str, role: &str) -> Ended {
        let given = self.word(name, "by hana");
        self.hana(&["add", name, "--role", role, "--new-password-file", &given])
    }

    fn sets_own(&self, name: &str) {
        let (given, own) = (self.word(name, "by hana"), self.word(name, "of their own"));
        let files = ["--password-file", &given, "--new-password-file", &own];
        self.people(&[&["password", name, "--as", name], &files[..]].concat()).must_be_well();
    }

    fn arm(&self, name: &str, which: &str) -> Ended {
        let word = self.word(name, which);
        kehai(&["arm", "--site", &self.site, "--sign", &self.sign, "--as", name, "--password-file", &word])
    }

    fn vault(&self) -> Vault {
        Vault::open_beside(Path::new(&self.folder.path("state")), Keeping::default()).expect("it is there")
    }

    fn armed_by(&self) -> Option<Vec<String>> {
        let switch = self.vault().switch().expect("it can be read");
        assert_eq!(switch.mode() == Mode::Armed, switch.arming().is_some());
        switch.arming().map(|arming| arming.by.clone())
    }
}

#[test]
fn whoever_set_the_password_of_another_is_not_two_people() {
    let stage = Stage::new();
    let added = stage.add("ken", "installer");
    added.must_be_well();
    assert!(added.out.contains("people password ken --as ken"), "{}", added.out);
    stage.arm("hana", "of her own").must_be_well();
    let remedy = ["hana could have confirmed as hana and as ken", "kehai people password"];
    stage.arm("ken", "by hana").must_be_refused(7, &remedy);
    stage.sets_own("ken");
    // The owner gives him another one, and it is hers again.
    let given = stage.word("ken", "by hana");
    stage.hana(&["password", "ken", "--new-password-file", &given]).must_be_well();
    stage.arm("ken", "by hana").must_be_refused(7, &remedy);
    assert_eq!(stage.armed_by(), None);
    assert_eq!(lines(&stage.vault(), "arm", "refused").len(), 2);
    stage.sets_own("ken");
    stage.arm("ken", "of their own").must_be_well();
    assert_eq!(stage.armed_by(), Some(vec!["hana".to_owned(), "ken".to_owned()]));
}

#[test]
fn nor_are_two_whose_passwords_were_set_by_one_third_or_through_another() {
    let stage = Stage::new();
    stage.add("ken", "installer").must_be_well();
    stage.add("mai", "owner").must_be_well();
    stage.arm("ken", "by hana").must_be_well();
    stage.arm("mai", "by hana").must_be_refused(7, &["hana could have confirmed as ken and as mai"]);
    // Whoever has mai's password could have added somebody in her name.
    let (mai, jun) = (stage.word("mai", "by hana"), stage.word("jun", "by mai"));
    let add = ["add", "jun", "--role", "owner", "--new-password-file", &jun, "--as", "mai", "--password-file", &mai];
    stage.people(&add).must_be_well();
    stage.sets_own("mai");
    stage.arm("jun", "by mai").must_be_refused(7, &["hana could have confirmed as ken and as jun"]);
    assert_eq!(stage.armed_by(), None);
    stage.arm("mai", "of their own").must_be_well();
    assert_eq!(stage.armed_by(), Some(vec!["ken".to_owned(), "mai".to_owned()]), "hana knows one of two");
}

#[test]
fn a_confirmation_is_gone_with_whoever_gave_it_and_with_their_password() {
    for undoing in ["revoke", "password"] {
        let stage = Stage::new();
        stage.add("ken", "installer").must_be_well();
        stage.sets_own("ken");
        stage.arm("ken", "of their own").must_be_well();
        let given = stage.word("ken", "by hana");
        match undoing {
            "revoke" => stage.hana(&["revoke", "ken"]).must_be_well(),
            _ => stage.hana(&["password", "ken", "--new-password-file", &given]).must_be_well(),
        }
        let gone = ["the confirmation of ken holds no longer", "confirm anew"];
        stage.arm("hana", "of her own").must_be_refused(7, &gone);
        assert_eq!(stage.armed_by(), None, "{undoing}");
        assert_eq!(lines(&stage.vault(), "arm", "refused").len(), 1);
        // From then on it begins anew.
        let anew = stage.arm("hana", "of her own");
        anew.must_be_well();
        assert!(anew.out.contains("has to confirm"), "{}", anew.out);
        stage.add("mai", "installer").must_be_well();
        stage.sets_own("mai");
        stage.arm("mai", "of their own").must_be_well();
        assert_eq!(stage.armed_by(), Some(vec!["hana".to_owned(), "mai".to_owned()]));
    }
}

#[test]
fn no_name_is_one_that_the_chain_gives_to_what_is_no_person() {
    let stage = Stage::new();
    for name in ["stranger", "signal", "page", "unknown", "node", "uid", "uid0", "key", "self-test", "key:hq", "uid:0"]
    {
        stage.add(name, "installer").must_be_refused(2, &[name, "is no name", "stranger", "uid"]);
    }
    assert_eq!(stage.vault().people().expect("they can be read").len(), 1);
}
