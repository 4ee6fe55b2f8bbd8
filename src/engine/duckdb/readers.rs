//! Catalog tables as DuckDB relations that read the files as Athena's SerDe would.
//!
//! <https://docs.aws.amazon.com/athena/latest/ug/supported-serdes.html>

mod csv;
mod json;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use duckdb::Connection;

use crate::catalog::gone;
use crate::schema::{Binding, Column, DataType, Format, MIXED_LINE_ENDS, Table, UNREADABLE};
use crate::sql::ident::{literal, quote};

/// The SELECT that reads a table; the error says what about the table or its files cannot be read.
pub(super) fn relation(connection: &Connection, table: &Table) -> Result<String, String> {
    if let Some(refusal) = refusal(table) {
        return Err(refusal);
    }
    let location = table.location.as_deref().ok_or("has no location")?;
    let root = PathBuf::from(location.strip_prefix("file://").unwrap_or(location));
    if location.contains("://") && !location.starts_with("file://") {
        return Err(format!("lies at {location}, which only Athena reads"));
    }
    if let Some(gone) = gone(table) {
        return Err(gone);
    }
    let mut folders = BTreeMap::new();
    collect(&root, Vec::new(), &mut folders)?;
    let mut parts = Vec::new();
    for (levels, files) in &folders {
        let columns = columns(connection, table, files)?;
        let values = partition_values(table, levels)?;
        parts.push(format!("SELECT {} FROM {}", [columns.list, values].concat().join(", "), columns.source));
    }
    if parts.is_empty() {
        parts.push(empty(table)?);
    }
    Ok(parts.join(" UNION ALL "))
}

struct Columns {
    /// `expression AS "name"` in catalog order.
    list: Vec<String>,
    source: String,
}

fn columns(connection: &Connection, table: &Table, files: &[String]) -> Result<Columns, String> {
    match table.storage.format() {
        Format::Json => json::columns(connection, table, files),
        Format::Csv => csv::columns(table, files),
        Format::Parquet(Binding::Name) => parquet(connection, table, files),
        _ => Err(refusal(table).unwrap_or_else(|| "cannot be read".to_owned())),
    }
}

/// Why a table cannot be read whatever its files hold; `None` if it can.
pub fn refusal(table: &Table) -> Option<String> {
    if let Some(why) = table.parameters.get(UNREADABLE).filter(|_| table.storage.serde.is_none()) {
        return Some(format!("could not be read as it was crawled: {why}"));
    }
    let format = match table.storage.format() {
        Format::Json | Format::Csv | Format::Parquet(Binding::Name) => return None,
        Format::Orc(_) => "is stored as ORC".to_owned(),
        Format::Avro => "is stored as Avro".to_owned(),
        Format::Parquet(Binding::Position) => "is Parquet read by index (`parquet.column.index.access`)".to_owned(),
        Format::Unknown => format!("has the SerDe `{}`", table.storage.serde.as_deref().unwrap_or("none")),
    };
    Some(format!("{format}, which the embedded engine does not read"))
}

/// The first Parquet file of the tables that fails to be read as a whole, and the engine's words for it.
pub(super) fn damaged(connection: &Connection, tables: &[Table]) -> Option<(String, String)> {
    let of_parquet = tables.iter().filter(|table| matches!(table.storage.format(), Format::Parquet(_)));
    let mut folders = BTreeMap::new();
    for location in of_parquet.filter_map(|table| table.location.as_deref()) {
        collect(Path::new(location.strip_prefix("file://").unwrap_or(location)), Vec::new(), &mut folders).ok()?;
    }
    folders.into_values().flatten().find_map(|file| {
        // No value is left out.
        let whole =
            format!("SELECT max(hash(part)) FROM read_parquet({}) AS part", list_of(std::slice::from_ref(&file)));
        super::session::query(connection, &whole).err().map(|why| (file, why))
    })
}

/// Every data file by the folders it lies in, hidden ones left out as Athena does.
fn collect(folder: &Path, levels: Vec<String>, out: &mut BTreeMap<Vec<String>, Vec<String>>) -> Result<(), String> {
    let failed = |error: std::io::Error| format!("cannot be read at {}: {error}", folder.display());
    let mut entries: Vec<_> = fs::read_dir(folder).map_err(failed)?.collect::<Result<_, _>>().map_err(failed)?;
    entries.sort_by_key(fs::DirEntry::file_name);
    for entry in entries {
        let name = entry.file_name().into_string().map_err(|name| format!("has a file with a bad name: {name:?}"))?;
        if name.starts_with(['_', '.']) {
            continue;
        }
        let metadata = fs::metadata(entry.path()).map_err(failed)?;
        if metadata.is_dir() {
            let mut levels = levels.clone();
            levels.push(name);
            collect(&entry.path(), levels, out)?;
        } else if metadata.len() > 0 {
            out.entry(levels.clone()).or_default().push(entry.path().display().to_string());
        }
    }
    Ok(())
}

