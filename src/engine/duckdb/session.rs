//! One in-memory DuckDB with Athena's functions.

use std::collections::BTreeSet;
use std::path::Path;

use duckdb::Connection;
use duckdb::types::Value;

use super::{rows, words};
use crate::engine::Rows;
use crate::sql::ident::{literal, quote};

const MACROS: &str = include_str!("macros.sql");

/// What trim takes off: what Java calls whitespace, which a no-break space is not.
const WHITESPACE: &str = "\t\n\u{b}\u{c}\r\u{1c}\u{1d}\u{1e}\u{1f} \u{1680}\u{2000}\u{2001}\u{2002}\u{2003}\u{2004}\
                          \u{2005}\u{2006}\u{2008}\u{2009}\u{200a}\u{2028}\u{2029}\u{205f}\u{3000}";

/// Opens a database that reads nothing but what its views name.
pub(super) fn open(temp: Option<&Path>) -> duckdb::Result<Connection> {
    let connection = Connection::open_in_memory()?;
    settled(&connection)?;
    if let Some(temp) = temp {
        let temp = literal(&temp.to_string_lossy());
        connection.execute_batch(&format!("SET temp_directory = {temp}"))?;
    }
    // One literal, as planning 25 calls of chr() took longer than all else about a trim.
    connection.execute_batch(&format!("CREATE MACRO athena_whitespace() AS {}", literal(WHITESPACE)))?;
    connection.execute_batch(MACROS)?;
    Ok(connection)
}

/// A connection of its own to the same database.
pub(super) fn another(connection: &Connection) -> duckdb::Result<Connection> {
    let connection = connection.try_clone()?;
    settled(&connection)?;
    Ok(connection)
}

/// Athena's session, whatever this machine's is: a setting may hold for one connection alone, so each gets them all.
fn settled(connection: &Connection) -> duckdb::Result<()> {
    connection.execute_batch(
        "SET autoinstall_known_extensions = false; SET autoload_known_extensions = false;
         SET TimeZone = 'UTC'; SET default_null_order = 'nulls_last'; SET preserve_insertion_order = true;",
    )
}

/// Runs a DuckDB SELECT and gives its rows as Athena's text.
pub(super) fn query(connection: &Connection, sql: &str) -> Result<Rows, String> {
    let (columns, types): (Vec<_>, Vec<_>) = columns(connection, sql)?.into_iter().unzip();
    let zoned: Vec<bool> = types.iter().map(|name| name == "TIMESTAMP WITH TIME ZONE").collect();
    let types = types.iter().map(|name| rows::type_name(name)).collect();
    let mut statement = connection.prepare(sql).map_err(message)?;
    let mut answer = statement.query([]).map_err(message)?;
    let mut rows = Rows { columns, types, rows: Vec::new() };
    while let Some(row) = answer.next().map_err(message)? {
        let text = |(index, zoned): (usize, &bool)| {
            let text = rows::text(&row.get::<_, Value>(index).map_err(message)?)?;
            Ok(if *zoned { text.map(|text| text + " UTC") } else { text })
        };
        rows.rows.push(zoned.iter().enumerate().map(text).collect::<Result<_, String>>()?);
    }
    Ok(rows)
}

/// The view that tells a SELECT's columns; no table's name has a dot.
const COLUMNS: &str = "crawlguard.columns";

/// Names and DuckDB type names of a SELECT's columns, an untyped NULL as `"NULL"`; runs nothing.
pub(super) fn columns(connection: &Connection, sql: &str) -> Result<Vec<(String, String)>, String> {
    // Making a view plans the SELECT once; a prepared statement that reads files plans it again as it runs.
    connection.execute_batch(&format!("CREATE OR REPLACE TEMP VIEW {} AS {sql}", quote(COLUMNS))).map_err(message)?;
    let of_view = format!(
        "SELECT column_name, data_type FROM duckdb_columns()
         WHERE database_name = 'temp' AND table_name = {} ORDER BY column_index",
        literal(COLUMNS)
    );
    let mut statement = connection.prepare(&of_view).map_err(message)?;
    let columns = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).map_err(message)?;
    let mut columns: Vec<(String, String)> = columns.collect::<Result<_, _>>().map_err(message)?;
    if may_be_renamed(&columns) {
        let names = names(connection, sql)?;
        if names.len() != columns.len() {
            return Err("the engine did not tell every column's type".to_owned());
        }
        columns = names.into_iter().zip(columns.into_iter().map(|(_, data_type)| data_type)).collect();
    }
    Ok(columns)
}

/// True if a name can be a view's `a_1` for the second `a`.
fn may_be_renamed(columns: &[(String, String)]) -> bool {
    let lower: BTreeSet<String> = columns.iter().map(|(name, _)| name.to_lowercase()).collect();
    let renamed = |name: &String| {
        name.rsplit_once('_').is_some_and(|(first, count)| count.parse::<u32>().is_ok() && lower.contains(first))
    };
    lower.iter().any(renamed)
}

/// A SELECT's names as it gives them.
fn names(connection: &Connection, sql: &str) -> Result<Vec<String>, String> {
    let mut described = connection.prepare(&format!("DESCRIBE {sql}")).map_err(message)?;
    let names = described.query_map([], |row| row.get(0)).map_err(message)?;
    names.collect::<Result<_, _>>().map_err(message)
}

/// DuckDB's words, without the macro machinery around our own.
pub(super) fn message(error: duckdb::Error) -> String {
    let text = error.to_string();
    let Some(start) = text.find("'athena: ") else { return words::named(&text) };
    let own = &text[start + "'athena: ".len()..];
    own.rfind("' to INT32").map_or(own, |end| &own[..end]).to_owned()
}
