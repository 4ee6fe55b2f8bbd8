//! Runs as text for people.

use std::fmt::Write;

use super::{BOLD, GREEN, NO_MODELS, RED, YELLOW, adapted, builds_nothing, notes, one, paint, verdict_word};
use crate::checks::{COLUMN_TYPE, CheckResult, CheckStatus, sentence};
use crate::drift::{Finding, Level, Verdict};
use crate::notify::wrap;
use crate::pipeline::{Acceptance, Commands, Delivery, Outcome, Provenance, Run, StepStatus, advice};
use crate::plan::{Action, Alert, AlertKind};
use crate::problem::shell_word;

/// A whole run: how it ended, what changed, what failed, what was published, and what to do next. `accepted` is what people
/// accepted since.
pub fn run(run: &Run, accepted: &[Acceptance]) -> String {
    let mut text = head(run);
    text += &run.findings.iter().map(one).collect::<String>();
    text += &adapted(run);
    text += &failures(run);
    text += &checks(&run.checks, true);
    text += &published(run);
    text += &notes(run);
    text += &steps(run);
    text += &next(run, accepted);
    text
}

/// A run whose alert was sent: what the alert does not hold, then the alert.
pub fn run_with_alert(run: &Run, alert: &str) -> String {
    let mut text = head(run);
    text += &run.findings.iter().filter(|finding| finding.level == Level::Tolerated).map(one).collect::<String>();
    text += &adapted(run);
    text += &failures(run);
    text += &checks(&run.checks, false);
    text += &published(run);
    text += &notes(run);
    writeln!(text, "\nThe alert that was sent:\n\n{}", printed(alert, run.alert.as_ref())).expect("a String takes all");
    text
}

/// A mail as a terminal shows it: a mail's own lines are as long as its sentences. Its subject is one line. A command is there
/// to be copied: whole, and alone on its line if it accepts.
fn printed(text: &str, alert: Option<&Alert>) -> String {
    let accepts = |line: &String| alert.is_some_and(|alert| alert.accept.contains(line));
    let shows = |line: &str| alert.is_some_and(|alert| !alert.details.is_empty() && line.ends_with(&alert.details));
    let barred = |line: &str| if line.is_empty() { "|".to_owned() } else { format!("| {line}") };
    let mut lines = Vec::new();
    for line in text.trim_end().lines().map(str::to_owned) {
        if accepts(&line) {
            lines.push(line);
        } else if lines.is_empty() || line.is_empty() || shows(&line) {
            lines.push(barred(&line));
        } else {
            let words = line.trim_start_matches([' ', '-']);
            let before = &line[..line.len() - words.len()];
            lines.extend(format!("{before}{}", wrap(words, before.len())).lines().map(barred));
        }
    }
    lines.join("\n")
}

/// How the run ended. Drift that is none is only said where nothing else went wrong.
fn head(run: &Run) -> String {
    let mut text = format!("run {}: {}\n", run.run_id, outcome(run));
    if let Some(crawled_at) = &run.crawled_at {
        let age = run.crawl_age_days().map_or_else(String::new, |days| format!(", {days} days before the run"));
        writeln!(text, "catalog as of {crawled_at}{age}").expect("a String takes all");
    }
    for (table, shown) in &run.shown {
        let shown = shown.as_ref().map_or_else(|| "what is not known".to_owned(), |run| format!("run {run}"));
        writeln!(text, "  {table} shows {shown}").expect("a String takes all");
    }
    if !run.findings.is_empty() {
        writeln!(text, "drift: {}", verdict_word(run.verdict)).expect("a String takes all");
    } else if run.outcome != Some(Outcome::Error) {
        text += "drift: none\n";
    }
    text
}

