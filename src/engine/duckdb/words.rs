//! DuckDB's errors in words that help.

/// DuckDB's kind of error, what it means for the author of a model, and what to do.
/// <https://github.com/duckdb/duckdb/blob/main/src/common/exception.cpp>
const KINDS: &[(&str, &str, &str)] = &[
    (
        "Conversion",
        "a value does not fit the type that it is cast to",
        "use TRY_CAST where such values may be lost, or mend the value at its source",
    ),
    (
        "Out of Range",
        "a number is too large for its type",
        "cast to a wider type, such as decimal(38, 0), before the arithmetic",
    ),
    (
        "Binder",
        "a name or a type does not fit where it stands",
        "check the columns' names and types, and CAST where two types meet",
    ),
    ("Catalog", "a table, type or function is not known", "check its name"),
    ("Invalid Input", "a value cannot be read as what it should be", "mend the value at its source, or wrap it in TRY"),
    ("Out of Memory", "the memory is used up", "free some, or let the model read fewer rows"),
    ("INTERRUPT", "it was stopped", "run it again"),
];

/// What the author of a model wrote where a macro of ours stands.
const WRITTEN: &[(&str, &str)] = &[
    ("all", "all_match"),
    ("any", "any_match"),
    ("array", "UNNEST"),
    ("decimal_source", "CAST AS decimal"),
    ("divide", "/"),
    ("divided", "/"),
    ("elements", "UNNEST"),
    ("entry", "map_agg"),
    ("format", "date_format"),
    ("holds", "INTERVAL"),
    ("joinable", "||"),
    ("less", "-"),
    ("listed", "listagg"),
    ("ltrim_of", "trim"),
    ("map_of", "map_agg"),
    ("minus", "-"),
    ("modulus", "%"),
    ("not_decimal", "avg"),
    ("not_zero", "/"),
    ("parse", "date_parse"),
    ("plus", "+"),
    ("quotient", "/"),
    ("rtrim_of", "trim"),
    ("subscript", "[]"),
    ("timed", "date_add"),
    ("trim_of", "trim"),
    ("unbroken", "regexp_like"),
];

/// A text in which functions are named as the author of a model named them; every message of the engine passes here.
pub(super) fn named(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(at) = rest.find("athena_") {
        out.push_str(&rest[..at]);
        let name = &rest[at + "athena_".len()..];
        let end = name.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(name.len());
        let (name, after) = name.split_at(end);
        match (WRITTEN.iter().find(|(known, _)| *known == name), name.strip_prefix("to_")) {
            (Some((_, written)), _) => out.push_str(written),
            (None, Some(kind)) if !matches!(kind, "hex" | "unixtime" | "utf8") => {
                out.push_str("CAST AS ");
                out.push_str(kind.strip_suffix("_of").unwrap_or(kind));
            }
            (None, _) => out.push_str(name),
        }
        rest = after;
    }
    out + rest
}

/// A message for the author of a model: what is wrong, help, and DuckDB's own words without its rewritten SQL as the last
/// line. A message that is not DuckDB's is already such.
pub(super) fn explained(message: &str) -> String {
    let Some((kind, detail)) = message.split_once(" Error: ").filter(|(kind, _)| is_kind(kind)) else {
        return match message.starts_with("cannot cast ") {
            true => format!("{message}\n  help: {}", KINDS[0].2),
            false => message.to_owned(),
        };
    };
    let detail = without_sql(detail);
    if let Some((message, help)) = in_words_of_the_model(&detail) {
        return format!("{message}\n  help: {help}");
    }
    if let Some(file) = file_of(&detail).filter(|_| matches!(kind, "IO" | "Invalid Input")) {
        let help = "bring it again from its source, or move it away; then crawl again";
        return format!("the file `{file}` is damaged, or cannot be read\n  help: {help}\n  engine: {detail}");
    }
    let (message, help) = match kind {
        "Binder" if detail.starts_with("Set operations") => (
            "an UNNEST of rows has other columns than it names, or a set operation has sides of different width",
            "name a column for each field of the row, and give both sides of a set operation the same columns",
        ),
        "Binder" if detail.starts_with("UNNEST requires") => {
            ("UNNEST of what is no array", "unnest a map as `UNNEST(map_entries(m)) AS t (k, v)`")
        }
        "IO" if detail.contains("No space left") => ("the disk is full", "free some space, then run it again"),
        "IO" => {
            ("a file cannot be read or written", "check that it is there, whole, and open to you; then crawl again")
        }
        _ => KINDS.iter().find(|(known, ..)| *known == kind).map_or(
            ("the embedded engine cannot run it", "write it more simply; if it is right on Athena, please report it"),
            |(_, message, help)| (*message, *help),
        ),
    };
    format!("{message}\n  help: {help}\n  engine: {detail}")
}

/// True of an error that DuckDB did not make itself, as those of its readers' libraries, and that names no file.
pub(super) fn may_be_of_a_file(message: &str) -> bool {
    message.split_once(" Error: ").is_some_and(|(kind, detail)| kind == "Invalid" && file_of(detail).is_none())
}

/// The words for what is wrong with a file, as DuckDB has them where it names one.
pub(super) fn of_file(file: &str, message: &str) -> String {
    match message.split_once(" Error: ") {
        Some((_, detail)) if file_of(detail).is_none() => {
            format!("Invalid Input Error: Failed to read file \"{file}\": {detail}")
        }
        _ => message.to_owned(),
    }
}

