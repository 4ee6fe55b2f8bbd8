//! `plan`, `run`, `runs`, `rollback`.

use std::process::ExitCode;

use anyhow::{Context, bail};
use jiff::Timestamp;
use serde_json::json;

use super::args::{Format, Globals};
use super::world::{self, World};
use super::{exit, print};
use crate::catalog::Catalog;
use crate::notify::Outbox;
use crate::pipeline::{Project, Run, begin, compare, load, runs as run_ids};
use crate::plan::run_id;
#[cfg(feature = "embedded")]
use crate::problem::Problem;
use crate::report::human;

pub async fn plan(globals: &Globals) -> anyhow::Result<ExitCode> {
    let world = World::open(globals)?;
    let project = Project::read(world.settings.clone())?;
    let comparison = compare(&project, world.catalog.as_ref(), &world.local.raw_prefix).await?;
    let slot = world::now();
    let run = begin(&project, &world.target, &comparison, &slot, &run_id(&slot))?;
    #[cfg(feature = "embedded")]
    if !run.plan.steps.is_empty() {
        crate::pipeline::readable(&project, &comparison, crate::engine::duckdb::refusal)?;
    }
    print(
        globals,
        || json!({"schema_version": 1, "verdict": run.verdict, "findings": run.findings, "adapted": run.adapted, "not_carried": run.not_carried, "plan": run.plan}),
        || human::plan(&run),
    )?;
    Ok(exit::of_verdict(run.verdict))
}

/// Crawls (unless told not to), then drives a run to its end.
pub async fn run(globals: &Globals, slot: Option<Timestamp>, crawls: bool) -> anyhow::Result<ExitCode> {
    let world = World::open(globals)?;
    let run = execute(globals, &world, slot, crawls).await?;
    print_run(globals, &run)?;
    if globals.format == Format::Human
        && let Some(text) = Outbox::new(&world.store).sent(&run.run_id).await?
    {
        print(globals, || json!(null), || format!("\n{text}"))?;
    }
    Ok(exit::of_outcome(run.outcome))
}

fn print_run(globals: &Globals, run: &Run) -> anyhow::Result<()> {
    print(globals, || serde_json::to_value(run).expect("a run is plain JSON"), || human::run(run))
}

/// One run, resumed or new, to its outcome.
#[cfg(feature = "embedded")]
pub async fn execute(globals: &Globals, world: &World, slot: Option<Timestamp>, crawls: bool) -> anyhow::Result<Run> {
    use std::sync::Arc;

    use super::{crawl, inputs};
    use crate::engine::duckdb::DuckDbEngine;
    use crate::pipeline::{Ports, Request, unfinished};
    use crate::problem::Problems;
    use crate::report::progress::Progress;
    use crate::store::Store;

    let holder = format!("{}, process {}, since {}", world::who(), std::process::id(), world::now());
    let _lease = world.store.lock(&holder).await?;
    let inputs = inputs::fingerprint(&world.lake())?;
    // A run that was cut off goes on over what it compared, if that is still what its files say.
    let cut = unfinished(&world.store).await?;
    let resumes = cut.as_ref().is_some_and(|cut| cut.run.inputs == inputs);
    // A known table that cannot be read is a finding; a source without a table would otherwise go unmentioned.
    let mut problems = match crawls && !resumes {
        true => crawl::unseen_problems(world, &crawl::update(world).await?).await?,
        false => Vec::new(),
    };
    let project = Project::read(world.settings.clone());
    problems.extend(match &project {
        Ok(project) => untranslatable(project, &world.local.database),
        Err(found) => found.0.clone(),
    });
    Problems::or(problems, ())?;
    let project = project?;
    let engine = DuckDbEngine::new(Arc::clone(&world.catalog), world.warehouse())?;
    let outbox = Outbox::new(&world.store);
    let progress = Progress::new(globals.quiet);
    let ports = Ports {
        catalog: world.catalog.as_ref(),
        engine: &engine,
        notifier: &outbox,
        store: &world.store,
        reporter: &progress,
    };
    let request = Request {
        target: &world.target,
        raw_prefix: &world.local.raw_prefix,
        keep_versions: world.local.keep_versions,
        slot: &slot.map_or_else(world::now, world::slot),
        inputs: &inputs,
        // A slot that was named is run once, however often a scheduler asks; now is always new.
        again: slot.is_none(),
        commands: &world.commands,
    };
    let run = crate::pipeline::run(ports, &project, cut, request).await;
    progress.finish();
    Ok(run?)
}

/// What the embedded engine refuses of the models, before anything is built: places are those of their files.
#[cfg(feature = "embedded")]
fn untranslatable(project: &Project, database: &str) -> Vec<Problem> {
    use crate::engine::duckdb::translate;

    let models = project.graph.models.values();
    models.filter_map(|model| translate(&model.file, &model.text, database).err()).flat_map(|found| found.0).collect()
}

#[cfg(not(feature = "embedded"))]
pub async fn execute(_: &Globals, _: &World, _: Option<Timestamp>, _: bool) -> anyhow::Result<Run> {
    bail!("this crawlguard was built without the embedded engine; build it with --features embedded")
}

pub async fn runs(globals: &Globals, id: Option<&str>) -> anyhow::Result<ExitCode> {
    let world = World::open(globals)?;
    if let Some(id) = id {
        let recorded =
            load(&world.store, id).await?.with_context(|| format!("no run `{id}`; `crawlguard runs` lists them"))?;
        print_run(globals, &recorded.run)?;
        return Ok(ExitCode::from(exit::CLEAN));
    }
    let mut all = Vec::new();
    for id in run_ids(&world.store).await? {
        all.extend(load(&world.store, &id).await?.map(|recorded| recorded.run));
    }
    let rows = || {
        all.iter()
            .map(|run| json!({"run_id": run.run_id, "slot": run.slot, "verdict": run.verdict, "outcome": run.outcome}))
    };
    print(globals, || json!({"schema_version": 1, "runs": rows().collect::<Vec<_>>()}), || human::runs(&all))?;
    Ok(ExitCode::from(exit::CLEAN))
}

pub async fn rollback(globals: &Globals, table: &str, to: Option<&str>) -> anyhow::Result<ExitCode> {
    use crate::store::Store;

    let world = World::open(globals)?;
    let _lease = world.store.lock(&format!("{}, rolling back {table}", world::who())).await?;
    if table.starts_with(&world.local.raw_prefix) {
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
