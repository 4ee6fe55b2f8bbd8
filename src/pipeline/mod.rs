//! The pipeline: compare, plan, then walk the plan over the ports, one recorded step at a time.
//!
//! Whoever drives it only calls [`advance()`] until it is done: a laptop waits on the engine in between, a Lambda returns
//! and is called again.

mod accept;
mod advance;
mod baseline;
mod casts;
mod beside;
pub mod bundle;
mod cleanup;
mod commands;
mod compare;
mod conclude;
pub mod deploy;
mod drive;
mod failure;
mod inputs;
mod garbage;
mod outputs;
mod places;
mod project;
mod publish;
mod queue;
mod reading;
mod record;
mod rename;
mod reporter;
mod retention;
mod seen;
mod stop;
mod stored;
mod told;
mod ways;
mod whole;

use crate::catalog::Catalog;
use crate::engine::Engine;
use crate::notify::Notifier;
use crate::port::PortError;
use crate::problem::Problems;

use crate::store::Store;

pub use accept::{Accepted, accept, accepted_document};
pub use advance::{Progress, advance};
pub use beside::{free_names, is_ours, look_beside};
pub use bundle::{Bundle, Pushed};
pub use casts::Cast;
pub use commands::Commands;
pub use compare::{Comparison, Sieve, compare, compare_tables, readable};
pub use conclude::{begin, conclude};
pub use deploy::{Edit, Push, push, take_back};
pub use drive::{Step, awaits, crawl_failed, drive, refuse, refuse_locked};
pub use failure::advice;
pub use inputs::{Inputs, Schemas};
pub use outputs::{RetypedOutput, with_types};
pub use project::Project;
pub use publish::{ROWS, RUN};
pub use queue::{Asked, Queue, Slot, Why, ask_for_crawl, crawl_began, enqueue, joined, status, under_way};
pub use record::{
    AdaptedModel, Delivery, Outcome, Provenance, Published, Recorded, Run, StepRecord, StepStatus, is_ended, load, runs,
};
pub use rename::{Rename, renames};
pub use reporter::{Event, Quiet, Reporter};
pub use seen::unseen;
pub use stop::{Stopped, give_up, stop};
pub use whole::{Request, end, run, unfinished};

/// The outside world, as the pipeline sees it.
#[derive(Clone, Copy)]
pub struct Ports<'a> {
    pub catalog: &'a dyn Catalog,
    pub engine: &'a dyn Engine,
    pub notifier: &'a dyn Notifier,
    pub store: &'a dyn Store,
    pub reporter: &'a dyn Reporter,
    /// What tells that a run still reads what it compared; `None` where nothing can.
    pub inputs: Option<&'a dyn Inputs>,
}

/// That somebody accepted a table's drift.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Acceptance {
    pub table: String,
    pub who: String,
    /// `2026-01-02T03:04:05Z`.
    pub at: String,
}

/// Why a run could not go on; the run itself stays resumable.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    #[error(transparent)]
    Problems(#[from] Problems),
    #[error(transparent)]
    Port(#[from] PortError),
    #[error("read `{key}`: {message}")]
    Record { key: String, message: String },
    /// Somebody else moved it on first; look again.
    #[error("`{key}` was changed by somebody else at the same time")]
    Overtaken { key: String },
}

impl RunError {
    fn record(key: &str, message: impl Into<String>) -> Self {
        Self::Record { key: key.into(), message: message.into() }
    }

    /// What to do about an object that cannot be used; other errors have their own words.
    fn advised(self, advice: &str) -> Self {
        match self {
            Self::Record { key, message } => Self::Record { key, message: format!("{message}; {advice}") },
            error => error,
        }
    }

    /// The error of a port that stays until somebody does something about it.
    pub fn lasting(&self) -> Option<&PortError> {
        match self {
            Self::Port(error) if error.kind.is_lasting() => Some(error),
            _ => None,
        }
    }
}
