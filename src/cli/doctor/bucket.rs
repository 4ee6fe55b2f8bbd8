//! The buckets: whose they are, where, and what their rules remove.

use std::collections::BTreeMap;

use aws_sdk_s3::types::{BucketVersioningStatus, ExpirationStatus, LifecycleRule};

use super::Examined;
use super::cloud::failed;
use crate::aws::{Call, S3Folder, code};
use crate::cloud::Cloud;
use crate::config::Aws;
use crate::port::PortErrorKind;

const BUCKET: Call = Call::new("find bucket", "s3:ListBucket");
const VERSIONING: Call = Call::new("read versioning", "s3:GetBucketVersioning");
const LIFECYCLE: Call = Call::new("read lifecycle rules", "s3:GetLifecycleConfiguration");
const ENCRYPTION: Call = Call::new("read encryption", "s3:GetEncryptionConfiguration");

/// With the place that the workgroup has builds put, if it does.
pub async fn examine(cloud: &Cloud, enforced: Option<&str>) -> Vec<Examined> {
    let Aws { warehouse, state, results, .. } = &cloud.settings;
    let account = cloud.identity().await.map(|(account, _)| account).unwrap_or_default();
    let mut examined = Vec::new();
    let mut keys: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    let named = [("warehouse", Some(warehouse)), ("state", Some(state)), ("results", results.as_ref())];
    for (setting, uri) in named {
        let Some(folder) = uri.and_then(|uri| S3Folder::parse(uri)) else { continue };
        let found = bucket(cloud, setting, &folder.bucket, &account).await;
        let is_there = found.state == super::State::Ok;
        examined.push(found);
        if is_there {
            // What lies among published tables is not to expire by a rule for all of it.
            if setting != "results" || enforced.is_none() {
                examined.extend(lifecycle(cloud, setting, &folder).await);
            }
            match encryption(cloud, &folder.bucket).await {
                Ok(key) => key.into_iter().for_each(|key| keys.entry(key).or_default().push(setting)),
                Err(denied) => examined.push(denied),
            }
        }
    }
    if let Some(builds) = enforced.and_then(builds) {
        examined.extend(lifecycle(cloud, "the workgroup's builds", &builds).await);
    }
    examined.extend(keys.iter().map(|(key, settings)| used(key, settings)));
    examined.push(versioning(cloud).await);
    examined
}

/// Where builds go below a workgroup's output location.
/// <https://docs.aws.amazon.com/athena/latest/ug/ctas-considerations-limitations.html>
fn builds(output: &str) -> Option<S3Folder> {
    S3Folder::parse(&format!("{}/tables/", output.trim_end_matches('/')))
}

async fn bucket(cloud: &Cloud, setting: &str, name: &str, account: &str) -> Examined {
    let here = cloud.glue.config().region().map(|region| region.as_ref()).unwrap_or_default();
    let answer = match cloud.s3.head_bucket().bucket(name).send().await {
        Ok(answer) => answer,
        Err(error) => {
            let error = BUCKET.failed(format!("`{name}`"), error);
            let help = match error.kind {
                // Who may not look is not told more.
                PortErrorKind::Denied => format!(
                    "names are taken worldwide: if the bucket is not yours, name another in `{setting}`; if it is, allow s3:ListBucket"
                ),
                _ => format!("create the bucket, or mend `{setting}` or `region`"),
            };
            return failed(setting, &error, help);
        }
    };
    if let Some(region) = answer.bucket_region().filter(|region| *region != here) {
        let help = format!("name a bucket in `{here}`: Athena reads and writes in its own region");
        return Examined::missing(setting, format!("bucket `{name}` is in `{region}`"), help);
    }
    match cloud.s3.head_bucket().bucket(name).expected_bucket_owner(account).send().await {
        Ok(_) => Examined::ok(setting, format!("bucket `{name}`, of account {account}")),
        Err(_) => {
            let help = format!("name a bucket of your own in `{setting}`");
            Examined::missing(setting, format!("bucket `{name}` is of another account than {account}"), help)
        }
    }
}

async fn lifecycle(cloud: &Cloud, setting: &str, folder: &S3Folder) -> Vec<Examined> {
    match cloud.s3.get_bucket_lifecycle_configuration().bucket(&folder.bucket).send().await {
        Ok(answer) => removals(setting, folder, answer.rules()),
        Err(error) if code(&error) == Some("NoSuchLifecycleConfiguration") => removals(setting, folder, &[]),
        Err(error) => {
            let help = "allow s3:GetLifecycleConfiguration to see whether a rule removes what is needed";
            vec![failed("lifecycle", &LIFECYCLE.failed(format!("`{}`", folder.bucket), error), help)]
        }
    }
}

/// What rules remove below a folder: of results it is wanted, of the rest it is somebody's loss.
fn removals(setting: &str, folder: &S3Folder, rules: &[LifecycleRule]) -> Vec<Examined> {
    let what = "lifecycle";
    let S3Folder { bucket, prefix } = folder;
    let mut removing = rules.iter().filter(|rule| removes(rule, prefix));
    if setting != "results" {
        let rules = removing.map(|rule| format!("`{}`", rule.id().unwrap_or("without a name")));
        let rules = rules.collect::<Vec<_>>().join(", ");
        let found = format!("rules of bucket `{bucket}` remove what is under `{prefix}`: {rules}");
        let help = format!("take {setting} out of their reach: crawlguard itself removes what nobody needs");
        return if rules.is_empty() { Vec::new() } else { vec![Examined::missing(what, found, help)] };
    }
    if removing.next().is_some() {
        return Vec::new();
    }
    let help = "add a rule that expires what is under `results`, and nothing else, after some days";
    vec![Examined::caution(what, format!("query results pile up in bucket `{bucket}`"), help)]
}

