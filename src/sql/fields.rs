//! What models read of columns whose type changed and that nothing stands for: wider ones, and those with other fields.
//!
//! Lineage knows columns. What a model makes of another type is looked at here, at the place that reads it, so that it is a
//! problem of the model and not an error of the engine, or another result.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use polyglot_sql::TokenType as T;

use super::follow::{Follower, LostInside, Outcome, is_inexact};
use super::known::Known;
use super::origins::{Origin, Origins};
use super::outline::Query;
use super::resolve::{self, Columns, Resolved, United};
use super::source::Source;
use super::unnest::Unnested;
use super::{Graph, Model, Substitution, tables, types};
use crate::problem::Problem;
use crate::schema::{Column, DataType, Table, same_name};

/// What a change of type does to what reads the value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TypeEffect {
    /// Nothing: whatever is made of the value stays what it is.
    None,
    /// The value stays, and what is computed from it may not: `7 / 2` is 3, `7.0 / 2` is 3.5.
    Computed,
    /// The value may be another.
    Value,
}

/// The effect of a change of type: before, after.
pub(super) type EffectOf<'a> = &'a dyn Fn(&DataType, &DataType) -> TypeEffect;

/// A place that reads a column, or something inside it: `r.order.items[1].price`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Access {
    pub tokens: Range<usize>,
    /// The type of the whole, if it is certain.
    pub data_type: Option<DataType>,
    /// The token of a field that its struct does not have.
    pub unknown: Option<usize>,
    /// True if it is a column, and not something inside one.
    pub is_whole: bool,
    /// The column of a table that it is, under whatever name.
    pub copies: Option<Origin>,
}

/// A cast of a model's own that held every value of a column, and does not hold every one that the column may have now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnCast {
    /// Table and column whose values are cast; none if they are computed first, or stand inside a column.
    pub of: Option<(String, String)>,
    /// What it casts to.
    pub data_type: DataType,
    /// Where it stands, and what it loses.
    pub problem: Problem,
}

/// What models make of values that are of other types now.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Misread {
    pub problems: Vec<Problem>,
    pub casts: Vec<OwnCast>,
}

/// Follows fields and subscripts from the token after a column of type `data_type`.
pub(super) fn walk(source: &Source, column: Range<usize>, data_type: &DataType) -> Access {
    let mut at = column.end;
    let mut inner = data_type;
    loop {
        match (source.kind(at), inner) {
            (Some(T::Dot), DataType::Struct(fields)) => {
                let name = source.name(at + 1);
                let Some(field) = fields.iter().find(|field| field.name.to_lowercase() == name) else {
                    return Access { tokens: column.start..at + 2, unknown: Some(at + 1), ..Access::default() };
                };
                inner = &field.data_type;
                at += 2;
            }
            (Some(T::LBracket), DataType::Array(item) | DataType::Map(_, item)) => {
                inner = item;
                at = source.after(at);
            }
            _ => {
                let (data_type, is_whole) = (Some(inner.clone()), at == column.end);
                return Access { tokens: column.start..at, data_type, is_whole, ..Access::default() };
            }
        }
    }
}

/// Where models read values otherwise than the `found` tables have them: fields that are gone, types that are not what
/// `promised` says where that has an effect, structs with more or fewer fields in an UNNEST, a CAST or a set operation.
///
/// A field whose way is not certain (in a lambda, behind a function) counts by its name alone. One that stands in a CAST is
/// settled. Columns that are substituted are read as they were. A wider value is followed to what is made of it, and a cast of the
/// model's own that no longer holds it is told by itself: it loses values, and says nothing.
pub fn field_problems(
    graph: &Graph,
    promised: &[Table],
    found: &[Table],
    substitutions: &[Substitution],
    effect: EffectOf,
) -> Misread {
    let reshaped = reshaped(promised, found, substitutions, effect);
    let mut reader = FieldReader {
        effect,
        before: Known::new(graph, promised),
        after: Known::new(graph, &reshaped),
        changed: changed(promised, &reshaped, effect),
        copies: BTreeMap::new(),
        found: Misread::default(),
    };
    for model in graph.order.iter().filter_map(|name| graph.models.get(name)) {
        if let Ok(source) = Source::read(&model.text) {
            reader.model(model, &source);
        }
    }
    reader.found
}

