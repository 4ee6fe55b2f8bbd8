//! Turns of phrase that the rules share.

use crate::drift::{Advice, Change, Decode};
use crate::schema::{DataType, path};

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
pub(in crate::drift) fn quoted(text: &str) -> String {
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

/// That a block of neighbours moved; `whose`, if they are not the table's. Passed by others, it may have the number that it had.
pub(super) fn moved(what: &str, change: &Change, whose: &str) -> String {
    let (from, to) = sides(change);
    let (name, one, many) = (name(change), what.to_lowercase(), from.contains('–'));
    match (many, from == to) {
        (false, false) => format!("{what} {name} moved from place {from} to {to}{whose}"),
        (true, false) => format!("The {one}s from {name} on moved from places {from} to {to}{whose}"),
        (false, true) => format!("{what} {name} is at place {to}{whose} still, and others moved past it"),
        (true, true) => {
            format!("The {one}s from {name} on are at places {to}{whose} still, and others moved past them")
        }
    }
}

/// What moved columns mean where they are matched by place: in the files, or against partitions' own column lists.
pub(super) const BY_PLACE: &str = "columns are matched by place here, in the files or against the partitions' own column \
                                   lists, so what was stored before shows under wrong names or fails the query";

/// What only a person can know of stored bytes that no longer decode.
const FITS: &str = "see that every stored file fits the new description";

/// Advice to undo the change, or to accept it. Where stored bytes no longer decode, no contract makes them.
pub(super) fn accept(change: &Change, undo: &str) -> Advice {
    by_files(change, Advice::mend(undo).or_accept("to accept the change"))
}

fn by_files(change: &Change, advice: Advice) -> Advice {
    match change.decode {
        Decode::Safe => advice,
        Decode::Unsafe | Decode::Unknown => advice.after(FITS),
    }
}

/// True if it is about what is inside a column.
pub(super) fn is_nested(change: &Change) -> bool {
    change.column().is_some_and(|column| path::column(&column) != change.path)
}

/// Advice about another type: what accepting it does to the values.
pub(super) fn recast(change: &Change) -> Advice {
    let to = match is_nested(change) {
        true => {
            "to accept it: nothing inside a column is cast for the models, and what a TRY_CAST of their own makes NULL, rounds \
             or cuts no check counts"
        }
        false => {
            "to accept it: models then read the column through TRY_CAST, and a check counts what that makes NULL, rounds or cuts"
        }
    };
    let advice = Advice::mend(format!("Restore {} at the source", before(change))).or_accept(to);
    match change.decode {
        Decode::Safe => advice,
        Decode::Unsafe | Decode::Unknown => advice.after(format!("{FITS} ({} no check counts it)", misread(change))),
    }
}

/// What becomes of a stored value that is not of the new type.
fn misread(change: &Change) -> &'static str {
    use DataType::{BigInt, Decimal, Double, Float, Int, SmallInt, String, TinyInt};
    let side = |side: &Option<std::string::String>| side.as_deref().map(DataType::parse);
    let is_number = |it| matches!(it, TinyInt | SmallInt | Int | BigInt | Float | Double | Decimal { .. });
    match side(&change.before) == Some(String) && side(&change.after).is_some_and(is_number) {
        true => "a value that does not fails the build or reads as NULL, a code such as 007 reads as 7, and",
        false => "a value that does not fails the build or reads as NULL, and",
    }
}

/// Advice about a source that is gone.
pub(super) fn retire() -> Advice {
    Advice::mend("Bring the files back and crawl again").or_accept("to retire it")
}

/// Advice where nothing needs undoing if the bytes decode.
pub(super) fn settle(change: &Change, undo: &str) -> Advice {
    match change.decode {
        Decode::Safe => Advice::mend("").or_accept("to make it part of the contract"),
        Decode::Unsafe | Decode::Unknown => accept(change, undo),
    }
}
