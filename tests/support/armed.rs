//! A shop that may watch: its site file says all that has to be said, and one person has armed it.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use kehai::cli::armable;
use kehai::config::site;
use kehai::switch::{Person, Role, Turn};
use kehai::vault::Vault;

/// The same site file with everything declared that has to be.
pub fn declared(text: &str) -> String {
    let text = match text.contains("[vault]\n") {
        true => text.replace("[vault]\n", "[vault]\nkeep_days = 30\n"),
        false => format!("{text}\n[vault]\nkeep_days = 30\n"),
    };
    format!("{text}\n{DECLARED}")
}

/// Arms a site in a folder of its own, by one owner who is alone; gives the id of its sign.
pub fn arm(text: &str, state: &Path) -> String {
    let keeping = site::parse(text, "armed").expect("a good site").outlets.keeping;
    arm_in(&Vault::open(state, keeping, Duration::ZERO).expect("a store"), text)
}

/// As [`arm`], in a store that is open.
pub fn arm_in(vault: &Vault, text: &str) -> String {
    let armable = armable(&site::parse(text, "armed").expect("a good site"));
    let sign = armable.sign.clone();
    vault.turn(&Turn::Provision, "aki", None).expect("people are known");
    let by = Person::new("aki", Role::Owner);
    vault.turn(&Turn::Arm { by, site: armable }, "aki", Some(&sign)).expect("it is armed");
    sign
}

/// Arms what a command is about to run: where its site file or its environment says that the store lies.
pub fn arm_for(command: &Command, text: &str) {
    let site = site::parse(text, "armed").expect("a good site");
    let of_command = command.get_envs().find(|(name, _)| *name == "STATE_DIRECTORY").and_then(|(_, value)| value);
    let state = site.outlets.state_folder.or_else(|| of_command.map(PathBuf::from));
    arm(text, &state.expect("the test says where the store lies"));
}

/// All that has to be declared.
const DECLARED: &str = r#"
[switch]
sole_operator = true

[notice]
languages = ["en"]
controllers = [{ name = "Test Shop Ltd", address = "1 Test Street, London", contact = "privacy@shop.example" }]
legal_basis = "legitimate-interest"
interest = { en = "To know how busy the shop is" }
desk = { name = { en = "The till by the door" }, email = "desk@shop.example" }
authority = { en = "Information Commissioner's Office" }
objection = { en = "Use the side door: no camera looks there" }
policy_url = "https://shop.example/cameras"
region = "uk"

[purposes]
line = { en = "To know how many come in" }
zone = { en = "To know what people look at" }
queue = { en = "To open another till in time" }
heat = { en = "To see where the shop is crowded" }
flow = { en = "To see which way people go" }
od = { en = "To see how people go through the shop" }
"#;
