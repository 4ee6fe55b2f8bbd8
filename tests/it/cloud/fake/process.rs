//! A process that calls the account: its SDK configuration, and how it dies.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_s3::config::http::HttpRequest;
use aws_sdk_s3::config::retry::RetryConfig;
use aws_sdk_s3::config::{
    Credentials, HttpClient, RuntimeComponents, SharedCredentialsProvider, StalledStreamProtectionConfig,
};
use aws_smithy_runtime_api::client::http::{
    HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::ConnectorError;
use tokio::sync::Notify;

use super::clock::Clock;
use super::wire::Request;
use super::{FakeAws, FaultKind, REGION};

/// One process. Its clients are configured as the program's are, but for time, and for who answers.
pub struct Process {
    pub config: SdkConfig,
    life: Arc<Life>,
    wire: Wire,
}

#[derive(Debug, Default)]
struct Life {
    is_over: AtomicBool,
    end: Notify,
}

impl Process {
    pub fn new(aws: FakeAws) -> Self {
        let life = Arc::new(Life::default());
        let wire = Wire { aws, life: Arc::clone(&life) };
        let credentials = Credentials::new("AKIDEXAMPLE", "secret", None, None, "test");
        let config = SdkConfig::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new(REGION))
            .credentials_provider(SharedCredentialsProvider::new(credentials))
            .retry_config(RetryConfig::adaptive())
            .sleep_impl(Clock)
            .time_source(Clock)
            .stalled_stream_protection(StalledStreamProtectionConfig::disabled())
            .http_client(wire.clone())
            .build();
        Self { config, life, wire }
    }

    /// The way out of calls that use no SDK.
    pub fn connector(&self) -> SharedHttpConnector {
        SharedHttpConnector::new(self.wire.clone())
    }

    /// What the process does; `None` if it dies before the end.
    pub async fn run<T>(&self, work: impl Future<Output = T>) -> Option<T> {
        tokio::select! {
            biased;
            () = self.life.end.notified() => None,
            done = work => (!self.life.is_over.load(Ordering::SeqCst)).then_some(done),
        }
    }
}

/// The way from a process to the account.
#[derive(Debug, Clone)]
struct Wire {
    aws: FakeAws,
    life: Arc<Life>,
}

impl HttpClient for Wire {
    fn http_connector(&self, _: &HttpConnectorSettings, _: &RuntimeComponents) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}

impl HttpConnector for Wire {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        if self.life.is_over.load(Ordering::SeqCst) {
            return HttpConnectorFuture::ready(Err(dead()));
        }
        let request = Request::read(&request);
        let fault = self.aws.account().calls.note(&request);
        match fault {
            None => HttpConnectorFuture::ready(Ok(self.answer(&request))),
            Some(FaultKind::CrashBefore) => self.die(),
            Some(FaultKind::CrashAfter) => {
                self.answer(&request);
                self.die()
            }
            Some(FaultKind::AnswerLost | FaultKind::EveryAnswerLost) => {
                self.answer(&request);
                HttpConnectorFuture::ready(Err(ConnectorError::io("connection reset by peer".into())))
            }
            Some(FaultKind::Silence) => HttpConnectorFuture::new(std::future::pending()),
            Some(kind) => {
                let refusal = kind.refusal(request.service).expect("every other fault is the service's");
                HttpConnectorFuture::ready(Ok(refusal.answer(request.service).into_http()))
            }
        }
    }
}

impl Wire {
    fn answer(&self, request: &Request) -> HttpResponse {
        self.aws.account().answer(request).into_http()
    }

    /// The process is dropped before it hears this answer. Only a thread of its own still does, as it winds up.
    fn die(&self) -> HttpConnectorFuture {
        self.life.is_over.store(true, Ordering::SeqCst);
        self.life.end.notify_one();
        HttpConnectorFuture::new(async {
            tokio::task::yield_now().await;
            Err(dead())
        })
    }
}

fn dead() -> ConnectorError {
    ConnectorError::user("the process is dead".into())
}
