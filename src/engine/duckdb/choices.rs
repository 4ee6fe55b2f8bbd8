//! What only types decide, and DuckDB alone knows them: whether a quotient is of decimals, whether an array is one of rows.
//!
//! Such a node is written in the form that most have, with a guard: where the types are others, the guard names a type that
//! does not exist, and DuckDB's complaint tells the node's number. Then the statement is translated again.

use std::cell::RefCell;
use std::collections::BTreeSet;

use polyglot_sql::expressions::{BinaryOp, Expression, Identifier, LambdaExpr};
use polyglot_sql::{Dialect, DialectType};

use super::rewrite::call;

/// The nodes of one statement that types decide, in the order in which they are met; equal ones are one, as GROUP BY wants.
pub(super) struct Choices<'a> {
    /// Those that DuckDB complained about.
    other: &'a BTreeSet<usize>,
    met: RefCell<Vec<String>>,
}

impl<'a> Choices<'a> {
    pub(super) fn new(other: &'a BTreeSet<usize>) -> Self {
        Self { other, met: RefCell::default() }
    }

    /// True if a node is still in the form that most have.
    pub(super) fn is_open(&self) -> bool {
        self.met.borrow().len() > self.other.len()
    }

    /// A guard for the next node, which complains if the condition holds; `None` if DuckDB did so.
    pub(super) fn guard(&self, condition: Expression) -> Option<Expression> {
        let text = Dialect::get(DialectType::DuckDB).generate(&condition).unwrap_or_default();
        let mut met = self.met.borrow_mut();
        let node = met.iter().position(|other| *other == text).unwrap_or_else(|| {
            met.push(text);
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
fn typed(name: Expression) -> Expression {
    call("FROM_JSON", vec![Expression::string("null"), name])
}

pub(super) fn type_of(value: Expression) -> Expression {
    call("TYPEOF", vec![value])
}

/// `a / b`: decimals have a quotient of their own.
pub(super) fn divide(op: BinaryOp, choices: &Choices<'_>) -> Expression {
    let (left, right) = (operand(op.left), operand(op.right));
    let types = vec![type_of(left.clone()), type_of(right.clone())];
    match choices.guard(call("athena_divides_decimals", types)) {
        Some(guard) => call("athena_divide", vec![left, right, guard]),
        None => quotient(left, right),
    }
}

/// The quotient of decimals: its type follows from theirs.
fn quotient(left: Expression, right: Expression) -> Expression {
    let pair = || Expression::column("athena_pair");
    let of_types =
        |name: &str| call(name, vec![call("athena_left_type", vec![pair()]), call("athena_right_type", vec![pair()])]);
    let last_digit = call("FROM_JSON", vec![of_types("athena_last_digit"), of_types("athena_last_digit_type")]);
    let lambda = LambdaExpr {
        parameters: vec![Identifier::new("athena_pair")],
        body: call("athena_division", vec![pair(), last_digit, typed(of_types("athena_quotient_type"))]),
        colon: true,
        parameter_types: Vec::new(),
    };
    let pairs = call("athena_pair", vec![left, right]);
    call("athena_quotient", vec![call("LIST_TRANSFORM", vec![pairs, Expression::Lambda(Box::new(lambda))])])
}

/// A side of an operator. A sum of integers is a bigint, where DuckDB's is wider, and would widen decimals.
pub(super) fn operand(side: Expression) -> Expression {
    match side {
        Expression::Sum(_) => {
            let total = typed(call("athena_total_type", vec![type_of(side.clone())]));
            call("CAST_TO_TYPE", vec![side, total])
        }
        side => side,
    }
}
