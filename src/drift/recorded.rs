//! Facts that our own crawler recorded with a table.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::facts::Facts;
use super::rules::words::quoted;
use super::{Change, ChangeKind, Decode, Update};
use crate::problem::Problem;
use crate::schema::{
    DataType, LACKING_FILES, MISSING_IN_NEWEST, MISSING_IN_SOME, MIXED_HEADERS, NOTES, Table, UNREADABLE, path,
    reads_like_row,
};

/// How many files a fact names.
const NAMED: usize = 3;

/// What the newest files lack, as our crawler recorded it or a contract knows it.
#[derive(Default)]
struct Missing {
    /// That none of them has.
    all: BTreeSet<String>,
    /// That some of them have.
    some: BTreeSet<String>,
    /// Path → one of the newest files that lacks it.
    files: BTreeMap<String, String>,
}

impl Missing {
    /// What stands in a table's parameters; the text that cannot be read, if one cannot.
    fn of(table: &Table) -> Result<Self, String> {
        fn read<T: Default + DeserializeOwned>(table: &Table, key: &str) -> Result<T, String> {
            let Some(text) = table.parameters.get(key) else { return Ok(T::default()) };
            serde_json::from_str(text).map_err(|_| text.clone())
        }
        let (all, some) = (read(table, MISSING_IN_NEWEST)?, read(table, MISSING_IN_SOME)?);
        Ok(Self { all, some, files: read(table, LACKING_FILES)? })
    }

    fn paths(&self) -> impl Iterator<Item = &String> {
        self.all.union(&self.some)
    }

    /// True if the path is missing here, in as many files as there or in more.
    fn covers(&self, path: &str, there: &Self) -> bool {
        self.all.contains(path) || (self.some.contains(path) && !there.all.contains(path))
    }
}

/// States which promised columns and fields the newest files no longer have, where the contract does not know it; and which
/// they have again, where the contract knows otherwise: the next loss would be no finding.
pub(super) fn missing_in_newest(facts: &mut Facts<'_>, before: &Table, after: &Table) {
    let found = match Missing::of(after) {
        Ok(found) => found,
        Err(text) => return facts.add("", ChangeKind::ColumnMissingInNewest, None, Some(text), Decode::Unknown),
    };
    let known = Missing::of(before).unwrap_or_default();
    for path in found.paths().filter(|path| !known.covers(path, &found)) {
        // What was never promised, or is no longer in the table, is told by another fact.
        let (Some(promised), Some(_)) = (type_at(before, path), type_at(after, path)) else { continue };
        let in_part = found.some.contains(path);
        // By position some files can only end sooner: columns elsewhere show in their headers.
        let update = if in_part && facts.reading.by_position() { Update::AddAtEnd } else { Update::Remove };
        let (before, decode) = (Some(promised.to_string()), facts.reading.in_files(update));
        let after = in_part.then(|| format!("{promised}, in some of the newest files"));
        facts.add(path.clone(), ChangeKind::ColumnMissingInNewest, before, after, decode);
        facts.shown_by(found.files.get(path));
        facts.beside_added(&found.paths().collect());
    }
    // Another crawler records nothing, and its silence says nothing.
    let back = known.paths().filter(|path| after.is_of_our_crawler() && !found.covers(path, &known));
    for path in back {
        if let (Some(_), Some(data_type)) = (type_at(before, path), type_at(after, path)) {
            facts.add(path.clone(), ChangeKind::ColumnBackInNewest, None, Some(data_type.to_string()), Decode::Safe);
            facts.shown_by(found.files.get(path));
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
    notes.into_iter().map(|note| note.help).find(|help| help.contains("crawlguard.toml"))
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
    // As the columns of files without headers are called.
    let has_header = !newest.iter().enumerate().all(|(index, name)| *name == format!("col{index}"));
    let Ok(files) = serde_json::from_str::<Vec<File>>(recorded) else {
        let after = Some(recorded.clone());
        return facts.add("", ChangeKind::HeadersDiffer, Some(newest.join(", ")), after, Decode::Unknown);
    };
    let differing: Vec<_> =
        files.iter().filter_map(|file| Some((file, file.displaced(&newest, has_header)?))).collect();
    let decode = match differing.iter().all(|(file, _)| file.may_be_renamed(&newest)) {
        true => facts.reading.in_files(Update::Rename),
        false => decode,
    };
    // What may be a row of data is not told of: it leaves in alerts.
    let is_told = !differing.iter().any(|(file, _)| reads_like_row(&newest, &file.names()));
    let displaced: Vec<String> = differing.into_iter().map(|(_, words)| words).collect();
    if !displaced.is_empty() {
        let names = if is_told { newest.join(", ") } else { "what reads like a row of data".to_owned() };
        let before = has_header.then_some(names);
        facts.add("", ChangeKind::HeadersDiffer, before, Some(listed(&displaced)), decode);
    }
}

/// A file whose header is not the newest one, as our crawler records it.
#[derive(Deserialize)]
struct File {
    file: String,
    header: Vec<String>,
}

impl File {
    /// In words, the first column that stands where the newest header has another; without headers, how many cells a row has
    /// too many. Trailing columns may be missing: they are NULL.
    fn displaced(&self, newest: &[&str], has_header: bool) -> Option<String> {
        let due = newest.iter().copied().map(Some).chain(std::iter::repeat(None));
        let mut places = self.header.iter().zip(due);
        let (name, due) = places.find(|(name, due)| due.is_none_or(|due| !due.eq_ignore_ascii_case(name)))?;
        let file = quoted(&self.file);
        Some(match due {
            _ if has_header && reads_like_row(&self.names(), newest) => {
                format!("{file} has what reads like a row of data in the place of a header")
            }
            _ if has_header && reads_like_row(newest, &self.names()) => {
                format!("{file} has a header, and the newest file what reads like a row of data in its place")
            }
            _ if !has_header => format!("{file} has {} cells a row, and the table {}", self.header.len(), newest.len()),
            Some(due) => format!("{file} has {} in the place of {}", quoted(name), quoted(due)),
            None => format!("{file} has {} behind the last column", quoted(name)),
        })
    }

    fn names(&self) -> Vec<&str> {
        self.header.iter().map(String::as_str).collect()
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
    let named = displaced[..displaced.len().min(NAMED)].join("; ");
    match displaced.len() - displaced.len().min(NAMED) {
        0 => named,
        more => format!("{named}; and {more} more"),
    }
}
