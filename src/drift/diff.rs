use std::collections::BTreeMap;

use super::decode::Reading;
use super::{Change, ChangeKind, Decode, columns, storage};
use crate::contract::{Contract, Origin};
use crate::schema::{Table, TableKind};

/// Every fact in which the catalog differs from the contracts, in a fixed order. `catalog` holds the tables of the
/// guarded prefix; `contracts` those of [`crate::contract::Origin::Crawler`]. Missing, new and stray sibling tables included.
///
/// Tables match by name alone: the target, not the contract, says which database is meant.
pub fn diff(contracts: &[Contract], catalog: &[Table]) -> Vec<Change> {
    let promised: BTreeMap<String, &Table> = contracts
        .iter()
        .filter(|contract| contract.origin == Origin::Crawler)
        .map(|contract| (contract.table.name.to_ascii_lowercase(), &contract.table))
        .collect();
    let found: BTreeMap<String, &Table> =
        catalog.iter().map(|table| (table.name.to_ascii_lowercase(), table)).collect();
    let mut changes = Vec::new();
    for (name, before) in &promised {
        match found.get(name) {
            Some(after) => changes.extend(compare(before, after)),
            None => changes.push(missing(before)),
        }
    }
    let siblings = Siblings::of(&promised, &found);
    changes
        .extend(found.iter().filter(|(name, _)| !promised.contains_key(*name)).map(|(_, table)| siblings.place(table)));
    changes.sort();
    changes
}

/// The facts found so far about one table.
pub(super) struct Facts<'a> {
    table: &'a str,
    pub(super) reading: Reading,
    changes: Vec<Change>,
}

impl Facts<'_> {
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

    pub(super) fn has(&self, kind: ChangeKind) -> bool {
        self.changes.iter().any(|change| change.kind == kind)
    }
}

fn compare(before: &Table, after: &Table) -> Vec<Change> {
    let mut facts = Facts { table: &before.name, reading: Reading::of(after), changes: Vec::new() };
    if before.kind != after.kind {
        let sides = (Some(kind_name(before.kind)), Some(kind_name(after.kind)));
        facts.add("", ChangeKind::TableKindChanged, sides.0, sides.1, Decode::Unsafe);
        return facts.changes;
    }
    if after.deprecated && !before.deprecated {
        facts.add("", ChangeKind::TableDeprecated, None, None, Decode::Safe);
    }
    columns::columns(&mut facts, before, after);
    let same_columns = facts.changes.is_empty();
    columns::partition_keys(&mut facts, before, after);
    storage::storage(&mut facts, before, after, same_columns);
    facts.changes
}

fn kind_name(kind: TableKind) -> String {
    let name = match kind {
        TableKind::External => "external table",
        TableKind::View => "view",
        TableKind::Iceberg => "Iceberg table",
    };
    name.to_owned()
}

fn missing(table: &Table) -> Change {
    let fact = Change::of_table(&table.name, ChangeKind::TableMissing, Decode::Unsafe);
    Change { before: table.location.clone(), ..fact }
}

/// Where contracted tables stand, to tell a split-off part of one from a table of its own.
struct Siblings<'a> {
    names: &'a BTreeMap<String, &'a Table>,
    /// Location without its trailing slash → contracted table.
    locations: BTreeMap<String, &'a str>,
}

impl<'a> Siblings<'a> {
    fn of(promised: &'a BTreeMap<String, &'a Table>, found: &BTreeMap<String, &Table>) -> Self {
        let location = |(name, table): (&'a String, &&'a Table)| {
            let known = table.location.as_ref().or_else(|| found.get(name)?.location.as_ref());
            known.map(|location| (location.trim_end_matches('/').to_owned(), table.name.as_str()))
        };
        Self { names: promised, locations: promised.iter().filter_map(location).collect() }
    }

    /// The fact about a table that has no contract.
    fn place(&self, table: &Table) -> Change {
        let (of, kind, after) = match self.sibling(table) {
            Some(contracted) => (contracted, ChangeKind::StraySibling, Some(table.name.clone())),
            None => (table.name.as_str(), ChangeKind::TableNew, table.location.clone()),
        };
        Change { after, ..Change::of_table(of, kind, Decode::Safe) }
    }

    /// The contracted table whose name, with a hash, or whose location, with a folder, makes this table's.
    fn sibling(&self, table: &Table) -> Option<&str> {
        let by_name = table.name.rsplit_once('_').filter(|(_, suffix)| is_hash(suffix));
        if let Some(contracted) = by_name.and_then(|(name, _)| self.names.get(&name.to_ascii_lowercase())) {
            return Some(&contracted.name);
        }
        let mut folder = table.location.as_deref()?.trim_end_matches('/');
        while let Some((parent, _)) = folder.rsplit_once('/') {
            if let Some(contracted) = self.locations.get(parent) {
                return Some(contracted);
            }
            folder = parent;
        }
        None
    }
}

/// What Glue appends to a name that is taken. A word, a number or a year is not a hash.
fn is_hash(suffix: &str) -> bool {
    let hex = suffix.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte));
    let mixed =
        suffix.bytes().any(|byte| byte.is_ascii_digit()) && suffix.bytes().any(|byte| byte.is_ascii_lowercase());
    hex && mixed && suffix.len() >= 4
}
