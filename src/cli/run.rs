//! `plan`, `run`, `runs`.

use std::io::Write;
use std::process::ExitCode;

use anyhow::Context;
use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use super::args::Globals;
#[cfg(feature = "aws")]
use super::cloud;
use super::world::{self, Here, Place, World};
use super::{contracts, crawl, exit, inputs, print, provenance, say};
use crate::notify::Outbox;
use crate::pipeline::{
    Outcome, Ports, Project, Recorded, Request, Run, RunError, StepStatus, begin, compare, end, load, look_beside,
    refuse_locked, runs as run_ids, unfinished,
};
use crate::plan::{self, run_id};
use crate::problem::{Problem, Problems};
use crate::report::human;
use crate::report::progress::Progress;

pub async fn plan(globals: &Globals) -> anyhow::Result<ExitCode> {
    let world = World::open(globals).await?;
    let project = world.project()?;
    world.admit().await?;
    let crawled = world.crawled_at().await?;
    let as_of = crawled.at;
    let comparison = compare(&project, world.catalog.as_ref(), world.raw_prefix()).await?;
    provenance::note(globals, &world).await?;
    let slot = world::now();
    let mut run = begin(&project, &world.target, &comparison, &slot, &run_id(&slot), &world.commands)?;
    look_beside(&project, &comparison, &mut run)?;
    run.notes.extend(crawled.notes);
    #[cfg(feature = "embedded")]
    if !run.plan.steps.is_empty()
        && let Place::Here(here) = &world.place
    {
        Problems::or(untranslatable(&project, &here.local.database), ())?;
        crate::pipeline::readable(&project, &comparison, crate::engine::duckdb::refusal)?;
    }
    print(
        globals,
        || json!({"schema_version": 1, "verdict": run.verdict, "findings": run.findings, "adapted": run.adapted, "not_carried": run.not_carried, "notes": run.notes, "orphans": run.orphans, "plan": run.plan, "catalog_as_of": as_of.map(plan::slot)}),
        || human::catalog_age(as_of, Timestamp::now()) + &human::plan(&run),
    )?;
    Ok(exit::of_verdict(run.verdict))
}

/// How a run is asked for.
#[derive(Debug, Clone, Copy, Default)]
pub struct Asked {
    /// The moment that it stands for, if not now.
    pub slot: Option<Timestamp>,
    pub crawls: bool,
    /// It may go by another project than the deployed one.
    #[cfg_attr(not(feature = "aws"), expect(dead_code, reason = "only what is on AWS is deployed"))]
    pub undeployed: bool,
}

/// Crawls (unless told not to), then drives a run to its end.
pub async fn run(globals: &Globals, asked: Asked) -> anyhow::Result<ExitCode> {
    if let Some(slot) = asked.slot {
        past(slot, Timestamp::now())?;
    }
    let world = World::open(globals).await?;
    tokio::spawn(interruptible(world.commands.line("run"), world.is_deployed()));
    let Ended { run, after } = execute(globals, &world, asked).await?;
    let text = shown(&world, &run).await?;
    print_run(globals, &run, || text + &human::unchecked(&run, &world.commands))?;
    Ok(match after {
        Some(error) => {
            writeln!(anstream::stderr(), "error: {error}")?;
            ExitCode::from(exit::NO_ANSWER)
        }
        None => exit::of_outcome(run.outcome),
    })
}

/// How far this machine's clock may be behind the one that a slot is from.
const SKEW: SignedDuration = SignedDuration::from_mins(5);

/// That a slot is not still to come: its alert would count as the last one until then, and nobody would be reminded.
fn past(slot: Timestamp, now: Timestamp) -> Result<(), Problems> {
    if slot.duration_since(now) <= SKEW {
        return Ok(());
    }
    let (slot, now) = (plan::slot(slot), plan::slot(now));
    let message = format!("{slot} is still to come: it is {now} now");
    let help = "leave --slot out to run for now, or name a moment that has passed";
    Err(Problem::new("--slot", "", message, help).into())
}

/// Ends the process at Ctrl-C, at once as it would anyway: what the run did is recorded.
async fn interruptible(run: String, is_deployed: bool) {
    if tokio::signal::ctrl_c().await.is_ok() {
        let next = match is_deployed {
            true => format!("the deployed function goes on with the run, and `{run}` does, too"),
            false => format!("`{run}` goes on with the run where it stands"),
        };
        let _ = writeln!(anstream::stderr(), "\ninterrupted; nothing is published by halves: {next}");
        std::process::exit(exit::INTERRUPTED);
    }
}

/// The run as people see it; an alert that was sent is shown as they got it.
pub async fn shown(world: &World, run: &Run) -> anyhow::Result<String> {
    let stopped = run.outcome != Some(Outcome::Published);
    Ok(match Outbox::new(world.store.as_ref()).sent(&run.run_id).await? {
        Some(alert) if stopped => human::run_with_alert(run, &alert),
        _ => human::run(run, &[]),
    })
}

