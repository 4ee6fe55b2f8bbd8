//! Values of two types that meet: in a comparison, a list, the branches of a CASE, a set operation. Only what is certain is
//! refused: Athena fails the build, where the embedded engine makes a text of a number, or a number of a text, by itself.

use std::ops::Range;

use polyglot_sql::TokenType as T;

use super::resolve::Resolver;
use super::scope::Scope;
use super::types::to_dml;
use crate::schema::DataType;

/// Types that Athena brings to each other without a CAST.
/// <https://trino.io/docs/current/language/types.html>
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Family {
    Number,
    Text,
    Boolean,
    Time,
    Binary,
    Array,
    Map,
    Struct,
}

impl Family {
    fn of(data_type: &DataType) -> Option<Self> {
        use DataType::{
            Array, BigInt, Binary, Boolean, Char, Date, Decimal, Double, Float, Int, Map, SmallInt, String, Struct,
            Timestamp, TinyInt, Unrecognized, Varchar,
        };
        Some(match data_type {
            TinyInt | SmallInt | Int | BigInt | Float | Double | Decimal { .. } => Self::Number,
            String | Varchar(_) | Char(_) => Self::Text,
            Boolean => Self::Boolean,
            Date | Timestamp => Self::Time,
            Binary => Self::Binary,
            Array(_) => Self::Array,
            Map(..) => Self::Map,
            Struct(_) => Self::Struct,
            Unrecognized(_) => return None,
        })
    }
}

/// True unless Athena is certain to bring neither to the other.
pub(super) fn meet(a: &DataType, b: &DataType) -> bool {
    match (Family::of(a), Family::of(b)) {
        (Some(a), Some(b)) => a == b,
        _ => true,
    }
}

/// The type as a person writes it in a CAST.
pub(super) fn shown(data_type: &DataType) -> String {
    to_dml(data_type).unwrap_or_else(|| data_type.to_string())
}

/// How a pair of types that do not meet is mended.
pub(super) fn mend(a: &DataType, b: &DataType) -> String {
    let other = |text: &DataType, other: &DataType| {
        matches!(Family::of(text), Some(Family::Text)).then(|| shown(other)).filter(|_| !other.is_nested())
    };
    match other(a, b).or_else(|| other(b, a)) {
        Some(to) => format!(
            "read the text as what it is: `TRY_CAST(… AS {to})`, NULL where it is none; or `CAST(… AS varchar)` the other"
        ),
        None => "CAST one of them to the type of the other".to_owned(),
    }
}

