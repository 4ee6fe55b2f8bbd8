use super::words::{after, name, quoted};
use crate::drift::{AcceptedBy, Advice, Change, ChangeKind, Level, Rule};

pub static RULE: Rule = Rule {
    id: "column-back-in-newest",
    summary: "The newest files have a column or field again that was accepted as missing.",
    docs: DOCS,
    level_read: Level::Tolerated,
    level_unread: Level::Tolerated,
    accepted_by: AcceptedBy::Update,
    detect,
};

fn detect(change: &Change) -> Option<(String, Advice)> {
    let ChangeKind::ColumnBackInNewest = change.kind else {
        return None;
    };
    let still = match change.file.as_deref().map(quoted) {
        Some(file) => format!(", though {file} has not"),
        None => String::new(),
    };
    let message = format!(
        "The newest files have {} ({}) again{still}; while the contract knows it to be missing, its next loss is no finding.",
        name(change),
        after(change)
    );
    Some((message, Advice::mend("").or_accept("to promise that they have it")))
}

const DOCS: &str = "\
## What it does
Reports a column or nested field that the contract knows to be missing in the newest files (`crawlguard.missing_in_newest`,
`crawlguard.missing_in_some`), and that they have again.

## Why it matters
Somebody accepted the loss. As long as the contract says so, a second loss is as promised, and nobody is told.

## Example
`orders/2.json` lacked `amount`, which was accepted; `orders/3.json` has it.

## How to resolve
Run `crawlguard contracts update raw_orders`: the entry goes, and the next loss is `column-missing-in-newest`. A key that is
optional by nature comes and goes: tolerate that rule in the column's policy instead.

## Known limits
Only `crawlguard crawl` records what the newest files lack, so of a table that Glue's crawler wrote nothing is said.
";
