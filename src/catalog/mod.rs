//! The catalog port: Glue tables, read and swapped.

pub mod crawl;
mod files;
#[cfg(feature = "aws")]
pub mod glue;
pub mod glue_json;
mod update_time;

use async_trait::async_trait;

pub use files::FilesCatalog;
pub use update_time::updated;

use crate::port::PortError;
use crate::schema::Table;

/// How a crawler stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CrawlStatus {
    pub crawler: String,
    /// It is writing, or about to: its tables are not to be compared.
    pub running: bool,
    /// When its last crawl began, `2026-01-02T03:04:05Z`.
    pub last: Option<String>,
    /// Why its last crawl failed, if it did.
    pub error: Option<String>,
}

/// A table catalog: Glue, or a folder of Glue-shaped JSON.
#[async_trait]
pub trait Catalog: Send + Sync {
    /// All tables whose name starts with `prefix`, by name.
    async fn tables(&self, prefix: &str) -> Result<Vec<Table>, PortError>;

    /// One table, or `None`.
    async fn table(&self, name: &str) -> Result<Option<Table>, PortError>;

    /// What the crawler that fills the catalog is doing; `None` where there is none to ask.
    async fn crawl(&self) -> Result<Option<CrawlStatus>, PortError> {
        Ok(None)
    }

    /// Makes `target` show what `staging` holds, in one atomic write that fails with `Conflict` unless `target`
    /// is at `expected` version (`None`: does not exist). `parameters` are added to the target's. The version before stays.
    /// Repeating a swap that took effect (target's location is staging's already) succeeds and changes nothing.
    async fn swap(
        &self,
        target: &str,
        staging: &str,
        expected: Option<&str>,
        parameters: &[(String, String)],
    ) -> Result<Table, PortError>;

    /// Kept versions of a table, newest first.
    async fn versions(&self, name: &str) -> Result<Vec<Table>, PortError>;

    /// Makes an earlier version current, as a new version.
    async fn restore(&self, name: &str, version: &str) -> Result<Table, PortError>;

    /// Drops all but the newest `keep` versions (at least the current one), not their data; absent is fine.
    async fn prune(&self, name: &str, keep: usize) -> Result<(), PortError>;

    /// Removes a table's entry, not its data; absent is fine.
    async fn forget(&self, name: &str) -> Result<(), PortError>;
}
