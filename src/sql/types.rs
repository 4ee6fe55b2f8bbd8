//! Types: as DML spells them, and of expressions as far as they are certain.

use std::ops::Range;

use polyglot_sql::TokenType as T;

use super::resolve::Resolver;
use super::scope::Scope;
use crate::schema::{DataType, StructField};

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

/// The Glue type of a DML type; none for one that this program does not know.
pub(super) fn from_dml(text: &str) -> Option<DataType> {
    let text = text.trim();
    if let Some((word, inner)) = text.strip_suffix(')').and_then(|text| text.split_once('(')) {
        match word.trim().to_lowercase().as_str() {
            "array" => return Some(DataType::Array(Box::new(from_dml(inner)?))),
            "map" => {
                let [key, value] = <[&str; 2]>::try_from(parts(inner)).ok()?;
                return Some(DataType::Map(Box::new(from_dml(key)?), Box::new(from_dml(value)?)));
            }
            "row" => return parts(inner).into_iter().map(row_field).collect::<Option<_>>().map(DataType::Struct),
            _ => {}
        }
    }
    let text = text.to_lowercase();
    Some(match text.as_str() {
        "varchar" => DataType::String,
        "varbinary" => DataType::Binary,
        "integer" => DataType::Int,
        "real" => DataType::Float,
        "double precision" => DataType::Double,
        // Glue's own `decimal` has 10 digits.
        "decimal" => DataType::Decimal { precision: 38, scale: 0 },
        _ if text == "timestamp" || (text.starts_with("timestamp(") && text.ends_with(')')) => DataType::Timestamp,
        _ => Some(DataType::parse(&text)).filter(|data_type| !data_type.has_unrecognized())?,
    })
}

