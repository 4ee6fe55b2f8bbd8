//! The account on a loopback port, for a program of its own: HTTP/1.1, a request a connection.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};

use aws_sdk_s3::primitives::SdkBody;
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;

use super::wire::{Answer, Request};
use super::{FakeAws, REGION};

impl FakeAws {
    /// The URL at which the account answers for as long as the test runs.
    pub fn listen(&self) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let aws = self.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let aws = aws.clone();
                std::thread::spawn(move || aws.serve(stream));
            }
        });
        url
    }

    /// Whoever hangs up hears nothing.
    fn serve(&self, mut stream: TcpStream) -> Option<()> {
        let (request, wants_body) = read(&stream)?;
        let request = Request::read(&request);
        let fault = self.account().calls.note(&request).and_then(|kind| kind.refusal(request.service));
        let answer = match fault {
            Some(refusal) => refusal.answer(request.service),
            None => self.account().answer(&request),
        };
        stream.write_all(&written(answer, wants_body)).ok()
    }
}

/// A request, and whether its answer may have a body.
fn read(stream: &TcpStream) -> Option<(HttpRequest, bool)> {
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    reader.read_line(&mut line).ok()?;
    let mut words = line.split_whitespace();
    let (method, path) = (words.next()?.to_owned(), words.next()?.to_owned());
    let mut headers = Vec::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        let Some((name, value)) = line.trim_end().split_once(": ") else { break };
        headers.push((name.to_lowercase(), value.to_owned()));
    }
    let header = |name: &str| headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str());
    let mut body = vec![0; header("content-length").map_or(0, |length| length.parse().expect("a number"))];
    reader.read_exact(&mut body).ok()?;
    // A signature's scope names the service: `Credential=KEY/DAY/REGION/SERVICE/aws4_request`.
    let service = header("authorization").and_then(|text| text.split('/').nth(3)).expect("a signed request").to_owned();
    let mut request = HttpRequest::new(SdkBody::from(body));
    request.set_method(&method).expect("a method");
    request.set_uri(format!("https://{service}.{REGION}.amazonaws.com{path}")).expect("a URI");
    for (name, value) in headers {
        request.headers_mut().insert(name, value);
    }
    Some((request, method != "HEAD"))
}

fn written(answer: Answer, wants_body: bool) -> Vec<u8> {
    let Answer { status, headers, body } = answer;
    let mut head = format!("HTTP/1.1 {status} -\r\nconnection: close\r\ncontent-length: {}\r\n", body.len());
    for (name, value) in headers.into_iter().filter(|(name, _)| *name != "content-length") {
        head += &format!("{name}: {value}\r\n");
    }
    head += "\r\n";
    let mut bytes = head.into_bytes();
    bytes.extend(body.into_iter().filter(|_| wants_body));
    bytes
}
