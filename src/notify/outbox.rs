//! Alerts kept as files of the store: each is written once, however often a run is resumed.

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
}

#[async_trait]
impl Notifier for Outbox<'_> {
    async fn send(&self, alert: &Alert, text: &Rendered) -> Result<(), PortError> {
        let key = format!("alerts/{}.txt", alert.run_id);
        let mail = format!("Subject: {}\n\n{}", text.subject, text.body);
        match self.store.put(&key, mail.as_bytes(), &Expect::Absent).await {
            Ok(_) => Ok(()),
            Err(error) if error.kind == PortErrorKind::Conflict => Ok(()),
            Err(error) => Err(error),
        }
    }
}
