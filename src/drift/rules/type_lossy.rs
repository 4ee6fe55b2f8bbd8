use super::words::{after, before, by_bytes, recast, subject};
use crate::drift::{Acceptance, Advice, Change, ChangeKind, Level, Promotion, Rule};

pub static RULE: Rule = Rule {
    id: "type-lossy",
    summary: "A type change loses precision or meaning.",
    docs: DOCS,
    level_read: Level::Breaking,
    level_unread: Level::Tolerated,
    acceptance: Acceptance::Update,
    detect,
};

fn detect(change: &Change) -> Option<(String, Advice)> {
    let ChangeKind::Retyped(Promotion::Lossy) = change.kind else {
        return None;
    };
    let effect = by_bytes(
        change,
        "values convert, but digits, the time of day or arithmetic on them are lost",
        "stored values cannot be relied on to read as the new type",
    );
    let message = format!("{} changed from {} to {}; {effect}.", subject(change), before(change), after(change));
    Some((message, recast(change)))
}

const DOCS: &str = "\
## What it does
Reports a column, or a part of a nested one, whose values convert to the new type but not back.

## Why it matters
`bigint` to `double` drops digits, `timestamp` to `date` the time, a number that became text no longer compares or adds as one.

## Example
`amount` changes from `bigint` to `string` because one file holds `N/A`.

## How to resolve
Clean the value at its source, or run `crawlguard contracts update raw_orders`: models that name the column then read it through
`TRY_CAST` to the old type, and what does not fit becomes NULL. A policy that tolerates the rule does the same night by night.
Either way a check `cast_loss` fails the run if a value was lost; after an update it stands in the contract (`castLoss`), and its
`maxLost` says how many may be.

## Known limits
Whether any stored value really lost something is not looked at.
";
