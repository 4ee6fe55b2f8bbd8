//! The embedded engine: the same Athena SQL, translated by AST and run by DuckDB.

mod functions;
mod patterns;
mod regexes;
mod rewrite;
mod rows;
mod session;
mod translate;

pub use translate::{Translation, translate};

use std::path::PathBuf;
use std::sync::Arc;

use async_trait::async_trait;

use super::{Engine, QueryId, QueryState, Rows, Statement};
use crate::catalog::FilesCatalog;
use crate::port::PortError;

/// Evaluates one Athena SELECT that reads no table.
pub fn evaluate(select: &str) -> Result<Rows, String> {
    let translation = translate("statement", select, "").map_err(|problems| problems.to_string())?;
    let connection = session::open(Some(1), None).map_err(session::message)?;
    session::query(&connection, &translation.sql)
}

/// DuckDB over the tables of a local catalog.
pub struct DuckDbEngine {
    // engine helper: private representation
    pub catalog: Arc<FilesCatalog>,
    /// Threads DuckDB may use; `None` = its default.
    pub threads: Option<u32>,
    /// Where spilled data goes.
    pub temp: Option<PathBuf>,
}

#[async_trait]
impl Engine for DuckDbEngine {
    async fn start(&self, _token: &str, _statement: &Statement) -> Result<QueryId, PortError> {
        todo!()
    }

    async fn state(&self, _query: &QueryId) -> Result<QueryState, PortError> {
        todo!()
    }

    async fn wait(&self, _queries: &[QueryId]) -> Result<(), PortError> {
        todo!()
    }

    async fn rows(&self, _query: &QueryId) -> Result<Rows, PortError> {
        todo!()
    }

    async fn cancel(&self, _query: &QueryId) -> Result<(), PortError> {
        todo!()
    }
}
