//! What an event asks for.
//!
//! Shapes: <https://docs.aws.amazon.com/eventbridge/latest/ref/events-ref-glue.html>,
//! <https://docs.aws.amazon.com/athena/latest/ug/athena-events.html>

use jiff::Timestamp;
use serde_json::Value;

use crate::config::Aws;
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
    /// Something may have ended: a query, or nothing that anybody heard of.
    Look,
    /// By hand: a run for now.
    Run,
    Check,
    Status,
    /// Not this target's, or nothing to act on; the reason is logged.
    Ignore {
        why: String,
    },
}

/// Reads an event; `Err` says what is not understood.
pub fn read(event: &Value, target: &Aws) -> Result<Trigger, String> {
    if let Some(command) = event.get("command") {
        return by_hand(command, event);
    }
    let text = |pointer: &str| event.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
    if let Some(account) = target.account.as_deref().filter(|account| *account != text("/account")) {
        let why = format!("the event is of account `{}`, and the target is in {account}", text("/account"));
        return Ok(Trigger::Ignore { why });
    }
    match (text("/source"), text("/detail-type")) {
        ("aws.glue", "Glue Crawler State Change") => crawler(event, target),
        ("aws.athena", "Athena Query State Change") => Ok(query(event, target)),
        ("aws.events" | "aws.scheduler", _) => Ok(Trigger::Daily { slot: slot(event)? }),
        (source, kind) => Err(format!("no event that is known: source `{source}`, detail-type `{kind}`")),
    }
}

fn by_hand(command: &Value, event: &Value) -> Result<Trigger, String> {
    match command.as_str() {
        Some("run") => Ok(Trigger::Run),
        Some("check") => Ok(Trigger::Check),
        Some("status") => Ok(Trigger::Status),
        Some("sweep") => Ok(Trigger::Look),
        Some("daily") => Ok(Trigger::Daily { slot: slot(event)? }),
        _ => Err(format!("no command {command}: use one of run, check, status, sweep, daily")),
    }
}

fn crawler(event: &Value, target: &Aws) -> Result<Trigger, String> {
    let detail = |key: &str| event["detail"][key].as_str().unwrap_or_default().to_owned();
    let name = detail("crawlerName");
    if target.crawler.as_deref() != Some(&name) {
        return Ok(Trigger::Ignore { why: format!("`{name}` is another crawler") });
    }
    match detail("state").to_ascii_lowercase().as_str() {
        "succeeded" => Ok(Trigger::Crawled { slot: slot(event)? }),
        "failed" => {
            let message = crawl_failed(&name, &detail("errorMessage"));
            Ok(Trigger::CrawlFailed { slot: slot(event)?, message })
        }
        "started" => Ok(Trigger::Ignore { why: "the crawl has only begun".into() }),
        state => Err(format!("crawler `{name}` is in a state that is not known: `{state}`")),
    }
}

fn query(event: &Value, target: &Aws) -> Trigger {
    let workgroup = event["detail"]["workgroupName"].as_str().unwrap_or_default();
    match event["detail"]["currentState"].as_str() {
        _ if workgroup != target.workgroup => Trigger::Ignore { why: format!("`{workgroup}` is another workgroup") },
        Some("QUEUED" | "RUNNING") => Trigger::Ignore { why: "the query has not ended".into() },
        _ => Trigger::Look,
    }
}

/// The event's own time, to the second.
fn slot(event: &Value) -> Result<String, String> {
    let time = event["time"].as_str().unwrap_or_default();
    let moment: Timestamp = time.parse().map_err(|_| format!("the event's time `{time}` is no time"))?;
    Ok(plan::slot(moment))
}
