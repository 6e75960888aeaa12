//! The switch under whatever anybody does to it: nothing is watched that is not armed, nothing is loosened, nothing forgotten.

use std::collections::BTreeMap;

use kehai::clock::UtcMs;
use kehai::config::Keeping;
use kehai::switch::{Bounds, From, Mode, Person, Refusal, Role, Site, Switch, Turn};
use kehai::vault::{NewPerson, Password, TurnError, Vault};
use proptest::prelude::*;

use crate::support::folder::Folder;

/// What anybody may try, remote ones and strangers included.
#[derive(Debug, Clone)]
enum Action {
    Turn(Turn),
    /// The sign somebody holds is of another configuration.
    ArmWithOldSign(Person, Site),
    /// A start of the mouth under a configuration.
    Start(Site),
    /// The mouth is killed and begins again.
    Restart,
    Later(i64),
}

fn bounds(k: u32, keep_days: u32, is_masked: bool, is_sole_operator: bool) -> Bounds {
    let masks: BTreeMap<String, String> =
        if is_masked { [("desk".to_owned(), "a1".to_owned())].into() } else { BTreeMap::new() };
    let dangers = if is_sole_operator { vec!["switch.sole_operator".to_owned()] } else { Vec::new() };
    Bounds { k, crowd_min: k, cell_mm: [("floor".to_owned(), 1000)].into(), keep_days, masks, dangers }
}

fn sites() -> impl Strategy<Value = Site> {
    (prop_oneof![Just(5_u32), Just(8)], prop_oneof![Just(7_u32), Just(30)], any::<bool>(), any::<bool>()).prop_map(
        |(k, keep_days, is_masked, is_sole_operator)| {
            let declaration = format!("{k} {keep_days} {is_masked} {is_sole_operator}");
            Site {
                sign: sign_of(&declaration),
                bounds: bounds(k, keep_days, is_masked, is_sole_operator),
                declaration,
                is_sole_operator,
            }
        },
    )
}

fn sign_of(declaration: &str) -> String {
    format!("sign of {declaration}")
}

fn people() -> impl Strategy<Value = Person> {
    (prop_oneof![Just("aki"), Just("ben"), Just("chie")], prop::sample::select(&Role::ALL))
        .prop_map(|(name, role)| Person::new(name, role))
}

fn wheres() -> impl Strategy<Value = From> {
    prop_oneof![Just(From::Here), Just(From::Afar)]
}

fn actions() -> impl Strategy<Value = Action> {
    prop_oneof![
        1 => Just(Action::Turn(Turn::Provision)),
        6 => (people(), sites()).prop_map(|(by, site)| Action::Turn(Turn::Arm { by, site })),
        1 => (people(), sites()).prop_map(|(by, site)| Action::ArmWithOldSign(by, site)),
        2 => wheres().prop_map(|from| Action::Turn(Turn::Pause(from))),
        3 => (prop::option::of(people()), wheres()).prop_map(|(by, from)| Action::Turn(Turn::Resume { by, from })),
        1 => Just(Action::Turn(Turn::Lock)),
        2 => (prop::option::of(people()), wheres()).prop_map(|(by, from)| Action::Turn(Turn::Unlock { by, from })),
        3 => sites().prop_map(Action::Start),
        1 => Just(Action::Restart),
        1 => (0_i64..100_000_000).prop_map(Action::Later),
    ]
}

/// What must be true of any turn, whatever came before.
fn must_hold(before: &Switch, turn: &Turn, turned: &Result<Switch, Refusal>) -> Result<(), TestCaseError> {
    if turn.is_stop() {
        let after = turned.as_ref().map_err(|refusal| TestCaseError::fail(format!("a stop was refused: {refusal}")))?;
        prop_assert_ne!(after.mode(), Mode::Armed);
        prop_assert_eq!(after.arming(), before.arming());
    }
    let Ok(after) = turned else { return Ok(()) };
    if let Some(old) = before.bounds() {
        let new = after.bounds().expect("the ratchet is not lost");
        prop_assert_eq!(old.loosened_by(new), Vec::<String>::new());
    }
    let begins = after.mode() == Mode::Armed && before.mode() != Mode::Armed;
    match turn {
        Turn::Arm { by, site } if after.arming() != before.arming() => {
            let arming = after.arming().expect("something is armed");
            prop_assert_eq!(&arming.sign, &sign_of(&arming.declaration));
            prop_assert!(arming.by.contains(&by.name));
            prop_assert_eq!(arming.by.len(), 2 - usize::from(site.is_sole_operator));
            prop_assert!(arming.by.len() == 1 || arming.by[0] != arming.by[1]);
            prop_assert!(matches!(by.role, Role::Owner | Role::Installer));
            prop_assert!(!matches!(before.mode(), Mode::PausedHere | Mode::PausedRemotely) || !begins);
        }
        Turn::Resume { by: Some(by), from: From::Here } => prop_assert_eq!(by.role, Role::Owner),
        Turn::Resume { .. } | Turn::Unlock { by: None, .. } | Turn::Unlock { from: From::Afar, .. } => {
            prop_assert!(false, "nobody, or somebody from afar, has started something");
        }
        Turn::Unlock { .. } => prop_assert_ne!(after.mode(), Mode::Armed),
        _ => prop_assert!(!begins),
    }
    let stays_locked = matches!(turn, Turn::Unlock { .. }) || after.mode() == Mode::Locked;
    prop_assert!(before.mode() != Mode::Locked || stays_locked);
    Ok(())
}