impl Resolver<'_> {
    /// Looks at what meets in an expression, `nested` queries left out: they have a scope of their own.
    pub(super) fn meetings(&mut self, range: &Range<usize>, nested: &[Range<usize>], scope: &Scope) {
        for index in range.clone() {
            if nested.iter().any(|inner| inner.contains(&index)) {
                continue;
            }
            for (what, groups) in self.meeting(index, range) {
                let typed = groups.into_iter().filter_map(|tokens| self.operand(tokens, scope));
                let typed: Vec<DataType> = typed.collect();
                let Some((a, b)) = typed.first().zip(typed.iter().find(|other| !meet(&typed[0], other))) else {
                    continue;
                };
                let message = format!("{what} brings together {} and {}, which Athena does not", shown(a), shown(b));
                self.problem(index, message, mend(a, b));
            }
        }
    }

    /// What meets by the token at `index`: its name, and the operands.
    fn meeting(&self, index: usize, range: &Range<usize>) -> Vec<(String, Vec<Range<usize>>)> {
        let source = self.source;
        let one = |operands: Vec<Range<usize>>| vec![(format!("`{}`", source.slice(&(index..index + 1))), operands)];
        let before = || {
            let end = if source.kind(index - 1) == Some(T::Not) { index - 1 } else { index };
            self.left(range.start..end)
        };
        match source.kind(index) {
            _ if index == range.start && source.kind(index) != Some(T::Case) && !self.is_function(index) => Vec::new(),
            Some(T::Eq | T::Neq | T::Lt | T::Gt | T::Lte | T::Gte) => {
                one(self.left(range.start..index).into_iter().chain(self.right(index + 1..range.end)).collect())
            }
            Some(T::Between) => {
                let low = self.right(index + 1..range.end);
                let high = low.as_ref().and_then(|low| self.right(low.end + 1..range.end));
                one(before().into_iter().chain(low).chain(high).collect())
            }
            Some(T::In) if source.kind(index + 1) == Some(T::LParen) => {
                let close = source.partner(index + 1).unwrap_or(range.end);
                one(before().into_iter().chain(source.split(index + 2..close)).collect())
            }
            Some(T::Case) => source.case(index).map_or_else(Vec::new, |case| {
                vec![("`CASE`".to_owned(), case.compared), ("`CASE`".to_owned(), case.results)]
            }),
            _ if self.is_function(index) => {
                let close = source.partner(index + 1).unwrap_or(range.end);
                let mut arguments = source.split(index + 2..close);
                if source.name(index) == "if" {
                    arguments.remove(0);
                }
                one(arguments)
            }
            _ => Vec::new(),
        }
    }

    /// True for a call of a function whose arguments all have one type, an `if`'s condition aside.
    fn is_function(&self, index: usize) -> bool {
        const ALIKE: [&str; 5] = ["coalesce", "nullif", "greatest", "least", "if"];
        self.source.kind(index + 1) == Some(T::LParen) && ALIKE.contains(&self.source.name(index).as_str())
    }

    /// The operand that ends where the range does, if nothing before it binds it otherwise.
    fn left(&self, range: Range<usize>) -> Option<Range<usize>> {
        let source = self.source;
        let mut start = range.end.checked_sub(1)?;
        loop {
            if matches!(source.kind(start), Some(T::RParen | T::RBracket)) {
                start = source.partner(start)?;
                if start > range.start && self.is_name(start - 1) && !self.is_keyword(start - 1) {
                    start -= 1;
                }
            }
            if start < range.start + 2 || source.kind(start - 1) != Some(T::Dot) {
                break;
            }
            start -= 2;
        }
        if start > range.start && matches!(source.kind(start), Some(T::String)) && self.is_name(start - 1) {
            let typed = source.is_word(start - 1, "date") || source.is_word(start - 1, "timestamp");
            start -= usize::from(typed);
        }
        let starts = start == range.start
            || matches!(
                source.kind(start - 1),
                Some(T::And | T::Or | T::Not | T::When | T::Where | T::On | T::Having | T::LParen | T::Comma | T::Then)
            );
        (starts && start < range.end).then_some(start..range.end)
    }

    /// The operand that starts where the range does, if nothing after it binds it otherwise.
    fn right(&self, range: Range<usize>) -> Option<Range<usize>> {
        let source = self.source;
        let mut at = range.start;
        if source.kind(at) == Some(T::Dash) {
            at += 1;
        }
        if (source.is_word(at, "date") || source.is_word(at, "timestamp")) && source.kind(at + 1) == Some(T::String) {
            at += 1;
        }
        let is_name = self.is_name(at);
        at = source.after(at);
        while is_name && at < range.end {
            match source.kind(at) {
                Some(T::Dot) => at += 2,
                Some(T::LParen | T::LBracket) => at = source.after(at),
                _ => break,
            }
        }
        let ends = at == range.end
            || matches!(
                source.kind(at),
                Some(T::And | T::Or | T::RParen | T::Comma | T::When | T::Then | T::Else | T::End | T::As)
            );
        (ends && at <= range.end && range.start < range.end).then_some(range.start..at)
    }

    fn is_name(&self, index: usize) -> bool {
        self.source.kind(index) == Some(T::QuotedIdentifier)
            || self.source.tokens.get(index).is_some_and(super::source::is_bare)
    }

    /// A word before a bracket that calls nothing.
    fn is_keyword(&self, index: usize) -> bool {
        use T::{And, Between, Case, Else, In, Like, Not, On, Or, Then, When, Where};
        matches!(
            self.source.kind(index),
            Some(And | Or | Not | In | Between | Like | When | Then | Else | Case | On | Where | T::Having)
        )
    }

    /// The type of an operand, a literal among them, if it is certain.
    fn operand(&self, range: Range<usize>, scope: &Scope) -> Option<DataType> {
        let source = self.source;
        let first = source.kind(range.start)?;
        match (first, range.len()) {
            (T::String, 1) => Some(DataType::String),
            (T::Number, 1) => Some(DataType::BigInt),
            (T::Dash, 2) if source.kind(range.start + 1) == Some(T::Number) => Some(DataType::BigInt),
            (T::True | T::False, 1) => Some(DataType::Boolean),
            (_, 2) if source.is_word(range.start, "timestamp") && source.kind(range.start + 1) == Some(T::String) => {
                Some(DataType::Timestamp)
            }
            (T::LParen, _) if source.partner(range.start) == Some(range.end - 1) => {
                self.operand(range.start + 1..range.end - 1, scope)
            }
            _ => self.data_type(range, scope),
        }
    }
}
