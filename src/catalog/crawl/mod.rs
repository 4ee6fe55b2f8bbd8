//! The local crawler: infers each prefix's schema as a Glue crawler would.

use std::path::Path;

use crate::problem::Problem;
use crate::schema::Table;

/// What a crawl found.
#[derive(Debug, Clone, Default)]
pub struct Crawl {
    pub tables: Vec<Table>,
    /// Files that could not be read; the tables they belong to are left out, so the catalog keeps no guess.
    pub problems: Vec<Problem>,
}

/// Crawls every folder of `lake` (one S3 target each); `prefix` is put before table names (`raw_`).
pub fn crawl(_lake: &Path, _database: &str, _prefix: &str) -> Crawl {
    todo!()
}
