//! The AWS adapters, and the pipeline on them, over an AWS that is in this process.

mod events;
mod fake;
mod faults;
mod lake;
mod lambda;
mod same_as_local;
mod suites;
