//! An alert as data; the text comes from alerts/.

use serde::{Deserialize, Serialize};

use crate::checks::CheckResult;
use crate::drift::Finding;

/// What one run has to tell people; at most one a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Alert {
    pub kind: AlertKind,
    pub run_id: String,
    /// The run's slot, `2026-01-02T03:04:05Z`.
    pub slot: String,
    /// Project and target, as the user named them.
    pub project: String,
    pub target: String,
    /// Breaking and unknown findings first.
    pub findings: Vec<Finding>,
    /// Failed and inconclusive checks.
    pub checks: Vec<CheckResult>,
    /// What went wrong where there is neither a finding nor a check.
    pub error: Option<String>,
    /// Exact commands that accept the change, one a table.
    pub accept: Vec<String>,
    /// Stable over reruns of the same drift: hash of the findings and failed checks, without run and slot.
    pub fingerprint: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AlertKind {
    Breaking,
    ChecksFailed,
    Error,
    Resolved,
}
