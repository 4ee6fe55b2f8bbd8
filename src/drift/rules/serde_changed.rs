use super::words::{accept, after, before};
use crate::drift::{AcceptedBy, Advice, Change, ChangeKind, Level, Rule};

pub static RULE: Rule = Rule {
    id: "serde-changed",
    summary: "The table is read by another SerDe of the same format.",
    docs: DOCS,
    level_read: Level::Breaking,
    level_unread: Level::Breaking,
    accepted_by: AcceptedBy::Update,
    detect,
};

fn detect(change: &Change) -> Option<(String, Advice)> {
    let ChangeKind::SerdeChanged = change.kind else {
        return None;
    };
    let message = format!(
        "The SerDe changed from {} to {}; the same bytes may give other values.",
        before(change),
        after(change)
    );
    Some((message, accept(change, "Restore the SerDe in the catalog")))
}

const DOCS: &str = "\
## What it does
Reports a serialization library that differs from the contract's and reads the same format.

## Why it matters
LazySimpleSerDe does not know quotes and OpenCSVSerde does; OpenX and Hive JSON treat duplicate keys and dates differently. The
same bytes give other values, without an error.

## Example
A crawler resets a hand-set `OpenCSVSerde` to `LazySimpleSerDe`.

## How to resolve
Set the SerDe again and keep the crawler from changing it (`UpdateBehavior=LOG`, or a custom classifier). To accept it, run
`crawlguard contracts update raw_orders`.

## Known limits
Partitions may keep a SerDe of their own; they are not read.
";
