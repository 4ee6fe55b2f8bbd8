//! JSON Lines, by key at every depth, letter case aside, as the OpenX SerDe reads them.
//!
//! The keys are those of the files, so that no spelling is missed. Where each column and field has one spelling, DuckDB's
//! typed reader does the work; else every key is taken out of the object by itself.
//!
//! DuckDB knows a JSON number as a double alone: `1.50` would be the text `1.5`. Where text is read from such numbers, each
//! is replaced by its own text first.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, BufReader, Read};

use duckdb::Connection;
use flate2::read::MultiGzDecoder;
use serde_json::Value;

use super::super::session::message;
use super::{Columns, cast, checked, compression, is_packed, lines_of, list_of, type_of};
use crate::schema::{Column, DataType, EMPTY_LINES, Table};
use crate::sql::ident::{literal, quote};

fn options(files: &[String]) -> Result<String, String> {
    Ok(format!(
        "format = 'newline_delimited', ignore_errors = false, maximum_object_size = 67108864, compression = '{}'",
        compression(files)?
    ))
}

pub(super) fn columns(connection: &Connection, table: &Table, files: &[String]) -> Result<Columns, String> {
    let marked = table.parameters.contains_key(EMPTY_LINES) || any_has_bom(files)?;
    let objects = match marked {
        // DuckDB refuses a byte order mark in JSON, and passes over empty lines; Athena the other way round.
        true => {
            format!("(SELECT CAST(nullif(athena_trim(line), '') AS JSON) AS json FROM {})", lines_of(table, files, 0)?)
        }
        false => format!("read_json_objects({}, {})", list_of(files), options(files)?),
    };
    let keys = keys(connection, &objects)?;
    let shapes = shapes(connection, table, &objects, &keys)?;
    let columns = || table.columns.iter().zip(&shapes);
    let unique = keys.iter().map(|key| key.to_lowercase()).collect::<BTreeSet<_>>().len() == keys.len();
    let exact = columns().any(|(column, shape)| column.data_type.is_nested() && may_be_exact(&column.data_type, shape))
        || has_exact(connection, table, &objects, &keys)?;
    if !exact && !marked && unique && columns().all(|(column, shape)| as_declared(&column.data_type, shape)) {
        return typed(table, &keys, files);
    }
    let mut list = Vec::new();
    for (column, shape) in columns() {
        list.push(format!("{} AS {}", extracted(table, column, &keys, shape)?, quote(&column.name)));
    }
    let source = if exact { format!("(SELECT athena_exact_json(json) AS json FROM {objects})") } else { objects };
    Ok(Columns { list, source })
}

/// What a number is preceded by, and its digits up to a point or an exponent; it may match in text too.
const FRACTION: &str = r"[:\[,]\s*-?[0-9]+[.eE]";

/// True if a column of text holds a number with a point or an exponent.
fn has_exact(connection: &Connection, table: &Table, objects: &str, keys: &[String]) -> Result<bool, String> {
    let texts = table.columns.iter().filter(|column| is_text(&column.data_type));
    let paths: Vec<_> =
        texts.flat_map(|column| spellings(keys, &column.name)).map(|key| literal(&pointer(key))).collect();
    if paths.is_empty() {
        return Ok(false);
    }
    let sql = format!(
        "SELECT coalesce(bool_or(list_contains(json_type(json, [{}]), 'DOUBLE')), false) FROM {objects} \
         WHERE regexp_matches(CAST(json AS VARCHAR), {})",
        paths.join(", "),
        literal(FRACTION)
    );
    connection.query_row(&sql, [], |row| row.get(0)).map_err(message)
}

/// True if a field of text inside a value may hold such a number, as far as the shape tells.
fn may_be_exact(data_type: &DataType, shape: &Value) -> bool {
    match (data_type, shape) {
        (DataType::Struct(fields), Value::Object(found)) => fields
            .iter()
            .any(|field| spellings(found.keys(), &field.name).any(|key| may_be_exact(&field.data_type, &found[key]))),
        (DataType::Array(item), Value::Array(found)) => found.iter().any(|shape| may_be_exact(item, shape)),
        (DataType::Map(_, value), Value::Object(found)) => found.values().any(|shape| may_be_exact(value, shape)),
        // Values of several types are `JSON`.
        (scalar, Value::String(shape)) => is_text(scalar) && matches!(shape.as_str(), "DOUBLE" | "JSON"),
        _ => false,
    }
}

fn is_text(data_type: &DataType) -> bool {
    matches!(data_type, DataType::String | DataType::Char(_) | DataType::Varchar(_))
}

