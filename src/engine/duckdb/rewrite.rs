//! Single nodes of the AST, where a macro alone cannot carry the meaning over.

use std::collections::BTreeSet;

use polyglot_sql::expressions::{BinaryOp, DateTimeField, Expression, Function, Identifier, Literal, TableRef};

use super::choices::Choices;
use super::patterns::{self, Piece, Reading};
use super::regexes::{self, Group, Use};
use super::{aggregates, casts, divisions, functions, json, star, unnest, using};

pub(super) type Rewritten = Result<Expression, String>;

/// A CTE, or a table of `database`, which is a temporary view; or a refusal.
pub(super) fn table(mut table: TableRef, database: &str, ctes: &BTreeSet<String>) -> Rewritten {
    let name = &table.name.name;
    match &table.schema {
        None if name.is_empty() || ctes.contains(&name.to_ascii_lowercase()) => {}
        None => return Err(format!("`{name}` is read where no table is expected")),
        Some(schema) if !schema.name.eq_ignore_ascii_case(database) => {
            return Err(format!("`{name}` is in another database: {}", schema.name));
        }
        Some(_) => table.schema = Some(Identifier::quoted("temp")),
    }
    if table.catalog.as_ref().is_some_and(|catalog| !catalog.name.eq_ignore_ascii_case("awsdatacatalog")) {
        return Err(format!("`{}` is in another catalog", table.name.name));
    }
    let versions =
        [table.system_time.is_some(), table.when.is_some(), table.version.is_some(), table.changes.is_some()];
    if table.table_sample.is_some() || versions.contains(&true) {
        return Err(format!("`{}` is read at a version or as a sample", table.name.name));
    }
    table.catalog = None;
    Ok(Expression::Table(Box::new(table)))
}

/// Any other node, its children rewritten already.
pub(super) fn node(node: Expression, choices: &Choices<'_>) -> Rewritten {
    match node {
        Expression::Function(function) if divisions::is_scoped(&function) => Ok(divisions::divide(*function, choices)),
        Expression::Function(function) => self::function(*function),
        Expression::Cast(cast) => casts::cast(*cast),
        Expression::TryCast(cast) => Ok(call("TRY", vec![casts::cast(*cast)?])),
        Expression::Mul(op) => Ok(Expression::Mul(Box::new(operands(*op)))),
        Expression::Mod(op) => Ok(binary("athena_modulus", operands(*op))),
        Expression::Add(op) => Ok(plus(operands(*op))),
        Expression::Sub(op) => Ok(minus(operands(*op))),
        Expression::Concat(op) => Ok(joined(*op)),
        Expression::Subscript(subscript) => Ok(call("athena_subscript", vec![subscript.this, subscript.index])),
        Expression::Avg(mut avg) => {
            avg.this = call("athena_not_decimal", vec![avg.this]);
            Ok(Expression::Avg(avg))
        }
        Expression::CountIf(count) => Ok(aggregates::count_if(*count)),
        Expression::Extract(extract) => Ok(call(field(&extract.field)?, vec![extract.this])),
        Expression::Lambda(mut lambda) => {
            lambda.colon = true;
            Ok(Expression::Lambda(lambda))
        }
        Expression::Alias(mut alias) => match std::mem::replace(&mut alias.this, Expression::null()) {
            Expression::Unnest(unnest) => unnest::rewrite(*alias, *unnest, choices),
            this => {
                alias.this = this;
                Ok(Expression::Alias(alias))
            }
        },
        Expression::AggregateFunction(function) => aggregates::other(*function),
        Expression::WithinGroup(group) => aggregates::within_group(*group),
        Expression::Filter(filter) => aggregates::filtered(*filter),
        Expression::WindowFunction(window) if aggregates::is_made(&window.this) => {
            Err("map_agg and listagg with OVER".to_owned())
        }
        Expression::Literal(literal) => self::literal(*literal),
        Expression::Select(select) => star::shared_first(using::of_one_type(*select, choices)?),
        Expression::Star(star) if star.except.is_some() || star.replace.is_some() || star.rename.is_some() => {
            Err("`*` without some columns".to_owned())
        }
        other => Ok(other),
    }
}

/// Text is joined with text alone, where DuckDB makes text of anything.
fn joined(op: BinaryOp) -> Expression {
    Expression::Concat(Box::new(BinaryOp::new(part(op.left), part(op.right))))
}

