//! crawlguard's own entries in ODCS `customProperties`.

use serde_json::{Map, Value, json};

use super::place::{Found, Place};
use crate::schema::{MISSING_IN_NEWEST, MISSING_IN_SOME, QUOTED_VALUES};

const PREFIX: &str = "crawlguard.";
const LIST: &str = "customProperties";

// Of the document.
pub(super) const ORIGIN: &str = "crawlguard.origin";
/// Of the document, for the whole table; of a property, for its column.
pub(super) const POLICY: &str = "crawlguard.policy";

// Of the schema object.
pub(super) const CLASSIFICATION: &str = "crawlguard.classification";
pub(super) const SERDE: &str = "crawlguard.serde";
pub(super) const SERDE_PARAMETERS: &str = "crawlguard.serdeParameters";
pub(super) const INPUT_FORMAT: &str = "crawlguard.inputFormat";
pub(super) const OUTPUT_FORMAT: &str = "crawlguard.outputFormat";
pub(super) const COMPRESSION: &str = "crawlguard.compression";
pub(super) const SKIP_HEADER_LINES: &str = "crawlguard.skipHeaderLines";
/// Table parameters, of them [`PROMISED_PARAMETERS`] alone.
pub(super) const PARAMETERS: &str = "crawlguard.parameters";
pub(super) const LOCATION: &str = "crawlguard.location";

// Of a property.
pub(super) const ORDINAL: &str = "crawlguard.ordinal";
pub(super) const EVIDENCE: &str = "crawlguard.evidence";
pub(super) const PINNED: &str = "crawlguard.pinned";

pub(super) const OF_DOCUMENT: &[&str] = &[ORIGIN, POLICY];
pub(super) const OF_SCHEMA: &[&str] = &[
    CLASSIFICATION,
    SERDE,
    SERDE_PARAMETERS,
    INPUT_FORMAT,
    OUTPUT_FORMAT,
    COMPRESSION,
    SKIP_HEADER_LINES,
    PARAMETERS,
    LOCATION,
];
pub(super) const OF_PROPERTY: &[&str] = &[ORDINAL, EVIDENCE, PINNED, POLICY];

/// The table parameters that decide which values a column gets and that no other field holds: a crawler writes the rest
/// anew every time.
pub(super) const PROMISED_PARAMETERS: &[&str] =
    &["avro.schema.literal", MISSING_IN_NEWEST, MISSING_IN_SOME, QUOTED_VALUES, "delimiter"];

/// The `crawlguard.*` entries of one object, as a map from name to value.
pub(super) fn read<'v>(
    found: &mut Found<'_>,
    object: &'v Map<String, Value>,
    at: &Place<'_>,
    known: &[&'static str],
) -> Vec<(&'static str, &'v Value)> {
    let list_at = at.key(LIST);
    let mut own: Vec<(&'static str, &Value)> = Vec::new();
    for (index, entry) in found.list(object, at, LIST).iter().enumerate() {
        let entry_at = list_at.index(index);
        let Some(entry) = found.object(entry, entry_at) else { continue };
        let Some(name) = found.text(entry, &entry_at, "property").filter(|name| name.starts_with(PREFIX)) else {
            continue;
        };
        match (known.iter().find(|known| **known == name), entry.get("value")) {
            (None, _) => found.add(
                entry_at.key("property"),
                format!("`{name}` is not known here"),
                format!("use one of {}", known.join(", ")),
            ),
            (Some(_), None) => found.add(entry_at, "has no `value`", "add one, or remove the entry"),
            (Some(known), Some(_)) if own.iter().any(|(name, _)| name == known) => {
                found.add(entry_at, format!("`{name}` is given twice"), "keep one of the two");
            }
            (Some(known), Some(value)) => own.push((known, value)),
        }
    }
    own
}

/// One of the entries that [`read`] gave.
pub(super) fn get<'v>(own: &[(&str, &'v Value)], name: &str) -> Option<&'v Value> {
    own.iter().find(|(key, _)| *key == name).map(|(_, value)| *value)
}

/// Sets one entry in its place, or appends it; `None` removes it.
pub(super) fn set(object: &mut Map<String, Value>, name: &str, value: Option<Value>) {
    if value.is_none() && !object.contains_key(LIST) {
        return;
    }
    let list = object.entry(LIST).or_insert_with(|| json!([]));
    let Some(list) = list.as_array_mut() else { return };
    let place = list.iter().position(|entry| entry.get("property").and_then(Value::as_str) == Some(name));
    match (place, value) {
        (Some(place), Some(value)) => list[place]["value"] = value,
        (Some(place), None) => drop(list.remove(place)),
        (None, Some(value)) => list.push(json!({"property": name, "value": value})),
        (None, None) => {}
    }
    if list.is_empty() {
        object.shift_remove(LIST);
    }
}
