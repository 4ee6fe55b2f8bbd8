//! One SELECT for all checks of a table.

use super::CheckSpec;

/// The one statement that measures every check of `table`: one row, column `m0`, `m1`, … (see `evaluate`).
///
/// `table` is the catalog name to read (a staging table, or a raw one); `slot` is the run's slot
/// as `2026-01-02T03:04:05Z`. The text is Athena SQL.
pub fn statement(_table: &str, _checks: &[CheckSpec], _slot: &str) -> String {
    todo!()
}
