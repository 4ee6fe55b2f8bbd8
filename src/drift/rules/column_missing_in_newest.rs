use super::words::{accept, before, by_bytes, name, quoted};
use crate::drift::{AcceptedBy, Advice, Change, ChangeKind, Level, Rule};

pub static RULE: Rule = Rule {
    id: "column-missing-in-newest",
    summary: "Older files have a promised column or field, and the newest has not.",
    docs: DOCS,
    level_read: Level::Breaking,
    level_unread: Level::Tolerated,
    accepted_by: AcceptedBy::OfColumn,
    detect,
};

fn detect(change: &Change) -> Option<(String, Advice)> {
    let ChangeKind::ColumnMissingInNewest = change.kind else {
        return None;
    };
    if change.path.is_empty() {
        let message = format!("Which columns the newest file of {} lacks cannot be read.", quoted(&change.table));
        return Some((message, Advice::mend("Run `crawlguard crawl` to record it anew")));
    }
    let effect = by_bytes(change, "from there on it reads NULL", "the values after it may show under wrong names");
    let message = format!("The newest file no longer has {} ({}); {effect}.", name(change), before(change));
    Some((message, accept(change, "Restore it at its source")))
}

const DOCS: &str = "\
## What it does
Reports a promised column or nested field that older files of the table have and the newest file has not.

## Why it matters
Where a new file lies beside older ones, the catalog holds the union of both: a column that was renamed stays, and looks as if
only the new name had been added. From the newest file on the old one reads NULL, and no query fails.

## Example
`orders/1.json` has `amount`, `orders/2.json` has `total`: the catalog says `amount, total`.

## How to resolve
Have the producer write the column again. If it was renamed, the help says what it may be called now: read both names in the
models (`coalesce`), then run `crawlguard contracts update raw_orders`, which records that the newest file lacks it.

## Known limits
Only `crawlguard crawl` records it; Glue's crawler does not. It is recorded for JSON and Parquet: a CSV table has the columns of
its newest file, so there it is a removal. A key that is optional by nature comes and goes: tolerate the rule in the column's
policy.
";
