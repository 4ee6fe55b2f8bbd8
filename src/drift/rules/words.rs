//! Turns of phrase that the rules share.

use crate::drift::{Change, Decode};
use crate::problem::shell_word;

/// The side the contract promised, in backticks.
pub(super) fn before(change: &Change) -> String {
    change.before.as_deref().map_or_else(|| "nothing".to_owned(), quoted)
}

/// The side the catalog shows, in backticks.
pub(super) fn after(change: &Change) -> String {
    change.after.as_deref().map_or_else(|| "nothing".to_owned(), quoted)
}

/// Both sides as they are.
pub(super) fn sides(change: &Change) -> (&str, &str) {
    (change.before.as_deref().unwrap_or("nothing"), change.after.as_deref().unwrap_or("nothing"))
}

/// Any text in backticks; a tab or another invisible sign is spelt out.
pub(super) fn quoted(text: &str) -> String {
    let shown = |character: char| match character.is_control() {
        true => character.escape_default().to_string(),
        false => character.to_string(),
    };
    format!("`{}`", text.chars().map(shown).collect::<String>())
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
    format!("`crawlguard contracts update {}`", shell_word(&change.table))
}

/// A problem's advice as the beginning of a sentence.
pub(super) fn sentence(advice: &str) -> String {
    let mut characters = advice.chars();
    characters.next().map(|first| first.to_uppercase().chain(characters).collect()).unwrap_or_default()
}

/// Advice to undo the change, or the command that accepts it.
pub(super) fn accept(change: &Change, undo: &str) -> String {
    format!("{undo}, or run {} to accept the change.", update(change))
}

/// Advice about another type: what accepting it does to the values.
pub(super) fn recast(change: &Change) -> String {
    format!(
        "Restore {} at the source, or run {} to accept it: models then read the column through TRY_CAST, which makes \
         NULL of what does not fit.",
        before(change),
        update(change)
    )
}

/// Advice about a source that is gone.
pub(super) fn retire(change: &Change) -> String {
    format!("Bring the files back and crawl again, or, if no model reads it, run {} to retire it.", update(change))
}

/// Advice where nothing needs undoing if the bytes decode.
pub(super) fn settle(change: &Change, undo: &str) -> String {
    match change.decode {
        Decode::Safe => format!("Run {} to make it part of the contract.", update(change)),
        Decode::Unsafe | Decode::Unknown => accept(change, undo),
    }
}
