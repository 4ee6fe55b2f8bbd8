//! What infra/ deploys beside the target's names: the function, and what starts it.
//!
//! On a target that is run from a laptop none of it is needed, and whoever may run may not always look: what cannot be seen
//! is not checked, and the help has the command that looks.

use serde_json::{Value, json};

use super::{Examined, wiring};
use crate::aws::{Call, element};
use crate::cli::world::World;
use crate::cloud::Cloud;
use crate::pipeline::bundle;
use crate::port::{PortError, PortErrorKind};

const STACK: Call = Call::new("read stack", "cloudformation:DescribeStacks");
const FUNCTION: Call = Call::new("read function", "lambda:GetFunctionConfiguration");
const QUOTA: Call = Call::new("read quotas", "lambda:GetAccountSettings");
const RULES: Call = Call::new("list rules", "events:ListRules");
const TARGETS: Call = Call::new("list targets", "events:ListTargetsByRule");

/// What Lambda keeps for functions that reserve nothing.
/// <https://docs.aws.amazon.com/lambda/latest/dg/configuration-concurrency.html>
const KEPT: i64 = 100;
/// What starts the function: rules behind the stack's name, as infra/lib/triggers.ts makes them.
pub(super) const BY_RULE: [&str; 4] = ["crawled", "queried", "daily", "sweep"];
/// The default of `reservedConcurrency` in infra/settings.ts.
const RESERVED: i64 = 5;

pub async fn examine(world: &World, cloud: &Cloud) -> Vec<Examined> {
    let name = stack_name(&world.settings.config.project, &world.target);
    let form = format!("Action=DescribeStacks&Version=2010-05-15&StackName={name}");
    let look = format!("aws cloudformation describe-stacks --stack-name {name}");
    let status = match cloud.signed.query(STACK, &format!("`{name}`"), &form).await {
        Ok(text) => element(&text, "StackStatus").unwrap_or_default().to_owned(),
        Err(error) if error.message.contains("does not exist") => return vec![absent(&name), quota(cloud).await],
        Err(error) => return vec![unseen("stack", &error, &look)],
    };
    let mut examined = vec![stack(&name, &status)];
    if NEVER_MADE.contains(&status.as_str()) {
        return examined;
    }
    let function = function(world, cloud, &name).await;
    let is_there = function.state != super::State::Missing;
    examined.push(function);
    examined.extend(rules(cloud, &name).await);
    if is_there {
        examined.extend(wiring::examine(cloud, &name).await);
    }
    let help = format!("aws cloudformation detect-stack-drift --stack-name {name}");
    let rest = "what the function and the crawler may do, and whether all else of the stack is as it was deployed";
    examined.push(Examined::not_checked("roles", rest, help));
    examined
}

/// As infra/lib/at.ts makes it.
pub(super) fn stack_name(project: &str, target: &str) -> String {
    let name = format!("crawlguard-{project}-{target}").to_lowercase();
    let mut slug = String::new();
    for letter in name.chars() {
        let is_plain = letter.is_ascii_alphanumeric() || letter == '-';
        if is_plain {
            slug.push(letter);
        } else if !slug.ends_with('\u{0}') {
            slug.push('\u{0}');
        }
    }
    slug.replace('\u{0}', "-")
}

fn absent(name: &str) -> Examined {
    let help = "deploy infra/ (docs/deploy.md) to have runs come by themselves, or start them from here";
    Examined::not_checked("stack", format!("there is no stack `{name}`, so no function is looked for"), help)
}

pub(super) fn unseen(what: &str, error: &PortError, look: &str) -> Examined {
    Examined::not_checked(what, error.to_string(), look)
}

/// A stack whose first deployment, or whose removal, failed: it takes no other one.
const NEVER_MADE: [&str; 4] = ["ROLLBACK_COMPLETE", "ROLLBACK_FAILED", "CREATE_FAILED", "DELETE_FAILED"];

fn stack(name: &str, status: &str) -> Examined {
    let is_well = status.ends_with("_COMPLETE") && !["ROLLBACK_COMPLETE", "DELETE_COMPLETE"].contains(&status);
    let found = format!("`{name}` is {status}");
    match status {
        _ if is_well => Examined::ok("stack", found),
        _ if NEVER_MADE.contains(&status) => {
            let help = format!(
                "its events say what failed; aws cloudformation delete-stack --stack-name {name}, then `npm run preflight` in \
                 infra/ names what it left, and deploy again"
            );
            Examined::missing("stack", found, help)
        }
        "REVIEW_IN_PROGRESS" => Examined::missing("stack", found, "it has only been looked at: deploy it"),
        "UPDATE_FAILED" => {
            let help = format!("aws cloudformation rollback-stack --stack-name {name}; its events say what failed");
            Examined::missing("stack", found, help)
        }
        _ if status.ends_with("_IN_PROGRESS") => Examined::caution("stack", found, "wait until it is done"),
        "UPDATE_ROLLBACK_FAILED" => {
            let help = format!("aws cloudformation continue-update-rollback --stack-name {name}");
            Examined::missing("stack", found, help)
        }
        // Not to be deleted on a guess: it may be what runs.
        _ => Examined::missing("stack", found, format!("aws cloudformation describe-stack-events --stack-name {name}")),
    }
}

