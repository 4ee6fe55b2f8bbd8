//! Moving a run on: look at what is running, start what is ready, save, return.

use std::collections::BTreeMap;

use super::Event;
use super::record::{Recorded, Run, StepRecord, StepStatus};
use super::{Ports, RunError, baseline, publish};
use crate::checks::{Baseline, CheckKind, Measured, column_types, evaluate};
use crate::digest::sha256_hex;
use crate::engine::{QueryId, QueryState, Rows, Statement};
use crate::plan::{Action, Plan};
use crate::port::{PortError, PortErrorKind, at_once};
use crate::schema::Table;

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
    while round(ports, recorded).await? {}
    let running = running(&recorded.run).into_values().collect::<Vec<_>>();
    Ok(if running.is_empty() { Progress::Done } else { Progress::Waiting(running) })
}

/// Takes up what has ended, then starts what is ready; true if a step moved. However many steps that is, the record is
/// written once before anything starts, and once after: what is one call after another is what a run takes beside its
/// queries.
async fn round(ports: Ports<'_>, recorded: &mut Recorded) -> Result<bool, RunError> {
    let mut round = Round::default();
    round.look(ports, &mut recorded.run).await?;
    round.begin(&mut recorded.run);
    // The attempts are stored first: a crash in between costs an attempt, never a second build of one.
    if round.moved {
        recorded.save(ports.store).await?;
    }
    if !round.due.is_empty() {
        let submitted = submit_all(ports, &mut recorded.run, &round.due).await;
        recorded.save(ports.store).await?;
        return submitted.map(|()| true);
    }
    match publication(&recorded.run) {
        Some(index) => publish::publish(ports, recorded, index).await.map(|()| true),
        None => Ok(round.moved),
    }
}

/// What one look at a run leads to.
#[derive(Default)]
struct Round {
    /// Whether the run differs from its record.
    moved: bool,
    /// Steps whose current attempt is to be handed to the engine.
    due: Vec<usize>,
}

impl Round {
    /// Takes up what the engine says of the running steps.
    async fn look(&mut self, ports: Ports<'_>, run: &mut Run) -> Result<(), RunError> {
        let mut states = states(ports, run).await?;
        let mut ended = Vec::new();
        for index in 0..run.steps.len() {
            let step = &run.steps[index];
            if step.status != StepStatus::Running || is_publication(run, index) {
                continue;
            }
            let is_tried_again = step.attempt < ATTEMPTS;
            match states.remove(&index) {
                Some(QueryState::Running) => {}
                Some(QueryState::Succeeded { rows, millis }) => ended.push((index, rows, millis)),
                Some(QueryState::Failed { retryable: true, .. }) if is_tried_again => self.attempt(run, index),
                Some(QueryState::Failed { message, .. }) => self.fail(ports, run, index, message),
                // Stored as running, but no handle: the process died in between, or is about to store it.
                None if ports.engine.remembers_tokens() => self.due.push(index),
                Some(QueryState::Lost) | None if is_tried_again => self.attempt(run, index),
                Some(QueryState::Lost) | None => {
                    self.fail(ports, run, index, format!("the process that ran it was lost {ATTEMPTS} times"));
                }
            }
        }
        let answers = at_once(ended.iter().map(|(index, ..)| answer(ports, run, *index))).await;
        let answers = answers.into_iter().collect::<Result<Vec<_>, _>>()?;
        for ((index, rows, millis), answer) in ended.into_iter().zip(answers) {
            succeed(ports, run, index, answer, rows, millis);
            self.moved = true;
        }
        Ok(())
    }

    /// Begins the steps whose needs are met, and skips those whose needs never will be.
    fn begin(&mut self, run: &mut Run) {
        for index in 0..run.steps.len() {
            if run.steps[index].status != StepStatus::Pending {
                continue;
            }
            if needs(run, index).any(|status| matches!(status, StepStatus::Failed | StepStatus::Skipped)) {
                run.steps[index].status = StepStatus::Skipped;
                self.moved = true;
            } else if is_ready(run, index) && !is_publication(run, index) {
                self.attempt(run, index);
            }
        }
    }

    /// Begins a step's next attempt.
    fn attempt(&mut self, run: &mut Run, index: usize) {
        let step = &mut run.steps[index];
        step.status = StepStatus::Running;
        step.attempt += 1;
        step.query = None;
        self.moved = true;
        self.due.push(index);
    }

    fn fail(&mut self, ports: Ports<'_>, run: &mut Run, index: usize, message: String) {
        fail(ports, run, index, message);
        self.moved = true;
    }
}

fn needs(run: &Run, index: usize) -> impl Iterator<Item = StepStatus> {
    run.plan.steps[index].after.iter().map(|&after| run.steps[after].status)
}

