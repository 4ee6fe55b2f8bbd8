use super::words::after;
use crate::drift::{AcceptedBy, Advice, Change, ChangeKind, Level, Rule};
use crate::problem::shell_word;

pub static RULE: Rule = Rule {
    id: "stray-sibling",
    summary: "A crawler split a table off a contracted one.",
    docs: DOCS,
    level_read: Level::Breaking,
    level_unread: Level::Breaking,
    accepted_by: AcceptedBy::Never,
    detect,
};

fn detect(change: &Change) -> Option<(String, Advice)> {
    let ChangeKind::StraySibling = change.kind else {
        return None;
    };
    let message = format!(
        "Table {} was split off `{}`; part of its rows may now be there, and models that read `{}` miss them.",
        after(change),
        change.table,
        change.table
    );
    let sibling = shell_word(change.after.as_deref().unwrap_or_default());
    let help = format!(
        "Move the files that differ out of the prefix, delete {} from the catalog and crawl again, or, if it is a table of its \
         own, run `crawlguard contracts init {sibling}`; no update accepts it",
        after(change)
    );
    Some((message, Advice::mend(help)))
}

const DOCS: &str = "\
## What it does
Reports a table without contract whose name is a contracted name and a hash, or whose location lies under a contracted one.

## Why it matters
Files that differ too much (format, compression, under 70 % of the columns, folder structure) make the crawler create another
table instead of changing the known one. The known one looks unchanged and has lost rows.

## Example
`raw_orders_5f3c2b1a9d` appears beside an unchanged `raw_orders`.

## How to resolve
Find the files that differ, move or mend them, delete the stray table and crawl again. One S3 target a table, or
`CombineCompatibleSchemas`, keeps the crawler from splitting.

## Known limits
A suffix counts as a hash if it has four or more of 0–9 and a–f, letters and digits both. A table meant to live under another's
location needs a contract of its own: `crawlguard contracts init` writes it.
";