/// What is wrong inside columns of the very tables that a model was resolved over.
pub(super) fn misread(model: &Model, source: &Source, resolved: &Resolved) -> Vec<Problem> {
    let mut seen = BTreeSet::new();
    let accesses = resolved.accesses.iter().filter(|access| seen.insert(access.tokens.start));
    let unknown = accesses.filter_map(|access| Some(no_field(model, source, access, access.unknown?)));
    let unnested = resolved.unnested.iter().filter(|unnested| !unnested.fits);
    let unfit = |unnested: &Unnested| unfit(model, source, unnested.token, UNFIT);
    unknown.chain(unnested.map(unfit)).collect()
}

fn no_field(model: &Model, source: &Source, access: &Access, token: usize) -> Problem {
    let known = source.slice(&(access.tokens.start..token - 1));
    let message = format!("`{known}` has no field `{}`", source.name(token));
    let help = "take the field out of the model by hand, or bring it back at its source";
    Problem::new(&model.file, source.place(token), message, help)
}

const UNFIT: &str = "UNNEST gives more or fewer columns than are named: one for each field of a struct";

fn unfit(model: &Model, source: &Source, token: usize, message: &str) -> Problem {
    Problem::new(&model.file, source.place(token), message, "name the columns that it gives now, by hand")
}

/// The promised tables, with wider columns and what is inside columns as it was found.
fn reshaped(promised: &[Table], found: &[Table], substitutions: &[Substitution], effect: EffectOf) -> Vec<Table> {
    let mut tables = promised.to_vec();
    let found: BTreeMap<&str, &Table> = found.iter().map(|table| (table.name.as_str(), table)).collect();
    for table in &mut tables {
        let Some(found) = found.get(table.name.as_str()) else { continue };
        for column in &mut table.columns {
            let stays = |other: &Column| {
                is_same_kind(&column.data_type, &other.data_type)
                    || effect(&column.data_type, &other.data_type) != TypeEffect::Value
            };
            let substituted = substitutions.iter().any(|other| other.is_of(&table.name, &column.name));
            if let Some(other) = found.column(&column.name).filter(|other| !substituted && stays(other)) {
                column.data_type = other.data_type.clone();
            }
        }
    }
    tables
}

fn is_same_kind(a: &DataType, b: &DataType) -> bool {
    use DataType::{Array, Map, Struct};
    matches!((a, b), (Array(_), Array(_)) | (Map(..), Map(..)) | (Struct(_), Struct(_)))
}

/// True if fields that both have stand in another order, at any depth.
pub(super) fn is_reordered(a: &DataType, b: &DataType) -> bool {
    use DataType::{Array, Map, Struct};
    match (a, b) {
        (Array(a), Array(b)) => is_reordered(a, b),
        (Map(key, value), Map(other_key, other)) => is_reordered(key, other_key) || is_reordered(value, other),
        (Struct(a), Struct(b)) => {
            let place = |name: &str| b.iter().position(|field| same_name(&field.name, name));
            let places: Vec<usize> = a.iter().filter_map(|field| place(&field.name)).collect();
            let inside = a.iter().filter_map(|field| Some((field, &b[place(&field.name)?])));
            !places.is_sorted()
                || inside.into_iter().any(|(field, other)| is_reordered(&field.data_type, &other.data_type))
        }
        _ => false,
    }
}

/// Names of fields that are gone or of another type, by the column that they are in; with both types where the other is wider and
/// has no effect but in a cast.
type Changed = BTreeMap<(String, String), Fields>;

type Fields = BTreeSet<(String, Option<(DataType, DataType)>)>;