fn any_has_bom(files: &[String]) -> Result<bool, String> {
    let starts = |file: &String| -> io::Result<bool> {
        let mut head = Vec::new();
        let opened = BufReader::new(File::open(file)?);
        match is_packed(file) {
            true => MultiGzDecoder::new(opened).take(3).read_to_end(&mut head)?,
            false => opened.take(3).read_to_end(&mut head)?,
        };
        Ok(head == b"\xef\xbb\xbf")
    };
    for file in files {
        if starts(file).map_err(|error| format!("cannot be read at {file}: {error}"))? {
            return Ok(true);
        }
    }
    Ok(false)
}

fn keys(connection: &Connection, objects: &str) -> Result<Vec<String>, String> {
    let sql = format!("SELECT DISTINCT unnest(json_keys(json)) AS key FROM {objects} ORDER BY key");
    let mut statement = connection.prepare(&sql).map_err(message)?;
    let keys = statement.query_map([], |row| row.get::<_, String>(0)).map_err(message)?;
    keys.collect::<Result<_, _>>().map_err(message)
}

/// What the files hold of each column, as `json_structure` words it; null for what is not nested.
fn shapes(connection: &Connection, table: &Table, objects: &str, keys: &[String]) -> Result<Vec<Value>, String> {
    let nested = |column: &&Column| column.data_type.is_nested();
    let measure = |column: &Column| {
        // An array holds a column's several spellings together.
        let values: Vec<_> = spellings(keys, &column.name).map(|key| at("json", key)).collect();
        format!("json_group_structure(json_array({}))", values.join(", "))
    };
    let measures: Vec<_> = table.columns.iter().filter(nested).map(measure).collect();
    if measures.is_empty() {
        return Ok(vec![Value::Null; table.columns.len()]);
    }
    let sql = format!("SELECT {} FROM {objects}", measures.join(", "));
    let row = |row: &duckdb::Row<'_>| (0..measures.len()).map(|index| row.get::<_, Option<String>>(index)).collect();
    let texts: Vec<Option<String>> = connection.query_row(&sql, [], row).map_err(message)?;
    let mut texts = texts.into_iter();
    let mut shape = |column: &Column| {
        let text = nested(&column).then(|| texts.next().flatten()).flatten().unwrap_or_else(|| "null".to_owned());
        let outer: Value = serde_json::from_str(&text).map_err(|error| error.to_string())?;
        Ok(outer.get(0).cloned().unwrap_or_default())
    };
    table.columns.iter().map(&mut shape).collect()
}

/// True if every field of the type is spelt in the files as the type spells it.
fn as_declared(data_type: &DataType, shape: &Value) -> bool {
    match (data_type, shape) {
        (DataType::Struct(fields), Value::Object(found)) => fields.iter().all(|field| {
            spellings(found.keys(), &field.name).all(|key| *key == field.name)
                && found.get(&field.name).is_none_or(|shape| as_declared(&field.data_type, shape))
        }),
        (DataType::Array(item), Value::Array(found)) => found.iter().all(|shape| as_declared(item, shape)),
        (DataType::Map(_, value), Value::Object(found)) => found.values().all(|shape| as_declared(value, shape)),
        _ => true,
    }
}

fn spellings<'a>(keys: impl IntoIterator<Item = &'a String>, name: &str) -> impl Iterator<Item = &'a String> {
    let name = name.to_lowercase();
    keys.into_iter().filter(move |key| key.to_lowercase() == name)
}

/// The columns by DuckDB's own reader, which goes through an object once.
fn typed(table: &Table, keys: &[String], files: &[String]) -> Result<Columns, String> {
    let (mut list, mut read) = (Vec::new(), Vec::new());
    for column in &table.columns {
        let nested = column.data_type.is_nested();
        let data_type = if nested { type_of(&column.data_type)? } else { "VARCHAR".to_owned() };
        let key = spellings(keys, &column.name).next();
        read.extend(key.map(|key| format!("{}: {}", literal(key), literal(&data_type))));
        let found = key.map_or_else(|| format!("CAST(NULL AS {data_type})"), |key| quote(key));
        let value = if nested { found } else { checked(table, column, &found)? };
        list.push(format!("{value} AS {}", quote(&column.name)));
    }
    // One column at least, or the reader finds columns of its own.
    read.push("'crawlguard.none': 'VARCHAR'".to_owned());
    let options = options(files)?;
    let source = format!("read_json({}, columns = {{{}}}, {options})", list_of(files), read.join(", "));
    Ok(Columns { list, source })
}

