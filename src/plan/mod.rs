//! The plan as a value: what `plan` prints is what `run` walks.

mod alert;
mod build;
mod explain;
mod step;

pub use alert::{Alert, AlertKind, Told, UNASKED, asking};
pub use build::{Inputs, STAGING_PREFIX, build, run_id, run_of_staging, slot, slot_of};
pub use explain::explain;
pub use step::{Action, Plan, Step};
