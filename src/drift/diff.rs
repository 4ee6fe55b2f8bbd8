use super::Change;
use crate::contract::Contract;
use crate::schema::Table;

/// Every fact in which the catalog differs from the contracts, in a fixed order. `catalog` holds the tables of the
/// guarded prefix; `contracts` those of [`crate::contract::Origin::Crawler`]. Missing, new and stray sibling tables included.
pub fn diff(_contracts: &[Contract], _catalog: &[Table]) -> Vec<Change> {
    todo!()
}
