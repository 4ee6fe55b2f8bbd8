//! Measured numbers → pass, fail or inconclusive.

use serde::{Deserialize, Serialize};

use super::CheckSpec;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum CheckStatus {
    Pass,
    Fail,
    /// Could not be measured: never a pass.
    Inconclusive,
}

/// The row that a check statement returned: values as text, NULL as `None`, in `m0…` order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Measured(pub Vec<Option<String>>);

/// The JSON of one check in a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CheckResult {
    pub table: String,
    pub check: String,
    pub column: Option<String>,
    pub status: CheckStatus,
    /// A number, or an object of numbers (moved rows by distance); null if not measured.
    pub measured: serde_json::Value,
    /// What was allowed, in words or a number.
    pub bound: serde_json::Value,
}

/// Judges every check. `measured` is `None` if the statement failed; `published_rows` is the row count
/// of the version now published, if there is one.
pub fn evaluate(
    _table: &str,
    _checks: &[CheckSpec],
    _measured: Option<&Measured>,
    _published_rows: Option<u64>,
) -> Vec<CheckResult> {
    todo!()
}
