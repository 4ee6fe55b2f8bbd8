//! Turns of phrase that the rules share.

use crate::drift::{Change, Decode};

/// The side the contract promised.
pub(super) fn before(change: &Change) -> &str {
    change.before.as_deref().unwrap_or("nothing")
}

/// The side the catalog shows.
pub(super) fn after(change: &Change) -> &str {
    change.after.as_deref().unwrap_or("nothing")
}

/// Any name in backticks.
pub(super) fn quoted(name: &str) -> String {
    format!("`{name}`")
}

/// The column or field, in backticks.
pub(super) fn name(change: &Change) -> String {
    quoted(&change.path)
}

/// What the sentence is about where it may be a column or the table's SerDe.
pub(super) fn subject(change: &Change) -> String {
    match change.path.is_empty() {
        true => "The SerDe".to_owned(),
        false => format!("Column {}", name(change)),
    }
}

/// What it means downstream, as the bytes decide.
pub(super) fn by_bytes<'a>(change: &Change, safe: &'a str, not: &'a str) -> &'a str {
    match change.decode {
        Decode::Safe => safe,
        Decode::Unsafe => not,
        Decode::Unknown => "how its SerDe reads the files is not known, so the values cannot be relied on",
    }
}

/// The command that accepts what the catalog shows, ready to paste.
pub(super) fn update(change: &Change) -> String {
    let plain = |character: char| character.is_ascii_alphanumeric() || "_-.".contains(character);
    match change.table.chars().all(plain) {
        true => format!("`crawlguard contracts update {}`", change.table),
        false => format!("`crawlguard contracts update '{}'`", change.table.replace('\'', r"'\''")),
    }
}

/// Advice to undo the change, or the command that accepts it.
pub(super) fn accept(change: &Change, undo: &str) -> String {
    format!("{undo}, or run {} to accept the change.", update(change))
}
