//! Table → a first document.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::{Observed, custom};
use crate::digest::sha256_hex;
use crate::schema::{Column, DataType, Evidence, Storage, Table, TableKind};

const API_VERSION: &str = "v3.2.0";

pub(super) fn document(table: &Table) -> Value {
    json!({
        "apiVersion": API_VERSION,
        "kind": "DataContract",
        "id": stable_id(&table.name),
        "name": table.name,
        "version": "1.0.0",
        "status": "active",
        "schema": [schema_object(table)],
        "customProperties": [{"property": custom::ORIGIN, "value": "crawler"}],
    })
}

/// A first contract of a model: its columns, its key, and checks to start from, each with the reason in its `description`.
pub(super) fn of_model(table: &Table, primary_key: &[String], observed: Option<&Observed>) -> Value {
    let storage = Storage::default();
    let table = Table { storage, parameters: BTreeMap::new(), location: None, ..table.clone() };
    let mut document = document(&table);
    document["customProperties"][0]["value"] = json!("model");
    for property in document["schema"][0]["properties"].as_array_mut().into_iter().flatten() {
        let place = primary_key.iter().position(|key| property["name"] == json!(key));
        if let Some(place) = place {
            property["primaryKey"] = json!(true);
            property["primaryKeyPosition"] = json!(place + 1);
        } else if let Some(rule) = observed.and_then(|observed| observed.null_rule(property["name"].as_str()?)) {
            property["quality"] = json!([rule]);
        }
    }
    document["schema"][0]["quality"] = json!([
        {"id": "row_count", "metric": "rowCount", "mustBeGreaterThan": 0,
         "description": "An empty table never passes. Raise the bound to what a day brings at least."},
        {"id": "row_count_change", "type": "custom", "engine": "crawlguard",
         "description": "Rows against what was last published: 0.5 is half as many or half as many again. Narrow it once the \
                         table's days are known.",
         "implementation": {"check": "rowCountChange", "maxShare": 0.5}},
        {"id": "next", "type": "text",
         "description": "Prose, and without effect. What one column must be like stands in its property: `required: true`, or a \
                         rule in its `quality` such as {\"metric\": \"invalidValues\", \"arguments\": {\"validValues\": \
                         [\"open\", \"paid\"]}, \"mustBe\": 0}. See docs/contracts.md."},
    ]);
    let keys = observed.filter(|_| primary_key.is_empty()).and_then(|observed| observed.keys(&table.name));
    if let (Some(keys), Some(rules)) = (keys, document["schema"][0]["quality"].as_array_mut()) {
        rules.push(json!({"id": "key", "type": "text", "description": keys}));
    }
    document
}

fn schema_object(table: &Table) -> Value {
    let data = table.columns.iter().zip(1..).map(|(column, ordinal)| {
        let mut property = property(column, API_VERSION);
        custom::set(&mut property, custom::ORDINAL, Some(json!(ordinal)));
        Value::Object(property)
    });
    let keys = table.partition_keys.iter().zip(1..).map(|(column, position)| {
        let mut property = property(column, API_VERSION);
        set_partitioned(&mut property, Some(position));
        Value::Object(property)
    });
    let properties: Vec<Value> = data.chain(keys).collect();
    let mut object = Map::new();
    object.insert("id".to_owned(), json!(stable_id(&table.name)));
    object.insert("name".to_owned(), json!(table.name));
    object.insert("physicalType".to_owned(), json!(kind_name(table.kind)));
    object.insert("logicalType".to_owned(), json!("object"));
    object.insert("properties".to_owned(), Value::Array(properties));
    object.insert("quality".to_owned(), json!([{"id": "row_count", "metric": "rowCount", "mustBeGreaterThan": 0}]));
    for (name, value) in storage(table) {
        custom::set(&mut object, name, value);
    }
    Value::Object(object)
}

