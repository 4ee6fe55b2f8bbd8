//! What an expression makes of a value: one step outward from where the value stands, found by tokens.

use std::ops::Range;

use polyglot_sql::TokenType as T;

use super::call::is_call;
use super::operands::Chain;
use super::origins::Origin;
use super::resolve::Resolver;
use super::scope::{Lookup, Scope};
use super::source::Source;

/// What is made of a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Role {
    /// Cast to the type that these tokens spell.
    Cast {
        to: Range<usize>,
    },
    /// In brackets of its own.
    Itself,
    /// With a sign: an integer does not hold the same numbers on both sides of zero.
    Signed,
    Calculated(Chain),
    Argument {
        function: String,
        index: usize,
        is_distinct: bool,
    },
    /// One of the results of a CASE.
    Result,
    /// Compared by `<`, BETWEEN and the like.
    Ordered,
    /// Compared by `=`, IN and the like.
    Equal,
    /// An element of ORDER BY.
    Sorted,
    /// An element of GROUP BY or PARTITION BY.
    Grouped,
    /// Asked whether it is NULL.
    Tested,
}

/// One step outward.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Outward {
    pub role: Role,
    /// What is made of the value, where that is a value that is of the value's kind.
    pub whole: Option<Range<usize>>,
    /// The values that it is brought together with.
    pub beside: Vec<Range<usize>>,
}

impl Outward {
    fn parts(&self) -> impl Iterator<Item = &Range<usize>> {
        self.whole.iter().chain(&self.beside)
    }

    fn end(role: Role, beside: Vec<Range<usize>>) -> Self {
        Self { role, whole: None, beside }
    }
}

/// The step from a value; none if what is made of it is not understood.
pub(super) fn outward(source: &Source, value: &Range<usize>) -> Option<Outward> {
    if let Some(sign) = value.start.checked_sub(1).filter(|&before| source.is_sign(before)) {
        return Some(Outward { role: Role::Signed, whole: Some(sign..value.end), beside: Vec::new() });
    }
    let is_calculated = |at: usize| source.is_arithmetic(at);
    if value.start.checked_sub(1).is_some_and(is_calculated) || is_calculated(value.end) {
        let chain = source.chain(value)?;
        let beside = chain.operands.iter().filter(|operand| *operand != value).cloned().collect();
        return Some(Outward { whole: Some(chain.tokens()), role: Role::Calculated(chain), beside });
    }
    compared(source, value)
        .or_else(|| listed(source, value).map(|role| Outward::end(role, Vec::new())))
        .or_else(|| result(source, value))
        .or_else(|| selected(source, value))
        .or_else(|| enclosed(source, value))
}

/// True if an operand may begin behind this token.
fn starts(source: &Source, start: usize) -> bool {
    let before = start.checked_sub(1).and_then(|before| source.kind(before));
    let words = [T::Where, T::On, T::And, T::Or, T::Not, T::When, T::Having, T::Select, T::Then, T::Else];
    before.is_none_or(|kind| words.contains(&kind) || matches!(kind, T::LParen | T::Comma | T::Arrow))
}

/// True if an operand may end before this token.
fn ends(source: &Source, end: usize) -> bool {
    const WORDS: [T; 25] = [
        T::And,
        T::Or,
        T::Then,
        T::Else,
        T::End,
        T::When,
        T::Where,
        T::Group,
        T::GroupBy,
        T::Having,
        T::Order,
        T::OrderBy,
        T::Limit,
        T::Offset,
        T::Fetch,
        T::Union,
        T::Except,
        T::Intersect,
        T::Window,
        T::Join,
        T::Inner,
        T::Left,
        T::Right,
        T::Full,
        T::Cross,
    ];
    let is_end = |kind| WORDS.contains(&kind) || matches!(kind, T::RParen | T::RBracket | T::Comma | T::As);
    source.kind(end).is_none_or(is_end)
}

fn comparison(kind: Option<T>) -> Option<Role> {
    match kind? {
        T::Eq | T::Neq => Some(Role::Equal),
        T::Lt | T::Gt | T::Lte | T::Gte => Some(Role::Ordered),
        _ => None,
    }
}

