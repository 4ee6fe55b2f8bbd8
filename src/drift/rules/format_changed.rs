use super::words::{accept, after, before};
use crate::drift::{AcceptedBy, Advice, Change, ChangeKind, Level, Rule};

pub static RULE: Rule = Rule {
    id: "format-changed",
    summary: "The file format is another.",
    docs: DOCS,
    level_read: Level::Breaking,
    level_unread: Level::Breaking,
    accepted_by: AcceptedBy::Update,
    detect,
};

fn detect(change: &Change) -> Option<(String, Advice)> {
    let ChangeKind::FormatChanged = change.kind else {
        return None;
    };
    let message = format!(
        "The file format changed from {} to {}; files stored in the old one can no longer be read.",
        before(change),
        after(change)
    );
    Some((message, accept(change, "Restore the format at the source, or move the new files to a prefix of their own")))
}

const DOCS: &str = "\
## What it does
Reports a classification, SerDe, input or output format that stands for another file format than the contract's.

## Why it matters
A table has one format. Files of the other are read as garbage, as NULL, or not at all.

## Example
One Parquet file lands in a prefix of JSON Lines and the crawler reclassifies the table.

## How to resolve
Keep one format a prefix: move the new files, or rewrite the old ones, then run `crawlguard contracts update raw_orders`.

## Known limits
The files are not opened; what the catalog says counts.
";