/// One side of `||`, its type looked at unless it is certain: the macro names its argument several times.
fn part(side: Expression) -> Expression {
    const TEXT: [&str; 11] = [
        "athena_array_join",
        "athena_chr",
        "athena_concat_ws",
        "athena_lower",
        "athena_ltrim",
        "athena_replace",
        "athena_rtrim",
        "athena_split_part",
        "athena_to_varchar",
        "athena_trim",
        "athena_upper",
    ];
    match &side {
        Expression::Concat(_) | Expression::Null(_) | Expression::Subquery(_) => side,
        Expression::Function(function) if TEXT.contains(&function.name.as_str()) => side,
        _ if string(&side).is_some() => side,
        _ => call("athena_joinable", vec![side]),
    }
}

pub(super) fn call(name: &str, args: Vec<Expression>) -> Expression {
    Expression::Function(Box::new(Function { name: name.to_owned(), args, ..Function::default() }))
}

fn binary(name: &str, op: BinaryOp) -> Expression {
    call(name, vec![op.left, op.right])
}

fn number(n: usize) -> Expression {
    Expression::number(i64::try_from(n).expect("counts groups and years"))
}

fn truth(value: bool) -> Expression {
    if value { Expression::true_() } else { Expression::false_() }
}

pub(super) fn string(expression: &Expression) -> Option<&str> {
    match expression {
        Expression::Literal(literal) => match literal.as_ref() {
            Literal::String(text) => Some(text),
            _ => None,
        },
        Expression::Paren(paren) => string(&paren.this),
        _ => None,
    }
}

fn operands(op: BinaryOp) -> BinaryOp {
    BinaryOp { left: divisions::operand(op.left), right: divisions::operand(op.right), ..op }
}

/// A date and an interval make a date in Athena, a timestamp in DuckDB.
fn plus(op: BinaryOp) -> Expression {
    match (&op.left, &op.right) {
        (Expression::Interval(_), _) => call("athena_plus", vec![op.right, op.left]),
        (_, Expression::Interval(_)) => binary("athena_plus", op),
        _ => Expression::Add(Box::new(op)),
    }
}

fn minus(op: BinaryOp) -> Expression {
    if matches!(op.right, Expression::Interval(_)) { binary("athena_less", op) } else { binary("athena_minus", op) }
}

fn literal(literal: Literal) -> Rewritten {
    match &literal {
        Literal::Number(text) if text.contains('.') && !text.contains(['e', 'E']) => return decimal(text),
        Literal::String(_) | Literal::Number(_) | Literal::Date(_) => {}
        Literal::Timestamp(text) => return timestamp(text),
        other => return Err(format!("this kind of literal: {}", other.value_str())),
    }
    Ok(Expression::Literal(Box::new(literal)))
}

/// `0.5` has one digit, where DuckDB counts two.
fn decimal(text: &str) -> Rewritten {
    let digits = text.trim_start_matches('0');
    if digits.len() > 39 {
        return Err(format!("a decimal of more than 38 digits: {text}"));
    }
    let kept = if digits == "." { "0" } else { digits };
    Ok(Expression::Literal(Box::new(Literal::Number(kept.to_owned()))))
}

/// `2026-01-02 03:04:05.000`, or the same with ` UTC`: a timestamp with time zone.
fn timestamp(text: &str) -> Rewritten {
    let plain = text.strip_suffix(" UTC").unwrap_or(text);
    if !plain.chars().all(|c| "0123456789-:. ".contains(c)) {
        return Err(format!("a time zone, as in TIMESTAMP '{text}': give the moment in UTC, without a zone"));
    }
    let local = call("athena_to_timestamp", vec![Expression::string(plain)]);
    Ok(if plain == text { local } else { call("athena_in_utc", vec![local]) })
}

fn field(field: &DateTimeField) -> Result<&'static str, String> {
    Ok(match field {
        DateTimeField::Year => "athena_year",
        DateTimeField::Quarter => "athena_quarter",
        DateTimeField::Month => "athena_month",
        DateTimeField::Week => "athena_week",
        DateTimeField::Day => "athena_day",
        DateTimeField::DayOfWeek => "athena_day_of_week",
        DateTimeField::DayOfYear => "athena_day_of_year",
        DateTimeField::Hour => "athena_hour",
        DateTimeField::Minute => "athena_minute",
        DateTimeField::Second => "athena_second",
        DateTimeField::Custom(name) => match name.to_ascii_lowercase().as_str() {
            "dow" | "day_of_week" => "athena_day_of_week",
            "doy" | "day_of_year" => "athena_day_of_year",
            "yow" | "year_of_week" => "athena_year_of_week",
            other => return Err(format!("extract({other} FROM …)")),
        },
        other => return Err(format!("extract({other:?} FROM …)")),
    })
}