/// A sequence on the pure machine.
fn must_hold_throughout(actions: Vec<Action>) -> Result<(), TestCaseError> {
    let (mut switch, mut at) = (Switch::default(), UtcMs(0));
    for action in actions {
        match action {
            Action::Turn(turn) => {
                let right = match &turn {
                    Turn::Arm { site, .. } => Some(sign_of(&site.declaration)),
                    _ => None,
                };
                let turned = switch.turned(&turn, right.as_deref(), at);
                must_hold(&switch, &turn, &turned)?;
                switch = turned.unwrap_or(switch);
            }
            Action::ArmWithOldSign(by, site) => {
                let right = sign_of("another");
                let turned = switch.turned(&Turn::Arm { by, site }, Some(&right), at);
                prop_assert!(turned.is_err());
            }
            Action::Start(site) => {
                let may = switch.may_start(&site.declaration, &site.bounds);
                let is_armed = switch.arming().is_some_and(|arming| arming.declaration == site.declaration);
                prop_assert!(may.is_err() || is_armed);
                prop_assert!(!switch.is_on(&site.declaration) || (is_armed && switch.mode() == Mode::Armed));
            }
            Action::Restart => switch = Switch::of_text(&switch.to_text()).expect("as it was written"),
            Action::Later(ms) => at = UtcMs(at.0 + ms),
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn nothing_is_watched_that_is_not_armed_and_nothing_is_loosened(actions in prop::collection::vec(actions(), 1..60)) {
        must_hold_throughout(actions)?;
    }

    #[test]
    fn the_tighter_of_two_bounds_is_as_tight_as_either(
        one in (5_u32..50, 1_u32..30, any::<[bool; 2]>()), other in (5_u32..50, 1_u32..30, any::<[bool; 2]>())
    ) {
        let [one, other] = [one, other].map(|(k, days, [is_masked, is_alone])| bounds(k, days, is_masked, is_alone));
        let both = one.tightened(&other);
        prop_assert_eq!(one.loosened_by(&both), Vec::<String>::new());
        prop_assert_eq!(other.loosened_by(&both), Vec::<String>::new());
        prop_assert_eq!(one.loosened_by(&one), Vec::<String>::new());
        prop_assert!(one == other || !one.loosened_by(&other).is_empty() || !other.loosened_by(&one).is_empty());
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100_000))]

    #[test]
    #[ignore = "a minute: a hundred thousand sequences"]
    fn a_hundred_thousand_sequences_arm_nothing_and_loosen_nothing(actions in prop::collection::vec(actions(), 1..60)) {
        must_hold_throughout(actions)?;
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn every_turn_is_a_line_of_the_chain_refused_ones_too(actions in prop::collection::vec(actions(), 1..40)) {
        let folder = Folder::new();
        let path = folder.path("state");
        let open = || Vault::open(std::path::Path::new(&path), Keeping::default(), std::time::Duration::ZERO);
        let (mut vault, mut turns) = (open().expect("a store"), 0);
        for name in ["aki", "ben", "chie"] {
            let word = Password::of(name, "four words nobody knows").expect("good");
            let new = NewPerson { name, role: Role::Owner, password: &word, totp: None };
            vault.add_person(&new, "aki").expect("they are new");
        }
        for action in actions {
            match action {
                Action::Turn(turn) => {
                    let right = match &turn {
                        Turn::Arm { site, .. } => Some(sign_of(&site.declaration)),
                        _ => None,
                    };
                    let before = vault.switch().expect("it is there");
                    let turned = match vault.turn(&turn, "somebody", right.as_deref()) {
                        Ok(switch) => Ok(switch),
                        Err(TurnError::Refused(refusal)) => Err(refusal),
                        Err(TurnError::Store(error)) => return Err(TestCaseError::fail(error.to_string())),
                    };
                    must_hold(&before, &turn, &turned)?;
                    let after = vault.switch().expect("it is there");
                    prop_assert_eq!(after, turned.unwrap_or(before));
                    turns += 1;
                }
                Action::Restart => {
                    drop(vault);
                    vault = open().expect("a store");
                }
                _ => {}
            }
        }
        let mut lines = 0;
        let mut count = |line: &str| lines += usize::from(NAMES.iter().any(|name| line.contains(&format!("\"what\":\"{name}\""))));
        vault.export_audit(&mut count).expect("the chain is there");
        prop_assert_eq!(lines, turns);
    }
}

const NAMES: [&str; 6] = ["provision", "arm", "pause", "resume", "lock", "unlock"];
