//! Every field of every message, one by one, out of the schema.
//!
//! In: [`super::document`]. Out: [`Field`]s, a path each. Invariant: what the schema lets through is in the list.

use serde_json::Value;

use super::document;

/// One field of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Field {
    /// Kind of the message, `line`.
    pub message: String,
    /// Path of the field in it, `d.in`; "[]" stands for each of a list.
    pub path: String,
    /// What it is, as the schema says.
    pub what: String,
}

/// All fields, by message.
#[must_use]
pub fn fields() -> Vec<Field> {
    let schema = document();
    let kinds = schema["oneOf"].as_array().into_iter().flatten().filter_map(|choice| name_of(&choice["$ref"]));
    let mut fields = Vec::new();
    for kind in kinds {
        collect(&schema, &schema["$defs"][kind], (kind, ""), &mut fields);
    }
    fields
}

fn collect(schema: &Value, of: &Value, (message, prefix): (&str, &str), fields: &mut Vec<Field>) {
    for (name, property) in of["properties"].as_object().into_iter().flatten() {
        let (path, what) = (format!("{prefix}{name}"), property["description"].as_str().unwrap_or_default());
        let inner = [&property["$ref"], &property["items"]["$ref"]].into_iter().chain(choices(property));
        let inner: Vec<&str> = inner.filter_map(name_of).collect();
        fields.push(Field { message: message.to_owned(), path: path.clone(), what: what.to_owned() });
        let mark = if property["items"].is_object() { "[]." } else { "." };
        for inner in inner {
            collect(schema, &schema["$defs"][inner], (message, &format!("{path}{mark}")), fields);
        }
    }
}

/// References of a property that may also be absent.
fn choices(property: &Value) -> impl Iterator<Item = &Value> {
    property["anyOf"].as_array().into_iter().flatten().map(|choice| &choice["$ref"])
}

fn name_of(reference: &Value) -> Option<&str> {
    reference.as_str()?.strip_prefix("#/$defs/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_within_fields_are_found_and_each_is_described() {
        let fields = fields();
        let has = |message: &str, path: &str| fields.iter().any(|field| field.message == message && field.path == path);
        for (message, path) in
            [("line", "d.in"), ("line", "privacy.k"), ("zone", "d.dwell_ms"), ("health", "cameras[].frames")]
        {
            assert!(has(message, path), "{message} {path}");
        }
        let silent: Vec<&Field> = fields.iter().filter(|field| field.what.is_empty()).collect();
        assert!(silent.iter().all(|field| matches!(field.path.as_str(), "v" | "k")), "{silent:?}");
    }
}
