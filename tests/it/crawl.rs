//! Tests of the crawler and of the catalog on files.

mod bad_input;
pub mod catalog_suite;
mod csv;
mod files_catalog;
mod json;
mod lake;
mod parquet;
mod tables;
