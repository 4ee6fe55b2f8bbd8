//! The crawler: started, and asked how it stands.
//!
//! <https://docs.aws.amazon.com/glue/latest/webapi/API_Crawler.html>

use aws_sdk_glue::Client;
use aws_sdk_glue::types::{Crawler, CrawlerState, CrawlerTargets, LastCrawlStatus, RecrawlBehavior, UpdateBehavior};
use serde_json::Value;

use crate::aws::{Call, code};
use crate::catalog::CrawlStatus;
use crate::plan::slot;
use crate::port::{PortError, PortErrorKind};
use crate::problem::Problem;

const STATUS: Call = Call::new("read crawler", "glue:GetCrawler");
const START: Call = Call::new("start crawler", "glue:StartCrawler");

/// How the crawler stands.
pub async fn status(client: &Client, name: &str) -> Result<CrawlStatus, PortError> {
    let crawler = described(client, name).await?;
    let last = crawler.last_crawl();
    let error = last.and_then(|last| match last.status() {
        Some(LastCrawlStatus::Succeeded) => None,
        Some(LastCrawlStatus::Cancelled) => Some("it was cancelled".to_owned()),
        _ => Some(last.error_message().unwrap_or("Glue gave no reason").to_owned()),
    });
    let began = last.and_then(|last| last.start_time()).and_then(|time| jiff::Timestamp::from_second(time.secs()).ok());
    let note = |(found, help): (&str, &str)| Problem::new(format!("crawler `{name}`"), "", found, help);
    let notes = hides(&crawler).into_iter().map(note).collect();
    Ok(CrawlStatus {
        crawler: name.to_owned(),
        running: crawler.state() != Some(&CrawlerState::Ready),
        last: began.map(slot),
        error,
        notes,
    })
}

/// The settings under which changes of columns are never seen: what the crawler does, and what to do about it.
/// <https://docs.aws.amazon.com/glue/latest/dg/crawler-schema-changes-prevent.html>
pub fn hides(crawler: &Crawler) -> Vec<(&'static str, &'static str)> {
    let mut hides = Vec::new();
    if crawler.schema_change_policy().and_then(|policy| policy.update_behavior()) == Some(&UpdateBehavior::Log) {
        let help = "set its UpdateBehavior to UPDATE_IN_DATABASE, unless a custom classifier needs LOG";
        hides.push(("only logs changes of columns, so they are never seen", help));
    }
    let recrawls = crawler.recrawl_policy().and_then(|policy| policy.recrawl_behavior());
    if recrawls == Some(&RecrawlBehavior::CrawlNewFoldersOnly) {
        hides.push(("crawls new folders only, and then logs changes, so they are never seen", "set CRAWL_EVERYTHING"));
    }
    if output(crawler)["Tables"]["AddOrUpdateBehavior"] == "MergeNewColumns" {
        let help = "take MergeNewColumns out of its configuration";
        hides.push(("merges new columns, so one that is gone is never seen", help));
    }
    hides
}

/// What the crawler's configuration says of tables and partitions; null where it says nothing that can be read.
pub fn output(crawler: &Crawler) -> Value {
    let set = crawler.configuration().and_then(|text| serde_json::from_str::<Value>(text).ok());
    set.map(|set| set["CrawlerOutput"].clone()).unwrap_or_default()
}

/// True if the crawler gives partitions their table's columns.
pub fn inherits(crawler: &Crawler) -> bool {
    output(crawler)["Partitions"]["AddOrUpdateBehavior"] == "InheritFromTable"
}

/// Whether each crawl leaves all partitions with their tables' columns: one that only logs changes, or that looks at some of
/// the folders, rewrites no partition that stands.
/// <https://docs.aws.amazon.com/glue/latest/dg/crawler-configuration.html>
pub async fn rewrites_partitions(client: &Client, name: &str) -> Result<bool, PortError> {
    let crawler = described(client, name).await?;
    let recrawls = crawler.recrawl_policy().and_then(|policy| policy.recrawl_behavior());
    let updates = crawler.schema_change_policy().and_then(|policy| policy.update_behavior());
    let sees_all = recrawls.is_none_or(|it| *it == RecrawlBehavior::CrawlEverything);
    Ok(inherits(&crawler) && sees_all && updates != Some(&UpdateBehavior::Log))
}

/// The folders of S3 that the crawler reads, `s3://bucket/prefix`.
pub async fn folders(client: &Client, name: &str) -> Result<Vec<String>, PortError> {
    let targets = described(client, name).await?.targets.unwrap_or_else(|| CrawlerTargets::builder().build());
    Ok(targets.s3_targets().iter().filter_map(|target| target.path.clone()).collect())
}

async fn described(client: &Client, name: &str) -> Result<Crawler, PortError> {
    let answer = client.get_crawler().name(name).send().await;
    let answer = answer.map_err(|error| STATUS.failed(format!("`{name}`"), error))?;
    answer.crawler.ok_or_else(|| {
        PortError::new(PortErrorKind::Unexpected, STATUS.operation, format!("`{name}`"), "the answer has no crawler")
    })
}

/// Starts a crawl; false if one runs already.
pub async fn start(client: &Client, name: &str) -> Result<bool, PortError> {
    match client.start_crawler().name(name).send().await {
        Ok(_) => Ok(true),
        Err(error) if code(&error) == Some("CrawlerRunningException") => Ok(false),
        Err(error) => Err(START.failed(format!("`{name}`"), error)),
    }
}
