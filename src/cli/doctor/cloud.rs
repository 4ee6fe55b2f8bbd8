//! What a target on AWS needs, each asked of the service that has it.

use aws_sdk_glue::types::{Crawler, RecrawlBehavior, UpdateBehavior};
use aws_sdk_s3::types::BucketVersioningStatus;

use super::Examined;
use crate::aws::{Call, S3Folder, advice};
use crate::cli::world::World;
use crate::cloud::Cloud;
use crate::config::{Aws, Settings};
use crate::pipeline::{Project, RunError, bundle};
use crate::port::{PortError, PortErrorKind};
use crate::store::{Expect, Store};

const DATABASE: Call = Call::new("read database", "glue:GetDatabase");
const CRAWLER: Call = Call::new("read crawler", "glue:GetCrawler");
const WORKGROUP: Call = Call::new("read workgroup", "athena:GetWorkGroup");
const BUCKET: Call = Call::new("find bucket", "s3:ListBucket");
const VERSIONING: Call = Call::new("read versioning", "s3:GetBucketVersioning");
const TOPIC: Call = Call::new("read subscriptions", "sns:ListSubscriptionsByTopic");

/// Written, refused and removed again.
const PROBE: &str = "doctor.probe";

pub async fn examine(world: &World, cloud: &Cloud) -> Vec<Examined> {
    let mut examined = vec![region(cloud)];
    let identity = identity(cloud).await;
    let is_somebody = identity.state == super::State::Ok;
    examined.push(identity);
    // Without credentials every other answer would be the same.
    if !is_somebody {
        return examined;
    }
    examined.push(database(cloud).await);
    examined.extend(crawler(cloud).await);
    examined.extend(workgroup(cloud).await);
    examined.extend(buckets(cloud).await);
    examined.push(conditional_writes(cloud).await);
    examined.push(topic(cloud).await);
    examined.push(deployed(world, cloud).await);
    examined
}

/// What the error itself advises comes before what is usual.
fn failed(what: &str, error: &PortError, help: impl Into<String>) -> Examined {
    let mut examined = Examined::failed(what, error, help);
    if let Some(advice) = advice(&error.message) {
        examined.found = examined.found.replace(&format!("; {advice}"), "");
        examined.help = advice.to_owned();
    }
    examined
}

fn region(cloud: &Cloud) -> Examined {
    let of_topic = cloud.settings.topic.split(':').nth(3).unwrap_or_default();
    match cloud.glue.config().region().map(|region| region.as_ref()) {
        None => Examined::missing("region", "none is set", "set `region` in crawlguard.toml, or AWS_REGION"),
        Some(region) if region != of_topic => {
            let help = "set `region` to where everything is; the topic has to be there too";
            Examined::missing("region", format!("`{region}`, and the topic is in `{of_topic}`"), help)
        }
        Some(region) => Examined::ok("region", region),
    }
}

async fn identity(cloud: &Cloud) -> Examined {
    let (account, arn) = match cloud.identity().await {
        Ok(identity) => identity,
        Err(error) => {
            let help = "log in (`aws sso login`), or set `profile`, or the AWS_ variables";
            return failed("identity", &error, help);
        }
    };
    match cloud.settings.account.as_deref() {
        Some(wanted) if wanted != account => {
            let help = "use credentials of the target's account, or mend `account`";
            Examined::missing("identity", format!("{arn} is of account {account}, and the target in {wanted}"), help)
        }
        _ => Examined::ok("identity", arn),
    }
}

async fn database(cloud: &Cloud) -> Examined {
    let name = &cloud.settings.database;
    match cloud.glue.get_database().name(name).send().await {
        Ok(_) => Examined::ok("database", format!("`{name}`")),
        Err(error) => {
            let help = "create the Glue database, or mend `database` or `region`";
            failed("database", &DATABASE.failed(format!("`{name}`"), error), help)
        }
    }
}

async fn crawler(cloud: &Cloud) -> Vec<Examined> {
    let Some(name) = &cloud.settings.crawler else {
        return vec![Examined::ok("crawler", "none is named: no crawl starts a run")];
    };
    match cloud.glue.get_crawler().name(name).send().await {
        Ok(answer) => answer.crawler.map(|crawler| crawler_settings(&crawler, &cloud.settings)).unwrap_or_default(),
        Err(error) => {
            let help = "create the crawler, or mend `crawler`";
            vec![failed("crawler", &CRAWLER.failed(format!("`{name}`"), error), help)]
        }
    }
}

