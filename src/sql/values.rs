//! Whose values an expression has, whatever type they were brought to: `CAST(n AS bigint)` has those of `n`, `coalesce(n, m)`
//! those of both. What a wider column newly holds gets as far as its values do.

use std::collections::BTreeMap;
use std::ops::Range;

use polyglot_sql::TokenType as T;

use super::changes::TypeEffect;
use super::fields;
use super::ident;
use super::origins::Origin;
use super::resolve::Resolver;
use super::resolved::Output;
use super::scope::{Lookup, Scope};
use super::source::Source;
use super::types::number;
use crate::schema::DataType;

/// Where values come from.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Whence {
    /// A column of a table that no model makes.
    Column(Origin),
    /// A place inside other values, as it is written.
    Inside(Box<Whence>, String),
    /// What is computed: the file, its first token, and the one behind it.
    Made(String, usize, usize),
}

/// Values in an expression.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Held {
    /// What they were before anything brought them to another type that holds them.
    pub data_type: DataType,
    /// True where a cast left no more of them than its own type has, which is then theirs.
    pub is_cut: bool,
    /// False where they are rounded, or parts of a text.
    pub is_bare: bool,
}

pub(super) type Values = BTreeMap<Whence, Held>;

/// Both together: of values that came on two ways, one of them cut, all that the other has.
pub(super) fn union(mut all: Values, more: Values) -> Values {
    for (from, held) in more {
        match all.get_mut(&from) {
            None => drop(all.insert(from, held)),
            Some(known) => {
                let is_bare = known.is_bare && held.is_bare;
                if known.is_cut
                    && (!held.is_cut || number(&known.data_type, &held.data_type) == Some(held.data_type.clone()))
                {
                    *known = held;
                }
                known.is_bare = is_bare;
            }
        }
    }
    all
}

/// The values whose types are other ones now: before, after.
pub(super) fn changed(before: &Values, after: &Values) -> Vec<(Whence, DataType, DataType)> {
    let pair = |(from, old): (&Whence, &Held)| {
        let new = after.get(from).filter(|new| new.data_type != old.data_type)?;
        Some((from.clone(), old.data_type.clone(), new.data_type.clone()))
    };
    before.iter().filter_map(pair).collect()
}

impl Whence {
    /// As a person finds it in a file; none if it stands in another one.
    pub fn shown(&self, file: &str, source: &Source) -> Option<String> {
        match self {
            Self::Column((_, column)) => Some(ident::plain(column)),
            Self::Inside(from, path) => Some(from.shown(file, source)? + path),
            Self::Made(made_in, start, end) => (made_in == file).then(|| source.slice(&(*start..*end)).to_owned()),
        }
    }
}

/// A cast: `CAST(value AS type)`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Cast {
    pub value: Range<usize>,
    /// The tokens of the type.
    pub to: Range<usize>,
    pub values: Values,
}

/// Functions whose text shows what they are given, or a part of it.
const TEXTS: [&str; 16] = [
    "array_join",
    "concat",
    "concat_ws",
    "lower",
    "lpad",
    "ltrim",
    "regexp_extract",
    "regexp_replace",
    "replace",
    "rpad",
    "rtrim",
    "split_part",
    "substr",
    "substring",
    "trim",
    "upper",
];

impl Output {
    /// The values of a column of a relation; those of a table's column are its own.
    pub fn values(&self) -> Values {
        match (&self.values, self.copied(), &self.data_type) {
            (Some(values), ..) => (**values).clone(),
            (None, Some(column), Some(data_type)) => {
                let held = Held { data_type: data_type.clone(), is_cut: false, is_bare: true };
                Values::from([(Whence::Column(column.clone()), held)])
            }
            _ => Values::new(),
        }
    }
}

