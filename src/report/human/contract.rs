//! A contract's change in words: the columns, without the notes on how they are stored.

use std::collections::BTreeSet;

use super::{GREEN, RED, YELLOW, diff, paint};
use crate::contract::Document;
use crate::schema::{Column, MISSING_IN_NEWEST, MISSING_IN_SOME, Table};

/// What another text of a contract promises instead, one line a column; the plain diff where that says nothing.
pub fn contract_change(file: &str, before: &str, after: &str) -> String {
    let read = |text: &str| Some(Document::read(file, text).ok()?.contract().ok()?.table);
    let (Some(old), Some(new)) = (read(before), read(after)) else { return diff(file, before, after) };
    let lines = [columns(&old, &new), storage(&old, &new)].concat();
    if lines.is_empty() {
        return diff(file, before, after);
    }
    let version = |text: &str| {
        let document: serde_json::Value = serde_json::from_str(text).ok()?;
        Some(document.get("version")?.as_str()?.to_owned())
    };
    let versions = match (version(before), version(after)) {
        (Some(old), Some(new)) if old != new => format!(", version {old} becomes {new}"),
        _ => String::new(),
    };
    format!("{file}{versions}\n{}", lines.concat())
}

fn columns(old: &Table, new: &Table) -> Vec<String> {
    let mut lines = Vec::new();
    for column in old.all_columns().filter(|column| find(new, column).is_none()) {
        lines.push(paint(RED, &format!("  - {} {}", column.name, column.data_type)) + "\n");
    }
    for (place, column) in (1..).zip(new.all_columns()) {
        match find(old, column) {
            None => {
                lines.push(paint(GREEN, &format!("  + {} {}, place {place}", column.name, column.data_type)) + "\n")
            }
            Some(before) if before.data_type != column.data_type => {
                let change = format!("  ~ {} {} becomes {}", column.name, before.data_type, column.data_type);
                lines.push(paint(YELLOW, &change) + "\n");
            }
            Some(_) => {}
        }
    }
    lines
}

/// How the files are stored and read, and the order of columns that are in both.
fn storage(old: &Table, new: &Table) -> Vec<String> {
    let mut changes = Vec::new();
    let mut note = |what: &str, before: Option<String>, after: Option<String>| {
        if before != after {
            let words = |value: Option<String>| value.unwrap_or_else(|| "none".into());
            changes.push(format!("  ~ {what}: {} becomes {}", words(before), words(after)));
        }
    };
    let kept = |table: &Table, other: &Table| {
        Some(
            table
                .all_columns()
                .filter(|column| find(other, column).is_some())
                .map(|column| &*column.name)
                .collect::<Vec<_>>()
                .join(", "),
        )
    };
    note("order", kept(old, new), kept(new, old));
    let (before, after) = (&old.storage, &new.storage);
    note("format", before.classification.clone(), after.classification.clone());
    note("SerDe", before.serde.clone(), after.serde.clone());
    note("compression", before.compression.clone(), after.compression.clone());
    note("header lines", Some(before.skip_header_lines.to_string()), Some(after.skip_header_lines.to_string()));
    let keys: BTreeSet<_> = before.serde_parameters.keys().chain(after.serde_parameters.keys()).collect();
    for key in keys.into_iter().filter(|key| *key != "paths") {
        note(key, before.serde_parameters.get(key).cloned(), after.serde_parameters.get(key).cloned());
    }
    note("location", old.location.clone(), new.location.clone());
    for (key, which) in [(MISSING_IN_NEWEST, "the newest files"), (MISSING_IN_SOME, "some of the newest files")] {
        let (before, after) = (missing(old, key), missing(new, key));
        changes.extend(after.difference(&before).map(|path| format!("  ~ {path} may be missing in {which}")));
        changes.extend(before.difference(&after).map(|path| format!("  ~ {path} may no longer be missing in {which}")));
    }
    changes.into_iter().map(|change| paint(YELLOW, &change) + "\n").collect()
}

fn missing(table: &Table, key: &str) -> BTreeSet<String> {
    let list = table.parameters.get(key).and_then(|list| serde_json::from_str(list).ok());
    list.unwrap_or_default()
}

fn find<'a>(table: &'a Table, column: &Column) -> Option<&'a Column> {
    table.all_columns().find(|other| other.name == column.name)
}