/// Settings under which a crawl shows what changed.
/// <https://docs.aws.amazon.com/glue/latest/dg/crawler-configuration.html>
fn crawler_settings(crawler: &Crawler, target: &Aws) -> Vec<Examined> {
    let name = crawler.name().unwrap_or_default();
    let mut examined = vec![Examined::ok("crawler", format!("`{name}`"))];
    let mut wrong = |found: String, help: &str| examined.push(Examined::missing("crawler", found, help));
    let (database, prefix) = (crawler.database_name().unwrap_or_default(), crawler.table_prefix().unwrap_or_default());
    if database != target.database {
        wrong(format!("`{name}` writes to database `{database}`"), "mend `database`, or the crawler's");
    }
    if prefix != target.raw_prefix {
        wrong(format!("`{name}` puts `{prefix}` before names"), "mend `raw_prefix`, or the crawler's table prefix");
    }
    let updates = crawler.schema_change_policy().and_then(|policy| policy.update_behavior());
    if updates == Some(&UpdateBehavior::Log) {
        let help = "set its UpdateBehavior to UPDATE_IN_DATABASE, unless a custom classifier needs LOG";
        wrong(format!("`{name}` only logs changes of columns, so they are never seen"), help);
    }
    let recrawls = crawler.recrawl_policy().and_then(|policy| policy.recrawl_behavior());
    if recrawls == Some(&RecrawlBehavior::CrawlNewFoldersOnly) {
        wrong(format!("`{name}` crawls new folders only, and then logs changes"), "set CRAWL_EVERYTHING");
    }
    let configuration = crawler.configuration().unwrap_or_default();
    if configuration.contains("MergeNewColumns") {
        let help = "take MergeNewColumns out of its configuration";
        wrong(format!("`{name}` merges new columns, so one that is gone is never seen"), help);
    }
    if !configuration.contains("InheritFromTable") {
        let help = "set CrawlerOutput.Partitions.AddOrUpdateBehavior to InheritFromTable";
        wrong(format!("`{name}` gives partitions columns of their own, which nobody compares"), help);
    }
    examined
}

async fn workgroup(cloud: &Cloud) -> Vec<Examined> {
    let name = &cloud.settings.workgroup;
    let answer = match cloud.athena.get_work_group().work_group(name).send().await {
        Ok(answer) => answer,
        Err(error) => {
            let help = "create the workgroup, or mend `workgroup`";
            return vec![failed("workgroup", &WORKGROUP.failed(format!("`{name}`"), error), help)];
        }
    };
    let group = answer.work_group;
    let configuration = group.as_ref().and_then(|group| group.configuration());
    let output = configuration.and_then(|it| it.result_configuration()).and_then(|it| it.output_location());
    let is_enforced = configuration.and_then(|it| it.enforce_work_group_configuration()).unwrap_or_default();
    let cutoff = configuration.and_then(|it| it.bytes_scanned_cutoff_per_query());
    let cutoff = cutoff.map_or("without a cut-off".to_owned(), |bytes| format!("cut off at {bytes} bytes a query"));
    let place = match (output, is_enforced) {
        (Some(output), true) => format!("builds and results have to go to `{output}`"),
        (Some(output), false) => format!("results go to `{output}`"),
        (None, _) => "it names no place for results".to_owned(),
    };
    let mut examined = vec![Examined::ok("workgroup", format!("`{name}`, {cutoff}; {place}"))];
    if group.as_ref().and_then(|group| group.state()).is_some_and(|state| state.as_str() == "DISABLED") {
        examined.push(Examined::missing("workgroup", format!("`{name}` is disabled"), "enable it"));
    }
    if output.is_none() && cloud.settings.results.is_none() {
        let help = "set `results` in crawlguard.toml, or the workgroup's output location";
        examined.push(Examined::missing("results", "neither the workgroup nor the target says where they go", help));
    }
    examined
}

async fn buckets(cloud: &Cloud) -> Vec<Examined> {
    let Aws { warehouse, state, results, .. } = &cloud.settings;
    let mut examined = Vec::new();
    for (setting, uri) in [("warehouse", Some(warehouse)), ("state", Some(state)), ("results", results.as_ref())] {
        if let Some(folder) = uri.and_then(|uri| S3Folder::parse(uri)) {
            examined.push(bucket(cloud, setting, &folder.bucket).await);
        }
    }
    examined.push(versioning(cloud).await);
    examined
}

