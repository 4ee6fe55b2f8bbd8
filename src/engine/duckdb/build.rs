//! CREATE TABLE AS: a SELECT as Parquet in a new folder, and the table that shows it.

use std::fs;
use std::path::Path;

use duckdb::Connection;

use super::session::{self, message};
use crate::schema::{Column, DataType, Storage, StructField, Table};
use crate::sql::ident::{literal, quote};

/// What a build makes.
pub(super) struct Build<'a> {
    pub database: &'a str,
    pub table: &'a str,
    /// In DuckDB's SQL.
    pub select: &'a str,
    pub location: &'a str,
    pub partitioned_by: &'a [String],
}

/// Runs the SELECT into Parquet files; gives the table to register and the number of rows.
pub(super) fn build(connection: &Connection, build: &Build<'_>) -> Result<(Table, u64), String> {
    let folder = Path::new(build.location.strip_prefix("file://").unwrap_or(build.location));
    if fs::read_dir(folder).is_ok_and(|mut entries| entries.next().is_some()) {
        return Err(format!(
            "HIVE_PATH_ALREADY_EXISTS: Target directory for table '{}' already exists: {}",
            build.table, build.location
        ));
    }
    let columns = columns(connection, build)?;
    let (data, keys) = split(&columns, build.partitioned_by)?;
    fs::create_dir_all(folder).map_err(|error| format!("cannot create {}: {error}", folder.display()))?;
    let written = copy(connection, build, folder, &columns);
    if written.is_err() {
        // Nothing half-written stays; what cannot be removed is reported by the error that stands already.
        let _ = fs::remove_dir_all(folder);
    }
    Ok((table(build, data, keys), written?))
}

/// Every output column: its lowercase name, DuckDB type and Glue type.
struct Output {
    name: String,
    duckdb: String,
    data_type: DataType,
}

fn columns(connection: &Connection, build: &Build<'_>) -> Result<Vec<Output>, String> {
    let mut columns: Vec<Output> = Vec::new();
    for (index, (source, duckdb)) in session::columns(connection, build.select)?.into_iter().enumerate() {
        let name = source.to_lowercase();
        if columns.iter().any(|column| column.name == name) {
            return Err(format!("DUPLICATE_COLUMN_NAME: Column name '{name}' specified more than once"));
        }
        if duckdb.contains("\"NULL\"") {
            return Err(format!("COLUMN_TYPE_UNKNOWN: column {} ({name}): Column type is unknown: {name}", index + 1));
        }
        let data_type = data_type(&duckdb).ok_or_else(|| unsupported(&name, &duckdb))?;
        columns.push(Output { name, duckdb, data_type });
    }
    Ok(columns)
}

fn unsupported(column: &str, duckdb: &str) -> String {
    match duckdb {
        "TIMESTAMP WITH TIME ZONE" => format!(
            "NOT_SUPPORTED: column {column} is a timestamp with time zone, which no table can hold\n  help: write `CAST(… AS \
             timestamp)` around it"
        ),
        _ => format!("NOT_SUPPORTED: column {column} has the type {duckdb}"),
    }
}

/// Partition columns are the last ones of the SELECT, in order, as Athena demands.
fn split(columns: &[Output], keys: &[String]) -> Result<(Vec<Column>, Vec<Column>), String> {
    let glue = |output: &Output| Column::new(output.name.clone(), output.data_type.clone());
    let (data, last) = columns.split_at(columns.len().saturating_sub(keys.len()));
    if data.is_empty() || !last.iter().map(|column| column.name.as_str()).eq(keys.iter().map(String::as_str)) {
        return Err(format!(
            "HIVE_COLUMN_ORDER_MISMATCH: Partition keys must be the last columns: {}",
            keys.join(", ")
        ));
    }
    Ok((data.iter().map(glue).collect(), last.iter().map(glue).collect()))
}

fn copy(connection: &Connection, build: &Build<'_>, folder: &Path, columns: &[Output]) -> Result<u64, String> {
    let aliases: Vec<String> = (0..columns.len()).map(|index| format!("c{index}")).collect();
    let list: Vec<String> = columns
        .iter()
        .zip(&aliases)
        .map(|(column, alias)| {
            // DuckDB sums integers as HUGEINT, which no other engine knows.
            let to_bigint = format!("CAST({alias} AS BIGINT)");
            let value = if column.duckdb == "HUGEINT" { &to_bigint } else { alias };
            format!("{value} AS {}", quote(&column.name))
        })
        .collect();
    let select = format!("SELECT {} FROM ({}) AS answer({})", list.join(", "), build.select, aliases.join(", "));
    if !build.partitioned_by.is_empty() {
        let keys: Vec<String> = build.partitioned_by.iter().map(|key| quote(key)).collect();
        let to = literal(&folder.display().to_string());
        let options =
            format!("FORMAT parquet, COMPRESSION zstd, PARTITION_BY ({}), OVERWRITE_OR_IGNORE", keys.join(", "));
        return execute(connection, &format!("COPY ({select}) TO {to} ({options})"));
    }
    let (hidden, file) = (folder.join(".part-0.parquet"), folder.join("part-0.parquet"));
    let to = literal(&hidden.display().to_string());
    let rows = execute(connection, &format!("COPY ({select}) TO {to} (FORMAT parquet, COMPRESSION zstd)"))?;
    fs::rename(&hidden, &file).map_err(|error| format!("cannot rename to {}: {error}", file.display()))?;
    Ok(rows)
}

