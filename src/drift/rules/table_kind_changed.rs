use super::words::{accept, sides};
use crate::drift::{AcceptedBy, Advice, Change, ChangeKind, Level, Rule};

pub static RULE: Rule = Rule {
    id: "table-kind-changed",
    summary: "A table became a view, or the like.",
    docs: DOCS,
    level_read: Level::Breaking,
    level_unread: Level::Breaking,
    accepted_by: AcceptedBy::Update,
    detect,
};

fn detect(change: &Change) -> Option<(String, Advice)> {
    let ChangeKind::TableKindChanged = change.kind else {
        return None;
    };
    let (from, to) = sides(change);
    let message =
        format!("`{}` changed from {from} to {to}; its rows no longer come from the promised files.", change.table);
    Some((message, accept(change, "Restore the table under its name")))
}

const DOCS: &str = "\
## What it does
Reports a name that stands for another kind of thing: external table, view or Iceberg table.

## Why it matters
A view has no files of its own and no SerDe; nothing the contract says about them holds.

## Example
Somebody replaced `raw_orders` by a view over two tables.

## How to resolve
Give the view another name, or run `crawlguard contracts update raw_orders`.

## Known limits
Where the kind differs nothing else is compared.
";
