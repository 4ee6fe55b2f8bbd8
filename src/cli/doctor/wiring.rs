//! What stands between an event and a mail: whether the function may be started, by whom, and whether its alarms are there.
//!
//! A deployment does not mend what was changed by hand: to CloudFormation nothing is different. So the help is the command.

use jiff::SignedDuration;
use serde_json::Value;

use super::Examined;
use super::stack::{BY_RULE, unseen};
use crate::aws::{Call, element};
use crate::cloud::Cloud;
use crate::port::{PortError, PortErrorKind};

const RESERVED: Call = Call::new("read reserved concurrency", "lambda:GetFunctionConcurrency");
const POLICY: Call = Call::new("read function's policy", "lambda:GetPolicy");
const FAILURES: Call = Call::new("read function's destinations", "lambda:GetFunctionEventInvokeConfig");
const SUBSCRIBERS: Call = Call::new("list subscribers", "sns:ListSubscriptionsByTopic");
const ALARMS: Call = Call::new("list alarms", "cloudwatch:DescribeAlarms");

/// Alarms that only some targets have, which the settings of infra/ know.
const SOME: [&str; 2] = ["dead-arrivals", "dead-events"];
/// What infra/lib/alarms.ts makes for every target.
const EVERY: [&str; 6] = ["no-run", "not-started", "errors", "dead-letters", "throttles", "slow-run"];

pub async fn examine(cloud: &Cloud, name: &str) -> Vec<Examined> {
    let mut examined = vec![concurrency(cloud, name).await];
    examined.extend(callers(cloud, name).await);
    examined.push(failures(cloud, name).await);
    if cloud.settings.receipts {
        examined.push(receipts(cloud, name).await);
    }
    examined.extend(alarms(cloud, name).await);
    examined
}

async fn concurrency(cloud: &Cloud, name: &str) -> Examined {
    let path = format!("/2019-09-30/functions/{name}/concurrency");
    match cloud.signed.get(RESERVED, &format!("`{name}`"), &path).await {
        Ok(answer) => judge_concurrency(name, &answer),
        Err(error) => unseen(
            "reserved concurrency",
            &error,
            &format!("aws lambda get-function-concurrency --function-name {name}"),
        ),
    }
}

fn judge_concurrency(name: &str, answer: &Value) -> Examined {
    let what = "reserved concurrency";
    match answer["ReservedConcurrentExecutions"].as_i64() {
        Some(0) => {
            let help = format!("aws lambda delete-function-concurrency --function-name {name}");
            Examined::missing(what, format!("0 for `{name}`: nothing can start it"), help)
        }
        Some(count) => Examined::ok(what, format!("{count} for `{name}`")),
        None => Examined::ok(what, format!("none for `{name}`, which takes of what the account has")),
    }
}

async fn callers(cloud: &Cloud, name: &str) -> Vec<Examined> {
    let path = format!("/2015-03-31/functions/{name}/policy");
    let policy = match cloud.signed.get(POLICY, &format!("`{name}`"), &path).await {
        Ok(answer) => answer["Policy"].as_str().and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default(),
        // A function that nobody may start has none.
        Err(error) if error.kind == PortErrorKind::NotFound => Value::Null,
        Err(error) => {
            let look = format!("aws lambda get-policy --function-name {name}");
            return vec![unseen("function's policy", &error, &look)];
        }
    };
    let topic = cloud.settings.receipts.then(|| ("sns.amazonaws.com", cloud.settings.topic.clone()));
    let rules = BY_RULE.iter().map(|rule| ("events.amazonaws.com", format!("rule/{name}-{rule}")));
    judge_callers(name, &policy, rules.chain(topic))
}

/// Whether the function's policy lets each of these start it.
fn judge_callers<'a>(name: &str, policy: &Value, wanted: impl Iterator<Item = (&'a str, String)>) -> Vec<Examined> {
    let what = "function's policy";
    let (may, may_not): (Vec<_>, Vec<_>) = wanted.partition(|(service, source)| lets(policy, service, source));
    if may_not.is_empty() {
        return vec![Examined::ok(what, format!("{} may start `{name}`", may.len()))];
    }
    let denied = may_not.iter().enumerate().map(|(index, (service, source))| {
        let help = format!(
            "aws lambda add-permission --function-name {name} --statement-id mended-{index} --principal {service} \
             --action lambda:InvokeFunction --source-arn {}",
            arn_of(source)
        );
        Examined::missing(what, format!("nothing lets `{source}` start `{name}`"), help)
    });
    denied.collect()
}

/// The ARN of who may start the function, as the shell finds it.
fn arn_of(source: &str) -> String {
    match source.strip_prefix("rule/") {
        Some(rule) => format!("$(aws events describe-rule --name {rule} --query Arn --output text)"),
        None => source.to_owned(),
    }
}

