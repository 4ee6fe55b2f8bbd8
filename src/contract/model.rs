//! What a contract says, in the program's own terms.

use std::collections::BTreeMap;

use crate::checks::CheckSpec;
use crate::schema::Table;

/// What is promised of one table.
#[derive(Debug, Clone, PartialEq)]
pub struct Contract {
    /// The document's file, for messages.
    pub file: String,
    pub id: String,
    /// The promised schema. For [`Origin::Model`] only names and types count; storage is empty.
    pub table: Table,
    pub origin: Origin,
    pub policy: Policy,
    pub checks: Vec<CheckSpec>,
}

impl Contract {
    /// True if a crawler makes the table and the source is not retired: what it shows must be what is promised.
    pub fn is_guarded(&self) -> bool {
        self.origin == Origin::Crawler && !self.table.deprecated
    }

    /// False if its source is retired: then nothing of it is compared or checked.
    pub fn is_in_force(&self) -> bool {
        !self.table.deprecated
    }

    /// True if a model makes the table.
    pub fn is_of_model(&self) -> bool {
        self.origin == Origin::Model
    }
}

/// Who makes the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// A crawler: it can drift.
    Crawler,
    /// A model in sql/: the contract holds its checks.
    Model,
}

/// What may happen to a table without stopping the build: rule id → tolerance, for the whole table or one column.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Policy {
    /// Rule id → what to do, from the document's `customProperties` (`crawlguard.policy`).
    pub rules: BTreeMap<String, Tolerance>,
    /// Column name → rule id → what to do; wins over `rules`.
    pub columns: BTreeMap<String, BTreeMap<String, Tolerance>>,
    /// Columns whose type is pinned: a widening is cast back to the contract's type.
    pub pinned: Vec<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tolerance {
    Tolerate,
    Break,
}
