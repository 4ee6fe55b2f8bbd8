//! Tests of drift: every rule on every case, the laws of the registry, AWS's grid, policy and readers.

pub mod cases;
mod fixtures;
mod judgement;
pub mod lake;
mod laws;
mod properties;
mod types;

use crawlguard::contract::Contract;
use crawlguard::drift::{Change, Finding, diff, judge};
use crawlguard::schema::Table;

fn changes(promised: &Table, catalog: &[Table]) -> Vec<Change> {
    diff(&[lake::contract(promised)], catalog)
}

fn findings(promised: &Table, catalog: &[Table]) -> Vec<Finding> {
    let contracts: [Contract; 1] = [lake::contract(promised)];
    judge(&diff(&contracts, catalog), &contracts, None)
}
