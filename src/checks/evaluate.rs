//! Measured numbers → pass, fail or inconclusive.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::measure::Measures;
use super::spec::allowed;
use super::{CheckKind, CheckSpec};

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

impl Measured {
    /// The table's rows: the first number of every check statement.
    pub fn rows(&self) -> Option<u64> {
        number(self.0.first()?.as_ref())
    }
}

fn number(text: Option<&String>) -> Option<u64> {
    text?.trim().parse().ok()
}

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

/// The row count that a change is measured against.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Baseline {
    /// Nothing was published yet: there is nothing to change from.
    First,
    /// Of the version now published; for a raw table, as the last run that published counted it.
    Rows(u64),
    /// There was one, and it cannot be told.
    Unknown,
}

/// Judges every check, in order. `measured` is `None` if the statement failed.
///
/// A table without a row-count check gets one, ahead of the others: an empty table never passes.
pub fn evaluate(
    table: &str,
    checks: &[CheckSpec],
    measured: Option<&Measured>,
    baseline: Baseline,
) -> Vec<CheckResult> {
    let measures: Vec<_> = checks.iter().map(|check| Measures::of(check, "", "", &|_| true).totals).collect();
    // A row of another length answers another statement: none of its numbers can be trusted.
    let expected = 1 + measures.iter().map(Vec::len).sum::<usize>();
    let numbers = measured.map(|row| row.0.as_slice()).filter(|row| row.len() == expected);
    let mut numbers = numbers.unwrap_or_default().iter().map(|text| number(text.as_ref()));
    let rows = numbers.next().flatten();

    let kind = CheckKind::RowCount { min: None, max: None };
    let implicit = CheckSpec { name: kind.name().to_owned(), column: None, kind };
    let has_row_count = checks.iter().any(|check| matches!(check.kind, CheckKind::RowCount { .. }));
    let mut results = Vec::with_capacity(checks.len() + 1);
    if !has_row_count {
        results.push(result(table, &implicit, &Reading { rows, named: Vec::new(), baseline }));
    }
    for (check, totals) in checks.iter().zip(measures) {
        let named = totals.into_iter().map(|(name, _)| (name, numbers.next().flatten())).collect();
        results.push(result(table, check, &Reading { rows, named, baseline }));
    }
    results
}

/// What is known of one check.
struct Reading {
    rows: Option<u64>,
    /// The check's own numbers, by name.
    named: Vec<(String, Option<u64>)>,
    baseline: Baseline,
}

impl Reading {
    /// The check's only number.
    fn number(&self) -> Option<u64> {
        self.named.first().and_then(|(_, number)| *number)
    }

    /// The check's only number, if it is a number of rows that the table can have.
    fn count(&self) -> Option<u64> {
        self.number().filter(|count| Some(*count) <= self.rows)
    }
}

fn result(table: &str, check: &CheckSpec, reading: &Reading) -> CheckResult {
    let judged = match check.kind {
        CheckKind::RowCountChange { .. } if reading.baseline == Baseline::First && reading.rows.is_some() => {
            Some((true, Value::Null))
        }
        _ => reading.rows.and_then(|rows| judge(&check.kind, rows, reading)),
    };
    let (status, measured) = match judged {
        Some((true, measured)) => (CheckStatus::Pass, measured),
        Some((false, measured)) => (CheckStatus::Fail, measured),
        None => (CheckStatus::Inconclusive, Value::Null),
    };
    CheckResult {
        table: table.to_owned(),
        check: check.name.clone(),
        column: column(check),
        status,
        measured,
        bound: bound(&check.kind, reading.baseline),
    }
}

/// What a check is about; of a key, its columns.
fn column(check: &CheckSpec) -> Option<String> {
    match &check.kind {
        CheckKind::Unique { columns } if check.column.is_none() && !columns.is_empty() => Some(columns.join(", ")),
        _ => check.column.clone(),
    }
}

