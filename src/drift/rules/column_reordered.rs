use super::words::{BY_PLACE, by_bytes, moved, settle};
use crate::drift::{AcceptedBy, Advice, Change, ChangeKind, Level, Rule};

pub static RULE: Rule = Rule {
    id: "column-reordered",
    summary: "Columns changed place.",
    docs: DOCS,
    level_read: Level::Tolerated,
    level_unread: Level::Tolerated,
    accepted_by: AcceptedBy::Update,
    detect,
};

fn detect(change: &Change) -> Option<(String, Advice)> {
    let ChangeKind::ColumnReordered = change.kind else {
        return None;
    };
    let effect = by_bytes(change, "the format reads columns by name, so every value stays with its name", BY_PLACE);
    let message = format!("{}; {effect}.", moved("Column", change, ""));
    Some((message, settle(change, "Restore the order at the source")))
}

const DOCS: &str = "\
## What it does
Reports columns that both sides have in another order: one finding for each block of neighbours that moved.

## Why it matters
By name an order means nothing. By position it is everything: the old files are read with the new names. A partition that does
not inherit the table's column list keeps its own, and Athena compares the two by place in CSV, JSON and Avro.

## Example
A CSV `id, amount, channel` becomes `id, channel, amount`.

## How to resolve
Restore the order, or rewrite the stored files in the new one; for JSON and Avro let the crawler rewrite the partitions
(`InheritFromTable`). Then run `crawlguard contracts update raw_orders`.

## Known limits
Which of two blocks that changed places \"moved\" is a matter of view; the smaller description is reported.

Partitions' own column lists are not read. Where the target's crawler rewrites them from the table (`InheritFromTable`, with
`UPDATE_IN_DATABASE` and every folder crawled), and in a local crawl, partitions have none; else the worst is assumed.
";