fn lets(policy: &Value, service: &str, source: &str) -> bool {
    policy["Statement"].as_array().into_iter().flatten().any(|statement| {
        let operators = statement["Condition"].as_object().into_iter().flat_map(|all| all.values());
        let keys = operators.filter_map(Value::as_object).flatten();
        let mut sources = keys.filter(|(key, _)| key.eq_ignore_ascii_case("aws:SourceArn"));
        let is_source = |arn: &str| arn == source || arn.ends_with(&format!(":{source}"));
        let is_of = statement["Principal"]["Service"] == service && statement["Effect"] == "Allow";
        // A statement that names no source lets all of the service.
        is_of && sources.all(|(_, arn)| arn.as_str().is_some_and(is_source))
    })
}

async fn failures(cloud: &Cloud, name: &str) -> Examined {
    let path = format!("/2019-09-25/functions/{name}/event-invoke-config");
    match cloud.signed.get(FAILURES, &format!("`{name}`"), &path).await {
        Ok(answer) => judge_failures(name, &answer),
        Err(error) if error.kind == PortErrorKind::NotFound => judge_failures(name, &Value::Null),
        Err(error) => {
            let look = format!("aws lambda get-function-event-invoke-config --function-name {name}");
            unseen("failed events", &error, &look)
        }
    }
}

fn judge_failures(name: &str, answer: &Value) -> Examined {
    let what = "failed events";
    match answer["DestinationConfig"]["OnFailure"]["Destination"].as_str() {
        Some(queue) => Examined::ok(what, format!("they go to `{queue}`")),
        None => {
            let help = format!(
                "aws lambda put-function-event-invoke-config --function-name {name} --destination-config \
                 '{{\"OnFailure\":{{\"Destination\":\"QUEUE_ARN\"}}}}', with the queue of the stack's output DeadLetters"
            );
            Examined::missing(what, format!("events on which `{name}` failed are lost"), help)
        }
    }
}

async fn receipts(cloud: &Cloud, name: &str) -> Examined {
    let what = "receipts";
    let arn = &cloud.settings.topic;
    let mut pages = cloud.sns.list_subscriptions_by_topic().topic_arn(arn).into_paginator().send();
    let mut functions = Vec::new();
    while let Some(page) = pages.next().await {
        match page {
            Ok(page) => {
                let subscribed = page.subscriptions().iter().filter(|it| it.protocol() == Some("lambda"));
                functions.extend(subscribed.filter_map(|it| it.endpoint().map(str::to_owned)));
            }
            Err(error) => {
                let error: PortError = SUBSCRIBERS.failed(format!("`{arn}`"), error);
                return unseen(what, &error, &format!("aws sns list-subscriptions-by-topic --topic-arn {arn}"));
            }
        }
    }
    judge_receipts(name, arn, &functions)
}

fn judge_receipts(name: &str, topic: &str, functions: &[String]) -> Examined {
    let what = "receipts";
    if functions.iter().any(|endpoint| endpoint.ends_with(&format!(":function:{name}"))) {
        return Examined::ok(what, format!("`{name}` gets what `{topic}` sends"));
    }
    let found = format!("`{name}` gets nothing of `{topic}`, so an alert may be mailed twice");
    let help = "remove the stack's subscription by a deployment with `receipts = false`, and deploy again with true";
    Examined::missing(what, found, help)
}

/// How long there may be no run before the target's alarm is raised (`noRunHours` of infra/); `None` where no alarm says so.
pub async fn patience(cloud: &Cloud, name: &str) -> Option<SignedDuration> {
    let alarm = format!("{name}-no-run");
    let form = format!("Action=DescribeAlarms&Version=2010-08-01&AlarmNames.member.1={alarm}");
    watched(&alarm, &cloud.signed.query(ALARMS, &format!("`{alarm}`"), &form).await.ok()?)
}

/// The time that an alarm looks back.
fn watched(alarm: &str, text: &str) -> Option<SignedDuration> {
    let number = |name| element(text, name)?.parse::<i64>().ok();
    let seconds = number("Period")?.checked_mul(number("EvaluationPeriods")?)?;
    (element(text, "AlarmName") == Some(alarm)).then(|| SignedDuration::from_secs(seconds))
}

/// Each by its name: where an answer has several, its XML does not say in which order their parts come.
async fn alarms(cloud: &Cloud, name: &str) -> Vec<Examined> {
    let mut examined = Vec::new();
    for (page, is_made) in EVERY.map(|page| (page, true)).into_iter().chain(SOME.map(|page| (page, false))) {
        let alarm = format!("{name}-{page}");
        let form = format!("Action=DescribeAlarms&Version=2010-08-01&AlarmNames.member.1={alarm}");
        match cloud.signed.query(ALARMS, &format!("`{alarm}`"), &form).await {
            Ok(text) => examined.extend(judge_alarm(&alarm, page, is_made, &text)),
            Err(error) => {
                let look = format!("aws cloudwatch describe-alarms --alarm-name-prefix {name}-");
                examined.push(unseen("alarms", &error, &look));
                return examined;
            }
        }
    }
    if examined.is_empty() {
        examined.push(Examined::ok("alarms", "all are there, and none is raised"));
    }
    examined
}

