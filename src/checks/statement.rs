//! One SELECT for all checks of a table.

use super::CheckSpec;
use super::measure::{CHECKED, Measures};
use crate::sql::ident::quote;

/// The one statement that measures every check of `table`: one row, column `m0` (the row count), `m1`, … as text.
///
/// `table` is the catalog name to read (a staging table, or a raw one); `slot` is the run's slot
/// as `2026-01-02T03:04:05Z`. The text is Athena SQL. The table is read once: an inner SELECT takes what each check
/// needs of a row, the outer one counts.
pub fn statement(table: &str, checks: &[CheckSpec], slot: &str) -> String {
    statement_over(table, checks, slot, &|_, _| true)
}

/// [`statement`] where columns may be gone; `has` tells whether a table has a column. A check without one that it needs is
/// not measured, its numbers are NULL: the others still are.
pub fn statement_over(table: &str, checks: &[CheckSpec], slot: &str, has: &dyn Fn(&str, &str) -> bool) -> String {
    let mut values = Vec::new();
    let mut totals = vec!["count(*)".to_owned()];
    for (index, check) in checks.iter().enumerate() {
        let name = format!("v{index}");
        let mut measures = Measures::of(check, &name, slot, &|column| has(table, column));
        let is_whole = check.columns().all(|column| has(table, column));
        if !is_whole || check.reference().is_some_and(|(table, column)| !has(table, column)) {
            measures = measures.unknown();
        }
        values.extend(measures.value.map(|value| format!("{value} AS {name}")));
        totals.extend(measures.totals.into_iter().map(|(_, aggregate)| aggregate));
    }
    let totals = totals.iter().enumerate().map(|(index, total)| format!("CAST({total} AS varchar) AS m{index}"));
    let totals = totals.collect::<Vec<_>>().join(",\n  ");
    let table = format!("{} AS {CHECKED}", quote(table));
    if values.is_empty() {
        return format!("SELECT\n  {totals}\nFROM {table}");
    }
    format!("SELECT\n  {totals}\nFROM (\n  SELECT\n    {}\n  FROM {table}\n) AS row_values", values.join(",\n    "))
}

#[cfg(test)]
mod tests {
    use polyglot_sql::{DialectType, parse_one};

    use super::*;
    use crate::checks::CheckKind;

    #[test]
    fn without_checks_the_rows_are_counted() {
        assert_eq!(
            statement("raw \"x\"", &[], "2026-01-02T03:04:05Z"),
            "SELECT\n  CAST(count(*) AS varchar) AS m0\nFROM \"raw \"\"x\"\"\" AS checked"
        );
    }

    #[test]
    fn one_scan_however_many_checks() {
        let unique = CheckKind::Unique { columns: vec!["id".into()] };
        let check = CheckSpec { name: "key".into(), column: None, kind: unique };
        let sql = statement("raw_orders", &vec![check; 50], "2026-01-02T03:04:05Z");
        assert_eq!(sql.matches("\"raw_orders\"").count(), 1);
        assert_eq!(sql.matches(" AS m").count(), 51);
        parse_one(&sql, DialectType::Athena).expect("parses");
    }
}
