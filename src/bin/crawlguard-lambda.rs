//! The Lambda function.

use crawlguard::lambda::{Failure, Shell, handle};
use lambda_runtime::{Diagnostic, LambdaEvent, run, service_fn};
use serde_json::Value;

/// A failure with its own name: the error type that Lambda reports.
#[derive(Debug)]
struct Named(Failure);

impl From<Named> for Diagnostic {
    fn from(Named(failure): Named) -> Self {
        Self { error_type: failure.kind.into(), error_message: failure.message }
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    let filter =
        tracing_subscriber::EnvFilter::try_from_env("CRAWLGUARD_LOG").unwrap_or_else(|_| "crawlguard=info".into());
    tracing_subscriber::fmt().json().with_env_filter(filter).without_time().init();
    // A setting that is missing fails each invocation by name, rather than the start of the process without one.
    let shell = Shell::from_environment().await;
    let invoked = async |LambdaEvent { payload, context }: LambdaEvent<Value>| {
        handle(&shell, &payload, &context.invoked_function_arn).await.map_err(Named)
    };
    run(service_fn(invoked)).await
}
