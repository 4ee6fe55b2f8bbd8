//! The one table of type changes: what becomes of the values when a type gives way to another.

use std::cmp::Ordering;

use crate::schema::{DataType, StructField, same_name};

/// What a type change does to values. Ordered by harm, so that a nested change is its worst part.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Promotion {
    Identical,
    /// Every value fits and means the same.
    Widening,
    /// The new type holds fewer values: one may not fit.
    Narrowing,
    /// Values convert, but precision or meaning is lost: digits, the time of day, arithmetic.
    Lossy,
    /// Values do not convert.
    Incompatible,
}

impl Promotion {
    /// Classifies a change of type. Structs compare by field name, as JSON and Parquet read them.
    pub fn of(from: &DataType, to: &DataType) -> Self {
        use DataType::{Array, Map, Struct};
        match (from, to) {
            _ if from == to => Self::Identical,
            (Array(from), Array(to)) => Self::of(from, to),
            (Map(from_key, from_value), Map(to_key, to_value)) => {
                Self::of(from_key, to_key).max(Self::of(from_value, to_value))
            }
            (Struct(from), Struct(to)) => of_struct(from, to),
            _ => of_primitive(from, to),
        }
    }
}

fn of_struct(from: &[StructField], to: &[StructField]) -> Promotion {
    let find = |fields: &[StructField], name: &str| {
        fields.iter().find(|field| same_name(&field.name, name)).map(|field| field.data_type.clone())
    };
    let kept = from.iter().map(|field| match find(to, &field.name) {
        Some(data_type) => Promotion::of(&field.data_type, &data_type),
        None => Promotion::Lossy,
    });
    // Whatever the fields say, the two structs differ: in an added field, in order or in case.
    kept.max().unwrap_or(Promotion::Widening).max(Promotion::Widening)
}

fn of_primitive(from: &DataType, to: &DataType) -> Promotion {
    use DataType::{Binary, Date, Decimal, Double, Float, Timestamp};
    use Promotion::{Incompatible, Lossy, Narrowing, Widening};
    if let (Some(from), Some(to)) = (integer_digits(from), integer_digits(to)) {
        return fits(from <= to);
    }
    match (from, to) {
        (Float, Double) | (Date, Timestamp) => Widening,
        // 24 and 53 bits of mantissa hold 7 and 15 whole digits.
        (Decimal { precision, scale: 0 }, Float) => exact(*precision <= 7),
        (Decimal { precision, scale: 0 }, Double) => exact(*precision <= 15),
        (Double, Float) | (Timestamp, Date) | (Float | Double, Decimal { .. }) | (Decimal { .. }, Float | Double) => {
            Lossy
        }
        (_, Float) if integer_digits(from).is_some() => exact(integer_digits(from) <= Some(7)),
        (_, Double) if integer_digits(from).is_some() => exact(integer_digits(from) <= Some(15)),
        (Float | Double, _) if integer_digits(to).is_some() => Lossy,
        (Decimal { precision, scale }, Decimal { precision: to_precision, scale: to_scale }) => {
            if to_scale < scale {
                Lossy
            } else {
                fits(precision - scale <= to_precision - to_scale)
            }
        }
        (Decimal { precision, scale }, _) if integer_digits(to).is_some() => match scale {
            // The type's greatest digit count is not full: int ends at 2,147,483,647.
            0 => fits(Some(*precision) < integer_digits(to)),
            _ => Lossy,
        },
        (_, Decimal { precision, scale }) if integer_digits(from).is_some() => {
            fits(integer_digits(from) <= Some(precision - scale))
        }
        (Binary, _) | (_, Binary) => Incompatible,
        _ => match (Text::of(from), Text::of(to)) {
            (Some(from), Some(to)) => from.promotion(&to),
            // Not every text is a number, a date or a boolean.
            (Some(_), None) if is_scalar(to) => Narrowing,
            // The digits stay; comparing and adding do not.
            (None, Some(_)) if is_scalar(from) => Lossy,
            _ => Incompatible,
        },
    }
}

fn fits(fits: bool) -> Promotion {
    if fits { Promotion::Widening } else { Promotion::Narrowing }
}

fn exact(exact: bool) -> Promotion {
    if exact { Promotion::Widening } else { Promotion::Lossy }
}

/// Decimal digits an integer type may need.
fn integer_digits(data_type: &DataType) -> Option<u8> {
    match data_type {
        DataType::TinyInt => Some(3),
        DataType::SmallInt => Some(5),
        DataType::Int => Some(10),
        DataType::BigInt => Some(19),
        _ => None,
    }
}

fn is_scalar(data_type: &DataType) -> bool {
    use DataType::{Array, Map, Struct, Unrecognized};
    !matches!(data_type, Array(_) | Map(..) | Struct(_) | Unrecognized(_))
}

/// A text type: its length, and whether it pads to it.
struct Text {
    length: Option<u16>,
    padded: bool,
}

impl Text {
    fn of(data_type: &DataType) -> Option<Self> {
        match data_type {
            DataType::String => Some(Self { length: None, padded: false }),
            DataType::Varchar(length) => Some(Self { length: Some(*length), padded: false }),
            DataType::Char(length) => Some(Self { length: Some(*length), padded: true }),
            _ => None,
        }
    }

    fn promotion(&self, to: &Self) -> Promotion {
        if to.padded && !self.padded {
            return Promotion::Lossy;
        }
        let room = |length: Option<u16>| length.map_or(u32::MAX, u32::from);
        match room(self.length).cmp(&room(to.length)) {
            Ordering::Less | Ordering::Equal => Promotion::Widening,
            Ordering::Greater => Promotion::Narrowing,
        }
    }
}

/// Type changes Athena documents as readable.
/// <https://docs.aws.amazon.com/athena/latest/ug/handling-schema-updates-chapter.html>
pub(super) fn documented(from: &DataType, to: &DataType) -> bool {
    match (integer_digits(from), integer_digits(to)) {
        (Some(from), Some(to)) => from < to,
        (None, Some(_)) => *from == DataType::String,
        _ => matches!((from, to), (DataType::Float, DataType::Double)),
    }
}
