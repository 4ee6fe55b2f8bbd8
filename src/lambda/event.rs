//! What an event asks for.
//!
//! Shapes: <https://docs.aws.amazon.com/eventbridge/latest/ref/events-ref-glue.html>,
//! <https://docs.aws.amazon.com/athena/latest/ug/athena-events.html>

use jiff::Timestamp;
use serde_json::Value;

use crate::config::Aws;
use crate::engine::QueryId;
use crate::pipeline::crawl_failed;
use crate::plan;

/// What to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Trigger {
    /// The crawler is done; `slot` is the event's time, the same however often it is delivered.
    Crawled {
        slot: String,
    },
    CrawlFailed {
        slot: String,
        message: String,
    },
    /// The daily build.
    Daily {
        slot: String,
    },
    /// A query has ended.
    Queried {
        query: QueryId,
    },
    /// Something may have ended that nobody heard of.
    Sweep,
    /// By hand: a run for now.
    Run,
    Check,
    Status,
    /// Nothing to act on; the reason is logged.
    Ignore {
        why: String,
    },
}

/// Reads an event by what stands in it alone; `Err` says what is not understood.
pub fn read(event: &Value) -> Result<Trigger, String> {
    if let Some(command) = event.get("command") {
        return by_hand(command, event);
    }
    match (text(event, "/source"), text(event, "/detail-type")) {
        ("aws.glue", "Glue Crawler State Change") => crawler(event),
        ("aws.athena", "Athena Query State Change") => Ok(query(event)),
        ("aws.events" | "aws.scheduler", _) => Ok(Trigger::Daily { slot: slot(event)? }),
        (source, kind) => Err(format!("no event that is known: source `{source}`, detail-type `{kind}`")),
    }
}

/// Why an event is none of the target's, if it is of another account, crawler or workgroup. The account is the one that the
/// function is in, or else the one that the target names; where neither is known, no event is the target's.
pub fn foreign(event: &Value, target: &Aws, own: Option<&str>) -> Option<String> {
    if event.get("command").is_some() {
        return None;
    }
    let account = text(event, "/account");
    match own.or(target.account.as_deref()) {
        Some(own) if own == account => {}
        Some(own) => return Some(format!("the event is of account `{account}`, and the target is in {own}")),
        None => {
            let why = "and which one the target is in is not known: set `account` in crawlguard.toml";
            return Some(format!("the event is of account `{account}`, {why}"));
        }
    }
    let (crawler, workgroup) = (text(event, "/detail/crawlerName"), text(event, "/detail/workgroupName"));
    match text(event, "/source") {
        "aws.glue" if target.crawler.as_deref() != Some(crawler) => Some(format!("`{crawler}` is another crawler")),
        "aws.athena" if target.workgroup != workgroup => Some(format!("`{workgroup}` is another workgroup")),
        _ => None,
    }
}

fn text<'a>(event: &'a Value, pointer: &str) -> &'a str {
    event.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}

fn by_hand(command: &Value, event: &Value) -> Result<Trigger, String> {
    match command.as_str() {
        Some("run") => Ok(Trigger::Run),
        Some("check") => Ok(Trigger::Check),
        Some("status") => Ok(Trigger::Status),
        Some("sweep") => Ok(Trigger::Sweep),
        Some("daily") => Ok(Trigger::Daily { slot: slot(event)? }),
        _ => Err(format!("no command {command}: use one of run, check, status, sweep, daily")),
    }
}

fn crawler(event: &Value) -> Result<Trigger, String> {
    let name = text(event, "/detail/crawlerName");
    match text(event, "/detail/state").to_ascii_lowercase().as_str() {
        "succeeded" => Ok(Trigger::Crawled { slot: slot(event)? }),
        "failed" => {
            let message = crawl_failed(name, text(event, "/detail/errorMessage"));
            Ok(Trigger::CrawlFailed { slot: slot(event)?, message })
        }
        "started" => Ok(Trigger::Ignore { why: "the crawl has only begun".into() }),
        state => Err(format!("crawler `{name}` is in a state that is not known: `{state}`")),
    }
}

fn query(event: &Value) -> Trigger {
    match text(event, "/detail/currentState") {
        "QUEUED" | "RUNNING" => Trigger::Ignore { why: "the query has not ended".into() },
        _ => Trigger::Queried { query: QueryId(text(event, "/detail/queryExecutionId").into()) },
    }
}

/// The event's own time, to the second.
fn slot(event: &Value) -> Result<String, String> {
    let time = event["time"].as_str().unwrap_or_default();
    let moment: Timestamp = time.parse().map_err(|_| format!("the event's time `{time}` is no time"))?;
    Ok(plan::slot(moment))
}
