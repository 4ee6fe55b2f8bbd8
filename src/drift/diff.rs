use std::collections::{BTreeMap, BTreeSet};

use super::facts::Facts;
use super::{Change, ChangeKind, Decode, columns, recorded, storage};
use crate::contract::Contract;
use crate::schema::{Table, TableKind};

/// Every fact in which the catalog differs from the contracts, in a fixed order. `catalog` holds the tables of the
/// guarded prefix; of `contracts` the guarded ones count. Missing, new and stray sibling tables included.
///
/// Tables match by name alone: the target, not the contract, says which database is meant.
pub fn diff(contracts: &[Contract], catalog: &[Table]) -> Vec<Change> {
    diff_beside(contracts, catalog, &[])
}

/// A table of the catalog that was compared with its contract before: nothing differs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AsPromised {
    pub name: String,
    pub location: Option<String>,
}

impl AsPromised {
    /// `None` if the table differs from what is promised, or the contract is not in force.
    pub fn of(contract: &Contract, found: &Table) -> Option<Self> {
        let place = || Self { name: found.name.clone(), location: found.location.clone() };
        (contract.is_guarded() && compare(&contract.table, found).is_empty()).then(place)
    }
}

/// [`diff`], where the catalog holds other tables beside, which are as promised.
pub fn diff_beside(contracts: &[Contract], catalog: &[Table], beside: &[AsPromised]) -> Vec<Change> {
    let crawled = contracts.iter().filter(|contract| contract.is_guarded());
    let promised = by_name(crawled.map(|contract| &contract.table));
    let found = by_name(catalog.iter());
    let beside: BTreeMap<String, &AsPromised> =
        beside.iter().map(|place| (place.name.to_ascii_lowercase(), place)).collect();
    let mut changes = Vec::new();
    for (name, befores) in &promised {
        let afters = found.get(name).map_or(&[][..], Vec::as_slice);
        for before in befores {
            changes.extend(afters.iter().flat_map(|after| compare(before, after)));
            changes.extend((afters.is_empty() && !beside.contains_key(name)).then(|| missing(before)));
        }
    }
    let retired: BTreeSet<&str> =
        contracts.iter().filter(|it| it.table.deprecated).map(|it| it.table.name.as_str()).collect();
    let siblings = Siblings::of(&promised, &found, beside.into_values());
    let uncontracted = found.iter().filter(|(name, _)| !promised.contains_key(*name));
    changes.extend(uncontracted.flat_map(|(_, tables)| tables).filter_map(|table| siblings.place(table)));
    for change in changes.iter_mut().filter(|it| it.kind == ChangeKind::TableNew && retired.contains(it.table.as_str()))
    {
        change.before = Some("a retired contract".to_owned());
    }
    changes.sort();
    changes
}

/// Tables under their lowercase names. One name may stand for several, of two databases: then each is compared.
type ByName<'a> = BTreeMap<String, Vec<&'a Table>>;

fn by_name<'a>(tables: impl Iterator<Item = &'a Table>) -> ByName<'a> {
    let mut named = ByName::new();
    for table in tables {
        named.entry(table.name.to_ascii_lowercase()).or_default().push(table);
    }
    named
}

fn compare(before: &Table, after: &Table) -> Vec<Change> {
    if let Some(fact) = recorded::files_unreadable(&before.name, after) {
        return vec![fact];
    }
    let mut facts = Facts::about(&before.name, after);
    if before.kind != after.kind {
        let sides = (Some(kind_name(before.kind)), Some(kind_name(after.kind)));
        facts.add("", ChangeKind::TableKindChanged, sides.0, sides.1, Decode::Unsafe);
        return facts.changes;
    }
    if after.deprecated {
        // It stands alone: the crawler no longer follows the files, so what else the table says is older.
        facts.add("", ChangeKind::TableDeprecated, None, None, Decode::Safe);
        return facts.changes;
    }
    columns::columns(&mut facts, before, after);
    if facts.has(ChangeKind::HeaderLost) {
        facts.advise(recorded::classify(after));
    }
    let same_columns = facts.changes.is_empty();
    recorded::missing_in_newest(&mut facts, before, after);
    columns::partition_keys(&mut facts, before, after);
    storage::storage(&mut facts, before, after, same_columns);
    // Where the newest file lost its header, every other one's differs: one cause, one fact.
    if !facts.has(ChangeKind::HeaderLost) {
        recorded::headers(&mut facts, after);
    }
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
    promised: &'a ByName<'a>,
    /// Location without its trailing slash → contracted table.
    locations: BTreeMap<&'a str, &'a str>,
}

impl<'a> Siblings<'a> {
    fn of(promised: &'a ByName<'a>, found: &'a ByName<'a>, beside: impl Iterator<Item = &'a AsPromised>) -> Self {
        let contracted = found.iter().filter(|(name, _)| promised.contains_key(*name)).chain(promised);
        let tables = contracted.flat_map(|(_, tables)| tables).map(|table| (&table.location, &table.name));
        let places = beside.map(|place| (&place.location, &place.name)).chain(tables);
        let location = |(location, name): (&'a Option<String>, &'a String)| {
            Some((location.as_deref()?.trim_end_matches('/'), name.as_str()))
        };
        Self { promised, locations: places.filter_map(location).collect() }
    }

    /// The fact about a table that has no contract in force; none about one whose files are gone.
    fn place(&self, table: &Table) -> Option<Change> {
        if let Some(fact) = recorded::files_unreadable(&table.name, table) {
            return Some(fact);
        }
        if table.deprecated {
            return None;
        }
        let (of, kind, after) = match self.sibling(table) {
            Some(contracted) => (contracted, ChangeKind::StraySibling, Some(table.name.clone())),
            None => (table.name.as_str(), ChangeKind::TableNew, table.location.clone()),
        };
        Some(Change { after, ..Change::of_table(of, kind, Decode::Safe) })
    }

    /// The contracted table whose name, with a hash, or whose location, with a folder, makes this table's.
    fn sibling(&self, table: &Table) -> Option<&str> {
        let by_name = table.name.rsplit_once('_').filter(|(_, suffix)| is_hash(suffix));
        if let Some(contracted) = by_name.and_then(|(name, _)| self.promised.get(&name.to_ascii_lowercase())) {
            return contracted.first().map(|contracted| contracted.name.as_str());
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
