//! What an alert says of a failed step: which model, where, the engine's message in one sentence without values, and what to
//! do. The whole message stands in the run's record.

use crate::notify::masked;
use crate::plan::{Action, Step};
use crate::port::PortError;
use crate::sql::Graph;

/// Characters of an engine's message that an alert shows.
const LONGEST: usize = 200;

/// Lines that Athena's statement of a build has before the SELECT's own (`engine::athena::statement_text`).
const BEFORE_SELECT: usize = 2;

/// What an engine found before it read a row: its words hold names and types alone.
const ANALYSIS: [&str; 13] = [
    "SYNTAX_ERROR",
    "COLUMN_NOT_FOUND",
    "TABLE_NOT_FOUND",
    "FUNCTION_NOT_FOUND",
    "TYPE_MISMATCH",
    "AMBIGUOUS_NAME",
    "MISSING_COLUMN_NAME",
    "DUPLICATE_COLUMN_NAME",
    "COLUMN_TYPE_UNKNOWN",
    "HIVE_COLUMN_ORDER_MISMATCH",
    "NOT_SUPPORTED",
    "a name or a type does not fit where it stands",
    "a table, type or function is not known",
];

/// What an engine's message begins with → what mends it. The first that fits counts.
/// <https://docs.aws.amazon.com/athena/latest/ug/troubleshooting-athena.html>
const ADVICE: [(&[&str], &str); 7] = [
    (&ANALYSIS, "mend the model"),
    (
        &["INVALID_CAST_ARGUMENT"],
        "read the column through TRY_CAST in the model, which makes NULL of it, or have the value corrected at its source",
    ),
    (&["NUMERIC_VALUE_OUT_OF_RANGE"], "cast to a wider type in the model"),
    (&["DIVISION_BY_ZERO"], "guard the division in the model: `a / nullif(b, 0)`"),
    (&["INVALID_FUNCTION_ARGUMENT"], "wrap the call in TRY in the model, or have the value corrected at its source"),
    (
        &["HIVE_BAD_DATA", "HIVE_CURSOR_ERROR", "HIVE_UNKNOWN_ERROR"],
        "mend the file that does not fit its table, or move it away",
    ),
    (&["EXCEEDED_", "Query exhausted resources"], "let the model read less at once"),
];

/// What a port's error says of a step that it ends. An alert shows nothing behind a message's second colon, where an engine
/// may put values: so AWS's words stand in brackets, and what mends it in a line of its own.
pub(super) fn of_port(error: &PortError) -> String {
    let PortError { operation, subject, message, .. } = error;
    match message.rsplit_once("; ") {
        Some((said, advice)) => format!("{operation} {subject} ({said})\n  help: {advice}"),
        None => format!("{operation} {subject} ({message})"),
    }
}

/// A failed step's message without what is another one each time: values, numbers, ids, places.
pub(super) fn kind(message: &str) -> String {
    let sentence = without_values(first_sentence(message));
    let is_stable = |word: &&str| !word.contains(|c: char| c.is_ascii_digit() || matches!(c, '/' | '\'' | '"'));
    sentence.split_whitespace().filter(is_stable).collect::<Vec<_>>().join(" ")
}

/// One line about a failed step.
pub(super) fn words(step: &Step, graph: &Graph, message: &str) -> String {
    let Action::Build { model, file, .. } = &step.action else {
        return format!("{}: {}", step.name, said(message));
    };
    // The record's message starts with the model's file.
    let message = message.strip_prefix(&format!("{file}: ")).unwrap_or(message);
    let found = graph.models.get(model).and_then(|model| line_of(&model.text, model.select(), message));
    let Some((line, words)) = found else { return format!("{} ({file}): {}", step.name, said(message)) };
    // Counted from the statement's beginning it would name another place.
    format!("{} ({file}:{line}): {}", step.name, said(&message.replacen(words, "", 1)))
}

fn said(message: &str) -> String {
    let is_analysis = ANALYSIS.iter().any(|code| message.starts_with(code));
    let clean =
        |text| if is_analysis { with_names(first_sentence(text)) } else { without_values(first_sentence(text)) };
    // The embedded engine brings its own help, and DuckDB's words apart, each in a line of its own behind its sentence.
    let line =
        |label: &str| message.lines().skip(1).take(2).find_map(|line| line.strip_prefix("  ")?.strip_prefix(label));
    let mut sentence = sentence(&clean(message));
    if let Some(detail) = line("engine: ") {
        sentence = format!("{sentence} ({})", self::sentence(&clean(detail)));
    }
    match line("help: ").or(advice(message)) {
        Some(advice) => format!("{sentence}; {advice}"),
        None => sentence,
    }
}

