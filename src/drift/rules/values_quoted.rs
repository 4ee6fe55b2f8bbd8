use super::words::{accept, after, quoted};
use crate::drift::{AcceptedBy, Advice, Change, ChangeKind, Level, Rule};

pub static RULE: Rule = Rule {
    id: "values-quoted",
    summary: "Values of a CSV table stand in quotes, as none did, and keep them.",
    docs: DOCS,
    level_read: Level::Breaking,
    level_unread: Level::Tolerated,
    accepted_by: AcceptedBy::Update,
    detect,
};

fn detect(change: &Change) -> Option<(String, Advice)> {
    let ChangeKind::ValuesQuoted = change.kind else {
        return None;
    };
    let message = format!(
        "Values of {} stand in quotes since {}: its LazySimpleSerDe takes them for a part of the value, so what was `S1` is `\"S1\"`.",
        quoted(&change.table),
        after(change)
    );
    let undo = match &change.advice {
        Some(settings) => format!("Have the file written without quotes; or {settings}\n  and crawl again"),
        None => "Have the file written without quotes; or have a custom CSV classifier (`Serde` OpenCSVSerDe, `QuoteSymbol`, \
                 `ContainsHeader`) read it in a new crawler, and crawl again"
            .to_owned(),
    };
    Some((message, accept(change, &undo)))
}

const DOCS: &str = "\
## What it does
Reports a table read by LazySimpleSerDe in which values stand in quotes, where the contract knows of none.

## Why it matters
LazySimpleSerDe knows no quotes: they become a part of the value. No column changes its name or type and no query fails, but
keys no longer join, and nothing is equal to what it was.

## Example
An export that wrote `S1,Ann` writes `\"S1\",\"Ann\"` from today on.

## How to resolve
Have the file written as before, or read the source by OpenCSVSerDe, which makes text of all its columns. If the models take
the quotes off themselves, as `replace(name, '\"', '')` does, run `crawlguard contracts update raw_orders`.

## Known limits
On AWS the first 64 KiB of the newest files are looked at. Quotes that go away again are not reported, nor any that a table had
when its contract was written: `crawlguard crawl` notes those.
";
