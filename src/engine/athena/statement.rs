//! A statement as Athena takes it.

use super::START;
use crate::engine::Statement;
use crate::port::PortError;
use crate::sql::ident;

/// Bytes of UTF-8. <https://docs.aws.amazon.com/athena/latest/ug/service-limits.html>
const LONGEST: usize = 262_144;

/// What a build, and nothing else, starts with.
pub const BUILD: &str = "CREATE TABLE ";

/// The SQL of a statement. In a workgroup that enforces its output location (`enforced`) a Hive build names none.
///
/// Properties: <https://docs.aws.amazon.com/athena/latest/ug/create-table-as.html>
pub fn statement_text(statement: &Statement, enforced: bool) -> String {
    match statement {
        Statement::Query { select } => select.clone(),
        Statement::Build { table, select, location, partitioned_by, iceberg } => {
            let properties = properties(location, partitioned_by, *iceberg, enforced).join(", ");
            format!("{BUILD}{}\nWITH ({properties})\nAS {}", ident::quote(table), without_semicolon(select))
        }
    }
}

fn properties(location: &str, partitioned_by: &[String], iceberg: bool, enforced: bool) -> Vec<String> {
    let mut properties = vec!["format = 'PARQUET'".to_owned()];
    if iceberg {
        properties.push("table_type = 'ICEBERG'".to_owned());
        properties.push("is_external = false".to_owned());
        properties.push(format!("location = {}", ident::literal(location)));
    } else if !enforced {
        properties.push(format!("external_location = {}", ident::literal(location)));
    }
    if !partitioned_by.is_empty() {
        let key = if iceberg { "partitioning" } else { "partitioned_by" };
        let columns: Vec<_> = partitioned_by.iter().map(|column| ident::literal(column)).collect();
        properties.push(format!("{key} = ARRAY[{}]", columns.join(", ")));
    }
    properties
}

fn without_semicolon(select: &str) -> &str {
    select.trim_end().trim_end_matches(';')
}

pub fn refuse_too_long(text: &str, token: &str) -> Result<(), PortError> {
    if text.len() <= LONGEST {
        return Ok(());
    }
    let message = format!("the statement has {} bytes, and Athena takes {LONGEST}; split the model", text.len());
    Err(START.invalid(format!("`{token}`"), message))
}