fn partition_values(table: &Table, levels: &[String]) -> Result<Vec<String>, String> {
    if levels.len() != table.partition_keys.len() {
        let (have, want) = (levels.len(), table.partition_keys.len());
        return Err(format!("has files {have} folders deep and {want} partition keys"));
    }
    let mut values = Vec::new();
    for (key, folder) in table.partition_keys.iter().zip(levels) {
        let value = match folder.split_once('=') {
            Some((name, value)) if name.eq_ignore_ascii_case(&key.name) => value,
            None if key.name.starts_with("partition_") => folder,
            _ => return Err(format!("has the folder {folder} where partition key {} is expected", key.name)),
        };
        let value = if value == "__HIVE_DEFAULT_PARTITION__" { "NULL".to_owned() } else { literal(&decoded(value)) };
        values.push(format!("{} AS {}", cast(&value, &key.data_type)?, quote(&key.name)));
    }
    Ok(values)
}

/// Hive writes unusual characters of a partition value as `%2F`.
fn decoded(value: &str) -> String {
    let mut out = Vec::new();
    let mut rest = value.as_bytes();
    while let [first, tail @ ..] = rest {
        let byte = (*first == b'%').then(|| tail.get(..2)).flatten();
        let byte = byte.and_then(|hex| u8::from_str_radix(std::str::from_utf8(hex).ok()?, 16).ok());
        out.push(byte.unwrap_or(*first));
        rest = if byte.is_some() { &tail[2..] } else { tail };
    }
    String::from_utf8_lossy(&out).into_owned()
}

fn empty(table: &Table) -> Result<String, String> {
    let mut list = Vec::new();
    for column in table.all_columns() {
        list.push(format!("CAST(NULL AS {}) AS {}", type_of(&column.data_type)?, quote(&column.name)));
    }
    Ok(format!("SELECT {} WHERE false", list.join(", ")))
}

/// Text as a value of the column, as strictly as a cast in SQL.
fn cast(text: &str, to: &DataType) -> Result<String, String> {
    Ok(match to {
        DataType::String | DataType::Char(_) => text.to_owned(),
        DataType::Varchar(length) => format!("athena_to_varchar_of({text}, {length})"),
        DataType::Boolean => format!("athena_to_boolean({text})"),
        DataType::TinyInt => format!("athena_to_tinyint({text})"),
        DataType::SmallInt => format!("athena_to_smallint({text})"),
        DataType::Int => format!("athena_to_integer({text})"),
        DataType::BigInt => format!("athena_to_bigint({text})"),
        DataType::Float => format!("athena_to_real({text})"),
        DataType::Double => format!("athena_to_double({text})"),
        DataType::Date => format!("athena_to_date({text})"),
        DataType::Timestamp => format!("athena_to_timestamp({text})"),
        DataType::Decimal { .. } => format!("CAST(athena_decimal_source({text}) AS {})", type_of(to)?),
        other => return Err(format!("has text where its type is {other}")),
    })
}

/// The same, and an error that names the column where the text does not fit.
fn checked(table: &Table, column: &Column, text: &str) -> Result<String, String> {
    let (value, data_type) = (cast(text, &column.data_type)?, &column.data_type);
    if value == text {
        return Ok(value);
    }
    let place = literal(&format!("athena: HIVE_BAD_DATA: `{}`.`{}` is {data_type}, not ", table.name, column.name));
    let fails = format!("CAST(CAST(CAST({place} || {text} AS INTEGER) AS VARCHAR) AS {})", type_of(data_type)?);
    Ok(format!("coalesce(TRY({value}), CASE WHEN {text} IS NOT NULL THEN {fails} END)"))
}

/// The DuckDB type that holds a Glue type.
pub(super) fn type_of(data_type: &DataType) -> Result<String, String> {
    Ok(match data_type {
        DataType::Boolean => "BOOLEAN".to_owned(),
        DataType::TinyInt => "TINYINT".to_owned(),
        DataType::SmallInt => "SMALLINT".to_owned(),
        DataType::Int => "INTEGER".to_owned(),
        DataType::BigInt => "BIGINT".to_owned(),
        DataType::Float => "FLOAT".to_owned(),
        DataType::Double => "DOUBLE".to_owned(),
        DataType::Decimal { precision, scale } => format!("DECIMAL({precision},{scale})"),
        DataType::String | DataType::Char(_) | DataType::Varchar(_) => "VARCHAR".to_owned(),
        DataType::Binary => "BLOB".to_owned(),
        DataType::Date => "DATE".to_owned(),
        DataType::Timestamp => "TIMESTAMP".to_owned(),
        DataType::Array(item) => format!("{}[]", type_of(item)?),
        DataType::Map(key, value) => format!("MAP({}, {})", type_of(key)?, type_of(value)?),
        DataType::Struct(fields) => {
            let fields: Result<Vec<_>, String> = fields
                .iter()
                .map(|field| Ok(format!("{} {}", quote(&field.name), type_of(&field.data_type)?)))
                .collect();
            format!("STRUCT({})", fields?.join(", "))
        }
        DataType::Unrecognized(name) => return Err(format!("has a column of the unknown type {name}")),
    })
}

