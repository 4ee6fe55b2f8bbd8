//! That what a run read is what it had compared.

use async_trait::async_trait;

use crate::catalog::Catalog;
use crate::digest::sha256_hex;
use crate::port::PortError;
use crate::schema::{MIXED_HEADERS, QUOTED_VALUES, Table, UNREADABLE};

/// What runs read, in one word: another word, and it is something else.
#[async_trait]
pub trait Inputs: Send + Sync {
    async fn now(&self) -> Result<String, PortError>;
}

/// The raw tables as the catalog shows them, and what is wrong with the newest files of those read by position, for a target
/// whose files nobody can list in one go.
#[derive(Clone, Copy)]
pub struct Schemas<'a> {
    pub catalog: &'a dyn Catalog,
    pub raw_prefix: &'a str,
}

impl Schemas<'_> {
    /// A crawl that found what was known changes counts and versions, and nothing here.
    pub fn of(tables: &[Table]) -> String {
        let shape = |table: &Table| {
            let marks = [MIXED_HEADERS, UNREADABLE].map(|mark| table.parameters.get(mark));
            let columns = |columns: &[crate::schema::Column]| {
                columns.iter().map(|column| format!("{} {}", column.name, column.data_type)).collect::<Vec<_>>()
            };
            format!(
                "{:?}",
                (
                    &table.name,
                    columns(&table.columns),
                    columns(&table.partition_keys),
                    &table.storage,
                    &table.location,
                    table.parameters.contains_key(QUOTED_VALUES),
                    marks
                )
            )
        };
        sha256_hex(tables.iter().map(shape).collect::<Vec<_>>().join("\n"))
    }
}

#[async_trait]
impl Inputs for Schemas<'_> {
    async fn now(&self) -> Result<String, PortError> {
        Ok(Self::of(&self.catalog.crawled(self.raw_prefix).await?))
    }
}
