//! UNNEST: an array of rows gives a column for each field in Athena, and the row itself in DuckDB.
//!
//! Which of the two an array is, only its type tells; what the model says of it is how many columns it names.
//! <https://trino.io/docs/current/sql/select.html#unnest>

use polyglot_sql::expressions::{Alias, Expression, UnnestFunc};
use polyglot_sql::traversal::transform_all;
use polyglot_sql::{Dialect, DialectType, Token, TokenType};

use super::choices::{self, Choices};
use super::rewrite::{Rewritten, call};
use crate::problem::Problem;

/// UNNESTs that cannot be carried over, whatever they unnest; `place` tells where a token stands.
pub(super) fn problems(file: &str, tokens: &[Token], place: impl Fn(&Token) -> String) -> Vec<Problem> {
    let mut found = Vec::new();
    for (index, token) in tokens.iter().enumerate() {
        let opens = tokens.get(index + 1).is_some_and(|next| next.token_type == TokenType::LParen);
        if !opens || !is_word(token, "unnest") || token.token_type == TokenType::QuotedIdentifier {
            continue;
        }
        let (close, arguments) = arguments(tokens, index + 1);
        let (message, help) = if arguments > 1 {
            let help = "unnest one array, with a struct of the others' values as its elements";
            ("the embedded engine does not know UNNEST of several arrays", help)
        } else if !names_columns(tokens, close + 1) {
            ("UNNEST without names for its columns", "name them: `UNNEST(…) AS t (a, b)`")
        } else {
            continue;
        };
        found.push(Problem::new(file, place(token), message, help));
    }
    found
}

fn is_word(token: &Token, word: &str) -> bool {
    token.token_type != TokenType::String && token.text.eq_ignore_ascii_case(word)
}

/// The closing parenthesis, and how many arguments there are.
fn arguments(tokens: &[Token], open: usize) -> (usize, usize) {
    let (mut depth, mut count) = (0, 1);
    for (index, token) in tokens.iter().enumerate().skip(open) {
        match token.token_type {
            TokenType::LParen | TokenType::LBracket => depth += 1,
            TokenType::RParen | TokenType::RBracket => depth -= 1,
            TokenType::Comma if depth == 1 => count += 1,
            _ => {}
        }
        if depth == 0 {
            return (index, count);
        }
    }
    (tokens.len(), count)
}

/// `[WITH ORDINALITY] [AS] name (`
fn names_columns(tokens: &[Token], mut at: usize) -> bool {
    let is = |at: usize, word: &str| tokens.get(at).is_some_and(|token| is_word(token, word));
    if is(at, "with") && is(at + 1, "ordinality") {
        at += 2;
    }
    if is(at, "as") {
        at += 1;
    }
    tokens.get(at + 1).is_some_and(|token| token.token_type == TokenType::LParen)
}

/// An UNNEST with the names of its columns. More than one are the fields of a row; one is an element, or the only field of one.
pub(super) fn rewrite(mut alias: Alias, mut unnest: UnnestFunc, choices: &Choices<'_>) -> Rewritten {
    let ordinality = unnest.with_ordinality;
    let fields = match alias.column_aliases.len().saturating_sub(usize::from(ordinality)) {
        0 => return Err("UNNEST that names fewer columns than it gives".to_owned()),
        1 => {
            let is_rows = call("athena_is_rows", vec![choices::type_of(unnest.this.clone())]);
            if let Some(guard) = choices.guard(None, is_rows) {
                unnest.this = call("athena_elements", vec![unnest.this, guard]);
                alias.this = Expression::Unnest(Box::new(unnest));
                return Ok(Expression::Alias(Box::new(alias)));
            }
            1
        }
        fields => fields,
    };
    let rows = call("athena_array", vec![unnest.this]);
    let Expression::Subquery(mut subquery) = expanded(&rows, fields, ordinality)? else {
        return Err("UNNEST of rows".to_owned());
    };
    (subquery.alias, subquery.column_aliases) = (Some(alias.alias), alias.column_aliases);
    Ok(Expression::Subquery(subquery))
}

/// The fields of the array's rows as columns, and the number of each row after them.
fn expanded(array: &Expression, fields: usize, ordinality: bool) -> Rewritten {
    let number = if ordinality { ", GENERATE_SUBSCRIPTS(rows_, 1)" } else { "" };
    let nulls = vec!["NULL"; fields + usize::from(ordinality)].join(", ");
    // The second SELECT gives no row. With it, more or fewer fields than names are an error.
    let sql = format!("SELECT UNNEST(rows_, max_depth := 2){number} UNION ALL SELECT {nulls} WHERE FALSE");
    let from = format!("SELECT 1 FROM ({sql}) AS unnested");
    let parsed = Dialect::get(DialectType::DuckDB).parse(&from).map_err(|error| error.to_string())?;
    let template = match parsed.into_iter().next() {
        Some(Expression::Select(select)) => select.from.and_then(|from| from.expressions.into_iter().next()),
        _ => None,
    };
    let template = template.ok_or("UNNEST of rows")?;
    let put = |node| match node {
        Expression::Column(column) if column.name.name == "rows_" => Ok(array.clone()),
        other => Ok(other),
    };
    transform_all(template, &put).map_err(|error| error.to_string())
}