fn is_ready(run: &Run, index: usize) -> bool {
    needs(run, index).all(|status| status == StepStatus::Succeeded)
}

fn is_publication(run: &Run, index: usize) -> bool {
    matches!(run.plan.steps[index].action, Action::Publish { .. })
}

/// The publication that is to begin or to go on.
fn publication(run: &Run) -> Option<usize> {
    (0..run.steps.len()).find(|&index| {
        is_publication(run, index)
            && match run.steps[index].status {
                StepStatus::Running => true,
                StepStatus::Pending => is_ready(run, index),
                StepStatus::Succeeded | StepStatus::Failed | StepStatus::Skipped => false,
            }
    })
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

/// What a check's query found, and what that is held against.
struct Answer {
    rows: Rows,
    baseline: Baseline,
    built: Option<Table>,
}

/// The answer of a step whose query succeeded; `None` of a build.
async fn answer(ports: Ports<'_>, run: &Run, index: usize) -> Result<Option<Answer>, RunError> {
    let Action::Check { table, reads, checks, columns, .. } = &run.plan.steps[index].action else { return Ok(None) };
    let query = run.steps[index].query.as_ref().expect("a succeeded query has a handle");
    let rows = async { Ok(ports.engine.rows(query).await?) };
    let baseline = async {
        match checks.iter().any(|check| matches!(check.kind, CheckKind::RowCountChange { .. })) {
            // A model is checked in staging, a raw table where it is.
            true if reads == table => baseline::counted(ports, &run.run_id, table).await,
            true => baseline::published(ports, table).await,
            false => Ok(Baseline::Unknown),
        }
    };
    let built = async {
        match columns.is_empty() {
            true => Ok(None),
            false => Ok(ports.catalog.table(reads).await?),
        }
    };
    let (rows, baseline, built) = tokio::try_join!(rows, baseline, built)?;
    Ok::<_, RunError>(Some(Answer { rows, baseline, built }))
}

fn succeed(ports: Ports<'_>, run: &mut Run, index: usize, answer: Option<Answer>, mut rows: Option<u64>, millis: u64) {
    if let (Action::Check { table, reads, checks, columns, .. }, Some(answer)) = (&run.plan.steps[index].action, answer)
    {
        rows = Some(answer.rows.rows.len() as u64);
        let measured = answer.rows.rows.into_iter().next().map(Measured);
        run.checks.extend(evaluate(table, checks, measured.as_ref(), answer.baseline));
        if !columns.is_empty() {
            run.checks.extend(column_types(table, columns, answer.built.as_ref()));
        }
        if let Some(rows) = measured.filter(|_| reads == table).and_then(|measured| measured.rows()) {
            run.source_rows.insert(table.clone(), rows);
        }
    }
    let step = &mut run.steps[index];
    step.status = StepStatus::Succeeded;
    step.rows = rows;
    step.millis = Some(millis);
    ports.reporter.event(&Event::Finished { step: &step.name, rows: rows.unwrap_or_default(), millis });
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

/// Hands the current attempts of `due` to the engine, and notes the handles; of several errors the first.
async fn submit_all(ports: Ports<'_>, run: &mut Run, due: &[usize]) -> Result<(), RunError> {
    let submitted = at_once(due.iter().map(|&index| submit(ports, run, index))).await;
    let mut first = Ok(());
    for (&index, submitted) in due.iter().zip(submitted) {
        match submitted {
            Ok(query) => run.steps[index].query = Some(query),
            // The statement itself was refused; everything else may pass and leaves the run resumable.
            Err(error) if error.kind == PortErrorKind::Invalid => fail(ports, run, index, error.message),
            Err(error) => first = first.and(Err(error.into())),
        }
    }
    first
}

async fn submit(ports: Ports<'_>, run: &Run, index: usize) -> Result<QueryId, PortError> {
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
    ports.engine.start(&token(&run.run_id, name, *attempt), &statement).await
}

/// Removes what the attempt before left. A staging table that the current attempt made already, for a driver that was cut
/// off or is overtaken, stays.
async fn clear(ports: Ports<'_>, staging: &str, model: &str, run_id: &str, attempt: u32) -> Result<(), PortError> {
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
    ports.engine.discard(&ports.engine.location(model, run_id, attempt - 1)).await
}

/// 64 hex digits: within Athena's 32–128 characters for a ClientRequestToken.
/// <https://docs.aws.amazon.com/athena/latest/APIReference/API_StartQueryExecution.html>
fn token(run_id: &str, step: &str, attempt: u32) -> String {
    sha256_hex(format!("{run_id}|{step}|{attempt}"))
}
