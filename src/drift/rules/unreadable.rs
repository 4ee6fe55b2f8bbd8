use super::words::{accept, after, before, subject};
use crate::drift::{AcceptedBy, Advice, Change, ChangeKind, Level, Rule};

pub static RULE: Rule = Rule {
    id: "unreadable",
    summary: "A type or SerDe is not known to this program.",
    docs: DOCS,
    level_read: Level::Unknown,
    level_unread: Level::Unknown,
    accepted_by: AcceptedBy::OfTable,
    detect,
};

fn detect(change: &Change) -> Option<(String, Advice)> {
    let ChangeKind::Unreadable = change.kind else {
        return None;
    };
    let message = match change.before.is_none() && !change.path.is_empty() {
        true => format!(
            "{} was added as {}, a type that is not known here, so the values cannot be judged.",
            subject(change),
            after(change)
        ),
        false => format!(
            "{} changed from {} to {}; one of the two is not known here, so the values cannot be judged.",
            subject(change),
            before(change),
            after(change)
        ),
    };
    // A contract may hold a SerDe that is not known, and no such type.
    let advice = match change.path.is_empty() {
        true => accept(change, "Use a documented SerDe"),
        false => Advice::mend("Use a documented Glue type; no contract can hold this one"),
    };
    Some((message, advice))
}

const DOCS: &str = "\
## What it does
Reports a type spelling or SerDe that this program cannot read and that is not the one the contract holds, of an added column or
field, too.

## Why it matters
What is not understood is not waved through: there is no answer, and the build stops with exit code 2.

## Example
`amount` becomes `uniontype<int,string>`.

## How to resolve
Correct the type or SerDe in the catalog. If the SerDe is meant, run `crawlguard contracts update raw_orders`: the same spelling
is then no difference, but any other change of that table stays unknown. A type that is not known no contract can hold.

## Known limits
Even a correct type that is not in Athena's list is not known here.
";
