use super::words::quoted;
use crate::drift::{Change, ChangeKind, Level, Rule};

pub static RULE: Rule = Rule {
    id: "table-new",
    summary: "A table has no contract.",
    docs: DOCS,
    level_read: Level::Breaking,
    level_unread: Level::Tolerated,
    detect,
};

fn detect(change: &Change) -> Option<(String, String)> {
    let ChangeKind::TableNew = change.kind else {
        return None;
    };
    let message = format!(
        "Table `{}` has no contract; nothing is promised about it, so a model that reads it is unguarded.",
        change.table
    );
    Some((message, format!("Run `crawlguard contracts init` to give {} a contract.", quoted(&change.table))))
}

const DOCS: &str = "\
## What it does
Reports a table in the guarded prefix that has no contract.

## Why it matters
A new source is harmless until a model reads it. Then its drift would go unseen.

## Example
`raw_refunds` appears beside `raw_orders`.

## How to resolve
Run `crawlguard contracts init`: it writes a contract from what the catalog holds and leaves the others alone.

## Known limits
Without a project (`crawlguard diff OLD NEW`) no model is known, and the table counts as unread.
";
