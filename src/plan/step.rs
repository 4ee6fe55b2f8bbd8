//! Steps and their order.

use serde::{Deserialize, Serialize};

use crate::checks::{CheckSpec, ColumnType};

/// Everything one run will do, in an order in which it may be done.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    pub run_id: String,
    /// The moment the run stands for, `2026-01-02T03:04:05Z`; the same on every retry.
    pub slot: String,
    pub steps: Vec<Step>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Step {
    /// `build int_operations`, `check raw_source_1`, `publish`.
    pub name: String,
    /// Indices of the steps that must have succeeded before; all smaller than this step's own.
    pub after: Vec<usize>,
    pub action: Action,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// Makes a staging table from a model, whose `file` errors name.
    Build {
        model: String,
        #[serde(default)]
        file: String,
        staging: String,
        select: String,
        partitioned_by: Vec<String>,
        iceberg: bool,
    },
    /// Measures a raw or staging table (`reads`) and judges it under its own name.
    Check {
        table: String,
        reads: String,
        select: String,
        checks: Vec<CheckSpec>,
        /// What a contract promises of a model; of a raw table, that is compared before anything runs.
        #[serde(default)]
        columns: Vec<ColumnType>,
    },
    /// Makes every (table, staging) pair visible: all or none.
    Publish { tables: Vec<(String, String)> },
}
