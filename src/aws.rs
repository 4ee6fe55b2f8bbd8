//! What the AWS adapters share: the configuration of their clients, and what an AWS error means.

mod advice;
mod signed;

use std::error::Error;
use std::time::Duration;

use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, ConfigLoader, Region, SdkConfig};
use aws_sdk_s3::config::http::HttpResponse;
use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};

pub use advice::advice;
pub use signed::{Signed, element, tls};

use crate::port::{PortError, PortErrorKind};

/// Longer than any call here takes, shorter than a Lambda's patience.
const CALL: Duration = Duration::from_secs(120);
const SILENCE: Duration = Duration::from_secs(30);

/// The clients' configuration: the SDK's default chain (environment, profiles, SSO, instance roles, `AWS_ENDPOINT_URL`),
/// its adaptive retries, and no call without an end.
pub async fn config(region: Option<&str>, profile: Option<&str>) -> SdkConfig {
    let mut loader = loader(RetryConfig::adaptive());
    if let Some(region) = region {
        loader = loader.region(Region::new(region.to_owned()));
    }
    if let Some(profile) = profile {
        loader = loader.profile_name(profile);
    }
    loader.load().await
}

/// The configuration inside a Lambda, whose environment says all. An invocation is too short to learn a rate from, so the
/// retries are the SDK's standard ones.
pub async fn config_for_lambda() -> SdkConfig {
    loader(RetryConfig::standard()).load().await
}

fn loader(retries: RetryConfig) -> ConfigLoader {
    let timeouts = TimeoutConfig::builder().read_timeout(SILENCE).operation_timeout(CALL).build();
    aws_config::defaults(BehaviorVersion::latest()).retry_config(retries).timeout_config(timeouts)
}

/// S3's client. An endpoint that is not AWS's knows no bucket by its host name, so the bucket goes into the path there.
pub fn s3(config: &SdkConfig) -> aws_sdk_s3::Client {
    let own_endpoint = config.endpoint_url().is_some() || std::env::var_os("AWS_ENDPOINT_URL_S3").is_some();
    let config = aws_sdk_s3::config::Builder::from(config).force_path_style(own_endpoint).build();
    aws_sdk_s3::Client::from_conf(config)
}

/// A folder of a bucket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct S3Folder {
    pub bucket: String,
    /// Empty, or ends with a slash.
    pub prefix: String,
}

impl S3Folder {
    /// Reads `s3://bucket/prefix/`; the last slash may be missing.
    pub fn parse(uri: &str) -> Option<Self> {
        let (bucket, prefix) = uri.strip_prefix("s3://")?.split_once('/').unwrap_or((&uri["s3://".len()..], ""));
        let slash = if prefix.is_empty() || prefix.ends_with('/') { "" } else { "/" };
        (!bucket.is_empty()).then(|| Self { bucket: bucket.into(), prefix: format!("{prefix}{slash}") })
    }

    /// `s3://bucket/prefix/key`.
    pub fn uri(&self, key: &str) -> String {
        format!("s3://{}/{}{key}", self.bucket, self.prefix)
    }
}

/// One kind of call, as its errors name it.
#[derive(Debug, Clone, Copy)]
pub struct Call {
    /// `read table`, `start query`, …
    pub operation: &'static str,
    /// The IAM action it needs: `glue:GetTable`.
    pub permission: &'static str,
}

impl Call {
    pub const fn new(operation: &'static str, permission: &'static str) -> Self {
        Self { operation, permission }
    }

    /// What went wrong with this call on `subject`.
    pub fn failed<E>(self, subject: impl Into<String>, error: SdkError<E, HttpResponse>) -> PortError
    where
        E: ProvideErrorMetadata + Error + Send + Sync + 'static,
    {
        let (kind, message) = match &error {
            SdkError::ServiceError(answer) => {
                let (code, status) = (answer.err().code().unwrap_or_default(), answer.raw().status().as_u16());
                match code {
                    "" if status < 300 => {
                        (PortErrorKind::Unexpected, format!("the answer cannot be read: {}", causes(&error)))
                    }
                    _ => (kind(code, status), said(code, status, answer.err().message())),
                }
            }
            SdkError::TimeoutError(_) => (PortErrorKind::Timeout, format!("no answer within {} s", CALL.as_secs())),
            SdkError::DispatchFailure(failure) if failure.is_timeout() => (PortErrorKind::Timeout, causes(&error)),
            _ => without_an_answer(causes(&error)),
        };
        let message = match (advice(&message), kind) {
            (Some(advice), _) => format!("{}; {advice}", message.trim_end_matches('.')),
            (None, PortErrorKind::Denied) => {
                format!("{message}; it needs credentials that allow `{}`", self.permission)
            }
            (None, _) => message,
        };
        PortError { kind, operation: self.operation, subject: subject.into(), message, source: Some(Box::new(error)) }
    }

    /// An answer that cannot be used.
    pub fn invalid(self, subject: impl Into<String>, message: impl Into<String>) -> PortError {
        PortError::new(PortErrorKind::Invalid, self.operation, subject, message)
    }
}

