//! Parquet type → Glue type.
//! <https://github.com/apache/parquet-format/blob/master/LogicalTypes.md>

use ::parquet::basic::{ConvertedType, LogicalType, Repetition, Type as Physical};
use ::parquet::schema::types::{BasicTypeInfo, Type};

use crate::schema::{DataType, StructField};

type Outcome = Result<DataType, String>;

/// The Glue type of a field, or why there is none.
pub(super) fn glue_type(field: &Type) -> Outcome {
    let info = field.get_basic_info();
    let one = if field.is_primitive() { primitive(field, info) } else { group(field, info) }?;
    // A repeated field outside a LIST or MAP group is a list of itself.
    let repeated = info.has_repetition() && info.repetition() == Repetition::REPEATED;
    Ok(if repeated { DataType::Array(Box::new(one)) } else { one })
}

fn primitive(field: &Type, info: &BasicTypeInfo) -> Outcome {
    if let Some(logical) = info.logical_type_ref() {
        return from_logical(logical);
    }
    Ok(match info.converted_type() {
        ConvertedType::NONE => return from_physical(field.get_physical_type()),
        ConvertedType::UTF8 | ConvertedType::ENUM | ConvertedType::JSON => DataType::String,
        ConvertedType::BSON => DataType::Binary,
        ConvertedType::DECIMAL => return decimal(field.get_precision(), field.get_scale()),
        ConvertedType::DATE => DataType::Date,
        ConvertedType::TIMESTAMP_MILLIS | ConvertedType::TIMESTAMP_MICROS => DataType::Timestamp,
        ConvertedType::INT_8 => DataType::TinyInt,
        ConvertedType::INT_16 => DataType::SmallInt,
        ConvertedType::INT_32 => DataType::Int,
        ConvertedType::INT_64 => DataType::BigInt,
        other => return refuse(&in_words(other)),
    })
}

fn from_logical(logical: &LogicalType) -> Outcome {
    Ok(match logical {
        LogicalType::String | LogicalType::Enum | LogicalType::Json => DataType::String,
        LogicalType::Bson => DataType::Binary,
        LogicalType::Decimal(decimal_type) => return decimal(decimal_type.precision, decimal_type.scale),
        LogicalType::Date => DataType::Date,
        LogicalType::Timestamp(_) => DataType::Timestamp,
        // Hive's integers are all signed: an unsigned one would wrap.
        LogicalType::Integer(integer) if integer.is_signed => match integer.bit_width {
            8 => DataType::TinyInt,
            16 => DataType::SmallInt,
            32 => DataType::Int,
            64 => DataType::BigInt,
            bits => return refuse(&format!("an integer of {bits} bits")),
        },
        LogicalType::Uuid => return refuse("a UUID"),
        // Readers go by the physical type, which says nothing of the column's own: over another file's, they fail.
        LogicalType::Unknown => {
            return refuse("a column written without a type, since it had no value: write it with one");
        }
        LogicalType::Integer(integer) => {
            return refuse(&format!("an integer of {} bits without a sign", integer.bit_width));
        }
        LogicalType::Time(_) => return refuse("a time of day"),
        LogicalType::Float16 => return refuse("a floating-point number of 16 bits"),
        other => return refuse(&kind_of(&format!("{other:?}"))),
    })
}

/// A kind's name alone: what it is made of has no words.
fn kind_of(debug: &str) -> String {
    debug.split(['(', ' ', '{']).next().unwrap_or_default().to_owned()
}

fn in_words(converted: ConvertedType) -> String {
    let bits = match converted {
        ConvertedType::UINT_8 => 8,
        ConvertedType::UINT_16 => 16,
        ConvertedType::UINT_32 => 32,
        ConvertedType::UINT_64 => 64,
        ConvertedType::TIME_MILLIS | ConvertedType::TIME_MICROS => return "a time of day".to_owned(),
        other => return format!("the kind {other}"),
    };
    format!("an integer of {bits} bits without a sign")
}

fn from_physical(physical: Physical) -> Outcome {
    Ok(match physical {
        Physical::BOOLEAN => DataType::Boolean,
        Physical::INT32 => DataType::Int,
        Physical::INT64 => DataType::BigInt,
        Physical::INT96 => DataType::Timestamp,
        Physical::FLOAT => DataType::Float,
        Physical::DOUBLE => DataType::Double,
        Physical::BYTE_ARRAY | Physical::FIXED_LEN_BYTE_ARRAY => DataType::Binary,
    })
}

fn decimal(precision: i32, scale: i32) -> Outcome {
    match (u8::try_from(precision), u8::try_from(scale)) {
        (Ok(precision @ 1..=38), Ok(scale)) if scale <= precision => Ok(DataType::Decimal { precision, scale }),
        _ => refuse(&format!("decimal({precision},{scale})")),
    }
}

fn group(field: &Type, info: &BasicTypeInfo) -> Outcome {
    match (info.logical_type_ref(), info.converted_type()) {
        (Some(LogicalType::List), _) | (None, ConvertedType::LIST) => list(field),
        (Some(LogicalType::Map), _) | (None, ConvertedType::MAP | ConvertedType::MAP_KEY_VALUE) => map(field),
        (None, ConvertedType::NONE) => structure(field),
        (Some(logical), _) => refuse(&format!("a group of the kind {}", kind_of(&format!("{logical:?}")))),
        (None, converted) => refuse(&format!("a group of the kind {converted}")),
    }
}

