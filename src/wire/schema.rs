//! The JSON Schema of everything that leaves, made from the payload types themselves.
//!
//! Out: one JSON Schema 2020-12 document that any message of version 1 is valid against; `kehai schema` prints it
//! and the tests hold real messages against it.

mod asyncapi;
pub mod inventory;

pub use asyncapi::asyncapi;
use schemars::{JsonSchema, SchemaGenerator, generate::SchemaSettings};
use serde_json::{Value, json};

use super::audit::HeadPayload;
use super::payload::{
    AboutPayload, AnswerPayload, CONTRACT_VERSION, CommandPayload, EventPayload, FlowPayload, HealthPayload,
    HeatPayload, LinePayload, MetaPayload, OdPayload, QueuePayload, StatePayload, WindowPayload, ZonePayload,
};

/// Name of the schema document.
pub const SCHEMA_ID: &str = "urn:kehai:v1";

/// The schema document.
#[must_use]
pub fn document() -> Value {
    let mut generator = SchemaSettings::draft2020_12().into_generator();
    let kinds = [
        ("line", kind_of::<WindowPayload<LinePayload>>(&mut generator, "line")),
        ("zone", kind_of::<WindowPayload<ZonePayload>>(&mut generator, "zone")),
        ("queue", kind_of::<WindowPayload<QueuePayload>>(&mut generator, "queue")),
        ("heat", kind_of::<WindowPayload<HeatPayload>>(&mut generator, "heat")),
        ("flow", kind_of::<WindowPayload<FlowPayload>>(&mut generator, "flow")),
        ("od", kind_of::<WindowPayload<OdPayload>>(&mut generator, "od")),
        ("state", kind_of::<StatePayload>(&mut generator, "state")),
        ("about", kind_of::<AboutPayload>(&mut generator, "about")),
        ("meta", kind_of::<MetaPayload>(&mut generator, "meta")),
        ("health", kind_of::<HealthPayload>(&mut generator, "health")),
        ("evt", kind_of::<EventPayload>(&mut generator, "evt")),
        ("cmd", kind_of::<CommandPayload>(&mut generator, "cmd")),
        ("rsp", kind_of::<AnswerPayload>(&mut generator, "rsp")),
        ("audit", kind_of::<HeadPayload>(&mut generator, "audit")),
    ];
    let mut definitions = generator.take_definitions(true);
    let choices: Vec<Value> = kinds.iter().map(|(name, _)| json!({ "$ref": format!("#/$defs/{name}") })).collect();
    definitions.extend(kinds.into_iter().map(|(name, schema)| (name.to_owned(), schema)));
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": SCHEMA_ID,
        "title": "Kehai messages, version 1",
        "description": "Every payload a node publishes. Fields may be added; a changed meaning is version 2.",
        "oneOf": choices,
        "$defs": definitions,
    })
}

/// The schema of one payload type, tied to its version and kind.
fn kind_of<P: JsonSchema>(generator: &mut SchemaGenerator, kind: &str) -> Value {
    let mut schema = P::json_schema(generator).to_value();
    schema["properties"]["v"] = json!({ "const": CONTRACT_VERSION });
    schema["properties"]["k"] = json!({ "const": kind });
    schema
}
