//! S3: objects, conditional writes, listings. Strongly consistent, as S3 is; every version is kept.

use std::collections::{BTreeMap, BTreeSet};
use std::hash::{DefaultHasher, Hasher};
use std::sync::Arc;

use super::wire::{Answer, Refusal, Request, elements, escape, page};

/// Objects that one DeleteObjects takes, and keys that one page of a listing holds.
const A_CALL: usize = 1000;

type Result = std::result::Result<Answer, Refusal>;

/// All versions of an object, oldest first; `None` is a deletion.
type Versions = Vec<Option<Arc<[u8]>>>;

#[derive(Debug, Clone, Default)]
pub struct S3 {
    buckets: BTreeMap<String, BTreeMap<String, Versions>>,
    /// Every write's `bucket/key`, oldest first: what tells which object is newer.
    writes: Vec<String>,
    /// `bucket/key` of objects that nobody may delete.
    pub kept: BTreeSet<String>,
}

impl S3 {
    pub fn create_bucket(&mut self, name: &str) {
        self.buckets.entry(name.into()).or_default();
    }

    /// Writes `s3://bucket/key`, as somebody who asks nobody.
    pub fn put(&mut self, uri: &str, bytes: &[u8]) {
        let (bucket, key) = split(uri);
        self.writes.push(path(bucket, key));
        let bucket = self.buckets.get_mut(bucket).expect("a bucket of the account");
        bucket.entry(key.into()).or_default().push(Some(bytes.into()));
    }

    /// Removes an object, as somebody who asks nobody.
    pub fn remove(&mut self, uri: &str) {
        let (bucket, key) = split(uri);
        let bucket = self.buckets.get_mut(bucket).expect("a bucket of the account");
        bucket.get_mut(key).expect("an object of the bucket").push(None);
    }

    pub fn get(&self, uri: &str) -> Option<Arc<[u8]>> {
        let (bucket, key) = split(uri);
        self.buckets.get(bucket)?.get(key)?.last()?.clone()
    }

    /// All objects that are there, by bucket and key.
    pub fn all(&self) -> Vec<(String, Arc<[u8]>)> {
        self.buckets.keys().flat_map(|bucket| self.list(&format!("s3://{bucket}/"))).collect()
    }

    /// The objects at or under `s3://bucket/prefix`, by URI.
    pub fn list(&self, uri: &str) -> Vec<(String, Arc<[u8]>)> {
        let (bucket, prefix) = split(uri);
        let objects = self.buckets.get(bucket).map(|objects| living(objects, prefix)).unwrap_or_default();
        objects.into_iter().map(|(key, bytes)| (format!("s3://{bucket}/{key}"), bytes)).collect()
    }

    pub fn handle(&mut self, request: &Request) -> Result {
        if request.action == "CreateBucket" {
            self.create_bucket(&request.bucket);
            return Ok(Answer::xml(""));
        }
        let no_bucket = || Refusal::new(404, "NoSuchBucket", "The specified bucket does not exist");
        let objects = self.buckets.get_mut(&request.bucket).ok_or_else(no_bucket)?;
        match request.action.as_str() {
            "GetObject" => get(objects, request),
            "HeadObject" => get(objects, request).map(|answer| Answer { body: Vec::new(), ..answer }),
            "PutObject" => put(objects, request).inspect(|_| self.writes.push(path(&request.bucket, &request.key))),
            "DeleteObject" => delete(objects, request),
            "DeleteObjects" => delete_many(objects, request, &self.kept),
            "ListObjectsV2" => Ok(list(objects, request, &self.writes)),
            other => panic!("the fake's S3 has no {other}"),
        }
    }
}

fn path(bucket: &str, key: &str) -> String {
    format!("{bucket}/{key}")
}

fn split(uri: &str) -> (&str, &str) {
    let path = uri.strip_prefix("s3://").unwrap_or_else(|| panic!("`{uri}` is in no bucket"));
    path.split_once('/').unwrap_or((path, ""))
}

fn living(objects: &BTreeMap<String, Versions>, prefix: &str) -> Vec<(String, Arc<[u8]>)> {
    let under = objects.range(prefix.to_owned()..).take_while(|(key, _)| key.starts_with(prefix));
    under.filter_map(|(key, versions)| Some((key.clone(), versions.last()?.clone()?))).collect()
}

fn current(objects: &BTreeMap<String, Versions>, key: &str) -> Option<Arc<[u8]>> {
    objects.get(key)?.last()?.clone()
}

/// The same for the same bytes; what it is made from is S3's business.
fn tag(bytes: &[u8]) -> String {
    let mut hasher = DefaultHasher::new();
    hasher.write(bytes);
    format!("\"{:032x}\"", hasher.finish())
}

fn no_key() -> Refusal {
    Refusal::new(404, "NoSuchKey", "The specified key does not exist.")
}

fn failed_condition() -> Refusal {
    Refusal::new(412, "PreconditionFailed", "At least one of the pre-conditions you specified did not hold")
}

/// `If-Match` on a write: the object must be there, and be this one.
fn expect_tag(current: Option<&[u8]>, wanted: &str) -> std::result::Result<(), Refusal> {
    match current {
        _ if wanted.is_empty() => Ok(()),
        None => Err(no_key()),
        Some(bytes) if wanted == "*" || tag(bytes) == wanted => Ok(()),
        Some(_) => Err(failed_condition()),
    }
}

