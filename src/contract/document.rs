//! An ODCS document, read and written without loss.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{Contract, Observed, accept, comments, create, parse, read};
use crate::problem::{Problem, Problems};
use crate::schema::{DataType, Table};

/// An ODCS document as it was read: unknown fields and their order survive.
///
/// JSON is what is written; YAML is read. <https://bitol-io.github.io/open-data-contract-standard/>
#[derive(Debug, Clone, PartialEq)]
pub struct Document {
    /// The file's path relative to the project, as errors name it.
    pub file: String,
    pub value: Value,
    /// Lines of YAML comments, which JSON cannot carry.
    pub comment_lines: Vec<usize>,
}

impl Document {
    /// Reads JSON or YAML, by the file's extension.
    pub fn read(file: &str, text: &str) -> Result<Self, Problems> {
        let value = parse::parse(file, text).map_err(|mut problems| {
            problems.sort();
            Problems(problems)
        })?;
        if !value.is_object() {
            return Err(Problem::new(file, "", "is not an object", "start with `apiVersion` and `kind`").into());
        }
        let comment_lines = if parse::is_yaml(file) { comments::comment_lines(text) } else { Vec::new() };
        Ok(Self { file: file.to_owned(), value, comment_lines })
    }

    /// What the document means, or everything that is wrong with it.
    pub fn contract(&self) -> Result<Contract, Problems> {
        read::contract(&self.file, &self.value)
    }

    /// A new document for a table that has none: ids are stable, derived from table and column names.
    pub fn for_table(file: &str, table: &Table) -> Self {
        Self { file: file.to_owned(), value: create::document(table), comment_lines: Vec::new() }
    }

    /// A new document for a model as it was built, with its key and checks to start from, some of them from counts.
    pub fn for_model(file: &str, table: &Table, primary_key: &[String], observed: Option<&Observed>) -> Self {
        Self { value: create::of_model(table, primary_key, observed), ..Self::for_table(file, table) }
    }

    /// This document with `table`'s schema as what is promised; everything else stays as it was.
    ///
    /// A column that stays keeps its property's every field; the version rises if anything changed: the major
    /// number if a column went or changed its type, else the minor. A deprecated table retires the document, which keeps
    /// what it promised; any other puts a retired one in force again.
    pub fn accept(&self, table: &Table) -> Self {
        self.accept_renamed(table, &BTreeMap::new())
    }

    /// [`Document::accept`], where columns have new names (old → new): their properties stay, ids included.
    pub fn accept_renamed(&self, table: &Table, renamed: &BTreeMap<String, String>) -> Self {
        Self { value: accept::accept(&self.value, table, renamed), ..self.clone() }
    }

    /// This document with a check that counts what a cast of `column` to `data_type` loses, if it has none.
    pub fn counting_loss(&self, column: &str, data_type: &DataType) -> Self {
        Self { value: accept::counting_loss(&self.value, column, data_type), ..self.clone() }
    }

    /// Pretty JSON with a final newline.
    pub fn to_json(&self) -> String {
        format!("{:#}\n", self.value)
    }
}
