use super::words::quoted;
use crate::drift::{AcceptedBy, Advice, Change, ChangeKind, Level, Rule};
use crate::problem::shell_word;

pub static RULE: Rule = Rule {
    id: "table-new",
    summary: "A table has no contract in force.",
    docs: DOCS,
    level_read: Level::Breaking,
    level_unread: Level::Tolerated,
    accepted_by: AcceptedBy::Update,
    detect,
};

fn detect(change: &Change) -> Option<(String, Advice)> {
    let ChangeKind::TableNew = change.kind else {
        return None;
    };
    let message = format!("Table {} has no contract in force; its drift would go unseen.", quoted(&change.table));
    let advice = match change.before {
        Some(_) => Advice::mend("").or_accept("to put its contract in force again"),
        None => {
            let both = format!(
                "Run `crawlguard contracts init {}` for a contract and a first model",
                shell_word(&change.table)
            );
            Advice::mend(both).or_accept("for the contract alone")
        }
    };
    Some((message, advice))
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
Run `crawlguard contracts init raw_refunds`, or `crawlguard contracts init` for all such tables: it writes a contract from what
the catalog holds and, where no model reads the table yet, a first model; nothing that is there is changed. A retired contract is
put in force again by `crawlguard contracts update raw_refunds`, or, where a model reads its table already, by
`crawlguard contracts init raw_refunds`.

## Known limits
Without a project (`crawlguard diff OLD NEW`) no model is known, and the table counts as unread.
";
