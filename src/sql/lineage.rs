//! Which output columns of which models come from a raw column.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::model::broken_promises;
use super::outline::Query;
use super::resolve::{self, Columns, Origins, Output, ROWS, Resolved};
use super::source::Source;
use super::{Graph, Model};
use crate::problem::{Problem, Problems};
use crate::schema::{DataType, Table};

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
    /// In build order.
    models: Vec<Traced>,
}

#[derive(Debug, Clone)]
struct Traced {
    name: String,
    columns: Columns,
    /// Every column that the text names, and the rows of every table that it reads.
    named: Origins,
}

impl Lineage {
    /// Traces every model over the sources' schemas. What does not resolve (unknown or ambiguous column)
    /// is a problem with file, line and column.
    pub fn trace(graph: &Graph, sources: &[Table]) -> Result<Self, Problems> {
        let mut tables = source_columns(sources);
        let mut problems = Vec::new();
        let mut models = Vec::new();
        for model in graph.order.iter().filter_map(|name| graph.models.get(name)) {
            let resolved = match resolve_model(model, &tables) {
                Ok(resolved) => resolved,
                Err(Problems(found)) => {
                    problems.extend(found);
                    continue;
                }
            };
            problems.extend(contradictions(model, &resolved.columns.outputs));
            let names: Vec<_> =
                resolved.columns.outputs.iter().map(|o| (o.name.clone(), o.data_type.clone())).collect();
            tables.insert(model.name.clone(), table_columns(&model.name, names));
            let mut named: Origins = resolved.sites.into_iter().map(|site| (site.table, site.column)).collect();
            named.extend(model.reads.iter().map(|table| (table.clone(), ROWS.to_owned())));
            named.extend(resolved.columns.rows.iter().cloned());
            named.extend(resolved.columns.outputs.iter().flat_map(|output| output.origins.iter().cloned()));
            models.push(Traced { name: model.name.clone(), columns: resolved.columns, named });
            problems.extend(resolved.problems);
        }
        Problems::or(problems, Self { models })
    }

    /// Who names `column` of `table`, directly or through other models; in build order.
    pub fn readers(&self, table: &str, column: &str) -> Vec<Reader> {
        self.reached(Origins::from([(table.to_lowercase(), column.to_lowercase())]))
    }

    /// Who names any of the `columns` of `table`, as [`Self::readers`] does.
    pub fn readers_of(&self, table: &str, columns: impl Iterator<Item = String>) -> Vec<Reader> {
        self.reached(columns.map(|column| (table.to_lowercase(), column.to_lowercase())).collect())
    }

    /// Who reads `table` at all: for facts about the whole table.
    pub fn table_readers(&self, table: &str) -> Vec<Reader> {
        self.reached(Origins::from([(table.to_lowercase(), ROWS.to_owned())]))
    }

    /// A model's output columns with their types as far as they can be inferred (Glue spelling), in order.
    pub fn output(&self, model: &str) -> Vec<(String, Option<String>)> {
        let Some(traced) = self.models.iter().find(|traced| traced.name == model) else { return Vec::new() };
        let column = |output: &Output| (output.name.clone(), output.data_type.as_ref().map(ToString::to_string));
        traced.columns.outputs.iter().map(column).collect()
    }

    /// Follows origins through the models in build order.
    fn reached(&self, mut origins: Origins) -> Vec<Reader> {
        let mut readers = Vec::new();
        for model in &self.models {
            if model.named.is_disjoint(&origins) {
                continue;
            }
            let outputs = &model.columns.outputs;
            let of_rows = !model.columns.rows.is_disjoint(&origins);
            let hit = |output: &&Output| of_rows || !output.origins.is_disjoint(&origins);
            let mut columns: Vec<String> = outputs.iter().filter(hit).map(|output| output.name.clone()).collect();
            if columns.is_empty() {
                // Named and dropped on the way: the text still stands and falls with it.
                columns = outputs.iter().map(|output| output.name.clone()).collect();
            }
            origins.extend(columns.iter().map(|column| (model.name.clone(), column.clone())));
            if of_rows {
                origins.insert((model.name.clone(), ROWS.to_owned()));
            }
            readers.push(Reader { model: model.name.clone(), columns });
        }
        readers
    }
}

/// What the header promises and the columns do not keep.
fn contradictions(model: &Model, outputs: &[Output]) -> Vec<Problem> {
    let mut problems = Vec::new();
    let names: Vec<&str> = outputs.iter().map(|output| output.name.as_str()).collect();
    for (index, name) in names.iter().enumerate().filter(|(index, name)| names[..*index].contains(name)) {
        let message = format!("two output columns are named `{name}` (the second is number {})", index + 1);
        problems.push(Problem::new(&model.file, "", message, "rename or leave out one of the two"));
    }
    let broken = broken_promises(&names, &model.partitioned_by, &model.primary_key);
    problems.extend(broken.into_iter().map(|broken| broken.problem(&model.file, &model.text)));
    problems
}

/// Reads and resolves one model. Names that do not resolve are in the result's problems.
pub(super) fn resolve_model(model: &Model, tables: &BTreeMap<String, Columns>) -> Result<Resolved, Problems> {
    let source =
        Source::read(&model.text).map_err(|error| Problem::new(&model.file, error.place, error.message, error.help))?;
    Ok(resolve::resolve(&model.file, &source, &Query::of(&source), tables))
}

/// The columns of the source tables, partition keys last, each its own origin.
pub(super) fn source_columns(sources: &[Table]) -> BTreeMap<String, Columns> {
    let columns = |table: &Table| {
        let all = table.columns.iter().chain(&table.partition_keys);
        all.map(|column| (column.name.to_lowercase(), Some(column.data_type.clone()))).collect()
    };
    sources
        .iter()
        .map(|table| (table.name.to_lowercase(), table_columns(&table.name.to_lowercase(), columns(table))))
        .collect()
}

/// A table's columns, each its own origin.
pub(super) fn table_columns(table: &str, columns: Vec<(String, Option<DataType>)>) -> Columns {
    let output = |(name, data_type): (String, Option<DataType>)| Output {
        origins: Origins::from([(table.to_owned(), name.clone())]),
        name,
        data_type,
    };
    Columns {
        outputs: columns.into_iter().map(output).collect(),
        rows: Origins::from([(table.to_owned(), ROWS.to_owned())]),
    }
}
