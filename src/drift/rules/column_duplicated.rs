use super::words::{after, name};
use crate::drift::{AcceptedBy, Advice, Change, ChangeKind, Level, Rule};

pub static RULE: Rule = Rule {
    id: "column-duplicated",
    summary: "A column was added under a name that the table has already.",
    docs: DOCS,
    level_read: Level::Breaking,
    level_unread: Level::Breaking,
    accepted_by: AcceptedBy::Never,
    detect,
};

fn detect(change: &Change) -> Option<(String, Advice)> {
    let ChangeKind::ColumnDuplicated = change.kind else {
        return None;
    };
    let message = format!(
        "Column {} ({}) was added, and another column or a partition key has this name; no query reads such a table.",
        name(change),
        after(change)
    );
    Some((message, Advice::mend("Rename one of the two at the source; no contract can hold both")))
}

const DOCS: &str = "\
## What it does
Reports an added data column whose name, upper and lower case alike, is that of another column or of a partition key.

## Why it matters
Athena refuses a table in which a name comes twice: every query of it fails, of the old columns as well.

## Example
Files in `orders/day=2024-05-02/` get a field `day` of their own.

## How to resolve
Rename the field at its source, or the folders' key, and crawl again.

## Known limits
Fields of a struct are not compared with each other.
";
