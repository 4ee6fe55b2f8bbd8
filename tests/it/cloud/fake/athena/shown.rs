//! How Athena shows a query: in answers, and in events.

use crawlguard::engine::Rows;
use serde_json::{Value, json};

use super::{Query, State};
use crate::cloud::fake::{ACCOUNT, REGION};

impl State {
    pub fn name(self) -> &'static str {
        match self {
            Self::Queued => "QUEUED",
            Self::Running => "RUNNING",
            Self::Succeeded => "SUCCEEDED",
            Self::Failed => "FAILED",
            Self::Cancelled => "CANCELLED",
        }
    }
}

impl Query {
    fn statement_type(&self) -> &'static str {
        // CTAS counts as DML where quotas are concerned, and as DDL here.
        if self.is_build() { "DDL" } else { "DML" }
    }

    fn error_value(&self, number: impl Fn(u32) -> Value) -> Option<Value> {
        let error = self.error.as_ref()?;
        // 1: the system's fault, 2: the user's.
        let (category, kind) = if error.retryable { (1, 233) } else { (2, 1006) };
        Some(json!({"ErrorCategory": number(category), "ErrorType": number(kind), "Retryable": error.retryable,
            "ErrorMessage": error.message}))
    }
}

/// A `QueryExecution`.
pub fn execution(query: &Query) -> Value {
    let reason = query.error.as_ref().map(|error| error.message.clone());
    let reason = reason.or_else(|| (query.state == State::Cancelled).then(|| "Query cancelled by user".to_owned()));
    let error = query.error_value(|number| json!(number));
    json!({
        "QueryExecutionId": query.id,
        "Query": query.sql,
        "StatementType": query.statement_type(),
        "WorkGroup": query.workgroup,
        "QueryExecutionContext": {"Database": query.database},
        "ResultConfiguration": {"OutputLocation": format!("{}{}.csv", query.output, query.id)},
        "Status": {"State": query.state.name(), "StateChangeReason": reason, "AthenaError": error,
            "SubmissionDateTime": 1_767_323_045.0},
        "Statistics": {"EngineExecutionTimeInMillis": 7, "DataScannedInBytes": 0},
    })
}

/// An "Athena Query State Change".
/// <https://docs.aws.amazon.com/athena/latest/ug/athena-events.html>
pub fn event(query: &mut Query, before: Option<State>) -> Value {
    query.sequence += 1;
    let mut detail = json!({
        "versionId": "0", "currentState": query.state.name(), "statementType": query.statement_type(),
        "queryExecutionId": query.id, "workgroupName": query.workgroup, "sequenceNumber": query.sequence.to_string(),
    });
    if let Some(before) = before {
        detail["previousState"] = json!(before.name());
    }
    if let Some(error) = query.error_value(|number| json!(f64::from(number))) {
        detail["athenaError"] = json!({"errorCategory": error["ErrorCategory"], "errorType": error["ErrorType"],
            "errorMessage": error["ErrorMessage"], "retryable": error["Retryable"]});
    }
    json!({
        "version": "0", "id": format!("{}-{}", query.id, query.sequence), "detail-type": "Athena Query State Change",
        "source": "aws.athena", "account": ACCOUNT, "time": "2026-01-02T03:04:05Z", "region": REGION, "resources": [],
        "detail": detail,
    })
}

/// A SELECT's rows, the names of its columns first.
pub fn rows(result: &Rows) -> Vec<Value> {
    let row = |cells: Vec<Value>| json!({"Data": cells});
    let header = result.columns.iter().map(|name| json!({"VarCharValue": name})).collect();
    let cell = |cell: &Option<String>| cell.as_ref().map_or_else(|| json!({}), |text| json!({"VarCharValue": text}));
    let rows = result.rows.iter().map(|cells| row(cells.iter().map(cell).collect()));
    if result.columns.is_empty() { Vec::new() } else { std::iter::once(row(header)).chain(rows).collect() }
}

/// `ColumnInfo`s. A decimal's digits stand beside its type.
pub fn columns(result: &Rows) -> Vec<Value> {
    let column = |(name, data_type): (&String, &String)| {
        let digits = data_type.strip_prefix("decimal(").and_then(|rest| rest.strip_suffix(')'));
        let digits = digits.and_then(|digits| digits.split_once(','));
        let (precision, scale) = digits.unwrap_or(("0", "0"));
        let number = |text: &str| text.trim().parse::<u32>().expect("digits");
        json!({"Name": name, "Label": name, "Type": if digits.is_some() { "decimal" } else { data_type },
            "Precision": number(precision), "Scale": number(scale), "Nullable": "UNKNOWN", "CaseSensitive": true})
    };
    result.columns.iter().zip(&result.types).map(column).collect()
}
