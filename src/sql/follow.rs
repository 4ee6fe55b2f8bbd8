//! What becomes of a value whose type is another: followed outward through expressions, to where it no longer matters, is
//! lost in a cast, or may change the result.

use std::ops::Range;

use polyglot_sql::TokenType as T;

use super::changes::{EffectOf, TypeEffect, is_reordered};
use super::operands::Chain;
use super::outline::Query;
use super::outward::{Outward, Role, outward};
use super::resolved::Resolved;
use super::source::Source;
use super::types::{from_dml, number};
use crate::schema::{DataType, StructField, same_name};

/// What the other type leads to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Outcome {
    /// Nothing: what is made of the value stays what it is, or flows on.
    Same,
    /// A cast of what no type is known of, or one around another, which may lose what it held.
    Lost(LostCast),
    /// Another result, or none that is known to be the same.
    Other,
}

/// A cast that no longer holds what is made of a value, or of a part of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct LostCast {
    pub cast: Range<usize>,
    pub to: DataType,
    pub old: DataType,
    pub new: DataType,
}

/// A pair of types: before, after.
type Pair<'a> = (&'a DataType, &'a DataType);

/// Follows values of one model, resolved over the types before and after.
pub(super) struct Follower<'a> {
    pub source: &'a Source<'a>,
    pub query: &'a Query,
    pub effect: EffectOf<'a>,
    pub before: &'a Resolved,
    pub after: &'a Resolved,
}

