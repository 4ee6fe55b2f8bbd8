//! What only a target on AWS has: its crawler, and runs that others may drive too.

use std::io::Write;
use std::time::Duration;

use anyhow::{Context, bail};
use jiff::Timestamp;

use super::args::Globals;
use super::run::{Asked, Ended, holder};
use super::world::{self, Crawled, World};
use super::{provenance, say};
use crate::catalog::CrawlStatus;
use crate::catalog::glue::crawler;
use crate::cloud::Cloud;
use crate::config::FILE;
use crate::pipeline::{
    Asked as Asking, Ports, Project, Provenance, Recorded, Schemas, Step, Stopped, Why, crawl_failed, drive, enqueue,
    is_ended, joined, load, status, stop,
};
use crate::plan::{self, run_id};
use crate::port::PortErrorKind;
use crate::problem::{Problem, Problems};
use crate::report::progress::Progress;
use crate::store::Store;

/// Between two looks at a crawler, which takes minutes.
const CRAWL_POLL: Duration = Duration::from_secs(5);
/// Between two looks at a run that somebody else is ending.
const POLL: Duration = Duration::from_secs(1);

/// Where the SDK sends calls that do not go to AWS.
const ENDPOINT: &str = "AWS_ENDPOINT_URL";

/// Starts the target's crawler and waits for it. A crawl that is under way may have passed over files that came since, so
/// another one follows it.
pub async fn crawl(globals: &Globals, world: &World, cloud: &Cloud) -> anyhow::Result<CrawlStatus> {
    let name = cloud.settings.crawler.as_deref().with_context(|| {
        format!("target `{0}` names no crawler; set `crawler` in [targets.{0}] of crawlguard.toml", world.target)
    })?;
    world.who().await?;
    if !crawler::start(&cloud.glue, name).await? {
        let why = "is at work already, and may have passed over the newest files; it is started again when it is done";
        say(globals, &format!("crawler `{name}` {why}"));
        crawl_ended(cloud, name).await?;
        // Whoever starts this one, it begins after the command did.
        crawler::start(&cloud.glue, name).await?;
    }
    say(globals, &format!("crawler `{name}` is at work"));
    let begun = Timestamp::now();
    let status = crawl_ended(cloud, name).await?;
    let seconds = Timestamp::now().duration_since(begun).as_secs();
    say(globals, &format!("crawler `{name}` is done after {seconds} s"));
    match status.error {
        Some(error) => bail!(crawl_failed(name, &error)),
        None => Ok(status),
    }
}

/// That calls can be made at all, and by credentials of the account that the target names; everything that is wrong.
pub async fn admit(world: &World, cloud: &Cloud) -> anyhow::Result<()> {
    reachable(world, cloud)?;
    if cloud.settings.account.is_some() {
        cloud.caller().await?;
    }
    Ok(())
}

/// That region and endpoint are something that a call can be sent to.
pub fn reachable(world: &World, cloud: &Cloud) -> Result<(), Problems> {
    let mut problems = Vec::new();
    if cloud.region().is_none() {
        let place = format!("targets.{}.region", world.target);
        let help = "set it to where the database is, as region = \"eu-central-1\"; or set AWS_REGION, or `region` in the AWS \
                    profile";
        problems.push(Problem::new(FILE, place, "no region is set, here or in the environment", help));
    }
    let is_url = |url: &String| url.starts_with("http://") || url.starts_with("https://");
    if let Some(url) = std::env::var(ENDPOINT).ok().filter(|url| !url.is_empty() && !is_url(url)) {
        let help = "write it as http://host:port, or unset it to call AWS";
        problems.push(Problem::new(ENDPOINT, "", format!("`{url}` is no URL"), help));
    }
    Problems::or(problems, ())
}

async fn crawl_ended(cloud: &Cloud, name: &str) -> anyhow::Result<CrawlStatus> {
    loop {
        let status = crawler::status(&cloud.glue, name).await?;
        if !status.running {
            return Ok(status);
        }
        tokio::time::sleep(CRAWL_POLL).await;
    }
}

/// When the last crawl began, if a crawler is named; refused as a run would refuse: while one is at work, or after one that
/// failed.
pub async fn crawled_at(world: &World) -> anyhow::Result<Crawled> {
    let Some(CrawlStatus { crawler, running, last, error, notes }) = world.catalog.crawl().await? else {
        return Ok(Crawled { at: None, notes: Vec::new() });
    };
    let crawl = world.commands.line("crawl");
    let refusal = match error {
        _ if running => {
            let help = format!("run this again when it is done; `{crawl}` waits for it");
            Problem::new(
                "",
                "",
                format!("crawler `{crawler}` is at work, and its tables are not whole until it is done"),
                help,
            )
        }
        Some(error) => {
            let help = format!("mend that, and run `{crawl}`");
            Problem::new("", "", crawl_failed(&crawler, &error), help)
        }
        None => return Ok(Crawled { at: last.and_then(|last| last.parse().ok()), notes }),
    };
    Err(Problems::from(refusal).into())
}

