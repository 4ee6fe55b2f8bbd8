//! `crawlguard.toml`.
