//! The store port: run records and alerts as readable JSON, written under a condition, and the run lock.

mod fs;
#[cfg(feature = "aws")]
pub mod s3;

use std::hash::{BuildHasher, RandomState};

use async_trait::async_trait;
use jiff::Timestamp;

pub use fs::FsStore;
pub(crate) use fs::write_whole;

use crate::digest::sha256_hex;
use crate::port::PortError;

/// What a write expects to find.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Expect {
    /// Nothing under the key.
    Absent,
    /// The object with this tag.
    Tag(String),
}

/// A stored object and the tag of its content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Object {
    pub bytes: Vec<u8>,
    pub tag: String,
}

/// Held while a run is driven; dropped, or its process dead, it is free.
pub struct Lease(#[expect(dead_code, reason = "held for its Drop")] pub(crate) Box<dyn Send + Sync>);

/// Objects by key (`runs/20260102T030405Z.json`); every write is whole or not at all.
#[async_trait]
pub trait Store: Send + Sync {
    async fn get(&self, key: &str) -> Result<Option<Object>, PortError>;

    /// Writes and returns the new tag; `Conflict` if `expect` does not hold.
    async fn put(&self, key: &str, bytes: &[u8], expect: &Expect) -> Result<String, PortError>;

    /// Keys under a prefix, sorted.
    async fn list(&self, prefix: &str) -> Result<Vec<String>, PortError>;

    /// Removes an object; absent is fine.
    async fn remove(&self, key: &str) -> Result<(), PortError>;

    /// Where an object is, for whoever has to look at it by hand.
    fn place(&self, key: &str) -> String {
        key.to_owned()
    }

    /// Takes the lock; `Conflict` naming the holder if somebody has it.
    async fn lock(&self, holder: &str) -> Result<Lease, PortError>;
}

/// A word that no other call returns, in whatever process.
pub fn nonce() -> String {
    let seed = (std::process::id(), Timestamp::now().as_nanosecond(), RandomState::new().hash_one(0));
    sha256_hex(format!("{seed:?}"))[..16].to_owned()
}
