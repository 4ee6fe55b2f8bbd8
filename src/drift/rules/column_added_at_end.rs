use super::words::{accept, after, by_bytes, name};
use crate::drift::{AcceptedBy, Advice, Change, ChangeKind, Decode, Level, Rule};

pub static RULE: Rule = Rule {
    id: "column-added-at-end",
    summary: "A column was added after all others.",
    docs: DOCS,
    level_read: Level::Tolerated,
    level_unread: Level::Tolerated,
    accepted_by: AcceptedBy::Update,
    detect,
};

fn detect(change: &Change) -> Option<(String, Advice)> {
    let ChangeKind::ColumnAddedAtEnd = change.kind else {
        return None;
    };
    let effect = by_bytes(
        change,
        "every other column reads as it did, and the new one is there to be used",
        "the files are read by position, and in those stored before its place holds another column's values",
    );
    let message = format!("Column {} ({}) was added at the end; {effect}.", name(change), after(change));
    let advice = match change.decode {
        Decode::Safe => {
            Advice::mend("").or_accept("to promise it; models that take additions in carry it where they can")
        }
        Decode::Unsafe | Decode::Unknown => accept(change, "Rewrite the stored files with the new column"),
    };
    Some((message, advice))
}

const DOCS: &str = "\
## What it does
Reports a data column that the contract does not have and that stands after every column it has.

## Why it matters
Every format reads an addition at the end without harm: rows written before it show NULL. The value is there to be used, and a
model that opted in gets it cleaned.

## Example
`raw_orders` had `id, amount`; the catalog now says `id, amount, channel`.

## How to resolve
Nothing has to be done. `crawlguard contracts update raw_orders` makes the column part of the contract and writes it into the
models that carried it.

## Known limits
With the crawler's `MergeNewColumns`, a column inserted in the middle of a CSV is recorded at the end. The catalog cannot show
that; a moved-rows check on the values can.
";