/// What stands between the commas outside brackets and quotes.
fn parts(text: &str) -> Vec<&str> {
    let (mut depth, mut quoted, mut start) = (0, false, 0);
    let mut parts = Vec::new();
    for (at, character) in text.char_indices() {
        match character {
            '"' => quoted = !quoted,
            '(' if !quoted => depth += 1,
            ')' if !quoted => depth -= 1,
            ',' if !quoted && depth == 0 => {
                parts.push(&text[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    parts.push(&text[start..]);
    parts
}

/// `name type`, the name in quotes or without.
fn row_field(text: &str) -> Option<StructField> {
    let text = text.trim();
    let (name, rest) = match text.strip_prefix('"') {
        Some(quoted) => {
            let end = quoted.replace("\"\"", "__").find('"')?;
            (quoted[..end].replace("\"\"", "\""), &quoted[end + 1..])
        }
        None => text.split_once(char::is_whitespace).map(|(name, rest)| (name.to_owned(), rest))?,
    };
    Some(StructField { name, data_type: from_dml(rest)? })
}

/// The type that values of both types are brought to, if it is certain.
/// <https://trino.io/docs/current/language/types.html>
pub fn common(a: &DataType, b: &DataType) -> Option<DataType> {
    use DataType::{Date, Decimal, Double, Float, String, Timestamp, Varchar};
    match (a, b) {
        _ if a == b => Some(a.clone()),
        (Varchar(a), Varchar(b)) => Some(Varchar(*a.max(b))),
        (String | Varchar(_), String | Varchar(_)) => Some(String),
        (Date, Timestamp) | (Timestamp, Date) => Some(Timestamp),
        (Decimal { .. }, Float | Double) => Some(b.clone()),
        (Float | Double, Decimal { .. }) => Some(a.clone()),
        (Decimal { .. }, _) | (_, Decimal { .. }) => exact(a, b),
        _ => number(a, b),
    }
}

/// The decimal that holds all numbers of both types. One of more than 38 digits is none, and then the engines differ.
fn exact(a: &DataType, b: &DataType) -> Option<DataType> {
    let digits = |of: &DataType| {
        Some(match of {
            DataType::TinyInt => (3, 0),
            DataType::SmallInt => (5, 0),
            DataType::Int => (10, 0),
            DataType::BigInt => (19, 0),
            DataType::Decimal { precision, scale } => (precision.checked_sub(*scale)?, *scale),
            _ => return None,
        })
    };
    let ((whole, scale), (other, fraction)) = (digits(a)?, digits(b)?);
    let (whole, scale) = (whole.max(other), scale.max(fraction));
    let precision = whole.checked_add(scale).filter(|precision| *precision <= 38)?;
    Some(DataType::Decimal { precision, scale })
}

/// What a number of one type and one of another make when they are added, or brought to one type.
pub(super) fn number(a: &DataType, b: &DataType) -> Option<DataType> {
    use DataType::{BigInt, Double, Float, Int, SmallInt, TinyInt};
    const NUMBERS: [DataType; 6] = [TinyInt, SmallInt, Int, BigInt, Float, Double];
    let rank = |of: &DataType| NUMBERS.iter().position(|number| number == of);
    Some(NUMBERS[rank(a)?.max(rank(b)?)].clone())
}

/// True if every value of the type is shown whole by a text of that length.
pub(super) fn shows(data_type: &DataType, text: &DataType) -> bool {
    use DataType::{BigInt, Date, Int, SmallInt, TinyInt, Varchar};
    let length = match data_type {
        TinyInt => 4,
        SmallInt => 6,
        Date => 10,
        Int => 11,
        BigInt => 20,
        _ => return false,
    };
    matches!(text, Varchar(most) if *most >= length)
}

/// What a function makes of a number, where it depends on the number's type.
fn of_number(function: &str, argument: &DataType) -> Option<DataType> {
    use DataType::{BigInt, Double, Float};
    let number = number(argument, argument)?;
    Some(match (function, number) {
        ("sum", Float) | ("avg", Float) => Float,
        ("sum", Double) | ("avg", _) => Double,
        ("sum", _) => BigInt,
        ("abs" | "round" | "floor" | "ceil" | "ceiling", number) => number,
        _ => return None,
    })
}

/// Functions that always give one type.
/// <https://trino.io/docs/current/functions/list.html>
fn result_type(function: &str) -> Option<DataType> {
    Some(match function {
        "trim" | "ltrim" | "rtrim" | "lower" | "upper" | "replace" | "regexp_replace" | "regexp_extract"
        | "split_part" | "array_join" | "concat_ws" => DataType::String,
        // Of these, what is cast again was chosen by their format.
        "date_format" | "format_datetime" => DataType::String,
        "count" | "row_number" | "rank" | "dense_rank" | "length" | "cardinality" | "date_diff" | "strpos" => {
            DataType::BigInt
        }
        "regexp_like" | "contains" | "starts_with" => DataType::Boolean,
        "date" => DataType::Date,
        "sqrt" | "cbrt" | "ln" | "log2" | "log10" | "exp" | "power" | "pow" | "stddev" | "stddev_pop"
        | "stddev_samp" | "variance" | "var_pop" | "var_samp" => DataType::Double,
        "year" | "quarter" | "month" | "week" | "day" | "day_of_week" | "day_of_month" | "day_of_year" => {
            DataType::BigInt
        }
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
        if let Some(calculated) = self.calculated(&range, scope) {
            return Some(calculated);
        }
        if let Some((_, to)) = source.cast(range.start).filter(|(_, to)| to.end + 1 == range.end) {
            return from_dml(source.slice(&to));
        }
        let (function, mut arguments) = source.call(&range)?;
        match function.as_str() {
            // With a number behind it, an array of so many.
            "min" | "max" if arguments.len() > 1 => {
                Some(DataType::Array(Box::new(self.data_type(arguments.first()?.clone(), scope)?)))
            }
            "nullif" | "min" | "max" | "try" | "any_value" | "arbitrary" | "first_value" | "last_value" | "lag"
            | "lead" | "nth_value" => self.data_type(arguments.first()?.clone(), scope),
            "min_by" | "max_by" if arguments.len() == 2 => self.data_type(arguments.first()?.clone(), scope),
            "element_at" | "array_max" | "array_min" => match self.data_type(arguments.first()?.clone(), scope)? {
                DataType::Array(item) => Some(*item),
                DataType::Map(_, item) => Some(*item),
                _ => None,
            },
            "coalesce" | "greatest" | "least" => self.common_type(arguments, scope),
            "if" if arguments.len() == 3 => self.common_type(arguments.split_off(1), scope),
            function => result_type(function).or_else(|| {
                let first = self.data_type(arguments.first()?.clone(), scope)?;
                of_number(function, &first)
            }),
        }
    }

    /// The type of several values brought together; one that is NULL has none of its own.
    fn common_type(&self, values: Vec<Range<usize>>, scope: &Scope) -> Option<DataType> {
        let is_null = |value: &Range<usize>| value.len() == 1 && self.source.kind(value.start) == Some(T::Null);
        let values = values.into_iter().filter(|value| !is_null(value));
        values.map(|value| self.data_type(value, scope)).reduce(|all, next| common(&all?, &next?))?
    }

    /// The type of a number written out, of what stands in brackets, of a CASE and of arithmetic.
    fn calculated(&self, range: &Range<usize>, scope: &Scope) -> Option<DataType> {
        let source = self.source;
        if let Some(chain) = source.chain_of(range) {
            let operands = chain.operands.into_iter().map(|operand| self.data_type(operand, scope));
            return operands.reduce(|all, next| number(&all?, &next?))?;
        }
        if source.is_sign(range.start) {
            return self.data_type(range.start + 1..range.end, scope);
        }
        match source.kind(range.start)? {
            T::Number if range.len() == 1 => number_type(source.slice(range)),
            T::LParen if source.partner(range.start) == Some(range.end - 1) => {
                self.data_type(range.start + 1..range.end - 1, scope)
            }
            T::Case => self.common_type(source.case_of(range)?.results, scope),
            _ => None,
        }
    }
}

/// The type of a number as it is written: `7`, `1e3`; one with a point is a decimal of its own digits.
fn number_type(text: &str) -> Option<DataType> {
    if text.contains(['e', 'E']) {
        return Some(DataType::Double);
    }
    match text.parse::<i64>().ok()? {
        number if i32::try_from(number).is_ok() => Some(DataType::Int),
        _ => Some(DataType::BigInt),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_spelt_for_a_cast_is_read_back() {
        for glue in [
            "int",
            "string",
            "decimal(10,2)",
            "array<int>",
            "map<string,array<double>>",
            "struct<a:int,b c:string,d:struct<e:array<struct<f:timestamp>>>>",
        ] {
            let data_type = DataType::parse(glue);
            let spelt = to_dml(&data_type).expect("the type is known");
            assert_eq!(from_dml(&spelt), Some(data_type), "{glue}: {spelt}");
        }
        assert_eq!(from_dml("array(json)"), None);
        assert_eq!(from_dml("row(integer)"), None);
    }

    /// As Trino 476 brings them together.
    #[test]
    fn two_types_have_a_common_one_where_that_is_certain() {
        for (a, b, expected) in [
            ("int", "bigint", Some("bigint")),
            ("bigint", "float", Some("float")),
            ("date", "timestamp", Some("timestamp")),
            ("varchar(3)", "string", Some("string")),
            ("decimal(10,1)", "decimal(5,4)", Some("decimal(13,4)")),
            ("decimal(4,1)", "bigint", Some("decimal(20,1)")),
            ("decimal(4,1)", "float", Some("float")),
            ("double", "decimal(4,1)", Some("double")),
            ("decimal(38,1)", "decimal(10,4)", None),
            ("decimal(1,2)", "int", None),
            ("decimal(4,1)", "string", None),
            ("int", "boolean", None),
        ] {
            for (a, b) in [(a, b), (b, a)] {
                let found = common(&DataType::parse(a), &DataType::parse(b));
                assert_eq!(found.map(|known| known.to_string()).as_deref(), expected, "{a} and {b}");
            }
        }
    }
}
