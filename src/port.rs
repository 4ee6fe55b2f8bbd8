//! What every port's errors look like, and how several of its calls are made.

use std::error::Error;

use futures_util::{StreamExt, stream};

/// Calls that are under way at the same time: more would only meet AWS's throttling sooner.
const AT_ONCE: usize = 16;

/// The answers to calls that do not need each other's, in their order.
pub async fn at_once<F: Future>(calls: impl IntoIterator<Item = F>) -> Vec<F::Output> {
    let calls: Vec<F> = calls.into_iter().collect();
    stream::iter(calls).buffered(AT_ONCE).collect().await
}

/// A port could not do what was asked. Adapters classify; they never retry.
#[derive(Debug, thiserror::Error)]
#[error("{operation} {subject}: {message}")]
pub struct PortError {
    pub kind: PortErrorKind,
    /// `read table`, `start query`, …
    pub operation: &'static str,
    /// In backticks where it is a name: `` `raw_orders` ``.
    pub subject: String,
    pub message: String,
    #[source]
    pub source: Option<Box<dyn Error + Send + Sync>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PortErrorKind {
    NotFound,
    Denied,
    Throttled,
    Timeout,
    /// Somebody else changed it first.
    Conflict,
    /// The request or the stored thing is wrong; the same call fails again.
    Invalid,
    Unavailable,
    Unexpected,
}

impl PortErrorKind {
    /// It stays until somebody does something about it.
    pub fn is_lasting(self) -> bool {
        matches!(self, Self::Denied | Self::NotFound | Self::Invalid)
    }
}

impl PortError {
    pub fn new(
        kind: PortErrorKind,
        operation: &'static str,
        subject: impl Into<String>,
        message: impl Into<String>,
    ) -> Self {
        Self { kind, operation, subject: subject.into(), message: message.into(), source: None }
    }

    /// An I/O error at a path, with the usual causes (full disk, read-only folder) named.
    pub fn io(operation: &'static str, path: &std::path::Path, error: std::io::Error) -> Self {
        use std::io::ErrorKind;
        let kind = match error.kind() {
            ErrorKind::NotFound => PortErrorKind::NotFound,
            ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => PortErrorKind::Denied,
            ErrorKind::StorageFull | ErrorKind::QuotaExceeded => PortErrorKind::Unavailable,
            _ => PortErrorKind::Unexpected,
        };
        // The path that a temporary file's error names is ours; the subject says which file was meant.
        let message = error.to_string();
        let message = message.split(" at path ").next().unwrap_or_default().to_owned();
        Self { kind, operation, subject: format!("`{}`", path.display()), message, source: Some(Box::new(error)) }
    }

    /// Whether the call may have taken effect, although no good answer came.
    pub fn may_have_taken_effect(&self) -> bool {
        matches!(self.kind, PortErrorKind::Timeout | PortErrorKind::Unavailable | PortErrorKind::Unexpected)
    }

    /// What to do about it, where the kind alone says so.
    pub fn help(&self) -> &'static str {
        let source = self.source.as_deref().and_then(|source| source.downcast_ref::<std::io::Error>());
        source.map_or("", |source| io_help(source.kind()))
    }
}

/// What to do about an I/O error, where its kind alone says so.
pub fn io_help(kind: std::io::ErrorKind) -> &'static str {
    use std::io::ErrorKind;
    match kind {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => "Free some space, then run it again.",
        ErrorKind::ReadOnlyFilesystem => "Mount it writable, or put `state` on a disk that is.",
        ErrorKind::PermissionDenied => "Give yourself the right to it, or set another path in crawlguard.toml.",
        ErrorKind::NotADirectory | ErrorKind::AlreadyExists => "A file stands where a folder is needed: move it away.",
        _ => "",
    }
}
