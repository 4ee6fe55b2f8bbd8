//! `GROUP BY 1` and `ORDER BY 2`: output columns by their place.

use std::ops::Range;

use polyglot_sql::TokenType as T;

use super::origins::Origins;
use super::resolve::Resolver;
use super::resolved::Output;

impl Resolver<'_> {
    /// What the columns come from that a GROUP BY, or the tail of a query, names by their place. A place of a star is what
    /// stands there now.
    /// <https://trino.io/docs/current/sql/select.html#group-by-clause>
    pub(super) fn positions(&mut self, clause: &Range<usize>, outputs: &[Output]) -> Origins {
        let source = self.source;
        let mut start = match source.kind(clause.start) {
            Some(T::GroupBy | T::OrderBy) => clause.start + 1,
            Some(T::Group | T::Order) => clause.start + 2,
            _ => return Origins::new(),
        };
        start += usize::from(matches!(source.kind(start), Some(T::Distinct | T::All)));
        let ends = |index: usize| matches!(source.kind(index), Some(T::Limit | T::Offset | T::Fetch));
        let end = source.find(start..clause.end, ends).unwrap_or(clause.end);
        let mut origins = Origins::new();
        for token in self.numbers(start..end) {
            let place =
                source.slice(&(token..token + 1)).parse::<usize>().ok().and_then(|number| number.checked_sub(1));
            match place.and_then(|place| outputs.get(place)) {
                Some(output) => origins.extend(output.origins.iter().cloned()),
                None => {
                    let message = format!("no output column has the place {}", source.slice(&(token..token + 1)));
                    self.problem(token, message, format!("the query has {}; they count from 1", outputs.len()));
                }
            }
        }
        origins
    }

    /// The elements of a list that are a number alone, those of ROLLUP, CUBE and GROUPING SETS among them.
    fn numbers(&self, range: Range<usize>) -> Vec<usize> {
        let source = self.source;
        let mut found = Vec::new();
        for part in source.split(range) {
            let word = part.clone().take_while(|&index| source.kind(index) != Some(T::LParen)).count();
            let open = part.start + word;
            let is_list = word == 0 || ["rollup", "cube", "grouping"].iter().any(|it| source.is_word(part.start, it));
            match source.kind(part.start) {
                Some(T::Number) if is_sorted(source.slice(&(part.start + 1..part.end))) => found.push(part.start),
                _ if is_list && source.partner(open).is_some_and(|close| close + 1 == part.end) => {
                    found.extend(self.numbers(open + 1..part.end - 1));
                }
                _ => {}
            }
        }
        found
    }
}

/// True for what may stand behind an element of ORDER BY: `DESC NULLS LAST`.
fn is_sorted(rest: &str) -> bool {
    rest.split_whitespace()
        .all(|word| ["asc", "desc", "nulls", "first", "last"].iter().any(|sorted| word.eq_ignore_ascii_case(sorted)))
}