fn changed(promised: &[Table], reshaped: &[Table], effect: EffectOf) -> Changed {
    let mut changed = Changed::new();
    for (before, after) in promised.iter().zip(reshaped) {
        for (old, new) in before.columns.iter().zip(&after.columns) {
            let mut names = BTreeSet::new();
            changed_fields(&old.data_type, &new.data_type, effect, &mut names);
            if !names.is_empty() {
                changed.insert((before.name.to_lowercase(), old.name.to_lowercase()), names);
            }
        }
    }
    changed
}

fn changed_fields(before: &DataType, after: &DataType, effect: EffectOf, names: &mut Fields) {
    match (before, after) {
        (DataType::Array(before), DataType::Array(after)) => changed_fields(before, after, effect, names),
        (DataType::Map(_, before), DataType::Map(_, after)) => changed_fields(before, after, effect, names),
        (DataType::Struct(before), DataType::Struct(after)) => {
            for old in before {
                let name = old.name.to_lowercase();
                match after.iter().find(|new| new.name.to_lowercase() == name) {
                    Some(new) if is_same_kind(&old.data_type, &new.data_type) => {
                        changed_fields(&old.data_type, &new.data_type, effect, names);
                    }
                    Some(new) if old.data_type == new.data_type => {}
                    Some(new) if effect(&old.data_type, &new.data_type) == TypeEffect::None => {
                        names.insert((name, Some((old.data_type.clone(), new.data_type.clone()))));
                    }
                    _ => {
                        names.insert((name, None));
                    }
                }
            }
        }
        _ => {}
    }
}

/// Goes through the models in build order.
struct FieldReader<'a> {
    effect: EffectOf<'a>,
    before: Known<'a>,
    after: Known<'a>,
    changed: Changed,
    /// Columns of models that are columns of sources: which.
    copies: BTreeMap<Origin, Origin>,
    found: Misread,
}

