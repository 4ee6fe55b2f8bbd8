use super::words::{BY_PLACE, by_bytes, name, settle, sides};
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
    let (from, to) = sides(change);
    let message = match from.contains('–') {
        true => format!("The columns from {} on moved from places {from} to {to}; {effect}.", name(change)),
        false => format!("Column {} moved from place {from} to {to}; {effect}.", name(change)),
    };
    Some((message, settle(change, "Restore the order at the source")))
}

const DOCS: &str = "\
## What it does
Reports columns that both sides have in another order: one finding for each block of neighbours that moved.

## Why it matters
By name an order means nothing. By position it is everything: the old files are read with the new names. A partition keeps its
own column list, and Athena compares it with the table's by place in CSV, JSON and Avro.

## Example
A CSV `id, amount, channel` becomes `id, channel, amount`.

## How to resolve
Restore the order, or rewrite the stored files in the new one; for JSON and Avro let the crawler rewrite the partitions
(`InheritFromTable`). Then run `crawlguard contracts update raw_orders`.

## Known limits
Which of two blocks that changed places \"moved\" is a matter of view; the smaller description is reported. Partitions' own
column lists are not read, so in a partitioned table the worst is assumed.
";
