//! An ODCS document, read and written without loss.

use super::Contract;
use crate::problem::Problems;
use crate::schema::Table;

/// An ODCS document as it was read: unknown fields and their order survive.
///
/// JSON is what is written; YAML is read. <https://bitol-io.github.io/open-data-contract-standard/>
#[derive(Debug, Clone, PartialEq)]
pub struct Document {
    /// The file's path relative to the project, as errors name it.
    pub file: String,
    pub value: serde_json::Value,
    /// Lines of YAML comments, which JSON cannot carry.
    pub comment_lines: Vec<usize>,
}

impl Document {
    /// Reads JSON or YAML, by the file's extension.
    pub fn read(_file: &str, _text: &str) -> Result<Self, Problems> {
        todo!()
    }

    /// What the document means, or everything that is wrong with it.
    pub fn contract(&self) -> Result<Contract, Problems> {
        todo!()
    }

    /// A new document for a table that has none: ids are stable, derived from table and column names.
    pub fn for_table(_file: &str, _table: &Table) -> Self {
        todo!()
    }

    /// This document with `table`'s schema as what is promised; everything else stays as it was.
    pub fn accept(&self, _table: &Table) -> Self {
        todo!()
    }

    /// Pretty JSON with a final newline.
    pub fn to_json(&self) -> String {
        todo!()
    }
}
