//! The AWS adapters against a real endpoint: `AWS_ENDPOINT_URL=… cargo test --features live --test aws_live`.
//!
//! It makes a database, a bucket and a topic of its own. Without an endpoint it fails: it must not write to an account.

#[path = "aws_live/catalog.rs"]
mod catalog;
#[path = "it/crawl/catalog_suite.rs"]
mod catalog_suite;
#[path = "aws_live/engine.rs"]
mod engine;
#[path = "aws_live/lake.rs"]
mod lake;
#[path = "aws_live/store.rs"]
mod store;
#[path = "aws_live/topic.rs"]
mod topic;
#[path = "aws_live/tour.rs"]
mod tour;

use aws_config::SdkConfig;
use aws_config::profile::ProfileFileCredentialsProvider;
use aws_sdk_glue::config::SharedCredentialsProvider;
use crawlguard::aws;
use crawlguard::catalog::Catalog;
use crawlguard::catalog::glue::GlueCatalog;
use crawlguard::port::PortErrorKind;
use lake::Lake;

/// The endpoint that the environment names.
async fn endpoint() -> SdkConfig {
    assert!(
        std::env::var_os("AWS_ENDPOINT_URL").is_some(),
        "set AWS_ENDPOINT_URL, AWS_REGION, AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY of a test endpoint"
    );
    aws::config(None, None).await
}

#[tokio::test(flavor = "multi_thread")]
async fn absent_credentials_are_no_broken_connection() {
    let lake = Lake::new("credentials").await;
    let profile = ProfileFileCredentialsProvider::builder().profile_name("no_such_profile").build();
    let config = lake.config.to_builder().credentials_provider(SharedCredentialsProvider::new(profile)).build();
    let error = GlueCatalog::new(aws_sdk_glue::Client::new(&config), &lake.name).tables("").await.unwrap_err();
    assert_eq!(error.kind, PortErrorKind::Denied, "{error}");
    assert!(error.to_string().contains("aws sso login"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_listening_is_no_answer() {
    let lake = Lake::new("nobody").await;
    let config = aws_sdk_glue::config::Builder::from(&lake.config).endpoint_url("http://127.0.0.1:1").build();
    let catalog = GlueCatalog::new(aws_sdk_glue::Client::from_conf(config), &lake.name);
    let error = catalog.tables("").await.unwrap_err();
    assert_eq!(error.kind, PortErrorKind::Unavailable, "{error}");
    assert!(aws::config(Some("eu-west-1"), None).await.region().is_some_and(|region| region.as_ref() == "eu-west-1"));
}