/// What is wrong with an alarm, if anything is.
fn judge_alarm(alarm: &str, page: &str, is_made: bool, text: &str) -> Option<Examined> {
    let what = "alarm";
    if element(text, "AlarmName") != Some(alarm) {
        let help = "put its settings of infra/template.yaml into `aws cloudwatch put-metric-alarm --cli-input-yaml`";
        return is_made.then(|| Examined::missing(what, format!("there is no `{alarm}`"), help));
    }
    if element(text, "ActionsEnabled") != Some("true") {
        let help = format!("aws cloudwatch enable-alarm-actions --alarm-names {alarm}");
        return Some(Examined::missing(what, format!("`{alarm}` mails nobody"), help));
    }
    let is_raised = element(text, "StateValue") == Some("ALARM");
    is_raised.then(|| Examined::caution(what, format!("`{alarm}` is raised"), format!("see docs/runbook/{page}.md")))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::cli::doctor::State::{Caution, Missing, Ok};

    #[test]
    fn a_function_that_is_reserved_nothing_cannot_be_started() {
        for (answer, state) in [
            (json!({"ReservedConcurrentExecutions": 0}), Missing),
            (json!({"ReservedConcurrentExecutions": 5}), Ok),
            (json!({}), Ok),
        ] {
            assert_eq!(judge_concurrency("f", &answer).state, state, "{answer}");
        }
    }

    #[test]
    fn each_rule_and_the_topic_have_to_be_let_in() {
        let let_in = |service: &str, arn: &str| {
            json!({"Effect": "Allow", "Principal": {"Service": service}, "Action": "lambda:InvokeFunction",
                   "Condition": {"ArnLike": {"AWS:SourceArn": arn}}})
        };
        let rule = |name: &str| let_in("events.amazonaws.com", &format!("arn:aws:events:r:1:rule/{name}"));
        let topic = "arn:aws:sns:r:1:t";
        let wanted = || {
            [("events.amazonaws.com", "rule/f-sweep".to_owned()), ("sns.amazonaws.com", topic.to_owned())].into_iter()
        };
        let found = |statements: Value| {
            let all = judge_callers("f", &json!({"Statement": statements}), wanted());
            all.into_iter().map(|one| (one.state, one.found)).collect::<Vec<_>>()
        };
        assert_eq!(found(json!([rule("f-sweep"), let_in("sns.amazonaws.com", topic)]))[0].0, Ok);
        let missing = found(json!([rule("f-sweep2"), let_in("sns.amazonaws.com", "arn:aws:sns:r:1:t2")]));
        assert!(missing.iter().all(|(state, _)| *state == Missing) && missing.len() == 2, "{missing:?}");
        let missing = found(json!([let_in("sns.amazonaws.com", topic)]));
        assert!(missing.len() == 1 && missing[0].1.contains("rule/f-sweep"), "{missing:?}");
        let help: Vec<_> = judge_callers("f", &Value::Null, wanted()).into_iter().map(|one| one.help).collect();
        assert!(help[0].contains("describe-rule --name f-sweep ") && help[1].ends_with(topic), "{help:?}");
        assert_eq!(judge_callers("f", &Value::Null, wanted()).len(), 2);
    }

    #[test]
    fn failed_events_have_somewhere_to_go() {
        let answer = json!({"DestinationConfig": {"OnFailure": {"Destination": "arn:q"}}});
        assert_eq!(judge_failures("f", &answer).state, Ok);
        assert_eq!(judge_failures("f", &json!({"DestinationConfig": {}})).state, Missing);
        assert_eq!(judge_failures("f", &Value::Null).state, Missing);
    }

    #[test]
    fn receipts_are_the_functions_own() {
        let found = |endpoint: &str| judge_receipts("f", "t", &[endpoint.to_owned()]).state;
        assert_eq!(found("arn:aws:lambda:r:1:function:f"), Ok);
        assert_eq!(found("arn:aws:lambda:r:1:function:f2"), Missing);
    }

    #[test]
    fn an_alarm_says_how_long_it_waits() {
        let text = "<member><AlarmName>f-no-run</AlarmName><EvaluationPeriods>80</EvaluationPeriods>\
                    <Period>3600</Period></member>";
        assert_eq!(watched("f-no-run", text), Some(SignedDuration::from_hours(80)));
        assert_eq!((watched("g-no-run", text), watched("f-no-run", "")), (None, None));
    }

    #[test]
    fn alarms_are_there_mail_and_are_not_raised() {
        let text = |name: &str, state: &str, mails: bool| {
            format!(
                "<member><StateValue>{state}</StateValue><AlarmName>{name}</AlarmName>\
                 <ActionsEnabled>{mails}</ActionsEnabled></member>"
            )
        };
        let found = |is_made: bool, text: &str| judge_alarm("f-errors", "errors", is_made, text).map(|one| one.state);
        assert_eq!(found(true, &text("f-errors", "OK", true)), None);
        assert_eq!(found(true, &text("f-errors", "INSUFFICIENT_DATA", true)), None);
        assert_eq!(found(false, &text("f-errors", "ALARM", true)), Some(Caution));
        assert_eq!(found(true, &text("f-errors", "OK", false)), Some(Missing));
        assert_eq!(found(true, &text("f-errors-2", "OK", true)), Some(Missing));
        assert_eq!((found(true, ""), found(false, "")), (Some(Missing), None));
    }
}
