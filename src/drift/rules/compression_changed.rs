use super::words::{accept, after, before};
use crate::drift::{AcceptedBy, Advice, Change, ChangeKind, Level, Rule};

pub static RULE: Rule = Rule {
    id: "compression-changed",
    summary: "The files are compressed otherwise.",
    docs: DOCS,
    level_read: Level::Breaking,
    level_unread: Level::Breaking,
    accepted_by: AcceptedBy::Update,
    detect,
};

fn detect(change: &Change) -> Option<(String, Advice)> {
    let ChangeKind::CompressionChanged = change.kind else {
        return None;
    };
    let message = format!(
        "The compression changed from {} to {}; crawlers group files by it, so rows may end in another table.",
        before(change),
        after(change)
    );
    Some((message, accept(change, "Restore the compression at the source")))
}

const DOCS: &str = "\
## What it does
Reports a `compressionType` that differs from the contract's; unset and `none` are the same.

## Why it matters
A crawler only groups files of the same compression into one table. Files of both are often the beginning of a split table.

## Example
`none` becomes `gzip` when an export is switched over.

## How to resolve
Run `crawlguard contracts update raw_orders` if the switch was meant. The policy of the contract can tolerate it.

## Known limits
The catalog names one compression, the files may have several.
";
