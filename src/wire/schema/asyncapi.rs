//! The AsyncAPI 3 document: which message goes over which topic, in which direction, with which quality and retention.
//!
//! Out: one document whose payloads refer to the definitions of the JSON Schema; `kehai schema --asyncapi` prints it.

use serde_json::{Map, Value, json};

use super::document;

/// A topic of a node.
struct Channel {
    /// Name in the document.
    name: &'static str,
    /// Behind `{root}/{org}/{store}/{node}/`.
    address: &'static str,
    /// Definitions of what goes over it.
    messages: &'static [&'static str],
    /// Whether the node says it; else it hears it.
    is_said: bool,
    qos: u8,
    retain: bool,
    /// What a reader should know.
    summary: &'static str,
}

const CHANNELS: [Channel; 10] = [
    said("state", "state", &["state"], (1, true), "Online, or offline; offline is the will too."),
    said("about", "about", &["about"], (1, true), "What runs here, its privacy state and its public key."),
    said("meta", "meta/{of}", &["meta"], (1, true), "Names and places of all objects of a kind."),
    said(
        "window",
        "win/{kind}/{id}",
        &["line", "zone", "queue", "heat", "flow", "od"],
        (1, true),
        "The record: closed windows only. The newest is retained, what is sent late or again is not. Drop duplicates by (org, store, node, kind, id, ws, dur); a gap in seq is closed with cmd/replay.",
    ),
    said("image", "img/{kind}/{id}", &[], (1, true), "A released heatmap as PNG, where the site asks for it."),
    said("health", "health", &["health"], (0, false), "How the node fares, every minute."),
    said("audit", "audit", &["audit"], (1, false), "The signed head of the audit chain, after it grew."),
    said("event", "evt/{of}", &["evt"], (1, false), "Something the operator should know of."),
    said("answer", "rsp/{verb}", &["rsp"], (1, false), "The answer to a command."),
    Channel {
        name: "command",
        address: "cmd/{verb}",
        messages: &["cmd"],
        is_said: false,
        qos: 0,
        retain: false,
        summary: "Asks a node something: signed, for five minutes at most, never retained.",
    },
];

const fn said(
    name: &'static str,
    address: &'static str,
    messages: &'static [&'static str],
    (qos, retain): (u8, bool),
    summary: &'static str,
) -> Channel {
    Channel { name, address, messages, is_said: true, qos, retain, summary }
}

/// The AsyncAPI document.
#[must_use]
pub fn asyncapi() -> Value {
    let definitions = document()["$defs"].clone();
    // Definitions refer to each other where they lie in the schema; here they lie elsewhere.
    let text = definitions.to_string().replace("#/$defs/", "#/components/schemas/");
    let schemas: Value = serde_json::from_str(&text).unwrap_or_default();
    let named = |name: &str, value: Value| (name.to_owned(), value);
    let operation = |channel: &Channel| {
        let action = if channel.is_said { "send" } else { "receive" };
        let bindings = json!({ "mqtt": { "qos": channel.qos, "retain": channel.retain, "bindingVersion": "0.2.0" } });
        let channel_ref = json!({ "$ref": format!("#/channels/{}", channel.name) });
        named(
            channel.name,
            json!({ "action": action, "channel": channel_ref, "summary": channel.summary, "bindings": bindings }),
        )
    };
    let message = |name: &str| {
        named(
            name,
            json!({ "name": name, "contentType": "application/json", "payload": { "$ref": format!("#/components/schemas/{name}") } }),
        )
    };
    json!({
        "asyncapi": "3.0.0",
        "info": {
            "title": "Kehai messages",
            "version": "1.0.0",
            "description": "Aggregates of many people, never of one. Figures are integers: ms, mm, counts.",
            "license": { "name": "Apache-2.0 OR MIT" },
        },
        "defaultContentType": "application/json",
        "channels": CHANNELS.iter().map(|channel| named(channel.name, channel_of(channel))).collect::<Map<_, _>>(),
        "operations": CHANNELS.iter().map(operation).collect::<Map<_, _>>(),
        "components": {
            "schemas": schemas,
            "messages": CHANNELS.iter().flat_map(|channel| channel.messages).map(|name| message(name)).collect::<Map<_, _>>(),
        },
    })
}

fn channel_of(channel: &Channel) -> Value {
    let address = format!("{{root}}/{{org}}/{{store}}/{{node}}/{}", channel.address);
    let names = address.split('/').filter_map(|level| level.strip_prefix('{')?.strip_suffix('}'));
    let parameters: Map<String, Value> =
        names.map(|name| (name.to_owned(), json!({ "description": description(name) }))).collect();
    let messages: Map<String, Value> = channel
        .messages
        .iter()
        .map(|name| ((*name).to_owned(), json!({ "$ref": format!("#/components/messages/{name}") })))
        .collect();
    json!({ "address": address, "parameters": parameters, "messages": messages })
}

fn description(parameter: &str) -> &'static str {
    match parameter {
        "root" => "broker.topic_root of the site file, kehai/v1 when it says nothing",
        "org" => "organisation",
        "store" => "shop",
        "node" => "box in the shop",
        "of" => "what it is about",
        "kind" => "line, zone, queue, heat, flow or od",
        "verb" => "ping, rebirth, replay, config-get, pause or lock",
        _ => "the object",
    }
}