/// Before a deployment: whether the account has room for the reservation.
async fn quota(cloud: &Cloud) -> Examined {
    match cloud.signed.get(QUOTA, "the account", "/2016-08-19/account-settings").await {
        Ok(answer) => concurrency(&answer),
        Err(error) => unseen("concurrency", &error, "aws lambda get-account-settings"),
    }
}

fn concurrency(answer: &Value) -> Examined {
    let what = "concurrency";
    let Some(free) = answer["AccountLimit"]["UnreservedConcurrentExecutions"].as_i64() else {
        return Examined::not_checked(what, "the account does not say", "aws lambda get-account-settings");
    };
    let room = (free - KEPT).max(0);
    let found = format!("{free} invocations at once are not reserved, so {room} can be");
    match room >= RESERVED {
        true => Examined::ok(what, found),
        false => {
            let help = format!("set `reservedConcurrency` in infra/settings.ts to {room}, or ask for a higher quota");
            Examined::caution(what, found, help)
        }
    }
}

async fn function(world: &World, cloud: &Cloud, name: &str) -> Examined {
    let path = format!("/2015-03-31/functions/{name}/configuration");
    let project = format!("{}/{}", cloud.settings.state.trim_end_matches('/'), bundle::KEY);
    match cloud.signed.get(FUNCTION, &format!("`{name}`"), &path).await {
        Ok(answer) => judge_function(name, &answer, &world.target, &project),
        Err(error) if error.kind == PortErrorKind::NotFound => {
            Examined::missing("function", error.to_string(), "deploy infra/ again")
        }
        Err(error) => {
            unseen("function", &error, &format!("aws lambda get-function-configuration --function-name {name}"))
        }
    }
}

fn judge_function(name: &str, answer: &Value, target: &str, project: &str) -> Examined {
    let what = "function";
    let text = |pointer: &str| answer.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
    let wanted = [("CRAWLGUARD_TARGET", target), ("CRAWLGUARD_PROJECT", project)];
    for (variable, value) in wanted {
        let is = text(&format!("/Environment/Variables/{variable}"));
        if is != value {
            let found = format!("`{name}` has {variable} `{is}`, and crawlguard.toml means `{value}`");
            return Examined::missing(what, found, "deploy infra/ again, from this project");
        }
    }
    let (state, update) = (text("/State"), text("/LastUpdateStatus"));
    if !["", "Active", "Inactive"].contains(&state) || update == "Failed" {
        let why = [text("/StateReason"), text("/LastUpdateStatusReason")].join(" ");
        return Examined::missing(what, format!("`{name}` is {state} {update}: {why}"), "deploy infra/ again");
    }
    Examined::ok(what, format!("`{name}`, of {}", text("/LastModified")))
}

async fn rules(cloud: &Cloud, name: &str) -> Vec<Examined> {
    let look = format!("aws events list-rules --name-prefix {name}");
    let (subject, body) = (format!("`{name}-…`"), json!({"NamePrefix": name}));
    let listed = match cloud.signed.post(RULES, &subject, "AWSEvents.ListRules", &body).await {
        Ok(listed) => listed,
        Err(error) => return vec![unseen("rules", &error, &look)],
    };
    let (crawler, workgroup) = (cloud.settings.crawler.as_deref().unwrap_or_default(), &cloud.settings.workgroup);
    let mut examined = Vec::new();
    for (rule, names) in BY_RULE.into_iter().zip([crawler, workgroup, "", ""]) {
        let rule = format!("{name}-{rule}");
        let body = json!({"Rule": rule});
        let targets = cloud.signed.post(TARGETS, &format!("`{rule}`"), "AWSEvents.ListTargetsByRule", &body).await;
        match targets {
            Ok(targets) => examined.push(judge_rule(&rule, &listed, &targets, names, name)),
            Err(error) if error.kind == PortErrorKind::NotFound => {
                examined.push(judge_rule(&rule, &listed, &Value::Null, names, name))
            }
            Err(error) => {
                examined.push(unseen("rule", &error, &format!("aws events list-targets-by-rule --rule {rule}")))
            }
        }
    }
    examined
}

