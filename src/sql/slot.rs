//! Binding a model's text to a run: its slot, and the tables it reads.

use std::collections::BTreeMap;

use crate::problem::Problems;

/// `current_date` and `current_timestamp` (also `now()`) replaced by literals of the run's slot
/// (`2026-01-02T03:04:05Z`), by token spans, never inside strings, comments or quoted identifiers.
pub fn bind_slot(_select: &str, _slot: &str) -> Result<String, Problems> {
    todo!()
}

/// Table references renamed (lowercase name → new name), by token or AST spans; CTE names and columns are left alone.
pub fn rename_tables(_select: &str, _names: &BTreeMap<String, String>) -> Result<String, Problems> {
    todo!()
}