async fn bucket(cloud: &Cloud, setting: &str, name: &str) -> Examined {
    let here = cloud.glue.config().region().map(|region| region.as_ref()).unwrap_or_default();
    match cloud.s3.head_bucket().bucket(name).send().await {
        Ok(answer) => match answer.bucket_region() {
            Some(region) if region != here => {
                let help = format!("name a bucket in `{here}`: Athena reads and writes in its own region");
                Examined::missing(setting, format!("bucket `{name}` is in `{region}`"), help)
            }
            _ => Examined::ok(setting, format!("bucket `{name}`")),
        },
        Err(error) => {
            let help = format!("create the bucket, or mend `{setting}` or `region`");
            failed(setting, &BUCKET.failed(format!("`{name}`"), error), help)
        }
    }
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

/// Two writes of one object that must not be there before: one is taken, one refused.
async fn conditional_writes(cloud: &Cloud) -> Examined {
    let what = "conditional writes";
    let store = cloud.store();
    let probed: Result<bool, PortError> = async {
        store.remove(PROBE).await?;
        store.put(PROBE, b"1", &Expect::Absent).await?;
        let again = store.put(PROBE, b"2", &Expect::Absent).await;
        store.remove(PROBE).await?;
        match again {
            Err(error) if error.kind == PortErrorKind::Conflict => Ok(true),
            Err(error) => Err(error),
            Ok(_) => Ok(false),
        }
    }
    .await;
    match probed {
        Ok(true) => Examined::ok(what, format!("`{}` refuses a second writer", cloud.settings.state)),
        Ok(false) => {
            let found = format!("`{}` took an object that was there already", cloud.settings.state);
            Examined::missing(what, found, "use a store that keeps If-None-Match; two runs at once would clash")
        }
        Err(error) => failed(what, &error, "allow s3:GetObject, s3:PutObject and s3:DeleteObject under `state`"),
    }
}

async fn topic(cloud: &Cloud) -> Examined {
    let arn = &cloud.settings.topic;
    let mut pages = cloud.sns.list_subscriptions_by_topic().topic_arn(arn).into_paginator().send();
    let (mut confirmed, mut pending) = (0, 0);
    while let Some(page) = pages.next().await {
        let page = match page {
            Ok(page) => page,
            Err(error) => {
                let help = "create the topic, or mend `topic` or `region`";
                return failed("topic", &TOPIC.failed(format!("`{arn}`"), error), help);
            }
        };
        let is_mail = |protocol: Option<&str>| protocol.is_some_and(|protocol| protocol.starts_with("email"));
        for subscription in page.subscriptions().iter().filter(|it| is_mail(it.protocol())) {
            let is_confirmed = subscription.subscription_arn().is_some_and(|arn| arn.starts_with("arn:"));
            *(if is_confirmed { &mut confirmed } else { &mut pending }) += 1;
        }
    }
    match (confirmed, pending) {
        (0, 0) => {
            let help = format!("aws sns subscribe --topic-arn {arn} --protocol email --notification-endpoint ADDRESS");
            Examined::missing("topic", format!("nobody gets a mail from `{arn}`"), help)
        }
        (0, pending) => {
            let help = "follow the link in the mail that SNS sent";
            Examined::missing(
                "topic",
                format!("{pending} mail subscriptions of `{arn}` wait for their confirmation"),
                help,
            )
        }
        (confirmed, _) => Examined::ok("topic", format!("`{arn}` mails to {confirmed}")),
    }
}

/// What the Lambda runs by, read as it would read it.
async fn deployed(world: &World, cloud: &Cloud) -> Examined {
    let what = "deployed project";
    let help = "run `crawlguard contracts push`";
    let uri = format!("{}/{}", cloud.settings.state.trim_end_matches('/'), bundle::KEY);
    let bundle = match bundle::deployed(&cloud.store()).await {
        Ok(Some((bundle, _))) => bundle,
        Ok(None) => return Examined::missing(what, format!("there is none at `{uri}`"), help),
        Err(RunError::Port(error)) => return failed(what, &error, help),
        Err(error) => return Examined::missing(what, error.to_string(), help),
    };
    let read = || -> anyhow::Result<()> {
        let folder = tempfile::tempdir()?;
        bundle.unpack(folder.path())?;
        let settings = Settings::read(folder.path())?;
        settings.target(Some(&world.target))?;
        Project::read(settings)?;
        Ok(())
    };
    let revision: String = bundle.revision.chars().take(12).collect();
    match read() {
        Ok(()) => Examined::ok(what, format!("`{uri}`, revision {revision} of {}", bundle.pushed.at)),
        Err(error) => Examined::missing(what, format!("`{uri}`: {error:#}"), "mend these files and push again"),
    }
}
