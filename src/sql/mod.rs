//! Models: Athena SELECTs in sql/, what they read, and how an added column is carried through them.

mod adapt;
mod call;
mod calls;
mod carry;
mod clean;
mod dialect;
mod edit;
mod fields;
mod graph;
mod header;
pub mod ident;
mod lineage;
mod model;
mod outline;
mod outliner;
mod paths;
mod prove;
mod resolve;
mod scope;
mod slot;
mod source;
mod substitute;
mod tables;
mod types;

pub use adapt::{Adaptation, Addition, NotCarried, Substitution, adapt};
pub use call::is_call;
pub use clean::first_model;
pub use dialect::dialect;
pub use fields::{TypeEffect, field_problems};
pub use graph::Graph;
pub use lineage::{Lineage, Reader};
pub use model::{Materialization, Model};
pub use slot::{bind_slot, rename_tables};
pub use source::place;
pub use tables::{TableName, tables};
pub use types::to_dml;
