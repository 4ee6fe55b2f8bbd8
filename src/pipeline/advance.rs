//! Moving a run on: look at what is running, start what is ready, save, return.

use std::collections::BTreeMap;

use super::Event;
use super::record::{Recorded, Run, StepRecord, StepStatus};
use super::{Ports, RunError, baseline, publish};
use crate::checks::{Baseline, CheckKind, Measured, column_types, evaluate};
use crate::digest::sha256_hex;
use crate::engine::{QueryId, QueryState, Statement};
use crate::plan::{Action, Plan};

/// A retryable failure is tried this often in all.
pub(super) const ATTEMPTS: u32 = 3;

/// What [`advance`] leaves behind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Progress {
    /// Queries are running; nothing else can be done before one ends.
    Waiting(Vec<QueryId>),
    /// Every step has ended, one way or the other.
    Done,
}

/// Moves the run as far as it goes without waiting. Safe to call at any time: of two processes that do so at
/// once, one is overtaken at its next write.
pub async fn advance(ports: Ports<'_>, recorded: &mut Recorded) -> Result<Progress, RunError> {
    loop {
        let mut states = states(ports, &recorded.run).await?;
        let mut moved = false;
        for index in 0..recorded.run.steps.len() {
            moved |= match recorded.run.steps[index].status {
                StepStatus::Running => look(ports, recorded, index, states.remove(&index)).await?,
                StepStatus::Pending => begin_if_ready(ports, recorded, index).await?,
                StepStatus::Succeeded | StepStatus::Failed | StepStatus::Skipped => false,
            };
        }
        if moved {
            continue;
        }
        let running = running(&recorded.run).into_values().collect::<Vec<_>>();
        return Ok(if running.is_empty() { Progress::Done } else { Progress::Waiting(running) });
    }
}

/// The queries that run, by the index of their step.
pub(super) fn running(run: &Run) -> BTreeMap<usize, QueryId> {
    let running = run.steps.iter().enumerate().filter(|(_, step)| step.status == StepStatus::Running);
    running.filter_map(|(index, step)| Some((index, step.query.clone()?))).collect()
}

/// What the engine says of the queries that run, all of them asked at once.
async fn states(ports: Ports<'_>, run: &Run) -> Result<BTreeMap<usize, QueryState>, RunError> {
    let (indexes, queries): (Vec<_>, Vec<_>) = running(run).into_iter().unzip();
    if queries.is_empty() {
        return Ok(BTreeMap::new());
    }
    Ok(indexes.into_iter().zip(ports.engine.states(&queries).await?).collect())
}

/// Takes up what the engine says of a running step, whose `state` is `None` if it has no query; true if the step moved.
async fn look(
    ports: Ports<'_>,
    recorded: &mut Recorded,
    index: usize,
    state: Option<QueryState>,
) -> Result<bool, RunError> {
    let state = match state {
        Some(state) => state,
        None if matches!(recorded.run.plan.steps[index].action, Action::Publish { .. }) => {
            return publish::publish(ports, recorded, index).await.map(|()| true);
        }
        // Stored as running, but no handle: the process died in between, or is about to store it.
        None if ports.engine.remembers_tokens() => {
            submit(ports, recorded, index).await?;
            return recorded.save(ports.store).await.map(|()| true);
        }
        None => QueryState::Lost,
    };
    match state {
        QueryState::Running => return Ok(false),
        QueryState::Succeeded { rows, millis } => succeed(ports, recorded, index, rows, millis).await?,
        QueryState::Failed { retryable: true, .. } if recorded.run.steps[index].attempt < ATTEMPTS => {
            start(ports, recorded, index).await?;
        }
        QueryState::Failed { message, .. } => fail(ports, &mut recorded.run, index, message),
        QueryState::Lost if recorded.run.steps[index].attempt < ATTEMPTS => start(ports, recorded, index).await?,
        QueryState::Lost => {
            let message = format!("the process that ran it was lost {ATTEMPTS} times");
            fail(ports, &mut recorded.run, index, message);
        }
    }
    recorded.save(ports.store).await?;
    Ok(true)
}

async fn succeed(
    ports: Ports<'_>,
    recorded: &mut Recorded,
    index: usize,
    mut rows: Option<u64>,
    millis: u64,
) -> Result<(), RunError> {
    if let Action::Check { table, reads, checks, columns, .. } = recorded.run.plan.steps[index].action.clone() {
        let query = recorded.run.steps[index].query.clone().expect("a succeeded query has a handle");
        let answer = ports.engine.rows(&query).await?.rows;
        rows = Some(answer.len() as u64);
        let measured = answer.into_iter().next().map(Measured);
        // A model is checked in staging, a raw table where it is.
        let is_raw = reads == table;
        let baseline = match checks.iter().any(|check| matches!(check.kind, CheckKind::RowCountChange { .. })) {
            true if is_raw => baseline::counted(ports, &recorded.run.run_id, &table).await?,
            true => baseline::published(ports, &table).await?,
            false => Baseline::Unknown,
        };
        recorded.run.checks.extend(evaluate(&table, &checks, measured.as_ref(), baseline));
        if !columns.is_empty() {
            let built = ports.catalog.table(&reads).await?;
            recorded.run.checks.extend(column_types(&table, &columns, built.as_ref()));
        }
        if let Some(rows) = measured.filter(|_| is_raw).and_then(|measured| measured.rows()) {
            recorded.run.source_rows.insert(table, rows);
        }
    }
    let step = &mut recorded.run.steps[index];
    step.status = StepStatus::Succeeded;
    step.rows = rows;
    step.millis = Some(millis);
    ports.reporter.event(&Event::Finished { step: &step.name, rows: rows.unwrap_or_default(), millis });
    Ok(())
}

