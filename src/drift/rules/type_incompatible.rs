use super::words::{after, before, by_bytes, recast, subject};
use crate::drift::{AcceptedBy, Advice, Change, ChangeKind, Level, Promotion, Rule};

pub static RULE: Rule = Rule {
    id: "type-incompatible",
    summary: "A type changed to one its values do not convert to.",
    docs: DOCS,
    level_read: Level::Breaking,
    level_unread: Level::Tolerated,
    accepted_by: AcceptedBy::Update,
    detect,
};

fn detect(change: &Change) -> Option<(String, Advice)> {
    let ChangeKind::Retyped(Promotion::Incompatible) = change.kind else {
        return None;
    };
    let effect = by_bytes(
        change,
        "values do not convert between the two",
        "stored values cannot be relied on to read as the new type",
    );
    let message = format!("{} changed from {} to {}; {effect}.", subject(change), before(change), after(change));
    Some((message, recast(change)))
}

const DOCS: &str = "\
## What it does
Reports a column, or a part of a nested one, whose values do not convert to the new type.

## Why it matters
The query fails, or the column comes back empty.

## Example
`order` changes from `struct<id:int>` to `string`.

## How to resolve
Restore the type, or rewrite the stored files, change the models, and run `crawlguard contracts update raw_orders`. Models that
still name the column then read it through `TRY_CAST`: where nothing converts, it is NULL in every row, and the check `castLoss`
that the contract gets fails the run. Inside a column nothing is cast for the models, and no check counts what their own casts
lose.

## Known limits
Some pairs that a given engine release converts are listed here as incompatible: the table follows what is documented.
";
