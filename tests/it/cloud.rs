//! The AWS adapters, and the pipeline on them, over an AWS that is in this process.

mod arrivals;
mod bad_input;
mod calls;
mod cleanup;
mod ends;
mod events;
mod fake;
mod faults;
mod headers;
mod lake;
mod lambda;
mod laptop;
mod lock;
mod provenance;
mod receipts;
mod refusals;
mod rollback;
mod same_as_local;
mod suites;
