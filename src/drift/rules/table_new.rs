use super::words::quoted;
use crate::drift::{Advice, Change, ChangeKind, Level, Rule};

pub static RULE: Rule = Rule {
    id: "table-new",
    summary: "A table has no contract in force.",
    docs: DOCS,
    level_read: Level::Breaking,
    level_unread: Level::Tolerated,
    detect,
};

fn detect(change: &Change) -> Option<(String, Advice)> {
    let ChangeKind::TableNew = change.kind else {
        return None;
    };
    let message = format!("Table {} has no contract in force; its drift would go unseen.", quoted(&change.table));
    Some((message, Advice::mend("").or_accept("to give it one")))
}

const DOCS: &str = "\
## What it does
Reports a table in the guarded prefix that has no contract, or one that was retired. A table that the crawler marked as
deprecated is left out: it has no files.

## Why it matters
A new source is harmless until a model reads it. Then its drift would go unseen.

## Example
`raw_refunds` appears beside `raw_orders`.

## How to resolve
Run `crawlguard contracts update raw_refunds`, which puts a retired contract in force again, or `crawlguard contracts init` for
all tables without a contract: it writes contracts from what the catalog holds and leaves the others alone. Where a model reads a
retired table already, `crawlguard contracts init raw_refunds` puts its contract in force.

## Known limits
Without a project (`crawlguard diff OLD NEW`) no model is known, and the table counts as unread.
";