fn function(mut function: Function) -> Rewritten {
    let Some(name) = function.name.strip_prefix("athena_").map(str::to_owned) else {
        if !functions::is_vetted(&function.name) || !function.qualified_name.is_empty() {
            return Err(format!("the function {}", function.name));
        }
        return Ok(Expression::Function(Box::new(function)));
    };
    if name == "listagg" {
        // Until its WITHIN GROUP is met.
        return Ok(Expression::Function(Box::new(function)));
    }
    if function.distinct {
        return Err(format!("{name} with DISTINCT"));
    }
    let args = std::mem::take(&mut function.args);
    match name.as_str() {
        "try" => Ok(call("TRY", args)),
        "concat" => fold(args, "concat", |left, right| joined(BinaryOp::new(left, right))),
        "greatest" => fold(args, "greatest", |left, right| call("athena_greatest", vec![left, right])),
        "least" => fold(args, "least", |left, right| call("athena_least", vec![left, right])),
        "filter" => Ok(call("LIST_FILTER", args)),
        "transform" => Ok(call("LIST_TRANSFORM", args)),
        "any_match" => Ok(call("athena_any", vec![call("LIST_TRANSFORM", args)])),
        "all_match" => Ok(call("athena_all", vec![call("LIST_TRANSFORM", args)])),
        "none_match" => {
            let any = call("athena_any", vec![call("LIST_TRANSFORM", args)]);
            Ok(call("athena_not", vec![any]))
        }
        "substring" => Ok(call("athena_substr", args)),
        "pow" => Ok(call("athena_power", args)),
        "ceiling" => Ok(call("athena_ceil", args)),
        "mod" => Ok(call("athena_modulus", args)),
        "date" => Ok(call("athena_to_date", args)),
        "week_of_year" => Ok(call("athena_week", args)),
        "yow" => Ok(call("athena_year_of_week", args)),
        "dow" => Ok(call("athena_day_of_week", args)),
        "doy" => Ok(call("athena_day_of_year", args)),
        "day_of_month" => Ok(call("athena_day", args)),
        "date_parse" | "parse_datetime" | "date_format" | "format_datetime" => dates(&name, args),
        "date_add" | "date_diff" | "date_trunc" => units(&name, args),
        "json_extract" | "json_extract_scalar" => json::extract(&name, args),
        "map_agg" => aggregates::map_agg(args, None),
        _ if name.starts_with("regexp_") => regexp(&name, args),
        _ => Ok(call(&function.name, args)),
    }
}

fn fold(args: Vec<Expression>, name: &str, join: impl Fn(Expression, Expression) -> Expression) -> Rewritten {
    if args.len() < 2 {
        return Err(format!("{name} of fewer than two values"));
    }
    args.into_iter().reduce(join).ok_or_else(|| format!("{name} of nothing"))
}

fn dates(name: &str, args: Vec<Expression>) -> Rewritten {
    let [subject, pattern] = <[Expression; 2]>::try_from(args).map_err(|_| format!("{name} without a pattern"))?;
    let text = string(&pattern).ok_or_else(|| format!("{name} with a pattern that is not a literal"))?;
    let mysql = matches!(name, "date_parse" | "date_format");
    let pieces = if mysql { patterns::mysql(text) } else { patterns::joda(text) };
    let pieces = pieces.map_err(|piece| format!("{name} with {piece} in its pattern"))?;
    if matches!(name, "date_format" | "format_datetime") {
        return Ok(call("athena_format", vec![subject, Expression::string(patterns::format(&pieces))]));
    }
    parse(subject, name, &pieces, mysql)
}

fn parse(subject: Expression, name: &str, pieces: &[Piece], mysql: bool) -> Rewritten {
    let read: Reading = patterns::reading(pieces).map_err(|lack| format!("{name} with a pattern that has {lack}"))?;
    let low = if mysql { number(1970) } else { call("athena_century", Vec::new()) };
    let parsed = call(
        "athena_parse",
        vec![
            subject,
            Expression::string(&read.regex),
            number(read.year),
            low,
            truth(read.short_year),
            truth(read.lenient),
            number(read.month),
            number(read.day),
            number(read.hour),
            number(read.hour_of_half),
            number(read.half),
            number(read.minute),
            number(read.second),
            number(read.fraction),
        ],
    );
    Ok(if mysql { parsed } else { call("athena_in_utc", vec![parsed]) })
}

