//! Making staging tables visible: all or none.

use std::collections::BTreeMap;

use super::Event;
use super::record::{Published, Recorded, Run, StepStatus};
use super::{Ports, Project, RunError, beside, failure};
use crate::checks::CheckStatus;
use crate::config::Target;
use crate::plan::{Action, STAGING_PREFIX};
use crate::port::{PortError, PortErrorKind, at_once};
use crate::problem::{Problem, Problems};
pub use crate::schema::ROWS;
use crate::schema::Table;
use crate::sql::{Materialization, Model};

/// Table parameter: the run that published the version.
pub const RUN: &str = "crawlguard.run_id";
/// What is denied is tried so often, by a run and by each step of a publication: a right may be a moment late.
pub(super) const TRIES: usize = 3;

/// Publishes if every check passed; else the step is skipped. What was meant is stored before the first swap, so a rerun
/// after a crash swaps the rest and nothing twice.
pub async fn publish(ports: Ports<'_>, recorded: &mut Recorded, index: usize) -> Result<(), RunError> {
    let Action::Publish { tables } = recorded.run.plan.steps[index].action.clone() else {
        unreachable!("the caller looked");
    };
    if recorded.run.checks.iter().any(|check| check.status != CheckStatus::Pass) {
        recorded.run.steps[index].status = StepStatus::Skipped;
        return recorded.save(ports.store).await;
    }
    if recorded.run.steps[index].status == StepStatus::Pending {
        if !is_as_compared(ports, &recorded.run).await? {
            let step = &mut recorded.run.steps[index];
            step.status = StepStatus::Failed;
            step.error = Some("what the run had compared changed while it ran; run again".into());
            return recorded.save(ports.store).await;
        }
        recorded.run.published = match intents(ports, recorded, &tables).await {
            // A table that somebody made since the run began is not replaced either.
            Err(RunError::Problems(taken)) => {
                let step = &mut recorded.run.steps[index];
                step.status = StepStatus::Failed;
                step.error = Some(taken.to_string());
                return recorded.save(ports.store).await;
            }
            intents => intents?,
        };
        recorded.run.steps[index].status = StepStatus::Running;
        recorded.run.steps[index].attempt = 1;
        recorded.save(ports.store).await?;
    }
    // One that is being put back is not taken up again.
    if let Some(cause) = recorded.run.steps[index].error.clone() {
        return put_back(ports, recorded, index, cause).await;
    }
    ports.reporter.event(&Event::Started { step: "publish" });
    match swap_all(ports, recorded, &tables).await {
        Ok(()) => recorded.run.steps[index].status = StepStatus::Succeeded,
        Err(error) if is_final(&error) => return put_back(ports, recorded, index, cause(&error)).await,
        Err(error) => return Err(error.into()),
    }
    recorded.save(ports.store).await
}

/// Swapping again would meet it again.
fn is_final(error: &PortError) -> bool {
    error.kind == PortErrorKind::Conflict || error.kind.is_lasting()
}

fn cause(error: &PortError) -> String {
    match error.kind {
        PortErrorKind::Conflict => format!(
            "{} was changed by somebody else while this run published\n  help: only crawlguard may write to it: stop what \
             else does, then run again\n  catalog: {}",
            error.subject, error.message
        ),
        PortErrorKind::NotFound if !error.message.contains("; ") => {
            format!(
                "{error}\n  help: it was there until the run published; find out who drops such tables, then run again"
            )
        }
        _ => failure::of_port(error),
    }
}

/// Whether the run would still find what it had compared.
pub(super) async fn is_as_compared(ports: Ports<'_>, run: &Run) -> Result<bool, RunError> {
    match ports.inputs {
        Some(inputs) => Ok(inputs.now().await? == run.inputs),
        None => Ok(true),
    }
}

/// That one step makes visible what each model makes. On AWS a Hive table's partitions are entries of their own, which no
/// call replaces together with the table or with each other: a reader would see a mix.
pub(super) fn publishable(project: &Project, target: &str) -> Result<(), Problems> {
    let Some(Target::Aws(_)) = project.settings.config.targets.get(target) else { return Ok(()) };
    let is_refused =
        |model: &&Model| model.materialization == Materialization::Table && !model.partitioned_by.is_empty();
    let problem = |model: &Model| {
        let line = model.text.lines().position(|line| line.trim_start().starts_with("partitioned_by"));
        let place = line.map_or(String::new(), |line| format!("line {}", line + 1));
        let message = format!("target `{target}` cannot replace the partitions of a Hive table in one step");
        let help = "write `materialized: iceberg` above `partitioned_by`, or leave `partitioned_by` out";
        Problem::new(&model.file, place, message, help)
    };
    Problems::or(project.graph.models.values().filter(is_refused).map(problem).collect(), ())
}

async fn intents(
    ports: Ports<'_>,
    recorded: &Recorded,
    tables: &[(String, String)],
) -> Result<Vec<Published>, RunError> {
    let (mut intents, mut taken) = (Vec::new(), Vec::new());
    let current = at_once(tables.iter().map(|(table, _)| ports.catalog.table(table))).await;
    for ((table, _), current) in tables.iter().zip(current) {
        let current = current?;
        let build = format!("build {table}");
        taken.extend(current.as_ref().and_then(|current| beside::foreign(file_of(&recorded.run, table), current)));
        let rows = recorded.run.steps.iter().find(|step| step.name == build).and_then(|step| step.rows);
        intents.push(Published {
            table: table.clone(),
            version: None,
            replaced: current.and_then(|table| table.version),
            rows: rows.unwrap_or_default(),
        });
    }
    Ok(Problems::or(taken, intents)?)
}

