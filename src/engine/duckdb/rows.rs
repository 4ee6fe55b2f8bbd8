//! DuckDB's values as the text that Athena's GetQueryResults gives.

use duckdb::types::{TimeUnit, Value};

/// One value as text, `None` for NULL; the error names a type that Athena does not have.
pub(super) fn text(value: &Value) -> Result<Option<String>, String> {
    if matches!(value, Value::Null) { Ok(None) } else { nested(value).map(Some) }
}

fn nested(value: &Value) -> Result<String, String> {
    Ok(match value {
        Value::Null => "null".to_owned(),
        Value::Boolean(value) => value.to_string(),
        Value::TinyInt(value) => value.to_string(),
        Value::SmallInt(value) => value.to_string(),
        Value::Int(value) => value.to_string(),
        Value::BigInt(value) => value.to_string(),
        Value::HugeInt(value) => value.to_string(),
        Value::UBigInt(value) => value.to_string(),
        Value::Float(value) => java_double(&format!("{value:e}"), f64::from(*value)),
        Value::Double(value) => java_double(&format!("{value:e}"), *value),
        Value::Decimal(value) => value.to_string(),
        Value::Text(value) => value.clone(),
        Value::Blob(bytes) => bytes.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().join(" "),
        Value::Date32(days) => date(i64::from(*days))?,
        Value::Timestamp(unit, value) => timestamp(*unit, *value)?,
        Value::List(values) | Value::Array(values) => {
            let values: Result<Vec<_>, _> = values.iter().map(nested).collect();
            format!("[{}]", values?.join(", "))
        }
        Value::Struct(fields) => {
            let fields: Result<Vec<_>, String> =
                fields.iter().enumerate().map(|(index, (name, value))| field(index, name, value)).collect();
            format!("{{{}}}", fields?.join(", "))
        }
        Value::Map(entries) => {
            let entries: Result<Vec<_>, String> =
                entries.iter().map(|(key, value)| Ok(format!("{}={}", nested(key)?, nested(value)?))).collect();
            format!("{{{}}}", entries?.join(", "))
        }
        other => return Err(format!("a value Athena has no text for: {other:?}")),
    })
}

fn field(index: usize, name: &str, value: &Value) -> Result<String, String> {
    let value = nested(value)?;
    Ok(if name.is_empty() { format!("field{index}={value}") } else { format!("{name}={value}") })
}

/// Java's `Double.toString`, from the shortest digits that read back (`-1.5e-5`).
fn java_double(scientific: &str, value: f64) -> String {
    if value.is_nan() {
        return "NaN".to_owned();
    }
    if value.is_infinite() {
        return if value > 0.0 { "Infinity" } else { "-Infinity" }.to_owned();
    }
    let point = |digits: String| if digits.contains('.') { digits } else { format!("{digits}.0") };
    if value == 0.0 || (1e-3..1e7).contains(&value.abs()) {
        let (mantissa, exponent) = scientific.split_once('e').expect("LowerExp writes an exponent");
        return point(shifted(mantissa, exponent.parse().expect("LowerExp writes a number")));
    }
    let (mantissa, exponent) = scientific.split_once('e').expect("LowerExp writes an exponent");
    format!("{}E{exponent}", point(mantissa.to_owned()))
}

/// `1.25` and `2` make `125`; `1.25` and `-2` make `0.0125`.
fn shifted(mantissa: &str, exponent: i32) -> String {
    let (sign, digits) = mantissa.strip_prefix('-').map_or(("", mantissa), |digits| ("-", digits));
    let digits = digits.replace('.', "");
    let whole = 1 + exponent;
    if whole <= 0 {
        return format!("{sign}0.{}{digits}", "0".repeat(usize::try_from(-whole).expect("checked above")));
    }
    let whole = usize::try_from(whole).expect("checked above");
    if digits.len() <= whole {
        return format!("{sign}{digits}{}", "0".repeat(whole - digits.len()));
    }
    format!("{sign}{}.{}", &digits[..whole], &digits[whole..])
}

fn date(days: i64) -> Result<String, String> {
    let epoch = jiff::civil::date(1970, 1, 1);
    let date = epoch.checked_add(jiff::Span::new().try_days(days).map_err(|error| error.to_string())?);
    Ok(date.map_err(|error| error.to_string())?.to_string())
}

fn timestamp(unit: TimeUnit, value: i64) -> Result<String, String> {
    let micros = match unit {
        TimeUnit::Second => value.checked_mul(1_000_000),
        TimeUnit::Millisecond => value.checked_mul(1_000),
        TimeUnit::Microsecond => Some(value),
        TimeUnit::Nanosecond => Some(value.div_euclid(1_000)),
    };
    let micros = micros.ok_or("a timestamp out of range")?;
    let time = jiff::Timestamp::from_microsecond(micros).map_err(|error| error.to_string())?;
    Ok(time.strftime("%Y-%m-%d %H:%M:%S.%3f").to_string())
}

/// DuckDB's type name in Athena's spelling.
pub(super) fn type_name(duckdb: &str) -> String {
    match duckdb {
        "HUGEINT" => "bigint".to_owned(),
        "FLOAT" => "real".to_owned(),
        "BLOB" => "varbinary".to_owned(),
        "\"NULL\"" => "unknown".to_owned(),
        "TIMESTAMP WITH TIME ZONE" => "timestamp with time zone".to_owned(),
        other => match other.strip_suffix("[]") {
            Some(element) => format!("array({})", type_name(element)),
            None => other.to_ascii_lowercase(),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn doubles_are_written_as_java_writes_them() {
        for (value, expected) in [
            (0.0, "0.0"),
            (1.0, "1.0"),
            (-1.5, "-1.5"),
            (1e7, "1.0E7"),
            (9_999_999.0, "9999999.0"),
            (123_456_789.5, "1.234567895E8"),
            (0.001, "0.001"),
            (0.000_15, "1.5E-4"),
            (0.1 + 0.2, "0.30000000000000004"),
            (f64::NAN, "NaN"),
            (f64::NEG_INFINITY, "-Infinity"),
        ] {
            assert_eq!(text(&Value::Double(value)), Ok(Some(expected.to_owned())), "{value}");
        }
    }

    #[test]
    fn nested_values_are_written_as_athena_writes_them() {
        let list = Value::List(vec![Value::Int(1), Value::Null, Value::Text("a".to_owned())]);
        assert_eq!(text(&list), Ok(Some("[1, null, a]".to_owned())));
        assert_eq!(text(&Value::Timestamp(TimeUnit::Microsecond, -1)), Ok(Some("1969-12-31 23:59:59.999".to_owned())));
        assert_eq!(text(&Value::Date32(19_860)), Ok(Some("2024-05-17".to_owned())));
    }
}
