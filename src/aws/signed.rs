//! Reads of services whose SDKs are not built in: signed as the SDKs sign, and no more than a handful.

use std::time::SystemTime;

use aws_config::SdkConfig;
use aws_sdk_sts::config::ProvideCredentials;
use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningSettings, sign};
use aws_sigv4::sign::v4;
use aws_smithy_http_client::Connector;
use aws_smithy_http_client::tls::{Provider, rustls_provider::CryptoMode};
use aws_smithy_runtime_api::client::http::{HttpConnector, SharedHttpConnector};
use aws_smithy_runtime_api::client::identity::Identity;
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use serde_json::Value;

use super::{Call, SILENCE, kind, said};
use crate::port::{PortError, PortErrorKind};

/// Who calls, where.
#[derive(Debug, Clone)]
pub struct Signed {
    config: SdkConfig,
    /// The way out; made for each call unless it is given.
    connector: Option<SharedHttpConnector>,
}

/// One request, before it is signed.
struct Plain<'a> {
    method: &'static str,
    path: &'a str,
    headers: Vec<(&'static str, &'a str)>,
    body: String,
}

impl Signed {
    pub fn new(config: &SdkConfig) -> Self {
        Self { config: config.clone(), connector: None }
    }

    /// The same, by a way out of the caller's.
    pub fn via(self, connector: SharedHttpConnector) -> Self {
        Self { connector: Some(connector), ..self }
    }

    /// A GET that answers with JSON, as Lambda's calls do.
    pub async fn get(&self, call: Call, subject: &str, path: &str) -> Result<Value, PortError> {
        let plain = Plain { method: "GET", path, headers: Vec::new(), body: String::new() };
        self.json(call, subject, plain).await
    }

    /// AWS JSON: the operation is named by a header, `AWSEvents.ListRules`.
    pub async fn post(&self, call: Call, subject: &str, target: &str, body: &Value) -> Result<Value, PortError> {
        let headers = vec![("content-type", "application/x-amz-json-1.1"), ("x-amz-target", target)];
        self.json(call, subject, Plain { method: "POST", path: "/", headers, body: body.to_string() }).await
    }

    /// The query protocol: a form, answered with XML.
    pub async fn query(&self, call: Call, subject: &str, form: &str) -> Result<String, PortError> {
        let headers = vec![("content-type", "application/x-www-form-urlencoded")];
        self.send(call, subject, Plain { method: "POST", path: "/", headers, body: form.to_owned() }).await
    }

    async fn json(&self, call: Call, subject: &str, plain: Plain<'_>) -> Result<Value, PortError> {
        let text = self.send(call, subject, plain).await?;
        serde_json::from_str(&text).map_err(|error| call.invalid(subject, format!("the answer is no JSON: {error}")))
    }

    async fn send(&self, call: Call, subject: &str, plain: Plain<'_>) -> Result<String, PortError> {
        let failed = |kind, message: String| PortError::new(kind, call.operation, subject, message);
        let service = call.permission.split(':').next().unwrap_or_default();
        let request = self.signed(service, plain).await.map_err(|why| failed(PortErrorKind::Denied, why))?;
        let connector = self.connector.clone().unwrap_or_else(|| SharedHttpConnector::new(tls()));
        let sent = tokio::time::timeout(SILENCE, connector.call(request)).await;
        let response = sent.map_err(|_| failed(PortErrorKind::Timeout, format!("no answer within {SILENCE:?}")))?;
        let response = response.map_err(|error| failed(PortErrorKind::Unavailable, error.to_string()))?;
        let status = response.status().as_u16();
        let named = response.headers().get("x-amzn-errortype").unwrap_or_default().to_owned();
        let body = aws_sdk_s3::primitives::ByteStream::new(response.into_body()).collect().await;
        let body = body.map_err(|error| failed(PortErrorKind::Unavailable, error.to_string()))?.to_vec();
        let text = String::from_utf8_lossy(&body).into_owned();
        if (200..300).contains(&status) {
            return Ok(text);
        }
        let (code, message) = refusal(&named, &text);
        let (kind, mut message) = (kind(&code, status), said(&code, status, Some(&message)));
        if kind == PortErrorKind::Denied {
            message = format!("{message}; it needs credentials that allow `{}`", call.permission);
        }
        Err(failed(kind, message))
    }

