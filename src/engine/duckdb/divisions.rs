//! Divisions: decimals have a quotient of their own, and only DuckDB knows which sides are decimals.

use std::cell::RefCell;

use polyglot_sql::expressions::{Expression, Function, Identifier, LambdaExpr};
use polyglot_sql::traversal::transform_all;
use polyglot_sql::{Dialect, DialectType};

use super::choices::{Choices, type_of, typed};
use super::rewrite::{call, string};

/// A division with its scope, between `scoped` and `divide`.
const SCOPED: &str = "athena_scoped_division";

/// A statement in which each division tells its scope. The same text is of the same types only within one query, and
/// within lambdas of calls that read alike.
pub(super) fn scoped(statement: Expression) -> polyglot_sql::Result<Expression> {
    let scopes = RefCell::new(Vec::new());
    transform_all(statement, &|node| match node {
        Expression::Select(_) | Expression::Union(_) | Expression::Intersect(_) | Expression::Except(_) => {
            let mut scopes = scopes.borrow_mut();
            scopes.push(None);
            within(node, scopes.len() - 1)
        }
        Expression::Function(mut function) if function.args.iter().any(is_lambda) => {
            let call = text(&Expression::Function(function.clone()));
            for lambda in function.args.iter_mut().filter(|arg| is_lambda(arg)) {
                let scope = scope(&mut scopes.borrow_mut(), format!("{} in {call}", text(lambda)));
                *lambda = within(std::mem::replace(lambda, Expression::null()), scope)?;
            }
            Ok(Expression::Function(function))
        }
        other => Ok(other),
    })
}

fn is_lambda(argument: &Expression) -> bool {
    matches!(argument, Expression::Lambda(_))
}

fn text(node: &Expression) -> String {
    Dialect::get(DialectType::DuckDB).generate(node).unwrap_or_default()
}

/// The number of the scope with this text.
fn scope(scopes: &mut Vec<Option<String>>, text: String) -> usize {
    let text = Some(text);
    scopes.iter().position(|known| *known == text).unwrap_or_else(|| {
        scopes.push(text);
        scopes.len() - 1
    })
}

/// The node, its divisions in this scope, too.
fn within(node: Expression, scope: usize) -> polyglot_sql::Result<Expression> {
    let named = |left, right, scope| call(SCOPED, vec![left, right, Expression::string(scope)]);
    transform_all(node, &|node| {
        Ok(match node {
            Expression::Div(op) => named(op.left, op.right, scope.to_string()),
            Expression::Function(function) if function.name == SCOPED => {
                let (left, right, inner) = sides(*function);
                named(left, right, format!("{scope}.{inner}"))
            }
            other => other,
        })
    })
}

/// The sides and the scope of a scoped division.
fn sides(function: Function) -> (Expression, Expression, String) {
    let [left, right, scope] = <[Expression; 3]>::try_from(function.args).expect("made by `within`");
    let scope = string(&scope).expect("made by `within`").to_owned();
    (left, right, scope)
}

pub(super) fn is_scoped(function: &Function) -> bool {
    function.name == SCOPED
}

/// `a / b` of a scope. Both sides are bound once, as a chain of divisions would grow with each use of its left side.
pub(super) fn divide(division: Function, choices: &Choices<'_>) -> Expression {
    let (left, right, scope) = sides(division);
    let (left, right) = (operand(left), operand(right));
    let key = format!("{scope}: {} / {}", text(&left), text(&right));
    match choices.guard(Some(key), of_types("athena_divides_decimals")) {
        Some(guard) => {
            let body = call("athena_divide", vec![pair(), guard]);
            call("athena_divided", vec![of_pair(left, right, body)])
        }
        None => quotient(left, right),
    }
}

/// The quotient of decimals: its type follows from theirs.
fn quotient(left: Expression, right: Expression) -> Expression {
    let last_digit = call("FROM_JSON", vec![of_types("athena_last_digit"), of_types("athena_last_digit_type")]);
    let body = call("athena_division", vec![pair(), last_digit, typed(of_types("athena_quotient_type"))]);
    call("athena_quotient", vec![of_pair(left, right, body)])
}

fn pair() -> Expression {
    Expression::column("athena_pair")
}

/// What the macro makes of the types of both sides.
fn of_types(name: &str) -> Expression {
    call(name, vec![call("athena_left_type", vec![pair()]), call("athena_right_type", vec![pair()])])
}

/// A list of one, made of the pair of both sides.
fn of_pair(left: Expression, right: Expression, body: Expression) -> Expression {
    let lambda =
        LambdaExpr { parameters: vec![Identifier::new("athena_pair")], body, colon: true, parameter_types: Vec::new() };
    call("LIST_TRANSFORM", vec![call("athena_pair", vec![left, right]), Expression::Lambda(Box::new(lambda))])
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

#[cfg(test)]
mod tests {
    use crate::engine::duckdb::choices::Learned;
    use crate::engine::duckdb::translate::translate_with;
    use crate::engine::duckdb::{session, words};

    #[test]
    fn the_quotient_of_decimals_refuses_other_types() {
        let connection = session::open(None).unwrap();
        let run = |select| {
            let mut learned = Learned::default();
            assert!(learned.note("ATHENA_CHOICE_0_", &[]));
            let translated = translate_with("", select, "", &learned).unwrap();
            session::query(&connection, &translated.sql)
        };
        for select in ["SELECT 5 / 2 AS a", "SELECT 5e0 / 2.0 AS a"] {
            let message = words::explained(&run(select).unwrap_err());
            assert!(message.starts_with("the same division has two types"), "{select}: {message}");
        }
        assert_eq!(run("SELECT 5.0 / 2 AS a").unwrap().rows, [[Some("2.5".to_owned())]]);
    }
}
