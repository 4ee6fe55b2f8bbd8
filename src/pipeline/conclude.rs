//! The two ends of a run: from a comparison to a stored plan, and from the last step to an outcome and one alert.

use std::collections::{BTreeMap, BTreeSet};

use super::beside::look_beside;
use super::cleanup::{Keep, cleanup};
use super::failure;
use super::publish::{TRIES, publishable};
use super::record::{AdaptedModel, Outcome, Recorded, Run, StepStatus};
use super::told;
use super::{Commands, Comparison, Ports, Project, Request, RunError, compare, readable};
use crate::catalog::notes;
use crate::checks::{CheckResult, CheckStatus};
use crate::config::Target;
use crate::drift::{Finding, Level, Verdict, seen};
use crate::plan::{self, Action, Alert, AlertKind, Inputs, Plan, Step, Told};
use crate::problem::{Problem, Problems};
use crate::sql::Graph;

/// Errors of one run that its record and alert tell.
const SHOWN_ERRORS: usize = 8;

/// The run that follows from a comparison, its plan made and nothing done yet. A halted run has an empty plan.
pub fn begin(
    project: &Project,
    target: &str,
    comparison: &Comparison,
    slot: &str,
    run_id: &str,
    commands: &Commands,
) -> Result<Run, Problems> {
    let adapted = adapted_graph(&project.graph, comparison);
    let plan = match comparison.verdict {
        Verdict::Clean | Verdict::Tolerated => {
            publishable(project, target)?;
            let (contracts, extra_checks) = (&project.contracts, &comparison.extra_checks);
            let tables = &comparison.tables;
            plan::build(Inputs { run_id, slot, graph: &adapted, contracts, tables, extra_checks })?
        }
        Verdict::Breaking | Verdict::Unknown => Plan { run_id: run_id.into(), slot: slot.into(), steps: Vec::new() },
    };
    let spelt = |finding: &Finding| Finding { help: commands.spell(&finding.help), ..finding.clone() };
    let findings = comparison.findings.iter().map(spelt).collect();
    let mut run = Run::new(&project.settings.config.project, target, comparison.verdict, findings, plan);
    run.provenance = project.provenance.clone();
    run.adapted = comparison.adaptation.models.iter().map(|model| adapted_model(&project.graph, model)).collect();
    run.not_carried = comparison.not_carried();
    let stops = comparison.findings.iter().filter(|finding| finding.level != Level::Tolerated);
    let stopped: BTreeSet<&String> = stops.map(|finding| &finding.table).collect();
    run.acceptable = comparison.acceptable.iter().filter(|table| stopped.contains(table)).cloned().collect();
    run.renames = comparison.renames.clone();
    run.renames.retain(|table, _| stopped.contains(table));
    run.notes = notes(&comparison.tables);
    Ok(run)
}

/// The lines that accept what stopped the run: of a table first the one for what may only have a new name.
fn accepting(run: &Run, commands: &Commands) -> Vec<String> {
    let tables: BTreeSet<&String> = run.renames.keys().chain(&run.acceptable).collect();
    let lines = |table: &String| {
        let seen = seen(&run.findings, table);
        let renamed = run.renames.get(table).map(|pairs| commands.accept(table, pairs, &seen));
        renamed.into_iter().chain(run.acceptable.contains(table).then(|| commands.accept(table, &[], &seen)))
    };
    tables.into_iter().flat_map(lines).collect()
}

/// Compares, and makes the run that follows, as far as the engine can read what it needs.
pub(super) async fn compared(
    ports: Ports<'_>,
    project: &Project,
    request: Request<'_>,
    run_id: &str,
) -> Result<(Comparison, Run), RunError> {
    let comparison = compare(project, ports.catalog, request.raw_prefix).await?;
    let mut run = begin(project, request.target, &comparison, request.slot, run_id, request.commands)?;
    if !run.plan.steps.is_empty() {
        readable(project, &comparison, |table| ports.engine.refusal(table))?;
    }
    look_beside(project, &comparison, &mut run)?;
    Ok((comparison, run))
}

/// The run of a slot that cannot be run at all.
pub(super) fn refused(project: &Project, request: Request<'_>, run_id: &str, error: &str) -> Run {
    let plan = Plan { run_id: run_id.into(), slot: request.slot.into(), steps: Vec::new() };
    let mut run = Run::new(&project.settings.config.project, request.target, Verdict::Unknown, Vec::new(), plan);
    run.provenance = project.provenance.clone();
    run.error = Some(request.commands.spell(error));
    run
}

