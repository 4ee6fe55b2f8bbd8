//! Which words of a text are calls.

use polyglot_sql::{Token, TokenType as T};

use super::source;

/// True for a word or a quoted name before a parenthesis, unless it names a CTE, the alias of a relation, or a type.
///
/// Athena calls `"random"()` as it calls `random()`.
pub fn is_call(tokens: &[Token], index: usize) -> bool {
    let token = &tokens[index];
    let is_name = source::is_bare(token) || token.token_type == T::QuotedIdentifier;
    if !is_name || kind(tokens, index + 1) != Some(T::LParen) {
        return false;
    }
    let previous = index.checked_sub(1).map(|at| &tokens[at]);
    let word = previous.filter(|token| token.token_type != T::QuotedIdentifier).map(|token| token.text.as_str());
    match word.map(str::to_ascii_uppercase).as_deref() {
        // `AS t(x)`, `AS map(varchar, integer)`; `x) t(y)`; `WITH a(b) AS (`
        Some("AS" | ")" | "WITH" | "ORDINALITY") => false,
        Some("," | "RECURSIVE") => !is_followed_by_query(tokens, index + 1),
        _ => true,
    }
}

fn kind(tokens: &[Token], index: usize) -> Option<T> {
    tokens.get(index).map(|token| token.token_type)
}

/// `(columns) AS (` of a list of CTEs.
fn is_followed_by_query(tokens: &[Token], open: usize) -> bool {
    let mut depth = 0;
    for index in open..tokens.len() {
        match tokens[index].token_type {
            T::LParen => depth += 1,
            T::RParen => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return kind(tokens, index + 1) == Some(T::As) && kind(tokens, index + 2) == Some(T::LParen);
        }
    }
    false
}
