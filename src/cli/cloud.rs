//! What only a target on AWS has: its crawler, and runs that others may drive too.

use std::time::Duration;

use anyhow::{Context, bail};
use jiff::Timestamp;

use super::args::Globals;
use super::run::holder;
use super::say;
use super::world::{self, World};
use crate::catalog::CrawlStatus;
use crate::catalog::glue::crawler;
use crate::cloud::Cloud;
use crate::pipeline::{Ports, Run, Schemas, Step, Why, crawl_failed, drive, enqueue, load};
use crate::plan::{self, run_id};
use crate::report::progress::Progress;

/// Between two looks at a crawler, which takes minutes.
const CRAWL_POLL: Duration = Duration::from_secs(5);
/// Between two looks at a run that somebody else is ending.
const POLL: Duration = Duration::from_secs(1);

/// Starts the target's crawler and waits for it.
pub async fn crawl(globals: &Globals, world: &World, cloud: &Cloud) -> anyhow::Result<CrawlStatus> {
    let name = cloud.settings.crawler.as_deref().with_context(|| {
        format!("target `{0}` names no crawler; set `crawler` in [targets.{0}] of crawlguard.toml", world.target)
    })?;
    world.who().await?;
    crawler::start(&cloud.glue, name).await?;
    say(globals, &format!("crawler `{name}` is at work"));
    let begun = Timestamp::now();
    loop {
        let status = crawler::status(&cloud.glue, name).await?;
        if !status.running {
            let seconds = Timestamp::now().duration_since(begun).as_secs();
            say(globals, &format!("crawler `{name}` is done after {seconds} s"));
            if let Some(error) = status.error {
                bail!(crawl_failed(name, &error));
            }
            return Ok(status);
        }
        tokio::time::sleep(CRAWL_POLL).await;
    }
}

/// Asks for a run and drives what is stored until it has ended, together with any Lambda that does so too. Cut off, it is
/// gone on with by whoever comes next. It does not crawl: a crawl is billed by ten minutes, and `crawl` is there for it.
pub async fn execute(globals: &Globals, world: &World, cloud: &Cloud, slot: Option<Timestamp>) -> anyhow::Result<Run> {
    let holder = holder(world).await?;
    let project = world.project()?;
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
    let slot = slot.map_or_else(world::now, plan::slot);
    let mut id = run_id(&slot);
    enqueue(store, &slot, Why::Command).await?;
    loop {
        let (_, step) = drive(ports, &project, world.request(), &holder).await?;
        if let Some(recorded) = load(store, &id).await?.filter(|recorded| recorded.run.outcome.is_some()) {
            if let Some(slot) = &recorded.run.superseded_by {
                id = run_id(slot);
                continue;
            }
            progress.finish();
            return Ok(recorded.run);
        }
        match step {
            Step::Waiting { queries, .. } => engine.wait(&queries).await?,
            Step::Busy { .. } => tokio::time::sleep(POLL).await,
            Step::Crawling => tokio::time::sleep(CRAWL_POLL).await,
            Step::Idle => bail!("slot {slot} is older than a run that has begun already, and would show nothing new"),
        }
    }
}
