//! Alerts that the topic delivered to the function: each is kept in the outbox, as the receipt that it went out.
//!
//! Shape: <https://docs.aws.amazon.com/lambda/latest/dg/with-sns.html>

use serde::Deserialize;
use serde_json::{Value, json};

use super::Failure;
use crate::notify::{Outbox, Rendered};
use crate::store::Store;

/// What SNS hands over.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Message {
    subject: Option<String>,
    message: String,
    #[serde(default)]
    message_attributes: Value,
}

impl Message {
    fn attribute(&self, name: &str) -> &str {
        self.message_attributes[name]["Value"].as_str().unwrap_or_default()
    }

    /// The run whose alert it is, if it is one of the target's. The id becomes a key of the store.
    fn run_id(&self, target: &str) -> Option<&str> {
        let id = self.attribute("run_id");
        let is_id = !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
        (is_id && self.attribute("target") == target).then_some(id)
    }
}

/// Keeps the alerts among what a topic delivered. It needs no project, so one that is broken loses no receipt.
pub async fn keep(store: &dyn Store, target: &str, event: &Value) -> Result<Value, Failure> {
    let records = event["Records"].as_array().map(Vec::as_slice).unwrap_or_default();
    let mut kept = Vec::new();
    for record in records {
        let message = Message::deserialize(&record["Sns"])
            .map_err(|error| Failure::new("UnknownEvent", format!("no message of a topic: {error}")))?;
        let Some(run_id) = message.run_id(target) else {
            tracing::info!(topic = record["Sns"]["TopicArn"].as_str(), "no alert of this target");
            continue;
        };
        let text = Rendered { subject: message.subject.clone().unwrap_or_default(), body: message.message.clone() };
        Outbox::new(store).keep(run_id, &text).await?;
        tracing::info!(run_id, "the alert went out");
        kept.push(run_id.to_owned());
    }
    Ok(json!({"schema_version": 1, "receipts": kept}))
}
