use super::words::{accept, after, before};
use crate::drift::{AcceptedBy, Advice, Change, ChangeKind, Level, Rule};

pub static RULE: Rule = Rule {
    id: "serde-parameter-changed",
    summary: "A parameter that decides how bytes are read is another.",
    docs: DOCS,
    level_read: Level::Breaking,
    level_unread: Level::Breaking,
    accepted_by: AcceptedBy::Update,
    detect,
};

fn detect(change: &Change) -> Option<(String, Advice)> {
    let ChangeKind::SerdeParameterChanged = change.kind else {
        return None;
    };
    let message = format!(
        "A SerDe parameter changed from {} to {}; the same bytes may give other values.",
        before(change),
        after(change)
    );
    Some((message, accept(change, "Restore the parameter in the catalog")))
}

const DOCS: &str = "\
## What it does
Reports a SerDe parameter that differs from the contract's, and an Avro schema literal that changed without the columns.

## Why it matters
Parameters such as `quoteChar`, `mapping.x`, `case.insensitive` or `parquet.column.index.access` decide which value a column gets.

## Example
`parquet.column.index.access` becomes `true`: columns are now read by position.

## How to resolve
Restore the parameter, or run `crawlguard contracts update raw_orders`.

## Known limits
`paths` and `serialization.format` follow from other properties and are not compared. Every other parameter counts, known or not.
";
