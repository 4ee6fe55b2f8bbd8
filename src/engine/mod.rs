//! The engine port: starts statements, tells how they stand, hands out rows. Nothing here waits inside `start`.

#[cfg(feature = "aws")]
pub mod athena;
#[cfg(feature = "embedded")]
pub mod duckdb;

use std::time::Duration;

use async_trait::async_trait;

use crate::port::PortError;
use crate::schema::Table;

/// A statement in Athena SQL; the adapter writes its own wrapper around the text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Statement {
    /// CREATE TABLE `table` AS `select`, as Parquet under `location` (unique and empty before).
    Build { table: String, select: String, location: String, partitioned_by: Vec<String>, iceberg: bool },
    /// A SELECT whose rows are wanted.
    Query { select: String },
}

/// An engine's handle of a started statement.
#[derive(Debug, Clone, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
pub struct QueryId(pub String);

#[derive(Debug, Clone, PartialEq)]
pub enum QueryState {
    Running,
    /// `rows`: rows that a build wrote, `None` of a query, whose rows [`Engine::rows`] hands out; `millis`: the engine's own
    /// time.
    Succeeded {
        rows: Option<u64>,
        millis: u64,
    },
    Failed {
        message: String,
        retryable: bool,
    },
    /// The engine does not know the handle: the process that ran it is gone.
    Lost,
}

/// Rows as text, NULL as `None`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Rows {
    pub columns: Vec<String>,
    /// Engine's type names, Athena spelling.
    pub types: Vec<String>,
    pub rows: Vec<Vec<Option<String>>>,
}

#[async_trait]
pub trait Engine: Send + Sync {
    /// Why the engine cannot read a table whatever its files hold (`is stored as …`); `None` if it can.
    fn refusal(&self, _table: &Table) -> Option<String> {
        None
    }

    /// Starts a statement. The same `token` with the same statement gives the same handle and no second run.
    async fn start(&self, token: &str, statement: &Statement) -> Result<QueryId, PortError>;

    /// Whether `start` knows a token again that another process began with. If not, a statement whose handle was never
    /// stored is lost with its process.
    fn remembers_tokens(&self) -> bool {
        false
    }

    async fn state(&self, query: &QueryId) -> Result<QueryState, PortError>;

    /// How each of `queries` stands, in their order.
    async fn states(&self, queries: &[QueryId]) -> Result<Vec<QueryState>, PortError> {
        let mut states = Vec::with_capacity(queries.len());
        for query in queries {
            states.push(self.state(query).await?);
        }
        Ok(states)
    }

    /// Returns once one of `queries` is no longer running (or after the engine's poll interval).
    async fn wait(&self, queries: &[QueryId]) -> Result<(), PortError>;

    /// The rows of a succeeded query.
    async fn rows(&self, query: &QueryId) -> Result<Rows, PortError>;

    /// A location for a build that nothing has written to: unique in (model, run, attempt).
    fn location(&self, model: &str, run_id: &str, attempt: u32) -> String;

    /// Every location that builds of `model` have written to and that is still there.
    async fn locations(&self, model: &str) -> Result<Vec<String>, PortError>;

    /// Removes what a build left at `location`; absent is fine. The caller knows that nothing live reads it.
    async fn discard(&self, location: &str) -> Result<(), PortError>;

    /// How long a query may still read a location after the catalog has ceased to show it; zero where nobody reads but us.
    fn longest_query(&self) -> Duration {
        Duration::ZERO
    }

    /// Stops a query; unknown or finished ones are fine.
    async fn cancel(&self, query: &QueryId) -> Result<(), PortError>;
}
