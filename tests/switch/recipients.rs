//! To whom figures go: declared by name, country and purpose, acknowledged with the sign, and never in the clear beyond this machine.

use std::path::Path;
use std::time::Duration;

use kehai::cli::armable;
use kehai::config::{Keeping, site};
use kehai::switch::{Person, Role, Turn};
use kehai::vault::{TurnError, Vault};

use crate::roles::staff::lines;
use crate::support::armed::{arm, declared};
use crate::support::folder::Folder;
use crate::support::program::kehai;
use crate::support::site::BARE;

/// Somebody who reads at a broker.
fn recipient(name: &str, host: &str, country: &str) -> String {
    format!(
        "[[recipient]]\nname = \"{name}\"\nhost = \"{host}\"\ncountry = \"{country}\"\npurpose = {{ en = \"To compare shops\" }}\n"
    )
}

/// A declared shop whose figures go to this broker, and these recipients.
fn shop(folder: &Folder, broker: &str, recipients: &str) -> String {
    let state = folder.path("state");
    let text = format!(
        "{BARE}url = \"rtsp://127.0.0.1:9/view\"\n[vault]\nfolder = \"{state}\"\n[broker]\nurl = \"{broker}\"\n{recipients}"
    );
    declared(&text)
}

fn must_refuse(folder: &Folder, text: &str, code: i32, words: &[&str]) {
    kehai(&["run", "--site", &folder.write("site.toml", text)]).must_be_refused(code, words);
}

#[test]
fn whoever_else_is_to_get_figures_is_declared_first_and_takes_a_new_sign() {
    let folder = Folder::new();
    let office = recipient("Area office", "broker.shop.example", "GB");
    let undeclared = shop(&folder, "mqtts://broker.shop.example", "");
    must_refuse(&folder, &undeclared, 7, &["not armed", "recipient (one with host = \"broker.shop.example\""]);
    let elsewhere = shop(&folder, "mqtts://other.example", &office);
    must_refuse(&folder, &elsewhere, 7, &["not armed", "recipient (one with host = \"other.example\""]);

    let armed = shop(&folder, "mqtts://broker.shop.example", &office);
    let state = folder.path("state");
    let before = arm(&armed, Path::new(&state));
    let vault = || Vault::open_beside(Path::new(&state), Keeping::default()).expect("a store");
    for changed in [
        shop(
            &folder,
            "mqtts://broker.shop.example",
            &(office.clone() + &recipient("Agency", "broker.shop.example", "US")),
        ),
        shop(&folder, "mqtts://broker.shop.example", &office.replace("\"GB\"", "\"US\"")),
        shop(&folder, "mqtts://broker.shop.example", &office.replace("To compare shops", "To sell it")),
        shop(&folder, "mqtts://other.example", &(office.clone() + &recipient("Agency", "other.example", "US"))),
    ] {
        must_refuse(&folder, &changed, 7, &["has changed since sign", &before]);
        let site = armable(&site::parse(&changed, "changed").expect("a good site"));
        let by = Person::new("aki", Role::Owner);
        let old = kehai::switch::Site { sign: before.clone(), ..site.clone() };
        let refused = vault().turn(&Turn::Arm { by, site: old }, "aki", Some(&site.sign));
        assert!(matches!(refused, Err(TurnError::Refused(_))), "the old sign was taken for a new recipient");
    }
}

#[test]
fn speaking_in_the_clear_to_another_machine_is_refused_unless_it_is_called_dangerous() {
    let folder = Folder::new();
    let office = recipient("Area office", "broker.shop.example", "GB");
    let plain = shop(&folder, "mqtt://broker.shop.example", &office);
    must_refuse(
        &folder,
        &plain,
        3,
        &["broker.url", "plain MQTT is readable on the way", "mqtts://broker.shop.example"],
    );
    let dangerous = plain.replacen("[[recipient]]", "dangerous_plaintext = true\n[[recipient]]", 1);
    must_refuse(&folder, &dangerous, 7, &["not armed", "kehai notice"]);
    let here = shop(&folder, "mqtt://127.0.0.1:1883", "");
    must_refuse(&folder, &here, 7, &["not armed", "kehai notice"]);
}

#[test]
fn who_armed_the_box_for_what_and_under_which_sign_stands_in_the_chain() {
    let folder = Folder::new();
    let (text, state) = (shop(&folder, "mqtt://127.0.0.1:1883", ""), folder.path("state"));
    let sign = arm(&text, Path::new(&state));
    let vault = Vault::open(Path::new(&state), Keeping::default(), Duration::ZERO).expect("a store");
    let told = lines(&vault, "arm", "done");
    assert_eq!(told.len(), 1, "{told:?}");
    assert_eq!(told[0].who, "aki");
    let declaration = site::parse(&text, "armed").expect("a good site").settings.declaration.expect("declared");
    assert_eq!(
        (told[0].about["sign"].as_str(), told[0].about["declaration"].as_str()),
        (Some(sign.as_str()), Some(declaration.as_str()))
    );
}
