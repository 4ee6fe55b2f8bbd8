use super::words::{after, by_bytes, name, settle};
use crate::drift::{AcceptedBy, Advice, Change, ChangeKind, Level, Rule};

pub static RULE: Rule = Rule {
    id: "struct-field-added",
    summary: "A struct got a new field.",
    docs: DOCS,
    level_read: Level::Tolerated,
    level_unread: Level::Tolerated,
    accepted_by: AcceptedBy::Update,
    detect,
};

fn detect(change: &Change) -> Option<(String, Advice)> {
    let ChangeKind::FieldAdded = change.kind else {
        return None;
    };
    let effect = by_bytes(
        change,
        "the other fields read as they did",
        "structs are compared by position here, so partitions or files stored before no longer fit",
    );
    let message = format!("Field {} ({}) was added; {effect}.", name(change), after(change));
    Some((message, settle(change, "Append the field at the end of the struct")))
}

const DOCS: &str = "\
## What it does
Reports a field that the contract does not have, inside a struct, however deep in arrays, maps and structs.

## Why it matters
JSON and Parquet find fields by name. A partition that does not inherit the table's column list keeps its own, though, and
Athena compares structs with it by position: only an addition at the end is safe there.

## Example
`order.items[].discount` appears in `order: struct<items:array<struct<price:double>>>`.

## How to resolve
Nothing has to be done where it is tolerated. Else let the crawler rewrite partitions (`InheritFromTable`), then run
`crawlguard contracts update raw_orders`.

## Known limits
Partitions' own column lists are not read. Where the target's crawler rewrites them from the table (`InheritFromTable`, with
`UPDATE_IN_DATABASE` and every folder crawled), and in a local crawl, partitions have none; else the worst is assumed.
";
