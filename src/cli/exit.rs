//! Exit codes.

use std::process::ExitCode;

use crate::drift::Verdict;
use crate::pipeline::Outcome;

/// Clean or tolerated.
pub const CLEAN: u8 = 0;
/// The answer is no: breaking drift, or a failed check.
pub const NO: u8 = 1;
/// There is no answer: usage, settings, unreadable input, an engine's failure.
pub const NO_ANSWER: u8 = 2;
/// Ctrl-C, as shells say it.
pub const INTERRUPTED: i32 = 130;

pub fn of_verdict(verdict: Verdict) -> ExitCode {
    ExitCode::from(match verdict {
        Verdict::Clean | Verdict::Tolerated => CLEAN,
        Verdict::Breaking => NO,
        Verdict::Unknown => NO_ANSWER,
    })
}

pub fn of_outcome(outcome: Option<Outcome>) -> ExitCode {
    ExitCode::from(match outcome {
        Some(Outcome::Published) => CLEAN,
        Some(Outcome::Halted | Outcome::ChecksFailed) => NO,
        Some(Outcome::Error | Outcome::Superseded) | None => NO_ANSWER,
    })
}
