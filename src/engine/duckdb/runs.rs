//! The statements that this process has started, and how they stand.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use duckdb::InterruptHandle;
use tokio::sync::Notify;

use crate::engine::{QueryId, QueryState, Rows, Statement};
use crate::port::{PortError, PortErrorKind};

/// How long [`Runs::wait`] waits at most.
const POLL: Duration = Duration::from_secs(1);

/// What a statement that succeeded leaves.
pub(super) enum Done {
    /// Rows written.
    Built(u64),
    Answered(Rows),
}

#[derive(Default)]
pub(super) struct Runs {
    all: Mutex<HashMap<QueryId, Run>>,
    ended: Notify,
}

struct Run {
    statement: Statement,
    started: Instant,
    interrupt: Arc<InterruptHandle>,
    state: QueryState,
    rows: Rows,
}

impl Runs {
    fn all(&self) -> MutexGuard<'_, HashMap<QueryId, Run>> {
        self.all.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// True if this very statement runs or ran under the handle.
    pub(super) fn knows(&self, query: &QueryId, statement: &Statement) -> Result<bool, PortError> {
        match self.all().get(query) {
            None => Ok(false),
            Some(run) if run.statement == *statement => Ok(true),
            Some(_) => {
                let message = "the token belongs to another statement";
                Err(PortError::new(PortErrorKind::Invalid, "start query", format!("`{}`", query.0), message))
            }
        }
    }

    /// Notes a statement as running; false if somebody else did so first.
    pub(super) fn begin(
        &self,
        query: &QueryId,
        statement: &Statement,
        interrupt: Arc<InterruptHandle>,
    ) -> Result<bool, PortError> {
        if self.knows(query, statement)? {
            return Ok(false);
        }
        let run = Run {
            statement: statement.clone(),
            started: Instant::now(),
            interrupt,
            state: QueryState::Running,
            rows: Rows::default(),
        };
        Ok(self.all().insert(query.clone(), run).is_none())
    }

    pub(super) fn end(&self, query: &QueryId, ended: Result<Done, String>) {
        if let Some(run) = self.all().get_mut(query) {
            let millis = u64::try_from(run.started.elapsed().as_millis()).unwrap_or(u64::MAX);
            run.state = match ended {
                Ok(Done::Built(rows)) => QueryState::Succeeded { rows: Some(rows), millis },
                Ok(Done::Answered(rows)) => {
                    run.rows = rows;
                    QueryState::Succeeded { rows: None, millis }
                }
                Err(message) => QueryState::Failed { message, retryable: false },
            };
        }
        self.ended.notify_waiters();
    }

    pub(super) fn state(&self, query: &QueryId) -> QueryState {
        self.all().get(query).map_or(QueryState::Lost, |run| run.state.clone())
    }

    pub(super) async fn wait(&self, queries: &[QueryId]) {
        let ended = self.ended.notified();
        tokio::pin!(ended);
        // Registered before the look, so that an end in between is not missed.
        ended.as_mut().enable();
        if queries.iter().all(|query| self.state(query) == QueryState::Running) && !queries.is_empty() {
            let _ = tokio::time::timeout(POLL, ended).await;
        }
    }

    pub(super) fn rows(&self, query: &QueryId) -> Result<Rows, PortError> {
        let error = |kind, message: String| Err(PortError::new(kind, "read rows", format!("`{}`", query.0), message));
        match self.all().get(query) {
            None => error(PortErrorKind::NotFound, "the process that ran it is gone".to_owned()),
            Some(run) => match &run.state {
                QueryState::Succeeded { .. } => Ok(run.rows.clone()),
                state => error(PortErrorKind::Invalid, format!("it has not succeeded: {state:?}")),
            },
        }
    }

    pub(super) fn cancel_all(&self) {
        for run in self.all().values().filter(|run| run.state == QueryState::Running) {
            run.interrupt.interrupt();
        }
    }

    pub(super) fn cancel(&self, query: &QueryId) {
        if let Some(run) = self.all().get(query) {
            run.interrupt.interrupt();
        }
    }
}
