use super::words::{after, before, by_bytes, recast, subject};
use crate::drift::{AcceptedBy, Advice, Change, ChangeKind, Level, Promotion, Rule};

pub static RULE: Rule = Rule {
    id: "type-narrowed",
    summary: "A type now holds fewer values.",
    docs: DOCS,
    level_read: Level::Breaking,
    level_unread: Level::Tolerated,
    accepted_by: AcceptedBy::Update,
    detect,
};

fn detect(change: &Change) -> Option<(String, Advice)> {
    let ChangeKind::Retyped(Promotion::Narrowing) = change.kind else {
        return None;
    };
    let effect = by_bytes(
        change,
        "values outside the new type become NULL or fail the query",
        "stored values need not fit it, and then come back NULL or fail the query",
    );
    let message = format!("{} narrowed from {} to {}; {effect}.", subject(change), before(change), after(change));
    Some((message, recast(change)))
}

const DOCS: &str = "\
## What it does
Reports a column, or a part of a nested one, whose new type does not hold every value of the old.

## Why it matters
Values that do not fit become NULL or fail the query, and those stored before did not know of the limit.

## Example
`amount` changes from `bigint` to `int`; a stored 3000000000 no longer fits.

## How to resolve
Restore the wider type, or check that every stored value fits and run `crawlguard contracts update raw_orders`: models
then read the column through `TRY_CAST`, and what does not fit becomes NULL. A policy that tolerates the rule does the same, and
its check `cast_loss` fails the run if a value was lost. It counts what the cast loses, and not what was read as NULL before it: a
text that is no number is NULL in an `int` column already. So text that became a number is breaking whatever the policy.

Inside a column (`order.price`) nothing is cast for the models: the acceptance names the line that reads it, and what a TRY_CAST
written there makes NULL, rounds or cuts no check counts. `nullValues` of the model's own column says how many may be NULL.

## Known limits
Athena documents text as readable as a whole number, and so it is where every text is one, which nobody looked at.
A crawler infers types from a sample. It narrows a column when the sample held only small values, and the rest may hold others.
";
