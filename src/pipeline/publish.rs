//! Making staging tables visible: all or none.

use super::Event;
use super::record::{Published, Recorded, Run, StepStatus};
use super::{Ports, Project, RunError};
use crate::checks::CheckStatus;
use crate::config::Target;
use crate::plan::Action;
use crate::port::{PortError, PortErrorKind};
use crate::problem::{Problem, Problems};
pub use crate::schema::ROWS;
use crate::sql::{Materialization, Model};

/// Table parameter: the run that published the version.
pub const RUN: &str = "crawlguard.run_id";

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
        recorded.run.published = intents(ports, recorded, &tables).await?;
        recorded.run.steps[index].status = StepStatus::Running;
        recorded.run.steps[index].attempt = 1;
        recorded.save(ports.store).await?;
    }
    ports.reporter.event(&Event::Started { step: "publish" });
    match swap_all(ports, recorded, &tables).await {
        Ok(()) => recorded.run.steps[index].status = StepStatus::Succeeded,
        Err(error) if matches!(error.kind, PortErrorKind::Conflict | PortErrorKind::Invalid) => {
            // Who has lost the run must not undo what another has published of it since.
            recorded.save(ports.store).await?;
            undo(ports, recorded).await?;
            recorded.run.published.clear();
            recorded.run.steps[index].status = StepStatus::Failed;
            recorded.run.steps[index].error = Some(error.to_string());
        }
        Err(error) => return Err(error.into()),
    }
    recorded.save(ports.store).await
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
    let mut intents = Vec::new();
    for (table, _) in tables {
        let current = ports.catalog.table(table).await?;
        let build = format!("build {table}");
        let rows = recorded.run.steps.iter().find(|step| step.name == build).and_then(|step| step.rows);
        intents.push(Published {
            table: table.clone(),
            version: None,
            replaced: current.and_then(|table| table.version),
            rows: rows.unwrap_or_default(),
        });
    }
    Ok(intents)
}

async fn swap_all(ports: Ports<'_>, recorded: &mut Recorded, tables: &[(String, String)]) -> Result<(), PortError> {
    let run_id = recorded.run.run_id.clone();
    for ((table, staging), published) in tables.iter().zip(&mut recorded.run.published) {
        let notes = [(ROWS.to_owned(), published.rows.to_string()), (RUN.to_owned(), run_id.clone())];
        let now = ports.catalog.swap(table, staging, published.replaced.as_deref(), &notes).await?;
        published.version = now.version;
    }
    Ok(())
}

/// Puts back what this run had swapped before it met a table that somebody else had changed.
async fn undo(ports: Ports<'_>, recorded: &Recorded) -> Result<(), RunError> {
    for published in &recorded.run.published {
        // What was swapped is for the catalog to say: the record may be older than a crash.
        let current = ports.catalog.table(&published.table).await?;
        if current.is_none_or(|table| table.parameters.get(RUN) != Some(&recorded.run.run_id)) {
            continue;
        }
        match &published.replaced {
            Some(version) => ports.catalog.restore(&published.table, version, &[]).await.map(drop)?,
            None => ports.catalog.forget(&published.table).await?,
        }
    }
    Ok(())
}
