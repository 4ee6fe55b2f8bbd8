//! Which output columns of which models come from a raw column.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::fields::misread;
use super::known::Known;
use super::model::broken_promises;
use super::origins::{Origins, ROWS};
use super::outline::Query;
use super::resolve;
use super::resolved::{Columns, Output, Resolved};
use super::source::Source;
use super::{Graph, Model};
use crate::problem::{Problem, Problems};
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
    /// In build order.
    models: Vec<Traced>,
    /// What models read inside columns and the sources do not have there.
    misread: Vec<Problem>,
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
        let mut tables = Known::new(graph, sources);
        let (mut problems, mut misreadings) = (Vec::new(), Vec::new());
        let mut models = Vec::new();
        for model in graph.order.iter().filter_map(|name| graph.models.get(name)) {
            let source = match read(model) {
                Ok(source) => source,
                Err(Problems(found)) => {
                    problems.extend(found);
                    continue;
                }
            };
            let mut resolved = resolve::resolve(&model.file, &source, &Query::of(&source), &tables.read_by(model));
            resolved.columns.outputs.shrink_to_fit();
            misreadings.extend(misread(model, &source, &resolved));
            problems.extend(contradictions(model, &resolved.columns.outputs));
            tables.insert(&model.name, &resolved.columns);
            let mut named: Origins = resolved.sites.into_iter().map(|site| (site.table, site.column)).collect();
            named.extend(model.reads.iter().map(|table| (table.clone(), ROWS.to_owned())));
            named.extend(resolved.columns.rows.iter().cloned());
            named.extend(resolved.columns.outputs.iter().flat_map(|output| output.origins.iter().cloned()));
            models.push(Traced { name: model.name.clone(), columns: resolved.columns, named });
            problems.extend(resolved.problems);
        }
        Problems::or(problems, Self { models, misread: misreadings })
    }

    /// What [`field_problems`](super::field_problems) finds where nothing differs from what was traced.
    pub fn misread(&self) -> &[Problem] {
        &self.misread
    }

    /// Who names `column` of `table`, directly or through other models; in build order.
    pub fn readers(&self, table: &str, column: &str) -> Vec<Reader> {
        self.reached(Origins::of(&table.to_lowercase(), &column.to_lowercase()))
    }

    /// The models whose own texts name `column` of `table`, a `*` included; in build order.
    pub fn namers(&self, table: &str, column: &str) -> impl Iterator<Item = &str> {
        let origins = Origins::of(&table.to_lowercase(), &column.to_lowercase());
        let names = move |model: &&Traced| !model.named.is_disjoint(&origins);
        self.models.iter().filter(names).map(|model| model.name.as_str())
    }

    /// Who names any of the `columns` of `table`, as [`Self::readers`] does.
    pub fn readers_of(&self, table: &str, columns: impl Iterator<Item = String>) -> Vec<Reader> {
        self.reached(columns.map(|column| (table.to_lowercase(), column.to_lowercase())).collect())
    }

    /// Who reads `table` at all: for facts about the whole table.
    pub fn table_readers(&self, table: &str) -> Vec<Reader> {
        self.reached(Origins::of(&table.to_lowercase(), ROWS))
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
                origins.extend([(model.name.clone(), ROWS.to_owned())]);
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
    let source = read(model)?;
    Ok(resolve::resolve(&model.file, &source, &Query::of(&source), tables))
}

/// A model's text, parsed.
pub(super) fn read(model: &Model) -> Result<Source<'_>, Problems> {
    Source::read(&model.text).map_err(|error| Problem::new(&model.file, error.place, error.message, error.help).into())
}