fn execute(connection: &Connection, sql: &str) -> Result<u64, String> {
    connection.execute(sql, []).map(|rows| rows as u64).map_err(message)
}

fn table(build: &Build<'_>, columns: Vec<Column>, partition_keys: Vec<Column>) -> Table {
    let location = format!("{}/", build.location.trim_end_matches('/'));
    Table {
        database: build.database.to_owned(),
        name: build.table.to_lowercase(),
        columns,
        partition_keys,
        storage: Storage {
            classification: Some("parquet".to_owned()),
            serde: Some(Storage::PARQUET.to_owned()),
            input_format: Some("org.apache.hadoop.hive.ql.io.parquet.MapredParquetInputFormat".to_owned()),
            output_format: Some("org.apache.hadoop.hive.ql.io.parquet.MapredParquetOutputFormat".to_owned()),
            ..Storage::default()
        },
        location: Some(location),
        ..Table::default()
    }
}

/// The Glue type of a DuckDB type, as Athena's CTAS records it; `None` where it has none.
pub(super) fn data_type(duckdb: &str) -> Option<DataType> {
    Some(match duckdb {
        "BOOLEAN" => DataType::Boolean,
        "TINYINT" => DataType::TinyInt,
        "SMALLINT" => DataType::SmallInt,
        "INTEGER" => DataType::Int,
        "BIGINT" | "HUGEINT" => DataType::BigInt,
        "FLOAT" => DataType::Float,
        "DOUBLE" => DataType::Double,
        "VARCHAR" => DataType::String,
        "BLOB" => DataType::Binary,
        "DATE" => DataType::Date,
        "TIMESTAMP" => DataType::Timestamp,
        _ => return nested(duckdb),
    })
}

fn nested(duckdb: &str) -> Option<DataType> {
    if let Some(item) = duckdb.strip_suffix("[]") {
        return Some(DataType::Array(Box::new(data_type(item)?)));
    }
    let inside = |kind: &str| duckdb.strip_prefix(kind)?.strip_prefix('(')?.strip_suffix(')');
    if let Some(decimal) = inside("DECIMAL") {
        let (precision, scale) = decimal.split_once(',')?;
        return Some(DataType::Decimal {
            precision: precision.trim().parse().ok()?,
            scale: scale.trim().parse().ok()?,
        });
    }
    if let Some(map) = inside("MAP") {
        let [key, value] = <[&str; 2]>::try_from(parts(map)).ok()?;
        return Some(DataType::Map(Box::new(data_type(key)?), Box::new(data_type(value)?)));
    }
    let fields = parts(inside("STRUCT")?).into_iter().map(field).collect::<Option<Vec<_>>>()?;
    Some(DataType::Struct(fields))
}

fn field(text: &str) -> Option<StructField> {
    let (name, rest) = match text.strip_prefix('"') {
        Some(rest) => rest.split_once("\" ")?,
        None => text.split_once(' ')?,
    };
    Some(StructField { name: name.to_lowercase(), data_type: data_type(rest.trim())? })
}

/// The parts between commas that no parenthesis or quote encloses.
fn parts(text: &str) -> Vec<&str> {
    let (mut depth, mut quoted, mut from, mut out) = (0, false, 0, Vec::new());
    for (at, c) in text.char_indices() {
        match c {
            '"' => quoted = !quoted,
            '(' if !quoted => depth += 1,
            ')' if !quoted => depth -= 1,
            ',' if !quoted && depth == 0 => {
                out.push(text[from..at].trim());
                from = at + 1;
            }
            _ => {}
        }
    }
    out.push(text[from..].trim());
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_become_what_athena_records() {
        for (duckdb, glue) in [
            ("VARCHAR", "string"),
            ("HUGEINT", "bigint"),
            ("DECIMAL(10,2)", "decimal(10,2)"),
            ("VARCHAR[]", "array<string>"),
            ("STRUCT(a INTEGER, \"b c\" DECIMAL(4,1)[])", "struct<a:int,b c:array<decimal(4,1)>>"),
            ("MAP(VARCHAR, STRUCT(x DATE))", "map<string,struct<x:date>>"),
        ] {
            assert_eq!(data_type(duckdb).map(|known| known.to_string()).as_deref(), Some(glue), "{duckdb}");
        }
        assert_eq!(data_type("INTERVAL"), None);
        assert_eq!(data_type("TIMESTAMP WITH TIME ZONE"), None);
        assert!(unsupported("t", "TIMESTAMP WITH TIME ZONE").contains("help: write `CAST(… AS timestamp)`"));
    }
}
