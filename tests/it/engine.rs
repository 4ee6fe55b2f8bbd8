//! Tests of the embedded engine.

use crawlguard::engine::duckdb::{evaluate, translate};

const TRINO: &str = include_str!("../fixtures/engine/trino.tsv");

/// Expression and Trino's answer; after the line that says so, those that the embedded engine must refuse.
fn answers(refused: bool) -> Vec<(&'static str, &'static str)> {
    let (equal, rest) = TRINO.split_once("# refused").expect("the fixture has both halves");
    let lines = if refused { rest.lines().skip(1) } else { equal.lines().skip(0) };
    lines.filter(|line| !line.starts_with('#')).map(|line| line.split_once('\t').expect("expression, tab, answer")).collect()
}

fn unescaped(text: &str) -> String {
    let mut out = String::new();
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match (c, c == '\\') {
            (_, true) => match chars.next() {
                Some('n') => out.push('\n'),
                Some('t') => out.push('\t'),
                other => out.extend(other),
            },
            _ => out.push(c),
        }
    }
    out
}

#[test]
fn every_expression_gives_what_trino_gives() {
    let mut wrong = Vec::new();
    for (expression, expected) in answers(false) {
        let got = evaluate(&format!("SELECT {expression} AS answer"));
        let equal = match (&got, expected) {
            (Err(_), "ERROR") => true,
            (Ok(rows), "\\N") => rows.rows == [[None]],
            (Ok(rows), _) if expected != "ERROR" => rows.rows == [[Some(unescaped(expected))]],
            _ => false,
        };
        if !equal {
            wrong.push(format!("{expression}\n    expected {expected}\n    got      {:?}", got.map(|rows| rows.rows)));
        }
    }
    assert!(wrong.is_empty(), "{} differ:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn what_is_not_vetted_is_refused_before_it_runs() {
    for (expression, _) in answers(true) {
        let refused = translate("model.sql", &format!("SELECT {expression} AS answer"), "lake");
        assert!(refused.is_err(), "{expression} was translated: {refused:?}");
    }
}
