use super::words::{before, quoted, sides};
use crate::drift::{AcceptedBy, Advice, Change, ChangeKind, Decode, Level, Rule};

pub static RULE: Rule = Rule {
    id: "headers-differ",
    summary: "Files of a table read by position have different headers.",
    docs: DOCS,
    level_read: Level::Breaking,
    level_unread: Level::Breaking,
    accepted_by: AcceptedBy::Never,
    detect,
};

fn detect(change: &Change) -> Option<(String, Advice)> {
    let ChangeKind::HeadersDiffer = change.kind else {
        return None;
    };
    if change.before.is_none() {
        let message = format!(
            "Files of {} have rows of another length than the newest: {}; what stands behind the last column is read by no one.",
            quoted(&change.table),
            sides(change).1
        );
        let help = "Rewrite or move files so that all have the same columns, then run `crawlguard crawl`; nothing accepts it. If \
                    they have, the crawler misread them: say in a custom CSV classifier how they are read (`Delimiter`, \
                    `QuoteSymbol`; in crawlguard.toml, `delimiter`, `quote` of the source's classifier)";
        return Some((message, Advice::mend(help)));
    }
    let effect = match change.decode {
        Decode::Unknown => "which column a value belongs to is not known",
        Decode::Safe => "by position the values are where they are looked for, if a column only has a new name",
        Decode::Unsafe => "the files are read by position, so one column's values are taken for another's",
    };
    let message = format!(
        "Files of {} have another header than the table, which has {}: {}; {effect}.",
        quoted(&change.table),
        before(change),
        sides(change).1
    );
    if change.decode == Decode::Safe {
        let help = "If columns only have new names, say `headers-differ: tolerate` in the policy of the table's contract; \
                    else rewrite or move files so that all have one header. Then run `crawlguard run`";
        return Some((message, Advice::mend(help)));
    }
    let help = "Rewrite or move files so that all have one header, then run `crawlguard run`; nothing accepts it. If they \
                have, the crawler misread them: say in a custom CSV classifier how they are read (`ContainsHeader`, \
                `Delimiter`, `QuoteSymbol`; in crawlguard.toml, `header`, `delimiter`, `quote` of the source's classifier)";
    Some((message, Advice::mend(help)))
}

const DOCS: &str = "\
## What it does
Reports files of a CSV table whose header is neither the table's columns nor the beginning of them. It looks at the catalog's
columns alone, so it is reported also where contract and catalog agree. Without headers it looks at the number of cells.

## Why it matters
The table has one list of columns, and every file is read by position. In a file with another header, one column's values come
back under another's name, or a type does not fit. No query fails where both are text.

## Example
`2024-04.csv` has `id,amount,channel` and `2024-05.csv` has `id,channel,amount`: amounts of one are read as channels.

## How to resolve
Rewrite the files that differ with the table's header, or move them to a table of their own; then run `crawlguard run`, which
looks again. On AWS `crawlguard check` does so too, without a crawl.

Where no name stands in another's place (`id,amount,channel` and `id,total,channel`), a column may only have a new name, and by
position its values are where they are looked for. If you know that it has, write `headers-differ: tolerate` into the
`crawlguard.policy` of the table's contract: then `crawlguard contracts update raw_orders --rename amount=total` is accepted
while older files have the older name. A name in another's place stays breaking whatever the policy says. On AWS,
`header_files = 1` in the target looks at the newest file alone, and `header_files = 0` at none.

## Known limits
`crawlguard crawl` looks at every file. On AWS, Glue's crawler records no headers, so those of the newest files are read
(`header_files` of the target), where `skip.header.line.count` says that there is one. A new column at the end is no finding:
older rows show NULL. Nor is one that the catalog does not know yet. Where a classifier names the columns (`Header`), no file has
the table's header: set `header_files = 0`.
";