/// The property of a column that no document describes yet.
pub(super) fn property(column: &Column, api_version: &str) -> Map<String, Value> {
    let mut property = Map::new();
    property.insert("id".to_owned(), json!(stable_id(&column.name)));
    property.insert("name".to_owned(), json!(column.name));
    property.insert("physicalType".to_owned(), json!(column.data_type.to_string()));
    if let Some(logical) = logical_type(&column.data_type, api_version) {
        property.insert("logicalType".to_owned(), json!(logical));
    }
    if let Some(comment) = &column.comment {
        property.insert("description".to_owned(), json!(comment));
    }
    custom::set(&mut property, custom::EVIDENCE, evidence(column.evidence));
    property
}

pub(super) fn evidence(evidence: Evidence) -> Option<Value> {
    (evidence == Evidence::None).then(|| json!("none"))
}

/// Marks a property as the partition key at `position` (from 1), or as a data column.
pub(super) fn set_partitioned(property: &mut Map<String, Value>, position: Option<u64>) {
    match position {
        Some(position) => {
            property.insert("partitioned".to_owned(), json!(true));
            property.insert("partitionKeyPosition".to_owned(), json!(position));
        }
        None => {
            property.shift_remove("partitioned");
            property.shift_remove("partitionKeyPosition");
        }
    }
}

pub(super) fn kind_name(kind: TableKind) -> &'static str {
    match kind {
        TableKind::External => "table",
        TableKind::View => "view",
        TableKind::Iceberg => "iceberg",
    }
}

/// What the schema object's custom properties say of a table's storage; `None` for what it does not have.
pub(super) fn storage(table: &Table) -> [(&'static str, Option<Value>); 9] {
    let Storage { classification, serde, serde_parameters, input_format, output_format, compression, .. } =
        &table.storage;
    let lines = table.storage.skip_header_lines;
    let mut parameters = table.parameters.clone();
    parameters.retain(|key, _| custom::PROMISED_PARAMETERS.contains(&key.as_str()));
    let text = |text: &Option<String>| text.as_ref().map(|text| json!(text));
    [
        (custom::CLASSIFICATION, text(classification)),
        (custom::SERDE, text(serde)),
        (custom::SERDE_PARAMETERS, (!serde_parameters.is_empty()).then(|| json!(serde_parameters))),
        (custom::INPUT_FORMAT, text(input_format)),
        (custom::OUTPUT_FORMAT, text(output_format)),
        (custom::COMPRESSION, text(compression)),
        (custom::SKIP_HEADER_LINES, (lines > 0).then(|| json!(lines))),
        (custom::PARAMETERS, (!parameters.is_empty()).then(|| json!(parameters))),
        (custom::LOCATION, text(&table.location)),
    ]
}

/// The ODCS logical type; none for what ODCS has no word for. `timestamp` came with ODCS 3.1.
pub(super) fn logical_type(data_type: &DataType, api_version: &str) -> Option<&'static str> {
    Some(match data_type {
        DataType::Boolean => "boolean",
        DataType::TinyInt | DataType::SmallInt | DataType::Int | DataType::BigInt => "integer",
        DataType::Float | DataType::Double | DataType::Decimal { .. } => "number",
        DataType::String | DataType::Char(_) | DataType::Varchar(_) => "string",
        DataType::Date => "date",
        DataType::Timestamp if api_version.starts_with("v3.0.") => "date",
        DataType::Timestamp => "timestamp",
        DataType::Array(_) => "array",
        DataType::Map(..) | DataType::Struct(_) => "object",
        DataType::Binary | DataType::Unrecognized(_) => return None,
    })
}

/// A name as an ODCS StableId (letters, digits, `_`, `-`); a name that has others gets a hash, so that ids stay apart.
fn stable_id(name: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    if !name.is_empty() && name.chars().all(is_plain) {
        return name.to_owned();
    }
    let slug: String = name.chars().map(|c| if is_plain(c) { c } else { '_' }).collect();
    format!("{slug}-{}", &sha256_hex(name)[..8])
}