impl Follower<'_> {
    pub fn outcome(&self, value: &Range<usize>, old: &DataType, new: &DataType) -> Outcome {
        let (mut at, mut pair) = (value.clone(), (old, new));
        loop {
            let is_free = (self.effect)(pair.0, pair.1) == TypeEffect::None;
            if pair.0 == pair.1 {
                return Outcome::Same;
            }
            if self.is_output(&at) {
                let is_kept = is_free || !is_inexact(pair) || !self.is_distinct(&at);
                return if is_kept { Outcome::Same } else { Outcome::Other };
            }
            let Some(next) = outward(self.source, &at) else { break };
            if let Role::Cast { to } = &next.role {
                return self.cast(&next, to, pair);
            }
            if !is_free && !self.is_harmless(&at, &next, pair) {
                return Outcome::Other;
            }
            let Some(whole) = next.whole else { return Outcome::Same };
            let (Some(before), Some(after)) = (type_of(self.before, &whole), type_of(self.after, &whole)) else {
                break;
            };
            pair = (before, after);
            if (self.effect)(before, after) == TypeEffect::Value && !is_inexact(pair) {
                break;
            }
            at = whole;
        }
        match (self.effect)(old, new) {
            TypeEffect::None => self.lost(value, (old, new)).map_or(Outcome::Same, Outcome::Lost),
            _ => Outcome::Other,
        }
    }

    pub fn is_output(&self, value: &Range<usize>) -> bool {
        self.query.items().iter().any(|item| item.value == *value)
    }

    /// True for an output column of a SELECT DISTINCT, or one that a GROUP BY may name by its place.
    fn is_distinct(&self, value: &Range<usize>) -> bool {
        let is_place = |at: usize| {
            matches!(self.source.kind(at), Some(T::GroupBy | T::By)) && self.source.kind(at + 1) == Some(T::Number)
        };
        if (0..self.source.tokens.len()).any(is_place) {
            return true;
        }
        let select = (0..value.start).rev().find(|&at| self.source.kind(at) == Some(T::Select));
        select.is_some_and(|select| self.source.kind(select + 1) == Some(T::Distinct))
    }

    /// What becomes of the value in the cast that stands around it. What that loses of a known value `FieldReader::casts` tells.
    fn cast(&self, next: &Outward, to: &Range<usize>, pair: Pair<'_>) -> Outcome {
        let is_free = (self.effect)(pair.0, pair.1) == TypeEffect::None;
        let target = from_dml(self.source.slice(to));
        let holds = |data_type: &DataType| {
            target.as_ref().is_some_and(|target| (self.effect)(data_type, target) != TypeEffect::Value)
        };
        let is_same = match target.as_ref().map(|target| (target, holds(pair.0), holds(pair.1))) {
            Some((_, true, false)) => return Outcome::Same,
            Some((target, ..)) if is_inexact(pair) && target == pair.1 => true,
            Some((target, true, true)) => number(target, target).is_some() || *target == DataType::Timestamp,
            _ => false,
        };
        if !is_same && !is_free {
            return Outcome::Other;
        }
        // What holds the value before and after hides it from whatever casts that again.
        let beyond = next.whole.as_ref().and_then(|whole| self.enclosing_cast(whole, pair));
        beyond.map_or(Outcome::Same, Outcome::Lost)
    }

    /// The cast that loses what is made of a value, where no type of that is known.
    pub fn lost(&self, value: &Range<usize>, pair: Pair<'_>) -> Option<LostCast> {
        self.cast_within(value.start, &self.reach(value), pair)
    }

    /// A cast around a value, or around what a lambda beside it makes of it, however deep.
    pub fn enclosing_cast(&self, value: &Range<usize>, pair: Pair<'_>) -> Option<LostCast> {
        self.cast_within(value.start, &(0..self.source.tokens.len()), pair)
    }

    /// The cast of what an array or a map has inside, at any depth, that no longer holds it, where it is wider now.
    pub fn lost_inside(&self, value: &Range<usize>, pair: Pair<'_>) -> Option<LostCast> {
        inside(pair).into_iter().find_map(|pair| {
            let is_wider = pair.0 != pair.1 && (self.effect)(pair.0, pair.1) == TypeEffect::None;
            let lost = is_wider.then(|| self.lost(value, pair)).flatten();
            lost.or_else(|| self.lost_inside(value, pair))
        })
    }

    /// As far outward as the value may still be seen: to what is compared, or is of one type whatever the value's is.
    fn reach(&self, value: &Range<usize>) -> Range<usize> {
        let mut at = value.clone();
        while let Some(next) = outward(self.source, &at).filter(|next| !matches!(next.role, Role::Cast { .. })) {
            let Some(whole) = next.whole else { return at };
            if self.types(&whole).is_some_and(|(before, after)| before == after) {
                return whole;
            }
            at = whole;
        }
        0..self.source.tokens.len()
    }

    fn cast_within(&self, value: usize, within: &Range<usize>, pair: Pair<'_>) -> Option<LostCast> {
        let source = self.source;
        let mut at = value;
        while let Some((open, close)) = source.around(at).filter(|(open, _)| within.contains(open)) {
            let is_cast = open > 0 && ["cast", "try_cast"].contains(&source.name(open - 1).as_str());
            let target = source.find(open + 1..close, |index| source.kind(index) == Some(T::As));
            if let Some(target) = target.filter(|_| is_cast) {
                let to = from_dml(source.slice(&(target + 1..close)));
                let holds = |data_type: &DataType, to: &DataType| (self.effect)(data_type, to) != TypeEffect::Value;
                let loses = |to: &&DataType| holds(pair.0, to) && !holds(pair.1, to);
                if let Some(to) = to.filter(|to| loses(&to) || leaves(to).iter().any(loses)) {
                    let (old, new) = (pair.0.clone(), pair.1.clone());
                    return Some(LostCast { cast: open - 1..close + 1, to, old, new });
                }
            }
            let beside = source.split(open + 1..close).into_iter().filter(|part| !part.contains(&value));
            for (parameters, body) in beside.filter_map(|part| self.lambda(&part)) {
                let mut places = body.clone().filter(|&at| parameters.contains(&source.name(at)));
                if let Some(lost) = places.find_map(|place| self.cast_within(place, &body, pair)) {
                    return Some(lost);
                }
            }
            at = open;
        }
        None
    }

    /// A lambda's parameters, and its body.
    fn lambda(&self, lambda: &Range<usize>) -> Option<(Vec<String>, Range<usize>)> {
        let source = self.source;
        let arrow = source.find(lambda.clone(), |at| source.kind(at) == Some(T::Arrow))?;
        let names = |at: &usize| !matches!(source.kind(*at), Some(T::LParen | T::RParen | T::Comma));
        let parameters = (lambda.start..arrow).filter(names).map(|at| source.name(at)).collect();
        Some((parameters, arrow + 1..lambda.end))
    }

    /// True if what is made of the value is the same for every value that both types hold.
    fn is_harmless(&self, value: &Range<usize>, next: &Outward, pair: Pair<'_>) -> bool {
        if matches!(pair.0, DataType::Char(_)) {
            // It compares without the spaces at its end.
            return false;
        }
        let is_beside = |other: &Range<usize>| self.is_exact_beside(other, pair);
        match &next.role {
            Role::Itself | Role::Signed | Role::Tested | Role::Sorted => true,
            Role::Grouped => !is_inexact(pair),
            Role::Equal => !is_inexact(pair) && self.is_comparable(next, pair),
            Role::Ordered => self.is_comparable(next, pair),
            Role::Result => next.beside.iter().all(is_beside),
            Role::Calculated(chain) => self.calculates_alike(value, chain, pair),
            Role::Argument { function, index, is_distinct } => {
                (!is_distinct || !is_inexact(pair)) && self.takes_alike(function, *index, next, pair)
            }
            Role::Cast { .. } => false,
        }
    }

    /// A float has other digits as a double, which a whole number shows in neither.
    fn is_comparable(&self, next: &Outward, pair: Pair<'_>) -> bool {
        let is_whole = |other: &Range<usize>| {
            let data_type = self.types(other).filter(|(before, after)| before == after);
            data_type.is_some_and(|(before, _)| is_integer(before))
        };
        *pair.0 != DataType::Float || next.beside.iter().all(is_whole)
    }

    fn types(&self, range: &Range<usize>) -> Option<Pair<'_>> {
        type_of(self.before, range).zip(type_of(self.after, range))
    }

    /// True if bringing another value to the new type leaves it what it is: of a bigint a double does not hold every digit, and
    /// a decimal is exact. One that is NULL is brought to anything.
    fn is_exact_beside(&self, other: &Range<usize>, pair: Pair<'_>) -> bool {
        use DataType::{Double, Float, Int, SmallInt, TinyInt};
        if other.len() == 1 && self.source.kind(other.start) == Some(T::Null) {
            return true;
        }
        let is_exact = |other: &DataType| match pair.1 {
            Double => matches!(other, TinyInt | SmallInt | Int | Double) || *pair.0 == Float && *other == Float,
            Float => matches!(other, TinyInt | SmallInt | Float | Double),
            _ => other == pair.0 || other == pair.1,
        };
        self.types(other).is_some_and(|(before, after)| is_exact(before) && is_exact(after))
    }

    /// Adding, subtracting and multiplying give the same in whole numbers and in doubles; dividing does not, unless one of the
    /// two sides was a double already.
    fn calculates_alike(&self, value: &Range<usize>, chain: &Chain, pair: Pair<'_>) -> bool {
        let number_of = |operand: &Range<usize>| match operand == value {
            true => Some(pair.0.clone()),
            false => type_of(self.before, operand).cloned(),
        };
        let mut before = chain.operands.first().and_then(number_of);
        let divides_alike = chain.operators.iter().zip(&chain.operands[1..]).all(|(operator, operand)| {
            let other = number_of(operand);
            let was_double = [&before, &other].into_iter().any(|side| *side == Some(DataType::Double));
            // In `a + b / c` what is divided is not all that stands before it.
            let is_alike = match operator {
                T::Plus | T::Dash | T::Star => true,
                T::Slash => was_double && !chain.operators.iter().any(|other| matches!(other, T::Plus | T::Dash)),
                _ => false,
            };
            before = before.take().zip(other).and_then(|(before, other)| number(&before, &other));
            is_alike
        });
        let mut others = chain.operands.iter().filter(|operand| *operand != value);
        number(pair.0, pair.1).is_some() && divides_alike && others.all(|other| self.is_exact_beside(other, pair))
    }

    /// True if a function makes the same of the value, or a value of its type.
    /// <https://trino.io/docs/current/functions/list.html>
    fn takes_alike(&self, function: &str, index: usize, next: &Outward, pair: Pair<'_>) -> bool {
        let is_number = number(pair.0, pair.1).is_some();
        let is_first = index == 0;
        match function {
            "count" | "any_value" | "arbitrary" | "try" | "first_value" | "last_value" | "nth_value" => is_first,
            "lag" | "lead" => is_first && next.beside.iter().skip(1).all(|other| self.is_exact_beside(other, pair)),
            "min" | "max" => is_first && next.beside.is_empty(),
            "min_by" | "max_by" => true,
            // Sums of whole numbers are exact in a double up to 2^53, and in a float up to 2^24.
            "sum" => is_number && is_first && *pair.1 == DataType::Double,
            "avg" | "abs" | "round" | "floor" | "ceil" | "ceiling" | "sqrt" | "cbrt" | "ln" | "log2" | "log10"
            | "exp" | "stddev" | "stddev_pop" | "stddev_samp" | "variance" | "var_pop" | "var_samp" => {
                is_number && is_first
            }
            "power" | "pow" => is_number,
            "coalesce" | "greatest" | "least" => next.beside.iter().all(|other| self.is_exact_beside(other, pair)),
            "if" => index > 0 && next.beside.iter().skip(1).all(|other| self.is_exact_beside(other, pair)),
            "nullif" => !is_inexact(pair) && self.is_comparable(next, pair),
            "year" | "quarter" | "month" | "week" | "day" | "day_of_week" | "day_of_month" | "day_of_year" => {
                !is_number
            }
            _ => false,
        }
    }

    /// True if of a struct, or an array of them, whose fields stand in another order nothing but fields by their names is read.
    /// Structs are compared and sorted field by field, in their order. An UNNEST is looked at by itself.
    pub fn reads_by_name(&self, value: &Range<usize>, old: &DataType, new: &DataType) -> bool {
        let source = self.source;
        let (mut at, mut pair) = (value.clone(), (old, new));
        loop {
            if self.is_output(&at) || !is_reordered(pair.0, pair.1) {
                return true;
            }
            if source.kind(at.end) == Some(T::Dot) {
                let name = source.name(at.end + 1);
                let Some(fields) = field(pair.0, &name).zip(field(pair.1, &name)) else { return false };
                (at.end, pair) = (at.end + 2, fields);
                continue;
            }
            let Some(next) = outward(source, &at) else { return false };
            let (Role::Argument { function, index: 0, is_distinct: false }, Some(whole)) = (&next.role, next.whole)
            else {
                return next.role == Role::Tested;
            };
            match function.as_str() {
                "unnest" | "cardinality" | "count" => return true,
                "element_at" => {
                    let Some(items) = item(pair.0).zip(item(pair.1)) else { return false };
                    pair = items;
                }
                "filter" | "transform" | "any_match" | "all_match" | "none_match" | "reduce" => {
                    let lambda = next.beside.get(usize::from(function == "reduce"));
                    let Some(items) = item(pair.0).zip(item(pair.1)) else { return false };
                    if !lambda.is_some_and(|lambda| self.names_fields(lambda, items)) {
                        return false;
                    }
                    if function != "filter" {
                        return true;
                    }
                }
                _ => return false,
            }
            at = whole;
        }
    }

    /// True if a lambda reads nothing of its last parameter but fields, by their names.
    fn names_fields(&self, lambda: &Range<usize>, pair: Pair<'_>) -> bool {
        let source = self.source;
        let Some((parameters, body)) = self.lambda(lambda) else { return false };
        let Some(last) = parameters.last() else { return false };
        let is_parameter = |&at: &usize| source.name(at) == *last && source.kind(at - 1) != Some(T::Dot);
        body.filter(is_parameter).all(|at| {
            let name = source.name(at + 2);
            let fields = field(pair.0, &name).zip(field(pair.1, &name));
            source.kind(at + 1) == Some(T::Dot) && fields.is_some_and(|(old, new)| !is_reordered(old, new))
        })
    }
}