/// The operand that begins at a token, with what is calculated in it.
fn operand(source: &Source, start: usize) -> Option<Range<usize>> {
    let first = start..source.operand_after(start)?;
    Some(source.chain(&first).map_or(first, |chain| chain.tokens()))
}

fn compared(source: &Source, value: &Range<usize>) -> Option<Outward> {
    let Range { start, end } = *value;
    let kind = |at: usize| source.kind(at);
    let with = |role: Role, others: Vec<Option<Range<usize>>>| {
        // What does not show where it ends stands for something whose type is not known.
        let beside = others.into_iter().map(|other| other.unwrap_or(end..end)).collect();
        Some(Outward::end(role, beside))
    };
    if starts(source, start) {
        let not = usize::from(matches!(kind(end), Some(T::Not)));
        match (kind(end + not), kind(end + 1), kind(end + 2)) {
            (Some(T::Is), Some(T::Null), _) | (Some(T::Is), Some(T::Not), Some(T::Null)) => {
                return with(Role::Tested, vec![]);
            }
            (Some(T::Is), Some(T::Distinct), _) => return with(Role::Equal, vec![operand(source, end + 3)]),
            (Some(T::Is), Some(T::Not), Some(T::Distinct)) => return with(Role::Equal, vec![operand(source, end + 4)]),
            (Some(T::In), ..) => return with(Role::Equal, vec![None]),
            (Some(T::Between), ..) => {
                let low = operand(source, end + not + 1);
                let high = low.as_ref().and_then(|low| operand(source, low.end + 1));
                return with(Role::Ordered, vec![low, high]);
            }
            (next, ..) if not == 0 => {
                if let Some(role) = comparison(next) {
                    return with(role, vec![operand(source, end + 1)]);
                }
            }
            _ => {}
        }
    }
    let before = start.checked_sub(1)?;
    let other = || source.operand_before(before).map(|other| other..before);
    match kind(before) {
        Some(T::From) if before > 0 && kind(before - 1) == Some(T::Distinct) && ends(source, end) => {
            with(Role::Equal, vec![None])
        }
        Some(T::Between) if kind(end) == Some(T::And) => with(Role::Ordered, vec![None]),
        Some(T::And) if ends(source, end) => {
            let low = other()?.start.checked_sub(1)?;
            (kind(low) == Some(T::Between)).then(|| with(Role::Ordered, vec![None]))?
        }
        sign if ends(source, end) => with(comparison(sign)?, vec![other()]),
        _ => None,
    }
}

/// What orders or groups by the value.
fn listed(source: &Source, value: &Range<usize>) -> Option<Role> {
    let before = value.start.checked_sub(1)?;
    let opens = [T::Comma, T::By, T::OrderBy, T::GroupBy, T::PartitionBy, T::Distinct, T::All];
    let is_framed = ["rows", "range", "groups"].iter().any(|word| source.is_word(value.end, word));
    let is_sorted = matches!(source.kind(value.end), Some(T::Asc | T::Desc | T::Nulls));
    if !opens.contains(&source.kind(before)?) || !(ends(source, value.end) || is_sorted || is_framed) {
        return None;
    }
    let mut at = value.start;
    while at > 0 {
        at -= 1;
        match source.kind(at)? {
            T::RParen | T::RBracket => at = source.partner(at)?,
            T::OrderBy => return Some(Role::Sorted),
            T::GroupBy | T::PartitionBy => return Some(Role::Grouped),
            T::By => {
                let is_order = source.kind(at.checked_sub(1)?) == Some(T::Order);
                return Some(if is_order { Role::Sorted } else { Role::Grouped });
            }
            T::LParen | T::LBracket | T::Select | T::From | T::Where | T::Having | T::On | T::Values => return None,
            _ => {}
        }
    }
    None
}

/// A part of a CASE.
fn result(source: &Source, value: &Range<usize>) -> Option<Outward> {
    let before = source.kind(value.start.checked_sub(1)?)?;
    let after = source.kind(value.end)?;
    let is_result = matches!((before, after), (T::Then | T::Else, T::When | T::Else | T::End));
    let is_compared = matches!((before, after), (T::Case, T::When) | (T::When, T::Then));
    if !is_result && !is_compared {
        return None;
    }
    let start = source.case_around(value.start)?;
    let case = source.case(start)?;
    let others = |parts: Vec<Range<usize>>| parts.into_iter().filter(|part| part != value).collect();
    match is_result {
        true => Some(Outward { role: Role::Result, whole: Some(start..case.end), beside: others(case.results) }),
        false => case.compared.contains(value).then(|| Outward::end(Role::Equal, others(case.compared))),
    }
}

