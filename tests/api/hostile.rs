//! Clients that are broken or mean it: they get an answer of 4xx or none, and all others are served.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use stead_tests::serve::Server;
use stead_tests::wait;

use crate::client::{Answer, Client};
use crate::service::Repo;

#[test]
fn too_much_is_refused() -> Result<()> {
    let repo = Repo::new()?;
    let server = repo.serve()?;
    let client = Client::of(&server, "all");
    let large = json!({"policy": "works", "input": "x".repeat(2 << 20)});
    assert_eq!(client.post("/v1/jobs", &large)?.problem(413)?, "too-large");
    // Said beforehand, and never sent.
    let mut stream = client.connect()?;
    let head = client.request("POST", "/v1/jobs", &[("content-type", "application/json")], b"");
    let head = String::from_utf8(head)?.replace("content-length: 0", "content-length: 99999999999");
    stream.write_all(head.as_bytes())?;
    assert_eq!(Answer::read(stream)?.problem(413)?, "too-large");
    // Just what the queue takes.
    client.post("/v1/jobs", &json!({"policy": "works", "input": "x".repeat((1 << 20) - 100)}))?.is(201)?;
    let headers: Vec<_> = (0..100).map(|_| ("x-more", "and more")).collect();
    client.ask("GET", "/healthz", &headers, b"")?.is(431)?;
    let key = "k".repeat(201);
    let named = client.post_with("/v1/jobs", &[("idempotency-key", &key)], &json!({"policy": "works"}))?;
    assert_eq!(named.problem(400)?, "invalid");
    let deep = "[".repeat(100_000);
    assert_eq!(client.ask("POST", "/v1/jobs", JSON, deep.as_bytes())?.problem(400)?, "invalid");
    Ok(())
}

const JSON: &[(&str, &str)] = &[("content-type", "application/json")];

#[test]
fn who_says_nothing_takes_nothing_or_breaks_off_holds_up_nobody() -> Result<()> {
    let repo = Repo::new()?;
    let server = repo.serve()?;
    let client = Client::of(&server, "all");
    let job = client.submit(json!({"result": 1_000_000}))?;
    client.until(job, "succeeded")?;
    let mut silent: Vec<TcpStream> = (0..300).map(|_| client.connect()).collect::<Result<_>>()?;
    for (number, stream) in silent.iter_mut().enumerate() {
        match number % 4 {
            // One half of a head, one half of a body, an answer of 1 MB that nobody takes, and nothing at all.
            0 => stream.write_all(b"GET /v1/jobs HTTP/1.1\r\nauthorization: Bea")?,
            1 => {
                let request = client.request("POST", "/v1/jobs", JSON, b"{}");
                stream.write_all(
                    String::from_utf8(request)?.replace("content-length: 2", "content-length: 9").as_bytes(),
                )?;
            }
            2 => stream.write_all(&client.request("GET", &format!("/v1/jobs/{job}"), &[], b""))?,
            _ => {}
        }
    }
    let since = Instant::now();
    for _ in 0..20 {
        client.get("/v1/jobs")?.is(200)?;
    }
    ensure!(since.elapsed() < Duration::from_secs(5), "20 requests took {:?}", since.elapsed());
    // They are not waited for for ever.
    let mut first = silent.swap_remove(0);
    first.set_read_timeout(Some(Duration::from_secs(40)))?;
    let mut rest = Vec::new();
    first.read_to_end(&mut rest).context("it is still open")?;
    // With all of them there, it ends in time.
    let since = Instant::now();
    server.end()?;
    ensure!(since.elapsed() < Duration::from_secs(9), "it took {:?} to end", since.elapsed());
    Ok(())
}

#[test]
fn a_socket_is_for_its_owner_and_is_taken_over() -> Result<()> {
    use std::os::unix::fs::PermissionsExt;
    let repo = Repo::new()?;
    let socket = repo.path().join("api.sock");
    // One that a killed service has left.
    drop(std::os::unix::net::UnixListener::bind(&socket)?);
    let mut command = repo.stead()?;
    command.arg("serve").arg("--listen").arg(format!("unix:{}", socket.display()));
    let mut child = command.stderr(std::process::Stdio::null()).spawn()?;
    let asked = wait::until("the socket", Duration::from_secs(30), || {
        let mut stream = UnixStream::connect(&socket)?;
        stream.write_all(b"GET /healthz HTTP/1.0\r\n\r\n")?;
        let mut said = String::new();
        stream.read_to_string(&mut said)?;
        Ok(Some(said))
    });
    let mode = std::fs::metadata(&socket).map(|facts| facts.permissions().mode() & 0o777);
    child.kill()?;
    child.wait()?;
    ensure!(asked?.starts_with("HTTP/1.0 200"));
    assert_eq!(mode?, 0o660);
    Ok(())
}

