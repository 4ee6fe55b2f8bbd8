//! SNS as a notifier.

use crawlguard::notify::sns::SnsNotifier;
use crawlguard::notify::{Notifier, Rendered};
use crawlguard::plan::{Alert, AlertKind};
use crawlguard::port::PortErrorKind;

use super::lake::Lake;

#[tokio::test(flavor = "multi_thread")]
async fn an_alert_reaches_the_topic() {
    let lake = Lake::new("alert").await;
    let sns = aws_sdk_sns::Client::new(&lake.config);
    let topic = sns.create_topic().name(&lake.name).send().await.unwrap().topic_arn.unwrap();
    let alert = Alert {
        kind: AlertKind::Breaking,
        run_id: "20260102T030405Z".into(),
        slot: "2026-01-02T03:04:05Z".into(),
        project: "shop".into(),
        target: "aws".into(),
        findings: Vec::new(),
        checks: Vec::new(),
        error: None,
        accept: Vec::new(),
        details: String::new(),
        fingerprint: String::new(),
        resolves: None,
        shown: std::collections::BTreeMap::new(),
        crawl_age_days: None,
    };
    let text = Rendered { subject: "shop: breaking".into(), body: "what changed\n".into() };
    SnsNotifier::new(sns.clone(), &topic).send(&alert, &text).await.unwrap();

    let absent = format!("{topic}_absent");
    let error = SnsNotifier::new(sns, &absent).send(&alert, &text).await.unwrap_err();
    assert_eq!(error.kind, PortErrorKind::NotFound);
    assert!(error.to_string().contains(&absent), "{error}");
}
