//! Alerts to an SNS topic, which mails them.

use async_trait::async_trait;
use aws_sdk_sns::Client;
use aws_sdk_sns::config::Builder;
use aws_sdk_sns::config::retry::{ClassifyRetry, RetryAction};
use aws_sdk_sns::types::MessageAttributeValue;
use aws_smithy_runtime_api::client::interceptors::context::InterceptorContext;

use super::{Notifier, Rendered};
use crate::aws::Call;
use crate::drift::Verdict;
use crate::plan::{Alert, AlertKind};
use crate::port::PortError;

const PUBLISH: Call = Call::new("publish alert to", "sns:Publish");

/// A topic. Sending twice mails twice: only FIFO topics drop repetitions, and those do not mail.
/// <https://docs.aws.amazon.com/sns/latest/dg/fifo-message-delivery.html>
#[derive(Debug, Clone)]
pub struct SnsNotifier {
    client: Client,
    topic: String,
    receipts: bool,
}

impl SnsNotifier {
    /// `topic` is the topic's ARN.
    pub fn new(client: Client, topic: impl Into<String>) -> Self {
        Self { client, topic: topic.into(), receipts: false }
    }

    /// One whose messages the Lambda keeps too, as receipts: what may have been taken is then not sent again at once.
    #[must_use]
    pub fn with_receipts(self, receipts: bool) -> Self {
        Self { receipts, ..self }
    }
}

#[async_trait]
impl Notifier for SnsNotifier {
    async fn send(&self, alert: &Alert, text: &Rendered) -> Result<(), PortError> {
        let mut publish = self.client.publish().topic_arn(&self.topic).subject(&text.subject).message(&text.body);
        for (name, value) in attributes(alert) {
            let value = MessageAttributeValue::builder().data_type("String").string_value(value).build();
            let value = value.map_err(|error| PUBLISH.invalid(format!("`{}`", self.topic), error.to_string()))?;
            publish = publish.message_attributes(name, value);
        }
        let mut own = Builder::new();
        if self.receipts {
            own = own.retry_classifier(OnlyIfRefused);
        }
        let sent = publish.customize().config_override(own).send().await;
        sent.map(drop).map_err(|error| PUBLISH.failed(format!("`{}`", self.topic), error))
    }

    fn leaves_receipts(&self) -> bool {
        self.receipts
    }
}

/// Keeps the SDK from repeating a message that SNS may have taken: only what was answered with 4xx surely was not.
#[derive(Debug)]
struct OnlyIfRefused;

impl ClassifyRetry for OnlyIfRefused {
    fn classify_retry(&self, context: &InterceptorContext) -> RetryAction {
        match context.response().map(|response| response.status().as_u16()) {
            Some(400..=499) => RetryAction::NoActionIndicated,
            _ => RetryAction::RetryForbidden,
        }
    }

    fn name(&self) -> &'static str {
        "only if refused"
    }
}

/// What a subscription's filter policy may ask for; `run_id` and `target` are the receipt's address. SNS refuses empty
/// values.
fn attributes(alert: &Alert) -> Vec<(&'static str, String)> {
    let kind = match alert.kind {
        AlertKind::Breaking => "breaking",
        AlertKind::ChecksFailed => "checks_failed",
        AlertKind::Error => "error",
        AlertKind::Resolved => "resolved",
    };
    // Findings alone would call a run clean that has no answer, or whose tables failed.
    let verdict = match (alert.kind, Verdict::of(&alert.findings)) {
        (AlertKind::ChecksFailed, _) => kind,
        (AlertKind::Error, _) | (_, Verdict::Unknown) => "unknown",
        (_, Verdict::Breaking) => "breaking",
        (_, Verdict::Tolerated) => "tolerated",
        (AlertKind::Resolved, Verdict::Clean) => "clean",
        (AlertKind::Breaking, Verdict::Clean) => "unknown",
    };
    let attributes = [
        ("kind", kind),
        ("project", alert.project.as_str()),
        ("run_id", alert.run_id.as_str()),
        ("target", alert.target.as_str()),
        ("verdict", verdict),
    ];
    attributes
        .into_iter()
        .filter(|(_, value)| !value.is_empty())
        .map(|(name, value)| (name, value.to_owned()))
        .collect()
}
