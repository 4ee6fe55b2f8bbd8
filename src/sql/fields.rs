//! What models read of columns whose type changed and that nothing stands for: wider ones, and those with other fields.
//!
//! Lineage knows columns. What a model makes of another type is looked at here, at the place that reads it, so that it is a
//! problem of the model and not an error of the engine, or another result.

use std::collections::BTreeSet;
use std::ops::Range;

use polyglot_sql::TokenType as T;

use super::changes::{
    Changed, EffectOf, Fields, TypeEffect, Wider, changed, has_fields, is_reordered, is_same_kind, reshaped, wider,
};
use super::follow::{Follower, LostCast, Outcome, is_inexact};
use super::known::Known;
use super::origins::{Origin, Origins};
use super::outline::Query;
use super::resolve;
use super::resolved::{Columns, Resolved, United};
use super::source::Source;
use super::unnest::Unnested;
use super::values::{self, Cast, Values, Whence};
use super::{Graph, Model, Substitution, tables, types};
use crate::problem::Problem;
use crate::schema::{DataType, Table};

/// A place that reads a column, or something inside it: `r.order.items[1].price`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Access {
    pub tokens: Range<usize>,
    /// The type of the whole, if it is certain.
    pub data_type: Option<DataType>,
    /// What its column comes from, where no type of it is certain.
    pub origins: Origins,
    /// The token of a field that its struct does not have.
    pub unknown: Option<usize>,
    /// True if it is a column, and not something inside one.
    pub is_whole: bool,
    /// The column of a table that it is, under whatever name.
    pub copies: Option<Origin>,
    /// Where a change of type is followed: whose values it has.
    pub values: Values,
}

/// A cast of a model's own that held every value of a column, and does not hold every one that the column may have now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnCast {
    pub loss: Loss,
    /// What it casts to.
    pub data_type: DataType,
    /// Where it stands, and what it loses.
    pub problem: Problem,
}

/// Who tells of what a cast loses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Loss {
    /// A check, which counts it in the values of this column.
    Counted { table: String, column: String },
    /// Nobody: the values are computed first, or stand inside a column.
    Uncounted,
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
        wider: wider(promised, &reshaped, effect),
        told: BTreeSet::new(),
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

/// Goes through the models in build order.
struct FieldReader<'a> {
    effect: EffectOf<'a>,
    before: Known<'a>,
    after: Known<'a>,
    changed: Changed,
    /// Of sources, and of models whose columns come from those.
    wider: Wider,
    /// Casts that were told of, by their file and first token, and of whose values.
    told: BTreeSet<(String, usize, Whence)>,
    found: Misread,
}