/// The project's graph with the adapted texts in place.
fn adapted_graph(graph: &Graph, comparison: &Comparison) -> Graph {
    let mut adapted = graph.clone();
    for model in &comparison.adaptation.models {
        adapted.models.insert(model.name.clone(), model.clone());
    }
    adapted
}

fn adapted_model(graph: &Graph, adapted: &crate::sql::Model) -> AdaptedModel {
    AdaptedModel {
        model: adapted.name.clone(),
        file: adapted.file.clone(),
        before: graph.models[&adapted.name].text.clone(),
        after: adapted.text.clone(),
    }
}

/// Decides the outcome of a run whose steps have all ended, sends its alert, cleans up, and stores the end.
///
/// The outcome is stored last: a crash before that leads here again, and each part may be repeated.
pub async fn conclude(
    ports: Ports<'_>,
    project: &Project,
    recorded: &mut Recorded,
    request: Request<'_>,
) -> Result<(), RunError> {
    in_the_order_of_the_plan(&mut recorded.run);
    let outcome = outcome(&recorded.run);
    if outcome == Outcome::Error {
        recorded.run.error = errors(&recorded.run, &whole).or(recorded.run.error.take());
        // Whatever the comparison said, what could not be built or measured is not known to be right.
        recorded.run.verdict = Verdict::Unknown;
    }
    if outcome == Outcome::Published {
        let settings = &project.settings.config.targets;
        let runs_days = settings.get(request.target).map_or(u32::MAX, Target::keep_runs_days);
        let keep = Keep { versions: request.keep_versions, runs_days };
        if let Some(note) = cleaned(ports, &recorded.run, keep).await?
            && !recorded.run.notes.contains(&note)
        {
            recorded.run.notes.push(note);
        }
    }
    // Once stored, an alert is this run's to send, whatever its files have become when it goes on.
    if recorded.run.alert.is_none() {
        recorded.run.alert = match outcome {
            Outcome::Published => {
                let told = told::open(ports.store, request.target).await?;
                told.map(|told| resolved(&recorded.run, told, request.commands))
            }
            Outcome::Superseded => None,
            _ => Some(alert(&recorded.run, outcome, &project.graph, request.commands)),
        };
        recorded.save(ports.store).await?;
    }
    let alert = recorded.run.alert.as_ref();
    recorded.run.delivery = told::tell(ports, project, &recorded.run, alert, request.remind_after_days).await?;
    recorded.run.end(outcome);
    recorded.save(ports.store).await
}

/// Cleans up, unless that cannot be: what is published is not to wait for a right to remove what it leaves. The note says
/// why, and the next published run tries again.
async fn cleaned(ports: Ports<'_>, run: &Run, keep: Keep) -> Result<Option<Problem>, RunError> {
    let mut tries = 1;
    loop {
        match cleanup(ports, run, keep).await {
            Ok(()) => return Ok(None),
            Err(error) if error.lasting().is_none() && !matches!(error, RunError::Record { .. }) => return Err(error),
            Err(_) if tries < TRIES => tries += 1,
            Err(error) => {
                tracing::warn!(%error, "not cleaned up");
                let help = "Mend that; the next run that publishes tries again, and until then what should go stays.";
                return Ok(Some(Problem::new("", "", format!("old builds are not cleaned up: {error}"), help)));
            }
        }
    }
}

/// Queries end in any order; what people read of them has one.
fn in_the_order_of_the_plan(run: &mut Run) {
    let checked = run.plan.steps.iter().filter_map(|step| match &step.action {
        Action::Check { table, .. } => Some(table.clone()),
        _ => None,
    });
    let tables: Vec<String> = checked.collect();
    run.checks.sort_by_key(|check| tables.iter().position(|table| *table == check.table));
}

fn outcome(run: &Run) -> Outcome {
    let failed = |status| run.checks.iter().any(|check| check.status == status);
    match run.verdict {
        Verdict::Breaking => Outcome::Halted,
        Verdict::Unknown => Outcome::Error,
        Verdict::Clean | Verdict::Tolerated if run.superseded_by.is_some() => Outcome::Superseded,
        Verdict::Clean | Verdict::Tolerated if run.steps.iter().any(|step| step.status == StepStatus::Failed) => {
            Outcome::Error
        }
        Verdict::Clean | Verdict::Tolerated if failed(CheckStatus::Fail) => Outcome::ChecksFailed,
        Verdict::Clean | Verdict::Tolerated if failed(CheckStatus::Inconclusive) => Outcome::Error,
        Verdict::Clean | Verdict::Tolerated => Outcome::Published,
    }
}

