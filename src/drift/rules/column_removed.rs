use super::words::{BY_PLACE, accept, before, by_bytes, name};
use crate::drift::{AcceptedBy, Advice, Change, ChangeKind, Level, Rule};

pub static RULE: Rule = Rule {
    id: "column-removed",
    summary: "A promised column is gone.",
    docs: DOCS,
    level_read: Level::Breaking,
    level_unread: Level::Tolerated,
    accepted_by: AcceptedBy::Update,
    detect,
};

fn detect(change: &Change) -> Option<(String, Advice)> {
    let ChangeKind::ColumnRemoved = change.kind else {
        return None;
    };
    let effect = by_bytes(change, "models that name it cannot be built", BY_PLACE);
    let message = format!("Column {} ({}) was removed; {effect}.", name(change), before(change));
    Some((message, accept(change, "Restore the column at its source")))
}

const DOCS: &str = "\
## What it does
Reports a column of the contract that the catalog no longer has.

## Why it matters
A model that names it fails, or, where a policy tolerates the removal, gets NULL in its place. In a file read by position the
columns after it move as well; in a partition's own column list they do in CSV, JSON and Avro. A check that names the column could
not be measured without it, whoever's contract it is of: then no policy tolerates the removal.

## Example
`raw_orders` had `id, amount, channel`; the catalog now says `id, channel`.

## How to resolve
Restore the column, or take it out of the models and run `crawlguard contracts update raw_orders`. If it was renamed, accept that
with `crawlguard contracts update raw_orders --rename old=new`: the models keep their columns and read the new one. The column's
own checks go with it; where another contract refers to it, that reference has to be mended first.

## Known limits
Without field ids a rename is a removal and an addition. A rename is suggested with a score and never assumed.
Partitions' own column lists are not read. Where the target's crawler rewrites them from the table (`InheritFromTable`, with
`UPDATE_IN_DATABASE` and every folder crawled), and in a local crawl, partitions have none; else the worst is assumed.
";
