use super::words::{accept, after, before};
use crate::drift::{AcceptedBy, Advice, Change, ChangeKind, Level, Rule};

pub static RULE: Rule = Rule {
    id: "location-changed",
    summary: "The table points to another place.",
    docs: DOCS,
    level_read: Level::Breaking,
    level_unread: Level::Breaking,
    accepted_by: AcceptedBy::Update,
    detect,
};

fn detect(change: &Change) -> Option<(String, Advice)> {
    let ChangeKind::LocationChanged = change.kind else {
        return None;
    };
    let message = format!(
        "The location changed from {} to {}; models would read other files than the ones promised.",
        before(change),
        after(change)
    );
    Some((message, accept(change, "Point the table back to its place")))
}

const DOCS: &str = "\
## What it does
Reports a location that differs from the contract's; a trailing slash is no difference.

## Why it matters
The same name now stands for other files: a test copy, a part of the prefix, or the right data after a move.

## Example
`s3://lake/orders/` becomes `s3://lake/orders/2024/` when the crawler takes a folder for the table's root.

## How to resolve
Set the crawler's target or `TableLevelConfiguration` so that the table gets its root back; or run
`crawlguard contracts update raw_orders`. Where two targets on AWS share contracts, set `raw` in both, the folder above the
sources (`raw = 's3://shop-dev-raw/'`): below it the same folder is the same place.

## Known limits
Whether the files there are the same is not looked at.
";
