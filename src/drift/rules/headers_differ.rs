use super::words::{after, before};
use crate::drift::{Change, ChangeKind, Decode, Level, Rule};

pub static RULE: Rule = Rule {
    id: "headers-differ",
    summary: "Files of a table read by position have different headers.",
    docs: DOCS,
    level_read: Level::Breaking,
    level_unread: Level::Breaking,
    detect,
};

fn detect(change: &Change) -> Option<(String, String)> {
    let ChangeKind::HeadersDiffer = change.kind else {
        return None;
    };
    let effect = match change.decode {
        Decode::Unknown => "which column a value belongs to is not known",
        Decode::Safe | Decode::Unsafe => {
            "the files are read by position, so one column's values are taken for another's"
        }
    };
    let message = format!(
        "Files of `{}` have another header than the newest, {}: {}; {effect}.",
        change.table,
        before(change),
        after(change)
    );
    let help = "Rewrite or move the older files so that all have the newest header, then run `crawlguard crawl`; nothing accepts it.";
    Some((message, help.to_owned()))
}

const DOCS: &str = "\
## What it does
Reports files of a CSV table whose header is neither the newest one nor the beginning of it. It looks at the catalog alone, so it
is reported also where contract and catalog agree.

## Why it matters
The table has one list of columns, that of the newest file, and every file is read by position. In an older file with another
header, one column's values come back under another's name, or a type does not fit. No query fails where both are text.

## Example
`2024-04.csv` has `id,amount,channel` and `2024-05.csv` has `id,channel,amount`: amounts of April are read as channels.

## How to resolve
Rewrite the older files with the newest header, or move them to a table of their own; then run `crawlguard crawl`.

## Known limits
Only `crawlguard crawl` records the headers; Glue's crawler does not. A new column at the end is no finding: older rows show NULL.
";
