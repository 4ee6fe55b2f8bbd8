use super::words::{accept, sides};
use crate::drift::{AcceptedBy, Advice, Change, ChangeKind, Level, Rule};

pub static RULE: Rule = Rule {
    id: "header-lines-changed",
    summary: "Another number of header lines is skipped.",
    docs: DOCS,
    level_read: Level::Breaking,
    level_unread: Level::Breaking,
    accepted_by: AcceptedBy::Update,
    detect,
};

fn detect(change: &Change) -> Option<(String, Advice)> {
    let ChangeKind::HeaderLinesChanged = change.kind else {
        return None;
    };
    let (from, to) = sides(change);
    let message = format!(
        "The number of skipped header lines changed from {from} to {to}; a header is read as a row, or a row is skipped as one."
    );
    Some((message, accept(change, "Restore `skip.header.line.count`, or the header at the source")))
}

const DOCS: &str = "\
## What it does
Reports a `skip.header.line.count` that differs from the contract's while the columns kept their names.

## Why it matters
One line too few and every file adds a row of names; one too many and every file loses its first row.

## Example
`skip.header.line.count` goes from 1 to 0.

## How to resolve
Restore the header or the property, crawl, and check again; or run `crawlguard contracts update raw_orders`.

## Known limits
Where all names were lost as well, only `header-lost` is reported.
";
