//! One integration binary; a module an area.

mod alerts;
#[cfg(feature = "aws")]
mod aws;
mod checks;
#[cfg(all(feature = "aws", feature = "embedded"))]
mod cloud;
mod cli;
mod compare;
mod contract;
mod crawl;
mod deploy;
mod drift;
mod engine;
mod models;
mod pipeline;
mod plan;
mod report;
mod sql;
mod tidy;
mod faulty;
mod support;