/// Whether the check holds, and what to show; `None` if it cannot be said.
fn judge(kind: &CheckKind, rows: u64, reading: &Reading) -> Option<(bool, Value)> {
    match kind {
        CheckKind::RowCount { min, max } => {
            let holds = rows > 0 && min.is_none_or(|min| rows >= min) && max.is_none_or(|max| rows <= max);
            Some((holds, json!(rows)))
        }
        CheckKind::RowCountChange { max_share } => {
            let Baseline::Rows(published) = reading.baseline else { return None };
            let change = share(rows as f64 - published as f64, published)?;
            let measured = json!({ "rows": rows, "published": published, "change": rounded(change) });
            Some((change.abs() <= *max_share, measured))
        }
        CheckKind::Nulls { max_rows, max_share } => judge_nulls(reading.count()?, rows, *max_rows, *max_share),
        CheckKind::Unique { .. } | CheckKind::References { .. } => at_most(reading.count()?, 0),
        CheckKind::AcceptedValues { max_rows, .. }
        | CheckKind::Pattern { max_rows, .. }
        | CheckKind::CastLoss { max_rows, .. } => at_most(reading.count()?, *max_rows),
        CheckKind::Freshness { max_age_hours } => {
            let seconds = reading.number()?;
            let age = json!({ "age_hours": rounded(seconds as f64 / 3600.0) });
            Some((seconds <= max_age_hours.saturating_mul(3600), age))
        }
        CheckKind::MovedRows { max_moved, max_lost, .. } => judge_moved(rows, reading, *max_moved, *max_lost),
    }
}

fn at_most(count: u64, max: u64) -> Option<(bool, Value)> {
    Some((count <= max, json!(count)))
}

fn judge_nulls(nulls: u64, rows: u64, max_rows: Option<u64>, max_share: Option<f64>) -> Option<(bool, Value)> {
    let Some(max_share) = max_share else {
        return at_most(nulls, max_rows.unwrap_or(0));
    };
    let share = share(nulls as f64, rows)?;
    let holds = share <= max_share && max_rows.is_none_or(|max| nulls <= max);
    Some((holds, json!({ "nulls": nulls, "share": rounded(share) })))
}

/// Every row is in place, moved or lost: numbers that do not add up are no numbers.
fn judge_moved(rows: u64, reading: &Reading, max_moved: Option<u64>, max_lost: u64) -> Option<(bool, Value)> {
    let mut measured = serde_json::Map::new();
    let mut total = 0_u64;
    let mut moved = 0;
    let mut lost = 0;
    for (name, count) in &reading.named {
        let count = (*count)?;
        total = total.checked_add(count)?;
        match name.as_str() {
            "in_place" => {}
            "lost" => lost = count,
            _ => moved += count,
        }
        measured.insert(name.clone(), json!(count));
    }
    let holds = max_moved.is_none_or(|max| moved <= max) && lost <= max_lost;
    (total == rows && !measured.is_empty()).then(|| (holds, Value::Object(measured)))
}

/// A share of nothing is no number.
fn share(part: f64, whole: u64) -> Option<f64> {
    (whole > 0).then(|| part / whole as f64)
}

/// Four decimals, for reading; judged by the exact value.
fn rounded(number: f64) -> f64 {
    (number * 1e4).round() / 1e4
}

fn bound(kind: &CheckKind, baseline: Baseline) -> Value {
    match kind {
        CheckKind::RowCountChange { .. } if baseline == Baseline::First => json!("no published version yet"),
        CheckKind::Unique { .. } | CheckKind::References { .. } => json!(0),
        CheckKind::Nulls { max_rows, max_share: None } => json!(max_rows.unwrap_or(0)),
        CheckKind::AcceptedValues { max_rows, .. }
        | CheckKind::Pattern { max_rows, .. }
        | CheckKind::CastLoss { max_rows, .. } => json!(max_rows),
        kind => json!(allowed(kind)),
    }
}
