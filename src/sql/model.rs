//! One file of sql/.

use crate::problem::Problems;

/// A model: a plain Athena SELECT that pastes into the console, with a comment block on top:
///
/// ```sql
/// /* crawlguard
/// materialized: table
/// primary_key: id
/// additions: carry
/// */
/// SELECT …
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Model {
    /// The file's stem: the table that the model makes.
    pub name: String,
    pub file: String,
    /// The whole text, header included, byte for byte.
    pub text: String,
    pub materialization: Materialization,
    /// Columns that the output is partitioned by: the last ones of the SELECT, in order.
    pub partitioned_by: Vec<String>,
    pub primary_key: Vec<String>,
    /// Whether tolerated additions are carried into this model's output.
    pub carries_additions: bool,
    /// Tables it reads, lowercase, sorted, CTE names left out.
    pub reads: Vec<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Materialization {
    /// A Hive table in Parquet.
    Table,
    /// An Iceberg table (AWS only; embedded writes Parquet).
    Iceberg,
}

impl Model {
    /// Reads one file; every problem of header and SQL at once, with line and column.
    pub fn parse(_file: &str, _text: &str) -> Result<Self, Problems> {
        todo!()
    }

    /// The SELECT alone, without the header block and a trailing semicolon.
    pub fn select(&self) -> &str {
        todo!()
    }
}
