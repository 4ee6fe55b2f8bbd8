//! What a target on AWS needs, each asked of the service that has it.

use aws_sdk_glue::types::{Database, Permission};
use jiff::{SignedDuration, Timestamp};

use super::{Examined, bucket, crawler, stack, topic, wiring, workgroup};
use crate::aws::{Call, advice};
use crate::cli::world::World;
use crate::cloud::Cloud;
use crate::config::Settings;
use crate::pipeline::{Project, RunError, bundle};
use crate::port::{PortError, PortErrorKind};
use crate::store::{Expect, Store};

const DATABASE: Call = Call::new("read database", "glue:GetDatabase");
/// Written, refused and removed again.
const PROBE: &str = "doctor.probe";

pub async fn examine(world: &World, cloud: &Cloud) -> Vec<Examined> {
    let mut examined = vec![region(cloud)];
    // Without a region nothing can be asked, and without credentials every other answer would be the same.
    if cloud.region().is_none() {
        return examined;
    }
    let identity = identity(cloud).await;
    let is_somebody = identity.state == super::State::Ok;
    examined.push(identity);
    if !is_somebody {
        return examined;
    }
    examined.extend(database(cloud).await);
    examined.extend(crawler::examine(cloud).await);
    let (workgroup, enforced) = workgroup::examine(cloud).await;
    examined.extend(workgroup);
    examined.extend(bucket::examine(cloud, enforced.as_deref()).await);
    examined.push(conditional_writes(cloud).await);
    examined.extend(topic::examine(cloud).await);
    examined.push(deployed(world, cloud).await);
    let stack = stack::stack_name(&world.settings.config.project, &world.target);
    examined.push(last_run(cloud, &stack).await);
    examined.extend(stack::examine(world, cloud).await);
    examined
}

/// What the error itself advises comes before what is usual.
pub(super) fn failed(what: &str, error: &PortError, help: impl Into<String>) -> Examined {
    let mut examined = Examined::failed(what, error, help);
    if let Some(advice) = advice(&error.message) {
        examined.found = examined.found.replace(&format!("; {advice}"), "");
        examined.help = advice.to_owned();
    }
    examined
}

fn region(cloud: &Cloud) -> Examined {
    let of_topic = cloud.settings.topic.split(':').nth(3).unwrap_or_default();
    match cloud.region() {
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

async fn database(cloud: &Cloud) -> Vec<Examined> {
    let name = &cloud.settings.database;
    match cloud.glue.get_database().name(name).send().await {
        Ok(answer) => {
            let mut examined = vec![Examined::ok("database", format!("`{name}`"))];
            examined.extend(answer.database().and_then(lake_formation));
            examined
        }
        Err(error) => {
            let help = "create the Glue database, or mend `database` or `region`";
            vec![failed("database", &DATABASE.failed(format!("`{name}`"), error), help)]
        }
    }
}

/// A database whose new tables are open to whomever IAM allows needs no grants.
/// <https://docs.aws.amazon.com/lake-formation/latest/dg/change-settings.html>
fn lake_formation(database: &Database) -> Option<Examined> {
    let is_open = database.create_table_default_permissions().iter().any(|granted| {
        let who = granted.principal().and_then(|it| it.data_lake_principal_identifier());
        who == Some("IAM_ALLOWED_PRINCIPALS") && granted.permissions().contains(&Permission::All)
    });
    let name = database.name();
    let found =
        format!("Lake Formation opens new tables of `{name}`, not IAM alone; its grants to the function's role");
    let help = format!(
        "set `lakeFormation` in infra/settings.ts and deploy, and look at `aws lakeformation list-permissions --resource \
         '{{\"Database\":{{\"Name\":\"{name}\"}}}}'`"
    );
    (!is_open).then(|| Examined::not_checked("Lake Formation", found, help))
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

/// Longer than from one daily run to the next: where no alarm knows better.
const A_DAY: SignedDuration = SignedDuration::from_hours(26);

/// Runs come by themselves if the crawler's events and the schedule start the function.
async fn last_run(cloud: &Cloud, stack: &str) -> Examined {
    let what = "last run";
    let keys = match cloud.store().list("runs/").await {
        Ok(keys) => keys,
        Err(error) => return failed(what, &error, "allow s3:ListBucket on the bucket of `state`"),
    };
    let newest = keys.iter().filter_map(|key| key.rsplit('/').next()?.strip_suffix(".json")).max();
    let patience = wiring::patience(cloud, stack).await.unwrap_or(A_DAY);
    judge_last_run(newest, Timestamp::now(), patience)
}

fn judge_last_run(newest: Option<&str>, now: Timestamp, patience: SignedDuration) -> Examined {
    let (what, help) = ("last run", "see docs/runbook/no-run.md; before the first deployment there is none");
    let Some(newest) = newest else { return Examined::caution(what, "there was none", help) };
    match began(newest).map(|began| now.duration_since(began) > patience) {
        Some(false) => Examined::ok(what, newest),
        _ => Examined::caution(what, format!("{newest}, and none in the last {} hours", patience.as_hours()), help),
    }
}

/// The moment of a run's id, `20260102T030405Z`.
fn began(run_id: &str) -> Option<Timestamp> {
    let part = |from: usize, to: usize| run_id.get(from..to);
    let date = format!("{}-{}-{}", part(0, 4)?, part(4, 6)?, part(6, 8)?);
    format!("{date}T{}:{}:{}Z", part(9, 11)?, part(11, 13)?, part(13, 15)?).parse().ok()
}

#[cfg(test)]
mod tests {
    use super::super::State::{Caution, Ok};
    use super::*;

    #[test]
    fn a_run_is_late_once_its_alarm_would_be() {
        let now = "2026-01-05T12:00:00Z".parse().expect("a moment");
        let found = |newest, hours| judge_last_run(newest, now, SignedDuration::from_hours(hours));
        let friday = Some("20260102T120000Z");
        assert_eq!(found(friday, 80).state, Ok);
        let late = found(friday, 26);
        assert_eq!(late.state, Caution);
        assert!(late.found.ends_with("none in the last 26 hours"), "{}", late.found);
        assert_eq!(found(None, 80).state, Caution);
    }
}
