use super::words::sides;
use crate::drift::{AcceptedBy, Advice, Change, ChangeKind, Level, Rule};

pub static RULE: Rule = Rule {
    id: "files-unreadable",
    summary: "What the catalog says of the table is in doubt, its files being unreadable or another's.",
    docs: DOCS,
    level_read: Level::Unknown,
    level_unread: Level::Unknown,
    accepted_by: AcceptedBy::Never,
    detect,
};

fn detect(change: &Change) -> Option<(String, Advice)> {
    let ChangeKind::FilesUnreadable = change.kind else {
        return None;
    };
    let (_, why) = sides(change);
    let why = why.lines().map(str::trim).collect::<Vec<_>>().join("; ");
    let message = format!(
        "Whether the files of `{}` are what the catalog says is not known: {}.",
        change.table,
        why.trim_end_matches('.')
    );
    let then = "run `crawlguard run`, which looks again; nothing accepts it";
    let mend = match change.advice.as_deref() {
        // Lines to paste stay whole.
        Some(advice) if advice.contains('\n') => format!("{advice}\n  Then {then}"),
        Some(advice) => format!("{advice}, then {then}"),
        None => format!("mend what it names, then {then}"),
    };
    Some((message, Advice::mend(mend)))
}

const DOCS: &str = "\
## What it does
Reports a table of which the catalog may not tell the truth. It is the only finding of that table. Either
- its files could not be read the last time: by `crawlguard crawl`, whether or not it has a contract yet, or, on AWS, those whose
  header is looked at (no right to read them, archived, cut off, too many to find the newest; a cell in quotes that its SerDe,
  which knows none, divides or reads as NULL), or
- it is a view among the crawled tables, or a link to another catalog's table, or
- it was last written by another crawler than the target's.

## Why it matters
The catalog still shows what an earlier crawl, or somebody else, wrote. Whether the files of today match it is not known, and a
build from them would fail or show wrong values: there is no answer, and the build stops with exit code 2.

## Example
A download was cut off, and `orders/2024-05-02.json` ends in the middle of an object.

## How to resolve
Repair the file, fetch it again or remove it; give the right that the message names; or mend the setting. Then run
`crawlguard run`, which looks again: on this machine it crawls, on AWS it reads the headers, as `crawlguard check` does.

## Known limits
Glue's own crawler leaves no such mark: it skips what it cannot read or calls the table's format unknown. On AWS only the first
16 KiB of the newest CSV files are looked at; for quotes 64 KiB.
";
