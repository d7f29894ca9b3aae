//! A client of HTTP/1.0, which ends every answer by ending the connection: so a test sees what really came.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::Value;

const LIMIT: Duration = Duration::from_secs(20);

/// Who asks.
#[derive(Clone, Debug)]
pub(crate) struct Client {
    pub(crate) at: SocketAddr,
    pub(crate) token: String,
}

/// What came.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    /// In lower case.
    pub(crate) head: String,
    /// As it came.
    raw: String,
    pub(crate) body: Vec<u8>,
}

impl Client {
    pub(crate) fn get(&self, path: &str) -> Result<Answer> {
        self.ask("GET", path, &[], b"")
    }

    pub(crate) fn post(&self, path: &str, body: &Value) -> Result<Answer> {
        self.post_with(path, &[], body)
    }

    pub(crate) fn post_with(&self, path: &str, headers: &[(&str, &str)], body: &Value) -> Result<Answer> {
        let headers: Vec<_> = headers.iter().copied().chain([("content-type", "application/json")]).collect();
        self.ask("POST", path, &headers, body.to_string().as_bytes())
    }

    pub(crate) fn ask(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Result<Answer> {
        let mut stream = self.connect()?;
        stream.write_all(&self.request(method, path, headers, body))?;
        Answer::read(stream)
    }

    pub(crate) fn connect(&self) -> Result<TcpStream> {
        let stream = TcpStream::connect(self.at)?;
        stream.set_read_timeout(Some(LIMIT))?;
        Ok(stream)
    }

    pub(crate) fn request(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Vec<u8> {
        let mut head = format!("{method} {path} HTTP/1.0\r\ncontent-length: {}\r\n", body.len());
        if !self.token.is_empty() {
            head += &format!("authorization: Bearer {}\r\n", self.token);
        }
        for (name, value) in headers {
            head += &format!("{name}: {value}\r\n");
        }
        [head.as_bytes(), b"\r\n", body].concat()
    }
}

impl Answer {
    /// All that comes until the connection ends.
    pub(crate) fn read(mut stream: TcpStream) -> Result<Self> {
        let mut all = Vec::new();
        if let Err(error) = stream.read_to_end(&mut all) {
            // Who answers before all was sent may cut off the rest.
            ensure!(!all.is_empty(), "no answer: {error}");
        }
        let end = all.windows(4).position(|four| four == b"\r\n\r\n").context("no head")?;
        let raw = String::from_utf8(all[..end].to_vec())?;
        let head = raw.to_ascii_lowercase();
        let status = head.split(' ').nth(1).context("no status")?.parse()?;
        Ok(Self { status, head, raw, body: all[end + 4..].to_vec() })
    }

    pub(crate) fn is(self, status: u16) -> Result<Self> {
        ensure!(self.status == status, "{status} was expected: {}\n{}", self.head, String::from_utf8_lossy(&self.body));
        Ok(self)
    }

    pub(crate) fn json(&self) -> Result<Value> {
        serde_json::from_slice(&self.body).with_context(|| String::from_utf8_lossy(&self.body).into_owned())
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// A header, in lower case.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
    }

    /// Each header of this name, as it came.
    pub(crate) fn exact(&self, name: &str) -> Vec<&str> {
        let pairs = self.raw.lines().filter_map(|line| line.split_once(": "));
        pairs.filter(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value).collect()
    }

    /// The code of a problem, which must be one of RFC 9457.
    pub(crate) fn problem(&self, status: u16) -> Result<String> {
        ensure!(self.status == status, "{status} was expected: {}\n{}", self.head, self.text());
        ensure!(self.header("content-type") == Some("application/problem+json"), "{}", self.head);
        let problem = self.json()?;
        ensure!(problem["status"] == status && problem["title"].is_string(), "{problem}");
        Ok(problem["code"].as_str().context("no code")?.to_owned())
    }
}