fn print_run(globals: &Globals, run: &Run, human: impl FnOnce() -> String) -> anyhow::Result<()> {
    print(globals, || serde_json::to_value(run).expect("a run is plain JSON"), human)
}

/// A run that has its outcome, and what went wrong after that: people who could not be told.
pub struct Ended {
    pub run: Run,
    pub after: Option<RunError>,
}

/// One run, resumed or new, to its outcome.
pub async fn execute(globals: &Globals, world: &World, asked: Asked) -> anyhow::Result<Ended> {
    match &world.place {
        Place::Here(here) => Ok(Ended { run: execute_here(globals, world, here, asked).await?, after: None }),
        #[cfg(feature = "aws")]
        Place::Cloud(cloud) => cloud::execute(globals, world, cloud, asked).await,
    }
}

async fn execute_here(
    globals: &Globals,
    world: &World,
    here: &Here,
    Asked { slot, crawls, .. }: Asked,
) -> anyhow::Result<Run> {
    let engine = world.engine()?;
    let who = world.who().await?;
    let _lease = world.store.lock(&holder(&who)).await?;
    let inputs = inputs::fingerprint(&here.lake)?;
    // A run that was cut off goes on over what it compared, if that is still what its files say.
    let cut = unfinished(world.store.as_ref()).await?;
    let resumes = cut.as_ref().is_some_and(|cut| cut.run.inputs == inputs);
    if let Some(Recorded { run, .. }) = cut.as_ref().filter(|_| resumes) {
        let done = run.steps.iter().filter(|step| step.status == StepStatus::Succeeded).count();
        let (id, steps) = (&run.run_id, run.steps.len());
        say(globals, &format!("going on with run {id}, which was cut off: {done} of its {steps} steps are done"));
    }
    // A table that cannot be read is a finding; what is wrong with the lake as a whole stops the run by itself.
    let of_lake = match crawls && !resumes {
        true => crawl::update(world).await?.of_lake,
        false if resumes => Vec::new(),
        false => crawl::changed_since(here, &inputs, &world.commands).into_iter().collect(),
    };
    let project = world.project().map_err(|Problems(found)| Problems([of_lake.clone(), found].concat()))?;
    Problems::or(untranslatable(&project, &here.local.database), ())?;
    let outbox = Outbox::new(world.store.as_ref());
    let progress = Progress::new(globals.quiet);
    let lake = inputs::LakeFiles(&here.lake);
    let (catalog, store) = (world.catalog.as_ref(), world.store.as_ref());
    let ports =
        Ports { catalog, engine: engine.as_ref(), notifier: &outbox, store, reporter: &progress, inputs: Some(&lake) };
    let request = Request {
        inputs: &inputs,
        slot: &slot.map_or_else(world::now, plan::slot),
        // A slot that was named is run once, however often a scheduler asks; now is always new.
        again: slot.is_none(),
        ..world.request()
    };
    let project = Project { provenance: provenance::here(world, who), ..project };
    let run = match Problems::or(of_lake, ()) {
        Ok(()) => crate::pipeline::run(ports, &project, cut, request).await,
        Err(problems) => {
            if let Some(cut) = cut {
                end(ports, &project, cut, request).await?;
            }
            refuse_locked(ports, &project, request, &problems.to_string()).await
        }
    };
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
fn untranslatable(_: &Project, _: &str) -> Vec<Problem> {
    Vec::new()
}

/// Who drives a run, for whoever meets its lock.
pub fn holder(who: &str) -> String {
    format!("{who}, process {}, since {}", std::process::id(), world::now())
}

pub async fn runs(globals: &Globals, id: Option<&str>) -> anyhow::Result<ExitCode> {
    let world = World::open(globals).await?;
    world.admit().await?;
    if let Some(id) = id {
        let recorded = load(world.store.as_ref(), id)
            .await?
            .with_context(|| format!("no run `{id}`; `crawlguard runs` lists them"))?;
        let accepted = contracts::accepted_since(&world, &recorded.run.slot)?;
        let human = || human::run(&recorded.run, &accepted) + &human::provenance(&recorded.run);
        print_run(globals, &recorded.run, human)?;
        return Ok(ExitCode::from(exit::CLEAN));
    }
    let mut all = Vec::new();
    for id in run_ids(world.store.as_ref()).await? {
        all.extend(load(world.store.as_ref(), &id).await?.map(|recorded| recorded.run));
    }
    let rows = || {
        all.iter()
            .map(|run| json!({"run_id": run.run_id, "slot": run.slot, "verdict": run.verdict, "outcome": run.outcome, "crawled_at": run.crawled_at}))
    };
    print(globals, || json!({"schema_version": 1, "runs": rows().collect::<Vec<_>>()}), || human::runs(&all))?;
    Ok(ExitCode::from(exit::CLEAN))
}
