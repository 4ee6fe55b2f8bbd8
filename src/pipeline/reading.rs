//! What models make of tables whose types are others than they were promised.

use std::collections::BTreeSet;

use super::Project;
use crate::contract::Contract;
use crate::drift::Promotion;
use crate::schema::{DataType, Table, same_name};
use crate::sql::{Graph, Loss, Misread, Substitution, TypeEffect, field_problems};

/// Whether somebody has said yes to the types that there are now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reading {
    Unaccepted,
    /// What nothing counts is told with the question.
    Accepted,
}

/// What the models make of the tables as they are from now on; see [`field_problems`]. What nothing counts is a problem until
/// somebody has said yes.
pub(super) fn misread(
    project: &Project,
    crawled: &[Contract],
    sources: &[Table],
    substitutions: &[Substitution],
    reading: Reading,
) -> Misread {
    let graph = &project.graph;
    let promised = clones(of_models(graph, crawled.iter().map(|contract| &contract.table)));
    let sources = clones(of_models(graph, sources.iter()));
    let effect = match reading {
        Reading::Unaccepted => effect_on_models,
        Reading::Accepted => effect_once_accepted,
    };
    let Misread { mut problems, mut casts } = field_problems(graph, &promised, &sources, substitutions, &effect);
    for cast in &mut casts {
        cast.loss = as_promised(&cast.loss, &promised);
        if reading == Reading::Unaccepted && cast.loss == Loss::Uncounted {
            problems.push(cast.problem.clone());
        }
    }
    Misread { problems, casts }
}

/// Table and column as the contract spells them. What is no column of a source nothing counts.
fn as_promised(loss: &Loss, promised: &[Table]) -> Loss {
    let Loss::Counted { table, column } = loss else { return Loss::Uncounted };
    let table = promised.iter().find(|promised| same_name(&promised.name, table));
    match table.and_then(|table| Some((table, table.column(column)?))) {
        Some((table, column)) => Loss::Counted { table: table.name.clone(), column: column.name.clone() },
        None => Loss::Uncounted,
    }
}

/// The tables that models read. The others, however many, have no say in SQL.
pub(super) fn of_models<'a>(graph: &Graph, tables: impl Iterator<Item = &'a Table>) -> Vec<&'a Table> {
    let read = read(graph);
    tables.filter(|table| read.contains(table.name.to_lowercase().as_str())).collect()
}

pub(super) fn read(graph: &Graph) -> BTreeSet<&str> {
    graph.models.values().flat_map(|model| &model.reads).map(String::as_str).collect()
}

pub(super) fn clones(tables: Vec<&Table>) -> Vec<Table> {
    tables.into_iter().cloned().collect()
}

/// What a change of type that nobody has accepted does to what models make of the value.
fn effect_on_models(before: &DataType, after: &DataType) -> TypeEffect {
    match effect_once_accepted(before, after) {
        TypeEffect::None if !computes_alike(before, after) => TypeEffect::Computed,
        effect => effect,
    }
}

/// Who accepts a wider type wants what models make of it.
fn effect_once_accepted(before: &DataType, after: &DataType) -> TypeEffect {
    match Promotion::of(before, after) {
        Promotion::Identical | Promotion::Widening => TypeEffect::None,
        Promotion::Narrowing | Promotion::Lossy | Promotion::Incompatible => TypeEffect::Value,
    }
}

/// True if every expression gives the same for a value of the wider type. The fields of a struct are looked at one by one.
fn computes_alike(before: &DataType, after: &DataType) -> bool {
    use DataType::{Array, BigInt, Decimal, Int, Map, SmallInt, String, Struct, TinyInt, Varchar};
    match (before, after) {
        (TinyInt | SmallInt | Int | BigInt, TinyInt | SmallInt | Int | BigInt) => true,
        (String | Varchar(_), String | Varchar(_)) | (Struct(_), Struct(_)) => true,
        (Decimal { scale: before, .. }, Decimal { scale: after, .. }) => before == after,
        (Array(before), Array(after)) => computes_alike(before, after),
        (Map(key, value), Map(key_after, value_after)) => {
            computes_alike(key, key_after) && computes_alike(value, value_after)
        }
        (before, after) => before == after,
    }
}
