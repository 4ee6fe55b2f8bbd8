use super::words::{accept, after, before};
use crate::drift::{AcceptedBy, Advice, Change, Level, Rule};

/// Claims nothing itself: [`word`] speaks for what every other rule left.
pub static RULE: Rule = Rule {
    id: "unclassified-change",
    summary: "A change that no rule claims.",
    docs: DOCS,
    level_read: Level::Breaking,
    level_unread: Level::Breaking,
    accepted_by: AcceptedBy::Update,
    detect: |_| None,
};

pub(in crate::drift) fn word(change: &Change) -> (String, Advice) {
    let message = format!(
        "`{}` changed from {} to {} in a way that no rule claims; what it means downstream is not known.",
        if change.path.is_empty() { &change.table } else { &change.path },
        before(change),
        after(change)
    );
    (message, accept(change, "Report this as a bug"))
}

const DOCS: &str = "\
## What it does
Reports a fact that no other rule claims. It is built in: a fact can go unclaimed only by a mistake in this program.

## Why it matters
What is not classified must not pass. A gap in the rules stops the build and does not wave a change through.

## Example
None is known: a test holds that every kind of fact is claimed by exactly one rule.

## How to resolve
Report it as a bug. To go on meanwhile, look at both sides and run `crawlguard contracts update raw_orders`.

## Known limits
It can say what changed, and not what that means.
";