    async fn signed(&self, service: &str, plain: Plain<'_>) -> Result<HttpRequest, String> {
        let region = self.config.region().ok_or("no region is set")?.to_string();
        let provider = self.config.credentials_provider().ok_or("no credentials are set")?;
        let identity: Identity = provider.provide_credentials().await.map_err(|error| error.to_string())?.into();
        let host = host(service);
        let url = format!("{}{}", self.endpoint(service, host, &region), plain.path);
        let params = v4::SigningParams::builder()
            .identity(&identity)
            .region(&region)
            .name(host)
            .time(SystemTime::now())
            .settings(SigningSettings::default())
            .build()
            .map_err(|error| error.to_string())?
            .into();
        let body = SignableBody::Bytes(plain.body.as_bytes());
        let signable = SignableRequest::new(plain.method, &url, plain.headers.iter().copied(), body);
        let signature = signable.and_then(|it| sign(it, &params)).map_err(|error| error.to_string())?;
        let (instructions, _) = signature.into_parts();
        let mut request = HttpRequest::new(plain.body.clone().into());
        request.set_method(plain.method).map_err(|error| error.to_string())?;
        request.set_uri(url.as_str()).map_err(|error| error.to_string())?;
        for (name, value) in &plain.headers {
            request.headers_mut().insert(*name, (*value).to_owned());
        }
        for (name, value) in instructions.headers() {
            request.headers_mut().insert(name.to_owned(), value.to_owned());
        }
        Ok(request)
    }

    /// <https://docs.aws.amazon.com/general/latest/gr/rande.html>
    fn endpoint(&self, service: &str, host: &str, region: &str) -> String {
        let own = std::env::var(format!("AWS_ENDPOINT_URL_{}", service.to_uppercase())).ok();
        let own = own.or_else(|| self.config.endpoint_url().map(str::to_owned));
        let suffix = if region.starts_with("cn-") { ".cn" } else { "" };
        own.map_or_else(
            || format!("https://{host}.{region}.amazonaws.com{suffix}"),
            |url| url.trim_end_matches('/').to_owned(),
        )
    }
}

/// What a service is called by in its address and in signatures, if it is not how permissions name it.
fn host(service: &str) -> &str {
    if service == "cloudwatch" { "monitoring" } else { service }
}

/// The way out of programs that use no SDK for it.
pub fn tls() -> Connector {
    Connector::builder().tls_provider(Provider::Rustls(CryptoMode::AwsLc)).build()
}

/// Code and message of an error, as a header, JSON or XML tells them.
fn refusal(header: &str, text: &str) -> (String, String) {
    let json: Value = serde_json::from_str(text).unwrap_or_default();
    let field = |names: [&str; 2]| names.iter().find_map(|name| json[*name].as_str()).unwrap_or_default().to_owned();
    let code = [header.to_owned(), field(["__type", "Type"]), element(text, "Code").unwrap_or_default().to_owned()];
    let code = code.into_iter().find(|code| !code.is_empty()).unwrap_or_default();
    // `namespace#Code:http://…` is `Code`.
    let code = code.split(':').next().unwrap_or_default().rsplit('#').next().unwrap_or_default().to_owned();
    let message = field(["message", "Message"]);
    let message = if message.is_empty() { element(text, "Message").unwrap_or_default().to_owned() } else { message };
    (code, message)
}

/// The text of the first element of that name.
pub fn element<'a>(xml: &'a str, name: &str) -> Option<&'a str> {
    xml.split_once(&format!("<{name}>"))?.1.split_once(&format!("</{name}>")).map(|(text, _)| text)
}
