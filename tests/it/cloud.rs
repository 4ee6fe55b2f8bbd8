//! The AWS adapters, and the pipeline on them, over an AWS that is in this process.

mod cleanup;
mod events;
mod fake;
mod faults;
mod headers;
mod lake;
mod lambda;
mod same_as_local;
mod suites;