fn structure(field: &Type) -> Outcome {
    let fields = field.get_fields();
    if fields.is_empty() {
        return refuse("a group without fields");
    }
    let named = |field: &Type| Ok(StructField { name: field.name().to_owned(), data_type: glue_type(field)? });
    fields.iter().map(|field| named(field)).collect::<Result<_, String>>().map(DataType::Struct)
}

/// The three-level list, and the older ones that the format's compatibility rules name.
fn list(field: &Type) -> Outcome {
    let [repeated] = field.get_fields() else { return refuse("a list that holds no single field") };
    let is_wrapper = repeated.is_group()
        && repeated.get_fields().len() == 1
        && repeated.name() != "array"
        && repeated.name() != format!("{}_tuple", field.name());
    if is_wrapper {
        return Ok(DataType::Array(Box::new(glue_type(&repeated.get_fields()[0])?)));
    }
    let item = glue_type(repeated)?;
    Ok(if matches!(item, DataType::Array(_)) { item } else { DataType::Array(Box::new(item)) })
}

fn map(field: &Type) -> Outcome {
    let [entries] = field.get_fields() else { return refuse("a map that holds no single field") };
    match entries.is_group().then(|| entries.get_fields()) {
        Some([key, value]) => Ok(DataType::Map(Box::new(glue_type(key)?), Box::new(glue_type(value)?))),
        _ => refuse("a map without a key and a value"),
    }
}

fn refuse(what: &str) -> Outcome {
    Err(format!("no Glue type holds {what}"))
}

#[cfg(test)]
mod tests {
    use ::parquet::schema::parser::parse_message_type;

    use super::*;

    #[track_caller]
    fn check(field: &str, expected: Result<&str, &str>) {
        let schema = parse_message_type(&format!("message m {{ {field} }}")).expect("the test's schema is sound");
        let found = glue_type(&schema.get_fields()[0]).map(|data_type| data_type.to_string());
        match expected {
            Ok(expected) => assert_eq!(found.as_deref(), Ok(expected), "{field}"),
            Err(part) => assert!(found.as_ref().is_err_and(|refused| refused.contains(part)), "{field}: {found:?}"),
        }
    }

    #[test]
    fn primitives() {
        check("required boolean a;", Ok("boolean"));
        check("required int32 a;", Ok("int"));
        check("required int32 a (INT_8);", Ok("tinyint"));
        check("required int32 a (INTEGER(16,true));", Ok("smallint"));
        check("required int64 a;", Ok("bigint"));
        check("required float a;", Ok("float"));
        check("required double a;", Ok("double"));
        check("required int96 a;", Ok("timestamp"));
        check("required binary a;", Ok("binary"));
        check("required binary a (UTF8);", Ok("string"));
        check("required binary a (STRING);", Ok("string"));
        check("required binary a (ENUM);", Ok("string"));
        check("required binary a (JSON);", Ok("string"));
        check("required binary a (BSON);", Ok("binary"));
        check("required int32 a (DATE);", Ok("date"));
        check("required int64 a (TIMESTAMP_MILLIS);", Ok("timestamp"));
        check("required int64 a (TIMESTAMP(NANOS,false));", Ok("timestamp"));
        check("required int32 a (DECIMAL(9,2));", Ok("decimal(9,2)"));
        check("required fixed_len_byte_array(16) a (DECIMAL(38,0));", Ok("decimal(38,0)"));
    }

    #[test]
    fn what_hive_cannot_hold_is_refused() {
        check("required int32 a (UINT_8);", Err("no Glue type holds an integer of 8 bits without a sign"));
        check("required int64 a (INTEGER(64,false));", Err("no Glue type holds an integer of 64 bits without a sign"));
        check("required int32 a (TIME_MILLIS);", Err("no Glue type holds a time of day"));
        check("required int32 a (TIME(MILLIS,true));", Err("no Glue type holds a time of day"));
        check("required fixed_len_byte_array(12) a (INTERVAL);", Err("no Glue type holds the kind INTERVAL"));
        check("required fixed_len_byte_array(2) a (FLOAT16);", Err("a floating-point number of 16 bits"));
        check("required fixed_len_byte_array(16) a (UUID);", Err("a UUID"));
        check(
            "optional int32 a (UNKNOWN);",
            Err("a column written without a type, since it had no value: write it with one"),
        );
        check("required group a { required fixed_len_byte_array(16) b (UUID); }", Err("a UUID"));
    }

    #[test]
    fn groups() {
        check("required group a { required int32 Id; optional binary n (UTF8); }", Ok("struct<Id:int,n:string>"));
        check("optional group a (LIST) { repeated group list { optional int32 element; } }", Ok("array<int>"));
        check("optional group a (LIST) { repeated int32 element; }", Ok("array<int>"));
        check("optional group a (LIST) { repeated group array { required int32 x; } }", Ok("array<struct<x:int>>"));
        check(
            "optional group a (LIST) { repeated group e { required int32 x; required int32 y; } }",
            Ok("array<struct<x:int,y:int>>"),
        );
        check("repeated int64 a;", Ok("array<bigint>"));
        check(
            "optional group a (MAP) { repeated group key_value { required binary key (UTF8); optional double value; } }",
            Ok("map<string,double>"),
        );
    }
}
