//! JSON: what is taken out of a text, and what that is cast to.
//! <https://trino.io/docs/current/functions/json.html>

use polyglot_sql::expressions::{DataType, Expression};

use super::rewrite::{Rewritten, call, string};

/// `json_extract(x, path)` and `json_extract_scalar(x, path)`.
pub(super) fn extract(name: &str, args: Vec<Expression>) -> Rewritten {
    let path = args.get(1).and_then(string).ok_or_else(|| format!("{name} with a path that is not a literal"))?;
    let plain = regex::Regex::new(r"^\$(\.[A-Za-z_][A-Za-z0-9_]*|\[[0-9]+\])*$").expect("a constant");
    if !plain.is_match(path) {
        return Err(format!("{name} with the path {path}"));
    }
    Ok(call(&format!("athena_{name}"), args))
}

/// True of what is surely JSON, its own calls rewritten already.
pub(super) fn is_json(value: &Expression) -> bool {
    match value {
        Expression::Function(function) => matches!(function.name.as_str(), "athena_json_extract" | "athena_json_parse"),
        Expression::Paren(paren) => is_json(&paren.this),
        _ => false,
    }
}

/// A JSON value as what is cast on: text, or an array of JSON.
pub(super) fn castable(value: Expression, to: &DataType) -> Rewritten {
    Ok(match to {
        DataType::Boolean => call("athena_json_truth", vec![value]),
        DataType::TinyInt { .. } | DataType::SmallInt { .. } | DataType::Int { .. } | DataType::BigInt { .. } => {
            call("athena_json_digits", vec![value, Expression::true_()])
        }
        DataType::Float { .. } | DataType::Double { .. } => {
            call("athena_json_digits", vec![value, Expression::false_()])
        }
        DataType::VarChar { .. } | DataType::String { .. } | DataType::Text => call("athena_json_text", vec![value]),
        DataType::Array { .. } => call("athena_json_items", vec![value]),
        _ => return Err("CAST of JSON to this type: cast it to varchar, a number or an array first".to_owned()),
    })
}
