//! The text of a SELECT, marked for the parser: what every call and every table means is settled here.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use polyglot_sql::{Token, TokenType};

use super::functions::{Call, advice, call};
use super::{spoken, unnest};
use crate::problem::{Problem, Problems};
use crate::sql::ident::{literal, quote};
use crate::sql::{TableName, dialect, is_call, is_typed_literal, place, tables};

/// A SELECT in which known calls have the embedded engine's names, and tables that of their database: a CTE may be called
/// like the table that it reads.
pub(super) struct Marked {
    pub text: String,
    /// The tables, lowercase.
    pub tables: BTreeSet<String>,
    /// Where pieces of the text begin, in it and in the SELECT as it was written.
    pieces: Vec<(usize, usize)>,
}

impl Marked {
    /// Where a character of the text stands in the SELECT as it was written.
    pub fn origin(&self, offset: usize) -> usize {
        let piece = self.pieces.iter().rev().find(|(here, _)| *here <= offset);
        piece.map_or(offset, |(here, there)| there + offset - here)
    }
}

/// Marks one Athena SELECT; a call that is not known is a problem at its place.
pub(super) fn marked(file: &str, select: &str, database: &str) -> Result<Marked, Problems> {
    let tables = tables(file, select)?;
    let unreadable =
        |error: polyglot_sql::Error| Problem::new(file, "", error.to_string(), "write SQL that Athena takes");
    let tokens = dialect().tokenize(select).map_err(unreadable)?;
    let chars: Vec<char> = select.chars().collect();
    let at = |token: &Token| place(select, token.span.start);
    let spoken = spoken::edits(&tokens);
    let marker = Marker { chars: &chars, tokens: &tokens, tables: &tables, database, spoken: &spoken };
    let mut problems = unnest::problems(file, &tokens, at);
    let (mut text, mut done, mut pieces) = (String::new(), 0, vec![(0, 0)]);
    for (index, token) in tokens.iter().enumerate() {
        match marker.mark(index) {
            Ok(None) => {}
            Ok(Some((span, with))) => {
                text.extend(&chars[done..span.start]);
                pieces.push((text.chars().count(), span.start));
                text.push_str(&with);
                pieces.push((text.chars().count(), span.end));
                done = span.end;
            }
            Err((message, help)) => problems.push(Problem::new(file, at(token), message, help)),
        }
    }
    text.extend(&chars[done..]);
    let tables = tables.into_iter().map(|table| table.name).collect();
    Problems::or(problems, Marked { text, tables, pieces })
}

struct Marker<'a> {
    chars: &'a [char],
    tokens: &'a [Token],
    tables: &'a [TableName],
    database: &'a str,
    spoken: &'a BTreeMap<usize, String>,
}

/// Characters, and what is written in their place.
type Edit = (Range<usize>, String);

impl Marker<'_> {
    /// What is written at a token, if anything else; or why it cannot be read, and what to do.
    fn mark(&self, index: usize) -> Result<Option<Edit>, (String, &'static str)> {
        let span = self.tokens[index].span.start..self.tokens[index].span.end;
        if self.tables.iter().any(|table| table.tokens == (index..index + 1)) {
            return Ok(Some((span.start..span.start, format!("{}.", quote(self.database)))));
        }
        if let Some(with) = self.spoken.get(&index) {
            return Ok(Some((span, with.clone())));
        }
        if is_typed_literal(self.tokens, index) {
            let (name, value) = (&self.tokens[index].text, &self.tokens[index + 1]);
            return Ok(Some((span.start..value.span.end, format!("CAST({} AS {name})", literal(&value.text)))));
        }
        if let Some(text) = self.decimal(index) {
            let help = "write a value of that type, as CAST takes it";
            let cast = decimal(text).ok_or_else(|| (format!("`{text}` is no decimal that is known here"), help))?;
            return Ok(Some((span.start..self.tokens[index + 1].span.end, cast)));
        }
        if is_call(self.tokens, index) { self.call(index, span).map(Some) } else { Ok(None) }
    }

    /// The text of `DECIMAL '…'`; dates and times are the parser's, and other types were refused.
    fn decimal(&self, index: usize) -> Option<&str> {
        let word = Some(&self.tokens[index]).filter(|token| token.token_type != TokenType::QuotedIdentifier)?;
        let value = self.tokens.get(index + 1).filter(|token| token.token_type == TokenType::String)?;
        word.text.eq_ignore_ascii_case("decimal").then_some(value.text.as_str())
    }

    fn call(&self, index: usize, span: Range<usize>) -> Result<Edit, (String, &'static str)> {
        let token = &self.tokens[index];
        let is_quoted = token.token_type == TokenType::QuotedIdentifier;
        let name: String = if is_quoted { token.text.clone() } else { self.chars[span.clone()].iter().collect() };
        let renamed = match call(&name, is_quoted) {
            Some(Call::Kept) => name,
            Some(Call::Macro) => format!("athena_{}", name.to_ascii_lowercase()),
            Some(Call::Named(duckdb)) => duckdb.to_owned(),
            None if !is_quoted && name.eq_ignore_ascii_case("lateral") => {
                return Err(("the embedded engine does not know LATERAL".to_owned(), advice(&name)));
            }
            None => {
                let message = format!("the embedded engine has no vetted equal of the function {name}");
                return Err((message, advice(&name)));
            }
        };
        Ok((span, renamed))
    }
}

/// The cast that `DECIMAL '1.19'` stands for: its text gives precision and scale.
/// <https://trino.io/docs/current/language/types.html#decimal>
fn decimal(text: &str) -> Option<String> {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let (whole, fraction) = unsigned.split_once('.').unwrap_or((unsigned, ""));
    let is_number = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    let precision = (whole.trim_start_matches('0').len() + fraction.len()).max(1);
    let is_known = is_number(whole) && is_number(fraction) && !(whole.is_empty() && fraction.is_empty());
    let is_known = is_known && precision <= 38;
    is_known.then(|| format!("CAST({} AS decimal({precision}, {}))", literal(text), fraction.len()))
}
