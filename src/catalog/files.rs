//! A folder as a catalog: `<root>/<database>/<table>/<version>.json`, Glue-shaped; the highest version is current.

use std::path::PathBuf;

use async_trait::async_trait;

use super::Catalog;
use crate::port::PortError;
use crate::schema::Table;

/// The local catalog.
#[derive(Debug, Clone)]
pub struct FilesCatalog {
    pub root: PathBuf,
    pub database: String,
}

impl FilesCatalog {
    pub fn new(root: PathBuf, database: impl Into<String>) -> Self {
        Self { root, database: database.into() }
    }

    /// Writes a table as a new version if it differs from the current one (UPDATE_IN_DATABASE). Atomic: temporary file, then rename.
    pub fn put(&self, _table: &Table) -> Result<Table, PortError> {
        todo!()
    }
}

#[async_trait]
impl Catalog for FilesCatalog {
    async fn tables(&self, _prefix: &str) -> Result<Vec<Table>, PortError> {
        todo!()
    }

    async fn table(&self, _name: &str) -> Result<Option<Table>, PortError> {
        todo!()
    }

    async fn swap(
        &self,
        _target: &str,
        _staging: &str,
        _expected: Option<&str>,
        _parameters: &[(String, String)],
    ) -> Result<Table, PortError> {
        todo!()
    }

    async fn versions(&self, _name: &str) -> Result<Vec<Table>, PortError> {
        todo!()
    }

    async fn restore(&self, _name: &str, _version: &str) -> Result<Table, PortError> {
        todo!()
    }

    async fn forget(&self, _name: &str) -> Result<(), PortError> {
        todo!()
    }
}
