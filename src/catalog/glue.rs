//! The Glue Data Catalog.
//!
//! <https://docs.aws.amazon.com/glue/latest/webapi/API_UpdateTable.html>

mod convert;
pub mod crawler;
mod probe;
mod publish;

use async_trait::async_trait;
use aws_sdk_glue::Client;
use aws_sdk_glue::types::Table as GlueTable;

pub use convert::{to_table, to_value};
use probe::Probe;

use super::{Catalog, CrawlStatus, doubt, glue_json};
use crate::aws::{Call, code};
use crate::port::{PortError, PortErrorKind};
use crate::schema::{PARTITIONS_INHERIT, Table, UPDATED_BY_CRAWLER};

const LIST: Call = Call::new("list tables", "glue:GetTables");
const READ: Call = Call::new("read table", "glue:GetTable");
const PARTITIONS: Call = Call::new("read partitions", "glue:GetPartitions");
const VERSIONS: Call = Call::new("read versions", "glue:GetTableVersions");
const VERSION: Call = Call::new("restore table", "glue:GetTableVersion");
const CREATE: Call = Call::new("create table", "glue:CreateTable");
const UPDATE: Call = Call::new("update table", "glue:UpdateTable");
const PRUNE: Call = Call::new("drop version", "glue:DeleteTableVersion");
const FORGET: Call = Call::new("forget table", "glue:DeleteTable");

const GONE: &str = "EntityNotFoundException";

/// One database of the account's Glue catalog.
#[derive(Debug, Clone)]
pub struct GlueCatalog {
    client: Client,
    database: String,
    crawler: Option<String>,
    probe: Option<Probe>,
}

impl GlueCatalog {
    pub fn new(client: Client, database: impl Into<String>) -> Self {
        Self { client, database: database.into(), crawler: None, probe: None }
    }

    /// The catalog that this crawler fills.
    #[must_use]
    pub fn with_crawler(self, crawler: Option<String>) -> Self {
        Self { crawler, ..self }
    }

    /// Reads the headers of each CSV table's newest `files`, found among `listed` at most; of none if `files` is 0.
    #[must_use]
    pub fn with_headers(self, client: aws_sdk_s3::Client, files: usize, listed: usize) -> Self {
        let probe = (files > 0).then(|| Probe { client, files, listed: probe::whole_pages(listed) });
        Self { probe, ..self }
    }

    fn subject(&self, table: &str) -> String {
        format!("`{}.{table}`", self.database)
    }

    async fn read(&self, name: &str) -> Result<Option<GlueTable>, PortError> {
        match self.client.get_table().database_name(&self.database).name(name).send().await {
            Ok(answer) => Ok(answer.table),
            // A database that is not there is a wrong setting, not an absent table.
            Err(error) if code(&error) == Some(GONE) && !says_database(&error) => Ok(None),
            Err(error) => Err(READ.failed(self.subject(name), error)),
        }
    }

    /// The kept versions as Glue has them, newest first.
    async fn kept(&self, name: &str) -> Result<Vec<GlueTable>, PortError> {
        let request = self.client.get_table_versions().database_name(&self.database).table_name(name).max_results(100);
        let mut pages = request.into_paginator().send();
        let mut found = Vec::new();
        while let Some(page) = pages.next().await {
            let page = match page {
                Ok(page) => page,
                Err(error) if code(&error) == Some(GONE) && !says_database(&error) => return Ok(Vec::new()),
                Err(error) => return Err(VERSIONS.failed(self.subject(name), error)),
            };
            for version in page.table_versions.unwrap_or_default() {
                let number = version.version_id;
                found.extend(version.table.map(|mut table| {
                    table.version_id = number.or(table.version_id);
                    table
                }));
            }
        }
        found.sort_by_key(|table| std::cmp::Reverse(number(table.version_id.as_deref())));
        Ok(found)
    }

    fn converted(&self, call: Call, tables: &[GlueTable]) -> Result<Vec<Table>, PortError> {
        let place = format!("Glue database `{}`", self.database);
        let list = serde_json::json!({ "TableList": tables.iter().map(to_value).collect::<Vec<_>>() });
        glue_json::read_any(&place, &list.to_string()).map_err(|problems| call.invalid(place, problems.to_string()))
    }

    fn converted_one(&self, call: Call, table: &GlueTable) -> Result<Table, PortError> {
        to_table(table).map_err(|problems| call.invalid(self.subject(table.name()), problems.to_string()))
    }
}

