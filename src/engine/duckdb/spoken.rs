//! Calls with words between their arguments: `trim(BOTH 'x' FROM a)`, `position(a IN b)`, `substring(a FROM 2 FOR 3)`.
//!
//! They become calls like any other before the parser sees them, which would make functions of its own choice of them.
//! <https://trino.io/docs/current/functions/string.html>

use std::collections::BTreeMap;

use polyglot_sql::{Token, TokenType};

use crate::sql::is_call;

/// What is written in place of tokens, by their numbers.
pub(super) fn edits(tokens: &[Token]) -> BTreeMap<usize, String> {
    let mut edits = BTreeMap::new();
    for index in (0..tokens.len()).filter(|index| is_call(tokens, *index)) {
        let here = top_level(tokens, index + 1);
        let find = |word: &str| here.iter().copied().find(|at| is_word(&tokens[*at], word));
        if is_word(&tokens[index], "trim") {
            edits.extend(find("from").map(|from| trim(tokens, index, from)).into_iter().flatten());
        } else if is_word(&tokens[index], "position") {
            edits.extend(find("in").map(|at| [(index, name("position")), (at, comma())]).into_iter().flatten());
        } else if is_word(&tokens[index], "substring")
            && let Some(from) = find("from")
        {
            edits.extend([Some(from), find("for")].into_iter().flatten().map(|at| (at, comma())));
        }
    }
    edits
}

/// `trim([BOTH | LEADING | TRAILING] [characters] FROM text)`
fn trim(tokens: &[Token], call: usize, from: usize) -> Vec<(usize, String)> {
    let first = call + 2;
    let sides = [("both", "trim"), ("leading", "ltrim"), ("trailing", "rtrim")];
    let side = sides.iter().find(|(word, _)| is_word(&tokens[first], word)).filter(|_| first < from);
    let macro_name = side.map_or("trim", |(_, name)| name);
    let has_characters = first + usize::from(side.is_some()) < from;
    let mut edits: Vec<_> = side.map(|_| (first, String::new())).into_iter().collect();
    match has_characters {
        true => edits.extend([(call, name(&format!("{macro_name}_of"))), (from, comma())]),
        false => edits.extend([(call, name(macro_name)), (from, String::new())]),
    }
    edits
}

fn name(function: &str) -> String {
    format!("athena_{function}")
}

fn comma() -> String {
    ",".to_owned()
}

fn is_word(token: &Token, word: &str) -> bool {
    let is_name = !matches!(token.token_type, TokenType::String | TokenType::QuotedIdentifier);
    is_name && token.text.eq_ignore_ascii_case(word)
}

/// The tokens between a parenthesis and the one that closes it, without those in others.
fn top_level(tokens: &[Token], open: usize) -> Vec<usize> {
    let (mut depth, mut found) = (0, Vec::new());
    for (index, token) in tokens.iter().enumerate().skip(open) {
        match token.token_type {
            TokenType::LParen | TokenType::LBracket => depth += 1,
            TokenType::RParen | TokenType::RBracket => depth -= 1,
            _ if depth == 1 => found.push(index),
            _ => {}
        }
        if depth == 0 {
            break;
        }
    }
    found
}
