use std::collections::BTreeSet;

use super::decode::Reading;
use super::{Change, ChangeKind, Decode, rename};
use crate::schema::Table;

/// The facts found so far about one table.
pub(super) struct Facts<'a> {
    table: &'a str,
    pub(super) reading: Reading,
    pub(super) changes: Vec<Change>,
}

impl<'a> Facts<'a> {
    /// None yet; `after` says how the bytes are read now.
    pub(super) fn about(table: &'a str, after: &Table) -> Self {
        Self { table, reading: Reading::of(after), changes: Vec::new() }
    }

    pub(super) fn add(
        &mut self,
        path: impl Into<String>,
        kind: ChangeKind,
        before: Option<String>,
        after: Option<String>,
        decode: Decode,
    ) {
        self.changes.push(Change { path: path.into(), before, after, ..Change::of_table(self.table, kind, decode) });
    }

    /// The place, from 0, of what the last fact added or removed.
    pub(super) fn at(&mut self, index: usize) {
        if let Some(change) = self.changes.last_mut() {
            change.place = Some(index + 1);
        }
    }

    /// The columns that the last fact shifted.
    pub(super) fn shifting<'n>(&mut self, columns: impl Iterator<Item = &'n str>) {
        if let Some(change) = self.changes.last_mut() {
            change.shifted = columns.map(str::to_owned).collect();
        }
    }

    /// The file that shows the last fact.
    pub(super) fn shown_by(&mut self, file: Option<&String>) {
        if let Some(change) = self.changes.last_mut() {
            change.file = file.cloned();
        }
    }

    /// Notes what was added beside the last fact, and is not among the paths that newest files lack.
    pub(super) fn beside_added(&mut self, lacking: &BTreeSet<&String>) {
        let Some((last, others)) = self.changes.split_last_mut() else { return };
        let is_new = |added: &&Change| rename::are_siblings(last, added) && !lacking.contains(&added.path);
        last.came = others.iter().filter(is_new).map(|added| added.path.clone()).collect();
    }

    /// What is advised about the last fact.
    pub(super) fn advise(&mut self, advice: Option<String>) {
        if let Some(change) = self.changes.last_mut() {
            change.advice = advice;
        }
    }

    pub(super) fn has(&self, kind: ChangeKind) -> bool {
        self.changes.iter().any(|change| change.kind == kind)
    }
}