fn get(objects: &BTreeMap<String, Versions>, request: &Request) -> Result {
    let bytes = current(objects, &request.key).ok_or_else(no_key)?;
    let mut answer = Answer { status: 200, headers: vec![("etag", tag(&bytes))], body: bytes.to_vec() };
    if let Some(range) = request.header("range").strip_prefix("bytes=") {
        let last = bytes.len().saturating_sub(1);
        let (from, to) = range.split_once('-').expect("a range");
        let number = |text: &str| text.parse::<usize>().expect("a position");
        let (from, to) = match (from, to) {
            ("", length) => (bytes.len().saturating_sub(number(length)), last),
            (from, "") => (number(from), last),
            (from, to) => (number(from), number(to).min(last)),
        };
        if from >= bytes.len() || from > to {
            return Err(Refusal::new(416, "InvalidRange", "The requested range is not satisfiable"));
        }
        answer.status = 206;
        answer.body = bytes[from..=to].to_vec();
        answer.headers.push(("content-range", format!("bytes {from}-{to}/{}", bytes.len())));
    }
    answer.headers.push(("content-length", answer.body.len().to_string()));
    Ok(answer)
}

fn put(objects: &mut BTreeMap<String, Versions>, request: &Request) -> Result {
    let before = current(objects, &request.key);
    match request.header("if-none-match") {
        "" => {}
        "*" if before.is_none() => {}
        "*" => return Err(failed_condition()),
        _ => return Err(Refusal::new(501, "NotImplemented", "A header you provided implies functionality …")),
    }
    expect_tag(before.as_deref(), request.header("if-match"))?;
    objects.entry(request.key.clone()).or_default().push(Some(request.body.as_slice().into()));
    Ok(Answer { status: 200, headers: vec![("etag", tag(&request.body))], body: Vec::new() })
}

fn delete(objects: &mut BTreeMap<String, Versions>, request: &Request) -> Result {
    let before = current(objects, &request.key);
    expect_tag(before.as_deref(), request.header("if-match"))?;
    if before.is_some() {
        objects.entry(request.key.clone()).or_default().push(None);
    }
    Ok(Answer { status: 204, ..Answer::default() })
}

fn delete_many(objects: &mut BTreeMap<String, Versions>, request: &Request, kept: &BTreeSet<String>) -> Result {
    let keys = elements(std::str::from_utf8(&request.body).expect("XML"), "Key");
    if keys.is_empty() || keys.len() > A_CALL {
        return Err(Refusal::new(400, "MalformedXML", "The XML you provided was not well-formed"));
    }
    let mut errors = String::new();
    for key in keys {
        if kept.contains(&path(&request.bucket, &key)) {
            let key = escape(&key);
            errors +=
                &format!("<Error><Key>{key}</Key><Code>AccessDenied</Code><Message>Access Denied</Message></Error>");
        } else if current(objects, &key).is_some() {
            objects.entry(key).or_default().push(None);
        }
    }
    Ok(Answer::xml(format!("<DeleteResult>{errors}</DeleteResult>")))
}

/// A key, or the folder that stands for all keys in it.
#[derive(Clone, PartialEq)]
enum Listed {
    Key(String, String, usize),
    Folder(String),
}

/// When the object was written last: in seconds, one a write.
fn modified(writes: &[String], path: &str) -> String {
    let seconds = writes.iter().rposition(|write| write == path).expect("what is there was written");
    let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    format!("2026-01-{:02}T{:02}:{minutes:02}:{seconds:02}.000Z", 2 + hours / 24, hours % 24)
}

fn list(objects: &BTreeMap<String, Versions>, request: &Request, writes: &[String]) -> Answer {
    let (prefix, delimiter) = (request.field("prefix"), request.field("delimiter"));
    let mut listed: Vec<Listed> = Vec::new();
    for (key, bytes) in living(objects, prefix) {
        let rest = &key[prefix.len()..];
        let folder = (!delimiter.is_empty()).then(|| rest.find(delimiter)).flatten();
        let one = match folder {
            Some(at) => Listed::Folder(format!("{prefix}{}", &rest[..at + delimiter.len()])),
            None => Listed::Key(key, tag(&bytes), bytes.len()),
        };
        if listed.last() != Some(&one) {
            listed.push(one);
        }
    }
    let size = request.field("max-keys").parse().unwrap_or(A_CALL).min(A_CALL);
    let (found, next) = page(&listed, request.field("continuation-token"), size);
    let mut xml = format!(
        "<ListBucketResult><Prefix>{}</Prefix><KeyCount>{}</KeyCount><IsTruncated>{}</IsTruncated>",
        escape(prefix),
        found.len(),
        next.is_some()
    );
    for one in &found {
        xml += &match one {
            Listed::Key(key, tag, size) => format!(
                "<Contents><Key>{}</Key><LastModified>{}</LastModified><ETag>{}</ETag><Size>{size}</Size></Contents>",
                escape(key),
                modified(writes, &path(&request.bucket, key)),
                escape(tag)
            ),
            Listed::Folder(folder) => {
                format!("<CommonPrefixes><Prefix>{}</Prefix></CommonPrefixes>", escape(folder))
            }
        };
    }
    xml += &next.map(|next| format!("<NextContinuationToken>{next}</NextContinuationToken>")).unwrap_or_default();
    Answer::xml(xml + "</ListBucketResult>")
}
