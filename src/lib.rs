//! crawlguard stands between a Glue crawl and the nightly build.
//!
//! Read the modules in this order; each imports only those above it.
//!
//! *Pure core*, no I/O, clock, environment or async:
//! [`digest`], [`problem`], [`schema`], [`sql`], [`checks`], [`contract`], [`drift`], [`plan`].
//!
//! *Ports*, a trait and its adapters side by side: [`catalog`], [`engine`], [`notify`], [`store`].
//!
//! *Pipeline*, which walks a plan over the ports: [`pipeline`]. *Shells*: [`cli`].

pub mod digest;
pub mod problem;
pub mod schema;
pub mod sql;
pub mod checks;
pub mod contract;
pub mod drift;
pub mod plan;

pub mod port;
#[cfg(feature = "aws")]
pub mod aws;
pub mod catalog;
pub mod engine;
pub mod notify;
pub mod store;

pub mod config;
#[cfg(feature = "aws")]
pub mod cloud;
pub mod pipeline;
pub mod report;
pub mod cli;
#[cfg(feature = "aws")]
pub mod lambda;
pub mod sample;
