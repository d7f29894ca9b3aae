//! Submissions over the HTTP API of `stead serve`: one caller at a time, and many, each on a connection that it keeps.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use stead_tests::policy;
use stead_tests::run::run;
use stead_tests::serve::{Server, stead};
use tempfile::TempDir;

use crate::sample::Sample;
use crate::table::Table;

const CALLS: usize = 500;
const CALLERS: usize = 64;
const CALLS_OF_EACH: usize = 50;
const ROUNDS: usize = 5;
const LIMIT: Duration = Duration::from_secs(60);

const STEAD: &str = r#"
[policy.works]
component = "works.wasm"

[policy.works.grant.http]
hosts = ["localhost"]

[policy.works.grant.vm]
providers = ["qemu"]
images = ["any"]
machines = 1
lifetime = "60 min"

"#;

pub(crate) fn measure() -> Result<Table> {
    let service = Service::start()?;
    let mut connection = Connection::open(&service)?;
    let mut one = Vec::new();
    for _ in 0..CALLS {
        let began = Instant::now();
        connection.submit()?;
        one.push(began.elapsed());
    }
    let (mut each, mut fastest) = (Vec::new(), Duration::MAX);
    for _ in 0..ROUNDS {
        let took = together(&service)?;
        fastest = fastest.min(took);
        each.push(took / u32::try_from(CALLERS * CALLS_OF_EACH)?);
    }
    let rate = (CALLERS * CALLS_OF_EACH) as f64 / fastest.as_secs_f64();
    Ok(Table::new("POST /v1/jobs")
        .row("one at a time", Sample::of(one)?)
        .row(format!("{CALLERS} callers at once, each: up to {rate:.0} a second"), Sample::of(each)?))
}

/// How long all calls of all callers take.
fn together(service: &Service) -> Result<Duration> {
    let connections = (0..CALLERS).map(|_| Connection::open(service)).collect::<Result<Vec<_>>>()?;
    let began = Instant::now();
    let callers: Vec<_> = connections
        .into_iter()
        .map(|mut connection| thread::spawn(move || (0..CALLS_OF_EACH).try_for_each(|_| connection.submit())))
        .collect();
    for caller in callers {
        caller.join().ok().context("a caller has crashed")??;
    }
    Ok(began.elapsed())
}

struct Service {
    server: Server,
    token: String,
    _folder: TempDir,
}

impl Service {
    /// Without workers, for what a policy costs is not measured here.
    fn start() -> Result<Self> {
        let folder = tempfile::tempdir()?;
        fs::copy(policy::component("works", "tests/jobs/policy")?, folder.path().join("works.wasm"))?;
        let said = run(stead(folder.path())?.args(["token", "bench"]), LIMIT)?;
        let token = said.stdout.trim().to_owned();
        fs::write(folder.path().join("stead.toml"), STEAD.to_owned() + &said.stderr.replace("POLICY", "works"))?;
        let server = Server::on(folder.path(), &["--workers", "0"])?;
        Ok(Self { server, token, _folder: folder })
    }
}

/// A client that knows no more of HTTP/1.1 than it needs, so that it takes little of the machine.
struct Connection {
    stream: BufReader<TcpStream>,
    request: String,
}

impl Connection {
    fn open(service: &Service) -> Result<Self> {
        let stream = TcpStream::connect(service.server.at)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(LIMIT))?;
        let body = format!("{{\"policy\": \"works\", \"input\": {{\"padding\": \"{}\"}}}}", "x".repeat(200));
        let request = format!(
            "POST /v1/jobs HTTP/1.1\r\nhost: {}\r\nauthorization: Bearer {}\r\ncontent-type: application/json\r\n\
             content-length: {}\r\n\r\n{body}",
            service.server.at,
            service.token,
            body.len()
        );
        Ok(Self { stream: BufReader::new(stream), request })
    }

    fn submit(&mut self) -> Result<()> {
        self.stream.get_mut().write_all(self.request.as_bytes())?;
        let (mut head, mut length) = (String::new(), 0);
        while !head.ends_with("\r\n\r\n") {
            let start = head.len();
            ensure!(self.stream.read_line(&mut head)? > 0, "the connection was closed: {head}");
            if let Some((name, value)) = head[start..].split_once(':')
                && name.eq_ignore_ascii_case("content-length")
            {
                length = value.trim().parse()?;
            }
        }
        let mut body = vec![0; length];
        self.stream.read_exact(&mut body)?;
        ensure!(head.starts_with("HTTP/1.1 201 "), "{head}{}", String::from_utf8_lossy(&body));
        Ok(())
    }
}
