use super::words::retire;
use crate::drift::{AcceptedBy, Advice, Change, ChangeKind, Level, Rule};

pub static RULE: Rule = Rule {
    id: "table-deprecated",
    summary: "The crawler marked the table as deprecated.",
    docs: DOCS,
    level_read: Level::Breaking,
    level_unread: Level::Breaking,
    accepted_by: AcceptedBy::Retirement,
    detect,
};

fn detect(change: &Change) -> Option<(String, Advice)> {
    let ChangeKind::TableDeprecated = change.kind else {
        return None;
    };
    let message =
        format!("The crawler marked `{}` as deprecated; it no longer finds its files as they were.", change.table);
    Some((message, retire()))
}

const DOCS: &str = "\
## What it does
Reports a table that the crawler has marked as deprecated.

## Why it matters
A crawler marks a table whose files it no longer finds, and with `MergeNewColumns` one whose format, compression or delimiter
changed. It then no longer follows the files.

## Example
A day's files with another delimiter arrive under `MergeNewColumns`.

## How to resolve
Look at the newest files and at the crawler's log, mend, and crawl again. If the source is gone for good, take the table out of
the models and run `crawlguard contracts update raw_orders`: the contract gets `status: retired` and the table is no longer
guarded. While a model reads it, that is refused.

## Known limits
The mark does not say why.
";