fn says_database<E: aws_sdk_glue::error::ProvideErrorMetadata>(
    error: &aws_sdk_glue::error::SdkError<E, aws_sdk_glue::config::http::HttpResponse>,
) -> bool {
    let message = error.as_service_error().and_then(|error| error.message()).unwrap_or_default();
    message.to_lowercase().starts_with("database")
}

fn number(version: Option<&str>) -> u64 {
    version.and_then(|version| version.parse().ok()).unwrap_or_default()
}

#[async_trait]
impl Catalog for GlueCatalog {
    async fn tables(&self, prefix: &str) -> Result<Vec<Table>, PortError> {
        let expression = (!prefix.is_empty()).then(|| format!("{}.*", regex::escape(prefix)));
        let request = self.client.get_tables().database_name(&self.database).set_expression(expression);
        let mut pages = request.max_results(100).into_paginator().send();
        let mut tables = Vec::new();
        while let Some(page) = pages.next().await {
            let page = page.map_err(|error| LIST.failed(format!("Glue database `{}`", self.database), error))?;
            let mut found = page.table_list.unwrap_or_default();
            // Whatever the expression means to Glue, only these were asked for.
            found.retain(|table| table.name().starts_with(prefix));
            tables.extend(self.converted(LIST, &found)?);
        }
        tables.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(tables)
    }

    async fn marked(&self, tables: Vec<Table>) -> Result<Vec<Table>, PortError> {
        let tables = match &self.probe {
            Some(probe) => probe.mark(tables).await?,
            None => tables,
        };
        let mut tables: Vec<_> = tables.into_iter().map(|table| doubt(table, self.crawler.as_deref())).collect();
        let Some(crawler) = &self.crawler else { return Ok(tables) };
        let is_partitioned = |table: &&mut Table| {
            !table.partition_keys.is_empty() && table.parameters.get(UPDATED_BY_CRAWLER) == Some(crawler)
        };
        let mut partitioned = tables.iter_mut().filter(is_partitioned).peekable();
        if partitioned.peek().is_some() && crawler::rewrites_partitions(&self.client, crawler).await? {
            for table in partitioned {
                table.parameters.insert(PARTITIONS_INHERIT.to_owned(), "true".to_owned());
            }
        }
        Ok(tables)
    }

    async fn crawl(&self) -> Result<Option<CrawlStatus>, PortError> {
        match &self.crawler {
            Some(name) => crawler::status(&self.client, name).await.map(Some),
            None => Ok(None),
        }
    }

    async fn table(&self, name: &str) -> Result<Option<Table>, PortError> {
        self.read(name).await?.map(|table| self.converted_one(READ, &table)).transpose()
    }

    async fn swap(
        &self,
        target: &str,
        staging: &str,
        expected: Option<&str>,
        parameters: &[(String, String)],
    ) -> Result<Table, PortError> {
        publish::swap(self, target, staging, expected, parameters).await
    }

    async fn versions(&self, name: &str) -> Result<Vec<Table>, PortError> {
        self.converted(VERSIONS, &self.kept(name).await?)
    }

    async fn restore(&self, name: &str, version: &str, parameters: &[(String, String)]) -> Result<Table, PortError> {
        publish::restore(self, name, version, parameters).await
    }

    async fn prune(&self, name: &str, keep: usize) -> Result<(), PortError> {
        let kept = self.kept(name).await?;
        // One call each: a run adds one version to a table, so one is what there is to drop.
        for version in kept.into_iter().skip(keep.max(1)).filter_map(|table| table.version_id) {
            let request = self.client.delete_table_version().database_name(&self.database).table_name(name);
            match request.version_id(&version).send().await {
                Err(error) if code(&error) != Some(GONE) => {
                    return Err(PRUNE.failed(format!("{version} of {}", self.subject(name)), error));
                }
                _ => {}
            }
        }
        Ok(())
    }

    async fn forget(&self, name: &str) -> Result<(), PortError> {
        match self.client.delete_table().database_name(&self.database).name(name).send().await {
            Err(error) if code(&error) != Some(GONE) => Err(FORGET.failed(self.subject(name), error)),
            _ => Ok(()),
        }
    }
}

/// Somebody else changed a table first.
fn conflict(call: Call, subject: String, message: String) -> PortError {
    PortError::new(PortErrorKind::Conflict, call.operation, subject, message)
}