fn outcome(run: &Run) -> String {
    match run.outcome {
        Some(Outcome::Published) if builds_nothing(run) => NO_MODELS.to_owned(),
        Some(Outcome::Published) => paint(GREEN, "published"),
        Some(Outcome::Halted) => paint(RED, "halted, nothing published"),
        Some(Outcome::ChecksFailed) => paint(RED, "checks failed, nothing published"),
        Some(Outcome::Error) if !run.shown.is_empty() => paint(RED, "error, published by halves"),
        Some(Outcome::Error) => paint(RED, "error, nothing published"),
        Some(Outcome::Superseded) if run.superseded_by.is_none() => {
            paint(YELLOW, "cut off, and its files changed: nothing published")
        }
        Some(Outcome::Superseded) => paint(YELLOW, "overtaken by its tables, nothing published"),
        None if run.is_publishing() => paint(YELLOW, "under way, amid its publication: tables may be of two runs"),
        None => paint(YELLOW, "under way"),
    }
}

/// How far a run is that is under way.
fn steps(run: &Run) -> String {
    if run.outcome.is_some() {
        return String::new();
    }
    let of = |status| run.steps.iter().filter(move |step| step.status == status);
    let done = run.steps.len() - of(StepStatus::Pending).count() - of(StepStatus::Running).count();
    let mut text = format!("\nsteps: {done} of {} done\n", run.steps.len());
    for step in of(StepStatus::Running) {
        let attempt = if step.attempt > 1 { format!(", attempt {}", step.attempt) } else { String::new() };
        writeln!(text, "  running {}{attempt}", step.name).expect("a String takes all");
    }
    let waiting: Vec<&str> = of(StepStatus::Pending).map(|step| step.name.as_str()).collect();
    if !waiting.is_empty() {
        writeln!(text, "  waiting {}", waiting.join(", ")).expect("a String takes all");
    }
    text
}

fn failures(run: &Run) -> String {
    let mut text = String::new();
    let failures = run.failures();
    for same in &failures {
        let steps: Vec<_> = same.iter().map(|step| &run.steps[*step]).collect();
        let why = steps[0].error.as_deref().unwrap_or("no reason given");
        writeln!(text, "\n{} {}: {why}", paint(RED, "failed"), steps[0].name).expect("a String takes all");
        // The record's message starts with the model's file.
        let said = why.split_once(".sql: ").map_or(why, |(_, said)| said);
        if let Some(advice) = advice(said).filter(|_| !said.contains("\n  help: ")) {
            writeln!(text, "  help: {advice}").expect("a String takes all");
        }
        if let [_, others @ ..] = steps.as_slice()
            && !others.is_empty()
        {
            let others: Vec<&str> = others.iter().map(|step| step.name.as_str()).collect();
            writeln!(text, "  the same: {}", others.join(", ")).expect("a String takes all");
        }
    }
    if failures.is_empty()
        && run.findings.is_empty()
        && let Some(error) = &run.error
    {
        writeln!(text, "\n{} {error}", paint(RED, "failed")).expect("a String takes all");
    }
    text
}

fn checks(checks: &[CheckResult], in_full: bool) -> String {
    if checks.is_empty() {
        return String::new();
    }
    let passed = checks.iter().filter(|check| check.status == CheckStatus::Pass).count();
    let mut text = format!("\nchecks: {passed} of {} passed\n", checks.len());
    for check in checks.iter().filter(|check| in_full && check.status != CheckStatus::Pass) {
        let word = if check.status == CheckStatus::Fail { "failed" } else { "inconclusive" };
        writeln!(text, "  {} {}", paint(RED, word), sentence(check)).expect("a String takes all");
    }
    text
}

/// What readers see from now on: rows, checks and the engine's time of each table.
fn published(run: &Run) -> String {
    if run.published.is_empty() || run.outcome != Some(Outcome::Published) {
        return String::new();
    }
    let seconds = |millis: u64| format!("{:.2} s", millis as f64 / 1000.0);
    let total = run.steps.iter().filter_map(|step| step.millis).sum();
    let count = tables(run.published.len());
    let mut text = format!("\n{} {count}, {} in the engine\n", paint(BOLD, "published"), seconds(total));
    let width = run.published.iter().map(|table| table.table.len()).max().unwrap_or_default();
    for table in &run.published {
        let version = table.version.as_deref().unwrap_or("?");
        let build = format!("build {}", table.table);
        let millis = run.steps.iter().find(|step| step.name == build).and_then(|step| step.millis).unwrap_or_default();
        let checks = run.checks.iter().filter(|check| check.table == table.table);
        let (all, passed) = (checks.clone().count(), checks.filter(|check| check.status == CheckStatus::Pass).count());
        let checks = format!("{passed}/{all}");
        writeln!(
            text,
            "  {:width$}  {:>8} {:4}  {checks:>5} checks  {:>8}  version {version}",
            table.table,
            table.rows,
            if table.rows == 1 { "row" } else { "rows" },
            seconds(millis),
        )
        .expect("a String takes all");
    }
    text
}

