//! Tests of crawl.
