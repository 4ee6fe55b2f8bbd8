//! The only place that writes an identifier or a string literal into SQL.

/// A quoted DML identifier: `"` doubled.
/// <https://docs.aws.amazon.com/athena/latest/ug/reserved-words.html>
pub fn quote(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// A string literal: `'` doubled.
pub fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}
