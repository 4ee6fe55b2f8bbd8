//! The topic: who is mailed, and who may publish.

use serde_json::Value;

use super::Examined;
use super::cloud::failed;
use crate::aws::Call;
use crate::cloud::Cloud;

const SUBSCRIPTIONS: Call = Call::new("read subscriptions", "sns:ListSubscriptionsByTopic");
const ATTRIBUTES: Call = Call::new("read topic", "sns:GetTopicAttributes");

pub async fn examine(cloud: &Cloud) -> Vec<Examined> {
    let arn = &cloud.settings.topic;
    let mut pages = cloud.sns.list_subscriptions_by_topic().topic_arn(arn).into_paginator().send();
    let (mut confirmed, mut pending) = (0, 0);
    while let Some(page) = pages.next().await {
        let page = match page {
            Ok(page) => page,
            Err(error) => {
                let help = "create the topic, or mend `topic` or `region`";
                return vec![failed("topic", &SUBSCRIPTIONS.failed(format!("`{arn}`"), error), help)];
            }
        };
        let is_mail = |protocol: Option<&str>| protocol.is_some_and(|protocol| protocol.starts_with("email"));
        for subscription in page.subscriptions().iter().filter(|it| is_mail(it.protocol())) {
            let is_confirmed = subscription.subscription_arn().is_some_and(|arn| arn.starts_with("arn:"));
            *(if is_confirmed { &mut confirmed } else { &mut pending }) += 1;
        }
    }
    let mut examined = vec![mails(arn, confirmed, pending)];
    match cloud.sns.get_topic_attributes().topic_arn(arn).send().await {
        Ok(answer) => {
            let attribute = |name: &str| answer.attributes().and_then(|all| all.get(name)).map(String::as_str);
            examined.extend(alarms(arn, attribute("Policy").unwrap_or_default(), attribute("KmsMasterKeyId")));
        }
        Err(error) => {
            let help = "allow sns:GetTopicAttributes to see who may publish";
            examined.push(failed("topic policy", &ATTRIBUTES.failed(format!("`{arn}`"), error), help));
        }
    }
    examined
}

fn mails(arn: &str, confirmed: usize, pending: usize) -> Examined {
    let help = "follow the link in the mail that SNS sent";
    match (confirmed, pending) {
        (0, 0) => {
            let help = format!("aws sns subscribe --topic-arn {arn} --protocol email --notification-endpoint ADDRESS");
            Examined::missing("topic", format!("nobody gets a mail from `{arn}`"), help)
        }
        (0, _) => {
            let found = format!("{pending} mail subscriptions of `{arn}` wait for their confirmation");
            Examined::missing("topic", found, help)
        }
        (_, 0) => Examined::ok("topic", format!("`{arn}` mails to {confirmed}")),
        _ => {
            Examined::caution("topic", format!("`{arn}` mails to {confirmed}, and {pending} have not confirmed"), help)
        }
    }
}

/// Whether alarms get through, and nobody else.
/// <https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/Notify_Users_Alarm_Changes.html>
fn alarms(arn: &str, policy: &str, key: Option<&str>) -> Vec<Examined> {
    let what = "topic policy";
    let policy: Value = serde_json::from_str(policy).unwrap_or_default();
    let publishers: Vec<_> = policy["Statement"].as_array().into_iter().flatten().filter(|it| publishes(it)).collect();
    let is = |statement: &Value, kind: &str, name: &str| {
        list(&statement["Principal"][kind]).any(|principal| principal == name) || statement["Principal"] == "*"
    };
    let mut examined = Vec::new();
    if publishers.iter().any(|it| is(it, "AWS", "*") && it["Condition"].is_null()) {
        let help = "let only this account publish: a condition on AWS:SourceOwner, or its root as principal";
        examined.push(Examined::caution(what, format!("anybody may publish to `{arn}`"), help));
    }
    if !publishers.iter().any(|it| is(it, "Service", "cloudwatch.amazonaws.com") || is(it, "AWS", "*")) {
        let help = "let cloudwatch.amazonaws.com sns:Publish to it, with a condition on aws:SourceAccount";
        examined.push(Examined::caution(what, format!("no alarm may publish to `{arn}`"), help));
    }
    match key {
        Some(key) if key.ends_with("alias/aws/sns") => {
            let help = "encrypt it by a key of your own, whose policy lets cloudwatch.amazonaws.com use it";
            examined.push(Examined::caution(what, format!("alarms cannot use the key `{key}`"), help));
        }
        Some(key) => {
            let found = format!("whether the key `{key}` lets cloudwatch.amazonaws.com use it");
            let help = format!("aws kms get-key-policy --policy-name default --key-id {key}");
            examined.push(Examined::not_checked("topic key", found, help));
        }
        None => {}
    }
    if examined.iter().all(|one| one.state == super::State::NotChecked) {
        examined.insert(0, Examined::ok(what, "this account and its alarms may publish"));
    }
    examined
}

fn publishes(statement: &Value) -> bool {
    let may = |action: &str| ["sns:publish", "sns:*", "*"].contains(&action.to_lowercase().as_str());
    statement["Effect"] == "Allow" && list(&statement["Action"]).any(may)
}

/// One text or a list of them.
fn list(value: &Value) -> impl Iterator<Item = &str> {
    value.as_str().into_iter().chain(value.as_array().into_iter().flatten().filter_map(Value::as_str))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_is_mailed_counts_once_it_is_confirmed() {
        use crate::cli::doctor::State::{Caution, Missing, Ok};
        for ((confirmed, pending), state) in [((0, 0), Missing), ((0, 1), Missing), ((1, 1), Caution), ((2, 0), Ok)] {
            assert_eq!(mails("arn", confirmed, pending).state, state);
        }
    }

    #[test]
    fn alarms_get_through_or_it_is_said_why_not() {
        let policy = |principal: &str, condition: &str| {
            format!(
                r#"{{"Statement":[{{"Effect":"Allow","Principal":{principal},"Action":"SNS:Publish"{condition}}}]}}"#
            )
        };
        let owner = r#","Condition":{"StringEquals":{"AWS:SourceOwner":"111122223333"}}"#;
        let alarms_only = policy(r#"{"Service":"cloudwatch.amazonaws.com"}"#, owner);
        let cases = [
            (policy(r#"{"AWS":"*"}"#, owner), None, vec!["may publish"]),
            (alarms_only.clone(), None, vec!["may publish"]),
            (policy(r#"{"AWS":"*"}"#, ""), None, vec!["anybody"]),
            (policy(r#""*""#, ""), None, vec!["anybody"]),
            (policy(r#"{"AWS":"arn:aws:iam::111122223333:root"}"#, ""), None, vec!["no alarm"]),
            (String::new(), None, vec!["no alarm"]),
            (alarms_only.clone(), Some("alias/aws/sns"), vec!["alarms cannot use the key"]),
            (alarms_only, Some("1234"), vec!["may publish", "whether the key `1234`"]),
        ];
        for (policy, key, expected) in cases {
            let found = alarms("arn", &policy, key);
            assert_eq!(found.len(), expected.len(), "{policy} {found:?}");
            assert!(found.iter().zip(expected).all(|(one, part)| one.found.contains(part)), "{policy} {found:?}");
        }
    }
}
