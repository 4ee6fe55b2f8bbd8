//! Operands: where the operands of an operator begin and end, found by tokens.

use std::ops::Range;

use polyglot_sql::TokenType as T;

use super::call::is_call;
use super::source::{Source, is_bare};

/// `a + b * -c`: what is added and multiplied, and what stands between.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Chain {
    pub operands: Vec<Range<usize>>,
    pub operators: Vec<T>,
}

impl Chain {
    pub fn tokens(&self) -> Range<usize> {
        let (first, last) = (self.operands.first(), self.operands.last());
        first.map_or(0, |first| first.start)..last.map_or(0, |last| last.end)
    }
}

/// `CASE … END`: its parts, and the token behind it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Case {
    /// The value that is compared and those it is compared with; empty where each WHEN has its own condition.
    pub compared: Vec<Range<usize>>,
    pub results: Vec<Range<usize>>,
    pub end: usize,
}

impl Source<'_> {
    /// True for an operator of arithmetic, or what looks like one.
    pub fn is_arithmetic(&self, index: usize) -> bool {
        matches!(self.kind(index), Some(T::Plus | T::Dash | T::Star | T::Slash | T::Percent | T::Mod))
    }

    /// True for a name or a word that an operand may be: none of the words that operands stand between.
    pub fn is_operand_name(&self, index: usize) -> bool {
        let is_between = matches!(
            self.kind(index),
            Some(
                T::All
                    | T::And
                    | T::As
                    | T::Asc
                    | T::Between
                    | T::By
                    | T::Case
                    | T::Desc
                    | T::Distinct
                    | T::Else
                    | T::Except
                    | T::Fetch
                    | T::From
                    | T::GroupBy
                    | T::Having
                    | T::In
                    | T::Intersect
                    | T::Is
                    | T::Join
                    | T::Like
                    | T::Limit
                    | T::Not
                    | T::Offset
                    | T::On
                    | T::Or
                    | T::OrderBy
                    | T::PartitionBy
                    | T::Select
                    | T::Then
                    | T::Union
                    | T::Using
                    | T::Values
                    | T::When
                    | T::Where
                    | T::With
            )
        );
        let is_name = |token| is_bare(token) || self.kind(index) == Some(T::QuotedIdentifier);
        !is_between && self.tokens.get(index).is_some_and(is_name)
    }

    /// True if an operand may end with this token.
    fn ends_operand(&self, index: usize) -> bool {
        matches!(self.kind(index), Some(T::Number | T::String | T::RParen | T::RBracket | T::End))
            || self.is_operand_name(index)
    }

    /// True for a sign in front of an operand.
    pub fn is_sign(&self, index: usize) -> bool {
        matches!(self.kind(index), Some(T::Plus | T::Dash))
            && index.checked_sub(1).is_none_or(|before| !self.ends_operand(before))
    }

    /// The token behind the operand that begins here: a number, a name with its fields, a call with FILTER and OVER, a bracket.
    pub fn operand_after(&self, mut at: usize) -> Option<usize> {
        while self.is_sign(at) {
            at += 1;
        }
        match self.kind(at)? {
            T::Number => return Some(at + 1),
            T::Case => return Some(self.case(at)?.end),
            T::LParen => at = self.after(at),
            _ if self.is_operand_name(at) => at += 1,
            _ => return None,
        }
        loop {
            at = match self.kind(at) {
                Some(T::Dot) => at + 2,
                Some(T::LBracket) => self.after(at),
                Some(T::LParen) => self.call_end(at),
                _ => return Some(at),
            };
        }
    }

    /// The token behind a call whose bracket opens here, with what belongs to it: `FILTER (…)`, `IGNORE NULLS`, `OVER (…)`.
    pub fn call_end(&self, open: usize) -> usize {
        let mut at = self.after(open);
        loop {
            at = match self.kind(at) {
                Some(T::Filter) if self.kind(at + 1) == Some(T::LParen) => self.after(at + 1),
                Some(T::Over) => self.after(at + 1),
                Some(T::Ignore | T::Respect) => at + 2,
                _ => return at,
            };
        }
    }

    /// The first token of the operand that ends before `end`, without a sign.
    pub fn operand_before(&self, end: usize) -> Option<usize> {
        let last = end.checked_sub(1)?;
        let start = match self.kind(last)? {
            T::Number => return Some(last),
            T::End => return self.case_around(last),
            T::RBracket => return self.operand_before(self.partner(last)?),
            T::RParen => {
                let open = self.partner(last)?;
                match open.checked_sub(1).and_then(|before| self.kind(before)) {
                    Some(T::Over | T::Filter) => return self.operand_before(open - 1),
                    Some(_) if self.is_operand_name(open - 1) => open - 1,
                    _ => return Some(open),
                }
            }
            _ if self.is_operand_name(last) => last,
            _ => return None,
        };
        match start.checked_sub(1).and_then(|before| self.kind(before)) {
            Some(T::Dot) => self.operand_before(start - 1),
            Some(T::Over | T::Ignore | T::Respect) => self.operand_before(start - 1),
            _ => Some(start),
        }
    }

    /// All that is calculated together with an operand; nothing if it is all, or if it does not show where another begins.
    pub fn chain(&self, operand: &Range<usize>) -> Option<Chain> {
        let mut chain = Chain { operands: vec![operand.clone()], operators: Vec::new() };
        let mut start = operand.start;
        while let Some(operator) = start.checked_sub(1).filter(|&at| self.is_arithmetic(at) && !self.is_sign(at)) {
            let mut before = self.operand_before(operator)?;
            if before > 0 && self.is_sign(before - 1) {
                before -= 1;
            }
            chain.operands.insert(0, before..operator);
            chain.operators.insert(0, self.kind(operator)?);
            start = before;
        }
        let mut end = operand.end;
        while self.is_arithmetic(end) {
            let after = self.operand_after(end + 1)?;
            chain.operators.push(self.kind(end)?);
            chain.operands.push(end + 1..after);
            end = after;
        }
        (!chain.operators.is_empty()).then_some(chain)
    }

    /// The chain that a range is, from its first operand to its last.
    pub fn chain_of(&self, range: &Range<usize>) -> Option<Chain> {
        let first = range.start..self.operand_after(range.start)?;
        self.chain(&first).filter(|chain| chain.tokens() == *range)
    }

    /// The brackets around a token: the one that opens, and the one that closes.
    pub fn around(&self, token: usize) -> Option<(usize, usize)> {
        let mut at = token;
        while at > 0 {
            at -= 1;
            match self.partner(at) {
                Some(close) if close > at => return Some((at, close)),
                Some(open) => at = open,
                None => {}
            }
        }
        None
    }

    /// The CASE whose parts the token stands among.
    pub fn case_around(&self, token: usize) -> Option<usize> {
        let (mut at, mut depth) = (token, 0);
        while at > 0 {
            at -= 1;
            match self.kind(at)? {
                T::End => depth += 1,
                T::Case if depth == 0 => return Some(at),
                T::Case => depth -= 1,
                T::RParen | T::RBracket => at = self.partner(at)?,
                T::LParen | T::LBracket => return None,
                _ => {}
            }
        }
        None
    }

    /// The CASE that a range is.
    pub fn case_of(&self, range: &Range<usize>) -> Option<Case> {
        if self.kind(range.start) != Some(T::Case) {
            return None;
        }
        self.case(range.start).filter(|case| case.end == range.end)
    }

    /// The call that a range is: what is called, in lower case, and its arguments.
    pub fn call(&self, range: &Range<usize>) -> Option<(String, Vec<Range<usize>>)> {
        let open = range.start + 1;
        let is_call = self.kind(open) == Some(T::LParen) && self.call_end(open) == range.end;
        let close = self.partner(open).filter(|_| is_call)?;
        let mut arguments = self.split(open + 1..close);
        if matches!(self.kind(open + 1), Some(T::Distinct | T::All)) {
            arguments[0].start += 1;
        }
        Some((self.name(range.start), arguments))
    }

    /// What a CAST or TRY_CAST that begins here casts, and the type, which may have commas.
    pub fn cast(&self, start: usize) -> Option<(Range<usize>, Range<usize>)> {
        let is_cast = self.kind(start + 1) == Some(T::LParen) && is_call(&self.tokens, start);
        if !is_cast || !["cast", "try_cast"].contains(&self.name(start).as_str()) {
            return None;
        }
        let close = self.partner(start + 1)?;
        let keyword = self.find(start + 2..close, |at| self.kind(at) == Some(T::As))?;
        Some((start + 2..keyword, keyword + 1..close))
    }

    /// The CASE that begins here.
    pub fn case(&self, start: usize) -> Option<Case> {
        let (mut compared, mut results) = (Vec::new(), Vec::new());
        let (mut part, mut depth, mut word) = (start + 1, 0, T::Case);
        let mut at = start + 1;
        while let Some(kind) = self.kind(at) {
            match kind {
                T::Case => depth += 1,
                T::End if depth > 0 => depth -= 1,
                T::When | T::Then | T::Else | T::End if depth == 0 => {
                    match word {
                        T::Then | T::Else => results.push(part..at),
                        T::Case | T::When => compared.push(part..at),
                        _ => {}
                    }
                    if kind == T::End {
                        let has_operand = compared.first().is_some_and(|operand| !operand.is_empty());
                        let compared = if has_operand { compared } else { Vec::new() };
                        return Some(Case { compared, results, end: at + 1 });
                    }
                    (word, part) = (kind, at + 1);
                }
                _ => {}
            }
            at = self.after(at);
        }
        None
    }
}