/// Whether a rule removes current objects that may lie under `prefix`. One that asks for tags or sizes too, may.
fn removes(rule: &LifecycleRule, prefix: &str) -> bool {
    let filter = rule.filter();
    let both = filter.and_then(|filter| filter.and()).and_then(|both| both.prefix());
    #[expect(deprecated, reason = "rules of before filters have it there")]
    let own = filter.and_then(|filter| filter.prefix()).or(both).or(rule.prefix()).unwrap_or_default();
    let expires = rule.expiration().is_some_and(|it| it.days().is_some() || it.date().is_some());
    rule.status() == &ExpirationStatus::Enabled && expires && (own.starts_with(prefix) || prefix.starts_with(own))
}

/// The KMS key that a bucket's objects are encrypted by, if it is not S3's own.
async fn encryption(cloud: &Cloud, name: &str) -> Result<Option<String>, Examined> {
    let answer = cloud.s3.get_bucket_encryption().bucket(name).send().await;
    let rules = match answer {
        Ok(answer) => answer.server_side_encryption_configuration.map(|it| it.rules).unwrap_or_default(),
        Err(error) if code(&error) == Some("ServerSideEncryptionConfigurationNotFoundError") => return Ok(None),
        Err(error) => {
            let error = ENCRYPTION.failed(format!("`{name}`"), error);
            return Err(failed("key", &error, "allow s3:GetEncryptionConfiguration to see which key it needs"));
        }
    };
    let applied = rules.iter().filter_map(|rule| rule.apply_server_side_encryption_by_default());
    Ok(applied.filter_map(|it| it.kms_master_key_id()).next().map(str::to_owned))
}

/// Whether a role may use a key, only IAM and the key's policy know.
fn used(key: &str, settings: &[&str]) -> Examined {
    let found = format!("whether the function's role may use the key `{key}` of {}", settings.join(", "));
    let help = format!("if infra/ did not make it, put it into `otherKeys`; aws kms describe-key --key-id {key}");
    Examined::not_checked("key", found, help)
}

async fn versioning(cloud: &Cloud) -> Examined {
    let name = S3Folder::parse(&cloud.settings.state).map(|folder| folder.bucket).unwrap_or_default();
    match cloud.s3.get_bucket_versioning().bucket(&name).send().await {
        Ok(answer) if answer.status() == Some(&BucketVersioningStatus::Enabled) => {
            Examined::ok("versioning", format!("bucket `{name}` keeps versions"))
        }
        Ok(_) => {
            let help = "turn versioning on, so that a record that was overwritten or deleted can be put back";
            Examined::missing("versioning", format!("bucket `{name}` keeps no versions"), help)
        }
        Err(error) => failed("versioning", &VERSIONING.failed(format!("`{name}`"), error), ""),
    }
}

#[cfg(test)]
mod tests {
    use aws_sdk_s3::types::{LifecycleExpiration, LifecycleRuleAndOperator, LifecycleRuleFilter};

    use super::*;

    fn rule(prefix: Option<&str>, days: Option<i32>) -> LifecycleRule {
        let filter = LifecycleRuleFilter::builder().set_prefix(prefix.map(str::to_owned)).build();
        rule_of(filter, days, ExpirationStatus::Enabled)
    }

    fn rule_of(filter: LifecycleRuleFilter, days: Option<i32>, status: ExpirationStatus) -> LifecycleRule {
        let expiration = LifecycleExpiration::builder().set_days(days).build();
        LifecycleRule::builder().id("r").filter(filter).expiration(expiration).status(status).build().unwrap()
    }

    #[test]
    fn builds_that_a_workgroup_puts_among_results_are_not_to_expire() {
        for output in ["s3://results/queries/", "s3://results/queries"] {
            let folder = builds(output).unwrap();
            assert_eq!((folder.bucket.as_str(), folder.prefix.as_str()), ("results", "queries/tables/"));
            for (prefix, count) in [(None, 1), (Some("queries/"), 1), (Some("queries/tables/"), 1), (Some("other/"), 0)]
            {
                let found = removals("the workgroup's builds", &folder, &[rule(prefix, Some(7))]);
                assert_eq!(found.iter().filter(|it| it.state == crate::cli::doctor::State::Missing).count(), count);
            }
        }
    }

    #[test]
    fn a_rule_that_reaches_published_files_is_named_and_one_beside_them_is_not() {
        let folder = S3Folder::parse("s3://lake/tables/").unwrap();
        let off = rule_of(LifecycleRuleFilter::builder().build(), Some(1), ExpirationStatus::Disabled);
        let both = LifecycleRuleAndOperator::builder().prefix("tables/").build();
        let both = LifecycleRuleFilter::builder().and(both).build();
        let tagged = rule_of(both, Some(1), ExpirationStatus::Enabled);
        let cases = [
            (rule(None, Some(30)), true),
            (rule(Some(""), Some(30)), true),
            (rule(Some("tab"), Some(30)), true),
            (rule(Some("tables/int_a/"), Some(30)), true),
            (tagged, true),
            (rule(Some("results/"), Some(30)), false),
            (rule(Some("tables2/"), Some(30)), false),
            // Old versions, or uploads that were never finished.
            (rule(None, None), false),
            (off, false),
        ];
        for (rule, is_hit) in cases {
            let found = removals("warehouse", &folder, std::slice::from_ref(&rule));
            assert_eq!(!found.is_empty(), is_hit, "{rule:?} {found:?}");
            let found = removals("results", &folder, std::slice::from_ref(&rule));
            assert_eq!(found.is_empty(), is_hit, "{rule:?} {found:?}");
        }
    }
}