fn tables(count: usize) -> String {
    format!("{count} {}", if count == 1 { "table" } else { "tables" })
}

/// The published models that no contract says anything of: what writes one.
pub fn unchecked(run: &Run, commands: &Commands) -> String {
    let is_bare = |action: &Action| match action {
        Action::Check { table, reads, columns, .. } if reads != table && columns.is_empty() => Some(table.clone()),
        _ => None,
    };
    let bare: Vec<String> = run.plan.steps.iter().filter_map(|step| is_bare(&step.action)).collect();
    if bare.is_empty() || run.outcome != Some(Outcome::Published) {
        return String::new();
    }
    let words: Vec<String> = bare.iter().map(|table| shell_word(table)).collect();
    let init = commands.line(&format!("contracts init {}", words.join(" ")));
    format!(
        "\nno contract says what {} must be like, so little is checked: this writes checks from what was published\n  {init}\n",
        bare.join(", ")
    )
}

/// What people can do, and what they were told.
fn next(run: &Run, accepted: &[Acceptance]) -> String {
    let mut text = match run.outcome {
        Some(Outcome::Halted) => halted(run, accepted),
        Some(Outcome::ChecksFailed) => {
            let next = "\nnext: correct the newest files of the sources above and run again; if the numbers are right, \
                        change the rule in contracts/\n";
            next.to_owned() + &wrong_types(run)
        }
        Some(Outcome::Error) => "\nnext: mend what is said above, then run again\n".to_owned(),
        Some(Outcome::Superseded) => match &run.superseded_by {
            Some(slot) => format!("\nnext: the run for {slot} takes its place\n"),
            None => "\nnext: a new run takes its place\n".to_owned(),
        },
        Some(Outcome::Published) | None => String::new(),
    };
    let told = run.alert.as_ref().map(|alert| alert.kind);
    text += &match &run.delivery {
        Some(Delivery::AlreadyTold { run_id, slot }) => {
            format!("\nalready alerted on {} by run {run_id}; not sent again\n", day(slot))
        }
        Some(Delivery::Unsent { error }) => format!("\nthe alert is kept for the next run or sweep: {error}\n"),
        Some(Delivery::Sent) if told == Some(AlertKind::Resolved) => {
            let resolves = run.alert.as_ref().and_then(|alert| alert.resolves.as_ref());
            let what = resolves.map(|told| format!(" what run {} alerted on {}", told.run_id, day(&told.slot)));
            format!("\nresolved:{} is over, and people were told\n", what.unwrap_or_else(|| " the last alert".into()))
        }
        Some(Delivery::Sent) | None => String::new(),
    };
    text
}

/// Where the type is promised that a column of a model does not have.
fn wrong_types(run: &Run) -> String {
    let failed = run.checks.iter().filter(|it| it.status == CheckStatus::Fail && it.check == COLUMN_TYPE);
    let one = |check: &CheckResult| {
        let column = check.column.as_deref().unwrap_or_default();
        format!(
            "if the type of {}.{column} is right, write it into the contract of {}: `physicalType` of `{column}`\n",
            check.table, check.table
        )
    };
    failed.map(one).collect()
}

