//! Athena: statements start and are asked after; nothing waits but [`Engine::wait`].
//!
//! <https://docs.aws.amazon.com/athena/latest/APIReference/API_StartQueryExecution.html>

mod files;
mod results;
mod statement;

use std::collections::HashMap;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use aws_sdk_athena::Client;
use aws_sdk_athena::types::{QueryExecution, QueryExecutionContext, QueryExecutionState, ResultConfiguration};
use tokio::sync::OnceCell;

pub use statement::statement_text;

use super::{Engine, QueryId, QueryState, Rows, Statement};
use crate::aws::{Call, S3Folder, advice};
use crate::digest::sha256_hex;
use crate::port::{PortError, PortErrorKind};

const START: Call = Call::new("start query", "athena:StartQueryExecution");
const STATE: Call = Call::new("read query state", "athena:GetQueryExecution");
const STATES: Call = Call::new("read query states", "athena:BatchGetQueryExecution");
const CANCEL: Call = Call::new("cancel query", "athena:StopQueryExecution");
const WORKGROUP: Call = Call::new("read workgroup", "athena:GetWorkGroup");

/// Queries that one BatchGetQueryExecution takes.
const QUERIES_A_CALL: usize = 50;
/// A query's end is seen at most this part of its time late, within these bounds: Athena takes 20 such calls a second.
const POLLS_A_QUERY: u32 = 50;
const SHORTEST_POLL: Duration = Duration::from_millis(100);
const LONGEST_POLL: Duration = Duration::from_secs(5);
/// 240 minutes, which a DML quota can be raised to, and an hour in the queue.
/// <https://docs.aws.amazon.com/athena/latest/ug/service-limits.html>
const LONGEST_QUERY: Duration = Duration::from_secs(300 * 60);

/// Where statements run and where what they write goes.
#[derive(Debug, Clone)]
pub struct AthenaSettings {
    pub workgroup: String,
    pub database: String,
    /// Under it, a folder a model; nothing else may live there.
    pub warehouse: S3Folder,
    /// Where results go if the workgroup does not say.
    pub output: Option<String>,
}

/// One workgroup of Athena, on one database.
#[derive(Debug)]
pub struct AthenaEngine {
    client: Client,
    s3: aws_sdk_s3::Client,
    settings: AthenaSettings,
    output: OnceCell<Output>,
}

/// Where a workgroup has its queries write.
#[derive(Debug)]
struct Output {
    location: Option<String>,
    /// The workgroup decides where all output goes; Athena then refuses a build that names a place.
    /// <https://docs.aws.amazon.com/athena/latest/ug/workgroups-settings-override.html>
    is_enforced: bool,
}

impl AthenaEngine {
    pub fn new(client: Client, s3: aws_sdk_s3::Client, settings: AthenaSettings) -> Self {
        Self { client, s3, settings, output: OnceCell::new() }
    }

    /// Tokens are the account's, and two targets in it run for the same slot: each has its own.
    fn own_token(&self, token: &str) -> String {
        let AthenaSettings { workgroup, database, warehouse, .. } = &self.settings;
        sha256_hex(format!("{workgroup}|{database}|{}|{token}", warehouse.uri("")))
    }

    async fn output(&self) -> Result<&Output, PortError> {
        let read = async || {
            let answer = self.client.get_work_group().work_group(&self.settings.workgroup).send().await;
            let answer = answer.map_err(|error| WORKGROUP.failed(format!("`{}`", self.settings.workgroup), error))?;
            let configuration = answer.work_group.and_then(|group| group.configuration);
            let enforces =
                configuration.as_ref().and_then(|it| it.enforce_work_group_configuration).unwrap_or_default();
            let location = configuration.and_then(|it| it.result_configuration).and_then(|it| it.output_location);
            Ok(Output { is_enforced: enforces && location.is_some(), location })
        };
        self.output.get_or_try_init(read).await
    }

    async fn execution(&self, query: &QueryId) -> Result<Option<QueryExecution>, PortError> {
        match self.client.get_query_execution().query_execution_id(&query.0).send().await {
            Ok(answer) => Ok(answer.query_execution),
            Err(error) => {
                let error = STATE.failed(subject(query), error);
                if is_unknown_query(&error) { Ok(None) } else { Err(error) }
            }
        }
    }

