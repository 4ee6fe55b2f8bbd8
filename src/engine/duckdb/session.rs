//! One in-memory DuckDB with Athena's functions.

use std::path::Path;

use duckdb::Connection;

use super::rows;
use crate::engine::Rows;

const MACROS: &str = include_str!("macros.sql");

/// Opens a database that reads nothing but what its views name.
pub(super) fn open(threads: Option<u32>, temp: Option<&Path>) -> duckdb::Result<Connection> {
    let connection = Connection::open_in_memory()?;
    connection.execute_batch(
        "SET autoinstall_known_extensions = false; SET autoload_known_extensions = false;
         SET TimeZone = 'UTC'; SET default_null_order = 'nulls_last'; SET preserve_insertion_order = true;",
    )?;
    if let Some(threads) = threads {
        connection.execute_batch(&format!("SET threads = {threads}"))?;
    }
    if let Some(temp) = temp {
        let temp = crate::sql::ident::literal(&temp.to_string_lossy());
        connection.execute_batch(&format!("SET temp_directory = {temp}"))?;
    }
    connection.execute_batch(MACROS)?;
    Ok(connection)
}

/// Runs a DuckDB SELECT and gives its rows as Athena's text.
pub(super) fn query(connection: &Connection, sql: &str) -> Result<Rows, String> {
    let mut statement = connection.prepare(sql).map_err(message)?;
    let mut answer = statement.query([]).map_err(message)?;
    let mut rows = Rows::default();
    while let Some(row) = answer.next().map_err(message)? {
        let width = row.as_ref().column_count();
        let values: Result<Vec<_>, String> = (0..width)
            .map(|index| rows::text(&row.get::<_, duckdb::types::Value>(index).map_err(message)?))
            .collect();
        rows.rows.push(values?);
    }
    rows.columns = statement.column_names();
    Ok(rows)
}

/// Names and DuckDB type names of a SELECT's columns, an untyped NULL as `"NULL"`.
pub(super) fn columns(connection: &Connection, sql: &str) -> Result<Vec<(String, String)>, String> {
    let mut statement = connection.prepare(&format!("SELECT * FROM ({sql}) LIMIT 0")).map_err(message)?;
    let _ = statement.query([]).map_err(message)?;
    let names = statement.column_names();
    drop(statement);
    let aliases: Vec<String> = (0..names.len()).map(|index| format!("c{index}")).collect();
    let types: Vec<String> = aliases.iter().map(|alias| format!("typeof({alias})")).collect();
    let typed = format!(
        "SELECT [{}] FROM (SELECT 1) AS one LEFT JOIN ({sql}) AS answer({}) ON false",
        types.join(", "),
        aliases.join(", ")
    );
    let types: Vec<String> = connection
        .query_row(&typed, [], |row| row.get::<_, duckdb::types::Value>(0))
        .map(|value| match value {
            duckdb::types::Value::List(types) => types.iter().filter_map(|name| rows::text(name).ok().flatten()).collect(),
            _ => Vec::new(),
        })
        .map_err(message)?;
    if types.len() != names.len() {
        return Err("the engine did not tell every column's type".to_owned());
    }
    Ok(names.into_iter().zip(types).collect())
}

/// DuckDB's words, without the macro machinery around our own.
pub(super) fn message(error: duckdb::Error) -> String {
    let text = error.to_string();
    let Some(start) = text.find("'athena: ") else { return text };
    let own = &text[start + "'athena: ".len()..];
    own.rfind("' to INT32").map_or(own, |end| &own[..end]).to_owned()
}
