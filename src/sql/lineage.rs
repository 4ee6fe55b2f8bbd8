//! Which output columns of which models come from a raw column.

use serde::{Deserialize, Serialize};

use super::Graph;
use crate::problem::Problems;
use crate::schema::Table;

/// A model that names a column, and its output columns that depend on it.
///
/// A column named only in a WHERE, JOIN or GROUP BY decides every row: all output columns are listed.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Reader {
    pub model: String,
    pub columns: Vec<String>,
}

/// Column lineage of a project, traced once.
#[derive(Debug, Clone, Default)]
pub struct Lineage {
    // sql helper: private representation
}

impl Lineage {
    /// Traces every model over the sources' schemas. What does not resolve (unknown or ambiguous column)
    /// is a problem with file, line and column.
    pub fn trace(_graph: &Graph, _sources: &[Table]) -> Result<Self, Problems> {
        todo!()
    }

    /// Who names `column` of `table`, directly or through other models; in build order.
    pub fn readers(&self, _table: &str, _column: &str) -> Vec<Reader> {
        todo!()
    }

    /// Who reads `table` at all: for facts about the whole table.
    pub fn table_readers(&self, _table: &str) -> Vec<Reader> {
        todo!()
    }

    /// A model's output columns with their types as far as they can be inferred (Glue spelling), in order.
    pub fn output(&self, _model: &str) -> Vec<(String, Option<String>)> {
        todo!()
    }
}
