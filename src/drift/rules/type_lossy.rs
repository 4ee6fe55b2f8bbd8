use super::words::{after, before, by_bytes, recast, subject};
use crate::drift::{AcceptedBy, Advice, Change, ChangeKind, Level, Promotion, Rule};

pub static RULE: Rule = Rule {
    id: "type-lossy",
    summary: "A type change loses precision or meaning.",
    docs: DOCS,
    level_read: Level::Breaking,
    level_unread: Level::Tolerated,
    accepted_by: AcceptedBy::Update,
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
`TRY_CAST` to the old type. What does not fit becomes NULL, and what fits in part becomes another value: `2.5` as `bigint` is 3, a
`timestamp` as `date` has no time. A policy that tolerates the rule does the same night by night. Either way a check `cast_loss`
counts both and fails the run if there is one; after an update it stands in the contract (`castLoss`), and its `maxLost` says how
many may be. Of a text that becomes a number only NULL counts: `007` is 7.

Inside a column (`order.price`) nothing is cast for the models: the acceptance names the line that reads it, and what a TRY_CAST
written there makes NULL, rounds or cuts no check counts. `nullValues` of the model's own column says how many may be NULL.

## Known limits
Whether any stored value really lost something is not looked at before a run checks it.

Decimals in JSON that all happen to be whole (`20` for `20.5`) make the column `int`, and a value that no crawl has seen may still
be none: Athena fails on `4.5` in an `int` column. Written `20.0` they stay decimals. Where the change is accepted all the same,
models go on reading the column as `double`, and the next `20.5` only widens it (`type-widened`).
";