/// What mends a failed step, by what its engine's message begins with.
pub fn advice(message: &str) -> Option<&'static str> {
    let found = ADVICE.iter().find(|(codes, _)| codes.iter().any(|code| message.starts_with(code)));
    found.map(|(_, advice)| *advice)
}

/// Not too long, and without a full stop.
fn sentence(text: &str) -> String {
    let text = text.trim_end();
    let is_whole = !text.ends_with("...");
    shortened(text.strip_suffix('.').filter(|_| is_whole).unwrap_or(text))
}

/// An engine adds what it was asked, where it wrote files and whom to call.
fn first_sentence(message: &str) -> &str {
    let line = message.lines().next().unwrap_or_default();
    let end = ["This query ran against", "If a data manifest file", "Please post the error", "LINE 1:"];
    let end = end.iter().filter_map(|words| line.find(words)).min().unwrap_or(line.len());
    line[..end].trim()
}

/// Names in backticks: what an alert shows in quotes could be a value, and is masked.
fn with_names(text: &str) -> String {
    text.replace(['\'', '"'], "`")
}

fn without_values(text: &str) -> String {
    without_numbers(&after_value(&masked(text)))
}

/// A value that no quotes stand around follows the word, and may hold any word itself: what comes after its last possible
/// end stays. Trino puts values behind a colon, too (`Value cannot be cast to date: …`).
fn after_value(text: &str) -> String {
    let words = ["with value ", "cast value ", "field value ", "Value cannot be cast to "];
    let start = words.iter().filter_map(|words| Some(text.find(words)? + words.len())).min();
    if let Some(start) = start {
        let rest = &text[start..];
        let end = [" to the type ", " to type ", " can't be cast "].iter().filter_map(|word| rest.rfind(word)).min();
        return format!("{}...{}", &text[..start], &rest[end.unwrap_or(rest.len())..]);
    }
    match text.match_indices(": ").nth(1) {
        // The code, then a sentence; what a second colon leads in may be anything.
        Some((colon, _)) => format!("{}: ...", &text[..colon]),
        None => text.to_owned(),
    }
}

/// Numbers that stand alone; those of a name or type (`INT32`, `decimal(10,2)`) stay.
fn without_numbers(text: &str) -> String {
    let is_number = |word: &str| {
        let bare = word.trim_matches(|c: char| !c.is_alphanumeric());
        bare.starts_with(|c: char| c.is_ascii_digit())
    };
    let words = text.split(' ').map(|word| if is_number(word) { "..." } else { word });
    words.collect::<Vec<_>>().join(" ")
}

fn shortened(text: &str) -> String {
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}...", &text[..end]),
        None => text.to_owned(),
    }
}

