//! The two ends of a run: from a comparison to a stored plan, and from the last step to an outcome and one alert.

use super::cleanup::cleanup;
use super::record::{AdaptedModel, Outcome, Recorded, Run, StepStatus};
use super::{Comparison, Ports, Project, Request, RunError};
use crate::checks::CheckStatus;
use crate::drift::{Finding, Level, Verdict};
use crate::notify::render;
use crate::plan::{self, Alert, AlertKind, Inputs, Plan};
use crate::problem::Problems;
use crate::sql::Graph;

/// The run that follows from a comparison, its plan made and nothing done yet. A halted run has an empty plan.
pub fn begin(
    project: &Project,
    target: &str,
    comparison: &Comparison,
    slot: &str,
    run_id: &str,
) -> Result<Run, Problems> {
    let adapted = adapted_graph(&project.graph, comparison);
    let plan = match comparison.verdict {
        Verdict::Clean | Verdict::Tolerated => plan::build(Inputs {
            run_id,
            slot,
            graph: &adapted,
            contracts: &project.contracts,
            extra_checks: &comparison.extra_checks,
        })?,
        Verdict::Breaking | Verdict::Unknown => Plan { run_id: run_id.into(), slot: slot.into(), steps: Vec::new() },
    };
    let findings = comparison.findings.clone();
    let mut run = Run::new(&project.settings.config.project, target, comparison.verdict, findings, plan);
    run.adapted = comparison.adaptation.models.iter().map(|model| adapted_model(&project.graph, model)).collect();
    run.not_carried = comparison.not_carried();
    Ok(run)
}

/// The run of a slot that cannot be run at all.
pub(super) fn refused(project: &Project, request: Request<'_>, run_id: &str, error: &str) -> Run {
    let plan = Plan { run_id: run_id.into(), slot: request.slot.into(), steps: Vec::new() };
    let mut run = Run::new(&project.settings.config.project, request.target, Verdict::Unknown, Vec::new(), plan);
    run.error = Some(error.into());
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
    let outcome = outcome(&recorded.run);
    if outcome == Outcome::Error {
        recorded.run.error = first_error(&recorded.run).or(recorded.run.error.take());
    }
    if outcome == Outcome::Published {
        cleanup(ports, &recorded.run, request.keep_versions).await?;
    } else {
        let alert = alert(&recorded.run, outcome, request.commands);
        // A template that fails on just these facts must not cost the alert: the built-in texts always render.
        let text = render(&alert, &project.templates).or_else(|_| render(&alert, &[]))?;
        recorded.run.alert = Some(alert.clone());
        recorded.save(ports.store).await?;
        ports.notifier.send(&alert, &text).await?;
    }
    recorded.run.outcome = Some(outcome);
    recorded.save(ports.store).await
}

fn outcome(run: &Run) -> Outcome {
    let failed = |status| run.checks.iter().any(|check| check.status == status);
    match run.verdict {
        Verdict::Breaking => Outcome::Halted,
        Verdict::Unknown => Outcome::Error,
        Verdict::Clean | Verdict::Tolerated if run.steps.iter().any(|step| step.status == StepStatus::Failed) => {
            Outcome::Error
        }
        Verdict::Clean | Verdict::Tolerated if failed(CheckStatus::Fail) => Outcome::ChecksFailed,
        Verdict::Clean | Verdict::Tolerated if failed(CheckStatus::Inconclusive) => Outcome::Error,
        Verdict::Clean | Verdict::Tolerated => Outcome::Published,
    }
}

fn first_error(run: &Run) -> Option<String> {
    let failed = run.steps.iter().find_map(|step| Some(format!("{}: {}", step.name, step.error.as_ref()?)));
    let unknown = || {
        let finding = run.findings.iter().find(|finding| finding.level == Level::Unknown)?;
        Some(format!("{}: {}", finding.table, finding.message))
    };
    let inconclusive = || {
        let check = run.checks.iter().find(|check| check.status == CheckStatus::Inconclusive)?;
        Some(format!("check {} of {} could not be measured", check.check, check.table))
    };
    failed.or_else(unknown).or_else(inconclusive)
}

/// How a user calls this program on this project, for the commands that an alert names.
#[derive(Debug, Clone, Default)]
pub struct Commands {
    /// Words between `crawlguard` and the subcommand, quoted for a shell.
    pub globals: Vec<String>,
}

impl Commands {
    /// The exact line that accepts a table's drift.
    pub fn accept(&self, table: &str) -> String {
        let mut words = vec!["crawlguard".to_owned()];
        words.extend(self.globals.iter().cloned());
        words.extend(["contracts", "update", table, "--yes"].map(str::to_owned));
        words.join(" ")
    }
}

/// There is nothing in the catalog that a contract could promise instead.
fn is_past_accepting(finding: &Finding) -> bool {
    let rules = ["files-unreadable", "headers-differ", "table-deprecated", "table-missing", "unreadable"];
    rules.contains(&finding.rule.as_str())
}

fn alert(run: &Run, outcome: Outcome, commands: &Commands) -> Alert {
    let kind = match outcome {
        Outcome::Halted => AlertKind::Breaking,
        Outcome::ChecksFailed => AlertKind::ChecksFailed,
        Outcome::Error | Outcome::Published => AlertKind::Error,
    };
    let mut findings: Vec<Finding> = run.findings.clone();
    findings.sort_by_key(|finding| std::cmp::Reverse(finding.level));
    let checks: Vec<_> = run.checks.iter().filter(|check| check.status != CheckStatus::Pass).cloned().collect();
    let mut tables: Vec<_> = findings
        .iter()
        .filter(|finding| finding.level != Level::Tolerated)
        .map(|finding| finding.table.as_str())
        .collect();
    tables.dedup();
    tables.retain(|table| !findings.iter().any(|finding| finding.table == *table && is_past_accepting(finding)));
    Alert {
        kind,
        run_id: run.run_id.clone(),
        slot: run.slot.clone(),
        project: run.project.clone(),
        target: run.target.clone(),
        accept: tables.into_iter().map(|table| commands.accept(table)).collect(),
        fingerprint: Alert::fingerprint_of(&findings, &checks),
        findings,
        checks,
        error: run.error.clone(),
    }
}