/// What a value can be replaced by that it is not meant to be.
fn wrong() -> Vec<Value> {
    let long = "x".repeat(5000);
    vec![
        json!(null),
        json!(true),
        json!(-1),
        json!(0),
        json!(1.5),
        json!(i64::MIN),
        json!(u64::MAX),
        json!(1e300),
        json!(""),
        json!("\u{0}"),
        json!("é\u{202e}\n"),
        json!("../../etc"),
        json!("%00"),
        json!(long),
        json!([]),
        json!({}),
        json!([[[]]]),
    ]
}

/// A value as part of a path or a query, or a header.
fn text(value: &Value) -> String {
    let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    text.bytes()
        .map(|byte| if byte.is_ascii_alphanumeric() { (byte as char).to_string() } else { format!("%{byte:02x}") })
        .collect()
}

#[test]
fn nothing_that_the_document_names_can_be_sent_wrong_enough_for_an_error_of_ours() -> Result<()> {
    let repo = Repo::new()?;
    let server = repo.serve()?;
    let client = Client::of(&server, "all");
    client.post("/v1/jobs", &json!({"policy": "works"}))?.is(201)?;
    client.until(1, "succeeded")?;
    let document = client.get("/openapi.json")?.is(200)?.json()?;
    let mut asked = 0;
    for (path, item) in document["paths"].as_object().context("no paths")? {
        for (method, operation) in item.as_object().context("no operations")? {
            let tries = sent_wrong(&client, path, &method.to_uppercase(), operation)?;
            ensure!(tries > 0, "{method} {path} was not tried");
            asked += tries;
        }
    }
    ensure!(asked > 200, "only {asked} requests");
    is_well(&server)
}

/// Each parameter and each property in turn, and then all sorts of bodies.
fn sent_wrong(client: &Client, path: &str, method: &str, operation: &Value) -> Result<usize> {
    let right = path.replace("{job}", "1").replace("{name}", "done");
    let mut requests = vec![(right.clone(), vec![], Vec::new())];
    for value in wrong() {
        for parameter in operation["parameters"].as_array().into_iter().flatten() {
            let (name, text) = (parameter["name"].as_str().context("no name")?, text(&value));
            match parameter["in"].as_str() {
                Some("path") => {
                    let path = path.replace(&format!("{{{name}}}"), &text);
                    requests.push((path.replace("{job}", "1").replace("{name}", "done"), vec![], vec![]));
                }
                Some("query") => requests.push((format!("{right}?{name}={text}"), vec![], vec![])),
                _ => requests.push((right.clone(), vec![(name.to_owned(), text)], vec![])),
            }
        }
        if operation["requestBody"].is_object() {
            requests.push((right.clone(), vec![], value.to_string().into_bytes()));
            for property in ["policy", "input", "priority", "timeout_seconds", "attempts", "more"] {
                let mut body = json!({"policy": "works"});
                body[property] = value.clone();
                requests.push((right.clone(), vec![], body.to_string().into_bytes()));
            }
        }
    }
    requests.push((format!("{right}?more=1"), vec![], b"\xff\x00{".to_vec()));
    for (path, headers, body) in &requests {
        let mut all = vec![("content-type", "application/json")];
        all.extend(headers.iter().map(|(name, value)| (name.as_str(), value.as_str())));
        let answer = client.ask(method, path, &all, body).with_context(|| format!("{method} {path} {headers:?}"))?;
        let sent = || format!("{method} {path} {headers:?} {}", String::from_utf8_lossy(body));
        ensure!(answer.status < 500, "{}\n{}\n{}", sent(), answer.head, answer.text());
        if answer.status >= 400 {
            answer.problem(answer.status).with_context(sent)?;
        }
    }
    Ok(requests.len())
}

fn is_well(server: &Server) -> Result<()> {
    let client = Client::of(server, "all");
    client.get("/healthz")?.is(200)?;
    let job = client.submit(json!({}))?;
    let said = server.said();
    ensure!(!said.contains("panicked") && !said.contains("test-token"), "{said}");
    ensure!(job > 1);
    Ok(())
}
