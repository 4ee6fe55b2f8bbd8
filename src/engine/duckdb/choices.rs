//! What only types decide, and DuckDB alone knows them: whether a quotient is of decimals, whether an array is one of rows.
//!
//! Such a node is written in the form that most have, with a guard: where the types are others, the guard names a type that
//! does not exist, and DuckDB's complaint tells the node's number. Then the statement is translated again.

use std::cell::RefCell;
use std::collections::BTreeSet;

use polyglot_sql::expressions::Expression;

use super::rewrite::call;

/// The nodes of one statement that types decide, in the order in which they are met.
pub(super) struct Choices<'a> {
    /// Those that DuckDB complained about.
    other: &'a BTreeSet<usize>,
    met: RefCell<Vec<Option<String>>>,
}

impl<'a> Choices<'a> {
    pub(super) fn new(other: &'a BTreeSet<usize>) -> Self {
        Self { other, met: RefCell::default() }
    }

    /// True if a node is still in the form that most have.
    pub(super) fn is_open(&self) -> bool {
        self.met.borrow().len() > self.other.len()
    }

    /// A guard for the next node, which complains if the condition holds; `None` if DuckDB did so. Nodes with the same key
    /// are one, as GROUP BY wants.
    pub(super) fn guard(&self, key: Option<String>, condition: Expression) -> Option<Expression> {
        let mut met = self.met.borrow_mut();
        let known = met.iter().position(|other| key.is_some() && *other == key);
        let node = known.unwrap_or_else(|| {
            met.push(key);
            met.len() - 1
        });
        let number = Expression::number(i64::try_from(node).expect("counts nodes"));
        (!self.other.contains(&node)).then(|| typed(call("athena_unless", vec![condition, number])))
    }
}

/// The number of the node that DuckDB complained about.
pub(super) fn complaint(message: &str) -> Option<usize> {
    let (_, rest) = message.split_once("ATHENA_CHOICE_")?;
    rest.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok()
}

/// A NULL of the type that a text names.
pub(super) fn typed(name: Expression) -> Expression {
    call("FROM_JSON", vec![Expression::string("null"), name])
}

pub(super) fn type_of(value: Expression) -> Expression {
    call("TYPEOF", vec![value])
}
