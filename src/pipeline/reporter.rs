//! Progress of a run, for whoever watches.

/// Progress of a run, as it happens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Event<'a> {
    Started { step: &'a str },
    Finished { step: &'a str, rows: u64, millis: u64 },
    Failed { step: &'a str, message: &'a str },
}

/// Hears of progress; must not influence it.
pub trait Reporter: Send + Sync {
    fn event(&self, event: &Event<'_>);
}

/// Hears nothing.
pub struct Quiet;

impl Reporter for Quiet {
    fn event(&self, _event: &Event<'_>) {}
}
