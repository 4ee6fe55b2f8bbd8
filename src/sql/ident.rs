//! The only place that writes an identifier or a string literal into SQL.

use polyglot_sql::TokenType;

use super::dialect;

/// A quoted DML identifier: `"` doubled.
/// <https://docs.aws.amazon.com/athena/latest/ug/reserved-words.html>
pub fn quote(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// An identifier as Athena's DDL takes it: in backticks, a backtick doubled, where it is not plain or starts with `_`.
/// <https://docs.aws.amazon.com/athena/latest/ug/tables-databases-columns-names.html>
pub fn in_ddl(name: &str) -> String {
    let is_bare = plain(name) == name && !name.starts_with('_');
    if is_bare { name.to_owned() } else { format!("`{}`", name.replace('`', "``")) }
}

/// A string literal: `'` doubled.
pub fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// The identifier as a person would write it: bare where that is safe.
pub fn plain(name: &str) -> String {
    let mut characters = name.chars();
    let starts = characters.next().is_some_and(|c| c.is_ascii_lowercase() || c == '_');
    let safe = starts && characters.all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_');
    if safe && !RESERVED.contains(&name) && is_word(name) { name.to_owned() } else { quote(name) }
}

/// True if the parser reads the name as a plain name: it takes `limit` and `set` for keywords, which Athena does not.
fn is_word(name: &str) -> bool {
    let tokens = dialect().tokenize(name).unwrap_or_default();
    matches!(tokens.as_slice(), [token] if token.token_type == TokenType::Var)
}

/// The column name that a raw name becomes: words of a to z and 0 to 9 with `_` between; none if nothing is left.
///
/// Athena takes no other letter in a column that CTAS makes; how `é` would be spelt is for a person to say.
/// <https://docs.aws.amazon.com/athena/latest/ug/tables-databases-columns-names.html>
pub fn snake_case(name: &str) -> Option<String> {
    let lower = name.to_lowercase();
    let words: Vec<&str> = lower.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty()).collect();
    let joined = words.join("_");
    match joined.chars().next() {
        None => None,
        Some(first) if first.is_ascii_digit() => Some(format!("_{joined}")),
        Some(_) => Some(joined),
    }
}

/// Words that Athena reserves in SELECT.
/// <https://docs.aws.amazon.com/athena/latest/ug/reserved-words.html>
const RESERVED: [&str; 82] = [
    "alter",
    "and",
    "as",
    "between",
    "by",
    "case",
    "cast",
    "constraint",
    "create",
    "cross",
    "cube",
    "current_catalog",
    "current_date",
    "current_path",
    "current_schema",
    "current_time",
    "current_timestamp",
    "current_user",
    "deallocate",
    "delete",
    "describe",
    "distinct",
    "drop",
    "else",
    "end",
    "escape",
    "except",
    "execute",
    "exists",
    "extract",
    "false",
    "first",
    "for",
    "from",
    "full",
    "group",
    "grouping",
    "having",
    "in",
    "inner",
    "insert",
    "intersect",
    "into",
    "is",
    "join",
    "json_array",
    "json_exists",
    "json_object",
    "json_query",
    "json_value",
    "last",
    "left",
    "like",
    "listagg",
    "localtime",
    "localtimestamp",
    "natural",
    "normalize",
    "not",
    "null",
    "on",
    "or",
    "order",
    "outer",
    "prepare",
    "recursive",
    "right",
    "rollup",
    "select",
    "skip",
    "table",
    "then",
    "trim",
    "true",
    "uescape",
    "union",
    "unnest",
    "using",
    "values",
    "when",
    "where",
    "with",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_parser_takes_for_a_keyword_is_quoted() {
        for name in ["limit", "set", "lateral", "tablesample", "order", "a b", "A"] {
            assert_eq!(plain(name), quote(name));
        }
        for name in ["a", "_9", "rating", "email", "status", "name", "id"] {
            assert_eq!(plain(name), name);
        }
    }

    #[test]
    fn a_name_in_ddl_is_quoted_where_it_is_not_plain() {
        for (name, expected) in [
            ("int_a", "int_a"),
            ("order-items", "`order-items`"),
            ("table", "`table`"),
            ("a`b", "`a``b`"),
            ("_o", "`_o`"),
        ] {
            assert_eq!(in_ddl(name), expected);
        }
    }

    #[test]
    fn a_snake_case_name_is_one_that_athena_takes() {
        for (name, expected) in [
            ("Ship City", Some("ship_city")),
            ("  E-Mail (2)", Some("e_mail_2")),
            ("2024 total", Some("_2024_total")),
            ("Código", Some("c_digo")),
            ("日付", None),
            ("١", None),
            ("--", None),
        ] {
            assert_eq!(snake_case(name).as_deref(), expected, "{name}");
        }
    }
}
