//! Aggregates that DuckDB writes in another way.

use polyglot_sql::expressions::{AggFunc, AggregateFunction, Case, CountFunc, Expression, Filter, WithinGroup};
use polyglot_sql::{Dialect, DialectType};

use super::rewrite::{Rewritten, call};

/// Of no row DuckDB's own makes NULL, Athena 0.
pub(super) fn count_if(count: AggFunc) -> Expression {
    let one = Case {
        operand: None,
        whens: vec![(count.this, Expression::number(1))],
        else_: None,
        comments: Vec::new(),
        inferred_type: None,
    };
    Expression::Count(Box::new(CountFunc {
        this: Some(Expression::Case(Box::new(one))),
        star: false,
        distinct: count.distinct,
        filter: count.filter,
        ignore_nulls: None,
        original_name: None,
        inferred_type: None,
    }))
}

/// `map_agg(k, v)`: pairs that come twice are one, a NULL key is left out.
pub(super) fn map_agg(args: Vec<Expression>, filter: Option<Expression>) -> Rewritten {
    let [key, value] = <[Expression; 2]>::try_from(args).map_err(|_| "map_agg without a key and a value".to_owned())?;
    let known = call("athena_known", vec![key.clone()]);
    let mut entries = aggregate("LIST", vec![call("athena_entry", vec![key, value])]);
    (entries.distinct, entries.filter) = (true, Some(known));
    let all = call("athena_map_of", vec![Expression::AggregateFunction(Box::new(entries))]);
    match filter {
        Some(condition) => filtered(Filter { this: Box::new(all), expression: Box::new(condition) }),
        None => Ok(all),
    }
}

/// `listagg(x, separator) WITHIN GROUP (ORDER BY …)`.
pub(super) fn within_group(group: WithinGroup) -> Rewritten {
    let (name, mut args, distinct) = match group.this {
        Expression::Function(function) => (function.name, function.args, function.distinct),
        Expression::AggregateFunction(function) => (function.name, function.args, function.distinct),
        _ => return Err("WITHIN GROUP of this function".to_owned()),
    };
    if name != "athena_listagg" || args.is_empty() || args.len() > 2 {
        return Err("WITHIN GROUP of anything but listagg(x, separator)".to_owned());
    }
    let separator = if args.len() == 2 { args.remove(1) } else { Expression::string("") };
    let listed = args.remove(0);
    let mut list = aggregate("STRING_AGG", vec![call("athena_listed", vec![listed.clone()]), separator]);
    let text = |value: &Expression| Dialect::get(DialectType::DuckDB).generate(value).ok();
    let (value, mut order) = (text(&listed), group.order_by);
    // DISTINCT is ordered by what it lists alone, in the same words.
    for by in order.iter_mut().filter(|by| text(&by.this) == value) {
        by.this = call("athena_listed", vec![by.this.clone()]);
    }
    (list.distinct, list.order_by) = (distinct, order);
    Ok(Expression::AggregateFunction(Box::new(list)))
}

/// Any other aggregate that the parser has no node for.
pub(super) fn other(mut function: AggregateFunction) -> Rewritten {
    match function.name.as_str() {
        // Until its WITHIN GROUP is met.
        "athena_listagg" => Ok(Expression::AggregateFunction(Box::new(function))),
        "athena_map_agg" if !function.distinct => map_agg(std::mem::take(&mut function.args), function.filter),
        "__WITHIN_GROUP_athena_listagg" if function.args.len() == 2 => {
            let (condition, this) = (function.args.remove(1), function.args.remove(0));
            filtered(Filter { this: Box::new(this), expression: Box::new(condition) })
        }
        name => match name.strip_prefix("athena_") {
            Some(name) => Err(format!("{name} as an aggregate")),
            None => Ok(Expression::AggregateFunction(Box::new(function))),
        },
    }
}

/// `… FILTER (WHERE …)`, put into the aggregate that it filters.
pub(super) fn filtered(filter: Filter) -> Rewritten {
    let Filter { this, expression } = filter;
    match *this {
        Expression::AggregateFunction(mut function) => {
            function.filter = Some(match function.filter.take() {
                Some(other) => call("athena_both", vec![other, *expression]),
                None => *expression,
            });
            Ok(Expression::AggregateFunction(function))
        }
        Expression::Function(mut function) if function.name == "athena_map_of" && function.args.len() == 1 => {
            let entries = function.args.remove(0);
            function.args.push(filtered(Filter { this: Box::new(entries), expression })?);
            Ok(Expression::Function(function))
        }
        _ => Err("FILTER of this function".to_owned()),
    }
}

/// True of what an OVER cannot follow.
pub(super) fn is_made(function: &Expression) -> bool {
    match function {
        Expression::Function(function) => function.name == "athena_map_of",
        Expression::AggregateFunction(function) => function.name == "STRING_AGG",
        _ => false,
    }
}

fn aggregate(name: &str, args: Vec<Expression>) -> AggregateFunction {
    AggregateFunction {
        source_dialect: None,
        name: name.to_owned(),
        args,
        distinct: false,
        filter: None,
        order_by: Vec::new(),
        limit: None,
        ignore_nulls: None,
        inferred_type: None,
    }
}
