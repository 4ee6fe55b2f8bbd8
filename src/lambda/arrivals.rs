//! Files that arrived, as S3 tells of them through a queue: the crawler is started, once for all of a batch.
//!
//! Shapes: <https://docs.aws.amazon.com/lambda/latest/dg/with-sqs.html>,
//! <https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html>

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Failure, Shell};
use crate::catalog::glue::crawler;
use crate::cloud::Cloud;
use crate::pipeline;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Message {
    message_id: String,
    body: String,
}

/// Starts the crawler if any file of the batch lies where it crawls. The answer names the messages that are to come again:
/// those that cannot be read, which end as dead letters, and all that are about such files if no crawl can be had.
/// <https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html>
pub async fn take(shell: &Shell, event: &Value) -> Result<Value, Failure> {
    let messages = Vec::<Message>::deserialize(&event["Records"])
        .map_err(|error| Failure::new("UnknownEvent", format!("no messages of a queue: {error}")))?;
    let cloud = Cloud::with(shell.deployed().await?.settings, &shell.config);
    let name = cloud.settings.crawler.clone().ok_or_else(|| {
        let message = format!("target `{}` names no crawler to start when files arrive", shell.target);
        Failure::new("SettingsInvalid", message)
    })?;
    let folders = crawler::folders(&cloud.glue, &name).await?;
    let (mut failed, mut arrived) = (Vec::new(), Vec::new());
    for message in messages {
        match files(&message.body) {
            Ok(files) if is_any_in(&files, &folders) => arrived.push(message.message_id),
            Ok(_) => {}
            Err(why) => {
                tracing::error!(id = message.message_id, why, "message that is not understood");
                failed.push(message.message_id);
            }
        }
    }
    if !arrived.is_empty()
        && let Err(failure) = crawl(shell, &cloud, &name).await
    {
        tracing::error!(kind = failure.kind, why = failure.message, "no crawl for files that arrived");
        failed.extend(arrived);
    }
    let again: Vec<_> = failed.iter().map(|id| json!({"itemIdentifier": id})).collect();
    Ok(json!({"batchItemFailures": again}))
}

/// A crawl that is under way may have passed a file's folder already: then another one is asked for.
async fn crawl(shell: &Shell, cloud: &Cloud, name: &str) -> Result<(), Failure> {
    // Of one width: moments are compared as text.
    let moment = format!("{:.9}", Timestamp::now());
    let began = crawler::start(&cloud.glue, name).await?;
    tracing::info!(crawler = name, began, "files arrived");
    if !began {
        pipeline::ask_for_crawl(&shell.store(), &moment).await?;
    }
    Ok(())
}

/// Starts the crawl that was asked for while another one was under way, if that has ended.
pub async fn crawl_again(shell: &Shell, cloud: &Cloud) -> Result<(), Failure> {
    let store = shell.store();
    let Some(moment) = pipeline::status(&store).await?.crawl else { return Ok(()) };
    let Some(name) = cloud.settings.crawler.as_deref() else { return Ok(()) };
    let began = crawler::start(&cloud.glue, name).await?;
    tracing::info!(crawler = name, began, "files had arrived during a crawl");
    if began {
        pipeline::crawl_began(&store, &moment).await?;
    }
    Ok(())
}

/// `s3://bucket/key` of each new file that a message tells of: S3's own notification, or one that SNS has wrapped.
fn files(body: &str) -> Result<Vec<String>, String> {
    let read = |text: &str| serde_json::from_str::<Value>(text).map_err(|error| error.to_string());
    let mut told = read(body)?;
    if told["Type"] == "Notification" {
        told = read(told["Message"].as_str().unwrap_or_default())?;
    }
    // S3 sends one when a bucket's notifications are set up.
    if told["Event"] == "s3:TestEvent" {
        return Ok(Vec::new());
    }
    let records = told["Records"].as_array().ok_or("it is no notification of S3's")?;
    let is_new = |record: &&Value| record["eventName"].as_str().is_some_and(|name| name.starts_with("ObjectCreated:"));
    records.iter().filter(is_new).map(uri).collect()
}

fn uri(record: &Value) -> Result<String, String> {
    let text = |pointer: &str| record.pointer(pointer).and_then(Value::as_str);
    let (bucket, key) = (text("/s3/bucket/name"), text("/s3/object/key"));
    let (bucket, key) = bucket.zip(key).ok_or("it names no bucket and key")?;
    Ok(format!("s3://{bucket}/{}", unescaped(key)))
}

/// A key as it is: S3 writes it as in a form, `a+b%2Bc` for `a b+c`.
fn unescaped(key: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = key.as_bytes();
    while let [first, after @ ..] = rest {
        rest = after;
        let hex = (*first == b'%').then(|| after.get(..2)).flatten();
        // A sign, which the parser takes, is no digit.
        let hex = hex.filter(|hex| hex.iter().all(u8::is_ascii_hexdigit));
        let byte = hex.and_then(|hex| u8::from_str_radix(std::str::from_utf8(hex).ok()?, 16).ok());
        if byte.is_some() {
            rest = &after[2..];
        }
        bytes.push(byte.unwrap_or(if *first == b'+' { b' ' } else { *first }));
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Files of others are left alone: telling of them again would change nothing.
fn is_any_in(files: &[String], folders: &[String]) -> bool {
    let is_in = |file: &&String| {
        let found = folders.iter().any(|folder| {
            let folder = folder.trim_end_matches('/');
            file.strip_prefix(folder).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        });
        if !found {
            tracing::info!(%file, "it lies where the crawler does not look");
        }
        found
    };
    files.iter().filter(is_in).count() > 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_read_as_s3_writes_them() {
        for (written, key) in [
            ("a+b%2Bc.csv", "a b+c.csv"),
            ("dt%3D2026-01-02/r%C3%A9gion", "dt=2026-01-02/région"),
            ("100%", "100%"),
            ("%+5", "% 5"),
        ] {
            assert_eq!(unescaped(written), key);
        }
    }

    #[test]
    fn a_file_lies_in_a_folder_and_not_beside_it() {
        let folders = ["s3://lake/orders/".to_owned(), "s3://lake/users".to_owned()];
        for (file, expected) in [
            ("s3://lake/orders/1.json", true),
            ("s3://lake/users/2026/1.json", true),
            ("s3://lake/users", true),
            ("s3://lake/users_old/1.json", false),
            ("s3://lake2/orders/1.json", false),
            ("s3://other/orders/1.json", false),
        ] {
            assert_eq!(is_any_in(&[file.to_owned()], &folders), expected, "{file}");
        }
    }
}
