//! The tables that models read, as columns with their origins.

use std::collections::{BTreeMap, BTreeSet};

use super::origins::{Origins, ROWS};
use super::resolved::{Columns, Output};
use super::{Graph, Model};
use crate::schema::{DataType, Table};

/// What is known of tables while one goes through the models in build order. Columns are made for the model that asks, and
/// those of a model are held if another reads it: of ten thousand tables they would fill the memory.
pub(super) struct Known<'a> {
    /// Lowercase name → table.
    sources: BTreeMap<String, &'a Table>,
    models: BTreeMap<String, Columns>,
    /// Every table that some model reads.
    read: BTreeSet<&'a str>,
}

impl<'a> Known<'a> {
    pub fn new(graph: &'a Graph, sources: &'a [Table]) -> Self {
        Self {
            sources: sources.iter().map(|table| (table.name.to_lowercase(), table)).collect(),
            models: BTreeMap::new(),
            read: graph.models.values().flat_map(|model| &model.reads).map(String::as_str).collect(),
        }
    }

    /// Makes a model's columns known to those that read it.
    pub fn insert(&mut self, model: &str, columns: &Columns) {
        if self.read.contains(model) {
            let column = |output: &Output| (output.name.clone(), output.data_type.clone());
            let mut known = as_table(model, columns.outputs.iter().map(column));
            for (known, output) in known.outputs.iter_mut().zip(&columns.outputs) {
                known.values = Some(Box::new(output.values()));
            }
            self.models.insert(model.to_owned(), known);
        }
    }

    /// The columns of the tables that a model reads, as far as they are known.
    pub fn read_by(&self, model: &Model) -> BTreeMap<String, Columns> {
        let columns = |table: &String| match (self.models.get(table), self.sources.get(table)) {
            (Some(columns), _) => Some((table.clone(), columns.clone())),
            (None, Some(source)) => Some((table.clone(), source_columns(table, source))),
            (None, None) => None,
        };
        model.reads.iter().filter_map(columns).collect()
    }
}

/// A source's columns, partition keys last.
fn source_columns(name: &str, table: &Table) -> Columns {
    let all = table.all_columns();
    as_table(name, all.map(|column| (column.name.to_lowercase(), Some(column.data_type.clone()))))
}

/// A table's columns, each its own origin.
fn as_table(table: &str, columns: impl Iterator<Item = (String, Option<DataType>)>) -> Columns {
    let output = |(name, data_type): (String, _)| Output {
        origins: Origins::of(table, &name),
        name,
        data_type,
        is_copy: true,
        values: None,
    };
    Columns { outputs: columns.map(output).collect(), rows: Origins::of(table, ROWS) }
}