    /// What is known of at most 50 queries; the answer leaves out those that it cannot tell of.
    async fn executions(&self, queries: &[QueryId]) -> Result<Vec<QueryExecution>, PortError> {
        let ids = queries.iter().map(|query| query.0.clone()).collect();
        let answer = self.client.batch_get_query_execution().set_query_execution_ids(Some(ids)).send().await;
        let answer = answer.map_err(|error| STATES.failed(format!("in `{}`", self.settings.workgroup), error))?;
        Ok(answer.query_executions.unwrap_or_default())
    }

    /// True if one of at most 50 queries is no longer running.
    async fn has_one_ended(&self, queries: &[QueryId]) -> Result<bool, PortError> {
        let running = self.executions(queries).await?.iter().filter(|execution| is_running(execution)).count();
        Ok(running < queries.len())
    }

    async fn told(&self, query: &QueryId, execution: &QueryExecution) -> Result<QueryState, PortError> {
        match state_of(execution) {
            Some(QueryExecutionState::Queued | QueryExecutionState::Running) => Ok(QueryState::Running),
            Some(QueryExecutionState::Succeeded) => {
                let millis = execution.statistics().and_then(|it| it.engine_execution_time_in_millis());
                let rows = results::written(self, query, execution).await?;
                Ok(QueryState::Succeeded { rows, millis: millis.and_then(|it| it.try_into().ok()).unwrap_or_default() })
            }
            Some(QueryExecutionState::Failed | QueryExecutionState::Cancelled) => Ok(failure(execution)),
            other => {
                let message = format!("the state {other:?} is not known");
                Err(PortError::new(PortErrorKind::Unexpected, STATE.operation, subject(query), message))
            }
        }
    }
}

fn subject(query: &QueryId) -> String {
    format!("`{}`", query.0)
}

/// Athena forgets a query after 45 days, and answers like to a malformed request.
fn is_unknown_query(error: &PortError) -> bool {
    let message = error.message.to_lowercase();
    error.kind == PortErrorKind::NotFound
        || (error.kind == PortErrorKind::Invalid && message.contains("not found"))
        || (error.kind == PortErrorKind::Invalid && message.contains("does not exist"))
}

fn state_of(execution: &QueryExecution) -> Option<&QueryExecutionState> {
    execution.status()?.state()
}

fn is_running(execution: &QueryExecution) -> bool {
    matches!(state_of(execution), Some(QueryExecutionState::Queued | QueryExecutionState::Running))
}

/// How a query that did not succeed failed. A cancelled one is not tried again: somebody, or a limit, meant it.
fn failure(execution: &QueryExecution) -> QueryState {
    let status = execution.status();
    let error = status.and_then(|status| status.athena_error());
    let reason = status.and_then(|status| status.state_change_reason());
    let message = reason.or_else(|| error?.error_message()).unwrap_or("Athena gave no reason");
    let is_failed = state_of(execution) == Some(&QueryExecutionState::Failed);
    let message = if is_failed { message.to_owned() } else { format!("cancelled: {message}") };
    let retryable = error.is_some_and(|error| error.retryable()) || is_left_over(&message);
    let message = advice(&message).map_or(message.clone(), |advice| format!("{message}; {advice}"));
    QueryState::Failed { message, retryable: is_failed && retryable }
}

/// An earlier execution of the same attempt, whose token Athena has forgotten, left its table or files: the next attempt
/// has places of its own.
fn is_left_over(message: &str) -> bool {
    ["HIVE_PATH_ALREADY_EXISTS", "TABLE_ALREADY_EXISTS"].iter().any(|code| message.contains(code))
}

