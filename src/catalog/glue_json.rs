//! Glue's table JSON (as `aws glue get-table` prints it) ↔ [`Table`].
//!
//! Shape: <https://docs.aws.amazon.com/glue/latest/webapi/API_Table.html>

mod each;

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::problem::{Problem, Problems, json_place};
use crate::schema::{Column, DEPRECATED, DataType, Evidence, Storage, Table, TableKind, UNREADABLE};

const CLASSIFICATION: &str = "classification";
const COMPRESSION: &str = "compressionType";
const SKIP_HEADER_LINES: &str = "skip.header.line.count";
const TABLE_TYPE: &str = "table_type";
const EVIDENCE: &str = "crawlguard.evidence";

type Parameters = BTreeMap<String, String>;

/// Reads what `aws glue get-table` or `get-tables` prints (also a bare `Table` or `TableList` element).
pub fn read(file: &str, text: &str) -> Result<Vec<Table>, Problems> {
    let (mut tables, mut faulty) = (Vec::new(), Vec::new());
    let mut found = whole(file, text, &mut |Converted { table, faults }| {
        let name = if table.name.is_empty() { "?" } else { &table.name };
        faulty.extend(faults.into_iter().map(|fault| {
            let place = format!("table {} (`{name}`){}", tables.len() + 1, fault.place);
            Problem::new(file, place, fault.message, fault.help)
        }));
        tables.push(table);
    })?;
    found.extend(faulty);
    Problems::or(found, tables)
}

/// Reads the same of a catalog that holds other people's tables, too: one that is no table of files, as a link to another
/// catalog's, is marked with why ([`UNREADABLE`]).
pub fn read_any(file: &str, text: &str) -> Result<Vec<Table>, Problems> {
    let mut tables = Vec::new();
    read_each(file, text, |table| tables.push(table))?;
    Ok(tables)
}

/// [`read_any`], one table at a time. What was taken of a dump that ends in an error is not to be used.
pub fn read_each(file: &str, text: &str, mut take: impl FnMut(Table)) -> Result<(), Problems> {
    let (mut count, mut nameless) = (0, Vec::new());
    let mut found = whole(file, text, &mut |Converted { mut table, faults }| {
        count += 1;
        if table.name.is_empty() {
            let help = "save the output of `aws glue get-tables` as it is";
            nameless.push(Problem::new(file, format!("table {count}"), "a table without a name", help));
        }
        if !faults.is_empty() {
            let said = faults.iter().map(|fault| match fault.place.strip_prefix('.') {
                Some(place) => format!("its {place} {}", fault.message),
                None => format!("it {}", fault.message),
            });
            let why = format!(
                "{}; mend it, or give it a name without the raw prefix if it is no crawler's",
                said.collect::<Vec<_>>().join(", ")
            );
            table.parameters.insert(UNREADABLE.to_owned(), why);
        }
        take(table);
    })?;
    found.extend(nameless);
    Problems::or(found, ())
}

/// Hands out each table; gives what is wrong with the text as a whole.
fn whole(file: &str, text: &str, take: &mut dyn FnMut(Converted)) -> Result<Vec<Problem>, Problems> {
    let is_cut_off = each::each(text, take).map_err(|error| {
        let place = json_place(text, &error);
        let message = error.to_string();
        let message = message.split(" at line ").next().unwrap_or_default();
        Problem::new(file, place, message, "save the output of `aws glue get-tables` as it is")
    })?;
    let help = "read every page: leave out --max-items and --no-paginate";
    let cut_off = || Problem::new(file, "NextToken", "the list of tables is not complete", help);
    Ok(is_cut_off.then(cut_off).into_iter().collect())
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct GlueTable {
    name: Option<String>,
    database_name: Option<String>,
    version_id: Option<String>,
    table_type: Option<String>,
    parameters: Option<Parameters>,
    partition_keys: Option<Vec<GlueColumn>>,
    storage_descriptor: Option<GlueStorage>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "PascalCase")]
