//! Deploying a project: one conditional write, which may not lose what somebody accepted.
//!
//! The log of acceptances tells what a project knows of. A project that holds every line of the deployed log may take its
//! place; one that does not was made without knowing of an acceptance, and would undo it. Of all other files only a folder
//! that remembers what it was last in step with, its base, can tell an edit from a text that is merely old.

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
    /// Refused: this is deployed, and holds acceptances or edits that the pushed project does not know of.
    Refused { deployed: Box<Bundle> },
}

/// Deploys `bundle`, unless that would undo an acceptance, or an edit that was deployed since `base`. Of two at once one is
/// first, and the other is judged again.
pub async fn push(store: &dyn Store, bundle: &Bundle, base: Option<&Bundle>) -> Result<Push, RunError> {
    for _ in 0..LOOKS {
        let (before, tag) = match deployed(store).await? {
            None => (BTreeMap::new(), None),
            Some((deployed, _)) if deployed.files == bundle.files => return Ok(Push::Same),
            Some((deployed, _)) if !bundle.keeps(&deployed, base) => {
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

    /// True if this project may take the place of `other`: it holds its acceptances, and what was edited there since `base`.
    pub fn keeps(&self, other: &Self, base: Option<&Self>) -> bool {
        self.knows(other) && undone(base, other, self).is_empty()
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

/// The files that `deployed` has otherwise than `base`, and that `bundle` would not leave so. Without a base nobody knows of
/// any.
pub fn undone(base: Option<&Bundle>, deployed: &Bundle, bundle: &Bundle) -> Vec<String> {
    let Some(base) = base else { return Vec::new() };
    let log = deployed.log_file();
    let edited = changes(&base.files, &deployed.files).into_iter();
    edited
        .filter(|edit| edit.file != log && bundle.files.get(&edit.file) != edit.after.as_ref())
        .map(|it| it.file)
        .collect()
}

/// What a pull makes of a folder: every file is the deployed one, but for what was changed here.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Merge {
    /// Changed there alone; the log of acceptances, which has the lines of both, is among them.
    pub taken: Vec<Edit>,
    /// Changed here alone.
    pub kept: Vec<Edit>,
    /// Changed on both sides, or where that is not known.
    pub conflicts: Vec<Edit>,
}

/// Brings `there` into `here`, file by file, by what both were at `base`. Without a base a file that both have is a conflict,
/// and one that only one side has is new.
pub fn merge(base: Option<&Bundle>, here: &Bundle, there: &Bundle) -> Merge {
    let mut merge = Merge::default();
    let log = there.log_file();
    for mut edit in changes(&here.files, &there.files) {
        let before = base.and_then(|base| base.files.get(&edit.file));
        let is_as_before = |side: &Option<String>| match base {
            Some(_) => side.as_ref() == before,
            None => side.is_none(),
        };
        if edit.file == log && !here.knows(there) {
            edit.after = Some(both(there.log(), here.log()));
            merge.taken.push(edit);
        } else if edit.file == log {
            merge.kept.push(edit);
        } else if is_as_before(&edit.before) {
            merge.taken.push(edit);
        } else if is_as_before(&edit.after) {
            merge.kept.push(edit);
        } else {
            merge.conflicts.push(edit);
        }
    }
    merge
}

/// The lines of a log, and below them those that only the other one has.
fn both(log: &str, other: &str) -> String {
    let known: BTreeSet<_> = log.lines().collect();
    let own = other.lines().filter(|line| !known.contains(line));
    log.lines().chain(own).map(|line| format!("{line}\n")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn project(files: &[(&str, &str)]) -> Bundle {
        let files = files.iter().map(|(file, text)| ((*file).to_owned(), (*text).to_owned())).collect();
        Bundle::new(files, super::super::Pushed::default())
    }

    fn names(edits: &[Edit]) -> Vec<&str> {
        edits.iter().map(|edit| edit.file.as_str()).collect()
    }

    #[test]
    fn a_file_is_taken_kept_or_a_conflict_by_who_changed_it() {
        let base =
            project(&[("both", "0"), ("gone", "0"), ("here", "0"), ("here_gone", "0"), ("same", "0"), ("there", "0")]);
        let here = project(&[("both", "1"), ("gone", "0"), ("here", "1"), ("new", "1"), ("same", "1"), ("there", "0")]);
        let there = project(&[
            ("both", "2"),
            ("here", "0"),
            ("here_gone", "2"),
            ("same", "1"),
            ("there", "2"),
            ("theirs", "2"),
        ]);
        let merged = merge(Some(&base), &here, &there);
        assert_eq!(names(&merged.taken), ["gone", "theirs", "there"]);
        assert_eq!(names(&merged.kept), ["here", "new"]);
        assert_eq!(names(&merged.conflicts), ["both", "here_gone"]);
        assert_eq!(undone(Some(&base), &there, &here), ["both", "gone", "here_gone", "theirs", "there"]);
        assert_eq!(undone(Some(&base), &there, &there), [""; 0]);

        let merged = merge(None, &here, &there);
        assert_eq!(names(&merged.taken), ["here_gone", "theirs"]);
        assert_eq!(names(&merged.kept), ["gone", "new"]);
        assert_eq!(names(&merged.conflicts), ["both", "here", "there"]);
        assert_eq!(undone(None, &there, &here), [""; 0]);
    }

    #[test]
    fn a_log_has_the_lines_of_both() {
        let log = |text: &str| project(&[("contracts/log.jsonl", text)]);
        for (here, there, expected) in [("a\nb\n", "a\nc\n", "a\nc\nb\n"), ("a\n", "a\nc\n", "a\nc\n")] {
            for base in [None, Some(&log("a\n"))] {
                let merged = merge(base, &log(here), &log(there));
                assert_eq!(merged.taken[0].after.as_deref(), Some(expected));
                assert_eq!((merged.kept, merged.conflicts), (vec![], vec![]));
            }
        }
        let ahead = merge(None, &log("b\na\n"), &log("a\n"));
        assert_eq!((names(&ahead.kept), ahead.taken), (vec!["contracts/log.jsonl"], vec![]));
    }
}
