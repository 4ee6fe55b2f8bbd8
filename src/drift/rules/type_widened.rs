use super::words::{accept, after, before, by_bytes, is_nested, subject};
use crate::drift::{AcceptedBy, Advice, Change, ChangeKind, Decode, Level, Promotion, Rule};

pub static RULE: Rule = Rule {
    id: "type-widened",
    summary: "A type now holds more values.",
    docs: DOCS,
    level_read: Level::Tolerated,
    level_unread: Level::Tolerated,
    accepted_by: AcceptedBy::Update,
    detect,
};

fn detect(change: &Change) -> Option<(String, Advice)> {
    let ChangeKind::Retyped(Promotion::Widening) = change.kind else {
        return None;
    };
    let effect = by_bytes(
        change,
        "every stored value fits and means the same",
        "stored values cannot be relied on to read as the new type",
    );
    let message = format!("{} widened from {} to {}; {effect}.", subject(change), before(change), after(change));
    let advice = match change.decode {
        Decode::Safe if is_nested(change) => Advice::mend("").or_accept("to accept the new type"),
        Decode::Safe => {
            Advice::mend("").or_accept("to accept the new type, or pin the column in the contract to keep the old")
        }
        Decode::Unsafe | Decode::Unknown => accept(change, &format!("Restore {} at the source", before(change))),
    };
    Some((message, advice))
}

const DOCS: &str = "\
## What it does
Reports a column, or a part of a nested one, whose new type holds every value of the old.

## Why it matters
`int` to `bigint` loses nothing. The format may still refuse: Parquet and ORC read another type only in a partitioned table.

## Example
`amount` changes from `int` to `bigint`.

## How to resolve
Nothing has to be done where the bytes decode: the wider type flows through the models, unless the contract pins the column,
which casts it back. `crawlguard contracts update raw_orders` accepts it. A model's own cast that no longer holds every value
(`TRY_CAST(amount AS integer)`) is named, and a check counts what it loses; a model that makes something else of the wider type
(`amount / 2`, where `amount` is a `double` now) makes the finding breaking.

## Known limits
Athena documents few pairs as readable. A widening outside of them (`int` to `double`) counts as readable only in text files of
a table without partitions, or whose partitions have no column lists of their own (a local crawl, `InheritFromTable`). Nothing
inside a column can be pinned.
";
