//! Alerts kept as files of the store, each written once: what a local target sends, and the receipts of one on AWS.

use async_trait::async_trait;

use super::{Notifier, Rendered};
use crate::plan::Alert;
use crate::port::{PortError, PortErrorKind};
use crate::store::{Expect, Store};

/// `alerts/<run_id>.txt` in a store.
pub struct Outbox<'a> {
    store: &'a dyn Store,
}

impl<'a> Outbox<'a> {
    pub fn new(store: &'a dyn Store) -> Self {
        Self { store }
    }

    /// The alert of a run as it was sent, if it had one.
    pub async fn sent(&self, run_id: &str) -> Result<Option<String>, PortError> {
        let object = self.store.get(&key(run_id)).await?;
        Ok(object.map(|object| String::from_utf8_lossy(&object.bytes).into_owned()))
    }

    /// Keeps the alert of a run; one that is there already stays as it is.
    pub async fn keep(&self, run_id: &str, text: &Rendered) -> Result<(), PortError> {
        match self.store.put(&key(run_id), text.to_string().as_bytes(), &Expect::Absent).await {
            Ok(_) => Ok(()),
            Err(error) if error.kind == PortErrorKind::Conflict => Ok(()),
            Err(error) => Err(error),
        }
    }
}

#[async_trait]
impl Notifier for Outbox<'_> {
    async fn send(&self, alert: &Alert, text: &Rendered) -> Result<(), PortError> {
        self.keep(&alert.run_id, text).await
    }
}

/// Where the alert of a run is kept.
pub fn key(run_id: &str) -> String {
    format!("alerts/{run_id}.txt")
}
