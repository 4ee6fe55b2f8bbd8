//! `plan`, `run`, `runs`, `rollback`.

use std::process::ExitCode;

use anyhow::{Context, bail};
use jiff::Timestamp;
use serde_json::json;

use super::args::{Format, Globals};
#[cfg(feature = "aws")]
use super::cloud;
use super::world::{self, Here, Place, World};
use super::{crawl, exit, inputs, print};
use crate::engine::Engine;
use crate::notify::{Notifier, Outbox};
use crate::pipeline::{Ports, Project, Recorded, Request, Run, begin, compare, load, runs as run_ids, unfinished};
use crate::plan::run_id;
use crate::problem::Problems;
use crate::report::human;
use crate::report::progress::Progress;

pub async fn plan(globals: &Globals) -> anyhow::Result<ExitCode> {
    let world = World::open(globals).await?;
    let project = Project::read(world.settings.clone())?;
    let comparison = compare(&project, world.catalog.as_ref(), world.raw_prefix()).await?;
    let slot = world::now();
    let run = begin(&project, &world.target, &comparison, &slot, &run_id(&slot))?;
    print(
        globals,
        || json!({"schema_version": 1, "verdict": run.verdict, "findings": run.findings, "adapted": run.adapted, "not_carried": run.not_carried, "plan": run.plan}),
        || human::plan(&run),
    )?;
    Ok(exit::of_verdict(run.verdict))
}

/// Crawls (unless told not to), then drives a run to its end.
pub async fn run(globals: &Globals, slot: Option<Timestamp>, crawls: bool) -> anyhow::Result<ExitCode> {
    let world = World::open(globals).await?;
    let run = execute(globals, &world, slot, crawls).await?;
    print_run(globals, &run)?;
    if globals.format == Format::Human
        && let Some(text) = Outbox::new(world.store.as_ref()).sent(&run.run_id).await?
    {
        print(globals, || json!(null), || format!("\n{text}"))?;
    }
    Ok(exit::of_outcome(run.outcome))
}

fn print_run(globals: &Globals, run: &Run) -> anyhow::Result<()> {
    print(globals, || serde_json::to_value(run).expect("a run is plain JSON"), || human::run(run))
}

/// One run, resumed or new, to its outcome.
pub async fn execute(globals: &Globals, world: &World, slot: Option<Timestamp>, crawls: bool) -> anyhow::Result<Run> {
    match &world.place {
        Place::Here(here) => execute_here(globals, world, here, slot, crawls).await,
        #[cfg(feature = "aws")]
        Place::Cloud(cloud) => cloud::execute(globals, world, cloud, slot).await,
    }
}

async fn execute_here(
    globals: &Globals,
    world: &World,
    here: &Here,
    slot: Option<Timestamp>,
    crawls: bool,
) -> anyhow::Result<Run> {
    let engine = world.engine()?;
    let _lease = world.store.lock(&holder()).await?;
    let inputs = inputs::fingerprint(&here.lake)?;
    // A run that was cut off goes on over what it compared, if that is still what its files say.
    let cut = unfinished(world.store.as_ref()).await?;
    let resumes = cut.as_ref().is_some_and(|cut| cut.run.inputs == inputs);
    if crawls && !resumes {
        let unseen = crawl::unseen_problems(world, &crawl::update(world).await?).await?;
        // A known table that cannot be read is a finding; a source without a table would otherwise go unmentioned.
        if !unseen.is_empty() {
            return Err(Problems(unseen).into());
        }
    }
    let outbox = Outbox::new(world.store.as_ref());
    drive(globals, world, engine.as_ref(), &outbox, cut, &inputs, slot).await
}

async fn drive(
    globals: &Globals,
    world: &World,
    engine: &dyn Engine,
    notifier: &dyn Notifier,
    cut: Option<Recorded>,
    inputs: &str,
    slot: Option<Timestamp>,
) -> anyhow::Result<Run> {
    let project = Project::read(world.settings.clone())?;
    let progress = Progress::new(globals.quiet);
    let (catalog, store) = (world.catalog.as_ref(), world.store.as_ref());
    let ports = Ports { catalog, engine, notifier, store, reporter: &progress };
    let request = Request {
        inputs,
        slot: &slot.map_or_else(world::now, world::slot),
        // A slot that was named is run once, however often a scheduler asks; now is always new.
        again: slot.is_none(),
        ..world.request()
    };
    let run = crate::pipeline::run(ports, &project, cut, request).await;
    progress.finish();
    Ok(run?)
}

pub fn holder() -> String {
    format!("{}, process {}, since {}", world::who(), std::process::id(), world::now())
}

pub async fn runs(globals: &Globals, id: Option<&str>) -> anyhow::Result<ExitCode> {
    let world = World::open(globals).await?;
    if let Some(id) = id {
        let recorded = load(world.store.as_ref(), id)
            .await?
            .with_context(|| format!("no run `{id}`; `crawlguard runs` lists them"))?;
        print_run(globals, &recorded.run)?;
        return Ok(ExitCode::from(exit::CLEAN));
    }
    let mut all = Vec::new();
    for id in run_ids(world.store.as_ref()).await? {
        all.extend(load(world.store.as_ref(), &id).await?.map(|recorded| recorded.run));
    }
    let rows = || {
        all.iter()
            .map(|run| json!({"run_id": run.run_id, "slot": run.slot, "verdict": run.verdict, "outcome": run.outcome}))
    };
    print(globals, || json!({"schema_version": 1, "runs": rows().collect::<Vec<_>>()}), || human::runs(&all))?;
    Ok(ExitCode::from(exit::CLEAN))
}

pub async fn rollback(globals: &Globals, table: &str, to: Option<&str>) -> anyhow::Result<ExitCode> {
    let world = World::open(globals).await?;
    let _lease = world.store.lock(&format!("{}, rolling back {table}", world::who())).await?;
    if table.starts_with(world.raw_prefix()) {
        bail!("`{table}` is the crawler's, not a published table");
    }
    let versions = world.catalog.versions(table).await?;
    let numbers: Vec<_> = versions.iter().filter_map(|version| version.version.clone()).collect();
    let wanted = match to {
        Some(version) => version.to_owned(),
        None => numbers.get(1).cloned().with_context(|| format!("`{table}` has no earlier version"))?,
    };
    if !numbers.contains(&wanted) {
        bail!("`{table}` has no version {wanted}; kept: {}", numbers.join(", "));
    }
    let now = world.catalog.restore(table, &wanted).await?;
    let version = now.version.unwrap_or_default();
    print(
        globals,
        || json!({"schema_version": 1, "table": table, "restored": wanted, "version": version}),
        || format!("{table} shows version {wanted} again, as version {version}\n"),
    )?;
    Ok(ExitCode::from(exit::CLEAN))
}
