//! Athena: queries that are queued, run and end, idempotency tokens, paged results, workgroups, and the events of it all.
//!
//! <https://docs.aws.amazon.com/athena/latest/APIReference/API_Operations.html>

mod shown;

use std::collections::{BTreeMap, BTreeSet};

use crawlguard::engine::Rows;
use serde_json::{Value, json};

use super::sql::{Lake, Place, Ran, SqlError, run};
use super::wire::{Refusal, Request, page};

type Result<T = Value> = std::result::Result<T, Refusal>;

const LONGEST_QUERY: usize = 262_144;

#[derive(Debug, Clone, Default)]
pub struct Athena {
    /// Oldest first.
    pub queries: Vec<Query>,
    /// Started queries stay RUNNING while this is set.
    pub is_held: bool,
    pub broken: Vec<Broken>,
    workgroups: BTreeMap<String, Workgroup>,
    idempotency: BTreeMap<String, usize>,
}

#[derive(Debug, Clone)]
struct Workgroup {
    is_enforced: bool,
    output: Option<String>,
}

/// A query that will fail, whatever its SQL says.
#[derive(Debug, Clone)]
pub struct Broken {
    pub part: String,
    pub message: String,
    pub retryable: bool,
}

#[derive(Debug, Clone)]
pub struct Query {
    pub id: String,
    pub sql: String,
    pub state: State,
    /// How many events it has sent.
    sequence: u32,
    database: String,
    workgroup: String,
    output: String,
    result: Rows,
    update_count: Option<u64>,
    error: Option<SqlError>,
    /// What the same token must bring again.
    parameters: Value,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    Queued,
    Running,
    Succeeded,
    Failed,
    Cancelled,
}

impl Query {
    /// Where a build that succeeded has written to: its table, and its text's own location.
    pub fn is_build(&self) -> bool {
        self.sql.starts_with("CREATE TABLE ")
    }

    fn has_ended(&self) -> bool {
        !matches!(self.state, State::Queued | State::Running)
    }
}

impl Athena {
    /// A workgroup; `output` is where its results go.
    pub fn create_workgroup(&mut self, name: &str, output: Option<&str>, is_enforced: bool) {
        let workgroup = Workgroup { is_enforced, output: output.map(str::to_owned) };
        self.workgroups.insert(name.into(), workgroup);
    }

    /// Builds that ran, whatever became of them.
    pub fn builds(&self) -> impl Iterator<Item = &Query> {
        self.queries.iter().filter(|query| query.is_build())
    }

    /// Different SELECTs that have succeeded.
    pub fn answered(&self) -> usize {
        let answered = self.queries.iter().filter(|query| !query.is_build() && query.state == State::Succeeded);
        answered.map(|query| &query.sql).collect::<BTreeSet<_>>().len()
    }

    pub fn handle(&mut self, request: &Request, lake: &mut Lake<'_>, events: &mut Vec<Value>) -> Result {
        match request.action.as_str() {
            "CreateWorkGroup" => {
                let configuration = &request.json["Configuration"];
                let output = configuration["ResultConfiguration"]["OutputLocation"].as_str();
                let is_enforced = configuration["EnforceWorkGroupConfiguration"] == true;
                self.create_workgroup(request.text("Name"), output, is_enforced);
                Ok(json!({}))
            }
            "GetWorkGroup" => self.workgroup(request.text("WorkGroup")).map(|workgroup| {
                let results = json!({"OutputLocation": workgroup.output});
                let configuration =
                    json!({"EnforceWorkGroupConfiguration": workgroup.is_enforced, "ResultConfiguration": results});
                json!({"WorkGroup": {"Name": request.text("WorkGroup"), "State": "ENABLED", "Configuration": configuration}})
            }),
            "StartQueryExecution" => self.start(request, events),
            "GetQueryExecution" => {
                let at = self.position(request.text("QueryExecutionId"))?;
                self.look(at, lake, events);
                Ok(json!({"QueryExecution": shown::execution(&self.queries[at])}))
            }
            "BatchGetQueryExecution" => self.look_at_many(request, lake, events),
            "GetQueryResults" => self.results(request),
            "StopQueryExecution" => self.stop(request, events),
            other => panic!("the fake's Athena has no {other}"),
        }
    }

    fn workgroup(&self, name: &str) -> Result<&Workgroup> {
        self.workgroups.get(name).ok_or_else(|| invalid(format!("WorkGroup {name} is not found.")))
    }

    fn position(&self, id: &str) -> Result<usize> {
        let found = self.queries.iter().position(|query| query.id == id);
        found.ok_or_else(|| invalid(format!("QueryExecution {id} was not found")))
    }

