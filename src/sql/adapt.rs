//! Carrying a tolerated addition through the models that take additions in, by insertion only.

use super::carry::{Arrival, Carried, Carrier};
use super::known::Known;
use super::lineage::{read, resolve_model};
use super::outline::Query;
use super::resolve;
use super::resolved::Resolved;
use super::{Graph, Model, edit, prove, substitute};
use crate::problem::{Problem, Problems};
use crate::schema::{Column, DataType, Table, same_name};

/// A column that appeared in a raw table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Addition {
    pub table: String,
    pub column: String,
    pub data_type: DataType,
}

/// A tolerated change of a column that models name; it replaces the column where it is read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Substitution {
    /// Removed and tolerated: read as `CAST(NULL AS type)`.
    TypedNull { table: String, column: String, data_type: DataType },
    /// Retyped and tolerated, or widened and pinned: read as `TRY_CAST(column AS type)`.
    TryCast { table: String, column: String, data_type: DataType },
    /// Called `to` now, because somebody said so: read under the new name, for the same output column.
    Renamed { table: String, column: String, to: String, data_type: DataType },
}

/// The adapted models and what was decided on the way.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Adaptation {
    /// Models whose text changed, whole text (header included), in build order.
    pub models: Vec<Model>,
    pub not_carried: Vec<NotCarried>,
}

/// An addition that a model opted into and that would have changed its rows (DISTINCT, GROUP BY, set operation), or has
/// no single way to its output. Models that did not opt in are not listed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotCarried {
    pub model: String,
    pub table: String,
    pub column: String,
    pub reason: String,
}

/// Adapts every model that an addition or substitution reaches, and proves each: parsed again it is the original
/// plus inserted projections, it resolves against `sources` (the *new* schemas), and no existing output column changed
/// name, place (partition columns stay last) or type. What cannot be proven is a problem: the caller makes it breaking.
/// `promised` says in which order the models knew the columns, which `*` and a position in ORDER BY rest on.
///
/// A carried text column is trimmed and its empty value becomes NULL; the output name is snake_case; a name that the
/// model already has is refused (a problem).
pub fn adapt(
    graph: &Graph,
    promised: &[Table],
    sources: &[Table],
    additions: &[Addition],
    substitutions: &[Substitution],
) -> Result<Adaptation, Problems> {
    let arrivals = additions.iter().map(|addition| Arrival {
        addition,
        table: addition.table.to_lowercase(),
        column: addition.column.to_lowercase(),
        cleaned: false,
    });
    let before = before(promised, sources, additions, substitutions);
    let mut adapter = Adapter {
        substitutions,
        arrivals: arrivals.collect(),
        before: Known::new(graph, &before),
        after: Known::new(graph, sources),
        adaptation: Adaptation::default(),
    };
    let mut problems = Vec::new();
    for model in graph.order.iter().filter_map(|name| graph.models.get(name)) {
        if let Err(Problems(found)) = adapter.model(model) {
            problems.extend(found);
        }
    }
    Problems::or(problems, adapter.adaptation)
}

/// The tables as the models know them: without what was added, with the columns that substitutions stand for, in the order
/// that was promised.
fn before(promised: &[Table], sources: &[Table], additions: &[Addition], substitutions: &[Substitution]) -> Vec<Table> {
    let mut tables = sources.to_vec();
    for table in &mut tables {
        let is_added = |column: &Column| {
            additions
                .iter()
                .any(|addition| same_name(&addition.table, &table.name) && same_name(&addition.column, &column.name))
        };
        table.columns.retain(|column| !is_added(column));
        for substitution in substitutions.iter().filter(|other| same_name(other.table(), &table.name)) {
            let name = substitution.column();
            let data_type = substitution.data_type().clone();
            let now = substitution.name_now();
            match table.columns.iter_mut().find(|column| same_name(&column.name, now)) {
                Some(column) => *column = Column::new(name, data_type),
                None => table.columns.push(Column::new(name, data_type)),
            }
        }
        if let Some(promised) = promised.iter().find(|promised| same_name(&promised.name, &table.name)) {
            in_order_of(&mut table.columns, &promised.columns);
            in_order_of(&mut table.partition_keys, &promised.partition_keys);
        }
    }
    tables
}

