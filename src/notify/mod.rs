//! The notifier port and the text of an alert.

mod check_templates;
mod filters;
mod headline;
mod outbox;
mod recording;
mod render;
#[cfg(feature = "aws")]
pub mod sns;

use async_trait::async_trait;

pub use check_templates::check_templates;
pub use filters::{masked, wrap};
pub use outbox::{Outbox, key as outbox_key};
pub use recording::RecordingNotifier;
pub use render::{Rendered, render};

use crate::plan::Alert;
use crate::port::PortError;

/// Tells people: the outbox of the local target, or an SNS topic.
#[async_trait]
pub trait Notifier: Send + Sync {
    /// Sends one alert; `text` is what [`render()`] made of it. Sending twice tells people twice, unless the
    /// adapter says otherwise.
    async fn send(&self, alert: &Alert, text: &Rendered) -> Result<(), PortError>;

    /// Whether what went out shows in the [`Outbox`] soon after, so that one in doubt is not sent again at once.
    fn leaves_receipts(&self) -> bool {
        false
    }
}
