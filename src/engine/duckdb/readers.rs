//! Catalog tables as DuckDB relations that read the files as Athena's SerDe would.
//!
//! <https://docs.aws.amazon.com/athena/latest/ug/supported-serdes.html>

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use duckdb::Connection;

use super::session::message;
use crate::schema::{Binding, Column, DataType, Format, Storage, Table};
use crate::sql::ident::{literal, quote};

/// The SELECT that reads a table; the error says what about the table or its files cannot be read.
pub(super) fn relation(connection: &Connection, table: &Table) -> Result<String, String> {
    let location = table.location.as_deref().ok_or("has no location")?;
    let root = PathBuf::from(location.strip_prefix("file://").unwrap_or(location));
    if location.contains("://") && !location.starts_with("file://") {
        return Err(format!("lies at {location}, which only Athena reads"));
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
        Format::Json => json(connection, table, files),
        Format::Csv => csv(table, files),
        Format::Parquet(Binding::Name) => parquet(connection, table, files),
        other => Err(format!("is stored as {other:?}, which the embedded engine does not read")),
    }
}

/// Every data file by the folders it lies in, hidden ones left out as Athena does.
fn collect(folder: &Path, levels: Vec<String>, out: &mut BTreeMap<Vec<String>, Vec<String>>) -> Result<(), String> {
    let failed = |error: std::io::Error| format!("cannot be read at {}: {error}", folder.display());
    if !folder.exists() {
        return Ok(());
    }
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
    for column in table.columns.iter().chain(&table.partition_keys) {
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

fn is_nested(data_type: &DataType) -> bool {
    matches!(data_type, DataType::Array(_) | DataType::Map(..) | DataType::Struct(_))
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

/// By key, letter case aside. The keys are those of the files, so that no spelling is missed.
fn json(connection: &Connection, table: &Table, files: &[String]) -> Result<Columns, String> {
    let keys = json_keys(connection, files)?;
    if let Some(key) = keys.iter().find(|key| key.contains(['"', '\\'])) {
        return Err(format!("has the key {key}, which the embedded engine cannot address"));
    }
    let lower: BTreeSet<String> = keys.iter().map(|key| key.to_lowercase()).collect();
    // A column list cannot hold two keys that differ in letter case only.
    let (objects, files) = (lower.len() < keys.len(), list_of(files));
    let (mut list, mut read) = (Vec::new(), Vec::new());
    for column in &table.columns {
        let data_type = if is_nested(&column.data_type) { type_of(&column.data_type)? } else { "VARCHAR".to_owned() };
        let spellings: Vec<&String> =
            keys.iter().filter(|key| key.to_lowercase() == column.name.to_lowercase()).collect();
        read.extend(spellings.iter().map(|key| format!("{}: {}", literal(key), literal(&data_type))));
        let key = |key: &&String| match (objects, is_nested(&column.data_type)) {
            (false, _) => quote(key),
            (true, false) => format!("json_extract_string(json, {})", literal(&format!("$.\"{key}\""))),
            (true, true) => format!("CAST(json_extract(json, {}) AS {data_type})", literal(&format!("$.\"{key}\""))),
        };
        let found = match spellings.as_slice() {
            [] => format!("CAST(NULL AS {data_type})"),
            several => format!("coalesce({})", several.iter().map(key).collect::<Vec<_>>().join(", ")),
        };
        let value = if is_nested(&column.data_type) { found } else { checked(table, column, &found)? };
        list.push(format!("{value} AS {}", quote(&column.name)));
    }
    let options = "format = 'newline_delimited', ignore_errors = false, maximum_object_size = 67108864";
    if objects {
        return Ok(Columns { list, source: format!("read_json_objects({files}, {options})") });
    }
    // One column at least, or the reader finds columns of its own.
    read.push("'crawlguard.none': 'VARCHAR'".to_owned());
    let source = format!("read_json({files}, columns = {{{}}}, {options})", read.join(", "));
    Ok(Columns { list, source })
}

fn json_keys(connection: &Connection, files: &[String]) -> Result<BTreeSet<String>, String> {
    let sql = format!(
        "SELECT DISTINCT unnest(json_keys(json)) FROM read_json_objects({}, format = 'newline_delimited')",
        list_of(files)
    );
    let mut statement = connection.prepare(&sql).map_err(message)?;
    let keys = statement.query_map([], |row| row.get::<_, String>(0)).map_err(message)?;
    keys.collect::<Result<_, _>>().map_err(message)
}

fn csv(table: &Table, files: &[String]) -> Result<Columns, String> {
    if table.storage.serde.as_deref() == Some(Storage::OPEN_CSV) {
        return open_csv(table, files);
    }
    let parameters = &table.storage.serde_parameters;
    let delimiter = parameters.get("field.delim").or_else(|| parameters.get("serialization.format"));
    let delimiter = delimiter.map_or("\u{1}", String::as_str);
    let mut list = Vec::new();
    for (index, column) in table.columns.iter().enumerate() {
        let cell = format!("nullif(cells[{}], '\\N')", index + 1);
        // LazySimpleSerDe gives NULL for what is not of the column's type.
        let value = match column.data_type {
            DataType::String | DataType::Char(_) | DataType::Varchar(_) => cast(&cell, &column.data_type)?,
            _ => format!("TRY({})", cast(&cell, &column.data_type)?),
        };
        list.push(format!("{value} AS {}", quote(&column.name)));
    }
    // The whole line as one value: neither quotes nor the number of cells mean anything to this SerDe.
    let lines = format!(
        "read_csv({}, columns = {{'line': 'VARCHAR'}}, header = false, skip = {}, delim = '\u{1f}', quote = '', \
         escape = '', nullstr = '\u{1e}', auto_detect = false, max_line_size = 67108864)",
        list_of(files),
        table.storage.skip_header_lines
    );
    let source = format!("(SELECT string_split(coalesce(line, ''), {}) AS cells FROM {lines})", literal(delimiter));
    Ok(Columns { list, source })
}

fn open_csv(table: &Table, files: &[String]) -> Result<Columns, String> {
    let parameter =
        |name: &str, default: &str| literal(table.storage.serde_parameters.get(name).map_or(default, String::as_str));
    let (mut list, mut read) = (Vec::new(), Vec::new());
    for (index, column) in table.columns.iter().enumerate() {
        let cell = format!("\"c{index}\"");
        let value = match column.data_type {
            // https://docs.aws.amazon.com/athena/latest/ug/csv-serde.html
            DataType::Date => format!("DATE '1970-01-01' + athena_to_integer({cell})"),
            DataType::Timestamp => format!("TIMESTAMP '1970-01-01' + to_milliseconds(athena_to_bigint({cell}))"),
            _ => checked(table, column, &cell)?,
        };
        read.push(format!("'c{index}': 'VARCHAR'"));
        list.push(format!("{value} AS {}", quote(&column.name)));
    }
    let source = format!(
        "read_csv({}, columns = {{{}}}, header = false, skip = {}, delim = {}, quote = {}, escape = {}, \
         null_padding = true, auto_detect = false, nullstr = '\u{1e}', parallel = false)",
        list_of(files),
        read.join(", "),
        table.storage.skip_header_lines,
        parameter("separatorChar", ","),
        parameter("quoteChar", "\""),
        parameter("escapeChar", "\\"),
    );
    Ok(Columns { list, source })
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
            Some((name, data_type)) if widens(data_type, &wanted) => format!("CAST({} AS {wanted})", quote(name)),
            Some((_, data_type)) => {
                let declared = &column.data_type;
                return Err(format!("declares `{}` {declared}, and its files hold {data_type}", column.name));
            }
        };
        list.push(format!("{value} AS {}", quote(&column.name)));
    }
    Ok(Columns { list, source })
}

/// Reads that lose nothing, and names of fields that differ in letter case only.
fn widens(from: &str, to: &str) -> bool {
    const INTEGERS: [&str; 4] = ["TINYINT", "SMALLINT", "INTEGER", "BIGINT"];
    let rank = |name: &str| INTEGERS.iter().position(|integer| *integer == name);
    match (rank(from), rank(to)) {
        (Some(from), Some(to)) => from <= to,
        _ => {
            (from == "FLOAT" && to == "DOUBLE")
                || (from.starts_with("TIMESTAMP") && to == "TIMESTAMP")
                || from.replace('"', "").eq_ignore_ascii_case(&to.replace('"', ""))
        }
    }
}