struct GlueStorage {
    columns: Option<Vec<GlueColumn>>,
    location: Option<String>,
    input_format: Option<String>,
    output_format: Option<String>,
    serde_info: Option<GlueSerde>,
    parameters: Option<Parameters>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "PascalCase")]
struct GlueSerde {
    serialization_library: Option<String>,
    parameters: Option<Parameters>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct GlueColumn {
    name: Option<String>,
    r#type: Option<String>,
    comment: Option<Box<str>>,
    parameters: Option<Parameters>,
}

/// A table, and what its JSON lacks. Made while parsing, so that a large dump is not held twice.
#[derive(Deserialize)]
#[serde(from = "GlueTable")]
struct Converted {
    table: Table,
    faults: Vec<Fault>,
}

struct Fault {
    place: String,
    message: String,
    help: &'static str,
}

impl Fault {
    fn new(place: impl Into<String>, message: impl Into<String>, help: &'static str) -> Self {
        Self { place: place.into(), message: message.into(), help }
    }
}

impl From<GlueTable> for Converted {
    fn from(glue: GlueTable) -> Self {
        let mut faults = Vec::new();
        if glue.name.as_deref().is_none_or(str::is_empty) {
            faults.push(Fault::new("", "has no `Name`", "give the table as Glue prints it"));
        }
        if glue.storage_descriptor.is_none() {
            let help = "leave it out: a link to another catalog's table has none";
            faults.push(Fault::new("", "has no `StorageDescriptor`", help));
        }
        let parameters = glue.parameters.unwrap_or_default();
        let mut descriptor = glue.storage_descriptor.unwrap_or_default();
        let table = Table {
            database: glue.database_name.unwrap_or_default(),
            name: glue.name.unwrap_or_default(),
            columns: read_columns(descriptor.columns.take(), ".StorageDescriptor.Columns", &mut faults),
            partition_keys: read_columns(glue.partition_keys, ".PartitionKeys", &mut faults),
            location: descriptor.location.take(),
            storage: read_storage(descriptor, &parameters, &mut faults),
            kind: kind(glue.table_type.as_deref(), &parameters),
            deprecated: parameters.contains_key(DEPRECATED),
            parameters,
            version: glue.version_id,
        };
        Self { table, faults }
    }
}

/// A crawler writes its parameters at the table and again at the descriptor; the table's win.
fn read_storage(descriptor: GlueStorage, parameters: &Parameters, faults: &mut Vec<Fault>) -> Storage {
    let inner = descriptor.parameters.unwrap_or_default();
    let parameter = |key: &str| parameters.get(key).or_else(|| inner.get(key));
    let skip_header_lines = parameter(SKIP_HEADER_LINES).map_or(Ok(0), |lines| lines.trim().parse());
    if skip_header_lines.is_err() {
        let place = format!(".Parameters.{SKIP_HEADER_LINES}");
        faults.push(Fault::new(place, "is no count of lines", "make it 0, 1, …"));
    }
    let serde = descriptor.serde_info.unwrap_or_default();
    Storage {
        classification: parameter(CLASSIFICATION).cloned(),
        serde: serde.serialization_library,
        serde_parameters: serde.parameters.unwrap_or_default(),
        input_format: descriptor.input_format,
        output_format: descriptor.output_format,
        compression: parameter(COMPRESSION).cloned(),
        skip_header_lines: skip_header_lines.unwrap_or_default(),
    }
}

fn kind(table_type: Option<&str>, parameters: &Parameters) -> TableKind {
    let is_iceberg = parameters.get(TABLE_TYPE).is_some_and(|format| format.eq_ignore_ascii_case("iceberg"));
    match table_type {
        Some("VIRTUAL_VIEW") => TableKind::View,
        _ if is_iceberg => TableKind::Iceberg,
        _ => TableKind::External,
    }
}

fn read_columns(columns: Option<Vec<GlueColumn>>, place: &str, faults: &mut Vec<Fault>) -> Vec<Column> {
    let columns = columns.unwrap_or_default();
    let mut read = Vec::with_capacity(columns.len());
    for (index, column) in columns.into_iter().enumerate() {
        let mut lacks = |what: &str| {
            let message = format!("has no `{what}`");
            faults.push(Fault::new(format!("{place}[{index}]"), message, "give the column as Glue prints it"));
            String::new()
        };
        let name = column.name.unwrap_or_else(|| lacks("Name"));
        let data_type = DataType::parse(&column.r#type.unwrap_or_else(|| lacks("Type")));
        let evidence = column.parameters.as_ref().and_then(|parameters| parameters.get(EVIDENCE));
        let evidence = if evidence.is_some_and(|seen| seen == "none") { Evidence::None } else { Evidence::Seen };
        read.push(Column { name, data_type, comment: column.comment, evidence });
    }
    read
}

/// One Glue `Table` object.
pub fn to_value(table: &Table) -> Value {
    let Table { storage, .. } = table;
    let mut descriptor = Map::new();
    descriptor.insert("Columns".to_owned(), columns_value(&table.columns));
    set(&mut descriptor, "Location", table.location.as_deref());
    set(&mut descriptor, "InputFormat", storage.input_format.as_deref());
    set(&mut descriptor, "OutputFormat", storage.output_format.as_deref());
    let mut serde = Map::new();
    set(&mut serde, "SerializationLibrary", storage.serde.as_deref());
    serde.insert("Parameters".to_owned(), json!(storage.serde_parameters));
    descriptor.insert("SerdeInfo".to_owned(), Value::Object(serde));

    let mut value = Map::new();
    set(&mut value, "Name", Some(&table.name));
    set(&mut value, "DatabaseName", Some(table.database.as_str()).filter(|name| !name.is_empty()));
    value.insert("StorageDescriptor".to_owned(), Value::Object(descriptor));
    value.insert("PartitionKeys".to_owned(), columns_value(&table.partition_keys));
    let is_view = table.kind == TableKind::View;
    set(&mut value, "TableType", Some(if is_view { "VIRTUAL_VIEW" } else { "EXTERNAL_TABLE" }));
    value.insert("Parameters".to_owned(), json!(parameters(table)));
    set(&mut value, "VersionId", table.version.as_deref());
    Value::Object(value)
}

fn set(object: &mut Map<String, Value>, key: &str, text: Option<&str>) {
    if let Some(text) = text {
        object.insert(key.to_owned(), json!(text));
    }
}

/// The table's parameters, with what its other fields say in their place.
fn parameters(table: &Table) -> Parameters {
    let mut parameters = table.parameters.clone();
    let mut put = |key: &str, text: Option<String>| match text {
        Some(text) => drop(parameters.insert(key.to_owned(), text)),
        None => drop(parameters.remove(key)),
    };
    let Storage { classification, compression, skip_header_lines, .. } = &table.storage;
    put(CLASSIFICATION, classification.clone());
    put(COMPRESSION, compression.clone());
    if table.parameters.get(SKIP_HEADER_LINES).and_then(|lines| lines.trim().parse().ok()) != Some(*skip_header_lines) {
        put(SKIP_HEADER_LINES, (*skip_header_lines > 0).then(|| skip_header_lines.to_string()));
    }
    if !table.deprecated {
        put(DEPRECATED, None);
    } else if !table.parameters.contains_key(DEPRECATED) {
        put(DEPRECATED, Some("true".to_owned()));
    }
    if table.kind == TableKind::Iceberg && kind(None, &table.parameters) != TableKind::Iceberg {
        put(TABLE_TYPE, Some("ICEBERG".to_owned()));
    }
    parameters
}

fn columns_value(columns: &[Column]) -> Value {
    let value = |column: &Column| {
        let mut value = Map::new();
        set(&mut value, "Name", Some(&column.name));
        value.insert("Type".to_owned(), json!(column.data_type.to_string()));
        set(&mut value, "Comment", column.comment.as_deref());
        if column.evidence == Evidence::None {
            value.insert("Parameters".to_owned(), json!({EVIDENCE: "none"}));
        }
        Value::Object(value)
    };
    columns.iter().map(value).collect()
}
