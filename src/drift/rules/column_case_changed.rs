use super::words::{after, before, by_bytes, settle};
use crate::drift::{AcceptedBy, Advice, Change, ChangeKind, Level, Rule};

pub static RULE: Rule = Rule {
    id: "column-case-changed",
    summary: "A name changed in upper and lower case alone.",
    docs: DOCS,
    level_read: Level::Tolerated,
    level_unread: Level::Tolerated,
    accepted_by: AcceptedBy::Update,
    detect,
};

fn detect(change: &Change) -> Option<(String, Advice)> {
    let ChangeKind::ColumnCaseChanged = change.kind else {
        return None;
    };
    let effect = by_bytes(
        change,
        "names are read without regard to case, so it is the same column",
        "the SerDe reads names as they are spelt, so the column comes back NULL",
    );
    let message = format!("{} is now spelt {}; {effect}.", before(change), after(change));
    Some((message, settle(change, "Restore the spelling at the source")))
}

const DOCS: &str = "\
## What it does
Reports a column, or a field of a struct, whose name differs from the contract's in case alone.

## Why it matters
Glue stores column names in lower case, and most SerDes ignore case. The OpenX JSON SerDe with `case.insensitive=false` and Avro
do not: there the column silently comes back NULL.

## Example
A struct's field `price` becomes `Price`.

## How to resolve
Restore the spelling, or run `crawlguard contracts update raw_orders`.

## Known limits
Two JSON keys that differ in case alone fail the query; the catalog shows only one of them.
";