/// The one column of a subquery that an IN, an EXISTS or a comparison asks.
fn selected(source: &Source, value: &Range<usize>) -> Option<Outward> {
    let (open, _) = source.around(value.start)?;
    let is_all = open + 2 == value.start && source.kind(open + 1) == Some(T::Select);
    if !is_all || !matches!(source.kind(value.end), Some(T::From | T::As)) {
        return None;
    }
    let role = match source.kind(open.checked_sub(1)?) {
        Some(T::In) => Role::Equal,
        Some(T::Exists) => Role::Tested,
        before => comparison(before)?,
    };
    let unknown = value.end..value.end;
    Some(Outward::end(role, std::iter::once(unknown).collect()))
}

/// All that stands in brackets, or between their commas.
fn enclosed(source: &Source, value: &Range<usize>) -> Option<Outward> {
    let (open, close) = source.around(value.start)?;
    if source.kind(open) != Some(T::LParen) {
        return None;
    }
    let name = open.checked_sub(1).filter(|&before| source.is_operand_name(before));
    let is_cast = name.is_some_and(|name| ["cast", "try_cast"].contains(&source.name(name).as_str()));
    if let Some(name) = name.filter(|_| is_cast) {
        let is_all = value.start == open + 1 && source.kind(value.end) == Some(T::As);
        let whole = Some(name..close + 1);
        return is_all.then(|| Outward { role: Role::Cast { to: value.end + 1..close }, whole, beside: Vec::new() });
    }
    let mut parts = source.split(open + 1..close);
    let is_distinct = source.kind(open + 1) == Some(T::Distinct);
    if is_distinct || source.kind(open + 1) == Some(T::All) {
        parts[0].start += 1;
    }
    let index = parts.iter().position(|part| part == value)?;
    let is_alone = parts.len() == 1;
    let beside = parts.into_iter().filter(|part| part != value).collect();
    match name {
        Some(name) if ["rollup", "cube", "sets"].contains(&source.name(name).as_str()) => {
            Some(Outward::end(Role::Grouped, beside))
        }
        Some(name) if is_call(&source.tokens, name) => {
            let role = Role::Argument { function: source.name(name), index, is_distinct };
            Some(Outward { role, whole: Some(name..source.call_end(open)), beside })
        }
        Some(_) => None,
        None => match open.checked_sub(1).and_then(|before| source.kind(before)) {
            Some(T::In) => Some(Outward::end(Role::Equal, beside)),
            Some(T::Values | T::Exists | T::Using) => None,
            _ => is_alone.then(|| Outward { role: Role::Itself, whole: Some(open..close + 1), beside }),
        },
    }
}

impl Resolver<'_> {
    /// The column that a range is a copy of, if it is a column alone.
    pub(super) fn copied(&self, range: &Range<usize>, scope: &Scope) -> Option<Origin> {
        let mention = self.mentions(range).first().filter(|mention| mention.tokens.start == range.start)?;
        match scope.lookup(mention) {
            Lookup::Found { output, qualified, .. } if !self.is_parameter(mention) => {
                let length = if qualified { 3 } else { 1 };
                output.copied().filter(|_| range.len() == length).cloned()
            }
            _ => None,
        }
    }

    /// Notes the types of what is made of a value, outward to the end of the expression.
    pub(super) fn follow(&mut self, mut value: Range<usize>, expression: &Range<usize>, scope: &Scope) {
        while let Some(next) = outward(self.source, &value) {
            let is_inside = |part: &&Range<usize>| expression.start <= part.start && part.end <= expression.end;
            for part in next.parts().filter(is_inside) {
                let data_type = self.data_type(part.clone(), scope);
                self.found.types.insert((part.start, part.end), data_type);
            }
            match next.whole.filter(|whole| is_inside(&whole)) {
                Some(whole) => value = whole,
                None => break,
            }
        }
    }
}
