//! Tests of the embedded engine.

use crawlguard::engine::duckdb::{evaluate, translate};

const TRINO: &str = include_str!("../fixtures/engine/trino.tsv");

/// Expression and Trino's answer, of the part of the fixture after the line `from`.
fn answers(from: &str, to: &str) -> Vec<(&'static str, &'static str)> {
    let start = TRINO.find(from).expect("the fixture has this part");
    let end = TRINO.find(to).unwrap_or(TRINO.len());
    let lines = TRINO[start..end].lines().filter(|line| !line.starts_with('#'));
    lines.map(|line| line.split_once('\t').expect("expression, tab, answer")).collect()
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

fn selects(answers: &[(&str, &str)]) -> Vec<String> {
    answers.iter().map(|(expression, _)| format!("SELECT {expression} AS answer")).collect()
}

#[test]
fn every_expression_gives_what_trino_gives() {
    let mut wrong = Vec::new();
    let answers = answers("# strings", "# refused");
    for ((expression, expected), got) in answers.iter().zip(evaluate(&selects(&answers))) {
        let equal = match (&got, *expected) {
            (Err(_), "ERROR") => true,
            (Ok(rows), "\\N") => rows.rows == [[None]],
            (Ok(rows), _) if *expected != "ERROR" => rows.rows == [[Some(unescaped(expected))]],
            _ => false,
        };
        if !equal {
            wrong.push(format!("{expression}\n    expected {expected}\n    got      {:?}", got.map(|rows| rows.rows)));
        }
    }
    assert!(answers.len() > 400, "the fixture is short: {}", answers.len());
    assert!(wrong.is_empty(), "{} differ:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn what_is_not_vetted_is_refused_before_it_runs() {
    for select in selects(&answers("# refused", "# failed")) {
        let refused = translate("model.sql", &select, "lake");
        assert!(refused.is_err(), "{select} was translated: {refused:?}");
    }
}

#[test]
fn what_types_decide_fails_rather_than_differs() {
    let selects = selects(&answers("# failed", "# end"));
    for (select, got) in selects.iter().zip(evaluate(&selects)) {
        assert!(got.is_err(), "{select} gave {got:?}");
    }
}
