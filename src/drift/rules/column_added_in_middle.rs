use super::words::{BY_PLACE, after, by_bytes, name, settle};
use crate::drift::{AcceptedBy, Advice, Change, ChangeKind, Level, Rule};

pub static RULE: Rule = Rule {
    id: "column-added-in-middle",
    summary: "A column was added before the end.",
    docs: DOCS,
    level_read: Level::Tolerated,
    level_unread: Level::Tolerated,
    accepted_by: AcceptedBy::Update,
    detect,
};

fn detect(change: &Change) -> Option<(String, Advice)> {
    let ChangeKind::ColumnAddedInMiddle = change.kind else {
        return None;
    };
    let effect = by_bytes(change, "every other column reads as it did, and the new one is there to be used", BY_PLACE);
    let place = change.place.unwrap_or_default();
    let message = format!("Column {} ({}) was added at place {place}; {effect}.", name(change), after(change));
    Some((message, settle(change, "Move the new column to the end of the files")))
}

const DOCS: &str = "\
## What it does
Reports a data column that the contract does not have and that stands before one that it has.

## Why it matters
The format decides. JSON, Avro and Parquet read by name and nothing moves. CSV, and Parquet or ORC by index, read by position:
no query fails, yet every later value shows under its neighbour's name. A partition that does not inherit the
table's column list keeps its own, and Athena compares the two by place in CSV, JSON and Avro: there an addition before the end
fails the query.

## Example
A CSV `id, amount` becomes `id, channel, amount`: rows stored last week now show an amount as the channel.

## How to resolve
Have the producer append columns at the end, or rewrite the stored files in the new order; for JSON and Avro let the crawler
rewrite the partitions (`InheritFromTable`). Then run `crawlguard contracts update raw_orders`.

## Known limits
In a file read by position an addition exactly in the place of a removed column counts as readable, as AWS's grid has it for a
rename; whether it is one is for a person to say.

Partitions' own column lists are not read. Where the target's crawler rewrites them from the table (`InheritFromTable`, with
`UPDATE_IN_DATABASE` and every folder crawled), and in a local crawl, partitions have none; else the worst is assumed.
";