/// Whether a rule is there, is on, is about what the target `names`, and starts the function.
fn judge_rule(rule: &str, listed: &Value, targets: &Value, names: &str, function: &str) -> Examined {
    let what = "rule";
    let rules = listed["Rules"].as_array().into_iter().flatten();
    let Some(found) = rules.clone().find(|it| it["Name"] == rule) else {
        return Examined::missing(what, format!("there is no `{rule}`"), "deploy infra/ again");
    };
    if found["State"] != "ENABLED" {
        return Examined::missing(what, format!("`{rule}` is off"), format!("aws events enable-rule --name {rule}"));
    }
    let pattern = found["EventPattern"].as_str().unwrap_or_default();
    if !names.is_empty() && !pattern.contains(&format!("\"{names}\"")) {
        return Examined::missing(what, format!("`{rule}` is not about `{names}`"), "deploy infra/ again");
    }
    let arns = targets["Targets"].as_array().into_iter().flatten().filter_map(|it| it["Arn"].as_str());
    match arns.into_iter().any(|arn| arn.ends_with(&format!(":function:{function}"))) {
        true => Examined::ok(what, format!("`{rule}` starts the function")),
        false => Examined::missing(what, format!("`{rule}` does not start `{function}`"), "deploy infra/ again"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::doctor::State::{self, Caution, Missing, NotChecked, Ok};

    #[test]
    fn a_stack_is_named_as_infra_names_it() {
        assert_eq!(stack_name("pbright", "prod"), "crawlguard-pbright-prod");
        assert_eq!(stack_name("My  Lake!é", "dev_2"), "crawlguard-my-lake--dev-2");
    }

    #[test]
    fn a_stack_is_well_only_when_it_is_done() {
        for (status, state) in [
            ("CREATE_COMPLETE", Ok),
            ("UPDATE_COMPLETE", Ok),
            ("UPDATE_ROLLBACK_COMPLETE", Ok),
            ("UPDATE_IN_PROGRESS", Caution),
            ("ROLLBACK_COMPLETE", Missing),
            ("REVIEW_IN_PROGRESS", Missing),
            ("UPDATE_FAILED", Missing),
            ("UPDATE_ROLLBACK_FAILED", Missing),
            ("", Missing),
        ] {
            assert_eq!(stack("s", status).state, state, "{status}");
        }
        // Nothing that runs is to be deleted.
        for (status, is_deleted) in
            [("ROLLBACK_COMPLETE", true), ("UPDATE_FAILED", false), ("IMPORT_ROLLBACK_FAILED", false)]
        {
            assert_eq!(stack("s", status).help.contains("delete-stack"), is_deleted, "{status}");
        }
    }

    #[test]
    fn a_small_quota_is_told_before_the_deployment_fails() {
        for (free, state, part) in [(1000, Ok, "900"), (105, Ok, "5"), (104, Caution, "to 4"), (10, Caution, "to 0")] {
            let examined = concurrency(&json!({"AccountLimit": {"UnreservedConcurrentExecutions": free}}));
            assert_eq!(examined.state, state);
            assert!(format!("{} {}", examined.found, examined.help).contains(part), "{examined:?}");
        }
        assert_eq!(concurrency(&json!({})).state, NotChecked);
    }

    #[test]
    fn a_function_is_held_against_the_target() {
        let of = |target: &str, project: &str, state: &str| {
            let answer = json!({"State": state, "Environment": {"Variables": {"CRAWLGUARD_TARGET": target, "CRAWLGUARD_PROJECT": project}}});
            judge_function("f", &answer, "prod", "s3://s/project.json").state
        };
        assert_eq!(of("prod", "s3://s/project.json", "Active"), Ok);
        assert_eq!(of("dev", "s3://s/project.json", "Active"), Missing);
        assert_eq!(of("prod", "s3://other/project.json", "Active"), Missing);
        assert_eq!(of("prod", "s3://s/project.json", "Failed"), Missing);
    }

    #[test]
    fn a_rule_is_on_about_the_target_and_starts_the_function() {
        let of = |state: &str, pattern: &str, arn: &str| -> State {
            let listed = json!({"Rules": [{"Name": "r", "State": state, "EventPattern": pattern}]});
            judge_rule("r", &listed, &json!({"Targets": [{"Arn": arn}]}), "raw", "f").state
        };
        let (pattern, arn) = (r#"{"detail":{"crawlerName":["raw"]}}"#, "arn:aws:lambda:r:1:function:f");
        assert_eq!(of("ENABLED", pattern, arn), Ok);
        assert_eq!(of("DISABLED", pattern, arn), Missing);
        assert_eq!(of("ENABLED", r#"{"detail":{"crawlerName":["raw2"]}}"#, arn), Missing);
        assert_eq!(of("ENABLED", pattern, "arn:aws:lambda:r:1:function:f2"), Missing);
        assert_eq!(judge_rule("q", &json!({"Rules": []}), &Value::Null, "", "f").state, Missing);
    }
}
