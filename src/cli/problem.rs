//! Why a command has no answer, as problems and as JSON.

use serde_json::{Value, json};

use super::args::Command;
use crate::pipeline::RunError;
use crate::port::{PortError, io_help};
use crate::problem::{Problem, Problems};

/// The problems behind an error; never empty.
pub fn of(error: &anyhow::Error) -> Vec<Problem> {
    if let Some(Problems(problems)) = error.downcast_ref() {
        return problems.clone();
    }
    match error.downcast_ref() {
        Some(RunError::Problems(Problems(problems))) => return problems.clone(),
        Some(RunError::Port(error)) => return vec![of_port(error)],
        Some(RunError::Record { .. } | RunError::Overtaken { .. }) | None => {}
    }
    match error.downcast_ref::<PortError>() {
        Some(error) => vec![of_port(error)],
        None => vec![Problem { help: of_io(error).into(), ..plain(format!("{error:#}")) }],
    }
}

/// What helps where an I/O error is at the bottom.
fn of_io(error: &anyhow::Error) -> &'static str {
    error.chain().find_map(|cause| cause.downcast_ref::<std::io::Error>()).map_or("", |error| io_help(error.kind()))
}

fn of_port(error: &PortError) -> Problem {
    Problem { help: error.help().into(), ..plain(error.to_string()) }
}

fn plain(message: String) -> Problem {
    Problem::new("", "", message, "")
}

/// A command that gives a verdict or an outcome gives it here too, so that a script reads one form (docs/json.md).
pub fn as_json(command: &Command, problems: &[Problem]) -> Value {
    match command {
        Command::Check { .. } | Command::Diff { .. } | Command::Plan => {
            json!({"schema_version": 1, "verdict": "unknown", "findings": [], "errors": problems})
        }
        Command::Run { .. } => json!({"schema_version": 1, "run_id": null, "verdict": "unknown", "outcome": "error",
            "findings": [], "steps": [], "checks": [], "published": [], "alert": null, "errors": problems}),
        _ => json!({"schema_version": 1, "error": {"problems": problems}}),
    }
}
