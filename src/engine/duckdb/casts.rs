//! CAST, as strict as Athena's.

use polyglot_sql::expressions::{Cast, DataType, Expression, Identifier, LambdaExpr, StructField};

use super::json;
use super::rewrite::{Rewritten, call};

/// A cast as strict as Athena's; never a bare CAST of text, which DuckDB reads more freely.
pub(super) fn cast(cast: Cast) -> Rewritten {
    if cast.format.is_some() || cast.default.is_some() {
        return Err("CAST with a format".to_owned());
    }
    let Cast { this, to, .. } = cast;
    let is_json = json::is_json(&this);
    convert(this, &to, is_json)
}

fn convert(this: Expression, to: &DataType, is_json: bool) -> Rewritten {
    let is_nested = matches!(to, DataType::Array { .. } | DataType::Struct { .. } | DataType::Map { .. });
    if is_nested && matches!(this, Expression::Null(_)) {
        return Ok(plain_cast(this, to.clone()));
    }
    let this = if is_json { json::castable(this, to)? } else { this };
    let name = match to {
        DataType::Boolean => "athena_to_boolean",
        DataType::TinyInt { .. } => "athena_to_tinyint",
        DataType::SmallInt { .. } => "athena_to_smallint",
        DataType::Int { .. } => "athena_to_integer",
        DataType::BigInt { .. } => "athena_to_bigint",
        DataType::Float { .. } => "athena_to_real",
        DataType::Double { .. } => "athena_to_double",
        DataType::Date => "athena_to_date",
        DataType::Timestamp { precision: None | Some(3), timezone: false } => "athena_to_timestamp",
        DataType::VarChar { length: None, .. } | DataType::String { length: None } | DataType::Text => {
            "athena_to_varchar"
        }
        DataType::VarChar { length: Some(length), .. } => {
            return Ok(call("athena_to_varchar_of", vec![this, Expression::number((*length).into())]));
        }
        DataType::Decimal { precision, scale } => {
            let to = DataType::Decimal { precision: Some(precision.unwrap_or(38)), scale: Some(scale.unwrap_or(0)) };
            return Ok(plain_cast(call("athena_decimal_source", vec![this]), to));
        }
        DataType::Array { element_type, .. } => return array(this, element_type, to, is_json),
        DataType::Struct { fields, .. } => return row(this, fields, to),
        DataType::Timestamp { timezone: true, .. } => {
            let instead = "write `CAST(… AS timestamp)`, of a moment in UTC";
            return Err(format!("a CAST to a timestamp with time zone, which no table can hold: {instead}"));
        }
        DataType::Timestamp { precision: Some(digits), .. } => {
            return Err(format!("a CAST to timestamp({digits}): write `CAST(… AS timestamp)`, which has 3 digits"));
        }
        other => return Err(format!("CAST AS {other:?}")),
    };
    Ok(call(name, vec![this]))
}

fn plain_cast(this: Expression, to: DataType) -> Expression {
    Expression::Cast(Box::new(Cast {
        this,
        to,
        trailing_comments: Vec::new(),
        double_colon_syntax: false,
        format: None,
        default: None,
        inferred_type: None,
    }))
}

fn array(this: Expression, element: &DataType, to: &DataType, is_json: bool) -> Rewritten {
    let body = convert(Expression::column("athena_element"), element, is_json)?;
    let lambda = LambdaExpr {
        parameters: vec![Identifier::new("athena_element")],
        body,
        colon: true,
        parameter_types: Vec::new(),
    };
    let cast = call("LIST_TRANSFORM", vec![this, Expression::Lambda(Box::new(lambda))]);
    Ok(plain_cast(cast, to.clone()))
}

/// `CAST(ROW(…) AS ROW(x integer, …))`, value by value.
fn row(this: Expression, fields: &[StructField], to: &DataType) -> Rewritten {
    let values = match this {
        Expression::Function(function) if function.name.eq_ignore_ascii_case("row") => function.args,
        Expression::Tuple(tuple) => tuple.expressions,
        _ => return Err("CAST AS ROW of anything but ROW(…)".to_owned()),
    };
    if values.len() != fields.len() {
        return Err("CAST AS ROW with another number of fields".to_owned());
    }
    if fields.iter().any(|field| field.name.is_empty()) {
        return Err("CAST AS ROW with a nameless field".to_owned());
    }
    let converted: Result<Vec<_>, _> =
        values.into_iter().zip(fields).map(|(value, field)| convert(value, &field.data_type, false)).collect();
    Ok(plain_cast(call("ROW", converted?), to.clone()))
}
