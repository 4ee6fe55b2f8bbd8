//! Results as text for people.

use std::fmt::Write;

use anstyle::{AnsiColor, Style};
use jiff::Timestamp;
use similar::{ChangeTag, TextDiff};

use crate::drift::{Decode, Finding, Level, Rule, Verdict};
use crate::pipeline::Run;
use crate::plan::{Action, explain, slot};
use crate::problem::Problem;
use crate::sql::ident::in_ddl;

mod contract;
mod run;

pub use contract::contract_change;
pub use run::{provenance, run, run_with_alert, runs, unchecked};

const RED: Style = AnsiColor::Red.on_default();
const GREEN: Style = AnsiColor::Green.on_default();
const YELLOW: Style = AnsiColor::Yellow.on_default();
const BOLD: Style = Style::new().bold();
const DIM: Style = Style::new().dimmed();

fn paint(style: Style, text: &str) -> String {
    format!("{style}{text}{style:#}")
}

/// The verdict and every finding under it.
pub fn findings(verdict: Verdict, findings: &[Finding]) -> String {
    let mut text = format!("verdict: {}\n", verdict_word(verdict));
    for finding in findings {
        text += &one(finding);
    }
    text
}

/// How old the catalog is that was compared: a verdict holds for what the last crawl saw.
pub fn catalog_age(as_of: Option<Timestamp>, now: Timestamp) -> String {
    let Some(as_of) = as_of else { return "catalog as of: unknown\n".to_owned() };
    let minutes = (now.as_second() - as_of.as_second()).max(0) / 60;
    let (count, unit) = match minutes {
        0..120 => (minutes, "minute"),
        120..2880 => (minutes / 60, "hour"),
        _ => (minutes / 1440, "day"),
    };
    let plural = if count == 1 { "" } else { "s" };
    format!("catalog as of {} ({count} {unit}{plural} ago)\n", slot(as_of))
}

fn verdict_word(verdict: Verdict) -> String {
    match verdict {
        Verdict::Clean => paint(GREEN, "clean"),
        Verdict::Tolerated => paint(YELLOW, "tolerated"),
        Verdict::Breaking => paint(RED, "breaking"),
        Verdict::Unknown => paint(RED, "unknown"),
    }
}

fn one(finding: &Finding) -> String {
    let level = match finding.level {
        Level::Tolerated => paint(YELLOW, "tolerated"),
        Level::Breaking => paint(RED, "breaking"),
        Level::Unknown => paint(RED, "unknown"),
    };
    let place =
        if finding.path.is_empty() { finding.table.clone() } else { format!("{}.{}", finding.table, finding.path) };
    let mut text = format!("\n{level}[{}] {}\n  {}\n", finding.rule, paint(BOLD, &place), finding.message);
    let decode = match finding.decode {
        Decode::Safe => "the bytes decode as before",
        Decode::Unsafe => "the bytes would be read wrongly",
        Decode::Unknown => "not known whether the bytes decode",
    };
    writeln!(text, "  decode: {decode}").expect("a String takes all");
    for reader in &finding.models {
        writeln!(text, "  hits {}: {}", reader.model, reader.columns.join(", ")).expect("a String takes all");
    }
    if !finding.help.is_empty() {
        writeln!(text, "  help: {}", finding.help).expect("a String takes all");
    }
    text
}

/// A plan, its findings first.
pub fn plan(run: &Run) -> String {
    let mut text = findings(run.verdict, &run.findings);
    text += &adapted(run);
    text += &notes(run);
    text += "\n";
    text += &match run.verdict {
        Verdict::Breaking | Verdict::Unknown => "nothing would be built\n".to_owned(),
        _ if builds_nothing(run) => format!("{NO_MODELS}\n{}", explain(&run.plan)),
        _ => explain(&run.plan),
    };
    text
}

const NO_MODELS: &str = "nothing to build: sql/ has no models";

fn builds_nothing(run: &Run) -> bool {
    !run.plan.steps.iter().any(|step| matches!(step.action, Action::Publish { .. }))
}

fn adapted(run: &Run) -> String {
    let mut text = String::new();
    for model in &run.adapted {
        writeln!(text, "\nadapted {}", model.model).expect("a String takes all");
        text += &diff(&model.file, &model.before, &model.after);
    }
    text
}

/// What is left to people, one a line.
fn notes(run: &Run) -> String {
    let notes = run.not_carried.iter().cloned().chain(orphans(&run.orphans)).map(|note| as_note(&note));
    notes.collect::<String>() + &noted(&run.notes)
}

/// What was noticed that is no fault, one a line.
pub fn noted(notes: &[Problem]) -> String {
    notes.iter().map(|note| as_note(&note.to_string())).collect()
}

fn as_note(text: &str) -> String {
    format!("{} {text}\n", paint(YELLOW, "note:"))
}

fn orphans(tables: &[String]) -> Option<String> {
    let first = tables.first()?;
    let names: Vec<_> = tables.iter().map(|table| format!("`{table}`")).collect();
    Some(format!(
        "no model builds {} any more, and readers still see what was built: bring the model back (sql/{first}.sql), or \
         drop the table (in Athena: DROP TABLE {}; on this machine: its folder in the state's catalog)",
        names.join(", "),
        in_ddl(first)
    ))
}

/// A unified diff with colours.
pub fn diff(file: &str, before: &str, after: &str) -> String {
    let changes = TextDiff::from_lines(before, after);
    let mut text = format!("{}\n{}\n", paint(DIM, &format!("--- {file}")), paint(DIM, &format!("+++ {file}")));
    for hunk in changes.unified_diff().context_radius(2).iter_hunks() {
        writeln!(text, "{}", paint(DIM, &hunk.header().to_string())).expect("a String takes all");
        for change in hunk.iter_changes() {
            let line = change.value().trim_end_matches('\n');
            let painted = match change.tag() {
                ChangeTag::Delete => paint(RED, &format!("-{line}")),
                ChangeTag::Insert => paint(GREEN, &format!("+{line}")),
                ChangeTag::Equal => format!(" {line}"),
            };
            writeln!(text, "{painted}").expect("a String takes all");
        }
    }
    text
}

/// The rules, one a line.
pub fn rules(rules: &[&Rule]) -> String {
    let width = rules.iter().map(|rule| rule.id.len()).max().unwrap_or_default();
    rules.iter().map(|rule| format!("{:width$}  {}\n", rule.id, rule.summary)).collect()
}
