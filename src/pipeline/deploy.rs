//! Deploying a project: one conditional write, which may not lose what somebody accepted.
//!
//! The log of acceptances tells what a project knows of. A project that holds every line of the deployed log may take its
//! place; one that does not was made without knowing of an acceptance, and would undo it.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::bundle::{Bundle, KEY, deployed, plain};
use super::{RunError, stored};
use crate::config;
use crate::store::Store;

/// The log of acceptances, in the contracts folder: a line each.
pub const LOG: &str = "log.jsonl";

/// How often one that was overtaken looks again.
const LOOKS: usize = 10;

/// A project file's text before and after; `None` for a file that is not there. One that goes is kept as `.bak`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Edit {
    pub file: String,
    pub before: Option<String>,
    pub after: Option<String>,
}

/// What became of a push.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Push {
    /// The same files are deployed.
    Same,
    /// Deployed, with what it changed.
    Done { changes: Vec<Edit> },
    /// Refused: this is deployed, and holds acceptances that the pushed project does not know of.
    Refused { deployed: Box<Bundle> },
}

/// Deploys `bundle`, unless that would undo an acceptance. Of two at once one is first, and the other is judged again.
pub async fn push(store: &dyn Store, bundle: &Bundle) -> Result<Push, RunError> {
    for _ in 0..LOOKS {
        let (before, tag) = match deployed(store).await? {
            None => (BTreeMap::new(), None),
            Some((deployed, _)) if deployed.files == bundle.files => return Ok(Push::Same),
            Some((deployed, _)) if !bundle.knows(&deployed) => {
                return Ok(Push::Refused { deployed: Box::new(deployed) });
            }
            Some((deployed, tag)) => (deployed.files, Some(tag)),
        };
        match stored::write(store, KEY, bundle, tag.as_deref()).await {
            Err(RunError::Overtaken { .. }) => {}
            written => return written.map(|_| Push::Done { changes: changes(&before, &bundle.files) }),
        }
    }
    Err(RunError::Overtaken { key: KEY.into() })
}

/// Puts `bundle` in the place of `revision`, whatever that has accepted; false if something else is deployed.
pub async fn take_back(store: &dyn Store, revision: &str, bundle: &Bundle) -> Result<bool, RunError> {
    match deployed(store).await? {
        Some((deployed, tag)) if deployed.revision == revision => {
            stored::write(store, KEY, bundle, Some(&tag)).await.map(|_| true)
        }
        _ => Ok(false),
    }
}

impl Bundle {
    /// True if this project holds every acceptance of `other`.
    pub fn knows(&self, other: &Self) -> bool {
        missing(other.log(), self.log()) == 0
    }

    /// The text of the log of acceptances; empty while nothing was accepted.
    pub fn log(&self) -> &str {
        self.files.get(&self.log_file()).map_or("", String::as_str)
    }

    /// The log's path, relative to the project.
    pub fn log_file(&self) -> String {
        let settings = self.files.get(config::FILE).and_then(|text| config::parse(text).ok());
        let contracts = settings.map_or_else(|| "contracts".into(), |config| config.contracts);
        plain(&contracts.join(LOG))
    }
}

/// How many lines of a log the other one lacks.
pub fn missing(log: &str, other: &str) -> usize {
    let known: BTreeSet<_> = other.lines().collect();
    log.lines().filter(|line| !known.contains(line)).count()
}

/// What makes one set of files of the other, by file.
pub fn changes(before: &BTreeMap<String, String>, after: &BTreeMap<String, String>) -> Vec<Edit> {
    let files: BTreeSet<_> = before.keys().chain(after.keys()).collect();
    let edit =
        |file: &String| Edit { file: file.clone(), before: before.get(file).cloned(), after: after.get(file).cloned() };
    files.into_iter().map(edit).filter(|edit| edit.before != edit.after).collect()
}
