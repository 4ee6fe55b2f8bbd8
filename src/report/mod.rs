//! What people see: progress lines and human text. Nothing here decides.

pub mod human;
pub mod progress;
