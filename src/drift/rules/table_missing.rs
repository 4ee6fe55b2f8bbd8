use crate::drift::{Change, ChangeKind, Level, Rule};

pub static RULE: Rule = Rule {
    id: "table-missing",
    summary: "A contracted table is not in the catalog.",
    docs: DOCS,
    level_read: Level::Breaking,
    level_unread: Level::Breaking,
    detect,
};

fn detect(change: &Change) -> Option<(String, String)> {
    let ChangeKind::TableMissing = change.kind else {
        return None;
    };
    let message = format!("Table `{}` is not in the catalog; models that read it cannot be built.", change.table);
    Some((message, "Crawl its prefix again, or remove its contract if the source is retired.".to_owned()))
}

const DOCS: &str = "\
## What it does
Reports a contract whose table the catalog does not have.

## Why it matters
Models that read it fail; the prefix may be empty, the crawler may have lost access, or the table was split or renamed.

## Example
The crawler deleted `raw_orders` because its folder was empty at the time.

## How to resolve
Restore the files and crawl. If the source is retired, take it out of the models and delete its contract.

## Known limits
An empty table that still exists is not missing; the row count check finds it.
";
