//! What the Glue SDK calls a table → Glue's JSON → [`Table`]: one reader for both, so that both mean the same.

use aws_sdk_glue::types::{Column, StorageDescriptor, Table as GlueTable};
use serde_json::{Map, Value, json};

use crate::catalog::glue_json;
use crate::problem::{Problem, Problems};
use crate::schema::Table;

/// The table, or what it lacks.
pub fn to_table(table: &GlueTable) -> Result<Table, Problems> {
    let mut read = glue_json::read("Glue", &to_value(table).to_string())?;
    read.pop().ok_or_else(|| Problem::new("Glue", "", "there is no table in the answer", "").into())
}

/// The part of `aws glue get-table`'s `Table` that [`Table`] shows.
pub fn to_value(table: &GlueTable) -> Value {
    let mut value = Map::new();
    value.insert("Name".to_owned(), json!(table.name));
    let mut set = |key: &str, field: Option<Value>| {
        if let Some(field) = field {
            value.insert(key.to_owned(), field);
        }
    };
    set("DatabaseName", table.database_name.as_ref().map(|it| json!(it)));
    set("VersionId", table.version_id.as_ref().map(|it| json!(it)));
    set("TableType", table.table_type.as_ref().map(|it| json!(it)));
    set("Parameters", table.parameters.as_ref().map(|it| json!(it)));
    set("PartitionKeys", table.partition_keys.as_deref().map(columns));
    set("StorageDescriptor", table.storage_descriptor.as_ref().map(descriptor));
    Value::Object(value)
}

fn descriptor(storage: &StorageDescriptor) -> Value {
    let serde = storage
        .serde_info
        .as_ref()
        .map(|serde| json!({ "SerializationLibrary": serde.serialization_library, "Parameters": serde.parameters }));
    json!({
        "Columns": storage.columns.as_deref().map(columns),
        "Location": storage.location,
        "InputFormat": storage.input_format,
        "OutputFormat": storage.output_format,
        "SerdeInfo": serde,
        "Parameters": storage.parameters,
    })
}

fn columns(columns: &[Column]) -> Value {
    let value = |column: &Column| {
        json!({
            "Name": column.name,
            "Type": column.r#type,
            "Comment": column.comment,
            "Parameters": column.parameters,
        })
    };
    columns.iter().map(value).collect()
}
