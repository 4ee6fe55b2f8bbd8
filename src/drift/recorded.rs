//! Facts that our own crawler recorded with a table.

use std::collections::BTreeSet;

use serde::Deserialize;

use super::facts::Facts;
use super::{Change, ChangeKind, Decode, Update};
use crate::problem::Problem;
use crate::schema::{DataType, MISSING_IN_NEWEST, MIXED_HEADERS, NOTES, Table, UNREADABLE, path};

/// How many files a fact names.
const NAMED: usize = 3;

/// States which promised columns and fields the newest file no longer has, where the contract does not know it.
pub(super) fn missing_in_newest(facts: &mut Facts<'_>, before: &Table, after: &Table) {
    let Some(recorded) = after.parameters.get(MISSING_IN_NEWEST) else { return };
    let Ok(missing) = serde_json::from_str::<BTreeSet<String>>(recorded) else {
        let after = Some(recorded.clone());
        return facts.add("", ChangeKind::ColumnMissingInNewest, None, after, Decode::Unknown);
    };
    let known = before.parameters.get(MISSING_IN_NEWEST);
    let known: BTreeSet<String> = known.and_then(|known| serde_json::from_str(known).ok()).unwrap_or_default();
    let decode = facts.reading.in_files(Update::Remove);
    for path in missing.difference(&known) {
        // What was never promised, or is no longer in the table, is told by another fact.
        if let (Some(promised), Some(_)) = (type_at(before, path), type_at(after, path)) {
            let before = Some(promised.to_string());
            facts.add(path.clone(), ChangeKind::ColumnMissingInNewest, before, None, decode);
        }
    }
}

/// The type of the column or nested field at a path.
fn type_at<'a>(table: &'a Table, path: &str) -> Option<&'a DataType> {
    table.columns.iter().find_map(|column| nested_type(&column.data_type, &path::column(&column.name), path))
}

fn nested_type<'a>(data_type: &'a DataType, here: &str, path: &str) -> Option<&'a DataType> {
    use DataType::{Array, Map, Struct};
    if here.eq_ignore_ascii_case(path) {
        return Some(data_type);
    }
    // Every path below starts with this one.
    if !path.get(..here.len()).is_some_and(|start| start.eq_ignore_ascii_case(here)) {
        return None;
    }
    match data_type {
        Array(item) => nested_type(item, &path::item(here), path),
        Map(_, value) => nested_type(value, &path::value(here), path),
        Struct(fields) => {
            fields.iter().find_map(|field| nested_type(&field.data_type, &path::field(here, &field.name), path))
        }
        _ => None,
    }
}

/// The fact, if our crawler could not read the table's files: what the table says is then of an older crawl.
pub(super) fn files_unreadable(table: &str, found: &Table) -> Option<Change> {
    let why = found.parameters.get(UNREADABLE)?;
    // As a problem is written.
    let (why, advice) =
        why.split_once("\n  help: ").map_or((why.as_str(), None), |(why, help)| (why, Some(help.into())));
    let fact = Change::of_table(table, ChangeKind::FilesUnreadable, Decode::Unknown);
    Some(Change { after: Some(why.to_owned()), advice, ..fact })
}

/// The settings that our crawler advises, where it took what may be a header for a row.
pub(super) fn classify(found: &Table) -> Option<String> {
    let notes: Vec<Problem> = serde_json::from_str(found.parameters.get(NOTES)?).ok()?;
    notes.into_iter().next().map(|note| note.help)
}

/// States that files have another header than the newest one, whose columns are the table's.
pub(super) fn headers(facts: &mut Facts<'_>, found: &Table) {
    let Some(recorded) = found.parameters.get(MIXED_HEADERS) else { return };
    // Read by name, a column is found wherever it stands.
    let decode = facts.reading.by_place();
    if decode == Decode::Safe {
        return;
    }
    let newest: Vec<&str> = found.columns.iter().map(|column| column.name.as_str()).collect();
    let Ok(files) = serde_json::from_str::<Vec<File>>(recorded) else {
        let after = Some(recorded.clone());
        return facts.add("", ChangeKind::HeadersDiffer, Some(newest.join(", ")), after, Decode::Unknown);
    };
    let differing: Vec<_> = files.iter().filter_map(|file| Some((file, file.displaced(&newest)?))).collect();
    let decode = match differing.iter().all(|(file, _)| file.may_be_renamed(&newest)) {
        true => facts.reading.in_files(Update::Rename),
        false => decode,
    };
    let displaced: Vec<String> = differing.into_iter().map(|(_, words)| words).collect();
    if !displaced.is_empty() {
        facts.add("", ChangeKind::HeadersDiffer, Some(newest.join(", ")), Some(listed(&displaced)), decode);
    }
}

/// A file whose header is not the newest one, as our crawler records it.
#[derive(Deserialize)]
struct File {
    file: String,
    header: Vec<String>,
}

impl File {
    /// The first column that stands where the newest header has another. Trailing columns may be missing: they are NULL.
    fn displaced(&self, newest: &[&str]) -> Option<String> {
        let due = newest.iter().copied().map(Some).chain(std::iter::repeat(None));
        let mut places = self.header.iter().zip(due);
        let (name, due) = places.find(|(name, due)| due.is_none_or(|due| !due.eq_ignore_ascii_case(name)))?;
        Some(format!("{name} for {} in {}", due.unwrap_or("no column"), self.file))
    }

    /// True if every name that differs may be another name of the column in its place: some names are the table's, and none
    /// stands in another's place. One that is no header has none of them.
    fn may_be_renamed(&self, newest: &[&str]) -> bool {
        let is_at = |name: &String, due: &&str| due.eq_ignore_ascii_case(name);
        let is_known = |name: &String| newest.iter().any(|column| column.eq_ignore_ascii_case(name));
        let mut places = self.header.iter().zip(newest);
        self.header.len() <= newest.len()
            && places.clone().any(|(name, due)| is_at(name, due))
            && places.all(|(name, due)| is_at(name, due) || !is_known(name))
    }
}

fn listed(displaced: &[String]) -> String {
    let named = displaced[..displaced.len().min(NAMED)].join(", ");
    match displaced.len() - displaced.len().min(NAMED) {
        0 => named,
        more => format!("{named} and {more} more"),
    }
}
