//! What a succeeded query returned or wrote.

use aws_sdk_athena::operation::get_query_results::GetQueryResultsOutput;
use aws_sdk_athena::types::{ColumnInfo, QueryExecution, ResultSet, Row};

use super::statement::BUILD;
use super::{AthenaEngine, subject};
use crate::aws::Call;
use crate::engine::{QueryId, Rows};
use crate::port::{PortError, PortErrorKind};

const RESULTS: Call = Call::new("read rows", "athena:GetQueryResults");
const ROWS_A_PAGE: i32 = 1000;

/// Rows that a build wrote; `None` of any other query.
pub async fn written(
    engine: &AthenaEngine,
    query: &QueryId,
    execution: &QueryExecution,
) -> Result<Option<u64>, PortError> {
    if !execution.query().is_some_and(|text| text.starts_with(BUILD)) {
        return Ok(None);
    }
    let first = page(engine, query, 1, None).await?;
    let count = first.update_count.and_then(|count| count.try_into().ok());
    count.map(Some).ok_or_else(|| {
        PortError::new(PortErrorKind::Unexpected, RESULTS.operation, subject(query), "Athena does not say how many")
    })
}

pub async fn rows(engine: &AthenaEngine, query: &QueryId) -> Result<Rows, PortError> {
    let mut read = Rows::default();
    let (mut token, mut is_first) = (None, true);
    loop {
        let answer = page(engine, query, ROWS_A_PAGE, token).await?;
        let result = answer.result_set.unwrap_or_else(|| ResultSet::builder().build());
        if is_first {
            let columns = result.result_set_metadata().map(|metadata| metadata.column_info()).unwrap_or_default();
            read.columns = columns.iter().map(|column| column.name().to_owned()).collect();
            read.types = columns.iter().map(type_name).collect();
        }
        let mut found: Vec<_> = result.rows.unwrap_or_default().into_iter().map(texts).collect();
        // A SELECT's first row repeats the column names.
        if is_first && found.first().is_some_and(|row| is_header(row, &read.columns)) {
            found.remove(0);
        }
        read.rows.extend(found);
        is_first = false;
        token = answer.next_token;
        if token.is_none() {
            return Ok(read);
        }
    }
}

async fn page(
    engine: &AthenaEngine,
    query: &QueryId,
    size: i32,
    token: Option<String>,
) -> Result<GetQueryResultsOutput, PortError> {
    let request = engine.client.get_query_results().query_execution_id(&query.0).max_results(size);
    request.set_next_token(token).send().await.map_err(|error| RESULTS.failed(subject(query), error))
}

fn is_header(row: &[Option<String>], columns: &[String]) -> bool {
    row.iter().map(Option::as_deref).eq(columns.iter().map(|name| Some(name.as_str())))
}

fn texts(row: Row) -> Vec<Option<String>> {
    row.data.unwrap_or_default().into_iter().map(|datum| datum.var_char_value).collect()
}

/// `decimal` comes without its digits, which stand beside it.
fn type_name(column: &ColumnInfo) -> String {
    match column.r#type() {
        "decimal" => format!("decimal({},{})", column.precision(), column.scale()),
        name => name.to_owned(),
    }
}