/// A relation whose `line` is each line whole, NULL where it is empty; a byte order mark is no part of it.
fn lines_of(table: &Table, files: &[String], skip: u32) -> Result<String, String> {
    // So DuckDB takes either end for one, and a NUL byte or a lone `\r` as well: the crawl has refused these.
    let mixed = match table.parameters.contains_key(MIXED_LINE_ENDS) {
        true => ", new_line = '\\r\\n', strict_mode = false",
        false => "",
    };
    Ok(format!(
        "read_csv({}, columns = {{'line': 'VARCHAR'}}, header = false, skip = {skip}, delim = '', quote = '', \
         escape = '', nullstr = '', auto_detect = false, max_line_size = 67108864{mixed}, compression = '{}')",
        list_of(files),
        compression(files)?
    ))
}

/// How text is packed: Athena goes by the end of the name, letter case included.
fn compression(files: &[String]) -> Result<&'static str, String> {
    match files.iter().filter(|file| is_packed(file)).count() {
        0 => Ok("uncompressed"),
        packed if packed == files.len() => Ok("gzip"),
        _ => Err("has files with and without `.gz` in one folder".to_owned()),
    }
}

fn is_packed(file: &str) -> bool {
    file.ends_with(".gz")
}

fn list_of(files: &[String]) -> String {
    format!("[{}]", files.iter().map(|file| literal(&exact(file))).collect::<Vec<_>>().join(", "))
}

/// The path with nothing in it that DuckDB would take for a pattern.
/// <https://duckdb.org/docs/stable/data/multiple_files/overview.html>
fn exact(file: &str) -> String {
    let one = |c: char| if "*?[".contains(c) { format!("[{c}]") } else { c.to_string() };
    file.chars().map(one).collect()
}

/// By name; a column that the files lack is NULL, one of another type an error unless every value fits.
fn parquet(connection: &Connection, table: &Table, files: &[String]) -> Result<Columns, String> {
    let source = format!("read_parquet({}, union_by_name = true, hive_partitioning = false)", list_of(files));
    let found: BTreeMap<String, (String, String)> =
        super::session::columns(connection, &format!("SELECT * FROM {source}"))?
            .into_iter()
            .map(|(name, data_type)| (name.to_lowercase(), (name, data_type)))
            .collect();
    let mut list = Vec::new();
    for column in &table.columns {
        let wanted = type_of(&column.data_type)?;
        let value = match found.get(&column.name.to_lowercase()) {
            None => format!("CAST(NULL AS {wanted})"),
            Some((name, data_type)) if *data_type == wanted => quote(name),
            Some((name, data_type)) if widens(&as_glue(data_type), &wanted) => {
                format!("CAST({} AS {wanted})", quote(name))
            }
            Some((_, data_type)) => {
                let declared = &column.data_type;
                return Err(format!("declares `{}` {declared}, and its files hold {data_type}", column.name));
            }
        };
        list.push(format!("{value} AS {}", quote(&column.name)));
    }
    Ok(Columns { list, source })
}

/// The name of a DuckDB type with what Glue knows as another type, at any depth: JSON is text, and a timestamp has one form.
fn as_glue(data_type: &str) -> String {
    // Of a struct's parts the types alone are followed by these.
    let mut out = format!("{data_type},");
    for (from, to) in [
        ("JSON", "VARCHAR"),
        ("TIMESTAMP WITH TIME ZONE", "TIMESTAMP"),
        ("TIMESTAMP_NS", "TIMESTAMP"),
        ("TIMESTAMP_MS", "TIMESTAMP"),
        ("TIMESTAMP_S", "TIMESTAMP"),
    ] {
        for end in [',', ')', '['] {
            out = out.replace(&format!("{from}{end}"), &format!("{to}{end}"));
        }
    }
    out.pop();
    out
}

/// Reads that lose nothing, and names of fields that differ in letter case only.
fn widens(from: &str, to: &str) -> bool {
    const INTEGERS: [&str; 4] = ["TINYINT", "SMALLINT", "INTEGER", "BIGINT"];
    let rank = |name: &str| INTEGERS.iter().position(|integer| *integer == name);
    let digits = |name: &str| {
        let (precision, scale) = name.strip_prefix("DECIMAL(")?.strip_suffix(')')?.split_once(',')?;
        let scale = scale.parse::<u8>().ok()?;
        Some((precision.parse::<u8>().ok()?.checked_sub(scale)?, scale))
    };
    match (rank(from), rank(to)) {
        (Some(from), Some(to)) => from <= to,
        _ if digits(from).is_some() => {
            matches!((digits(from), digits(to)), (Some(from), Some(to)) if from.0 <= to.0 && from.1 <= to.1)
        }
        _ => (from == "FLOAT" && to == "DOUBLE") || from.replace('"', "").eq_ignore_ascii_case(&to.replace('"', "")),
    }
}
