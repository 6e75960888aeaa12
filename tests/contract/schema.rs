//! The schema that `kehai schema` prints: what is published is valid against it, and nonsense is not.

use std::sync::OnceLock;

use jsonschema::Validator;
use serde_json::{Value, json};

use super::golden::golden_payloads;
use crate::support::program::kehai;
use crate::support::recording::played;

fn schema() -> &'static Validator {
    static SCHEMA: OnceLock<Validator> = OnceLock::new();
    SCHEMA.get_or_init(|| {
        let ended = kehai(&["schema"]);
        ended.must_be_well();
        let document: Value = serde_json::from_str(&ended.out).expect("a schema is JSON");
        jsonschema::draft202012::meta::validate(&document).expect("a schema is valid against its own");
        jsonschema::draft202012::new(&document).expect("the schema compiles")
    })
}

fn must_be_valid(payload: &Value) {
    let faults: Vec<String> = schema().iter_errors(payload).map(|fault| fault.to_string()).collect();
    assert!(faults.is_empty(), "{payload}\n{faults:#?}");
}

#[test]
fn every_record_of_a_replay_is_valid() {
    let windows = played().windows();
    assert_eq!(windows.len(), 10);
    windows.iter().for_each(must_be_valid);
}

#[test]
fn every_golden_payload_of_version_one_stays_valid() {
    for (_, text) in golden_payloads() {
        must_be_valid(&serde_json::from_str(&text).expect("a payload is JSON"));
    }
}

#[test]
fn every_topic_of_the_asyncapi_document_names_a_payload_of_the_schema() {
    let ended = kehai(&["schema", "--asyncapi"]);
    ended.must_be_well();
    let document: Value = serde_json::from_str(&ended.out).expect("JSON");
    assert_eq!(document["asyncapi"], "3.0.0");
    let mut ends: Vec<&str> = Vec::new();
    let mut rest = ended.out.as_str();
    while let Some((_, after)) = rest.split_once("\"$ref\": \"#") {
        let (target, after) = after.split_once('"').expect("a text ends");
        (rest, ends) = (after, [ends, vec![target]].concat());
    }
    assert!(ends.len() > 30, "{ends:?}");
    for end in ends {
        assert!(document.pointer(end).is_some(), "{end} leads nowhere");
    }
    let addresses: Vec<&str> = document["channels"]
        .as_object()
        .expect("channels")
        .values()
        .filter_map(|one| one["address"].as_str())
        .collect();
    for (name, message) in super::golden::messages() {
        let levels = message.topic.split('/').count() + 1 - "kehai/v1".split('/').count();
        let below = message.topic.split('/').nth(5).unwrap_or_default();
        let fits = |address: &&&str| address.split('/').count() == levels && address.split('/').nth(4) == Some(below);
        assert!(addresses.iter().any(|address| fits(&address)), "{name}: {} is not in the document", message.topic);
    }
}

#[test]
fn a_payload_of_another_version_or_kind_is_refused() {
    for (name, text) in golden_payloads() {
        for (field, other) in
            [("v", json!(2)), ("v", json!("1")), ("k", json!("face")), ("k", json!("Line")), ("k", json!(null))]
        {
            let mut payload: Value = serde_json::from_str(&text).expect("a payload is JSON");
            payload[field] = other.clone();
            assert!(!schema().is_valid(&payload), "{name} with {field} = {other}");
        }
    }
}

#[test]
fn a_payload_without_one_of_its_fields_is_refused() {
    for window in played().windows() {
        // Records of before there were signatures are of version 1 as well.
        for field in window.as_object().expect("a record is an object").keys().filter(|field| *field != "sig") {
            let mut payload = window.clone();
            payload.as_object_mut().expect("a record is an object").remove(field);
            assert!(!schema().is_valid(&payload), "{} without {field}", window["k"]);
        }
    }
}

#[test]
fn a_line_without_its_count_is_refused_and_a_withheld_zone_is_not() {
    let windows = played().windows();
    let mut line = windows.iter().find(|window| window["k"] == "line").expect("a line is there").clone();
    line["d"].as_object_mut().expect("figures are an object").remove("in");
    assert!(!schema().is_valid(&line));
    let mut zone = windows.iter().find(|window| window["k"] == "zone").expect("a zone is there").clone();
    zone["d"] = json!({});
    must_be_valid(&zone);
}

#[test]
fn fractions_negatives_and_texts_are_no_counts() {
    let line = played().windows().into_iter().find(|window| window["k"] == "line").expect("a line is there");
    for nonsense in [json!(1.5), json!(-1), json!("3"), json!(null), json!([1]), json!(true)] {
        let mut payload = line.clone();
        payload["d"]["in"] = nonsense.clone();
        assert!(!schema().is_valid(&payload), "in = {nonsense}");
        let mut payload = line.clone();
        payload["cov_ms"] = nonsense.clone();
        assert!(!schema().is_valid(&payload), "cov_ms = {nonsense}");
    }
}

#[test]
fn what_is_no_payload_at_all_is_refused() {
    for nonsense in [json!({}), json!([]), json!("line"), json!(1), json!(null), json!({"v": 1, "k": "line"})] {
        assert!(!schema().is_valid(&nonsense), "{nonsense}");
    }
}
