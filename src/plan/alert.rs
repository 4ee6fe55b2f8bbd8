//! An alert as data; the text comes from alerts/.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::checks::{CheckResult, CheckStatus};
use crate::digest::sha256_hex;
use crate::drift::{Finding, Level};

/// Of a line that accepts: what stands between the command that would ask, and the digits of what its reader has
/// [`seen`](crate::drift::seen()).
pub const UNASKED: &str = " --yes --expect";

/// A line that accepts, as the command that would ask; `None` of any other line.
pub fn asking(line: &str) -> Option<&str> {
    line.rsplit_once(UNASKED).map(|(asking, _)| asking)
}

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
    /// What went wrong where there is neither a finding nor a check; without row data, which stays in the run's record.
    pub error: Option<String>,
    /// The run that each table shows, where a publication stopped halfway and could not be put back; `None` if that is not
    /// known.
    #[serde(default)]
    pub shown: BTreeMap<String, Option<String>>,
    /// Days from the last crawl to the run's slot, once that is two or more: newer files are not seen.
    #[serde(default)]
    pub crawl_age_days: Option<i64>,
    /// Exact commands that accept what was found and nothing that came since, one a table, and before it one for a likely
    /// rename; none for a table whose acceptance would be refused.
    pub accept: Vec<String>,
    /// Exact command that shows the whole run; empty in alerts of older versions.
    #[serde(default)]
    pub details: String,
    /// Stable over reruns of the same drift: hash of the findings and failed checks, without run and slot.
    pub fingerprint: String,
    /// The notice whose end a `resolved` tells.
    #[serde(default)]
    pub resolves: Option<Told>,
}

/// A notice that people were given.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Told {
    pub kind: AlertKind,
    pub fingerprint: String,
    pub run_id: String,
    /// The run's slot, `2026-01-02T03:04:05Z`.
    pub slot: String,
}

impl From<&Alert> for Told {
    fn from(alert: &Alert) -> Self {
        Self {
            kind: alert.kind,
            fingerprint: alert.fingerprint.clone(),
            run_id: alert.run_id.clone(),
            slot: alert.slot.clone(),
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AlertKind {
    Breaking,
    ChecksFailed,
    Error,
    Resolved,
}

impl Alert {
    /// What stays the same while the same things are wrong: 16 hex digits over the findings that stop the build, the
    /// checks that did not pass and what failed of which step, in any order. Counts, wording and tolerated findings change
    /// from night to night: left out.
    pub fn fingerprint_of(findings: &[Finding], checks: &[CheckResult], steps: &[&str]) -> String {
        let stops = findings.iter().filter(|finding| finding.level != Level::Tolerated);
        let mut stops: Vec<_> = stops.map(|it| (&it.rule, &it.table, &it.path, &it.before, &it.after)).collect();
        let failed = checks.iter().filter(|check| check.status != CheckStatus::Pass);
        let mut failed: Vec<_> = failed.map(|it| (&it.table, &it.check, &it.column)).collect();
        stops.sort();
        stops.dedup();
        failed.sort();
        failed.dedup();
        let text = serde_json::to_vec(&(stops, failed, steps)).expect("tuples of strings are JSON");
        sha256_hex(text)[..16].to_owned()
    }
}