/// The error's code, if AWS answered with one.
pub fn code<E: ProvideErrorMetadata>(error: &SdkError<E, HttpResponse>) -> Option<&str> {
    error.as_service_error()?.code()
}

/// What an error code and an HTTP status mean. The code counts first: Glue and Athena answer most errors with 400.
pub fn kind(code: &str, status: u16) -> PortErrorKind {
    const BY_CODE: [(PortErrorKind, &[&str]); 7] = [
        (
            PortErrorKind::Throttled,
            &["Throttl", "TooManyRequests", "SlowDown", "RequestLimitExceeded", "RequestThrottled", "KMSThrottling"],
        ),
        (
            PortErrorKind::Denied,
            &[
                "AccessDenied",
                "AuthorizationError",
                "ExpiredToken",
                "InvalidAccessKeyId",
                "InvalidClientTokenId",
                "InvalidSignature",
                "InvalidToken",
                "KMSAccessDenied",
                "MissingAuthenticationToken",
                "NotAuthorized",
                "OptInRequired",
                "PermissionType",
                "RequestExpired",
                "SignatureDoesNotMatch",
                "UnrecognizedClient",
            ],
        ),
        (PortErrorKind::NotFound, &["EntityNotFound", "NoSuch", "NotFound", "ResourceNotFound"]),
        (
            PortErrorKind::Conflict,
            &["AlreadyExists", "ConcurrentModification", "ConditionalRequestConflict", "PreconditionFailed"],
        ),
        (
            PortErrorKind::Invalid,
            &[
                "AuthorizationHeaderMalformed",
                "InvalidInput",
                "InvalidParameter",
                "InvalidRequest",
                "PermanentRedirect",
                "ResourceNumberLimitExceeded",
                "Validation",
            ],
        ),
        (PortErrorKind::Timeout, &["OperationTimeout", "RequestTimeout"]),
        (PortErrorKind::Unavailable, &["InternalError", "InternalFailure", "InternalServ", "ServiceUnavailable"]),
    ];
    let named = |names: &[&str]| !code.is_empty() && names.iter().any(|name| code.starts_with(name));
    // RequestTimeTooSkewed starts like a timeout and is a refused signature.
    if code == "RequestTimeTooSkewed" {
        return PortErrorKind::Denied;
    }
    BY_CODE.iter().find(|(_, names)| named(names)).map_or_else(|| kind_of_status(status), |(kind, _)| *kind)
}

fn kind_of_status(status: u16) -> PortErrorKind {
    match status {
        401 | 403 => PortErrorKind::Denied,
        404 => PortErrorKind::NotFound,
        408 | 504 => PortErrorKind::Timeout,
        409 | 412 => PortErrorKind::Conflict,
        429 => PortErrorKind::Throttled,
        300..=499 => PortErrorKind::Invalid,
        500..=599 => PortErrorKind::Unavailable,
        _ => PortErrorKind::Unexpected,
    }
}

fn said(code: &str, status: u16, message: Option<&str>) -> String {
    let code = if code.is_empty() { format!("HTTP {status}") } else { code.to_owned() };
    match message.map(str::trim).filter(|message| !message.is_empty()) {
        Some(message) => format!("{code}: {message}"),
        None => code,
    }
}

/// Nothing was sent, or nothing readable came back. Credentials that cannot be had look like a broken connection.
fn without_an_answer(message: String) -> (PortErrorKind, String) {
    // What follows is every place where the SDK looked, a line each.
    let message = message.split(". Attempted:").next().unwrap_or_default().to_owned();
    let kind = if message.contains("credential") || message.contains("token") {
        PortErrorKind::Denied
    } else if message.contains("region") {
        PortErrorKind::Invalid
    } else {
        PortErrorKind::Unavailable
    };
    (kind, message)
}

/// The error and its causes on one line, without those that say nothing.
fn causes(error: &dyn Error) -> String {
    const EMPTY: [&str; 4] = ["dispatch failure", "other", "io error", "the credential provider was not enabled"];
    let mut messages = Vec::new();
    let mut next = Some(error);
    while let Some(error) = next {
        messages.push(error.to_string());
        next = error.source();
    }
    messages.dedup();
    // The innermost says most, where none says anything.
    let innermost = messages.last().cloned().unwrap_or_default();
    messages.retain(|message| !EMPTY.contains(&message.as_str()));
    if messages.is_empty() { innermost } else { messages.join(": ") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("{0}")]
    struct Said(&'static str, #[source] Option<Box<Said>>);

    #[test]
    fn credentials_that_no_provider_has_are_no_broken_connection() {
        let chain = |words: [&'static str; 2]| Said(words[0], Some(Box::new(Said(words[1], None))));
        let absent = without_an_answer(causes(&chain(["dispatch failure", "the credential provider was not enabled"])));
        assert_eq!(absent, (PortErrorKind::Denied, "the credential provider was not enabled".to_owned()));
        let unheard = without_an_answer(causes(&chain(["dispatch failure", "tcp connect error"])));
        assert_eq!(unheard, (PortErrorKind::Unavailable, "tcp connect error".to_owned()));
    }
}
