use super::words::retire;
use crate::drift::{AcceptedBy, Advice, Change, ChangeKind, Level, Rule};

pub static RULE: Rule = Rule {
    id: "table-missing",
    summary: "A contracted table is not in the catalog.",
    docs: DOCS,
    level_read: Level::Breaking,
    level_unread: Level::Breaking,
    accepted_by: AcceptedBy::Retirement,
    detect,
};

fn detect(change: &Change) -> Option<(String, Advice)> {
    let ChangeKind::TableMissing = change.kind else {
        return None;
    };
    let message = format!("Table `{}` is not in the catalog; models that read it cannot be built.", change.table);
    Some((message, retire()))
}

const DOCS: &str = "\
## What it does
Reports a contract whose table the catalog does not have.

## Why it matters
Models that read it fail; the prefix may be empty, the crawler may have lost access, or the table was split or renamed.

## Example
The crawler deleted `raw_orders` because its folder was empty at the time.

## How to resolve
Restore the files and crawl. If the source is gone for good, take it out of the models and run
`crawlguard contracts update raw_orders`: the contract gets `status: retired` and the table is no longer guarded. While a model
reads it, that is refused.

## Known limits
An empty table that still exists is not missing; the row count check finds it.
";
