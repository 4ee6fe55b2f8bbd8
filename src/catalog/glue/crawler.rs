//! The crawler: started, and asked how it stands.
//!
//! <https://docs.aws.amazon.com/glue/latest/webapi/API_Crawler.html>

use aws_sdk_glue::Client;
use aws_sdk_glue::types::{CrawlerState, LastCrawlStatus};

use crate::aws::{Call, code};
use crate::catalog::CrawlStatus;
use crate::plan::slot;
use crate::port::{PortError, PortErrorKind};

const STATUS: Call = Call::new("read crawler", "glue:GetCrawler");
const START: Call = Call::new("start crawler", "glue:StartCrawler");

pub async fn status(client: &Client, name: &str) -> Result<CrawlStatus, PortError> {
    let answer = client.get_crawler().name(name).send().await;
    let answer = answer.map_err(|error| STATUS.failed(format!("`{name}`"), error))?;
    let crawler = answer.crawler.ok_or_else(|| {
        PortError::new(PortErrorKind::Unexpected, STATUS.operation, format!("`{name}`"), "the answer has no crawler")
    })?;
    let last = crawler.last_crawl();
    let error = last.and_then(|last| match last.status() {
        Some(LastCrawlStatus::Succeeded) => None,
        Some(LastCrawlStatus::Cancelled) => Some("it was cancelled".to_owned()),
        _ => Some(last.error_message().unwrap_or("Glue gave no reason").to_owned()),
    });
    let began = last.and_then(|last| last.start_time()).and_then(|time| jiff::Timestamp::from_second(time.secs()).ok());
    Ok(CrawlStatus {
        crawler: name.to_owned(),
        running: crawler.state() != Some(&CrawlerState::Ready),
        last: began.map(slot),
        error,
    })
}

/// Starts a crawl; one that runs already is as good.
pub async fn start(client: &Client, name: &str) -> Result<(), PortError> {
    match client.start_crawler().name(name).send().await {
        Err(error) if code(&error) != Some("CrawlerRunningException") => Err(START.failed(format!("`{name}`"), error)),
        _ => Ok(()),
    }
}