/// Asks for a run and drives what is stored until it has ended, together with any Lambda that does so too. Cut off, it is
/// gone on with by whoever comes next. It does not crawl: a crawl is billed by ten minutes, and `crawl` is there for it.
pub async fn execute(globals: &Globals, world: &World, cloud: &Cloud, asked: Asked) -> anyhow::Result<Ended> {
    let who = world.who().await?;
    let holder = holder(&who);
    let project = world.project()?;
    let provenance = provenance::of_run(world, who, asked.undeployed).await?;
    let project = Project { provenance: Some(provenance), ..project };
    let progress = Progress::new(globals.quiet);
    let (engine, notifier) = (world.engine()?, cloud.notifier());
    let (catalog, store) = (world.catalog.as_ref(), world.store.as_ref());
    let inputs = Schemas { catalog, raw_prefix: world.raw_prefix() };
    let ports = Ports {
        catalog,
        engine: engine.as_ref(),
        notifier: &notifier,
        store,
        reporter: &progress,
        inputs: Some(&inputs),
    };
    let (mut slot, mut taken) = match asked.slot {
        Some(moment) => {
            let slot = plan::slot(moment);
            (slot.clone(), enqueue(store, &slot, Why::Command).await?)
        }
        None => for_now(globals, store, &project).await?,
    };
    let is_joined = asked.slot.is_none() && taken == Asking::Known;
    let mut id = run_id(&slot);
    loop {
        let driven = drive(ports, &project, world.request(), &holder, &mut Vec::new()).await;
        if let Some(recorded) = load(store, &id).await?.filter(|recorded| recorded.run.outcome.is_some()) {
            if let Some(slot) = &recorded.run.superseded_by {
                id = run_id(slot);
                continue;
            }
            progress.finish();
            return Ok(Ended { run: recorded.run, after: driven.err() });
        }
        if let Err(error) = &driven
            && let Some(lasting) = error.lasting()
            && has_begun(store).await?
        {
            // This machine's rights are not the function's, which may go on with the run.
            if lasting.kind != PortErrorKind::Denied {
                match stop(ports, &project, world.request(), &holder, lasting).await? {
                    Stopped::Ended(_) => continue,
                    Stopped::Busy { .. } => {
                        tokio::time::sleep(POLL).await;
                        continue;
                    }
                    // Another driver has ended it since.
                    Stopped::Nothing if is_ended(store, &id).await? => continue,
                    Stopped::Nothing => {}
                }
            }
        }
        let step = match driven {
            Ok(step) => step,
            Err(error) => {
                progress.finish();
                left(world, store, &id).await?;
                return Err(error.into());
            }
        };
        match step {
            Step::Waiting { queries, .. } => engine.wait(&queries).await?,
            Step::Busy { .. } => tokio::time::sleep(POLL).await,
            Step::Crawling => tokio::time::sleep(CRAWL_POLL).await,
            // A newer one has taken its place.
            Step::Idle if is_joined && taken == Asking::Known => {
                (slot, taken) = for_now(globals, store, &project).await?;
                id = run_id(&slot);
            }
            Step::Idle => {
                bail!("{}", taken.refusal(&slot).unwrap_or_else(|| format!("the run for slot {slot} is gone")))
            }
        }
    }
}

/// Goes on with a run, or asks for one for now. A moment is run once, and the run of this one may have ended: then the next
/// is waited for.
async fn for_now(globals: &Globals, store: &dyn Store, project: &Project) -> anyhow::Result<(String, Asking)> {
    loop {
        if let Some(slot) = joined_run(globals, store, project).await? {
            return Ok((slot, Asking::Known));
        }
        let slot = world::now();
        match enqueue(store, &slot, Why::Command).await? {
            Asking::Known => tokio::time::sleep(POLL).await,
            taken => return Ok((slot, taken)),
        }
    }
}

/// Says how the run stands that an error leaves under way, whatever else is not to be said.
async fn left(world: &World, store: &dyn Store, id: &str) -> anyhow::Result<()> {
    let Ok(Some(Recorded { run, .. })) = load(store, id).await else { return Ok(()) };
    let stands = match run.is_publishing() {
        true => "stands amid its publication, and readers may see tables of two runs until it goes on",
        false => "stays under way, and nothing of it is published",
    };
    let next = world.commands.line("run");
    writeln!(
        anstream::stderr(),
        "note: run {id} {stands}: `{next}` goes on with it, and so does the function where one is deployed"
    )?;
    Ok(())
}

/// The slot of the run that one for now goes on with: a second build by the same text would show nothing else.
async fn joined_run(globals: &Globals, store: &dyn Store, project: &Project) -> anyhow::Result<Option<String>> {
    let Some(known) = joined(store).await? else { return Ok(None) };
    let id = run_id(&known.slot);
    let recorded = load(store, &id).await?;
    let revision = |of: &Option<Provenance>| of.as_ref().map(|of| of.revision.clone());
    if recorded.is_some_and(|it| revision(&it.run.provenance) != revision(&project.provenance)) {
        return Ok(None);
    }
    say(globals, &format!("going on with run {id}, which was asked for already"));
    Ok(Some(known.slot))
}

/// Whether there is a run under way that has a record.
async fn has_begun(store: &dyn Store) -> anyhow::Result<bool> {
    let Some(active) = status(store).await?.active else { return Ok(false) };
    Ok(load(store, &run_id(&active.slot)).await?.is_some())
}