impl Resolver<'_> {
    /// Notes the casts of an expression, `nested` queries left out: they have a scope of their own.
    pub(super) fn casts(&mut self, range: &Range<usize>, nested: &[Range<usize>], scope: &Scope) {
        for start in range.clone().filter(|at| !nested.iter().any(|inner| inner.contains(at))) {
            if let Some((value, to)) = self.source.cast(start) {
                let values = self.values_of(&value, scope);
                self.found.casts.insert(start, Cast { value, to, values });
            }
        }
    }

    /// Whose values an expression has; empty if nothing is known of it, its type included.
    pub(super) fn values_of(&self, range: &Range<usize>, scope: &Scope) -> Values {
        let source = self.source;
        let passed = self.column_values(range, scope).or_else(|| {
            if source.kind(range.start) == Some(T::LParen) && source.partner(range.start) == Some(range.end - 1) {
                return Some(self.values_of(&(range.start + 1..range.end - 1), scope));
            }
            if let Some(case) = source.case_of(range) {
                return Some(self.all(&case.results, scope));
            }
            self.of_call(range, scope)
        });
        match passed {
            Some(values) if !values.is_empty() => values,
            _ => self.made(range, scope),
        }
    }

    fn all(&self, ranges: &[Range<usize>], scope: &Scope) -> Values {
        ranges.iter().fold(Values::new(), |all, range| union(all, self.values_of(range, scope)))
    }

    /// What is computed is nobody's but its own.
    fn made(&self, range: &Range<usize>, scope: &Scope) -> Values {
        let data_type = self.remainder(range, scope).or_else(|| self.data_type(range.clone(), scope));
        let from = Whence::Made(self.file.to_owned(), range.start, range.end);
        data_type.map(|data_type| (from, Held { data_type, is_cut: false, is_bare: false })).into_iter().collect()
    }

    /// A remainder is no greater than either side.
    fn remainder(&self, range: &Range<usize>, scope: &Scope) -> Option<DataType> {
        let chain = self.source.chain_of(range)?;
        let [T::Percent | T::Mod] = chain.operators.as_slice() else { return None };
        let side = |index: usize| self.data_type(chain.operands[index].clone(), scope);
        let (of, by) = (side(0)?, side(1)?);
        let wider = number(&of, &by)?;
        Some(if wider == of { by } else { of })
    }

    /// The values of a column, or those that are read inside it.
    fn column_values(&self, range: &Range<usize>, scope: &Scope) -> Option<Values> {
        let mention = self.mentions(range).first().filter(|mention| mention.tokens.start == range.start)?;
        if self.is_parameter(mention) {
            return None;
        }
        let Lookup::Found { output, qualified, .. } = scope.lookup(mention) else { return None };
        let column = range.start..range.start + if qualified { 3 } else { 1 };
        if column == *range {
            return Some(output.values());
        }
        let inside = |(from, held): (Whence, Held)| {
            let access = fields::walk(self.source, column.clone(), &held.data_type);
            let data_type = access.data_type.filter(|_| access.tokens == *range)?;
            let path = self.source.slice(&(column.end..range.end)).to_lowercase();
            Some((Whence::Inside(Box::new(from), path), Held { data_type, ..held }))
        };
        Some(output.values().into_iter().filter_map(inside).collect())
    }

    /// The values that a call passes on; none if it makes others.
    /// <https://trino.io/docs/current/functions/list.html>
    fn of_call(&self, range: &Range<usize>, scope: &Scope) -> Option<Values> {
        if let Some((value, to)) = self.source.cast(range.start).filter(|(_, to)| to.end + 1 == range.end) {
            return self.of_cast(&value, &to, scope);
        }
        let (function, arguments) = self.source.call(range)?;
        let first = arguments.first()?;
        Some(match (function.as_str(), arguments.len()) {
            ("coalesce" | "greatest" | "least", _) => self.all(&arguments, scope),
            ("if", _) => self.all(&arguments[1..], scope),
            ("lag" | "lead", 3) => self.all(&[first.clone(), arguments[2].clone()], scope),
            ("min" | "max", 1) | ("min_by" | "max_by", 2) => self.values_of(first, scope),
            (
                "any_value" | "arbitrary" | "first_value" | "lag" | "last_value" | "lead" | "nth_value" | "nullif"
                | "try",
                _,
            ) => self.values_of(first, scope),
            ("abs" | "ceil" | "ceiling" | "floor" | "round" | "truncate", _) => self.parts(first, scope),
            (name, _) if TEXTS.contains(&name) => {
                let parts = arguments.iter().map(|part| self.parts(part, scope));
                parts.fold(Values::new(), |all, part| union(union(all, items(part.clone())), part))
            }
            ("element_at" | "array_max" | "array_min", _) => items(self.values_of(first, scope)),
            _ => return None,
        })
    }

    /// Whose values an UNNEST gives, by its place; no more than are certain.
    pub(super) fn elements(&self, argument: &Range<usize>, scope: &Scope) -> Vec<Values> {
        let mut places: Vec<Values> = Vec::new();
        for (from, held) in self.values_of(argument, scope) {
            for (place, (from, held)) in elements(from, held).into_iter().enumerate() {
                places.resize(places.len().max(place + 1), Values::new());
                places[place].insert(from, held);
            }
        }
        places
    }

    /// The values as they are no more, but for their digits.
    fn parts(&self, range: &Range<usize>, scope: &Scope) -> Values {
        let part = |(from, held)| (from, Held { is_bare: false, ..held });
        self.values_of(range, scope).into_iter().map(part).collect()
    }

    /// A cast passes on what its type holds, as it was; of what it does not hold, no more than its type has. A text shows all
    /// that it was made of.
    fn of_cast(&self, value: &Range<usize>, to: &Range<usize>, scope: &Scope) -> Option<Values> {
        let target = super::types::from_dml(self.source.slice(to))?;
        let effect = self.follows?;
        let is_text = matches!(target, DataType::String | DataType::Varchar(_));
        let mut values = self.values_of(value, scope);
        for held in values.values_mut() {
            if !is_text && effect(&held.data_type, &target) == TypeEffect::Value {
                (held.data_type, held.is_cut) = (target.clone(), true);
            }
        }
        Some(values)
    }
}

/// The values of the elements of arrays, and of maps.
fn items(values: Values) -> Values {
    let item = |(from, held): (Whence, Held)| match held.data_type {
        DataType::Array(item) | DataType::Map(_, item) => {
            Some((Whence::Inside(Box::new(from), "[]".to_owned()), Held { data_type: *item, ..held }))
        }
        _ => None,
    };
    values.into_iter().filter_map(item).collect()
}

/// What an UNNEST gives of an array or a map, by its place.
fn elements(from: Whence, held: Held) -> Vec<(Whence, Held)> {
    use DataType::{Array, Map, Struct};
    let given = match held.data_type {
        Array(item) => match *item {
            Struct(fields) => {
                fields.into_iter().map(|field| (format!("[].{}", field.name.to_lowercase()), field.data_type)).collect()
            }
            other => vec![("[]".to_owned(), other)],
        },
        Map(key, value) => vec![("[key]".to_owned(), *key), ("[]".to_owned(), *value)],
        _ => Vec::new(),
    };
    let Held { is_cut, is_bare, .. } = held;
    let one = |(path, data_type)| (Whence::Inside(Box::new(from.clone()), path), Held { data_type, is_cut, is_bare });
    given.into_iter().map(one).collect()
}