/// The file of the model that a table is published from.
fn file_of<'a>(run: &'a Run, table: &'a str) -> &'a str {
    let file = run.plan.steps.iter().find_map(|step| match &step.action {
        Action::Build { model, file, .. } if model == table => Some(file.as_str()),
        _ => None,
    });
    file.unwrap_or(table)
}

/// Swaps all, at once; an error that stays before one that may pass.
async fn swap_all(ports: Ports<'_>, recorded: &mut Recorded, tables: &[(String, String)]) -> Result<(), PortError> {
    let run = &mut recorded.run;
    let swaps = tables.iter().zip(&run.published).map(|((_, staging), meant)| swap(ports, &run.run_id, staging, meant));
    let swapped = at_once(swaps).await;
    let mut error = None;
    for (published, swapped) in run.published.iter_mut().zip(swapped) {
        match swapped {
            Ok(now) => published.version = now.version,
            Err(found) if error.as_ref().is_none_or(|known| is_final(&found) && !is_final(known)) => {
                error = Some(found)
            }
            Err(_) => {}
        }
    }
    error.map_or(Ok(()), Err)
}

async fn swap(ports: Ports<'_>, run_id: &str, staging: &str, meant: &Published) -> Result<Table, PortError> {
    let notes = [(ROWS.to_owned(), meant.rows.to_string()), (RUN.to_owned(), run_id.to_owned())];
    let mut tries = 1;
    loop {
        match ports.catalog.swap(&meant.table, staging, meant.replaced.as_deref(), &notes).await {
            Err(error) if error.kind == PortErrorKind::Denied && tries < TRIES => tries += 1,
            swapped => return swapped,
        }
    }
}

/// Puts back what this run had swapped before `cause` kept it from going on, and ends the publication. What cannot be put
/// back either is said, with what each table shows.
pub(super) async fn put_back(
    ports: Ports<'_>,
    recorded: &mut Recorded,
    index: usize,
    mut cause: String,
) -> Result<(), RunError> {
    recorded.run.steps[index].error = Some(cause.clone());
    // Who has lost the run must not undo what another has published of it since, and whoever goes on after a crash must not
    // swap again.
    recorded.save(ports.store).await?;
    let mut left = Vec::new();
    for published in &recorded.run.published {
        match undo(ports, &recorded.run.run_id, published).await {
            Ok(()) => {}
            Err(error) if is_final(&error) => left.push(format!("\n  `{}` is not put back: {error}", published.table)),
            Err(error) => return Err(error.into()),
        }
    }
    let run = &mut recorded.run;
    let tables = std::mem::take(&mut run.published);
    if !left.is_empty() {
        run.shown = shown(ports, tables.iter().map(|published| published.table.as_str())).await;
        cause += &left.concat();
    }
    ports.reporter.event(&Event::Failed { step: &run.steps[index].name, message: &cause });
    run.steps[index].status = StepStatus::Failed;
    run.steps[index].error = Some(cause);
    recorded.save(ports.store).await
}

/// Puts one table back, if it shows this run.
async fn undo(ports: Ports<'_>, run_id: &str, published: &Published) -> Result<(), PortError> {
    let mut tries = 1;
    loop {
        match undo_once(ports, run_id, published).await {
            Err(error) if error.kind == PortErrorKind::Denied && tries < TRIES => tries += 1,
            done => return done,
        }
    }
}

async fn undo_once(ports: Ports<'_>, run_id: &str, published: &Published) -> Result<(), PortError> {
    // What was swapped is for the catalog to say: the record may be older than a crash.
    let current = ports.catalog.table(&published.table).await?;
    if current.is_none_or(|table| table.parameters.get(RUN).is_none_or(|run| run != run_id)) {
        return Ok(());
    }
    match &published.replaced {
        Some(version) => ports.catalog.restore(&published.table, version, &[]).await.map(drop),
        None => ports.catalog.forget(&published.table).await,
    }
}

/// The run that each table shows, as far as it can be told.
async fn shown(ports: Ports<'_>, tables: impl Iterator<Item = &str>) -> BTreeMap<String, Option<String>> {
    let mut shown = BTreeMap::new();
    for name in tables {
        match ports.catalog.table(name).await {
            Ok(None) => {}
            Ok(Some(table)) => drop(shown.insert(name.to_owned(), table.parameters.get(RUN).cloned())),
            Err(_) => drop(shown.insert(name.to_owned(), None)),
        }
    }
    shown
}

/// The run that each published table shows, if one of them shows this one, whose record is gone.
pub(super) async fn shown_of(ports: Ports<'_>, run_id: &str) -> Result<BTreeMap<String, Option<String>>, RunError> {
    let tables = ports.catalog.tables("").await?.into_iter();
    let of_runs = tables.filter(|table| !table.name.starts_with(STAGING_PREFIX));
    let of_runs = of_runs.filter_map(|table| Some((table.name, table.parameters.get(RUN).cloned()?)));
    let shown: BTreeMap<_, _> = of_runs.map(|(table, run)| (table, Some(run))).collect();
    let is_shown = shown.values().flatten().any(|run| run == run_id);
    Ok(if is_shown { shown } else { BTreeMap::new() })
}
