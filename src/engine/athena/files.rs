//! The folders that builds have written to, listed and emptied.

use aws_sdk_s3::Client;
use aws_sdk_s3::types::{Delete, ObjectIdentifier};

use crate::aws::{Call, S3Folder};
use crate::port::{PortError, PortErrorKind};

const LIST: Call = Call::new("list builds", "s3:ListBucket");
const DELETE: Call = Call::new("remove build", "s3:DeleteObject");

/// The builds of `model` under the warehouse.
pub async fn folders(client: &Client, warehouse: &S3Folder, model: &str) -> Result<Vec<String>, PortError> {
    let folder = format!("{}{model}/", warehouse.prefix);
    let request = client.list_objects_v2().bucket(&warehouse.bucket).prefix(&folder).delimiter("/");
    let mut pages = request.into_paginator().send();
    let mut found = Vec::new();
    while let Some(page) = pages.next().await {
        let page = page.map_err(|error| LIST.failed(format!("`s3://{}/{folder}`", warehouse.bucket), error))?;
        let prefixes = page.common_prefixes().iter().filter_map(|prefix| prefix.prefix());
        found.extend(prefixes.map(|prefix| format!("s3://{}/{prefix}", warehouse.bucket)));
    }
    found.sort();
    Ok(found)
}

/// Removes every object of one build, and of nothing that is not one.
pub async fn discard(
    client: &Client,
    warehouse: &S3Folder,
    location: &str,
    is_build: fn(&str) -> bool,
) -> Result<(), PortError> {
    let subject = format!("`{location}`");
    let Some(build) = location.strip_prefix(&warehouse.uri("")).filter(|build| is_build(build)) else {
        let message = format!("it is no build under `{}`", warehouse.uri(""));
        return Err(DELETE.invalid(subject, message));
    };
    let prefix = format!("{}{build}", warehouse.prefix);
    let request = client.list_objects_v2().bucket(&warehouse.bucket).prefix(prefix);
    let mut pages = request.into_paginator().send();
    while let Some(page) = pages.next().await {
        let page = page.map_err(|error| LIST.failed(&subject, error))?;
        let keys: Vec<String> = page.contents().iter().filter_map(|object| object.key().map(str::to_owned)).collect();
        if !keys.is_empty() {
            remove(client, &warehouse.bucket, keys, &subject).await?;
        }
    }
    Ok(())
}

/// `model/run_attempt/`: exactly two folders, so that no model's whole folder can be meant.
pub fn is_build(path: &str) -> bool {
    let parts: Vec<&str> = path.split('/').collect();
    matches!(parts.as_slice(), [model, build, ""] if !model.is_empty() && !build.is_empty())
}

/// `tables/<query id>/`: where a workgroup that enforces its output location puts a build.
/// <https://docs.aws.amazon.com/athena/latest/ug/ctas-considerations-limitations.html>
pub fn is_enforced_build(path: &str) -> bool {
    let is_id = |id: &str| id.len() == 36 && id.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-');
    let parts: Vec<&str> = path.split('/').collect();
    matches!(parts.as_slice(), ["tables", query, ""] if is_id(query))
}

/// One page of a listing is what one DeleteObjects takes.
async fn remove(client: &Client, bucket: &str, keys: Vec<String>, subject: &str) -> Result<(), PortError> {
    let objects: Result<Vec<_>, _> = keys.into_iter().map(|key| ObjectIdentifier::builder().key(key).build()).collect();
    let delete = objects.and_then(|objects| Delete::builder().set_objects(Some(objects)).quiet(true).build());
    let delete = delete.map_err(|error| DELETE.invalid(subject, error.to_string()))?;
    let answer = client.delete_objects().bucket(bucket).delete(delete).send().await;
    let answer = answer.map_err(|error| DELETE.failed(subject, error))?;
    match answer.errors() {
        [] => Ok(()),
        [error, ..] => {
            let code = error.code().unwrap_or_default();
            let message = format!("{code}: {}", error.message().unwrap_or("no reason given"));
            let kind = if code.is_empty() { PortErrorKind::Unexpected } else { crate::aws::kind(code, 500) };
            Err(PortError::new(
                kind,
                DELETE.operation,
                format!("`s3://{bucket}/{}`", error.key().unwrap_or("?")),
                message,
            ))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_one_builds_folder_is_a_build() {
        let id = "01234567-0123-4123-8123-0123456789ab";
        assert!(is_enforced_build(&format!("tables/{id}/")));
        for path in [
            "",
            "tables/",
            "tables//",
            &format!("tables/{id}"),
            &format!("{id}/"),
            &format!("x/tables/{id}/"),
            &format!("tables/{id}/a/"),
            "tables/not-a-query/",
        ] {
            assert!(!is_enforced_build(path), "{path}");
        }
        assert!(is_build("fact/20260102T030405Z_1/"));
        for path in ["", "/", "fact/", "fact//", "/x/", "fact/x", "fact/x/y/"] {
            assert!(!is_build(path), "{path}");
        }
    }
}
