//! Output columns of the type timestamp with time zone, which no table can hold.

use super::outline::Select;
use super::source::{Source, is_bare};

/// What to write instead.
pub(super) fn help(word: &str) -> String {
    let value = if is_moment(word) { "current_timestamp" } else { "…" };
    format!("a table has no type for it: write `CAST({value} AS timestamp)`")
}

/// Functions that give one, whatever they are given.
/// <https://trino.io/docs/current/functions/datetime.html>
const CALLS: [&str; 5] = ["at_timezone", "from_iso8601_timestamp", "from_unixtime", "parse_datetime", "with_timezone"];

fn is_moment(word: &str) -> bool {
    ["now", "current_timestamp"].contains(&word)
}

/// The output columns that are nothing but such a moment, of the run or of a call: the first token of each, and the word.
///
/// What is computed from one is left to the engine, which says its type.
pub(super) fn zoned(source: &Source<'_>, select: &Select) -> Vec<(usize, String)> {
    let moment = |index: usize, end: usize| {
        let word = source.name(index);
        let is_alone = index + 1 == end && is_bare(&source.tokens[index]) && word == "current_timestamp";
        let is_called = (is_moment(&word) || CALLS.contains(&word.as_str()))
            && index + 2 < end
            && source.partner(index + 1) == Some(end - 1);
        (is_alone || is_called).then_some((index, word))
    };
    let values = select.items.iter().filter(|item| item.star.is_none() && !item.value.is_empty());
    values.filter_map(|item| moment(item.value.start, item.value.end)).collect()
}
