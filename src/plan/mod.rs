//! The plan as a value: what `plan` prints is what `run` walks.

mod alert;

pub use alert::{Alert, AlertKind};
