use super::words::{after, before, by_bytes, recast, subject};
use crate::drift::{AcceptedBy, Advice, Change, ChangeKind, Decode, Level, Rule};

pub static RULE: Rule = Rule {
    id: "type-shown",
    summary: "A column that had been empty shows its type.",
    docs: DOCS,
    level_read: Level::Tolerated,
    level_unread: Level::Tolerated,
    accepted_by: AcceptedBy::Update,
    detect,
};

fn detect(change: &Change) -> Option<(String, Advice)> {
    let ChangeKind::TypeShown = change.kind else {
        return None;
    };
    let effect = by_bytes(
        change,
        "no value was ever of another type, and models go on reading the column as the contract has it",
        "what its files hold as text is read as that type (a code such as 007 as 7, what is none as NULL), and partitions \
         stored before may still call it otherwise",
    );
    let message = format!(
        "{} had no value when {} was promised for it; its first values show {}; {effect}.",
        subject(change),
        before(change),
        after(change)
    );
    let advice = match change.decode {
        Decode::Safe => Advice::mend("").or_accept("to promise the type that it shows"),
        Decode::Unsafe | Decode::Unknown => recast(change),
    };
    Some((message, advice))
}

const DOCS: &str = "\
## What it does
Reports that a column without evidence (`crawlguard.evidence`: `none` in the contract) has values now, and of which type.

## Why it matters
The promised `string` was a placeholder: every sampled value was empty. Nothing changed at the source, but a model that reads the
column was written for a text: it reads the column through `TRY_CAST`, and its own columns keep their types. What cannot be proven
so is breaking.

## Example
`discount` was empty in all JSON files, and the first 5 arrives: the catalog says `int`.

In CSV a number is a text that looks like one. `code` was empty, and `007` and `0123` arrive: the catalog says `bigint`, and
whoever reads it gets 7 and 123, as text too. Whether these are numbers or codes no schema tells, so there it is breaking.

## How to resolve
Where it is tolerated nothing has to be done. `crawlguard contracts update raw_orders` promises the type that the values show.
Where it is breaking (`decode: unsafe`), look at the values. Numbers: accept it so. Codes: have the crawler call the column
`string`, by a CSV classifier for OpenCSVSerDe, and accept the change of SerDe that it brings.

## Known limits
Only `crawlguard crawl` records that a column was empty; Glue's crawler does not. A first value that is a struct, a list or a map
has no text: that is `type-incompatible`.
";
