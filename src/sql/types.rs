//! Types: as DML spells them, and of expressions as far as they are certain.

use std::ops::Range;

use polyglot_sql::TokenType as T;

use super::resolve::Resolver;
use super::scope::Scope;
use crate::schema::DataType;

/// The DML spelling of a Glue type; none for a type that this program does not know.
/// <https://docs.aws.amazon.com/athena/latest/ug/data-types.html>
pub fn to_dml(data_type: &DataType) -> Option<String> {
    Some(match data_type {
        DataType::Int => "integer".to_owned(),
        DataType::Float => "real".to_owned(),
        DataType::String => "varchar".to_owned(),
        DataType::Binary => "varbinary".to_owned(),
        DataType::Array(item) => format!("array({})", to_dml(item)?),
        DataType::Map(key, value) => format!("map({}, {})", to_dml(key)?, to_dml(value)?),
        DataType::Struct(fields) => {
            let fields: Option<Vec<String>> = fields
                .iter()
                .map(|field| Some(format!("{} {}", super::ident::plain(&field.name), to_dml(&field.data_type)?)))
                .collect();
            format!("row({})", fields?.join(", "))
        }
        DataType::Unrecognized(_) => return None,
        other => other.to_string(),
    })
}

/// The Glue type of a scalar DML type.
fn from_dml(text: &str) -> Option<DataType> {
    let text = text.trim().to_lowercase();
    Some(match text.as_str() {
        "varchar" => DataType::String,
        "varbinary" => DataType::Binary,
        "integer" => DataType::Int,
        "real" => DataType::Float,
        _ if text == "timestamp" || (text.starts_with("timestamp(") && text.ends_with(')')) => DataType::Timestamp,
        _ => Some(DataType::parse(&text)).filter(|data_type| !data_type.has_unrecognized())?,
    })
}

/// Functions that always give one type.
/// <https://trino.io/docs/current/functions/list.html>
fn result_type(function: &str) -> Option<DataType> {
    Some(match function {
        "trim" | "ltrim" | "rtrim" | "lower" | "upper" | "replace" | "regexp_replace" | "regexp_extract"
        | "split_part" | "array_join" | "concat_ws" | "date_format" | "format_datetime" => DataType::String,
        "count" | "row_number" | "rank" | "dense_rank" | "length" | "cardinality" | "date_diff" | "strpos" => {
            DataType::BigInt
        }
        "regexp_like" | "contains" | "starts_with" => DataType::Boolean,
        "date" => DataType::Date,
        _ => return None,
    })
}

impl Resolver<'_> {
    /// The type of an expression, if it is certain.
    pub(super) fn data_type(&self, range: Range<usize>, scope: &Scope) -> Option<DataType> {
        if let Some(data_type) = self.column_type(&range, scope) {
            return Some(data_type);
        }
        let source = self.source;
        if range.len() == 2 && source.is_word(range.start, "date") && source.kind(range.start + 1) == Some(T::String) {
            return Some(DataType::Date);
        }
        if range.len() == 1 && source.is_word(range.start, "current_date") {
            return Some(DataType::Date);
        }
        let close = source.partner(range.start + 1).filter(|close| range.len() > 2 && close + 1 == range.end)?;
        if source.kind(range.start + 1) != Some(T::LParen) {
            return None;
        }
        let inner = range.start + 2..close;
        let arguments = self.arguments(inner.clone());
        match source.name(range.start).as_str() {
            "cast" | "try_cast" => {
                let keyword = source.find(inner.clone(), |index| source.kind(index) == Some(T::As))?;
                from_dml(source.slice(&(keyword + 1..inner.end)))
            }
            "nullif" | "min" | "max" | "try" => self.data_type(arguments.first()?.clone(), scope),
            "coalesce" => {
                let mut types = arguments.into_iter().map(|argument| self.data_type(argument, scope));
                let first = types.next()??;
                types.all(|other| other.as_ref() == Some(&first)).then_some(first)
            }
            function => result_type(function),
        }
    }

    /// The arguments between two brackets.
    pub(super) fn arguments(&self, range: Range<usize>) -> Vec<Range<usize>> {
        let mut parts = Vec::new();
        let mut start = range.start;
        while let Some(comma) = self.source.find(start..range.end, |index| self.source.kind(index) == Some(T::Comma)) {
            parts.push(start..comma);
            start = comma + 1;
        }
        parts.push(start..range.end);
        parts
    }
}
