//! Binding a model's text to a run: its slot, and the tables it reads.

use std::collections::BTreeMap;
use std::ops::Range;

use polyglot_sql::{Token, TokenType};

use super::edit::{self, Edit};
use super::outline::Query;
use super::source::{self, Source, Unreadable};
use super::{call, ident, tables};
use crate::problem::{Problem, Problems};

/// Where a problem stands that is found in a text rather than a file.
const FILE: &str = "SQL";

/// What to write instead of what [`not_reproducible`] finds.
pub(super) const HELP: &str = "a retry has to give the same rows: derive the value from columns or current_timestamp";

/// Functions whose value differs between two calls: those that SHOW FUNCTIONS calls not deterministic.
const CALLS: [&str; 4] = ["random", "rand", "uuid", "shuffle"];

/// Words whose value differs between two runs of one slot, and has no literal.
const CLOCKS: [&str; 2] = ["current_time", "localtime"];

/// `current_date` and `current_timestamp` (also `now()`) replaced by literals of the run's slot
/// (`2026-01-02T03:04:05Z`), by token spans, never inside strings, comments or quoted identifiers.
pub fn bind_slot(select: &str, slot: &str) -> Result<String, Problems> {
    let Some((date, time)) = date_and_time(slot) else {
        return Err(
            Problem::new("slot", "", format!("`{slot}` is no slot"), "write it like 2026-01-02T03:04:05Z").into()
        );
    };
    let (tokens, bytes) = source::tokenize(select).map_err(problem)?;
    let found = not_reproducible(&tokens);
    if !found.is_empty() {
        let problems = found.into_iter().map(|(token, word)| {
            let place = source::place(select, tokens[token].span.start);
            Problem::new(FILE, place, format!("`{word}` gives other rows at each run"), HELP)
        });
        return Problems::or(problems.collect(), String::new());
    }
    let mut edits = Vec::new();
    for index in 0..tokens.len() {
        let Some((length, text)) = literal(&tokens, index, &date, &time) else { continue };
        let last = &tokens[index + length - 1];
        edits.push(Edit { bytes: bytes[tokens[index].span.start]..bytes[last.span.end], text });
    }
    Ok(edit::apply(select, &edits).0)
}

/// How many tokens the literal stands for, and the literal.
/// <https://trino.io/docs/current/functions/datetime.html>
fn literal(tokens: &[Token], index: usize, date: &str, time: &str) -> Option<(usize, String)> {
    let quoted_now = || called(tokens, index).filter(|name| name == "now" && !is_dot(tokens, index.checked_sub(1)));
    let word = free_word(tokens, index).or_else(quoted_now)?;
    let bracket = bracket(tokens, index);
    let quoted = |kind: &str, text: String| format!("{kind} {}", ident::literal(&text));
    match word.as_str() {
        "current_date" => Some((1, quoted("DATE", date.to_owned()))),
        "now" => bracket.map(|length| (length + 1, quoted("TIMESTAMP", format!("{date} {time}.000 UTC")))),
        "current_timestamp" => Some((1 + bracket.unwrap_or(0), quoted("TIMESTAMP", format!("{date} {time}.000 UTC")))),
        "localtimestamp" => Some((1 + bracket.unwrap_or(0), quoted("TIMESTAMP", format!("{date} {time}.000")))),
        _ => None,
    }
}

/// An unquoted word that is no part of a dotted name, lowercase.
fn free_word(tokens: &[Token], index: usize) -> Option<String> {
    let token = &tokens[index];
    let free = source::is_bare(token) && !is_dot(tokens, index.checked_sub(1)) && !is_dot(tokens, Some(index + 1));
    free.then(|| token.text.to_lowercase())
}

fn is_dot(tokens: &[Token], index: Option<usize>) -> bool {
    index.and_then(|index| tokens.get(index)).is_some_and(|token| token.token_type == TokenType::Dot)
}

/// The name of a call, quoted or qualified as it may be (`system.builtin.now()`), lowercase.
fn called(tokens: &[Token], index: usize) -> Option<String> {
    call::is_call(tokens, index).then(|| tokens[index].text.to_lowercase())
}

/// The length of `()` or `(n)` behind a word.
fn bracket(tokens: &[Token], index: usize) -> Option<usize> {
    let kind = |at: usize| tokens.get(at).map(|token| token.token_type);
    match (kind(index + 1), kind(index + 2), kind(index + 3)) {
        (Some(TokenType::LParen), Some(TokenType::RParen), _) => Some(2),
        (Some(TokenType::LParen), Some(TokenType::Number), Some(TokenType::RParen)) => Some(3),
        _ => None,
    }
}

/// What makes two runs of one slot differ: token index and word.
pub(super) fn not_reproducible(tokens: &[Token]) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    for index in 0..tokens.len() {
        let is_random =
            |name: &String| CALLS.contains(&name.as_str()) || (name == "now" && is_dot(tokens, index.checked_sub(1)));
        let random = called(tokens, index).filter(is_random);
        let clock = free_word(tokens, index)
            .filter(|word| CLOCKS.contains(&word.as_str()) || tokens[index].token_type == TokenType::TableSample);
        found.extend(random.or(clock).map(|word| (index, word)));
    }
    found
}

/// Splits `2026-01-02T03:04:05Z`; nothing if it is another form or no real instant.
fn date_and_time(slot: &str) -> Option<(String, String)> {
    let instant: jiff::Timestamp = slot.parse().ok()?;
    let text = instant.to_string();
    let (date, time) = text.strip_suffix('Z')?.split_once('T')?;
    (text == slot && time.len() == 8).then(|| (date.to_owned(), time.to_owned()))
}

/// Table references renamed (lowercase name → new name), by token spans; CTE names and columns are left alone.
///
/// A dot in a new name separates a database from a table. The old name stays as alias, so that `old.column` still
/// resolves.
pub fn rename_tables(select: &str, names: &BTreeMap<String, String>) -> Result<String, Problems> {
    let source = Source::read(select).map_err(problem)?;
    let mut edits = Vec::new();
    for table in tables::of(&source, &Query::of(&source)) {
        let Some(new) = names.get(&table.name) else { continue };
        let quoted: Vec<String> = new.split('.').map(ident::quote).collect();
        let last: Range<usize> = table.tokens.end - 1..table.tokens.end;
        let alias = if table.has_alias { String::new() } else { format!(" AS {}", source.slice(&last)) };
        edits.push(Edit { bytes: source.bytes(&table.tokens), text: format!("{}{alias}", quoted.join(".")) });
    }
    Ok(edit::apply(select, &edits).0)
}

fn problem(error: Unreadable) -> Problems {
    Problem::new(FILE, error.place, error.message, error.help).into()
}
