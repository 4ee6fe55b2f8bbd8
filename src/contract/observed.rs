//! What was counted of a built table: facts that a model's first contract starts from.

use std::collections::BTreeMap;

use serde_json::{Value, json};

/// Points that a first bound leaves above the counted share of NULLs, in percent of the rows.
const MARGIN: u64 = 10;

/// Counts of a table as it was last published.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Observed {
    /// The day of the count, `2026-01-02`.
    pub day: String,
    pub rows: u64,
    /// Column → rows without a value.
    pub nulls: BTreeMap<String, u64>,
    /// Columns with a value in each row, and in each another one.
    pub distinct: Vec<String>,
}

impl Observed {
    /// The first bound on a column's NULLs; none where the counts allow none.
    pub(super) fn null_rule(&self, column: &str) -> Option<Value> {
        let nulls = *self.nulls.get(column)?;
        let bound = (nulls * 100).div_ceil(self.rows.max(1)) + MARGIN;
        let Self { day, rows, .. } = self;
        let said = format!(
            "Counted on {day}: {nulls} of {rows} rows without a value; the bound leaves {MARGIN} points more. Narrow it, to 0 \
             where a value is required."
        );
        (bound < 100).then(
            || json!({"metric": "nullValues", "unit": "percent", "mustBeLessOrEqualTo": bound, "description": said}),
        )
    }

    /// What may name a row; for somebody to decide, as what is so today may be chance.
    pub(super) fn keys(&self, model: &str) -> Option<String> {
        let names: Vec<String> = self.distinct.iter().map(|name| format!("`{name}`")).collect();
        (!names.is_empty()).then(|| {
            format!(
                "Counted on {}: another value in each of the {} rows: {}. A column that names a row belongs behind \
                 `primary_key:` in the header of {model}.sql: then it is checked to be unique and never NULL.",
                self.day,
                self.rows,
                names.join(", ")
            )
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bound_is_what_was_counted_and_a_margin_and_nothing_where_that_is_everything() {
        for (nulls, rows, bound) in
            [(0, 12, Some(10)), (1, 3, Some(44)), (89, 100, Some(99)), (90, 100, None), (5, 5, None)]
        {
            let observed = Observed { rows, nulls: [("a".to_owned(), nulls)].into(), ..Observed::default() };
            let rule = observed.null_rule("a");
            assert_eq!(rule.map(|rule| rule["mustBeLessOrEqualTo"].as_u64().unwrap()), bound, "{nulls} of {rows}");
            assert_eq!(observed.null_rule("b"), None, "nothing was counted of it");
        }
    }
}