/// Only those that are promised, and in that order.
fn in_order_of(columns: &mut Vec<Column>, promised: &[Column]) {
    let place = |column: &Column| promised.iter().position(|other| same_name(&other.name, &column.name));
    columns.retain(|column| place(column).is_some());
    columns.sort_by_key(place);
}

/// Goes through the models in build order.
struct Adapter<'a> {
    substitutions: &'a [Substitution],
    arrivals: Vec<Arrival<'a>>,
    /// Columns of every table, as the original models see them.
    before: Known<'a>,
    /// The same as the adapted models see them.
    after: Known<'a>,
    adaptation: Adaptation,
}

impl Adapter<'_> {
    fn model(&mut self, model: &Model) -> Result<(), Problems> {
        let mut old = resolve_model(model, &self.before.read_by(model))?;
        // Known even if the model cannot be adapted: those who read it are judged on their own.
        self.before.insert(&model.name, &old.columns);
        self.after.insert(&model.name, &old.columns);
        Problems::or(std::mem::take(&mut old.problems), ())?;
        let known = self.arrivals.len();
        let adapted = self.adapted(model, &old).inspect_err(|_| self.arrivals.truncate(known))?;
        if adapted.text != model.text {
            self.adaptation.models.push(adapted);
        }
        Ok(())
    }

    fn adapted(&mut self, model: &Model, old: &Resolved) -> Result<Model, Problems> {
        let adapted = self.carried(&self.substituted(model)?)?;
        let is_adapted = adapted.text != model.text;
        let new = prove::keeps_columns(old, &adapted, is_adapted, &self.after.read_by(&adapted), self.substitutions)?;
        self.after.insert(&model.name, &new);
        Ok(adapted)
    }

    fn substituted(&self, model: &Model) -> Result<Model, Problems> {
        if !self.substitutions.iter().any(|other| model.reads.contains(&other.table().to_lowercase())) {
            return Ok(model.clone());
        }
        let source = read(model)?;
        let query = Query::of(&source);
        let resolved = resolve::resolve(&model.file, &source, &query, &self.before.read_by(model));
        let edits = substitute::edits(model, &source, &query, &resolved, self.substitutions)?;
        Model::parse(&model.file, &edit::apply(&model.text, &edits).0)
    }

    fn carried(&mut self, model: &Model) -> Result<Model, Problems> {
        let reached: Vec<Arrival> =
            self.arrivals.iter().filter(|arrival| model.reads.contains(&arrival.table)).cloned().collect();
        if reached.is_empty() {
            return Ok(model.clone());
        }
        let source = read(model)?;
        let query = Query::of(&source);
        let mut carrier = Carrier::new(model, &source, &query);
        let mut problems = Vec::new();
        for arrival in reached {
            match carrier.carry(&arrival) {
                Ok(Carried::As { column, cleaned }) => {
                    self.arrivals.push(Arrival { table: model.name.clone(), column, cleaned, ..arrival });
                }
                Ok(Carried::Not { reason }) => self.adaptation.not_carried.push(NotCarried {
                    model: model.name.clone(),
                    table: arrival.addition.table.clone(),
                    column: arrival.addition.column.clone(),
                    reason,
                }),
                Ok(Carried::Ignored) => {}
                Err(Problems(found)) => problems.extend(found),
            }
        }
        let (text, inserted) = edit::apply(&model.text, &carrier.edits);
        Problems::or(problems, ())?;
        let adapted = Model::parse(&model.file, &text)?;
        if !prove::is_original_plus(&source, &read(&adapted)?, &inserted) {
            let message = "the adapted SQL is not the original plus inserted columns";
            return Err(Problem::new(&model.file, "", message, "adapt the model by hand").into());
        }
        Ok(adapted)
    }
}
