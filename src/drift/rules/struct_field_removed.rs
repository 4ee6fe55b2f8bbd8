use super::words::{accept, before, by_bytes, name};
use crate::drift::{AcceptedBy, Advice, Change, ChangeKind, Level, Rule};

pub static RULE: Rule = Rule {
    id: "struct-field-removed",
    summary: "A struct lost a field.",
    docs: DOCS,
    level_read: Level::Breaking,
    level_unread: Level::Tolerated,
    accepted_by: AcceptedBy::Update,
    detect,
};

fn detect(change: &Change) -> Option<(String, Advice)> {
    let ChangeKind::FieldRemoved = change.kind else {
        return None;
    };
    let effect = by_bytes(
        change,
        "models that name it fail",
        "structs are compared by position here, so partitions or files stored before no longer fit",
    );
    let message = format!("Field {} ({}) was removed; {effect}.", name(change), before(change));
    Some((message, accept(change, "Restore the field at its source")))
}

const DOCS: &str = "\
## What it does
Reports a field of the contract that is gone from its struct, however deep in arrays, maps and structs.

## Why it matters
A model that names the field fails. Lineage knows columns, not fields: every model that reads the column counts.

## Example
`order.items[].price` is gone.

## How to resolve
Restore the field, or take it out of the models and run `crawlguard contracts update raw_orders`.

## Known limits
A crawler drops a field that its sample did not show: an optional field may come and go.
";
