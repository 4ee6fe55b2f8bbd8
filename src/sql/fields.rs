//! What models read of columns whose type changed and that nothing stands for: wider ones, and those with other fields.
//!
//! Lineage knows columns. What a model makes of another type is looked at here, at the place that reads it, so that it is a
//! problem of the model and not an error of the engine, or another result.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use polyglot_sql::TokenType as T;

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
type EffectOf<'a> = &'a dyn Fn(&DataType, &DataType) -> TypeEffect;

/// A place that reads a column, or something inside it: `r.order.items[1].price`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Access {
    pub tokens: Range<usize>,
    /// The type of the whole, if it is certain.
    pub data_type: Option<DataType>,
    /// The token of a field that its struct does not have.
    pub unknown: Option<usize>,
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
                    return Access { tokens: column.start..at + 2, data_type: None, unknown: Some(at + 1) };
                };
                inner = &field.data_type;
                at += 2;
            }
            (Some(T::LBracket), DataType::Array(item) | DataType::Map(_, item)) => {
                inner = item;
                at = source.after(at);
            }
            _ => return Access { tokens: column.start..at, data_type: Some(inner.clone()), unknown: None },
        }
    }
}

/// Where models read values otherwise than the `found` tables have them: fields that are gone, types that are not what
/// `promised` says where that has an effect, structs with more or fewer fields in an UNNEST, a CAST or a set operation.
///
/// A field whose way is not certain (in a lambda, behind a function) counts by its name alone. One that stands in a CAST is
/// settled. Columns that are substituted are read as they were.
pub fn field_problems(
    graph: &Graph,
    promised: &[Table],
    found: &[Table],
    substitutions: &[Substitution],
    effect: EffectOf,
) -> Vec<Problem> {
    let reshaped = reshaped(promised, found, substitutions, effect);
    let mut reader = FieldReader {
        effect,
        before: Known::new(graph, promised),
        after: Known::new(graph, &reshaped),
        changed: changed(promised, &reshaped, effect),
        problems: Vec::new(),
    };
    for model in graph.order.iter().filter_map(|name| graph.models.get(name)) {
        if let Ok(source) = Source::read(&model.text) {
            reader.model(model, &source);
        }
    }
    reader.problems
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
fn is_reordered(a: &DataType, b: &DataType) -> bool {
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

/// Names of fields that are gone or of another type, by the column that they are in.
type Changed = BTreeMap<(String, String), BTreeSet<String>>;

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

fn changed_fields(before: &DataType, after: &DataType, effect: EffectOf, names: &mut BTreeSet<String>) {
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
                    Some(new) if effect(&old.data_type, &new.data_type) == TypeEffect::None => {}
                    _ => {
                        names.insert(name);
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
    problems: Vec<Problem>,
}

impl FieldReader<'_> {
    fn model(&mut self, model: &Model, source: &Source) {
        let query = Query::of(source);
        let old = resolve::resolve(&model.file, source, &query, &self.before.read_by(model));
        let new = resolve::resolve(&model.file, source, &query, &self.after.read_by(model));
        let mut seen = BTreeSet::new();
        for after in &new.accesses {
            let before = old.accesses.iter().find(|before| before.tokens.start == after.tokens.start);
            if seen.insert(after.tokens.start) {
                self.access(model, source, &query, before, after);
            }
        }
        for (before, after) in old.united.iter().zip(&new.united) {
            self.united(model, source, before, after);
        }
        for after in &new.unnested {
            let before = old.unnested.iter().find(|before| before.token == after.token);
            self.unnested(model, source, before, after);
        }
        self.by_name(model, source, &query, &old);
        self.go_on(model, &old, &new);
    }

    fn access(&mut self, model: &Model, source: &Source, query: &Query, before: Option<&Access>, after: &Access) {
        if let Some(token) = after.unknown {
            self.problems.push(no_field(model, source, after, token));
            return;
        }
        let Some((old, new)) = before.and_then(|before| before.data_type.as_ref()).zip(after.data_type.as_ref()) else {
            return;
        };
        if old == new || self.is_settled(source, query, &after.tokens, old, new) {
            return;
        }
        let shown = source.slice(&after.tokens);
        let message = match (self.effect)(old, new) {
            TypeEffect::Value => format!("`{shown}` was {old} and is {new}"),
            _ => format!("`{shown}` was {old} and is {new}, which changes what is computed from it"),
        };
        let help = match types::to_dml(old) {
            Some(_) if is_same_kind(old, new) => "mend the model by hand for the type that is there now".to_owned(),
            Some(to) => format!("mend the model by hand: `TRY_CAST({shown} AS {to})` keeps what is read there"),
            None => "mend the model by hand".to_owned(),
        };
        self.problems.push(Problem::new(&model.file, source.place(after.tokens.start), message, help));
    }

    /// True if what is made of the value is the same for both types, or flows on as it is.
    fn is_settled(
        &self,
        source: &Source,
        query: &Query,
        tokens: &Range<usize>,
        old: &DataType,
        new: &DataType,
    ) -> bool {
        let is_bare = || query.items().iter().any(|item| item.value == *tokens);
        let effect = (self.effect)(old, new);
        if is_same_kind(old, new) {
            if is_reordered(old, new) {
                // Structs are compared and sorted field by field, in their order. An UNNEST is looked at by itself.
                return is_bare() || (tokens.start > 1 && source.is_word(tokens.start - 2, "unnest"));
            }
            // Fields are looked at where they are read. A CAST, as one to a row or to JSON, reads them all.
            return !is_cast(source, tokens) && (effect != TypeEffect::Computed || is_bare());
        }
        match effect {
            TypeEffect::None => true,
            TypeEffect::Computed => is_bare() || is_compared(source, tokens, old) || is_cast_to(source, tokens, old),
            TypeEffect::Value => is_cast(source, tokens),
        }
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
        self.problems.push(unfit(model, source, after.token, message));
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
            self.problems.push(Problem::new(&model.file, source.place(after.token), message, help));
            return;
        }
        let shown = |side: &Option<DataType>| side.as_ref().map_or_else(|| "?".to_owned(), ToString::to_string);
        let [first, second] = &after.sides;
        let message = format!("`{}` of {} and of {} become one column", after.name, shown(first), shown(second));
        let help = "bring both sides to one type by hand";
        self.problems.push(Problem::new(&model.file, source.place(after.token), message, help));
    }

    /// Fields whose way is not certain, by their name.
    fn by_name(&mut self, model: &Model, source: &Source, query: &Query, old: &Resolved) {
        let named = old.sites.iter().map(|site| (site.table.clone(), site.column.clone()));
        let named: Origins = named.chain(old.columns.rows.clone()).chain(origins(&old.columns)).collect();
        let names: BTreeSet<&String> =
            self.changed.iter().filter(|(column, _)| named.contains(column)).flat_map(|(_, names)| names).collect();
        if names.is_empty() {
            return;
        }
        let mut certain: Vec<Range<usize>> = old.accesses.iter().map(|access| access.tokens.clone()).collect();
        certain.extend(tables::of(source, query).into_iter().map(|table| table.tokens));
        for field in 1..source.tokens.len() {
            let name = source.name(field);
            if source.kind(field - 1) != Some(T::Dot)
                || !names.contains(&name)
                || certain.iter().any(|range| range.contains(&field))
                || is_cast(source, &(field..field + 1))
            {
                continue;
            }
            let message = format!("`.{name}` may read a field that is gone or has another type");
            let help = "take it out of the model by hand, or wrap it in a TRY_CAST to the type it had";
            self.problems.push(Problem::new(&model.file, source.place(field), message, help));
        }
    }

    /// The model's columns, for the models that read it.
    fn go_on(&mut self, model: &Model, old: &Resolved, new: &Resolved) {
        for output in &old.columns.outputs {
            let names: BTreeSet<String> =
                output.origins.iter().filter_map(|origin| self.changed.get(origin)).flatten().cloned().collect();
            if !names.is_empty() {
                self.changed.insert((model.name.clone(), output.name.clone()), names);
            }
        }
        self.before.insert(&model.name, &old.columns);
        self.after.insert(&model.name, &new.columns);
    }
}

fn origins(columns: &Columns) -> impl Iterator<Item = Origin> {
    columns.outputs.iter().flat_map(|output| output.origins.iter().cloned())
}

/// True if the tokens are one side of a comparison, which gives the same for every value that both types hold.
fn is_compared(source: &Source, tokens: &Range<usize>, old: &DataType) -> bool {
    if matches!(old, DataType::Float | DataType::Char(_)) {
        // 0.1 is another number as a double, and a char compares without its spaces.
        return false;
    }
    let compares = |kind: Option<T>| matches!(kind, Some(T::Eq | T::Neq | T::Lt | T::Gt | T::Lte | T::Gte | T::Is));
    let before = tokens.start.checked_sub(1).and_then(|index| source.kind(index));
    let after = source.kind(tokens.end);
    let starts = matches!(before, Some(T::Where | T::On | T::And | T::Or | T::Not | T::When | T::Having | T::LParen));
    let ends = matches!(after, None | Some(T::And | T::Or | T::Then | T::RParen | T::Group | T::GroupBy | T::Having));
    (starts && compares(after)) || (compares(before) && ends)
}

/// True if the tokens are cast to this very type.
fn is_cast_to(source: &Source, tokens: &Range<usize>, data_type: &DataType) -> bool {
    let close = source.find(tokens.end..source.tokens.len(), |index| source.kind(index) == Some(T::RParen));
    let written = close.map(|close| source.slice(&(tokens.end + 1..close)).to_lowercase());
    is_cast(source, tokens) && written.is_some() && written == types::to_dml(data_type)
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
