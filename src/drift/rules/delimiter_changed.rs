use super::words::{accept, after, before};
use crate::drift::{AcceptedBy, Advice, Change, ChangeKind, Level, Rule};

pub static RULE: Rule = Rule {
    id: "delimiter-changed",
    summary: "The delimiter is another.",
    docs: DOCS,
    level_read: Level::Breaking,
    level_unread: Level::Breaking,
    accepted_by: AcceptedBy::Update,
    detect,
};

fn detect(change: &Change) -> Option<(String, Advice)> {
    let ChangeKind::DelimiterChanged = change.kind else {
        return None;
    };
    let message = format!(
        "The delimiter changed from {} to {}; rows written with the old one arrive as a single column.",
        before(change),
        after(change)
    );
    Some((message, accept(change, "Have the file written with the promised delimiter and crawl again")))
}

const DOCS: &str = "\
## What it does
Reports a field delimiter (`field.delim`, `separatorChar` or `delimiter`) that differs from the contract's.

## Why it matters
A table has one delimiter. Lines that use the other are one long first column, and every other column is NULL.

## Example
For a day the export uses `;` instead of `,`.

## How to resolve
Rewrite the file, crawl, and check again; or rewrite the stored ones and run `crawlguard contracts update raw_orders`.

## Known limits
With `MergeNewColumns` the crawler keeps the old delimiter and marks the table deprecated: see `table-deprecated`.
";
