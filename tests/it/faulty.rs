//! Ports that fail from a chosen call on, which took effect or did not: a crash, as the pipeline sees it.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use crawlguard::catalog::{Catalog, CrawlStatus};
use crawlguard::engine::{Engine, QueryId, QueryState, Rows, Statement};
use crawlguard::notify::{Notifier, Rendered};
use crawlguard::plan::Alert;
use crawlguard::port::{PortError, PortErrorKind};
use crawlguard::schema::Table;
use crawlguard::store::{Expect, Lease, Object, Store};

/// Counts calls and blows at the `at`-th (from 0): a dead process makes no call that works.
pub struct Fuse {
    calls: AtomicUsize,
    at: usize,
    /// The call takes effect and its answer is lost.
    after: bool,
}

impl Fuse {
    pub fn new(at: usize, after: bool) -> Self {
        Self { calls: AtomicUsize::new(0), at, after }
    }

    pub fn calls(&self) -> usize {
        self.calls.load(Ordering::SeqCst)
    }

    async fn guard<T>(&self, call: impl Future<Output = Result<T, PortError>>) -> Result<T, PortError> {
        let number = self.calls.fetch_add(1, Ordering::SeqCst);
        let lost = || PortError::new(PortErrorKind::Unavailable, "crash", "the process", "it was killed");
        if number > self.at || number == self.at && !self.after {
            return Err(lost());
        }
        let answer = call.await;
        if number == self.at { Err(lost()) } else { answer }
    }
}

/// A port behind a fuse.
pub struct Faulty<'a, P: ?Sized> {
    pub inner: &'a P,
    pub fuse: &'a Fuse,
}

#[async_trait]
impl Catalog for Faulty<'_, dyn Catalog> {
    async fn tables(&self, prefix: &str) -> Result<Vec<Table>, PortError> {
        self.fuse.guard(self.inner.tables(prefix)).await
    }
    async fn marked(&self, tables: Vec<Table>) -> Result<Vec<Table>, PortError> {
        self.fuse.guard(self.inner.marked(tables)).await
    }
    async fn table(&self, name: &str) -> Result<Option<Table>, PortError> {
        self.fuse.guard(self.inner.table(name)).await
    }
    async fn crawl(&self) -> Result<Option<CrawlStatus>, PortError> {
        self.fuse.guard(self.inner.crawl()).await
    }
    async fn swap(
        &self,
        target: &str,
        staging: &str,
        expected: Option<&str>,
        parameters: &[(String, String)],
    ) -> Result<Table, PortError> {
        self.fuse.guard(self.inner.swap(target, staging, expected, parameters)).await
    }
    async fn versions(&self, name: &str) -> Result<Vec<Table>, PortError> {
        self.fuse.guard(self.inner.versions(name)).await
    }
    async fn restore(&self, name: &str, version: &str, parameters: &[(String, String)]) -> Result<Table, PortError> {
        self.fuse.guard(self.inner.restore(name, version, parameters)).await
    }
    async fn prune(&self, name: &str, keep: usize) -> Result<(), PortError> {
        self.fuse.guard(self.inner.prune(name, keep)).await
    }
    async fn forget(&self, name: &str) -> Result<(), PortError> {
        self.fuse.guard(self.inner.forget(name)).await
    }
}

#[async_trait]
impl Engine for Faulty<'_, dyn Engine> {
    fn refusal(&self, table: &Table) -> Option<String> {
        self.inner.refusal(table)
    }
    fn remembers_tokens(&self) -> bool {
        self.inner.remembers_tokens()
    }
    fn longest_query(&self) -> Duration {
        self.inner.longest_query()
    }
    async fn start(&self, token: &str, statement: &Statement) -> Result<QueryId, PortError> {
        self.fuse.guard(self.inner.start(token, statement)).await
    }
    async fn state(&self, query: &QueryId) -> Result<QueryState, PortError> {
        self.fuse.guard(self.inner.state(query)).await
    }
    async fn wait(&self, queries: &[QueryId]) -> Result<(), PortError> {
        self.fuse.guard(self.inner.wait(queries)).await
    }
    async fn rows(&self, query: &QueryId) -> Result<Rows, PortError> {
        self.fuse.guard(self.inner.rows(query)).await
    }
    fn location(&self, model: &str, run_id: &str, attempt: u32) -> String {
        self.inner.location(model, run_id, attempt)
    }
    async fn locations(&self, model: &str) -> Result<Vec<String>, PortError> {
        self.fuse.guard(self.inner.locations(model)).await
    }
    async fn discard(&self, location: &str) -> Result<(), PortError> {
        self.fuse.guard(self.inner.discard(location)).await
    }
    async fn cancel(&self, query: &QueryId) -> Result<(), PortError> {
        self.fuse.guard(self.inner.cancel(query)).await
    }
}

#[async_trait]
impl Store for Faulty<'_, dyn Store> {
    async fn get(&self, key: &str) -> Result<Option<Object>, PortError> {
        self.fuse.guard(self.inner.get(key)).await
    }
    async fn put(&self, key: &str, bytes: &[u8], expect: &Expect) -> Result<String, PortError> {
        self.fuse.guard(self.inner.put(key, bytes, expect)).await
    }
    async fn list(&self, prefix: &str) -> Result<Vec<String>, PortError> {
        self.fuse.guard(self.inner.list(prefix)).await
    }
    async fn remove(&self, key: &str) -> Result<(), PortError> {
        self.fuse.guard(self.inner.remove(key)).await
    }
    async fn lock(&self, holder: &str) -> Result<Lease, PortError> {
        self.fuse.guard(self.inner.lock(holder)).await
    }
}

#[async_trait]
impl<N: Notifier> Notifier for Faulty<'_, N> {
    async fn send(&self, alert: &Alert, text: &Rendered) -> Result<(), PortError> {
        self.fuse.guard(self.inner.send(alert, text)).await
    }
}
