//! Alerts kept in memory, for tests.

use std::sync::{Mutex, PoisonError};

use async_trait::async_trait;

use super::{Notifier, Rendered};
use crate::plan::Alert;
use crate::port::PortError;

/// Keeps what was sent, in order.
#[derive(Debug, Default)]
pub struct RecordingNotifier {
    sent: Mutex<Vec<(Alert, Rendered)>>,
}

impl RecordingNotifier {
    pub fn new() -> Self {
        Self::default()
    }

    /// What was sent so far.
    pub fn sent(&self) -> Vec<(Alert, Rendered)> {
        self.sent.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

#[async_trait]
impl Notifier for RecordingNotifier {
    async fn send(&self, alert: &Alert, text: &Rendered) -> Result<(), PortError> {
        self.sent.lock().unwrap_or_else(PoisonError::into_inner).push((alert.clone(), text.clone()));
        Ok(())
    }
}
