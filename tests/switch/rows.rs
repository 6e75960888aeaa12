//! The row of the switch in the store: as it was written it is read for ever, and what cannot be read starts nothing.

use kehai::clock::UtcMs;
use kehai::switch::{Mode, Switch};

/// As this version writes it: locked, armed once by two, and confirmed by one for what comes next.
const ROW: &str = r#"{"mode":"locked","arming":{"declaration":"d1","sign":"AAAA-BBBB","by":["hana","ken"],"at":1700000000000},"confirmed":{"by":{"name":"ken","role":"installer","edition":2,"set_by":["hana"]},"site":{"declaration":"d2","sign":"CCCC-DDDD","bounds":{"k":10,"crowd_min":20,"cell_mm":{"hall":1000},"keep_days":7,"masks":{"desk":"a1"},"dangers":[]},"is_sole_operator":false},"at":1700000001000},"bounds":{"k":8,"crowd_min":16,"cell_mm":{"hall":1000},"keep_days":14,"masks":{"desk":"a1"},"dangers":["switch.sole_operator"]}}"#;

#[test]
fn a_row_as_it_is_written_today_is_read_for_ever() {
    let switch = Switch::of_text(ROW).expect("it was written by this version");
    assert_eq!(switch.mode(), Mode::Locked);
    let arming = switch.arming().expect("it was armed");
    assert_eq!((arming.by.len(), arming.at), (2, UtcMs(1_700_000_000_000)));
    let bounds = switch.bounds().expect("the ratchet");
    assert_eq!((bounds.k, bounds.keep_days, bounds.masks.len()), (8, 14, 1));
    let again: serde_json::Value = serde_json::from_str(&switch.to_text()).expect("JSON");
    let row: serde_json::Value = serde_json::from_str(ROW).expect("JSON");
    for key in ["mode", "arming", "confirmed", "bounds"] {
        assert!(!row[key].is_null() && again[key] == row[key], "{key}: {}", again[key]);
    }
    // Before editions were kept.
    let older = ROW.replace(r#","edition":2,"set_by":["hana"]"#, "");
    assert!(older != ROW && Switch::of_text(&older).is_ok());
}

#[test]
fn a_row_that_says_less_or_more_than_is_known_is_no_switch() {
    for (name, row) in [
        ("no text", String::new()),
        ("nothing", "{}".to_owned()),
        ("cut off", ROW[..ROW.len() - 1].to_owned()),
        ("a mode of tomorrow", ROW.replace("\"locked\"", "\"asleep\"")),
        ("no mode", ROW.replace("\"mode\":\"locked\",", "")),
        ("no bounds", ROW.replace(",\"bounds\":{\"k\":8,", ",\"limits\":{\"k\":8,")),
        ("bounds without k", ROW.replace("\"k\":8,", "")),
        ("a bound of tomorrow", ROW.replace("\"k\":8,", "\"k\":8,\"noise\":1,")),
        ("a field of tomorrow", ROW.replace("\"mode\":", "\"curfew\":true,\"mode\":")),
    ] {
        assert_ne!(row, ROW, "{name}");
        let refused = Switch::of_text(&row).expect_err(name).to_string();
        assert!(refused.contains("nothing is watched") && refused.contains("kehai wipe"), "{name}: {refused}");
    }
}

#[test]
fn what_outlives_a_box_is_how_tight_it_was_and_whether_it_was_locked() {
    let locked = Switch::of_text(ROW).expect("good").kept();
    assert_eq!((locked.mode(), locked.arming()), (Mode::Locked, None));
    assert_eq!(locked.bounds().map(|bounds| bounds.k), Some(8));
    assert_eq!(Switch::of_text(&locked.to_text()), Ok(locked));
    let armed = Switch::of_text(&ROW.replace("\"locked\"", "\"armed\"")).expect("good").kept();
    assert_eq!((armed.mode(), armed.arming()), (Mode::Unprovisioned, None));
    assert_eq!(armed.bounds().map(|bounds| bounds.k), Some(8));
}