#[async_trait]
impl Engine for AthenaEngine {
    async fn start(&self, token: &str, statement: &Statement) -> Result<QueryId, PortError> {
        let enforced = matches!(statement, Statement::Build { .. }) && self.output().await?.is_enforced;
        let text = statement_text(statement, enforced);
        statement::refuse_too_long(&text, token)?;
        let context = QueryExecutionContext::builder().database(&self.settings.database).build();
        let output = self.settings.output.as_ref();
        let results = output.map(|output| ResultConfiguration::builder().output_location(output).build());
        let request = self.client.start_query_execution().query_string(text);
        let request = request.client_request_token(self.own_token(token));
        let request = request.work_group(&self.settings.workgroup).query_execution_context(context);
        let answer = request.set_result_configuration(results).send().await;
        let answer = answer.map_err(|error| START.failed(format!("in `{}`", self.settings.workgroup), error))?;
        answer.query_execution_id.map(QueryId).ok_or_else(|| {
            PortError::new(PortErrorKind::Unexpected, START.operation, "in Athena", "the answer has no query id")
        })
    }

    /// <https://docs.aws.amazon.com/athena/latest/APIReference/API_StartQueryExecution.html>
    fn remembers_tokens(&self) -> bool {
        true
    }

    async fn state(&self, query: &QueryId) -> Result<QueryState, PortError> {
        match self.execution(query).await? {
            Some(execution) => self.told(query, &execution).await,
            None => Ok(QueryState::Lost),
        }
    }

    async fn states(&self, queries: &[QueryId]) -> Result<Vec<QueryState>, PortError> {
        let mut executions = HashMap::new();
        for some in queries.chunks(QUERIES_A_CALL) {
            let told = self.executions(some).await?.into_iter();
            executions.extend(told.filter_map(|execution| Some((execution.query_execution_id.clone()?, execution))));
        }
        let mut states = Vec::with_capacity(queries.len());
        for query in queries {
            states.push(match executions.get(&query.0) {
                Some(execution) => self.told(query, execution).await?,
                // Forgotten, or not told of for another reason: asked by itself, Athena says which.
                None => self.state(query).await?,
            });
        }
        Ok(states)
    }

    async fn wait(&self, queries: &[QueryId]) -> Result<(), PortError> {
        let begun = Instant::now();
        while !queries.is_empty() {
            for some in queries.chunks(QUERIES_A_CALL) {
                if self.has_one_ended(some).await? {
                    return Ok(());
                }
            }
            tokio::time::sleep((begun.elapsed() / POLLS_A_QUERY).clamp(SHORTEST_POLL, LONGEST_POLL)).await;
        }
        Ok(())
    }

    async fn rows(&self, query: &QueryId) -> Result<Rows, PortError> {
        results::rows(self, query).await
    }

    fn location(&self, model: &str, run_id: &str, attempt: u32) -> String {
        self.settings.warehouse.uri(&format!("{model}/{run_id}_{attempt}/"))
    }

    /// Where a workgroup that enforces its output location has put builds, only their catalog entries tell.
    async fn locations(&self, model: &str) -> Result<Vec<String>, PortError> {
        files::folders(&self.s3, &self.settings.warehouse, model).await
    }

    async fn discard(&self, location: &str) -> Result<(), PortError> {
        if location.starts_with(&self.settings.warehouse.uri("")) {
            return files::discard(&self.s3, &self.settings.warehouse, location, files::is_build).await;
        }
        let outputs = [self.output().await?.location.as_ref(), self.settings.output.as_ref()];
        let outputs = outputs.into_iter().flatten().filter_map(|output| S3Folder::parse(output));
        let output = outputs.into_iter().find(|output| location.starts_with(&output.uri("")));
        files::discard(&self.s3, &output.unwrap_or(self.settings.warehouse.clone()), location, files::is_enforced_build)
            .await
    }

    fn longest_query(&self) -> Duration {
        LONGEST_QUERY
    }

    async fn cancel(&self, query: &QueryId) -> Result<(), PortError> {
        match self.client.stop_query_execution().query_execution_id(&query.0).send().await {
            Ok(_) => Ok(()),
            Err(error) => {
                let error = CANCEL.failed(subject(query), error);
                // A finished one is refused as an invalid request, an unknown one too.
                if matches!(error.kind, PortErrorKind::Invalid | PortErrorKind::NotFound) { Ok(()) } else { Err(error) }
            }
        }
    }
}
