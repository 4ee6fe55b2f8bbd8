use super::words::{by_bytes, moved, settle};
use crate::drift::{AcceptedBy, Advice, Change, ChangeKind, Level, Rule};

pub static RULE: Rule = Rule {
    id: "struct-field-reordered",
    summary: "Fields of a struct changed place.",
    docs: DOCS,
    level_read: Level::Tolerated,
    level_unread: Level::Tolerated,
    accepted_by: AcceptedBy::Update,
    detect,
};

fn detect(change: &Change) -> Option<(String, Advice)> {
    let ChangeKind::FieldReordered = change.kind else {
        return None;
    };
    let effect = by_bytes(
        change,
        "fields are read by name, so every value stays with its name",
        "structs are compared by position here, so partitions or files stored before no longer fit",
    );
    let message = format!("{}; {effect}.", moved("Field", change, " of its struct"));
    Some((message, settle(change, "Restore the order at the source")))
}

const DOCS: &str = "\
## What it does
Reports fields of one struct in another order: one finding for each block of neighbours that moved.

## Why it matters
By name an order means nothing. Against a partition's own column list structs are compared by position, and the query fails.

## Example
`struct<id:int,price:double>` becomes `struct<price:double,id:int>`.

## How to resolve
Let the crawler rewrite partitions (`InheritFromTable`), then run `crawlguard contracts update raw_orders`.

## Known limits
Partitions' own column lists are not read. Where the target's crawler rewrites them from the table (`InheritFromTable`, with
`UPDATE_IN_DATABASE` and every folder crawled), and in a local crawl, partitions have none; else the worst is assumed.
";