    fn start(&mut self, request: &Request, events: &mut Vec<Value>) -> Result {
        let (sql, token, workgroup) =
            (request.text("QueryString"), request.text("ClientRequestToken"), request.text("WorkGroup"));
        if sql.is_empty() || sql.len() > LONGEST_QUERY {
            return Err(invalid(format!("the query has {} bytes, not 1 to {LONGEST_QUERY}", sql.len())));
        }
        if !(32..=128).contains(&token.len()) {
            return Err(invalid("Value at 'clientRequestToken' must have length in 32 to 128"));
        }
        let group = self.workgroup(workgroup)?.clone();
        if let Some(&at) = self.idempotency.get(token) {
            let query = &self.queries[at];
            return match query.parameters == request.json {
                true => Ok(json!({"QueryExecutionId": query.id})),
                false => Err(invalid("Idempotent parameters do not match")),
            };
        }
        let asked = request.json["ResultConfiguration"]["OutputLocation"].as_str().map(str::to_owned);
        let output = if group.is_enforced { group.output.or(asked) } else { asked.or(group.output) };
        let output = output.ok_or_else(|| {
            invalid(
                "No output location provided. An output location is required either through the Workgroup result \
                     configuration setting or as an API input.",
            )
        })?;
        let query = Query {
            id: format!("00000000-0000-4000-8000-{:012}", self.queries.len() + 1),
            sql: sql.to_owned(),
            state: State::Queued,
            sequence: 0,
            database: request.json["QueryExecutionContext"]["Database"].as_str().unwrap_or("default").to_owned(),
            workgroup: workgroup.to_owned(),
            output,
            result: Rows::default(),
            update_count: None,
            error: None,
            parameters: request.json.clone(),
        };
        self.idempotency.insert(token.to_owned(), self.queries.len());
        let id = query.id.clone();
        self.queries.push(query);
        events.push(shown::event(self.queries.last_mut().expect("just pushed"), None));
        Ok(json!({"QueryExecutionId": id}))
    }

    /// A query moves when somebody looks: queued, then running, then over. So no test waits, and each sees all states.
    fn look(&mut self, at: usize, lake: &mut Lake<'_>, events: &mut Vec<Value>) {
        match self.queries[at].state {
            State::Queued => self.turn(at, State::Running, events),
            State::Running if !self.is_held => {
                let state = self.execute(at, lake);
                self.turn(at, state, events);
            }
            _ => {}
        }
    }

    /// Every query that runs comes to its end, unlooked at.
    pub fn finish(&mut self, lake: &mut Lake<'_>, events: &mut Vec<Value>) {
        for at in 0..self.queries.len() {
            self.look(at, lake, events);
            self.look(at, lake, events);
        }
    }

    fn turn(&mut self, at: usize, state: State, events: &mut Vec<Value>) {
        let query = &mut self.queries[at];
        let before = std::mem::replace(&mut query.state, state);
        events.push(shown::event(query, Some(before)));
    }

    fn execute(&mut self, at: usize, lake: &mut Lake<'_>) -> State {
        let query = &mut self.queries[at];
        let broken = self.broken.iter().position(|broken| query.sql.contains(&broken.part));
        let broken = broken.map(|index| self.broken.remove(index));
        let place = Place {
            database: &query.database,
            tables: format!("{}tables/{}/", query.output, query.id),
            is_enforced: self.workgroups[&query.workgroup].is_enforced,
        };
        let ran = match broken {
            Some(broken) => Err(SqlError { message: broken.message, retryable: broken.retryable }),
            None => run(&query.sql, &place, lake),
        };
        match ran {
            Ok(Ran::Answered(rows)) => query.result = rows,
            Ok(Ran::Built(rows)) => query.update_count = Some(rows),
            Err(error) => {
                query.error = Some(error);
                return State::Failed;
            }
        }
        State::Succeeded
    }

    fn look_at_many(&mut self, request: &Request, lake: &mut Lake<'_>, events: &mut Vec<Value>) -> Result {
        let ids = request.json["QueryExecutionIds"].as_array().cloned().unwrap_or_default();
        if ids.is_empty() || ids.len() > 50 {
            return Err(invalid("Value at 'queryExecutionIds' must have length in 1 to 50"));
        }
        let (mut found, mut unknown) = (Vec::new(), Vec::new());
        for id in ids.iter().filter_map(Value::as_str) {
            match self.position(id) {
                Ok(at) => {
                    self.look(at, lake, events);
                    found.push(shown::execution(&self.queries[at]));
                }
                Err(refusal) => unknown
                    .push(json!({"QueryExecutionId": id, "ErrorCode": refusal.code, "ErrorMessage": refusal.message})),
            }
        }
        Ok(json!({"QueryExecutions": found, "UnprocessedQueryExecutionIds": unknown}))
    }

    fn results(&mut self, request: &Request) -> Result {
        let size = request.json["MaxResults"].as_u64().unwrap_or(1000);
        if !(1..=1000).contains(&size) {
            return Err(invalid("Value at 'maxResults' must be in 1 to 1000"));
        }
        let query = &self.queries[self.position(request.text("QueryExecutionId"))?];
        match query.state {
            State::Succeeded => {}
            State::Queued | State::Running => {
                return Err(invalid(format!("Query has not yet finished. Current state: {}", query.state.name())));
            }
            _ => {
                let state = query.state.name();
                return Err(invalid(format!("Query did not finish successfully. Final query state: {state}")));
            }
        }
        let rows = shown::rows(&query.result);
        let (found, next) = page(&rows, request.text("NextToken"), size as usize);
        let metadata = json!({"ColumnInfo": shown::columns(&query.result)});
        let results = json!({"Rows": found, "ResultSetMetadata": metadata});
        Ok(json!({"ResultSet": results, "UpdateCount": query.update_count, "NextToken": next}))
    }

    fn stop(&mut self, request: &Request, events: &mut Vec<Value>) -> Result {
        let at = self.position(request.text("QueryExecutionId"))?;
        if self.queries[at].has_ended() {
            return Err(invalid("the query has ended already"));
        }
        self.turn(at, State::Cancelled, events);
        Ok(json!({}))
    }
}

fn invalid(message: impl Into<String>) -> Refusal {
    Refusal::new(400, "InvalidRequestException", message)
}
