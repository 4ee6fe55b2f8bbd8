//! Whether a table's drift is still what somebody saw who accepts it.

use std::fmt::Write;

use super::RunError;
use super::record::{load, runs};
use crate::drift::{Finding, seen};
use crate::store::Store;

/// So many of the newest runs are looked through for the one that was seen.
const RUNS: usize = 50;

/// What sets the findings of a table apart from those that were `seen` of it, a line each; `None` if nothing does. Where no run
/// of late knows those digits, all that is found.
pub async fn unseen(
    store: &dyn Store,
    findings: &[Finding],
    table: &str,
    expected: &str,
) -> Result<Option<String>, RunError> {
    if seen(findings, table) == expected {
        return Ok(None);
    }
    let now = of(findings, table);
    let Some((run_id, then)) = run_of(store, table, expected).await? else {
        return Ok(Some(lines("found now, and no run of late is known that found what it names", &now)));
    };
    let then = of(&then, table);
    let but = |all: &[Finding], without: &[Finding]| -> Vec<Finding> {
        let is_in = |one: &Finding| without.iter().any(|other| other.judged_fact() == one.judged_fact());
        all.iter().filter(|one| !is_in(one)).cloned().collect()
    };
    let (new, gone) = (but(&now, &then), but(&then, &now));
    let kept = but(&now, &new);
    let parts = [
        lines(&format!("not so in run {run_id}"), &new),
        lines(&format!("no longer as in run {run_id}"), &gone),
        lines("as it was there", &kept),
    ];
    Ok(Some(parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join("\n")))
}

fn of(findings: &[Finding], table: &str) -> Vec<Finding> {
    findings.iter().filter(|finding| finding.table == table).cloned().collect()
}

/// The newest run that found what these digits stand for.
async fn run_of(store: &dyn Store, table: &str, expected: &str) -> Result<Option<(String, Vec<Finding>)>, RunError> {
    let ids = runs(store).await?;
    for id in ids.iter().rev().take(RUNS) {
        // A record that cannot be read is for `runs` to tell of: the update is refused with it or without.
        if let Ok(Some(recorded)) = load(store, id).await
            && seen(&recorded.run.findings, table) == expected
        {
            return Ok(Some((id.clone(), recorded.run.findings)));
        }
    }
    Ok(None)
}

/// A heading and a finding a line; nothing of nothing.
fn lines(heading: &str, findings: &[Finding]) -> String {
    if findings.is_empty() {
        return String::new();
    }
    let mut text = format!("  {heading}:");
    for finding in findings {
        write!(text, "\n    {} {}: {}", finding.level, finding.rule, finding.message).expect("a String takes all");
    }
    text
}
