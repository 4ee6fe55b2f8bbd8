//! The functions of Athena SQL that the embedded engine knows. What is not listed here is refused.

/// How a call is carried over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Call {
    /// By the macro `athena_<name>` of macros.sql, or by a rewrite of the call under that name.
    Macro,
    /// By a DuckDB function that does the same under this name.
    Named(&'static str),
    /// Syntax that both read alike.
    Kept,
}

/// How a function of Athena is carried over; `None` if it is not known to be the same. A quoted name is a function's, never
/// a word of the syntax.
pub(super) fn call(name: &str, is_quoted: bool) -> Option<Call> {
    let lower = name.to_ascii_lowercase();
    if MACROS.contains(&lower.as_str()) {
        return Some(Call::Macro);
    }
    if KEPT.contains(&lower.as_str()) || (!is_quoted && WORDS.contains(&lower.as_str())) {
        return Some(Call::Kept);
    }
    NAMED.iter().find(|(athena, _)| *athena == lower).map(|(_, duckdb)| Call::Named(duckdb))
}

/// True if a call may go to DuckDB under this name: whatever the parser made of a text, no other does.
pub(super) fn is_vetted(duckdb: &str) -> bool {
    let lower = duckdb.to_ascii_lowercase();
    let is_named = NAMED.iter().any(|(_, duckdb)| *duckdb == lower);
    // Bound to the run's slot before anything runs.
    let is_slot = matches!(lower.as_str(), "current_date" | "current_timestamp");
    is_named || is_slot || KEPT.contains(&lower.as_str()) || WORDS.contains(&lower.as_str())
}

/// What to write instead of a function that is refused.
pub(super) fn advice(name: &str) -> &'static str {
    match name.to_ascii_lowercase().as_str() {
        "approx_distinct" => "write count(DISTINCT …): the two engines' estimates differ",
        "approx_percentile" => "the two engines' estimates differ; compute it on Athena only",
        "reduce" => "write it with transform and array functions, or as an aggregate over UNNEST",
        "random" | "rand" | "shuffle" | "uuid" => "a build must give the same rows when it is repeated",
        "lateral" => {
            "join a subquery with ON, or an UNNEST, which may name the columns before it; or build the model on Athena"
        }
        "at_timezone" | "with_timezone" | "from_iso8601_timestamp" => {
            "no table holds a time zone: take moments in UTC by `CAST(… AS timestamp)`; or build the model on Athena, and there \
             too cast to timestamp in the end"
        }
        "current_timestamp" | "now" | "localtimestamp" => "write current_timestamp, which is bound to the run's slot",
        _ => "use a function that both engines have, or build the model on Athena",
    }
}

const MACROS: &[&str] = &[
    "abs",
    "all_match",
    "any_match",
    "array_distinct",
    "array_except",
    "array_join",
    "array_max",
    "array_min",
    "array_position",
    "array_remove",
    "array_sort",
    "array_union",
    "bitwise_and",
    "bitwise_or",
    "cardinality",
    "ceil",
    "ceiling",
    "chr",
    "concat",
    "concat_ws",
    "contains",
    "date",
    "date_add",
    "date_diff",
    "date_format",
    "date_parse",
    "date_trunc",
    "day",
    "day_of_month",
    "day_of_week",
    "day_of_year",
    "dow",
    "doy",
    "element_at",
    "exp",
    "filter",
    "flatten",
    "floor",
    "format_datetime",
    "from_iso8601_date",
    "from_iso8601_timestamp",
    "from_unixtime",
    "from_utf8",
    "greatest",
    "hour",
    "if",
    "infinity",
    "is_finite",
    "is_infinite",
    "is_nan",
    "json_array_length",
    "json_extract",
    "json_extract_scalar",
    "json_parse",
    "last_day_of_month",
    "least",
    "length",
    "listagg",
    "ln",
    "log10",
    "log2",
    "lower",
    "lpad",
    "ltrim",
    "map",
    "map_agg",
    "map_entries",
    "map_keys",
    "map_values",
    "md5",
    "minute",
    "mod",
    "month",
    "nan",
    "none_match",
    "normalize",
    "nullif",
    "parse_datetime",
    "pi",
    "pow",
    "power",
    "quarter",
    "regexp_count",
    "regexp_extract",
    "regexp_extract_all",
    "regexp_like",
    "regexp_replace",
    "regexp_split",
    "repeat",
    "replace",
    "reverse",
    "round",
    "rpad",
    "rtrim",
    "second",
    "sequence",
    "sha1",
    "sha256",
    "sign",
    "slice",
    "split",
    "split_part",
    "sqrt",
    "starts_with",
    "strpos",
    "substr",
    "substring",
    "to_hex",
    "to_unixtime",
    "to_utf8",
    "transform",
    "translate",
    "trim",
    "truncate",
    "try",
    "upper",
    "week",
    "week_of_year",
    "year",
    "year_of_week",
    "yow",
];

/// Aggregates and window functions: these must stay what they are, or OVER and FILTER have nothing to hold on to.
const NAMED: &[(&str, &str)] =
    &[("arbitrary", "any_value"), ("every", "bool_and"), ("max_by", "arg_max_null"), ("min_by", "arg_min_null")];

const KEPT: &[&str] = &[
    // A call with a syntax of its own.
    "coalesce",
    // Aggregates.
    "any_value",
    "array_agg",
    "avg",
    "bool_and",
    "bool_or",
    "count",
    "count_if",
    "max",
    "min",
    "stddev",
    "stddev_pop",
    "stddev_samp",
    "sum",
    "var_pop",
    "var_samp",
    "variance",
    // Window functions.
    "cume_dist",
    "dense_rank",
    "first_value",
    "lag",
    "last_value",
    "lead",
    "nth_value",
    "ntile",
    "percent_rank",
    "rank",
    "row_number",
];

/// Syntax with a parenthesis after it.
const WORDS: &[&str] = &[
    "all",
    "and",
    "any",
    "array",
    "as",
    "between",
    "by",
    "case",
    "cast",
    "char",
    "decimal",
    "distinct",
    "else",
    "except",
    "exists",
    "extract",
    "cube",
    "from",
    "group",
    "grouping",
    "grouping sets",
    "having",
    "in",
    "intersect",
    "is",
    "join",
    "like",
    "not",
    "on",
    "or",
    "over",
    "rollup",
    "row",
    "rows",
    "select",
    "sets",
    "some",
    "then",
    "timestamp",
    "try_cast",
    "union",
    "unnest",
    "using",
    "values",
    "varchar",
    "when",
    "where",
    "with",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unknown_functions_are_refused_and_every_macro_listed_once() {
        assert_eq!(call("regexp_position", false), None);
        assert_eq!(call("DATE_PARSE", false), Some(Call::Macro));
        assert_eq!(call("case", false), Some(Call::Kept));
        assert_eq!(call("case", true), None);
        assert!(is_vetted("arg_max_null") && is_vetted("SUM") && !is_vetted("read_text"));
        let mut sorted = MACROS.to_vec();
        sorted.sort_unstable();
        sorted.dedup();
        assert_eq!(sorted, MACROS);
    }
}
