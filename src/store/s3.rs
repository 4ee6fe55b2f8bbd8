//! A folder of an S3 bucket as a store. Writes are conditional, so no other service is needed.
//!
//! <https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html>

mod lease;

use std::time::Duration;

use async_trait::async_trait;
use aws_sdk_s3::Client;
use aws_sdk_s3::primitives::ByteStream;

use super::{Expect, Lease, Object, Store};
use crate::aws::{Call, S3Folder, code};
use crate::port::{PortError, PortErrorKind};

/// S3 answers 403 for a missing key to whoever may not list the bucket.
const GET: Call = Call::new("read", "s3:GetObject and s3:ListBucket");
const PUT: Call = Call::new("write", "s3:PutObject and s3:GetObject");
const REMOVE: Call = Call::new("remove", "s3:DeleteObject");
const LIST: Call = Call::new("list", "s3:ListBucket");

/// A dead holder's lock is free after this long; a living one renews it in time.
const LEASE: Duration = Duration::from_secs(60);

/// Objects under one prefix of a bucket.
#[derive(Debug, Clone)]
pub struct S3Store {
    client: Client,
    folder: S3Folder,
    lease: Duration,
}

impl S3Store {
    pub fn new(client: Client, folder: S3Folder) -> Self {
        Self { client, folder, lease: LEASE }
    }

    /// Another time after which a dead holder's lock is free.
    #[must_use]
    pub fn with_lease(self, lease: Duration) -> Self {
        Self { lease, ..self }
    }

    fn key(&self, key: &str) -> String {
        format!("{}{key}", self.folder.prefix)
    }

    fn subject(&self, key: &str) -> String {
        format!("`{}`", self.folder.uri(key))
    }

    async fn write(&self, key: &str, bytes: &[u8], expect: &Expect) -> Result<String, PortError> {
        let put = self.client.put_object().bucket(&self.folder.bucket).key(self.key(key));
        let put = match expect {
            Expect::Absent => put.if_none_match("*"),
            Expect::Tag(tag) => put.if_match(tag),
        };
        match put.body(ByteStream::from(bytes.to_vec())).send().await {
            Ok(answer) => tag(PUT, self.subject(key), answer.e_tag),
            // An object that went away is one that somebody changed.
            Err(error) if code(&error) == Some("NoSuchKey") => {
                Err(PortError { kind: PortErrorKind::Conflict, ..PUT.failed(self.subject(key), error) })
            }
            Err(error) => Err(PUT.failed(self.subject(key), error)),
        }
    }
}

#[async_trait]
impl Store for S3Store {
    async fn get(&self, key: &str) -> Result<Option<Object>, PortError> {
        let answer = match self.client.get_object().bucket(&self.folder.bucket).key(self.key(key)).send().await {
            Ok(answer) => answer,
            Err(error) if code(&error) == Some("NoSuchKey") => return Ok(None),
            Err(error) => return Err(GET.failed(self.subject(key), error)),
        };
        let tag = tag(GET, self.subject(key), answer.e_tag)?;
        let bytes = answer.body.collect().await.map_err(|error| {
            PortError::new(PortErrorKind::Unavailable, GET.operation, self.subject(key), error.to_string())
        })?;
        Ok(Some(Object { bytes: bytes.to_vec(), tag }))
    }

    async fn put(&self, key: &str, bytes: &[u8], expect: &Expect) -> Result<String, PortError> {
        match self.write(key, bytes, expect).await {
            // The answer to a write that took effect may be lost, and the SDK's own retry then meets that write.
            Err(error) if error.kind == PortErrorKind::Conflict => match self.get(key).await? {
                Some(found) if found.bytes == bytes => Ok(found.tag),
                _ => Err(error),
            },
            written => written,
        }
    }

    async fn list(&self, prefix: &str) -> Result<Vec<String>, PortError> {
        let list = self.client.list_objects_v2().bucket(&self.folder.bucket).prefix(self.key(prefix));
        let mut pages = list.into_paginator().send();
        let mut keys = Vec::new();
        while let Some(page) = pages.next().await {
            let page = page.map_err(|error| LIST.failed(self.subject(prefix), error))?;
            let found = page.contents().iter().filter_map(|object| object.key()?.strip_prefix(&self.folder.prefix));
            keys.extend(found.map(str::to_owned));
        }
        keys.sort();
        Ok(keys)
    }

    async fn remove(&self, key: &str) -> Result<(), PortError> {
        let request = self.client.delete_object().bucket(&self.folder.bucket).key(self.key(key));
        request.send().await.map(drop).map_err(|error| REMOVE.failed(self.subject(key), error))
    }

    fn place(&self, key: &str) -> String {
        self.folder.uri(key)
    }

    async fn lock(&self, holder: &str) -> Result<Lease, PortError> {
        lease::take(self, holder).await
    }
}

fn tag(call: Call, subject: String, tag: Option<String>) -> Result<String, PortError> {
    tag.ok_or_else(|| PortError::new(PortErrorKind::Unexpected, call.operation, subject, "the answer has no ETag"))
}
