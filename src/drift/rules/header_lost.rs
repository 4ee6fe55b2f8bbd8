use super::words::{accept, after, before};
use crate::drift::{AcceptedBy, Advice, Change, ChangeKind, Level, Rule};

pub static RULE: Rule = Rule {
    id: "header-lost",
    summary: "Every column lost its name to `col0`, `col1`, …, or to a row of data.",
    docs: DOCS,
    level_read: Level::Breaking,
    level_unread: Level::Breaking,
    accepted_by: AcceptedBy::Update,
    detect,
};

fn detect(change: &Change) -> Option<(String, Advice)> {
    let ChangeKind::HeaderLost = change.kind else {
        return None;
    };
    let lost = format!("Every column of `{}` lost its name", change.table);
    if change.after.is_none() {
        let message = format!(
            "{lost}: what reads like a row of data stands in the place of the header {}; it is skipped, and no model finds \
             its columns.",
            before(change)
        );
        return Some((message, accept(change, "Restore the header row")));
    }
    let message = format!(
        "{lost}: {} became {}; the crawler found no header, so its line counts as data and no model finds its columns.",
        before(change),
        after(change)
    );
    let undo = match &change.advice {
        Some(settings) => format!("Restore the header row; or, if it is there, {settings}\n  and crawl again"),
        None => "Restore the header row; or, if it is there, give the crawler a custom CSV classifier with \
                 `ContainsHeader=PRESENT` (in crawlguard.toml, `header = \"present\"` of the source's classifier) and crawl \
                 again"
            .to_owned(),
    };
    Some((message, accept(change, &undo)))
}

const DOCS: &str = "\
## What it does
Reports a table whose columns are all called `col0`, `col1`, … where the contract knows other names; and a CSV table that has
none of the promised names, and one that reads like a value: it begins with no letter, is longer than 64 characters, or has signs
that are rare in names. What stands there is not printed, since findings leave in alerts.

## Why it matters
Glue's CSV classifier sees a header only if some column is not text. When the last such column turns into text, or the header
really is gone, all names change at once and a header line becomes a row. Where a classifier says that there is a header and it is
gone, a row becomes the header and is skipped.

## Example
`id, amount` becomes `col0, col1` after one alphanumeric id arrived.

## How to resolve
Use a custom classifier (on AWS `ContainsHeader=PRESENT`, `Header`, `QuoteSymbol`; on this machine the lines of `crawlguard.toml`
that the finding names), or have the producer write the header again; crawl, then check again.

## Known limits
Only the names are looked at: a row of mere words reads like a header, and its words are named as columns. A file whose header
really reads `col0, col1` is reported the first time and accepted with `crawlguard contracts update raw_orders`.
";