impl FieldReader<'_> {
    fn model(&mut self, model: &Model, source: &Source) {
        let query = Query::of(source);
        let old = resolve::followed(&model.file, source, &query, &self.before.read_by(model));
        let new = resolve::followed(&model.file, source, &query, &self.after.read_by(model));
        let follower = Follower { source, query: &query, effect: self.effect, before: &old, after: &new };
        let mut seen = BTreeSet::new();
        for after in &new.accesses {
            let before = old.accesses.iter().find(|before| before.tokens.start == after.tokens.start);
            if seen.insert(after.tokens.start) {
                self.access(model, &follower, before, after);
            }
        }
        for (before, after) in old.united.iter().zip(&new.united) {
            self.united(model, source, before, after);
        }
        for after in &new.unnested {
            let before = old.unnested.iter().find(|before| before.token == after.token);
            self.unnested(model, source, before, after);
        }
        self.by_name(model, &follower);
        self.go_on(model, &old, &new);
    }

    fn access(&mut self, model: &Model, follower: &Follower<'_>, before: Option<&Access>, after: &Access) {
        let source = follower.source;
        if let Some(token) = after.unknown {
            self.found.problems.push(no_field(model, source, after, token));
            return;
        }
        let Some((old, new)) = before.and_then(|before| before.data_type.as_ref()).zip(after.data_type.as_ref()) else {
            return;
        };
        if old == new {
            return;
        }
        if let Some(lost) = follower.lost_inside(&after.tokens, (old, new)) {
            self.lost(model, source, lost);
        }
        let shown = source.slice(&after.tokens);
        match self.outcome(follower, after, old, new) {
            Outcome::Same => {}
            Outcome::Lost { cast, to, is_value } => {
                let column = after.copies.as_ref().filter(|_| is_value);
                let of = column.map(|column| self.copies.get(column).unwrap_or(column).clone());
                let written = source.slice(&cast);
                let message = format!("`{written}` held every value while `{shown}` was {old}, and it is {new}");
                let wider = types::to_dml(new).unwrap_or_else(|| new.to_string());
                let help = match after.is_whole {
                    true => format!(
                        "cast to {wider}, or cast `{shown}` itself, before anything else is made of it: what that loses is counted"
                    ),
                    false => format!("cast to {wider}: nothing counts what is lost inside a column"),
                };
                let problem = Problem::new(&model.file, source.place(cast.start), message, help);
                self.found.casts.push(OwnCast { of, data_type: to, problem });
            }
            Outcome::Other => {
                let message = match (self.effect)(old, new) {
                    TypeEffect::Value => format!("`{shown}` was {old} and is {new}"),
                    _ => format!("`{shown}` was {old} and is {new}, which changes what is computed from it"),
                };
                let is_counted = after.copies.is_some();
                let help = match types::to_dml(old).filter(|_| !is_same_kind(old, new)) {
                    Some(to) if is_counted => format!(
                        "mend the model by hand for {new}; or write `TRY_CAST({shown} AS {to})`: what that rounds or makes NULL a \
                         check counts, and none may be"
                    ),
                    Some(to) => format!(
                        "mend the model by hand for {new}: `TRY_CAST({shown} AS {to})` rounds, or makes NULL, what is no {to}, and \
                         nothing counts it"
                    ),
                    None => "mend the model by hand for the type that is there now".to_owned(),
                };
                self.found.problems.push(Problem::new(&model.file, source.place(after.tokens.start), message, help));
            }
        }
    }

    /// A cast inside a column, or of what is made of its parts.
    fn lost(&mut self, model: &Model, source: &Source, lost: LostInside) {
        let LostInside { cast, to, old, new } = lost;
        let message = format!("`{}` held every value of what was {old} and is {new}", source.slice(&cast));
        let wider = types::to_dml(&new).unwrap_or_else(|| new.to_string());
        let help = format!("cast to {wider}: nothing counts what is lost inside a column");
        let problem = Problem::new(&model.file, source.place(cast.start), message, help);
        self.found.casts.push(OwnCast { of: None, data_type: to, problem });
    }

    fn outcome(&self, follower: &Follower<'_>, access: &Access, old: &DataType, new: &DataType) -> Outcome {
        let same_if = |holds: bool| if holds { Outcome::Same } else { Outcome::Other };
        let effect = (self.effect)(old, new);
        if is_same_kind(old, new) {
            if is_reordered(old, new) {
                return same_if(follower.reads_by_name(&access.tokens, old, new));
            }
            // Fields are looked at where they are read. A CAST, as one to a row or to JSON, reads them all.
            let is_flowing = || effect != TypeEffect::Computed || follower.is_output(&access.tokens);
            return same_if(!is_cast(follower.source, &access.tokens) && is_flowing());
        }
        // Of a column, it is what a model made: a sum.
        if effect == TypeEffect::Value && !(access.is_whole && is_inexact((old, new))) {
            return same_if(is_cast(follower.source, &access.tokens));
        }
        follower.outcome(&access.tokens, old, new)
    }

    /// UNNEST gives a struct's fields by their place.
    fn unnested(&mut self, model: &Model, source: &Source, before: Option<&Unnested>, after: &Unnested) {
        let fitted = before.is_some_and(|before| before.fits);
        let message = match before {
            Some(before) if fitted && after.fits && before.fields != after.fields => {
                "UNNEST gives columns by their place, and the struct has its fields in another order now"
            }
            _ if after.fits => return,
            _ if fitted => "UNNEST gives other columns than it did: the struct has more or fewer fields now",
            _ => UNFIT,
        };
        self.found.problems.push(unfit(model, source, after.token, message));
    }

    /// A set operation, and a USING, bring both sides to one type; two structs have to have the same fields.
    fn united(&mut self, model: &Model, source: &Source, before: &United, after: &United) {
        if before.sides == after.sides {
            return;
        }
        if let Some(common) = after.common() {
            // A wider side may make other values of the other side: a bigint as a double loses digits.
            let Some(old) = before.common().filter(|old| (self.effect)(old, &common) == TypeEffect::Value) else {
                return;
            };
            let message = format!("`{}` was {old} and becomes {common}, values of the other side too", after.name);
            let help = "CAST both sides to the type that is wanted, by hand";
            self.found.problems.push(Problem::new(&model.file, source.place(after.token), message, help));
            return;
        }
        let shown = |side: &Option<DataType>| side.as_ref().map_or_else(|| "?".to_owned(), ToString::to_string);
        let [first, second] = &after.sides;
        let message = format!("`{}` of {} and of {} become one column", after.name, shown(first), shown(second));
        let help = "bring both sides to one type by hand";
        self.found.problems.push(Problem::new(&model.file, source.place(after.token), message, help));
    }

    /// Fields whose way is not certain, by their name.
    fn by_name(&mut self, model: &Model, follower: &Follower<'_>) {
        let (source, old) = (follower.source, follower.before);
        let named = old.sites.iter().map(|site| (site.table.clone(), site.column.clone()));
        let named: Origins = named.chain(old.columns.rows.clone()).chain(origins(&old.columns)).collect();
        let names: Vec<(String, Option<(DataType, DataType)>)> = self
            .changed
            .iter()
            .filter(|(column, _)| named.contains(column))
            .flat_map(|(_, names)| names)
            .cloned()
            .collect();
        if names.is_empty() {
            return;
        }
        let mut certain: Vec<Range<usize>> = old.accesses.iter().map(|access| access.tokens.clone()).collect();
        certain.extend(tables::of(source, follower.query).into_iter().map(|table| table.tokens));
        for field in 1..source.tokens.len() {
            let name = source.name(field);
            if source.kind(field - 1) != Some(T::Dot) || certain.iter().any(|range| range.contains(&field)) {
                continue;
            }
            let here = field..field + 1;
            let wider = names.iter().filter(|(other, _)| *other == name).filter_map(|(_, wider)| wider.as_ref());
            if let Some(lost) = wider.filter_map(|(old, new)| follower.enclosing_cast(&here, (old, new))).next() {
                self.lost(model, source, lost);
            }
            if !names.contains(&(name.clone(), None)) || is_cast(source, &here) {
                continue;
            }
            let message = format!("`.{name}` may read a field that is gone or has another type");
            let help =
                "take it out of the model by hand, or wrap it in a TRY_CAST to the type it had, which nothing counts";
            self.found.problems.push(Problem::new(&model.file, source.place(field), message, help));
        }
    }

    /// The model's columns, for the models that read it.
    fn go_on(&mut self, model: &Model, old: &Resolved, new: &Resolved) {
        for output in &old.columns.outputs {
            let names: Fields =
                output.origins.iter().filter_map(|origin| self.changed.get(origin)).flatten().cloned().collect();
            let this = (model.name.clone(), output.name.clone());
            if let Some(column) = output.copied() {
                let of = self.copies.get(column).unwrap_or(column).clone();
                self.copies.insert(this.clone(), of);
            }
            if !names.is_empty() {
                self.changed.insert(this, names);
            }
        }
        self.before.insert(&model.name, &old.columns);
        self.after.insert(&model.name, &new.columns);
    }
}

fn origins(columns: &Columns) -> impl Iterator<Item = Origin> {
    columns.outputs.iter().flat_map(|output| output.origins.iter().cloned())
}

/// True if the tokens are all that a CAST or TRY_CAST casts.
fn is_cast(source: &Source, tokens: &Range<usize>) -> bool {
    let is_path = |at: &usize| matches!(source.kind(*at), Some(T::Dot | T::Var | T::QuotedIdentifier));
    // Of a path whose base is not known, the tokens are the end alone.
    let Some(open) = (0..tokens.start).rev().find(|at| !is_path(at)) else { return false };
    let is_opened = source.partner(open).is_some_and(|close| close > open);
    let casts = open > 0 && matches!(source.name(open - 1).as_str(), "cast" | "try_cast");
    is_opened && casts && source.kind(tokens.end) == Some(T::As)
}
