//! Crawlers: started, looked at until they are done, and what they then leave in the catalog.

use serde_json::{Value, json};

use super::{Glue, Refusal, Request, Result, gone};
use crate::cloud::fake::{ACCOUNT, REGION};

/// A crawler that finds what the test says.
#[derive(Debug, Clone, Default)]
pub struct Crawler {
    database: String,
    /// What else GetCrawler says of it.
    pub set: Value,
    /// The folders of S3 that it reads.
    pub folders: Vec<String>,
    /// The TableInputs that its next crawl writes.
    pub finds: Vec<Value>,
    /// Its next crawl fails so, and writes nothing.
    pub fails: Option<String>,
    /// How often GetCrawler still says RUNNING, once it is started.
    pub looks: usize,
    is_running: bool,
    last: Option<Value>,
}

impl Glue {
    /// A crawler that writes to a database, and finds nothing yet.
    pub fn create_crawler(&mut self, name: &str, database: &str) {
        let crawler = Crawler { database: database.into(), ..Crawler::default() };
        self.crawlers.insert(name.into(), crawler);
    }

    /// What the next crawl will find.
    pub fn crawler(&mut self, name: &str) -> &mut Crawler {
        self.crawlers.get_mut(name).expect("a crawler of the account")
    }

    /// Somebody else starts a crawl.
    pub fn start_crawler(&mut self, name: &str) {
        self.crawler(name).is_running = true;
    }

    pub(super) fn handle_crawler(&mut self, request: &Request, events: &mut Vec<Value>) -> Result {
        let name = request.text("Name");
        let missing = || gone(format!("Crawler entry with name {name} does not exist"));
        let crawler = self.crawlers.get_mut(name).ok_or_else(missing)?;
        if request.action == "StartCrawler" {
            if crawler.is_running {
                let message = format!("Crawler with name {name} has already started");
                return Err(Refusal::new(400, "CrawlerRunningException", message));
            }
            crawler.is_running = true;
            events.push(event(name, "Started", &json!({"message": "Crawler Started"})));
            return Ok(json!({}));
        }
        let ends = crawler.is_running && crawler.looks == 0;
        crawler.looks = crawler.looks.saturating_sub(usize::from(crawler.is_running));
        if ends {
            self.end(name, events);
        }
        let crawler = &self.crawlers[name];
        let state = if crawler.is_running { "RUNNING" } else { "READY" };
        let targets: Vec<_> = crawler.folders.iter().map(|folder| json!({"Path": folder})).collect();
        let mut shown = json!({"Name": name, "DatabaseName": crawler.database, "State": state, "LastCrawl": crawler.last,
                           "Targets": {"S3Targets": targets}});
        let fields = shown.as_object_mut().expect("an object");
        fields.extend(crawler.set.as_object().cloned().unwrap_or_default());
        Ok(json!({"Crawler": shown}))
    }

    fn end(&mut self, name: &str, events: &mut Vec<Value>) {
        let crawler = self.crawlers.get_mut(name).expect("the caller looked");
        crawler.is_running = false;
        let (database, finds, failure) =
            (crawler.database.clone(), std::mem::take(&mut crawler.finds), crawler.fails.take());
        let status = if failure.is_some() { "FAILED" } else { "SUCCEEDED" };
        crawler.last = Some(json!({"Status": status, "ErrorMessage": failure, "StartTime": 1_767_323_045.0}));
        if let Some(message) = failure {
            let said = json!({"message": "Crawler Failed", "errorMessage": message});
            events.push(event(name, "Failed", &said));
            return;
        }
        for table in &finds {
            self.put(&database, table, Vec::new());
        }
        let said = json!({"message": "Crawler Succeeded", "tablesUpdated": finds.len().to_string()});
        events.push(event(name, "Succeeded", &said));
    }
}

/// A "Glue Crawler State Change". It names no table and no database, and its counts are text.
/// <https://docs.aws.amazon.com/glue/latest/dg/automating-awsglue-with-cloudwatch-events.html>
fn event(crawler: &str, state: &str, said: &Value) -> Value {
    let mut detail = json!({"accountId": ACCOUNT, "crawlerName": crawler, "state": state});
    let fields = detail.as_object_mut().expect("an object");
    fields.extend(said.as_object().expect("an object").clone());
    json!({
        "version": "0", "id": format!("crawl-{crawler}-{state}"), "detail-type": "Glue Crawler State Change",
        "source": "aws.glue", "account": ACCOUNT, "time": "2026-01-02T03:04:05Z", "region": REGION, "resources": [],
        "detail": detail,
    })
}
