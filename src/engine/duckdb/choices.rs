//! What only types decide, and DuckDB alone knows them: whether a quotient is of decimals, whether an array is one of rows,
//! whether both sides of a USING are of one type.
//!
//! Such a node is written in the form that most have, with a guard: where the types are others, the guard names a type that
//! does not exist, and DuckDB's complaint tells the node's number. Then the statement is translated again.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;

use polyglot_sql::expressions::Expression;

use super::rewrite::call;

/// What DuckDB complained about, by the node.
#[derive(Debug, Default)]
pub(super) struct Learned(BTreeMap<usize, Vec<String>>);

impl Learned {
    /// Notes what a message says of a node; false if that is nothing, or nothing new.
    pub(super) fn note(&mut self, message: &str, tried: &[Tried]) -> bool {
        let missed = || tried.iter().find(|tried| tried.missed(message)).map(|it| (it.node, it.relation.clone()));
        let Some((node, said)) = complaint(message).or_else(missed) else { return false };
        let known = self.0.entry(node).or_default();
        let is_new = !known.contains(&said);
        known.push(said);
        is_new
    }
}

/// The number of the node that DuckDB complained about, and what it was told to say of it.
fn complaint(message: &str) -> Option<(usize, String)> {
    let (_, rest) = message.split_once("ATHENA_CHOICE_")?;
    let (number, rest) = rest.split_once('_')?;
    let said = rest.split(|c: char| !c.is_ascii_hexdigit()).next()?;
    let bytes = (0..said.len()).step_by(2).map(|at| u8::from_str_radix(said.get(at..at + 2)?, 16).ok());
    Some((number.parse().ok()?, String::from_utf8(bytes.collect::<Option<_>>()?).ok()?))
}

/// A relation that was taken for the one that has a column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Tried {
    node: usize,
    relation: String,
    column: String,
}

impl Tried {
    /// True if the message says that the relation has no such column. In a nested query DuckDB looks for both in the query
    /// around, and does not find the relation there.
    fn missed(&self, message: &str) -> bool {
        let of_relation = format!("\"{}\" does not have a column named \"{}\"", self.relation, self.column);
        let nowhere = format!("Referenced table \"{}\" not found", self.relation);
        [of_relation, nowhere].iter().any(|said| message.to_lowercase().contains(&said.to_lowercase()))
    }
}

/// The types of two columns.
pub(super) enum Types {
    /// Taken to be one type; a guard complains if they are not.
    One(Expression),
    Two(String, String),
}

/// The nodes of one statement that types decide, in the order in which they are met.
pub(super) struct Choices<'a> {
    learned: &'a Learned,
    met: RefCell<Vec<Option<String>>>,
    tried: RefCell<Vec<Tried>>,
    is_open: Cell<bool>,
}

impl<'a> Choices<'a> {
    pub(super) fn new(learned: &'a Learned) -> Self {
        Self { learned, met: RefCell::default(), tried: RefCell::default(), is_open: Cell::default() }
    }

    /// True if there is a guard.
    pub(super) fn is_open(&self) -> bool {
        self.is_open.get()
    }

    /// Relations that were taken for those that have a column.
    pub(super) fn tried(self) -> Vec<Tried> {
        self.tried.into_inner()
    }

    /// A guard for the next node, which complains if the condition holds; `None` if DuckDB did so. Nodes with the same key
    /// are one, as GROUP BY wants.
    pub(super) fn guard(&self, key: Option<String>, condition: Expression) -> Option<Expression> {
        let node = self.node(key);
        let guard = || self.complaining(call("athena_unless", vec![condition, number(node)]));
        (!self.learned.0.contains_key(&node)).then(guard)
    }

    /// The types of two columns that the next node brings together.
    pub(super) fn types(&self, first: Expression, second: Expression) -> Types {
        let node = self.node(None);
        let known = self.learned.0.get(&node).and_then(|said| said.last()?.split_once('/'));
        known.map_or_else(
            || {
                let types = [first, second].map(|column| call("athena_type", vec![column]));
                let told = types.into_iter().chain([number(node)]).collect();
                Types::One(self.complaining(call("athena_unless_one", told)))
            },
            |(first, second)| Types::Two(first.to_owned(), second.to_owned()),
        )
    }

    /// Which of several relations has a column: the first of which DuckDB did not say that it has none.
    pub(super) fn owner(&self, relations: &[&str], column: &str) -> Option<usize> {
        let node = self.node(None);
        let at = self.learned.0.get(&node).map_or(0, Vec::len);
        let relation = (*relations.get(at)?).to_owned();
        self.tried.borrow_mut().push(Tried { node, relation, column: column.to_owned() });
        Some(at)
    }

    fn node(&self, key: Option<String>) -> usize {
        let mut met = self.met.borrow_mut();
        let known = met.iter().position(|other| key.is_some() && *other == key);
        known.unwrap_or_else(|| {
            met.push(key);
            met.len() - 1
        })
    }

    fn complaining(&self, name: Expression) -> Expression {
        self.is_open.set(true);
        typed(name)
    }
}

fn number(node: usize) -> Expression {
    Expression::number(i64::try_from(node).expect("counts nodes"))
}

/// A NULL of the type that a text names.
pub(super) fn typed(name: Expression) -> Expression {
    call("FROM_JSON", vec![Expression::string("null"), name])
}

pub(super) fn type_of(value: Expression) -> Expression {
    call("TYPEOF", vec![value])
}