/// The line of a model's file that a message names, which counts from the statement's beginning, and the words that name
/// it: `line 5:8: `.
fn line_of<'m>(text: &str, select: &str, message: &'m str) -> Option<(usize, &'m str)> {
    let start = message.find("line ")?;
    let rest = &message[start + "line ".len()..];
    let (line, after) = rest.split_once(':')?;
    let column = after.split_once(": ")?.0;
    let words = &message[start..start + "line ".len() + line.len() + column.len() + ":: ".len()];
    let inside = line.parse::<usize>().ok()?.checked_sub(BEFORE_SELECT + 1)?;
    let before = text.find(select)?;
    let line = text[..before].matches('\n').count() + inside + 1;
    (inside < select.lines().count()).then_some((line, words))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sql::Model;

    fn build(message: &str) -> String {
        let text = "/* crawlguard\nprimary_key: id\n*/\nSELECT\n    id,\n    citty\nFROM raw_a\n";
        let model = Model::parse("sql/int_a.sql", text).expect("it is a SELECT");
        let graph = Graph { models: [("int_a".to_owned(), model)].into(), ..Graph::default() };
        let action = Action::Build {
            model: "int_a".into(),
            file: "sql/int_a.sql".into(),
            staging: "stg_int_a_20260102t030405z".into(),
            select: String::new(),
            partitioned_by: Vec::new(),
            iceberg: false,
        };
        words(&Step { name: "build int_a".into(), after: Vec::new(), action }, &graph, message)
    }

    #[test]
    fn an_engine_is_quoted_in_a_sentence_with_place_and_advice_and_without_values() {
        for (message, expected) in [
            (
                "sql/int_a.sql: SYNTAX_ERROR: line 5:5: Column 'citty' cannot be resolved or requester is not authorized. This \
                 query ran against the \"shop\" database",
                "build int_a (sql/int_a.sql:6): SYNTAX_ERROR: Column `citty` cannot be resolved or requester is \
                 not authorized; mend the model",
            ),
            (
                "sql/int_a.sql: INVALID_CAST_ARGUMENT: Cannot cast 'Ada O'Neil' to INT. If a data manifest file was \
                 generated at 's3://x/y', you may need to clean the data",
                "build int_a (sql/int_a.sql): INVALID_CAST_ARGUMENT: Cannot cast '...' to INT; read the column through \
                 TRY_CAST in the model, which makes NULL of it, or have the value corrected at its source",
            ),
            (
                "sql/int_a.sql: a value does not fit the type that it is cast to\n  help: use TRY_CAST\n  engine: Could not \
                 convert string 'N/A' to INT32",
                "build int_a (sql/int_a.sql): a value does not fit the type that it is cast to (Could not convert string \
                 '...' to INT32); use TRY_CAST",
            ),
            (
                "a value does not fit the type that it is cast to\n  help: use TRY_CAST\n  engine: Type INT64 with value 4711 \
                 can't be cast to the type INT8",
                "build int_a (sql/int_a.sql): a value does not fit the type that it is cast to (Type INT64 with value ... \
                 can't be cast to the type INT8); use TRY_CAST",
            ),
            (
                "a name or a type does not fit where it stands\n  help: check the names\n  engine: Referenced column \"citty\" \
                 not found",
                "build int_a (sql/int_a.sql): a name or a type does not fit where it stands (Referenced column `citty` not \
                 found); check the names",
            ),
            (
                "NUMERIC_VALUE_OUT_OF_RANGE: Out of range for integer: 4711",
                "build int_a (sql/int_a.sql): NUMERIC_VALUE_OUT_OF_RANGE: Out of range for integer: ...; cast to a wider \
                 type in the model",
            ),
            (
                "INVALID_CAST_ARGUMENT: Value cannot be cast to date: Doe, Jane, see: jane@example.com",
                "build int_a (sql/int_a.sql): INVALID_CAST_ARGUMENT: Value cannot be cast to ...; read the column through \
                 TRY_CAST in the model, which makes NULL of it, or have the value corrected at its source",
            ),
            (
                "a value does not fit the type that it is cast to\n  help: use TRY_CAST\n  engine: Type VARCHAR with value \
                 Doe, Jane is ill, to be seen can't be cast to the type INT8",
                "build int_a (sql/int_a.sql): a value does not fit the type that it is cast to (Type VARCHAR with value ... \
                 can't be cast to the type INT8); use TRY_CAST",
            ),
            (
                "HIVE_BAD_DATA: row 'a\nb\nc\n  help: Jane Doe'",
                "build int_a (sql/int_a.sql): HIVE_BAD_DATA: row '...; mend the file that does not fit its table, or move it \
                 away",
            ),
            ("GENERIC_INTERNAL_ERROR: ", "build int_a (sql/int_a.sql): GENERIC_INTERNAL_ERROR:"),
        ] {
            assert_eq!(build(message), expected);
        }
        assert!(build(&"x".repeat(900)).len() < 300);
    }

    #[test]
    fn a_kind_tells_causes_apart_and_not_nights() {
        let at = |id: &str| format!("InvalidRequestException: WorkGroup {id} is not found. s3://b/{id}/1 'x{id}'");
        assert_eq!(kind(&at("a1")), kind(&at("b2")));
        assert_ne!(kind(&at("a1")), kind("InvalidRequestException: No output location provided."));
        let denied = PortError::new(
            crate::port::PortErrorKind::Denied,
            "update table",
            "`d.a`",
            "AccessDeniedException: no: no; it needs credentials that allow `glue:UpdateTable`",
        );
        let said = said(&of_port(&denied));
        assert!(
            said.contains("`d.a`") && said.ends_with("it needs credentials that allow `glue:UpdateTable`"),
            "{said}"
        );
    }

    /// A line that is not the model's names no place.
    #[test]
    fn a_line_outside_the_select_is_none() {
        for message in ["line 1:8: no", "line 99:1: no", "line x:1: no", "no line"] {
            assert_eq!(line_of("SELECT 1 AS a", "SELECT 1 AS a", message), None, "{message}");
        }
        assert_eq!(line_of("SELECT 1 AS a", "SELECT 1 AS a", "line 3:11: no"), Some((1, "line 3:11: ")));
    }
}
