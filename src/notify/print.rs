//! Alerts written as text, for the local target.

use std::io::Write;
use std::sync::{Mutex, PoisonError};

use async_trait::async_trait;

use super::{Notifier, Rendered};
use crate::plan::Alert;
use crate::port::{PortError, PortErrorKind};

/// Appends every alert to a writer, as the mail would read.
pub struct PrintNotifier {
    writer: Mutex<Box<dyn Write + Send>>,
}

impl PrintNotifier {
    pub fn new(writer: Box<dyn Write + Send>) -> Self {
        Self { writer: Mutex::new(writer) }
    }
}

#[async_trait]
impl Notifier for PrintNotifier {
    async fn send(&self, alert: &Alert, text: &Rendered) -> Result<(), PortError> {
        let mut writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        write!(writer, "{text}").and_then(|()| writer.flush()).map_err(|error| {
            let subject = format!("of run `{}`", alert.run_id);
            let mut failed = PortError::new(PortErrorKind::Unavailable, "print alert", subject, error.to_string());
            failed.source = Some(Box::new(error));
            failed
        })
    }
}
