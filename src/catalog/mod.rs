//! The catalog port: Glue tables, read and swapped.

pub mod crawl;
mod files;
#[cfg(feature = "aws")]
pub mod glue;
pub mod glue_json;
#[cfg(feature = "aws")]
mod header;
#[cfg(feature = "aws")]
mod quotes;
mod update_time;

use async_trait::async_trait;

pub use files::{FilesCatalog, gone};
pub use update_time::updated;

use crate::port::PortError;
use crate::problem::Problem;
use crate::schema::{NOTES, Table, TableKind, UNREADABLE};

/// How a crawler stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CrawlStatus {
    pub crawler: String,
    /// It is writing, or about to: its tables are not to be compared.
    pub running: bool,
    /// When its last crawl began, `2026-01-02T03:04:05Z`.
    pub last: Option<String>,
    /// Why its last crawl did not succeed, if it did not.
    pub error: Option<String>,
    /// What it is set to leave unseen.
    pub notes: Vec<Problem>,
}

/// A table catalog: Glue, or a folder of Glue-shaped JSON.
#[async_trait]
pub trait Catalog: Send + Sync {
    /// All tables whose name starts with `prefix`, by name. One that is no table of files is marked [`UNREADABLE`].
    async fn tables(&self, prefix: &str) -> Result<Vec<Table>, PortError>;

    /// The tables that a crawler makes, by name; see [`Catalog::marked`].
    async fn crawled(&self, prefix: &str) -> Result<Vec<Table>, PortError> {
        self.marked(self.tables(prefix).await?).await
    }

    /// Tables that a crawler makes, by name, each marked where what the catalog says of it is not the whole truth: with the
    /// headers of its files that are not its columns ([`MIXED_HEADERS`](crate::schema::MIXED_HEADERS)), or with why that
    /// cannot be known ([`UNREADABLE`]). Where its partitions are known to have its own columns it is marked, too
    /// ([`PARTITIONS_INHERIT`](crate::schema::PARTITIONS_INHERIT)).
    async fn marked(&self, tables: Vec<Table>) -> Result<Vec<Table>, PortError> {
        Ok(tables)
    }

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

    /// Makes an earlier version current, as a new version; `parameters` are added to it.
    async fn restore(&self, name: &str, version: &str, parameters: &[(String, String)]) -> Result<Table, PortError>;

    /// Drops all but the newest `keep` versions (at least the current one), not their data; absent is fine.
    async fn prune(&self, name: &str, keep: usize) -> Result<(), PortError>;

    /// Removes a table's entry, not its data; absent is fine.
    async fn forget(&self, name: &str) -> Result<(), PortError>;
}

/// What the crawl of these tables noticed that is no fault, as far as it still holds.
pub fn notes(tables: &[Table]) -> Vec<Problem> {
    let holds = |table: &&Table| !table.deprecated && !table.parameters.contains_key(UNREADABLE);
    let noted = tables.iter().filter(holds).filter_map(|table| table.parameters.get(NOTES));
    noted.flat_map(|notes| serde_json::from_str::<Vec<Problem>>(notes).unwrap_or_default()).collect()
}

/// Marks a table that no crawl, or another crawler than `crawler`, made: what the catalog says of it may be otherwise soon.
pub fn doubt(mut table: Table, crawler: Option<&str>) -> Table {
    let by = table.parameters.get("UPDATED_BY_CRAWLER").map(String::as_str);
    let why = match (table.kind, crawler, by) {
        (TableKind::View, ..) => {
            Some("it is a view, and no crawler makes one; give the view a name without the raw prefix".to_owned())
        }
        (_, Some(crawler), Some(by)) if by != crawler => Some(format!(
            "crawler `{by}` wrote it last, and the target's is `{crawler}`; keep it out of one of the two, or, if each \
             has tables of its own, leave `crawler` out of crawlguard.toml"
        )),
        _ => None,
    };
    if let Some(why) = why {
        table.parameters.insert(UNREADABLE.to_owned(), why);
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_view_and_another_crawlers_table_are_in_doubt() {
        let by = |by: &str| Table {
            parameters: [("UPDATED_BY_CRAWLER".to_owned(), by.to_owned())].into(),
            ..Table::default()
        };
        let why = |table: Table, crawler| doubt(table, crawler).parameters.get(UNREADABLE).cloned();
        let view = Table { kind: TableKind::View, ..Table::default() };
        assert!(why(view, None).unwrap().starts_with("it is a view"));
        assert!(
            why(by("other"), Some("mine"))
                .unwrap()
                .starts_with("crawler `other` wrote it last, and the target's is `mine`")
        );
        for (table, crawler) in [(by("mine"), Some("mine")), (by("other"), None), (Table::default(), Some("mine"))] {
            assert_eq!(why(table, crawler), None);
        }
    }
}
