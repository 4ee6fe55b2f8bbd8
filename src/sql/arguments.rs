//! Calls with an argument of a type that the function does not take. Only what is certain is refused: Athena would fail the
//! build, and the embedded engine does not always.

use std::ops::Range;

use super::call::is_call;
use super::resolve::Resolver;
use super::scope::Scope;
use super::types::to_dml;
use crate::schema::DataType;

/// What a function takes as its first argument.
/// <https://trino.io/docs/current/functions/list.html>
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Takes {
    Number,
    Text,
    /// Or binary data.
    Bytes,
    Boolean,
    Time,
    Collection,
    /// What can be sorted.
    Ordered,
}

impl Takes {
    fn of(function: &str) -> Option<Self> {
        Some(match function {
            "sum" | "avg" | "stddev" | "stddev_pop" | "stddev_samp" | "variance" | "var_pop" | "var_samp" | "abs"
            | "round" | "floor" | "ceil" | "ceiling" | "sqrt" => Self::Number,
            "lower" | "upper" | "trim" | "ltrim" | "rtrim" | "replace" | "split" | "split_part" | "strpos"
            | "starts_with" | "regexp_like" | "regexp_extract" | "regexp_replace" => Self::Text,
            "length" | "substr" | "substring" => Self::Bytes,
            "bool_and" | "bool_or" | "every" | "count_if" => Self::Boolean,
            "year" | "quarter" | "month" | "week" | "day" | "day_of_week" | "day_of_month" | "day_of_year" => {
                Self::Time
            }
            "cardinality" => Self::Collection,
            "min" | "max" => Self::Ordered,
            _ => return None,
        })
    }

    fn fits(self, data_type: &DataType) -> bool {
        use DataType::{
            Array, BigInt, Binary, Boolean, Char, Date, Decimal, Double, Float, Int, Map, SmallInt, String, Timestamp,
            TinyInt, Varchar,
        };
        match self {
            Self::Number => matches!(data_type, TinyInt | SmallInt | Int | BigInt | Float | Double | Decimal { .. }),
            Self::Text => matches!(data_type, String | Varchar(_) | Char(_)),
            Self::Bytes => matches!(data_type, String | Varchar(_) | Char(_) | Binary),
            Self::Boolean => matches!(data_type, Boolean),
            Self::Time => matches!(data_type, Date | Timestamp),
            Self::Collection => matches!(data_type, Array(_) | Map(..)),
            Self::Ordered => !matches!(data_type, Map(..)),
        }
    }

    /// What it takes, and how to come by it.
    fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::Number => ("a number", "read it as one: `TRY_CAST(… AS double)`, NULL where it is none"),
            Self::Text => ("text", "read it as text: `CAST(… AS varchar)`"),
            Self::Bytes => ("text or binary data", "read it as text: `CAST(… AS varchar)`"),
            Self::Boolean => ("a boolean", "compare it with something, or use `CAST(… AS boolean)`"),
            Self::Time => ("a date or timestamp", "read it as one: `TRY_CAST(… AS date)`, NULL where it is none"),
            Self::Collection => ("an array or a map", "use `length` for the letters of a text"),
            Self::Ordered => ("what can be sorted", "take a value out of the map first: `element_at(m, 'key')`"),
        }
    }
}

impl Resolver<'_> {
    /// Looks at the calls of an expression, those in `nested` queries left out: they have a scope of their own.
    pub(super) fn arguments(&mut self, range: &Range<usize>, nested: &[Range<usize>], scope: &Scope) {
        let is_call =
            |index: &usize| is_call(&self.source.tokens, *index) && !nested.iter().any(|inner| inner.contains(index));
        for index in range.clone().filter(is_call).collect::<Vec<_>>() {
            let function = self.source.name(index);
            let Some(takes) = Takes::of(&function) else { continue };
            let Some(data_type) = self.first_argument(index + 1, scope).filter(|found| !takes.fits(found)) else {
                continue;
            };
            let (wanted, help) = takes.words();
            let found = to_dml(&data_type).unwrap_or_else(|| data_type.to_string());
            self.problem(index, format!("`{function}` takes {wanted}, and this is {found}"), help.to_owned());
        }
    }

    /// The type of a call's first argument, if it is certain.
    fn first_argument(&self, open: usize, scope: &Scope) -> Option<DataType> {
        let close = self.source.partner(open)?;
        let mut first = self.source.split(open + 1..close).into_iter().next()?;
        if self.source.is_word(first.start, "distinct") || self.source.is_word(first.start, "all") {
            first.start += 1;
        }
        (!first.is_empty()).then(|| self.data_type(first, scope))?
    }
}