/// A failed step with all that the engine said.
fn whole(step: &Step, error: &str) -> String {
    format!("{}: {error}", step.name)
}

/// What kept the run from an answer, a paragraph each: failed steps as `told`, or else what is unknown, or else what was not
/// measured.
fn errors(run: &Run, told: &dyn Fn(&Step, &str) -> String) -> Option<String> {
    let failed = run.failures().into_iter().filter_map(|same| {
        let (first, others) = same.split_first()?;
        let words = told(&run.plan.steps[*first], run.steps[*first].error.as_ref()?);
        let others: Vec<&str> = others.iter().map(|step| run.steps[*step].name.as_str()).collect();
        Some(if others.is_empty() { words } else { format!("{words}\n  the same: {}", others.join(", ")) })
    });
    let unknown = run.findings.iter().filter(|finding| finding.level == Level::Unknown);
    let unknown = unknown.map(|finding| format!("{}: {}", finding.table, finding.message));
    let inconclusive = run.checks.iter().filter(|check| check.status == CheckStatus::Inconclusive);
    let place = |check: &CheckResult| match &check.column {
        Some(column) => format!("{}.{column}", check.table),
        None => check.table.clone(),
    };
    let inconclusive =
        inconclusive.map(|check| format!("check {} of {} could not be measured", check.check, place(check)));
    let all = [failed.collect::<Vec<_>>(), unknown.collect(), inconclusive.collect()];
    let mut errors = all.into_iter().find(|errors| !errors.is_empty())?;
    let more = errors.len().saturating_sub(SHOWN_ERRORS);
    errors.truncate(SHOWN_ERRORS);
    errors.extend((more > 0).then(|| format!("and {more} more: see the run")));
    Some(errors.join("\n"))
}

fn alert(run: &Run, outcome: Outcome, graph: &Graph, commands: &Commands) -> Alert {
    let kind = match outcome {
        Outcome::Halted => AlertKind::Breaking,
        Outcome::ChecksFailed => AlertKind::ChecksFailed,
        Outcome::Error | Outcome::Published | Outcome::Superseded => AlertKind::Error,
    };
    let mut findings: Vec<Finding> = run.findings.clone();
    findings.sort_by_key(|finding| std::cmp::Reverse(finding.level));
    let checks: Vec<_> = run.checks.iter().filter(|check| check.status != CheckStatus::Pass).cloned().collect();
    let mut failed: Vec<String> =
        run.failed_with().map(|(step, cause)| format!("{step}: {}", failure::kind(cause))).collect();
    let stops = findings.iter().any(|finding| finding.level != Level::Tolerated);
    if failed.is_empty() && !stops && checks.is_empty() {
        // Nothing else tells one such error from another.
        failed.extend(run.error.clone());
    }
    Alert {
        kind,
        run_id: run.run_id.clone(),
        slot: run.slot.clone(),
        project: run.project.clone(),
        target: run.target.clone(),
        accept: accepting(run, commands),
        details: details(run, commands),
        fingerprint: Alert::fingerprint_of(&findings, &checks, &failed.iter().map(String::as_str).collect::<Vec<_>>()),
        findings,
        checks,
        // Row data stays in the run's record.
        error: run.error.as_ref().map(|error| {
            errors(run, &|step, error| failure::words(step, graph, error)).unwrap_or_else(|| error.clone())
        }),
        shown: run.shown.clone(),
        crawl_age_days: run.crawl_age_days(),
        resolves: None,
    }
}

/// The exact line that shows the whole run.
fn details(run: &Run, commands: &Commands) -> String {
    commands.line(&format!("runs {}", run.run_id))
}

/// What `told` told of is over.
fn resolved(run: &Run, told: Told, commands: &Commands) -> Alert {
    Alert {
        kind: AlertKind::Resolved,
        run_id: run.run_id.clone(),
        slot: run.slot.clone(),
        project: run.project.clone(),
        target: run.target.clone(),
        findings: run.findings.clone(),
        checks: Vec::new(),
        error: None,
        shown: BTreeMap::new(),
        crawl_age_days: run.crawl_age_days(),
        accept: Vec::new(),
        details: details(run, commands),
        fingerprint: told.fingerprint.clone(),
        resolves: Some(told),
    }
}