impl FieldReader<'_> {
    fn model(&mut self, model: &Model, source: &Source) {
        let query = Query::of(source);
        let old = resolve::followed(&model.file, source, &query, &self.before.read_by(model), self.effect);
        let new = resolve::followed(&model.file, source, &query, &self.after.read_by(model), self.effect);
        let follower = Follower { source, query: &query, effect: self.effect, before: &old, after: &new };
        self.casts(model, &follower);
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
            self.of_no_type(model, follower, before, after);
            return;
        };
        let held = before.map_or_else(Vec::new, |before| values::changed(&before.values, &after.values));
        for pair in held.iter().map(|(_, old, new)| (old, new)) {
            let behind = follower.lost(&after.tokens, pair).filter(|_| old == new);
            for lost in behind.into_iter().chain(follower.lost_inside(&after.tokens, pair)) {
                self.lost(model, source, lost, &held);
            }
        }
        if old == new {
            return;
        }
        let shown = source.slice(&after.tokens);
        match self.outcome(follower, after, old, new) {
            Outcome::Same => {}
            Outcome::Lost(lost) => self.lost(model, source, lost, &held),
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

    /// Casts of values that may be wider now.
    fn casts(&mut self, model: &Model, follower: &Follower<'_>) {
        let source = follower.source;
        for (&start, after) in &follower.after.casts {
            let Some(before) = follower.before.casts.get(&start) else { continue };
            let written = source.slice(&after.to);
            let known = types::from_dml(written);
            if known.is_none() && holds_all(written) {
                continue;
            }
            let to = known.clone().unwrap_or_else(|| DataType::parse(written));
            let is_told = follower.after.accesses.iter().any(|access| access.tokens == after.value);
            let holds = |data_type: &DataType| {
                (self.effect)(data_type, &to) != TypeEffect::Value || types::shows(data_type, &to)
            };
            for (from, old, new) in values::changed(&before.values, &after.values) {
                // A column that is cast with its fields is told of where it is read. Nobody knows what an unknown type holds.
                if is_told && has_fields(&new) || known.is_some() && (!holds(&old) || holds(&new)) {
                    continue;
                }
                self.told.insert((model.file.clone(), start, from.clone()));
                let is_bare = |cast: &Cast| cast.values.get(&from).is_some_and(|held| held.is_bare);
                let loss = match &from {
                    Whence::Column((table, column))
                        if known.is_some() && !to.is_nested() && is_bare(before) && is_bare(after) =>
                    {
                        Loss::Counted { table: table.clone(), column: column.clone() }
                    }
                    _ => Loss::Uncounted,
                };
                let written = source.slice(&(start..after.to.end + 1));
                let shown = from.shown(&model.file, source).unwrap_or_else(|| source.slice(&after.value).to_owned());
                let message = format!("`{written}` held every value while `{shown}` was {old}, and it is {new}");
                let wider = types::to_dml(&new).unwrap_or_else(|| new.to_string());
                let help = match from {
                    Whence::Inside(..) => format!("cast to {wider}: nothing counts what is lost inside a column"),
                    _ => format!(
                        "cast to {wider}, or cast the column itself, before anything else is made of it: what that loses is counted"
                    ),
                };
                let problem = Problem::new(&model.file, source.place(start), message, help);
                self.tell(OwnCast { loss, data_type: to.clone(), problem });
            }
        }
    }

    /// Notes a cast, once for each column that it loses values of, and once for all that nothing counts.
    fn tell(&mut self, cast: OwnCast) {
        let is_there =
            |known: &OwnCast| (&known.problem.file, &known.problem.place) == (&cast.problem.file, &cast.problem.place);
        let is_told = |known: &OwnCast| is_there(known) && known.loss == cast.loss;
        if !self.found.casts.iter().any(is_told) {
            self.found.casts.push(cast);
        }
    }

    /// What no type is known of may be any value of the columns that it comes from.
    fn of_no_type(&mut self, model: &Model, follower: &Follower<'_>, before: Option<&Access>, after: &Access) {
        let origins = before.into_iter().chain([after]).flat_map(|access| access.origins.iter());
        let mut pairs = origins.filter_map(|origin| self.wider.get(origin)).flatten();
        if let Some(lost) = pairs.find_map(|(old, new)| follower.lost(&after.tokens, (old, new))) {
            self.lost(model, follower.source, lost, &[]);
        }
    }

    /// A cast inside a column, or of what is computed, unless it was told of these very values.
    fn lost(&mut self, model: &Model, source: &Source, lost: LostCast, values: &[(Whence, DataType, DataType)]) {
        let is_told = |from: &Whence| self.told.contains(&(model.file.clone(), lost.cast.start, from.clone()));
        if !values.is_empty() && values.iter().all(|(from, ..)| is_told(from)) {
            return;
        }
        let LostCast { cast, to, old, new } = lost;
        let message = format!("`{}` held every value of what was {old} and is {new}", source.slice(&cast));
        let wider = types::to_dml(&new).unwrap_or_else(|| new.to_string());
        let help = format!("cast to {wider}: nothing counts what is lost inside a column, or of what is computed");
        let problem = Problem::new(&model.file, source.place(cast.start), message, help);
        self.tell(OwnCast { loss: Loss::Uncounted, data_type: to, problem });
    }

    fn outcome(&self, follower: &Follower<'_>, access: &Access, old: &DataType, new: &DataType) -> Outcome {
        let same_if = |holds: bool| if holds { Outcome::Same } else { Outcome::Other };
        let effect = (self.effect)(old, new);
        if is_same_kind(old, new) {
            if is_reordered(old, new) {
                return same_if(follower.reads_by_name(&access.tokens, old, new));
            }
            // Fields are looked at where they are read. A CAST, as one to a row or to JSON, reads them all.
            let reads_fields = || is_cast(follower.source, &access.tokens) && has_fields(new);
            let is_flowing = || effect != TypeEffect::Computed || follower.is_output(&access.tokens);
            return same_if(!reads_fields() && is_flowing());
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
                self.lost(model, source, lost, &[]);
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
            let wider = output.origins.iter().filter_map(|origin| self.wider.get(origin)).flatten();
            let wider: BTreeSet<(DataType, DataType)> = wider.cloned().collect();
            if !wider.is_empty() {
                self.wider.insert(this.clone(), wider);
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

/// True for a type that this program does not know and that holds what a column may have: all of it, or a time with its zone.
fn holds_all(written: &str) -> bool {
    let written = written.trim().to_lowercase();
    written == "json" || written.starts_with("timestamp")
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
