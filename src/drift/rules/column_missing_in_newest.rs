use super::words::{accept, before, by_bytes, name, quoted};
use crate::drift::{AcceptedBy, Advice, Change, ChangeKind, Level, Rule};

pub static RULE: Rule = Rule {
    id: "column-missing-in-newest",
    summary: "Older files have a promised column or field, and one of the newest has not.",
    docs: DOCS,
    level_read: Level::Breaking,
    level_unread: Level::Tolerated,
    accepted_by: AcceptedBy::OfColumn,
    detect,
};

fn detect(change: &Change) -> Option<(String, Advice)> {
    let ChangeKind::ColumnMissingInNewest = change.kind else {
        return None;
    };
    if change.path.is_empty() {
        let message = format!("Which columns the newest file of {} lacks cannot be read.", quoted(&change.table));
        return Some((message, Advice::mend("Run `crawlguard crawl` to record it anew")));
    }
    let in_part = change.after.is_some();
    let null = if in_part { "there it reads NULL" } else { "from there on it reads NULL" };
    let effect = by_bytes(change, null, "the values after it may show under wrong names");
    let column = format!("{} ({})", name(change), before(change));
    let lost = match change.file.as_deref().map(quoted) {
        Some(file) if in_part => format!("{file} no longer has {column}, though others of the newest files have"),
        Some(file) => format!("{file} no longer has {column}, nor has any newer file"),
        None if in_part => format!("Some of the newest files no longer have {column}"),
        None => format!("The newest file no longer has {column}"),
    };
    let message = format!("{lost}; {effect}.");
    Some((message, accept(change, "Restore it at its source")))
}

const DOCS: &str = "\
## What it does
Reports a promised column or nested field that older files of the table have and one of the newest files has not. The newest are
all files of the newest day that the paths tell, else one file; docs/crawling.md says which.

## Why it matters
Where a new file lies beside older ones, the catalog holds the union of both: a column that was renamed stays, and looks as if
only the new name had been added. From the newest file on the old one reads NULL, and no query fails.

## Example
`orders/1.json` has `amount`, `orders/2.json` has `total`: the catalog says `amount, total`.

## How to resolve
Have the producer write the column again. If it was renamed, the help says what it may be called now. Older files have the old
name, so `--rename` cannot take the two for one: run `crawlguard contracts update raw_orders`, which promises the new name and
records that the newest files lack the old one, and before the next run read both in the models: `coalesce(total, amount)`. Where
a key or a rule asks for the column's values, help and update name it: mend that or loosen it before the next run. Once the files
have it again, `column-back-in-newest` says so: accept that too, or the next loss is no finding.

## Known limits
Only `crawlguard crawl` records it; Glue's crawler does not. A CSV table has the columns of its newest file: what that one lacks
is a removal, and only what others of the newest files end without is recorded. What was accepted is a path, not a file: of two
feeds in one table, one may lose what the other was known to lack. A key that is optional by nature comes and goes: tolerate the
rule in the column's policy.
";
