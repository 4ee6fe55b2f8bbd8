use super::words::{accept, after, before, name};
use crate::drift::{AcceptedBy, Advice, Change, ChangeKind, Level, Rule};

pub static RULE: Rule = Rule {
    id: "partition-key-changed",
    summary: "Partition keys were added, removed, retyped or reordered.",
    docs: DOCS,
    level_read: Level::Breaking,
    level_unread: Level::Breaking,
    accepted_by: AcceptedBy::Update,
    detect,
};

fn detect(change: &Change) -> Option<(String, Advice)> {
    let what = match change.kind {
        ChangeKind::PartitionKeyAdded => format!("Partition key {} ({}) was added", name(change), after(change)),
        ChangeKind::PartitionKeyRemoved => format!("Partition key {} ({}) was removed", name(change), before(change)),
        ChangeKind::PartitionKeyReordered => {
            format!("The partition keys changed order from {} to {}", before(change), after(change))
        }
        ChangeKind::PartitionKeyRetyped => {
            format!("Partition key {} changed from {} to {}", name(change), before(change), after(change))
        }
        _ => return None,
    };
    let message =
        format!("{what}; the folders are laid out otherwise than promised, and filters on the keys miss rows.");
    Some((message, accept(change, "Restore the folder layout of the prefix")))
}

const DOCS: &str = "\
## What it does
Reports partition keys that differ from the contract's in number, name, type or order.

## Why it matters
Partition keys come from folders, not from files. When they change, folders have moved: registered partitions point elsewhere,
and a filter finds too little without an error.

## Example
A folder level without `key=value` appears and the crawler adds `partition_0`.

## How to resolve
Restore the layout, or move the old folders to the new one, crawl, and run `crawlguard contracts update raw_orders`.

## Known limits
Partitions themselves are not listed; only the table's keys are compared.
";