fn halted(run: &Run, accepted: &[Acceptance]) -> String {
    let lines = run.alert.as_ref().map(|alert| alert.accept.as_slice()).unwrap_or_default();
    if lines.is_empty() {
        return "\nnext: mend the source, then run again\n".into();
    }
    let is_of = |line: &str, table: &str| line.contains(&format!(" contracts update {} ", shell_word(table)));
    let is_open = |line: &&String| !accepted.iter().any(|known| is_of(line, &known.table));
    let commands: Vec<&String> = lines.iter().filter(is_open).collect();
    let is_named = |known: &&Acceptance| lines.iter().any(|line| is_of(line, &known.table));
    let told =
        |known: &Acceptance| format!("\nsince accepted: {}, by {} on {}\n", known.table, known.who, day(&known.at));
    let told: String = accepted.iter().filter(is_named).map(told).collect();
    if commands.is_empty() {
        return told;
    }
    let commands: String = commands.iter().map(|command| format!("  {command}\n")).collect();
    format!("{told}\nnext: mend the source, or accept the change, then run again\n{commands}")
}

fn day(slot: &str) -> &str {
    slot.get(..10).unwrap_or(slot)
}

/// Which text of the project the run went by, and who began it.
pub fn provenance(run: &Run) -> String {
    let Some(Provenance { revision, deployed, by }) = &run.provenance else { return String::new() };
    let deployed = match deployed {
        Some(true) => ", as deployed",
        Some(false) => ", which was not what was deployed",
        None => "",
    };
    format!("\nrevision {}{deployed}; begun by {by}\n", revision.get(..12).unwrap_or(revision))
}

/// Past runs, one a line.
pub fn runs(runs: &[Run]) -> String {
    let stops = |findings: &[Finding]| findings.iter().filter(|finding| finding.level > Level::Tolerated).count();
    let mut text = String::new();
    for run in runs {
        let why = match run.outcome {
            Some(Outcome::Published) if builds_nothing(run) => String::new(),
            Some(Outcome::Published) => format!(" {}", tables(run.published.len())),
            Some(Outcome::Halted) => format!(": {} breaking", stops(&run.findings)),
            Some(Outcome::ChecksFailed) => {
                let failed = run.checks.iter().filter(|check| check.status != CheckStatus::Pass).count();
                format!(": {failed} of {}", run.checks.len())
            }
            Some(Outcome::Error | Outcome::Superseded) | None => String::new(),
        };
        let crawl = run.crawl_age_days().map_or_else(String::new, |days| format!(", crawl {days} days old"));
        let drift = if run.verdict == Verdict::Tolerated { ", drift tolerated" } else { "" };
        writeln!(text, "{}  {}{why}{drift}{crawl}", run.run_id, outcome(run)).expect("a String takes all");
    }
    if text.is_empty() { "no runs yet\n".into() } else { text }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_mail_is_printed_in_short_lines_and_its_commands_whole() {
        let command = |rest: &str| format!("crawlguard --project {}/{rest}", "a".repeat(60));
        let (accept, details) = (command("b contracts update raw_c --yes"), command("b runs 1"));
        let alert = json!({
            "kind": "breaking", "run_id": "1", "slot": "", "project": "", "target": "", "findings": [], "checks": [],
            "error": null, "accept": [accept], "details": details, "fingerprint": ""
        });
        let alert: Alert = serde_json::from_value(alert).expect("an alert");
        let long = "word ".repeat(30);
        let text = format!("Subject: {long}x\n\n{long}\n- {long}\n  {long}\n{accept}\nMore: {details}\nRun:  1\n");
        let shown = printed(&text, Some(&alert));
        let (text, last) = shown.split_once(&format!("\n{accept}\n")).expect("a line of its own");
        assert_eq!(last, format!("| More: {details}\n| Run: 1"));
        let (subject, text) = text.split_once("\n|\n").expect("a subject");
        assert_eq!(subject, format!("| Subject: {long}x"));
        assert!(text.lines().all(|line| line.chars().count() <= 74 && line.starts_with('|')), "{text}");
        let starts = |words: &str| text.lines().filter(|line| line.starts_with(words)).count();
        assert_eq!((starts("| word"), starts("|   word"), starts("| - word")), (3, 5, 1), "{text}");
    }
}
