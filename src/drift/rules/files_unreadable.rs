use super::words::sides;
use crate::drift::{Change, ChangeKind, Level, Rule};

pub static RULE: Rule = Rule {
    id: "files-unreadable",
    summary: "The crawler could not read the table's files.",
    docs: DOCS,
    level_read: Level::Unknown,
    level_unread: Level::Unknown,
    detect,
};

fn detect(change: &Change) -> Option<(String, String)> {
    let ChangeKind::FilesUnreadable = change.kind else {
        return None;
    };
    let (_, why) = sides(change);
    let why = why.lines().map(str::trim).collect::<Vec<_>>().join("; ");
    let message = format!(
        "The files of `{}` could not be read, so what the catalog says of them is from an earlier crawl: {}.",
        change.table,
        why.trim_end_matches('.')
    );
    Some((message, "Repair or remove the file, then run `crawlguard crawl`; nothing accepts it.".to_owned()))
}

const DOCS: &str = "\
## What it does
Reports a table whose files `crawlguard crawl` could not read the last time. It is the only finding of that table.

## Why it matters
The catalog still shows what an earlier crawl saw. Whether the files of today match it is not known, and a build from them would
fail or show wrong values: there is no answer, and the build stops with exit code 2.

## Example
A download was cut off, and `orders/2024-05-02.json` ends in the middle of an object.

## How to resolve
Repair the file, fetch it again or remove it. Then run `crawlguard crawl`, which also clears the mark.

## Known limits
Glue's own crawler leaves no such mark: it skips what it cannot read or calls the table's format unknown.
";