fn units(name: &str, mut args: Vec<Expression>) -> Rewritten {
    let unit = args.first().and_then(string).map(str::to_ascii_lowercase);
    let unit = unit.ok_or_else(|| format!("{name} with a unit that is not a literal"))?;
    let interval = match unit.as_str() {
        "millisecond" => "TO_MILLISECONDS",
        "second" => "TO_SECONDS",
        "minute" => "TO_MINUTES",
        "hour" => "TO_HOURS",
        "day" => "TO_DAYS",
        "week" => "TO_WEEKS",
        "month" => "TO_MONTHS",
        "quarter" => "TO_QUARTERS",
        "year" => "TO_YEARS",
        other => return Err(format!("{name} with the unit {other}")),
    };
    let whole = matches!(unit.as_str(), "day" | "week" | "month" | "quarter" | "year");
    if !whole {
        for date in args.iter_mut().skip(if name == "date_add" { 2 } else { 1 }) {
            *date = call("athena_timed", vec![std::mem::replace(date, Expression::null())]);
        }
    }
    if name != "date_add" {
        args[0] = Expression::string(unit);
        return Ok(call(&format!("athena_{name}"), args));
    }
    let [_, count, date] = <[Expression; 3]>::try_from(args).map_err(|_| "date_add without three values".to_owned())?;
    let count = call(if whole { "athena_to_integer" } else { "athena_to_bigint" }, vec![count]);
    Ok(call("athena_plus", vec![date, call(interval, vec![count])]))
}

fn regexp(name: &str, mut args: Vec<Expression>) -> Rewritten {
    let refuse = |what: String| format!("{name} with {what}");
    let source = args.get(1).and_then(string).ok_or_else(|| refuse("a pattern that is not a literal".to_owned()))?;
    let wanted = match (name, args.get(2)) {
        ("regexp_extract" | "regexp_extract_all", Some(group)) => {
            Some(group_number(group).ok_or_else(|| refuse("a group that is not a number".to_owned()))?)
        }
        _ => None,
    };
    let used = if name == "regexp_like" || wanted.is_some_and(|group| group > 0) { Use::Find } else { Use::Cut };
    let pattern = regexes::pattern(source, used).map_err(refuse)?;
    if matches!(name, "regexp_split" | "regexp_count") && regexes::matches_empty(&pattern.regex) {
        return Err(refuse("a pattern that matches nothing at all".to_owned()));
    }
    if pattern.unbroken {
        args[0] = call("athena_unbroken", vec![args[0].clone()]);
    }
    args[1] = Expression::string(&pattern.regex);
    match name {
        "regexp_extract" | "regexp_extract_all" => {
            let group = wanted.unwrap_or(0);
            args.truncate(2);
            args.push(number(group));
            extract(name, args, &pattern, group)
        }
        "regexp_replace" => {
            let replacement = match args.get(2) {
                None => "",
                Some(given) => string(given).ok_or_else(|| refuse("a replacement that is not a literal".to_owned()))?,
            };
            let replacement = regexes::replacement(replacement, pattern.groups).map_err(refuse)?;
            args.truncate(2);
            args.push(Expression::string(replacement));
            Ok(call("athena_regexp_replace", args))
        }
        _ => Ok(call(&format!("athena_{name}"), args)),
    }
}

fn group_number(expression: &Expression) -> Option<usize> {
    match expression {
        Expression::Literal(literal) => match literal.as_ref() {
            Literal::Number(text) => text.parse().ok(),
            _ => None,
        },
        _ => None,
    }
}

/// DuckDB gives '' for a group that took no part in the match, Athena NULL.
fn extract(name: &str, args: Vec<Expression>, pattern: &regexes::Pattern, group: usize) -> Rewritten {
    if group > pattern.groups {
        return Err(format!("{name} with group {group} of a pattern that has {}", pattern.groups));
    }
    let kind = if group == 0 { Group::Always } else { regexes::group(&pattern.regex, group) };
    let extracted = call(&format!("athena_{name}"), args);
    match (kind, name) {
        (Group::Always, _) => Ok(extracted),
        (Group::Sometimes, "regexp_extract") => Ok(call("athena_nullif", vec![extracted, Expression::string("")])),
        (Group::Sometimes, _) => Ok(call("athena_empty_to_null", vec![extracted])),
        (Group::Ambiguous, _) => Err(format!("{name} with an optional group that can be empty")),
    }
}