/// The name of the file that DuckDB could not read, by `file "path"` or `file 'path'`.
fn file_of(detail: &str) -> Option<&str> {
    let (_, path) = detail.split_once("file \"").or_else(|| detail.split_once("file '"))?;
    let (path, _) = path.split_once(['"', '\''])?;
    path.rsplit('/').next().filter(|name| name.contains('.'))
}

/// What can be said without DuckDB's own words: message and help.
fn in_words_of_the_model(detail: &str) -> Option<(String, String)> {
    if let Some(call) = detail.strip_prefix("No function matches the given name and argument types '") {
        let (name, types) = call.split_once('(')?;
        let types = types.split_once(")'")?.0.to_lowercase();
        let types = if types.is_empty() { "no argument".to_owned() } else { types };
        let help = "CAST an argument to what it takes, or check its name";
        return Some((format!("`{name}` does not take {types}"), help.to_owned()));
    }
    if let Some((name, _)) = detail.strip_prefix("Macro ").and_then(|call| call.split_once("() does not support")) {
        let help = "see in Athena's reference how many arguments it takes, and of which types";
        return Some((format!("`{name}` does not take these arguments"), help.to_owned()));
    }
    if detail.contains("ATHENA_TWO_TYPES") {
        let message = "the same division has two types in one query, a decimal and another";
        let help = "write one of them otherwise: CAST a side, or put the column's table before it";
        return Some((message.to_owned(), help.to_owned()));
    }
    let (column, _) = detail.strip_prefix("column \"")?.split_once("\" must appear in the GROUP BY clause")?;
    let help = format!("add it to GROUP BY, or take one of its values: `min({column})`");
    Some((format!("column `{column}` is neither grouped by nor aggregated"), help))
}

/// `Out of Range`, `INTERRUPT`: words, and not a sentence that happens to speak of an error.
fn is_kind(kind: &str) -> bool {
    let words = || kind.split(' ');
    words().count() <= 4
        && words().all(|word| word.chars().all(|c| c.is_ascii_alphabetic() || c == '-'))
        && kind.starts_with(|c: char| c.is_ascii_uppercase())
}

/// One line, without the statement that DuckDB shows with a caret.
fn without_sql(detail: &str) -> String {
    let shown = detail.lines().take_while(|line| !line.starts_with("LINE "));
    let line = shown.flat_map(str::split_whitespace).collect::<Vec<_>>().join(" ");
    // What follows counts up the types that DuckDB knows, which are not Athena's.
    let end = line.find(" You might need to add explicit type casts").unwrap_or(line.len());
    line[..end].to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_engines_own_words_come_last_and_without_its_sql() {
        let raw =
            "Conversion Error: Could not convert string 'x' to INT32\n\nLINE 1: CREATE VIEW a AS SELECT 1\n     ^";
        assert_eq!(
            explained(raw),
            "a value does not fit the type that it is cast to\n  help: use TRY_CAST where such values may be lost, or mend \
             the value at its source\n  engine: Could not convert string 'x' to INT32"
        );
        assert!(explained("Weird Error: x").starts_with("the embedded engine cannot run it"));
        assert!(explained("IO Error: write: No space left on device").starts_with("the disk is full"));
    }

    #[test]
    fn a_damaged_file_is_named() {
        let raw =
            "Invalid Input Error: Failed to read file \"/lake/events/events_2.parquet\": Snappy decompression failure";
        let said = explained(raw);
        assert!(
            said.starts_with("the file `events_2.parquet` is damaged, or cannot be read\n  help: bring it"),
            "{said}"
        );
        assert!(!explained("Invalid Input Error: a file 'without' a name").contains("damaged"));
    }

    #[test]
    fn what_is_wrong_with_the_sql_is_said_without_the_engines_words() {
        for (raw, expected) in [
            (
                "Binder Error: No function matches the given name and argument types 'length(INTEGER)'. You might need \
                 to add explicit type casts.\n\tCandidate functions:\n\tlength(VARCHAR) -> BIGINT\n\nLINE 1: …",
                "`length` does not take integer\n  help: CAST an argument to what it takes, or check its name",
            ),
            (
                "Binder Error: No function matches the given name and argument types '+(DECIMAL(10,2), VARCHAR)'. You might",
                "`+` does not take decimal(10,2), varchar\n  help: CAST an argument to what it takes, or check its name",
            ),
            (
                "Binder Error: column \"id\" must appear in the GROUP BY clause or must be part of an aggregate function.\n\
                 Either add it to the GROUP BY list, or use \"ANY_VALUE(id)\" if the exact value of \"id\" is not important.",
                "column `id` is neither grouped by nor aggregated\n  help: add it to GROUP BY, or take one of its values: \
                 `min(id)`",
            ),
        ] {
            assert_eq!(explained(raw), expected);
        }
    }

    #[test]
    fn functions_are_named_as_their_author_named_them() {
        for (raw, expected) in [
            ("'athena_substr(INTEGER)' and 'athena_length()'", "'substr(INTEGER)' and 'length()'"),
            ("athena_to_bigint, athena_to_varchar_of, athena_to_hex", "CAST AS bigint, CAST AS varchar, to_hex"),
            ("athena_divide(athena_json_number(a))", "/(json_number(a))"),
            ("athena_", ""),
        ] {
            assert_eq!(named(raw), expected);
        }
        let many = "Binder Error: Macro substr() does not support the supplied arguments. You might need to add";
        assert!(explained(many).starts_with("`substr` does not take these arguments\n  help: "));
    }

    #[test]
    fn a_message_of_our_own_stays() {
        for message in ["TABLE_NOT_FOUND: table 'd.x' does not exist", "table `a` cannot be read: IO Error: gone"] {
            assert_eq!(explained(message), message);
        }
    }
}
