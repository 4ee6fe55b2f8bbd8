//! The suites that run against a real endpoint (`tests/aws_live.rs`), over the fake.

#[path = "../../aws_live/catalog.rs"]
mod catalog;
#[path = "../../aws_live/engine.rs"]
mod engine;
#[path = "../../aws_live/lake.rs"]
mod lake;
#[path = "../../aws_live/store.rs"]
mod store;
#[path = "../../aws_live/topic.rs"]
mod topic;

use aws_config::SdkConfig;

use crate::cloud::fake::FakeAws;
use crate::crawl::catalog_suite;

/// An account of its own for each test.
async fn endpoint() -> SdkConfig {
    FakeAws::new().process().config
}
