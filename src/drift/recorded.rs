//! Facts that our own crawler recorded with a table. They hold whatever was promised.

use serde::Deserialize;

use super::diff::Facts;
use super::{Change, ChangeKind, Decode};
use crate::schema::{MIXED_HEADERS, Table, UNREADABLE};

/// How many files a fact names.
const NAMED: usize = 3;

/// The fact, if our crawler could not read the table's files: what the table says is then of an older crawl.
pub(super) fn files_unreadable(table: &str, found: &Table) -> Option<Change> {
    let why = found.parameters.get(UNREADABLE)?;
    let fact = Change::of_table(table, ChangeKind::FilesUnreadable, Decode::Unknown);
    Some(Change { after: Some(why.clone()), ..fact })
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
    let displaced: Vec<String> = files.iter().filter_map(|file| file.displaced(&newest)).collect();
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
}

fn listed(displaced: &[String]) -> String {
    let named = displaced[..displaced.len().min(NAMED)].join(", ");
    match displaced.len() - displaced.len().min(NAMED) {
        0 => named,
        more => format!("{named} and {more} more"),
    }
}