pub(super) fn fail(ports: Ports<'_>, run: &mut Run, index: usize, message: String) {
    if let Action::Check { table, checks, columns, .. } = &run.plan.steps[index].action {
        run.checks.extend(evaluate(table, checks, None, Baseline::Unknown));
        run.checks.extend(column_types(table, columns, None));
    }
    let message = in_users_words(&run.plan, index, message);
    let step = &mut run.steps[index];
    step.status = StepStatus::Failed;
    ports.reporter.event(&Event::Failed { step: &step.name, message: &message });
    step.error = Some(message);
}

/// An engine knows staging tables only: the model's own file and name stand in for them.
fn in_users_words(plan: &Plan, index: usize, mut message: String) -> String {
    for step in &plan.steps {
        if let Action::Build { model, staging, .. } = &step.action {
            message = message.replace(staging.as_str(), model);
        }
    }
    match &plan.steps[index].action {
        Action::Build { file, .. } if !file.is_empty() => format!("{file}: {message}"),
        _ => message,
    }
}

/// Starts a pending step whose needs are met, or skips it if they never will be; true if it moved.
async fn begin_if_ready(ports: Ports<'_>, recorded: &mut Recorded, index: usize) -> Result<bool, RunError> {
    let run = &mut recorded.run;
    let needs: Vec<_> = run.plan.steps[index].after.iter().map(|&after| run.steps[after].status).collect();
    if needs.iter().any(|status| matches!(status, StepStatus::Failed | StepStatus::Skipped)) {
        run.steps[index].status = StepStatus::Skipped;
        return recorded.save(ports.store).await.map(|()| true);
    }
    if needs.iter().any(|status| *status != StepStatus::Succeeded) {
        return Ok(false);
    }
    if let Action::Publish { .. } = run.plan.steps[index].action {
        return publish::publish(ports, recorded, index).await.map(|()| true);
    }
    start(ports, recorded, index).await?;
    recorded.save(ports.store).await?;
    Ok(true)
}

/// Starts the next attempt. The attempt is stored first: a crash in between costs an attempt, never a second build of one.
async fn start(ports: Ports<'_>, recorded: &mut Recorded, index: usize) -> Result<(), RunError> {
    let step = &mut recorded.run.steps[index];
    step.status = StepStatus::Running;
    step.attempt += 1;
    step.query = None;
    recorded.save(ports.store).await?;
    submit(ports, recorded, index).await
}

/// Hands the step's current attempt to the engine.
async fn submit(ports: Ports<'_>, recorded: &mut Recorded, index: usize) -> Result<(), RunError> {
    let run = &recorded.run;
    let StepRecord { name, attempt, .. } = &run.steps[index];
    let statement = match &run.plan.steps[index].action {
        Action::Build { model, staging, select, partitioned_by, iceberg, .. } => {
            if *attempt > 1 {
                clear(ports, staging, model, &run.run_id, *attempt).await?;
            }
            Statement::Build {
                table: staging.clone(),
                select: select.clone(),
                location: ports.engine.location(model, &run.run_id, *attempt),
                partitioned_by: partitioned_by.clone(),
                iceberg: *iceberg,
            }
        }
        Action::Check { select, .. } => Statement::Query { select: select.clone() },
        Action::Publish { .. } => unreachable!("publishing is no statement"),
    };
    ports.reporter.event(&Event::Started { step: name });
    match ports.engine.start(&token(&run.run_id, name, *attempt), &statement).await {
        Ok(query) => recorded.run.steps[index].query = Some(query),
        // The statement itself was refused; everything else may pass and leaves the run resumable.
        Err(error) if error.kind == crate::port::PortErrorKind::Invalid => {
            fail(ports, &mut recorded.run, index, error.message);
        }
        Err(error) => return Err(error.into()),
    }
    Ok(())
}

/// Removes what the attempt before left. A staging table that the current attempt made already, for a driver that was cut
/// off or is overtaken, stays.
async fn clear(ports: Ports<'_>, staging: &str, model: &str, run_id: &str, attempt: u32) -> Result<(), RunError> {
    let current = ports.engine.location(model, run_id, attempt);
    let is_current = |location: &String| location.trim_end_matches('/') == current.trim_end_matches('/');
    if !ports
        .catalog
        .table(staging)
        .await?
        .and_then(|table| table.location)
        .is_some_and(|location| is_current(&location))
    {
        ports.catalog.forget(staging).await?;
    }
    ports.engine.discard(&ports.engine.location(model, run_id, attempt - 1)).await?;
    Ok(())
}

/// 64 hex digits: within Athena's 32–128 characters for a ClientRequestToken.
/// <https://docs.aws.amazon.com/athena/latest/APIReference/API_StartQueryExecution.html>
fn token(run_id: &str, step: &str, attempt: u32) -> String {
    sha256_hex(format!("{run_id}|{step}|{attempt}"))
}
