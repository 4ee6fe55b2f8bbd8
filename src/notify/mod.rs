//! The notifier port and the text of an alert.

mod outbox;
mod render;

use async_trait::async_trait;

pub use outbox::Outbox;
pub use render::{Rendered, render};

use crate::plan::Alert;
use crate::port::PortError;

/// Sends an alert to people.
#[async_trait]
pub trait Notifier: Send + Sync {
    async fn send(&self, alert: &Alert, text: &Rendered) -> Result<(), PortError>;
}