/// True if the new type does not hold all that the old one does: a sum of whole numbers that became one of doubles.
pub(super) fn is_inexact(pair: Pair<'_>) -> bool {
    matches!(pair, (DataType::BigInt, DataType::Double))
}

fn is_integer(data_type: &DataType) -> bool {
    use DataType::{BigInt, Int, SmallInt, TinyInt};
    matches!(data_type, TinyInt | SmallInt | Int | BigInt)
}

fn type_of<'a>(resolved: &'a Resolved, range: &Range<usize>) -> Option<&'a DataType> {
    resolved.types.get(&(range.start, range.end))?.as_ref()
}

fn field<'a>(data_type: &'a DataType, name: &str) -> Option<&'a DataType> {
    let DataType::Struct(fields) = data_type else { return None };
    let found: Option<&StructField> = fields.iter().find(|field| same_name(&field.name, name));
    found.map(|field| &field.data_type)
}

/// The types of single values that one is made of.
fn leaves(data_type: &DataType) -> Vec<&DataType> {
    match data_type {
        DataType::Array(item) => leaves(item),
        DataType::Map(key, value) => [leaves(key), leaves(value)].concat(),
        DataType::Struct(fields) => fields.iter().flat_map(|field| leaves(&field.data_type)).collect(),
        other => vec![other],
    }
}

/// What two arrays or maps have inside.
fn inside<'a>(pair: Pair<'a>) -> Vec<Pair<'a>> {
    match pair {
        (DataType::Array(old), DataType::Array(new)) => vec![(old, new)],
        (DataType::Map(old_key, old), DataType::Map(new_key, new)) => vec![(old_key, new_key), (old, new)],
        _ => Vec::new(),
    }
}

fn item(data_type: &DataType) -> Option<&DataType> {
    match data_type {
        DataType::Array(item) | DataType::Map(_, item) => Some(item),
        _ => None,
    }
}
