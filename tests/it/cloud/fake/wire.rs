//! Requests and answers as bytes: AWS JSON, the query protocol, and S3's REST.

use std::collections::BTreeMap;

use aws_sdk_s3::primitives::SdkBody;
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use serde_json::{Value, json};

/// A request, taken apart.
#[derive(Debug)]
pub struct Request {
    pub service: &'static str,
    pub action: String,
    /// The table, query, topic or object that it is about.
    pub resource: String,
    pub bucket: String,
    pub key: String,
    /// Of the query string, or of a form in the body.
    pub fields: BTreeMap<String, String>,
    pub body: Vec<u8>,
    /// The body of an AWS JSON call.
    pub json: Value,
    headers: BTreeMap<String, String>,
}

impl Request {
    pub fn read(request: &HttpRequest) -> Self {
        let uri = request.uri().strip_prefix("https://").expect("AWS is called over TLS");
        let (host, target) = uri.split_once('/').unwrap_or((uri, ""));
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let body = request.body().bytes().expect("a body in memory").to_vec();
        let headers = request.headers().iter().map(|(name, value)| (name.to_lowercase(), value.to_owned())).collect();
        let mut read = Self {
            service: service(host),
            action: String::new(),
            resource: String::new(),
            bucket: String::new(),
            key: String::new(),
            fields: fields(query),
            body,
            json: Value::Null,
            headers,
        };
        match read.service {
            "s3" => read.object(request.method(), host, path),
            "glue" | "athena" => read.json_call(),
            _ => read.form(),
        }
        read
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", String::as_str)
    }

    pub fn field(&self, name: &str) -> &str {
        self.fields.get(name).map_or("", String::as_str)
    }

    /// The text under a key of the JSON body.
    pub fn text(&self, key: &str) -> &str {
        self.json[key].as_str().unwrap_or_default()
    }

    /// The SDK's id of the call, the same for every attempt.
    pub fn invocation(&self) -> &str {
        self.header("amz-sdk-invocation-id")
    }

    fn object(&mut self, method: &str, host: &str, path: &str) {
        let path = unescaped(path);
        let (bucket, key) = match host.split_once(".s3.") {
            Some((bucket, _)) => (bucket.to_owned(), path),
            None => {
                let (bucket, key) = path.split_once('/').unwrap_or((&path, ""));
                (bucket.to_owned(), key.to_owned())
            }
        };
        self.action = match (method, key.is_empty()) {
            ("GET", true) => "ListObjectsV2",
            ("PUT", true) => "CreateBucket",
            ("POST", true) if self.fields.contains_key("delete") => "DeleteObjects",
            ("GET", false) => "GetObject",
            ("HEAD", false) => "HeadObject",
            ("PUT", false) => "PutObject",
            ("DELETE", false) => "DeleteObject",
            _ => panic!("the fake's S3 does not {method} {path}", path = self.key),
        }
        .into();
        let about = if key.is_empty() { self.field("prefix") } else { &key };
        self.resource = format!("s3://{bucket}/{about}");
        (self.bucket, self.key) = (bucket, key);
    }

    fn json_call(&mut self) {
        self.action = self.header("x-amz-target").rsplit('.').next().unwrap_or_default().to_owned();
        self.json = serde_json::from_slice(&self.body).expect("AWS JSON is JSON");
        let about = ["Name", "TableName", "QueryExecutionId", "ClientRequestToken", "WorkGroup", "DatabaseName"];
        let table = self.json["TableInput"]["Name"].as_str();
        let about = table.or_else(|| about.iter().find_map(|key| self.json[*key].as_str()));
        self.resource = about.unwrap_or_default().to_owned();
    }

    fn form(&mut self) {
        self.fields = fields(std::str::from_utf8(&self.body).expect("a form is text"));
        self.action = self.field("Action").to_owned();
        self.resource = self.field("TopicArn").to_owned();
    }
}

fn service(host: &str) -> &'static str {
    let services = ["glue", "athena", "sns", "sts", "cloudformation"];
    let named = services.into_iter().find(|name| host.starts_with(&format!("{name}.")));
    let is_s3 = host.starts_with("s3.") || host.contains(".s3.");
    named.or(is_s3.then_some("s3")).unwrap_or_else(|| panic!("the fake has nobody at {host}"))
}

fn fields(text: &str) -> BTreeMap<String, String> {
    let field = |pair: &str| {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        (unescaped(&name.replace('+', " ")), unescaped(&value.replace('+', " ")))
    };
    text.split('&').filter(|pair| !pair.is_empty()).map(field).collect()
}

/// Text without `%2F`.
fn unescaped(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut parts = text.split('%');
    bytes.extend(parts.next().unwrap_or_default().bytes());
    for part in parts {
        bytes.push(u8::from_str_radix(&part[..2], 16).expect("two hex digits"));
        bytes.extend(part[2..].bytes());
    }
    String::from_utf8(bytes).expect("UTF-8")
}

/// What a service says no with.
#[derive(Debug, Clone)]
pub struct Refusal {
    pub status: u16,
    pub code: &'static str,
    pub message: String,
}

impl Refusal {
    pub fn new(status: u16, code: &'static str, message: impl Into<String>) -> Self {
        Self { status, code, message: message.into() }
    }

    /// As the service's protocol writes it.
    pub fn answer(&self, service: &str) -> Answer {
        let Self { status, code, message } = self;
        let message = escape(message);
        let body = match service {
            "glue" | "athena" => json!({"__type": code, "Message": self.message}).to_string(),
            "s3" => format!("<Error><Code>{code}</Code><Message>{message}</Message></Error>"),
            _ => {
                format!("<ErrorResponse><Error><Code>{code}</Code><Message>{message}</Message></Error></ErrorResponse>")
            }
        };
        Answer { status: *status, headers: Vec::new(), body: body.into_bytes() }
    }
}

/// What a service answers.
#[derive(Debug, Default)]
pub struct Answer {
    pub status: u16,
    pub headers: Vec<(&'static str, String)>,
    pub body: Vec<u8>,
}

impl Answer {
    pub fn json(value: &Value) -> Self {
        Self { status: 200, headers: Vec::new(), body: value.to_string().into_bytes() }
    }

    pub fn xml(text: impl Into<String>) -> Self {
        Self { status: 200, headers: Vec::new(), body: text.into().into_bytes() }
    }

    pub fn into_http(self) -> HttpResponse {
        let status = self.status.try_into().expect("an HTTP status");
        let mut response = HttpResponse::new(status, SdkBody::from(self.body));
        for (name, value) in self.headers {
            response.headers_mut().insert(name, value);
        }
        response
    }
}

/// Text inside XML.
pub fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

/// The texts of every element of that name.
pub fn elements(xml: &str, name: &str) -> Vec<String> {
    let (open, close) = (format!("<{name}>"), format!("</{name}>"));
    let plain =
        |text: &str| text.replace("&quot;", "\"").replace("&gt;", ">").replace("&lt;", "<").replace("&amp;", "&");
    xml.split(&open).skip(1).filter_map(|rest| rest.split(&close).next()).map(plain).collect()
}

/// The page of `items` that a token names, and the next page's token. A token is an offset.
pub fn page<T: Clone>(items: &[T], token: &str, size: usize) -> (Vec<T>, Option<String>) {
    let from: usize = if token.is_empty() { 0 } else { token.parse().expect("one of the fake's tokens") };
    let found = items.iter().skip(from).take(size).cloned().collect();
    (found, (from + size < items.len()).then(|| (from + size).to_string()))
}