/// One column out of `json`.
fn extracted(table: &Table, column: &Column, keys: &[String], shape: &Value) -> Result<String, String> {
    let place = format!("`{}`.`{}`", table.name, column.name);
    let found = one_of(keys, &column.name, "json", &place);
    if column.data_type.is_nested() {
        let data_type = type_of(&column.data_type)?;
        let found = found.unwrap_or_else(|| "CAST(NULL AS JSON)".to_owned());
        return Ok(format!("CAST({} AS {data_type})", value(&found, &column.data_type, shape, &place)?));
    }
    let text = found.map_or_else(|| "CAST(NULL AS VARCHAR)".to_owned(), |found| text(&found));
    checked(table, column, &text)
}

/// A value inside a column.
fn value(json: &str, data_type: &DataType, shape: &Value, place: &str) -> Result<String, String> {
    match (data_type, shape) {
        (DataType::Struct(fields), Value::Object(found)) => {
            let mut members = Vec::new();
            for field in fields {
                let place = format!("{place}.`{}`", field.name);
                let member = match one_of(found.keys(), &field.name, json, &place) {
                    Some(member) => {
                        let shape = spellings(found.keys(), &field.name).map(|key| &found[key]);
                        value(&member, &field.data_type, &together(shape), &place)?
                    }
                    None => format!("CAST(NULL AS {})", type_of(&field.data_type)?),
                };
                members.push(format!("{}: {member}", literal(&field.name)));
            }
            // What is no object is NULL if it is null, and fails to be cast if it is not.
            let other = format!("CAST({json} AS {})", type_of(data_type)?);
            Ok(format!("CASE WHEN json_type({json}) = 'OBJECT' THEN {{{}}} ELSE {other} END", members.join(", ")))
        }
        (DataType::Array(item), Value::Array(found)) => {
            // Nested lambdas need names of their own; a place grows with each level.
            let (place, name) = (format!("{place}[]"), format!("item_{}", place.len()));
            let item = value(&name, item, found.first().unwrap_or(&Value::Null), &place)?;
            Ok(format!("list_transform(CAST({json} AS JSON[]), lambda {name}: {item})"))
        }
        (DataType::Map(..), _) if !as_declared(data_type, shape) => {
            Err(format!("has the map {place} with keys spelt in several ways, which the embedded engine does not read"))
        }
        (nested, _) if nested.is_nested() => Ok(format!("CAST({json} AS {})", type_of(nested)?)),
        (scalar, _) => cast(&text(json), scalar),
    }
}

/// The one of a key's spellings that an object has; two of them are an error, as on Athena.
/// <https://docs.aws.amazon.com/athena/latest/ug/openx-json-serde.html>
fn one_of<'a>(keys: impl IntoIterator<Item = &'a String>, name: &str, json: &str, place: &str) -> Option<String> {
    let keys: Vec<_> = spellings(keys, name).collect();
    let values: Vec<_> = keys.iter().map(|key| at(json, key)).collect();
    if values.len() < 2 {
        return values.into_iter().next();
    }
    let exist: Vec<_> =
        keys.iter().map(|key| format!("json_exists({json}, {})::INT", literal(&pointer(key)))).collect();
    let twice = literal(&format!("HIVE_CURSOR_ERROR: a row has the key {place} twice, letter case aside"));
    Some(format!(
        "CASE WHEN {} > 1 THEN athena_fail({twice}, CAST('null' AS JSON)) ELSE coalesce({}) END",
        exist.join(" + "),
        values.join(", ")
    ))
}

/// What the spellings of one key hold, as one shape.
fn together<'a>(shapes: impl Iterator<Item = &'a Value>) -> Value {
    shapes.cloned().reduce(merged).unwrap_or_default()
}

fn merged(left: Value, right: Value) -> Value {
    match (left, right) {
        (Value::Object(mut left), Value::Object(right)) => {
            for (key, shape) in right {
                let known = left.remove(&key);
                left.insert(key, known.map_or_else(|| shape.clone(), |known| merged(known, shape.clone())));
            }
            Value::Object(left)
        }
        (Value::Array(left), Value::Array(right)) => {
            Value::Array(left.into_iter().chain(right).reduce(merged).into_iter().collect())
        }
        (left @ (Value::Object(_) | Value::Array(_)), _) => left,
        (_, right) => right,
    }
}

/// A key of an object; a pointer, since a path cannot hold every key.
fn at(json: &str, key: &str) -> String {
    format!("json_extract({json}, {})", literal(&pointer(key)))
}

/// <https://www.rfc-editor.org/rfc/rfc6901>
fn pointer(key: &str) -> String {
    format!("/{}", key.replace('~', "~0").replace('/', "~1"))
}

fn text(json: &str) -> String {
    format!("({json} ->> '$')")
}
